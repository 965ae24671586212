"""What leaves as CSV: the hiring ledger, which is about groups, and cells that no spreadsheet runs. Never a score."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from models.hiring import LEDGER_COLUMNS, ledger_rows

FORMULA = ("=", "+", "-", "@", "%", "|", "\t", "\r", "\0", "＝", "＋", "－", "＠")
"""A cell that starts like this would be run as a formula by a spreadsheet."""


def write_ledger(lines: Sequence[Mapping[str, Any]], file: TextIO) -> int:
    """Write one row per group and month end by which more hires are needed; return how many."""
    writer = csv.writer(file)
    writer.writerow(LEDGER_COLUMNS)
    rows = ledger_rows(lines)
    for row in rows:
        writer.writerow([cell(row[name]) for name in LEDGER_COLUMNS])
    return len(rows)


def cell(value: Any) -> str:
    """Return a cell that no spreadsheet runs as a formula; numbers stay numbers.

    >>> cell("=1+1"), cell("-3.5"), cell(None)
    ("'=1+1", '-3.5', '')
    """
    text = "" if value is None else str(value)
    number = text.removeprefix("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text.lstrip(" \"'").startswith(FORMULA) and not number else text
