"""Where the expressions of the features run: Polars in the process, or Spark. The only door to an engine.

Feature blocks are written in Narwhals (``narwhals.stable.v2``) and never call an engine; the frames that they are given
decide where the work is done. Whatever engines spell differently stands here and in ``features.spark``: a date becomes
a whole day number (days since 1970-01-01), so that every block does its time arithmetic on integers, a float that is
not finite becomes null, and in Polars a name becomes a code (``Categorical``), which makes grouping twenty million
events by person several times cheaper. Names are compared for being equal and never sorted by.

Within ``planning`` the same blocks make one plan for the process, which is run later and more than once (``run``).

To move to another engine, add its functions; they are short.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, timedelta
from itertools import pairwise

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

Frame = nw.LazyFrame
EPOCH = date(1970, 1, 1)
KINDS = {"text": pl.String(), "number": pl.Float64(), "int": pl.Int64(), "bool": pl.Boolean()}
NAMES = ("employee_id", "counterpart_id", "manager_id", "reviewer_id", "given_by", "kind", "item")
"""Columns of names: few different values in many rows."""

AT_ONCE = 10_000_000
"""Rows of a group-by that are in memory together: about a gigabyte."""
STORED = "_happened_on_stored"
"""``happened_on`` as it stands in the files: a condition on it tells the reader which pieces to leave alone."""
EARLY = 45
"""Days from the beginning of a feed in which everything that it tells is usually seen."""
_POLARS = (pl.DataFrame, pl.LazyFrame)
_AS_WRITTEN = pl.QueryOptFlags(join_order=False)
_UNCHANGED = pl.QueryOptFlags.none()
_PLANNING: ContextVar[bool] = ContextVar("planning", default=False)


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


@contextmanager
def planning() -> Iterator[None]:
    """Within it nothing is computed and no row is looked at: what the blocks write is one plan, to be ``run``."""
    before_it = _PLANNING.set(True)
    try:
        yield
    finally:
        _PLANNING.reset(before_it)


def run(plan: Frame, *, dates: Sequence[str] = ()) -> pl.DataFrame:
    """``collected`` of a plan made within ``planning``: in memory, step by step as written.

    For few rows only. To improve a plan of thousands of steps takes longer than to run it on a few thousand rows.
    """
    return _readable(pl.DataFrame(plan.to_native().collect(engine="in-memory", optimizations=_UNCHANGED)), dates)


def held(frame: Frame) -> Frame:
    """The same rows, computed once: without it a frame used by five blocks is computed five times."""
    if _in_process(frame) and _PLANNING.get():
        return nw.from_native(frame.to_native().cache())
    if _in_process(frame):
        return nw.from_native(_computed(frame.to_native()).lazy())
    return _spark().held(frame)


def held_in_plan(frame: Frame) -> Frame:
    """``held`` within ``planning``, whose rows are few; otherwise the frame as it is."""
    return held(frame) if _PLANNING.get() else frame


def rested(frame: Frame) -> Frame:
    """A resting place in a long chain of joins: Spark would sort all of them at once, Polars simply goes on."""
    return frame if _in_process(frame) else held(frame)


def collected(frame: Frame, *, dates: Sequence[str] = ()) -> pl.DataFrame:
    """The finished rows in the process; the columns in ``dates`` become dates again, names become text."""
    rows = _computed(frame.to_native()) if _in_process(frame) else _spark().collected(frame)
    return _readable(rows, dates)


def crowds(facts: Frame) -> tuple[tuple[int, int], ...]:
    """Day by day how many events there are, in order of time; empty where the files do not tell it cheaply (Spark)."""
    if not _has_stored(facts) or _PLANNING.get():
        return ()
    counts = _computed(facts.to_native().group_by(STORED).len().drop_nulls().sort(STORED))
    return tuple((day_number(day), n) for day, n in counts.iter_rows())


def stretches(frame: Frame, crowd: Sequence[tuple[int, int]], *, at_once: int | None = None) -> list[Frame]:
    """The facts cut by the day on which they happened into parts of at most about ``at_once`` rows (``AT_ONCE``).

    ``crowd``: days and how many rows fall on them. Polars keeps every row of a large group-by in memory until its end;
    in parts it keeps one part, and reads only its pieces of the files. Without a crowd the frame stays as it is.
    """
    most = AT_ONCE if at_once is None else at_once
    firsts: list[int] = []
    n = 0
    for day, rows in crowd:
        if n > 0 and n + rows > most:
            firsts, n = [*firsts, day], 0
        n += rows
    if not firsts:
        return [frame]
    inner = [before(since(frame, a), b) for a, b in pairwise(firsts)]
    return [before(frame, firsts[0]), *inner, since(frame, firsts[-1])]


def before(frame: Frame, day: int) -> Frame:
    """The facts that happened before the day."""
    return (
        frame.filter(nw.col(STORED) < date_of(day)) if _has_stored(frame) else frame.filter(nw.col("happened_on") < day)
    )


def since(frame: Frame, day: int) -> Frame:
    """The facts that happened on the day or later; those of the pieces of the files before it are not even read."""
    return (
        frame.filter(nw.col(STORED) >= date_of(day))
        if _has_stored(frame)
        else frame.filter(nw.col("happened_on") >= day)
    )


def smallest(facts: Frame, days: Mapping[str, nw.Expr], *, begins: int | None) -> Frame:
    """One row with the smallest of each of ``days``: days of happening, or null where a fact says nothing.

    Nothing happened before ``begins``: what is found in the first weeks from there on is the smallest of all, and the
    rest of the facts is left alone.
    """
    least = [nw.col(name).min() for name in days]
    named = [value.alias(name) for name, value in days.items()]
    if begins is not None and _rows_at_hand(facts):
        early = before(facts, begins + EARLY).select(*named).select(*least)
        row = _computed(early.to_native())
        if row.null_count().sum_horizontal().item() == 0:
            return nw.from_native(row.lazy())
    every = facts.select(*named).select(*least)
    return held(every) if _in_process(facts) else every


def undercutting(facts: Frame, smallest_days: Frame) -> Frame:
    """The facts that could make one of these days (one row) smaller; all where a day is unknown, and in a plan."""
    if not _rows_at_hand(facts):
        return facts
    days = _computed(smallest_days.to_native()).row(0)
    return facts if None in days else before(facts, max(days))


def added_up(
    frame: Frame, keys: Sequence[str], whole: str, *, bits: int, sums: Sequence[str], largest: Sequence[str] = ()
) -> Frame:
    """Rows of the same ``keys`` and ``whole`` as one: ``sums`` added, of ``largest`` the largest; nothing else stays.

    ``whole`` lies in ``[0, 2**bits)``. In Polars it and the code of the first key travel as one number, which halves
    the time of grouping millions of events; there is room for ``2**(63 - bits)`` names.
    """
    told = [*[nw.col(name).sum() for name in sums], *[nw.col(name).max() for name in largest]]
    who, *others = keys
    if not _in_process(frame) or frame.collect_schema()[who] != nw.Categorical:
        return frame.group_by(*keys, whole).agg(*told)
    code = pl.col(who).to_physical().cast(pl.Int64) + 1
    packed = (code.fill_null(0) * (1 << bits) + pl.col(whole)).alias("_packed")
    narrow = nw.from_native(frame.to_native().select(packed, *others, *sums, *largest))
    code, rest = pl.col("_packed") // (1 << bits), pl.col("_packed") % (1 << bits)
    name = pl.when(code > 0).then(code - 1).cast(pl.UInt32).cat.to(pl.Categorical).alias(who)
    added = narrow.group_by("_packed", *others).agg(*told).to_native()
    return nw.from_native(added.with_columns(name, rest.alias(whole)).drop("_packed"))


Reads = Mapping[str, tuple[Sequence[str], int, int]]
"""Tag → (names of whole numbers, gap, reach)."""


def trailing(frame: Frame, order: tuple[str, str], reads: Reads) -> Frame:
    """The frame with sums over the rows before: ``<name><tag>`` over the ``(gap, reach]`` last ones, 1 = this one.

    ``order`` is (person, place), and every person has the same run of places. Before the first row lies nothing (0).
    In Polars one running sum over everybody is read at both ends, and where each person began is taken off: half the
    time of sums person by person.
    """
    return _read_off(frame, order, reads) if _in_process(frame) else person_by_person(frame, order, reads)


def person_by_person(frame: Frame, order: tuple[str, str], reads: Reads) -> Frame:
    """``trailing`` on any engine."""
    who, place = order
    for tag, (names, gap, reach) in reads.items():
        sums = {name: nw.col(name).rolling_sum(reach - gap, min_samples=1) for name in names}
        frame = frame.with_columns(*[one.over(who, order_by=[place]).alias(n + tag) for n, one in sums.items()])
        if gap:
            back = [nw.col(n + tag).shift(gap).over(who, order_by=[place]).fill_null(0) for n in names]
            frame = frame.with_columns(*back)
    return frame


def _read_off(frame: Frame, order: tuple[str, str], reads: Reads) -> Frame:
    who, place = order
    native = frame.to_native()
    code = pl.col(who).to_physical() if native.collect_schema()[who] == pl.Categorical else pl.col(who)
    native = native.with_columns(code.alias("_code")).sort("_code", place)
    row = pl.int_range(pl.len())
    starts = pl.col("_code").ne_missing(pl.col("_code").shift(1)) | (row == 0)
    names = list(dict.fromkeys(name for named, _, _ in reads.values() for name in named))
    begun = {n: pl.when(starts).then(pl.col(n).cum_sum() - pl.col(n)).forward_fill() for n in names}
    own = [(pl.col(n).cum_sum() - begun[n]).alias(f"_{n}_own") for n in names]
    native = native.with_columns((row - pl.when(starts).then(row).forward_fill()).alias("_row"), *own)

    def until(name: str, back: int) -> pl.Expr:
        return pl.when(pl.col("_row") >= back).then(pl.col(f"_{name}_own").shift(back)).otherwise(0)

    told = [
        (until(name, gap) - until(name, reach)).alias(name + tag)
        for tag, (named, gap, reach) in reads.items()
        for name in named
    ]
    return nw.from_native(native.with_columns(told).drop("_code", "_row", *[f"_{n}_own" for n in names]))


Stops = Mapping[str, Sequence[str]]
"""Column of the place where something ends → names of the amounts that end there."""


def in_force(rows: Frame, told: Frame, keys: Sequence[str], stops: Stops) -> Frame:
    """``rows`` with ``<name>_<stop>``: what of the same ``keys`` has begun by the place and not ended, added up.

    ``told`` has the whole numbers ``name``, the place ``first`` where they begin and, per ``stop``, the place where
    they end, which is not before it; a row with an unknown key gets null. In Polars every person has a line of places
    in memory, into which the amounts are put: a fifth of the time of grouping and running sums.
    """
    return _laid_out(rows, told, keys, stops) if _rows_at_hand(rows) else place_by_place(rows, told, keys, stops)


def place_by_place(rows: Frame, told: Frame, keys: Sequence[str], stops: Stops) -> Frame:
    """``in_force`` on any engine: what begins and what ends at each place, and a running sum over both."""
    told = told.join(rows.select(*keys).unique(), on=list(keys), how="semi")
    begun = list(dict.fromkeys(name for names in stops.values() for name in names))
    moves = [rows.select(*keys, "place")]
    for at, names in (("first", begun), *stops.items()):
        summed = told.group_by(*keys, at).agg(*[nw.col(name).sum().alias(f"{name}_{at}_at") for name in names])
        moves.append(summed.rename({at: "place"}))
    together = nw.concat(moves, how="diagonal")
    amounts = [name for name in together.collect_schema().names() if name not in {*keys, "place"}]
    moved = together.group_by(*keys, "place").agg(*[nw.col(name).sum() for name in amounts])
    running = moved.with_columns(nw.col(amounts).cum_sum().over(*keys, order_by=["place"]))
    left = [
        (nw.col(f"{name}_first_at") - nw.col(f"{name}_{stop}_at")).alias(f"{name}_{stop}")
        for stop, names in stops.items()
        for name in names
    ]
    return rows.join(running.select(*keys, "place", *left), on=[*keys, "place"], how="left")


def _laid_out(rows: Frame, told: Frame, keys: Sequence[str], stops: Stops) -> Frame:
    asked = _computed(rows.to_native())
    facts = _computed(told.to_native())
    lines = asked.select(keys).drop_nulls().unique().with_row_index("_line")
    beyond = 0 if asked.is_empty() else int(asked.select(pl.col("place").max()).item()) + 1
    shape = (lines.height + 1, beyond + 1)  # the last line and the last place are read by nobody

    def line_of(frame: pl.DataFrame) -> np.ndarray:
        found = frame.select(keys).join(lines, on=list(keys), how="left", maintain_order="left")["_line"]
        return found.fill_null(lines.height).to_numpy().astype(np.int64)

    mine = line_of(asked)
    cell = mine * shape[1] + asked["place"].to_numpy()
    lead = line_of(facts) * shape[1]
    cells = {at: lead + facts[at].clip(None, beyond).to_numpy() for at in ("first", *stops)}

    def running(name: str, at: str) -> np.ndarray:
        line = np.zeros(shape, dtype=np.int64)
        np.add.at(line.reshape(-1), cells[at], facts[name].to_numpy())
        return line.cumsum(axis=1, out=line).reshape(-1)

    found = []
    for name in dict.fromkeys(name for names in stops.values() for name in names):
        begun = running(name, "first")
        ending = [stop for stop, names in stops.items() if name in names]
        found += [pl.Series(f"{name}_{stop}", (begun - running(name, stop))[cell]) for stop in ending]
    if (mine == lines.height).any():
        known = pl.Series(mine < lines.height)
        found = [pl.select(pl.when(known).then(one).alias(one.name)).to_series() for one in found]
    return nw.from_native(asked.with_columns(found).lazy())


def quotient(a: nw.Expr, b: nw.Expr | float) -> nw.Expr:
    """``a / b``, rounded once, whether ``b`` is a column or a number: the one way to divide in a block.

    Polars divides by a single number by multiplying with its reciprocal (3 / 5 = 0.6000000000000001), but not when
    there is only one row: a row alone would differ from the same row in a batch. So a number becomes a column. A
    divisor that is a column already stays as it is: shares of shares would otherwise name their parts over and over,
    and Spark plans every mention by itself.
    """
    return a / b if isinstance(b, nw.Expr) and not _PLANNING.get() else a / (a * 0 + b)


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
        if name == "happened_on" and dtype == pl.Date:
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


def _rows_at_hand(frame: Frame) -> bool:
    """Rows may be looked at while the blocks write: not on a cluster, and not in a plan for rows to come."""
    return _in_process(frame) and not _PLANNING.get()


def _readable(rows: pl.DataFrame, dates: Sequence[str]) -> pl.DataFrame:
    codes = [name for name, dtype in rows.schema.items() if dtype == pl.Categorical]
    days = [pl.col(name).cast(pl.Int32).cast(pl.Date) for name in dates]
    return rows.with_columns(*days, *[pl.col(name).cast(pl.String) for name in codes])


def _has_stored(frame: Frame) -> bool:
    return STORED in frame.collect_schema().names()


def _spark():  # type: ignore[no-untyped-def]
    """The Spark side, loaded when it is asked for: pyspark is an extra."""
    from features import spark

    return spark
