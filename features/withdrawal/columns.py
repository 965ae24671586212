"""The charts as columns: what the person does against the own habit, read in the newest week that is closed.

Changes count in both directions, as published work does not point one way: before a notice some go quiet (Gardner &
Hom) and some become louder (Gloor). The alarm (``withdrawal.alarms``) looks at the low side of the same scores. How far
somebody is below the usual is a column of its own: that is rare and often means something, while a little more or less
than usual means nothing, and no line through both sides could say so.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.engine import Frame, held
from features.snapshots import Panel
from features.withdrawal.chart import CHART_WEEKS, MEMORY_WEEKS, charted, expected
from features.withdrawal.weeks import GRACE_DAYS, sundays, weekly

GARDNER = "Gardner & Hom 2018: 13 pre-quitting behaviours, visible one to two months before"
GLOOR = "Gloor 2017: four to five months before, degree and closeness rise"

CARDS: tuple[Card, ...] = (
    Card(
        "activity_score_42d",
        "engagement",
        "score",
        "all that the person did in the last six closed weeks against the own habit of a year, in standard deviations; "
        "season, leave, company and team removed; negative is fewer",
        "activity of the last six weeks {value} standard deviations from the usual",
        "近六周工作往来与本人平常水平相差 {value} 个标准差",
        window_days=42,
        source=f"{GARDNER}; {GLOOR}",
    ),
    Card(
        "activity_score_84d",
        "engagement",
        "score",
        "the same over the last twelve closed weeks",
        "activity of the last twelve weeks {value} standard deviations from the usual",
        "近十二周工作往来与本人平常水平相差 {value} 个标准差",
        window_days=84,
        source=f"{GARDNER}; {GLOOR}",
    ),
    Card(
        "activity_fall_42d",
        "engagement",
        "score",
        "how many standard deviations all that the person did in the last six closed weeks lies below the own habit; 0 "
        "where it does not",
        "activity of the last six weeks {value} standard deviations below the usual",
        "近六周工作往来低于本人平常水平 {value} 个标准差",
        expected=1,
        window_days=42,
        source=GARDNER,
    ),
    Card(
        "activity_fall_84d",
        "engagement",
        "score",
        "the same over the last twelve closed weeks",
        "activity of the last twelve weeks {value} standard deviations below the usual",
        "近十二周工作往来低于本人平常水平 {value} 个标准差",
        expected=1,
        window_days=84,
        source=GARDNER,
    ),
    Card(
        "initiative_score_84d",
        "engagement",
        "score",
        "project work and help to colleagues over the last twelve closed weeks against the own habit, in standard "
        "deviations; for people with five such acts a week",
        "projects and help to colleagues {value} standard deviations from the usual",
        "近十二周项目参与和帮助同事与本人平常水平相差 {value} 个标准差",
        expected=-1,
        window_days=84,
        source=GARDNER,
    ),
    Card(
        "activity_level_42d",
        "engagement",
        "ratio",
        "all that the person did in the last six closed weeks over what was to be expected by the own habit, season "
        "and quiet weeks of the company; the team is not removed",
        "activity at {value} of the usual",
        "近六周工作往来为平常的 {value} 倍",
        window_days=42,
        source=GARDNER,
    ),
    Card(
        "weeks_below_usual",
        "engagement",
        "count",
        "closed weeks since the last one in which the person did at least what was to be expected; 26 at most",
        "{value} weeks in a row below the usual activity",
        "工作往来连续 {value} 周低于平常",
        expected=1,
        window_days=182,
        source=GARDNER,
    ),
    Card(
        "weeks_present_share_84d",
        "context",
        "share",
        "share of the last twelve closed weeks that count: the person was there and did something",
        "there in {value} of the last twelve weeks",
        "近十二周中有记录的周占 {value}",
        actionable=False,
        window_days=84,
    ),
    Card(
        "team_activity_score_84d",
        "belonging",
        "score",
        "what the others of the team did in the last twelve closed weeks against their own habits, in standard "
        "deviations",
        "activity of the team {value} standard deviations from its usual",
        "团队近十二周工作往来与平常水平相差 {value} 个标准差",
        actionable=False,
        window_days=84,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    days = panel.as_of
    ends = sundays(days[0], days[-1], back=MEMORY_WEEKS)
    begins = min(panel.spine.when.begins or ends[0], sundays(days[0], days[0])[0])
    ends = tuple(end for end in ends if end >= begins)  # a week before the first event holds nothing
    newest = [ends.index(sundays(day, day)[0]) for day in days]
    weeks = expected(weekly(panel.facts, ends, first=newest[0]), first=newest[0] - CHART_WEEKS)
    everything, initiative = (charted(weeks, stream, sorted(set(newest))) for stream in ("all", "initiative"))
    initiative = initiative.select(*keys, nw.col("z12").alias("initiative_score_84d"))
    chart = everything.join(initiative, on=keys, how="left").select(
        "employee_id",
        (nw.col("place") * 7 + (ends[0] + GRACE_DAYS)).alias("start"),
        nw.col("z6").alias("activity_score_42d"),
        nw.col("z12").alias("activity_score_84d"),
        _fall("z6").alias("activity_fall_42d"),
        _fall("z12").alias("activity_fall_84d"),
        "initiative_score_84d",
        nw.col("level6").alias("activity_level_42d"),
        nw.col("below").alias("weeks_below_usual"),
        nw.col("present").alias("weeks_present_share_84d"),
        nw.col("others12").alias("team_activity_score_84d"),
    )
    read = windows.history(chart.with_columns((nw.col("start") + 7).alias("end")), days)
    return held(panel.rows.select(*keys).join(read, on=keys, how="left"))


def _fall(score: str) -> nw.Expr:
    """How far a score is below zero; null stays null."""
    return (0.0 - nw.col(score)).clip(0.0)
