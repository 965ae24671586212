"""The one gate: every request to every route passes here before the route's own code runs.

It finds out who asks, looks up what the route asks for, and either hands over a ``Visit`` or refuses; refusals are
audited. The route is known by its declared path (``scope["route"]``), never by ``request.url``, which a Host header
can bend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from models.catalog import Catalog
from serving import audit, auth, store_access, store_log
from serving.access import ANONYMOUS, PERMISSIONS, PURPOSES, Permission, Viewer, Visit, decide
from serving.accounts import Hashing
from serving.audit import Entry
from serving.oidc import Provider
from serving.problems import Problem
from serving.settings import Settings
from serving.store import Store
from serving.store_share import look

FORM_FIELD = "form_token"
MOST_REASON = 1_000
"""Characters of a reason in the header ``Reading-Reason`` (percent-encoded UTF-8) that are read."""


@dataclass(frozen=True)
class Desk:
    """What every route needs at hand, put on the application once."""

    store: Store
    settings: Settings
    secret: bytes
    clock: Callable[[], datetime]
    catalog: tuple[dict[str, Any], ...]
    actions: Catalog
    provider: Provider | None = None
    hashing: Hashing = field(default_factory=Hashing)


def desk(request: Request) -> Desk:
    """Return what the application was made with."""
    return request.app.state.desk


def cookie_name(settings: Settings) -> str:
    """Return the name of the session cookie; browsers hold ``__Host-`` cookies to HTTPS and to this very host."""
    return "__Host-retention" if settings.mode == "production" else "retention"


async def posted(request: Request) -> FormData | None:
    """Return the form of a POST, read once, with few fields and no files."""
    permission = PERMISSIONS.get((request.method, route_path(request)))
    if request.method != "POST" or permission is None or permission.door == "key":
        return None  # a key is no cookie: no other site can send it, and the body is read as what it is
    return await request.form(max_files=0, max_fields=20)


async def visit(request: Request) -> Visit:
    """Let the request in, or refuse and write down the refusal.

    What waits for the store waits in a thread, but for the look at a key, which waits for no writer (``look``).
    """
    at, form = desk(request), await posted(request)
    now = at.clock()
    permission = PERMISSIONS.get((request.method, route_path(request)))
    viewer, stopped = ANONYMOUS, False
    if permission is not None and permission.door == "key":
        # A key opens only the API and a cookie only the pages, so neither can be used for the other.
        found = await look(at.store, auth.holders_of_keys, (request.headers.get("authorization", ""), now))
        viewer, stopped = found.viewer, permission.halts and found.stopped
        if found.unnoted is not None:
            await run_in_threadpool(_note_use, at, found.unnoted, now)
    elif permission is not None and permission.door == "session":
        viewer, stopped = await run_in_threadpool(_of_session, request, permission, at, now)
    stated = _stated_purposes(request, permission, viewer)
    answer: str = decide(permission, viewer, stated)
    by_key = permission is not None and permission.door == "key"  # no browser sends a key by itself
    if answer == "allowed" and form is not None and not by_key and not _own_form(request, form, viewer, at):
        answer = "form_refused"
    if answer == "allowed" and stopped:
        answer = "stopped"
    purpose = stated[0] if len(stated) == 1 and stated[0] in PURPOSES else "none"
    reason = unquote(request.headers.get("reading-reason", ""))[:MOST_REASON] if by_key else ""
    allowed = Visit(viewer, purpose, now, request.state.request_id, reason)
    if answer == "allowed":
        return allowed
    await run_in_threadpool(_refused, request, allowed, answer, at)
    raise Problem(answer)


def route_path(request: Request) -> str:
    """Return the declared path of the route that was chosen, such as ``/v1/teams/{team}/flagged``."""
    return str(getattr(request.scope.get("route"), "path_format", ""))


def _note_use(at: Desk, key_id: int, now: datetime) -> None:
    with at.store.begin() as tx:
        store_log.key_used(tx, key_id, on=now.date())


def _of_session(request: Request, permission: Permission, at: Desk, now: datetime) -> tuple[Viewer, bool]:
    """Return who is signed in, and whether the stop switch holds the route."""
    with at.store.begin() as tx:
        cookie = request.cookies.get(cookie_name(at.settings), "")
        viewer = auth.viewer_of_session(tx, cookie, now=now, idle_minutes=at.settings.session_idle_minutes)
        return viewer, permission.halts and store_access.stop_now(tx) is not None


def _stated_purposes(request: Request, permission: Permission | None, viewer: Viewer) -> list[str]:
    """Return the purposes the request states: in the query of the API, at sign-in for the pages."""
    if permission is not None and permission.door == "session":
        return sorted(viewer.purposes)
    return request.query_params.getlist("purpose")


def _own_form(request: Request, form: FormData, viewer: Viewer, at: Desk) -> bool:
    """Whether a POST comes from one of our own pages: same origin, and the session's token when there is a session."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site not in (None, "same-origin") or (origin is None and site is None):
        return False
    secure = at.settings.mode == "production"
    expected = {"https"} if secure else {"http", "https"}
    if origin is not None:
        parts = urlsplit(origin)
        if parts.scheme not in expected or parts.netloc != request.headers.get("host"):
            return False
    given = form.get(FORM_FIELD)
    if viewer.door != "session":
        return True  # the sign-in form carries its own one-time token
    return isinstance(given, str) and auth.same_token(given, auth.form_token(at.secret, viewer.secret))


def _refused(request: Request, refused: Visit, answer: str, at: Desk) -> None:
    subject = request.path_params.get("employee_id")
    entry = Entry(
        actor=refused.viewer.actor,
        action="refused",
        result=answer,
        request_id=refused.request_id,
        purpose=refused.purpose,
        subject=str(subject)[:200] if subject and "\x00" not in subject else None,
    )
    with at.store.begin() as tx:
        audit.record(tx, entry, now=refused.now)
