"""The pages of growth: who needs what, one person's file and PDF, achievements, a shortlist, and the page of one's own.

No page here shows a band, a reason or a risk: what somebody could grow into is not mixed with whether they may leave.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from features.errors import FixableError
from models.openings import Opening
from serving import cursor, groups, talent
from serving.api_talent import first_day, written_needs
from serving.growth_pdf import growth_pdf
from serving.growth_story import entry, footer, sections, skill, subtitle, title
from serving.guard import desk
from serving.pages import Form, Let, language, looks, page, text_of
from serving.problems import Problem
from serving.store_talent_tables import KINDS
from serving.talent import Moment, Seen
from serving.words import Words

router = APIRouter(include_in_schema=False)
NOTE_LONGEST = 500
NEEDS_LONGEST = 2000


@router.get("/growth")
def growth(
    request: Request,
    who: Let,
    need: Annotated[str | None, Query(max_length=40)] = None,
    cursor_: Annotated[str | None, Query(alias="cursor", max_length=900)] = None,
) -> Response:
    """Who needs what: numbers first, names of one need on a click."""
    at = desk(request)
    about = f"{who.viewer.actor}|need {need}"
    after = cursor.read(cursor_, secret=at.secret, about=about)
    limits = {"limit": at.settings.page_size, "min_group": groups.smallest(who.viewer, at.settings)}
    found = talent.reminders(at.store, who, need=need, after=after, **limits)
    further = cursor.seal(found.more, secret=at.secret, about=about) if found.more else None
    context = {
        "found": found,
        "further": f"?need={found.need}&cursor={quote(further)}" if further else None,
        "as_day": date.fromisoformat,
        "for_talent": who.purpose == "talent_development",
    }
    return page(request, "growth.html", context, who=who)


@router.get("/growth/achievements")
def achievements(request: Request, who: Let, month: Annotated[str | None, Query(max_length=7)] = None) -> Response:
    """What people achieved in a month."""
    found = talent.digest(desk(request).store, who, first_day(month))
    return page(request, "achievements.html", {"found": found}, who=who)


@router.get("/growth/shortlist")
def shortlist(
    request: Request,
    who: Let,
    job: Annotated[str | None, Query(max_length=200)] = None,
    level: Annotated[int | None, Query(ge=0, le=100)] = None,
) -> Response:
    """Who could be asked about an open post: contributions first."""
    opening = Opening(job, level) if job and level is not None else None
    found = talent.shortlist(desk(request).store, who, opening)
    return page(request, "shortlist.html", {"found": found, "opening": opening, "skill": skill}, who=who)


@router.get("/growth/skills-needed")
def skills_needed(request: Request, who: Let, needs: Annotated[str, Query(max_length=NEEDS_LONGEST)] = "") -> Response:
    """Who could grow into skills that the organisation will need."""
    asked = written_needs(needs) if needs.strip() else ()
    found = talent.needed(desk(request).store, who, asked)
    return page(request, "skills_needed.html", {"found": found, "written": needs, "skill": skill}, who=who)


@router.get("/growth/people/{employee_id:path}")
def person(request: Request, who: Let, employee_id: str) -> Response:
    """One person's growth file, and a form for a moment worth seeing."""
    seen = talent.person(desk(request).store, who, employee_id)
    can_write = "growth.write" in who.viewer.scopes and who.purpose in ("talent_development", "retention_care")
    more = {
        "report_at": f"/growth/report/{quote(employee_id, safe='')}",
        "kinds": KINDS if can_write else (),
        "today": who.now.date(),
        "mine": (),
        "readers": (),
    }
    return page(request, "growth_person.html", {**_report(seen, language(request)), **more}, who=who)


@router.post("/growth/people/{employee_id:path}")
def add_achievement(request: Request, who: Let, employee_id: str, form: Form) -> Response:
    """Record a moment worth seeing of somebody within sight."""
    given = text_of(form, "given_by", longest=200) or None
    note = text_of(form, "note", longest=NOTE_LONGEST)
    day = _day(text_of(form, "happened_on", longest=10))
    moment = Moment(employee_id, text_of(form, "kind", longest=40), day, note, given)
    talent.add(desk(request).store, who, moment, source="page")
    return RedirectResponse(f"/growth/people/{quote(employee_id, safe='')}#achievements", status_code=303)


@router.get("/growth/report/{employee_id:path}")
def report(request: Request, who: Let, employee_id: str, lang: Literal["en", "zh"] | None = None) -> Response:
    """The growth report as a PDF."""
    seen = talent.person(desk(request).store, who, employee_id, action="growth.report")
    return _pdf(seen, Words(lang) if lang else language(request))


@router.get("/me")
def me(request: Request, who: Let) -> Response:
    """What a person sees of themselves: the file, every achievement with a switch to hide it, and who has looked."""
    seen = talent.own(desk(request).store, who)
    words = language(request)
    mine = [
        {"id": row["id"], "hidden": row["hidden_at"] is not None, "text": entry(row, words)}
        for row in seen.achievements
    ]
    more = {"report_at": "/me/report", "kinds": (), "today": who.now.date()}
    more |= {"mine": mine, "readers": looks(seen.readers)}
    return page(request, "growth_person.html", {**_report(seen, words), **more}, who=who)


@router.post("/me")
def hide(request: Request, who: Let, form: Form) -> Response:
    """Hide an achievement of one's own, or show it again."""
    number, what = text_of(form, "entry", longest=9), text_of(form, "what", longest=10)
    if not number.isdigit() or what not in ("hide", "show"):
        raise Problem("invalid")
    sight = who.viewer.sight
    if sight.kind != "self" or not sight.value:
        raise Problem("not_found")
    talent.hide(desk(request).store, who, sight.value, int(number), hidden=what == "hide")
    return RedirectResponse("/me#mine", status_code=303)


@router.get("/me/report")
def my_report(request: Request, who: Let, lang: Literal["en", "zh"] | None = None) -> Response:
    """One's own growth report as a PDF."""
    return _pdf(talent.own(desk(request).store, who), Words(lang) if lang else language(request))


def _report(seen: Seen, words: Words) -> dict[str, Any]:
    return {
        "name": seen.who["name"] or seen.who["id"],
        "employee_id": seen.who["id"],
        "because": seen.who["reason"],
        "subtitle": subtitle(seen, words),
        "title": title(seen, words),
        "sections": sections(seen, words),
        "foot": footer(seen, words),
    }


def _pdf(seen: Seen, words: Words) -> Response:
    try:
        made = growth_pdf(seen, words)
    except FixableError:
        raise Problem("no_pdf") from None
    shown = f"inline; filename=growth-report-{words.language}.pdf"  # no name or number in a download folder
    return Response(made, media_type="application/pdf", headers={"content-disposition": shown})


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem("invalid") from None
