"""Events for other systems: that something happened, in ids alone. Whoever wants to know more asks, and is audited.

Standard Webhooks 1.0: ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` (``v1,`` and the base64 of an
HMAC-SHA256 over ``id.timestamp.body``; two of them, separated by a blank, while a secret is being changed). Delivered
at least once; a repeat carries the same id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from serving import store_webhooks
from serving.destinations import Destination, Network, RefusedError, judged, networks, post
from serving.settings import Settings
from serving.store import Store

KINDS = {
    "scores.updated": "A new batch of assessments is shown. Ids: run_id. Read GET /v1/people?changed_since=…",
    "records.received": "A push of records was worked on. Ids: batch, table.",
    "job.ended": "A scoring job of yours ended. Ids: job_id.",
}
"""What can be listened to. No event names a person, a band or a number."""

STEPS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before the second, third, … tenth try, as the standard advises: about three days in all."""

JITTER = 0.2
LEASE = timedelta(seconds=60)
AT_ONCE = 20
FORMER_VALID = timedelta(hours=24)
KEPT = timedelta(days=14)
GONE = 410

Send = Callable[[Destination, bytes, Mapping[str, str]], int]


def master(settings: Settings) -> bytes:
    """Return what signing secrets are derived from: the service's secret, or in local mode a file beside the store."""
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    file = settings.state / "webhook.key"
    if not file.exists():
        settings.state.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"webhook.{secrets.token_hex(4)}.new")
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as opened:
            opened.write(secrets.token_hex(32))
        _link_once(draft, file)
    return file.read_text(encoding="utf-8").strip().encode()


def _link_once(draft: Path, file: Path) -> None:
    """Put the file in its place unless another process was faster; both then read the same one."""
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def signing_secret(key: bytes, endpoint_id: str, number: int) -> str:
    """Return an endpoint's secret in the form that the libraries of the standard take."""
    raw = hmac.new(key, f"webhook {endpoint_id} {number}".encode(), hashlib.sha256).digest()
    return "whsec_" + base64.b64encode(raw).decode()


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """Return one signature of the standard.

    >>> signature("whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
    ...           b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    raw = base64.b64decode(secret.removeprefix("whsec_"))
    mark = hmac.new(raw, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mark).decode()


@dataclass(frozen=True)
class Courier:
    """What delivering needs: the store, the key that secrets come from, where one may send, how, and the clock."""

    store: Store
    key: bytes
    allowed: tuple[Network, ...]
    clock: Callable[[], datetime]
    send: Send = post

    @classmethod
    def of(cls, store: Store, settings: Settings, *, clock: Callable[[], datetime]) -> Courier:
        """Return the courier of an installation."""
        return cls(store, master(settings), networks(settings.webhook_networks), clock)


def deliver_due(courier: Courier, *, limit: int = AT_ONCE) -> dict[str, int]:
    """Try everything that is due, once, and return how many were delivered, wait for another try, or are dead."""
    now = courier.clock()
    with courier.store.begin() as tx:
        mine = store_webhooks.claim(tx, now=now, lease_until=now + LEASE, limit=limit)
    counts = {"delivered": 0, "waiting": 0, "dead": 0}
    for one in mine:
        result = _try(courier, one)
        counts[result["state"]] += 1
        with courier.store.begin() as tx:
            store_webhooks.note(tx, one["event_id"], one["endpoint_id"], result)
            if result["last_result"] == str(GONE):
                store_webhooks.disable(tx, one["endpoint_id"], now=courier.clock())
    return counts


def _try(courier: Courier, one: Mapping[str, Any]) -> dict[str, Any]:
    """Send one event to one endpoint and return what to note. Nothing of the receiver's answer is kept but its code."""
    body = event_body(one)
    now = courier.clock()
    headers = signed(one, body, courier.key, now=now)
    attempts = one["attempts"] + 1
    try:
        to = judged(one["url"], allowed=courier.allowed)
        status: int | str = courier.send(to, body, headers)
    except RefusedError as refusal:
        status = f"refused: {refusal}"
    except (OSError, http.client.HTTPException) as failure:
        status = type(failure).__name__
    result = {"attempts": attempts, "last_result": str(status)[:60]}
    if isinstance(status, int) and 200 <= status < 300:
        return {**result, "state": "delivered"}
    if attempts > len(STEPS) or status == GONE:
        return {**result, "state": "dead"}
    wait = STEPS[attempts - 1] * (1 + JITTER * (secrets.randbelow(1000) / 500 - 1))
    return {**result, "state": "waiting", "next_at": now + timedelta(seconds=wait)}


def event_body(one: Mapping[str, Any]) -> bytes:
    """Return the body of an event; the same for every try."""
    at = one["at"].astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": one["kind"], "timestamp": at, "data": one["ids"]}, separators=(",", ":")).encode()


def signed(one: Mapping[str, Any], body: bytes, key: bytes, *, now: datetime) -> dict[str, str]:
    """Return the headers of a try: the time is that of the try, so that a receiver can refuse what is old."""
    stamp = int(now.timestamp())
    numbers = [one["secret_number"]]
    if one["former_until"] is not None and one["former_until"] > now:
        numbers.append(one["secret_number"] - 1)
    marks = [signature(signing_secret(key, one["endpoint_id"], n), one["event_id"], stamp, body) for n in numbers]
    return {
        "content-type": "application/json",
        "user-agent": "retention-risk-webhooks/1",
        "webhook-id": one["event_id"],
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(marks),
    }


def wrong_kinds(kinds: Sequence[str]) -> list[str]:
    """Return the kinds that do not exist."""
    return sorted(set(kinds) - set(KINDS))
