"""The command line, run as a person runs it, on a filled store."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serving.cli import app
from serving.store import Store, open_store

runner = CliRunner()


@pytest.fixture
def state(tmp_path: Path, made) -> Path:
    """A folder with a store whose scores were made a moment ago: the commands read the real clock."""
    folder = tmp_path / "var"
    opened = open_store(f"sqlite:///{folder / 'retention.db'}")
    from serving.store import migrate

    migrate(opened)
    made.fill(opened, now=datetime.now(UTC))
    opened.close()
    return folder


def run(state: Path, *words: str, code: int = 0) -> str:
    result = runner.invoke(app, [*words, "--state", str(state)])
    assert result.exit_code == code, result.output
    return result.output


def test_a_key_lives_from_making_to_ending(state: Path) -> None:
    made = run(state, "key", "create", "payroll sync", "--sees", "everyone", "--scope", "teams.read")
    token = re.search(r"rr_[\w-]{43}", made)
    assert token
    listed = run(state, "key", "list")
    assert "teams.read" in listed
    assert token[0] not in listed
    assert token[0].encode() not in (state / "retention.db").read_bytes()
    assert "no longer opens" in run(state, "key", "revoke", "1")
    assert "no live key" in run(state, "key", "revoke", "1", code=1)
    assert "revoked" in run(state, "key", "list")


def test_a_revoked_key_opens_nothing(client, key, store: Store, made) -> None:
    from serving import store_log

    headers = key("hr_system")
    assert client.get("/v1/teams", headers=headers).status_code == 200
    with store.begin() as tx:
        assert store_log.revoke_key(tx, 1, now=made.NOW)
    assert client.get("/v1/teams", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "words",
    [
        ["--role", "manager", "--scope", "risk.read", "--sees", "team:Nursing B"],
        ["--role", "hr_system", "--purpose", "audit", "--sees", "everyone"],
        ["--role", "boss", "--sees", "everyone"],
        ["--role", "employee", "--sees", "everyone"],
        ["--role", "manager"],
        ["--sees", "team:"],
        ["--sees", "all"],
    ],
    ids=" ".join,
)
def test_a_key_that_would_see_too_much_is_not_made(words: list[str], state: Path) -> None:
    run(state, "key", "create", "x", *words, code=1)
    assert "rr_" not in run(state, "key", "list")


def test_the_summary_shows_teams_one_person_and_the_way_in(state: Path) -> None:
    told = run(state, "summary", "--lang", "en", "--employee", "E0001")
    assert told.index("Nursing B") < told.index("Reception") < told.index("One person as an example")
    for horizon, share in (("a month", "4%"), ("three months", "11%"), ("half a year", "22%"), ("a year", "44%")):
        assert re.search(rf"within {horizon}\s+{share}", told)
    assert "Growth: 31 months since the last promotion" in told
    assert "1. Career talk" in told
    assert "retention-serve serve --state" in told
    assert "Lab" not in told
    assert (
        run(state, "summary", "--lang", "en", "--open", "make serve").strip().endswith("Open the service: make serve")
    )


def test_the_summary_speaks_chinese_and_its_look_is_written_down(state: Path) -> None:
    told = run(state, "summary", "--lang", "zh")
    assert "最先需要关怀的团队" in told
    assert "关怀方案" in told
    opened = open_store(f"sqlite:///{state / 'retention.db'}")
    from serving import store_log

    with opened.begin() as tx:
        last = store_log.entries_page(tx, before=None, limit=1)[0]
    opened.close()
    assert (last["action"], last["purpose"], last["employee_id"]) == ("risk.read", "retention_care", "E0002")


def test_the_summary_says_what_to_do_before_the_first_batch(tmp_path: Path) -> None:
    assert "retention-serve score" in run(tmp_path / "empty", "summary", code=1)


def test_the_log_is_checked_against_an_anchor_outside(state: Path, tmp_path: Path) -> None:
    anchor = str(tmp_path / "anchor.txt")
    assert "whole" in run(state, "verify-audit", "--anchor", anchor)
    run(state, "summary")
    assert "whole" in run(state, "verify-audit", "--anchor", anchor)
    opened = open_store(f"sqlite:///{state / 'retention.db'}")
    from sqlalchemy import text

    with opened.begin() as tx:
        tx.execute(text("UPDATE audit_entry SET actor = 'somebody else' WHERE sequence = 1"))
    opened.close()
    assert "entry 1 was changed" in run(state, "verify-audit", code=1)


def test_the_exported_columns_are_those_of_the_table() -> None:
    from features.tables import TABLES
    from serving.records_out import COLUMNS

    assert set(COLUMNS) - {"known_on"} == {column.name for column in TABLES["care_actions"].columns} - {"known_on"}


def test_a_link_is_printed_once_for_a_named_person(state: Path) -> None:
    link = run(state, "open", "--name", "Li Na").strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/sign-in\?token=[\w-]{43}", link)
    assert "--sees" in run(state, "open", "--role", "manager", code=1)
    assert "token=" in run(state, "open", "--role", "manager", "--employee", "M1")


def test_an_employee_is_let_in_by_number_and_never_with_a_wider_sight(state: Path) -> None:
    assert "token=" in run(state, "open", "--role", "employee", "--employee", "E0001")
    run(state, "open", "--role", "employee", code=1)
    run(state, "open", "--role", "employee", "--employee", "E0001", "--sees", "everyone", code=1)
    run(state, "open", "--role", "boss", code=1)


def test_purge_and_migrate_say_what_they_did(state: Path) -> None:
    assert "0 scores" in run(state, "purge")
    assert "up to date" in run(state, "migrate")


def test_serving_to_others_without_production_settings_is_refused(state: Path) -> None:
    assert "this computer only" in run(state, "serve", "--host", "0.0.0.0", code=1)


def test_production_without_its_settings_ends_with_one_clear_message(state: Path, monkeypatch) -> None:
    monkeypatch.setenv("RETENTION_MODE", "production")
    told = run(state, "serve", code=1)
    assert "RETENTION_SECRET" in told
    assert "Traceback" not in told


def test_a_day_that_is_not_a_day_is_refused(state: Path) -> None:
    run(state, "score", "--as-of", "yesterday", code=1)
