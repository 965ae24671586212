"""Brakes for curious readers: whoever opens unusually many people is asked why, slowed down, and told of to auditors.

    up to 30 people or what-if questions in 7 days          free: a busy week of care
    then, or 12 people one after the other by number        an entry for the auditors, and nothing more without a reason
    after a reason                                          15 more, one new person every 30 seconds

Somebody opened before within the 7 days costs nothing to open again. A what-if question counts as one person each time:
asked often enough about one person it would tell the exact risk from where the bands turn. Systems of HR (role
``hr_system``) hold all risks by right and pass; their lists and exports name every person in the log, and their rate is
limited as a client's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from serving import audit, store_people, store_readers
from serving.access import Visit
from serving.audit import entry_of
from serving.problems import Problem
from serving.store import Store, Transaction
from serving.store_readers import Look

FREE = 30
DAYS = 7
WALK = 12
MORE = 15
SLOW_SECONDS = 30
FEWEST_CHARACTERS = 20
TOLD_HOURS = 24
"""Auditors hear of a reader once in so many hours; every refusal is in the log anyway."""

PASS_BY_RIGHT = ("hr_system",)


def may_open(tx: Transaction, visit: Visit, employee_id: str, *, question: bool = False) -> str | None:
    """Return ``None`` when the reader may open the person, after it was counted, or the name of the problem.

    A reason that came with the request (``visit.reason``) is written down first.
    """
    if visit.viewer.role in PASS_BY_RIGHT:
        return None
    who, since = reader(visit), visit.now - timedelta(days=DAYS)
    if len(visit.reason.strip()) >= FEWEST_CHARACTERS:
        _write_reason(tx, visit, employee_id, visit.reason)
    looks = store_readers.looks_since(tx, who, since)
    known = any(one.employee_id == employee_id for one in looks)
    if not known or question:
        reasons = store_readers.reasons_since(tx, who, since)
        if why := _unusual(looks, reasons, who=employee_id):
            _tell_auditors(tx, visit, why)
            return "reason_needed"
        waited = looks and (visit.now - looks[-1].at).total_seconds() >= SLOW_SECONDS
        if spent(looks) >= FREE and not waited:
            return "slow_down"
        store_readers.add_look(tx, Look(who, employee_id, visit.now, question))
    return None


def reader(visit: Visit) -> str:
    """Return who a reader is, the same at every sign-in."""
    return visit.viewer.identity or visit.viewer.actor


def spent(looks: Sequence[Look]) -> int:
    """Return how much of the budget is used: people, and every question."""
    return len({one.employee_id for one in looks}) + sum(one.question for one in looks)


def _unusual(looks: Sequence[Look], reasons: Sequence[datetime], *, who: str) -> str | None:
    """Return what is unusual in opening one more person, or ``None``."""
    if spent(looks) >= FREE + MORE * len(reasons):
        return f"{spent(looks)} people or questions in {DAYS} days"
    fresh = [one.employee_id for one in looks if not reasons or one.at > reasons[-1]]
    row = [*dict.fromkeys(fresh), who][-WALK:]
    steps = {(len(b), b) > (len(a), a) for a, b in pairwise(row)}
    return f"{WALK} people one after the other by number" if len(row) == WALK and len(steps) == 1 else None


def _tell_auditors(tx: Transaction, visit: Visit, why: str) -> None:
    who = reader(visit)
    if not store_readers.told_since(tx, who, visit.now - timedelta(hours=TOLD_HOURS)):
        store_readers.add_brake(tx, who, visit.now, kind="unusual", words=why)
        audit.record(tx, entry_of(visit, "reader.unusual", why), now=visit.now)


def _write_reason(tx: Transaction, visit: Visit, employee_id: str, words: str) -> None:
    store_readers.add_brake(tx, reader(visit), visit.now, kind="reason", words=words.strip())
    audit.record(tx, entry_of(visit, "reader.reason", "given", subject=employee_id), now=visit.now)


def give_reason(store: Store, visit: Visit, employee_id: str, words: str) -> None:
    """Write down why somebody opens so many people; the words are for the auditors (``retention-serve readers``)."""
    with store.begin() as tx:
        known = store_people.visible_person(tx, visit.viewer.sight, employee_id) is not None
        if known:
            _write_reason(tx, visit, employee_id, words)
        else:
            audit.record(tx, entry_of(visit, "reader.reason", "not_found", subject=employee_id), now=visit.now)
    if not known:
        raise Problem("not_found")
