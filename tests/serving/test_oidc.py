"""Sign-in through a real OpenID provider in another process: it lets people in, and each of its lies is refused."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from features.errors import FixableError
from serving import store_log
from serving.oidc import Provider, provider_of
from serving.settings import Settings, load

CLIENT, SECRET = "retention care", "s3cret:of/the+client=%"
ROLES = {"hr-leads": "hr", "managers": "manager", "partners": "hr_partner", "people": "employee"}
LIES = {
    "nonce": "claim_nonce",
    "no_nonce": "claim_nonce",
    "unsigned": "token_",
    "hs256": "token_",
    "expired": "claim_",
    "no_expiry": "claim_exp",
    "old": "claim_iat",
    "future": "claim_",
    "audience": "claim_aud",
    "audiences": "claim_azp",
    "party": "claim_azp",
    "issuer": "claim_iss",
    "no_subject": "claim_sub",
    "stranger": "token_BadSignature",
    "unknown_key": "token_",
    "edited": "token_BadSignature",
    "state": "state",
    "answer_issuer": "issuer",
    "no": "provider_said_no",
}
"""How the provider lies, and the word under which the refusal stands in the audit log."""


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The address of a provider that runs in a process of its own."""
    program = [sys.executable, str(Path(__file__).parent / "provider.py"), CLIENT, SECRET]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip() if process.stdout else ""
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def lie(issuer: str) -> Iterator[Callable[[str], None]]:
    def tell(way: str) -> None:
        httpx2.get(f"{issuer}/lie", params={"way": way})

    tell("honest")
    yield tell
    tell("honest")


@pytest.fixture
def oidc_app(app: FastAPI, issuer: str, lie) -> FastAPI:
    """The application with a provider and the real time, which the provider keeps as well."""
    settings = Settings(
        state=app.state.desk.settings.state,
        oidc_issuer=issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,  # type: ignore[arg-type]
        oidc_roles=ROLES,
    )
    clock = lambda: datetime.now(UTC)  # noqa: E731
    app.state.desk = replace(app.state.desk, settings=settings, provider=provider_of(settings), clock=clock)
    return app


@pytest.fixture
def browser(oidc_app: FastAPI, made) -> Iterator[TestClient]:
    before = oidc_app.state.desk
    yield TestClient(oidc_app, base_url=made.ORIGIN, headers={"accept": "text/html"}, follow_redirects=False)
    oidc_app.state.desk = replace(before, settings=Settings(state=before.settings.state), provider=None)


def come_back(browser: TestClient, who: str, *, purpose: str = "retention_care") -> httpx2.Response:
    """Go through the whole sign-in as a browser does, and return the last answer of the service."""
    begun = browser.get("/sign-in/oidc", params={"purpose": purpose})
    assert begun.status_code == 303, begun.text
    at_provider = httpx2.get(begun.headers["location"] + f"&login_hint={who}")
    back = urlsplit(at_provider.headers["location"])
    return browser.get(f"{back.path}?{back.query}")


def test_a_lead_of_hr_comes_in_and_sees_everybody(browser: TestClient) -> None:
    done = come_back(browser, "lead")
    assert done.status_code == 200
    assert 'http-equiv="refresh" content="0;url=/"' in done.text
    assert browser.get("/people/E0001").status_code == 200
    assert browser.get("/people/E0013").status_code == 200


def test_a_manager_comes_in_by_a_claim_and_sees_only_those_below(browser: TestClient) -> None:
    come_back(browser, "boss")
    assert browser.get("/people/E0001").status_code == 200
    assert browser.get("/people/E0013").status_code == 404


def test_an_employee_comes_in_to_the_own_page_alone(browser: TestClient) -> None:
    done = come_back(browser, "nurse", purpose="subject_access")
    assert "url=/me/assessment" in done.text
    assert browser.get("/me/assessment").status_code == 200
    assert browser.get("/people/E0001").status_code == 403


def test_a_partner_sees_the_department_that_the_provider_names(browser: TestClient) -> None:
    come_back(browser, "partner")
    assert browser.get("/people/E0001").status_code == 200


@pytest.mark.parametrize("way", LIES)
def test_no_lie_of_a_provider_opens_a_session(way: str, browser: TestClient, lie, store, made) -> None:
    lie(way)
    done = come_back(browser, "lead")
    assert done.status_code == 403
    assert browser.cookies.get("retention") is None
    assert browser.get("/").status_code == 401
    last = [row for row in made.entries() if row["action"] == "sign_in"][-1]
    assert last["result"].startswith(f"oidc {LIES[way]}")
    assert last["actor"] == "anonymous"


@pytest.mark.parametrize("who", ["guest", "lost", "numberless"])
def test_who_has_no_role_or_whose_reach_is_not_told_stays_outside(who: str, browser: TestClient) -> None:
    assert come_back(browser, who).status_code == 403
    assert browser.get("/").status_code == 401


def test_a_purpose_outside_the_role_opens_nothing(browser: TestClient) -> None:
    assert come_back(browser, "boss", purpose="subject_access").status_code == 403
    assert browser.get("/").status_code == 401


def test_an_answer_works_once_and_only_in_the_browser_that_asked(browser: TestClient, oidc_app, made) -> None:
    begun = browser.get("/sign-in/oidc", params={"purpose": "retention_care"})
    back = urlsplit(httpx2.get(begun.headers["location"]).headers["location"])
    other = TestClient(oidc_app, base_url=made.ORIGIN, headers={"accept": "text/html"})
    assert other.get(f"{back.path}?{back.query}").status_code == 403
    flow = browser.cookies.get("retention-flow")
    assert browser.get(f"{back.path}?{back.query}").status_code == 200
    browser.cookies.set("retention-flow", str(flow))
    assert browser.get(f"{back.path}?{back.query}").status_code == 403


def test_the_request_carries_pkce_state_and_nonce_and_never_the_secret(browser: TestClient) -> None:
    first, second = (browser.get("/sign-in/oidc", params={"purpose": "retention_care"}) for _ in range(2))
    asked, again = (parse_qs(urlsplit(one.headers["location"]).query) for one in (first, second))
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) >= 43
        assert asked[name] != again[name]
    assert "s3cret" not in first.headers["location"]


@pytest.mark.only("sqlite")
def test_the_secret_is_in_no_log(browser: TestClient, caplog: pytest.LogCaptureFixture, store, oidc_app) -> None:
    caplog.set_level(logging.DEBUG)
    come_back(browser, "lead")
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr(oidc_app.state.desk.settings)
    assert b"s3cret" not in store.file.read_bytes()


def test_new_keys_of_the_provider_are_fetched_and_made_up_ones_do_not_make_us_ask_again(
    browser: TestClient, issuer: str, oidc_app, lie
) -> None:
    assert come_back(browser, "lead").status_code == 200
    provider: Provider = oidc_app.state.desk.provider
    httpx2.get(f"{issuer}/rotate")
    assert come_back(browser, "lead").status_code == 403  # asked a moment ago: not again so soon
    provider._fetched_at = datetime(2020, 1, 1, tzinfo=UTC)
    assert come_back(browser, "lead").status_code == 200
    lie("unknown_key")
    before = httpx2.get(f"{issuer}/asked").json()["asked"].count("/keys")
    assert [come_back(browser, "lead").status_code for _ in range(3)] == [403, 403, 403]
    assert httpx2.get(f"{issuer}/asked").json()["asked"].count("/keys") == before


def test_a_fresh_sign_in_ends_the_session_that_the_browser_brought(browser: TestClient, store) -> None:
    come_back(browser, "lead")
    old = str(browser.cookies.get("retention"))
    come_back(browser, "lead")
    assert browser.cookies.get("retention") != old
    browser.cookies.clear()
    browser.cookies.set("retention", old)
    assert browser.get("/").status_code == 401


@pytest.mark.parametrize("way", ["discovery_issuer", "not_json"])
def test_a_provider_that_answers_nonsense_is_away(way: str, browser: TestClient, lie) -> None:
    lie(way)
    begun = browser.get("/sign-in/oidc", params={"purpose": "retention_care"})
    if begun.status_code == 303:
        back = urlsplit(httpx2.get(begun.headers["location"]).headers["location"])
        begun = browser.get(f"{back.path}?{back.query}")
    assert begun.status_code == 503
    assert browser.cookies.get("retention") is None


def test_a_provider_that_is_not_there_is_told_kindly(app: FastAPI, browser: TestClient) -> None:
    nowhere = app.state.desk.settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:9"})
    app.state.desk = replace(app.state.desk, settings=nowhere, provider=provider_of(nowhere))
    answer = browser.get("/sign-in/oidc", params={"purpose": "retention_care"})
    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_the_page_of_sign_in_offers_the_provider(browser: TestClient) -> None:
    page = browser.get("/sign-in")
    assert page.status_code == 200
    assert "/sign-in/oidc?purpose=retention_care" in page.text


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "OIDC_CLIENT_ID"),
        ({"oidc_client_id": "x"}, "OIDC_ROLES"),
        ({"oidc_client_id": "x", "oidc_roles": {"a": "superuser"}}, "superuser"),
        ({"oidc_client_id": "x", "oidc_roles": {"a": "hr_system"}}, "hr_system"),
        ({"oidc_client_id": "x", "oidc_roles": {"a": "hr"}, "oidc_scopes": "profile"}, "openid"),
    ],
)
def test_half_a_provider_does_not_start(given: dict[str, object], named: str) -> None:
    with pytest.raises(FixableError, match=named):
        load(oidc_issuer="http://127.0.0.1:9", **given)


def test_a_provider_without_https_does_not_start_in_production() -> None:
    with pytest.raises(FixableError, match="OIDC_ISSUER"):
        load(
            mode="production",
            trusted_hosts=("care.example",),
            secret="7rXvQ2mK9pLw4sTz8uYb6nJd3fGh1cAe",
            behind_https=True,
            oidc_issuer="http://id.example",
            oidc_client_id="x",
            oidc_roles={"a": "hr"},
        )


def test_an_identity_is_the_same_each_time_and_the_number_of_the_employee_is_known(browser: TestClient, store) -> None:
    come_back(browser, "boss")
    first = str(browser.cookies.get("retention"))
    from serving.auth import sha256

    with store.begin() as tx:
        one = store_log.session_by_hash(tx, sha256(first), now=datetime.now(UTC))
    come_back(browser, "boss")
    with store.begin() as tx:
        two = store_log.session_by_hash(tx, sha256(str(browser.cookies.get("retention"))), now=datetime.now(UTC))
    assert one is not None
    assert two is not None
    assert one["identity"] == two["identity"]
    assert one["employee_id"] == "M1"
