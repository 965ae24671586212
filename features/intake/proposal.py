"""A mapping file proposed from an organisation's own headers and values, for a person to correct.

Nothing is decided for good here: what was recognised is written out, what was not stands as a comment. No value of a
refused column appears.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from features.errors import FixableError
from features.intake.parsing import date_order, means_nothing, parse_numbers
from features.intake.reading import RawFile, read
from features.intake.synonyms import plain, values_by_name
from features.mapping import FILE_NAME, SUFFIXES, Assigned, Mapping, TableMapping, assign, sources
from features.tables import TABLES

_MOST_VALUES = 30
_LONGEST_VALUE = 40


def propose(folder: Path) -> str:
    """The text of a mapping file (TOML) for the exports in a folder: ready to use where all was recognised."""
    named, aside = sources(folder, Mapping())
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
    for table in TABLES:
        raws = [(path, read(path, path.name)) for path, name in files if name == table]
        if raws:
            lines += [*_table_lines(table, raws), ""]
    lines += [f"# {name}: left aside, {why}" for name, why in aside]
    return "\n".join(lines).rstrip() + "\n"


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


def _table_lines(table: str, raws: Sequence[tuple[Path, RawFile]]) -> Iterator[str]:
    """The section of one table, from all its files."""
    names = ", ".join(json.dumps(path.name, ensure_ascii=False) for path, _ in raws)
    headers = list(dict.fromkeys(header for _, raw in raws for header in raw.headers))
    found = assign(table, headers, TableMapping(), ())
    cells = pl.concat([raw.frame.select(raw.headers) for _, raw in raws if raw.headers], how="diagonal")
    yield f"[tables.{table}]  # {TABLES[table].meaning_en} · {TABLES[table].meaning_zh}"
    yield f"files = [{names}]"
    dates = [name for name in found.columns if _is_date(table, name)]
    if any(date_order(cells[found.columns[name]].drop_nulls().unique()) == "?" for name in dates):
        yield '# date_format = "%d/%m/%Y"  # 03/04/2023 can be read in two ways: keep this one or write "%m/%d/%Y"'
    yield f"[tables.{table}.columns]"
    yield from _column_lines(table, found)
    for name, header in found.columns.items():
        yield from _value_lines(table, name, cells[header])
    for header in (header for header, _ in found.unknown if header.startswith("x_")):
        yield from _own_lines(table, header, cells[header])


def _column_lines(table: str, found: Assigned) -> Iterator[str]:
    for name, header in found.columns.items():
        meaning = TABLES[table].column(name).meaning_zh if name in TABLES[table].names() else ""
        yield f'{json.dumps(header, ensure_ascii=False)} = "{name}"' + (f"  # {meaning}" if meaning else "")
    for column in TABLES[table].columns:
        if column.required and column.name not in found.columns:
            yield f'# "?" = "{column.name}"  # required: {column.meaning_en} · {column.meaning_zh}'
    one_of = TABLES[table].one_of
    if one_of and not found.columns.keys() & set(one_of):
        yield f'# "?" = "{one_of[0]}"  # required: this or {" or ".join(one_of[1:])}'
    for header, hint in found.unknown:
        yield f'# {json.dumps(header, ensure_ascii=False)} = "?"  # {hint}'
    for refused in found.refused:
        yield f"# refused: {refused.header} ({refused.topic}: {refused.reason_en} · {refused.reason_zh})"


def _value_lines(table: str, name: str, cells: pl.Series) -> Iterator[str]:
    """The values of a column with a closed list, each with ours; those nobody knows as a comment."""
    column = TABLES[table].column(name) if name in TABLES[table].names() else None
    if column is None or not column.allowed:
        return
    texts = cells.drop_nulls().unique().sort()
    texts = texts.filter(~means_nothing(texts, column) & (texts.str.len_chars() <= _LONGEST_VALUE)).head(_MOST_VALUES)
    by_name = values_by_name(table, name) | {plain(value): value for value in column.allowed}
    if all(text in column.allowed for text in texts):
        return
    yield f"[tables.{table}.values.{name}]  # {', '.join(column.allowed)}"
    for text in texts:
        ours = by_name.get(plain(text))
        start = json.dumps(text, ensure_ascii=False)
        yield f'{start} = "{ours}"' if ours else f'# {start} = "?"'


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
