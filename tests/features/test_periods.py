"""A month, a quarter, a half or a year where a day belongs: the last day of it, or the first of what begins."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.intake.parsing import Reading, parse
from features.intake.periods import file_day, period_days
from features.tables import TABLES

APRIL = (date(2023, 4, 1), date(2023, 4, 30))
SECOND_QUARTER = (date(2023, 4, 1), date(2023, 6, 30))
YEAR = (date(2023, 1, 1), date(2023, 12, 31))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        *[
            (t, APRIL)
            for t in ("2023-04", "2023/4", "2023.04", "202304", "2023年4月", "2023年04月份", " ２０２３-０４ ")
        ],
        *[(t, SECOND_QUARTER) for t in ("2023Q2", "2023-q2", "2023 Q2", "2023年第二季度", "2023年2季度", "2023年度Q2")],
        *[(t, (date(2023, 7, 1), YEAR[1])) for t in ("2023H2", "2023年下半年", "2023下半年")],
        *[(t, YEAR) for t in ("2023年", "2023年度", "2023全年")],
        ("2024-02", (date(2024, 2, 1), date(2024, 2, 29))),
    ],
)
def test_a_period_is_its_first_or_its_last_day(text: str, days: tuple[date, date]) -> None:
    written = pl.Series([text])
    assert (period_days(written, begins=True)[0], period_days(written, begins=False)[0]) == days


@pytest.mark.parametrize(
    "text", ["2023", "2023-13", "202313", "2023Q5", "2023H3", "45017", "第二季度", "", "4月", "0.76"]
)
def test_what_names_no_period_is_not_guessed(text: str) -> None:
    assert period_days(pl.Series([text]), begins=False)[0] is None


@given(st.integers(1950, 2100), st.integers(1, 12), st.sampled_from(["{y}-{m:02}", "{y}年{m}月", "{y}{m:02}"]))
def test_the_last_day_of_a_month_is_the_day_before_the_next(year: int, month: int, form: str) -> None:
    last = period_days(pl.Series([form.format(y=year, m=month)]), begins=False)[0]
    assert (last + timedelta(days=1)).day == 1
    assert (last.year, last.month) == (year, month)


@pytest.mark.parametrize(
    ("table", "column", "day"),
    [
        ("employees", "hired_on", 1),
        ("positions", "happened_on", 1),
        ("attendance", "happened_on", 30),
        ("reviews", "happened_on", 30),
        ("exits", "happened_on", 30),
        ("goals", "due_on", 30),
    ],
)
def test_what_begins_begins_on_the_first_and_what_was_summed_up_was_true_on_the_last(
    table: str, column: str, day: int
) -> None:
    spec = TABLES[table].column(column)
    for reading in (Reading(), Reading(dates={column: "%Y-%m"})):
        assert parse(pl.Series(["2023-04"]), spec, reading)[0] == date(2023, 4, day)
    assert parse(pl.Series(["2023-04-15"]), spec, Reading(dates={column: "%Y-%m"}))[0] == date(2023, 4, 15)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("员工花名册_20231231.csv", "2023-12-31"),
        ("roster 2023-04-30.parquet", "2023-04-30"),
        ("花名册2023年04月.csv", "2023-04-30"),
        ("花名册_202304.csv", "2023-04-30"),
        ("花名册.csv", None),
        ("roster_20231399.csv", None),
    ],
)
def test_the_date_in_the_name_of_a_file_is_the_day_or_the_end_of_the_month(name: str, day: str | None) -> None:
    assert file_day(name) == day
