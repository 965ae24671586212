"""The ways in for people besides one-time links: a local account, or the organisation's identity provider.

Whoever is let in gets a fresh session for one stated purpose; a refusal is written down and says nothing about why.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import RedirectResponse

from serving import accounts, audit, auth, oidc, store_access, store_log
from serving.access import Visit
from serving.accounts import Attempt
from serving.audit import Entry
from serving.auth import Invitation
from serving.brakes import client_address
from serving.guard import Desk, cookie_name, desk, visit
from serving.oidc import Provider, ProviderAwayError, RefusedError
from serving.pages import Form, let_in, page, text_of
from serving.problems import Problem
from serving.schemas import Purpose

router = APIRouter(include_in_schema=False)
Let = Annotated[Visit, Depends(visit)]

MARK_SECONDS = 180 * 86_400
LONGEST_ANSWER = 4_000


@router.post("/sign-in/account")
def sign_in_account(request: Request, who: Let, form: Form) -> Response:
    """Sign in with a login and a password."""
    at, purpose = desk(request), text_of(form, "purpose", longest=40)
    login = text_of(form, "login", longest=100)
    given = form.getlist("password") if form else []
    password = str(given[0]) if len(given) == 1 and isinstance(given[0], str) else ""
    if not login or not password or len(password) > accounts.MOST_CHARACTERS:
        raise Problem("invalid")
    attempt = Attempt(
        login,
        password,
        client_address(request.scope, request.headers, behind_proxy=at.settings.behind_https),
        request.cookies.get(mark_name(at), ""),
    )
    found = accounts.check(at.store, at.hashing, attempt, secret=at.secret, now=who.now)
    if not isinstance(found, Invitation):
        _refused(at, who, "account", found)
        raise Problem("throttled" if found == "throttled" else "sign_in_refused")
    answer, _ = _open(request, who, found, purpose, at)
    answer.set_cookie(
        mark_name(at),
        accounts.mark(at.secret, login),
        max_age=MARK_SECONDS,
        path="/",
        httponly=True,
        samesite="strict",
        secure=at.settings.mode == "production",
    )
    return answer


@router.get("/sign-in/oidc")
def begin_oidc(request: Request, who: Let, purpose: Purpose) -> Response:
    """Go to the identity provider, for one stated purpose."""
    at, provider = desk(request), _provider(request)
    try:
        flow, browser, address = oidc.begin(provider, purpose, redirect_uri=_redirect_uri(request, at), now=who.now)
    except ProviderAwayError:
        _refused(at, who, "oidc", "provider_away")
        raise Problem("provider_away") from None
    with at.store.begin() as tx:
        store_access.add_flow(tx, asdict(flow), now=who.now)
    answer = RedirectResponse(address, status_code=303)
    answer.set_cookie(
        flow_name(at),
        browser,
        max_age=int(oidc.FLOW_TIME.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",  # the way back begins at the provider; "strict" would not come along
        secure=at.settings.mode == "production",
    )
    return answer


@router.get("/sign-in/oidc/callback")
def end_oidc(
    request: Request,
    who: Let,
    state: Annotated[str, Query(max_length=LONGEST_ANSWER)] = "",
    code: Annotated[str, Query(max_length=LONGEST_ANSWER)] = "",
) -> Response:
    """Come back from the provider: check what it says, and let the person in."""
    at, provider = desk(request), _provider(request)
    told = {name: value[:LONGEST_ANSWER] for name, value in request.query_params.items()} | {"state": state}
    told |= {"code": code} if code else {}
    with at.store.begin() as tx:
        row = store_access.take_flow(tx, auth.sha256(request.cookies.get(flow_name(at), "")), now=who.now)
    try:
        if row is None:
            raise RefusedError("flow")
        flow = oidc.Flow(**row)
        claims = oidc.finish(provider, flow, told, redirect_uri=_redirect_uri(request, at), now=who.now)
        invitation = oidc.member(claims, at.settings)
    except RefusedError as refusal:
        _refused(at, who, "oidc", refusal.why)
        raise Problem("sign_in_refused") from None
    except ProviderAwayError:
        _refused(at, who, "oidc", "provider_away")
        raise Problem("provider_away") from None
    answer, first = _open(request, who, invitation, flow.purpose, at)
    # A redirect that began at the provider would not carry our strict cookie; a page of our own that goes on does.
    going = page(request, "signed_in.html", {"first": first}, who=None)
    for name, value in answer.raw_headers:
        if name == b"set-cookie":
            going.raw_headers.append((name, value))
    going.delete_cookie(flow_name(at), path="/", httponly=True, samesite="lax", secure=at.settings.mode == "production")
    return going


def _open(request: Request, who: Visit, invitation: Invitation, purpose: str, at: Desk) -> tuple[Response, str]:
    """End the session that the browser brought, open a new one, and write the sign-in down."""
    old = request.cookies.get(cookie_name(at.settings), "")
    with at.store.begin() as tx:
        session = auth.open_session(tx, invitation, purpose, now=who.now, hours=at.settings.session_hours)
        if session is not None and old:
            store_log.end_session(tx, auth.sha256(old), now=who.now)
        actor, result = (session[1], "signed_in") if session else ("anonymous", "purpose_refused")
        told = purpose if session else "none"
        audit.record(tx, Entry(actor, "sign_in", result, who.request_id, purpose=told), now=who.now)
    if session is None:
        raise Problem("purpose_refused")
    return let_in(RedirectResponse(session[2], status_code=303), session[0], at), session[2]


def _refused(at: Desk, who: Visit, way: str, why: str) -> None:
    entry = Entry("anonymous", "sign_in", f"{way} {why}"[:40], who.request_id)
    with at.store.begin() as tx:
        audit.record(tx, entry, now=who.now)


def _provider(request: Request) -> Provider:
    found = desk(request).provider
    if found is None:
        raise Problem("not_found")
    return found


def _redirect_uri(request: Request, at: Desk) -> str:
    """Return where the provider sends people back to; its host is one of the trusted ones, never an invented one."""
    if at.settings.mode == "production":
        return f"https://{at.settings.trusted_hosts[0]}/sign-in/oidc/callback"
    return f"http://{request.headers['host']}/sign-in/oidc/callback"


def mark_name(at: Desk) -> str:
    """Return the name of the cookie of a browser that has signed in before."""
    return "__Host-retention-known" if at.settings.mode == "production" else "retention-known"


def flow_name(at: Desk) -> str:
    """Return the name of the cookie that ties the way back to the browser that set out."""
    return "__Host-retention-flow" if at.settings.mode == "production" else "retention-flow"
