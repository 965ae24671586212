"""Where the expressions of the features run: today Polars in the process; the only door to an engine.

Feature blocks are written in Narwhals (``narwhals.stable.v2``) and never call an engine. Whatever engines spell
differently stands here: a date becomes a whole day number (days since 1970-01-01), so that every block does its time
arithmetic on integers, and a float that is not finite becomes null.

To move to another engine, rewrite this file; it is short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import narwhals.stable.v2 as nw
import polars as pl

Frame = nw.LazyFrame
EPOCH = date(1970, 1, 1)
DTYPES = {"text": pl.String, "number": pl.Float64, "int": pl.Int64, "bool": pl.Boolean}


def day_number(day: date) -> int:
    """Days since 1970-01-01.

    >>> day_number(date(1970, 1, 2))
    1
    """
    return (day - EPOCH).days


def date_of(number: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=number)


def load(frame: pl.DataFrame | pl.LazyFrame) -> Frame:
    """A records table as the blocks see it: dates as Int64 day numbers, floats finite or null, counts as Int64."""
    lazy = frame.lazy()
    casts = []
    for name, dtype in lazy.collect_schema().items():
        if dtype == pl.Date:
            casts.append(pl.col(name).cast(pl.Int32).cast(pl.Int64))
        elif dtype.is_integer():
            casts.append(pl.col(name).cast(pl.Int64))
        elif dtype.is_float():
            number = pl.col(name).cast(pl.Float64)
            casts.append(pl.when(number.is_finite()).then(number).alias(name))
    return nw.from_native(lazy.with_columns(casts))


def table(columns: Mapping[str, Sequence[object]], kinds: Mapping[str, str]) -> Frame:
    """A small frame of our own making, column by column; ``kinds`` are keys of ``DTYPES``."""
    schema = {name: DTYPES[kind] for name, kind in kinds.items()}
    return nw.from_native(pl.DataFrame(dict(columns), schema=schema).lazy())


def held(frame: Frame) -> Frame:
    """The same rows, computed once: without it a frame used by five blocks is computed five times."""
    return nw.from_native(pl.DataFrame(_native(frame).collect()).lazy())


def collected(frame: Frame, *, dates: Sequence[str] = ()) -> pl.DataFrame:
    """The finished rows; the columns in ``dates`` become dates again."""
    lazy = _native(frame)
    return pl.DataFrame(lazy.with_columns(pl.col(name).cast(pl.Int32).cast(pl.Date) for name in dates).collect())


def quotient(a: nw.Expr, b: nw.Expr | float) -> nw.Expr:
    """``a / b``, rounded once, whether ``b`` is a column or a number: the one way to divide in a block.

    Polars divides by a single number by multiplying with its reciprocal (3 / 5 = 0.6000000000000001), but not when
    there is only one row: a row alone would differ from the same row in a batch. So the divisor becomes a column.
    """
    return a / (a * 0 + b)


def _native(frame: Frame) -> pl.LazyFrame:
    native = frame.to_native()
    if not isinstance(native, pl.LazyFrame):
        raise TypeError(f"expected a Polars LazyFrame under Narwhals, got {type(native).__name__}")
    return native
