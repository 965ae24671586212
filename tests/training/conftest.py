"""Invented trials that several tests of effects share."""

import numpy as np
import pytest

from training.effect_actions import Trials
from training.effect_columns import Coded


def invented_trials(n=9000, *, hidden=0.0, coin=0.0, seed=0):
    """Care goes to the worried (recorded) and, with ``hidden``, to people whom nobody could name a reason for; "talk"
    takes a third of the hazard away, "card" does nothing."""
    rng = np.random.default_rng(seed)
    worry, unseen = rng.standard_normal(n), rng.standard_normal(n)
    logit = worry + hidden * unseen
    before = (rng.random(n) < 1 / (1 + np.exp(-(-1.2 + logit)))).astype(float)
    by_coin = rng.random(n) < coin
    given = np.where(by_coin, rng.random(n) < 0.5, rng.random(n) < 1 / (1 + np.exp(-(-1.5 + logit))))
    arm = np.where(given, rng.integers(0, 2, n), -1)
    rate = 0.1 * np.exp(0.6 * worry + 0.5 * unseen - 0.4 * (arm == 1))
    left = rng.random(n) < 1 - np.exp(-rate)
    other = ~left & (rng.random(n) < 0.02)
    return Trials(
        actions=("card", "talk"),
        arm=arm,
        left=left.astype(float),
        other=other.astype(float),
        x=Coded(worry[:, None], ("worry",), ("worry",)),
        history=before[:, None],
        cared_before=before,
        clusters=(rng.integers(0, 400, n), np.arange(n)),
        by_coin=by_coin,
        chance=np.full(n, 0.5),
        horizon_days=180,
    )


@pytest.fixture
def draw_trials():
    """Return the function that invents trials."""
    return invented_trials


@pytest.fixture(scope="session")
def some_trials():
    """Return trials in which everything that decides is recorded."""
    return invented_trials()
