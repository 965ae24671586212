"""Questions to the store about readers: whom they opened within days, why they said so, and whether auditors know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from serving.store import Transaction
from serving.store_tables import plain
from serving.store_tables_access import reader_brake, reader_look


@dataclass(frozen=True)
class Look:
    """A reader opened a person, or asked a what-if question about one."""

    who: str
    employee_id: str
    at: datetime
    question: bool = False


def looks_since(tx: Transaction, who: str, since: datetime) -> list[Look]:
    """Return what a reader opened, oldest first."""
    mine = (reader_look.c.who == who) & (reader_look.c.at > since)
    query = select(reader_look).where(mine).order_by(reader_look.c.at, reader_look.c.id)
    return [Look(row.who, row.employee_id, row.at, row.question) for row in tx.execute(query)]


def add_look(tx: Transaction, look: Look) -> None:
    """Write down that somebody was opened."""
    tx.execute(insert(reader_look).values(**vars(look)))


def reasons_since(tx: Transaction, who: str, since: datetime) -> list[datetime]:
    """Return when a reader said why, oldest first."""
    mine = (reader_brake.c.who == who) & (reader_brake.c.kind == "reason") & (reader_brake.c.at > since)
    return list(tx.execute(select(reader_brake.c.at).where(mine).order_by(reader_brake.c.at)).scalars())


def told_since(tx: Transaction, who: str, since: datetime) -> bool:
    """Whether auditors were told of this reader."""
    mine = (reader_brake.c.who == who) & (reader_brake.c.kind == "unusual") & (reader_brake.c.at > since)
    return tx.execute(select(reader_brake.c.id).where(mine).limit(1)).scalar() is not None


def add_brake(tx: Transaction, who: str, at: datetime, *, kind: str, words: str) -> None:
    """Write down that a reader was unusual, or why they say they are."""
    tx.execute(insert(reader_brake).values(who=who, at=at, kind=kind, words=words))


def brakes(tx: Transaction) -> list[dict[str, Any]]:
    """Return who was unusual and who gave which reason, newest first."""
    return [plain(row) for row in tx.execute(select(reader_brake).order_by(reader_brake.c.id.desc()))]


def purge(tx: Transaction, *, looks_before: datetime, words_before: datetime) -> int:
    """Delete looks that count no more, and words whose clock has run out."""
    gone = tx.execute(delete(reader_look).where(reader_look.c.at <= looks_before)).rowcount
    return int(gone + tx.execute(delete(reader_brake).where(reader_brake.c.at <= words_before)).rowcount)
