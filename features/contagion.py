"""Exits spread: along ties, in the team, in the team one was in before, among those who came or work alike.

A voluntary exit makes others think of theirs, most about two months later. Its weight by days since the notice,
after Visier's curve (starts after 45 days, peaks at 70, is over after 135):

    notice ---.3---30---1.0---60---.9---90---.4---120---0---

Nobody can be named by these columns: a group with fewer than ``FEWEST`` others is unknown, and what hangs on single
colleagues is told to nobody. Alike people also leave for like reasons, without any contagion; these columns cannot
tell the two apart.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import engine, windows
from features.cards import Card
from features.engine import Frame, quotient
from features.pairs import Pairs, covered
from features.snapshots import Panel

KERNEL = ((30, 3), (60, 10), (90, 9), (120, 4))
"""Days since the notice, below, → weight of the exit in tenths."""
LASTS = 120
FORMER = 365
"""Somebody who shared the team within so many days is a former team-mate."""
WAVE = 30
"""People hired within so many days of each other came together."""
FEWEST = 3

VISIER = "Visier: a voluntary exit raises team-mates' exits by 9 %, peaking after 70 days, for 135 days"
KRACKHARDT = "Krackhardt & Porter 1986: exits come in clusters of people in like roles"


def _card(column: str, meaning: str, en: str, zh: str, **more: object) -> Card:
    facts: dict[str, object] = {
        "driver": "belonging",
        "unit": "share",
        "expected": 1,
        "actionable": False,
        "source": VISIER,
        **more,
    }
    return Card(column, meaning=meaning, words_en=en, words_zh=zh, **facts)  # type: ignore[arg-type]


CARDS: tuple[Card, ...] = (
    _card(
        "contact_exits_weighted",
        "share of the interactions of the last 180 days that was with people whose voluntary exit became known, each "
        "exit weighted by days since the notice (below 30: .3, 60: 1, 90: .9, 120: .4); unknown with fewer than three "
        "ties",
        "colleagues in close touch leaving (weight {value})",
        "密切联系的同事离职影响 {value}",
        window_days=180,
        shown=False,
    ),
    _card(
        "tie_weight_gone_180d",
        "share of the interactions of the last 180 days that was with people whose exit of any kind became known in "
        "that time; unknown with fewer than three ties",
        "{value} of working ties lost to colleagues leaving",
        "因同事离职而失去的工作联系占 {value}",
        window_days=180,
    ),
    _card(
        "team_exits_weighted",
        "voluntary exits in the team, each weighted by days since the notice (below 30: .3, 60: 1, 90: .9, 120: .4); "
        "unknown with fewer than three others in the team",
        "recent exits in the team (weight {value})",
        "团队近期离职影响 {value}",
        unit="score",
        window_days=120,
    ),
    _card(
        "former_team_exits_weighted",
        "voluntary exits, weighted alike, of people who shared a team with the person within the last 365 days and "
        "left another team than the person's present one",
        "recent exits among former team-mates (weight {value})",
        "前团队同事近期离职影响 {value}",
        unit="score",
        window_days=365,
        shown=False,
    ),
    _card(
        "hire_wave_exit_share_365d",
        "voluntary exits of the last 365 days among people hired within 30 days of the person, over these and those "
        "still there; unknown with fewer than three others",
        "{value} of those hired at the same time left within a year",
        "同期入职者中近一年主动离职的占 {value}",
        window_days=365,
    ),
    _card(
        "same_role_exit_share_180d",
        "voluntary exits of the last 180 days in the same job and department, over these and those still there; "
        "unknown with fewer than three others",
        "{value} of colleagues in the same role left within half a year",
        "同岗位同事近半年主动离职的占 {value}",
        window_days=180,
        source=KRACKHARDT,
    ),
)


def columns(panel: Panel, pairs: Pairs) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    gone = panel.exits.join(panel.rows.select(*keys), on=keys, how="anti")
    leavers = engine.held(_leavers(gone))
    began = panel.exits.group_by("place").agg(nw.col("notice_on").min().alias("_exits_from"))
    rows = panel.rows.select(*keys, "as_of", "hired_on", "team", "department", "job")
    rows = rows.join(pairs.feed, on="place", how="left").join(began, on="place", how="left")
    for part in (_along_ties(pairs.ties, leavers, gone), _former(panel, leavers), _wave(panel, leavers)):
        rows = rows.join(part, on=keys, how="left")
    rows = rows.join(_in_group(leavers, ["team"], LASTS), on=["team", "place"], how="left")
    rows = rows.join(_in_group(leavers, ["department", "job"], 180), on=["department", "job", "place"], how="left")
    met = _told(180) & covered(180) & (nw.col("_ties") >= FEWEST) & (nw.col("_weight") > 0)
    team, role = _others("team"), _others("department", "job")
    wave, role_left = nw.col("_wave_left"), nw.col("_department_left").fill_null(0)
    return rows.with_columns(
        nw.when(met).then(quotient(nw.col("_weighted"), nw.col("_weight") * 10)).alias("contact_exits_weighted"),
        nw.when(met).then(quotient(nw.col("_lost"), nw.col("_weight"))).alias("tie_weight_gone_180d"),
        nw.when(_told(LASTS), team >= FEWEST)
        .then(quotient(nw.col("_team_kernel").fill_null(0), 10.0))
        .alias("team_exits_weighted"),
        nw.when(_told(LASTS), ~nw.col("team").is_null())
        .then(quotient(nw.col("_former").fill_null(0), 10.0))
        .alias("former_team_exits_weighted"),
        nw.when(_told(365), wave + nw.col("_wave_here") - 1 >= FEWEST)
        .then(quotient(wave, wave + nw.col("_wave_here") - 1))
        .alias("hire_wave_exit_share_365d"),
        nw.when(_told(180), role + role_left >= FEWEST)
        .then(quotient(role_left, role + role_left))
        .alias("same_role_exit_share_180d"),
    )


def _leavers(gone: Frame) -> Frame:
    """Everybody who chose to go, once per snapshot: the latest notice, the post left and the weight in tenths."""
    keys = ["employee_id", "place"]
    chosen = gone.filter(nw.col("kind") == "voluntary")
    chosen = chosen.filter(nw.col("notice_on") == nw.col("notice_on").max().over(*keys))
    age = nw.col("as_of") - nw.col("notice_on")
    weight = nw.lit(0, dtype=nw.Int64)
    for below, tenths in reversed(KERNEL):
        weight = nw.when(age < below).then(nw.lit(tenths, dtype=nw.Int64)).otherwise(weight)
    chosen = chosen.with_columns(age.alias("_age"), weight.alias("_kernel"))
    return chosen.select(*keys, "as_of", "team", "department", "job", "_age", "_kernel").unique()


def _along_ties(ties: Frame, leavers: Frame, gone: Frame) -> Frame:
    """What part of a person's interactions was with people who have gone since."""
    keys = ["employee_id", "place"]
    weight = (nw.col("made_w180") + nw.col("heard_w180")).alias("_weight")
    left = gone.filter(nw.col("as_of") - nw.col("notice_on") < 180)
    left = left.select(nw.col("employee_id").alias("with_id"), "place", nw.lit(1, dtype=nw.Int64).alias("_gone"))
    chose = leavers.filter(nw.col("_kernel") > 0)
    chose = chose.select(nw.col("employee_id").alias("with_id"), "place", "_kernel")
    fate = left.unique().join(chose, on=["with_id", "place"], how="left")
    met = ties.select(*keys, "with_id", weight).join(fate, on=["with_id", "place"], how="left")
    parts = met.with_columns(
        (nw.col("_weight") * nw.col("_kernel").fill_null(0)).alias("_weighted"),
        (nw.col("_weight") * nw.col("_gone").fill_null(0)).alias("_lost"),
    )
    sums = [nw.col(name).sum() for name in ("_weight", "_weighted", "_lost")]
    return parts.group_by(*keys).agg(nw.len().cast(nw.Int64).alias("_ties"), *sums)


def _in_group(leavers: Frame, groups: list[str], days: int) -> Frame:
    """How many left the group in the window and how much these exits weigh now; named after the first group."""
    known = leavers.filter(nw.col("_age") < days, *[~nw.col(name).is_null() for name in groups])
    return known.group_by(*groups, "place").agg(
        nw.len().cast(nw.Int64).alias(f"_{groups[0]}_left"), nw.col("_kernel").sum().alias(f"_{groups[0]}_kernel")
    )


def _others(*groups: str) -> nw.Expr:
    """How many others at risk share the groups; null where the person's own are unknown."""
    known = ~nw.any_horizontal(*[nw.col(name).is_null() for name in groups], ignore_nulls=True)
    return nw.when(known).then(nw.len().over(*groups, "place").cast(nw.Int64) - 1)


def _former(panel: Panel, leavers: Frame) -> Frame:
    """Exits of those with whom the person once shared a team, now leaving another one."""
    keys = ["employee_id", "place"]
    spells = _spells(panel)
    left = leavers.filter(nw.col("_kernel") > 0).select(*keys, nw.col("team").alias("_left_team"), "_kernel")
    theirs = spells.join(left, on=keys, how="inner").select(
        nw.col("employee_id").alias("_leaver"),
        "place",
        "team",
        nw.col("_from").alias("_their_from"),
        nw.col("_to").alias("_their_to"),
        "_left_team",
        "_kernel",
    )
    here = panel.rows.select(*keys, nw.col("team").alias("_team"), nw.lit(1, dtype=nw.Int64).alias("_here"))
    own = engine.held(spells.join(here, on=keys, how="left").filter(~nw.col("_here").is_null()))
    # Both sides are held: left to itself, the engine joins people with leavers by snapshot alone, and that is square.
    shared = own.join(engine.held(theirs), on=["team", "place"], how="inner")
    together = nw.max_horizontal("_from", "_their_from") < nw.min_horizontal("_to", "_their_to")
    elsewhere = (nw.col("_left_team") != nw.col("_team")).fill_null(True)
    weight = nw.when(together & elsewhere).then(nw.col("_kernel")).otherwise(nw.lit(0, dtype=nw.Int64))
    people = shared.select(*keys, "_leaver", weight.alias("_former")).group_by(*keys, "_leaver")
    return people.agg(nw.col("_former").max()).group_by(*keys).agg(nw.col("_former").sum())


def _spells(panel: Panel) -> Frame:
    """Who was in which team from when to before when, cut to the last ``FORMER`` days."""
    keys = ["employee_id", "place"]
    days = panel.rows.select("place", "as_of").unique()
    until = nw.col("happened_on").shift(-1).over(*keys, order_by=["happened_on"])
    posts = panel.history.select(*keys, "team", "happened_on").with_columns(until.alias("_until"))
    posts = posts.join(days, on="place", how="inner").filter(~nw.col("team").is_null())
    cut = posts.select(
        *keys,
        "team",
        nw.max_horizontal("happened_on", nw.col("as_of") - FORMER + 1).alias("_from"),
        nw.coalesce(nw.col("_until"), nw.col("as_of") + 1).alias("_to"),
    )
    return engine.held(cut.filter(nw.col("_from") < nw.col("_to")))


def _wave(panel: Panel, leavers: Frame) -> Frame:
    """Who came within ``WAVE`` days of the person: how many are there, how many left in a year.

    Counted per day of hiring first, so that the days meet, not the people.
    """
    keys = ["employee_id", "place"]
    hired = _hired(panel)
    here = panel.rows.select("place", "hired_on", nw.lit(1, dtype=nw.Int64).alias("_wave_here"))
    left = leavers.filter(nw.col("_age") < 365).join(hired, on=keys, how="inner")
    left = left.select("place", "hired_on", nw.lit(1, dtype=nw.Int64).alias("_wave_left"))
    none = nw.lit(0, dtype=nw.Int64)
    both = nw.concat(
        [
            here.with_columns(none.alias("_wave_left")),
            left.select("place", "hired_on", none.alias("_wave_here"), "_wave_left"),
        ]
    )
    days = both.group_by("place", "hired_on").agg(nw.col("_wave_here").sum(), nw.col("_wave_left").sum())
    days = engine.held(days.with_columns((nw.col("hired_on") - nw.col("hired_on") % WAVE).alias("_bucket")))
    near = nw.concat([days.with_columns((nw.col("_bucket") + step).alias("_bucket")) for step in (-WAVE, 0, WAVE)])
    mine = days.select("place", "_bucket", nw.col("hired_on").alias("_mine"))
    apart = nw.col("hired_on") - nw.col("_mine")
    met = mine.join(near, on=["place", "_bucket"], how="inner").filter(apart <= WAVE, apart >= -WAVE)
    sums = met.group_by("place", "_mine").agg(nw.col("_wave_here").sum(), nw.col("_wave_left").sum())
    sums = sums.rename({"_mine": "hired_on"})
    return panel.rows.select(*keys, "hired_on").join(sums, on=["place", "hired_on"]).drop("hired_on")


def _hired(panel: Panel) -> Frame:
    """When those who have gone were hired, as known on the snapshot."""
    return windows.history(panel.facts["employees"], panel.as_of).select("employee_id", "place", "hired_on")


def _told(window: int) -> nw.Expr:
    """Have exits been recorded all through the window?"""
    return nw.col("as_of") - window + 1 >= nw.col("_exits_from")
