"""Living through an invented company, and finding the level at which people leave as often as asked for."""

from __future__ import annotations

import numpy as np

from features.company.accelerated import AcceleratedLife
from features.company.hazard import Company
from features.company.history import History
from features.company.life import Life


def live(company: Company, seed: np.random.SeedSequence, *, base: float) -> History:
    """The company's whole history for a given level: of the log-hazard, or of the mean fit with a minus sign."""
    kind = AcceleratedLife if company.regime.generator == "accelerated" else Life
    life = kind(company, seed, base)
    for month in range(company.history_months + company.months):
        life.month(month)
    return life.history()


ROUNDS = 8
NEAR = 0.02
"""So near, in logarithms, the expected rate must come to the one asked for before no further life is tried."""


def settle_base(company: Company, seed: np.random.SeedSequence) -> float:
    """The level at which the expected voluntary rate is the one asked for, found by living a few times.

    Months after a market shock are left out: the shock is meant to raise the rate. Another level makes another life,
    whose rate differs by chance as well, so the nearest of the lives tried is taken, not the last.
    """
    regime = company.regime
    base, step = float(np.log(regime.voluntary / 12)) - 0.5 * regime.scale**2 * 0.45, 1.0
    if regime.generator == "accelerated":
        base, step = -2.4 - 0.6 * regime.scale, 0.8
    off: dict[float, float] = {}
    for _ in range(ROUNDS):
        panel = live(company, seed, base=base).panel
        usual = panel["month"] < (regime.drift.market_month or company.months)
        expected = np.sum(1 - np.exp(-panel["rate_voluntary"][panel["exposed"] & usual]))
        off[base] = float(np.log(regime.voluntary * usual.sum() / (12 * expected)))
        if abs(off[base]) < NEAR:
            break
        base += step * off[base]
    return min(off, key=lambda tried: abs(off[tried]))
