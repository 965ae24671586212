"""The records store: one Delta table per table in a folder, and the only door to deltalake.

A commit is all or nothing, so a kill at any point leaves the last whole state. Every table has a version, which a
training run names. No column statistics are kept in the Delta log (they would hold the smallest and largest name of a
table for ever), and an erasure removes every file that is not part of the current version: versions from before an
erasure are gone, and say so when they are asked for.

Not in its reach: the exports in the organisation's own folders, and backups of this folder.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import polars as pl
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from features.erasure import ErasureReport, Person, erase_from, erase_from_quarantine
from features.errors import FixableError
from features.tables import BOOKKEEPING, DTYPES, TABLES, OwnColumn

QUARANTINE = "_quarantine"
IMPORTS = "_imports"
KEPT = "_kept"
"""Where ``features.kept`` puts rows of the matrix; about people, so an erasure takes them all."""

_NO_STATISTICS: dict[str, str | None] = {"delta.dataSkippingNumIndexedCols": "0"}
_OWN = "own_columns.json"
_DTYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "date": pl.Date(),
    "timestamp_ntz": pl.Datetime("us"),
    "long": pl.Int64(),
    "double": pl.Float64(),
    "boolean": pl.Boolean(),
}
_INTERNAL: dict[str, dict[str, pl.DataType]] = {
    QUARANTINE: {
        "id": pl.String(),
        "table": pl.String(),
        "file": pl.String(),
        "row": pl.Int64(),
        "column": pl.String(),
        "value": pl.String(),
        "rule": pl.String(),
        "also": pl.String(),
        "cells": pl.String(),
        "reading": pl.String(),
        "seq": pl.Int64(),
        "state": pl.String(),
    },
    IMPORTS: {
        "batch": pl.String(),
        "file": pl.String(),
        "table": pl.String(),
        "sha256": pl.String(),
        "first_seq": pl.Int64(),
        "n_rows": pl.Int64(),
        "imported_on": pl.Date(),
    },
}


@dataclass(frozen=True)
class News:
    """``day``: the earliest ``known_on`` of what arrived; None when nothing did."""

    day: date | None


class Lake:
    """All records of an organisation. Reading never blocks; writing is one process at a time (``writing``)."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        if set(str(self.folder.absolute())) & set("%[]"):  # delta-rs takes such a path for another one
            raise FixableError(
                f"the lake cannot be in {self.folder}", ["choose a folder without %, [ and ] in its path"]
            )

    def tables(self) -> tuple[str, ...]:
        """The tables that hold at least one row, in the order of the contract."""
        return tuple(name for name in TABLES if self._holds(name))

    def versions(self) -> dict[str, int]:
        """Table → Delta version, of every table that holds rows: what a training run writes down."""
        return {name: self._open(name).version() for name in self.tables()}

    def read(
        self, names: Iterable[str] | None = None, *, versions: Mapping[str, int] | None = None
    ) -> dict[str, pl.LazyFrame]:
        """Canonical records, lazily. An absent table is an absent key. ``versions`` pins what is read.

        Raises FixableError when a pinned version is not there (any more).
        """
        wanted = set(TABLES) if names is None else set(names)
        if versions is None:
            return {name: self._scan(name, None) for name in TABLES if name in wanted and self._holds(name)}
        return {name: self._scan(name, versions[name]) for name in TABLES if name in wanted and name in versions}

    def files(
        self, names: Iterable[str] | None = None, *, versions: Mapping[str, int] | None = None
    ) -> dict[str, tuple[list[Path], dict[str, pl.DataType]]]:
        """Table → the Parquet files of a version and the canonical columns, for an engine that reads them itself.

        An older file may lack a column that came later: it is null there.
        """
        found = {}
        for name, frame in self.read(names, versions=versions).items():
            delta = self._open(name, None if versions is None else versions[name])
            found[name] = (sorted(self._files(delta, name)), dict(frame.collect_schema()))
        return found

    def known_since(self, before: Mapping[str, int], now: Mapping[str, int]) -> News | None:
        """What arrived between two sets of versions: the earliest day on which any of it was known.

        None when rows were taken away or altered (an erasure, a repair), so that nothing made before may be used.
        """
        if set(before) - set(now):
            return None
        days = []
        for name, version in now.items():
            if before.get(name) == version:
                continue
            old = set() if name not in before else self._files_of(name, before[name])
            new = self._files_of(name, version)
            if old is None or new is None or old - new:
                return None
            if added := sorted(new - old):
                days.append(pl.scan_parquet(added, glob=False).select(pl.col("known_on").min()).collect().item())
        return News(min((day for day in days if day is not None), default=None))

    def own_columns(self) -> tuple[OwnColumn, ...]:
        """The organisation's own columns (``x_…``), as declared in the mappings so far."""
        path = self.folder / _OWN
        if not path.exists():
            return ()
        return tuple(OwnColumn(**entry) for entry in json.loads(path.read_text(encoding="utf-8")))

    def data_until(self) -> date:
        """The last day that the records bear witness of; what came later is unknown, not absent.

        A day counts when something was entered on it (``known_on`` given) or happened on it. The default lag does not
        count (nobody saw those days), nor does what lies beyond the day of the last import (an announced promotion).
        Nor does care: the service itself writes it, day by day, and it says nothing about the organisation's exports.
        """
        days = [
            frame.select(_witnessed(name).max()).collect().item()
            for name, frame in self.read().items()
            if not TABLES[name].reference and TABLES[name].event is not None and name != "care_actions"
        ]
        if not any(days):
            raise FixableError("there are no records yet", ["import a folder first"])
        last = max(day for day in days if day is not None)
        imported = self.internal(IMPORTS)["imported_on"].max()
        return min(last, imported) if isinstance(imported, date) else last

    def erase(self, employee_id: str) -> ErasureReport:
        """The person is in no table, no quarantined row and no file of the lake any more.

        Rows about the person go; where other people's rows name the person, that cell is emptied. Safe to repeat: a
        second run finishes what a kill has interrupted (``employees``, which holds the name, goes last).
        """
        with self.writing():
            shutil.rmtree(self.folder / KEPT, ignore_errors=True)
            person = self._person(employee_id)
            removed: dict[str, int] = {}
            emptied: dict[str, int] = {}
            for name in (*(name for name in self.tables() if name != "employees"), "employees"):
                if self._exists(name):
                    frame, removed[name], emptied[name] = erase_from(name, self._scan(name, None).collect(), person)
                    if removed[name] or emptied[name]:
                        self._write(name, frame, append=False)
            frame, removed[QUARANTINE], emptied[QUARANTINE] = erase_from_quarantine(self.internal(QUARANTINE), person)
            if removed[QUARANTINE] or emptied[QUARANTINE]:
                self._write(QUARANTINE, frame, append=False)
            n_files = sum(self._sweep(path.name) for path in self.folder.iterdir() if path.is_dir())
            return ErasureReport(
                employee_id,
                {name: n for name, n in removed.items() if n},
                {name: n for name, n in emptied.items() if n},
                n_files,
            )

    # What follows is for features/ingest.py.

    @contextmanager
    def writing(self, *, wait_seconds: float = 10.0) -> Iterator[None]:
        """One writer at a time; the lock dies with the process. Raises FixableError when another one holds it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            _lock(handle, wait_seconds)
            yield
        finally:
            os.close(handle)

    def append(self, name: str, frame: pl.DataFrame) -> None:
        """Rows are added in one commit; nothing happens when there are none."""
        if frame.height:
            self._write(name, frame, append=True)

    def declare(self, own: Iterable[OwnColumn]) -> None:
        """Own columns are remembered; a later declaration of the same column replaces the earlier one."""
        merged = {(column.table, column.name): column for column in (*self.own_columns(), *own)}
        entries = json.dumps([asdict(column) for column in merged.values()], ensure_ascii=False, indent=1)
        if tuple(merged.values()) != self.own_columns():
            draft = self.folder / f"{_OWN}.new"
            draft.write_text(entries, encoding="utf-8")
            os.replace(draft, self.folder / _OWN)

    def internal(self, name: str) -> pl.DataFrame:
        """The quarantine or the list of imports; empty when there is none."""
        if not self._holds(name):
            return pl.DataFrame(schema=_INTERNAL[name])
        return self._parquet(self._open(name), name).select(list(_INTERNAL[name])).collect()

    def replace_quarantine(self, frame: pl.DataFrame) -> None:
        """The quarantine is now exactly this; its earlier states are not kept."""
        self._write(QUARANTINE, frame, append=False)
        self._sweep(QUARANTINE)

    def reserve(self, batch: str, *, file: str, table: str, n_rows: int, today: date | None) -> int:
        """The order of arrival of the first of ``n_rows`` rows. The same batch gets the same place again: an import
        that was killed goes on where it was."""
        imports = self.internal(IMPORTS)
        known = imports.filter(pl.col("batch") == batch)
        if known.height:
            return int(known["first_seq"][0])
        first = int((imports["first_seq"] + imports["n_rows"]).max() or 0)  # type: ignore[arg-type]
        row = (batch, file, table, batch.split(":")[0], first, n_rows, today)
        self.append(IMPORTS, pl.DataFrame([row], schema=_INTERNAL[IMPORTS], orient="row"))
        return first

    def _path(self, name: str) -> str:
        return str(self.folder / name)

    def _exists(self, name: str) -> bool:
        return DeltaTable.is_deltatable(self._path(name))

    def _holds(self, name: str) -> bool:
        return self._exists(name) and bool(self._open(name).file_uris())

    def _open(self, name: str, version: int | None = None) -> DeltaTable:
        try:
            return DeltaTable(self._path(name), version=version)
        except DeltaError as error:
            raise FixableError(f"table {name} has no version {version}") from error

    def _scan(self, name: str, version: int | None) -> pl.LazyFrame:
        """One canonical table: columns in the order of the contract, own and declared ones after them."""
        delta = self._open(name, version)
        if gone := [path for path in self._files(delta, name) if not path.exists()]:
            raise FixableError(
                f"version {delta.version()} of table {name} is gone: {len(gone)} files were removed by an erasure",
                [f"the current version is {self._open(name).version()}"],
            )
        frame = self._parquet(delta, name)
        stored = frame.collect_schema()
        spec: dict[str, pl.DataType] = {column.name: DTYPES[column.kind] for column in TABLES[name].columns}
        own = {column.name: column.dtype() for column in self.own_columns() if column.table == name}
        extra = {column: dtype for column, dtype in stored.items() if column not in spec | own | BOOKKEEPING}
        order = spec | own | extra | BOOKKEEPING
        absent = [pl.lit(None, dtype=dtype).alias(column) for column, dtype in order.items() if column not in stored]
        return frame.with_columns(absent).select(list(order))

    def _parquet(self, delta: DeltaTable, name: str) -> pl.LazyFrame:
        """The files of one version as one frame; an older file may lack a column that came later."""
        schema = {field.name: _DTYPES[str(field.type.type)] for field in delta.schema().fields}
        files = sorted(self._files(delta, name))
        return pl.scan_parquet(files, schema=schema, missing_columns="insert", glob=False)

    def _write(self, name: str, frame: pl.DataFrame, *, append: bool) -> None:
        first = None if self._exists(name) else _NO_STATISTICS
        if append:
            write_deltalake(self._path(name), frame, mode="append", schema_mode="merge", configuration=first)
        else:
            write_deltalake(self._path(name), frame, mode="overwrite", schema_mode="overwrite", configuration=first)

    def _files_of(self, name: str, version: int) -> set[Path] | None:
        """The data files of a version; None when it is gone."""
        try:
            return self._files(self._open(name, version), name)
        except FixableError:
            return None

    def _files(self, delta: DeltaTable, name: str) -> set[Path]:
        """The data files of one version, by their names (which are random): the rest of an address is encoded."""
        return {self.folder / name / uri.rsplit("/", 1)[-1] for uri in delta.file_uris()}

    def _sweep(self, name: str) -> int:
        """Every data file that is not part of the current version is deleted, also those of killed writes."""
        if not self._exists(name):
            return 0
        current = self._files(self._open(name), name)
        stale = [path for path in (self.folder / name).glob("*.parquet") if path not in current]
        for path in stale:
            path.unlink()
        return len(stale)

    def _person(self, employee_id: str) -> Person:
        """The id and every name and address that was ever recorded for it."""
        words: set[str] = set()
        if self._holds("employees"):
            rows = self._scan("employees", None).filter(pl.col("employee_id") == employee_id)
            words = {word for row in rows.select("name", "email").collect().iter_rows() for word in row if word}
        return Person(employee_id, tuple(sorted(words)))


def _witnessed(table_name: str) -> pl.Expr:
    happened = pl.col(TABLES[table_name].event or "known_on")
    return pl.when("known_on_given").then("known_on").otherwise(pl.min_horizontal(happened, "known_on"))


def _lock(handle: int, wait_seconds: float) -> None:
    try:
        import fcntl
    except ImportError:  # no such lock on this system: the user has to see to it that there is one writer
        return
    for left in range(int(wait_seconds * 10), -1, -1):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not left:
                raise FixableError("another import or erasure is running", ["try again when it is done"]) from None
            time.sleep(0.1)
