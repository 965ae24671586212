"""Ratings by managers from cycle to cycle: where they tend, and good ones that nothing followed.

A cycle is a day on which a manager's rating is dated; several ratings of one day are averaged. No direction is expected
of the good cycles: those who do well leave less, those who see nothing follow from it more, and the columns mix both.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import positions, windows
from features.cards import Card
from features.engine import Frame, held, quotient
from features.snapshots import Panel
from features.windows import fixed, units

GOOD = 0.8
"""A cycle of at least this share of the maximum counts as good."""

CARDS: tuple[Card, ...] = (
    Card(
        "review_trend",
        "recognition",
        "share",
        "change of the rating by managers per review cycle over the last three cycles",
        "ratings that change by {value} of the maximum per review",
        "绩效评分每次变化为满分的 {value}",
        expected=-1,
        source="Griffeth 2000: performance r = -.15 to -.17, both ends leave more",
    ),
    Card(
        "good_cycles_unrewarded",
        "recognition",
        "count",
        "good review cycles in a row, up to the latest, with no raise or promotion after any of them",
        "{value} strong reviews in a row with no raise or promotion since",
        "连续 {value} 次获高绩效评分但未调薪或晋升",
    ),
    Card(
        "two_good_cycles_unrewarded",
        "recognition",
        "flag",
        "two or more good review cycles in a row, up to the latest, with no raise or promotion after any of them",
        "a second strong review in a row with no raise or promotion",
        "连续两次高绩效评分后未调薪或晋升",
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    cycles = _cycles(panel)
    before = cycles.with_columns(nw.col("rating").shift(2).over(*keys, order_by=["happened_on"]).alias("_third_last"))
    newest = before.filter(nw.col("happened_on") == nw.col("happened_on").max().over(*keys))
    trend = newest.select(*keys, quotient(nw.col("rating") - nw.col("_third_last"), 2.0).alias("review_trend"))
    count = nw.col("_unrewarded").cast(nw.Float64)
    return trend.join(_unrewarded(panel, cycles), on=keys, how="left").select(
        *keys,
        "review_trend",
        count.alias("good_cycles_unrewarded"),
        (count >= 2).cast(nw.Float64).alias("two_good_cycles_unrewarded"),
    )


def _cycles(panel: Panel) -> Frame:
    """One row per person, snapshot and cycle: the mean ``rating`` as a share of the maximum."""
    by_manager = panel.facts["reviews"].filter(
        nw.col("source").fill_null("manager") == "manager", nw.col("scale_max") > 0, ~nw.col("rating").is_null()
    )
    share = quotient(nw.col("rating"), nw.col("scale_max"))
    told = windows.history(by_manager.with_columns(fixed(share).alias("_share")), panel.as_of)
    sums = told.group_by("employee_id", "place", "happened_on").agg(
        nw.col("_share").sum(), nw.len().cast(nw.Int64).alias("_n")
    )
    return held(
        sums.select(
            "employee_id", "place", "happened_on", quotient(units(nw.col("_share")), nw.col("_n")).alias("rating")
        )
    )


def _unrewarded(panel: Panel, cycles: Frame) -> Frame:
    """Good cycles after the last one that was not good, none of them followed by a raise or a promotion."""
    keys, good, on = ["employee_id", "place"], nw.col("rating") >= GOOD, nw.col("happened_on")
    told = cycles.join(positions.last_reward(panel.history), on=keys, how="left")
    told = told.with_columns(nw.when(~good).then(on).max().over(*keys).alias("_broken_on"))
    answered = (nw.col("rewarded_on") > on).fill_null(False)
    counts = good & ~answered & (on > nw.col("_broken_on")).fill_null(True)
    return told.group_by(*keys).agg(counts.cast(nw.Int64).sum().alias("_unrewarded"))
