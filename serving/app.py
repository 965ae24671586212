"""The application put together: settings, store, gate, pages and API. With ``cli.py`` the only reader of the clock."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from models.catalog import CareAction, Catalog
from models.own_catalog import load_with_own
from serving import (
    api,
    api_access,
    api_allocation,
    api_cases,
    api_people,
    api_records,
    api_score,
    api_talent,
    api_webhooks,
    background,
    pages,
    pages_allocation,
    pages_cases,
    pages_me,
    pages_sign_in,
    pages_stop,
    pages_talent,
)
from serving.access import methods_of
from serving.at_hand import AtHand
from serving.background import Bell
from serving.brakes import Brakes
from serving.documented import operation_name
from serving.guard import Desk, route_path, visit
from serving.observed import Metrics, Observed, tracer_of
from serving.oidc import provider_of
from serving.problems import BY_STATUS, Problem
from serving.settings import Settings, load
from serving.shield import Shield
from serving.store import Store, StoreBusyError, StoreError, migrate, only_service, open_store

DESCRIPTION = """
Explained risk of a voluntary exit and a care plan, for retention care alone.

Every look at a person states a purpose from a closed list and is written down before it is answered. An assessment may
be wrong for any single person and must never be used for pay, ratings, promotion or dismissal.
"""


def utc_now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)


def create_app(
    settings: Settings | None = None, *, store: Store | None = None, clock: Callable[[], datetime] = utc_now
) -> FastAPI:
    """Return the application. The store is opened and brought up to date at once; tests hand in their own and a clock.

    Run it with one worker: on SQLite a second service on the same file is refused.
    """
    settings = settings or load()
    opened = store or open_store(settings.store_url)
    migrate(opened)
    application = FastAPI(
        title="Retention risk",
        version="1",
        description=DESCRIPTION,
        debug=settings.debug,
        openapi_url=None,  # served by a route that is declared like every other
        docs_url=None,  # the usual pages load their script from elsewhere
        redoc_url=None,
        dependencies=[Depends(visit)],
        generate_unique_id_function=operation_name,
        lifespan=_lifespan,
        # Spans and logs would carry addresses, and an address holds an employee's id.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    actions = load_with_own(settings.own_actions)
    known = catalog_facts(actions)
    application.state.desk = Desk(opened, settings, _secret(settings), clock, known, actions, provider_of(settings))
    application.state.at_hand = AtHand(actions)
    application.state.job_bell = Bell()
    for part in ROUTERS:
        application.include_router(part.router)
    application.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.trusted_hosts), www_redirect=False)
    for kind, handler in HANDLERS.items():
        application.add_exception_handler(kind, handler)
    # Outside of everything, so that also the framework's own error answers carry the headers.
    brakes = Brakes(application.build_middleware_stack(), settings, clock=time.monotonic)
    limits = {"max_body_bytes": settings.max_body_bytes, "max_records_bytes": settings.max_records_bytes}
    shield: Any = Shield(brakes, **limits)
    application.state.metrics = Metrics.new()
    watched: Any = Observed(shield, application.state.metrics, tracer_of(asked=settings.traces))
    application.middleware_stack = watched
    return application


ROUTERS = (
    api,
    api_access,
    api_allocation,
    api_talent,
    api_cases,
    api_people,
    api_records,
    api_score,
    api_webhooks,
    pages_allocation,
    pages_cases,
    pages,
    pages_sign_in,
    pages_me,
    pages_stop,
    pages_talent,
)
"""What answers, in the order in which routes are looked through: the longer path of two goes first."""


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    store: Store = application.state.desk.store
    state = application.state
    with only_service(store), background.running(state.desk, state.at_hand, state.job_bell):
        yield
    store.close()


def _secret(settings: Settings) -> bytes:
    """Return what forms and cursors are signed with; without a setting it lives as long as the process."""
    given = settings.secret.get_secret_value() if settings.secret else ""
    return (given or secrets.token_hex(32)).encode()


def catalog_facts(catalog: Catalog) -> tuple[dict[str, Any], ...]:
    """Return the care actions as plain facts."""
    return tuple(_action_facts(action) for action in catalog.actions)


def _action_facts(action: CareAction) -> dict[str, Any]:
    spoken = ("title", "for_whom", "money", "first_step", "why", "watch", "harm")
    words = {f"{name}_{lang}": getattr(getattr(action, name), lang) for name in spoken for lang in ("en", "zh")}
    plain = ("kind", "who_decides", "cost", "harm_level", "manager_hours", "days", "consent")
    facts = {name: getattr(action, name) for name in plain}
    return {
        "action": action.id,
        "drivers": action.drivers,
        **facts,
        **words,
        "guide_en": action.guide_en,
        "guide_zh": action.guide_zh,
        "evidence": action.evidence.to_dict(),
    }


def _answer(request: Request, problem: Problem) -> Response:
    """Return a page to a person and a problem document to a program."""
    if "text/html" in request.headers.get("accept", ""):
        return pages.failed(request, problem)
    kind = problem.kind
    body: dict[str, Any] = {"type": "about:blank", "title": kind.title_en, "status": kind.status}
    body["request_id"] = request.state.request_id
    body.update(problem.facts)
    if problem.errors:
        body["errors"] = list(problem.errors)
    headers = {"www-authenticate": "Bearer"} if kind.status == 401 else {}
    wait = problem.retry_after or RETRY_AFTER.get(problem.name)
    if wait is not None:
        headers["retry-after"] = str(wait)
    return JSONResponse(body, status_code=kind.status, media_type="application/problem+json", headers=headers)


RETRY_AFTER = {"throttled": 900, "stopped": 3600, "provider_away": 60}
"""Seconds after which it makes sense to try again."""


def _on_problem(request: Request, error: Any) -> Response:
    return _answer(request, error)


def _on_http(request: Request, error: Any) -> Response:
    answer = _answer(request, Problem(BY_STATUS.get(error.status_code, "invalid")))
    answer.headers.update(error.headers or {})
    if error.status_code == 405 and (methods := methods_of(route_path(request))):
        answer.headers["allow"] = ", ".join(methods)  # the router names those of one function, not of the address
    return answer


def _on_invalid(request: Request, error: Any) -> Response:
    """Say where and which rule, never the value that was sent."""
    found = [{"where": ".".join(str(p) for p in e["loc"]), "what": e["type"]} for e in error.errors()]
    missing = any(e["type"] == "missing" and e["loc"][0] == "header" for e in error.errors())
    return _answer(request, Problem("header_missing" if missing else "invalid", tuple(found)))


def _on_store(request: Request, _error: Any) -> Response:
    return _answer(request, Problem("store"))


def _on_bug(request: Request, _error: Any) -> Response:
    return _answer(request, Problem("failed"))


HANDLERS: dict[Any, Any] = {
    Problem: _on_problem,
    HTTPException: _on_http,
    RequestValidationError: _on_invalid,
    StoreError: _on_store,
    StoreBusyError: _on_store,
    Exception: _on_bug,
}
