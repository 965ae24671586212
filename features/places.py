"""On which snapshots a fact is alive: days become places, and facts of the same places become one row.

Every fact row is alive on a half-open interval of dates:

    start = max(known_on, happened_on)      it is known, and its date has come
    end   = known_on of the next version    a correction takes its place (null: the last version)

``place`` is the position of a snapshot in the ascending list of ``as_of`` days; a fact whose time comes after the last
snapshot has place ``len(as_of)`` and counts nowhere. Events, which nothing corrects, have no column ``end``: they stand
for ever.

    lifetimes    rows → start and end
    spans        rows → the places ``[first, beyond)`` on which they hold
    condensed    rows → sums by person over all rows that enter and leave every window together
    unfold       places → one row per snapshot
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import narwhals.stable.v2 as nw

from features import engine
from features.engine import Frame

FEWEST_SPANS = 10
"""Parts of events are added up once more where there are not so many stretches of days to each of them: a cut between
two parts divides one stretch at the most, and a second grouping of millions of rows to join a few does not pay."""


@dataclass(frozen=True)
class Snapshots:
    """The days that are asked about, ascending, and how many events fell on which day (empty: who knows)."""

    as_of: tuple[int, ...]
    crowd: tuple[tuple[int, int], ...] = ()

    @property
    def n(self) -> int:
        return len(self.as_of)

    @property
    def begins(self) -> int | None:
        """No event happened before this day."""
        return self.crowd[0][0] if self.crowd else None


def calendar(as_of: Sequence[int], *, beside: Frame) -> Frame:
    """One row per day from the first snapshot to the day after the last: the place of the snapshot that sees it."""
    days = range(as_of[0], as_of[-1] + 2)
    places = [bisect_left(as_of, day) for day in days]
    return engine.table({"day": list(days), "place": places}, {"day": "int", "place": "int"}, beside=beside)


def placed(frame: Frame, as_of: Sequence[int], name: str, day: nw.Expr) -> Frame:
    """``name`` = place of the first snapshot on or after ``day``; null days (never) lie beyond the last."""
    beyond = as_of[-1] + 1
    days = calendar(as_of, beside=frame).rename({"day": "_day", "place": name})
    inside = day.fill_null(beyond).clip(as_of[0], beyond).cast(nw.Int64)
    return frame.with_columns(inside.alias("_day")).join(days, on="_day", how="left").drop("_day")


def lifetimes(facts: Frame, key: Sequence[str], *, starts: str = "happened_on") -> Frame:
    """Facts with ``start`` and, where there is a key, ``end``: the days on which each version is alive.

    ``starts`` names the date before which a fact does not count, even when it is known ahead of it; pass
    ``known_on`` for facts that matter as soon as they are known (a notice). Of two versions known on the same day
    the later arrival wins at once: the other one ends on the day it starts.
    """
    begun = facts.with_columns(nw.max_horizontal("known_on", starts).alias("start"))
    if not key:
        return begun
    counted = begun.with_columns(nw.len().over(*key).alias("_versions"))
    corrected = counted.filter(nw.col("_versions") > 1).with_columns(
        nw.col("known_on").shift(-1).over(*key, order_by=["known_on", "_seq"]).alias("end")
    )
    single = counted.filter(nw.col("_versions") == 1).with_columns(nw.lit(None, dtype=nw.Int64).alias("end"))
    return nw.concat([single, corrected]).drop("_versions")


def lasting(facts: Frame) -> bool:
    """Events: nothing corrects them."""
    return "end" not in facts.collect_schema().names()


def spans(facts: Frame, as_of: Sequence[int], start: nw.Expr, *, window: int | None = None) -> Frame:
    """Facts that at least one snapshot sees, with the places ``first`` and ``beyond`` of their interval.

    ``window``: they count for so many days from ``happened_on`` on at the most.
    """
    seen = facts.filter(start <= as_of[-1])
    if window is not None:
        seen = engine.since(seen, as_of[0] - window + 1)
    seen = placed(seen, as_of, "first", start)
    forever = lasting(facts)
    if window is None and forever:
        return seen.with_columns(nw.lit(len(as_of), dtype=nw.Int64).alias("beyond"))
    stop = nw.col("end") if window is None else nw.col("happened_on") + window
    if window is not None and not forever:
        stop = nw.when(nw.col("end").is_null()).then(stop).otherwise(nw.min_horizontal(stop, "end"))
    return placed(seen, as_of, "beyond", stop).filter(nw.col("beyond") > nw.col("first"))


def condensed(
    facts: Frame, when: Snapshots, keys: Sequence[str], windows: Sequence[int], amounts: Mapping[str, nw.Expr]
) -> Frame:
    """``amounts`` added up over the facts of the same ``keys`` that enter, and leave every window, at the same places.

    Columns: ``keys``, ``first``, ``beyond`` (a correction), ``stop<d>`` (the place where a window of ``d`` days lets go
    of the fact) and the amounts. Facts that are too old for every window on the first snapshot are left out: a month
    more reads the months that its windows reach. A fact's places are one whole number while it is grouped: the many
    rows stay narrow and make few groups. Events come in parts that fit into memory.
    """
    as_of, n, windows = when.as_of, len(when.as_of), sorted(windows)
    days, stops, n_spans = _stops(as_of, windows, beside=facts)
    near = engine.since(facts, as_of[0] - windows[-1] + 1).filter(nw.col("start") <= as_of[-1])
    cell = (nw.col("first") * (n + 1) + nw.col("beyond")) * n_spans + nw.col("_span")
    day = nw.col("happened_on").clip(None, as_of[-1] + 1)
    bits = ((n + 1) * (n + 1) * n_spans).bit_length()
    parts = []
    crowd = [(day, n_events) for day, n_events in when.crowd if day > as_of[0] - windows[-1]]
    for part in engine.stretches(near, crowd) if lasting(facts) else [near]:
        seen = spans(part, as_of, nw.col("start")).with_columns(day.alias("_day")).join(days, on="_day", how="left")
        cells = seen.select(*keys, cell.alias("_cell"), *[value.alias(name) for name, value in amounts.items()])
        parts.append(engine.added_up(cells, keys, "_cell", bits=bits, sums=list(amounts)))
    every = nw.concat([engine.held(part) for part in parts]) if len(parts) > 1 else parts[0]
    if len(parts) > 1 and n_spans < FEWEST_SPANS * len(parts):
        every = engine.added_up(every, keys, "_cell", bits=bits, sums=list(amounts))
    told = every.with_columns(
        (nw.col("_cell") % n_spans).alias("_span"),
        (nw.col("_cell") // n_spans % (n + 1)).alias("beyond"),
        (nw.col("_cell") // (n_spans * (n + 1))).alias("first"),
    )
    told = told.join(stops, on="_span", how="left").drop("_cell", "_span")
    inside = [nw.max_horizontal(nw.min_horizontal(f"stop{d}", "beyond"), "first").alias(f"stop{d}") for d in windows]
    return engine.held(told.with_columns(*inside))


def first_days(facts: Frame, when: Snapshots, days: Mapping[str, nw.Expr]) -> Frame:
    """Per snapshot the smallest of each of ``days`` (null: says nothing) over the facts alive: ``place``, ``days``.

    Events are looked through without their people.
    """
    named = [value.alias(name) for name, value in days.items()]
    smallest = [nw.col(name).min() for name in days]
    as_of, n, forever = when.as_of, len(when.as_of), lasting(facts)
    if forever:
        early = engine.smallest(facts.filter(nw.col("start") <= as_of[0]), days, begins=when.begins)
        facts = engine.undercutting(facts.filter(nw.col("start") > as_of[0]), early)
    told = spans(facts, as_of, nw.col("start")).select("first", "beyond", *named)
    told = told.group_by("first", "beyond").agg(*smallest)
    if forever:
        early = early.with_columns(
            nw.lit(0, dtype=nw.Int64).alias("first"), nw.lit(n, dtype=nw.Int64).alias("beyond")
        ).select("first", "beyond", *days)
        told = early if n == 1 else nw.concat([early, told])
    return engine.held(unfold(told, n).group_by("place").agg(*smallest))


def unfold(frame: Frame, n: int) -> Frame:
    """One row per place in ``[first, beyond)``: a fact repeated for every snapshot on which it holds."""
    pairs = [(length, offset) for length in range(1, n + 1) for offset in range(length)]
    offsets = engine.table(
        {"_length": [length for length, _ in pairs], "_offset": [offset for _, offset in pairs]},
        {"_length": "int", "_offset": "int"},
        beside=frame,
    )
    return (
        frame.with_columns((nw.col("beyond") - nw.col("first")).alias("_length"))
        .join(offsets, on="_length", how="inner")
        .with_columns((nw.col("first") + nw.col("_offset")).alias("place"))
        .drop("_length", "_offset", "first", "beyond")
    )


def _stops(as_of: Sequence[int], windows: Sequence[int], *, beside: Frame) -> tuple[Frame, Frame, int]:
    """Day → span and span → ``stop<d>``, the place where a fact of that day leaves each window; and how many spans."""
    days = range(as_of[0] - windows[-1] + 1, as_of[-1] + 2)
    stops = [tuple(bisect_left(as_of, day + window) for window in windows) for day in days]
    span_of = {stop: i for i, stop in enumerate(dict.fromkeys(stops))}
    of_day = engine.table(
        {"_day": list(days), "_span": [span_of[stop] for stop in stops]}, {"_day": "int", "_span": "int"}, beside=beside
    )
    columns = {"_span": list(span_of.values())}
    columns |= {f"stop{window}": [stop[i] for stop in span_of] for i, window in enumerate(windows)}
    return of_day, engine.table(columns, dict.fromkeys(columns, "int"), beside=beside), len(span_of)
