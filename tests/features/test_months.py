"""Months by whole numbers against the calendar of the standard library."""

from __future__ import annotations

from datetime import date

import narwhals.stable.v2 as nw
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from features.engine import date_of, day_number
from features.months import first_day, year_and_month


@given(st.lists(st.dates(date(1900, 1, 1), date(2199, 12, 31)), min_size=1, max_size=50))
@settings(deadline=None)
def test_the_month_of_a_day_and_its_first_day_are_those_of_the_calendar(days: list[date]) -> None:
    frame = nw.from_native(pl.DataFrame({"day": [day_number(day) for day in days]}).lazy())
    year, month = year_and_month(nw.col("day"))
    told = frame.select(year.alias("year"), month.alias("month")).with_columns(
        first_day(nw.col("year"), nw.col("month")).alias("first")
    )
    rows = nw.to_native(told).collect()
    assert [date_of(first) for first in rows["first"]] == [day.replace(day=1) for day in days]
    assert [(month + 2) % 12 + 1 for month in rows["month"]] == [day.month for day in days]
    assert [year + (month >= 10) for year, month in rows.select("year", "month").rows()] == [day.year for day in days]
