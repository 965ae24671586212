"""A copy of the store while it works, and the way back: a backup counts only when it has been opened and checked.

The copy is a SQLite file whatever the store is on, so that it can be read anywhere and be brought back to either
database. It is one moment of the store: a transaction on SQLite, a repeatable read on PostgreSQL. It holds names and
scores: keep it as the store itself is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, select, text

from features.errors import FixableError
from serving import audit
from serving.store import Store, Transaction, is_current, migrate, open_store
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
    _forget(part)
    with _fresh(part) as copy:
        with _moment(store) as source, copy.begin() as target:
            _copy(source, target)
        told = _checked(copy)
    os.replace(part, file)
    _forget(part)
    made = Backup(_sha256(file), *told)
    beside(file).write_text(json.dumps(asdict(made), indent=1, sort_keys=True), encoding="utf-8")
    return made


def restore(file: Path, url: str) -> Backup:
    """Bring a copy back into an empty store and check it; a copy that is not, byte for byte, as written is refused."""
    try:
        noted = json.loads(beside(file).read_text(encoding="utf-8"))
        expected = Backup(noted["sha256"], noted["rows"], tuple(noted["audit_end"]))
    except (OSError, ValueError, KeyError) as problem:
        raise FixableError(f"{beside(file)} does not say what the backup holds.", [str(problem)]) from problem
    if not file.is_file() or _sha256(file) != expected.sha256:
        raise FixableError(f"{file} is not the file that was written: its SHA-256 differs.")
    target = open_store(url)
    source = open_store(f"sqlite:///{file}")
    try:
        _refuse_unless_empty(target)
        migrate(target)
        with source.begin() as old, target.begin() as new:
            _copy(old, new)
        told = _checked(target)
    finally:
        target.close()
        source.close()
        _forget(file, keep=True)
    if told != (expected.rows, expected.audit_end):
        raise FixableError("What was restored is not what was backed up.", ["Delete the new store and try again."])
    return expected


class _fresh:
    """A new store in a file, closed at the end."""

    def __init__(self, file: Path) -> None:
        self.store = open_store(f"sqlite:///{file}")

    def __enter__(self) -> Store:
        migrate(self.store)
        return self.store

    def __exit__(self, *_: object) -> None:
        self.store.close()
