"""What surrounds every request and answer: an id, a limit on bytes, and the headers that a browser obeys.

It stands outside everything else, so that errors made by the framework carry the same headers as pages.
"""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
"""No script runs at all, not even our own; styles and pictures come from here or not at all."""

HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": browsers would then send "Origin: null" with our own forms, and the origin check needs it.
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
}
ENCODED = {name.encode(): value.encode() for name, value in HEADERS.items()}
CACHE_CONTROL = "no-store"
"""A person's assessment must not stay in a browser or a proxy; a file under ``/static`` says otherwise for itself."""

RECORDS = ("/v1/records/", "/v1/scores", "/v1/jobs")
"""Paths that take records and have a budget of bytes of their own. A bent path wins bytes to send and nothing else."""


class Shield:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, max_records_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.max_records_bytes = max_records_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with an id and a counted body, and the answer back with its headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message, request_id)
            await send(message)

        records = scope["path"].startswith(RECORDS)
        limit = self.max_records_bytes if records else self.max_body_bytes
        await self.app(scope, _Counted(scope, receive, limit), answer)


def _add_headers(message: MutableMapping[str, Any], request_id: str) -> None:
    given = [pair for pair in message["headers"] if pair[0] not in ENCODED]
    if not any(name == b"cache-control" for name, _ in given):
        given.append((b"cache-control", CACHE_CONTROL.encode()))
    message["headers"] = [*given, *ENCODED.items(), (b"x-request-id", request_id.encode())]


class _Counted:
    """Hands on the body of a request and stops at the limit, whatever the Content-Length claims."""

    def __init__(self, scope: Scope, receive: Receive, limit: int) -> None:
        self.receive = receive
        self.left = limit
        declared = Headers(scope=scope).get("content-length", "0")
        self.refused = declared.isdigit() and int(declared[:20]) > limit

    async def __call__(self) -> Message:
        if self.refused:
            raise HTTPException(status_code=413)
        message = await self.receive()
        self.left -= len(message.get("body", b""))
        if self.left < 0:
            raise HTTPException(status_code=413)
        return message
