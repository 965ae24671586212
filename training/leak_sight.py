"""How well one column alone tells leavers from stayers, at a distance from the exit: the eyes of the leak sentinel.

    as_of ----(near]----(far]----          the same column, asked about exits that come soon and exits that come later

People are compared within strata (snapshot and tenure), so that the calendar and the tenure hump count for nothing.
Order of arrays: one entry per landmark row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TENURE_EDGES_DAYS = (180, 365, 3 * 365, 6 * 365)
Z = 2.576
"""Both limits of an interval are at 99 %: some hundred columns are asked, and none may stop a clean run."""


@dataclass(frozen=True)
class Sight:
    """AUC of a column alone, with its 99 % interval, and on how many leavers it rests. ``.5`` when nobody left."""

    auc: float
    low: float
    high: float
    leavers: int

    def __str__(self) -> str:
        """Return the AUC with its interval, as .81 [.76, .86]."""
        shown = [f"{value:.2f}".lstrip("0") for value in (self.auc, self.low, self.high)]
        return f"{shown[0]} [{shown[1]}, {shown[2]}]"


BLIND = Sight(0.5, 0.0, 1.0, 0)


@dataclass(frozen=True)
class Fates:
    """What became of each row: ``time`` days to the end, ``left`` whether it ended in a voluntary exit, ``person``
    and ``stratum`` as whole numbers, ``follow_up`` days for which the row could be observed."""

    time: np.ndarray
    left: np.ndarray
    follow_up: np.ndarray
    person: np.ndarray
    stratum: np.ndarray


def strata(place: np.ndarray, tenure_days: np.ndarray) -> np.ndarray:
    """Return one whole number per (snapshot, tenure class); rows are compared with rows of the same number only."""
    tenure = np.nan_to_num(tenure_days, nan=-1.0)
    return np.unique(place, return_inverse=True)[1] * 8 + np.digitize(tenure, TENURE_EDGES_DAYS)


def sight(values: np.ndarray, fates: Fates, band: tuple[float, float]) -> Sight:
    """Return how well ``values`` separate exits in ``(as_of + start, as_of + end]`` from those still there at the end.

    An unknown value takes part as the smallest one, so a pattern of gaps is seen as well. Above .5: large values leave.
    """
    start, end = band
    leaves = fates.left & (fates.time > start) & (fates.time <= end)
    stays = (fates.time > end) & (fates.follow_up >= end)
    used = leaves | stays
    if not leaves.any() or not stays.any():
        return BLIND
    wins, pairs = _pairs(np.nan_to_num(values[used], nan=-np.inf), leaves[used], fates.stratum[used])
    if pairs == 0:
        return BLIND
    leavers, stayers = len(np.unique(fates.person[leaves])), len(np.unique(fates.person[stays]))
    return interval(wins / pairs, leavers, stayers)


def interval(auc: float, leavers: int, stayers: int) -> Sight:
    """Return the AUC with the interval of Hanley & McNeil (1982), counting people and not their snapshots."""
    side = max(auc, 1 - auc)
    q1, q2 = side / (2 - side), 2 * side**2 / (1 + side)
    spread = side * (1 - side) + (leavers - 1) * (q1 - side**2) + (stayers - 1) * (q2 - side**2)
    # A perfect column in a small sample has no spread by the formula: half a pair may be wrong all the same.
    error = max(np.sqrt(spread / (leavers * stayers)), 0.5 / min(leavers, stayers))
    return Sight(float(auc), float(max(0.0, auc - Z * error)), float(min(1.0, auc + Z * error)), leavers)


def fold(seen: Sight, *, like: Sight | None = None) -> Sight:
    """Return the sight turned so that it is at least .5, or turned the way ``like`` was."""
    turn = (like or seen).auc < 0.5
    return Sight(1 - seen.auc, 1 - seen.high, 1 - seen.low, seen.leavers) if turn else seen


def _pairs(values: np.ndarray, leaves: np.ndarray, stratum: np.ndarray) -> tuple[float, float]:
    """Return (pairs won by the leaver, all pairs) over pairs of a leaver and a stayer of one stratum; a tie is half."""
    order = np.lexsort((values, stratum))
    v, y, s = values[order], leaves[order], stratum[order]
    new = np.r_[True, s[1:] != s[:-1]]
    tie = np.cumsum(np.r_[True, (v[1:] != v[:-1]) | new[1:]]) - 1
    group = np.cumsum(new) - 1
    ones, zeros = np.bincount(tie, y), np.bincount(tie, ~y)
    of = group[np.r_[True, np.diff(tie) > 0]]
    before = np.cumsum(zeros) - zeros
    begins = np.r_[True, np.diff(of) > 0]
    lower = before - before[begins][of]
    n_ones, n_zeros = np.bincount(of, ones), np.bincount(of, zeros)
    return float((ones * (lower + zeros / 2)).sum()), float((n_ones * n_zeros).sum())
