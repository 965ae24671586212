"""What people say when asked: every survey item on the scale 0 to 1, its change, and whether they still answer.

A survey is voluntary: silence is counted as silence (days answered), never turned into a score. What one person
answered is theirs: it counts in the score and is told to nobody (``shown=False`` on every card), and means of others
are formed from at least ``FEWEST_ANSWERS`` people.
"""

from __future__ import annotations

from dataclasses import replace

import narwhals.stable.v2 as nw

from features import windows
from features.answers import FEWEST_ANSWERS, ITEMS, scaled
from features.cards import Card
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import MILLION, Measure, change, mean, others_mean, ratio, seen, units

GRIFFETH = "Griffeth 2000, Rubenstein 2018: satisfaction r = -.19 to -.28, intention r = .38 to .45"
HOFFMAN = "Hoffman & Tadelis 2021: from the 10th to the 90th percentile of managers 60 % fewer exits"
BAO = "Bao 2017: the spread of a person's own reports was among the strongest signs"


def _item_cards(item: str) -> tuple[Card, ...]:
    driver, expected, en, zh = ITEMS[item]
    return (
        Card(
            f"survey_{item}_latest",
            driver,
            "share",
            f"latest answer about {en}, 0 to 1",
            f"a latest answer about {en} of {{value}}",
            f"最近一次“{zh}”评分 {{value}}",
            expected=expected,
            source=GRIFFETH,
        ),
        Card(
            f"survey_{item}_mean_365d",
            driver,
            "share",
            f"mean of the answers about {en} in the last 365 days, 0 to 1",
            f"answers about {en} of {{value}} on average in the last 365 days",
            f"近 365 天“{zh}”平均评分 {{value}}",
            expected=expected,
            window_days=365,
            source=GRIFFETH,
        ),
        Card(
            f"survey_{item}_change_90d",
            driver,
            "share",
            f"mean answer about {en} in the last 90 days minus the mean of the 275 days before",
            f"a change of {{value}} in the answers about {en} in the last 90 days",
            f"近 90 天“{zh}”评分变化 {{value}}",
            expected=expected,
            window_days=365,
            source=GRIFFETH,
        ),
    )


_CARDS: tuple[Card, ...] = (
    Card(
        "survey_mean_90d",
        "engagement",
        "share",
        "mean of all survey answers in the last 90 days, each on 0 to 1",
        "survey answers of {value} on average in the last 90 days",
        "近 90 天问卷平均评分 {value}",
        expected=-1,
        window_days=90,
        source=GRIFFETH,
    ),
    Card(
        "survey_mean_30d",
        "engagement",
        "share",
        "mean of all survey answers in the last 30 days, each on 0 to 1",
        "survey answers of {value} on average in the last 30 days",
        "近 30 天问卷平均评分 {value}",
        expected=-1,
        window_days=30,
        source=GRIFFETH,
    ),
    Card(
        "survey_mean_365d",
        "engagement",
        "share",
        "mean of all survey answers in the last 365 days, each on 0 to 1",
        "survey answers of {value} on average in the last 365 days",
        "近 365 天问卷平均评分 {value}",
        expected=-1,
        window_days=365,
        source=GRIFFETH,
    ),
    Card(
        "survey_change_30d",
        "engagement",
        "share",
        "mean of all answers in the last 30 days minus the mean of the 335 days before",
        "a change of {value} in survey answers in the last 30 days",
        "近 30 天问卷评分变化 {value}",
        expected=-1,
        window_days=365,
    ),
    Card(
        "survey_sd_365d",
        "engagement",
        "share",
        "standard deviation of the answers within the same question, last 365 days",
        "survey answers that vary by {value}",
        "问卷评分波动 {value}",
        expected=1,
        window_days=365,
        source=BAO,
    ),
    Card(
        "survey_vs_team_90d",
        "engagement",
        "share",
        "own mean of all answers minus the mean of the others in the team, last 90 days",
        "survey answers {value} apart from the team",
        "问卷评分与团队平均之差为 {value}",
        expected=-1,
        window_days=90,
    ),
    Card(
        "survey_days_30d",
        "engagement",
        "count",
        "days on which the person answered, last 30 days",
        "answered surveys on {value} days in the last 30",
        "近 30 天有 {value} 天填写问卷",
        expected=-1,
        window_days=30,
    ),
    Card(
        "survey_days_90d",
        "engagement",
        "count",
        "days on which the person answered, last 90 days",
        "answered surveys on {value} days in the last 90",
        "近 90 天有 {value} 天填写问卷",
        expected=-1,
        window_days=90,
    ),
    Card(
        "survey_days_365d",
        "engagement",
        "count",
        "days on which the person answered, last 365 days",
        "answered surveys on {value} days in the last 365",
        "近 365 天有 {value} 天填写问卷",
        expected=-1,
        window_days=365,
    ),
    Card(
        "survey_days_ratio_30d",
        "engagement",
        "ratio",
        "days answered in 30 days over the person's own usual number (210 to 30 days ago)",
        "answers surveys {value} times as often as usual",
        "填写问卷频率为平时的 {value} 倍",
        expected=-1,
        window_days=210,
    ),
    Card(
        "survey_days_vs_others_90d",
        "engagement",
        "ratio",
        "days answered in 90 days over the mean of the others in the department",
        "answers surveys {value} times as often as colleagues",
        "填写问卷频率为同事的 {value} 倍",
        expected=-1,
        window_days=90,
    ),
    Card(
        "days_since_survey",
        "engagement",
        "days",
        "days since the last answer",
        "{value} since the last survey answer",
        "距上次填写问卷 {value}",
        expected=1,
    ),
    *(card for item in ITEMS for card in _item_cards(item)),
    Card(
        "survey_team_mean_90d",
        "belonging",
        "share",
        "mean of all answers of the others in the team, last 90 days",
        "survey answers of {value} on average among the others in the team",
        "近 90 天团队其他成员问卷平均评分 {value}",
        expected=-1,
        window_days=90,
        source="Felps 2009: co-workers' attachment predicts quitting",
    ),
    Card(
        "survey_manager_by_others_365d",
        "manager",
        "share",
        "what the manager's other reports answer about the manager, last 365 days",
        "the manager rated {value} by the others in the team",
        "其他下属对上级的评分 {value}",
        expected=-1,
        window_days=365,
        source=HOFFMAN,
    ),
)

CARDS: tuple[Card, ...] = tuple(replace(card, shown=False) for card in _CARDS)
"""An answer is given in confidence. It counts in the score; no reason, page or plan ever tells anybody what it was,
nor whether somebody answered, nor (in teams this small) what the others said."""


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    answers = scaled(panel.facts["surveys"])
    rows = panel.rows.select(*keys, "department", "team", "manager_id")
    for part in (_levels(panel, answers), _latest(panel, answers), _days(panel, answers)):
        rows = rows.join(part, on=keys, how="left")
    rows = rows.with_columns(
        others_mean(nw.col("survey_mean_90d"), ["team"], fewest=FEWEST_ANSWERS).alias("survey_team_mean_90d"),
        others_mean(nw.col("survey_manager_mean_365d"), ["manager_id"], fewest=FEWEST_ANSWERS).alias(
            "survey_manager_by_others_365d"
        ),
        nw.coalesce(
            others_mean(nw.col("survey_days_90d"), ["department"]), others_mean(nw.col("survey_days_90d"), [])
        ).alias("_others_days"),
    )
    return rows.with_columns(
        (nw.col("survey_mean_90d") - nw.col("survey_team_mean_90d")).alias("survey_vs_team_90d"),
        nw.when(nw.col("_others_days") > 0)
        .then(quotient(nw.col("survey_days_90d"), nw.col("_others_days")))
        .alias("survey_days_vs_others_90d"),
    )


def _levels(panel: Panel, answers: Frame) -> Frame:
    """Means, changes and spread."""
    score = nw.col("score")
    of_item = {item: nw.when(nw.col("item") == item).then(score) for item in ITEMS}
    measures = [Measure("all", score, (30, 90, 365))]
    measures += [Measure(item, value, (90, 365)) for item, value in of_item.items()]
    measures += [Measure(f"{item}_square", value * value, (365,)) for item, value in of_item.items()]
    sums = windows.window_sums(panel.spine, answers, measures)
    return sums.select(
        "employee_id",
        "place",
        mean("all", 30).alias("survey_mean_30d"),
        mean("all", 90).alias("survey_mean_90d"),
        mean("all", 365).alias("survey_mean_365d"),
        change("all", 30, 365).alias("survey_change_30d"),
        _spread().alias("survey_sd_365d"),
        *(mean(item, 365).alias(f"survey_{item}_mean_365d") for item in ITEMS),
        *(change(item, 90, 365).alias(f"survey_{item}_change_90d") for item in ITEMS),
    )


def _spread() -> nw.Expr:
    """Pooled standard deviation within items: items have different means, and that is no variation of the person."""
    squares, freedom = [], []
    for item in ITEMS:
        n = nw.col(f"{item}_365d_n")
        s = units(nw.col(f"{item}_365d_sum"))
        deviation = units(nw.col(f"{item}_square_365d_sum")) - quotient(s * s, n)
        squares.append(nw.when(n > 1).then(deviation).otherwise(0.0))
        freedom.append(nw.when(n > 1).then(n - 1).otherwise(0))
    total, free = nw.sum_horizontal(*squares), nw.sum_horizontal(*freedom)
    return nw.when(free > 0).then(quotient(total, free).clip(0.0, None).sqrt())


def _latest(panel: Panel, answers: Frame) -> Frame:
    """The latest answer to each item."""
    last = windows.latest(answers, panel.as_of, ["employee_id", "item"])
    newest = [nw.when(nw.col("item") == item).then(nw.col("score")).max() for item in ITEMS]
    return last.group_by("employee_id", "place").agg(
        *[value.alias(f"survey_{item}_latest") for item, value in zip(ITEMS, newest, strict=True)]
    )


def _days(panel: Panel, answers: Frame) -> Frame:
    """Days answered (several items on one day are one day) and days since the last one."""
    keys = ["employee_id", "place"]
    days = answers.with_columns(nw.col("happened_on").alias("day"))
    answered = windows.contacts(days, panel.as_of, ["employee_id", "day"], window=365)
    answered = answered.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    age = nw.col("as_of") - nw.col("day")
    counts = answered.group_by(*keys).agg(*[(age < d).cast(nw.Int64).sum().alias(f"_{d}") for d in (30, 90, 210, 365)])
    feed = windows.window_sums(panel.spine, answers, [Measure("days", nw.col("score"), (365,))])
    last = windows.last_day(answers, panel.as_of, ["employee_id"])
    rows = feed.select(*keys, "as_of", "hired_on", "days_from").join(counts, on=keys, how="left")
    rows = rows.join(last, on=keys, how="left").with_columns(
        *[nw.col(f"_{d}").fill_null(0).alias(f"days_{d}d_n") for d in (30, 90, 210, 365)],
        *[(nw.col(f"_{d}").fill_null(0) * MILLION).alias(f"days_{d}d_sum") for d in (30, 210)],
    )
    return rows.select(
        *keys,
        *(seen("days", d).alias(f"survey_days_{d}d") for d in (30, 90, 365)),
        ratio("days", 30, 210).alias("survey_days_ratio_30d"),
        (nw.col("as_of") - nw.col("last_day")).cast(nw.Float64).alias("days_since_survey"),
    )
