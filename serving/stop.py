"""The stop switch: one person stops all scoring and showing at once, two different people start it again.

The stop is a row in the store, so it holds for every worker and through every restart. The one who stopped may be one
of the two who release: what counts is that nobody releases alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from serving import audit, store_access
from serving.access import Visit, same_person
from serving.audit import Entry
from serving.problems import Problem
from serving.store import Store, Transaction


def refuse_when_stopped(tx: Transaction) -> None:
    """Raise ``Problem("stopped")`` while the stop holds: called wherever scores are written or read."""
    if is_on(tx):
        raise Problem("stopped")


def is_on(tx: Transaction) -> bool:
    """Whether the stop holds."""
    return store_access.stop_now(tx) is not None


def state(store: Store) -> dict[str, Any] | None:
    """Return the stop that holds, or ``None``."""
    with store.begin() as tx:
        return store_access.stop_now(tx)


def stop(store: Store, visit: Visit, reason: str) -> None:
    """Stop everything. Whoever stops what is already stopped changes nothing: the first reason stays."""
    with store.begin() as tx:
        held = store_access.stop_now(tx) is not None
        if not held:
            row = {"stopped_at": visit.now, "stopped_by": visit.viewer.name[:200], "reason": reason}
            store_access.add_stop(tx, row)
        _record(tx, visit, "stop", "held" if held else "stopped", now=visit.now)


def release(store: Store, visit: Visit) -> Literal["first", "released"]:
    """Agree to the release; the second of two different people completes it. Raises ``Problem`` otherwise."""
    with store.begin() as tx:
        result = _release(tx, visit)
        _record(tx, visit, "stop.release", result, now=visit.now)
    if result not in ("first", "released"):
        raise Problem(result)
    return "first" if result == "first" else "released"


def _release(tx: Transaction, visit: Visit) -> str:
    held, me = store_access.stop_now(tx), visit.viewer
    if held is None:
        return "already"
    if not me.identity:
        return "two_people"  # a system is not a person
    if held["first_by"] is None:
        first = {"first_by": me.name[:200], "first_identity": me.identity, "first_at": visit.now}
        return "first" if store_access.change_stop(tx, held["id"], first, unless_first=True) else "already"
    if same_person((held["first_identity"], held["first_by"]), (me.identity, me.name)):
        return "two_people"
    over = {"released_by": me.name[:200], "released_at": visit.now, "is_on": None}
    return "released" if store_access.change_stop(tx, held["id"], over) else "already"


def _record(tx: Transaction, visit: Visit, action: str, result: str, *, now: datetime) -> None:
    audit.record(tx, Entry(visit.viewer.actor, action, result, visit.request_id, purpose=visit.purpose), now=now)
