"""What the commands about cases of care do, and what they say afterwards; the clock stays in ``cli``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from features.errors import FixableError
from features.lake import Lake
from models.own_catalog import load_with_own
from serving import audit, store_cases
from serving import cases_in as way_in
from serving import records_out as way_back
from serving.audit import Entry
from serving.hand_over import hand_over
from serving.hand_over import remind as put_into_outbox
from serving.settings import Settings
from serving.store import Store


def records_out(store: Store, settings: Settings, csv: Path | None, *, now: datetime, actor: str) -> str:
    """Append the decisions to the records, or write them to a file; return what was done in one line."""
    with store.begin() as tx:
        told = way_back.rows(store_cases.all_steps(tx))
        audit.record(tx, Entry(actor, "case.records_out", "written", "records-out"), now=now)
    if csv is not None:
        with csv.open("w", encoding="utf-8", newline="") as file:
            way_back.write(told, file)
        return f"{len(told)} decisions written to {csv}"
    report = way_back.append(Lake(settings.state / "lake"), told, today=now.date())
    if report is None:
        return "Nothing was decided yet."
    if report.problems:
        raise FixableError("The decisions were not taken into the records.", list(report.problems))
    parts = f"{report.accepted} new, {report.duplicates} known already, {report.quarantined} quarantined"
    return f"{report.received} decisions: {parts}."


def cases_in(store: Store, settings: Settings, *, now: datetime, actor: str) -> str:
    """Turn the care on record into cases; return what was done in one line."""
    lake = Lake(settings.state / "lake")
    table = lake.read().get(way_in.TABLE)
    if table is None:
        return "No care is on record."
    actions = load_with_own(settings.own_actions).actions
    catalog = {a.id: {"who_decides": a.who_decides, "days": a.days, "consent": a.consent} for a in actions}
    told = way_in.recent(table, today=min(lake.data_until(), now.date()))
    with store.begin() as tx:
        taken = way_in.take_over(tx, told, catalog=catalog, now=now)
        audit.record(tx, Entry(actor, "case.cases_in", "written", "cases-in"), now=now)
    left_out = f"{taken.known} known already, {taken.unknown} of people or actions that nobody knows here"
    return f"{taken.made} cases from the records of half a year; left out: {left_out}."


def remind(store: Store, *, now: datetime, actor: str) -> str:
    """Fill the outbox and say how much is new."""
    with store.begin() as tx:
        counts = put_into_outbox(tx, now=now, actor=actor)
    return f"New in the outbox: {counts['due']} due within a week, {counts['overdue']} overdue. Nothing was sent."


def hand_over_now(store: Store, *, now: datetime, actor: str) -> str:
    """Hand cases over as the latest batch has it and say how many moved."""
    with store.begin() as tx:
        moved = hand_over(tx, now=now, actor=actor)
    gone = f"{moved.decider_left} lost their decider, {moved.person_left} closed because the person has left"
    return f"{moved.handed_over} cases have another lead, {gone}."
