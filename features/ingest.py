"""From exported files to the lake: every row is accepted, quarantined or an exact duplicate, and told so.

The order of the steps makes a kill harmless: first the place in line is reserved, then the good rows are committed,
then the quarantine. An import that was killed is simply run again; what was committed is recognised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from features.errors import FixableError
from features.intake.arrivals import n_corrections, split_new
from features.intake.checks import INDEX, Checked, Known, check, decide, shorten, specs
from features.intake.parsing import Reading
from features.intake.periods import file_day
from features.intake.quarantine import CELLS_RULE, Edit, bad_rows, broken_rows, cells_text, edits, laid_out
from features.intake.reading import FILE, ROW, RawFile, read
from features.intake.refused import Refusal
from features.intake.reports import FileReport, ImportReport, RepairReport
from features.lake import QUARANTINE, Lake
from features.mapping import FILE_NAME, FROM_FILE, Assigned, Mapping, Source, TableMapping, assign, load, sources
from features.tables import TABLES, Column, OwnColumn

Progress = Callable[[str, int, int], None]

LONGEST_CATEGORY = 64


def import_folder(
    folder: Path,
    lake: Lake,
    *,
    mapping: Mapping | None = None,
    today: date | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Every table in a folder of exports goes into the lake; the report accounts for every row.

    ``mapping``: left out, the folder's own ``mapping.toml`` is used if there is one. ``today``: facts that are dated
    after it are quarantined. Raises FixableError when there is no list of employees at all.
    """
    own_file = folder / FILE_NAME
    mapping = mapping or (load(own_file) if own_file.exists() else Mapping())
    found, aside = sources(folder, mapping)
    with lake.writing():
        lake.declare(mapping.own)
        if not any(source.table == "employees" for source in found) and not lake.read(["employees"]):
            raise FixableError("there is no file with the employees", [f"{name}: {why}" for name, why in aside])
        reports: list[FileReport] = []
        for done, source in enumerate(found):
            if progress:
                progress(source.name, done, len(found))
            reports.append(_import_source(source, lake, mapping=mapping, today=today))
        if progress:
            progress("imported", len(found), len(found))
    return ImportReport(tuple(reports), tuple(aside))


def repair(
    lake: Lake, edited: Path | None = None, *, today: date | None = None, progress: Progress | None = None
) -> RepairReport:
    """Quarantined rows are tried again, mended ones first of all; those that are right now leave the quarantine.

    ``edited``: what ``features.intake.quarantine.export`` wrote, after the user's work (a file or the folder). Rows
    that were not touched are tried too: somebody who was unknown may be known by now. A row keeps its place in line,
    so the lake is as if the row had been right from the start.
    """
    changes = edits(edited) if edited is not None else {}
    with lake.writing():
        rows = lake.internal(QUARANTINE)
        known_ids = set(rows.filter(pl.col("state") == "open")["id"])
        report = RepairReport(not_waiting=len(changes.keys() - known_ids))
        tables = [name for name in TABLES if name in set(rows["table"])]
        for done, table in enumerate(tables):
            if progress:
                progress(table, done, len(tables))
            report += _replay(table, lake, changes, today=today)
        if progress:
            progress("repaired", len(tables), len(tables))
    return report


def _import_source(source: Source, lake: Lake, *, mapping: Mapping, today: date | None) -> FileReport:
    """One file of one table: read, assign, check, commit, quarantine."""
    entry, own = mapping.table(source.table), lake.own_columns()
    try:
        if source.table != "employees" and not lake.read(["employees"]):
            raise FixableError("not imported, because no employees could be")
        raw = read(source.path, source.name, encoding=entry.encoding)
        assigned = assign(source.table, raw.headers, entry, own)
        cells = _lay_out(raw, assigned, entry, source.table)
        cells, free_text = _without_free_text(cells, own, source.table)
        columns = specs(source.table, _named(cells), own)
        cells, remarks = shorten(cells, source.table, columns, entry)
        reading, unclear = decide(cells, columns, entry, headers=assigned.columns)
        if unclear:
            raise FixableError("not imported, because its dates are not clear", unclear)
    except FixableError as error:
        return FileReport(source.name, source.table, problems=(error.summary, *error.problems))
    first_seq = lake.reserve(
        f"{raw.sha256}:{source.table}:{hashlib.sha256(repr(entry).encode()).hexdigest()[:16]}",
        file=source.name,
        table=source.table,
        n_rows=_room(raw),
        today=today,
    )
    checked = check(cells, source.table, columns, reading, known_people(lake, today))
    accepted, duplicates, corrections = _commit(lake, source.table, checked.good, first_seq=first_seq)
    bad = pl.concat(
        [
            bad_rows(cells, checked.problems, table=source.table, reading=reading, first_seq=first_seq),
            _broken(raw, assigned, source.table, reading=reading, first_seq=first_seq),
        ]
    )
    handled = settle(lake, source.table, bad, cells.join(checked.good, on=INDEX, how="semi"))
    return FileReport(
        source.name,
        source.table,
        received=cells.height + len(raw.broken),
        accepted=accepted,
        quarantined=bad.height - handled,
        duplicates=duplicates + handled,
        corrections=corrections,
        rules=_counted(bad),
        refused=(*assigned.refused, *free_text),
        unknown=assigned.unknown,
        notes=(*raw.notes, *remarks, *checked.warnings, *_absent_headers(raw, entry)),
    )


def _lay_out(raw: RawFile, assigned: Assigned, entry: TableMapping, table_name: str) -> pl.DataFrame:
    """The cells under our column names, with the constants of the mapping and ``__index``.

    Raises FixableError when the file lacks a column that every row needs.
    """
    frame = raw.frame
    if frame.height and entry.only_if is not None:
        if entry.only_if not in raw.headers:
            raise FixableError(f"not imported: only_if names the column {entry.only_if}, which is not in the file")
        frame = frame.filter(pl.col(entry.only_if).is_not_null())
    table = TABLES[table_name]
    there = {*assigned.columns, *entry.constants}
    absent = [column.name for column in table.columns if column.required and column.name not in there]
    if table.one_of and not there.intersection(table.one_of):
        absent.append(" or ".join(table.one_of))
    if absent and raw.headers:
        raise FixableError(
            f"not imported: no column for {', '.join(absent)}",
            [
                f"the file has: {', '.join(h for h in raw.headers if h not in {r.header for r in assigned.refused})}",
                *_how_to_date(table_name, absent),
            ],
        )
    if not raw.headers:
        return pl.DataFrame(
            schema={name: pl.String for name in there} | {ROW: pl.Int64, FILE: pl.String, INDEX: pl.Int64}
        )
    dated = {(name, value) for name, value in entry.constants.items() if value == FROM_FILE}
    constants = [
        (pl.col(name).fill_null(pl.lit(value)) if name in assigned.columns else pl.lit(value).alias(name))
        for name, value in entry.constants.items()
        if (name, value) not in dated
    ]
    # A row without a date in a file that has dates is a row without a date.
    constants += [pl.lit(_file_day(raw.name)).alias(name) for name, _ in sorted(dated) if name not in assigned.columns]
    single = frame[FILE].n_unique() <= 1
    index = pl.col(ROW) if single else pl.int_range(pl.len(), dtype=pl.Int64)
    chosen = frame.select(ROW, FILE, *(pl.col(header).alias(name) for name, header in assigned.columns.items()))
    return chosen.with_columns(*constants, index.alias(INDEX))


def _how_to_date(table_name: str, absent: Sequence[str]) -> list[str]:
    """What to do about a list without dates: it tells the posts of the day on which it was exported."""
    if table_name != "positions" or list(absent) != ["happened_on"]:
        return []
    return [
        "a roster tells the posts of the day of its export: write that day into the mapping, under "
        f'[tables.positions.constants], as happened_on = "2023-04-30", or "{FROM_FILE}" with a file name like '
        "花名册_20230430.csv; never the hiring date"
    ]


def _file_day(file_name: str) -> str:
    """The day, or the end of the month, that a file's name ends with."""
    day = file_day(file_name)
    if day is None:
        raise FixableError(
            f'not imported: the mapping takes a date from the name of the file ("{FROM_FILE}"), and it has none',
            ["call it like 花名册_20230430.csv (the day of the export)"],
        )
    return day


def _without_free_text(
    cells: pl.DataFrame, own: Sequence[OwnColumn], table_name: str
) -> tuple[pl.DataFrame, list[Refusal]]:
    """An own category with long texts is no category; it may hold what people wrote, and is refused."""
    long = [
        column.name
        for column in own
        if column.table == table_name and column.kind == "category" and column.name in cells.columns
        if (cells[column.name].str.len_chars() > LONGEST_CATEGORY).any()
    ]
    reason = ("it holds long texts, and what people write is never read", "含有长文本,而员工所写内容从不读取")
    return cells.drop(long), [Refusal(name, "free text", *reason) for name in long]


def _commit(
    lake: Lake, table_name: str, good: pl.DataFrame, *, first_seq: int = 0, replay: bool = False
) -> tuple[int, int, int]:
    """New rows go into the lake in one commit. Numbers of rows accepted, exact duplicates and corrections."""
    rows = good.with_columns(_seq=pl.col(INDEX) + first_seq).drop(INDEX)
    stored = lake.read([table_name]).get(table_name)
    new, n_duplicates = split_new(table_name, rows, stored, replay=replay)
    corrections = n_corrections(table_name, new, stored)
    lake.append(table_name, new)
    return new.height, n_duplicates, corrections


def settle(lake: Lake, table_name: str, bad: pl.DataFrame, taken: pl.DataFrame) -> int:
    """The quarantine after an import: bad rows are in it once, rows that were taken now are out of it.

    Returns how many of the bad rows had been mended or dropped before: they are duplicates of those.
    """
    before = lake.internal(QUARANTINE)
    closed = before.filter(pl.col("state") == "closed")["id"]
    mended = before.join(bad, on="id").filter(pl.col("cells") != pl.col("cells_right"))["id"]
    handled = int(bad["id"].is_in(closed.implode()).sum())
    done = _waiting_for(before.filter((pl.col("table") == table_name) & (pl.col("state") == "open")), taken)
    news = bad.filter(~bad["id"].is_in(pl.concat([closed, mended]).implode())).join(
        before, on=["id", "column", "rule", "also", "reading"], how="anti", nulls_equal=True
    )
    again = news.select("id").join(before.select("id", "seq"), on="id")
    if done or again.height:
        place = dict(again.iter_rows())
        news = news.with_columns(
            pl.col("id").replace_strict(place, default=pl.col("seq"), return_dtype=pl.Int64).alias("seq")
        )
        rest = before.filter(~pl.col("id").is_in(list(place)))
        lake.replace_quarantine(pl.concat([_closed(rest, done), news.select(before.columns)]))
    else:
        lake.append(QUARANTINE, news.select(before.columns))
    return handled


def _waiting_for(waiting: pl.DataFrame, taken: pl.DataFrame) -> set[str]:
    """Ids of quarantined rows that came again, with the same cells, and were taken this time."""
    if not waiting.height or not taken.height:
        return set()
    cells = laid_out(waiting).drop(ROW, FILE, INDEX)
    names = sorted({*cells.columns, *_named(taken)})
    absent = {name: pl.lit(None, dtype=pl.String).alias(name) for name in names}
    cells = cells.with_columns([absent[n] for n in names if n not in cells.columns]).with_columns(waiting["id"])
    taken = taken.with_columns([absent[n] for n in names if n not in taken.columns])
    return set(cells.join(taken, on=names, how="semi", nulls_equal=True)["id"])


def _closed(rows: pl.DataFrame, ids: set[str]) -> pl.DataFrame:
    """The same rows, those with the given ids closed: only the mark is left of them."""
    leave = ("id", "table", "seq", "state")
    done = pl.col("id").is_in(list(ids))
    return rows.with_columns(
        pl.when(~done).then(pl.exclude(leave)), state=pl.when(done).then(pl.lit("closed")).otherwise("state")
    )


def _replay(table_name: str, lake: Lake, changes: dict[str, Edit], *, today: date | None) -> RepairReport:
    """The quarantined rows of one table, tried again with the user's changes."""
    before = lake.internal(QUARANTINE)
    waiting = before.filter((pl.col("table") == table_name) & (pl.col("state") == "open"))
    touched = [id_ for id_ in waiting["id"] if id_ in changes]
    dropped = {id_ for id_ in touched if changes[id_].do == "drop"}
    mended = {id_: cells_text(changes[id_].cells) for id_ in touched if changes[id_].cells}
    waiting = waiting.filter(~pl.col("id").is_in(list(dropped))).with_columns(
        cells=pl.col("id").replace_strict(mended, default=pl.col("cells"), return_dtype=pl.String),
        confirmed=pl.col("id").is_in([i for i in touched if changes[i].do == "ok"]),
        was=pl.col("cells"),
    )
    misfits = (pl.col("rule") == CELLS_RULE) & (pl.col("cells") == pl.col("was")) & ~pl.col("confirmed")
    left, fixed, report = [waiting.filter(misfits)], set(dropped), RepairReport(dropped=len(dropped))
    for (text,), rows in waiting.filter(~misfits).group_by("reading", maintain_order=True):
        reading = Reading.from_json(str(text))
        checked, bad = _try_again(rows, lake, table_name, reading=reading, today=today)
        accepted, duplicates, _ = _commit(lake, table_name, checked.good, replay=True)
        report += RepairReport(accepted=accepted, duplicates=duplicates)
        fixed |= set(rows.join(checked.good, left_on="seq", right_on=INDEX, how="semi")["id"])
        left.append(bad)
    still = pl.concat([frame.select(before.columns) for frame in left])
    if still.height or fixed:
        others = before.filter(~pl.col("id").is_in(still["id"].implode()))
        lake.replace_quarantine(pl.concat([_closed(others, fixed), still]))
    return report + RepairReport(still_waiting=still.height)


def _try_again(
    rows: pl.DataFrame, lake: Lake, table_name: str, *, reading: Reading, today: date | None
) -> tuple[Checked, pl.DataFrame]:
    """The check of quarantined rows, and the quarantine rows of those that are still bad, under their old ids."""
    own = lake.own_columns()
    cells = laid_out(rows)
    allowed = {*TABLES[table_name].names(), "known_on", *(c.name for c in own if c.table == table_name)}
    names = [n for n in _named(cells) if n in allowed or table_name == "protected"]
    absent = [c.name for c in TABLES[table_name].columns if c.required and c.name not in names]
    cells = cells.select(ROW, FILE, INDEX, *names).with_columns(pl.lit(None, dtype=pl.String).alias(n) for n in absent)
    columns: tuple[Column, ...] = specs(table_name, _named(cells), own)
    checked = check(cells, table_name, columns, reading, known_people(lake, today))
    bad = bad_rows(cells, checked.problems, table=table_name, reading=reading, first_seq=0)
    return checked, bad.drop("id").join(rows.select("id", "seq"), on="seq")


def known_people(lake: Lake, today: date | None) -> Known:
    """Everyone in the lake with the first hiring date."""
    employees = lake.read(["employees"]).get("employees")
    if employees is None:
        return Known(pl.DataFrame(schema={"employee_id": pl.String, "first_hired": pl.Date}), today)
    return Known(employees.group_by("employee_id").agg(first_hired=pl.col("hired_on").min()).collect(), today)


def _broken(raw: RawFile, assigned: Assigned, table_name: str, *, reading: Reading, first_seq: int) -> pl.DataFrame:
    whole = len(assigned.columns) == len(raw.headers)
    by_header = {header: name for name, header in assigned.columns.items()}
    names = [by_header[header] for header in raw.headers] if whole else None
    lines = [(first_seq + line.row, line) for line in raw.broken]
    return broken_rows(lines, names, table=table_name, file=raw.name, reading=reading)


def _room(raw: RawFile) -> int:
    """How many places in line a file takes: as many as it has lines."""
    last = int(raw.frame[ROW].max() or 0) if raw.frame.width else 0  # type: ignore[arg-type]
    return max(last, raw.frame.height, *(line.row for line in raw.broken), 0) + 1


def _named(cells: pl.DataFrame) -> list[str]:
    return [name for name in cells.columns if name not in (ROW, FILE, INDEX)]


def _counted(bad: pl.DataFrame) -> tuple[tuple[str, str, int], ...]:
    counts = bad.group_by("column", "rule", maintain_order=True).len()
    return tuple(counts.sort("len", descending=True, maintain_order=True).iter_rows())


def _absent_headers(raw: RawFile, entry: TableMapping) -> list[str]:
    """Headers of the mapping that this file lacks; where a table has several files each has its own."""
    absent = [header for header, target in entry.columns.items() if target and header not in raw.headers]
    if len(entry.files) > 1:
        filled = {entry.columns[header] for header in raw.headers if header in entry.columns} | entry.constants.keys()
        absent = [header for header in absent if entry.columns[header] not in filled]
    return [f"the mapping names columns that the file does not have: {', '.join(absent)}"] if absent else []
