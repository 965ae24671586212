"""Where the next page of a list starts: a signed, opaque text that only the viewer it was made for can use."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from serving.problems import Problem


def seal(place: Any, *, secret: bytes, about: str) -> str:
    """Return the cursor for ``place``; ``about`` names the viewer and the list."""
    body = json.dumps(place, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_mark(body, secret, about) + body).decode().rstrip("=")


def read(cursor: str | None, *, secret: bytes, about: str) -> Any:
    """Return the place, or ``None`` without a cursor; one that was made up, edited or borrowed leads nowhere."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raise Problem("not_found") from None
    if not hmac.compare_digest(raw[:16], _mark(raw[16:], secret, about)):
        raise Problem("not_found")
    return json.loads(raw[16:])


def _mark(body: bytes, secret: bytes, about: str) -> bytes:
    return hmac.new(secret, about.encode() + b"\0" + body, hashlib.sha256).digest()[:16]
