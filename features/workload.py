"""Hours, overtime, rest, meetings and work outside agreed hours.

Leave carries no reason: a reason is health or family data and is not accepted. Lateness does not predict exits
(Berry 2012: +.01); it stays as a control that a good model leaves alone, and is told to nobody.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import Measure, change, fixed, known_total, mean, others_mean, ratio, total, units

OVERLOAD = "Griffeth 2000, Rubenstein 2018: overload, overtime, exhaustion r = .12 to .22"
WEEKDAY = (nw.col("happened_on") + 3) % 7
"""0 is Monday: day 0 of the day numbers, 1970-01-01, was a Thursday. Public holidays and days swapped for them are
not known here."""
SATURDAY = 5
BERRY = "Berry 2012: absence r = .25, lateness r = .01"

CARDS: tuple[Card, ...] = (
    Card(
        "overtime_hours_30d",
        "workload",
        "hours",
        "hours of overtime in the last 30 days",
        "{value} of overtime in the last 30 days",
        "近 30 天加班 {value}",
        expected=1,
        window_days=30,
        source=OVERLOAD,
    ),
    Card(
        "overtime_hours_90d",
        "workload",
        "hours",
        "hours of overtime in the last 90 days",
        "{value} of overtime in the last 90 days",
        "近 90 天加班 {value}",
        expected=1,
        window_days=90,
        source=OVERLOAD,
    ),
    Card(
        "overtime_ratio_30d",
        "workload",
        "ratio",
        "overtime in 30 days over the person's own usual amount (210 to 30 days ago)",
        "overtime at {value} of the usual",
        "加班时长为平时的 {value} 倍",
        expected=1,
        window_days=210,
        source=OVERLOAD,
    ),
    Card(
        "overtime_vs_team_90d",
        "workload",
        "hours",
        "overtime in 90 days minus the mean of the others in the team",
        "{value} of overtime apart from the others in the team",
        "加班时长与团队同事平均之差为 {value}",
        expected=1,
        window_days=90,
    ),
    Card(
        "hours_vs_contract_90d",
        "workload",
        "ratio",
        "hours worked in 90 days over the agreed hours",
        "working time at {value} of the agreed hours",
        "实际工时为合同工时的 {value} 倍",
        expected=1,
        window_days=90,
        source=OVERLOAD,
    ),
    Card(
        "late_minutes_90d",
        "workload",
        "count",
        "minutes late in the last 90 days: a control, expected to say nothing",
        "{value} minutes late in the last 90 days",
        "近 90 天迟到 {value} 分钟",
        shown=False,
        actionable=False,
        window_days=90,
        source=BERRY,
    ),
    Card(
        "leave_days_30d",
        "workload",
        "count",
        "days of leave of any kind in the last 30 days",
        "{value} days of leave in the last 30 days",
        "近 30 天休假 {value} 天",
        window_days=30,
        actionable=False,
        source=BERRY,
    ),
    Card(
        "leave_days_365d",
        "workload",
        "count",
        "days of leave of any kind in the last 365 days",
        "{value} days of leave in the last 365 days",
        "近 365 天休假 {value} 天",
        window_days=365,
        source=BERRY,
    ),
    Card(
        "leave_ratio_90d",
        "workload",
        "ratio",
        "leave in 90 days over the person's own usual amount",
        "leave at {value} of the usual",
        "休假天数为平时的 {value} 倍",
        expected=1,
        window_days=365,
        actionable=False,
        source=BERRY,
    ),
    Card(
        "days_since_leave",
        "workload",
        "days",
        "days since the last day of leave",
        "{value} without a day of leave",
        "已有 {value} 未休假",
    ),
    Card(
        "after_hours_share_90d",
        "workload",
        "share",
        "share of the interactions that fell outside agreed working time, last 90 days",
        "{value} of interactions outside working time",
        "互动中发生在非工作时间的占 {value}",
        expected=1,
        window_days=90,
        source=OVERLOAD,
    ),
    Card(
        "after_hours_change_90d",
        "workload",
        "share",
        "after-hours share in the last 90 days minus that of the 275 days before",
        "a change of {value} in interactions outside working time",
        "非工作时间互动占比变化 {value}",
        expected=1,
        window_days=365,
    ),
    Card(
        "meeting_hours_30d",
        "workload",
        "hours",
        "hours in meetings and one-on-ones in the last 30 days",
        "{value} in meetings in the last 30 days",
        "近 30 天会议 {value}",
        window_days=30,
    ),
    Card(
        "meeting_ratio_30d",
        "workload",
        "ratio",
        "meeting hours in 30 days over the person's own usual amount",
        "meetings at {value} of the usual",
        "会议时长为平时的 {value} 倍",
        window_days=210,
    ),
    Card(
        "overtime_ratio_90d",
        "workload",
        "ratio",
        "overtime in 90 days over the person's own usual amount (365 to 90 days ago)",
        "overtime of the last 90 days at {value} of the usual",
        "近 90 天加班时长为平时的 {value} 倍",
        expected=1,
        window_days=365,
        source=OVERLOAD,
    ),
    Card(
        "overtime_vs_equal_share_90d",
        "fairness",
        "ratio",
        "own overtime in 90 days over an equal share of the team's overtime; needs two others with records",
        "carries {value} times an equal share of the team's overtime",
        "承担的加班为团队均摊的 {value} 倍",
        expected=1,
        window_days=90,
        source=OVERLOAD,
    ),
    Card(
        "team_overtime_spread_90d",
        "fairness",
        "hours",
        "standard deviation of the others' overtime in the team, last 90 days",
        "overtime in the team that varies by {value}",
        "团队其他成员加班时长的差异为 {value}",
        window_days=90,
    ),
    Card(
        "leave_vs_department_365d",
        "workload",
        "score",
        "days of leave in 365 days minus the mean of the others in the department: below zero, unused leave",
        "{value} days of leave apart from the others in the department",
        "近一年休假天数与部门同事平均之差为 {value}",
        window_days=365,
        source=BERRY,
    ),
    Card(
        "weekend_share_90d",
        "workload",
        "share",
        "share of the interactions that fell on a Saturday or Sunday, last 90 days",
        "{value} of interactions at weekends",
        "互动中发生在周末的占 {value}",
        expected=1,
        window_days=90,
        source=OVERLOAD,
    ),
    Card(
        "weekend_change_90d",
        "workload",
        "share",
        "weekend share in the last 90 days minus that of the 275 days before",
        "a change of {value} in interactions at weekends",
        "周末互动占比变化 {value}",
        expected=1,
        window_days=365,
    ),
    Card(
        "meeting_vs_team_30d",
        "workload",
        "hours",
        "hours in meetings in 30 days minus the mean of the others in the team",
        "{value} in meetings apart from the others in the team",
        "会议时长与团队同事平均之差为 {value}",
        window_days=30,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    rows = panel.rows.select(*keys, "team", "department")
    rows = rows.join(_attendance(panel), on=keys, how="left").join(_clock(panel), on=keys, how="left")
    overtime, leave, meetings = (nw.col(x) for x in ("overtime_hours_90d", "leave_days_365d", "meeting_hours_30d"))
    level, square = others_mean(overtime, ["team"]), others_mean(overtime * overtime, ["team"])
    team = ["team", "place"]
    n = (~overtime.is_null()).cast(nw.Int64).sum().over(*team)
    equal = quotient(units(fixed(overtime).sum().over(*team)), n)
    return rows.with_columns(
        (overtime - level).alias("overtime_vs_team_90d"),
        nw.when(~level.is_null(), equal > 0).then(quotient(overtime, equal)).alias("overtime_vs_equal_share_90d"),
        (square - level * level).clip(0.0, None).sqrt().alias("team_overtime_spread_90d"),
        (leave - others_mean(leave, ["department"])).alias("leave_vs_department_365d"),
        (meetings - others_mean(meetings, ["team"])).alias("meeting_vs_team_30d"),
    )


def _attendance(panel: Panel) -> Frame:
    keys = ["employee_id", "place"]
    facts = panel.facts["attendance"]
    measures = [
        Measure("overtime", nw.col("overtime_hours"), (30, 90, 210, 365)),
        Measure("hours", nw.col("hours"), (90,)),
        Measure("late", nw.col("late_minutes"), (90,)),
        Measure("leave", nw.col("leave_days"), (30, 90, 365)),
    ]
    sums = windows.window_sums(panel.spine, facts, measures)
    last = windows.last_day(facts.filter(nw.col("leave_days") > 0), panel.as_of, ["employee_id"])
    rows = sums.join(last, on=keys, how="left").join(panel.rows.select(*keys, "weekly_hours"), on=keys, how="left")
    days = nw.min_horizontal(nw.col("as_of") - nw.col("hired_on") + 1, nw.lit(90, dtype=nw.Int64))
    agreed = nw.when(nw.col("weekly_hours") > 0).then(nw.col("weekly_hours"))
    return rows.select(
        *keys,
        known_total("overtime", 30).alias("overtime_hours_30d"),
        known_total("overtime", 90).alias("overtime_hours_90d"),
        _kept("overtime", 30).then(ratio("overtime", 30, 210)).alias("overtime_ratio_30d"),
        _kept("overtime", 90).then(ratio("overtime", 90, 365)).alias("overtime_ratio_90d"),
        quotient(known_total("hours", 90) * 7.0, days * agreed).alias("hours_vs_contract_90d"),
        known_total("late", 90).alias("late_minutes_90d"),
        known_total("leave", 30).alias("leave_days_30d"),
        known_total("leave", 365).alias("leave_days_365d"),
        _kept("leave", 90).then(ratio("leave", 90, 365)).alias("leave_ratio_90d"),
        (nw.col("as_of") - nw.col("last_day")).cast(nw.Float64).alias("days_since_leave"),
    )


def _kept(name: str, recent: int) -> nw.When:
    """Only with a record in the recent days: a month not yet entered is no fall of overtime."""
    return nw.when(nw.col(f"{name}_{recent}d_n") > 0)


def _clock(panel: Panel) -> Frame:
    """After-hours share and meeting hours, from counts and lengths alone."""
    facts = panel.facts["interactions"]
    one, zero = nw.lit(1, dtype=nw.Int64), nw.lit(0, dtype=nw.Int64)
    late = nw.when(nw.col("after_hours")).then(one).otherwise(zero)
    sits = nw.col("kind").is_in(["meeting", "one_on_one"])
    measures = [
        Measure("after", nw.when(~nw.col("after_hours").is_null()).then(late), (90, 365), whole=True),
        Measure("weekend", nw.when(WEEKDAY >= SATURDAY).then(one).otherwise(zero), (90, 365), whole=True),
        Measure("meeting", nw.when(sits).then(quotient(nw.col("minutes"), 60.0)), (30, 210), counted=False),
    ]
    sums = windows.window_sums(panel.spine, facts, measures)
    return sums.select(
        "employee_id",
        "place",
        mean("after", 90).alias("after_hours_share_90d"),
        change("after", 90, 365).alias("after_hours_change_90d"),
        mean("weekend", 90).alias("weekend_share_90d"),
        change("weekend", 90, 365).alias("weekend_change_90d"),
        total("meeting", 30).alias("meeting_hours_30d"),
        ratio("meeting", 30, 210).alias("meeting_ratio_30d"),
    )
