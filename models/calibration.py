"""Log-odds put on the scale of what really happened, without breaking what makes the model coherent.

Calibration acts on the hazards, not on the risks: one slope and one shift per interval. Risk can then never fall with
the horizon, and causes and staying still sum to 1 (Austin, Harrell & van Klaveren 2020, Stat Med 39:2714, discuss
calibrating a survival model per horizon; doing it on hazards keeps the horizons consistent).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit

SLOPE_SD = 0.3
"""How far a slope is believed to lie from 1 before any outcome is seen."""
SHIFT_SD = 0.3
"""How far one interval's shift is believed to lie from the common one."""
PRIOR_EXITS = 10.0
"""So many exits as expected are added before the recent rate may move the whole level."""


@dataclass(frozen=True)
class Calibration:
    """Calibrated log-odds of interval k = shift[k] + slope × log-odds."""

    shift: np.ndarray
    slope: float

    def apply(self, log_odds: np.ndarray) -> np.ndarray:
        """Return (n, K) calibrated log-odds."""
        return self.shift + self.slope * log_odds


@dataclass(frozen=True)
class HeldOut:
    """Log-odds of people whom the score had not seen, with what became of them; one entry per row and interval.

    ``closed_day`` is the day on which the interval ended, as a day number; the youngest outcomes tell today's level.
    """

    log_odds: np.ndarray
    interval: np.ndarray
    exits: np.ndarray
    weight: np.ndarray
    closed_day: np.ndarray


def identity(n_intervals: int) -> Calibration:
    """Return the calibration that changes nothing."""
    return Calibration(np.zeros(n_intervals), 1.0)


def fit_calibration(held_out: HeldOut, *, n_intervals: int, recent_days: float = 365.0) -> Calibration:
    """Return slope and shifts learned from people whom the score had not seen.

    First slope and shifts by penalised maximum likelihood over all outcomes; then the common level from the intervals
    that closed in the last ``recent_days``, because rates drift: the level at which expected exits equal the observed
    ones, ``PRIOR_EXITS`` as expected added to both.
    """
    x, k, y, w = held_out.log_odds, held_out.interval, held_out.exits, held_out.weight

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        common, slope, own = parameters[0], parameters[1], parameters[2:]
        z = common + own[k] + slope * x
        residual = w * (expit(z) - y)
        value = float(w @ (np.logaddexp(0.0, z) - y * z))
        value += (slope - 1.0) ** 2 / (2 * SLOPE_SD**2) + float(own @ own) / (2 * SHIFT_SD**2)
        gradient = np.concatenate(
            [
                [residual.sum(), residual @ x + (slope - 1.0) / SLOPE_SD**2],
                np.bincount(k, weights=residual, minlength=n_intervals) + own / SHIFT_SD**2,
            ]
        )
        return value, gradient

    start = np.concatenate([[0.0, 1.0], np.zeros(n_intervals)])
    bounds = [(None, None), (0.05, 3.0), *[(None, None)] * n_intervals]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    calibration = Calibration(best[0] + best[2:], float(best[1]))
    return _at_recent_level(calibration, held_out, recent_days)


def _at_recent_level(calibration: Calibration, held_out: HeldOut, recent_days: float) -> Calibration:
    recent = held_out.closed_day > held_out.closed_day.max() - recent_days
    w, y = held_out.weight[recent], held_out.exits[recent]
    z = (calibration.shift[held_out.interval] + calibration.slope * held_out.log_odds)[recent]

    def surplus(level: float) -> float:
        return float(w @ (expit(z + level) - y)) + PRIOR_EXITS * (np.exp(level) - 1.0)

    return Calibration(calibration.shift + brentq(surplus, -5.0, 5.0), calibration.slope)


def level_between(log_odds: np.ndarray, other: np.ndarray, weight: np.ndarray) -> float:
    """Return what must be added to ``log_odds`` (n,) so that as many exits are expected as from ``other`` (n,)."""
    if not weight.any():
        return 0.0
    expected = float(weight @ expit(other))
    return float(brentq(lambda level: float(weight @ expit(log_odds + level)) - expected, -10.0, 10.0))
