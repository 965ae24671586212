"""The API of growth: files, achievements, reminders, lists. Closed answers, and no risk in any of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from features.errors import FixableError
from models.openings import Need, Opening, read_needs
from serving import cursor, groups, talent
from serving.api import LOCKED, PLAIN_TEXT, Cursor, EmployeeId, Let, documented
from serving.growth_story import sections
from serving.guard import desk
from serving.problems import Problem
from serving.schemas import Purpose
from serving.schemas_talent import (
    AchievementLine,
    AchievementMade,
    AchievementsAnswer,
    DigestAnswer,
    DigestLine,
    GrowInto,
    GrowthAnswer,
    GrowthItem,
    GrowthSection,
    Hide,
    NeedCount,
    NeededAnswer,
    NeededMatch,
    NeededSkills,
    NewAchievement,
    RemindersAnswer,
    ShortlistAnswer,
    ShortlistPerson,
)
from serving.talent import Moment, Proposed, Seen
from serving.words import Words

router = APIRouter()
EntryNumber = Annotated[int, Path(ge=1, le=2**31 - 1)]
KEYED: dict[str, Any] = {"security": [{"key": []}]}


@router.get(
    "/v1/employees/{employee_id}/growth",
    responses=documented(GrowthAnswer, *LOCKED, "not_found"),
    openapi_extra=KEYED,
)
def growth(request: Request, who: Let, employee_id: EmployeeId, purpose: Purpose) -> GrowthAnswer:
    """One person's growth file in both languages. The read is written down first."""
    seen = talent.person(desk(request).store, who, employee_id)
    has = seen.run is not None and seen.told is not None
    return GrowthAnswer(
        employee_id=employee_id,
        as_of=seen.run["as_of"] if seen.run and has else None,
        valid_until=seen.run["valid_until"] if seen.run and has else None,
        needs=list(seen.told["needs"]) if seen.told else [],
        en=_told(seen, Words("en")),
        zh=_told(seen, Words("zh")),
    )


def _told(seen: Seen, words: Words) -> list[GrowthSection]:
    return [
        GrowthSection(
            key=part.key,
            title=part.title,
            intro=part.intro,
            items=[GrowthItem(head=item.head, lines=list(item.lines), mark=item.mark) for item in part.items],
        )
        for part in sections(seen, words)
    ]


@router.get(
    "/v1/employees/{employee_id}/achievements",
    responses=documented(AchievementsAnswer, *LOCKED, "not_found"),
    openapi_extra=KEYED,
)
def achievements(request: Request, who: Let, employee_id: EmployeeId, purpose: Purpose) -> AchievementsAnswer:
    """One person's achievements, nothing hidden."""
    seen = talent.person(desk(request).store, who, employee_id, action="achievement.read")
    lines = [AchievementLine(**_only(AchievementLine, row)) for row in seen.achievements]
    return AchievementsAnswer(employee_id=employee_id, achievements=lines)


@router.post(
    "/v1/employees/{employee_id}/achievements",
    responses=documented(AchievementMade, *LOCKED, "not_found"),
    openapi_extra=KEYED,
)
def add_achievement(
    request: Request, who: Let, employee_id: EmployeeId, purpose: Purpose, body: NewAchievement
) -> AchievementMade:
    """Record a moment worth seeing of somebody within sight."""
    moment = Moment(employee_id, body.kind, body.happened_on, body.note.strip(), body.given_by)
    return AchievementMade(id=talent.add(desk(request).store, who, moment, source="api"))


@router.post(
    "/v1/employees/{employee_id}/achievements/{entry}/hidden",
    responses=documented(AchievementMade, *LOCKED, "not_found"),
    openapi_extra=KEYED,
)
def hide_achievement(
    request: Request, who: Let, employee_id: EmployeeId, entry: EntryNumber, purpose: Purpose, body: Hide
) -> AchievementMade:
    """Hide an entry or show it again, on the word of the person whom it is about."""
    talent.hide(desk(request).store, who, employee_id, entry, hidden=body.hidden)
    return AchievementMade(id=entry)


@router.get("/v1/growth/reminders", responses=documented(RemindersAnswer, *LOCKED, "not_found"), openapi_extra=KEYED)
def reminders(
    request: Request,
    who: Let,
    purpose: Purpose,
    need: Annotated[str | None, Query(max_length=40, pattern=r"^[a-z_]+$")] = None,
    cursor_: Cursor = None,
) -> RemindersAnswer:
    """Who needs what. Without ``need`` numbers only; with it, each person on the page is an entry in the log."""
    at = desk(request)
    about = f"{who.viewer.actor}|need {need}"
    after = cursor.read(cursor_, secret=at.secret, about=about)
    limits = {"limit": at.settings.page_size, "min_group": groups.smallest(who.viewer, at.settings)}
    found = talent.reminders(at.store, who, need=need, after=after, **limits)
    en, zh = Words("en"), Words("zh")
    counts = [
        NeedCount(need=name, words_en=en(f"need.{name}"), words_zh=zh(f"need.{name}"), n_people=n, departments=dict(d))
        for name, n, d in found.counts
    ]
    return RemindersAnswer(
        as_of=found.run["as_of"] if found.run else None,
        needs=counts,
        need=found.need,
        people=[row["employee_id"] for row in found.names],
        next_cursor=cursor.seal(found.more, secret=at.secret, about=about) if found.more else None,
    )


@router.get("/v1/growth/shortlist", responses=documented(ShortlistAnswer, *LOCKED, "not_found"), openapi_extra=KEYED)
def shortlist(
    request: Request,
    who: Let,
    purpose: Purpose,
    job: Annotated[str, Query(min_length=1, max_length=200, pattern=PLAIN_TEXT)],
    level: Annotated[int, Query(ge=0, le=100)],
) -> ShortlistAnswer:
    """Who could be asked about an open post: contributions of the last two years first."""
    found = talent.shortlist(desk(request).store, who, Opening(job, level))
    people = [ShortlistPerson(**_only(ShortlistPerson, row)) for _, rows in found.groups for row in rows]
    return ShortlistAnswer(as_of=_as_of(found), job=job, level=level, people=people)


@router.post("/v1/growth/skills-needed", responses=documented(NeededAnswer, *LOCKED, "not_found"), openapi_extra=KEYED)
def skills_needed(request: Request, who: Let, purpose: Purpose, body: NeededSkills) -> NeededAnswer:
    """Who could grow into skills that the organisation will need; nobody is proposed twice."""
    found = talent.needed(desk(request).store, who, [Need(n.skill, n.level, n.people) for n in body.needs])
    matches = [
        NeededMatch(**head, proposed=[GrowInto(**_only(GrowInto, row)) for row in rows]) for head, rows in found.groups
    ]
    return NeededAnswer(as_of=_as_of(found), needs=matches)


@router.get("/v1/achievements", responses=documented(DigestAnswer, *LOCKED, "not_found"), openapi_extra=KEYED)
def digest(
    request: Request,
    who: Let,
    purpose: Purpose,
    month: Annotated[str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")] = None,
) -> DigestAnswer:
    """What people within sight achieved in a month; without ``month`` the newest one with any."""
    found = talent.digest(desk(request).store, who, first_day(month))
    lines = [DigestLine(**_only(DigestLine, row)) for row in found.entries]
    return DigestAnswer(month=f"{found.month:%Y-%m}", achievements=lines)


def first_day(month: str | None) -> date | None:
    """Return the first day of a month written ``2026-10``; a month that is none is refused."""
    if not month:
        return None
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        raise Problem("invalid") from None


def written_needs(text: str) -> tuple[Need, ...]:
    """Return needs written as lines ``skill, level, people``; what cannot be read is refused."""
    try:
        return read_needs(text, form="lines")
    except FixableError:
        raise Problem("invalid") from None


def _as_of(found: Proposed) -> date | None:
    return found.run["as_of"] if found.run else None


def _only(answer: type[BaseModel], row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in answer.model_fields if name in row}
