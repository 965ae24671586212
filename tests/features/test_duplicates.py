"""Copies of people are found under any ids; people who merely resemble each other are not."""

import os
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.duplicates import find_duplicates, without
from features.tables import canonical

SHARED = Path(os.environ.get("RETENTION_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "mckinsey"
HIRED = date(2020, 1, 1)


def company(n=120, seed=0):
    """Employees, posts with pay, a survey; enough that no two are alike."""
    rng = np.random.default_rng(seed)
    ids = [f"E{i:03d}" for i in range(n)]
    hired = [HIRED + timedelta(days=int(d)) for d in rng.integers(0, 900, n)]
    pay = rng.integers(4000, 20000, n).astype(float)
    score = rng.integers(1, 6, n).astype(float)
    return {
        "employees": pl.DataFrame({"employee_id": ids, "hired_on": hired, "email": [f"{i}@x.example" for i in ids],
                                   "x_desk": rng.permutation(n).astype(float)}),
        "positions": pl.DataFrame(
            {"employee_id": ids, "happened_on": hired, "pay": pay, "pay_midpoint": pay[::-1].copy(),
             "manager_id": ids[1:] + ids[:1]}
        ),
        "surveys": pl.DataFrame(
            {"employee_id": ids, "happened_on": [d + timedelta(days=90) for d in hired], "item": "pay", "score": score}
        ),
    }  # fmt: skip


def copied(tables, who, suffix="-b"):
    """The rows of some people once more, under new ids and with another address."""
    more = {}
    for name, frame in tables.items():
        again = frame.filter(pl.col("employee_id").is_in(who)).with_columns(pl.col("employee_id") + suffix)
        if "email" in frame.columns:
            again = again.with_columns(email=pl.lit(None, dtype=pl.String))
        more[name] = pl.concat([frame, again])
    return more


def test_nobody_is_a_copy_of_anybody_in_a_clean_company():
    found = find_duplicates(canonical(company()))
    assert (found.copies, found.same_address, found.lines()) == ((), (), [])


def test_a_copied_file_is_found_and_one_of_each_is_kept():
    records = canonical(copied(company(), [f"E{i:03d}" for i in range(120)]))
    found = find_duplicates(records)
    assert len(found.copies) == len(found.surplus) == 120
    assert found.copies[7] == ("E007", "E007-b")
    left = without(records, found.surplus)
    assert left["surveys"].collect().height == 120
    assert "120 of 240 ids" in found.lines()[0]


def test_one_copied_person_is_found_in_whatever_order_the_rows_come():
    tables = copied(company(), ["E003"])
    mixed = {name: frame.sample(fraction=1.0, shuffle=True, seed=4) for name, frame in tables.items()}
    assert (
        find_duplicates(canonical(tables)).copies == find_duplicates(canonical(mixed)).copies == (("E003", "E003-b"),)
    )


def test_one_more_row_makes_two_people():
    tables = copied(company(), ["E003"])
    extra = pl.DataFrame({"employee_id": ["E003"], "happened_on": [date(2024, 1, 1)], "item": ["pay"], "score": [2.0]})
    tables["surveys"] = pl.concat([tables["surveys"], extra])
    assert find_duplicates(canonical(tables)).copies == ()


def test_newcomers_with_the_same_first_day_and_nothing_else_are_different_people():
    tables = company()
    new = [f"N{i}" for i in range(30)]
    day = date(2024, 6, 3)
    them = pl.DataFrame({"employee_id": new, "hired_on": day, "email": [f"{i}@x.example" for i in new]})
    tables["employees"] = pl.concat([tables["employees"], them], how="diagonal")
    hours = [(one, day + timedelta(days=d), 8.0) for one in new for d in range(60)]
    tables["attendance"] = pl.DataFrame(hours, schema=["employee_id", "happened_on", "hours"], orient="row")
    assert find_duplicates(canonical(tables)).copies == ()


def test_one_address_under_two_ids_is_told_and_nobody_is_dropped():
    tables = company()
    back = pl.DataFrame({"employee_id": ["R1"], "hired_on": [date(2025, 1, 1)], "email": [" E005@X.example"]})
    tables["employees"] = pl.concat([tables["employees"], back], how="diagonal")
    found = find_duplicates(canonical(tables))
    assert found.same_address == (("E005", "R1"),)
    assert found.surplus == frozenset()
    assert "re-hire" in found.lines()[0]


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the McKinsey case data are not in {SHARED}")
def test_the_mckinsey_case_is_1470_people_three_times():
    parts = [pl.read_csv(SHARED / f"{name}.csv", null_values="NA") for name in (
        "general_data", "manager_survey_data", "employee_survey_data")]  # fmt: skip
    rows = parts[0].join(parts[1], on="EmployeeID").join(parts[2], on="EmployeeID")
    personal = ("EmployeeID", "Age", "Gender", "MaritalStatus", "Over18", "Attrition", "YearsAtCompany")
    people = rows.select(
        pl.col("EmployeeID").cast(pl.String).alias("employee_id"),
        hired_on=pl.lit(date(2016, 1, 1)) - pl.duration(days=365 * pl.col("YearsAtCompany")),
        **{f"x_{c}": pl.col(c) for c in rows.columns if c not in personal},
    )
    found = find_duplicates(canonical({"employees": people}))
    assert (len(found.copies), len(found.surplus)) == (1470, 2940)
    assert all(len(ids) == 3 for ids in found.copies)
    assert ("10", "1480", "2950") in found.copies


def test_without_copies_the_records_stay_as_they_are():
    records = canonical(company())
    assert without(records, frozenset()) is records


def test_lists_about_no_person_and_people_without_an_address_are_no_hindrance():
    tables = copied(company(), ["E003"])
    tables["employees"] = tables["employees"].drop("email")
    tables["courses"] = pl.DataFrame({"course_id": ["c1"], "skill": ["forging"]})
    records = canonical(tables)
    assert find_duplicates(records).copies == (("E003", "E003-b"),)
    bare = {**records, "employees": records["employees"].drop("email")}
    assert find_duplicates(bare).same_address == ()
