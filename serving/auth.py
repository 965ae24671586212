"""Who is asking: API keys for machines, one-time links that become sessions for people.

Every token is 256 bits of randomness, shown once and stored as its SHA-256: with that much entropy a fast hash is safe,
and a stolen store opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from serving import store_log
from serving.access import ANONYMOUS, ROLES, Viewer
from serving.store import Transaction
from serving.store_people import Sight

KEY_PREFIX = "rr_"
"""So that a key found in a file can be recognised as one."""


def new_token(prefix: str = "") -> str:
    """Return a fresh token of 256 bits."""
    return prefix + secrets.token_urlsafe(32)


def sha256(token: str) -> str:
    """Return the hash under which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def viewer_of_key(tx: Transaction, authorization: str) -> Viewer:
    """Return the machine behind an ``Authorization: Bearer`` header, or the anonymous viewer."""
    kind, _, token = authorization.partition(" ")
    if kind.lower() != "bearer" or not token.startswith(KEY_PREFIX):
        return ANONYMOUS
    row = store_log.key_by_hash(tx, sha256(token.strip()))
    if row is None:
        return ANONYMOUS
    return Viewer(
        actor=f"key {row['id']} {row['name']}",
        name=row["name"],
        role=row["role"],
        scopes=frozenset(row["scopes"]) & ROLES[row["role"]].scopes,
        purposes=frozenset(row["purposes"]) & ROLES[row["role"]].purposes,
        sight=_sight(row),
        door="key",
    )


def viewer_of_session(tx: Transaction, cookie: str, *, now: datetime) -> Viewer:
    """Return the person behind a session cookie, or the anonymous viewer."""
    row = store_log.session_by_hash(tx, sha256(cookie), now=now) if cookie else None
    if row is None:
        return ANONYMOUS
    return Viewer(
        actor=f"person {row['id']} {row['name']}",
        name=row["name"],
        role=row["role"],
        scopes=ROLES[row["role"]].scopes,
        purposes=frozenset({row["purpose"]}) & ROLES[row["role"]].purposes,
        sight=_sight(row),
        door="session",
        secret=row["session_sha256"],
        person_id=row["employee_id"] or (row["sees_value"] if row["sees"] == "manager" else None),
    )


def _sight(row: Mapping[str, Any]) -> Sight:
    return Sight(row["sees"], row["sees_value"])


@dataclass(frozen=True)
class Invitation:
    """Whom a one-time link is for, how far they will see, and who that is in the records, if known."""

    name: str
    role: str
    sight: Sight
    employee_id: str | None = None


def make_link(tx: Transaction, invitation: Invitation, *, now: datetime, minutes: int) -> str:
    """Return the token of a new one-time link."""
    token = new_token()
    row = {
        "link_sha256": sha256(token),
        "link_until": now + timedelta(minutes=minutes),
        "name": invitation.name,
        "role": invitation.role,
        "sees": invitation.sight.kind,
        "sees_value": invitation.sight.value,
        "employee_id": invitation.employee_id,
    }
    store_log.add_link(tx, row)
    return token


def sign_in(tx: Transaction, token: str, purpose: str, *, now: datetime, hours: int) -> tuple[str, str, str] | None:
    """Use up a link; return ``(cookie, actor, first page)``, ``None`` when it cannot be used for this purpose."""
    link = store_log.link_by_hash(tx, sha256(token), now=now)
    if link is None or purpose not in ROLES[link["role"]].purposes:
        return None
    cookie = new_token()
    session = {"session_sha256": sha256(cookie), "session_until": now + timedelta(hours=hours), "purpose": purpose}
    used = store_log.use_link(tx, link["id"], session)
    first_page = "/mine" if link["role"] == "employee" else "/"
    return (cookie, f"person {link['id']} {link['name']}", first_page) if used else None


def form_token(secret: bytes, session_secret: str) -> str:
    """Return the token that every form of a session carries, so that no other site can post in its name."""
    return hmac.new(secret, f"form {session_secret}".encode(), hashlib.sha256).hexdigest()


def same_token(given: str, expected: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return hmac.compare_digest(given.encode(), expected.encode())
