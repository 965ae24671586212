"""Goals: how many are open, how far behind their time, and whether anybody saw it when one was done."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.engine import Frame, held, quotient
from features.snapshots import Panel
from features.windows import Measure, fixed, seen, units

BEHIND = 0.1
"""A goal is behind when its progress lags the share of its time that has passed by more than this."""

CARDS: tuple[Card, ...] = (
    Card(
        "goals_open",
        "growth",
        "count",
        "goals not finished with an update in the last 365 days",
        "{value} open goals",
        "进行中的目标 {value} 个",
        window_days=365,
    ),
    Card(
        "goals_overdue",
        "workload",
        "count",
        "open goals past their due date",
        "{value} goals past their date",
        "逾期目标 {value} 个",
        expected=1,
        window_days=365,
    ),
    Card(
        "goals_behind",
        "workload",
        "count",
        "open goals whose progress lags the time passed by more than a tenth",
        "{value} goals behind schedule",
        "进度落后的目标 {value} 个",
        expected=1,
        window_days=365,
    ),
    Card(
        "goals_progress",
        "growth",
        "share",
        "mean progress of the goals with an update in the last 365 days",
        "goals {value} done on average",
        "目标平均完成 {value}",
        expected=-1,
        window_days=365,
    ),
    Card(
        "days_since_goal_update",
        "growth",
        "days",
        "days since any goal was last updated",
        "{value} since a goal was last updated",
        "距上次更新目标已 {value}",
        expected=1,
    ),
    Card(
        "goals_lag",
        "workload",
        "share",
        "mean of the share of the time passed (at most all of it) minus the progress, over the open goals with a date",
        "goals {value} behind their time on average",
        "目标进度平均落后于时间 {value}",
        expected=1,
        window_days=365,
    ),
    Card(
        "goals_finished_365d",
        "recognition",
        "count",
        "goals whose newest update lies in the last 365 days and says that they are done",
        "{value} goals finished in the last 365 days",
        "近 365 天完成目标 {value} 个",
        window_days=365,
    ),
    Card(
        "goals_finished_unrecognised_365d",
        "recognition",
        "count",
        "goals finished in the last 365 days with no recognition by others on that day or after it",
        "{value} goals finished with no recognition since",
        "完成后未获认可的目标 {value} 个",
        window_days=365,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``. The newest update of a goal names its owner."""
    keys = ["employee_id", "place"]
    state = _state(panel)
    fresh = nw.col("as_of") - nw.col("happened_on") < 365
    unfinished = fresh & (nw.col("progress") < 1)
    finished = fresh & (nw.col("progress") >= 1)
    unseen = finished & ~(nw.col("_thanked_on") >= nw.col("happened_on")).fill_null(False)
    passed = quotient(nw.col("as_of") - nw.col("_begun"), nw.col("due_on") - nw.col("_begun"))
    timed = unfinished & (nw.col("due_on") > nw.col("_begun"))
    lag = passed.clip(0.0, 1.0) - nw.col("progress")
    sums = state.group_by(*keys).agg(
        _count(unfinished).alias("_open"),
        _count(unfinished & (nw.col("due_on") < nw.col("as_of"))).alias("_overdue"),
        _count(timed & (nw.col("progress") < passed - BEHIND)).alias("_behind"),
        _count(finished).alias("_finished"),
        _count(unseen).alias("_unseen"),
        _count(timed).alias("_timed"),
        nw.when(timed).then(fixed(lag)).otherwise(0).sum().alias("_lag"),
        nw.when(fresh).then(fixed(nw.col("progress"))).otherwise(0).sum().alias("_progress"),
        _count(fresh & ~nw.col("progress").is_null()).alias("_n"),
        nw.col("happened_on").max().alias("_updated"),
    )
    rows = _feeds(panel).join(sums, on=keys, how="left")
    told, counts = nw.col("_told"), ("open", "overdue", "behind")
    return rows.select(
        *keys,
        *(nw.when(told).then(nw.col(f"_{x}").fill_null(0)).alias(f"goals_{x}") for x in counts),
        nw.when(nw.col("_n") > 0).then(quotient(units(nw.col("_progress")), nw.col("_n"))).alias("goals_progress"),
        (nw.col("as_of") - nw.col("_updated")).cast(nw.Float64).alias("days_since_goal_update"),
        nw.when(nw.col("_timed") > 0).then(quotient(units(nw.col("_lag")), nw.col("_timed"))).alias("goals_lag"),
        nw.when(told).then(nw.col("_finished").fill_null(0)).alias("goals_finished_365d"),
        nw.when(told, nw.col("_thanks_told"))
        .then(nw.col("_unseen").fill_null(0))
        .alias("goals_finished_unrecognised_365d"),
    )


def _state(panel: Panel) -> Frame:
    """The newest update of every goal, its date as last told, its first day, and its owner's last recognition."""
    keys, goal = ["employee_id", "place"], ["goal_id"]
    facts = panel.facts["goals"]
    state = windows.latest(facts, panel.as_of, goal).drop("due_on")
    due = windows.latest(facts.filter(~nw.col("due_on").is_null()), panel.as_of, goal)
    state = state.join(due.select("goal_id", "place", "due_on"), on=["goal_id", "place"], how="left")
    begun = (
        windows.history(facts, panel.as_of)
        .group_by("goal_id", "place")
        .agg(nw.col("happened_on").min().alias("_begun"))
    )
    thanked = windows.last_day(_thanks(panel), panel.as_of, ["employee_id"]).rename({"last_day": "_thanked_on"})
    state = state.join(begun, on=["goal_id", "place"], how="left").join(thanked, on=keys, how="left")
    return held(state.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner"))


def _feeds(panel: Panel) -> Frame:
    """The rows asked for, with whether goals and recognitions were on record all year."""
    keys, one = ["employee_id", "place"], nw.lit(1.0)
    goals = windows.window_sums(panel.spine, panel.facts["goals"], [Measure("goals", one, (365,))])
    thanks = windows.window_sums(panel.spine, _thanks(panel), [Measure("thanks", one, (365,))])
    told = thanks.select(*keys, (~seen("thanks", 365).is_null()).alias("_thanks_told"))
    goals = goals.select(*keys, "as_of", (~seen("goals", 365).is_null()).alias("_told"))
    return goals.join(told, on=keys, how="left")


def _thanks(panel: Panel) -> Frame:
    """Recognitions by others: what a person writes about themselves is none."""
    return panel.facts["recognitions"].filter((nw.col("given_by") != nw.col("employee_id")).fill_null(True))


def _count(condition: nw.Expr) -> nw.Expr:
    return condition.fill_null(False).cast(nw.Int64).sum()
