"""The way back to the records: what people decided about care and what came of it, as the table ``care_actions``.

    steps of all cases ─▶ rows (agreed, done, declined, each with the day it was written down) ─▶ the lake

Only closed lists leave: the state, the number of who decided, and the outcome. Nothing that people wrote is in it, so
nothing of it can ever be analysed. Rows pass the same door as every import; a second run changes nothing.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from features.ingest import import_folder
from features.intake.reports import FileReport
from features.lake import Lake
from features.mapping import Mapping as Headers
from serving.cases_in import FROM_RECORDS
from serving.export import cell

COLUMNS = ("employee_id", "happened_on", "action", "status", "decided_by", "note", "known_on")
TABLE = "care_actions"


def rows(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the table for these steps, oldest first.

    What came from the records does not go back. An outcome is a correction of the day on which it was done, known
    later; something agreed that never happened is declined on the day that was said. ``note`` names the step, so that
    two equal decisions of one day stay two rows.
    """
    told = []
    for step in steps:
        if step["recorded_by"] == FROM_RECORDS:
            continue
        found = _status(step)
        if found is None:
            continue
        status, day, word = found
        told.append(
            {
                "employee_id": step["employee_id"],
                "happened_on": day,
                "action": step["action"],
                "status": status,
                "decided_by": step["by_id"],
                "note": f"step {step['version']}{f': {word}' if word else ''}",
                "known_on": step["at"].date(),
            }
        )
    return told


def _status(step: Mapping[str, Any]) -> tuple[str, date, str] | None:
    """Return status, day and word of a step that changed what was decided or done; ``None`` for all others."""
    name, status = step["step"], step["status"]
    if name == "agree" and status == "agreed":
        return "agreed", step["day"], ""
    if name == "done":
        return "done", step["day"], ""
    if name == "decline":
        return "declined", step["day"], step["reason"] or ""
    if name == "outcome" and step["reason"] == "not_done":
        return "declined", step["day"], "not_done"
    if name == "outcome" and step["done_on"] is not None:
        return "done", step["done_on"], step["reason"] or ""
    return None


def write(told: Sequence[Mapping[str, Any]], file: TextIO) -> None:
    """Write the rows as CSV, no cell of which a spreadsheet runs as a formula."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in told:
        writer.writerow([cell(row[name]) for name in COLUMNS])


def append(lake: Lake, told: Sequence[Mapping[str, Any]], *, today: date) -> FileReport | None:
    """Append the rows to the records through the door of every import; ``None`` when there is nothing to tell."""
    if not told:
        return None
    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / f"{TABLE}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(told)
        return import_folder(Path(folder), lake, mapping=Headers(), today=today).files[0]
