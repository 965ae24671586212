"""The matrix of few people, again and again: the plan is made once per day and kept, and run on whatever comes.

    first request of a day   tables ─▶ blocks write the plan (about a second, whoever it is about) ─▶ run
    every further one        tables ──────────────────────────────────────────────────────────────▶ run

A plan depends on the days, on the columns of the tables and on the organisation's own columns, on no row; so nothing of
anybody is kept with it. The numbers are those of ``features.matrix.matrix``. Not for many people: everything is held in
memory at once, and many rows are worth the time that improving a plan takes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from features import engine
from features.engine import Frame
from features.matrix import Matrix, cards_of, ordered, rows
from features.snapshots import HIDDEN
from features.tables import TABLES, OwnColumn, empty

MOST_KEPT = 4
"""Plans kept: today, the day of the last records, and somebody who looks back."""

Shape = tuple[tuple[date, ...], tuple[OwnColumn, ...], tuple[tuple[str, tuple[tuple[str, str], ...]], ...]]


@dataclass
class Plan:
    """What is computed from ``tables``, which are there while it runs and empty otherwise; one run at a time."""

    days: tuple[date, ...]
    own: tuple[OwnColumn, ...]
    tables: dict[str, pl.DataFrame]
    steps: Frame
    turn: threading.Lock = field(default_factory=threading.Lock)

    def run(self, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """The rows of the matrix, in no order."""
        with self.turn:
            self.tables.update(tables)
            try:
                return engine.run(self.steps, dates=("as_of",))
            finally:
                self.tables.clear()


@dataclass
class Plans:
    """The plans that were used last. Safe among threads; two that miss the same plan both make it, once."""

    kept: OrderedDict[Shape, Plan] = field(default_factory=OrderedDict)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def matrix(
        self,
        records: Mapping[str, pl.DataFrame],
        *,
        as_of: Sequence[date],
        own: Sequence[OwnColumn] = (),
        employees: Collection[str] | None = None,
    ) -> Matrix:
        """``features.matrix.matrix`` of canonical tables in the process, which hold few people."""
        tables = {name: records.get(name, empty(name)) for name in TABLES if name not in HIDDEN}
        columns = tuple((name, tuple((n, str(d)) for n, d in frame.schema.items())) for name, frame in tables.items())
        plan = self._plan((tuple(sorted(set(as_of))), tuple(own), columns), tables)
        found = plan.run(tables)
        if employees is not None:
            found = found.filter(pl.col("employee_id").is_in(sorted(employees)))
        cards = cards_of(own)
        return Matrix(ordered(found, cards), cards)

    def _plan(self, shape: Shape, tables: Mapping[str, pl.DataFrame]) -> Plan:
        with self.turn:
            if shape in self.kept:
                self.kept.move_to_end(shape)
                return self.kept[shape]
        plan = planned(tables, as_of=shape[0], own=shape[1])
        with self.turn:
            self.kept[shape] = plan
            while len(self.kept) > MOST_KEPT:
                self.kept.popitem(last=False)
        return plan


def planned(tables: Mapping[str, pl.DataFrame], *, as_of: Sequence[date], own: Sequence[OwnColumn] = ()) -> Plan:
    """The plan for tables of these columns; their rows are not looked at."""
    given: dict[str, pl.DataFrame] = {}
    later = {
        name: pl.defer(lambda name=name: given[name], schema=frame.schema, validate_schema=False)  # type: ignore[misc]
        for name, frame in tables.items()
    }
    with engine.planning():
        steps = rows({name: frame.cache() for name, frame in later.items()}, as_of=as_of, own=own)
    return Plan(tuple(as_of), tuple(own), given, steps)
