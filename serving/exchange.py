"""MAIN of the exchange: what other systems are told about many people. Look, write it down, and only then answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from serving import audit, service, stop, store_exchange
from serving.access import Visit
from serving.audit import Entry
from serving.audit_many import record_about
from serving.seen import Run
from serving.store import Store
from serving.store_exchange import Wanted

PAGE = 1_000


@dataclass(frozen=True)
class Listed:
    """A page of people within sight, and the id after which the next one starts."""

    run: Run
    people: tuple[dict[str, Any], ...]
    next: str | None


def people(store: Store, visit: Visit, wanted: Wanted) -> Listed:
    """Return a page of people; every one on it is a look at that person. ``wanted.run_id`` is filled in here."""
    limit = wanted.limit or PAGE
    run = service.current(store)
    with store.begin() as tx:
        asked = replace(wanted, run_id=run.id, limit=limit + 1)
        rows = store_exchange.people(tx, visit.viewer.sight, asked, today=visit.now.date())
        page = rows[:limit]
        record_about(
            tx, audit.entry_of(visit, "people.list", "shown", run=run), [r["employee_id"] for r in page], now=visit.now
        )
        if not page:
            audit.record(tx, audit.entry_of(visit, "people.list", "nobody", run=run), now=visit.now)
    return Listed(run, tuple(page), page[-1]["employee_id"] if len(rows) > limit else None)


@dataclass(frozen=True)
class Export:
    """A whole list that was written down before its first line leaves: ``ids`` are those who are in the log."""

    name: str
    run: Run
    wanted: Wanted
    ids: frozenset[str]


def begin_export(store: Store, visit: Visit, wanted: Wanted) -> Export:
    """Write the export and every person in it into the log, and return what may now be sent."""
    run = service.current(store)
    name = f"export-{visit.request_id}"
    with store.begin() as tx:
        asked = replace(wanted, run_id=run.id)
        ids = store_exchange.ids(tx, visit.viewer.sight, asked, today=visit.now.date())
        whole = audit.entry_of(visit, "people.export", f"{len(ids)} people", run=run)
        audit.record(tx, replace(whole, subject=name), now=visit.now)
        record_about(tx, audit.entry_of(visit, "people.export", "shown", run=run), ids, now=visit.now)
    return Export(name, run, asked, frozenset(ids))


def export_pages(store: Store, visit: Visit, export: Export) -> Iterator[list[dict[str, Any]]]:
    """Yield the people of an export in pages, by id; whoever was erased or hidden meanwhile is left out."""
    after = export.wanted.after
    while True:
        with store.begin() as tx:
            if stop.is_on(tx):
                return  # what was sent is in the log; nothing more leaves
            asked = replace(export.wanted, after=after, limit=PAGE)
            rows = store_exchange.people(tx, visit.viewer.sight, asked, today=visit.now.date())
        if not rows:
            return
        after = rows[-1]["employee_id"]
        yield [row for row in rows if row["employee_id"] in export.ids]


def line(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a list tells of one person: a place, a band, a clock. Nothing of what a person set aside."""
    aside = row["shown"] == "disregard"
    return {
        "employee_id": row["employee_id"],
        "team": row["team"],
        "department": row["department"],
        "band": None if aside else row["shown"],
        "decided_by_person": aside or row["shown"] != row["band"],
        "valid_until": row["valid_until"],
    }


def risks(row: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the numbers of one person, by horizon; none where nothing is judged or a person set it aside."""
    if row["shown"] in ("disregard", "cannot_judge") or row["band"] == "cannot_judge":
        return None
    ends = row["interval"] or {}
    return [
        {"horizon_days": int(days), "voluntary": row["risk"][days], "other": row["other"][days]}
        | dict(zip(("low", "high"), ends.get(days, (None, None)), strict=True))
        for days in sorted(row["risk"], key=int)
    ]


def record(store: Store, visit: Visit, entry: Entry, ids: list[str]) -> None:
    """Write one entry, and one for each of these people, in a transaction of their own."""
    with store.begin() as tx:
        audit.record(tx, entry, now=visit.now)
        record_about(tx, replace(entry, result="shown"), ids, now=visit.now)
