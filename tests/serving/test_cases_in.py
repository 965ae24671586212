"""Care on record becomes cases: as far as the records say, once, and never back to the records a second time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from features.ingest import import_folder
from features.lake import Lake
from serving import at_cases, store_cases
from serving.settings import Settings
from serving.store_cases import CasesAsked
from serving.store_people import Sight

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
CARE = """employee_id,happened_on,action,status,decided_by
E0001,2026-09-01,career_talk,agreed,M1
E0001,2026-09-10,career_talk,done,M1
E0002,2026-10-20,stay_conversation,agreed,M1
E0003,2026-10-05,specific_thanks,done,M1
E0004,2026-10-06,career_talk,declined,M1
E0005,2025-01-06,career_talk,done,M1
E0006,2026-10-06,no_such_action,done,M1
E9999,2026-10-06,career_talk,done,M1
"""


@pytest.fixture
def state(tmp_path: Path) -> Settings:
    records = tmp_path / "records"
    records.mkdir()
    people = "".join(f"E000{i},2019-01-01\n" for i in range(1, 7))
    (records / "employees.csv").write_text(
        f"employee_id,hired_on\n{people}M1,2015-01-01\nE9999,2019-01-01\n", encoding="utf-8"
    )
    (records / "care_actions.csv").write_text(CARE, encoding="utf-8")
    told = "employee_id,happened_on,rating,known_on\nE0001,2026-10-31,4,2026-10-31\n"
    (records / "reviews.csv").write_text(told, encoding="utf-8")
    import_folder(records, Lake(tmp_path / "lake"), today=date(2026, 10, 31))
    return Settings(state=tmp_path)


def taken(store, state: Settings) -> str:
    return at_cases.cases_in(store, state, now=NOW, actor="console - test")


def test_cases_stand_where_the_records_leave_them(store, state) -> None:
    assert taken(store, state).startswith("4 cases")
    with store.begin() as tx:
        rows = {r["employee_id"]: r for r in store_cases.cases(tx, Sight("everyone"), CasesAsked(NOW.date()))}
        steps = store_cases.steps(tx, rows["E0001"]["id"])
    assert {who: row["status"] for who, row in rows.items()} == {
        "E0001": "done", "E0002": "agreed", "E0003": "done", "E0004": "declined",
    }  # fmt: skip
    one = rows["E0001"]
    assert (one["agreed_on"], one["done_on"], one["outcome"]) == (date(2026, 9, 1), date(2026, 9, 10), None)
    assert one["due_on"] == date(2026, 11, 16), "somebody asks how it went, in two weeks and not weeks late"
    assert [step["step"] for step in steps] == ["suggest", "agree", "done"]
    assert {(step["by_id"], step["recorded_by"]) for step in steps} == {("M1", "records")}


def test_a_second_run_adds_nothing_and_nothing_goes_back(store, state) -> None:
    taken(store, state)
    again = taken(store, state)
    assert again.startswith("0 cases")
    assert "4 known already" in again
    assert at_cases.records_out(store, state, None, now=NOW, actor="console - test") == "Nothing was decided yet."


def test_without_care_on_record_there_is_nothing_to_take_over(store, tmp_path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    (records / "employees.csv").write_text("employee_id,hired_on\nE0001,2019-01-01\n", encoding="utf-8")
    import_folder(records, Lake(tmp_path / "lake"), today=date(2026, 10, 31))
    assert "No care is on record" in taken(store, Settings(state=tmp_path))


def test_what_needs_a_consent_that_is_not_on_record_waits_for_it(store, state) -> None:
    from models.catalog import load_catalog
    from serving import cases_in

    asked = next(a for a in load_catalog().actions if a.consent)
    facts = {asked.id: {"who_decides": asked.who_decides, "days": asked.days, "consent": True}}
    row = {"employee_id": "E0001", "action": asked.id, "happened_on": date(2026, 10, 1), "decided_by": "M1"}
    with store.begin() as tx:
        cases_in.take_over(tx, [[{**row, "status": "done"}]], catalog=facts, now=NOW)
        (found,) = store_cases.cases(tx, Sight("everyone"), CasesAsked(NOW.date()))
    assert (found["status"], found["consent_on"]) == ("agreed", None)
