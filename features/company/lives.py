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


def settle_base(company: Company, seed: np.random.SeedSequence) -> float:
    """The level at which the expected voluntary rate is the one asked for, found by living a few times.

    Months after a market shock are left out: the shock is meant to raise the rate.
    """
    regime = company.regime
    if regime.generator == "accelerated":
        base, step, rounds = -2.4 - 0.6 * regime.scale, 0.8, 6
    else:
        base, step, rounds = float(np.log(regime.voluntary / 12)) - 0.5 * regime.scale**2 * 0.45, 1.0, 4
    for _ in range(rounds):
        panel = live(company, seed, base=base).panel
        usual = panel["month"] < (regime.drift.market_month or company.months)
        expected = np.sum(1 - np.exp(-panel["rate_voluntary"][panel["exposed"] & usual]))
        base += step * float(np.log(regime.voluntary * usual.sum() / (12 * expected)))
    return base
