"""Units in cells and headers, and grades in words: nothing is sixty times too large, nothing is guessed."""

from __future__ import annotations

import polars as pl
import pytest

from features.intake.grades import grades, rungs
from features.intake.parsing import Reading, parse
from features.intake.units import header_factor
from features.mapping import TableMapping, assign
from features.tables import TABLES

PAY, HOURS = TABLES["positions"].column("pay"), TABLES["attendance"].column("hours")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("15,800", 15800),
        ("8800元", 8800),
        ("0.76万", 7600),
        ("2.1万元", 21000),
        ("１.５万", 15000),
        ("12k", 12000),
        ("¥12,000.50", 12000.5),
        ("面议", None),
        ("12天", None),
    ],
)
def test_money_in_its_usual_ways(text: str, value: float | None) -> None:
    assert parse(pl.Series([text]), PAY, Reading())[0] == value


def test_the_unit_of_a_cell_counts_before_the_unit_of_the_header() -> None:
    cells = pl.Series(["90", "90分钟", "1.5小时", "2h", "3天", None])
    in_minutes = Reading(factors={"hours": 1 / 60})
    assert parse(cells, HOURS, in_minutes).to_list() == [1.5, 1.5, 1.5, 2.0, None, None]


@pytest.mark.parametrize(
    ("header", "unit", "factor"),
    [
        ("工作时长(分钟)", "hours", 1 / 60),
        ("迟到时长（小时）", "minutes", 60),
        ("月薪(万元)", "currency per month", 1e4),
        ("月薪(税前)", "currency per month", 1),
        ("加班", "hours", 1),
        ("请假时长(小时)", "days", None),
        ("地点(分钟)", "", 1),
    ],
)
def test_a_header_says_its_unit_in_brackets(header: str, unit: str, factor: float | None) -> None:
    assert header_factor(header, unit) == factor


def test_a_header_whose_unit_needs_a_convention_is_not_taken_and_says_why() -> None:
    found = assign("attendance", ("工号", "日期", "休假天数(小时)", "加班(天)"), TableMapping(), ())
    assert set(found.columns) == {"employee_id", "happened_on"}
    assert dict(found.unknown) == {
        "休假天数(小时)": "its unit is 小时, `leave_days` is in days: convert it in the export",
        "加班(天)": "its unit is 天, `overtime_hours` is in hours: convert it in the export",
    }


def test_what_a_grade_is_worth_depends_on_the_grades_around_it() -> None:
    assert grades(["A", "B", "C"]) == {"A": 5, "B": 4, "C": 3}
    assert grades(["S", "A", "B级"]) == {"S": 5, "A": 4, "B级": 3}
    assert grades(["优秀", "合格"]) == {"优秀": 5, "合格": 3}
    assert grades(["卓越", "优秀", "合格"]) == {"卓越": 5, "优秀": 4, "合格": 2}
    assert grades(["A", "优秀"]) == {}
    assert grades([]) == {}


def test_a_rung_is_the_number_in_it_and_only_where_every_text_has_one() -> None:
    assert rungs(["P6", "M2", "8级"]) == {"P6": 6, "M2": 2, "8级": 8}
    assert rungs(["P6", "主管"]) == {}
    assert rungs([]) == {}
