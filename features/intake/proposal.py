"""A mapping file proposed from an organisation's own headers and values, for a person to correct.

Nothing is decided for good here: what was recognised is written out, what was not stands as a comment. No value of a
refused column appears.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from features.errors import FixableError
from features.intake.grades import grades, rungs
from features.intake.parsing import Reading, date_order, means_nothing, parse, parse_numbers
from features.intake.periods import file_day
from features.intake.reading import RawFile, read
from features.intake.synonyms import plain, values_by_name
from features.mapping import FILE_NAME, FROM_FILE, SUFFIXES, Assigned, TableMapping, assign, sources
from features.mapping import Mapping as MappingFile
from features.tables import TABLES, Column

_MOST_VALUES = 30
_LONGEST_VALUE = 40
_SHARED = ("employees", "positions", "exits")
_POST = {"department", "job", "level", "manager_id", "pay"}
"""What a roster tells of somebody's post beside who somebody is."""


def propose(folder: Path) -> str:
    """The text of a mapping file (TOML) for the exports in a folder: ready to use where all was recognised."""
    named, aside = sources(folder, MappingFile())
    files = [(source.path, source.table) for source in named]
    known = {path for path, _ in files}
    lines = [
        f"# Proposed from the headers in {folder.name}. Correct it and save it as {FILE_NAME} beside the files.",
        "",
    ]
    for path in sorted(folder.iterdir()):
        if path not in known and path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "_", "~")):
            table = _best_table(path)
            if table is not None:
                files.append((path, table))
                aside = [(name, why) for name, why in aside if name != path.name]
    raws = {path: read(path, path.name) for path, _ in files}
    files += _second_tables(raws, files)
    for table in TABLES:
        mine = [raws[path] for path, name in files if name == table]
        if mine:
            feeds = {raw.name: [name for path, name in files if raws[path] is raw] for raw in mine}
            lines += [*_table_lines(_Section(table, tuple(mine), feeds)), ""]
    lines += [f"# {name}: left aside, {why}" for name, why in aside]
    if open_questions := [line for line in lines if "# required: " in line]:
        lines.insert(1, f"# Before the import, answer what is required ({len(open_questions)}): search for `required`.")
    return "\n".join(lines).rstrip() + "\n"


def _second_tables(raws: Mapping[Path, RawFile], files: Sequence[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """What a file holds beside its own table: a list of leavers has their hiring dates, without which nobody knows
    them; a roster has everybody's post, and sometimes who left."""
    there = {table for _, table in files}
    found: list[tuple[Path, str]] = []
    for path, table in files:
        columns = {name: set(assign(name, raws[path].headers, TableMapping(), ()).columns) for name in _SHARED}
        if table == "exits" and {"employee_id", "hired_on"} <= columns["employees"]:
            found.append((path, "employees"))
        if table == "employees" and columns["positions"] & _POST:
            found.append((path, "positions"))
        if table == "employees" and "exits" not in there and {"happened_on", "kind"} <= columns["exits"]:
            found.append((path, "exits"))
    return found


def _best_table(path: Path) -> str | None:
    """The table whose required columns a file of an unknown name has, and the most of the others."""
    try:
        headers = read(path, path.name).headers
    except FixableError:
        return None
    best, most = None, 0
    for name, table in TABLES.items():
        found = set(assign(name, headers, TableMapping(), ()).columns)
        needed = {column.name for column in table.columns if column.required}
        if name != "protected" and needed <= found and len(found) > most:
            if table.one_of and not found.intersection(table.one_of):
                continue
            best, most = name, len(found)
    return best


@dataclass(frozen=True)
class _Section:
    """One table and what its files say of it, file by file: the same column may stand under another header in each."""

    table: str
    raws: tuple[RawFile, ...]
    feeds: Mapping[str, Sequence[str]]

    @cached_property
    def found(self) -> tuple[Assigned, ...]:
        return tuple(assign(self.table, raw.headers, TableMapping(), ()) for raw in self.raws)

    @cached_property
    def columns(self) -> dict[str, str]:
        """Header → our column, over all files."""
        return {header: name for one in self.found for name, header in one.columns.items()}

    @cached_property
    def elsewhere(self) -> dict[str, str]:
        """Header → the other table that takes it from the same file."""
        others = ((name, raw) for raw in self.raws for name in self.feeds[raw.name] if name != self.table)
        return {h: name for name, raw in others for h in assign(name, raw.headers, TableMapping(), ()).columns.values()}

    @cached_property
    def unknown(self) -> dict[str, str]:
        """Header that no table takes → hint."""
        return {h: hint for one in self.found for h, hint in one.unknown if h not in self.columns}

    def cells(self, *headers: str) -> pl.Series:
        """The texts under these headers, from all files."""
        parts = [raw.frame[h].alias("text") for raw in self.raws for h in headers if h in raw.headers]
        return pl.concat(parts) if parts else pl.Series("text", [], dtype=pl.String)

    def texts(self, name: str) -> pl.Series:
        """The different texts of one of our columns."""
        headers = [header for header, column in self.columns.items() if column == name]
        return self.cells(*headers).drop_nulls().unique().sort()


def _table_lines(section: _Section) -> Iterator[str]:
    """The section of one table, from all its files."""
    table = section.table
    yield f"[tables.{table}]  # {TABLES[table].meaning_en} · {TABLES[table].meaning_zh}"
    yield f"files = [{', '.join(json.dumps(raw.name, ensure_ascii=False) for raw in section.raws)}]"
    if table == "exits" and any(section.feeds[raw.name][0] == "employees" for raw in section.raws):
        header = section.found[0].columns["happened_on"]
        yield f"only_if = {json.dumps(header, ensure_ascii=False)}  # the roster lists who left"
    names = list(dict.fromkeys(section.columns.values()))
    if any(date_order(section.texts(name)) == "?" for name in names if _is_date(table, name)):
        yield '# date_format = "%d/%m/%Y"  # 03/04/2023 can be read in two ways: keep this one or write "%m/%d/%Y"'
    yield f"[tables.{table}.columns]"
    yield from _column_lines(section)
    undated = [raw for raw, one in zip(section.raws, section.found, strict=True) if "happened_on" not in one.columns]
    if table == "positions" and undated:
        yield from _date_of_a_roster(table, undated)
    for name in names:
        yield from _value_lines(table, name, section.texts(name))
    for header in (header for header in section.unknown if header.startswith("x_")):
        yield from _own_lines(table, header, section.cells(header))


def _date_of_a_roster(table: str, undated: Sequence[RawFile]) -> Iterator[str]:
    """A roster tells the posts of the day of its export. Dated with the hiring date they would be told years early."""
    yield f"[tables.{table}.constants]"
    if all(file_day(raw.name) for raw in undated):
        yield f'happened_on = "{FROM_FILE}"  # the date in the name of the file'
    else:
        yield (
            '# happened_on = "2023-04-30"  # required: the day of the export of the roster, never the hiring date; '
            f'or "{FROM_FILE}" and a file name like 花名册_20230430.csv'
        )


def _column_lines(section: _Section) -> Iterator[str]:
    table = TABLES[section.table]
    for header, name in section.columns.items():
        meaning = table.column(name).meaning_zh if name in table.names() else ""
        yield f'{json.dumps(header, ensure_ascii=False)} = "{name}"' + (f"  # {meaning}" if meaning else "")
    there = set(section.columns.values())
    for column in table.columns:
        dated_below = (table.name, column.name) == ("positions", "happened_on")
        if column.required and column.name not in there and not dated_below:
            yield f'# "?" = "{column.name}"  # required: {column.meaning_en} · {column.meaning_zh}'
    if table.one_of and not there & set(table.one_of):
        yield f'# "?" = "{table.one_of[0]}"  # required: this or {" or ".join(table.one_of[1:])}'
    for header, hint in section.unknown.items():
        start = json.dumps(header, ensure_ascii=False)
        other = section.elsewhere.get(header)
        yield f'{start} = ""  # taken by {other}' if other else f'# {start} = "?"  # {hint}'
    for refused in {one.header: one for found in section.found for one in found.refused}.values():
        yield f"# refused: {refused.header} ({refused.topic}: {refused.reason_en} · {refused.reason_zh})"


def _value_lines(table: str, name: str, texts: pl.Series) -> Iterator[str]:
    """The values of a column with a closed list, and words in a column of numbers, each with ours; those nobody knows
    as a comment."""
    column = TABLES[table].column(name) if name in TABLES[table].names() else None
    if column is None or not (column.allowed or column.kind in ("int", "float")):
        return
    texts = texts.filter(~means_nothing(texts, column) & (texts.str.len_chars() <= _LONGEST_VALUE))
    if column.allowed:
        by_name = values_by_name(table, name) | {plain(value): value for value in column.allowed}
        texts = texts.head(_MOST_VALUES)
        ours = {text: by_name[plain(text)] for text in texts if plain(text) in by_name}
        if all(text in column.allowed for text in texts):
            return
        yield f"[tables.{table}.values.{name}]  # {', '.join(column.allowed)}"
    else:
        texts = texts.filter(parse(texts, column, Reading()).is_null()).head(_MOST_VALUES)
        if not len(texts):
            return
        ours = {text: f"{value:g}" for text, value in (grades(texts) if name == "rating" else rungs(texts)).items()}
        yield f"[tables.{table}.values.{name}]  # {_of_numbers(column, ours)}"
    for text in texts:
        start = json.dumps(text, ensure_ascii=False)
        if text in ours or column.allowed or column.required:
            yield f'{start} = "{ours[text]}"' if text in ours else f'# {start} = "?"'
        else:
            yield f'{start} = ""  # no number: left empty'


def _of_numbers(column: Column, ours: Collection[str]) -> str:
    if column.name == "rating" and ours:
        return "5 is the best; the worth of a grade is yours to say"
    if column.name == "level" and ours:
        return "the number in it; renumber where one ladder stands above another"
    return 'words in a column of numbers: give each its number, or "" for none'


def _own_lines(table: str, header: str, cells: pl.Series) -> Iterator[str]:
    """An own column, as a comment: it becomes a feature only when a person decides so."""
    numbers = parse_numbers(cells.drop_nulls().unique())
    yield f"# [tables.{table}.own.{header}]"
    yield f'# kind = "{"category" if numbers.null_count() or not len(numbers) else "number"}"'
    yield '# driver = "context"'
    yield '# words_en = "{value} …"'
    yield '# words_zh = "{value} …"'


def _is_date(table: str, name: str) -> bool:
    return name == "known_on" or (
        name in TABLES[table].names() and TABLES[table].column(name).kind in ("date", "timestamp")
    )
