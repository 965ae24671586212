"""What the API takes and answers about cases of care, field by field, with one example of each answer.

No answer about a case holds a risk, a band or a reason of the assessment.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from serving.schemas import Answer

CaseState = Literal["suggested", "agreed", "done", "declined", "closed"]
StepName = Literal["agree", "decline", "consent", "done", "outcome", "postpone", "note", "reopen"]
DueFilter = Literal["overdue", "this_week", "later", "open", "none"]

LINE = r"^[^\x00-\x1f\x7f]*$"
WORDS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Note = Annotated[str, Field(max_length=500, pattern=WORDS)]
Number = Annotated[str, Field(max_length=200, pattern=LINE)]


class Asked(BaseModel):
    """Base of what is taken: closed, so that a field that nobody may write cannot slip in."""

    model_config = ConfigDict(extra="forbid")


class NewCase(Asked):
    """A case to open. ``action`` is of the catalog, or ``own`` with a ``title``.

    ``step``: ``suggest`` leaves the decision open; ``agree`` and ``decline`` decide at once. ``decided_by`` is the
    employee number of the person who decides, somebody above this person or invited as HR: a key decides nothing, it
    may only suggest.
    """

    employee_id: Annotated[str, Field(min_length=1, max_length=200, pattern=LINE)]
    action: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
    decided_by: Number = ""
    step: Literal["suggest", "agree", "decline"] = "suggest"
    title: Annotated[str, Field(max_length=120, pattern=LINE)] = ""
    reason: Annotated[str, Field(max_length=40, pattern=LINE)] | None = None
    instead_because: Note = ""
    note: Note = ""


class NewStep(Asked):
    """A step in a case, in the version that ``If-Match`` names.

    ``reason``: with ``decline`` and ``outcome``, from their closed lists. ``day``: when it happened, if not today.
    ``until``: with ``postpone``. ``instead_because``: why HR decides in the place of those whom the catalog names.
    """

    step: StepName
    decided_by: Number = ""
    day: date | None = None
    reason: Annotated[str, Field(max_length=40, pattern=LINE)] | None = None
    until: date | None = None
    instead_because: Note = ""
    note: Note = ""


class CaseAnswer(Answer):
    """Where a case stands. ``lead_id``: the manager on whose list it is, null is HR; ``missing``: who has to agree."""

    id: str
    employee_id: str
    action: str
    title: str | None
    origin: Literal["suggestion", "own", "carried"]
    status: CaseState
    version: int
    lead_id: str | None
    missing: list[Literal["line", "head", "hr"]]
    needs_consent: bool
    consent_on: date | None
    decided_by: str | None
    decided_by_id: str | None
    opened_on: date
    due_on: date | None
    agreed_on: date | None
    done_on: date | None
    closed_on: date | None
    reason: str | None
    outcome: str | None
    allowed_steps: list[StepName]


class StepAnswer(Answer):
    """What was done in a case. ``by_id`` is null for the records and for people without a number."""

    version: int
    step: str
    status: CaseState
    day: date
    at: datetime
    by_name: str
    by_id: str | None
    reason: str | None
    instead_because: str | None
    note: str | None


class CaseDetailAnswer(Answer):
    """A case with its steps, oldest first. The ETag is its version."""

    case: CaseAnswer
    steps: list[StepAnswer]


class CasesAnswer(Answer):
    """A page of cases within sight, the earliest due day first."""

    cases: list[CaseAnswer]
    next_cursor: str | None


class OwnCase(Answer):
    """What was agreed with a person, for that person."""

    id: str
    action: str
    title: str | None
    status: CaseState
    decided_by: str | None
    agreed_on: date | None
    consent_on: date | None
    done_on: date | None
    due_on: date | None
    outcome: str | None


class OwnCasesAnswer(Answer):
    """All that was agreed with a person; what was only suggested or declined is not in it."""

    employee_id: str
    cases: list[OwnCase]


class Reminder(Answer):
    """Thin: read the case itself for more. ``recipient``: an employee number, or ``hr``."""

    id: int
    case_id: str
    kind: Literal["due", "overdue", "handed_over", "decider_left", "person_left"]
    recipient: str
    due_on: date | None
    made_at: datetime


class RemindersAnswer(Answer):
    """The outbox, oldest first."""

    reminders: list[Reminder]
    next_cursor: str | None


_CASE: dict[str, Any] = {
    "id": "9b1c33d0a4e2f7c8",
    "employee_id": "E0042",
    "action": "career_talk",
    "title": None,
    "origin": "suggestion",
    "status": "agreed",
    "version": 2,
    "lead_id": "M1",
    "missing": [],
    "needs_consent": False,
    "consent_on": None,
    "decided_by": "Anna Berg",
    "decided_by_id": "M1",
    "opened_on": "2026-11-02",
    "due_on": "2026-11-16",
    "agreed_on": "2026-11-02",
    "done_on": None,
    "closed_on": None,
    "reason": None,
    "outcome": None,
    "allowed_steps": ["decline", "done", "outcome", "postpone", "note"],
}
_STEP: dict[str, Any] = {
    "version": 2,
    "step": "agree",
    "status": "agreed",
    "day": "2026-11-02",
    "at": "2026-11-02T08:30:00Z",
    "by_name": "Anna Berg",
    "by_id": "M1",
    "reason": None,
    "instead_because": None,
    "note": "on Thursday, after the shift",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "CaseAnswer": _CASE,
    "CaseDetailAnswer": {"case": _CASE, "steps": [_STEP]},
    "CasesAnswer": {"cases": [_CASE], "next_cursor": None},
    "OwnCasesAnswer": {
        "employee_id": "E0042",
        "cases": [{name: _CASE[name] for name in OwnCase.model_fields}],
    },
    "RemindersAnswer": {
        "reminders": [
            {
                "id": 7,
                "case_id": _CASE["id"],
                "kind": "due",
                "recipient": "M1",
                "due_on": "2026-11-16",
                "made_at": "2026-11-10T06:00:00Z",
            }
        ],
        "next_cursor": None,
    },
}
