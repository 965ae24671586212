"""A case of care as a small machine: which step leads where, who may take it, and what it must bring along.

    suggested ──agree──▶ agreed ──done──▶ done ──outcome──▶ closed
        └────decline───▶ declined ◀──decline──┘ (of agreed)      agreed ──outcome: not done, left──▶ closed
    reopen, with a reason: declined ▶ suggested, closed ▶ where it stood before

Every step is taken by a named person. Agreement comes from those whom the catalog names (``SIDES``); HR may decide in
the place of somebody else and has to say why. Pure: no clock, no store; a case is never changed in place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

STATES = ("suggested", "agreed", "done", "declined", "closed")
OPEN = ("suggested", "agreed", "done")
"""Somebody still has to do something: decide, act, or ask how it went."""

SIDES: dict[str, frozenset[str]] = {
    "manager": frozenset({"line"}),
    "hr": frozenset({"hr"}),
    "manager_and_hr": frozenset({"line", "hr"}),
    "department_head": frozenset({"head"}),
    "leadership": frozenset({"head", "hr"}),
}
"""Who has to agree, by the catalog's ``who_decides``: the line (the direct manager or anybody above), a head (somebody
above the direct manager, or the direct manager when nobody is), HR. Two sides are two agreements."""

DECLINED = ("not_needed", "person_declined", "already_done", "no_capacity", "wrong_assessment", "other")
LEFT = "left"
"""The one reason and outcome that the records may write: the person is no longer employed."""
OUTCOMES = ("helped", "situation_changed", "no_change", "left", "not_done")
"""What happened, as the person tells it or as everybody can see; never what somebody believes of a feeling."""
UNDONE = ("left", "not_done")
"""What can be said of something that was agreed and never done."""

DECIDE_DAYS = 14
FEWEST_FOLLOW_DAYS = 30
"""Nobody can say sooner whether anything has changed."""
LONGEST_POSTPONED = 180
SHORTEST_REASON = 3


@dataclass(frozen=True)
class Case:
    """One care action for one person. ``sides`` have to agree, ``agreed_sides`` have; ``version`` counts the steps.

    ``lead_id``: the manager on whose list it stands; None is HR. ``due_on``: the day of the next step, None when it is
    over. ``decided_by`` is kept as a name also when its number is no longer known.
    """

    id: str
    employee_id: str
    action: str
    title: str | None
    origin: str
    sides: frozenset[str]
    days: int
    needs_consent: bool
    lead_id: str | None
    opened_on: date
    due_on: date | None
    run_id: int | None = None
    status: str = "suggested"
    version: int = 1
    agreed_sides: frozenset[str] = frozenset()
    consent_on: date | None = None
    decided_by: str | None = None
    decided_by_id: str | None = None
    agreed_on: date | None = None
    done_on: date | None = None
    closed_on: date | None = None
    reason: str | None = None
    outcome: str | None = None

    @property
    def missing(self) -> frozenset[str]:
        """The sides that still have to agree."""
        return self.sides - self.agreed_sides

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.status in OPEN


@dataclass(frozen=True)
class Actor:
    """The person who takes a step, and for which sides they can speak about this employee."""

    name: str
    id: str | None
    sides: frozenset[str]


@dataclass(frozen=True)
class Move:
    """A step that somebody wants to take. ``today`` is when it is written down, ``day`` when it happened.

    ``instead``: why HR decides in the place of somebody else. ``until``: the new day of a postponed case.
    """

    step: str
    today: date
    day: date | None = None
    reason: str | None = None
    note: str = ""
    instead: str = ""
    until: date | None = None


class Refused(Exception):
    """A step that cannot be taken; ``kind`` is one of ``problems.KINDS``. The case stays as it was."""

    def __init__(self, kind: str, case: Case) -> None:
        self.kind = kind
        self.state = case.status
        self.allowed = allowed(case)
        super().__init__(kind)


def first_due(opened_on: date) -> date:
    """Return the day by which somebody should say yes or no."""
    return opened_on + timedelta(days=DECIDE_DAYS)


def allowed(case: Case) -> tuple[str, ...]:
    """Return the steps that the state of the case permits; who may take them is another question."""
    asked = case.needs_consent and case.consent_on is None
    return tuple(step for step, (states, _) in STEPS.items() if case.status in states and (step != "consent" or asked))


def take(case: Case, move: Move, actor: Actor) -> Case:
    """Return the case after the step, one version on. Raises ``Refused`` and changes nothing otherwise."""
    if move.step not in STEPS:
        raise Refused("invalid", case)
    if move.step not in allowed(case):
        raise Refused("step_not_allowed", case)
    if not actor.sides:
        raise Refused("not_yours", case)
    if move.day is not None and not (case.agreed_on or case.opened_on) <= move.day <= move.today:
        raise Refused("day_invalid", case)
    return replace(STEPS[move.step][1](case, move, actor), version=case.version + 1)


def _agree(case: Case, move: Move, actor: Actor) -> Case:
    given = actor.sides & case.missing
    if "hr" in actor.sides and move.instead:
        if len(move.instead.strip()) < SHORTEST_REASON:
            raise Refused("reason_missing", case)
        given = case.missing
    if not given:
        raise Refused("reason_missing" if "hr" in actor.sides else "not_yours", case)
    case = replace(case, agreed_sides=case.agreed_sides | given)
    if case.missing:
        return case
    due = move.today + timedelta(days=case.days)
    return replace(_named(case, actor), status="agreed", agreed_on=move.today, due_on=due)


def _decline(case: Case, move: Move, actor: Actor) -> Case:
    if move.reason not in DECLINED:
        raise Refused("reason_missing", case)
    if move.reason == "other" and len(move.note.strip()) < SHORTEST_REASON:
        raise Refused("reason_missing", case)
    return replace(_named(case, actor), status="declined", reason=move.reason, closed_on=move.today, due_on=None)


def _named(case: Case, actor: Actor) -> Case:
    return replace(case, decided_by=actor.name, decided_by_id=actor.id)


def _consent(case: Case, move: Move, actor: Actor) -> Case:
    return replace(case, consent_on=move.day or move.today)


def _done(case: Case, move: Move, actor: Actor) -> Case:
    if case.needs_consent and case.consent_on is None:
        raise Refused("consent_missing", case)
    day = move.day or move.today
    due = max(day + timedelta(days=max(case.days, FEWEST_FOLLOW_DAYS)), move.today)
    return replace(case, status="done", done_on=day, due_on=due)


def _outcome(case: Case, move: Move, actor: Actor) -> Case:
    fitting = UNDONE if case.status == "agreed" else [told for told in OUTCOMES if told != "not_done"]
    if move.reason not in fitting:
        raise Refused("reason_missing", case)
    return replace(case, status="closed", outcome=move.reason, closed_on=move.day or move.today, due_on=None)


def _postpone(case: Case, move: Move, actor: Actor) -> Case:
    latest = move.today + timedelta(days=LONGEST_POSTPONED)
    if move.until is None or not move.today < move.until <= latest:
        raise Refused("day_invalid", case)
    return replace(case, due_on=move.until)


def _note(case: Case, move: Move, actor: Actor) -> Case:
    if not move.note.strip():
        raise Refused("reason_missing", case)
    return case


def _reopen(case: Case, move: Move, actor: Actor) -> Case:
    """Take the case back to where it stood: to the question after a no, to *done* or *agreed* after an outcome."""
    if len(move.note.strip()) < SHORTEST_REASON:
        raise Refused("reason_missing", case)
    again = replace(case, reason=None, outcome=None, closed_on=None, due_on=move.today + timedelta(days=7))
    if case.status == "closed":
        return replace(again, status="done" if case.done_on else "agreed")
    again = replace(again, decided_by=None, decided_by_id=None, agreed_on=None, consent_on=None)
    return replace(again, status="suggested", agreed_sides=frozenset())


STEPS: dict[str, tuple[tuple[str, ...], Callable[[Case, Move, Actor], Case]]] = {
    "agree": (("suggested",), _agree),
    "decline": (("suggested", "agreed"), _decline),
    "consent": (("agreed",), _consent),
    "done": (("agreed",), _done),
    "outcome": (("agreed", "done"), _outcome),
    "postpone": (OPEN, _postpone),
    "note": (OPEN, _note),
    "reopen": (("declined", "closed"), _reopen),
}
"""Step → the states that permit it, and what it does. Nothing else changes a case but ``handed`` and ``left``."""


def handed(case: Case, lead_id: str | None, *, forget_decider: bool) -> Case:
    """Return the case on the list of another manager, or of HR; the records say so, nobody has to take a step."""
    decider = None if forget_decider else case.decided_by_id
    return replace(case, lead_id=lead_id, decided_by_id=decider, version=case.version + 1)


def left(case: Case, *, today: date) -> Case:
    """Return the case closed because the person is no longer employed: what was only suggested is declined."""
    over: dict[str, Any] = {"version": case.version + 1, "closed_on": today, "due_on": None}
    if case.status == "suggested":
        return replace(case, status="declined", reason=LEFT, **over)
    return replace(case, status="closed", outcome=LEFT, **over)
