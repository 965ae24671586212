"""What the records change in a case: another manager, a decider or a person who is gone; and who should be reminded.

Run inside the transaction of a batch, so that whoever sees a person after it leads that person's cases too. Nothing
here decides about anybody: cases move, close because the person has left, and are announced in the outbox.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from serving import audit, case_service, cases, store_cases
from serving.audit import Entry
from serving.cases import Case
from serving.store import Transaction
from serving.store_cases import HR, Step

BY_RECORDS = "records"
"""Stands as the name of who took such a step; the pages say "the records"."""
TO_HR_AFTER_DAYS = 7
"""So many days overdue a case is no longer a matter between a manager and a calendar."""


@dataclass(frozen=True)
class Moved:
    """How many cases went to another list, lost their decider, and were closed because the person has left."""

    handed_over: int = 0
    decider_left: int = 0
    person_left: int = 0


def hand_over(tx: Transaction, *, now: datetime, actor: str) -> Moved:
    """Bring every open case in line with the batch just written; safe to repeat: what is in line stays as it is."""
    counts = {"handed_over": 0, "decider_left": 0, "person_left": 0}
    for case, person in list(store_cases.open_with_places(tx)):
        after, kind, reason = _after(tx, case, person, now=now)
        if after is None:
            continue
        step = "left" if kind == "person_left" else "handed_over"
        told = Step(step, now.date(), now, BY_RECORDS, None, actor, reason=reason)
        if not store_cases.change(tx, after, told):
            raise RuntimeError("a case changed while its batch was written")
        store_cases.remind(tx, _announced(after, kind, now))
        entry = Entry(actor, f"case.{step}", "recorded", "hand-over", subject=case.employee_id)
        audit.record(tx, entry, now=now)
        counts[kind] += 1
    return Moved(**counts)


def _after(
    tx: Transaction, case: Case, person: Mapping[str, Any] | None, *, now: datetime
) -> tuple[Case | None, str, str]:
    """Return the case as the records have it now, what happened and why; ``None`` when nothing did."""
    if person is None:
        return cases.left(case, today=now.date()), "person_left", cases.LEFT
    lead = case_service.lead_for(tx, case.sides, person)
    involved = [one for one in (case.lead_id, case.decided_by_id) if one]
    there = store_cases.employed(tx, involved)
    gone = case.decided_by_id is not None and case.decided_by_id not in there
    if lead == case.lead_id and not gone:
        return None, "", ""
    reason = "from_hr" if case.lead_id is None else "new_manager" if case.lead_id in there else "manager_left"
    if gone and lead == case.lead_id:
        reason = "decider_left"
    return cases.handed(case, lead, forget_decider=gone), "decider_left" if gone else "handed_over", reason


def _announced(after: Case, kind: str, now: datetime) -> Iterator[dict[str, Any]]:
    to = {HR} if kind == "person_left" else {HR, after.lead_id or HR}
    for recipient in sorted(to):
        yield _reminder(after, kind, recipient, about=f"step {after.version}", now=now)


def remind(tx: Transaction, *, now: datetime, actor: str) -> dict[str, int]:
    """Put what is due within a week and what is overdue into the outbox, once per due day; return how many are new.

    Nothing is sent. A reminder goes to the manager who leads the case, or to HR; a week later to HR as well.
    """
    today = now.date()
    counts = {"due": 0, "overdue": 0}
    for case, person in store_cases.open_with_places(tx):
        if person is None or case.due_on is None or case.due_on > today + timedelta(days=store_cases.THIS_WEEK_DAYS):
            continue
        kind = "overdue" if case.due_on < today else "due"
        to = {case.lead_id or HR}
        if (today - case.due_on).days > TO_HR_AFTER_DAYS:
            to.add(HR)
        about = case.due_on.isoformat()
        counts[kind] += store_cases.remind(tx, [_reminder(case, kind, one, about=about, now=now) for one in sorted(to)])
    audit.record(tx, Entry(actor, "case.remind", "written", "remind"), now=now)
    return counts


def _reminder(case: Case, kind: str, recipient: str, *, about: str, now: datetime) -> dict[str, Any]:
    row = {"case_id": case.id, "kind": kind, "recipient": recipient, "about": about}
    return {**row, "due_on": case.due_on, "made_at": now}
