"""Weeks without a breather: how many of the last eight whole weeks were overloaded, and how many in a row until now.

    Mo..Su|Mo..Su|Mo..Su|Mo..Su|Mo..Su|Mo..Su|Mo..Su|Mo..Su|Mo.. as_of
    \\_________________ the last eight whole weeks __________/

The week that is not over does not count. Overtime that is entered by the month says nothing about weeks: it is read
only where at least six of the eight weeks have a record.
"""

from __future__ import annotations

from functools import reduce

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.engine import Frame, quotient
from features.places import condensed, unfold
from features.snapshots import Panel
from features.windows import Measure, fixed, units

WEEKS = 8
REACH = 63
"""Days that hold eight whole weeks wherever the present week has got to."""
RECORDED = 6
OVERTIME = 5.0
"""Hours of overtime from which a week counts as overloaded."""
MEETINGS = 15.0
"""Hours of meetings from which a week counts as full of them."""

OVERLOAD = "Griffeth 2000, Rubenstein 2018: overload, overtime, exhaustion r = .12 to .22"


def _card(column: str, meaning: str, en: str, zh: str, expected: int) -> Card:
    return Card(column, "workload", "count", meaning, en, zh, expected=expected, window_days=REACH, source=OVERLOAD)


CARDS: tuple[Card, ...] = (
    _card(
        "overtime_weeks_56d",
        "of the last eight whole weeks those with five hours of overtime and more; needs records in six of them",
        "{value} of the last eight weeks with long overtime",
        "最近八个整周中有 {value} 周加班较多",
        1,
    ),
    _card(
        "overtime_weeks_in_a_row",
        "weeks in a row, back from the last whole week and at most eight, with five hours of overtime and more",
        "{value} weeks in a row with long overtime",
        "已连续 {value} 周加班较多",
        1,
    ),
    _card(
        "meeting_weeks_56d",
        "of the last eight whole weeks those with fifteen hours of meetings and more",
        "{value} of the last eight weeks full of meetings",
        "最近八个整周中有 {value} 周会议密集",
        0,
    ),
    _card(
        "meeting_weeks_in_a_row",
        "weeks in a row, back from the last whole week and at most eight, with fifteen hours of meetings and more",
        "{value} weeks in a row full of meetings",
        "已连续 {value} 周会议密集",
        0,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    days = panel.facts["attendance"].filter(~nw.col("overtime_hours").is_null())
    sits = nw.col("kind").is_in(["meeting", "one_on_one"])
    talks = panel.facts["interactions"].filter(sits, nw.col("minutes") > 0)
    overtime = _counted(panel, days, nw.col("overtime_hours"), OVERTIME, "overtime")
    meetings = _counted(panel, talks, quotient(nw.col("minutes"), 60.0), MEETINGS, "meeting")
    told = windows.window_sums(panel.spine, talks, [Measure("meeting", nw.col("minutes"), (REACH,))])
    rows = told.join(overtime, on=keys, how="left").join(meetings, on=keys, how="left")
    recorded = nw.col("_overtime_weeks") >= RECORDED
    fed = ~windows.total("meeting", REACH).is_null()
    return rows.select(
        *keys,
        nw.when(recorded).then(nw.col("_overtime").cast(nw.Float64)).alias("overtime_weeks_56d"),
        nw.when(recorded).then(nw.col("_overtime_run").cast(nw.Float64)).alias("overtime_weeks_in_a_row"),
        nw.when(fed).then(nw.col("_meeting").fill_null(0).cast(nw.Float64)).alias("meeting_weeks_56d"),
        nw.when(fed).then(nw.col("_meeting_run").fill_null(0).cast(nw.Float64)).alias("meeting_weeks_in_a_row"),
    )


def _counted(panel: Panel, facts: Frame, hours: nw.Expr, least: float, name: str) -> Frame:
    """Of the eight weeks: how many have a record, how many reach ``least`` hours, how many of these in a row."""
    keys = ["employee_id", "place"]
    days = panel.rows.select(*keys, "as_of")
    sums = _weekly(panel, facts, hours).join(days, on=keys, how="inner")
    ago = nw.col("as_of") + 1 - (nw.col("as_of") + 4) % 7 - nw.col("week")
    sums = sums.filter(ago >= 7, ago <= 7 * WEEKS)
    full = units(nw.col("hours")) >= least
    marks = sums.select(
        *keys,
        full.cast(nw.Int64).alias(f"_{name}"),
        *[(full & (ago == 7 * week)).cast(nw.Int64).alias(f"_{week}") for week in range(1, WEEKS + 1)],
    )
    rows = marks.group_by(*keys).agg(
        nw.len().cast(nw.Int64).alias(f"_{name}_weeks"),
        nw.col(f"_{name}").sum(),
        *[nw.col(f"_{week}").max() for week in range(1, WEEKS + 1)],
    )
    rows_in_a_row = [
        reduce(lambda a, b: a * b, [nw.col(f"_{week}") for week in range(1, length + 1)])
        for length in range(1, WEEKS + 1)
    ]
    return rows.select(*keys, f"_{name}_weeks", f"_{name}", nw.sum_horizontal(*rows_in_a_row).alias(f"_{name}_run"))


def _weekly(panel: Panel, facts: Frame, hours: nw.Expr) -> Frame:
    """Hours, in millionths, by person and week, for each snapshot within ``REACH`` days of them.

    Added up first over the facts that are seen by the same snapshots, then laid out: a week is seen by few.
    """
    monday = nw.col("happened_on") - (nw.col("happened_on") + 3) % 7
    facts = facts.with_columns(monday.alias("week"))
    told = condensed(facts, panel.spine.when, ["employee_id", "week"], [REACH], {"hours": fixed(hours).fill_null(0)})
    alive = told.filter(nw.col(f"stop{REACH}") > nw.col("first"))
    rows = unfold(alive.with_columns(nw.col(f"stop{REACH}").alias("beyond")), len(panel.as_of))
    return rows.group_by("employee_id", "week", "place").agg(nw.col("hours").sum())
