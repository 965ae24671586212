"""Ties at work: how strong they are, how they wear away, how central a person is, who helps whom.

Counts alone. A tie is another person with whom there was any interaction in the window, whoever began it; its weight
is the number of acts. A tie with somebody who has left did not wear away: silence is counted only among people who
are still there. Ties to people outside the organisation count as ties and have no team, level or silence.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import engine
from features.cards import Card
from features.engine import Frame, quotient
from features.pairs import Pairs, covered
from features.snapshots import Panel
from features.windows import MILLION, others_mean

STEPS = 4
"""Steps of the power iteration; the order of people hardly changes after three in a company of a thousand."""
STRONGEST = 3

BALLINGER = "Ballinger 2016: incoming eigenvector centrality lowers exits, in two firms"
GLOOR = "Gloor 2017: four to five months before leaving people are busier, not quieter: direction is mixed"
EMBEDDED = "Rubenstein 2018: embeddedness r = -.26; Feeley 2008 (n = 40: weak)"


def _card(column: str, meaning: str, en: str, zh: str, **more: object) -> Card:
    facts: dict[str, object] = {"driver": "belonging", "unit": "share", "window_days": 90, **more}
    return Card(column, meaning=meaning, words_en=en, words_zh=zh, **facts)  # type: ignore[arg-type]


CARDS: tuple[Card, ...] = (
    _card(
        "ties_90d",
        "people in touch with the person in the last 90 days, whoever began",
        "in touch with {value} people in the last 90 days",
        "近 90 天与 {value} 人有往来",
        unit="count",
        expected=-1,
        source=EMBEDDED,
    ),
    _card(
        "acts_per_tie_90d",
        "interactions per tie in the last 90 days, whoever began",
        "{value} interactions per contact",
        "与每位联系人平均互动 {value} 次",
        unit="score",
    ),
    _card(
        "strongest_ties_share_90d",
        "share of all interactions that falls to the three strongest ties, last 90 days",
        "{value} of interactions with the three closest contacts",
        "与联系最多的三人的互动占 {value}",
    ),
    _card(
        "tie_concentration_90d",
        "sum over ties of the squared share of interactions (1: all with one person), last 90 days",
        "interactions concentrated to {value} on few contacts",
        "互动集中度为 {value}",
    ),
    _card(
        "ties_silent_90d",
        "ties of 180 to 90 days ago, with people still there, without any interaction in the last 90 days",
        "{value} contacts gone silent in the last 90 days",
        "近 90 天有 {value} 位同事不再往来",
        unit="count",
        window_days=180,
        source=GLOOR,
    ),
    _card(
        "ties_silent_share_90d",
        "the silent ones among the ties of 180 to 90 days ago with people still there",
        "{value} of earlier contacts gone silent",
        "原有联系中近 90 天中断的占 {value}",
        window_days=180,
        source=GLOOR,
    ),
    _card(
        "ties_new_share_90d",
        "share of the present ties that did not exist 180 to 90 days ago; unknown when there were none then",
        "{value} of contacts are new",
        "近 90 天的联系人中新建立的占 {value}",
        window_days=180,
    ),
    _card(
        "tie_weight_kept_90d",
        "how much of each earlier tie's interactions was kept up (at most all of it), with people still there",
        "{value} of earlier working ties kept up",
        "原有工作联系保持了 {value}",
        window_days=180,
        source=GLOOR,
    ),
    _card(
        "outside_team_weight_share_90d",
        "share of the interactions with colleagues that goes to other teams, last 90 days",
        "{value} of interactions outside the own team",
        "互动中与其他团队的占 {value}",
    ),
    _card(
        "outside_team_change_90d",
        "share of ties outside the team in the last 90 days minus that of the 90 days before, in today's teams",
        "a change of {value} in contacts outside the own team",
        "团队外联系占比变化 {value}",
        window_days=180,
    ),
    _card(
        "ties_upward_share_90d",
        "share of the ties with colleagues of a known level who stand on a higher level, last 90 days",
        "{value} of contacts on a higher level",
        "联系人中职级更高的占 {value}",
    ),
    _card(
        "initiated_share_change_90d",
        "share of interactions that the person began, last 90 days minus the 90 days before",
        "a change of {value} in how often this person takes the first step",
        "主动发起互动的占比变化 {value}",
        window_days=180,
        source=GLOOR,
    ),
    _card(
        "answered_share_90d",
        "share of those who turned to the person to whom the person turned as well, last 90 days",
        "turns back to {value} of those who turned to this person",
        "对主动联系本人的同事,有回应的占 {value}",
        expected=-1,
        source="Gardner & Hom: withdrawal shows as fewer contributions to others",
    ),
    _card(
        "help_received_90d",
        "times colleagues helped the person in the last 90 days",
        "helped by colleagues {value} times in the last 90 days",
        "近 90 天得到同事帮助 {value} 次",
        unit="count",
        expected=-1,
        source=EMBEDDED,
    ),
    _card(
        "help_given_share_90d",
        "help given to named colleagues over help given and received, last 90 days",
        "gives {value} of the help exchanged with colleagues",
        "与同事互助中付出的占 {value}",
    ),
    _card(
        "received_vs_company_90d",
        "how often others turned to the person, over the mean of the others in the company, last 90 days",
        "addressed {value} times as often as others in the company",
        "被联系次数为公司其他人平均的 {value} 倍",
        unit="ratio",
        expected=-1,
        source=BALLINGER,
    ),
    _card(
        "incoming_centrality_90d",
        "how much sought after by people who are sought after themselves (mean 1): four steps of the power iteration "
        "over who turned to whom in the last 90 days, everybody keeping the own score at each step",
        "sought after {value} times as much as the average",
        "在同事网络中的受关注程度为平均的 {value} 倍",
        unit="ratio",
        expected=-1,
        source=BALLINGER,
    ),
)


def columns(panel: Panel, pairs: Pairs) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    rows = panel.rows.select(*keys, "as_of", "hired_on").join(pairs.feed, on="place", how="left")
    for part in (_sums(panel, pairs.ties), _strongest(pairs.ties), _centrality(panel, pairs.ties)):
        rows = rows.join(part, on=keys, how="left")
    rows = rows.with_columns(
        nw.when(covered(90)).then(nw.col("_heard").fill_null(0).cast(nw.Float64)).alias("_addressed")
    )
    return rows.select(*keys, *_strength(), *_decay(), *_spread(), *_exchange())


def _sums(panel: Panel, ties: Frame) -> Frame:
    """Everything that adds up over a person's ties."""
    keys = ["employee_id", "place"]
    own = panel.rows.select(*keys, "team", "level")
    theirs = panel.rows.select(
        nw.col("employee_id").alias("with_id"),
        "place",
        nw.col("team").alias("_their_team"),
        nw.col("level").alias("_their_level"),
        nw.lit(1, dtype=nw.Int64).alias("_here"),
    )
    both = ties.join(own, on=keys, how="left").join(theirs, on=["with_id", "place"], how="left")
    made, heard = nw.col("made_w90"), nw.col("heard_w90")
    now = (nw.col("made_n90") + nw.col("heard_n90")) > 0
    before = (nw.col("made_n180") + nw.col("heard_n180")) > (nw.col("made_n90") + nw.col("heard_n90"))
    weight, earlier = made + heard, nw.col("made_w180") + nw.col("heard_w180") - made - heard
    here = ~nw.col("_here").is_null()
    placed = ~nw.col("team").is_null() & ~nw.col("_their_team").is_null()
    outside = placed & (nw.col("team") != nw.col("_their_team"))
    levelled = ~nw.col("level").is_null() & ~nw.col("_their_level").is_null()
    marks = {
        "_now": now,
        "_before": before,
        "_silent": before & ~now & here,
        "_before_here": before & here,
        "_new": now & ~before,
        "_placed": now & placed,
        "_outside": now & outside,
        "_placed_before": before & placed,
        "_outside_before": before & outside,
        "_levelled": now & levelled,
        "_upward": now & levelled & (nw.col("_their_level") > nw.col("level")),
        "_inward": nw.col("heard_n90") > 0,
        "_mutual": (nw.col("heard_n90") > 0) & (nw.col("made_n90") > 0),
    }
    zero = nw.lit(0, dtype=nw.Int64)
    amounts = {
        "_weight": weight,
        "_squares": weight * weight,
        "_made": made,
        "_heard": heard,
        "_made_before": nw.col("made_w180") - made,
        "_heard_before": nw.col("heard_w180") - heard,
        "_kept": nw.when(here).then(nw.min_horizontal(weight, earlier)).otherwise(zero),
        "_earlier": nw.when(here).then(earlier).otherwise(zero),
        "_weight_placed": nw.when(placed).then(weight).otherwise(zero),
        "_weight_outside": nw.when(outside).then(weight).otherwise(zero),
        "_help_given": nw.col("made_help90"),
        "_help_received": nw.col("heard_help90"),
    }
    summed = {name: mark.fill_null(False).cast(nw.Int64) for name, mark in marks.items()} | amounts
    counted = both.select(*keys, *[value.alias(name) for name, value in summed.items()])
    return counted.group_by(*keys).agg(*[nw.col(name).sum() for name in summed])


def _strongest(ties: Frame) -> Frame:
    """The weight of the three strongest ties; which of two equal ones is taken makes no difference to the sum."""
    keys = ["employee_id", "place"]
    weights = ties.select(
        *keys, (nw.col("made_w90") + nw.col("heard_w90")).alias("_w"), nw.lit(1, dtype=nw.Int64).alias("_one")
    )
    ranked = weights.with_columns(
        nw.col("_one").cum_sum().over(*keys, order_by=["_w"]).alias("_rank"),
        nw.col("_one").sum().over(*keys).alias("_of"),
    )
    best = ranked.filter(nw.col("_rank") > nw.col("_of") - STRONGEST)
    return best.group_by(*keys).agg(nw.col("_w").sum().alias("_strongest"))


def _centrality(panel: Panel, ties: Frame) -> Frame:
    """Scores in whole millionths with mean one million on each snapshot, so that sums are exact in any order.

    The tie of everybody with themselves keeps the iteration from swinging to and fro and the plan a single chain.
    """
    keys = ["employee_id", "place"]
    score = panel.rows.select(*keys, nw.lit(MILLION, dtype=nw.Int64).alias("_score"))
    itself = panel.rows.select("employee_id", nw.col("employee_id").alias("with_id"), "place")
    links = nw.concat([ties.filter(nw.col("heard_n90") > 0).select("employee_id", "with_id", "place"), itself])
    links = engine.held(links)
    for _ in range(STEPS):
        giver = score.select(nw.col("employee_id").alias("with_id"), "place", "_score")
        given = links.join(giver, on=["with_id", "place"], how="inner")
        given = given.group_by(*keys).agg(nw.col("_score").sum())
        level = nw.col("_score").sum().over("place") / nw.len().over("place")
        score = given.with_columns((nw.col("_score") / level * float(MILLION)).round(0).cast(nw.Int64).alias("_score"))
    return score


def _strength() -> list[nw.Expr]:
    weight = nw.col("_weight")
    return [
        nw.when(covered(90)).then(nw.col("_now").fill_null(0).cast(nw.Float64)).alias("ties_90d"),
        nw.when(nw.col("_now") > 0).then(quotient(weight, nw.col("_now"))).alias("acts_per_tie_90d"),
        _part("_strongest", "_weight").alias("strongest_ties_share_90d"),
        nw.when(weight > 0)
        .then(quotient(nw.col("_squares").cast(nw.Float64), weight.cast(nw.Float64) * weight.cast(nw.Float64)))
        .alias("tie_concentration_90d"),
    ]


def _decay() -> list[nw.Expr]:
    told = covered(180)
    silent = nw.col("_silent").fill_null(0).cast(nw.Float64)
    return [
        nw.when(told).then(silent).alias("ties_silent_90d"),
        nw.when(told).then(_part("_silent", "_before_here")).alias("ties_silent_share_90d"),
        nw.when(told, nw.col("_before") > 0).then(_part("_new", "_now")).alias("ties_new_share_90d"),
        nw.when(told).then(_part("_kept", "_earlier")).alias("tie_weight_kept_90d"),
    ]


def _spread() -> list[nw.Expr]:
    change = _part("_outside", "_placed") - _part("_outside_before", "_placed_before")
    return [
        _part("_weight_outside", "_weight_placed").alias("outside_team_weight_share_90d"),
        change.alias("outside_team_change_90d"),
        _part("_upward", "_levelled").alias("ties_upward_share_90d"),
    ]


def _exchange() -> list[nw.Expr]:
    made, heard = nw.col("_made"), nw.col("_heard")
    made_before, heard_before = nw.col("_made_before"), nw.col("_heard_before")
    recent = nw.when(made + heard > 0).then(quotient(made, made + heard))
    earlier = nw.when(made_before + heard_before > 0).then(quotient(made_before, made_before + heard_before))
    given, got = nw.col("_help_given"), nw.col("_help_received")
    others = others_mean(nw.col("_addressed"), [])
    return [
        (recent - earlier).alias("initiated_share_change_90d"),
        _part("_mutual", "_inward").alias("answered_share_90d"),
        nw.when(covered(90, "help")).then(got.fill_null(0).cast(nw.Float64)).alias("help_received_90d"),
        nw.when(given + got > 0).then(quotient(given, given + got)).alias("help_given_share_90d"),
        nw.when(others > 0).then(quotient(nw.col("_addressed"), others)).alias("received_vs_company_90d"),
        nw.when(covered(90)).then(quotient(nw.col("_score"), float(MILLION))).alias("incoming_centrality_90d"),
    ]


def _part(part: str, whole: str) -> nw.Expr:
    """A share, null where there is nothing to share."""
    return nw.when(nw.col(whole) > 0).then(quotient(nw.col(part), nw.col(whole)))
