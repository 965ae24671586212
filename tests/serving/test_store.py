"""The store: tables as migrated equal tables as code, acknowledged means durable, one turn at a time, one service."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

from features.errors import FixableError
from serving import store as store_module
from serving import store_people
from serving.store import (
    Store,
    StoreBusyError,
    StoreError,
    alembic_config,
    is_current,
    migrate,
    only_service,
    open_store,
)
from serving.store_tables import api_key, score, score_run, score_words
from serving.store_tables_access import metadata


def tables(store: Store) -> set[str]:
    with store.begin() as tx:
        return set(inspect(tx).get_table_names())


def test_the_migrated_tables_are_exactly_the_tables_in_code(store: Store) -> None:
    options = {"compare_type": True, "compare_server_default": True, "render_as_batch": True}
    with store.begin() as tx:
        assert compare_metadata(MigrationContext.configure(tx, opts=options), metadata) == []


def test_migrations_go_down_to_nothing_and_up_again(store: Store) -> None:
    with store.begin() as tx:
        command.downgrade(alembic_config(tx), "base")
    assert tables(store) == {"alembic_version"}
    migrate(store)
    assert is_current(store)
    assert set(metadata.tables) <= tables(store)


def test_migrating_twice_changes_nothing(store: Store) -> None:
    before = tables(store)
    migrate(store)
    assert tables(store) == before


def test_a_migration_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:///{tmp_path / 'half.db'}")

    def interrupted() -> None:
        with opened.begin() as tx:
            command.upgrade(alembic_config(tx), "head")
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        interrupted()
    assert tables(opened) == set()
    opened.close()


def test_a_store_of_a_newer_version_is_refused(store: Store) -> None:
    with store.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(FixableError, match="newer version"):
        migrate(store)


@pytest.mark.only("sqlite")
def test_what_was_acknowledged_is_durable_and_keys_hold(store: Store) -> None:
    with store.begin() as tx:
        found = {name: tx.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")}
        found |= {name: tx.execute(text(f"PRAGMA {name}")).scalar() for name in ("foreign_keys", "secure_delete")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with pytest.raises(IntegrityError), store.begin() as tx:
        tx.execute(insert(score_words).values(run_id=99, words={}))


@pytest.mark.only("sqlite")
def test_the_files_are_readable_by_their_owner_alone(store: Store, tmp_path: Path) -> None:
    for file in tmp_path.glob("retention.db*"):
        if file.name != "retention.db":  # the copy made by the test keeps the mode of its original
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    opened = open_store(f"sqlite:///{tmp_path / 'new' / 'r.db'}")
    migrate(opened)
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").iterdir()} == {0o600}
    opened.close()


def test_a_store_in_memory_is_refused() -> None:
    with pytest.raises(FixableError):
        open_store("sqlite://")


def test_an_error_of_the_database_does_not_name_the_values(store: Store) -> None:
    row = {"name": "canary", "sha256": "x", "role": "hr", "scopes": [], "purposes": [], "sees": "all people"}
    with pytest.raises(StoreError) as refused, store.begin() as tx:
        tx.execute(insert(api_key).values(**row, created_at=datetime.now(UTC)))
    assert "canary" not in str(refused.value)


def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(StoreError), store.begin() as tx:
        tx.execute(
            insert(api_key).values(
                name="x", sha256="y", role="hr", scopes=[], purposes=[], sees="team", created_at=datetime(2026, 1, 1)
            )
        )


def test_only_one_batch_is_current_even_by_force(store: Store, made) -> None:
    made.fill(store, version="8")
    with store.begin() as tx:
        rows = tx.execute(select(score_run.c.model_version, score_run.c.is_current)).all()
    assert sorted(tuple(row) for row in rows) == [("7", None), ("8", True)]
    with pytest.raises(IntegrityError), store.begin() as tx:
        tx.execute(text("UPDATE score_run SET is_current = true"))


def test_a_batch_that_fails_half_way_leaves_the_former_one_in_place(store: Store, made) -> None:
    from serving.score import Scored

    twice = (*made.assessments(), made.assessments()[0])
    with pytest.raises(StoreError):
        made.fill(store, scored=Scored(made.AS_OF, made.people(), made.judged(twice), made.bundle("9"), {}))
    with store.begin() as tx:
        run = store_people.current_run(tx)
        assert run is not None
        assert run["model_version"] == "7"
        assert len(tx.execute(select(score)).all()) == len(made.assessments())


def test_purging_deletes_what_has_expired_and_nothing_else(store: Store, made) -> None:
    made.fill(store, version="8", now=made.NOW + timedelta(days=30))
    for day, left in ((90, 64), (91, 32), (121, 0)):
        today = made.NOW.date() + timedelta(days=day)
        with store.begin() as tx:
            store_people.purge(tx, today=today, notes_before=date(2020, 1, 1))
            assert len(tx.execute(select(score)).all()) == left
    with store.begin() as tx:
        assert tx.execute(select(score_words)).all() == []


@pytest.mark.only("sqlite")
def test_purged_records_are_not_left_in_the_file(store: Store, tmp_path: Path, made) -> None:
    with store.begin() as tx:
        canary = tx.execute(select(score.c.said).where(score.c.employee_id == "E0001")).scalar_one()[-900:]
    store.close()
    assert canary in (tmp_path / "retention.db").read_bytes()
    with store.begin() as tx:
        store_people.purge(tx, today=made.NOW.date() + timedelta(days=91), notes_before=date(2020, 1, 1))
    store.close()
    assert all(canary not in file.read_bytes() for file in tmp_path.glob("retention.db*"))


@pytest.mark.only("sqlite")
def test_transactions_take_turns_so_that_sqlite_never_has_two_writers(store: Store, monkeypatch) -> None:
    monkeypatch.setattr(store_module, "WAIT_SECONDS", 0.2)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.begin():
            entered.set()
            leave.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(5)
    with pytest.raises(StoreBusyError), store.begin():
        pass
    leave.set()
    holder.join()
    with store.begin() as tx:
        assert tx.execute(select(score_run.c.id)).all()


@pytest.mark.only("sqlite")
def test_another_process_waits_for_its_turn(store: Store, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom serving import store\nstore.WAIT_SECONDS = 0.3\n"
        "with store.open_store(sys.argv[1]).begin() as tx:\n    print('in')"
    )
    run = [sys.executable, "-c", code, f"sqlite:///{tmp_path / 'retention.db'}"]
    root = Path(store_module.__file__).parents[1]
    with store.begin():
        held = subprocess.run(run, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert "StoreBusyError" in held.stderr
    free = subprocess.run(run, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert free.stdout == "in\n"


@pytest.mark.only("sqlite")
def test_a_second_service_on_the_same_file_is_refused(store: Store, tmp_path: Path) -> None:
    other = open_store(f"sqlite:///{tmp_path / 'retention.db'}")
    with only_service(store):
        with pytest.raises(FixableError, match="already open"), only_service(other):
            pass
        with other.begin() as tx:
            assert store_people.current_run(tx)
    with only_service(other):
        pass
    other.close()


def test_killed_in_the_middle_of_a_batch_the_former_one_stands(store: Store, store_url: str) -> None:
    code = (
        "import os, signal, sys\nfrom sqlalchemy import text\nfrom serving.store import open_store\n"
        "with open_store(sys.argv[1]).begin() as tx:\n"
        "    tx.execute(text('UPDATE score_run SET is_current = NULL'))\n"
        "    tx.execute(text('DELETE FROM employee'))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    run = [sys.executable, "-c", code, store_url]
    killed = subprocess.run(run, cwd=Path(store_module.__file__).parents[1], timeout=60, check=False)
    assert killed.returncode == -9
    with store.begin() as tx:
        assert store_people.current_run(tx)
        assert len(store_people.names(tx, ["E0001", "E0002"])) == 2
    store.close()
    if store.file is not None:
        assert sqlite3.connect(store.file).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_managers_in_a_ring_neither_hang_nor_see_themselves(store: Store) -> None:
    from sqlalchemy import update

    from serving.store_people import Sight, visible
    from serving.store_tables import employee

    with store.begin() as tx:
        tx.execute(update(employee).where(employee.c.id == "M1").values(manager_id="E0001"))
        seen = {row.id for row in tx.execute(visible(Sight("manager", "M1")))}
        nobody = tx.execute(visible(Sight())).all()
    assert "M1" not in seen
    assert "E0002" in seen
    assert nobody == []


def test_a_transfer_takes_effect_at_once(client, key, store: Store) -> None:
    from sqlalchemy import update

    from serving.store_people import Sight
    from serving.store_tables import employee

    path, headers = "/v1/employees/E0001/risk?purpose=retention_care", key("manager", Sight("manager", "M1"))
    assert client.get(path, headers=headers).status_code == 200
    with store.begin() as tx:
        tx.execute(update(employee).where(employee.c.id == "E0001").values(manager_id="M2"))
    assert client.get(path, headers=headers).status_code == 404


def test_only_the_store_speaks_sql() -> None:
    folder = Path(store_module.__file__).parent
    speaking = {
        file.name
        for file in folder.glob("*.py")
        if "sqlalchemy" in file.read_text(encoding="utf-8").lower().split('"""')[2]
    }
    assert speaking <= {file.name for file in folder.glob("store*.py")}


def test_opening_does_not_depend_on_the_working_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    opened = open_store("sqlite:///var/retention.db")
    migrate(opened)
    assert os.path.exists(tmp_path / "var" / "retention.db")
    opened.close()


def test_rows_from_before_records_stay_readable_and_keep_what_they_raise(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:///{tmp_path / 'older.db'}")
    words = '{"risk": {"180": 0.2}, "other": {"180": 0.1}, "reasons": [{"driver": "pay"}], "plan": {"actions": []}}'
    run = "id, as_of, computed_at, model_version, bundle_sha256, data_versions, card, is_current"
    row = "run_id, employee_id, valid_until, band, risk_at_reference, risk, other, reasons, plan"
    with opened.begin() as tx:
        command.upgrade(alembic_config(tx), "0008")
        tx.execute(
            text(f"INSERT INTO score_run ({run}) VALUES (1, '2026-01-01', '2026-01-01', '1', 'x', '{{}}', '{{}}', 1)")
        )
        told = {name: json.dumps(part) for name, part in json.loads(words).items()}
        values = "(1, 'E1', '2026-03-01', 'act', 0.2, :risk, :other, :reasons, :plan)"
        tx.execute(text(f"INSERT INTO score ({row}) VALUES {values}"), told)
        tx.execute(text("INSERT INTO score_driver VALUES (1, 'E1', 'pay', 0.7)"))
    migrate(opened)
    with opened.begin() as tx:
        found = store_people.score_of(tx, 1, "E1")
        raises = tx.execute(select(score.c.raises_pay, score.c.raises_growth)).one()
    opened.close()
    assert found is not None
    assert {name: found[name] for name in told} == json.loads(words)
    assert tuple(raises) == (0.7, 0.0)
