"""Rows that could not be taken yet: kept with everything needed to mend and replay them, and with their place in line.

A row is known by its content (table, cells, and which of several equal ones it is), so a file that is imported again
brings no row in twice: not one that still waits (``open``), nor one that was mended or dropped since (``closed``; of
such a row only the mark is kept).
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from features.errors import FixableError
from features.intake.checks import INDEX
from features.intake.parsing import Reading
from features.intake.reading import FILE, ROW, Broken, read
from features.intake.rules import RULES, hints
from features.lake import QUARANTINE, Lake
from features.tables import TABLES, Column

CELLS_RULE = "cells"
_REST = "_rest"
_ABOUT = ("_id", "_file", "_row", "_column", "_value", "_rule", "_hint_en", "_hint_zh", "_do")
_FORMULA = ("=", "+", "-", "@", "%", "|", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Edit:
    """What the user made of a quarantined row: new cells, and ``drop`` or ``ok`` if that was written into ``_do``."""

    cells: dict[str, str]
    do: str = ""


def waiting(lake: Lake) -> pl.DataFrame:
    """Every row that waits for repair: id, table, file, row, column, value, rule, hint_en, hint_zh, also, cells.

    ``column``, ``value`` and ``rule`` tell the first thing wrong with the row, ``also`` the others. ``cells`` is a JSON
    object with the row's own text under our column names.
    """
    rows = lake.internal(QUARANTINE).filter(pl.col("state") == "open").sort("seq")
    told = [_hints(*key) for key in rows.select("table", "column", "rule").iter_rows()]
    rows = rows.with_columns(
        pl.Series("hint_en", [en for en, _ in told], dtype=pl.String),
        pl.Series("hint_zh", [zh for _, zh in told], dtype=pl.String),
    )
    return rows.select("id", "table", "file", "row", "column", "value", "rule", "hint_en", "hint_zh", "also", "cells")


def bad_rows(
    cells: pl.DataFrame, problems: pl.DataFrame, *, table: str, reading: Reading, first_seq: int
) -> pl.DataFrame:
    """Quarantine rows for the rows of ``cells`` that have problems (see ``features.intake.checks.Checked``)."""
    first = problems.unique(INDEX, keep="first", maintain_order=True)
    more = (
        problems.with_columns(nth=pl.int_range(pl.len()).over(INDEX))
        .filter(pl.col("nth") > 0)
        .group_by(INDEX, maintain_order=True)
        .agg(also=pl.format("{}: {}", "column", "rule").str.join("; "))
    )
    told = cells.join(first.rename({"column": "__column", "value": "__value", "rule": "__rule"}), on=INDEX)
    told = told.join(more, on=INDEX, how="left").sort(INDEX)
    names = [name for name in cells.columns if name not in (INDEX, ROW, FILE)]
    written = [cells_text(row) for row in told.select(names).iter_rows(named=True)]
    return _rows(
        told.select(
            table=pl.lit(table),
            file=FILE,
            row=ROW,
            column="__column",
            value="__value",
            rule="__rule",
            also="also",
            cells=pl.Series(written, dtype=pl.String),
            reading=pl.lit(json.dumps(asdict(reading), ensure_ascii=False)),
            seq=pl.col(INDEX) + first_seq,
        )
    )


def broken_rows(
    broken: Iterable[tuple[int, Broken]], columns: list[str] | None, *, table: str, file: str, reading: Reading
) -> pl.DataFrame:
    """Quarantine rows for lines that do not fit the header, given with their order of arrival.

    ``columns``: what the cells stand for, by position; None when the file holds columns that are refused. Then the
    cells cannot be told apart from refused ones, and none is kept.
    """
    rows = []
    for seq, line in broken:
        cells = dict(zip(columns, line.cells, strict=False)) if columns is not None else {}
        if columns is not None and len(line.cells) > len(columns):
            cells[_REST] = ";".join(line.cells[len(columns) :])
        text = cells_text(cells) if cells else json.dumps({"_line": f"{file}:{line.row}"})
        rows.append((table, file, line.row, "", None, CELLS_RULE, None, text, json.dumps(asdict(reading)), seq))
    names = ("table", "file", "row", "column", "value", "rule", "also", "cells", "reading", "seq")
    numbers = {"row": pl.Int64, "seq": pl.Int64}
    return _rows(pl.DataFrame(rows, schema={n: numbers.get(n, pl.String) for n in names}, orient="row"))


def cells_text(cells: Mapping[str, str | None]) -> str:
    """The filled cells of a row as JSON in a fixed order: equal rows have equal texts."""
    return json.dumps({k: v for k, v in cells.items() if v is not None}, ensure_ascii=False, sort_keys=True)


def laid_out(rows: pl.DataFrame) -> pl.DataFrame:
    """Quarantined rows as a file of their own: String columns under our names, ``__row``, ``__file``, ``__index``."""
    cells = [json.loads(text) for text in rows["cells"]]
    names = sorted({name for row in cells for name in row if not name.startswith("_")})
    return pl.DataFrame(
        {name: [row.get(name) for row in cells] for name in names}, schema=dict.fromkeys(names, pl.String)
    ).with_columns(rows["row"].alias(ROW), rows["file"].alias(FILE), rows["seq"].alias(INDEX))


def export(lake: Lake, folder: Path) -> list[Path]:
    """One CSV per table with the rows that wait, to be mended in a spreadsheet and given to ``repair``.

    Text that a spreadsheet would run as a formula gets a leading ``'``, which is taken off again on the way back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for (table,), rows in waiting(lake).group_by("table", maintain_order=True):
        own = [column.name for column in lake.own_columns() if column.table == table]
        cells = [json.loads(text) for text in rows["cells"]]
        names = [*TABLES[str(table)].names(), "known_on", *own]
        names += sorted({name for row in cells for name in row if name not in names and name != "_line"})
        path = folder / f"quarantine_{table}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            out = csv.writer(file)
            out.writerow((*_ABOUT, *names))
            about = rows.select("id", "file", "row", "column", "value", "rule", "hint_en", "hint_zh").iter_rows()
            for facts, row in zip(about, cells, strict=True):
                out.writerow([_no_formula(cell) for cell in (*facts, "", *(row.get(name) for name in names))])
        written.append(path)
    return written


def edits(path: Path) -> dict[str, Edit]:
    """The mended rows in one exported file, or in every ``quarantine_….csv`` of a folder, by id."""
    files = sorted(path.glob("quarantine_*.csv")) if path.is_dir() else [path]
    found: dict[str, Edit] = {}
    problems: list[str] = []
    for file in files:
        raw = read(file, file.name)
        problems += [f"{file.name}, row {line.row}: more or fewer cells than the header" for line in raw.broken]
        if "_id" not in raw.headers:
            problems.append(f"{file.name}: the column _id is missing; mend the exported file, not the original one")
            continue
        for row in raw.frame.iter_rows(named=True):
            cells = {k: _no_quote(v) for k, v in row.items() if v is not None and not k.startswith("_")}
            found[row["_id"] or ""] = Edit(cells, (row.get("_do") or "").strip().lower())
    problems += [
        f"_do is {edit.do!r} for {id_}: write drop, ok or nothing"
        for id_, edit in found.items()
        if edit.do not in ("", "ok", "drop")
    ]
    if problems:
        raise FixableError("the mended rows cannot be used yet", problems)
    return found


def _rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Quarantine rows with their ids; equal rows of one import are told apart by their number."""
    nth = rows.select(pl.int_range(pl.len()).over("table", "cells")).to_series()
    ids = [
        hashlib.sha256(f"{table}\x1f{cells}\x1f{n}".encode()).hexdigest()[:16]
        for table, cells, n in zip(rows["table"], rows["cells"], nth, strict=True)
    ]
    return rows.with_columns(id=pl.Series(ids, dtype=pl.String), state=pl.lit("open"))


def _hints(table: str, column: str, rule: str) -> tuple[str, str]:
    spec: Column | None = TABLES[table].column(column) if column in TABLES[table].names() else None
    if rule not in RULES:
        return "", ""
    return hints(rule, spec)


def _no_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _no_quote(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell
