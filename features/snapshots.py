"""Who was employed and not under notice on which day, and what was known by then: the only door through time.

    known_by(records, as_of)     the records as they stood at the close of ``as_of``
    at_risk(records, as_of)      who could still decide to leave: employed, no notice known

A person under notice has decided; a person whose exit became known late was, on the snapshots before, at risk like
everybody else, and training has to see them so. Example: last day 31 March, notice 1 March, entered on 5 April.
With ``known_on`` = 5 April the person is at risk on 31 March; with ``known_on`` = 1 March not after February.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from features import engine, positions, windows
from features.engine import Frame
from features.places import Snapshots, lifetimes
from features.tables import TABLES, empty
from features.windows import Spine

Records = Mapping[str, Any]
"""Table → canonical frame: Polars (eager or lazy), or Spark."""

AT_RISK = ("employee_id", "as_of", "hired_on", "department", "team", "location", "job", "manager_id")
HIDDEN = ("protected",)
"""Tables that no feature may ever read: they are not even opened."""
LEFT_OUT = ("name", "email", "note", "title", "happened_at", "known_on_given", "decided_by")
"""Columns that no feature reads: who somebody is, what somebody wrote, and bookkeeping."""


@dataclass(frozen=True)
class Panel:
    """Everybody on every snapshot, and the facts that blocks turn into columns.

    ``spine.rows`` are the people at risk: employee_id, place, as_of, hired_on, tenure_days and ``positions.STATE``.
    ``history`` is their (and the leavers') position history. ``exits`` has a row per exit known on a snapshot, with
    ``notice_on`` and the leaver's post. ``facts`` holds every table with ``start`` and ``end``; absent ones are
    empty.
    """

    spine: Spine
    history: Frame
    exits: Frame
    facts: Mapping[str, Frame]

    @property
    def as_of(self) -> tuple[int, ...]:
        return self.spine.when.as_of

    @property
    def rows(self) -> Frame:
        return self.spine.rows


def month_ends(first: date, last: date) -> list[date]:
    """The last days of the months from ``first`` to ``last``, as far as they lie within.

    >>> month_ends(date(2024, 1, 31), date(2024, 3, 30))
    [datetime.date(2024, 1, 31), datetime.date(2024, 2, 29)]
    """
    months = ((m // 12, m % 12 + 1) for m in range(first.year * 12 + first.month - 1, last.year * 12 + last.month))
    ends = (date(year, month, monthrange(year, month)[1]) for year, month in months)
    return [day for day in ends if first <= day <= last]


def known_by(records: Records, as_of: date) -> dict[str, pl.LazyFrame]:
    """The records as they stood at the close of ``as_of``: nothing known later, corrections in place of what they
    correct. Facts known ahead of their date (an agreed promotion) are in it; whoever reads them must look at it."""
    known: dict[str, pl.LazyFrame] = {}
    for name, frame in records.items():
        rows = frame.lazy().filter(pl.col("known_on") <= as_of).sort("known_on", "_seq")
        key = TABLES[name].key
        known[name] = rows.unique(subset=list(key), keep="last", maintain_order=True) if key else rows
    return known


def at_risk(records: Records, as_of: Sequence[date]) -> pl.DataFrame:
    """Who could still decide to leave on each snapshot, and where they worked; sorted by (as_of, employee_id).

    Employed: ``hired_on <= as_of``. Not at risk once an exit of the present spell (last day on or after
    ``hired_on``) is known. Blank department, team …: not known.
    """
    told = {name: records[name] for name in ("employees", "exits", "positions") if name in records}
    rows = panel(told, as_of).rows.select(*AT_RISK)
    return engine.collected(rows, dates=("as_of", "hired_on")).sort("as_of", "employee_id")


def panel(records: Records, as_of: Sequence[date]) -> Panel:
    """Who was at risk, in which post, who had left, on every snapshot; the ground of all features."""
    days = tuple(sorted({engine.day_number(day) for day in as_of}))
    if not days:
        raise ValueError("at least one as_of is needed")
    facts = {name: _alive(name, records) for name in TABLES if name not in HIDDEN}
    history = positions.histories(facts["positions"], days)
    state = engine.held(positions.states(history))
    employed = _employed(facts["employees"], days)
    exits = _exits(facts["exits"], days)
    noticed = employed.join(exits.select("employee_id", "place", "last_day"), on=["employee_id", "place"], how="inner")
    noticed = noticed.filter(nw.col("last_day") >= nw.col("hired_on")).select("employee_id", "place").unique()
    rows = employed.join(noticed, on=["employee_id", "place"], how="anti")
    rows = rows.join(state, on=["employee_id", "place"], how="left")
    rows = rows.with_columns((nw.col("as_of") - nw.col("hired_on")).alias("tenure_days"))
    gone = exits.join(state, on=["employee_id", "place"], how="left")
    when = Snapshots(days, engine.crowds(facts["interactions"]))
    return Panel(Spine(when, engine.held(rows)), history, engine.held(gone), facts)


def _alive(name: str, records: Records) -> Frame:
    """A table with the days on which each row is alive; a table without dates of its own is known all along.

    Events (a table without a key: nothing corrects them) are many and stay where they are; each reader passes over
    them once and keeps sums. All other tables are held.
    """
    table = TABLES[name]
    frame = engine.load(records[name] if name in records else empty(name), beside=records.get("employees"))
    frame = frame.drop(*LEFT_OUT, strict=False)
    if name == "employees":
        frame = frame.with_columns(nw.col("hired_on").alias("happened_on"))
    ahead = table.event is None or name in ("exits", "employees")
    alive = lifetimes(frame, table.key, starts="known_on" if ahead else "happened_on")
    return engine.held(alive) if table.key else engine.held_in_plan(alive)


def _employed(employees: Frame, days: Sequence[int]) -> Frame:
    """Everybody hired by the snapshot, gone or not, with the hiring date as known then."""
    ever = windows.history(employees, days).select("employee_id", "place", "hired_on")
    dated = ever.join(_snapshots(days, ever), on="place", how="inner")
    return engine.held(dated.filter(nw.col("hired_on") <= nw.col("as_of")))


def _exits(exits: Frame, days: Sequence[int]) -> Frame:
    """Exits known on each snapshot; ``notice_on`` is the day the first version of the exit became known."""
    key = TABLES["exits"].key
    dated = exits.with_columns(nw.col("known_on").min().over(*key).alias("notice_on"))
    known = windows.history(dated, days)
    known = known.select("employee_id", "place", "kind", "notice_on", nw.col("happened_on").alias("last_day"))
    return engine.held(known.join(_snapshots(days, known), on="place", how="inner"))


def _snapshots(days: Sequence[int], beside: Frame) -> Frame:
    columns = {"place": list(range(len(days))), "as_of": list(days)}
    return engine.table(columns, {"place": "int", "as_of": "int"}, beside=beside)
