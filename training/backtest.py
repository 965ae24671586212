"""Past forecasts of how many leave, against how many left: teams, departments and the whole, months and quarters.

Each snapshot of the test is treated as if it were today: the level and the spread of the shocks are learned only from
windows that had closed by then, and the intervals are those that would have been told::

    ----as_of(--month 1--](--month 2--](--month 3--](--…--](--month 6--]
            (----------- quarter 1 -----------](---- quarter 2 ----]

Exits are counted on the day the notice became known, as in all evaluation; when seats fall empty is a matter of notice
periods, which need no forecast of who leaves (``models.hiring``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.stats import poisson
from scipy.stats import t as student

from models.forecast import Past, Shock, at_days, at_most, given_company, learn_shock, level, shifted, together, told
from training.evaluate import INTERVAL, Interval, person_weights

MONTHS = 6
PERIODS: Mapping[str, tuple[int, int]] = {
    **{f"month {k + 1}": (k, k + 1) for k in range(MONTHS)},
    "quarter 1": (0, 3),
    "quarter 2": (3, 6),
}
"""Name → first and last month end, counted from ``as_of``."""

FEWEST_PEOPLE = 5
FEWEST_EXPECTED = 10
"""Exits expected of a department before its sum is judged: below, chance alone moves it by a third and more."""

TOLERANCE = 0.10
"""How far a department's sum may lie from what was expected before it is counted as outside."""

RECENT_DAYS = 365
OVERLAP_DAYS = 3
"""Months are not equally long: windows that share so few days still count as separate."""
UNITS = ("team", "department", "location")
"""Where teams are not on record, departments stand for them; where those are missing, sites."""


@dataclass(frozen=True)
class Bias:
    """Whether the sums of departments are right on average, which one department's few exits cannot tell.

    ``ratio`` is observed / expected over all ``departments``, whose spread, or if that is larger the chance of so few
    exits, gives its interval. ``outside`` of the ``judged`` (large enough) ones lie further than ``TOLERANCE`` from 1;
    so many as ``by_chance`` would if every forecast were exactly right, for n exits scatter by the square root of n.
    """

    ratio: Interval
    departments: int
    judged: int
    outside: int
    by_chance: float


@dataclass(frozen=True)
class Backtest:
    """What was told and what came true. ``cells``: one row per as_of, scale (team, department, all), unit and period.

    ``coverage`` has per scale and period the promised and the observed share of intervals that held; ``sums`` per
    department that is large enough observed / expected over quarters that do not overlap, ``all`` for everybody;
    ``bias`` puts the departments together, None where there are not two.
    ``shock`` is learned from all closed quarters: the one to forecast with from now on.
    """

    cells: pd.DataFrame
    coverage: pd.DataFrame
    sums: Mapping[str, Interval]
    bias: Bias | None
    shock: Shock


@dataclass(frozen=True)
class _Day:
    """One snapshot: its people, the chances (n, months) of leaving by each month end, and when each left."""

    as_of: date
    people: pd.DataFrame
    by_month: np.ndarray
    ends: np.ndarray

    def chances(self, period: tuple[int, int], factor: float = 1.0) -> np.ndarray:
        """Return (n,): the chance of leaving within the period, the hazards multiplied by ``factor``."""
        moved = shifted(self.by_month[:, list(period)], factor)
        return moved[:, 1] - moved[:, 0]

    def left(self, period: tuple[int, int]) -> np.ndarray:
        """Return (n,): who left within the period."""
        first, last = self.ends[list(period)]
        time = self.people["time"].to_numpy(float)
        return ((self.people["event"] == 1).to_numpy() & (time > first) & (time <= last)).astype(float)

    def closed(self, period: tuple[int, int]) -> bool:
        """Return whether the whole period lies within what was observed and within the longest horizon."""
        return bool(len(self.ends) > period[1] and self.people["follow_up"].iloc[0] >= self.ends[period[1]])


def backtest(predictions: pd.DataFrame, *, kind: str = "chosen", seed: int = 0) -> Backtest:
    """Return how the forecasts of one kind of model came true, from the rows that a training run left behind."""
    days = snapshots(predictions[~predictions["apart"]], kind)
    levels = [level(*_recent(days[:i], day.as_of)) for i, day in enumerate(days)]
    rows: list[dict[str, object]] = []
    learned: dict[int, Shock] = {}
    for i, day in enumerate(days):
        quarters = _quarters(days[:i], levels[:i], until=day.as_of)
        if len(quarters) not in learned:  # only closed quarters are added, so their number says which they are
            learned[len(quarters)] = learn_shock(quarters)
        shock = learned[len(quarters)]
        for name, period in PERIODS.items():
            if day.closed(period):
                rows += _cells(day, name, day.chances(period, levels[i]), shock)
    cells = pd.DataFrame(rows)
    rows_of_quarters = _told_quarters(days, levels)
    sums, bias = _sums(rows_of_quarters, seed), _bias(rows_of_quarters)
    return Backtest(cells, _coverage(cells, seed), sums, bias, learn_shock(_quarters(days, levels)))


def snapshots(predictions: pd.DataFrame, kind: str) -> list[_Day]:
    """Return the test's snapshots, oldest first, each with its chances at the ends of the next months."""
    told_within = [str(c).removeprefix(f"{kind}_") for c in predictions]
    horizons = sorted(int(days) for days in told_within if days.isdigit())
    unit = next((u for u in UNITS if predictions[u].notna().any()), None)
    named = predictions.assign(
        team=predictions[unit].fillna("-") if unit else "-", department=predictions["department"].fillna("-")
    )
    out = []
    for as_of, people in named.groupby(pd.to_datetime(named["as_of"])):
        ends = np.array([(as_of + pd.DateOffset(months=k) - as_of).days for k in range(MONTHS + 1)])
        if as_of.is_month_end:
            ends = np.array([(as_of + pd.offsets.MonthEnd(k) - as_of).days for k in range(MONTHS + 1)])
        ends = ends[ends <= horizons[-1] + OVERLAP_DAYS]  # ninety days are three months here
        incidence = people[[f"{kind}_{h}" for h in horizons]].to_numpy(float)
        out.append(_Day(as_of.date(), people.reset_index(drop=True), at_days(incidence, horizons, ends), ends))
    return out


def _recent(days: Sequence[_Day], as_of: date) -> tuple[float, float]:
    """Return exits and expected exits of the months that closed in the last year, each as forecast at its start."""
    observed = expected = 0.0
    for day in _apart(days, 1, until=as_of):
        if (as_of - day.as_of).days <= RECENT_DAYS:
            team = day.people["team"].astype("category").cat.codes.to_numpy()
            told = np.bincount(team, weights=day.chances((0, 1)))
            observed += float(at_most(np.bincount(team, weights=day.left((0, 1))), told).sum())
            expected += float(told.sum())
    return observed, expected


def _apart(days: Sequence[_Day], months: int, *, until: date | None = None) -> list[_Day]:
    """Return snapshots whose next ``months`` had closed by ``until`` and do not overlap, oldest first."""
    kept: list[_Day] = []
    for day in days:
        if not day.closed((0, months)):
            continue
        overlaps = kept and (day.as_of - kept[-1].as_of).days < kept[-1].ends[months] - OVERLAP_DAYS
        if not overlaps and (until is None or (until - day.as_of).days >= day.ends[months]):
            kept.append(day)
    return kept


def _quarters(days: Sequence[_Day], levels: Sequence[float], *, until: date | None = None) -> list[list[Past]]:
    """Return the closed quarters that do not overlap, each as its teams."""
    level_of = {day.as_of: found for day, found in zip(days, levels, strict=True)}
    out = []
    for day in _apart(days, 3, until=until):
        chances, left = day.chances((0, 3), level_of[day.as_of]), day.left((0, 3))
        teams = day.people.groupby("team").indices.values()
        out.append([Past(chances[team], int(left[team].sum())) for team in teams])
    return out


def _cells(day: _Day, name: str, chances: np.ndarray, shock: Shock) -> list[dict[str, object]]:
    left = day.left(PERIODS[name])
    by_team: dict[tuple[str, str], np.ndarray] = day.people.groupby(["department", "team"]).indices  # type: ignore
    given = dict(zip(by_team, given_company([chances[rows] for rows in by_team.values()], shock), strict=True))
    groups = {("team", t if d == "-" else f"{d} / {t}"): [(d, t)] for d, t in by_team}
    if 1 < day.people["department"].nunique() < len(by_team):  # otherwise they are the teams, or everybody
        for d, t in by_team:
            groups.setdefault(("department", d), []).append((d, t))
    groups["all", "all"] = list(by_team)
    out = []
    for (scale, unit), teams in groups.items():
        members = np.concatenate([by_team[team] for team in teams])
        if len(members) >= FEWEST_PEOPLE:
            count = told(together([given[team] for team in teams]))
            row = {"as_of": day.as_of, "scale": scale, "unit": unit, "period": name, "people": len(members)}
            row |= {"expected": count.expected, "low": count.low, "high": count.high, "chance": count.chance}
            out.append({**row, "enough": count.enough, "left": int(left[members].sum())})
    return out


def _coverage(cells: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return per scale and period how often intervals held and hires sufficed; intervals are over units.

    The snapshots of one unit are not independent, so units are drawn, with all of theirs.
    """
    if cells.empty:
        return pd.DataFrame()
    held = cells.assign(
        held=(cells["left"] >= cells["low"]) & (cells["left"] <= cells["high"]),
        sufficed=cells["left"] <= cells["enough"],
    )
    rows = []
    for (scale, period), mine in held.groupby(["scale", "period"], sort=False):
        weights = person_weights(mine["unit"].to_numpy(str), 200, seed)
        draws = weights @ mine["held"].to_numpy(float) / weights.sum(axis=1)
        low, high = np.quantile(draws, INTERVAL) if mine["unit"].nunique() > 1 else (np.nan, np.nan)
        row = {"scale": scale, "period": period, "n": len(mine), "units": mine["unit"].nunique()}
        row |= {"promised": mine["chance"].mean(), "held": mine["held"].mean(), "low": low, "high": high}
        row |= {"sufficed": mine["sufficed"].mean(), "expected": mine["expected"].sum(), "left": mine["left"].sum()}
        rows.append(row)
    return pd.DataFrame(rows)


def _told_quarters(days: Sequence[_Day], levels: Sequence[float]) -> pd.DataFrame:
    """Return everybody in quarters that do not overlap, with the chance told ``p`` and whether they ``left``."""
    level_of = {day.as_of: found for day, found in zip(days, levels, strict=True)}
    parts = [d.people.assign(p=d.chances((0, 3), level_of[d.as_of]), left=d.left((0, 3))) for d in _apart(days, 3)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _sums(rows: pd.DataFrame, seed: int) -> dict[str, Interval]:
    """Return observed / expected of the quarters, per department and in all, drawn over people."""
    if rows.empty:
        return {}
    weights = person_weights(rows["employee_id"].to_numpy(str), 200, seed)
    expected = rows.groupby("department")["p"].sum()
    groups = {"all": np.ones(len(rows), dtype=bool)}
    large = [str(d) for d in sorted(expected[expected >= FEWEST_EXPECTED].index)] if len(expected) > 1 else []
    groups |= {d: (rows["department"] == d).to_numpy() for d in large}
    out = {}
    for name, mine in groups.items():
        p, left, w = rows["p"].to_numpy()[mine], rows["left"].to_numpy()[mine], weights[:, mine]
        draws = (w @ left) / np.maximum(w @ p, 1e-9)
        low, high = np.nanquantile(draws, INTERVAL)
        out[name] = Interval(float(left.sum() / p.sum()), float(low), float(high))
    return out


def _bias(rows: pd.DataFrame) -> Bias | None:
    """Return whether departments are right on average; a ratio's interval from its units (Cochran 1977, ch. 6)."""
    if rows.empty or rows["department"].nunique() < 2:
        return None
    sums = rows.groupby("department")[["p", "left"]].sum()
    expected, left = sums["p"].to_numpy(float), sums["left"].to_numpy(float)
    n, ratio = len(sums), float(left.sum() / expected.sum())
    among, chance_alone = n / (n - 1) * ((left - ratio * expected) ** 2).sum(), left.sum()
    error = np.sqrt(max(among, chance_alone)) / expected.sum()  # few departments may happen to agree
    reach = float(student.ppf(INTERVAL[1], n - 1) * error)
    judged = expected >= FEWEST_EXPECTED
    outside = np.abs(left / expected - 1)[judged] > TOLERANCE
    fewest, most = np.ceil(expected * (1 - TOLERANCE)), np.floor(expected * (1 + TOLERANCE))
    chance = 1 - (poisson.cdf(most, expected) - poisson.cdf(fewest - 1, expected))
    interval = Interval(ratio, ratio - reach, ratio + reach)
    return Bias(interval, n, int(judged.sum()), int(outside.sum()), float(chance[judged].sum()))
