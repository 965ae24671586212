"""Whether people still speak up and take part: falling answers, silence after having answered, taking part beyond.

Silence is told apart from not being asked: only when colleagues of the department answered was there a round. What
comes from surveys is told to nobody, like every answer; taking part in courses, projects and help is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import narwhals.stable.v2 as nw

from features import windows
from features.answers import FEWEST_ANSWERS, scaled
from features.cards import Card
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import Measure, change, mean, others_mean, seen

LOW = 0.25
"""An answer at or below this is a low one: the lowest two of a scale of seven, 1 or 2 of a scale of five."""
FEWEST_WAYS = 2
LONGEST_COMMENT = 2_000
"""Characters; what is longer was pasted."""

GRIFFETH = "Griffeth 2000, Rubenstein 2018: satisfaction r = -.19 to -.28, intention r = .38 to .45"
GARDNER = "Gardner & Hom: fewer contributions one to two months before"
SILENCE = "SCIENCE: people who mean to leave answer less (answers are not missing at random)"
FELPS = "Felps 2009: co-workers' attachment predicts quitting"


def _card(column: str, unit: str, meaning: str, en: str, zh: str, **more: object) -> Card:
    facts: dict[str, object] = {"driver": "engagement", **more}
    return Card(column, unit=unit, meaning=meaning, words_en=en, words_zh=zh, **facts)  # type: ignore[arg-type]


_ANSWERS: tuple[Card, ...] = (
    _card(
        "survey_change_90d",
        "share",
        "mean of all answers in the last 90 days minus the mean of the 275 days before",
        "a change of {value} in survey answers in the last 90 days",
        "近 90 天问卷评分变化 {value}",
        expected=-1,
        window_days=365,
        source=GRIFFETH,
    ),
    _card(
        "survey_trend_180d",
        "share",
        "mean of all answers in the last 180 days minus the mean of the 185 days before",
        "a change of {value} in survey answers within half a year",
        "近半年问卷评分变化 {value}",
        expected=-1,
        window_days=365,
        source=GRIFFETH,
    ),
    _card(
        "survey_comment_length_365d",
        "count",
        "mean number of characters written beside an answer, where that is recorded, last 365 days; 2,000 at most",
        "{value} characters written beside an answer on average",
        "附言平均 {value} 字",
        window_days=365,
    ),
    _card(
        "survey_comment_change_90d",
        "count",
        "that mean in the last 90 days minus that of the 275 days before",
        "a change of {value} characters written beside an answer in the last 90 days",
        "近 90 天附言平均字数变化 {value}",
        window_days=365,
        source=SILENCE,
    ),
    _card(
        "survey_low_share_365d",
        "share",
        "share of low answers (a quarter of the scale or less), last 365 days",
        "{value} of survey answers are low",
        "近 365 天问卷中低分占 {value}",
        expected=1,
        window_days=365,
        source=GRIFFETH,
    ),
    _card(
        "survey_silent_90d",
        "flag",
        "answered 365 to 90 days ago, but not in the last 90 days, in which two others of the department (unknown: of "
        "the company) did; unknown without earlier answers or without such a round",
        "stopped answering surveys",
        "近 90 天不再填写问卷",
        expected=1,
        window_days=365,
        source=SILENCE,
    ),
    _card(
        "survey_answering_others_90d",
        "share",
        "share of the others in the department (unknown: in the company) who answered in the last 90 days",
        "{value} of the department answer surveys",
        "部门其他成员近 90 天问卷参与率 {value}",
        window_days=90,
    ),
    _card(
        "survey_team_change_90d",
        "share",
        "mean change of the answers of the others in the team, last 90 days against the 275 days before",
        "a change of {value} in the survey answers of the others in the team",
        "近 90 天团队其他成员问卷评分变化 {value}",
        driver="belonging",
        expected=-1,
        window_days=365,
        source=FELPS,
    ),
)

_PART: tuple[Card, ...] = (
    _card(
        "taking_part_share_90d",
        "share",
        "of the ways of taking part that are recorded at all (courses, projects, help given, thanks given) the share "
        "used in the last 90 days; unknown with fewer than two",
        "takes part in {value} of courses, projects, help and thanks",
        "课程、项目、互助、致谢中参与了 {value}",
        expected=-1,
        window_days=90,
        source=GARDNER,
    ),
    _card(
        "taking_part_change_90d",
        "share",
        "that share minus the share of the 90 days before, over the ways recorded all through both",
        "a change of {value} in taking part in courses, projects, help and thanks",
        "近 90 天参与面变化 {value}",
        expected=-1,
        window_days=180,
        source=GARDNER,
    ),
)

CARDS: tuple[Card, ...] = (*(replace(card, shown=False) for card in _ANSWERS), *_PART)

WAYS = ("courses", "projects", "help", "thanks")


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    return _answers(panel).join(_taking_part(panel), on=keys, how="left")


def _answers(panel: Panel) -> Frame:
    keys = ["employee_id", "place"]
    score = nw.col("score")
    low = nw.when(score <= LOW).then(1.0).otherwise(0.0)
    length = nw.col("comment_length").clip(0, LONGEST_COMMENT)
    measures = [
        Measure("all", score, (90, 180, 365)),
        Measure("low", low, (365,)),
        Measure("length", length, (90, 365), whole=True),
    ]
    sums = windows.window_sums(panel.spine, scaled(panel.facts["surveys"]), measures)
    rows = panel.rows.select(*keys, "department", "team").join(sums, on=keys, how="left")
    now, year = nw.col("all_90d_n").fill_null(0), nw.col("all_365d_n").fill_null(0)
    fed = ~nw.col("all_from").is_null()
    answered = nw.when(fed).then((now > 0).cast(nw.Float64))
    rows = rows.with_columns(
        answered.alias("_answered"),
        change("all", 90, 365).alias("survey_change_90d"),
        change("all", 180, 365).alias("survey_trend_180d"),
        mean("low", 365).alias("survey_low_share_365d"),
    )
    flag = nw.col("_answered")
    rate = nw.coalesce(others_mean(flag, ["department"]), others_mean(flag, []))
    here = nw.when(~nw.col("department").is_null()).then((flag > 0).cast(nw.Int64).sum().over("department", "place"))
    anywhere = (flag > 0).cast(nw.Int64).sum().over("place")
    others = nw.coalesce(here, anywhere) - (flag > 0).cast(nw.Int64)
    asked = (others >= windows.FEWEST_OTHERS) | (flag > 0)
    return rows.select(
        *keys,
        "survey_change_90d",
        "survey_trend_180d",
        "survey_low_share_365d",
        mean("length", 365).alias("survey_comment_length_365d"),
        change("length", 90, 365).alias("survey_comment_change_90d"),
        nw.when(year > now, asked).then(1.0 - flag).alias("survey_silent_90d"),
        rate.alias("survey_answering_others_90d"),
        others_mean(nw.col("survey_change_90d"), ["team"], fewest=FEWEST_ANSWERS).alias("survey_team_change_90d"),
    )


def _taking_part(panel: Panel) -> Frame:
    """In how many of the recorded ways the person took part, now and before."""
    keys = ["employee_id", "place"]
    once, both = nw.lit(1.0), (90, 180)
    done = panel.facts["interactions"].filter(nw.col("kind").is_in(["project", "help_given"]))
    kinds = [
        Measure("projects", nw.when(nw.col("kind") == "project").then(once), both),
        Measure("help", nw.when(nw.col("kind") == "help_given").then(once), both),
    ]
    thanks = panel.facts["recognitions"].filter(~nw.col("given_by").is_null())
    thanks = thanks.with_columns(nw.col("given_by").alias("employee_id"))
    rows = windows.window_sums(panel.spine, done, kinds)
    for name, facts in (("courses", panel.facts["learning"]), ("thanks", thanks)):
        sums = windows.window_sums(panel.spine, facts, [Measure(name, once, both)])
        rows = rows.join(sums.drop("as_of", "hired_on"), on=keys, how="left")
    recent = {way: seen(way, 90) for way in WAYS}
    before = {way: seen(way, 180) - nw.col(f"{way}_90d_n") for way in WAYS}
    lasting = {way: nw.when(~seen(way, 180).is_null()).then(seen(way, 90)) for way in WAYS}
    share = {name: _used(ways) for name, ways in (("now", recent), ("then", before), ("of_both", lasting))}
    return rows.select(
        *keys,
        share["now"].alias("taking_part_share_90d"),
        (share["of_both"] - share["then"]).alias("taking_part_change_90d"),
    )


def _used(ways: Mapping[str, nw.Expr]) -> nw.Expr:
    """The share of ways with anything in them among those that are known; null with too few."""
    known = nw.sum_horizontal(*[(~n.is_null()).cast(nw.Int64) for n in ways.values()])
    used = nw.sum_horizontal(*[(n > 0).fill_null(False).cast(nw.Int64) for n in ways.values()])
    return nw.when(known >= FEWEST_WAYS).then(quotient(used, known))
