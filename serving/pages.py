"""The pages for people: plain HTML that works without JavaScript, on a phone and on a desk, in Chinese and English.

Pages show words and bands, never a probability of one person. Each page has a declared context: what a template may use
is what the function below puts in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse
from starlette.templating import Jinja2Templates

from serving import audit, auth, case_service, curious, cursor, groups, service, store_access, store_log, talent
from serving.access import ANONYMOUS, PURPOSES, ROLES, Viewer, Visit
from serving.audit import Entry
from serving.cases import DECLINED, OPEN, SIDES
from serving.growth_story import activity
from serving.guard import FORM_FIELD, Desk, cookie_name, desk, posted, visit
from serving.problems import Problem
from serving.seen import Assessed, Run
from serving.service import Decision
from serving.store import Transaction
from serving.store_tables import EVENT_STATES, OVERRIDES
from serving.words import LANGUAGES, Words, choose

HERE = Path(__file__).parent
LANGUAGE_COOKIE = "language"
TEAMS_FIRST = 20
"""Nobody cares for more teams at once; the others are one link away."""

SIGNS_ON_LIST = 2
FLAGGED = ("act", "watch")
STATIC_TYPES = {".css": "text/css", ".svg": "image/svg+xml"}

router = APIRouter(include_in_schema=False)
environment = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
templates = Jinja2Templates(env=environment)
statics = {file.name: file.read_bytes() for file in (HERE / "static").iterdir()}
"""Read once at start: a name that is not among them cannot become a path."""

Let = Annotated[Visit, Depends(visit)]
Form = Annotated[FormData | None, Depends(posted)]


def language(request: Request) -> Words:
    """Return the words to speak: those asked for, those chosen before, or those the browser prefers."""
    wanted = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return Words(choose(wanted, request.headers.get("accept-language", "")))


def page(request: Request, name: str, context: dict[str, Any], *, who: Visit | None, status: int = 200) -> Response:
    """Return the page ``name`` with the context that every page has."""
    words, viewer = language(request), who.viewer if who else ANONYMOUS
    other = LANGUAGES[1 - LANGUAGES.index(words.language)]
    kept = [(key, value) for key, value in request.query_params.multi_items() if key not in ("lang", "token")]
    asked = "".join(f"&{quote(key, safe='')}={quote(value, safe='')}" for key, value in kept)
    secret = desk(request).secret
    common = {
        "t": words,
        "viewer": viewer,
        "purpose": who.purpose if who else "none",
        "form_token": auth.form_token(secret, viewer.secret) if viewer.secret else "",
        "other_language_at": f"?lang={other}{asked}",
    }
    answer = templates.TemplateResponse(request, name, {**common, **context}, status_code=status)
    if request.query_params.get("lang") in LANGUAGES:
        safe = desk(request).settings.mode == "production"
        answer.set_cookie(
            LANGUAGE_COOKIE, words.language, max_age=31_536_000, httponly=True, samesite="strict", secure=safe
        )
    return answer


@router.get("/static/{name}")
def static(name: str) -> Response:
    """One of the few files that pages refer to."""
    if name not in statics:
        raise Problem("not_found")
    kind = STATIC_TYPES[Path(name).suffix]
    return Response(statics[name], media_type=kind, headers={"cache-control": "public, max-age=300"})


@router.get("/sign-in")
def ask_sign_in(request: Request, who: Let, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    """The page behind a one-time link. Opening it uses nothing up: chat apps open links to draw a preview."""
    with desk(request).store.begin() as tx:
        link = store_log.link_by_hash(tx, auth.sha256(token), now=who.now) if token else None
        ways = ways_in(tx, desk(request))
    purposes = sorted(ROLES[link["role"]].purposes) if link else list(PURPOSES)
    context = {"link": link, "token": token, "purposes": purposes, "ways": ways}
    fine = link or (ways and not token)
    return page(request, "sign_in.html", context, who=None, status=200 if fine else 410)


def ways_in(tx: Transaction, at: Desk) -> list[str]:
    """Return how people can sign in here, besides by a one-time link."""
    known = {"oidc": at.provider is not None, "account": store_access.has_accounts(tx)}
    return [way for way, open_ in known.items() if open_]


@router.post("/sign-in")
def do_sign_in(request: Request, who: Let, form: Form) -> Response:
    """Turn the link into a session for one stated purpose."""
    at, now = desk(request), who.now
    token, purpose = text_of(form, "token", longest=200), text_of(form, "purpose", longest=40)
    with at.store.begin() as tx:
        session = auth.sign_in(tx, token, purpose, now=now, hours=at.settings.session_hours)
        ways = ways_in(tx, at)
        actor, result = (session[1], "signed_in") if session else ("anonymous", "link_refused")
        audit.record(
            tx, Entry(actor, "sign_in", result, who.request_id, purpose=purpose if session else "none"), now=now
        )
    if session is None:
        context = {"link": None, "token": token, "purposes": list(PURPOSES), "ways": ways}
        return page(request, "sign_in.html", context, who=None, status=410)
    return let_in(RedirectResponse(session[2], status_code=303), session[0], at)


def let_in(answer: Response, cookie: str, at: Desk) -> Response:
    """Return the answer with a new session's cookie: at each sign-in a fresh one, never one the browser brought."""
    answer.set_cookie(
        cookie_name(at.settings),
        cookie,
        max_age=at.settings.session_hours * 3600,
        httponly=True,
        samesite="strict",
        secure=at.settings.mode == "production",
    )
    return answer


@router.post("/sign-out")
def sign_out(request: Request, who: Let) -> Response:
    """End the session here and in the store."""
    at = desk(request)
    with at.store.begin() as tx:
        store_log.end_session(tx, who.viewer.secret, now=who.now)
        audit.record(tx, Entry(who.viewer.actor, "sign_out", "signed_out", who.request_id), now=who.now)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(
        cookie_name(at.settings), httponly=True, samesite="strict", secure=at.settings.mode == "production"
    )
    return answer


@router.get("/")
def overview(request: Request, who: Let, teams: Literal["first", "all"] = "first") -> Response:
    """Teams that need care first; no names."""
    at = desk(request)
    min_group = groups.smallest(who.viewer, at.settings)
    seen = service.overview(at.store, who, min_group=min_group)
    large = [team for team in seen.teams if team.figures]
    context = {
        "run": seen.run,
        "teams": large if teams == "all" else large[:TEAMS_FIRST],
        "n_teams": len(large),
        "small": [team for team in seen.teams if not team.figures],
        "min_group": min_group,
        "can_open": may_open(who.viewer),
        "due": case_service.due_counts(at.store, who) if "care.read" in who.viewer.scopes else None,
        "valid_until": _readable_until(seen.run, at),
    }
    return page(request, "overview.html", context, who=who)


@router.get("/forecast")
def forecast(request: Request, who: Let) -> Response:
    """Seats that will fall empty per department and job, and whom to hire by when."""
    at = desk(request)
    seen = service.forecast(at.store, who, min_group=at.settings.min_group)
    context = {
        "run": seen.run,
        "seen": seen,
        "of_100": round(100 * seen.service_level),
        "as_day": date.fromisoformat,
        "valid_until": seen.valid_until,
    }
    return page(request, "forecast.html", context, who=who)


@router.get("/about")
def about(request: Request, who: Let) -> Response:
    """How the assessments come about, how good they are, and what they must not be used for."""
    at, words = desk(request), language(request)
    run = service.current(at.store)
    columns = run.card.get("columns", [])
    context = {
        "run": run,
        "columns": columns,
        "drivers": words("site.and").join(
            words.driver(driver) for driver in dict.fromkeys(column["driver"] for column in columns)
        ),
        "valid_days": at.settings.score_valid_days,
        "valid_until": _readable_until(run, at),
    }
    return page(request, "about.html", context, who=who)


@router.get("/teams/{team:path}")
def team(
    request: Request, who: Let, team: str, cursor_: Annotated[str | None, Query(alias="cursor", max_length=900)] = None
) -> Response:
    """The people of one team who need care, act before watch, by name within."""
    at = desk(request)
    about_list = f"{who.viewer.actor}|{team}"
    after = cursor.read(cursor_, secret=at.secret, about=about_list)
    asked = (team, (*FLAGGED, "disregard"))
    limits = {"limit": at.settings.page_size, "min_group": groups.smallest(who.viewer, at.settings)}
    seen = service.team_list(at.store, who, asked, after=after, **limits)
    further = cursor.seal(seen.next, secret=at.secret, about=about_list) if seen.next else None
    context = {
        "run": seen.run,
        "team": team,
        "people": [one for one in seen.people if one.band],
        "aside": [one for one in seen.people if not one.band],
        "events": seen.events,
        "signals": seen.signals,
        "strongest": lambda one: [r for r in told(one) if r["direction"] == "raises"][:SIGNS_ON_LIST],
        "next_at": f"?cursor={further}" if further else None,
        "valid_until": min((one.valid_until for one in seen.people), default=_readable_until(seen.run, at)),
    }
    return page(request, "team.html", context, who=who)


@router.get("/people")
def find(who: Let, employee_id: Annotated[str, Query(min_length=1, max_length=200)]) -> Response:
    """From an employee number to the person's page; whether there is one is only said there."""
    return RedirectResponse(f"/people/{quote(employee_id, safe='')}", status_code=303)


@router.get("/people/{employee_id:path}")
def person(request: Request, who: Let, employee_id: str) -> Response:
    """One person: band, reasons, care plan, what was decided, and who has looked."""
    at = desk(request)
    try:
        seen = service.person(at.store, who, employee_id)
    except Problem as problem:
        if problem.name != "reason_needed":
            raise
        return page(request, "reason.html", {"employee_id": employee_id}, who=who, status=problem.kind.status)
    one = seen.assessed
    words = language(request)
    titles = {entry["action"]: words.of(entry, "title") for entry in at.catalog}
    context = {
        "run": seen.run,
        "one": one,
        "cannot_judge": {"cannot_judge_en": one.cannot_judge_en, "cannot_judge_zh": one.cannot_judge_zh},
        "raises": [reason for reason in told(one) if reason["direction"] == "raises"],
        "keeps": [reason for reason in told(one) if reason["direction"] == "keeps"],
        "cases": seen.cases,
        "open_cases": {row["action"]: row for row in seen.cases if row["status"] in OPEN},
        "speaks_for": seen.speaks_for,
        "sides_of": lambda action: SIDES[action["who_decides"]],
        "declined": DECLINED,
        "event": seen.event,
        "readers": looks(seen.readers),
        "title_of": lambda row: row["title"] or titles.get(row["action"], row["action"]),
        "choices": [choice for choice in OVERRIDES if (choice != "follow") or one.override],
        "can_write": "care.write" in who.viewer.scopes and who.purpose == "retention_care",
        "liked": [activity(row, words) for row in talent.offers(at.store, who, employee_id)] if seen.event else [],
    }
    return page(request, "person.html", context, who=who)


@router.post("/people/{employee_id:path}/override")
def override(request: Request, who: Let, employee_id: str, form: Form) -> Response:
    """Write a person's word over the assessment."""
    at = desk(request)
    what, reason = text_of(form, "decision", longest=20), text_of(form, "reason", longest=1000)
    if what not in OVERRIDES or len(reason) < 3:
        raise Problem("invalid")
    service.override(at.store, who, Decision(employee_id, what, reason), valid_days=at.settings.note_valid_days)
    return RedirectResponse(f"/people/{quote(employee_id, safe='')}", status_code=303)


@router.post("/people/{employee_id:path}/withdrawal")
def decide_withdrawal(request: Request, who: Let, employee_id: str, form: Form) -> Response:
    """Write that somebody has reached out, or that there was a harmless reason."""
    status, by = text_of(form, "status", longest=20), text_of(form, "decided_by", longest=100)
    if status not in EVENT_STATES[1:] or not by:
        raise Problem("invalid")
    service.decide_withdrawal(
        desk(request).store, who, Decision(employee_id, "withdrawal", "", decided_by=by, status=status)
    )
    return RedirectResponse(f"/people/{quote(employee_id, safe='')}", status_code=303)


@router.post("/people/{employee_id:path}/reason")
def give_reason(request: Request, who: Let, employee_id: str, form: Form) -> Response:
    """Say why one opens so many people; auditors can read it."""
    words = text_of(form, "words", longest=1_000)
    if len(words) < curious.FEWEST_CHARACTERS:
        raise Problem("invalid")
    curious.give_reason(desk(request).store, who, employee_id, words)
    return RedirectResponse(f"/people/{quote(employee_id, safe='')}", status_code=303)


def failed(request: Request, problem: Problem) -> Response:
    """The page for an answer that is not the one hoped for."""
    kind = problem.kind
    what = kind.title_zh if language(request).language == "zh" else kind.title_en
    context = {"what": what, "request_id": request.state.request_id, "sign_in": kind.status == 401}
    return page(request, "error.html", context, who=None, status=kind.status)


def may_open(viewer: Viewer) -> bool:
    """Whether the viewer may open a team's list; on a page that cannot be opened no link is drawn."""
    return "band.read" in viewer.scopes and "retention_care" in viewer.purposes


def told(one: Assessed) -> list[dict[str, Any]]:
    """Return the reasons that have a sentence, strongest first."""
    return [reason for reason in one.reasons if reason["text_en"]]


def _readable_until(run: Run, at: Desk) -> date:
    return run.computed_at.date() + timedelta(days=at.settings.score_valid_days)


def looks(readers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return who looked on which day for what, newest first; the log itself keeps every single look.

    An actor is written ``person 12 Li Na``; the number is for the log.
    """
    counted = Counter(
        (entry["at"].date(), entry["actor"].split(" ", 2)[-1], entry["purpose"], entry["action"].replace(".", "_"))
        for entry in readers
    )
    return [
        {"day": day, "who": who, "purpose": purpose, "action": action, "times": times}
        for (day, who, purpose, action), times in counted.items()
    ]


def text_of(form: FormData | None, name: str, *, longest: int) -> str:
    """Return a field of a form as text; a missing, repeated or overlong one is refused."""
    given = form.getlist(name) if form else []
    if len(given) > 1 or any(not isinstance(value, str) or len(value) > longest or "\x00" in value for value in given):
        raise Problem("invalid")
    return str(given[0]).strip() if given else ""


__all__ = ["FORM_FIELD", "failed", "router"]
