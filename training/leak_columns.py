"""What gives a column away that knows the future: six tests, each with a stated limit, each with its numbers in words.

A strong honest sign and a leak can show the same AUC. What tells them apart is time and who wrote the date down:

    power      no honest column reaches .90 alone, nor stands .15 above every column that is not its near-copy
    collapse   asked about exits within 30 days it is strong, asked about exits 60 to 120 days ahead it is blind.
               Honest signs fade slowly (at most .08 on the public sets). A quick one can be honest too, when it is an
               act that dates itself (a message, a day at work): where six in ten fall silent after they have decided,
               the charts reach .79 and .58 on an invented company. A value that somebody fills in can be filled in
               later, most of all where its day was never recorded. So the limit differs by table
    period     a value that is new each quarter is strong while the quarter lasts and falls with its last day: it
               already held what the quarter brought
    static     one value per person for all time, and nobody wrote down when it was known, yet it separates
    edge       whoever has the value leaves before the records end, however near the end is: it was written at the
               extraction
    duration   among leavers it ranks people by the time they had left
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import binom

from training.leak_sight import BLIND, Fates, Sight, fold, sight

NEAR, FAR = (0.0, 30.0), (60.0, 120.0)
TOO_GOOD, ABOVE_OTHERS, NEAR_COPY = 0.90, 0.15, 0.7
COLLAPSE = 0.12
COLLAPSE_LIMITS = {"acts": 0.85, "recorded": 0.70, "undated": 0.58}
STATIC_LIMITS = {"acts": 0.70, "recorded": 0.70, "undated": 0.60}
PERIOD_CLIFF = 0.05
DURATION = 0.7
EDGE_DAYS, EDGE_P, EDGE_SHARE, EDGE_FEWEST = 180, 1e-6, 0.8, 10
FEWEST_LEAVERS = 20


@dataclass(frozen=True)
class Seen:
    """One reason to suspect a column: the test, what was seen in words, and the lower AUC that it rests on."""

    test: str
    words: str
    strength: float


@dataclass(frozen=True)
class Known:
    """Who wrote the column's dates (``acts``, ``recorded``, ``undated``) and whether its name is a known trap."""

    dates: str = "recorded"
    own: bool = False
    hinted: bool = False


@dataclass(frozen=True)
class Ground:
    """The landmark rows that every column is asked on. ``as_of`` are day numbers; ``others`` the sights of all."""

    fates: Fates
    as_of: np.ndarray
    any_exit: np.ndarray
    closed: int
    near: Mapping[str, Sight] = field(default_factory=dict)


def numbers(values: pd.Series, fates: Fates) -> np.ndarray:
    """Return the column as numbers; a category becomes the leave rate of its level among the other half of people."""
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(dtype=float, na_value=np.nan)
    codes, _ = pd.factorize(values.astype(object), use_na_sentinel=False)
    gone = (fates.left & (fates.time <= 90)).astype(float)
    out, half = np.empty(len(codes)), fates.person % 2
    for mine in (0, 1):
        teach = half != mine
        n = np.bincount(codes[teach], minlength=codes.max() + 1) + 10.0
        left = np.bincount(codes[teach], gone[teach], minlength=codes.max() + 1) + 10.0 * gone[teach].mean()
        out[half == mine] = (left / n)[codes[half == mine]]
    return out


def suspicions(name: str, values: pd.Series, ground: Ground, known: Known) -> list[Seen]:
    """Return every reason to suspect the column; empty for a clean one or when too few people left to tell."""
    x = numbers(values, ground.fates)
    near = sight(x, ground.fates, NEAR)
    if near.leavers < FEWEST_LEAVERS:
        return []
    found = [_power(name, x, ground, known), _collapse(x, near, ground, known), _period(x, near, ground)]
    if known.own:
        found += [_static(values, x, ground, known), _duration(x, ground), _identity(values, ground)]
    found += [_edge(values, ground, known)]
    return [seen for seen in found if seen is not None]


def _power(name: str, x: np.ndarray, ground: Ground, known: Known) -> Seen | None:
    seen = fold(sight(x, ground.fates, NEAR))
    limit = 0.70 if known.hinted else TOO_GOOD
    if seen.low > limit:
        words = f"alone it tells who leaves within 30 days with AUC {seen}; the limit is {limit}"
        return Seen("power", words, seen.low)
    others = [s.auc for other, s in ground.near.items() if other != name]
    best = max(others, default=0.5)
    if others and seen.low > best + ABOVE_OTHERS:
        words = f"alone it tells who leaves within 30 days with AUC {seen}, the next best column with {best:.2f}"
        return Seen("power", words, seen.low)
    return None


def _collapse(x: np.ndarray, near: Sight, ground: Ground, known: Known) -> Seen | None:
    close, far = fold(near), fold(sight(x, ground.fates, FAR), like=near)
    if far.leavers < FEWEST_LEAVERS or close.low <= COLLAPSE_LIMITS[known.dates]:
        return None
    if close.auc - far.auc < COLLAPSE or close.low <= far.high:
        return None
    words = f"AUC {close} for exits within 30 days and {far} for exits 60 to 120 days ahead: it does not foretell, "
    return Seen("collapse", words + "it tells what has already happened", close.low)


def _period(x: np.ndarray, near: Sight, ground: Ground) -> Seen | None:
    ends = period_ends(x, ground.fates.person, ground.as_of)
    if ends is None:
        return None
    known = ~np.isnan(x)
    within, at_end = (_part(x, ground.fates, known & part) for part in (~ends, ends))
    within, at_end = fold(within, like=near), fold(at_end, like=near)
    if min(within.leavers, at_end.leavers) < FEWEST_LEAVERS or within.auc - at_end.auc < PERIOD_CLIFF:
        return None
    if within.low <= at_end.high:
        return None
    words = f"AUC {within} for exits before the value is renewed and {at_end} for exits just after: "
    return Seen("period", words + "the value already holds what its period brought", within.low)


def period_ends(x: np.ndarray, person: np.ndarray, as_of: np.ndarray) -> np.ndarray | None:
    """Return which rows stand on the last snapshot before most values are renewed; None when nothing is periodic."""
    order = np.lexsort((as_of, person))
    v, who, when = x[order], person[order], as_of[order]
    days, place = np.unique(when[1:], return_inverse=True)
    both = (who[1:] == who[:-1]) & ~np.isnan(v[1:]) & ~np.isnan(v[:-1])
    asked = np.bincount(place, both, minlength=len(days))
    changed = np.bincount(place, both & (v[1:] != v[:-1]), minlength=len(days))
    days, moved = days[asked > 0], (changed / np.maximum(asked, 1))[asked > 0]
    busy, quiet = days[moved >= 0.15], days[moved <= 0.05]
    if len(busy) < 3 or len(quiet) < len(busy) or len(busy) + len(quiet) < 0.8 * len(moved):
        return None
    every = np.unique(as_of)
    last = {every[i - 1] for i in np.searchsorted(every, busy) if i > 0}
    return np.isin(as_of, list(last))


def _static(values: pd.Series, x: np.ndarray, ground: Ground, known: Known) -> Seen | None:
    if not unchanging(values, ground.fates.person):
        return None
    seen = max((fold(sight(x, ground.fates, band)) for band in (NEAR, (0.0, 90.0))), key=lambda s: s.low)
    if seen.low <= STATIC_LIMITS[known.dates]:
        return None
    undated = " and nobody recorded when it was known" if known.dates == "undated" else ""
    return Seen("static", f"one value per person for all time{undated}, yet AUC {seen} over people", seen.low)


def unchanging(values: pd.Series, person: np.ndarray) -> bool:
    """Return whether the value of a person is the same on every snapshot (for 99 in 100 people)."""
    return bool((values.groupby(person).nunique(dropna=False) <= 1).mean() >= 0.99)


def _duration(x: np.ndarray, ground: Ground) -> Seen | None:
    f = ground.fates
    mine = f.left & ~np.isnan(x)
    people = len(np.unique(f.person[mine]))
    if people < FEWEST_LEAVERS:
        return None
    ranked = pd.DataFrame({"x": x[mine], "t": f.time[mine]}).groupby(f.stratum[mine]).rank(pct=True) - 0.5
    if ranked["x"].std() == 0 or ranked["t"].std() == 0:
        return None
    rho = float(np.corrcoef(ranked["x"], ranked["t"])[0, 1])
    low = float(np.tanh(np.arctanh(min(abs(rho), 0.9999)) - 2.576 / np.sqrt(people - 3)))
    if low <= DURATION:
        return None
    words = f"among {people} leavers it ranks the time they had left (Spearman {rho:.2f}, at least {low:.2f})"
    return Seen("duration", words, low)


def _identity(values: pd.Series, ground: Ground) -> Seen | None:
    first = values[~pd.Series(ground.fates.person).duplicated().to_numpy()].dropna()
    whole = not pd.api.types.is_numeric_dtype(first) or bool((first % 1 == 0).all())
    if len(first) < 50 or not whole or first.nunique() < 0.95 * len(first):
        return None
    if not unchanging(values, ground.fates.person):
        return None
    return Seen("identity", f"{first.nunique()} values for {len(first)} people: it names the person", 0.5)


def _edge(values: pd.Series, ground: Ground, known: Known) -> Seen | None:
    if known.own or not pd.api.types.is_numeric_dtype(values):
        for level, mine in _levels(values):
            m, gone, usual = _outlived(mine, ground)
            if m < EDGE_FEWEST or gone < EDGE_SHARE * m or binom.sf(gone - 1, m, usual) > EDGE_P:
                continue
            words = f"of {m} people with {level} {EDGE_DAYS} days before the records end {gone} had left by the end, "
            return Seen("edge", words + f"where the years before lead one to expect {usual * m:.1f}", gone / m)
    return None


def _levels(values: pd.Series) -> list[tuple[str, np.ndarray]]:
    """Return the groups of rows worth asking: each level, unknown, known; of a number the two ends."""
    unknown = values.isna().to_numpy()
    groups = [("no value", unknown), ("a value", ~unknown)]
    if pd.api.types.is_numeric_dtype(values):
        low, high = values.quantile([0.1, 0.9])
        return [*groups, (f"a value up to {low:g}", (values <= low).to_numpy()),
                (f"a value from {high:g}", (values >= high).to_numpy())]  # fmt: skip
    common = values.value_counts().index[:30]
    return groups + [(f"the value {level}", (values == level).to_numpy()) for level in common]


def _outlived(mine: np.ndarray, ground: Ground) -> tuple[int, int, float]:
    """Return (people of the group 180 days before the end, how many of them had left by the end, share expected)."""
    f, days = ground.fates, np.unique(ground.as_of)
    early = days[days <= ground.closed - EDGE_DAYS]
    if len(early) < 6:
        return 0, 0, 0.0
    at = mine & (ground.as_of == early[-1]) & ((f.follow_up >= EDGE_DAYS) | ground.any_exit)
    gone = at & ground.any_exit & (f.time <= ground.closed - early[-1])
    before = mine & (ground.as_of <= early[-1] - NEAR[1]) & ((f.follow_up >= NEAR[1]) | ground.any_exit)
    if not before.any():
        return 0, 0, 0.0
    monthly = (before & ground.any_exit & (f.time <= NEAR[1])).sum() / before.sum()
    return int(at.sum()), int(gone.sum()), float(1 - (1 - monthly) ** ((ground.closed - early[-1]) / NEAR[1]))


def _part(x: np.ndarray, f: Fates, rows: np.ndarray) -> Sight:
    if not rows.any():
        return BLIND
    return sight(x[rows], Fates(f.time[rows], f.left[rows], f.follow_up[rows], f.person[rows], f.stratum[rows]), NEAR)
