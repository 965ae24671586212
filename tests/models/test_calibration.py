"""Calibration finds a slope and a level that are known, and stays put without evidence."""

import numpy as np
import pytest
from scipy.special import expit

from models.calibration import HeldOut, fit_calibration, level_between


def held_out(n, slope, level, seed=0, recent_level=None):
    generator = np.random.default_rng(seed)
    x, k = generator.normal(-3, 1, n), generator.integers(0, 3, n)
    closed = generator.uniform(0, 1000, n)
    shift = np.where(closed > 700, level if recent_level is None else recent_level, level)
    exits = (generator.uniform(size=n) < expit(shift + slope * x)).astype(float)
    return HeldOut(x, k, exits, np.ones(n), closed)


def test_a_known_slope_and_level_are_found():
    calibration = fit_calibration(held_out(40_000, slope=0.7, level=-0.5), n_intervals=3)
    assert calibration.slope == pytest.approx(0.7, abs=0.05)
    np.testing.assert_allclose(calibration.shift, -0.5, atol=0.2)


def test_the_level_follows_the_youngest_outcomes():
    seen = held_out(40_000, slope=1.0, level=0.0, recent_level=-0.7)
    calibration = fit_calibration(seen, n_intervals=3, recent_days=300)
    recent = seen.closed_day > 700
    told = expit(calibration.shift[seen.interval] + calibration.slope * seen.log_odds)[recent]
    assert seen.exits[recent].sum() / told.sum() == pytest.approx(1.0, abs=0.05)


def test_with_hardly_any_evidence_nothing_moves():
    calibration = fit_calibration(held_out(30, slope=0.1, level=1.0), n_intervals=3)
    assert abs(calibration.slope - 1.0) < 0.5


def test_at_the_level_between_two_scores_both_expect_as_many_exits():
    draw = np.random.default_rng(0)
    one, other, weight = draw.normal(-3, 1, 400), draw.normal(-2, 2, 400), draw.uniform(0, 1, 400)
    level = level_between(one, other, weight)
    assert weight @ expit(one + level) == pytest.approx(weight @ expit(other))
    assert level_between(one, one + 0.3, weight) == pytest.approx(0.3)
    assert level_between(one, other, np.zeros(400)) == 0.0
