"""Events for other systems: signed, thin, from an outbox that loses nothing, and never to an address inside."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from serving import store_webhooks
from serving.destinations import RefusedError, judged, networks, plausible
from serving.webhooks import STEPS, Courier, deliver_due

HOME = networks(["127.0.0.0/8"])
RECEIVER = """
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        with open(sys.argv[2], "a") as file:
            file.write(json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                                   "body": body}) + "\\n")
        code = int(self.path.strip("/") or 204)
        self.send_response(code)
        if code == 302:
            self.send_header("location", "http://127.0.0.1:" + sys.argv[1] + "/204")
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@dataclass(frozen=True)
class Receiver:
    """A process of its own that writes down what it gets and answers the status in the path."""

    port: int
    file: Path

    def got(self) -> list[dict]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def url(self, code: int = 204) -> str:
        return f"http://127.0.0.1:{self.port}/{code}"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", RECEIVER, str(port), str(tmp_path / "got")])
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield Receiver(port, tmp_path / "got")
    process.kill()
    process.wait()


@pytest.fixture
def courier(app, store, clock) -> Courier:
    return Courier.of(store, app.state.desk.settings, clock=clock)


def listen(client, headers, url, *, kinds=("scores.updated",), name="hook"):
    body = {"url": url, "kinds": list(kinds)}
    return client.post("/v1/webhooks", json=body, headers={**headers, "idempotency-key": name})


def tell(store, clock, kind="scores.updated", **ids) -> str:
    with store.begin() as tx:
        return store_webhooks.add_event(tx, kind, ids or {"run_id": 1}, now=clock.now)


def right(secret: str, message: dict) -> bool:
    """The reference check of Standard Webhooks, written from its text."""
    headers = message["headers"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{message['body']}".encode()
    mark = hmac.new(base64.b64decode(secret[6:]), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(mark).decode()}" in headers["webhook-signature"].split(" ")


def test_an_event_arrives_signed_once_and_says_nothing_but_ids(client, key, store, clock, courier, receiver) -> None:
    secret = listen(client, key(), receiver.url()).json()["secret"]
    event = tell(store, clock, run_id=7)
    assert deliver_due(courier) == {"delivered": 1, "waiting": 0, "dead": 0}
    assert deliver_due(courier) == {"delivered": 0, "waiting": 0, "dead": 0}
    (got,) = receiver.got()
    assert got["headers"]["webhook-id"] == event
    assert int(got["headers"]["webhook-timestamp"]) == int(clock.now.timestamp())
    assert json.loads(got["body"]) | {"timestamp": ""} == {
        "type": "scores.updated",
        "timestamp": "",
        "data": {"run_id": 7},
    }
    assert right(secret, got)
    assert not right(secret, {**got, "body": got["body"] + " "})
    assert not right("whsec_" + base64.b64encode(b"x" * 32).decode(), got)


def test_while_a_secret_is_changed_both_sign_and_a_day_later_only_the_new_one(
    client, key, store, clock, courier, receiver
) -> None:
    headers = key()
    made = listen(client, headers, receiver.url()).json()
    path = f"/v1/webhooks/{made['endpoint_id']}/rotate"
    new = client.post(path, headers={**headers, "idempotency-key": "r"}).json()
    again = client.post(path, headers={**headers, "idempotency-key": "r"}).json()
    assert new == again
    assert new["secret"] != made["secret"]
    tell(store, clock)
    deliver_due(courier)
    clock.now += timedelta(hours=25)
    tell(store, clock)
    deliver_due(courier)
    during, after = receiver.got()
    assert (right(made["secret"], during), right(new["secret"], during)) == (True, True)
    assert (right(made["secret"], after), right(new["secret"], after)) == (False, True)


def test_no_secret_is_in_the_store_and_none_is_told_twice(client, key, world) -> None:
    headers = key()
    secret = listen(client, headers, "https://hr.example.com/hook").json()["secret"]
    listed = client.get("/v1/webhooks", headers=headers)
    assert secret not in listed.text
    held = [file.name for file in world.state.rglob("*") if file.is_file() and secret[6:].encode() in file.read_bytes()]
    assert held == []


def test_a_receiver_that_is_away_gets_every_event_later_under_the_same_id(
    client, key, store, clock, courier, receiver
) -> None:
    listen(client, key(), receiver.url())
    away = replace(courier, send=lambda *_: (_ for _ in ()).throw(ConnectionRefusedError()))
    event = tell(store, clock)
    for step in STEPS[:3]:
        assert deliver_due(away)["waiting"] == 1
        assert deliver_due(away)["waiting"] == 0
        clock.now += timedelta(seconds=1.3 * step)
    assert deliver_due(courier)["delivered"] == 1
    assert [got["headers"]["webhook-id"] for got in receiver.got()] == [event]


def test_after_the_last_try_an_event_is_dead_listed_and_can_be_sent_once_more(
    client, key, store, clock, courier, receiver
) -> None:
    headers = key()
    made = listen(client, headers, receiver.url(500)).json()
    event = tell(store, clock)
    tries = 0
    while deliver_due(courier)["dead"] == 0:
        tries += 1
        clock.now += timedelta(hours=30)
    assert tries + 1 == len(STEPS) + 1 == 10
    place = f"/v1/webhooks/{made['endpoint_id']}/deliveries"
    (dead,) = client.get(place, params={"state": "dead"}, headers=headers).json()["deliveries"]
    assert (dead["event_id"], dead["attempts"], dead["last_result"]) == (event, 10, "500")
    assert client.post(f"{place}/{event}/replay", headers=headers).json()["state"] == "waiting"
    deliver_due(courier)
    assert len(receiver.got()) == 11
    assert {got["headers"]["webhook-id"] for got in receiver.got()} == {event}


def test_a_courier_that_dies_with_an_event_in_hand_loses_none(client, key, store, clock, courier, receiver) -> None:
    listen(client, key(), receiver.url())
    tell(store, clock)
    with store.begin() as tx:
        assert len(store_webhooks.claim(tx, now=clock.now, lease_until=clock.now + timedelta(60), limit=9)) == 1
    assert deliver_due(courier)["delivered"] == 0
    clock.now += timedelta(days=61)
    assert deliver_due(courier)["delivered"] == 1


def test_what_was_rolled_back_is_told_to_nobody(client, key, store, clock, courier, receiver) -> None:
    listen(client, key(), receiver.url())

    def failing() -> None:
        with store.begin() as tx:
            store_webhooks.add_event(tx, "scores.updated", {"run_id": 1}, now=clock.now)
            raise RuntimeError("the work failed")

    with pytest.raises(RuntimeError):
        failing()
    assert deliver_due(courier) == {"delivered": 0, "waiting": 0, "dead": 0}


def test_a_redirect_is_not_followed_and_gone_ends_the_endpoint(client, key, store, clock, courier, receiver) -> None:
    headers = key()
    listen(client, headers, receiver.url(302), name="a")
    listen(client, headers, receiver.url(410), name="b")
    tell(store, clock)
    assert deliver_due(courier) == {"delivered": 0, "waiting": 1, "dead": 1}
    assert sorted(got["path"] for got in receiver.got()) == ["/302", "/410"]
    tell(store, clock)
    deliver_due(courier)
    assert sorted(got["path"] for got in receiver.got()) == ["/302", "/302", "/410"]
    ends = [one["disabled_at"] is not None for one in client.get("/v1/webhooks", headers=headers).json()["endpoints"]]
    assert sorted(ends) == [False, True]


def test_an_endpoint_is_its_own_clients_alone(client, key) -> None:
    headers, other = key(), key()
    made = listen(client, headers, "https://hr.example.com/hook").json()
    path = f"/v1/webhooks/{made['endpoint_id']}"
    assert client.get("/v1/webhooks", headers=other).json()["endpoints"] == []
    assert client.get(f"{path}/deliveries", headers=other).status_code == 404
    assert client.post(f"{path}/rotate", headers={**other, "idempotency-key": "x"}).status_code == 404
    assert client.delete(path, headers=other).status_code == 404
    assert client.delete(path, headers=headers).status_code == 204


INSIDE = [
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://017700000001/",
    "https://0/", "https://0.0.0.0/", "https://10.0.0.1/", "https://10.255.255.255/", "https://172.16.0.1/",
    "https://172.31.9.9/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/",
    "https://192.0.0.1/", "https://192.0.2.1/", "https://198.18.0.1/", "https://198.51.100.7/", "https://203.0.113.1/",
    "https://224.0.0.1/", "https://240.0.0.1/", "https://255.255.255.255/", "https://[::1]/", "https://[::]/",
    "https://[::ffff:127.0.0.1]/", "https://[::ffff:10.0.0.1]/", "https://[::ffff:a9fe:a9fe]/", "https://[fe80::1]/",
    "https://[fc00::1]/", "https://[fd12:3456::1]/", "https://[ff02::1]/", "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::a9fe:a9fe]/", "https://[2002:7f00:1::]/", "https://[2002:a00:1::]/", "https://[2001:db8::1]/",
    "https://[fec0::1]/", "https://localhost/", "https://localhost./", "https://sub.localhost/",
    "https://127.0.0.1:8000@10.0.0.1/", "https://user:pass@example.com/", "https://example.com#@10.0.0.1/",
    "http://93.184.216.34/", "ftp://example.com/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "https://",
    "https://[::1", "https://a:99999/", "https:///x",
]  # fmt: skip


@pytest.mark.parametrize("url", INSIDE)
def test_no_connection_is_made_to_an_address_inside(url: str, monkeypatch) -> None:
    def never(*_args, **_more):
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "create_connection", never)
    with pytest.raises(RefusedError):
        judged(url)


@pytest.mark.parametrize("url", [url for url in INSIDE if "localhost" not in url or "." not in url[8:-1]])
def test_an_address_inside_is_refused_before_it_is_written_down(url: str) -> None:
    with pytest.raises(RefusedError):
        plausible(url)


def test_a_name_that_points_inside_a_moment_later_is_not_followed_there(monkeypatch) -> None:
    """The name is looked up once: what was judged is what is connected to."""
    from serving import destinations

    asked = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])

    def lookup(*_args, **_more):
        return [(0, 0, 0, "", (address, 0)) for address in next(asked)]

    connected = []

    def connect(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "create_connection", connect)
    to = judged("https://rebind.example/")
    with pytest.raises(ConnectionRefusedError):
        destinations.post(to, b"{}", {})
    assert connected == [("93.184.216.34", 443)]
    with pytest.raises(RefusedError):
        judged("https://rebind.example/")


def test_one_address_inside_among_several_is_enough_to_refuse(monkeypatch) -> None:
    both = [(0, 0, 0, "", (address, 0)) for address in ("93.184.216.34", "10.0.0.5")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: both)
    with pytest.raises(RefusedError):
        judged("https://two.example/")
    assert judged("https://two.example/", allowed=networks(["10.0.0.0/8"])).host == "two.example"


def test_plain_http_goes_to_this_computer_only_and_only_where_it_was_allowed() -> None:
    assert judged("http://127.0.0.1:9/", allowed=HOME).port == 9
    with pytest.raises(RefusedError):
        judged("http://10.0.0.1/", allowed=networks(["10.0.0.0/8"]))


def test_a_new_batch_a_push_and_a_job_are_told(client, key, store, world, app) -> None:
    from sqlalchemy import select

    from serving import jobs
    from serving.store_exchange_tables import outbox

    headers = {**key(), "idempotency-key": "x"}
    people = [{"employee_id": "N1", "hired_on": "2020-01-01"}]
    client.post("/v1/records/employees", json={"rows": people}, headers=headers)
    body = {"as_of": str(world.as_of), "records": {"employees": people}}
    client.post("/v1/jobs?purpose=retention_care", json=body, headers={**headers, "idempotency-key": "y"})
    jobs.run_next(app.state.desk, app.state.at_hand)
    with store.begin() as tx:
        told = {row.kind: row.ids for row in tx.execute(select(outbox))}
    assert {kind: sorted(ids) for kind, ids in told.items()} == {
        "scores.updated": ["run_id"],
        "records.received": ["batch", "table"],
        "job.ended": ["job_id"],
    }
    assert "N1" not in json.dumps(told)


def test_the_command_delivers_what_is_due_and_ends(client, key, store, clock, receiver, world) -> None:
    import os

    listen(client, key(), receiver.url())
    tell(store, clock)
    settings = {"RETENTION_WEBHOOK_NETWORKS": "127.0.0.0/8", "PATH": os.environ["PATH"]}
    settings |= {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    done = subprocess.run(
        [sys.executable, "-m", "serving.cli", "deliver", "--once", "--state", str(world.state)],
        env=settings, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "1 delivered" in done.stdout, done.stderr
    assert len(receiver.got()) == 1
