"""Is a forecast of use to those who act on it: net benefit, does the list hold still, for whom does it hold at all.

Net benefit weighs the people who would have left against those who are talked to for nothing, at the odds that somebody
who acts from a risk of ``threshold`` accepts (Vickers & Elkin 2006, Med Decis Making 26:565). Groups with few people or
leavers are called insufficient: a figure on three leavers is an anecdote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from training.evaluate import (
    INTERVAL,
    Interval,
    Told,
    auc,
    observed_over_expected,
    person_weights,
    told_at,
    wilson,
    with_interval,
)

FEWEST_PEOPLE, FEWEST_LEAVERS = 50, 10
"""People and leavers (not rows) that a group needs before its ranking and its level are told."""

TENURE = {"under 1 year": 365, "1 to 3 years": 1096, "3 to 5 years": 1827, "5 years and more": 10**6}
TEAM_SIZE = {"teams under 5": 5, "teams of 5 to 9": 10, "teams of 10 to 19": 20, "teams of 20 and more": 10**6}
TOP = 0.10


@dataclass(frozen=True)
class Group:
    """One group out of time. ``ranks`` and ``level`` are None when people or leavers are too few to tell."""

    name: str
    n_people: int
    n_leavers: int
    rate: float
    ranks: Interval | None
    level: Interval | None


@dataclass(frozen=True)
class Pair:
    """Two neighbouring snapshots: rank correlation of those on both, and which share of the first's top tenth stays."""

    first: str
    second: str
    correlation: float
    kept: float


def net_benefit(told: Told, weight: np.ndarray, threshold: float) -> float:
    """Return true positives minus false ones at the threshold's odds, per person; 0 is to leave everybody alone."""
    flagged = told.risk >= threshold
    gained = (weight * told.left)[flagged].sum()
    wasted = (weight * (1 - told.left))[flagged].sum()
    return float((gained - wasted * threshold / (1 - threshold)) / weight.sum())


def net_benefit_of_all(told: Told, weight: np.ndarray, threshold: float) -> float:
    """Return the same for talking to everybody."""
    rate = np.average(told.left, weights=weight)
    return float(rate - (1 - rate) * threshold / (1 - threshold))


def thresholds(told: Told) -> list[float]:
    """Return risks from which somebody may want to act: half to four times the base rate."""
    rate = float(told.left.mean())
    return [round(t, 4) for t in np.linspace(0.5 * rate, min(4 * rate, 0.9), 15)]


def gain_over_simple(told: Told, threshold: float, *, seed: int = 0) -> Interval:
    """Return net benefit minus the better of all and none, with its interval over people."""
    weights = person_weights(told.person, 100, seed)

    def gain(weight: np.ndarray) -> float:
        return net_benefit(told, weight, threshold) - max(0.0, net_benefit_of_all(told, weight, threshold))

    low, high = np.quantile([gain(w) for w in weights], INTERVAL)
    return Interval(gain(np.ones(len(told.risk))), float(low), float(high))


def by_group(rows: pd.DataFrame, names: pd.Series, horizon_days: int, *, kind: str, seed: int = 0) -> list[Group]:
    """Return each group's figures, largest first; ``names`` is aligned with ``rows``, blank is "not on record"."""
    labels = names.fillna("not on record").astype(str)
    groups = [_group(str(name), rows[labels == name], horizon_days, kind, seed) for name in labels.unique()]
    return sorted((g for g in groups if g.n_people), key=lambda g: (-g.n_people, g.name))


def _group(name: str, rows: pd.DataFrame, horizon_days: int, kind: str, seed: int) -> Group:
    told = told_at(rows, horizon_days, kind)
    n_people = len(set(told.person.tolist()))
    n_leavers = len(set(told.person[told.left > 0].tolist()))
    rate = float(told.left.mean()) if len(told.left) else 0.0
    if n_people < FEWEST_PEOPLE or n_leavers < FEWEST_LEAVERS or n_leavers == n_people:
        return Group(name, n_people, n_leavers, rate, None, None)
    weights = person_weights(told.person, 100, seed)
    ranks, level = (with_interval(metric, told, weights) for metric in (auc, observed_over_expected))
    return Group(name, n_people, n_leavers, rate, ranks, level)


def classes(values: pd.Series, limits: Mapping[str, int]) -> pd.Series:
    """Return the name of the class of each value: the first whose limit lies above it."""
    edges = list(limits.values())
    place = np.searchsorted(edges, values.to_numpy(float), side="right")
    named = pd.Series(np.array(list(limits))[np.minimum(place, len(edges) - 1)], index=values.index)
    return named.where(values.notna())


def team_sizes(rows: pd.DataFrame) -> pd.Series:
    """Return how many people each row's team has on its snapshot; missing where no team is on record."""
    size = rows.groupby(["as_of", "department", "team"], dropna=False)["employee_id"].transform("size")
    return size.where(rows["team"].notna())


def steadiness(rows: pd.DataFrame, horizon_days: int, *, kind: str) -> list[Pair]:
    """Return how little the ranking of the same people changes from one snapshot to the next."""
    days = sorted(rows["as_of"].unique())
    column = f"{kind}_{horizon_days}"
    out = []
    for first, second in pairwise(days):
        told = [rows[rows["as_of"] == day].set_index("employee_id")[column] for day in (first, second)]
        both = told[0].index.intersection(told[1].index)
        one, other = told[0].loc[both], told[1].loc[both]
        if len(both) >= FEWEST_PEOPLE and one.nunique() > 1 and other.nunique() > 1:
            n_top = max(1, int(TOP * len(both)))
            top = [set(part.nlargest(n_top).index) for part in (one, other)]
            kept = len(top[0] & top[1]) / n_top
            out.append(Pair(str(first)[:10], str(second)[:10], float(spearmanr(one, other).statistic), kept))
    return out


@dataclass(frozen=True)
class Sum:
    """A group's exits: forecast as a sum of risks, and come true; the interval is that of the share who left."""

    name: str
    n_people: int
    rows: int
    expected: float
    left: float
    low: float
    high: float


def sums_by(told: Told, names: Sequence[str], of: np.ndarray) -> list[Sum]:
    """Return expected and real exits per group ``of`` (n,), in the order of ``names``: rows counted, people weighed."""
    out = []
    for name in names:
        mine = of == name
        if mine.any():
            people, rate = len(set(told.person[mine].tolist())), float(told.left[mine].mean())
            low, high = (float(end * mine.sum()) for end in wilson(rate * people, people))
            expected, left = float(told.risk[mine].sum()), float(told.left[mine].sum())
            out.append(Sum(name, people, int(mine.sum()), expected, left, low, high))
    return out
