"""Dates, clock times and numbers in the usual ways of writing them; what is unclear stays unread."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.intake.parsing import (
    Reading,
    comma_is_decimal,
    date_order,
    means_nothing,
    parse,
    parse_moments,
    parse_numbers,
)
from features.tables import Column


def moment(text: str, form: str | None = None, zone: str | None = None) -> datetime | None:
    return parse_moments(pl.Series([text]), form, zone)[0]


@pytest.mark.parametrize(
    "text",
    [
        "2023-04-01",
        "2023/4/1",
        "2023.4.1",
        "20230401",
        "01.04.2023",
        "2023年4月1日",
        "２０２３年４月１日",
        "2023-04-01T00:00:00",
        "1 Apr 2023",
        "April 1, 2023",
        "01-Apr-2023",
        "45017",
        "2023-04-01 00:00:00.000000",
    ],
)
def test_one_day_in_its_usual_forms(text: str) -> None:
    assert moment(text) == datetime(2023, 4, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-04-01 08:30:05", datetime(2023, 4, 1, 8, 30, 5)),
        ("2023-04-01T08:30", datetime(2023, 4, 1, 8, 30)),
        ("2023/4/1 8:30 PM", datetime(2023, 4, 1, 20, 30)),
        ("2023/4/1 12:05 am", datetime(2023, 4, 1, 0, 5)),
        ("2023年4月1日 08:30", datetime(2023, 4, 1, 8, 30)),
        ("2023-04-01T08:30:00.25", datetime(2023, 4, 1, 8, 30, 0, 250000)),
        ("2023-04-01T08:30:00+08:00", datetime(2023, 4, 1, 8, 30)),
    ],
)
def test_one_clock_time_in_its_usual_forms(text: str, expected: datetime) -> None:
    assert moment(text) == expected


def test_an_offset_is_told_in_the_zone_of_the_organisation() -> None:
    assert moment("2023-04-01T22:30:00Z", zone="Asia/Shanghai") == datetime(2023, 4, 2, 6, 30)
    assert moment("2023-04-01T22:30:00-0530", zone="UTC") == datetime(2023, 4, 2, 4, 0)


@pytest.mark.parametrize("text", ["2023-02-30", "31.04.2023", "abc", "23-4-1", "2023-04-01 25:00:00", "12:30", "", "0"])
def test_what_is_no_moment_is_not_guessed(text: str) -> None:
    assert moment(text) is None


def test_day_and_month_are_told_apart_by_the_values_or_not_at_all() -> None:
    assert date_order(pl.Series(["03/04/2023", "25/04/2023"])) == "dmy"
    assert date_order(pl.Series(["03/04/2023", "04/25/2023 08:00"])) == "mdy"
    assert date_order(pl.Series(["03/04/2023", "2023-04-25"])) == "?"
    assert date_order(pl.Series(["04/04/2023", "2023-04-25"])) is None
    assert moment("03/04/2023") is None
    assert moment("03/04/2023", "dmy") == datetime(2023, 4, 3)
    assert moment("03/04/2023", "mdy") == datetime(2023, 3, 4)
    assert moment("04/04/2023") == datetime(2023, 4, 4)


def test_one_slip_does_not_turn_a_column_round() -> None:
    right = [f"{day}/04/2023" for day in range(13, 31)] + ["13/05/2023", "14/05/2023", "15/05/2023"]
    assert date_order(pl.Series([*right, "04/31/2023"])) == "dmy"
    assert date_order(pl.Series(["25/04/2023", "04/25/2023"])) == "?"


def test_a_format_that_is_given_is_tried_first() -> None:
    assert moment("1/4/23", "%d/%m/%y") == datetime(2023, 4, 1)
    assert moment("2023-04", "%Y-%m") == datetime(2023, 4, 1)
    assert moment("2023-04-05", "%d/%m/%y") == datetime(2023, 4, 5)


@given(st.dates(date(1950, 1, 1), date(2100, 12, 31)), st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y"]))
def test_every_day_comes_back_from_every_form(day: date, form: str) -> None:
    assert moment(day.strftime(form)) == datetime(day.year, day.month, day.day)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12000.5", 12000.5),
        ("12,000.5", 12000.5),
        ("12 000", 12000),
        ("１２", 12),
        ("¥12,000", 12000),
        ("12000元", 12000),
        ("85%", 0.85),
        ("-3", -3),
        ("1.2e4", 12000),
        ("1,2,3", None),
        ("abc", None),
        ("inf", None),
        ("1.2万", None),
    ],
)
def test_one_number_in_its_usual_forms(text: str, expected: float | None) -> None:
    assert parse_numbers(pl.Series([text]))[0] == expected


def test_a_comma_marks_decimals_when_the_column_says_so() -> None:
    german = pl.Series(["1.234,56", "3,75", "1.234"])
    assert comma_is_decimal(german)
    assert parse_numbers(german, comma_decimals=True).to_list() == [1234.56, 3.75, 1234.0]
    assert not comma_is_decimal(pl.Series(["1,234", "12.5"]))


def test_yes_and_no_in_both_languages() -> None:
    texts = pl.Series(["是", "否", "Yes", "N", "TRUE", "0", "1.0", "√", "maybe"])
    flags = parse(texts, Column("a", "bool", False, "", ""), Reading())
    assert flags.to_list() == [True, False, True, False, True, False, True, True, None]


def test_a_number_that_was_made_of_an_id_is_the_id_again() -> None:
    ids = parse(pl.Series(["1001.0", "００７", "A1.0"]), Column("manager_id", "text", False, "", ""), Reading())
    assert ids.to_list() == ["1001", "007", "A1.0"]


def test_na_means_nothing_in_a_number_and_north_america_in_a_text() -> None:
    texts = pl.Series(["NA", "NULL", "none"])
    assert means_nothing(texts, Column("a", "float", False, "", "")).to_list() == [True, True, True]
    assert means_nothing(texts, Column("a", "text", False, "", "")).to_list() == [False, True, False]
    wants = Column("wants", "text", False, "", "", allowed=("promotion", "none"))
    assert means_nothing(texts, wants).to_list() == [True, True, False]
