"""The Ola converter: a drawn panel → drawn tables, and the protocol's counts on the real file."""

from __future__ import annotations

import os
import runpy
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from features.mapping import load as load_mapping
from features.snapshots import at_risk, known_by, month_ends
from features.tables import canonical
from training.plan import load_plan

EXAMPLE = Path(__file__).parents[2] / "examples" / "ola"
SHARED = Path(os.environ.get("RETENTION_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "ola"

HEADER = (
    "MMM-YY,Emp_ID,Age,Gender,City,Education_Level,Salary,Dateofjoining,LastWorkingDate,"
    "Joining Designation,Designation,Total Business Value,Quarterly Rating"
)
PANEL = f"""{HEADER}
01-01-2016,1,28,Male,C23,Master,57387,24-12-2015,,1,1,2381060,2
01-02-2016,1,28,Male,C23,Master,57387,24-12-2015,,1,1,-665480,2
01-03-2016,1,28,Male,C23,Master,60000,24-12-2015,,1,2,0,2
01-04-2016,1,28,Male,C23,Master,60000,24-12-2015,30-03-2016,1,2,0,1
01-01-2016,2,31,Female,C7,College,67016,06-01-2016,,2,2,0,1
01-01-2016,3,40,Male,C7,Bachelor,50000,01-05-2012,,1,1,10,3
01-04-2016,3,40,Male,C7,Bachelor,50000,01-05-2012,,1,1,20,4
"""


@pytest.fixture(scope="module")
def convert() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(EXAMPLE / "convert.py")))


@pytest.fixture
def tables(convert: SimpleNamespace) -> dict[str, pl.DataFrame]:
    return convert.tables(pl.read_csv(PANEL.encode(), infer_schema=False))


def test_drivers_are_known_from_the_end_of_their_first_month(tables: dict[str, pl.DataFrame]) -> None:
    january = date(2016, 1, 31)
    assert tables["employees"].rows() == [
        ("1", date(2015, 12, 24), january, 1, "Master"),
        ("2", date(2016, 1, 6), january, 2, "College"),
        ("3", date(2012, 5, 1), january, 1, "Bachelor"),
    ]


def test_the_last_working_day_is_the_notice_and_vanishing_is_not_choosing_to_go(
    tables: dict[str, pl.DataFrame],
) -> None:
    assert tables["exits"].rows() == [
        ("1", date(2016, 3, 30), "voluntary", date(2016, 3, 30)),
        ("2", date(2016, 2, 1), "other", date(2016, 2, 1)),
    ]


def test_a_post_has_a_row_only_where_something_is_new(tables: dict[str, pl.DataFrame]) -> None:
    assert tables["positions"].select("employee_id", "happened_on", "level", "pay").rows() == [
        ("1", date(2016, 1, 31), 1, 57387),
        ("1", date(2016, 3, 31), 2, 60000),
        ("2", date(2016, 1, 6), 2, 67016),
        ("3", date(2016, 1, 31), 1, 50000),
    ]


def test_no_snapshot_sees_a_rating_of_its_own_quarter(tables: dict[str, pl.DataFrame]) -> None:
    reviews = canonical({"reviews": tables["reviews"]})
    assert known_by(reviews, date(2016, 3, 31))["reviews"].collect().is_empty()
    known = known_by(reviews, date(2016, 4, 30))["reviews"].collect()
    assert known.select("employee_id", "rating").rows() == [("3", 3.0)]


def test_a_month_without_business_is_told_at_its_end(tables: dict[str, pl.DataFrame]) -> None:
    months = tables["attendance"].filter(pl.col("employee_id") == "1")
    assert months.select("known_on", "x_business_value", "x_idle_month").rows()[:2] == [
        (date(2016, 1, 31), 2381060, 0),
        (date(2016, 2, 29), -665480, 1),
    ]


def test_age_and_gender_stay_among_the_protected(tables: dict[str, pl.DataFrame]) -> None:
    assert tables["protected"].rows() == [("1", "Male", 1988), ("2", "Female", 1985), ("3", "Male", 1976)]
    others = {column for name, frame in tables.items() if name != "protected" for column in frame.columns}
    assert not others & {"age", "gender", "birth_year"}


def test_plan_and_mapping_are_valid() -> None:
    assert load_plan(EXAMPLE / "plan.toml").reference_horizon_days == 90
    declared = {column.name for column in load_mapping(EXAMPLE / "mapping.toml").own}
    assert declared == {"x_business_value", "x_idle_month", "x_joining_grade", "x_education"}


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the Ola file is not in {SHARED}")
def test_the_real_file_gives_the_people_and_the_base_rate_of_the_published_protocol(convert: SimpleNamespace) -> None:
    tables = convert.tables(pl.read_csv(SHARED / convert.FILE, infer_schema=False))
    plan = load_plan(EXAMPLE / "plan.toml")
    rows = at_risk(canonical(tables), month_ends(plan.origins[0], plan.test_until))
    exits = tables["exits"].filter(pl.col("kind") == "voluntary").select("employee_id", left_on="happened_on")
    rows = rows.join(exits, on="employee_id", how="left")
    three_months = rows.filter(pl.col("left_on") <= pl.col("as_of").dt.offset_by("3mo").dt.month_end())
    ninety_days = rows.filter(pl.col("left_on") - pl.col("as_of") <= timedelta(days=90))
    assert (len(tables["employees"]), len(exits)) == (2381, 1616)
    assert rows.height == 6248
    assert round(three_months.height / rows.height, 3) == 0.251
    assert round(ninety_days.height / rows.height, 3) == 0.249
