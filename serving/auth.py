"""Who is asking: API keys for machines, one-time links that become sessions for people.

Every token is 256 bits of randomness, shown once and stored as its SHA-256: with that much entropy a fast hash is safe,
and a stolen store opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from serving import store_log
from serving.access import ANONYMOUS, OF_PEOPLE_ONLY, ROLES, Viewer, first_page
from serving.store import Transaction
from serving.store_people import Sight

KEY_PREFIX = "rr_"
"""So that a key found in a file can be recognised as one."""

SEEN_EVERY = timedelta(minutes=1)
"""How often it is noted that a session is in use: not each look is worth a write."""


def new_token(prefix: str = "") -> str:
    """Return a fresh token of 256 bits."""
    return prefix + secrets.token_urlsafe(32)


def sha256(token: str) -> str:
    """Return the hash under which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class KeyHolder:
    """The machine behind a key, or the anonymous viewer; ``stopped``: whether the stop switch holds.

    ``unnoted`` is the number of a key whose day of use is due to be noted (``store_log.key_used``): once a day, so that
    a key that nobody needs any more can be found.
    """

    viewer: Viewer = ANONYMOUS
    unnoted: int | None = None
    stopped: bool = False


def holders_of_keys(tx: Transaction, asked: Sequence[tuple[str, datetime]]) -> list[KeyHolder]:
    """Return whose key is in each ``Authorization: Bearer`` header at its moment. Nothing is written here."""
    hashes = [_hash_of_key(authorization) for authorization, _ in asked]
    given = [one for one in hashes if one is not None]
    rows = store_log.keys_by_hash(tx, given) if given else {}
    return [_holder(rows.get(one or ""), now) for one, (_, now) in zip(hashes, asked, strict=True)]


def _hash_of_key(authorization: str) -> str | None:
    kind, _, token = authorization.partition(" ")
    return sha256(token.strip()) if kind.lower() == "bearer" and token.startswith(KEY_PREFIX) else None


def _holder(row: Mapping[str, Any] | None, now: datetime) -> KeyHolder:
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= now):
        return KeyHolder()
    viewer = Viewer(
        actor=f"key {row['id']} {row['name']}",
        name=row["name"],
        role=row["role"],
        scopes=(frozenset(row["scopes"]) & ROLES[row["role"]].scopes) - OF_PEOPLE_ONLY,
        purposes=frozenset(row["purposes"]) & ROLES[row["role"]].purposes,
        sight=_sight(row),
        door="key",
    )
    return KeyHolder(viewer, row["id"] if row["used_on"] != now.date() else None, bool(row["stopped"]))


def viewer_of_session(tx: Transaction, cookie: str, *, now: datetime, idle_minutes: int) -> Viewer:
    """Return the person behind a session cookie, or the anonymous viewer: also after too long a time of nothing."""
    row = store_log.session_by_hash(tx, sha256(cookie), now=now) if cookie else None
    if row is None:
        return ANONYMOUS
    seen = row["seen_at"]
    if seen is not None and now - seen > timedelta(minutes=idle_minutes):
        return ANONYMOUS
    if seen is None or now - seen > SEEN_EVERY:
        store_log.session_seen(tx, row["id"], now=now)
    role = ROLES[row["role"]]
    return Viewer(
        actor=f"person {row['id']} {row['name']}",
        name=row["name"],
        role=row["role"],
        scopes=role.scopes,
        purposes=frozenset({row["purpose"]}) & role.purposes,
        sight=_sight(row),
        door="session",
        secret=row["session_sha256"],
        identity=row["identity"] or f"link {row['name']}",
        person_id=row["employee_id"] or (row["sees_value"] if row["sees"] in ("manager", "self") else None),
    )


def _sight(row: Mapping[str, Any]) -> Sight:
    return Sight(row["sees"], row["sees_value"])


def stored_sight(sight: Sight) -> dict[str, str | None]:
    """Return the columns for a sight. Nobody is "below a manager without a number", which is nobody."""
    if sight.kind == "nobody":
        return {"sees": "manager", "sees_value": None}
    return {"sees": sight.kind, "sees_value": sight.value}


@dataclass(frozen=True)
class Invitation:
    """Whom a session is for and how far they will see; ``identity`` is the same each time the person comes."""

    name: str
    role: str
    sight: Sight
    identity: str = ""
    employee_id: str | None = None


def make_link(tx: Transaction, invitation: Invitation, *, now: datetime, minutes: int) -> str:
    """Return the token of a new one-time link."""
    token = new_token()
    store_log.add_link(tx, _row(invitation, token, until=now + timedelta(minutes=minutes)))
    return token


def _row(invitation: Invitation, token: str, *, until: datetime) -> dict[str, Any]:
    return {
        "link_sha256": sha256(token),
        "link_until": until,
        "name": invitation.name[:100],
        "role": invitation.role,
        **stored_sight(invitation.sight),
        "identity": invitation.identity or f"link {invitation.name}"[:300],
        "employee_id": invitation.employee_id,
    }


def sign_in(tx: Transaction, token: str, purpose: str, *, now: datetime, hours: int) -> tuple[str, str, str] | None:
    """Use up a link; return ``(cookie, actor, first page)``, ``None`` when it cannot be used for this purpose."""
    link = store_log.link_by_hash(tx, sha256(token), now=now)
    if link is None or purpose not in ROLES[link["role"]].purposes:
        return None
    cookie = new_token()
    session = {"session_sha256": sha256(cookie), "session_until": now + timedelta(hours=hours), "purpose": purpose}
    used = store_log.use_link(tx, link["id"], {**session, "seen_at": now})
    return (cookie, f"person {link['id']} {link['name']}", first_page(link["role"], purpose)) if used else None


def open_session(
    tx: Transaction, invitation: Invitation, purpose: str, *, now: datetime, hours: int
) -> tuple[str, str, str] | None:
    """Return ``(cookie, actor, first page)`` of a person who proved who they are; ``None`` if not for this purpose."""
    token = new_token()
    store_log.add_link(tx, _row(invitation, token, until=now + timedelta(minutes=1)))
    return sign_in(tx, token, purpose, now=now, hours=hours)


def form_token(secret: bytes, session_secret: str) -> str:
    """Return the token that every form of a session carries, so that no other site can post in its name."""
    return hmac.new(secret, f"form {session_secret}".encode(), hashlib.sha256).hexdigest()


def same_token(given: str, expected: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return hmac.compare_digest(given.encode(), expected.encode())
