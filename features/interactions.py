"""Ties at work from counts alone: how often a person acts and is addressed, with whom, and how that changes.

Never content, never emotion. A fall of the counts has many harmless causes (leave, a closed project, another tool);
therefore every change is measured against the person's own rate and against what happens to the team.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import engine, windows
from features.cards import Card, Driver
from features.engine import Frame, quotient
from features.pairs import Pairs
from features.snapshots import Panel
from features.windows import Measure, others_mean, ratio, total

KINDS = {
    "message": ("messages", "messages", "消息"),
    "email": ("emails", "e-mails", "邮件"),
    "meeting": ("meetings", "meetings", "会议"),
    "one_on_one": ("one_on_ones", "one-on-ones", "一对一沟通"),
    "project": ("projects", "project contributions", "项目参与"),
    "help_given": ("help_given", "times of helping others", "帮助同事"),
}
"""kind -> name in columns, words in en, words in zh."""
GLOOR = "Gardner & Hom; Gloor 2017: people grow quieter, or louder, one to five months before"


def _card(column: str, meaning: str, en: str, zh: str, **more: object) -> Card:
    facts: dict[str, object] = {"driver": "belonging", "unit": "count", **more}
    return Card(column, meaning=meaning, words_en=en, words_zh=zh, **facts)  # type: ignore[arg-type]


def _kind_card(kind: str) -> Card:
    column, en, zh = KINDS[kind]
    driver: Driver = "manager" if kind == "one_on_one" else "growth" if kind == "project" else "belonging"
    words = f"{{value}} {en} in the last 90 days", f"近 90 天{zh} {{value}} 次"
    return _card(f"{column}_90d", f"{en} by the person in the last 90 days", *words, driver=driver, window_days=90)


CARDS: tuple[Card, ...] = (
    _card(
        "interactions_made_30d",
        "interactions that the person began, last 30 days",
        "{value} interactions begun in the last 30 days",
        "近 30 天主动互动 {value} 次",
        expected=-1,
        window_days=30,
    ),
    _card(
        "interactions_made_90d",
        "interactions that the person began, last 90 days",
        "{value} interactions begun in the last 90 days",
        "近 90 天主动互动 {value} 次",
        expected=-1,
        window_days=90,
    ),
    *(_kind_card(kind) for kind in KINDS),
    _card(
        "interactions_received_30d",
        "interactions in which others turned to the person, last 30 days",
        "{value} times addressed by others in the last 30 days",
        "近 30 天被同事联系 {value} 次",
        expected=-1,
        window_days=30,
    ),
    _card(
        "interactions_received_90d",
        "interactions in which others turned to the person, last 90 days",
        "{value} times addressed by others in the last 90 days",
        "近 90 天被同事联系 {value} 次",
        expected=-1,
        window_days=90,
        source="Ballinger 2016: incoming centrality lowers exits",
    ),
    _card(
        "interactions_made_ratio_30d",
        "interactions begun in 30 days over the person's own usual number (210 to 30 days ago)",
        "activity at {value} of the person's own usual",
        "主动互动次数为本人平时的 {value} 倍",
        unit="ratio",
        window_days=210,
        source=GLOOR,
    ),
    _card(
        "interactions_made_ratio_vs_team",
        "own activity ratio minus the mean ratio of the others in the team",
        "activity {value} apart from the team's own change",
        "主动互动变化与团队平均之差为 {value}",
        unit="ratio",
        window_days=210,
        source=GLOOR,
    ),
    _card(
        "interactions_received_ratio_30d",
        "times addressed in 30 days over the person's own usual number",
        "addressed at {value} of the usual",
        "被联系次数为平时的 {value} 倍",
        unit="ratio",
        window_days=210,
        source=GLOOR,
    ),
    _card(
        "talk_ratio_30d",
        "messages and e-mails in 30 days over the person's own usual number",
        "messages and e-mails at {value} of the usual",
        "消息与邮件数量为平时的 {value} 倍",
        unit="ratio",
        window_days=210,
        source=GLOOR,
    ),
    _card(
        "initiative_ratio_90d",
        "project work and help given in 90 days over the person's own usual number",
        "projects and help for others at {value} of the usual",
        "参与项目和帮助同事的次数为平时的 {value} 倍",
        unit="ratio",
        driver="engagement",
        expected=-1,
        window_days=365,
        source="Gardner & Hom: fewer contributions one to two months before",
    ),
    _card(
        "interactions_made_vs_team_90d",
        "interactions begun in 90 days over the mean of the others in the team",
        "activity at {value} of the others in the team",
        "主动互动次数为团队同事平均的 {value} 倍",
        unit="ratio",
        expected=-1,
        window_days=90,
    ),
    _card(
        "received_share_90d",
        "share of the person's interactions that others began, last 90 days",
        "{value} of interactions begun by others",
        "互动中由他人发起的占 {value}",
        unit="share",
        window_days=90,
    ),
    _card(
        "days_since_interaction",
        "days since the person last began an interaction",
        "{value} since the last interaction begun",
        "距上次主动互动已 {value}",
        unit="days",
        expected=1,
    ),
    _card(
        "contacts_30d",
        "different colleagues the person turned to in the last 30 days",
        "{value} different contacts in the last 30 days",
        "近 30 天联系过 {value} 位同事",
        expected=-1,
        window_days=30,
        source="Feeley 2008 (n = 40: weak)",
    ),
    _card(
        "contacts_90d",
        "different colleagues the person turned to in the last 90 days",
        "{value} different contacts in the last 90 days",
        "近 90 天联系过 {value} 位同事",
        expected=-1,
        window_days=90,
    ),
    _card(
        "contacts_in_90d",
        "different colleagues who turned to the person in the last 90 days",
        "{value} colleagues turned to this person in the last 90 days",
        "近 90 天有 {value} 位同事主动联系过本人",
        expected=-1,
        window_days=90,
        source="Ballinger 2016: incoming centrality lowers exits",
    ),
    _card(
        "reciprocity_90d",
        "share of the contacts who turned to the person as well, last 90 days",
        "{value} of contacts are mutual",
        "联系的同事中双向联系的占 {value}",
        unit="share",
        expected=-1,
        window_days=90,
    ),
    _card(
        "contacts_outside_team_share_90d",
        "share of the contacts who work in another team, last 90 days",
        "{value} of contacts outside the own team",
        "联系的同事中团队外的占 {value}",
        unit="share",
        window_days=90,
    ),
    _card(
        "contacts_leaving_90d",
        "contacts of the last 90 days whose voluntary exit became known in the last 90 days",
        "{value} close colleagues leaving in the last 90 days",
        "近 90 天有 {value} 位常联系的同事离职",
        expected=1,
        actionable=False,
        window_days=90,
        source="Visier; Krackhardt & Porter 1986: exits spread along ties",
    ),
)


def columns(panel: Panel, pairs: Pairs) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    with_oneself = (nw.col("counterpart_id") == nw.col("employee_id")).fill_null(False)
    facts = panel.facts["interactions"].filter(~with_oneself)
    met = facts.filter(~nw.col("counterpart_id").is_null())
    turned = met.with_columns(nw.col("counterpart_id").alias("employee_id"))
    received = engine.held(_received(panel, turned))
    ties = _ties(panel, pairs.ties, received.select(*keys, "_told30", "_told90"))
    rows = panel.rows.select(*keys, "team")
    for part in (_made(panel, facts), received, ties):
        rows = rows.join(part, on=keys, how="left")
    made, heard = nw.col("interactions_made_90d"), nw.col("interactions_received_90d")
    usual, team_made = nw.col("interactions_made_ratio_30d"), others_mean(made, ["team"])
    return rows.with_columns(
        (usual - others_mean(usual, ["team"])).alias("interactions_made_ratio_vs_team"),
        nw.when(team_made > 0).then(quotient(made, team_made)).alias("interactions_made_vs_team_90d"),
        nw.when(made + heard > 0).then(quotient(heard, made + heard)).alias("received_share_90d"),
    )


def _made(panel: Panel, facts: Frame) -> Frame:
    """Counts of what the person began, by kind and against the own rate."""
    n, kind = nw.col("n"), nw.col("kind")
    acts = {
        "made": (n, (30, 90, 210)),
        "talk": (nw.when(kind.is_in(["message", "email"])).then(n), (30, 210)),
        "initiative": (nw.when(kind.is_in(["project", "help_given"])).then(n), (90, 365)),
        **{name: (nw.when(kind == value).then(n), (90,)) for value, (name, _, _) in KINDS.items()},
    }
    measures = [Measure(name, value, days, whole=True, counted=False) for name, (value, days) in acts.items()]
    sums = windows.window_sums(panel.spine, facts, measures)
    last = windows.last_day(facts, panel.as_of, ["employee_id"])
    sums = sums.join(last, on=["employee_id", "place"], how="left")
    return sums.select(
        "employee_id",
        "place",
        total("made", 30).alias("interactions_made_30d"),
        total("made", 90).alias("interactions_made_90d"),
        *(total(name, 90).alias(f"{name}_90d") for name, _, _ in KINDS.values()),
        ratio("made", 30, 210).alias("interactions_made_ratio_30d"),
        ratio("talk", 30, 210).alias("talk_ratio_30d"),
        ratio("initiative", 90, 365).alias("initiative_ratio_90d"),
        (nw.col("as_of") - nw.col("last_day")).cast(nw.Float64).alias("days_since_interaction"),
    )


def _received(panel: Panel, turned: Frame) -> Frame:
    received = Measure("received", nw.col("n"), (30, 90, 210), whole=True, counted=False)
    sums = windows.window_sums(panel.spine, turned, [received])
    return sums.select(
        "employee_id",
        "place",
        total("received", 30).alias("interactions_received_30d"),
        total("received", 90).alias("interactions_received_90d"),
        ratio("received", 30, 210).alias("interactions_received_ratio_30d"),
        nw.when(~total("received", 30).is_null()).then(1.0).alias("_told30"),
        nw.when(~total("received", 90).is_null()).then(1.0).alias("_told90"),
    )


def _ties(panel: Panel, in_touch: Frame, told: Frame) -> Frame:
    """Who is in touch with whom on each snapshot; null while nobody's counterparts have been recorded long enough."""
    keys = ["employee_id", "place"]
    near = in_touch.filter(nw.col("made_n90") + nw.col("heard_n90") > 0)
    near = near.join(_others(panel), on=["with_id", "place"], how="left")
    near = near.join(panel.rows.select(*keys, "team"), on=keys, how="left")
    out, inward = nw.col("made_n90") > 0, nw.col("heard_n90") > 0
    teams = out & ~nw.col("team").is_null() & ~nw.col("_their_team").is_null()
    marks = {
        "_n30": nw.col("made_n30") > 0,
        "_n90": out,
        "_in90": inward,
        "_back": out & inward,
        "_left": out & ~nw.col("_left").is_null(),
        "_placed": teams,
        "_outside": teams & (nw.col("team") != nw.col("_their_team")),
    }
    counted = near.select(*keys, *[mark.fill_null(False).cast(nw.Int64).alias(name) for name, mark in marks.items()])
    ties = counted.group_by(*keys).agg(*[nw.col(name).sum() for name in marks])
    rows = told.join(ties, on=keys, how="left")
    return rows.select(
        *keys,
        (nw.col("_told30") * nw.col("_n30").fill_null(0)).alias("contacts_30d"),
        (nw.col("_told90") * nw.col("_n90").fill_null(0)).alias("contacts_90d"),
        (nw.col("_told90") * nw.col("_in90").fill_null(0)).alias("contacts_in_90d"),
        (nw.col("_told90") * nw.col("_left").fill_null(0)).alias("contacts_leaving_90d"),
        nw.when(nw.col("_n90") > 0).then(quotient(nw.col("_back"), nw.col("_n90"))).alias("reciprocity_90d"),
        nw.when(nw.col("_placed") > 0)
        .then(quotient(nw.col("_outside"), nw.col("_placed")))
        .alias("contacts_outside_team_share_90d"),
    )


def _others(panel: Panel) -> Frame:
    """Colleagues as counterparts: their team while at risk, and whether they gave notice in the last 90 days."""
    keys = ["employee_id", "place"]
    recent = (nw.col("kind") == "voluntary") & (nw.col("as_of") - nw.col("notice_on") < 90)
    left = panel.exits.filter(recent).select(*keys).unique().with_columns(nw.lit(1).alias("_left"))
    teams = panel.rows.select(*keys, nw.col("team").alias("_their_team"))
    return teams.join(left, on=keys, how="full").select(
        nw.coalesce("employee_id", "employee_id_right").alias("with_id"),
        nw.coalesce("place", "place_right").alias("place"),
        "_their_team",
        "_left",
    )
