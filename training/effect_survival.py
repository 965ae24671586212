"""The hazard ratio of an action: by what factor it changes the rate of leaving, over the whole time of observation.

Cox's partial likelihood with the action alone, each row weighted so that the arms are alike (a marginal structural
model; Cox 1972, J R Stat Soc B 34:187; Breslow's ties); robust errors by cluster (Lin & Wei 1989, JASA 84:1074). A
fading effect gives an average over the time observed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.effect_estimate import Sample, clustered_error, interval

STEPS = 30


@dataclass(frozen=True)
class HazardRatio:
    """The logarithm of the ratio with its standard error, and the ratio with its 95 % interval."""

    log: float
    error: float
    value: float
    low: float
    high: float


def hazard_ratio(days: np.ndarray, event: np.ndarray, sample: Sample, *, weight: np.ndarray) -> HazardRatio | None:
    """Return the weighted hazard ratio; None when an arm has no event."""
    d = sample.treated
    if not (event & d & (weight > 0)).any() or not (event & ~d & (weight > 0)).any():
        return None
    order = np.argsort(-days, kind="stable")
    time, hit, arm, w = days[order], event[order], d[order].astype(float), weight[order]
    last = np.searchsorted(-time, -time, side="right") - 1  # everybody watched at least as long
    beta = 0.0
    for _ in range(STEPS):
        share = _share(beta, arm, w, last)
        score = (w * hit * (arm - share)).sum()
        information = (w * hit * share * (1 - share)).sum()
        step = float(np.clip(score / max(information, 1e-12), -1, 1))
        beta += step
        if abs(step) < 1e-9:
            break
    share = _share(beta, arm, w, last)
    information = float((w * hit * share * (1 - share)).sum())
    residual = np.empty(len(days))
    residual[order] = _residuals(beta, (time, hit, arm, w), share, last) / information
    error = clustered_error(residual, sample.clusters)
    freedom = min(len(np.unique(c)) for c in sample.clusters) - 1
    low, high, _ = interval(beta, error, freedom)
    return HazardRatio(float(beta), error, float(np.exp(beta)), float(np.exp(low)), float(np.exp(high)))


def _share(beta: float, arm: np.ndarray, w: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return the treated share of the weighted hazard at risk, at each row's time."""
    rate = w * np.exp(beta * arm)
    return (np.cumsum(rate * arm) / np.cumsum(rate))[last]


def _residuals(
    beta: float, rows: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], share: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """Return the weighted score residual of each row: own event less what the whole time at risk led one to expect."""
    time, hit, arm, w = rows
    rate = w * np.exp(beta * arm)
    at_risk = np.cumsum(rate)[last]
    jump = w * hit / at_risk
    # Rows run from the longest watched to the shortest; a row is at risk for the events of rows at or after it.
    upward_jump = np.cumsum(jump[::-1])[::-1]
    upward_share = np.cumsum((jump * share)[::-1])[::-1]
    first = np.searchsorted(-time, -time, side="left")
    expected = np.exp(beta * arm) * (arm * upward_jump[first] - upward_share[first])
    return w * hit * (arm - share) - w * expected
