"""The employee's own page and its objection, and the pages of the reviewers who answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import RedirectResponse

from serving import contest
from serving.access import Visit
from serving.contest import Verdict
from serving.guard import desk, visit
from serving.pages import Form, language, looks, page, text_of, told
from serving.pages_cases import titles
from serving.problems import Problem
from serving.store_tables_access import OUTCOMES

router = APIRouter(include_in_schema=False)
Let = Annotated[Visit, Depends(visit)]
ContestId = Annotated[int, Path(ge=1, le=2**31 - 1)]

FEWEST_CHARACTERS = 3


@router.get("/me/assessment")
def own(request: Request, who: Let) -> Response:
    """What is said about oneself, from which records, and who has looked."""
    at, words = desk(request), language(request)
    seen = contest.own(at.store, who)
    one = seen.assessed
    context = {
        "seen": seen,
        "one": one,
        "band_shown": at.settings.employees_see_band,
        "facts": facts_told(seen.facts, words.language),
        "raises": [reason for reason in told(one) if reason["direction"] == "raises"] if one else [],
        "keeps": [reason for reason in told(one) if reason["direction"] == "keeps"] if one else [],
        "readers": looks(seen.readers),
        "title_of": titles(at, words),
        "today": who.now.date(),
    }
    return page(request, "me.html", context, who=who)


@router.post("/me/contest")
def object_(request: Request, who: Let, form: Form) -> Response:
    """Object to the own assessment: it is hidden from everybody else at once."""
    words = text_of(form, "words", longest=2_000)
    if len(words) < FEWEST_CHARACTERS:
        raise Problem("invalid")
    contest.contest(desk(request).store, who, words)
    return RedirectResponse("/me/assessment#contest", status_code=303)


@router.get("/contests")
def waiting(request: Request, who: Let) -> Response:
    """The objections that wait for this reviewer, the one due first on top."""
    rows = contest.waiting(desk(request).store, who)
    return page(request, "contests.html", {"rows": rows, "today": who.now.date()}, who=who)


@router.get("/contests/{contest_id}")
def case(request: Request, who: Let, contest_id: ContestId) -> Response:
    """One objection: the employee's words, the assessment, its reasons and the records behind it."""
    words = language(request)
    seen = contest.case(desk(request).store, who, contest_id)
    context = {
        "seen": seen,
        "run": seen.run,
        "one": seen.assessed,
        "facts": facts_told(seen.facts, words.language),
        "reasons": told(seen.assessed) if seen.assessed else [],
        "outcomes": OUTCOMES,
        "today": who.now.date(),
    }
    return page(request, "contest.html", context, who=who)


@router.post("/contests/{contest_id}/answer")
def answer(request: Request, who: Let, contest_id: ContestId, form: Form) -> Response:
    """Answer an objection, with a reason that the employee will read."""
    outcome, words = text_of(form, "outcome", longest=20), text_of(form, "words", longest=2_000)
    if outcome not in OUTCOMES or len(words) < FEWEST_CHARACTERS:
        raise Problem("invalid")
    at = desk(request)
    verdict = Verdict(contest_id, outcome, words)
    contest.answer(at.store, who, verdict, valid_days=at.settings.note_valid_days)
    return RedirectResponse("/contests", status_code=303)


def facts_told(facts: Iterable[Mapping[str, Any]], language: str) -> list[str]:
    """Return what was read of the person, in words, each once."""
    return list(dict.fromkeys(str(fact[f"text_{language}"]) for fact in facts if fact.get(f"text_{language}")))
