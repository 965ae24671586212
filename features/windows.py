"""What a fact says on which snapshot: sums over windows, the latest value, the pairs that are in touch.

Every fact row is alive on a half-open interval of dates:

    start = max(known_on, happened_on)      it is known, and its date has come
    end   = known_on of the next version    a correction takes its place (never, for the last version)

and counts towards a window of ``d`` days for the snapshots in ``[start, min(happened_on + d, end))``:

    happened 1 May, known 8 May, window 30 d       ------1-------8=================31------>  as_of
                                                         happened start              stop

So a row adds its value at the first snapshot on or after ``start`` and takes it back at the first on or after the
stop; one cumulative sum over a person's snapshots gives every window. The cost does not grow with the number of
snapshots or of windows times facts, and nothing that is known after a snapshot can touch it.

Values are added as whole millionths (Int64): whole numbers add up to the same bytes in any order, and what was added
is taken back exactly, which floats would not do. ``place`` is the position of a snapshot in the ascending list of
``as_of`` days; a fact whose time comes after the last snapshot has place ``len(as_of)`` and counts nowhere.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import narwhals.stable.v2 as nw

from features import engine
from features.engine import Frame, quotient

MILLION = 1_000_000
LARGEST = 1e11
"""Values beyond this are cut off, so that a thousand of them still add up within 64 bits."""
_EVERY = "_every"
_LATEST = 1 << 17
"""Day numbers lie within this of 1970 (359 years), so that two of them fit into one whole number."""
FEWEST_OTHERS = 2
"""A comparison with colleagues needs at least so many others who have a value."""


@dataclass(frozen=True)
class Spine:
    """The rows that are asked for and the dates they stand on.

    ``rows`` has one row per (employee_id, place) at risk with ``as_of`` and ``hired_on`` as day numbers; ``as_of``
    is the ascending tuple of snapshot days.
    """

    as_of: tuple[int, ...]
    rows: Frame

    @property
    def n(self) -> int:
        return len(self.as_of)


@dataclass(frozen=True)
class Measure:
    """What is added up: ``value`` is null where a fact says nothing; ``windows`` are days looked back over.

    ``whole``: every fact has a value, and it is a whole number: it is added as it is, and counted once for all such.
    """

    name: str
    value: nw.Expr
    windows: tuple[int, ...]
    whole: bool = False


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
    """Facts with ``start`` and ``end``: the days on which each version is alive, ``end`` null for the last version.

    ``starts`` names the date before which a fact does not count, even when it is known ahead of it; pass
    ``known_on`` for facts that matter as soon as they are known (a notice). Of two versions known on the same day
    the later arrival wins at once: the other one ends on the day it starts.
    """
    begun = facts.with_columns(nw.max_horizontal("known_on", starts).alias("start"))
    if not key:
        return begun.with_columns(nw.lit(None, dtype=nw.Int64).alias("end"))
    counted = begun.with_columns(nw.len().over(*key).alias("_versions"))
    corrected = counted.filter(nw.col("_versions") > 1).with_columns(
        nw.col("known_on").shift(-1).over(*key, order_by=["known_on", "_seq"]).alias("end")
    )
    single = counted.filter(nw.col("_versions") == 1).with_columns(nw.lit(None, dtype=nw.Int64).alias("end"))
    return nw.concat([single, corrected]).drop("_versions")


def daily(facts: Frame, keys: Sequence[str], amounts: Mapping[str, nw.Expr]) -> Frame:
    """Events (facts that nothing corrects) of one day added up: a row per ``keys``, day and day of being known.

    The cheap first step when many events fall on a day; and a day counts once, however much happened on it. The rows
    have no ``end``: they stand for ever.
    """
    both = ((nw.col("happened_on") + _LATEST) * (2 * _LATEST) + nw.col("known_on") + _LATEST).alias("_dates")
    added = []
    for part in engine.stretches(facts):
        named = part.select(*keys, both, *[value.alias(name) for name, value in amounts.items()])
        added.append(engine.held(engine.added_up(named, keys, "_dates", bits=36, sums=list(amounts))))
    happened, known = nw.col("_dates") // (2 * _LATEST) - _LATEST, nw.col("_dates") % (2 * _LATEST) - _LATEST
    dated = nw.concat(added).with_columns(happened.alias("happened_on"), known.alias("known_on")).drop("_dates")
    return engine.held(dated.with_columns(nw.max_horizontal("happened_on", "known_on").alias("start")))


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


def history(facts: Frame, as_of: Sequence[int], *, window: int | None = None, delay: int = 0) -> Frame:
    """Every version alive on a snapshot, once per snapshot (column ``place``): for tables of few rows a person.

    ``window`` keeps the facts of the last so many days; ``delay`` tells what was in force so many days before the
    snapshot, as known on the snapshot.
    """
    start = nw.max_horizontal("start", nw.col("happened_on") + delay) if delay else nw.col("start")
    stop = nw.col("end") if window is None else _earlier(nw.col("happened_on") + window, nw.col("end"))
    return unfold(_placed_spans(facts, as_of, start, stop), len(as_of))


def latest(facts: Frame, as_of: Sequence[int], by: Sequence[str], *, delay: int = 0) -> Frame:
    """On each snapshot the fact with the largest (happened_on, known_on, _seq) of those alive; one per ``by``.

    Filter ``facts`` to those that say something first.
    """
    start = nw.max_horizontal("start", nw.col("happened_on") + delay) if delay else nw.col("start")
    order = ["happened_on", "known_on", "_seq"]
    spans = _placed_spans(facts, as_of, start, nw.col("end")).with_columns(nw.lit(1, dtype=nw.Int64).alias("_rank"))
    ranked = spans.with_columns(nw.col("_rank").cum_sum().over(*by, order_by=order))
    rows = unfold(_until_replaced(ranked, by, "_rank", len(as_of)), len(as_of))
    best = rows.with_columns(nw.col("_rank").max().over(*by, "place").alias("_best"))
    return best.filter(nw.col("_rank") == nw.col("_best")).drop("_rank", "_best", "start", "end")


def last_day(facts: Frame, as_of: Sequence[int], by: Sequence[str]) -> Frame:
    """On each snapshot the latest ``happened_on`` of the facts alive: ``by``, ``place``, ``last_day``."""
    spans = _placed_spans(facts, as_of, nw.col("start"), nw.col("end"))
    spans = spans.group_by(*by, "first", "beyond").agg(nw.col("happened_on").max().alias("last_day"))
    rows = unfold(_until_replaced(spans, by, "last_day", len(as_of)), len(as_of))
    return rows.group_by(*by, "place").agg(nw.col("last_day").max())


def contacts(facts: Frame, as_of: Sequence[int], by: Sequence[str], *, window: int) -> Frame:
    """The distinct ``by`` that occur in the window before each snapshot: one row per (``by``, place).

    The spans of a pair may overlap; each is trimmed to what the earlier ones did not cover, so nothing counts twice.
    """
    stop = _earlier(nw.col("happened_on") + window, nw.col("end"))
    spans = _placed_spans(facts, as_of, nw.col("start"), stop).group_by(*by, "first").agg(nw.col("beyond").max())
    covered = nw.col("beyond").cum_max().over(*by, order_by=["first"])
    spans = spans.with_columns(covered.alias("_covered"))
    before = nw.col("_covered").shift(1).over(*by, order_by=["first"])
    spans = spans.with_columns(nw.max_horizontal("first", before.fill_null(0)).alias("first")).drop("_covered")
    return unfold(spans.filter(nw.col("beyond") > nw.col("first")), len(as_of))


def window_sums(spine: Spine, facts: Frame, measures: Sequence[Measure], *, by: Sequence[str] = ()) -> Frame:
    """The spine rows with, per measure and window, ``<name>_<d>d_sum``, ``<name>_<d>d_n`` and ``<name>_from``.

    ``_n`` counts the facts that say something, ``_from`` is the first day on which anybody had such a fact, as known
    on the snapshot (null: the feed does not exist yet). Read them with ``total``, ``mean``, ``change`` and ``ratio``.
    ``by`` lists further keys beside the person (a counterpart); the spine must carry them.
    """
    keys = ["employee_id", *by]
    windows = sorted({window for measure in measures for window in measure.windows})
    told = _together(spine, facts, keys, measures)
    feeds = _feeds(told, spine.n, measures)
    lasting = told.filter(nw.col(f"stop{windows[-1]}") > nw.col("first"))
    wanted = lasting.join(spine.rows.select(*keys).unique(), on=keys, how="semi")
    running = _running([*_moves(wanted, keys, measures), spine.rows.select(*keys, "place")], keys, spine.n)
    read = [
        told_.alias(f"{measure.name}_{window}d_{part}")
        for measure in measures
        for window in measure.windows
        for part, told_ in _standing(measure, window).items()
    ]
    sums = running.select(*keys, "place", *read)
    rows = spine.rows.select(*keys, "place", "as_of", "hired_on").join(sums, on=[*keys, "place"], how="left")
    begun = [nw.col(f"{_EVERY}_from").alias(f"{measure.name}_from") for measure in measures if measure.whole]
    return engine.held(rows.join(feeds, on="place", how="left").with_columns("place", *begun))


def _standing(measure: Measure, window: int) -> dict[str, nw.Expr]:
    """``sum`` and ``n`` of a window: what has come in less what has gone out."""
    counted, unit = (_EVERY, MILLION) if measure.whole else (measure.name, 1)
    summed = nw.col(f"{measure.name}_sum_in") - nw.col(f"{measure.name}_sum_out{window}")
    return {
        "sum": summed * unit,
        "n": nw.col(f"{counted}_n_in") - nw.col(f"{counted}_n_out{window}"),
    }


def total(name: str, window: int) -> nw.Expr:
    """The sum over the window; null unless the feed covers it (or all of the person's time, if that is shorter)."""
    return nw.when(_covered(name, window)).then(units(nw.col(f"{name}_{window}d_sum")))


def seen(name: str, window: int) -> nw.Expr:
    """How many facts say something in the window; null unless the feed covers it."""
    return nw.when(_covered(name, window)).then(nw.col(f"{name}_{window}d_n").cast(nw.Float64))


def mean(name: str, window: int) -> nw.Expr:
    """The mean of the facts in the window; null when there is none. A mean needs no full coverage."""
    count = nw.col(f"{name}_{window}d_n")
    return nw.when(count > 0).then(quotient(units(nw.col(f"{name}_{window}d_sum")), count))


def known_total(name: str, window: int) -> nw.Expr:
    """``total`` for records that are kept on everybody (attendance): null when the person has none in the window."""
    return nw.when(nw.col(f"{name}_{window}d_n") > 0).then(total(name, window))


def change(name: str, recent: int, window: int) -> nw.Expr:
    """Mean of the last ``recent`` days minus the mean of the rest of ``window``; null when one side is empty."""
    earlier_n = nw.col(f"{name}_{window}d_n") - nw.col(f"{name}_{recent}d_n")
    earlier = units(nw.col(f"{name}_{window}d_sum") - nw.col(f"{name}_{recent}d_sum"))
    return nw.when(earlier_n > 0).then(mean(name, recent) - quotient(earlier, earlier_n))


def ratio(name: str, recent: int, window: int, *, least_days: int = 60) -> nw.Expr:
    """How much happened in the last ``recent`` days against the person's own rate in the rest of ``window``.

    (recent + 1) / (expected + 1), where expected is the earlier rate per day times ``recent``: 1 = as usual, and a
    single event does not make an explosion. The earlier days are those with the feed and the person both there; with
    fewer than ``least_days`` of them there is no own rate yet (null).
    """
    begins = nw.max_horizontal(nw.col("as_of") - window + 1, "hired_on", f"{name}_from")
    days = nw.col("as_of") - recent + 1 - begins
    now = units(nw.col(f"{name}_{recent}d_sum"))
    before = units(nw.col(f"{name}_{window}d_sum") - nw.col(f"{name}_{recent}d_sum"))
    usual = quotient(now + 1.0, quotient(before * float(recent), days) + 1.0)
    return nw.when(~nw.col(f"{name}_from").is_null(), days >= least_days).then(usual)


def others_mean(value: nw.Expr, groups: Sequence[str], *, fewest: int = FEWEST_OTHERS) -> nw.Expr:
    """Mean of ``value`` over the *others* of the group on the same snapshot; null in an unknown group or among few.

    Taken over everybody at risk, so a person's row does not depend on who else was asked for.
    """
    group = ["place", *groups]
    mine = fixed(value)
    known = (~value.is_null()).cast(nw.Int64)
    others = known.sum().over(*group) - known
    summed = mine.sum().over(*group) - mine.fill_null(0)
    grouped = reduce(lambda a, b: a & b, [~nw.col(name).is_null() for name in groups], nw.lit(True))
    return nw.when(grouped & (others >= fewest)).then(quotient(units(summed), others))


def fixed(value: nw.Expr) -> nw.Expr:
    """The value in whole millionths, so that sums are exact in any order."""
    return (value.cast(nw.Float64).clip(-LARGEST, LARGEST) * MILLION).round(0).cast(nw.Int64)


def units(millionths: nw.Expr) -> nw.Expr:
    """Whole millionths as a number again."""
    return quotient(millionths, float(MILLION))


def _together(spine: Spine, facts: Frame, keys: Sequence[str], measures: Sequence[Measure]) -> Frame:
    """Facts that a snapshot sees, those that begin and stop at the same places added up.

    Places: ``first``, ``beyond`` (a correction) and ``stop<d>`` (a window). Per measure: ``_sum``, ``_n`` and the
    first day ``_from``. A fact's places are one whole number while it is grouped, and facts too old for every window
    lose their person (they only say since when there is a feed): the many rows stay narrow and make few groups.
    """
    as_of, n = spine.as_of, spine.n
    windows = sorted({window for measure in measures for window in measure.windows})
    days, spans, n_spans = _spans(as_of, windows, beside=facts)
    seen_ = placed(facts, as_of, "_first", nw.col("start")).filter(nw.col("_first") < n)
    if "end" in facts.collect_schema().names():
        seen_ = placed(seen_, as_of, "_beyond", nw.col("end")).filter(nw.col("_beyond") > nw.col("_first"))
    else:
        seen_ = seen_.with_columns(nw.lit(n, dtype=nw.Int64).alias("_beyond"))
    earliest, latest_ = as_of[0] - windows[-1], as_of[-1] + 1
    seen_ = seen_.with_columns(nw.col("happened_on").clip(earliest, latest_).alias("_day"))
    cell = (nw.col("_first") * (n + 1) + nw.col("_beyond")) * n_spans + nw.col("_span")
    within = nw.col("happened_on") > earliest
    whose = [nw.when(within).then(nw.col(key)).alias(key) for key in keys]
    cells = seen_.join(days, on="_day", how="left").select(*whose, cell.alias("_cell"), *_amounts(measures))
    first_days = [f"{name}_from" for name in _counted(measures)]
    bits = (n * (n + 1) * n_spans + (n + 1) * n_spans).bit_length()
    together = engine.added_up(cells, keys, "_cell", bits=bits, sums=_added(measures), firsts=first_days)
    told = together.with_columns(
        (nw.col("_cell") % n_spans).alias("_span"),
        (nw.col("_cell") // n_spans % (n + 1)).alias("beyond"),
        (nw.col("_cell") // (n_spans * (n + 1))).alias("first"),
    )
    told = told.join(spans, on="_span", how="left").drop("_cell", "_span")
    stops = [nw.max_horizontal(nw.min_horizontal(f"stop{d}", "beyond"), "first").alias(f"stop{d}") for d in windows]
    return engine.held(told.with_columns(*stops))


def _spans(as_of: Sequence[int], windows: Sequence[int], *, beside: Frame) -> tuple[Frame, Frame, int]:
    """Day → span and span → ``stop<d>``, the place where a fact of that day leaves each window; and how many spans."""
    days = range(as_of[0] - windows[-1], as_of[-1] + 2)
    stops = [tuple(bisect_left(as_of, day + window) for window in windows) for day in days]
    span_of = {stop: i for i, stop in enumerate(dict.fromkeys(stops))}
    of_day = engine.table(
        {"_day": list(days), "_span": [span_of[stop] for stop in stops]}, {"_day": "int", "_span": "int"}, beside=beside
    )
    columns = {"_span": list(span_of.values())}
    columns |= {f"stop{window}": [stop[i] for stop in span_of] for i, window in enumerate(windows)}
    return of_day, engine.table(columns, dict.fromkeys(columns, "int"), beside=beside), len(span_of)


def _amounts(measures: Sequence[Measure]) -> list[nw.Expr]:
    """What a fact adds to each measure: ``_sum`` in whole millionths, ``_n`` (says something), ``_from`` (the day)."""
    read = [nw.lit(1, dtype=nw.Int64).alias(f"{_EVERY}_n"), nw.col("happened_on").alias(f"{_EVERY}_from")]
    for measure in measures:
        if measure.whole:
            read.append(measure.value.cast(nw.Int64).alias(f"{measure.name}_sum"))
            continue
        says = ~measure.value.is_null()
        read.append(fixed(measure.value).fill_null(0).alias(f"{measure.name}_sum"))
        read.append(says.cast(nw.Int64).alias(f"{measure.name}_n"))
        read.append(nw.when(says).then(nw.col("happened_on")).alias(f"{measure.name}_from"))
    return read


def _counted(measures: Sequence[Measure]) -> list[str]:
    """The names under which facts are counted and dated: whole measures share one."""
    own = [measure.name for measure in measures if not measure.whole]
    return [*own, _EVERY] if any(measure.whole for measure in measures) else own


def _added(measures: Sequence[Measure], window: int | None = None) -> list[str]:
    """The columns that are added up: of all measures, or of those that look back over ``window``."""
    wanted = [measure for measure in measures if window is None or window in measure.windows]
    return [f"{measure.name}_sum" for measure in wanted] + [f"{name}_n" for name in _counted(wanted)]


def _feeds(told: Frame, n: int, measures: Sequence[Measure]) -> Frame:
    """Per snapshot and measure the first day on which anybody had a fact of it, as known then (``<name>_from``)."""
    names = [f"{name}_from" for name in _counted(measures)]
    spans = told.group_by("first", "beyond").agg(*[nw.col(name).min() for name in names])
    return unfold(spans, n).group_by("place").agg(*[nw.col(name).min() for name in names])


def _moves(told: Frame, keys: Sequence[str], measures: Sequence[Measure]) -> list[Frame]:
    """What is added (``…_in``) and taken back (``…_out<d>``) at which place, per person."""
    added = told.group_by(*keys, "first").agg(*[nw.col(a).sum().alias(f"{a}_in") for a in _added(measures)])
    moves = [added.rename({"first": "place"})]
    for window in sorted({window for measure in measures for window in measure.windows}):
        amounts = [nw.col(a).sum().alias(f"{a}_out{window}") for a in _added(measures, window)]
        taken = told.group_by(*keys, f"stop{window}").agg(*amounts)
        moves.append(taken.rename({f"stop{window}": "place"}))
    return moves


def _running(moves: Sequence[Frame], keys: Sequence[str], n: int) -> Frame:
    """Cumulative amounts per person and place."""
    together = nw.concat(list(moves), how="diagonal").filter(nw.col("place") < n)
    amounts = [name for name in together.collect_schema().names() if name not in {*keys, "place"}]
    summed = together.group_by(*keys, "place").agg(*[nw.col(name).sum() for name in amounts])
    return summed.with_columns(nw.col(amounts).cum_sum().over(*keys, order_by=["place"]))


def _placed_spans(facts: Frame, as_of: Sequence[int], start: nw.Expr, stop: nw.Expr) -> Frame:
    """Facts that at least one snapshot sees, with the places ``first`` and ``beyond`` of their interval."""
    spans = placed(facts, as_of, "first", start).filter(nw.col("first") < len(as_of))
    return placed(spans, as_of, "beyond", stop).filter(nw.col("beyond") > nw.col("first"))


def _until_replaced(spans: Frame, by: Sequence[str], order: str, n: int) -> Frame:
    """``beyond`` cut where a fact with a larger ``order`` comes to stay: from there on this one is of no use.

    Only facts that are never corrected cut others short; the corrected ones in between have to be compared snapshot
    by snapshot, because a correction can take a value away again and bring an older one back.
    """
    stays = nw.when(nw.col("beyond") == n).then(nw.col("first")).otherwise(nw.lit(n, dtype=nw.Int64))
    spans = spans.with_columns(stays.alias("_stays"))
    spans = spans.with_columns(nw.col("_stays").cum_min(reverse=True).over(*by, order_by=[order]))
    later = nw.col("_stays").shift(-1).over(*by, order_by=[order]).fill_null(n)
    cut = spans.with_columns(nw.min_horizontal("beyond", later).alias("beyond")).drop("_stays")
    return cut.filter(nw.col("beyond") > nw.col("first"))


def _earlier(day: nw.Expr, end: nw.Expr) -> nw.Expr:
    return nw.when(end.is_null()).then(day).otherwise(nw.min_horizontal(day, end))


def _covered(name: str, window: int) -> nw.Expr:
    return nw.max_horizontal(nw.col("as_of") - window + 1, "hired_on") >= nw.col(f"{name}_from")
