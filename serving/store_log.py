"""Questions to the store about ways in (keys, links, sessions) and about the audit chain."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from serving.store import Transaction
from serving.store_access import STOPPED
from serving.store_tables import api_key, audit_entry, audit_head, audit_subject, plain, sign_in

AUDIT_END = select(audit_head).where(audit_head.c.id == 1).with_for_update()
LIVE = api_key.c.sha256.in_(bindparam("hashes", expanding=True)) & api_key.c.revoked_at.is_(None)
KEYS = select(api_key, STOPPED.label("stopped")).where(LIVE)


def add_key(tx: Transaction, row: Mapping[str, Any]) -> int:
    """Write a new API key, of which only the hash is known, and return its number."""
    made = tx.execute(insert(api_key).values(**row)).inserted_primary_key
    if made is None:
        raise RuntimeError("the store gave no number to the key")
    return int(made[0])


def keys_by_hash(tx: Transaction, hashes: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the keys with these hashes that nobody has revoked, and whether the service is ``stopped``.

    Whether one has expired is not looked at.
    """
    return {row.sha256: plain(row) for row in tx.execute(KEYS, {"hashes": sorted(set(hashes))})}


def key_by_id(tx: Transaction, key_id: int) -> dict[str, Any] | None:
    """Return the key with this number, live or not."""
    row = tx.execute(select(api_key).where(api_key.c.id == key_id)).one_or_none()
    return plain(row) if row else None


def key_used(tx: Transaction, key_id: int, *, on: date) -> None:
    """Note the day on which a key was last used."""
    tx.execute(update(api_key).where(api_key.c.id == key_id).values(used_on=on))


def end_key_at(tx: Transaction, key_id: int, *, at: datetime) -> None:
    """Let a key end at a moment, for those who still hold it to change over; never later than it would have ended."""
    sooner = api_key.c.expires_at.is_(None) | (api_key.c.expires_at > at)
    tx.execute(update(api_key).where(api_key.c.id == key_id, sooner).values(expires_at=at))


def keys(tx: Transaction) -> list[dict[str, Any]]:
    """Return all keys, revoked ones included, oldest first."""
    return [plain(row) for row in tx.execute(select(api_key).order_by(api_key.c.id))]


def revoke_key(tx: Transaction, key_id: int, *, now: datetime) -> bool:
    """End a key at once; ``False`` when there is no such live key."""
    live = (api_key.c.id == key_id) & api_key.c.revoked_at.is_(None)
    return bool(tx.execute(update(api_key).where(live).values(revoked_at=now)).rowcount)


def add_link(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a new one-time link, of which only the hash is known."""
    tx.execute(insert(sign_in).values(**row))


def link_by_hash(tx: Transaction, sha256: str, *, now: datetime) -> dict[str, Any] | None:
    """Return the link if it can still be used."""
    unused = sign_in.c.session_sha256.is_(None) & sign_in.c.ended_at.is_(None) & (sign_in.c.link_until > now)
    row = tx.execute(select(sign_in).where(sign_in.c.link_sha256 == sha256, unused)).one_or_none()
    return plain(row) if row else None


def use_link(tx: Transaction, link_id: int, session: Mapping[str, Any]) -> bool:
    """Turn the link into a session; ``False`` when somebody else was faster."""
    unused = (sign_in.c.id == link_id) & sign_in.c.session_sha256.is_(None)
    return bool(tx.execute(update(sign_in).where(unused).values(**session)).rowcount)


def session_by_hash(tx: Transaction, sha256: str, *, now: datetime) -> dict[str, Any] | None:
    """Return the session if it is still open."""
    still = sign_in.c.ended_at.is_(None) & (sign_in.c.session_until > now)
    row = tx.execute(select(sign_in).where(sign_in.c.session_sha256 == sha256, still)).one_or_none()
    return plain(row) if row else None


def session_seen(tx: Transaction, session_id: int, *, now: datetime) -> None:
    """Note that a session was in use."""
    tx.execute(update(sign_in).where(sign_in.c.id == session_id).values(seen_at=now))


def end_sessions_of(tx: Transaction, identity: str, *, now: datetime) -> int:
    """Close every session of a person; return how many were open."""
    still = (sign_in.c.identity == identity) & sign_in.c.ended_at.is_(None)
    return int(tx.execute(update(sign_in).where(still).values(ended_at=now)).rowcount)


def end_session(tx: Transaction, sha256: str, *, now: datetime) -> None:
    """Close the session for good."""
    tx.execute(update(sign_in).where(sign_in.c.session_sha256 == sha256).values(ended_at=now))


def audit_end(tx: Transaction) -> tuple[int, str]:
    """Return the sequence and hash of the last entry and keep others from adding one until this transaction ends."""
    row = tx.execute(AUDIT_END).one()
    return int(row.sequence), str(row.hash)


def entries(tx: Transaction) -> Iterator[dict[str, Any]]:
    """Yield the whole chain, oldest first, without holding it in memory."""
    query = select(audit_entry).order_by(audit_entry.c.sequence)
    for row in tx.execute(query, execution_options={"yield_per": 5000}):
        yield plain(row)


def entry_hash(tx: Transaction, sequence: int) -> str | None:
    """Return the hash of one entry."""
    return tx.execute(select(audit_entry.c.hash).where(audit_entry.c.sequence == sequence)).scalar()


def entries_page(tx: Transaction, *, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Return entries newest first, with the person's id where it has not been erased."""
    query = (
        select(audit_entry, audit_subject.c.employee_id)
        .outerjoin(audit_subject, audit_subject.c.token == audit_entry.c.subject)
        .order_by(audit_entry.c.sequence.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(audit_entry.c.sequence < before)
    return [plain(row) for row in tx.execute(query)]


def entries_about(tx: Transaction, employee_id: str, *, limit: int) -> list[dict[str, Any]]:
    """Return who looked at or decided about the person, newest first."""
    query = (
        select(audit_entry)
        .join(audit_subject, audit_subject.c.token == audit_entry.c.subject)
        .where(audit_subject.c.employee_id == employee_id)
        .order_by(audit_entry.c.sequence.desc())
        .limit(limit)
    )
    return [plain(row) for row in tx.execute(query)]


def count_entries(tx: Transaction) -> int:
    """Return how many entries the chain holds."""
    return int(tx.execute(select(func.count()).select_from(audit_entry)).scalar_one())
