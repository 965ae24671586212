"""A write that is repeated has one effect and one answer (Idempotency-Key, IETF draft-ietf-httpapi-idempotency-key).

The key is the client's own; the same key with another request is refused. The work is told the name of its batch and
must do nothing twice for one name: a service that is killed between effect and answer is asked again, and the work is
then taken over under the name it had.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Header, Request
from fastapi.responses import JSONResponse

from serving import store_exchange
from serving.access import Visit
from serving.guard import Desk
from serving.problems import Problem

LEASE = timedelta(seconds=60)
RETRY_SECONDS = 2

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="A text of your own for this write, such as a UUID. The same key with the same body is the same "
        "write: it has one effect, and every repeat gets the same answer for at least 24 hours.",
        examples=["7c3d1a52-5a0f-4b0e-9d6f-0b9f3a1c2e4d"],
    ),
]


@dataclass(frozen=True)
class Answered:
    """A status, a body, and the headers that come with it."""

    status: int
    body: Mapping[str, Any]
    location: str | None = None


Work = Callable[[str], Answered]


def fingerprint(request: Request, raw: bytes) -> str:
    """Return what tells two requests apart: method, path, query and body."""
    head = f"{request.method}\n{request.scope['path']}\n{request.scope['query_string'].decode('latin-1')}\n"
    return hashlib.sha256(head.encode() + raw).hexdigest()


def once(
    at: Desk, who: Visit, asked: tuple[str, str], work: Work, *, dress: Callable[[Mapping[str, Any]], Any] = dict
) -> JSONResponse:
    """Do the work, or give the answer that it got. ``asked``: the key and the fingerprint of the request.

    ``dress`` adds to the answer what must not be kept (a secret that is shown once).
    """
    client, (key, mark) = who.viewer.actor, asked
    found, batch = _begin(at, who, key, mark)
    if found is not None:
        return _response(found, dress, replayed=True)
    answer: Answered | None = None
    try:
        answer = work(batch)
    finally:
        # Without an answer the name of the batch stays, and whoever repeats the request takes the work over.
        with at.store.begin() as tx:
            if answer is None:
                store_exchange.let_go(tx, client, key, now=who.now)
            else:
                kept = json.dumps({"body": answer.body, "location": answer.location}, ensure_ascii=False)
                store_exchange.end_write(tx, client, key, (answer.status, kept))
    return _response(answer, dress, replayed=False)


def _begin(at: Desk, who: Visit, key: str, mark: str) -> tuple[Answered | None, str]:
    """Return the answer that is there, or take the work on and return the name of its batch."""
    client, now = who.viewer.actor, at.clock()
    row: dict[str, Any] = {
        "client": client,
        "idempotency_key": key,
        "fingerprint": mark,
        "batch": secrets.token_hex(16),
    }
    row |= {"lease_until": now + LEASE, "expires_at": now + timedelta(hours=at.settings.answers_hours)}
    with at.store.begin() as tx:
        if store_exchange.begin_write(tx, row, now=now):
            return None, row["batch"]
        known = store_exchange.repeated(tx, client, key)
        if known is None:
            raise Problem("in_progress", retry_after=RETRY_SECONDS)
        if known["fingerprint"] != mark:
            raise Problem("key_reused")
        if known["answer"] is not None:
            kept = json.loads(known["answer"])
            return Answered(known["status"], kept["body"], kept["location"]), known["batch"]
        if known["lease_until"] > now or not store_exchange.take_over(tx, known, lease_until=now + LEASE):
            raise Problem("in_progress", retry_after=RETRY_SECONDS)
        return None, known["batch"]


def _response(answer: Answered, dress: Callable[[Mapping[str, Any]], Any], *, replayed: bool) -> JSONResponse:
    headers = {"idempotency-replayed": "true"} if replayed else {}
    if answer.location:
        headers["location"] = answer.location
    return JSONResponse(dress(answer.body), status_code=answer.status, headers=headers)
