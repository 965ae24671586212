"""An organisation's files, headers and values, told in our names: the mapping file (TOML), read and applied.

    [tables.exits]
    files = ["离职*.csv"]                     # left out: the file that is called like the table
    date_format = "%d/%m/%Y"                  # left out: found from the values
    [tables.exits.columns]
    "工号" = "employee_id"
    "备注" = ""                               # left out on purpose
    [tables.exits.values.kind]
    "主动离职" = "voluntary"
    [tables.positions.own.x_shift]            # a column of your own
    kind = "category"
    driver = "workload"
    words_en = "works the {value} shift"
    words_zh = "{value}班"
    [tables.positions.constants]
    happened_on = "@file"                     # the date in the name of the file: 花名册_20230430.csv

Every part may be left out: headers in English and Chinese that mean one thing only are understood without it.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from features.cards import DRIVERS
from features.errors import FixableError
from features.intake.refused import Refusal, refusal
from features.intake.synonyms import columns_by_name, left_aside, plain, second_names, tables_by_name
from features.intake.units import header_factor, header_unit
from features.tables import BOOKKEEPING, TABLES, OwnColumn

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
FILE_NAME = "mapping.toml"
FROM_FILE = "@file"
"""A constant that stands for the date in the name of each file."""


@dataclass(frozen=True)
class TableMapping:
    """How one table is written by the organisation; see the example at the top of this file."""

    files: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    date_format: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    time_zone: str | None = None
    only_if: str | None = None


@dataclass(frozen=True)
class Mapping:
    """The whole mapping file: one entry per table, and the own columns that become features."""

    tables: dict[str, TableMapping] = field(default_factory=dict)
    own: tuple[OwnColumn, ...] = ()

    def table(self, name: str) -> TableMapping:
        """The entry of one table; an empty one when the file does not speak of it."""
        return self.tables.get(name, TableMapping())


@dataclass(frozen=True)
class Source:
    """One file or folder of parts, the table that it holds, and its name in reports."""

    path: Path
    name: str
    table: str


@dataclass(frozen=True)
class Assigned:
    """Which header fills which column, and the headers that fill none, each with its reason."""

    columns: dict[str, str]
    refused: tuple[Refusal, ...]
    unknown: tuple[tuple[str, str], ...]


def load(path: Path) -> Mapping:
    """The mapping in a TOML file. Raises FixableError that lists everything wrong with it."""
    try:
        return parse(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise FixableError(f"{path.name} is not a readable TOML file: {error}") from error


def parse(text: str) -> Mapping:
    """The mapping in a TOML text; see ``load``."""
    raw = tomllib.loads(text)
    problems = [f"[{key}] is not known; tables stand under [tables.…]" for key in raw if key != "tables"]
    tables: dict[str, TableMapping] = {}
    own: list[OwnColumn] = []
    for name, entry in raw.get("tables", {}).items():
        if name not in TABLES:
            problems.append(f"[tables.{name}]: there is no such table; the tables are {', '.join(TABLES)}")
            continue
        declared, wrong = _own_columns(name, entry.pop("own", {}))
        own += declared
        problems += wrong + _wrong_entries(name, entry, {column.name for column in declared})
        if not problems:
            tables[name] = _table_mapping(entry)
    if problems:
        raise FixableError("the mapping file cannot be used yet", problems)
    return Mapping(tables, tuple(own))


def sources(folder: Path, mapping: Mapping) -> tuple[list[Source], list[tuple[str, str]]]:
    """What is to be imported from a folder, in the order of the tables, and the files left aside with the reason."""
    if not folder.is_dir():
        raise FixableError(f"{folder} is not a folder")
    found: list[Source] = []
    aside: list[tuple[str, str]] = []
    names = tables_by_name()
    listed = {name for name, entry in mapping.tables.items() if entry.files}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_", "~")) or path.name == FILE_NAME:
            continue
        tables = [name for name in TABLES if any(path.match(p) for p in mapping.table(name).files)]
        if not tables:
            guess = names.get(plain(path.stem)) or names.get(plain(path.stem).rstrip("0123456789"))
            tables = [guess] if guess and guess not in listed else []
        parts = path.is_dir() and any(path.rglob("*.parquet"))
        if tables and (parts or path.suffix.lower() in SUFFIXES):
            found += [Source(path, path.name, table) for table in tables]
        else:
            aside.append((path.name, _why_aside(path, bool(tables))))
    return sorted(found, key=lambda source: list(TABLES).index(source.table)), aside


def assign(table_name: str, headers: Sequence[str], mapping: TableMapping, own: Iterable[OwnColumn]) -> Assigned:
    """Columns for headers: as the mapping says, by our own names, then by words that mean one column only.

    A header on the deny-list fills nothing, whatever the mapping says; neither does one that nobody knows.
    """
    by_name = columns_by_name(table_name)
    ours = {*TABLES[table_name].names(), "known_on", *(c.name for c in own if c.table == table_name)}
    open_table = table_name == "protected"
    refused = [
        found
        for header in headers
        if plain(header) not in by_name and (found := refusal(header, protected_table=open_table)) is not None
    ]
    left = [h for h in headers if h not in {r.header for r in refused} and mapping.columns.get(h) != ""]
    said: dict[str, list[str]] = {}
    for header in left:
        if target := mapping.columns.get(header):
            said.setdefault(target, []).append(header)
    claims = {target: headers for target, headers in said.items() if len(headers) > 1}
    columns = {h: h for h in left if h in ours and h not in mapping.columns and h not in said}
    columns |= {target: headers[0] for target, headers in said.items() if target not in claims}
    for names in (by_name, second_names(table_name)):
        for header in (header for header in left if header not in mapping.columns):
            target = names.get(plain(header))
            free = target and target not in columns and header not in columns.values()
            if free and _convertible(table_name, str(target), header) and (names is by_name or target not in claims):
                claims.setdefault(str(target), []).append(header)
        columns |= {target: claimed[0] for target, claimed in claims.items() if len(claimed) == 1}
    rest = [header for header in left if header not in columns.values()]
    if open_table:
        columns |= {slug: h for h in rest if (slug := _slug(h)) and slug not in BOOKKEEPING and slug not in columns}
        rest = [header for header in rest if header not in columns.values()]
    unknown = tuple((header, _hint(header, table_name, claims)) for header in rest)
    return Assigned(columns, tuple(refused), unknown)


def _convertible(table_name: str, column: str, header: str) -> bool:
    """Whether the unit that the header names, if any, can be told in the unit of the column."""
    unit = TABLES[table_name].column(column).unit if column in TABLES[table_name].names() else ""
    return header_factor(header, unit) is not None


def _table_mapping(entry: dict[str, Any]) -> TableMapping:
    """An entry that was found right; values and constants become text, as the cells of a file are."""
    values = {c: {text: _written(v) for text, v in line.items()} for c, line in entry.get("values", {}).items()}
    constants = {column: _written(value) for column, value in entry.get("constants", {}).items()}
    files = tuple(entry.get("files", ()))
    return TableMapping(**{**entry, "files": files, "values": values, "constants": constants})


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _own_columns(table_name: str, entries: dict[str, Any]) -> tuple[list[OwnColumn], list[str]]:
    columns, problems = [], []
    for name, entry in entries.items():
        place = f"[tables.{table_name}.own.{name}]"
        if not re.fullmatch(r"x_[a-z0-9_]{1,60}", name):
            problems.append(f"{place}: the name must be x_ and small letters, digits or _")
        if found := refusal(name):
            problems.append(f"{place}: {found.topic} is never accepted: {found.reason_en}")
        if entry.get("kind") not in ("number", "category"):
            problems.append(f'{place}: kind must be "number" or "category"')
        if entry.get("driver", "context") not in DRIVERS:
            problems.append(f"{place}: driver must be one of {', '.join(DRIVERS)}")
        if strange := set(entry) - {"kind", "driver", "words_en", "words_zh"}:
            problems.append(f"{place}: {', '.join(sorted(strange))} is not known")
        elif not problems:
            columns.append(OwnColumn(table_name, name, **entry))
    return columns, problems


_SHAPES: dict[str, type] = {
    "files": list,
    "columns": dict,
    "values": dict,
    "dates": dict,
    "constants": dict,
    "date_format": str,
    "decimal": str,
    "encoding": str,
    "time_zone": str,
    "only_if": str,
}


def _wrong_entries(table_name: str, entry: dict[str, Any], own: set[str]) -> list[str]:
    """Everything wrong with one table's entry, one sentence each."""
    place, table = f"[tables.{table_name}]", TABLES[table_name]
    ours = {*table.names(), "known_on", *own}
    problems = [f"{place} {key}: not known; one of {', '.join(_SHAPES)}" for key in entry if key not in _SHAPES]
    problems += [
        f"{place} {key}: should be a {s.__name__}" for key, s in _SHAPES.items() if type(entry.get(key, s())) is not s
    ]
    if problems:
        return problems
    targets = [t for t in entry.get("columns", {}).values() if t]
    for key, names in (("columns", targets), *((k, entry.get(k, {})) for k in ("values", "dates", "constants"))):
        for name in names:
            if name not in ours and not (key in ("columns", "values") and table_name == "protected"):
                near = difflib.get_close_matches(str(name), sorted(ours), 1)
                problems.append(f"{place} {key}: no column {name}" + (f"; is {near[0]} meant?" if near else ""))
    if len(entry.get("files", ())) < 2:  # of several files each may have its own header for a column
        problems += [f"{place} columns: {t} is given twice" for t in sorted(set(targets)) if targets.count(t) > 1]
    for header, target in entry.get("columns", {}).items():
        if target and plain(header) not in columns_by_name(table_name):
            found = refusal(header, protected_table=table_name == "protected")
            problems += (
                [f"{place} columns: {header}: {found.topic} is never accepted: {found.reason_en}"] if found else []
            )
    for column, values in entry.get("values", {}).items():
        allowed = table.column(column).allowed if column in table.names() else ()
        for text, value in values.items():
            if allowed and value not in (*allowed, ""):
                problems.append(f"{place} values.{column}: {text} → {value}: must be one of {', '.join(allowed)}")
    if entry.get("decimal", ".") not in (".", ","):
        problems.append(f'{place} decimal: must be "." or ","')
    return problems


def _why_aside(path: Path, known: bool) -> str:
    if found := refusal(path.stem):
        return f"never accepted ({found.topic}): {found.reason_en}"
    if path.suffix.lower() in (".xlsx", ".xls", ".et"):
        return "a spreadsheet; save it as CSV (UTF-8)"
    if known:
        return "not a CSV or Parquet file"
    near = difflib.get_close_matches(plain(path.stem), tables_by_name(), 1, 0.75)
    hint = f"; is it `{tables_by_name()[near[0]]}`?" if near else ""
    return f"no table of this name{hint} A mapping can say which table it holds"


def _hint(header: str, table_name: str, claims: dict[str, list[str]]) -> str:
    """What the user can do about a header that was not taken."""
    for target, claimed in claims.items():
        if header in claimed:
            return f"several columns could be `{target}`: {', '.join(claimed)}; say in the mapping which one is"
    meant = columns_by_name(table_name).get(plain(header)) or second_names(table_name).get(plain(header))
    if meant and not _convertible(table_name, meant, header):
        unit = TABLES[table_name].column(meant).unit
        return f"its unit is {header_unit(header)}, `{meant}` is in {unit}: convert it in the export"
    if why := left_aside().get(plain(header)):
        return why
    if header.startswith("x_"):
        return f"an own column has to be declared in the mapping: [tables.{table_name}.own.{header}]"
    others = [name for name in TABLES if name != "protected" and plain(header) in columns_by_name(name)]
    if others and len(others) <= 3:
        return f"not part of `{table_name}`; `{columns_by_name(others[0])[plain(header)]}` of `{others[0]}`?"
    near = difflib.get_close_matches(plain(header), columns_by_name(table_name), 1, 0.75)
    return f"is `{columns_by_name(table_name)[near[0]]}` meant?" if near else "not part of this table"


def _slug(header: str) -> str:
    """A column name for ``protected``, whose columns are free."""
    return re.sub(r"\W+", "_", unicodedata.normalize("NFKC", header).casefold()).strip("_")
