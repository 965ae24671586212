"""Questions to the store about cases of care: where each stands, its steps, who leads it, who should be reminded."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, insert, literal, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from serving.cases import OPEN, Case
from serving.store import Transaction
from serving.store_people import Sight, visible
from serving.store_tables import care_case, care_reminder, care_step, employee, plain, sign_in
from serving.store_tables_access import contest

Due = Literal["overdue", "this_week", "later", "open", "none"]
THIS_WEEK_DAYS = 7
NEVER = date(9999, 12, 31)
AGREED = ("agreed", "done", "closed")
OWN = "own"
"""The action of a case that is in no catalog; several may be open for one person."""
HR_ROLES = ("hr", "hr_partner")
HR = "hr"
"""The recipient of a reminder that is for everybody in HR who sees the person."""

Place = tuple[str, str]
"""Where a page of a list ended: due day, number."""


@dataclass(frozen=True)
class CasesAsked:
    """Which cases: all within sight that fit every filter given, after this place, at most so many."""

    today: date
    status: str | None = None
    team: str | None = None
    due: Due | None = None
    employee_id: str | None = None
    lead_id: str | None = None
    agreed_only: bool = False
    after: Place | None = None
    limit: int = 200


@dataclass(frozen=True)
class Step:
    """One step as it is stored: what, when it happened, when and by whom it was written down, and what was said."""

    step: str
    day: date
    at: datetime
    by_name: str
    by_id: str | None
    recorded_by: str
    reason: str | None = None
    instead: str | None = None
    note: str | None = None


def new_id() -> str:
    """Return a fresh number of a case; random, so that it tells nothing about how many there are."""
    return secrets.token_hex(8)


def add(tx: Transaction, case: Case, steps: Sequence[tuple[Case, Step]]) -> bool:
    """Write a new case with its first steps; ``False`` when the same action is open for the person already."""
    first = [insert(care_case).values(**_row(case))]
    return _written(tx, [*first, *(_insert(then, step) for then, step in steps)])


def change(tx: Transaction, case: Case, step: Step) -> bool:
    """Write a case one version on, with the step that led there; ``False`` when somebody else was faster."""
    here = and_(care_case.c.id == case.id, care_case.c.version == case.version - 1)
    moved = update(care_case).where(here).values(**_row(case))
    return _written(tx, [moved, _insert(case, step)])


def _insert(case: Case, step: Step) -> Any:
    facts = {name: value or None for name, value in asdict(step).items()}
    return insert(care_step).values(**facts, case_id=case.id, version=case.version, status=case.status)


def _written(tx: Transaction, statements: Sequence[Any]) -> bool:
    """Whether all was written; when another one was faster nothing is, and the transaction goes on.

    An update that found no row was too late. How many rows an insert has written not every driver says.
    """
    try:
        with tx.begin_nested() as part:
            for statement in statements:
                n_rows = tx.execute(statement).rowcount
                if statement.is_update and n_rows != 1:
                    part.rollback()
                    return False
    except IntegrityError:
        return False
    return True


def is_open(tx: Transaction, employee_id: str, action: str) -> str | None:
    """Return the number of the open case of this action for the person, if there is one."""
    found = and_(care_case.c.employee_id == employee_id, care_case.c.open_as == action)
    return tx.execute(select(care_case.c.id).where(found)).scalar()


def is_known(tx: Transaction, employee_id: str, action: str, *, since: date) -> bool:
    """Return whether the person has a case of this action that is open, or was opened on that day or later."""
    same = and_(care_case.c.employee_id == employee_id, care_case.c.action == action)
    later = or_(care_case.c.open_as.is_not(None), care_case.c.opened_on >= since)
    return tx.execute(select(care_case.c.id).where(same, later).limit(1)).scalar() is not None


def find(tx: Transaction, sight: Sight, case_id: str) -> tuple[Case, dict[str, Any]] | None:
    """Return the case and its person as they stand now; ``None`` for a hidden and an unknown one alike."""
    rows = _seen(sight).where(care_case.c.id == case_id)
    row = tx.execute(rows).one_or_none()
    return (case_of(plain(row)), plain(row)) if row else None


def cases(tx: Transaction, sight: Sight, asked: CasesAsked) -> list[dict[str, Any]]:
    """Return the cases within sight with name and team of the person, the earliest due day first, closed ones last."""
    due = func.coalesce(care_case.c.due_on, literal(NEVER))
    query = _seen(sight).add_columns(due.label("place")).order_by(due, care_case.c.id).limit(asked.limit)
    for condition in _filters(asked):
        query = query.where(condition)
    if asked.after is not None:
        place = (literal(date.fromisoformat(asked.after[0])), literal(asked.after[1]))
        query = query.where(tuple_(due, care_case.c.id) > tuple_(*place))
    return [plain(row) for row in tx.execute(query)]


def due_counts(tx: Transaction, sight: Sight, *, today: date) -> dict[str, int]:
    """Return how many open cases within sight are overdue, and how many are due within the week."""
    counts = {}
    for due in ("overdue", "this_week"):
        rows = _seen(sight).where(*_filters(CasesAsked(today, due=due))).subquery()  # type: ignore[arg-type]
        counts[due] = int(tx.execute(select(func.count()).select_from(rows)).scalar_one())
    return counts


def steps(tx: Transaction, case_id: str) -> list[dict[str, Any]]:
    """Return what was done in a case, oldest first; whether it may be seen is decided before."""
    query = select(care_step).where(care_step.c.case_id == case_id).order_by(care_step.c.version)
    return [plain(row) for row in tx.execute(query)]


def all_steps(tx: Transaction) -> list[dict[str, Any]]:
    """Return every step of every case with its person and action, in the order in which they were written."""
    query = (
        select(care_step, care_case.c.employee_id, care_case.c.action, care_case.c.done_on)
        .join(care_case, care_case.c.id == care_step.c.case_id)
        .order_by(care_step.c.at, care_step.c.case_id, care_step.c.version)
    )
    return [plain(row) for row in tx.execute(query)]


def open_with_places(tx: Transaction) -> Iterator[tuple[Case, dict[str, Any] | None]]:
    """Yield every open case with the person's row of the latest batch, or ``None`` when the person is in none."""
    query = select(care_case).where(care_case.c.status.in_(OPEN)).order_by(care_case.c.id)
    rows = [plain(row) for row in tx.execute(query)]
    people = select(employee).where(employee.c.id.in_({row["employee_id"] for row in rows}))
    places = {row.id: plain(row) for row in tx.execute(people)}
    for row in rows:
        yield case_of(row), places.get(row["employee_id"])


def employed(tx: Transaction, employee_ids: Iterable[str]) -> dict[str, str]:
    """Return, of these, who is employed according to the latest batch, with the name or else the number."""
    query = select(employee.c.id, employee.c.name).where(employee.c.id.in_(set(employee_ids)))
    return {row.id: row.name or row.id for row in tx.execute(query)}


def line_of(tx: Transaction, employee_id: str) -> list[str]:
    """Return the managers above a person, the direct one first, as they stand now; a ring ends where it closes."""
    managers: list[str] = []
    below = employee_id
    while True:
        above = tx.execute(select(employee.c.manager_id).where(employee.c.id == below)).scalar()
        if not above or above in managers or above == employee_id:
            return managers
        managers.append(str(above))
        below = str(above)


def hr_sight(tx: Transaction, employee_id: str) -> Sight | None:
    """Return how far this employee sees as HR: by the latest link that was made for them, ``None`` if not as HR."""
    query = select(sign_in).where(sign_in.c.employee_id == employee_id).order_by(sign_in.c.id.desc()).limit(1)
    row = tx.execute(query).one_or_none()
    return Sight(row.sees, row.sees_value) if row is not None and row.role in HR_ROLES else None


def remind(tx: Transaction, rows: Iterable[Mapping[str, Any]]) -> int:
    """Put reminders into the outbox, each once; return how many are new."""
    new = 0
    for row in rows:
        same = [care_reminder.c[name] == row[name] for name in ("case_id", "kind", "recipient", "about")]
        if tx.execute(select(care_reminder.c.id).where(*same)).scalar() is None:
            tx.execute(insert(care_reminder).values(**row))
            new += 1
    return new


def reminders(tx: Transaction, sight: Sight, *, after: int, limit: int) -> list[dict[str, Any]]:
    """Return the outbox about people within sight, oldest first. Of somebody who has left only who sees all hears."""
    seen = visible(sight, contested=True).subquery()
    query = select(care_reminder).join(care_case, care_case.c.id == care_reminder.c.case_id).where(_told())
    if sight.kind != "everyone":
        query = query.join(seen, seen.c.id == care_case.c.employee_id)
    query = query.where(care_reminder.c.id > after).order_by(care_reminder.c.id).limit(limit)
    return [plain(row) for row in tx.execute(query)]


def moved_since(tx: Transaction, case_ids: Iterable[str], moment: datetime) -> set[str]:
    """Return which of these cases went to another list, or lost who decided, since this moment."""
    kinds = care_reminder.c.kind.in_(("handed_over", "decider_left"))
    query = select(care_reminder.c.case_id).where(kinds, care_reminder.c.made_at >= moment)
    return {row.case_id for row in tx.execute(query.where(care_reminder.c.case_id.in_(list(case_ids))))}


def _seen(sight: Sight) -> Any:
    """Return the query for all cases within sight, with the person's name, team and the reason of access.

    Of somebody who has objected: what was agreed goes on, since it is kept with the person. What is merely suggested
    came from the assessment that is hidden, and so is it; a decision against care as well.
    """
    seen = visible(sight, contested=True).subquery()
    return (
        select(care_case, employee.c.name, employee.c.team, employee.c.job, seen.c.reason.label("seen_because"))
        .join(employee, employee.c.id == care_case.c.employee_id)
        .join(seen, seen.c.id == employee.c.id)
        .where(_told())
    )


def _told() -> ColumnElement[bool]:
    open_now = select(contest.c.open_for).where(contest.c.open_for.is_not(None))
    return or_(care_case.c.status.in_(AGREED), care_case.c.employee_id.not_in(open_now))


def _filters(asked: CasesAsked) -> Iterator[ColumnElement[bool]]:
    week = asked.today + timedelta(days=THIS_WEEK_DAYS)
    if asked.status is not None:
        yield care_case.c.status == asked.status
    if asked.team is not None:
        yield employee.c.team == asked.team
    if asked.employee_id is not None:
        yield care_case.c.employee_id == asked.employee_id
    if asked.lead_id is not None:
        yield care_case.c.lead_id == asked.lead_id
    if asked.agreed_only:
        yield care_case.c.agreed_on.is_not(None)
        yield care_case.c.status.in_(AGREED)
    if asked.due == "overdue":
        yield care_case.c.due_on < asked.today
    elif asked.due == "this_week":
        yield care_case.c.due_on.between(asked.today, week)
    elif asked.due == "later":
        yield care_case.c.due_on > week
    elif asked.due == "open":
        yield care_case.c.due_on.is_not(None)
    elif asked.due == "none":
        yield care_case.c.due_on.is_(None)


def _row(case: Case) -> dict[str, Any]:
    named = case.action if case.action != OWN else f"{OWN} {case.id}"
    sides = {name: ",".join(sorted(getattr(case, name))) for name in ("sides", "agreed_sides")}
    return {**asdict(case), **sides, "open_as": named if case.is_open else None}


def case_of(row: Mapping[str, Any]) -> Case:
    """Return the case of a row."""
    facts = {field.name: row[field.name] for field in fields(Case)}
    sides = {name: frozenset(filter(None, facts[name].split(","))) for name in ("sides", "agreed_sides")}
    return Case(**{**facts, **sides})
