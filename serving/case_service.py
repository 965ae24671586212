"""Cases of care as people use them: who may see which, who decides, and every step in one transaction with its entry.

Access is that of the moment: whoever sees the person sees the case, nobody else, and a hidden case is answered exactly
like one that does not exist. Each step names a person who signed in, or whom a system names and the records know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from serving import audit, cases, store_cases, store_people
from serving.access import Visit
from serving.cases import Actor, Case, Move, Refused
from serving.problems import Problem
from serving.store import Store, Transaction
from serving.store_cases import OWN, CasesAsked, Place, Step
from serving.store_people import Sight

Catalog = Mapping[str, Mapping[str, Any]]
"""Action → its facts, as ``app.catalog_facts`` lists them."""

OWN_DAYS = 14
LATELY_DAYS = 14
LONGEST_TITLE = 120


@dataclass(frozen=True)
class CaseList:
    """A page of cases with name and team of each person, and where the next page starts.

    ``moved``: the numbers of those that were handed over lately.
    """

    rows: tuple[dict[str, Any], ...]
    next: Place | None
    leads: dict[str, str]
    moved: set[str]


@dataclass(frozen=True)
class CaseSeen:
    """Everything about one case; ``leads`` tells the names of managers by number, ``speaks_for`` the viewer's sides."""

    case: Case
    person: dict[str, Any]
    steps: tuple[dict[str, Any], ...]
    leads: dict[str, str]
    speaks_for: frozenset[str]


@dataclass(frozen=True)
class Opening:
    """A case that somebody wants to open: with a step at once (agree, decline) or ``suggest`` alone."""

    employee_id: str
    action: str
    move: Move
    title: str = ""
    decided_by: str = ""


@dataclass(frozen=True)
class Taking:
    """A step that somebody wants to take in the version of a case that they have read."""

    case_id: str
    version: int
    move: Move
    decided_by: str = ""


def listed(store: Store, visit: Visit, asked: CasesAsked) -> CaseList:
    """Return the cases within sight, the earliest due first; every person on the page is a look at that person."""
    with store.begin() as tx:
        rows = store_cases.cases(tx, visit.viewer.sight, replace(asked, limit=asked.limit + 1))
        shown = rows[: asked.limit]
        for one in sorted({row["employee_id"] for row in shown}):
            _record(tx, visit, "case.list", "shown", subject=one)
        if not shown:
            _record(tx, visit, "case.list", "nobody")
        leads = store_cases.employed(tx, [row["lead_id"] for row in shown if row["lead_id"]])
        since = visit.now - timedelta(days=LATELY_DAYS)
        moved = store_cases.moved_since(tx, [row["id"] for row in shown], since)
    last = shown[-1] if len(rows) > asked.limit else None
    return CaseList(tuple(shown), (last["place"].isoformat(), last["id"]) if last else None, leads, moved)


def due_counts(store: Store, visit: Visit) -> dict[str, int]:
    """Return how many cases within sight are overdue or due within a week: figures, no names."""
    with store.begin() as tx:
        return store_cases.due_counts(tx, visit.viewer.sight, today=visit.now.date())


def read(store: Store, visit: Visit, case_id: str) -> CaseSeen:
    """Return one case after the look has been written down."""
    with store.begin() as tx:
        found = store_cases.find(tx, visit.viewer.sight, case_id)
        subject = found[0].employee_id if found else None
        _record(tx, visit, "case.read", "shown" if found else "not_found", subject=subject)
        seen = _seen(tx, visit, *found) if found else None
    if seen is None:
        raise Problem("not_found")
    return seen


def _seen(tx: Transaction, visit: Visit, case: Case, person: dict[str, Any]) -> CaseSeen:
    steps = store_cases.steps(tx, case.id)
    leads = store_cases.employed(tx, [case.lead_id] if case.lead_id else [])
    sides = _sides_of_session(tx, visit, case.employee_id) if visit.viewer.door == "session" else frozenset()
    return CaseSeen(case, person, tuple(steps), leads, sides)


def of_person(tx: Transaction, visit: Visit, employee_id: str) -> tuple[tuple[dict[str, Any], ...], frozenset[str]]:
    """Return the person's cases and the sides the viewer speaks for; for a page whose look is written down already."""
    asked = CasesAsked(visit.now.date(), employee_id=employee_id)
    return tuple(store_cases.cases(tx, visit.viewer.sight, asked)), _sides_of_session(tx, visit, employee_id)


def open_case(store: Store, visit: Visit, opening: Opening, *, catalog: Catalog) -> Case:
    """Open a case and return it as it stands after the first step. Nothing is written when any part is refused."""
    with store.begin() as tx:
        made = _open(tx, visit, opening, catalog)
        result = made.name if isinstance(made, Problem) else "recorded"
        _record(tx, visit, f"case.{opening.move.step}", result, subject=opening.employee_id)
    if isinstance(made, Problem):
        raise made
    return made


def _open(tx: Transaction, visit: Visit, opening: Opening, catalog: Catalog) -> Case | Problem:
    person = store_people.visible_person(tx, visit.viewer.sight, opening.employee_id)
    if person is None:
        return Problem("not_found")
    own = opening.action == OWN
    if (own and len(opening.title.strip()) < cases.SHORTEST_REASON) or (not own and opening.action not in catalog):
        return Problem("invalid")
    alone = opening.move.step == "suggest"
    actor = _actor(tx, visit, opening.employee_id, opening.decided_by)
    if alone and visit.viewer.door == "key" and not opening.decided_by:
        actor = Actor(visit.viewer.name, None, frozenset())  # a system may suggest: nothing is decided by that
    elif isinstance(actor, Problem):
        return actor
    elif not actor.sides:
        return Problem("not_yours")
    if not own and store_cases.is_open(tx, opening.employee_id, opening.action):
        return Problem("case_open")
    first = _fresh(tx, visit, opening, person, {} if own else catalog[opening.action])
    bare = Move("suggest", opening.move.today, note=opening.move.note if alone else "")
    steps = [(first, _step(visit, bare, actor))]
    if not alone:
        try:
            steps.append((cases.take(first, opening.move, actor), _step(visit, opening.move, actor)))
        except Refused as refused:
            return _problem(refused)
    case = steps[-1][0]
    return case if store_cases.add(tx, case, steps) else Problem("case_open")


def _fresh(
    tx: Transaction, visit: Visit, opening: Opening, person: Mapping[str, Any], facts: Mapping[str, Any]
) -> Case:
    """Return a case that nobody has decided about; its origin is the care plan when the plan holds the action."""
    today = visit.now.date()
    run = store_people.current_run(tx)
    score = store_people.score_of(tx, run["id"], opening.employee_id) if run else None
    plan = score["plan"].get("actions", []) if score and score["valid_until"] >= today else []
    planned = any(one["action"] == opening.action for one in plan)
    sides = cases.SIDES[facts.get("who_decides", "manager")]
    return Case(
        id=store_cases.new_id(),
        employee_id=opening.employee_id,
        action=opening.action,
        title=opening.title.strip() or None,
        origin="suggestion" if planned else "own",
        sides=sides,
        days=int(facts.get("days", OWN_DAYS)),
        needs_consent=bool(facts.get("consent", False)),
        lead_id=lead_for(tx, sides, person),
        opened_on=today,
        due_on=cases.first_due(today),
        run_id=run["id"] if run else None,
    )


def lead_for(tx: Transaction, sides: frozenset[str], person: Mapping[str, Any]) -> str | None:
    """Return on whose list a case belongs now; HR (None) when it is HR's or when nobody above is employed.

    The direct manager leads what the line decides, the one above what a head decides: it may be about the manager.
    """
    if sides == cases.SIDES["hr"]:
        return None
    line = store_cases.line_of(tx, person["id"])
    heads = "line" not in sides and len(line) > 1
    there = store_cases.employed(tx, line[:2])
    return next((one for one in line[1:2] * heads + line[:1] if one in there), None)


def take(store: Store, visit: Visit, taking: Taking) -> Case:
    """Take one step and return the case; a stale version, a wrong state or a person without a say change nothing."""
    with store.begin() as tx:
        found = store_cases.find(tx, visit.viewer.sight, taking.case_id)
        made = _take(tx, visit, taking, found[0]) if found else Problem("not_found")
        result = made.name if isinstance(made, Problem) else "recorded"
        _record(tx, visit, f"case.{taking.move.step}", result, subject=found[0].employee_id if found else None)
    if isinstance(made, Problem):
        raise made
    return made


def _take(tx: Transaction, visit: Visit, taking: Taking, case: Case) -> Case | Problem:
    if case.version != taking.version:
        return Problem("stale")
    actor = _actor(tx, visit, case.employee_id, taking.decided_by)
    if isinstance(actor, Problem):
        return actor
    try:
        after = cases.take(case, taking.move, actor)
    except Refused as refused:
        return _problem(refused)
    if store_cases.change(tx, after, _step(visit, taking.move, actor)):
        return after
    return Problem("case_open" if taking.move.step == "reopen" else "stale")


def _problem(refused: Refused) -> Problem:
    return Problem(refused.kind, facts={"state": refused.state, "allowed_steps": list(refused.allowed)})


def _step(visit: Visit, move: Move, actor: Actor) -> Step:
    return Step(
        step=move.step,
        day=move.day or visit.now.date(),
        at=visit.now,
        by_name=actor.name,
        by_id=actor.id,
        recorded_by=visit.viewer.actor,
        reason=move.reason or (move.until.isoformat() if move.until else None),
        instead=move.instead.strip() if "hr" in actor.sides and move.step == "agree" else None,
        note=move.note.strip() or None,
    )


def _actor(tx: Transaction, visit: Visit, employee_id: str, decided_by: str) -> Actor | Problem:
    """Return who takes the step and for which sides they speak: the person signed in, or the one a system names."""
    viewer = visit.viewer
    if viewer.door == "session":
        return Actor(viewer.name, viewer.person_id, _sides_of_session(tx, visit, employee_id))
    if not decided_by:
        return Problem("decider_missing")
    name = store_cases.employed(tx, [decided_by]).get(decided_by)
    if name is None:
        return Problem("decider_unknown")
    sides = _sides_in_line(tx, decided_by, employee_id)
    seen_as_hr = store_cases.hr_sight(tx, decided_by)
    trusted = viewer.role in (*store_cases.HR_ROLES, "hr_system")  # a manager's own tool does not speak for HR
    if trusted and seen_as_hr and decided_by != employee_id and _within(tx, seen_as_hr, employee_id):
        sides |= {"hr"}
    return Actor(name, decided_by, sides)


def _within(tx: Transaction, sight: Sight, employee_id: str) -> bool:
    return store_people.visible_person(tx, sight, employee_id, contested=True) is not None


def _sides_of_session(tx: Transaction, visit: Visit, employee_id: str) -> frozenset[str]:
    """Return for which sides the person who signed in speaks about this employee; never about themselves."""
    viewer = visit.viewer
    if viewer.person_id == employee_id or "care.write" not in viewer.scopes:
        return frozenset()
    if viewer.role in store_cases.HR_ROLES:
        return frozenset({"hr"})
    if viewer.person_id is not None:
        return _sides_in_line(tx, viewer.person_id, employee_id)
    # Without a number in the records the sight that the organisation gave is all there is to go by.
    return frozenset({"line"}) if viewer.sight.kind in ("team", "manager") else frozenset({"line", "head"})


def _sides_in_line(tx: Transaction, manager_id: str, employee_id: str) -> frozenset[str]:
    line = store_cases.line_of(tx, employee_id)
    if manager_id not in line:
        return frozenset()
    return frozenset({"line", "head"}) if manager_id != line[0] or len(line) == 1 else frozenset({"line"})


def own(store: Store, visit: Visit, employee_id: str | None, *, sight: Sight) -> tuple[dict[str, Any], ...]:
    """Return what was agreed with a person, for that person: no suggestion, no reason, no risk, nobody's note."""
    with store.begin() as tx:
        known = employee_id is not None and _within(tx, sight, employee_id)
        asked = CasesAsked(visit.now.date(), employee_id=employee_id, agreed_only=True)
        rows = store_cases.cases(tx, sight, asked) if known else []
        _record(tx, visit, "case.own", "shown" if known else "not_found", subject=employee_id)
    if not known:
        raise Problem("not_found")
    kept = ("id", "action", "title", "status", "decided_by", "agreed_on", "consent_on", "done_on", "due_on", "outcome")
    return tuple({name: row[name] for name in kept} for row in rows)


def outbox(store: Store, visit: Visit, *, after: int, limit: int) -> list[dict[str, Any]]:
    """Return reminders about people within sight: thin, so that whoever delivers them learns nothing of a case."""
    with store.begin() as tx:
        rows = store_cases.reminders(tx, visit.viewer.sight, after=after, limit=limit)
        _record(tx, visit, "case.reminders", "shown")
    return rows


def _record(tx: Transaction, visit: Visit, action: str, result: str, *, subject: str | None = None) -> None:
    audit.record(tx, audit.entry_of(visit, action, result, subject=subject), now=visit.now)
