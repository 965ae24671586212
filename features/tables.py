"""The tables as frames: names, dtypes, the two dates of a fact, and what an absent cell means.

``happened_on`` says when a fact was true, ``known_on`` since when the organisation's systems held it. An example: a
survey of 1 March that nobody entered a date for is taken as known on 8 March (lag 7 days), so a snapshot of 5 March
does not see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from features.cards import Driver
from features.columns import REASONS, Column, Kind, Table
from features.table_specs import ALL_TABLES

__all__ = [
    "ALWAYS",
    "BOOKKEEPING",
    "DTYPES",
    "PEOPLE",
    "REASONS",
    "TABLES",
    "Column",
    "Kind",
    "OwnColumn",
    "Table",
    "canonical",
    "empty",
    "schema",
    "with_dates",
]

TABLES: dict[str, Table] = {table.name: table for table in ALL_TABLES}
"""Every table by name, in the order of the contract."""

ALWAYS = date(1900, 1, 1)
"""``known_on`` of what has no date of its own (reference tables, protected attributes): known all along."""

NOTICE_DAYS = 30
"""Days between notice and last working day, where a voluntary exit does not say."""

PEOPLE: tuple[str, ...] = ("manager_id", "counterpart_id", "reviewer_id", "given_by", "decided_by")
"""Columns that name another person than the one whom the row is about."""

DTYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "list": pl.String(),
}

BOOKKEEPING: dict[str, pl.DataType] = {
    "known_on": pl.Date(),
    "known_on_given": pl.Boolean(),
    "_seq": pl.Int64(),
}
"""Columns that every canonical frame has after its own: since when known, was that said, order of arrival."""


@dataclass(frozen=True)
class OwnColumn:
    """A column of the organisation's own, named ``x_…``; it becomes the feature "latest known value"."""

    table: str
    name: str
    kind: Literal["number", "category"]
    driver: Driver = "context"
    words_en: str = ""
    words_zh: str = ""

    def dtype(self) -> pl.DataType:
        """Numbers are Float64, categories String."""
        return pl.Float64() if self.kind == "number" else pl.String()


def schema(table_name: str) -> dict[str, pl.DataType]:
    """Column names and dtypes of a canonical frame without own columns, in order."""
    return {column.name: DTYPES[column.kind] for column in TABLES[table_name].columns} | BOOKKEEPING


def empty(table_name: str) -> pl.DataFrame:
    """The canonical frame of a table without a row."""
    return pl.DataFrame(schema=schema(table_name))


def canonical(records: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Frames made in memory, completed to canonical ones: absent columns, defaults, dates, order of arrival.

    Nothing is checked: this is for rows that have been checked already, and for tests. Extra columns are kept (own
    columns, and those of ``protected``). ``_seq`` counts on over the tables in the order given.
    """
    done: dict[str, pl.DataFrame] = {}
    first = 0
    for name, frame in records.items():
        frame = frame if "_seq" in frame.columns else frame.with_row_index("_seq", offset=first)
        done[name] = with_dates(name, complete(name, frame))
        first += frame.height
    return done


def complete(table_name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Every column of the table is there with its dtype and its default; own columns stay, bookkeeping comes last."""
    table, wanted = TABLES[table_name], schema(table_name)
    absent = [pl.lit(None).alias(name) for name in wanted if name not in frame.columns]
    extra = [name for name in frame.columns if name not in wanted]
    order = [*table.names(), *extra, *BOOKKEEPING]
    defaults = [pl.col(c.name).fill_null(pl.lit(c.default)) for c in table.columns if c.default is not None]
    return frame.with_columns(absent).cast(wanted).with_columns(defaults).select(order)  # type: ignore[arg-type]


def with_dates(table_name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Both dates are filled: ``happened_on`` from the clock time, ``known_on`` from the default lag."""
    if table_name == "interactions":
        frame = frame.with_columns(pl.coalesce("happened_on", pl.col("happened_at").dt.date()))
    given = pl.col("known_on").is_not_null()
    if not frame["known_on_given"].is_null().all():
        given = pl.col("known_on_given").fill_null(given)
    return frame.with_columns(pl.coalesce("known_on", _default_known_on(TABLES[table_name])), known_on_given=given)


def _default_known_on(table: Table) -> pl.Expr:
    """When the fact is taken to have been known, if nobody says: see the lag of each table.

    ``exits``: notice 30 days before the last day when the person chose to go (the customary month), otherwise the last
    day itself, because an earlier guess would hide people from the risk set who did not know yet.
    """
    if table.name == "exits":
        notice = pl.col("happened_on").dt.offset_by(f"-{NOTICE_DAYS}d")
        return pl.when(pl.col("kind") == "voluntary").then(notice).otherwise(pl.col("happened_on"))
    if table.event is None:
        return pl.lit(ALWAYS)
    return pl.col(table.event).dt.offset_by(f"{table.lag_days}d")
