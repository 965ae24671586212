"""Questions to the store about contests, and about who has acted on a person or leads them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.small_groups import OTHER
from serving.store import Transaction
from serving.store_people import CHUNK, Sight, standing_overrides, visible
from serving.store_tables import care_case, care_step, employee, override, plain, score, withdrawal_event
from serving.store_tables_access import contest


def person_of(tx: Transaction, employee_id: str) -> dict[str, Any] | None:
    """Return where the person stands in the organisation; who may ask is decided before."""
    row = tx.execute(select(employee).where(employee.c.id == employee_id)).one_or_none()
    return plain(row) if row else None


def open_contest(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Write a contest; ``False`` when one of this person is open already, which the unique column holds."""
    try:
        with tx.begin_nested():
            tx.execute(insert(contest).values(**row, open_for=row["employee_id"]))
    except IntegrityError:
        return False
    return True


def contests_of(tx: Transaction, employee_id: str) -> list[dict[str, Any]]:
    """Return a person's contests, newest first."""
    query = select(contest).where(contest.c.employee_id == employee_id).order_by(contest.c.id.desc())
    return [plain(row) for row in tx.execute(query)]


def open_contests(tx: Transaction, sight: Sight) -> list[dict[str, Any]]:
    """Return the open contests of people within sight, those due first on top."""
    seen = visible(sight, contested=True).subquery()
    query = (
        select(contest, employee.c.name, employee.c.team, employee.c.department)
        .join(seen, seen.c.id == contest.c.employee_id)
        .join(employee, employee.c.id == contest.c.employee_id)
        .where(contest.c.open_for.is_not(None))
        .order_by(contest.c.due_on, contest.c.id)
    )
    return [plain(row) for row in tx.execute(query)]


def kept_back(tx: Transaction, employee_ids: Collection[str], *, today: date) -> set[str]:
    """Return those of these whose assessment nobody may be told: an objection waits, or a person set it aside."""
    wanted, found = sorted(set(employee_ids)), set()
    said = standing_overrides(today)
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        objecting = select(contest.c.open_for).where(contest.c.open_for.in_(part))
        aside = select(said.c.employee_id).where(said.c.decision == "disregard", said.c.employee_id.in_(part))
        found |= {row[0] for query in (objecting, aside) for row in tx.execute(query)}
    return found


def places_objecting(tx: Transaction) -> list[tuple[str, str]]:
    """Return department and job of everybody whose objection waits, as the ledger writes them."""
    place = [func.coalesce(column, "-") for column in (employee.c.department, employee.c.job)]
    query = select(*place).join(contest, contest.c.open_for == employee.c.id)
    return [(row[0], row[1]) for row in tx.execute(query)]


def contest_by_id(tx: Transaction, sight: Sight, contest_id: int) -> dict[str, Any] | None:
    """Return an open contest of somebody within sight; hidden, answered and unknown ones are the same."""
    return next((one for one in open_contests(tx, sight) if one["id"] == contest_id), None)


def answer(tx: Transaction, contest_id: int, values: Mapping[str, Any]) -> bool:
    """Close a contest with its answer; ``False`` when somebody else was faster."""
    still = (contest.c.id == contest_id) & contest.c.open_for.is_not(None)
    return bool(tx.execute(update(contest).where(still).values(**values, open_for=None)).rowcount)


def told(tx: Transaction, employee_id: str, *, now: datetime) -> int:
    """Note that the person has seen the answers; return how many were new to them."""
    new = (contest.c.employee_id == employee_id) & contest.c.answered_at.is_not(None) & contest.c.told_at.is_(None)
    return int(tx.execute(update(contest).where(new).values(told_at=now)).rowcount)


def line_above(tx: Transaction, employee_id: str) -> list[dict[str, Any]]:
    """Return everybody who leads the person, directly or through others, as it stands now; a ring ends."""
    start = select(employee.c.manager_id.label("id")).where(employee.c.id == employee_id).cte("above", recursive=True)
    above = start.union(select(employee.c.manager_id).where(employee.c.id == start.c.id))
    query = select(above.c.id, employee.c.name).outerjoin(employee, employee.c.id == above.c.id)
    return [plain(row) for row in tx.execute(query.where(above.c.id.is_not(None)))]


def who_acted(tx: Transaction, employee_id: str) -> set[str]:
    """Return the names of those who set the person's band or decided anything about them."""
    names: set[str] = set()
    names |= {row[0] for row in tx.execute(select(override.c.decided_by).where(override.c.employee_id == employee_id))}
    steps = select(care_step.c.by_name, care_step.c.recorded_by).join(care_case, care_case.c.id == care_step.c.case_id)
    for row in tx.execute(steps.where(care_case.c.employee_id == employee_id)):
        names |= set(row)
    events = select(withdrawal_event.c.decided_by).where(withdrawal_event.c.employee_id == employee_id)
    return names | {row[0] for row in tx.execute(events) if row[0]}


def overrides_of(tx: Transaction, employee_id: str) -> list[dict[str, Any]]:
    """Return what people wrote over the person's assessment, oldest first."""
    query = select(override).where(override.c.employee_id == employee_id).order_by(override.c.id)
    return [plain(row) for row in tx.execute(query)]


def care_of(tx: Transaction, employee_id: str) -> list[dict[str, Any]]:
    """Return every case of care of the person with all its steps, oldest first."""
    steps = select(care_step).join(care_case, care_case.c.id == care_step.c.case_id)
    steps = steps.where(care_case.c.employee_id == employee_id).order_by(care_step.c.version)
    taken = [plain(row) for row in tx.execute(steps)]
    query = select(care_case).where(care_case.c.employee_id == employee_id).order_by(care_case.c.opened_on)
    return [{**plain(row), "steps": [step for step in taken if step["case_id"] == row.id]} for row in tx.execute(query)]


def withdrawals_of(tx: Transaction, employee_id: str, *, today: date) -> list[dict[str, Any]]:
    """Return the events about the person that may still be read."""
    query = (
        select(withdrawal_event)
        .where(withdrawal_event.c.employee_id == employee_id, withdrawal_event.c.valid_until >= today)
        .order_by(withdrawal_event.c.week.desc())
    )
    return [plain(row) for row in tx.execute(query)]


def purge(tx: Transaction, *, before: datetime) -> int:
    """Forget contests answered so long ago."""
    return int(tx.execute(delete(contest).where(contest.c.answered_at < before)).rowcount)


def bands_of_all(tx: Transaction, sight: Sight, run_id: int, *, today: date) -> list[dict[str, Any]]:
    """Return ``(employee_id, department, band)`` of everybody within sight, for pseudonyms."""
    seen = visible(sight, contested=True).subquery()
    query = (
        select(score.c.employee_id, employee.c.department, score.c.band)
        .join(seen, seen.c.id == score.c.employee_id)
        .join(employee, employee.c.id == score.c.employee_id)
        .where(score.c.run_id == run_id, score.c.valid_until >= today)
    )
    return [plain(row) for row in tx.execute(query)]


def band_counts(tx: Transaction, run_id: int, *, today: date) -> dict[str, dict[str, int]]:
    """Return how many people of each department have which band, of everybody; shown to nobody as it is."""
    department = func.coalesce(employee.c.department, OTHER).label("department")
    query = (
        select(department, score.c.band, func.count().label("n"))
        .join(employee, employee.c.id == score.c.employee_id)
        .where(score.c.run_id == run_id, score.c.valid_until >= today)
        .group_by(department, score.c.band)
        .order_by(department, score.c.band)
    )
    counts: dict[str, dict[str, int]] = {}
    for row in tx.execute(query):
        counts.setdefault(row.department, {})[row.band] = row.n
    return counts
