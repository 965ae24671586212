"""What an employee sees of the own assessment, and how they object to it.

    own page     inputs, band, reasons, who has looked and why, earlier answers
    a contest    hides the assessment from everybody else at once, until a reviewer has answered
    a reviewer   sees the person, does not lead them, and has decided nothing about them

The assessment that is contested stays hidden through later batches; the answer is shown to the employee, with a name.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from serving import groups, service, store_access, store_cases, store_contest, store_log, store_people
from serving.access import Viewer, Visit
from serving.problems import Problem
from serving.seen import Assessed, Run
from serving.store import Store, Transaction
from serving.store_cases import CasesAsked
from serving.store_people import Sight

ANSWER_DAYS = 30
"""A month, as Article 12(3) of the GDPR gives."""


@dataclass(frozen=True)
class Own:
    """Everything on an employee's own page; ``why_not`` says why there is no assessment on it."""

    person: dict[str, Any]
    run: Run | None
    assessed: Assessed | None
    why_not: str | None
    facts: tuple[dict[str, Any], ...]
    events: tuple[dict[str, Any], ...]
    decisions: tuple[dict[str, Any], ...]
    readers: tuple[dict[str, Any], ...]
    contests: tuple[dict[str, Any], ...]

    @property
    def contested(self) -> bool:
        """Whether an own contest waits for its answer."""
        return any(one["answered_at"] is None for one in self.contests)


def own(store: Store, visit: Visit) -> Own:
    """Return the viewer's own page. While the service is stopped it holds all but the assessment itself."""
    employee_id = visit.viewer.person_id
    with store.begin() as tx:
        person = store_contest.person_of(tx, employee_id) if employee_id else None
        if employee_id is None or person is None:
            service.record(tx, visit, "assessment.read_own", "not_found", subject=employee_id)
            found = None
        else:
            found = _own(tx, visit, person)
            service.record(tx, visit, "assessment.read_own", "shown", subject=employee_id, run=found.run)
            if store_contest.told(tx, employee_id, now=visit.now):
                service.record(tx, visit, "contest.told", "shown", subject=employee_id)
    if found is None:
        raise Problem("not_found")
    return found


def _own(tx: Transaction, visit: Visit, person: dict[str, Any]) -> Own:
    employee_id, today = person["id"], visit.now.date()
    run: Run | None = None
    looked: Assessed | str = "stopped"
    facts: list[dict[str, Any]] = []
    if store_access.stop_now(tx) is None:
        scored = store_people.current_run(tx) is not None
        run = service.run_of(tx) if scored else None
        looked = service.look(tx, _about(visit, employee_id), run, employee_id) if run else "not_scored"
    if isinstance(looked, Assessed) and run is not None:
        row = store_people.score_of(tx, run.id, employee_id)
        facts = [fact for reason in (row["reasons"] if row else ()) for fact in reason.get("facts") or ()]
    return Own(
        person=person,
        run=run,
        assessed=looked if isinstance(looked, Assessed) else None,
        why_not=looked if isinstance(looked, str) else None,
        facts=tuple(facts),
        events=() if looked == "stopped" else tuple(store_contest.withdrawals_of(tx, employee_id, today=today)),
        decisions=tuple(agreed_with(tx, employee_id, today=today)),
        readers=tuple(store_log.entries_about(tx, employee_id, limit=1000)),
        contests=tuple(store_contest.contests_of(tx, employee_id)),
    )


def agreed_with(tx: Transaction, employee_id: str, *, today: date) -> list[dict[str, Any]]:
    """Return the person's own cases of care that were agreed, also while the assessment is contested."""
    asked = CasesAsked(today, employee_id=employee_id, agreed_only=True)
    return store_cases.cases(tx, Sight("self", employee_id), asked)


def _about(visit: Visit, employee_id: str) -> Visit:
    """Return the visit narrowed to one person, who may then be seen although they have contested; never in numbers."""
    words_only = visit.viewer.scopes - {"risk.read"}
    return replace(visit, viewer=replace(visit.viewer, sight=Sight("self", employee_id), scopes=words_only))


def contest(store: Store, visit: Visit, words: str) -> None:
    """Write an employee's objection to the own assessment. From this moment nobody else sees it."""
    employee_id = visit.viewer.person_id
    with store.begin() as tx:
        known = employee_id is not None and store_contest.person_of(tx, employee_id) is not None
        row = {
            "employee_id": employee_id,
            "words": words,
            "opened_at": visit.now,
            "due_on": visit.now.date() + timedelta(days=ANSWER_DAYS),
        }
        result = "not_found" if not known else "recorded" if store_contest.open_contest(tx, row) else "already"
        service.record(tx, visit, "contest.open", result, subject=employee_id)
    if result != "recorded":
        raise Problem(result)


def waiting(store: Store, visit: Visit) -> list[dict[str, Any]]:
    """Return the contests that wait for an answer and that the viewer may answer."""
    with store.begin() as tx:
        rows = store_contest.open_contests(tx, visit.viewer.sight)
        mine = [row for row in rows if independent(tx, visit.viewer, row["employee_id"])]
        for row in mine:
            service.record(tx, visit, "contest.list", "shown", subject=row["employee_id"])
        if not mine:
            service.record(tx, visit, "contest.list", "nobody")
    return mine


@dataclass(frozen=True)
class Case:
    """A contest before its reviewer: the employee's words and the assessment, as far as there is one."""

    contest: dict[str, Any]
    run: Run
    assessed: Assessed | None
    facts: tuple[dict[str, Any], ...]


def case(store: Store, visit: Visit, contest_id: int) -> Case:
    """Return what the reviewer needs; 404 for a contest out of sight, 403 for one that another has to review."""
    with store.begin() as tx:
        run = service.run_of(tx)
        row, result = _reviewable(tx, visit, contest_id)
        subject = row["employee_id"] if row else None
        service.record(tx, visit, "contest.read", result, subject=subject, run=run)
        if row is not None and result == "shown":
            looked = service.look(tx, _about(visit, row["employee_id"]), run, row["employee_id"])
            found = store_people.score_of(tx, run.id, row["employee_id"])
            facts = [fact for reason in (found["reasons"] if found else ()) for fact in reason.get("facts") or ()]
    if row is None or result != "shown":
        raise Problem(result)
    return Case(row, run, looked if isinstance(looked, Assessed) else None, tuple(facts))


@dataclass(frozen=True)
class Verdict:
    """A reviewer's answer: whether the assessment stands or is set aside, and why."""

    contest_id: int
    outcome: str
    words: str


def answer(store: Store, visit: Visit, verdict: Verdict, *, valid_days: int) -> None:
    """Close a contest. Set aside, the assessment stays hidden by the reviewer's word; otherwise it is shown again."""
    with store.begin() as tx:
        run = service.run_of(tx)
        row, result = _reviewable(tx, visit, verdict.contest_id)
        if row is not None and result == "shown":
            by = {"outcome": verdict.outcome, "answer": verdict.words, "answered_by": visit.viewer.name[:200]}
            done = store_contest.answer(tx, row["id"], {**by, "answered_at": visit.now})
            result = "recorded" if done else "already"
            if done and verdict.outcome == "set_aside":
                store_people.add_override(tx, _set_aside(row, visit, verdict, run=run, valid_days=valid_days))
        subject = row["employee_id"] if row else None
        service.record(tx, visit, "contest.answer", result, subject=subject, run=run)
    if result != "recorded":
        raise Problem(result)


def _set_aside(row: Mapping[str, Any], visit: Visit, verdict: Verdict, *, run: Run, valid_days: int) -> dict[str, Any]:
    return {
        "employee_id": row["employee_id"],
        "run_id": run.id,
        "decision": "disregard",
        "reason": verdict.words,
        "decided_by": visit.viewer.name,
        "decided_at": visit.now,
        "valid_until": visit.now.date() + timedelta(days=valid_days),
    }


def _reviewable(tx: Transaction, visit: Visit, contest_id: int) -> tuple[dict[str, Any] | None, str]:
    row = store_contest.contest_by_id(tx, visit.viewer.sight, contest_id)
    if row is None:
        return None, "not_found"
    return row, "shown" if independent(tx, visit.viewer, row["employee_id"]) else "not_independent"


def independent(tx: Transaction, viewer: Viewer, employee_id: str) -> bool:
    """Whether the viewer may review: not the person, nobody who leads them, nobody who decided about them.

    Names count as well as numbers, because a one-time link knows a name alone; two people of one name are then one.
    """
    person = store_contest.person_of(tx, employee_id) or {}
    leads = store_contest.line_above(tx, employee_id)
    names = {str(one["name"]) for one in leads if one["name"]} | store_contest.who_acted(tx, employee_id)
    names |= {str(person["name"])} if person.get("name") else set()
    numbers = {employee_id, *(str(one["id"]) for one in leads)}
    mine = viewer.name.strip().casefold()
    return (
        viewer.person_id not in numbers
        and viewer.sight.kind != "manager"
        and mine not in {name.strip().casefold() for name in names}
    )


def pseudonyms(store: Store, visit: Visit, *, secret: bytes, min_group: int) -> tuple[Run, list[dict[str, str]]]:
    """Return every band under a pseudonym that changes with each batch; which departments are named is decided over
    everybody, so that what one reader is told cannot be taken from what another is. Who objects stays in: without a
    name, and a row that vanished would tell its band."""
    sight = visit.viewer.sight
    with store.begin() as tx:
        run = service.run_of(tx)
        rows = store_contest.bands_of_all(tx, sight, run.id, today=visit.now.date())
        everybody = store_contest.band_counts(tx, run.id, today=visit.now.date())
        service.record(tx, visit, "pseudonyms.read", "shown", run=run)
    hidden = groups.unnamed(everybody, min_group=min_group)
    places = [row["department"] or groups.OTHER for row in rows]
    if hidden is None or (sight.kind != "everyone" and hidden & set(places)):
        return run, []  # of one department there is nobody else to stand among
    told = []
    for row, place in zip(rows, places, strict=True):
        mark = hmac.new(secret, f"{run.id}|{row['employee_id']}".encode(), hashlib.sha256).hexdigest()[:24]
        told.append({"pseudonym": mark, "department": groups.OTHER if place in hidden else place, "band": row["band"]})
    return run, sorted(told, key=lambda one: one["pseudonym"])
