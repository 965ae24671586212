"""Local accounts: a login and a password, for an installation that has no identity provider.

Passwords are kept as argon2id. A try is counted *before* the password is looked at, so that many tries at once count
as many. Nobody can lock out somebody else: what is limited is one account from one address, and a browser that has
signed in before (it holds a signed mark) is counted apart from all strangers.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from serving import store_access, store_log
from serving.auth import Invitation, same_token
from serving.store import Store
from serving.store_people import Sight

WINDOW = timedelta(minutes=15)
LIMITS = {"known": 10, "pair": 5, "address": 50, "account": 100}
"""Tries within the window: from a browser known to the account; of one account from one address; from one address; of
one account from all strangers together."""

FEWEST_CHARACTERS = 12
MOST_CHARACTERS = 200
COMMON = (
    "password",
    "passwort",
    "123456",
    "qwerty",
    "letmein",
    "welcome",
    "iloveyou",
    "admin",
    "retention",
    "changeme",
)


@dataclass(frozen=True)
class Hashing:
    """argon2id (RFC 9106: 64 MiB, three passes), for at most two sign-ins at the same moment.

    Without the turn a few hundred tries at once would take all memory.
    """

    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    turn: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(2))

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether the password is the one behind the hash; takes as long for a login that nobody has."""
        with self.turn:
            try:
                self.hasher.verify(stored or NOBODYS_HASH, password)
            except (VerifyMismatchError, InvalidHashError):
                return False
        return stored is not None


NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$TeMLRVCzbVjDsN4QVZhTSw$prlyvV/TqrcdqdHkLJmVd524Mk78LbzQk6Q4aLF7bjI"
"""Of a password that nobody knows, with the same cost."""


@dataclass(frozen=True)
class Attempt:
    """One try to sign in: what was typed, from where, and the mark of a browser that has signed in before."""

    login: str
    password: str
    address: str
    mark: str


Refusal = Literal["throttled", "refused"]


def check(store: Store, hashing: Hashing, attempt: Attempt, *, secret: bytes, now: datetime) -> Invitation | Refusal:
    """Return who signs in, or why not. The store is not held while the password is hashed."""
    login = attempt.login.strip().casefold()
    known = same_token(attempt.mark, mark(secret, login))
    counted = _counted(login, attempt.address, known=known, secret=secret)
    with store.begin() as tx:
        store_log.audit_end(tx)  # one try after the other on every database: tries at once count as many
        found = store_access.tries(tx, list(counted.values()), since=now - WINDOW)
        if any(found.get(about, 0) >= LIMITS[kind] for kind, about in counted.items()):
            return "throttled"
        store_access.add_tries(tx, list(counted.values()), now=now, forget=now - WINDOW)
        row = store_access.account_by_login(tx, login)
    live = row is not None and row["ended_at"] is None
    stored = str(row["password_hash"]) if row is not None and live else None
    if not hashing.fits(stored, attempt.password) or row is None:
        return "refused"
    with store.begin() as tx:
        store_access.forgive_tries(tx, counted["known" if known else "pair"])
        if hashing.hasher.check_needs_rehash(row["password_hash"]):
            store_access.change_account(tx, row["id"], {"password_hash": hashing.hasher.hash(attempt.password)})
    return invitation(row)


def _counted(login: str, address: str, *, known: bool, secret: bytes) -> dict[str, str]:
    kinds = {"known": login} if known else {"pair": f"{login}|{address}", "address": address, "account": login}
    return {
        kind: hmac.new(secret, f"{kind}|{what}".encode(), hashlib.sha256).hexdigest() for kind, what in kinds.items()
    }


def mark(secret: bytes, login: str) -> str:
    """Return what a browser keeps after it has signed in to an account; it opens nothing."""
    return hmac.new(secret, f"browser of {login.strip().casefold()}".encode(), hashlib.sha256).hexdigest()


def invitation(row: Mapping[str, Any]) -> Invitation:
    """Return whom an account lets in."""
    sight = Sight(row["sees"], row["sees_value"])
    return Invitation(row["name"], row["role"], sight, identity_of(row["id"]), row["employee_id"])


def identity_of(account_id: int) -> str:
    """Return the name of an account where two people must not be one."""
    return f"account {account_id}"


def weak(password: str, login: str) -> list[str]:
    """Return what is wrong with a new password; length counts, strange characters do not.

    >>> weak("correct horse battery", "li.na")
    []
    """
    flat = password.casefold()
    rules = {
        f"at least {FEWEST_CHARACTERS} characters": len(password) >= FEWEST_CHARACTERS,
        f"at most {MOST_CHARACTERS} characters": len(password) <= MOST_CHARACTERS,
        "more than five different characters": len(set(flat)) > 5,
        "not the login": not login or login.casefold() not in flat,
        "not one of the words everybody tries": not any(
            flat.replace(word, "") == "" or flat.startswith(word) for word in COMMON
        ),
    }
    return [rule for rule, kept in rules.items() if not kept]
