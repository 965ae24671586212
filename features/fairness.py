"""Whether effort and reward fit, and whether ratings are given alike. A column here is a question, not a verdict."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import positions, windows
from features.cards import Card
from features.comparisons import standing
from features.engine import Frame, held, quotient
from features.snapshots import Panel
from features.windows import fixed, others_mean, units

HIGH = 0.8
"""A rating of at least this share of the maximum counts as high."""
FEWEST_RATED = 3
"""The mean rating of a team is told when at least so many others in it are rated."""

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
    Card(
        "team_review_vs_company",
        "fairness",
        "share",
        "mean latest rating of the others in the team minus the mean of all others",
        "ratings in the team {value} apart from those of the organisation",
        "团队绩效评分与全员平均之差为 {value}",
    ),
    Card(
        "team_raise_share_vs_company_365d",
        "fairness",
        "share",
        "share of the others in the team with a raise in the last 365 days minus that share among all others",
        "a share of raises in the team {value} apart from the organisation",
        "团队近一年调薪比例与全员之差为 {value}",
        expected=-1,
        window_days=365,
    ),
    Card(
        "team_promotion_share_vs_company_730d",
        "fairness",
        "share",
        "share of the others in the team promoted in the last 730 days minus that share among all others",
        "a share of promotions in the team {value} apart from the organisation",
        "团队近两年晋升比例与全员之差为 {value}",
        expected=-1,
        window_days=730,
        source="Griffeth 2000: promotion chances r = -.16",
    ),
    Card(
        "review_standing_in_job",
        "recognition",
        "share",
        "share of the others in the same job whose latest rating by a manager is lower (half of the equal ones)",
        "a review above that of {value} of colleagues in the same job",
        "绩效评分高于 {value} 的同岗位同事",
        expected=-1,
        source="Griffeth 2000: performance r = -.15 to -.17, both ends leave more",
    ),
    Card(
        "pay_standing_in_job",
        "pay",
        "share",
        "share of the others in the same job and currency whose pay is lower (half of the equal ones)",
        "pay above that of {value} of colleagues in the same job",
        "薪酬高于 {value} 的同岗位同事",
        expected=-1,
        source="Dube, Giuliano & Leonard: quits answer to pay below peers; separation elasticity -3 to -4.5",
    ),
    Card(
        "review_above_pay_in_job",
        "fairness",
        "share",
        "standing of the rating in the job minus standing of the pay in the job: rated higher than paid",
        "a standing by review {value} above the standing by pay in the same job",
        "在同岗位中绩效名次比薪酬名次高 {value}",
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
    rows = panel.rows.select(*keys, "as_of", "team", "job", "pay", nw.col("currency").fill_null("").alias("_money"))
    for part in (last, own, positions.last_reward(panel.history), _steps(panel)):
        rows = rows.join(part, on=keys, how="left")
    rows = held(rows)
    rows = rows.join(standing(rows, "share", ["job"], name="review_standing_in_job"), on=keys, how="left")
    rows = rows.join(standing(rows, "pay", ["job", "_money"], name="pay_standing_in_job"), on=keys, how="left")
    given = held(windows.history(by_manager, panel.as_of, window=730))
    rows = rows.join(_reviewers(given), on=["reviewer_id", "place"], how="left")
    rows = rows.join(_own_by_reviewer(given), on=[*keys, "reviewer_id"], how="left")
    others_n = nw.col("_given_n") - nw.col("_mine_n").fill_null(0)
    others_sum = units(nw.col("_given") - nw.col("_mine").fill_null(0))
    score = nw.col("share")
    level, square = others_mean(score, ["team"]), others_mean(score * score, ["team"])
    unrewarded = (score >= HIGH) & ~(nw.col("rewarded_on") > nw.col("reviewed_on")).fill_null(False)
    return rows.with_columns(
        nw.when(others_n >= windows.FEWEST_OTHERS)
        .then(score - quotient(others_sum, others_n))
        .alias("review_vs_reviewer"),
        (nw.col("_self") - score).alias("review_self_gap"),
        nw.when(unrewarded)
        .then((nw.col("as_of") - nw.col("reviewed_on")).cast(nw.Float64))
        .alias("high_review_unrewarded_days"),
        (square - level * level).clip(0.0, None).sqrt().alias("team_review_spread"),
        (others_mean(score, ["team"], fewest=FEWEST_RATED) - others_mean(score, [])).alias("team_review_vs_company"),
        *[
            (others_mean(nw.col(had), ["team"]) - others_mean(nw.col(had), [])).alias(name)
            for had, name in (
                ("_raised", "team_raise_share_vs_company_365d"),
                ("_promoted", "team_promotion_share_vs_company_730d"),
            )
        ],
        (nw.col("review_standing_in_job") - nw.col("pay_standing_in_job")).alias("review_above_pay_in_job"),
    )


def _steps(panel: Panel) -> Frame:
    """Who got a raise or a promotion lately (1 or 0), where pay or level is known."""
    keys = ["employee_id", "place"]
    steps = panel.history.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    age = nw.col("as_of") - nw.col("happened_on")
    return steps.group_by(*keys).agg(
        _any((nw.col("raise_share") > 0) & (age < 365), nw.col("pay")).alias("_raised"),
        _any(nw.col("promoted") & (age < 730), nw.col("level")).alias("_promoted"),
    )


def _any(happened: nw.Expr, told: nw.Expr) -> nw.Expr:
    hit = nw.when(happened.fill_null(False)).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
    return nw.when(~told.is_null()).then(hit).max()


def _reviewers(given: Frame) -> Frame:
    """What each reviewer gave to everybody in the last 730 days."""
    return given.group_by("reviewer_id", "place").agg(
        fixed(nw.col("share")).sum().alias("_given"), nw.len().cast(nw.Int64).alias("_given_n")
    )


def _own_by_reviewer(given: Frame) -> Frame:
    """The part of it that concerns the person: it has no place in a comparison with others."""
    return given.group_by("employee_id", "place", "reviewer_id").agg(
        fixed(nw.col("share")).sum().alias("_mine"), nw.len().cast(nw.Int64).alias("_mine_n")
    )
