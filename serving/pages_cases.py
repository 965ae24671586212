"""The pages of cases: what is due, one case with its forms and history, and what was agreed, for the employee.

A form carries the version that its page was made from. When somebody was faster nothing is saved: the page comes back
with what is new and with what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse

from serving import case_service, cases, cursor
from serving.access import Visit
from serving.case_service import Opening, Taking
from serving.cases import DECLINED, OUTCOMES, STEPS, UNDONE, Move
from serving.guard import Desk, desk
from serving.pages import Form, Let, language, page, text_of
from serving.problems import Problem
from serving.store_cases import OWN, THIS_WEEK_DAYS, CasesAsked, case_of
from serving.words import Words

router = APIRouter(include_in_schema=False)

CaseId = Annotated[str, Path(min_length=1, max_length=32)]
FIRST_STEPS = ("suggest", "agree", "decline")
LENGTHS = {"step": 20, "note": 500, "instead": 500, "reason": 40, "day": 10, "until": 10}
TOLD_ON_PAGE = (
    "stale",
    "step_not_allowed",
    "reason_missing",
    "day_invalid",
    "consent_missing",
    "case_open",
    "not_yours",
)
"""Problems after which the case is shown again with what was typed; all others have a page of their own."""


@router.get("/cases")
def list_cases(
    request: Request,
    who: Let,
    show: Literal["open", "closed", "declined"] = "open",
    whose: Literal["mine", "all"] | None = None,
    cursor_: Annotated[str | None, Query(alias="cursor", max_length=900)] = None,
) -> Response:
    """Cases within sight: overdue, due this week, later; or those that are over."""
    at, today = desk(request), who.now.date()
    person = who.viewer.person_id
    whose = whose or ("mine" if person and who.viewer.role == "manager" else "all")
    about = f"{who.viewer.actor}|cases page|{show}|{whose}"
    place = cursor.read(cursor_, secret=at.secret, about=about)
    asked = CasesAsked(
        today,
        status=None if show == "open" else show,
        due="open" if show == "open" else None,
        lead_id=person if whose == "mine" else None,
        after=tuple(place) if place else None,
        limit=at.settings.page_size,
    )
    seen = case_service.listed(at.store, who, asked)
    further = cursor.seal(seen.next, secret=at.secret, about=about) if seen.next else None
    context = {
        "groups": _groups(seen.rows, today),
        "today": today,
        "leads": seen.leads,
        "moved": seen.moved,
        "shown": show,
        "whose": whose,
        "title_of": titles(at, language(request)),
        "missing_of": lambda row: case_of(row).missing,
        "as_day": date.fromisoformat,
        "next_at": f"?show={show}&whose={whose}&cursor={further}" if further else None,
    }
    return page(request, "cases.html", context, who=who)


def _groups(rows: tuple[dict[str, Any], ...], today: date) -> list[tuple[str, list[dict[str, Any]]]]:
    week = today + timedelta(days=THIS_WEEK_DAYS)
    named: dict[str, list[dict[str, Any]]] = {"overdue": [], "this_week": [], "later": [], "over": []}
    for row in rows:
        due = row["due_on"]
        name = "over" if due is None else "overdue" if due < today else "this_week" if due <= week else "later"
        named[name].append(row)
    return [(name, found) for name, found in named.items() if found]


@router.get("/cases/{case_id}")
def read_case(request: Request, who: Let, case_id: CaseId) -> Response:
    """One case: what is next, the guide for the talk, the forms, and what happened so far."""
    return _case_page(request, who, case_id)


@router.post("/cases/{case_id}/steps")
def take_step(request: Request, who: Let, case_id: CaseId, form: Form) -> Response:
    """Take a step, or show the case again with what was typed and why it was not saved."""
    typed, version = _typed(form), text_of(form, "version", longest=9)
    if typed["step"] not in STEPS or not version.isdigit():
        raise Problem("invalid")
    try:
        case_service.take(desk(request).store, who, Taking(case_id, int(version), _move(typed, who)))
    except Problem as problem:
        if problem.name not in TOLD_ON_PAGE:
            raise
        return _case_page(request, who, case_id, problem=problem, typed=typed, version=int(version))
    return RedirectResponse(f"/cases/{case_id}", status_code=303)


@router.post("/people/{employee_id:path}/care")
def decide_care(request: Request, who: Let, employee_id: str, form: Form) -> Response:
    """Open a case from the care plan or with an idea of one's own: agree, put it on a list, or decide against it."""
    at, typed = desk(request), _typed(form)
    action, title = text_of(form, "action", longest=100), text_of(form, "title", longest=case_service.LONGEST_TITLE)
    if typed["step"] not in FIRST_STEPS:
        raise Problem("invalid")
    opening = Opening(employee_id, action, _move(typed, who), title=title if action == OWN else "")
    case = case_service.open_case(at.store, who, opening, catalog={one["action"]: one for one in at.catalog})
    if case.status == "declined":
        return RedirectResponse(f"/people/{quote(employee_id, safe='')}#plan", status_code=303)
    return RedirectResponse(f"/cases/{case.id}", status_code=303)


@router.get("/mine")
def mine(request: Request, who: Let) -> Response:
    """What was agreed with the employee who signed in."""
    at = desk(request)
    rows = case_service.own(at.store, who, who.viewer.person_id, sight=who.viewer.sight)
    context = {"rows": rows, "title_of": titles(at, language(request)), "as_day": date.fromisoformat}
    return page(request, "mine.html", context, who=who)


def titles(at: Desk, words: Words) -> Callable[[Mapping[str, Any]], str]:
    """Return how a case is called: by the catalog, by who thought of it, or by its bare number in an older catalog."""
    told = {entry["action"]: words.of(entry, "title") for entry in at.catalog}
    return lambda row: row["title"] or told.get(row["action"]) or row["action"]


def _case_page(
    request: Request,
    who: Visit,
    case_id: str,
    *,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
    version: int = 0,
) -> Response:
    at, words = desk(request), language(request)
    seen = case_service.read(at.store, who, case_id)
    case = seen.case
    stale = problem is not None and problem.name == "stale"
    outcomes = UNDONE if case.status == "agreed" else [one for one in OUTCOMES if one != "not_done"]
    context = {
        "case": case,
        "person": seen.person,
        "steps": seen.steps,
        "news": [row for row in seen.steps if row["version"] > version] if stale else [],
        "refused": _why(problem, case.status, words) if problem else "",
        "leads": seen.leads,
        "speaks_for": seen.speaks_for,
        "allowed": cases.allowed(case),
        "asks_consent": case.status == "agreed" and case.needs_consent and case.consent_on is None,
        "facts": next((entry for entry in at.catalog if entry["action"] == case.action), None),
        "title": titles(at, words)({"title": case.title, "action": case.action}),
        "declined": DECLINED,
        "outcomes": outcomes,
        "typed": typed or dict.fromkeys(LENGTHS, ""),
        "now": who.now.date(),
        "today": who.now.date().isoformat(),
        "as_day": date.fromisoformat,
        "can_write": "care.write" in who.viewer.scopes and bool(seen.speaks_for),
    }
    return page(request, "case.html", context, who=who, status=problem.kind.status if problem else 200)


def _why(problem: Problem, status: str, words: Words) -> str:
    if problem.name == "step_not_allowed":
        return words("cases.not_allowed", state=words(f"case_state.{status}"))
    why = problem.kind.title_zh if words.language == "zh" else problem.kind.title_en
    return words("cases.not_saved", why=why)


def _typed(form: FormData | None) -> dict[str, str]:
    return {name: text_of(form, name, longest=longest) for name, longest in LENGTHS.items()}


def _move(typed: Mapping[str, str], who: Visit) -> Move:
    return Move(
        typed["step"],
        who.now.date(),
        day=_day(typed["day"]),
        reason=typed["reason"] or None,
        note=typed["note"],
        instead=typed["instead"],
        until=_day(typed["until"]),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Problem("invalid") from None
