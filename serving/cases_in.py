"""The way in: care that is on record already becomes cases, so that nothing agreed elsewhere is forgotten here.

    the table care_actions ─▶ who was promised or given what within half a year ─▶ cases as they stand, with their steps

Only what the records say is taken over: the day, the action, how far it went, the number of who decided. A consent or
an outcome that is not on record is asked for on the page. A second run adds nothing, and what came this way never goes
back to the records a second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from serving import cases, store_cases, store_people
from serving.case_service import Catalog, lead_for
from serving.cases import Actor, Case, Move
from serving.store import Transaction
from serving.store_cases import Step
from serving.store_people import Sight

TABLE = "care_actions"
RECENT_DAYS = 180
FROM_RECORDS = "records"
"""Who wrote a step down that came with the records."""
NOTE = "From the records"
ORDER = {"agreed": 0, "done": 1, "declined": 2}


@dataclass(frozen=True)
class Taken:
    """How many cases were made, and how many were left out: known already, of people or actions nobody knows here."""

    made: int
    known: int
    unknown: int


def recent(table: pl.LazyFrame, *, today: date) -> list[list[dict[str, Any]]]:
    """Return what happened to each person and action within half a year before ``today``, in the order of its days.

    One begins when it is agreed or declined: a second agreement on the same action is a second case.
    """
    since = today - timedelta(days=RECENT_DAYS)
    wanted = table.filter(pl.col("status").is_in(list(ORDER)), pl.col("happened_on").is_between(since, today))
    rows = wanted.select("employee_id", "action", "happened_on", "status", "decided_by").collect().to_dicts()
    rows.sort(key=lambda row: (row["employee_id"], row["action"], row["happened_on"], ORDER[row["status"]]))
    found: list[list[dict[str, Any]]] = []
    for row in rows:
        same = bool(found) and all(found[-1][0][key] == row[key] for key in ("employee_id", "action"))
        goes_on = same and found[-1][-1]["status"] == "agreed" and row["status"] != "agreed"
        if goes_on:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def take_over(
    tx: Transaction, told: Sequence[Sequence[Mapping[str, Any]]], *, catalog: Catalog, now: datetime
) -> Taken:
    """Write the cases that are not there yet and return how many."""
    counts = {"made": 0, "known": 0, "unknown": 0}
    for rows in told:
        first = rows[0]
        person = store_people.visible_person(tx, Sight("everyone"), first["employee_id"])
        if person is None or first["action"] not in catalog:
            counts["unknown"] += 1
            continue
        begun = first["happened_on"]
        if store_cases.is_known(tx, first["employee_id"], first["action"], since=begun):
            counts["known"] += 1
            continue
        case = _opened(tx, first, person, catalog[first["action"]])
        steps = _steps(tx, case, rows, now=now)
        counts["made" if store_cases.add(tx, steps[-1][0], steps) else "known"] += 1
    return Taken(**counts)


def _opened(tx: Transaction, row: Mapping[str, Any], person: Mapping[str, Any], facts: Mapping[str, Any]) -> Case:
    sides = cases.SIDES[facts["who_decides"]]
    return Case(
        id=store_cases.new_id(),
        employee_id=row["employee_id"],
        action=row["action"],
        title=None,
        origin="own",
        sides=sides,
        days=int(facts["days"]),
        needs_consent=bool(facts["consent"]),
        lead_id=lead_for(tx, sides, person),
        opened_on=row["happened_on"],
        due_on=cases.first_due(row["happened_on"]),
    )


def _steps(tx: Transaction, case: Case, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> list[tuple[Case, Step]]:
    """Return the case after each thing on record, with the step that says so."""
    out = [(case, _step("suggest", rows[0], rows[0]["decided_by"] or "", now))]
    for row in _whole(rows):
        number = row["decided_by"]
        name = store_cases.employed(tx, [number]).get(number, number) if number else ""
        actor = Actor(name, number, case.sides)
        case = _moved(out[-1][0], row, actor)
        out.append((case, _step(_word(row["status"]), row, name, now)))
    # Nobody was asked here yet: what was due before today is due in two weeks, not years late on the first day.
    if case.due_on is not None:
        out[-1] = (replace(case, due_on=max(case.due_on, cases.first_due(now.date()))), out[-1][1])
    return out


def _whole(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows with the agreement that something done must have had."""
    if rows[0]["status"] == "done":
        return [{**rows[0], "status": "agreed"}, *rows]
    return list(rows)


def _word(status: str) -> str:
    return {"agreed": "agree", "done": "done", "declined": "decline"}[status]


def _moved(case: Case, row: Mapping[str, Any], actor: Actor) -> Case:
    """Return the case one step on. What was done without a consent on record stays agreed: the page asks for it."""
    day, word = row["happened_on"], _word(row["status"])
    if word == "done" and case.needs_consent and case.consent_on is None:
        return replace(case, version=case.version + 1)
    reason = "other" if word == "decline" else None
    return cases.take(case, Move(word, day, day=day, reason=reason, note=NOTE), actor)


def _step(word: str, row: Mapping[str, Any], name: str, now: datetime) -> Step:
    return Step(
        step=word,
        day=row["happened_on"],
        at=now,
        by_name=name or FROM_RECORDS,
        by_id=row["decided_by"],
        recorded_by=FROM_RECORDS,
        reason="other" if word == "decline" else None,
        note=NOTE,
    )
