"""Questions to the store about growth: files and reminders of the last batch, suggested colleagues, achievements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, delete, func, insert, select, update

from serving.store import Transaction
from serving.store_people import CHUNK, Sight, visible
from serving.store_tables import employee, plain
from serving.store_talent_tables import achievement, growth_file, growth_need, growth_pair, growth_run

PERSON = (employee.c.id.label("employee_id"), employee.c.name, employee.c.job, employee.c.team, employee.c.department)


def add_batch(
    tx: Transaction,
    run: Mapping[str, Any],
    *,
    files: Sequence[Mapping[str, Any]],
    needs: Sequence[Mapping[str, Any]],
    pairs: Sequence[Mapping[str, Any]],
) -> None:
    """Put the batch in the place of the former one, all or nothing."""
    for table in (growth_pair, growth_need, growth_file, growth_run):
        tx.execute(delete(table))
    tx.execute(insert(growth_run).values(**run))
    for table, rows in ((growth_file, files), (growth_need, needs), (growth_pair, pairs)):
        _insert(tx, table, rows)


def _insert(tx: Transaction, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    for start in range(0, len(rows), CHUNK):
        tx.execute(insert(table), [dict(row) for row in rows[start : start + CHUNK]])


def any_people(tx: Transaction) -> bool:
    """Whether anybody is on record; who is employed is written by scoring."""
    return tx.execute(select(employee.c.id).limit(1)).first() is not None


def add_people(tx: Transaction, people: Sequence[Mapping[str, Any]]) -> None:
    """Write who is employed, where scoring has not done so yet."""
    _insert(tx, employee, people)


def batch(tx: Transaction, *, today: date) -> dict[str, Any] | None:
    """Return the batch that may still be read, or ``None``."""
    row = tx.execute(select(growth_run).where(growth_run.c.valid_until >= today)).one_or_none()
    return plain(row) if row else None


def file_of(tx: Transaction, employee_id: str) -> dict[str, Any] | None:
    """Return one person's file; access is decided before."""
    row = tx.execute(select(growth_file).where(growth_file.c.employee_id == employee_id)).one_or_none()
    return plain(row) if row else None


def pairs_of(tx: Transaction, employee_id: str) -> list[dict[str, Any]]:
    """Return who is suggested to the person, with the name under which colleagues know them; those still here."""
    query = (
        select(growth_pair, employee.c.name, employee.c.job, employee.c.team)
        .join(employee, employee.c.id == growth_pair.c.other_id)
        .where(growth_pair.c.employee_id == employee_id)
        .order_by(growth_pair.c.place)
    )
    return [plain(row) for row in tx.execute(query)]


def files(tx: Transaction, sight: Sight) -> list[dict[str, Any]]:
    """Return the facts of everybody within sight, with their names, by id."""
    seen = visible(sight, contested=True).subquery()
    query = (
        select(*PERSON, growth_file.c.facts)
        .join(seen, seen.c.id == employee.c.id)
        .join(growth_file, growth_file.c.employee_id == employee.c.id)
        .order_by(employee.c.id)
    )
    return [plain(row) for row in tx.execute(query)]


def need_counts(tx: Transaction, sight: Sight) -> list[dict[str, Any]]:
    """Return how many people within sight have each need, per department."""
    seen = visible(sight, contested=True).subquery()
    n = func.count(employee.c.id).label("n")
    query = (
        select(growth_need.c.need, employee.c.department, n)
        .join(employee, employee.c.id == growth_need.c.employee_id)
        .join(seen, seen.c.id == employee.c.id)
        .group_by(growth_need.c.need, employee.c.department)
        .order_by(growth_need.c.need, n.desc(), func.coalesce(employee.c.department, ""))
    )
    return [plain(row) for row in tx.execute(query)]


def people_with(tx: Transaction, sight: Sight, need: str, *, after: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the people within sight who have the need, by id, with the file that says why."""
    seen = visible(sight, contested=True).subquery()
    query = (
        select(*PERSON, growth_file.c.told)
        .join(seen, seen.c.id == employee.c.id)
        .join(growth_need, growth_need.c.employee_id == employee.c.id)
        .join(growth_file, growth_file.c.employee_id == employee.c.id)
        .where(growth_need.c.need == need)
        .order_by(employee.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(employee.c.id > after)
    return [plain(row) for row in tx.execute(query)]


def add_achievement(tx: Transaction, row: Mapping[str, Any]) -> int:
    """Write an entry and return its number."""
    made = tx.execute(insert(achievement).values(**row)).inserted_primary_key
    if made is None:
        raise RuntimeError("the store gave no number to the entry")
    return int(made[0])


def achievements_of(tx: Transaction, employee_id: str, *, hidden: bool = False) -> list[dict[str, Any]]:
    """Return a person's entries, the newest first; with ``hidden`` also what the person has hidden.

    ``giver``: the name where the records named the giver; a number that somebody typed stays the number, or a form
    would tell who has it.
    """
    giver = case((achievement.c.source == "import", employee.c.name), else_=achievement.c.given_by)
    query = (
        select(achievement, giver.label("giver"))
        .outerjoin(employee, employee.c.id == achievement.c.given_by)
        .where(achievement.c.employee_id == employee_id)
        .order_by(achievement.c.happened_on.desc(), achievement.c.id.desc())
    )
    if not hidden:
        query = query.where(achievement.c.hidden_at.is_(None))
    return [plain(row) for row in tx.execute(query)]


def set_hidden(tx: Transaction, entry: int, employee_id: str, *, at: datetime | None) -> bool:
    """Hide an entry of this person, or show it again with ``None``; ``False`` when it is not theirs."""
    own = (achievement.c.id == entry) & (achievement.c.employee_id == employee_id)
    return bool(tx.execute(update(achievement).where(own).values(hidden_at=at)).rowcount)


def achievements_in(tx: Transaction, sight: Sight, *, first: date, last: date) -> list[dict[str, Any]]:
    """Return what people within sight achieved from ``first`` to ``last``, nothing hidden, by kind and then by day."""
    seen = visible(sight, contested=True).subquery()
    query = (
        select(*PERSON, achievement.c.kind, achievement.c.happened_on, achievement.c.note)
        .join(seen, seen.c.id == employee.c.id)
        .join(achievement, achievement.c.employee_id == employee.c.id)
        .where(achievement.c.hidden_at.is_(None), achievement.c.happened_on.between(first, last))
        .order_by(achievement.c.kind, achievement.c.happened_on, employee.c.id)
    )
    return [plain(row) for row in tx.execute(query)]


def last_achievement(tx: Transaction, sight: Sight, *, until: date) -> date | None:
    """Return the day of the newest entry within sight up to ``until``."""
    seen = visible(sight, contested=True).subquery()
    newest = select(func.max(achievement.c.happened_on)).join(seen, seen.c.id == achievement.c.employee_id)
    return tx.execute(newest.where(achievement.c.hidden_at.is_(None), achievement.c.happened_on <= until)).scalar()


def contributions(tx: Transaction, sight: Sight, *, since: date, until: date) -> dict[str, dict[str, int]]:
    """Return person → kind → entries in ``(since, until]``, nothing hidden, of everybody within sight."""
    seen = visible(sight, contested=True).subquery()
    query = (
        select(achievement.c.employee_id, achievement.c.kind, func.count().label("n"))
        .join(seen, seen.c.id == achievement.c.employee_id)
        .where(achievement.c.hidden_at.is_(None))
        .where(achievement.c.happened_on > since, achievement.c.happened_on <= until)
        .group_by(achievement.c.employee_id, achievement.c.kind)
        .order_by(achievement.c.employee_id, achievement.c.kind)
    )
    found: dict[str, dict[str, int]] = {}
    for one, kind, n in tx.execute(query):
        found.setdefault(one, {})[kind] = n
    return found


def recorded_here(tx: Transaction) -> list[dict[str, Any]]:
    """Return what was recorded by people and systems here, not imported and not hidden: the way back to the records."""
    query = select(achievement).where(achievement.c.source != "import", achievement.c.hidden_at.is_(None))
    return [plain(row) for row in tx.execute(query.order_by(achievement.c.id))]


Key = tuple[str, date, str, str | None]


def take_over(tx: Transaction, rows: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Make the imported entries equal to the records: new ones added, withdrawn ones removed, hidden ones stay hidden.

    An entry that was recorded here and has come back with an import is not added twice. Returns (added, removed).
    """
    wanted = {_key(row): row for row in rows}
    here = [plain(row) for row in tx.execute(select(achievement))]
    known = {_key(row) for row in here}
    gone = [row["id"] for row in here if row["source"] == "import" and _key(row) not in wanted]
    for start in range(0, len(gone), CHUNK):
        tx.execute(delete(achievement).where(achievement.c.id.in_(gone[start : start + CHUNK])))
    fresh = [dict(row) for key, row in wanted.items() if key not in known]
    _insert(tx, achievement, fresh)
    return len(fresh), len(gone)


def _key(row: Mapping[str, Any]) -> Key:
    return row["employee_id"], row["happened_on"], row["kind"], row["given_by"]
