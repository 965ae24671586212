"""Local accounts: argon2id, tries counted before the password is read, nobody locks out anybody, sessions that end."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from serving import accounts, store_access
from serving.accounts import Attempt, Hashing, weak
from serving.auth import Invitation

PASSWORD = "seven quiet gardens"
SECRET = b"of the tests" * 3
CHEAP = Hashing(PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
"""The same function at a hundredth of the cost; one test below holds the real cost."""


@pytest.fixture
def account(store, made):
    """Make an account and return its login."""

    def make(login: str = "li.na", role: str = "hr", **other: object) -> str:
        row = {"login": login, "name": "Li Na", "role": role, "sees": "everyone", "created_at": made.NOW, **other}
        row["password_hash"] = CHEAP.hasher.hash(PASSWORD)
        with store.begin() as tx:
            store_access.add_account(tx, row)
        return login

    return make


@pytest.fixture
def attempt(store, clock):
    def make(login: str, password: str, address: str = "10.0.0.1", mark: str = ""):
        return accounts.check(store, CHEAP, Attempt(login, password, address, mark), secret=SECRET, now=clock())

    return make


def post(client: TestClient, made, login: str, password: str = PASSWORD, purpose: str = "retention_care"):
    form = {"login": login, "password": password, "purpose": purpose}
    return client.post("/sign-in/account", data=form, headers={"origin": made.ORIGIN}, follow_redirects=False)


@pytest.mark.only("sqlite")
def test_the_right_password_signs_in_and_a_wrong_one_says_nothing_about_why(account, client, made, store) -> None:
    account()
    wrong, unknown = post(client, made, "li.na", "not this one at all"), post(client, made, "nobody")
    assert (wrong.status_code, unknown.status_code) == (403, 403)
    assert {**wrong.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    assert post(client, made, "LI.NA ").status_code == 303
    assert client.get("/").status_code == 200
    results = [row["result"] for row in made.entries() if row["action"] == "sign_in"]
    assert results == ["account refused", "account refused", "signed_in"]
    assert PASSWORD.encode() not in store.file.read_bytes()


def test_the_sixth_try_from_one_address_waits_while_the_owner_comes_in_from_another(account, attempt) -> None:
    account()
    assert [attempt("li.na", "wrong") for _ in range(6)] == ["refused"] * 5 + ["throttled"]
    assert attempt("li.na", PASSWORD) == "throttled"
    assert isinstance(attempt("li.na", PASSWORD, "10.0.0.2"), Invitation)


def test_an_attacker_on_one_account_does_not_lock_out_others_at_the_same_address(account, attempt) -> None:
    account()
    account("other")
    for _ in range(20):
        attempt("li.na", "wrong")
    assert isinstance(attempt("other", PASSWORD), Invitation)


def test_a_flood_from_everywhere_does_not_lock_out_a_browser_that_was_here_before(account, attempt) -> None:
    account()
    for number in range(accounts.LIMITS["account"]):
        attempt("li.na", "wrong", f"10.1.{number // 200}.{number % 200}")
    assert attempt("li.na", PASSWORD, "10.9.9.9") == "throttled"
    known = accounts.mark(SECRET, "li.na")
    assert isinstance(attempt("li.na", PASSWORD, "10.9.9.9", known), Invitation)
    assert attempt("li.na", PASSWORD, "10.9.9.9", accounts.mark(b"made up", "li.na")) == "throttled"
    assert attempt("li.na", PASSWORD, "10.9.9.9", accounts.mark(SECRET, "other")) == "throttled"


def test_many_logins_from_one_address_are_stopped_too(attempt) -> None:
    found = [attempt(f"guess{number}", "wrong") for number in range(accounts.LIMITS["address"] + 1)]
    assert found.count("refused") == accounts.LIMITS["address"]
    assert found[-1] == "throttled"


def test_after_a_quarter_of_an_hour_the_tries_are_forgotten(account, attempt, clock, store) -> None:
    account()
    for _ in range(6):
        attempt("li.na", "wrong")
    clock.now += timedelta(minutes=15, seconds=1)
    assert isinstance(attempt("li.na", PASSWORD), Invitation)


def test_tries_at_the_same_moment_are_all_counted(account, attempt) -> None:
    account()
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(attempt("li.na", "wrong"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count("refused") == 5
    assert found.count("throttled") == 7


def test_an_account_that_ended_opens_nothing(account, attempt, made) -> None:
    account(ended_at=made.NOW)
    assert attempt("li.na", PASSWORD) == "refused"


def test_a_hash_at_an_older_cost_is_renewed_at_the_next_sign_in(account, store, clock) -> None:
    account()
    Hashing()  # the real cost
    dear = Hashing(PasswordHasher(time_cost=2, memory_cost=1024, parallelism=1))
    found = accounts.check(store, dear, Attempt("li.na", PASSWORD, "a", ""), secret=SECRET, now=clock())
    assert isinstance(found, Invitation)
    with store.begin() as tx:
        row = store_access.account_by_login(tx, "li.na")
    assert row is not None
    assert not dear.hasher.check_needs_rehash(row["password_hash"])


def test_passwords_are_kept_as_argon2id_at_the_cost_of_rfc_9106() -> None:
    hasher = Hashing().hasher
    assert hasher.hash("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not hasher.check_needs_rehash(accounts.NOBODYS_HASH)  # an unknown login takes as long


@pytest.mark.parametrize(
    "password", ["short", "a" * 40, "passwordpassword", "li.na loves us", "Password-2026!", "x" * 201, "1234567891234"]
)
def test_a_password_that_everybody_would_try_is_refused(password: str) -> None:
    assert weak(password, "li.na")


def test_a_session_ends_after_half_an_hour_of_nothing_and_after_eight_hours_of_work(
    account, client, made, clock
) -> None:
    account()
    post(client, made, "li.na")
    for _ in range(3):
        clock.now += timedelta(minutes=29)
        assert client.get("/").status_code == 200
    clock.now += timedelta(minutes=31)
    assert client.get("/").status_code == 401
    post(client, made, "li.na")
    for _ in range(17):
        clock.now += timedelta(minutes=28)
        assert client.get("/").status_code == 200
    clock.now += timedelta(minutes=28)
    assert client.get("/").status_code == 401


def test_every_sign_in_makes_a_new_cookie_and_ends_the_old_session(account, client, made) -> None:
    account()
    client.cookies.set("retention", "chosen by somebody else")
    post(client, made, "li.na")
    old = client.cookies.get("retention", domain="127.0.0.1")
    post(client, made, "li.na")
    client.cookies.clear()
    client.cookies.set("retention", str(old))
    assert old != "chosen by somebody else"
    assert client.get("/").status_code == 401


@pytest.mark.parametrize("role", ["employee", "auditor", "admin"])
def test_a_purpose_outside_the_role_opens_nothing(role: str, account, client, made) -> None:
    account(role=role)
    assert post(client, made, "li.na").status_code == 403
    assert client.get("/about").status_code == 401


def test_another_site_cannot_sign_anybody_in(account, client, made) -> None:
    account()
    form = {"login": "li.na", "password": PASSWORD, "purpose": "retention_care"}
    answer = client.post("/sign-in/account", data=form, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert client.cookies.get("retention") is None


def test_the_page_of_sign_in_shows_the_form_once_there_is_an_account(account, client) -> None:
    assert client.get("/sign-in").status_code == 410
    account()
    page = client.get("/sign-in")
    assert page.status_code == 200
    assert 'type="password"' in page.text
