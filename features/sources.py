"""Which table feeds which column of the matrix, found by taking the table away and looking what changes.

Asked of the matrix itself rather than written down, so that a new column or block needs no list to be kept. Only blocks
that open a table are worked out again without it.
Not good for saying how much a column depends on a table: only whether it reads it for anybody on these days.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from features import engine
from features.engine import Frame
from features.matrix import Block, Matrix, blocks_of, joined, ordered
from features.own import made_of
from features.snapshots import HIDDEN, Panel, Records, panel
from features.tables import TABLES, OwnColumn

NEVER_AWAY = ("employees", "exits")
"""Without these the rows themselves would be other ones."""
UNDER_ALL = ("positions",)
"""What every block stands on without opening it."""


class Watched(Mapping[str, Frame]):
    """The facts of a panel, which remember what was opened."""

    def __init__(self, facts: Mapping[str, Frame]) -> None:
        self.facts = facts
        self.opened: set[str] = set(UNDER_ALL)

    def __getitem__(self, name: str) -> Frame:
        self.opened.add(name)
        return self.facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)


def columns_by_table(
    records: Records, as_of: Sequence[date], *, own: Sequence[OwnColumn] = (), only: Collection[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Return {table: columns that change when the table is absent}, for tables that hold rows (those of ``only``)."""
    ground, readers = panel(records, as_of), []
    for block in blocks_of(own):
        watched = Watched(ground.facts)
        readers.append((block, worked_out(replace(ground, facts=watched), block), watched.opened))
    asked = [n for n in TABLES if n in records and n not in (*HIDDEN, *NEVER_AWAY) and (only is None or n in only)]
    found = {}
    for name in asked:
        rest = panel({other: frame for other, frame in records.items() if other != name}, as_of)
        pairs = [(before, worked_out(rest, block)) for block, before, opened in readers if name in opened]
        found[name] = tuple(c for before, after in pairs for c in changed(before, after))
    cards = {card.column for block, *_ in readers for card in block.cards}
    of_people = (c for one in own if one.table == "employees" for c in made_of(one.name))
    found["employees"] = tuple(c for c in of_people if c in cards)
    return found


def worked_out(ground: Panel, block: Block) -> Matrix:
    """Return the matrix of one block alone."""
    return Matrix(ordered(engine.collected(joined(ground, [block]), dates=("as_of",)), block.cards), block.cards)


def changed(before: Matrix, after: Matrix) -> tuple[str, ...]:
    """Return the columns that differ for anybody; both have the same rows."""
    return tuple(
        c.column for c in before.cards if not before.frame[c.column].equals(after.frame[c.column], null_equal=True)
    )


def delayed(records: Records, table: str, *, days: int) -> Mapping[str, pl.LazyFrame | pl.DataFrame]:
    """Return the records as if everything in one table had become known so many days later."""
    later = pl.col("known_on") + timedelta(days=days)
    return {name: f.lazy().with_columns(known_on=later) if name == table else f for name, f in records.items()}
