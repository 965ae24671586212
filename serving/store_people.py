"""Questions to the store about people: who is visible, what was said about them, and what people decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Integer,
    Label,
    Select,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    tuple_,
    update,
)

from features.cards import DRIVERS
from serving import store_said
from serving.store import Transaction
from serving.store_tables import (
    BANDS,
    api_key,
    audit_subject,
    care_case,
    care_reminder,
    care_step,
    employee,
    override,
    plain,
    score,
    score_run,
    sign_in,
    withdrawal_event,
)
from serving.store_tables_access import account, contest, reader_look
from serving.store_talent_tables import achievement, growth_file, growth_pair, growth_run

ERASED = "(erased)"
"""Stands where a number stood that nobody may find any more; no employee has it."""

LONGEST_VALID_DAYS = 90
"""No installation lets an assessment be read for longer."""

CHUNK = 500
"""Rows per INSERT, so that a batch of any size needs the same memory."""


@dataclass(frozen=True)
class Sight:
    """How far a viewer sees. ``nobody`` is the default everywhere: a missing value never means all."""

    kind: Literal["everyone", "department", "team", "manager", "self", "nobody"] = "nobody"
    value: str | None = None


def visible(sight: Sight, *, contested: bool = False) -> Select[Any]:
    """Return the people within sight as ``(id, reason)``, the reason being why the viewer may see them.

    Reports are followed from manager to manager as they stand now, so a transfer takes effect at once. A ring of
    managers ends, because UNION adds nobody twice; a manager is not below themselves even then.

    Who has contested their assessment is out of everybody's sight until a reviewer has answered. Sums over groups ask
    for them all the same (``contested=True``): a sum that loses one person tells what that person added to it.
    """
    found = _within(sight)
    if contested or sight.kind == "self":
        return found
    seen = found.subquery()
    open_now = select(contest.c.open_for).where(contest.c.open_for.is_not(None))
    return select(seen.c.id, seen.c.reason).where(seen.c.id.not_in(open_now))


def _within(sight: Sight) -> Select[Any]:
    if sight.kind == "everyone":
        return select(employee.c.id, literal("everyone").label("reason"))
    if sight.kind == "self" and sight.value:
        return select(employee.c.id, literal("self").label("reason")).where(employee.c.id == sight.value)
    if sight.kind in ("department", "team") and sight.value:
        column = employee.c[sight.kind]
        return select(employee.c.id, literal(f"{sight.kind} {sight.value}").label("reason")).where(
            column == sight.value
        )
    if sight.kind == "manager" and sight.value:
        below = select(employee.c.id).where(employee.c.manager_id == sight.value).cte("below", recursive=True)
        below = below.union(select(employee.c.id).where(employee.c.manager_id == below.c.id))
        reports = select(below.c.id, literal(f"reports to {sight.value}").label("reason"))
        return reports.where(below.c.id != sight.value)
    return select(employee.c.id, literal("").label("reason")).where(false())


def visible_person(
    tx: Transaction, sight: Sight, employee_id: str, *, contested: bool = False
) -> dict[str, Any] | None:
    """Return the person with the ``reason`` of access; ``None`` for hidden and unknown alike."""
    seen = visible(sight, contested=contested).subquery()
    query = select(employee, seen.c.reason).join(seen, seen.c.id == employee.c.id).where(employee.c.id == employee_id)
    row = tx.execute(query).one_or_none()
    return plain(row) if row else None


def names(tx: Transaction, employee_ids: Iterable[str]) -> dict[str, str]:
    """Return the names that are on record for these ids."""
    query = select(employee.c.id, employee.c.name).where(employee.c.id.in_(list(employee_ids)))
    return {row.id: row.name for row in tx.execute(query) if row.name}


def current_run(tx: Transaction) -> dict[str, Any] | None:
    """Return the batch that is shown, or ``None`` before the first one."""
    row = tx.execute(select(score_run).where(score_run.c.is_current)).one_or_none()
    return plain(row) if row else None


def add_run(
    tx: Transaction,
    run: Mapping[str, Any],
    *,
    people: Sequence[Mapping[str, Any]],
    scores: Iterable[Mapping[str, Any]],
    words: Mapping[str, Any] | None = None,
) -> int:
    """Write one batch as the current one, with everyone it is about; the former one stays until its clock runs out.

    ``words`` is the dictionary of the batch, for scores that are records.
    """
    tx.execute(update(score_run).where(score_run.c.is_current).values(is_current=None))
    run_id = tx.execute(insert(score_run).values(**run, is_current=True)).inserted_primary_key
    if run_id is None:
        raise RuntimeError("the store gave no id to the batch")
    tx.execute(delete(employee))
    waiting = iter(people)
    while part := [dict(row) for row in islice(waiting, CHUNK)]:
        tx.execute(insert(employee), part)
    said = iter(scores)
    while part := [{**row, "run_id": run_id[0]} for row in islice(said, CHUNK)]:
        tx.execute(insert(score), part)
    if words is not None:
        store_said.add_words(tx, run_id[0], words)
    return int(run_id[0])


def expectations(tx: Transaction) -> list[dict[str, Any]]:
    """Return what each batch expected of its first month, oldest first."""
    query = select(score_run.c.expected).where(score_run.c.expected.is_not(None)).order_by(score_run.c.id)
    return [row.expected for row in tx.execute(query)]


def score_of(tx: Transaction, run_id: int, employee_id: str) -> dict[str, Any] | None:
    """Return what the batch says about the person, expired or not, or ``None``."""
    found = and_(score.c.run_id == run_id, score.c.employee_id == employee_id)
    row = tx.execute(select(*store_said.OF_ONE).where(found)).one_or_none()
    return store_said.told(tx, plain(row)) if row else None


def standing_overrides(today: date) -> Any:
    """Return the latest override of each person whose clock has not run out."""
    last = (
        select(func.max(override.c.id).label("id"))
        .where(override.c.valid_until >= today)
        .group_by(override.c.employee_id)
        .subquery()
    )
    return select(override).join(last, last.c.id == override.c.id).subquery()


def add_override(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a person's word over the assessment; earlier ones stay on record."""
    tx.execute(insert(override).values(**row))


def team_sums(
    tx: Transaction, sight: Sight, run_id: int, *, today: date, myself: str | None = None
) -> list[dict[str, Any]]:
    """Return a row per team of which somebody is within sight: sums over the whole team, the same for every reader.

    People, people judged, the expected number of exits; how many of the team are out of sight (``myself`` never is),
    and how many of those judged have objected or were set aside.
    """
    seen = visible(sight, contested=True).subquery()
    said = standing_overrides(today)
    risk = score.c.risk_at_reference
    objects = exists().where(contest.c.open_for == employee.c.id)
    out_of_sight = and_(seen.c.id.is_(None), employee.c.id != (myself or ""))
    query = (
        select(
            employee.c.team,
            employee.c.department,
            func.count(employee.c.id).label("n_people"),
            func.count(risk).label("n_judged"),
            func.coalesce(func.sum(risk), 0.0).label("expected_exits"),
            _count(out_of_sight, "n_unseen"),
            _count(and_(risk.is_not(None), objects), "n_objecting"),
            _count(and_(risk.is_not(None), not_(objects), said.c.decision == "disregard"), "n_aside"),
        )
        .outerjoin(seen, seen.c.id == employee.c.id)
        .outerjoin(score, _valid(run_id, today))
        .outerjoin(said, said.c.employee_id == employee.c.id)
        .group_by(employee.c.team, employee.c.department)
        .having(func.count(seen.c.id) > 0)
        .order_by(employee.c.team, employee.c.department)
    )
    return [plain(row) for row in tx.execute(query)]


def _valid(run_id: int, today: date) -> ColumnElement[bool]:
    """The assessment of an employee in this batch, while it may be read and says anything."""
    mine = and_(score.c.employee_id == employee.c.id, score.c.run_id == run_id)
    return and_(mine, score.c.valid_until >= today, score.c.band != "cannot_judge")


def _count(which: ColumnElement[bool], name: str) -> Label[int]:
    return func.coalesce(func.sum(case((which, 1), else_=0)), 0).label(name)


Team = tuple[str, str | None]
"""A team by its name and department: two departments may have teams of one name."""


def team_drivers(tx: Transaction, sight: Sight, run_id: int, *, today: date) -> dict[Team, list[tuple[str, float]]]:
    """Return per team with somebody within sight what raises the scores of all its people, strongest driver first."""
    seen = visible(sight, contested=True).subquery()
    near = select(employee.c.team).join(seen, seen.c.id == employee.c.id)
    place = (employee.c.team, employee.c.department)
    query = (
        select(*place, *(func.sum(score.c[f"raises_{driver}"]).label(driver) for driver in DRIVERS))
        .join(score, _valid(run_id, today))
        .where(employee.c.team.in_(near))
        .group_by(*place)
        .order_by(*place)
    )
    drivers: dict[Team, list[tuple[str, float]]] = {}
    for row in tx.execute(query):
        found = [(driver, float(total)) for driver in DRIVERS if (total := getattr(row, driver)) > 0]
        drivers[row.team, row.department] = sorted(found, key=lambda one: (-one[1], one[0]))
    return drivers


def wholly_seen(tx: Transaction, sight: Sight, team: str, *, myself: str | None = None) -> bool:
    """Whether everybody of the team is within sight, oneself aside."""
    seen = visible(sight, contested=True).subquery()
    hidden = and_(employee.c.team == team, employee.c.id.not_in(select(seen.c.id)), employee.c.id != (myself or ""))
    return not tx.execute(select(exists().where(hidden))).scalar()


def _rank(band: ColumnElement[Any]) -> ColumnElement[int]:
    return case((band == "act", 0), (band == "watch", 1), (band == "disregard", 2), else_=3).cast(Integer)


Place = tuple[int, str, str]
"""Where a page of a list ended: rank of the band, name, id. Never the risk: people are not ranked by a number."""


@dataclass(frozen=True)
class ListOf:
    """Which list of people is asked for: one team of one batch, these bands, after this place, at most so many."""

    run_id: int
    team: str
    bands: tuple[str, ...]
    after: Place | None
    limit: int


def team_exists(tx: Transaction, sight: Sight, team: str) -> bool:
    """Whether anybody within sight belongs to the team; a hidden team is an unknown team."""
    seen = visible(sight).subquery()
    query = select(exists().where(employee.c.id == seen.c.id, employee.c.team == team))
    return bool(tx.execute(query).scalar())


def people_in_bands(tx: Transaction, sight: Sight, asked: ListOf, *, today: date) -> list[dict[str, Any]]:
    """Return people of one team, ``act`` before ``watch``, then by name; ``shown_band`` follows a person's override.

    Within a band the order is that of names. A list ordered by risk would be a ranking of people, and the model's
    numbers do not bear the weight of one.
    """
    seen = visible(sight).subquery()
    standing = standing_overrides(today)
    overruled = standing.c.decision.in_([*BANDS, "disregard"])
    band = case((overruled, standing.c.decision), else_=score.c.band)
    name = func.coalesce(employee.c.name, "")
    place = (_rank(band), name, employee.c.id)
    query = (
        select(*store_said.OF_ONE, employee.c.name, employee.c.job, band.label("shown_band"), _rank(band).label("rank"))
        .add_columns(seen.c.reason.label("seen_because"), standing.c.decision, standing.c.decided_by)
        .join(employee, employee.c.id == score.c.employee_id)
        .join(seen, seen.c.id == employee.c.id)
        .outerjoin(standing, standing.c.employee_id == employee.c.id)
        .where(score.c.run_id == asked.run_id, employee.c.team == asked.team, score.c.valid_until >= today)
        .where(band.in_(asked.bands))
        .order_by(*place)
        .limit(asked.limit)
    )
    if asked.after is not None:
        query = query.where(tuple_(*place) > tuple_(*(literal(part) for part in asked.after)))
    return [store_said.told(tx, plain(row)) for row in tx.execute(query).all()]


def first_flagged(tx: Transaction, sight: Sight, run_id: int, *, today: date) -> str | None:
    """Return somebody within sight whose care plan is worth reading first, for the console's example."""
    seen = visible(sight).subquery()
    query = (
        select(score.c.employee_id)
        .join(seen, seen.c.id == score.c.employee_id)
        .where(score.c.run_id == run_id, score.c.valid_until >= today, score.c.band != "cannot_judge")
        .order_by(score.c.risk_at_reference.desc(), score.c.employee_id)
        .limit(1)
    )
    return tx.execute(query).scalar()


def purge(tx: Transaction, *, today: date, notes_before: date) -> dict[str, int]:
    """Delete what nobody may read any more: expired scores, ledgers, events and overrides, old notes about care."""
    over = and_(score_run.c.forecast_until < today, score_run.c.forecast.is_not(None))
    stale = withdrawal_event.c.valid_until < today
    if tx.execute(delete(growth_run).where(growth_run.c.valid_until < today)).rowcount:
        tx.execute(delete(growth_file))
    # A suggestion that nobody took up says that somebody was flagged once: it dies with the assessment it came from.
    undecided = and_(
        care_case.c.status == "suggested", care_case.c.origin == "suggestion", care_case.c.agreed_sides == ""
    )
    expired = and_(undecided, care_case.c.opened_on < today - timedelta(days=LONGEST_VALID_DAYS))
    words = or_(care_step.c.note.is_not(None), care_step.c.instead.is_not(None))
    old_notes = and_(care_step.c.day < notes_before, words)
    gone = tx.execute(delete(score).where(score.c.valid_until < today)).rowcount
    store_said.purge_words(tx)
    return {
        "scores": gone,
        "forecasts": tx.execute(update(score_run).where(over).values(forecast=None)).rowcount,
        "withdrawal_events": tx.execute(delete(withdrawal_event).where(stale)).rowcount,
        "suggestions": tx.execute(delete(care_case).where(expired)).rowcount,
        "overrides": tx.execute(delete(override).where(override.c.valid_until < today)).rowcount,
        "care_notes": tx.execute(update(care_step).where(old_notes).values(note=None, instead=None)).rowcount,
    }


def erase(tx: Transaction, employee_id: str) -> dict[str, int]:
    """Remove a person: scores of every run, decisions, place in the organisation, and the link from the audit log.

    Audit entries stay whole; they name the person by a random token that leads nowhere from now on. A key or a
    sign-in that saw "all below this person" sees nobody.
    """
    _erase_from_cases(tx, employee_id)
    mine = (score, override, care_case, withdrawal_event, growth_file, achievement, contest, reader_look, audit_subject)
    gone = {t.name: tx.execute(delete(t).where(t.c.employee_id == employee_id)).rowcount for t in mine}
    tx.execute(delete(growth_pair).where(growth_pair.c.other_id == employee_id))
    tx.execute(update(achievement).where(achievement.c.given_by == employee_id).values(given_by=None))
    gone["employee"] = tx.execute(delete(employee).where(employee.c.id == employee_id)).rowcount
    tx.execute(update(employee).where(employee.c.manager_id == employee_id).values(manager_id=None))
    for table in (api_key, sign_in, account):
        below = and_(table.c.sees.in_(("manager", "self")), table.c.sees_value == employee_id)
        tx.execute(update(table).where(below).values(sees_value=ERASED))
    for table in (sign_in, account):
        tx.execute(update(table).where(table.c.employee_id == employee_id).values(employee_id=ERASED))
    return gone


def _erase_from_cases(tx: Transaction, employee_id: str) -> None:
    """Remove steps and reminders of the person's cases, and name and words where the person decided about others."""
    mine = select(care_case.c.id).where(care_case.c.employee_id == employee_id)
    for table in (care_step, care_reminder):
        tx.execute(delete(table).where(table.c.case_id.in_(mine)))
    nobody = {"by_id": None, "by_name": ERASED, "recorded_by": ERASED, "note": None, "instead": None}
    tx.execute(update(care_step).where(care_step.c.by_id == employee_id).values(**nobody))
    decided = update(care_case).where(care_case.c.decided_by_id == employee_id)
    tx.execute(decided.values(decided_by_id=None, decided_by=ERASED))
    tx.execute(update(care_case).where(care_case.c.lead_id == employee_id).values(lead_id=None))
    tx.execute(delete(care_reminder).where(care_reminder.c.recipient == employee_id))
    tx.execute(update(care_reminder).where(care_reminder.c.about == employee_id).values(about=ERASED))
    tx.execute(update(sign_in).where(sign_in.c.employee_id == employee_id).values(employee_id=ERASED))
