"""The time of year at which this organisation usually raises pay: a date that many wait for, and some leave after.

There is no table of bonuses; the month is read from the raises on record.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features.cards import Card
from features.engine import Frame, held
from features.months import first_day, year_and_month
from features.snapshots import Panel

FEWEST_RAISES = 5
LEAST_SHARE = 0.25
"""A usual month holds at least so many, and this share, of the raises of the last 730 days."""
CEB = "CEB: job search fell after bonus and review; mixed evidence"

CARDS: tuple[Card, ...] = (
    Card(
        "days_since_raise_month",
        "pay",
        "days",
        "days since the first day of the month in which most raises of all in the last 730 days took effect; unknown "
        "when fewer than five, or less than a quarter of them, fall in one month",
        "{value} since the usual month of raises began",
        "距上一个惯常调薪月已 {value}",
        actionable=False,
        window_days=730,
        source=CEB,
    ),
    Card(
        "days_to_raise_month",
        "pay",
        "days",
        "days to the next first day of the month in which most raises of all in the last 730 days took effect",
        "{value} to the usual month of raises",
        "距下一个惯常调薪月还有 {value}",
        actionable=False,
        window_days=730,
        source=CEB,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    year, _ = year_and_month(nw.col("as_of"))
    usual = nw.col("month")
    rows = panel.rows.select("employee_id", "place", "as_of").join(_usual_month(panel), on="place", how="left")
    rows = rows.with_columns(
        *[first_day(year + shift, usual).alias(name) for name, shift in (("_last", -1), ("_this", 0), ("_next", 1))]
    )
    begun = nw.col("_this") <= nw.col("as_of")
    last = nw.when(begun).then(nw.col("_this")).otherwise(nw.col("_last"))
    coming = nw.when(begun).then(nw.col("_next")).otherwise(nw.col("_this"))
    return rows.select(
        "employee_id",
        "place",
        (nw.col("as_of") - last).cast(nw.Float64).alias("days_since_raise_month"),
        (coming - nw.col("as_of")).cast(nw.Float64).alias("days_to_raise_month"),
    )


def _usual_month(panel: Panel) -> Frame:
    """Per snapshot the month (0 = March) with most raises among those at risk; of equals the first from March on."""
    keys = ["employee_id", "place"]
    steps = panel.history.filter(nw.col("raise_share") > 0).select(*keys, "happened_on")
    steps = steps.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    steps = steps.filter(nw.col("as_of") - nw.col("happened_on") < 730)
    _, month = year_and_month(nw.col("happened_on"))
    counts = steps.with_columns(month.alias("month")).group_by("place", "month").agg(nw.len().alias("_n"))
    counts = held(
        counts.with_columns(nw.col("_n").cast(nw.Int64)).with_columns(
            nw.col("_n").max().over("place").alias("_most"), nw.col("_n").sum().over("place").alias("_all")
        )
    )
    most = (nw.col("_n") == nw.col("_most")) & (nw.col("_n") >= FEWEST_RAISES)
    usual = counts.filter(most & (nw.col("_n") >= nw.col("_all") * LEAST_SHARE))
    return usual.group_by("place").agg(nw.col("month").min())
