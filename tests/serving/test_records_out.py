"""The way back: suggested → agreed → done → told → the records, where each fact is known on its day and not before."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from features.ingest import import_folder
from features.lake import Lake
from features.snapshots import known_by
from serving import at_cases, records_out, store_cases
from serving.cli import app as commands
from serving.settings import Settings
from serving.store import Store

CARE = {"purpose": "retention_care"}


@pytest.fixture
def state(tmp_path: Path) -> Settings:
    """A lake that knows two of the people, up to the end of October."""
    records = tmp_path / "records"
    records.mkdir()
    (records / "employees.csv").write_text("employee_id,hired_on\nE0001,2019-01-01\nM1,2015-01-01\n", encoding="utf-8")
    told = "employee_id,happened_on,rating\nE0001,2026-10-31,4\n"
    (records / "reviews.csv").write_text(told.replace("rating", "rating,known_on").replace(",4", ",4,2026-10-31"))
    import_folder(records, Lake(tmp_path / "lake"), today=date(2026, 10, 31))
    return Settings(state=tmp_path)


@pytest.fixture
def act(client, key, clock):
    """Take a step through the API, some days later."""
    at: dict[str, Any] = {}

    def step(name: str, *, days: int = 0, **told: Any) -> None:
        clock.pass_days(days)
        headers = key("hr_system")
        body = {"decided_by": "M1", "step": name, **told}
        if not at:
            new = {"employee_id": "E0001", "action": "career_talk", **body}
            at.update(client.post("/v1/cases", params=CARE, headers=headers, json=new).json())
            return
        tag = {"if-match": f'"{at["version"]}"'}
        path = f"/v1/cases/{at['id']}/steps"
        answer = client.post(path, params=CARE, headers={**headers, **tag}, json=body)
        assert answer.status_code == 200, answer.text
        at.update(answer.json())

    return step


def out(store: Store, state: Settings, now: datetime) -> str:
    return at_cases.records_out(store, state, None, now=now, actor="console - test")


def known(state: Settings, day: date) -> list[tuple[Any, ...]]:
    """What the records say of care at the close of a day: happened on, status, note."""
    facts = known_by(Lake(state.state / "lake").read(), day)
    if "care_actions" not in facts:
        return []
    frame = facts["care_actions"].collect()
    return sorted(frame.select("happened_on", "status", "note").iter_rows())


def test_the_circle_closes_and_every_fact_is_known_on_its_day(act, store, state, clock, made) -> None:
    day = made.NOW.date()
    act("suggest")
    assert out(store, state, clock()) == "Nothing was decided yet."
    act("agree", days=1, note="a word that stays here")
    assert out(store, state, clock()) == "1 decisions: 1 new, 0 known already, 0 quarantined."
    act("done", days=10, day=str(day + timedelta(days=8)))
    act("outcome", days=40, reason="helped")
    assert out(store, state, clock()) == "3 decisions: 2 new, 1 known already, 0 quarantined."
    assert out(store, state, clock()) == "3 decisions: 0 new, 3 known already, 0 quarantined."

    agreed, done, told = (day + timedelta(days=days) for days in (1, 8, 51))
    first = (agreed, "agreed", "step 2")
    assert known(state, agreed - timedelta(days=1)) == []
    assert known(state, agreed) == [first]
    assert known(state, done + timedelta(days=2)) == [first], "it was done, and nobody had written it down yet"
    assert known(state, done + timedelta(days=3)) == [first, (done, "done", "step 3")]
    assert known(state, told) == [first, (done, "done", "step 4: helped")]
    lake = Lake(state.state / "lake").read(["care_actions"])["care_actions"].collect()
    assert set(lake["decided_by"]) == {"M1"}
    assert "stays here" not in str(lake.rows())


def test_what_goes_back_is_what_the_features_of_care_read(act, store, state, clock) -> None:
    from features import care_history
    from features.snapshots import panel

    act("agree")
    act("done", days=3)
    out(store, state, clock())
    as_of = clock().date()
    seen = panel(Lake(state.state / "lake").read(), [as_of])
    row = pl.DataFrame(care_history.columns(seen).to_native().collect()).filter(pl.col("employee_id") == "E0001")
    assert row["days_since_care"].to_list() == [0.0]


def test_agreed_declined_and_agreed_again_on_one_day_ends_as_agreed(act, store, state, clock) -> None:
    act("agree")
    act("decline", reason="no_capacity")
    act("reopen", note="there is money after all")
    act("agree")
    out(store, state, clock())
    assert [row[1] for row in known(state, clock().date())] == ["agreed"]


def test_what_was_agreed_and_never_done_is_not_left_standing_as_agreed_alone(act, store, state, clock) -> None:
    act("agree")
    act("outcome", days=30, reason="not_done")
    out(store, state, clock())
    assert [row[1] for row in known(state, clock().date())] == ["agreed", "declined"]


def test_care_that_the_service_writes_does_not_make_the_exports_look_newer(act, store, state, clock) -> None:
    lake = Lake(state.state / "lake")
    before = lake.data_until()
    act("agree")
    out(store, state, clock())
    assert lake.tables() == ("employees", "reviews", "care_actions")
    assert lake.data_until() == before == date(2026, 10, 31)


def test_a_suggestion_alone_and_everything_people_wrote_stay_in_the_store() -> None:
    step = {"employee_id": "E1", "action": "own", "by_id": None, "version": 1, "done_on": None, "note": "canary"}
    step["recorded_by"] = "manager - M1"
    step |= {"at": datetime(2026, 11, 2, tzinfo=UTC), "day": date(2026, 11, 2), "reason": None, "instead": "canary"}
    names = ("suggest", "agree", "consent", "note", "postpone", "reopen", "handed_over", "left", "decline")
    told = records_out.rows([{**step, "step": name, "status": "suggested"} for name in names])
    assert [row["status"] for row in told] == ["declined"]
    assert "canary" not in str(told)


def test_the_table_can_be_written_to_a_file_that_no_spreadsheet_runs(tmp_path: Path, made) -> None:
    from serving.store import migrate, open_store

    folder, file = tmp_path / "var", tmp_path / "care_actions.csv"
    opened = open_store(f"sqlite:///{folder / 'retention.db'}")
    migrate(opened)
    made.fill(opened, now=datetime.now(UTC))
    case = store_cases.Case(
        **{"id": "ab", "employee_id": "=cmd()", "action": "own", "title": "x", "origin": "own"},
        sides=frozenset({"line"}),
        **{"days": 14, "needs_consent": False, "lead_id": None, "opened_on": made.NOW.date(), "due_on": None},
        **{"status": "declined", "reason": "other"},
    )
    step = store_cases.Step("decline", made.NOW.date(), made.NOW, "Li Na", "-3", "console", reason="other")
    with opened.begin() as tx:
        assert store_cases.add(tx, case, [(case, step)])
    opened.close()
    result = CliRunner().invoke(commands, ["records-out", "--csv", str(file), "--state", str(folder)])
    assert result.exit_code == 0, result.output
    (row,) = csv.DictReader(file.open(encoding="utf-8"))
    assert row == {
        "employee_id": "'=cmd()",
        "happened_on": "2026-11-02",
        "action": "own",
        "status": "declined",
        "decided_by": "-3",
        "note": "step 1: other",
        "known_on": "2026-11-02",
    }
    for command in ("remind", "hand-over"):
        assert CliRunner().invoke(commands, [command, "--state", str(folder)]).exit_code == 0
