"""What keeps one client from being everybody's problem: limits per key and address, a bound on what runs at once.

Outside of routing and of the gate, so that a flood costs as little as possible. A key counts by its hash, a request
without one by its address alone; every request counts for its address, so that made-up keys win nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.problems import KINDS, Problem
from serving.settings import Settings
from serving.window import Window

ADDRESS_FACTOR = 4
"""Several systems behind one address may together ask for this many times what one key may."""

RETRY_SECONDS = 2
FREE = ("/healthz", "/readyz")
"""Asked by whoever watches the service; they must be answered above all when it is overloaded."""

HEAVY_AT_ONCE = 2
HEAVY_WAIT_SECONDS = 5.0


class Brakes:
    """A layer of the application between the shield and everything else."""

    def __init__(self, app: ASGIApp, settings: Settings, *, clock: Callable[[], float]) -> None:
        self.app = app
        self.settings = settings
        self.clock = clock
        self.in_flight = 0
        self.most = {"key": settings.requests_per_minute, "address": settings.requests_per_minute * ADDRESS_FACTOR}
        self.windows = {kind: Window() for kind in self.most}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it before anything was read of it."""
        if scope["type"] != "http" or scope["path"] in FREE:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        told, wait = self._count(scope, headers)
        refused = None
        if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            refused = Problem("media")
        elif wait is not None:
            refused = Problem("too_many", retry_after=wait)
        elif self.in_flight >= self.settings.max_in_flight:
            refused = Problem("overloaded", retry_after=RETRY_SECONDS)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        if refused is not None:
            await _refuse(scope, refused, answer)
            return
        self.in_flight += 1
        try:
            await self.app(scope, _InTime(receive, self.settings.body_seconds), answer)
        finally:
            self.in_flight -= 1

    def _count(self, scope: Scope, headers: Headers) -> tuple[dict[str, str], int | None]:
        """Count the request; return the headers that tell, and the seconds to wait when it was one too many."""
        address = client_address(scope, headers, behind_proxy=self.settings.behind_https)
        counted = [("address", address)]
        if token := headers.get("authorization"):
            counted.append(("key", hashlib.sha256(token.encode("latin-1", "replace")).hexdigest()))
        now = self.clock()
        found = [(kind, *self.windows[kind].hit(who, self.most[kind], now=now)) for kind, who in counted]
        over = [one for one in found if not one[1]]
        kind, _, left, until = (over or found)[-1]
        seconds = max(1, math.ceil(until - now))
        told = {"ratelimit-policy": f'"{kind}";q={self.most[kind]};w=60', "ratelimit": f'"{kind}";r={left};t={seconds}'}
        return told, seconds if over else None


def client_address(scope: Scope, headers: Headers, *, behind_proxy: bool) -> str:
    """Return who is at the other end. Behind the declared proxy that is the last address it wrote down itself; the
    ones before it are the client's own words."""
    if behind_proxy and (forwarded := headers.get("x-forwarded-for")):
        return forwarded.rpartition(",")[2].strip()[:64]
    return str((scope.get("client") or ("-",))[0])


class _InTime:
    """Hands on the body of a request while it keeps coming; a sender that dawdles holds a place for nothing."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self.receive = receive
        self.seconds = seconds
        self.whole = False

    async def __call__(self) -> Message:
        if (
            self.whole
        ):  # from here on only the end of the connection is waited for, and that may take as long as it likes
            return await self.receive()
        until = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(0.0, self.seconds)):
                message = await self.receive()
        except TimeoutError:
            raise Problem("timeout") from None
        self.seconds -= asyncio.get_running_loop().time() - until
        self.whole = not message.get("more_body", False)
        return message


async def _refuse(scope: Scope, problem: Problem, send: Send) -> None:
    kind = KINDS[problem.name]
    body = {"type": "about:blank", "title": kind.title_en, "status": kind.status}
    raw = json.dumps({**body, "request_id": scope["state"]["request_id"]}).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(raw)).encode())]
    if problem.retry_after is not None:
        headers.append((b"retry-after", str(problem.retry_after).encode()))
    await send({"type": "http.response.start", "status": kind.status, "headers": headers})
    await send({"type": "http.response.body", "body": raw})


class Heavy:
    """Places for work that takes a processor for seconds; who finds none in time is asked to come again."""

    def __init__(self, places: int = HEAVY_AT_ONCE, *, wait_seconds: float = HEAVY_WAIT_SECONDS) -> None:
        self.places = threading.BoundedSemaphore(places)
        self.wait_seconds = wait_seconds

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place, or raise the problem that says when to come again."""
        if not self.places.acquire(timeout=self.wait_seconds):
            raise Problem("overloaded", retry_after=RETRY_SECONDS)
        try:
            yield
        finally:
            self.places.release()
