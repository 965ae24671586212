"""Did a policy help that began on a day in some departments and later, or never, in others?

    before ----(mean of each unit's own past)----] start ----(each month after)----
    effect = what changed in the units that started - what changed meanwhile in those that had not (yet)

Each starting month is compared with units that had not started by then, and the comparisons are averaged (group-time
effects: Callaway & Sant'Anna 2021, J Econometrics 225:200). Units that started earlier never serve as controls, as they
do in a two-way fixed-effects regression, where effects that grow or fade come out with a wrong sign (Goodman-Bacon
2021, J Econometrics 225:254). Errors are those of whole units. The rates of units must have moved alike before: the
pre-trend says so, as far as it can see; a policy that started *because* exits rose is not evaluated by this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.stats import t as student

from features.errors import FixableError
from training.effect_checks import DETECTABLE

FEWEST_BEFORE, FEWEST_UNITS = 3, 3
MOST_AFTER = 12
"""Periods after the start that are looked at."""


@dataclass(frozen=True)
class Point:
    """The effect ``period`` periods after the start (negative: before it), with its 95 % interval."""

    period: int
    value: float
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class EventStudy:
    """``overall``: mean over the periods after the start; ``points``: one per period; ``trend``: change per period of
    the gap before the start with its p-value (small: the units moved apart before anything began)."""

    overall: Point
    points: tuple[Point, ...]
    trend: float
    trend_p: float
    n_started: int
    n_never: int
    detectable: float
    verdict: str
    why: tuple[str, ...]


def event_study(
    panel: pd.DataFrame, started: Mapping[str, int], *, higher_is_better: bool = False, most_after: int = MOST_AFTER
) -> EventStudy:
    """Return the effect of a policy from ``panel`` (unit, period, y, n) and the period in which each unit started.

    ``period`` counts whole numbers; ``y`` is a mean or a rate of ``n`` people. A unit that is not in ``started`` never
    did. Raises ``FixableError`` when there is nothing to compare.
    """
    y, n, first = _grid(panel)
    starts = np.array([started.get(str(unit), 10**6) - first for unit in y.index])
    values, weight = y.to_numpy(float), np.nan_to_num(n.to_numpy(float))
    _refuse(starts, values.shape[1], started, set(map(str, y.index)))
    after = [cell for k in range(most_after) if (cell := _cell(values, weight, starts, k)) is not None]
    if not after:
        raise FixableError("No unit that started can be compared.", ["it takes units that had not started by then"])
    before = [cell for k in range(-most_after, 0) if (cell := _cell(values, weight, starts, k)) is not None]
    n_started, n_never = int((starts < values.shape[1]).sum()), int((starts >= values.shape[1]).sum())
    freedom = max(min(n_started, len(starts) - n_started if n_never else n_started) - 1, 1)
    share = np.array([cell.weight for cell in after])
    share = share / share.sum()
    value = float(share @ np.array([cell.value for cell in after]))
    influence = share @ np.stack([cell.influence for cell in after])
    overall = _point(0, value, influence, freedom)
    points = tuple(_point(c.period, c.value, c.influence, freedom) for c in [*before, *after])
    trend, trend_p = _trend(before, freedom)
    detectable = DETECTABLE * overall.error
    word, why = _said(overall, trend_p, n_started, len(starts) - n_started, higher_is_better=higher_is_better)
    return EventStudy(overall, points, trend, trend_p, n_started, n_never, detectable, word, why)


@dataclass(frozen=True)
class _Cell:
    period: int
    value: float
    influence: np.ndarray
    weight: float


def _grid(panel: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    missing = [c for c in ("unit", "period", "y", "n") if c not in panel]
    if missing:
        raise FixableError("The panel lacks columns:", missing)
    first, last = int(panel["period"].min()), int(panel["period"].max())
    y = panel.pivot_table(index="unit", columns="period", values="y").reindex(columns=range(first, last + 1))
    n = panel.pivot_table(index="unit", columns="period", values="n").reindex(columns=range(first, last + 1))
    return y, n, first


def _refuse(starts: np.ndarray, n_periods: int, started: Mapping[str, int], units: set[str]) -> None:
    problems = [f"{unit} is not in the panel" for unit in started if unit not in units]
    if not ((starts >= FEWEST_BEFORE) & (starts < n_periods)).any():
        problems.append(f"no unit has {FEWEST_BEFORE} periods before its start and one after it")
    if problems:
        raise FixableError("The policy cannot be evaluated.", problems)


def _cell(y: np.ndarray, n: np.ndarray, starts: np.ndarray, k: int) -> _Cell | None:
    """Return the comparison ``k`` periods after the start, all starting periods together."""
    value, influence, total = 0.0, np.zeros(len(starts)), 0.0
    for g in np.unique(starts):
        at = g + k
        if g < FEWEST_BEFORE or g >= y.shape[1] or not 0 <= at < y.shape[1]:
            continue
        # Before the start, the period that is looked at is no part of its own baseline.
        base = [t for t in range(g) if t != at]
        base_n = n[:, base].sum(axis=1)
        level = np.nansum(np.where(np.isnan(y[:, base]), 0, y[:, base]) * n[:, base], axis=1)
        change = y[:, at] - np.divide(level, base_n, out=np.full(len(y), np.nan), where=base_n > 0)
        known = np.isfinite(change) & (n[:, at] > 0)
        mine, others = known & (starts == g), known & (starts > max(at, g))
        if not mine.any() or others.sum() < 1:
            continue
        size = float(n[mine, at].sum())
        part = np.zeros(len(starts))
        for side, sign in ((mine, 1.0), (others, -1.0)):
            w = n[side, at] / n[side, at].sum()
            mean = float((w * change[side]).sum())
            value += sign * mean * size
            # A group of one has no spread of its own; its influence is then that of its gap to the others.
            part[side] += sign * w * (change[side] - mean) * (side.sum() / max(side.sum() - 1, 1)) ** 0.5
        influence, total = influence + part * size, total + size
    return _Cell(k, value / total, influence / total, total) if total > 0 else None


def _point(period: int, value: float, influence: np.ndarray, freedom: int) -> Point:
    error = float(np.sqrt((influence**2).sum()))
    if error == 0:
        return Point(period, float(value), float("nan"), float("nan"), float("nan"))
    reach = float(student.ppf(0.975, freedom)) * error
    return Point(period, float(value), error, float(value - reach), float(value + reach))


def _trend(before: list[_Cell], freedom: int) -> tuple[float, float]:
    """Return the slope of the gap over the periods before the start, and its p-value with errors by unit."""
    if len(before) < FEWEST_BEFORE:
        return float("nan"), float("nan")
    k = np.array([c.period for c in before], float)
    w = np.array([c.weight for c in before])
    z = k - np.average(k, weights=w)
    load = w * z / (w * z**2).sum()
    slope = float(sum(a * c.value for a, c in zip(load, before, strict=True)))
    error = float(np.sqrt((sum(a * c.influence for a, c in zip(load, before, strict=True)) ** 2).sum()))
    return slope, float(2 * student.sf(abs(slope) / error, freedom)) if error > 0 else float("nan")


def _said(
    overall: Point, trend_p: float, n_started: int, n_others: int, *, higher_is_better: bool
) -> tuple[str, tuple[str, ...]]:
    if min(n_started, n_others) < FEWEST_UNITS or not np.isfinite(overall.low):
        return "cannot_tell_yet", ("few_clusters",)
    if trend_p < 0.05:
        return "not_identified", ("moved_apart_before",)
    if overall.low <= 0 <= overall.high:
        return "cannot_tell_yet", ("too_small_to_see",)
    return ("helps" if (overall.value > 0) == higher_is_better else "harms"), ()


def exit_panel(index: pd.DataFrame, unit: str, *, closed_on: date) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
    """Return the panel of monthly rates of voluntary exit per ``unit`` (a column of the landmark rows), and its months.

    Period ``p`` is the month after the p-th month-end; only months that were over on ``closed_on`` count.
    """
    rows = index.assign(as_of=pd.to_datetime(index["as_of"]))
    days = pd.DatetimeIndex(sorted(rows["as_of"].unique()))
    ends = pd.Series([*days[1:], days[-1] + pd.Timedelta(days=31)], index=days)
    until = (rows["as_of"].map(ends) - rows["as_of"]).dt.days
    left = (rows["event"] == 1) & (rows["time"] <= until)
    whole = (rows["as_of"].map(ends) <= pd.Timestamp(closed_on)).to_numpy(bool)
    rows = rows.assign(left=left.astype(float), period=np.searchsorted(days, rows["as_of"]))[whole & rows[unit].notna()]
    found = rows.groupby([unit, "period"])["left"].agg(["mean", "size"]).reset_index()
    return found.set_axis(["unit", "period", "y", "n"], axis=1), days


def periods_of(table: pd.DataFrame, days: pd.DatetimeIndex) -> dict[str, int]:
    """Return unit → the first period that lies wholly after its start, from a table of unit and started_on."""
    missing = [c for c in ("unit", "started_on") if c not in table]
    if missing:
        raise FixableError("The table of starts lacks columns:", missing)
    starts = pd.to_datetime(table["started_on"])
    return {str(u): int((days < day).sum()) for u, day in zip(table["unit"], starts, strict=True)}
