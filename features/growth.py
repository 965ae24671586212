"""Room to grow: courses, skills against what the job asks for, goals, and wishes that nobody has answered."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import Measure, fixed, seen, total, units

BEHIND = 0.1
"""A goal is behind when its progress lags the share of its time that has passed by more than this."""

CARDS: tuple[Card, ...] = (
    Card(
        "courses_completed_365d",
        "growth",
        "count",
        "courses completed in the last 365 days",
        "{value} courses completed in the last 365 days",
        "近 365 天完成课程 {value} 门",
        expected=-1,
        window_days=365,
    ),
    Card(
        "courses_open_365d",
        "growth",
        "count",
        "courses assigned or started in the last 365 days and not completed",
        "{value} courses begun but not finished",
        "未完成课程 {value} 门",
        window_days=365,
    ),
    Card(
        "learning_hours_180d",
        "growth",
        "hours",
        "hours of completed courses in the last 180 days",
        "{value} of learning in the last 180 days",
        "近 180 天学习 {value}",
        expected=-1,
        window_days=180,
    ),
    Card(
        "days_since_learning",
        "growth",
        "days",
        "days since the last completed course",
        "{value} since the last completed course",
        "距上次完成课程已 {value}",
        expected=1,
    ),
    Card(
        "skill_gap",
        "growth",
        "score",
        "mean number of levels missing over the skills the job requires, where the level is known",
        "{value} skill levels missing on average for the present job",
        "与岗位要求平均相差 {value} 个技能等级",
    ),
    Card(
        "skills_met_share",
        "growth",
        "share",
        "share of the skills the job requires that are met, where the level is known",
        "{value} of the required skills met",
        "已达到 {value} 的岗位技能要求",
    ),
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
        "wish",
        "growth",
        "category",
        "what the person last said to want: promotion, transfer, skill, flexibility, none",
        "last stated wish: {value}",
        "最近表达的意愿：{value}",
        kind="category",
    ),
    Card(
        "wish_unanswered_days",
        "growth",
        "days",
        "days since a wish was stated with no promotion or move after it; unknown when none is open",
        "a wish unanswered for {value}",
        "提出的意愿已有 {value} 未得到回应",
        expected=1,
        source="Griffeth 2000: promotion chances r = -.16",
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    rows = panel.rows.select(*keys)
    for part in (_learning(panel), _skills(panel), _goals(panel), _wishes(panel)):
        rows = rows.join(part, on=keys, how="left")
    return rows


def _learning(panel: Panel) -> Frame:
    keys = ["employee_id", "place"]
    facts = panel.facts["learning"]
    done = nw.col("status") == "completed"
    measures = [
        Measure("rows", nw.lit(1.0), (365,)),
        Measure("completed", nw.when(done).then(nw.lit(1.0)), (365,)),
        Measure("hours", nw.when(done).then(nw.col("hours")), (180,)),
    ]
    sums = windows.window_sums(panel.spine, facts, measures)
    course = ["employee_id", "course_id"]
    state = windows.latest(facts, panel.as_of, course).join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    fresh = nw.col("status").is_in(["assigned", "started"]) & (nw.col("as_of") - nw.col("happened_on") < 365)
    unfinished = state.filter(fresh).group_by(*keys).agg(nw.len().alias("_open"))
    last = windows.last_day(facts.filter(done), panel.as_of, ["employee_id"])
    rows = sums.join(unfinished, on=keys, how="left").join(last, on=keys, how="left")
    return rows.select(
        *keys,
        total("completed", 365).alias("courses_completed_365d"),
        total("hours", 180).alias("learning_hours_180d"),
        nw.when(~seen("rows", 365).is_null()).then(nw.col("_open").fill_null(0)).alias("courses_open_365d"),
        (nw.col("as_of") - nw.col("last_day")).cast(nw.Float64).alias("days_since_learning"),
    )


def _skills(panel: Panel) -> Frame:
    """Levels held against levels required by the job in force; a skill nobody has rated says nothing."""
    keys = ["employee_id", "place"]
    needed = windows.history(panel.facts["job_skills"], panel.as_of).rename({"level": "_for_level"})
    people = panel.rows.select(*keys, "job", "level")
    asked = people.join(needed.select("job", "_for_level", "skill", "required_level", "place"), on=["job", "place"])
    asked = asked.filter(nw.col("_for_level").is_null() | (nw.col("_for_level") == nw.col("level")))
    asked = asked.group_by(*keys, "skill").agg(nw.col("required_level").max())
    rated = panel.facts["skills"].filter(~nw.col("level").is_null())
    held = windows.latest(rated, panel.as_of, ["employee_id", "skill"]).select(
        *keys, "skill", nw.col("level").alias("_held")
    )
    missing = (nw.col("required_level") - nw.col("_held")).clip(0.0, None)
    both = asked.join(held, on=[*keys, "skill"], how="inner").filter(~nw.col("required_level").is_null())
    sums = both.group_by(*keys).agg(
        fixed(missing).sum().alias("_gap"), (missing <= 0).cast(nw.Int64).sum().alias("_met"), nw.len().alias("_n")
    )
    return sums.select(
        *keys,
        quotient(units(nw.col("_gap")), nw.col("_n")).alias("skill_gap"),
        quotient(nw.col("_met"), nw.col("_n")).alias("skills_met_share"),
    )


def _goals(panel: Panel) -> Frame:
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
    state = state.join(begun, on=["goal_id", "place"], how="left")
    state = state.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    fresh = nw.col("as_of") - nw.col("happened_on") < 365
    unfinished = fresh & (nw.col("progress") < 1)
    passed = quotient(nw.col("as_of") - nw.col("_begun"), nw.col("due_on") - nw.col("_begun"))
    timed = unfinished & (nw.col("due_on") > nw.col("_begun"))
    sums = state.group_by(*keys).agg(
        _count(unfinished).alias("_open"),
        _count(unfinished & (nw.col("due_on") < nw.col("as_of"))).alias("_overdue"),
        _count(timed & (nw.col("progress") < passed - BEHIND)).alias("_behind"),
        nw.when(fresh).then(fixed(nw.col("progress"))).otherwise(0).sum().alias("_progress"),
        _count(fresh & ~nw.col("progress").is_null()).alias("_n"),
        nw.col("happened_on").max().alias("_updated"),
    )
    feed = windows.window_sums(panel.spine, facts, [Measure("goals", nw.lit(1.0), (365,))])
    rows = feed.join(sums, on=keys, how="left")
    told = ~seen("goals", 365).is_null()
    return rows.select(
        *keys,
        *(nw.when(told).then(nw.col(f"_{x}").fill_null(0)).alias(f"goals_{x}") for x in ("open", "overdue", "behind")),
        nw.when(nw.col("_n") > 0).then(quotient(units(nw.col("_progress")), nw.col("_n"))).alias("goals_progress"),
        (nw.col("as_of") - nw.col("_updated")).cast(nw.Float64).alias("days_since_goal_update"),
    )


def _wishes(panel: Panel) -> Frame:
    keys = ["employee_id", "place"]
    told = panel.facts["aspirations"].filter(~nw.col("wants").is_null())
    wish = windows.latest(told, panel.as_of, ["employee_id"]).select(*keys, "wants", "happened_on")
    answered = panel.history.with_columns(
        nw.when(nw.any_horizontal("promoted", "moved", ignore_nulls=True)).then(nw.col("happened_on")).alias("_step")
    )
    answered = answered.group_by(*keys).agg(nw.col("_step").max())
    rows = panel.rows.select(*keys, "as_of").join(wish, on=keys, how="inner").join(answered, on=keys, how="left")
    is_open = (nw.col("wants") != "none") & ~(nw.col("_step") > nw.col("happened_on")).fill_null(False)
    waiting = (nw.col("as_of") - nw.col("happened_on")).cast(nw.Float64)
    return rows.select(
        *keys, nw.col("wants").alias("wish"), nw.when(is_open).then(waiting).alias("wish_unanswered_days")
    )


def _count(condition: nw.Expr) -> nw.Expr:
    return condition.fill_null(False).cast(nw.Int64).sum()
