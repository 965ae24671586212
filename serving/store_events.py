"""Questions to the store about withdrawal: whose weeks have become quiet, which teams', and what was done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from serving.store import Transaction
from serving.store_people import Sight, visible
from serving.store_tables import employee, plain, withdrawal_event

COOL_DOWN_DAYS = 56
"""A person or team is told of once in so many days, whatever was decided in between."""


def add_events(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> int:
    """Write those events whose person (or team) had none in the weeks before; return how many were written."""
    about = func.coalesce(withdrawal_event.c.employee_id, withdrawal_event.c.team)
    query = select(about.label("about"), func.max(withdrawal_event.c.week).label("week")).group_by(about)
    last = {row.about: row.week for row in tx.execute(query)}
    fresh = []
    for row in sorted(rows, key=lambda row: row["week"]):
        who = row["employee_id"] or row["team"]
        if who not in last or (row["week"] - last[who]).days > COOL_DOWN_DAYS:
            last[who] = row["week"]
            fresh.append(dict(row))
    if fresh:
        tx.execute(insert(withdrawal_event), fresh)
    return len(fresh)


def events_of(
    tx: Transaction, sight: Sight, *, today: date, team: str | None = None, status: str | None = None
) -> list[dict[str, Any]]:
    """Return the personal events within sight that may still be read, the newest week first, then by name."""
    seen = visible(sight).subquery()
    query = (
        select(withdrawal_event, employee.c.name, employee.c.team.label("team_now"), seen.c.reason)
        .join(employee, employee.c.id == withdrawal_event.c.employee_id)
        .join(seen, seen.c.id == employee.c.id)
        .where(withdrawal_event.c.valid_until >= today)
        .order_by(withdrawal_event.c.week.desc(), func.coalesce(employee.c.name, ""), employee.c.id)
    )
    if team is not None:
        query = query.where(employee.c.team == team)
    if status is not None:
        query = query.where(withdrawal_event.c.status == status)
    return [plain(row) for row in tx.execute(query)]


def newest_of(tx: Transaction, employee_id: str, *, today: date) -> dict[str, Any] | None:
    """Return the newest event of a person that may still be read; access is decided before."""
    query = (
        select(withdrawal_event)
        .where(withdrawal_event.c.employee_id == employee_id, withdrawal_event.c.valid_until >= today)
        .order_by(withdrawal_event.c.week.desc(), withdrawal_event.c.id.desc())
        .limit(1)
    )
    row = tx.execute(query).one_or_none()
    return plain(row) if row else None


def team_signals(tx: Transaction, *, today: date, min_group: int, team: str) -> list[dict[str, Any]]:
    """Return the signals about a team of at least ``min_group`` people, newest first; who may read them is decided
    before."""
    query = (
        select(withdrawal_event)
        .where(withdrawal_event.c.employee_id.is_(None), withdrawal_event.c.valid_until >= today)
        .where(withdrawal_event.c.team == team, withdrawal_event.c.n_people >= min_group)
        .order_by(withdrawal_event.c.week.desc())
    )
    return [plain(row) for row in tx.execute(query)]


def decide(tx: Transaction, event_id: int, decision: Mapping[str, Any]) -> None:
    """Write what a named person did about an event."""
    tx.execute(update(withdrawal_event).where(withdrawal_event.c.id == event_id).values(**decision))


def due(week_found: date) -> date:
    """The day by which somebody should have reached out."""
    return week_found + timedelta(days=7)
