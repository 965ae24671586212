"""MAIN: records → one row per (employee, as_of), a card per column. Training, nightly scoring and requests call this.

    records ─▶ panel (who was at risk, in which post) ─▶ one block per theme ─▶ joined on (employee, as_of)

What a row says depends on the records known by its ``as_of`` alone: not on what came later, not on who else is asked
for, not on the order of the input. All cards are always there; a column that cannot be known is null, never zero:

- A sum or a count is known when the feed covers the window: somebody had such a record on or before its first day
  (a person hired within the window needs cover from the hiring date on). So 0 means "none", null means "not told".
- A mean, a change, a latest value needs only the facts it is made of.
- Attendance is kept on everybody: a person without a record in the window is unknown there, not at zero hours.
- What a feed that has fallen silent would have said is not guessed: a dead feed looks like inactivity here, and the
  watch over fresh data (monitoring) has to catch it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import narwhals.stable.v2 as nw
import pandas as pd
import polars as pl

from features import (
    appointments,
    belonging,
    care_history,
    career,
    clock,
    engagement,
    engine,
    exit_voices,
    fairness,
    goals,
    growth,
    manager,
    pay,
    peers,
    raise_month,
    recognition,
    review_cycles,
    team,
    voice,
    weeks,
    wishes,
    withdrawal,
    workload,
)
from features import (
    own as own_columns,
)
from features.cards import Card
from features.engine import Frame
from features.snapshots import Panel, Records, panel
from features.tables import OwnColumn

BLOCKS = (
    *(career, clock, growth, peers, wishes, goals, recognition, review_cycles, engagement, voice),
    *(belonging, withdrawal, workload, weeks, manager, team, pay, raise_month, appointments, fairness),
    *(care_history, exit_voices),
)


@dataclass(frozen=True)
class Block:
    """Columns of one theme: how they are worked out, and their cards."""

    columns: Callable[[Panel], Frame]
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Matrix:
    """Rows sorted by (as_of, employee_id): those two, then one column per card in card order.

    Numbers are Float64 with null for unknown, categories String.
    """

    frame: pl.DataFrame
    cards: tuple[Card, ...]

    def to_pandas(self) -> pd.DataFrame:
        """The feature columns alone, rows in frame order: float64 with NaN, categories as object with None."""
        columns: dict[str, object] = {}
        for card in self.cards:
            values = self.frame[card.column]
            if card.kind == "number":
                columns[card.column] = values.fill_null(float("nan")).to_numpy()
            else:
                columns[card.column] = pd.array(values.to_list(), dtype=object)
        return pd.DataFrame(columns, index=range(self.frame.height))


def blocks_of(own: Sequence[OwnColumn] = ()) -> tuple[Block, ...]:
    """All blocks in order, the organisation's own columns last."""
    ours = (Block(block.columns, block.CARDS) for block in BLOCKS)
    return (*ours, Block(partial(own_columns.columns, own=own), own_columns.cards(own)))


def cards_of(own: Sequence[OwnColumn] = ()) -> tuple[Card, ...]:
    """The cards of all columns, in order."""
    return tuple(card for block in blocks_of(own) for card in block.cards)


def matrix(
    records: Records,
    *,
    as_of: Sequence[date],
    own: Sequence[OwnColumn] = (),
    employees: Collection[str] | None = None,
) -> Matrix:
    """What was known on each ``as_of`` about everybody at risk (or those of them in ``employees``).

    Comparisons with colleagues are made over everybody at risk before the rows asked for are picked.
    """
    found = rows(records, as_of=as_of, own=own)
    if employees is not None:
        found = found.filter(nw.col("employee_id").is_in(sorted(employees)))
    cards = cards_of(own)
    return Matrix(ordered(engine.collected(found, dates=("as_of",)), cards), cards)


def rows(records: Records, *, as_of: Sequence[date], own: Sequence[OwnColumn] = ()) -> Frame:
    """The matrix before it is brought into the process: in no order, ``as_of`` a day number, ``place`` its position.

    With Spark records this is a Spark frame (``.to_native()``) to be written where the organisation keeps its tables.
    """
    return joined(panel(records, as_of), blocks_of(own))


def joined(ground: Panel, blocks: Sequence[Block]) -> Frame:
    """The columns of the blocks beside each other, a row for everybody at risk on each snapshot."""
    rows = ground.rows.select("employee_id", "place", "as_of")
    parts = [(block.columns(ground), block.cards) for block in blocks]
    for frame, cards in parts:
        wanted = engine.held(frame.select("employee_id", "place", *[card.column for card in cards]))
        rows = engine.rested(rows.join(wanted, on=["employee_id", "place"], how="left"))
    return rows


def ordered(frame: pl.DataFrame, cards: Sequence[Card]) -> pl.DataFrame:
    """The rows and columns of a finished matrix in their order."""
    numbers = [pl.col(card.column).cast(pl.Float64) for card in cards if card.kind == "number"]
    names = [card.column for card in cards]
    return frame.with_columns(numbers).select("employee_id", "as_of", *names).sort("as_of", "employee_id")
