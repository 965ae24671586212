"""Being seen: thanks and awards, and what reviewers say. Self-ratings are not counted as recognition."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.comparisons import silence
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import Measure, mean, others_mean, ratio, total

GRIFFETH = "Griffeth 2000: performance r = -.15 to -.17, both ends leave more"

CARDS: tuple[Card, ...] = (
    Card(
        "recognitions_90d",
        "recognition",
        "count",
        "recognitions received in the last 90 days",
        "{value} recognitions in the last 90 days",
        "近 90 天获得认可 {value} 次",
        expected=-1,
        window_days=90,
    ),
    Card(
        "recognitions_365d",
        "recognition",
        "count",
        "recognitions received in the last 365 days",
        "{value} recognitions in the last 365 days",
        "近 365 天获得认可 {value} 次",
        expected=-1,
        window_days=365,
    ),
    Card(
        "customer_praise_365d",
        "recognition",
        "count",
        "praise from customers in the last 365 days",
        "{value} times praised by customers in the last 365 days",
        "近 365 天获客户好评 {value} 次",
        expected=-1,
        window_days=365,
    ),
    Card(
        "awards_365d",
        "recognition",
        "count",
        "awards in the last 365 days",
        "{value} awards in the last 365 days",
        "近 365 天获奖 {value} 次",
        expected=-1,
        window_days=365,
    ),
    Card(
        "recognitions_vs_team_365d",
        "recognition",
        "score",
        "recognitions in 365 days minus the mean of the others in the team",
        "{value} recognitions apart from the others in the team",
        "获得认可次数与团队同事平均之差为 {value}",
        expected=-1,
        window_days=365,
    ),
    Card(
        "days_since_recognition",
        "recognition",
        "days",
        "days since the last recognition",
        "{value} since the last recognition",
        "距上次获得认可已 {value}",
        expected=1,
    ),
    Card(
        "recognitions_given_365d",
        "belonging",
        "count",
        "recognitions given to others in the last 365 days",
        "{value} recognitions given to others in the last 365 days",
        "近 365 天认可他人 {value} 次",
        expected=-1,
        window_days=365,
    ),
    Card(
        "review_latest",
        "recognition",
        "share",
        "latest rating by a manager as a share of the scale's maximum",
        "a latest review of {value} of the maximum",
        "最近一次绩效评分为满分的 {value}",
        expected=-1,
        source=GRIFFETH,
    ),
    Card(
        "review_change",
        "recognition",
        "share",
        "latest rating by a manager minus the one before",
        "a change of {value} between the last two reviews",
        "最近两次绩效评分变化 {value}",
        expected=-1,
    ),
    Card(
        "review_mean_730d",
        "recognition",
        "share",
        "mean rating by others (managers, peers, reports, customers) in the last 730 days",
        "reviews of {value} of the maximum over two years",
        "近两年他人评分平均为满分的 {value}",
        expected=-1,
        window_days=730,
        source=GRIFFETH,
    ),
    Card(
        "review_vs_team",
        "recognition",
        "share",
        "latest rating by a manager minus the mean of the others in the team",
        "a review {value} apart from the others in the team",
        "绩效评分与团队同事平均之差为 {value}",
        expected=-1,
    ),
    Card(
        "days_since_review",
        "manager",
        "days",
        "days since the last review by a manager",
        "{value} since the last review",
        "距上次绩效评价已 {value}",
        expected=1,
    ),
    Card(
        "recognitions_vs_job_365d",
        "recognition",
        "score",
        "recognitions in 365 days minus the mean of the others in the same job",
        "{value} recognitions apart from colleagues in the same job",
        "获得认可次数与同岗位同事平均之差为 {value}",
        expected=-1,
        window_days=365,
    ),
    Card(
        "recognitions_ratio_180d",
        "recognition",
        "ratio",
        "recognitions in the last 180 days against the person's own rate in the 550 days before: (now + 1) / "
        "(expected + 1)",
        "recognitions at {value} of the person's own usual rate",
        "获得认可的频率为本人平时的 {value} 倍",
        expected=-1,
        window_days=730,
    ),
    Card(
        "recognition_silence_vs_usual",
        "recognition",
        "ratio",
        "days since the last recognition over the days that usually lay between two in the last 730 days; unknown with "
        "fewer than three",
        "{value} times as long since the last recognition as usual for the person",
        "距上次获得认可的时长是本人平时间隔的 {value} 倍",
        expected=1,
        window_days=730,
    ),
    Card(
        "recognition_givers_365d",
        "recognition",
        "count",
        "different people who gave a recognition in the last 365 days",
        "recognitions from {value} different people in the last 365 days",
        "近 365 天有 {value} 位不同的人给予认可",
        expected=-1,
        window_days=365,
    ),
    Card(
        "peer_thanks_365d",
        "recognition",
        "count",
        "thanks from peers in the last 365 days",
        "{value} times thanked by peers in the last 365 days",
        "近 365 天获同事感谢 {value} 次",
        expected=-1,
        window_days=365,
    ),
    Card(
        "customer_praise_vs_team_365d",
        "recognition",
        "score",
        "praise from customers in 365 days minus the mean of the others in the team",
        "customer praise {value} apart from the others in the team",
        "获客户好评次数与团队同事平均之差为 {value}",
        expected=-1,
        window_days=365,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    rows = panel.rows.select(*keys, "team", "job")
    for part in (_thanks(panel), _givers(panel), _given(panel), _reviews(panel), _all_reviews(panel)):
        rows = rows.join(part, on=keys, how="left")
    thanks, praise, review = nw.col("recognitions_365d"), nw.col("customer_praise_365d"), nw.col("review_latest")
    return rows.with_columns(
        (thanks - others_mean(thanks, ["job"])).alias("recognitions_vs_job_365d"),
        (praise - others_mean(praise, ["team"])).alias("customer_praise_vs_team_365d"),
        nw.when(~thanks.is_null()).then(nw.col("_givers").fill_null(0)).alias("recognition_givers_365d"),
        (thanks - others_mean(thanks, ["team"])).alias("recognitions_vs_team_365d"),
        (review - others_mean(review, ["team"])).alias("review_vs_team"),
    )


def _thanks(panel: Panel) -> Frame:
    facts = _by_others(panel)
    one, kind = nw.lit(1.0), nw.col("kind")
    measures = [
        Measure("all", one, (90, 180, 365, 730)),
        Measure("peers", nw.when(kind == "peer_thanks").then(one), (365,)),
        Measure("praise", nw.when(kind == "customer_praise").then(one), (365,)),
        Measure("awards", nw.when(kind == "award").then(one), (365,)),
    ]
    sums = windows.window_sums(panel.spine, facts, measures)
    last = windows.last_day(facts, panel.as_of, ["employee_id"])
    rows = sums.join(last, on=["employee_id", "place"], how="left")
    return rows.select(
        "employee_id",
        "place",
        total("all", 90).alias("recognitions_90d"),
        total("all", 365).alias("recognitions_365d"),
        total("praise", 365).alias("customer_praise_365d"),
        total("awards", 365).alias("awards_365d"),
        total("peers", 365).alias("peer_thanks_365d"),
        ratio("all", 180, 730).alias("recognitions_ratio_180d"),
        silence("all", 730).alias("recognition_silence_vs_usual"),
        (nw.col("as_of") - nw.col("last_day")).cast(nw.Float64).alias("days_since_recognition"),
    )


def _givers(panel: Panel) -> Frame:
    """How many different people gave; a recognition without a name is nobody's."""
    named = _by_others(panel).filter(~nw.col("given_by").is_null())
    pairs = windows.contacts(named, panel.as_of, ["employee_id", "given_by"], window=365)
    return pairs.group_by("employee_id", "place").agg(nw.len().cast(nw.Float64).alias("_givers"))


def _by_others(panel: Panel) -> Frame:
    return panel.facts["recognitions"].filter((nw.col("given_by") != nw.col("employee_id")).fill_null(True))


def _given(panel: Panel) -> Frame:
    facts = panel.facts["recognitions"].filter(nw.col("given_by") != nw.col("employee_id"))
    facts = facts.with_columns(nw.col("given_by").alias("employee_id"))
    sums = windows.window_sums(panel.spine, facts, [Measure("given", nw.lit(1.0), (365,))])
    return sums.select("employee_id", "place", total("given", 365).alias("recognitions_given_365d"))


def _reviews(panel: Panel) -> Frame:
    """The last two ratings by a manager; a review without a source is taken as the manager's."""
    keys = ["employee_id", "place"]
    by_manager = panel.facts["reviews"].filter(nw.col("source").fill_null("manager") == "manager")
    told = windows.history(by_manager.filter(nw.col("scale_max") > 0, ~nw.col("rating").is_null()), panel.as_of)
    order = ["happened_on", "known_on", "_seq"]
    told = told.with_columns(_share().alias("_share"), nw.lit(1).alias("_rank"))
    told = told.with_columns(
        nw.col("_rank").cum_sum().over(*keys, order_by=order),
        nw.col("_share").shift(1).over(*keys, order_by=order).alias("_before"),
    )
    last = told.filter(nw.col("_rank") == nw.col("_rank").max().over(*keys))
    rows = last.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    return rows.select(
        *keys,
        nw.col("_share").alias("review_latest"),
        (nw.col("_share") - nw.col("_before")).alias("review_change"),
        (nw.col("as_of") - nw.col("happened_on")).cast(nw.Float64).alias("days_since_review"),
    )


def _share() -> nw.Expr:
    return quotient(nw.col("rating"), nw.col("scale_max"))


def _all_reviews(panel: Panel) -> Frame:
    others = panel.facts["reviews"].filter(nw.col("source").fill_null("manager") != "self", nw.col("scale_max") > 0)
    rating = Measure("rating", _share(), (730,))
    sums = windows.window_sums(panel.spine, others, [rating])
    return sums.select("employee_id", "place", mean("rating", 730).alias("review_mean_730d"))
