"""The API of cases of care: open, list, read, take a step; what was agreed, for the person; and the outbox.

A step names the version that was read (``If-Match``) and the person who decides (``decided_by``).
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import Field

from serving import case_service, cases, cursor
from serving.api import LOCKED, PLAIN_TEXT, Cursor, EmployeeId, Let, Limit, documented
from serving.case_service import Opening, Taking
from serving.cases import Case, Move
from serving.guard import Desk, desk
from serving.problems import Problem
from serving.schemas import Purpose
from serving.schemas_cases import (
    Asked,
    CaseAnswer,
    CaseDetailAnswer,
    CasesAnswer,
    CaseState,
    DueFilter,
    NewCase,
    NewStep,
    OwnCase,
    OwnCasesAnswer,
    Reminder,
    RemindersAnswer,
    StepAnswer,
)
from serving.store_cases import CasesAsked, case_of

router = APIRouter()

CaseId = Annotated[str, Path(min_length=1, max_length=32, pattern=r"^[0-9a-f]+$")]
Text = Annotated[str | None, Field(min_length=1, max_length=200, pattern=PLAIN_TEXT)]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=100)]
SECURED: dict[str, Any] = {"security": [{"key": []}]}
DECIDING = ("not_yours", "decider_missing", "case_open", "not_found")


class Filters(Asked):
    """Which cases: those that fit every filter given. ``lead_id``: the manager on whose list they stand."""

    purpose: Purpose
    status: CaseState | None = None
    team: Text = None
    due: DueFilter | None = None
    employee_id: Text = None
    lead_id: Text = None
    cursor: Annotated[str | None, Field(max_length=900)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/v1/cases", responses=documented(CasesAnswer, *LOCKED, "not_found"), openapi_extra=SECURED)
def list_cases(request: Request, who: Let, filters: Annotated[Filters, Query()]) -> CasesAnswer:
    """Cases within sight, the earliest due day first. Each person on the page is one entry in the audit log."""
    at = desk(request)
    chosen = filters.model_dump(exclude={"purpose", "cursor", "limit"})
    about = json.dumps([who.viewer.actor, "cases", chosen])
    place = cursor.read(filters.cursor, secret=at.secret, about=about)
    asked = CasesAsked(who.now.date(), **chosen, after=tuple(place) if place else None, limit=filters.limit)
    seen = case_service.listed(at.store, who, asked)
    return CasesAnswer(
        cases=[_answer(case_of(row)) for row in seen.rows],
        next_cursor=cursor.seal(seen.next, secret=at.secret, about=about) if seen.next else None,
    )


@router.post(
    "/v1/cases",
    status_code=201,
    responses=documented(CaseAnswer, *LOCKED, *DECIDING, status=201),
    openapi_extra=SECURED,
)
def open_case(request: Request, response: Response, who: Let, purpose: Purpose, new: NewCase) -> CaseAnswer:
    """Open a case: a suggestion of the care plan, another action of the catalog, or one of your own."""
    at = desk(request)
    move = Move(new.step, who.now.date(), reason=new.reason, note=new.note, instead=new.instead_because)
    opening = Opening(new.employee_id, new.action, move, title=new.title, decided_by=new.decided_by)
    case = case_service.open_case(at.store, who, opening, catalog=facts_of(at))
    response.headers["location"] = f"/v1/cases/{case.id}"
    return _tagged(case, response)


@router.get("/v1/cases/{case_id}", responses=documented(CaseDetailAnswer, *LOCKED, "not_found"), openapi_extra=SECURED)
def read_case(request: Request, response: Response, who: Let, case_id: CaseId, purpose: Purpose) -> CaseDetailAnswer:
    """One case with its steps. The look is written down first."""
    seen = case_service.read(desk(request).store, who, case_id)
    return CaseDetailAnswer(case=_tagged(seen.case, response), steps=[_step(row) for row in seen.steps])


def taking(who: Let, case_id: CaseId, new: NewStep, if_match: IfMatch = None) -> Taking:
    """Return the step that is asked for, in the version that was read."""
    told = {"day": new.day, "reason": new.reason, "until": new.until, "note": new.note, "instead": new.instead_because}
    move = Move(new.step, who.now.date(), **told)  # type: ignore[arg-type]
    return Taking(case_id, version_in(if_match), move, decided_by=new.decided_by)


@router.post(
    "/v1/cases/{case_id}/steps",
    responses=documented(CaseAnswer, *LOCKED, *DECIDING, "step_not_allowed", "stale", "version_missing"),
    openapi_extra=SECURED,
)
def take_step(
    request: Request, response: Response, who: Let, purpose: Purpose, taking: Annotated[Taking, Depends(taking)]
) -> CaseAnswer:
    """Take a step: agree, decline, note the person's consent, done, outcome, postpone, note, reopen."""
    return _tagged(case_service.take(desk(request).store, who, taking), response)


@router.get(
    "/v1/employees/{employee_id}/care",
    responses=documented(OwnCasesAnswer, *LOCKED, "not_found"),
    openapi_extra=SECURED,
)
def care_of_employee(request: Request, who: Let, employee_id: EmployeeId, purpose: Purpose) -> OwnCasesAnswer:
    """What was agreed with a person, for that person's own request: no suggestion, no reason, no risk."""
    rows = case_service.own(desk(request).store, who, employee_id, sight=who.viewer.sight)
    return OwnCasesAnswer(employee_id=employee_id, cases=[OwnCase(**row) for row in rows])


@router.get("/v1/reminders", responses=documented(RemindersAnswer, *LOCKED, "not_found"), openapi_extra=SECURED)
def outbox(request: Request, who: Let, purpose: Purpose, cursor_: Cursor = None, limit: Limit = 50) -> RemindersAnswer:
    """The outbox, oldest first: who should hear of which case. Keep the last cursor to hear only what is new."""
    at = desk(request)
    about = f"{who.viewer.actor}|reminders"
    after = cursor.read(cursor_, secret=at.secret, about=about) or 0
    rows = case_service.outbox(at.store, who, after=after, limit=limit)
    last = rows[-1]["id"] if rows else after
    return RemindersAnswer(
        reminders=[Reminder(**{name: row[name] for name in Reminder.model_fields}) for row in rows],
        next_cursor=cursor.seal(last, secret=at.secret, about=about) if last else None,
    )


def version_in(if_match: str | None) -> int:
    """Return the version that the header names; without one, or with ``*``, it was not said what was read.

    >>> version_in('"3"')
    3
    """
    if if_match is None or if_match.strip() == "*":
        raise Problem("version_missing")
    named = re.fullmatch(r'"(\d{1,9})"', if_match.strip())
    if named is None:
        raise Problem("stale")  # a weak tag, several or a foreign one: none is the version that stands here
    return int(named[1])


def facts_of(at: Desk) -> dict[str, dict[str, Any]]:
    """Return the catalog by action."""
    return {entry["action"]: entry for entry in at.catalog}


def _tagged(case: Case, response: Response) -> CaseAnswer:
    response.headers["etag"] = f'"{case.version}"'
    return _answer(case)


def _answer(case: Case) -> CaseAnswer:
    plain = set(CaseAnswer.model_fields) - {"missing", "allowed_steps"}
    facts: dict[str, Any] = {name: getattr(case, name) for name in plain}
    facts["missing"] = sorted(case.missing) if case.status == "suggested" else []
    return CaseAnswer(**facts, allowed_steps=list(cases.allowed(case)))  # type: ignore[arg-type]


def _step(row: dict[str, Any]) -> StepAnswer:
    plain = set(StepAnswer.model_fields) - {"instead_because"}
    return StepAnswer(**{name: row[name] for name in plain}, instead_because=row["instead"])
