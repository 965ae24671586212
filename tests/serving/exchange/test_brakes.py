"""Floods, bombs and dawdlers: refused early, told when to come again, and everybody else is served."""

from __future__ import annotations

import gzip
import threading
import time

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.brakes import Heavy, client_address
from serving.problems import Problem
from serving.settings import Settings

ORIGIN = "http://127.0.0.1:8000"
CARE = {"purpose": "retention_care"}


@pytest.fixture
def braked(world, store, clock):
    """An application of its own, because what it counts must be its own."""

    def make(**settings):
        app = create_app(Settings(state=world.state, **settings), store=store, clock=clock)
        return TestClient(app, base_url=ORIGIN, raise_server_exceptions=False)

    return make


def test_a_key_has_its_budget_and_is_told_of_it_in_every_answer(braked, key) -> None:
    client, headers = braked(requests_per_minute=5), key()
    answers = [client.get("/v1/catalog", headers=headers) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == [
        f"r={n}" for n in (4, 3, 2, 1, 0, 0, 0, 0)
    ]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"key";q=5;w=60'}
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in answers[5:])
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert answers[-1].headers["x-content-type-options"] == "nosniff"
    assert client.get("/v1/catalog", headers=key()).status_code == 200


def test_made_up_keys_win_nothing(braked) -> None:
    client = braked(requests_per_minute=5)
    codes = [client.get("/v1/catalog", headers={"authorization": f"Bearer rr_{n}"}).status_code for n in range(30)]
    assert (codes[:20], codes[20:]) == ([401] * 20, [429] * 10)


def test_who_watches_the_service_is_always_answered(braked) -> None:
    client = braked(requests_per_minute=1)
    assert {client.get("/healthz").status_code for _ in range(20)} == {200}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip", "zstd"])
def test_a_compressed_body_is_refused_unopened(encoding, client, key) -> None:
    headers = {**key(), "content-encoding": encoding, "content-type": "application/json", "idempotency-key": "x"}
    bomb = gzip.compress(b"[" * 50_000_000)
    assert client.post("/v1/records/employees", content=bomb, headers=headers).status_code == 415


@pytest.mark.parametrize("path", ["/v1/records/employees", "/v1/scores?purpose=retention_care"])
def test_a_million_brackets_are_refused_at_once(path, client, key) -> None:
    headers = {**key(), "content-type": "application/json", "idempotency-key": "x"}
    begun = time.perf_counter()
    many = ",".join(f'"c{i}":1' for i in range(300_000)).encode()
    for bomb in (b"[" * 1_000_000, b'{"rows":' * 100_000, b'{"rows":[{' + many + b"}]}"):
        assert client.post(path, content=bomb, headers=headers).status_code in (413, 422)
    assert time.perf_counter() - begun < 10


def test_records_have_a_budget_of_their_own_and_everything_else_the_small_one(client, key) -> None:
    headers = {**key(), "content-type": "application/json", "idempotency-key": "x"}
    big = b'{"rows": [' + b" " * 200_000 + b"]}"
    assert client.post("/v1/records/employees", content=big, headers=headers).status_code == 422
    assert client.post("/v1/webhooks", content=big, headers=headers).status_code == 413
    huge = (b" " * 1_000_000 for _ in range(40))
    assert client.post("/v1/records/employees", content=huge, headers=headers).status_code == 413


def test_no_byte_is_read_from_somebody_who_is_not_let_in(client) -> None:
    read = []

    def body():
        read.append(1)
        yield b"{}"

    answer = client.post("/v1/records/employees", content=body(), headers={"content-type": "application/json"})
    assert answer.status_code == 401
    assert "rows" not in answer.text


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_of_another_kind_is_refused(kind, client, key) -> None:
    headers = {**key(), "content-type": kind, "idempotency-key": "x"}
    assert client.post("/v1/records/employees", content=b"a=1", headers=headers).status_code == 415


def test_heavy_work_has_few_places_and_the_rest_is_asked_to_come_again() -> None:
    heavy = Heavy(1, wait_seconds=0.05)
    with heavy.place(), pytest.raises(Problem) as refused, heavy.place():
        pass
    assert (refused.value.name, refused.value.retry_after) == ("overloaded", 2)
    with heavy.place():
        pass


def test_under_overload_the_excess_is_told_to_come_again_and_afterwards_all_is_well(braked, key) -> None:
    client, headers = braked(max_in_flight=2, requests_per_minute=100_000), key()
    codes: list[int] = []

    def ask() -> None:
        for _ in range(10):
            codes.append(client.get("/v1/people", params=CARE, headers=headers).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {200, 503}
    assert codes.count(200) > 0
    assert client.get("/v1/people", params=CARE, headers=headers).status_code == 200


def test_behind_the_proxy_only_its_own_word_about_the_address_counts() -> None:
    from starlette.datastructures import Headers

    scope = {"client": ("10.0.0.1", 5)}
    headers = Headers({"x-forwarded-for": "1.2.3.4, 5.6.7.8"})
    assert client_address(scope, headers, behind_proxy=False) == "10.0.0.1"
    assert client_address(scope, headers, behind_proxy=True) == "5.6.7.8"


def test_a_sender_that_dawdles_is_let_go() -> None:
    import asyncio

    from serving.brakes import _InTime

    async def never() -> dict:
        await asyncio.sleep(60)
        return {}

    with pytest.raises(Problem, match="timeout"):
        asyncio.run(_InTime(never, 0.05)())
