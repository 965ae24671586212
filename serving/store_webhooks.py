"""Questions to the store about webhooks: where events go, what happened, and what is still to be delivered."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, select, update

from serving.store import Transaction
from serving.store_exchange_tables import delivery, endpoint, outbox
from serving.store_tables import plain


def add_endpoint(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a new endpoint."""
    tx.execute(insert(endpoint).values(**row))


def endpoints(tx: Transaction, client: str) -> list[dict[str, Any]]:
    """Return a client's own endpoints, oldest first."""
    query = select(endpoint).where(endpoint.c.client == client).order_by(endpoint.c.created_at, endpoint.c.id)
    return [plain(row) for row in tx.execute(query)]


def endpoint_of(tx: Transaction, client: str, endpoint_id: str) -> dict[str, Any] | None:
    """Return a client's own endpoint; another client's is an unknown one."""
    mine = and_(endpoint.c.id == endpoint_id, endpoint.c.client == client)
    row = tx.execute(select(endpoint).where(mine)).one_or_none()
    return plain(row) if row else None


def rotate(tx: Transaction, endpoint_id: str, *, former_until: datetime) -> None:
    """Give the endpoint its next secret; the former one signs beside it until then."""
    number = endpoint.c.secret_number + 1
    changed = {"secret_number": number, "former_until": former_until}
    tx.execute(update(endpoint).where(endpoint.c.id == endpoint_id).values(**changed))


def delete_endpoint(tx: Transaction, client: str, endpoint_id: str) -> bool:
    """Delete a client's own endpoint with everything that waits for it."""
    mine = and_(endpoint.c.id == endpoint_id, endpoint.c.client == client)
    if tx.execute(select(endpoint.c.id).where(mine)).one_or_none() is None:
        return False
    tx.execute(delete(delivery).where(delivery.c.endpoint_id == endpoint_id))
    return bool(tx.execute(delete(endpoint).where(mine)).rowcount)


def disable(tx: Transaction, endpoint_id: str, *, now: datetime) -> None:
    """Send nothing there any more; what waits for it is dead."""
    tx.execute(update(endpoint).where(endpoint.c.id == endpoint_id).values(disabled_at=now))
    waiting = and_(delivery.c.endpoint_id == endpoint_id, delivery.c.state == "waiting")
    tx.execute(update(delivery).where(waiting).values(state="dead"))


def add_event(tx: Transaction, kind: str, ids: Mapping[str, Any], *, now: datetime, client: str | None = None) -> str:
    """Write what happened, in ids alone, for every endpoint that asked for it; ``client``: only for that client's."""
    event_id = f"msg_{secrets.token_hex(12)}"
    listening = select(endpoint.c.id, endpoint.c.kinds).where(endpoint.c.disabled_at.is_(None))
    if client is not None:
        listening = listening.where(endpoint.c.client == client)
    targets = [row.id for row in tx.execute(listening) if kind in row.kinds]
    tx.execute(insert(outbox).values(id=event_id, kind=kind, ids=dict(ids), at=now))
    rows = [{"event_id": event_id, "endpoint_id": to, "state": "waiting", "attempts": 0} for to in targets]
    if rows:
        tx.execute(insert(delivery), [{**row, "next_at": now} for row in rows])
    return event_id


def claim(tx: Transaction, *, now: datetime, lease_until: datetime, limit: int) -> list[dict[str, Any]]:
    """Return deliveries that are due, and hold them until the lease ends: who dies with one loses no event."""
    due = and_(delivery.c.state == "waiting", delivery.c.next_at <= now, endpoint.c.disabled_at.is_(None))
    query = (
        select(delivery, outbox.c.kind, outbox.c.ids, outbox.c.at, endpoint.c.url)
        .add_columns(endpoint.c.secret_number, endpoint.c.former_until)
        .join(outbox, outbox.c.id == delivery.c.event_id)
        .join(endpoint, endpoint.c.id == delivery.c.endpoint_id)
        .where(due)
        .order_by(delivery.c.next_at, outbox.c.at)
        .limit(limit)
    )
    mine = []
    for row in tx.execute(query).all():
        held = and_(_one(row.event_id, row.endpoint_id), delivery.c.next_at == row.next_at)
        if tx.execute(update(delivery).where(held).values(next_at=lease_until)).rowcount:
            mine.append(plain(row))
    return mine


def note(tx: Transaction, event_id: str, endpoint_id: str, result: Mapping[str, Any]) -> None:
    """Write how a try went."""
    waiting = and_(_one(event_id, endpoint_id), delivery.c.state == "waiting")
    tx.execute(update(delivery).where(waiting).values(**result))


def deliveries(tx: Transaction, endpoint_id: str, *, state: str | None, limit: int) -> list[dict[str, Any]]:
    """Return what went or goes to an endpoint, newest first."""
    query = (
        select(delivery, outbox.c.kind, outbox.c.at)
        .join(outbox, outbox.c.id == delivery.c.event_id)
        .where(delivery.c.endpoint_id == endpoint_id)
        .order_by(outbox.c.at.desc(), outbox.c.id)
        .limit(limit)
    )
    if state is not None:
        query = query.where(delivery.c.state == state)
    return [plain(row) for row in tx.execute(query)]


def replay(tx: Transaction, endpoint_id: str, event_id: str, *, now: datetime) -> bool:
    """Deliver once more, with all its tries again; the event keeps its id."""
    again = {"state": "waiting", "attempts": 0, "next_at": now}
    return bool(tx.execute(update(delivery).where(_one(event_id, endpoint_id)).values(**again)).rowcount)


def tidy(tx: Transaction, *, before: datetime) -> int:
    """Delete events from before with what was delivered of them, unless something still waits."""
    waiting = select(delivery.c.event_id).where(delivery.c.state == "waiting")
    old = and_(outbox.c.at < before, outbox.c.id.not_in(waiting))
    gone = select(outbox.c.id).where(old)
    tx.execute(delete(delivery).where(delivery.c.event_id.in_(gone)))
    return tx.execute(delete(outbox).where(old)).rowcount


def _one(event_id: str, endpoint_id: str) -> Any:
    return and_(delivery.c.event_id == event_id, delivery.c.endpoint_id == endpoint_id)
