"""Which table feeds which column of the matrix, found by taking the table away and looking what changes.

Asked of the matrix itself rather than written down, so that a new column or block needs no list to be kept.
Not good for saying how much a column depends on a table: only whether it reads it for anybody on these days.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

import polars as pl

from features.matrix import Matrix, matrix
from features.snapshots import HIDDEN, Records
from features.tables import TABLES, OwnColumn

NEVER_AWAY = ("employees", "exits")
"""Without these the rows themselves would be other ones."""


def columns_by_table(
    records: Records, as_of: Sequence[date], *, own: Sequence[OwnColumn] = (), only: Collection[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Return {table: columns that change when the table is absent}, for tables that hold rows (those of ``only``)."""
    every = matrix(records, as_of=as_of, own=own)
    asked = [n for n in TABLES if n in records and n not in (*HIDDEN, *NEVER_AWAY) and (only is None or n in only)]
    found = {}
    for name in asked:
        rest = {other: frame for other, frame in records.items() if other != name}
        found[name] = changed(every, matrix(rest, as_of=as_of, own=own))
    cards = {card.column for card in every.cards}
    of_people = (c for one in own if one.table == "employees" for c in made_of(one.name))
    found["employees"] = tuple(c for c in of_people if c in cards)
    return found


def changed(before: Matrix, after: Matrix) -> tuple[str, ...]:
    """Return the columns that differ for anybody; both have the same rows."""
    return tuple(
        c.column for c in before.cards if not before.frame[c.column].equals(after.frame[c.column], null_equal=True)
    )


def made_of(own: str) -> tuple[str, ...]:
    """Return the names of the matrix columns that an own column of this name can become."""
    return (own, *(f"{own}_{part}" for part in ("latest", "mean_90d", "mean_365d", "change_90d")))


def delayed(records: Records, table: str, *, days: int) -> Mapping[str, pl.LazyFrame | pl.DataFrame]:
    """Return the records as if everything in one table had become known so many days later."""
    later = pl.col("known_on") + timedelta(days=days)
    return {name: f.lazy().with_columns(known_on=later) if name == table else f for name, f in records.items()}
