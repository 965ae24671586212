"""What is left of the records when one person is taken out of them.

Rows about the person go. In other people's rows the person's number is emptied wherever it stands as a reference
(manager, counterpart, reviewer, giver, decider, own columns), and a note or title that holds the number, name or
address is emptied as a whole. What cannot be found: a nickname, or a team that is called after the person.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import polars as pl

from features.tables import TABLES

_FREE_TEXT = ("note", "title", "place", "interests")
_SHORTEST_MENTION = 3


@dataclass(frozen=True)
class Person:
    """Whom to erase: the number, and the names and addresses that were recorded with it."""

    employee_id: str
    words: tuple[str, ...] = ()

    def pattern(self) -> str:
        """Finds a mention in free text. A Latin word must stand alone (Li is not in Library); Chinese has no spaces.

        A number of one or two digits is not looked for: it would be found in every date.
        """
        forms = ["a^"]  # finds nothing
        long_enough = len(self.employee_id) >= _SHORTEST_MENTION
        for word in (self.employee_id, *self.words) if long_enough else self.words:
            latin = re.fullmatch(r"[\x00-\u024f]+", word)
            forms.append(rf"(?:^|\W|_){re.escape(word)}(?:$|\W|_)" if latin else re.escape(word))
        return "(?i)" + "|".join(forms)


@dataclass(frozen=True)
class ErasureReport:
    """How many rows went, in how many rows of other people a mention was emptied, and how many files were deleted."""

    employee_id: str
    removed: dict[str, int]
    emptied: dict[str, int]
    n_files: int

    def text(self) -> str:
        """The report in plain words, with what is left to do."""
        found = "" if self.removed or self.emptied else " No record of this person was found."
        lines = [f"Erased {self.employee_id}: {self.n_files} files with older states were deleted.{found}"]
        lines += [f"  {name}: {n} rows removed" for name, n in self.removed.items()]
        lines += [f"  {name}: a mention emptied in {n} rows of other people" for name, n in self.emptied.items()]
        lines.append("Take the person out of the exported files too, or the next import brings the records back.")
        return "\n".join(lines)


def erase_from(table_name: str, frame: pl.DataFrame, person: Person) -> tuple[pl.DataFrame, int, int]:
    """The table without the person, the number of rows removed, and of rows in which a mention was emptied."""
    about = pl.col("employee_id") == person.employee_id if "employee_id" in frame.columns else pl.lit(False)
    goals = frame.filter(about)["goal_id"].to_list() if table_name == "goals" else []
    kept = frame.filter(~about)
    required = {column.name for column in TABLES[table_name].columns if column.required}
    texts = [name for name, dtype in kept.schema.items() if dtype == pl.String and name not in required]
    same, free = pl.col(pl.String) == person.employee_id, pl.col(pl.String).str.contains(person.pattern())
    mentions = kept.select(same.fill_null(False)).with_columns(
        kept.select(pl.col([n for n in texts if n in _FREE_TEXT or n.startswith("x_")]))
        .select(free.fill_null(False))
        .get_columns()
    )
    if "parent_goal_id" in kept.columns:
        mentions = mentions.with_columns(kept["parent_goal_id"].is_in(goals).fill_null(False))
    found = [name for name in texts if mentions[name].any()]
    clean = kept.with_columns(pl.when(~mentions[name]).then(pl.col(name)).alias(name) for name in found)
    n_emptied = int(mentions.select(pl.any_horizontal(found)).to_series().sum()) if found else 0
    return clean, frame.height - kept.height, n_emptied


def erase_from_quarantine(frame: pl.DataFrame, person: Person) -> tuple[pl.DataFrame, int, int]:
    """The same for rows that wait for repair: text cells in one JSON object per row, some of them in a wrong place,
    so that a mention is looked for in every cell."""
    pattern, rows, n_emptied = re.compile(person.pattern()), [], 0
    for row in frame.iter_rows(named=True):
        cells = json.loads(row["cells"] or "{}")
        if cells.get("employee_id") == person.employee_id:
            continue
        clean = {k: v for k, v in cells.items() if v != person.employee_id and not pattern.search(v)}
        value = row["value"]
        if value is not None and (value == person.employee_id or pattern.search(value)):
            value = None
        if clean != cells or value != row["value"]:
            n_emptied += 1
            row = row | {"cells": json.dumps(clean, ensure_ascii=False, sort_keys=True), "value": value}
        rows.append(row)
    return pl.DataFrame(rows, schema=frame.schema), frame.height - len(rows), n_emptied
