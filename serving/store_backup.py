"""A copy of the store while it works, and the way back: a backup counts only when it has been opened and checked.

The copy is a SQLite file whatever the store is on, so that it can be read anywhere and be brought back to either
database. It is one moment of the store: a transaction on SQLite, a repeatable read on PostgreSQL. It holds names and
scores: keep it as the store itself is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, Integer, Table, delete, func, insert, inspect, select, text

from features.errors import FixableError
from serving import audit
from serving.store import Store, Transaction, migrate, open_store
from serving.store_tables import metadata

CHUNK = 1000
"""Rows that travel at once."""


@dataclass(frozen=True)
class Backup:
    """What stands beside the copy: its checksum, how many rows each table has, and where the audit chain ends."""

    sha256: str
    rows: dict[str, int]
    audit_end: tuple[int, str]


def beside(file: Path) -> Path:
    """Return the file that says what a copy holds."""
    return file.with_name(file.name + ".json")


def back_up(store: Store, file: Path) -> Backup:
    """Write the store as it is at this moment into ``file`` and check the copy; nobody has to stop working.

    Raises ``FixableError`` when the file exists or the copy is not whole.
    """
    if file.exists():
        raise FixableError(f"{file} exists; a backup overwrites nothing.")
    part = file.with_name(file.name + ".part")
    _remove(part)
    if store.file is not None:
        store.copy_into(part)
    with _opened(f"sqlite:///{part}") as copy:
        if store.file is None:
            migrate(copy)
            with store.engine.connect().execution_options(isolation_level="REPEATABLE READ") as moment:
                _copy(moment, copy)
        told = _checked(copy)
    os.replace(part, file)
    _remove(part)
    made = Backup(_sha256(file), *told)
    beside(file).write_text(json.dumps(asdict(made), indent=1, sort_keys=True), encoding="utf-8")
    return made


def restore(file: Path, url: str) -> Backup:
    """Bring a copy back into an empty store and check it; a copy that is not, byte for byte, as written is refused.

    A copy made by an older version is brought up to date on the way; one of a newer version is refused.
    """
    expected = _noted(file)
    if not file.is_file() or _sha256(file) != expected.sha256:
        raise FixableError(f"{file} is not the file that was written: its SHA-256 differs.")
    with tempfile.TemporaryDirectory() as folder, _opened(url) as target:
        if inspect(target.engine).get_table_names():
            raise FixableError("The store is not empty; a restore overwrites nothing.", ["Name a new one."])
        shutil.copy(file, Path(folder) / "copy.db")
        with _opened(f"sqlite:///{folder}/copy.db") as source:
            migrate(source)
            migrate(target)
            with source.begin() as old:
                _copy(old, target)
        rows, end = _checked(target)
    if end != expected.audit_end or {name: rows.get(name) for name in expected.rows} != expected.rows:
        raise FixableError("What was restored is not what was backed up.", ["Delete the new store and try again."])
    return expected


def _noted(file: Path) -> Backup:
    try:
        noted = json.loads(beside(file).read_text(encoding="utf-8"))
        sequence, seal = noted["audit_end"]
        return Backup(str(noted["sha256"]), dict(noted["rows"]), (int(sequence), str(seal)))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise FixableError(f"{beside(file)} does not say what the backup holds.", [str(problem)]) from problem


@contextmanager
def _opened(url: str) -> Iterator[Store]:
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


def _copy(source: Connection, target: Store) -> None:
    """Copy every row of every table in one transaction; the tables of the target are made, and hold only its start."""
    with target.begin() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.execute(delete(table))
        for table in metadata.sorted_tables:
            for part in source.execute(select(table), execution_options={"yield_per": CHUNK}).mappings().partitions():
                tx.execute(insert(table), [dict(row) for row in part])
        if target.file is None:
            for table in metadata.sorted_tables:
                _count_on(tx, table)


def _count_on(tx: Transaction, table: Table) -> None:
    """Let a server number new rows after the last copied one; it does not see numbers that it did not give."""
    column = table.autoincrement_column
    if column is not None and isinstance(column.type, Integer):
        last = tx.execute(select(func.max(column))).scalar()
        if last is not None:
            tx.execute(select(func.setval(func.pg_get_serial_sequence(f'"{table.name}"', column.name), last)))


def _checked(store: Store) -> tuple[dict[str, int], tuple[int, str]]:
    """Return rows per table and the end of the audit chain; raise ``FixableError`` when the store is not whole."""
    with store.begin() as tx:
        if store.file is not None:
            found = tx.execute(text("PRAGMA integrity_check")).scalar()
            if found != "ok":
                raise FixableError("The copy is damaged.", [str(found)])
        verdict = audit.verify(tx)
        if verdict.problem:
            raise FixableError("The audit chain of the copy is not whole.", [verdict.problem])
        rows = {
            table.name: int(tx.execute(select(func.count()).select_from(table)).scalar_one()) for table in _here(tx)
        }
    return rows, (verdict.sequence, verdict.hash)


def _here(tx: Transaction) -> list[Table]:
    names = set(inspect(tx).get_table_names())
    return [table for table in metadata.sorted_tables if table.name in names]


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _remove(file: Path) -> None:
    for name in ("", "-wal", "-shm", ".turn"):
        file.with_name(file.name + name).unlink(missing_ok=True)
