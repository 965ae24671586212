"""Everything that is kept about one person, for the person: the answer to a request under Article 15 of the GDPR."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from features.lake import Lake
from serving import store_contest, store_log, store_people
from serving.store import Transaction


def kept(tx: Transaction, employee_id: str) -> dict[str, Any]:
    """Return what the service itself keeps. Numbers of the assessment are the person's own and are in it."""
    run = store_people.current_run(tx)
    readers = store_log.entries_about(tx, employee_id, limit=100_000)
    return {
        "employee": store_contest.person_of(tx, employee_id),
        "assessment": store_people.score_of(tx, run["id"], employee_id) if run else None,
        "overrides": store_contest.overrides_of(tx, employee_id),
        "care": store_contest.care_of(tx, employee_id),
        "withdrawal_events": store_contest.withdrawals_of(tx, employee_id, today=date.min),
        "objections": store_contest.contests_of(tx, employee_id),
        "readers": [{name: row[name] for name in ("at", "actor", "action", "purpose", "result")} for row in readers],
    }


def records(lake: Path, employee_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return every record of the lake that carries the person's number as its employee, by table."""
    found: dict[str, list[dict[str, Any]]] = {}
    if not lake.exists():
        return found
    for name, frame in Lake(lake).read().items():
        if "employee_id" in frame.collect_schema().names():
            rows = frame.filter(pl.col("employee_id") == employee_id).collect()
            found[name] = rows.to_dicts()
    return found
