"""Whether effort and reward fit, and whether ratings are given alike. A column here is a question, not a verdict."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import fixed, others_mean, units

HIGH = 0.8
"""A rating of at least this share of the maximum counts as high."""

CARDS: tuple[Card, ...] = (
    Card(
        "review_vs_reviewer",
        "fairness",
        "share",
        "latest rating by a manager minus the mean that reviewer gave to others in the last 730 days",
        "a review {value} apart from what the reviewer gives others",
        "绩效评分与该评价人给他人的平均分之差为 {value}",
        expected=-1,
        window_days=730,
    ),
    Card(
        "review_self_gap",
        "fairness",
        "share",
        "latest self-rating minus latest rating by a manager",
        "a self-rating {value} apart from the manager's",
        "自评与上级评分之差为 {value}",
        expected=1,
    ),
    Card(
        "high_review_unrewarded_days",
        "fairness",
        "days",
        "days since a high latest review that no raise or promotion followed; unknown when there is none",
        "{value} since a strong review without raise or promotion",
        "获高绩效评分后已有 {value} 未调薪或晋升",
        expected=1,
    ),
    Card(
        "team_review_spread",
        "fairness",
        "share",
        "standard deviation of the latest ratings of the others in the team",
        "ratings in the team that vary by {value}",
        "团队其他成员绩效评分的差异为 {value}",
        expected=1,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    ratings = panel.facts["reviews"].filter(nw.col("scale_max") > 0, ~nw.col("rating").is_null())
    share = quotient((quotient(nw.col("rating"), nw.col("scale_max")) * 1000).round(0), 1000.0).alias("share")
    ratings = ratings.with_columns(share, nw.col("source").fill_null("manager"))
    by_manager = ratings.filter(nw.col("source") == "manager")
    last = windows.latest(by_manager, panel.as_of, ["employee_id"])
    last = last.select(*keys, nw.col("happened_on").alias("reviewed_on"), "reviewer_id", "share")
    own = windows.latest(ratings.filter(nw.col("source") == "self"), panel.as_of, ["employee_id"])
    own = own.select(*keys, nw.col("share").alias("_self"))
    rows = panel.rows.select(*keys, "as_of", "team").join(last, on=keys, how="left").join(own, on=keys, how="left")
    rows = rows.join(_rewards(panel), on=keys, how="left")
    rows = rows.join(_reviewers(panel, by_manager), on=["reviewer_id", "place"], how="left")
    rows = rows.join(_own_by_reviewer(panel, by_manager), on=[*keys, "reviewer_id"], how="left")
    others_n = nw.col("_given_n") - nw.col("_mine_n").fill_null(0)
    others_sum = units(nw.col("_given") - nw.col("_mine").fill_null(0))
    score = nw.col("share")
    level, square = others_mean(score, ["team"]), others_mean(score * score, ["team"])
    unrewarded = (score >= HIGH) & ~(nw.col("_rewarded_on") > nw.col("reviewed_on")).fill_null(False)
    return rows.with_columns(
        nw.when(others_n >= windows.FEWEST_OTHERS)
        .then(score - quotient(others_sum, others_n))
        .alias("review_vs_reviewer"),
        (nw.col("_self") - score).alias("review_self_gap"),
        nw.when(unrewarded)
        .then((nw.col("as_of") - nw.col("reviewed_on")).cast(nw.Float64))
        .alias("high_review_unrewarded_days"),
        (square - level * level).clip(0.0, None).sqrt().alias("team_review_spread"),
    )


def _rewards(panel: Panel) -> Frame:
    """The day of the last raise or promotion on record."""
    better = (nw.col("raise_share") > 0).fill_null(False) | nw.col("promoted").fill_null(False)
    steps = panel.history.with_columns(nw.when(better).then(nw.col("happened_on")).alias("_rewarded_on"))
    return steps.group_by("employee_id", "place").agg(nw.col("_rewarded_on").max())


def _reviewers(panel: Panel, ratings: Frame) -> Frame:
    """What each reviewer gave to everybody in the last 730 days."""
    given = windows.history(ratings, panel.as_of, window=730)
    return given.group_by("reviewer_id", "place").agg(
        fixed(nw.col("share")).sum().alias("_given"), nw.len().cast(nw.Int64).alias("_given_n")
    )


def _own_by_reviewer(panel: Panel, ratings: Frame) -> Frame:
    """The part of it that concerns the person: it has no place in a comparison with others."""
    given = windows.history(ratings, panel.as_of, window=730)
    return given.group_by("employee_id", "place", "reviewer_id").agg(
        fixed(nw.col("share")).sum().alias("_mine"), nw.len().cast(nw.Int64).alias("_mine_n")
    )
