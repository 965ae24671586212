"""Questions to the store about accounts, tries of a password, sign-ins under way, and the stop switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from serving.store import Transaction
from serving.store_tables import plain
from serving.store_tables_access import account, sign_in_flow, sign_in_try, stop_switch

STOP = select(stop_switch).where(stop_switch.c.is_on)
STOPPED = select(stop_switch.c.id).where(stop_switch.c.is_on).exists()
"""Whether the stop holds, inside of another question: it goes with every look at a person."""


def add_account(tx: Transaction, row: Mapping[str, Any]) -> int:
    """Write a new account and return its number."""
    made = tx.execute(insert(account).values(**row)).inserted_primary_key
    if made is None:
        raise RuntimeError("the store gave no number to the account")
    return int(made[0])


def account_by_login(tx: Transaction, login: str) -> dict[str, Any] | None:
    """Return the account with this login, ended or not; logins are kept in lower case."""
    row = tx.execute(select(account).where(account.c.login == login)).one_or_none()
    return plain(row) if row else None


def accounts(tx: Transaction) -> list[dict[str, Any]]:
    """Return every account, oldest first."""
    return [plain(row) for row in tx.execute(select(account).order_by(account.c.id))]


def has_accounts(tx: Transaction) -> bool:
    """Whether anybody can sign in with a password."""
    return tx.execute(select(account.c.id).where(account.c.ended_at.is_(None)).limit(1)).one_or_none() is not None


def change_account(tx: Transaction, account_id: int, values: Mapping[str, Any]) -> None:
    """Write a new password hash, or the moment at which the account ended."""
    tx.execute(update(account).where(account.c.id == account_id).values(**values))


def tries(tx: Transaction, about: Sequence[str], *, since: datetime) -> dict[str, int]:
    """Return how many tries there were since then, for each of these."""
    query = (
        select(sign_in_try.c.about, func.count().label("n"))
        .where(sign_in_try.c.about.in_(list(about)), sign_in_try.c.at > since)
        .group_by(sign_in_try.c.about)
    )
    return {row.about: int(row.n) for row in tx.execute(query)}


def add_tries(tx: Transaction, about: Sequence[str], *, now: datetime, forget: datetime) -> None:
    """Write one try for each of these, and forget what is older than ``forget``."""
    tx.execute(delete(sign_in_try).where(sign_in_try.c.at <= forget))
    tx.execute(insert(sign_in_try), [{"about": one, "at": now} for one in about])


def forgive_tries(tx: Transaction, about: str) -> None:
    """Forget the tries of somebody who then knew the password."""
    tx.execute(delete(sign_in_try).where(sign_in_try.c.about == about))


def add_flow(tx: Transaction, row: Mapping[str, Any], *, now: datetime) -> None:
    """Write a sign-in that leaves for the provider, and forget those that never came back."""
    tx.execute(delete(sign_in_flow).where(sign_in_flow.c.until <= now))
    tx.execute(insert(sign_in_flow).values(**row))


def take_flow(tx: Transaction, browser_sha256: str, *, now: datetime) -> dict[str, Any] | None:
    """Return the sign-in of this browser and delete it, so that its answer works once."""
    mine = sign_in_flow.c.browser_sha256 == browser_sha256
    row = tx.execute(select(sign_in_flow).where(mine)).one_or_none()
    if row is None or not tx.execute(delete(sign_in_flow).where(mine)).rowcount:
        return None
    return plain(row) if row.until > now else None


def stop_now(tx: Transaction) -> dict[str, Any] | None:
    """Return the stop that holds, or ``None`` when the service works."""
    row = tx.execute(STOP).one_or_none()
    return plain(row) if row else None


def add_stop(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write that the service is stopped; the unique column lets only one stop hold."""
    tx.execute(insert(stop_switch).values(**row, is_on=True))


def change_stop(tx: Transaction, stop_id: int, values: Mapping[str, Any], *, unless_first: bool = False) -> bool:
    """Write who asked for the release, or who completed it; ``False`` when somebody else was faster."""
    query = update(stop_switch).where(stop_switch.c.id == stop_id, stop_switch.c.is_on)
    if unless_first:
        query = query.where(stop_switch.c.first_by.is_(None))
    return bool(tx.execute(query.values(**values)).rowcount)
