"""Which rows of an import are new, which are exact duplicates, and which correct an earlier row.

Tables with a key: a row with the same content as one before it, in the file or in the lake, is an exact duplicate.
Interactions have no key: two equal rows with a clock time are one act handed over twice, two equal rows with a bare
date are two acts of that day. Of the latter the i-th in a file is the i-th in the lake, so that the same file twice,
or two exports that overlap, change nothing.
"""

from __future__ import annotations

import polars as pl

from features.tables import TABLES

_APART = ("_seq", "known_on_given")
"""Not content: a date that was given and equals the default says nothing new."""


def split_new(
    table_name: str, rows: pl.DataFrame, stored: pl.LazyFrame | None, *, replay: bool = False
) -> tuple[pl.DataFrame, int]:
    """The rows that are new, in their order, and the number of the others: exact duplicates.

    ``replay``: the rows come from the quarantine. Each of them is an act of its own that was kept back, so a bare date
    is a duplicate only when this very row (by its place in line) is in the lake: a repair that was killed.
    """
    stored_names = stored.collect_schema() if stored is not None else {}
    rows = rows.with_columns(pl.lit(None, dtype=d).alias(n) for n, d in stored_names.items() if n not in rows.columns)
    content = {name: dtype for name, dtype in rows.schema.items() if name not in _APART}
    marks = _marks(rows.select(content.keys()))
    nth = marks.select(pl.int_range(pl.len()).over("a", "b")).to_series()
    before: pl.Series = pl.repeat(0, rows.height, eager=True)
    if stored is not None:
        absent = [pl.lit(None, dtype=dtype).alias(n) for n, dtype in content.items() if n not in stored_names]
        there = _same_days(table_name, rows, stored).with_columns(absent).select(content.keys()).collect()
        counts = _marks(there).group_by("a", "b").len("n")
        before = marks.join(counts, on=["a", "b"], how="left", maintain_order="left")["n"].fill_null(0)
    once = (nth == 0) & (before == 0)
    if not TABLES[table_name].key:
        own_act = nth >= before
        if replay:
            places = stored.select("_seq").collect().to_series() if stored is not None else rows["_seq"].clear()
            own_act = ~rows["_seq"].is_in(places.implode())
        once = pl.select(pl.when(rows["happened_at"].is_null()).then(own_act).otherwise(once)).to_series()
    return rows.filter(once), int((~once).sum())


def n_corrections(table_name: str, rows: pl.DataFrame, stored: pl.LazyFrame | None) -> int:
    """How many new rows have the key of another row, in the lake or before them, and so correct it."""
    return int(corrections(table_name, rows, stored).sum())


def corrections(table_name: str, rows: pl.DataFrame, stored: pl.LazyFrame | None) -> pl.Series:
    """Which new rows have the key of another row, in the lake or before them: one truth value per row."""
    key = list(TABLES[table_name].key)
    if not key:
        return pl.repeat(False, rows.height, eager=True)
    later = rows.select(pl.int_range(pl.len()).over(key)).to_series() > 0
    if stored is None:
        return later
    keys = stored.select(key).unique().with_columns(__there=pl.lit(True)).collect()
    there = rows.select(key).join(keys, on=key, how="left", nulls_equal=True, maintain_order="left")["__there"]
    return later | there.fill_null(False)


def _marks(content: pl.DataFrame) -> pl.DataFrame:
    """Two independent 64-bit marks per row: equal for equal rows, and in practice (128 bits) for no others. Comparing
    them instead of a dozen columns makes the difference between seconds and a minute for a million rows."""
    return pl.DataFrame({"a": content.hash_rows(seed=1), "b": content.hash_rows(seed=2)})


def _same_days(table_name: str, rows: pl.DataFrame, stored: pl.LazyFrame) -> pl.LazyFrame:
    """Only what can equal one of the rows: the lake may hold years, a daily import a day."""
    event = TABLES[table_name].event
    if event is None or not rows.height:
        return stored
    return stored.filter(pl.col(event).is_between(rows[event].min(), rows[event].max()))
