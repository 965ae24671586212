"""Rows that another system posts, one by one, judged like the rows of a file and answered one by one.

A posted row names its columns by our names; nothing is guessed from headers. A row with a column that is never
accepted, or that the table does not have, is refused as a whole and nothing of it is kept: whoever wrote the sender
should learn of it at once, not find out later that a column was passed over.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from features.intake.checks import INDEX, Checked, Known, check, decide, shorten, specs
from features.intake.parsing import Reading
from features.intake.reading import FILE, ROW
from features.intake.refused import refusal
from features.intake.rules import RULES, hints
from features.mapping import TableMapping
from features.tables import TABLES, Column, OwnColumn

Cell = str | int | float | bool | None
LONGEST_CATEGORY = 64
LONGEST_VALUE_TOLD = 200
MOST_GUESSED = 20
"""Names of columns for which a likely one is looked for: a sender who has more of them wrong has another problem."""
_ISO = TableMapping(date_format="%Y-%m-%d")
"""03/04/2026 could be two days, and nobody is there to be asked: only what can be read in one way is taken."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one posted row, and how to mend it. ``value`` is what the sender wrote."""

    column: str
    value: str | None
    rule: str
    wrong_en: str
    wrong_zh: str
    fix_en: str
    fix_zh: str


@dataclass(frozen=True)
class Judged:
    """``checked``: good rows and problems by ``__index``, the place of a row in the request. ``faults``: what is wrong
    with each row that is not good; ``refused``: those of them of which nothing may be kept."""

    checked: Checked
    cells: pl.DataFrame
    reading: Reading
    faults: Mapping[int, tuple[Fault, ...]]
    refused: frozenset[int]


def judge(
    table_name: str, rows: Sequence[Mapping[str, Cell]], known: Known, *, own: Sequence[OwnColumn] = ()
) -> Judged:
    """What is right and what is wrong with each row; the values of good rows are typed and dated."""
    mine = [column for column in own if column.table == table_name]
    ours = {*TABLES[table_name].names(), "known_on", *(column.name for column in mine)}
    categories = {column.name for column in mine if column.kind == "category"}
    strange = _strange({name for row in rows for name in row} - ours, ours)
    closed = {i: wrong for i, row in enumerate(rows) if (wrong := _closed(row, strange, categories))}
    cells = _cells(table_name, [(i, row) for i, row in enumerate(rows) if i not in closed])
    columns = specs(table_name, [name for name in cells.columns if name not in (INDEX, ROW, FILE)], mine)
    cells, _ = shorten(cells, table_name, columns, _ISO)
    reading, _ = decide(cells, columns, _ISO, headers={})
    checked = check(cells, table_name, columns, reading, known)
    by_name = {column.name: column for column in columns}
    faults: dict[int, tuple[Fault, ...]] = dict(closed)
    for index, column, value, rule in checked.problems.select(INDEX, "column", "value", "rule").iter_rows():
        faults[index] = (*faults.get(index, ()), _fault(by_name.get(column), column, value, rule))
    return Judged(checked, cells, reading, faults, frozenset(closed))


def _cells(table_name: str, rows: Sequence[tuple[int, Mapping[str, Cell]]]) -> pl.DataFrame:
    """The rows as text cells, as a file would hold them, with every column that the table requires."""
    table = TABLES[table_name]
    required = [column.name for column in table.columns if column.required]
    names = list(dict.fromkeys([*required, *table.one_of, *(name for _, row in rows for name in row)]))
    texts = {name: [text_of(row.get(name)) for _, row in rows] for name in names}
    places = {ROW: [i + 1 for i, _ in rows], FILE: ["posted"] * len(rows), INDEX: [i for i, _ in rows]}
    schema = {**dict.fromkeys(names, pl.String), ROW: pl.Int64, FILE: pl.String, INDEX: pl.Int64}
    return pl.DataFrame({**texts, **places}, schema=schema)


def text_of(cell: Cell) -> str | None:
    """A JSON value as the text that a file would hold; surrounding blanks are nobody's meaning."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    text = cell.strip() if isinstance(cell, str) else repr(cell)
    # A NUL ends a text for some of the programs on the way; the row is told to be damaged.
    return text.replace("\x00", "\ufffd") or None


def _closed(row: Mapping[str, Cell], strange: Mapping[str, Fault], categories: set[str]) -> tuple[Fault, ...]:
    """Why nothing of the row may be kept: columns that are never accepted or unknown, free text in a category."""
    long = [n for n, v in row.items() if n in categories and isinstance(v, str) and len(v) > LONGEST_CATEGORY]
    return (*(strange[name] for name in row if name in strange), *(_free_text(name) for name in long))


def _strange(names: set[str], ours: set[str]) -> dict[str, Fault]:
    """What is wrong with each name that is not ours; looked at once per request, however many rows carry it."""
    return {name: _not_ours(name, ours, guess=i < MOST_GUESSED) for i, name in enumerate(sorted(names))}


def _not_ours(name: str, ours: set[str], *, guess: bool) -> Fault:
    told = name[:100]
    if (found := refusal(name)) is not None:
        wrong = (f"never accepted ({found.topic}): {found.reason_en}", f"从不接受：{found.reason_zh}")
        return Fault(told, None, "never_accepted", *wrong, "leave the column out of what you send", "请不要发送该列")
    near = difflib.get_close_matches(name, sorted(ours), 1) if guess else []
    meant = (f"; is {near[0]} meant?", f"；是否应为 {near[0]}？") if near else ("", "")
    fix = ("leave it out, or declare it in the mapping file as an own column", "请去掉该列，或在映射文件中声明")
    words = ("the table has no such column", "该表没有此列")
    return Fault(told, None, "unknown_column", *words, fix[0] + meant[0], fix[1] + meant[1])


def _free_text(name: str) -> Fault:
    return Fault(
        name,
        None,
        "free_text",
        "a long text, and what people write is never read",
        "长文本；员工所写内容从不读取",
        f"send a short category of at most {LONGEST_CATEGORY} characters",
        f"请发送不超过 {LONGEST_CATEGORY} 个字符的类别",
    )


def _fault(column: Column | None, name: str, value: str | None, rule: str) -> Fault:
    told = None if value is None else value[:LONGEST_VALUE_TOLD]
    return Fault(name, told, rule, RULES[rule].wrong_en, RULES[rule].wrong_zh, *hints(rule, column))
