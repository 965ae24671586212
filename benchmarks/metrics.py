"""How well curves of survival tell who leaves when: concordance and the Brier score under censoring.

Golden numbers of lifelines and scikit-survival hold these in ``tests/benchmarks``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def harrell_c(time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> float:
    """Return the share of comparable pairs in which the one who left first had the higher risk; equal risks count half.

    A pair is comparable when one left while the other was still seen, or left at the very time at which the other's
    observation ended (Harrell et al. 1982, JAMA 247:2543). ``event`` is 0 or 1. NaN without a comparable pair.
    """
    order = np.argsort(-time, kind="stable")
    time, event, ranks = time[order], event[order] > 0, np.unique(risk[order], return_inverse=True)[1]
    counts = np.zeros(ranks.max() + 2, dtype=int)  # a Fenwick tree over the ranks of those seen for longer
    concordant = tied = comparable = 0.0
    start, seen = 0, 0
    while start < len(time):
        stop = start + int(np.searchsorted(-time[start:], -time[start], side="right"))
        leavers = ranks[start:stop][event[start:stop]]
        for rank in ranks[start:stop][~event[start:stop]]:
            _add(counts, int(rank))
            seen += 1
        for rank in leavers:
            below, through = _sum(counts, int(rank)), _sum(counts, int(rank) + 1)
            concordant, tied, comparable = concordant + below, tied + through - below, comparable + seen
        for rank in leavers:
            _add(counts, int(rank))
            seen += 1
        start = stop
    return float((concordant + tied / 2) / comparable) if comparable else float("nan")


def _add(counts: np.ndarray, rank: int) -> None:
    rank += 1
    while rank < len(counts):
        counts[rank] += 1
        rank += rank & -rank


def _sum(counts: np.ndarray, rank: int) -> int:
    """Return how many have a rank below ``rank``."""
    total = 0
    while rank > 0:
        total += int(counts[rank])
        rank -= rank & -rank
    return total


@dataclass(frozen=True)
class KaplanMeier:
    """The share still here after each of ``times`` (J,), ascending."""

    times: np.ndarray
    survival: np.ndarray

    @classmethod
    def fit(cls, time: np.ndarray, event: np.ndarray) -> KaplanMeier:
        """Return the curve of people seen until ``time`` (n,), ``event`` (n,) true where they left."""
        times, exits = np.unique(time[event > 0], return_counts=True)
        at_risk = len(time) - np.searchsorted(np.sort(time), times, side="left")
        return cls(times, np.cumprod(1.0 - exits / at_risk))

    @classmethod
    def of_censoring(cls, time: np.ndarray, event: np.ndarray) -> KaplanMeier:
        """Return the share not yet censored; who leaves on a day leaves before others are censored on it."""
        times, censored = np.unique(time[event == 0], return_counts=True)
        ordered, exits = np.sort(time), np.sort(time[event > 0])
        at_risk = len(time) - np.searchsorted(ordered, times, side="left")
        at_risk -= np.searchsorted(exits, times, side="right") - np.searchsorted(exits, times, side="left")
        return cls(times, np.cumprod(1.0 - censored / at_risk))

    def at(self, times: np.ndarray) -> np.ndarray:
        """Return the share still here just after ``times``."""
        return np.concatenate([[1.0], self.survival])[np.searchsorted(self.times, times, side="right")]

    def before(self, times: np.ndarray) -> np.ndarray:
        """Return the share still here just before ``times``."""
        return np.concatenate([[1.0], self.survival])[np.searchsorted(self.times, times, side="left")]


@dataclass(frozen=True)
class Outcomes:
    """Test people (``time``, ``event``; 0 = censored) and the censoring curve of the training people."""

    time: np.ndarray
    event: np.ndarray
    censoring: KaplanMeier

    @classmethod
    def of(cls, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> Outcomes:
        """Return what the scores need of (time, event) of training and test people."""
        return cls(test[0], test[1], KaplanMeier.of_censoring(*train))


def brier(outcomes: Outcomes, times: np.ndarray, incidence: np.ndarray, *, cause: int | None = None) -> np.ndarray:
    """Return the Brier score at each of ``times`` (T,) of ``incidence`` (n, T), the chance to have left by then.

    ``cause`` None counts every exit. Those censored before a time are left out and the others weighted by one over the
    chance not to have been censored (Graf et al. 1999, Stat Med 18:2529; competing causes: Schoop et al. 2011). The
    weights are a marginal Kaplan-Meier estimate: a model that knows when somebody entered can game them.
    """
    out = np.empty(len(times))
    after = np.maximum(outcomes.censoring.at(times), 1e-12)
    own = np.maximum(outcomes.censoring.before(outcomes.time), 1e-12)
    for j, horizon in enumerate(times):
        left = (outcomes.time <= horizon) & (outcomes.event > 0)
        counted = left & ((outcomes.event == cause) if cause is not None else True)
        weight = np.where(left, 1.0 / own, np.where(outcomes.time > horizon, 1.0 / after[j], 0.0))
        out[j] = np.mean(weight * (counted - incidence[:, j]) ** 2)
    return out


def integrated(times: np.ndarray, values: np.ndarray) -> float:
    """Return the mean over time of ``values`` at ``times``, by trapezes."""
    return float(np.trapezoid(values, times) / (times[-1] - times[0]))


def explained(times: np.ndarray, score: np.ndarray, reference: np.ndarray) -> float:
    """Return 1 - IBS / IBS of the reference: the share of the reference's error that the model takes away."""
    return 1.0 - integrated(times, score) / integrated(times, reference)


def grid_of(times: np.ndarray, *, n: int = 50) -> np.ndarray:
    """Return ``n`` times from the 5 % to the 80 % quantile of ``times``."""
    return np.linspace(*np.quantile(times, [0.05, 0.80]), n)
