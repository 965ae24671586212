"""A backup is made while others work, opened and checked; what comes back is the same store, or is refused."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from typer.testing import CliRunner

from features.errors import FixableError
from serving import audit, store_people
from serving.audit import Entry
from serving.cli import app
from serving.store import Store, alembic_config, is_current, migrate, open_store
from serving.store_backup import back_up, beside, restore
from serving.store_tables import metadata


@pytest.fixture
def empty_url(request, tmp_path: Path, database: str):
    """Where nothing is yet, on the database of this test."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'retention.db'}"
        return
    server = request.getfixturevalue("postgres")
    name = server.fresh()
    yield server.url(name)
    server.drop(name)


def everything(store: Store) -> dict[str, list]:
    with store.begin() as tx:
        return {t.name: sorted(map(repr, tx.execute(select(t)).all())) for t in metadata.sorted_tables}


def test_what_comes_back_is_what_was_there_and_goes_on_from_there(store, empty_url, tmp_path, made) -> None:
    before = everything(store)
    back_up(store, tmp_path / "copy.db")
    restore(tmp_path / "copy.db", empty_url)
    again = open_store(empty_url)
    assert everything(again) == before
    run_id = made.fill(again, version="8")
    assert run_id == 2
    with again.begin() as tx:
        assert audit.verify(tx).problem is None
    again.close()
    assert ((tmp_path / "copy.db").stat().st_mode & 0o077) == 0


def test_a_backup_under_writers_is_one_moment_of_the_store(store, empty_url, tmp_path, made) -> None:
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            with store.begin() as tx:
                audit.record(tx, Entry("key 1 x", "risk.read", "shown", "r", subject="E0001"), now=made.NOW)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for one in writers:
        one.start()
    noted = back_up(store, tmp_path / "copy.db")
    over.set()
    for one in writers:
        one.join()
    assert restore(tmp_path / "copy.db", empty_url) == noted


def test_one_flipped_byte_is_refused(store, empty_url, tmp_path) -> None:
    file = tmp_path / "copy.db"
    back_up(store, file)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(FixableError, match="SHA-256"):
        restore(file, empty_url)


def test_nothing_is_overwritten_and_a_copy_needs_its_note(store, store_url, empty_url, tmp_path) -> None:
    file = tmp_path / "copy.db"
    back_up(store, file)
    with pytest.raises(FixableError, match="exists"):
        back_up(store, file)
    with pytest.raises(FixableError, match="not empty"):
        restore(file, store_url)
    beside(file).write_text("{}")
    with pytest.raises(FixableError, match="does not say"):
        restore(file, empty_url)


@pytest.mark.parametrize(
    "version", [s.revision for s in ScriptDirectory.from_config(alembic_config(None)).walk_revisions()]
)
def test_a_store_of_every_released_version_is_brought_up_to_date_with_its_data(version, empty_url) -> None:
    opened = open_store(empty_url)
    with opened.begin() as tx:
        command.upgrade(alembic_config(tx), version)
        tx.execute(text("INSERT INTO employee (id, name, team) VALUES ('E1', 'Li Na', 'A')"))
        tx.execute(
            text(
                "INSERT INTO score_run (id, as_of, computed_at, model_version, bundle_sha256, data_versions, card, "
                "is_current) VALUES (1, '2026-10-31', '2026-11-01 08:00:00', '7', 'x', '{}', '{}', true)"
            )
        )
        tx.execute(
            text(
                "INSERT INTO score (run_id, employee_id, valid_until, band, risk, other, reasons, plan) "
                "VALUES (1, 'E1', '2027-01-01', 'watch', '{}', '{}', '[]', '{}')"
            )
        )
        assert tx.execute(text("SELECT sequence FROM audit_head")).scalar() == 0
    migrate(opened)
    assert is_current(opened)
    with opened.begin() as tx:
        run = store_people.current_run(tx)
        assert run is not None
        assert (run["model_version"], store_people.names(tx, ["E1"])) == ("7", {"E1": "Li Na"})
        assert store_people.score_of(tx, 1, "E1")["band"] == "watch"  # type: ignore[index]
        assert set(metadata.tables) <= set(inspect(tx).get_table_names())
    opened.close()


@pytest.mark.only("sqlite")
def test_the_commands_copy_and_bring_back(store, tmp_path: Path) -> None:
    store.close()
    copied = CliRunner().invoke(app, ["backup", str(tmp_path / "b.db"), "--state", str(tmp_path)])
    assert (copied.exit_code, "checked" in copied.output) == (0, True), copied.output
    back = CliRunner().invoke(app, ["restore", str(tmp_path / "b.db"), "--state", str(tmp_path / "other")])
    assert (back.exit_code, "restored" in back.output) == (0, True), back.output
    twice = CliRunner().invoke(app, ["restore", str(tmp_path / "b.db"), "--state", str(tmp_path / "other")])
    assert twice.exit_code == 1
