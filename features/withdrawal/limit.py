"""How low a score must be before somebody is troubled with it: so low that it seldom happens without a reason.

The limit comes from the company's own history: how often in the past two years would a score this low have raised an
alarm? Textbook limits (two or three standard deviations) are made for one look at independent normal numbers; on
weekly counts that wander and are looked at every week they alarm an order of magnitude more often than they say.

Counting alarms at the limit itself would rest on a handful of them in a small company. So they are counted where they
are three times as frequent, and carried on from there: the rate of alarms falls like exp(-b·u²/2) in the limit u (Rice
1944: how often a wandering normal curve crosses a level), with ``b`` from the depths that were reached. A company with
little history leans on ``PRIOR``, what counts that change for no reason do (``retention-train withdrawal`` prints it).

Real falls are in the history too. They push the limit out, never in: the stated rate counts alarms of every cause.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WEEKS_A_YEAR = 52.0
COOL_DOWN_WEEKS = 8
RATE = 0.05
COUNTED_AT = 3.0
PRIOR = (1.78, 1.46)
"""log(alarms per person-year) = first - second · u²/2, on counts that change for no reason."""
PRIOR_PERSON_YEARS = 50.0
PRIOR_PEAKS = 40.0


@dataclass(frozen=True)
class Limit:
    """An alarm is a score below ``-at``; ``rate`` is what was asked for, in alarms per person-year.

    ``person_years`` and ``n_counted`` say how much history stands behind it.
    """

    at: float
    rate: float
    person_years: float
    n_counted: int


def alarms_at(scores: np.ndarray, at: float, *, cool_down: int = COOL_DOWN_WEEKS) -> np.ndarray:
    """True where an alarm is raised: below ``-at``, and none in the ``cool_down`` weeks before.

    ``scores``: people × consecutive weeks, NaN where nothing can be judged.
    """
    raised = np.zeros(scores.shape, dtype=bool)
    quiet_from = np.zeros(len(scores), dtype=int)
    low = scores < -at
    for week in range(scores.shape[1]):
        raised[:, week] = low[:, week] & (week >= quiet_from)
        quiet_from[raised[:, week]] = week + cool_down + 1
    return raised


def person_years(scores: np.ndarray) -> float:
    """How long people were watched, weeks that could not be judged left out."""
    return float(np.isfinite(scores).sum()) / WEEKS_A_YEAR


def calibrate(scores: np.ndarray, *, rate: float = RATE) -> Limit:
    """The limit at which the people of ``scores`` would have had ``rate`` alarms per person-year.

    ``scores``: people × weeks of history, NaN where nothing can be judged.
    """
    years = person_years(scores)
    start = _counted_at(scores, rate * COUNTED_AT, years)
    raised = alarms_at(scores, start)
    depths = _depths(scores, raised, start)
    slope = (len(depths) + PRIOR_PEAKS) / (depths.sum() + PRIOR_PEAKS / PRIOR[1])
    there = _blended(scores, start, years)
    at = np.sqrt(2 * (start**2 / 2 + np.log(max(there / rate, 1.0)) / slope))
    return Limit(float(at), rate, years, int(raised.sum()))


def chances(scores: np.ndarray, history: np.ndarray) -> np.ndarray:
    """How often a week of the history was as low as each score (a conformal p-value); NaN stays NaN."""
    past = np.sort(history[np.isfinite(history)])
    p = (np.searchsorted(past, scores, side="right") + 1.0) / (len(past) + 1.0)
    return np.where(np.isfinite(scores), p, np.nan)


def false_shares(p: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg: among all people judged as low as this one, the share expected to be chance. NaN stays."""
    told = np.isfinite(p)
    order = np.argsort(p[told], kind="stable")
    ranked = p[told][order] * told.sum() / np.arange(1, told.sum() + 1)
    adjusted = np.empty(told.sum())
    adjusted[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    shares = np.full(p.shape, np.nan)
    shares[told] = adjusted
    return shares


def _blended(scores: np.ndarray, at: float, years: float) -> float:
    """Alarms per person-year at a limit, with ``PRIOR_PERSON_YEARS`` of what unchanged counts do."""
    assumed = np.exp(PRIOR[0] - PRIOR[1] * at**2 / 2) * PRIOR_PERSON_YEARS
    return float((alarms_at(scores, at).sum() + assumed) / (years + PRIOR_PERSON_YEARS))


def _counted_at(scores: np.ndarray, rate: float, years: float) -> float:
    low, high = 0.5, 12.0
    for _ in range(16):
        middle = (low + high) / 2
        low, high = (middle, high) if _blended(scores, middle, years) > rate else (low, middle)
    return low


def _depths(scores: np.ndarray, raised: np.ndarray, start: float) -> np.ndarray:
    """How much deeper than ``start`` each alarm went before another could be raised, in units of u²/2."""
    filled = np.where(np.isfinite(scores), scores, 0.0)
    lowest = filled.copy()
    for ahead in range(1, COOL_DOWN_WEEKS + 1):
        lowest[:, :-ahead] = np.minimum(lowest[:, :-ahead], filled[:, ahead:])
    return lowest[raised] ** 2 / 2 - start**2 / 2
