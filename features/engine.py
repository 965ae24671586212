"""Where the expressions of the features run: Polars in the process, or Spark. The only door to an engine.

Feature blocks are written in Narwhals (``narwhals.stable.v2``) and never call an engine; the frames that they are given
decide where the work is done. Whatever engines spell differently stands here and in ``features.spark``: a date becomes
a whole day number (days since 1970-01-01), so that every block does its time arithmetic on integers, a float that is
not finite becomes null, and in Polars a name becomes a code (``Categorical``), which makes grouping twenty million
events by person several times cheaper. Names are compared for being equal and never sorted by.

To move to another engine, add its functions; they are short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

import narwhals.stable.v2 as nw
import polars as pl

Frame = nw.LazyFrame
EPOCH = date(1970, 1, 1)
KINDS = {"text": pl.String(), "number": pl.Float64(), "int": pl.Int64(), "bool": pl.Boolean()}
NAMES = ("employee_id", "counterpart_id", "manager_id", "reviewer_id", "given_by", "kind", "item")
"""Columns of names: few different values in many rows."""

AT_ONCE = 10_000_000
"""Rows of a group-by that are in memory together: about a gigabyte."""
STORED = "_known_on_stored"
"""``known_on`` as it stands in the files: a condition on it tells the reader which pieces to leave alone."""
_POLARS = (pl.DataFrame, pl.LazyFrame)
_AS_WRITTEN = pl.QueryOptFlags(join_order=False)


def day_number(day: date) -> int:
    """Days since 1970-01-01.

    >>> day_number(date(1970, 1, 2))
    1
    """
    return (day - EPOCH).days


def date_of(number: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=number)


def load(frame: object, *, beside: object = None) -> Frame:
    """A records table as the blocks see it: dates as Int64 day numbers, floats finite or null, counts as Int64.

    A Polars table beside one of Spark goes to Spark as well.
    """
    if not isinstance(frame, _POLARS):
        return _spark().load(frame)
    if beside is None or isinstance(beside, _POLARS):
        return nw.from_native(_loaded(frame.lazy()))
    return _spark().load(_spark().like(frame.lazy().collect(), beside))


def table(columns: Mapping[str, Sequence[object]], kinds: Mapping[str, str], *, beside: Frame | None = None) -> Frame:
    """A small frame of our own making for the engine of ``beside`` (none: in the process); ``kinds`` of ``KINDS``."""
    schema = {name: KINDS[kind] for name, kind in kinds.items()}
    frame = pl.DataFrame(dict(columns), schema=schema)
    if beside is None or _in_process(beside):
        return nw.from_native(frame.lazy())
    return nw.from_native(_spark().like(frame, beside.to_native()))


def held(frame: Frame) -> Frame:
    """The same rows, computed once: without it a frame used by five blocks is computed five times."""
    if _in_process(frame):
        return nw.from_native(_computed(frame.to_native()).lazy())
    return _spark().held(frame)


def rested(frame: Frame) -> Frame:
    """A resting place in a long chain of joins: Spark would sort all of them at once, Polars simply goes on."""
    return frame if _in_process(frame) else held(frame)


def collected(frame: Frame, *, dates: Sequence[str] = ()) -> pl.DataFrame:
    """The finished rows in the process; the columns in ``dates`` become dates again, names become text."""
    rows = _computed(frame.to_native()) if _in_process(frame) else _spark().collected(frame)
    codes = [name for name, dtype in rows.schema.items() if dtype == pl.Categorical]
    days = [pl.col(name).cast(pl.Int32).cast(pl.Date) for name in dates]
    return rows.with_columns(*days, *[pl.col(name).cast(pl.String) for name in codes])


def stretches(frame: Frame, *, at_once: int = AT_ONCE) -> list[Frame]:
    """The facts cut by the day on which they were known into parts of about ``at_once`` rows, in order of time.

    Polars keeps every row of a large group-by in memory until its end; in parts it keeps one part. The cut is on the
    date as it is stored, where there is one, so that a part reads its own pieces of the files. Spark looks after
    itself and gets the frame as it is.
    """
    if not _in_process(frame):
        return [frame]
    day = STORED if STORED in frame.collect_schema().names() else "known_on"
    counts = _computed(frame.to_native().group_by(day).len().sort(day))
    part = (counts["len"].cum_sum() - 1) // at_once
    firsts = [days[0] for _, days in counts.group_by(part, maintain_order=True).agg(day).iter_rows()]
    if len(firsts) < 2:
        return [frame]
    column = nw.col(day)
    inner = [frame.filter(column >= a, column < b) for a, b in pairwise(firsts[1:])]
    return [frame.filter(column < firsts[1]), *inner, frame.filter(column >= firsts[-1])]


def added_up(
    frame: Frame, keys: Sequence[str], whole: str, *, bits: int, sums: Sequence[str], firsts: Sequence[str] = ()
) -> Frame:
    """Rows of the same ``keys`` and ``whole`` as one: ``sums`` added, of ``firsts`` the smallest; nothing else stays.

    ``whole`` lies in ``[0, 2**bits)``. In Polars it and the code of the first key travel as one number, which halves
    the time of grouping millions of events; there is room for ``2**(63 - bits)`` names.
    """
    told = [*[nw.col(name).sum() for name in sums], *[nw.col(name).min() for name in firsts]]
    who, *others = keys
    if not _in_process(frame) or frame.collect_schema()[who] != nw.Categorical:
        return frame.group_by(*keys, whole).agg(*told)
    code = pl.col(who).to_physical().cast(pl.Int64) + 1
    packed = (code.fill_null(0) * (1 << bits) + pl.col(whole)).alias("_packed")
    narrow = nw.from_native(frame.to_native().select(packed, *others, *sums, *firsts))
    code, rest = pl.col("_packed") // (1 << bits), pl.col("_packed") % (1 << bits)
    name = pl.when(code > 0).then(code - 1).cast(pl.UInt32).cat.to(pl.Categorical).alias(who)
    added = narrow.group_by("_packed", *others).agg(*told).to_native()
    return nw.from_native(added.with_columns(name, rest.alias(whole)).drop("_packed"))


def quotient(a: nw.Expr, b: nw.Expr | float) -> nw.Expr:
    """``a / b``, rounded once, whether ``b`` is a column or a number: the one way to divide in a block.

    Polars divides by a single number by multiplying with its reciprocal (3 / 5 = 0.6000000000000001), but not when
    there is only one row: a row alone would differ from the same row in a batch. So a number becomes a column. A
    divisor that is a column already stays as it is: shares of shares would otherwise name their parts over and over,
    and Spark plans every mention by itself.
    """
    return a / b if isinstance(b, nw.Expr) else a / (a * 0 + b)


def _loaded(lazy: pl.LazyFrame) -> pl.LazyFrame:
    casts = []
    for name, dtype in lazy.collect_schema().items():
        if dtype == pl.Date:
            casts.append(pl.col(name).cast(pl.Int32).cast(pl.Int64))
        elif dtype.is_integer():
            casts.append(pl.col(name).cast(pl.Int64))
        elif dtype.is_float():
            number = pl.col(name).cast(pl.Float64)
            casts.append(pl.when(number.is_finite()).then(number).alias(name))
        elif name in NAMES and dtype == pl.String:
            casts.append(pl.col(name).cast(pl.Categorical))
        if name == "known_on" and dtype == pl.Date:
            casts.append(pl.col(name).alias(STORED))
    return lazy.with_columns(casts)


def _computed(native: pl.LazyFrame) -> pl.DataFrame:
    """Streamed, so that a table larger than memory passes through in pieces.

    Joins stay in the order in which a block wrote them: Polars 2.1 may join two frames by ``place`` alone first, which
    made tens of gigabytes of a company of twenty thousand.
    """
    return pl.DataFrame(native.collect(engine="streaming", optimizations=_AS_WRITTEN))


def _in_process(frame: Frame) -> bool:
    return isinstance(frame.to_native(), pl.LazyFrame)


def _spark():  # type: ignore[no-untyped-def]
    """The Spark side, loaded when it is asked for: pyspark is an extra."""
    from features import spark

    return spark
