"""What a fact says on which snapshot: sums over windows, the latest value, the pairs that are in touch.

A fact is alive on ``[start, end)`` (``features.places``) and counts towards a window of ``d`` days for the snapshots in
``[start, min(happened_on + d, end))``:

    happened 1 May, known 8 May, window 30 d       ------1-------8=================31------>  as_of
                                                         happened start              stop

So a row adds its value at the first snapshot on or after ``start`` and takes it back at the first on or after the
stop; one cumulative sum over a person's snapshots gives every window. The cost does not grow with the number of
snapshots or of windows times facts, and nothing that is known after a snapshot can touch it. Facts that are too old
for every window on the first snapshot are not read.

Values are added as whole numbers (Int64), fractions in millionths: whole numbers add up to the same bytes in any order,
and what was added is taken back exactly, which floats would not do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import narwhals.stable.v2 as nw

from features import engine
from features.engine import Frame, quotient
from features.places import Snapshots, condensed, first_days, lasting, spans, unfold

MILLION = 1_000_000
LARGEST = 1e11
"""Values beyond this are cut off, so that a thousand of them still add up within 64 bits."""
FEWEST_OTHERS = 2
"""A comparison with colleagues needs at least so many others who have a value."""


@dataclass(frozen=True)
class Spine:
    """The rows that are asked for and the days they stand on.

    ``rows`` has one row per (employee_id, place) at risk with ``as_of`` and ``hired_on`` as day numbers.
    """

    when: Snapshots
    rows: Frame


@dataclass(frozen=True)
class Measure:
    """What is added up: ``value`` is null where a fact says nothing; ``windows`` are days looked back over.

    ``whole``: the value is a whole number and is added as it is. ``counted``: False where nobody asks how many facts
    said something (``mean``, ``seen``, ``change`` and ``known_total`` do).
    """

    name: str
    value: nw.Expr
    windows: tuple[int, ...]
    whole: bool = False
    counted: bool = True

    @property
    def parts(self) -> tuple[str, ...]:
        return (f"{self.name}_sum", f"{self.name}_n") if self.counted else (f"{self.name}_sum",)


def history(facts: Frame, as_of: Sequence[int], *, window: int | None = None, delay: int = 0) -> Frame:
    """Every version alive on a snapshot, once per snapshot (column ``place``): for tables of few rows a person.

    ``window`` keeps the facts of the last so many days; ``delay`` tells what was in force so many days before the
    snapshot, as known on the snapshot.
    """
    start = nw.max_horizontal("start", nw.col("happened_on") + delay) if delay else nw.col("start")
    return unfold(spans(facts, as_of, start, window=window), len(as_of))


def latest(facts: Frame, as_of: Sequence[int], by: Sequence[str], *, delay: int = 0) -> Frame:
    """On each snapshot the fact with the largest (happened_on, known_on, _seq) of those alive; one per ``by``.

    Filter ``facts`` to those that say something first.
    """
    start = nw.max_horizontal("start", nw.col("happened_on") + delay) if delay else nw.col("start")
    order = ["happened_on", "known_on", "_seq"]
    alive = spans(facts, as_of, start).with_columns(nw.lit(1, dtype=nw.Int64).alias("_rank"))
    ranked = alive.with_columns(nw.col("_rank").cum_sum().over(*by, order_by=order))
    rows = unfold(_until_replaced(ranked, by, "_rank", len(as_of)), len(as_of))
    best = rows.with_columns(nw.col("_rank").max().over(*by, "place").alias("_best"))
    return best.filter(nw.col("_rank") == nw.col("_best")).drop("_rank", "_best", "start", "end", strict=False)


def last_day(facts: Frame, as_of: Sequence[int], by: Sequence[str]) -> Frame:
    """On each snapshot the latest ``happened_on`` of the facts alive: ``by``, ``place``, ``last_day``."""
    alive = spans(facts, as_of, nw.col("start"))
    if lasting(facts):
        days = alive.select(*by, "first", nw.col("happened_on").alias("last_day"))
        bits = len(as_of).bit_length()
        alive = engine.added_up(days, by, "first", bits=bits, sums=[], largest=["last_day"])
        alive = alive.with_columns(nw.lit(len(as_of), dtype=nw.Int64).alias("beyond"))
    else:
        alive = alive.group_by(*by, "first", "beyond").agg(nw.col("happened_on").max().alias("last_day"))
    rows = unfold(_until_replaced(alive, by, "last_day", len(as_of)), len(as_of))
    return rows.group_by(*by, "place").agg(nw.col("last_day").max())


def contacts(facts: Frame, as_of: Sequence[int], by: Sequence[str], *, window: int) -> Frame:
    """The distinct ``by`` that occur in the window before each snapshot: one row per (``by``, place).

    The spans of a pair may overlap; each is trimmed to what the earlier ones did not cover, so nothing counts twice.
    """
    met = spans(facts, as_of, nw.col("start"), window=window).group_by(*by, "first").agg(nw.col("beyond").max())
    covered = nw.col("beyond").cum_max().over(*by, order_by=["first"])
    met = met.with_columns(covered.alias("_covered"))
    before = nw.col("_covered").shift(1).over(*by, order_by=["first"])
    met = met.with_columns(nw.max_horizontal("first", before.fill_null(0)).alias("first")).drop("_covered")
    return unfold(met.filter(nw.col("beyond") > nw.col("first")), len(as_of))


def window_sums(spine: Spine, facts: Frame, measures: Sequence[Measure], *, by: Sequence[str] = ()) -> Frame:
    """The spine rows with, per measure and window, ``<name>_<d>d_sum``, ``<name>_<d>d_n`` and ``<name>_from``.

    ``_n`` counts the facts that say something, ``_from`` is the first day on which anybody had such a fact, as known
    on the snapshot (null: the feed does not exist yet). Read them with ``total``, ``mean``, ``change`` and ``ratio``.
    ``by`` lists further keys beside the person (a counterpart); the spine must carry them.
    """
    keys = ["employee_id", *by]
    says = {measure.name: ~measure.value.is_null() for measure in measures}
    began = {f"{name}_from": nw.when(said).then(nw.col("happened_on")) for name, said in says.items()}
    told = _together(spine, facts, keys, measures)
    stops: dict[str, list[str]] = {}
    sums = []
    for measure in measures:
        for window in measure.windows:
            stops.setdefault(f"stop{window}", []).extend(measure.parts)
            for part in measure.parts:
                unit = MILLION if measure.whole and part.endswith("_sum") else 1
                name = f"{measure.name}_{window}d_{part.removeprefix(f'{measure.name}_')}"
                sums.append((nw.col(f"{part}_stop{window}") * unit).alias(name))
    rows = engine.in_force(spine.rows.select(*keys, "place", "as_of", "hired_on"), told, keys, stops)
    rows = rows.select(*keys, "place", "as_of", "hired_on", *sums)
    feeds = first_days(facts, spine.when, began)
    return engine.held(rows.join(feeds, on="place", how="left"))


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
    """Facts within reach of a measure that they say something to, those that enter and leave together added up."""
    reaches = {max(measure.windows) for measure in measures}
    if len(reaches) > 1:
        counts = [
            ~measure.value.is_null() & (nw.col("happened_on") > spine.when.as_of[0] - max(measure.windows))
            for measure in measures
        ]
        facts = facts.filter(nw.any_horizontal(*counts, ignore_nulls=True))
    amounts: dict[str, nw.Expr] = {}
    for measure in measures:
        value = measure.value.clip(-int(LARGEST), int(LARGEST)) if measure.whole else fixed(measure.value)
        amounts[f"{measure.name}_sum"] = value.fill_null(0)
        if measure.counted:
            amounts[f"{measure.name}_n"] = (~measure.value.is_null()).cast(nw.Int64)
    told = condensed(facts, spine.when, keys, sorted({d for measure in measures for d in measure.windows}), amounts)
    return told.filter(nw.col(f"stop{max(reaches)}") > nw.col("first"))


def _until_replaced(alive: Frame, by: Sequence[str], order: str, n: int) -> Frame:
    """``beyond`` cut where a fact with a larger ``order`` comes to stay: from there on this one is of no use.

    Only facts that are never corrected cut others short; the corrected ones in between have to be compared snapshot
    by snapshot, because a correction can take a value away again and bring an older one back.
    """
    stays = nw.when(nw.col("beyond") == n).then(nw.col("first")).otherwise(nw.lit(n, dtype=nw.Int64))
    alive = alive.with_columns(stays.alias("_stays"))
    alive = alive.with_columns(nw.col("_stays").cum_min(reverse=True).over(*by, order_by=[order]))
    later = nw.col("_stays").shift(-1).over(*by, order_by=[order]).fill_null(n)
    cut = alive.with_columns(nw.min_horizontal("beyond", later).alias("beyond")).drop("_stays")
    return cut.filter(nw.col("beyond") > nw.col("first"))


def _covered(name: str, window: int) -> nw.Expr:
    return nw.max_horizontal(nw.col("as_of") - window + 1, "hired_on") >= nw.col(f"{name}_from")
