"""Room to grow: courses taken and left open, skills against what the job asks for, and what would close the gap."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.engine import Frame, held, quotient
from features.skill_gaps import gaps, levels, summed_up
from features.snapshots import Panel
from features.windows import Measure, fixed, others_mean, ratio, seen, total, units

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
        "courses_not_begun_365d",
        "growth",
        "count",
        "courses assigned in the last 365 days of which neither a beginning nor an end is on record",
        "{value} courses assigned but not begun",
        "已指派但尚未开始的课程 {value} 门",
        window_days=365,
    ),
    Card(
        "courses_finished_share_730d",
        "growth",
        "share",
        "share of the courses with a record in the last 730 days that were completed",
        "{value} of the courses of the last two years completed",
        "近两年的课程中已完成 {value}",
        window_days=730,
    ),
    Card(
        "oldest_open_course_days",
        "growth",
        "days",
        "days since the last record of the open course that has waited longest, within 365 days; unknown when none is",
        "a course left open for {value}",
        "有课程搁置已 {value}",
        window_days=365,
    ),
    Card(
        "learning_hours_ratio_180d",
        "growth",
        "ratio",
        "learning hours in the last 180 days against the person's own rate in the 180 days before: (now + 1) / "
        "(expected + 1)",
        "learning at {value} of the person's own usual pace",
        "学习时长为本人平时的 {value} 倍",
        window_days=360,
    ),
    Card(
        "learning_hours_vs_job_180d",
        "growth",
        "hours",
        "learning hours in 180 days minus the mean of the others in the same job",
        "{value} of learning apart from colleagues in the same job",
        "学习时长与同岗位同事平均之差为 {value}",
        window_days=180,
    ),
    Card(
        "skills_gained_365d",
        "growth",
        "score",
        "levels gained (or lost) in the last 365 days, summed over the skills that were already rated before",
        "{value} skill levels gained in the last 365 days",
        "近 365 天技能提升共 {value} 级",
        window_days=365,
    ),
    Card(
        "courses_closing_gap",
        "growth",
        "count",
        "courses on offer that teach a skill in which the person is known to lack a level for the present job, lead "
        "beyond the level held, and of which the person has no record",
        "{value} courses on offer that would close a skill gap and were not taken up",
        "可弥补技能差距但尚未参加的课程 {value} 门",
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    records = panel.facts["learning"]
    courses = held(windows.latest(records, panel.as_of, ["employee_id", "course_id"]))
    rated = held(levels(panel))
    missing = gaps(panel, panel.rows, rated)
    rows = panel.rows.select(*keys, "job").join(_learning(panel, courses), on=keys, how="left")
    met = summed_up(missing).rename({"gap": "skill_gap", "met": "skills_met_share"})
    for part in (met, _gained(panel, rated), _on_offer(panel, missing, courses)):
        rows = rows.join(part, on=keys, how="left")
    hours = nw.col("learning_hours_180d")
    return rows.with_columns((hours - others_mean(hours, ["job"])).alias("learning_hours_vs_job_180d"))


def _learning(panel: Panel, courses: Frame) -> Frame:
    keys = ["employee_id", "place"]
    facts = panel.facts["learning"]
    done = nw.col("status") == "completed"
    measures = [
        Measure("rows", nw.lit(1.0), (365,)),
        Measure("completed", nw.when(done).then(nw.lit(1.0)), (365,)),
        Measure("hours", nw.when(done).then(nw.col("hours")), (180, 360)),
    ]
    sums = windows.window_sums(panel.spine, facts, measures)
    last = windows.last_day(facts.filter(done), panel.as_of, ["employee_id"])
    rows = sums.join(_states(panel, courses), on=keys, how="left").join(last, on=keys, how="left")
    told = ~seen("rows", 365).is_null()
    return rows.select(
        *keys,
        total("completed", 365).alias("courses_completed_365d"),
        total("hours", 180).alias("learning_hours_180d"),
        ratio("hours", 180, 360).alias("learning_hours_ratio_180d"),
        nw.when(told).then(nw.col("_open").fill_null(0)).alias("courses_open_365d"),
        nw.when(told).then(nw.col("_waiting").fill_null(0)).alias("courses_not_begun_365d"),
        nw.when(nw.col("_known") > 0)
        .then(quotient(nw.col("_done"), nw.col("_known")))
        .alias("courses_finished_share_730d"),
        (nw.col("as_of") - nw.col("_oldest")).cast(nw.Float64).alias("oldest_open_course_days"),
        (nw.col("as_of") - nw.col("last_day")).cast(nw.Float64).alias("days_since_learning"),
    )


def _states(panel: Panel, courses: Frame) -> Frame:
    """How far each person's courses are, by the latest record of each."""
    keys = ["employee_id", "place"]
    state = courses.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    age, status = nw.col("as_of") - nw.col("happened_on"), nw.col("status")
    unfinished = status.is_in(["assigned", "started"]) & (age < 365)
    recent = ~status.is_null() & (age < 730)
    return state.group_by(*keys).agg(
        _count(unfinished).alias("_open"),
        _count((status == "assigned") & (age < 365)).alias("_waiting"),
        _count(recent).alias("_known"),
        _count(recent & (status == "completed")).alias("_done"),
        nw.when(unfinished).then(nw.col("happened_on")).min().alias("_oldest"),
    )


def _gained(panel: Panel, rated: Frame) -> Frame:
    """Levels now against the levels of a year before, skill by skill."""
    keys = ["employee_id", "place"]
    before = levels(panel, delay=365).rename({"held": "_before"})
    both = rated.join(before, on=[*keys, "skill"], how="inner")
    gain = both.group_by(*keys).agg(fixed(nw.col("held") - nw.col("_before")).sum().alias("_gain"))
    return gain.select(*keys, units(nw.col("_gain")).alias("skills_gained_365d"))


def _on_offer(panel: Panel, missing: Frame, courses: Frame) -> Frame:
    """Courses that would close a gap; none, not unknown, once courses and some level of the person are on record."""
    keys = ["employee_id", "place"]
    offered = windows.history(panel.facts["courses"], panel.as_of).select("place", "course_id", "skill", "to_level")
    # A course may teach several skills, "triage; wound care": one row for each.
    taught = offered.with_columns(nw.col("skill").str.split(";")).explode("skill")
    offered = held(taught.with_columns(nw.col("skill").str.strip_chars()))
    useful = missing.filter(nw.col("missing") > 0).join(offered, on=["place", "skill"], how="inner")
    useful = useful.filter((nw.col("to_level") > nw.col("held")).fill_null(True))
    useful = useful.join(courses.select(*keys, "course_id"), on=[*keys, "course_id"], how="anti")
    found = useful.select(*keys, "course_id").unique().group_by(*keys).agg(nw.len().alias("_n"))
    any_course = offered.select("place").unique()
    judged = missing.select(*keys).unique().join(any_course, on="place", how="semi").join(found, on=keys, how="left")
    return judged.select(*keys, nw.col("_n").cast(nw.Float64).fill_null(0.0).alias("courses_closing_gap"))


def _count(condition: nw.Expr) -> nw.Expr:
    return condition.fill_null(False).cast(nw.Int64).sum()
