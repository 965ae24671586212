"""The tables as code say what the contract says, and frames made in memory become canonical ones."""

from __future__ import annotations

import re
from datetime import date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.intake.refused import refusal
from features.intake.synonyms import columns_by_name, plain, tables_by_name, values_by_name
from features.tables import ALWAYS, BOOKKEEPING, DTYPES, REASONS, TABLES, canonical, empty, schema

COLUMNS = [(table.name, column.name) for table in TABLES.values() for column in table.columns]

CONTRACT = {
    "employees": (("employee_id",), 0, "employee_id hired_on"),
    "exits": (("employee_id", "happened_on"), None, "employee_id happened_on kind"),
    "positions": (("employee_id", "happened_on"), 0, "employee_id happened_on"),
    "interactions": ((), 1, "employee_id kind"),
    "surveys": (("employee_id", "happened_on", "item"), 7, "employee_id happened_on item score"),
    "reviews": (("employee_id", "happened_on", "reviewer_id"), 14, "employee_id happened_on rating"),
    "goals": (("goal_id", "happened_on"), 0, "goal_id employee_id happened_on progress"),
    "learning": (("employee_id", "course_id", "happened_on"), 3, "employee_id happened_on course_id"),
    "skills": (("employee_id", "skill", "happened_on"), 7, "employee_id happened_on skill level"),
    "recognitions": (("employee_id", "happened_on", "kind", "given_by"), 3, "employee_id happened_on kind"),
    "attendance": (("employee_id", "happened_on"), 3, "employee_id happened_on"),
    "aspirations": (("employee_id", "happened_on"), 0, "employee_id happened_on"),
    "care_actions": (("employee_id", "action", "happened_on"), 0, "employee_id happened_on action"),
    "exit_interviews": (("employee_id", "happened_on"), 7, "employee_id happened_on reason"),
    "protected": (("employee_id",), 0, "employee_id"),
    "job_skills": (("job", "level", "skill"), None, "job skill required_level"),
    "courses": (("course_id",), None, "course_id skill"),
    "activities": (("activity_id",), None, "activity_id"),
}


def test_the_tables_are_those_of_the_contract_in_its_order() -> None:
    assert list(TABLES) == list(CONTRACT)


@pytest.mark.parametrize("name", CONTRACT)
def test_key_lag_and_required_columns_are_those_of_the_contract(name: str) -> None:
    table, (key, lag, required) = TABLES[name], CONTRACT[name]
    assert table.key == key
    assert table.lag_days == lag
    assert [column.name for column in table.columns if column.required] == required.split()


@pytest.mark.parametrize(("table", "name"), COLUMNS)
def test_every_column_says_what_it_means_in_both_languages(table: str, name: str) -> None:
    column = TABLES[table].column(name)
    assert column.meaning_en
    assert re.search("[\u4e00-\u9fff]", column.meaning_zh)
    assert column.unit or column.kind in ("text", "list")
    assert column.default is None or column.kind in ("int", "float")
    assert refusal(name) is None, "a column of ours must not be on our own deny-list"


@pytest.mark.parametrize(("table", "name"), COLUMNS)
def test_every_column_has_an_english_and_a_chinese_synonym(table: str, name: str) -> None:
    words = [word for word, column in columns_by_name(table).items() if column == name]
    assert any(re.search("[\u4e00-\u9fff]", word) for word in words)
    assert any(re.fullmatch("[a-z0-9]+", word) and word != plain(name) for word in words)


@pytest.mark.parametrize("table", TABLES)
def test_no_synonym_of_a_table_is_on_the_deny_list_but_the_reason_of_an_exit(table: str) -> None:
    bad = [w for w in columns_by_name(table) if refusal(w, protected_table=table == "protected")]
    assert bad == (["leavereason"] if table in ("exits", "exit_interviews") else [])


def test_every_allowed_value_and_every_table_is_known_by_its_own_name() -> None:
    for table, name in COLUMNS:
        allowed = TABLES[table].column(name).allowed
        assert {values_by_name(table, name).get(plain(value), value) for value in allowed} == set(allowed)
    assert {name: tables_by_name()[plain(name)] for name in TABLES} == {name: name for name in TABLES}


def test_the_reasons_hold_the_eight_drivers_and_a_place_for_everything_else() -> None:
    drivers = {"growth", "recognition", "belonging", "workload", "pay", "manager", "fairness", "engagement"}
    assert drivers < set(REASONS)
    assert TABLES["exits"].column("reason").otherwise == "other" in REASONS


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_frame_has_every_column_in_its_dtype(name: str) -> None:
    expected = {column.name: DTYPES[column.kind] for column in TABLES[name].columns} | BOOKKEEPING
    assert dict(empty(name).schema) == expected == schema(name)


def test_default_lags_fill_known_on_and_say_so() -> None:
    day = date(2024, 3, 1)
    frames = canonical(
        {
            "surveys": pl.DataFrame(
                {
                    "employee_id": ["a", "b"],
                    "happened_on": [day, day],
                    "item": ["pay", "pay"],
                    "score": [3, 4],
                    "known_on": [None, date(2024, 3, 2)],
                }
            ),
            "exits": pl.DataFrame(
                {"employee_id": ["a", "b"], "happened_on": [day, day], "kind": ["voluntary", "involuntary"]}
            ),
            "interactions": pl.DataFrame(
                {"employee_id": ["a"], "happened_at": [datetime(2024, 3, 1, 9)], "kind": ["email"]}
            ),
            "courses": pl.DataFrame({"course_id": ["c"], "skill": ["s"]}),
        }
    )
    assert frames["surveys"]["known_on"].to_list() == [date(2024, 3, 8), date(2024, 3, 2)]
    assert frames["surveys"]["known_on_given"].to_list() == [False, True]
    assert frames["surveys"]["scale_max"].to_list() == [5.0, 5.0]
    assert frames["exits"]["known_on"].to_list() == [date(2024, 1, 31), day]
    assert frames["interactions"].select("happened_on", "known_on", "n").row(0) == (day, date(2024, 3, 2), 1)
    assert frames["courses"]["known_on"].to_list() == [ALWAYS]
    assert [frame["_seq"].to_list() for frame in frames.values()] == [[0, 1], [2, 3], [4], [5]]


def test_a_canonical_frame_stays_as_it_is() -> None:
    once = canonical({"employees": pl.DataFrame({"employee_id": ["a"], "hired_on": [date(2020, 1, 1)], "x_a": [1.5]})})
    assert_frame_equal(canonical(once)["employees"], once["employees"])
    assert once["employees"].columns == ["employee_id", "hired_on", "name", "email", "x_a", *BOOKKEEPING]


def test_a_column_that_a_table_does_not_have_is_told_by_name() -> None:
    with pytest.raises(KeyError, match="surveys has no column mood"):
        TABLES["surveys"].column("mood")
