"""The tables that people hand to the commands about effects: read as they come, and the list of when what was measured.

CSV in any of the usual encodings and separators goes through the reader of the import, so that a trial exported from a
Chinese or a European spreadsheet needs no conversion. "None" in a column of words is a word: it is often the name of
the control arm, and a reader that takes it for a blank loses the whole arm.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import FixableError
from features.intake.reading import FILE, ROW, read
from training.effect_columns import EARLY, LATE, plain_name

KINDS = (".csv", ".tsv", ".txt", ".parquet", ".dta")
BLANK = {"", "na", "n/a", "nan", "null", "#n/a", "<na>", ".", "-", "--"}
COLUMN_NAMES = ("column", "variable", "var", "name", "field", "列", "列名", "变量", "字段")
WHEN_NAMES = (
    "measured_on", "measured", "measured_at", "when", "date", "day", "timing", "time", "wave",
    "测量日", "测量日期", "时间",
)  # fmt: skip


def read_table(path: Path) -> pd.DataFrame:
    """Return a table from CSV, TSV, Parquet or Stata. Raises ``FixableError`` when it cannot be read."""
    kind = path.suffix.lower()
    if kind not in KINDS:
        hint = [f"one of: {', '.join(KINDS)}", "a sheet of Excel: save it as CSV (UTF-8)"]
        raise FixableError(f"{path} is of a kind that cannot be read.", hint)
    try:
        if kind == ".parquet":
            rows = pd.read_parquet(path)
        elif kind == ".dta":
            rows = pd.read_stata(path)
        else:
            rows = _from_text(path)
    except (OSError, ValueError) as problem:
        raise FixableError(f"{path} cannot be read: {problem}") from problem
    return rows.rename(columns={column: str(column).strip() for column in rows.columns})


def _from_text(path: Path) -> pd.DataFrame:
    found = read(path, str(path))
    if found.broken:
        first = [f"row {line.row} has {len(line.cells)} cells" for line in found.broken[:5]]
        raise FixableError(f"{path}: {len(found.broken)} rows do not have {len(found.headers)} cells.", first)
    if not len(found.frame):
        raise FixableError(f"{path} holds no rows.")
    frame = found.frame.drop(ROW, FILE)
    return pd.DataFrame({column: _typed(frame[column].to_list(), column) for column in frame.columns})


def _typed(cells: list[Any], name: str) -> pd.Series:
    """Return numbers where every cell is one (a decimal comma too), yes and no where every cell says so, else words."""
    text = pd.Series(cells, dtype="object", name=name)
    text = text.where(~text.astype("string").str.strip().str.lower().isin(BLANK).fillna(True), None)
    known = text.dropna()
    spoken = known[~known.str.lower().isin(["none"])]
    for candidate in (spoken, spoken.str.replace(",", ".", regex=False)):
        if len(candidate) and candidate.str.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*").all():
            if candidate.str.fullmatch(r"\s*0\d+\s*").any():  # a code: 007 is no number
                break
            numbers = pd.to_numeric(candidate)
            return numbers if len(numbers) == len(text) else numbers.astype(float).reindex(text.index)
    if len(spoken) and spoken.str.lower().isin(["true", "false"]).all() and len(spoken) == len(text):
        return text.str.lower() == "true"
    return text


def measured_list(path: Path) -> dict[str, date | str]:
    """Return column → the day of its measurement, or "before" or "after", from a table of two columns or more."""
    listed = read_table(path)
    heads = {plain_name(column): column for column in listed.columns}
    name = next((heads[n] for n in COLUMN_NAMES if n in heads), None)
    when = next((heads[n] for n in WHEN_NAMES if n in heads), None)
    if name is None or when is None:
        raise FixableError(
            f"{path} lacks columns:", ["column and measured_on", f"it has: {', '.join(map(str, listed.columns))}"]
        )
    known = listed.dropna(subset=[name, when])
    out, problems = dict[str, date | str](), []
    for column, said in zip(known[name].astype(str), known[when].astype(str), strict=True):
        day = day_or_word(said)
        if day is None:
            problems.append(f"{column}: {said!r} is neither a day like 2024-06-30, nor before (baseline) or after")
        else:
            out[column.strip()] = day
    if problems:
        raise FixableError(f"{path} cannot be read as a list of when what was measured:", problems)
    return out


def day_or_word(said: str) -> date | str | None:
    """Return a day, "before" or "after"; None when it is none of them.

    >>> day_or_word("2024-06-30"), day_or_word("baseline survey"), day_or_word("six months after")
    (datetime.date(2024, 6, 30), 'before', 'after')
    """
    try:
        return date.fromisoformat(said.strip()[:10].replace("/", "-"))
    except ValueError:
        plain = plain_name(said)
    if EARLY.search(plain):
        return "before"
    return "after" if LATE.search(plain) else None
