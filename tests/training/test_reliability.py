"""Slope, curve and distances equal a well-kept implementation, and a slow one; draws that are put in groups stay close.

Golden numbers: statsmodels 0.15.0 (``Logit`` for the slope, ``GLM`` with binomial family for the curve) with patsy's
natural cubic spline ``cr`` on the same five knots, which spans the same curves as Harrell's basis; computed on the rows
of ``rows()``.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from training.evaluate import person_weights
from training.reliability import curve, ipa, reliability, spline

SLOPE, SLOPE_WEIGHTED = 0.8236956343444132, 0.8605719829314183
ICI, E50, E90 = 0.040506546636988085, 0.04227266612031938, 0.055205532517005274
IPA = 0.09228131606187451


def rows():
    generator = np.random.default_rng(7)
    told = generator.normal(-2.2, 1.0, 1500)
    truth = expit(-0.3 + 0.7 * told + 0.15 * (told + 2.2) ** 2)
    left = (generator.uniform(size=1500) < truth).astype(float)
    return expit(told), left, generator.integers(0, 3, 1500).astype(float)


def test_slope_and_distances_equal_statsmodels():
    risk, left, weight = rows()
    found = reliability(risk, left, np.ones((1, 1500)))
    assert found.slope[0] == pytest.approx(SLOPE, abs=1e-7)
    assert found.ici[0] == pytest.approx(ICI, abs=1e-7)
    assert found.e50[0] == pytest.approx(E50, abs=1e-6)
    assert found.e90[0] == pytest.approx(E90, abs=1e-6)
    assert reliability(risk, left, weight[None, :]).slope[0] == pytest.approx(SLOPE_WEIGHTED, abs=1e-7)


def test_skill_equals_scikit_learns_brier_over_that_of_the_base_rate():
    risk, left, _ = rows()
    assert ipa(risk, left, np.ones(1500)) == pytest.approx(IPA, abs=1e-12)
    assert ipa(left, left, np.ones(1500)) == 1.0
    assert ipa(np.full(1500, left.mean()), left, np.ones(1500)) == pytest.approx(0.0, abs=1e-12)


def test_the_curve_is_the_one_a_slow_search_finds():
    risk, left, _ = rows()
    basis = spline(logit(risk))

    def loss(found):
        z = basis @ found
        return float((np.logaddexp(0, z) - left * z).sum())

    slow = minimize(loss, np.zeros(basis.shape[1]), method="BFGS", options={"gtol": 1e-4, "maxiter": 2000}).x
    assert curve(risk, left, risk) == pytest.approx(expit(basis @ slow), abs=2e-3)


def test_the_spline_is_linear_beyond_its_outer_knots():
    x = np.linspace(-6, 3, 400)
    basis = spline(x, np.array([-3.0, -2.5, -2.0, -1.5, -1.0]))
    for part in (x < -3.0, x > -1.0):
        assert np.abs(np.diff(basis[part], n=2, axis=0)).max() < 1e-9


def test_draws_in_groups_are_close_to_draws_row_by_row():
    risk, left, _ = rows()
    weights = person_weights(np.arange(1500), 30, 0)
    drawn = reliability(risk, left, weights)
    one_by_one = [reliability(risk, left, w[None, :]) for w in weights]
    assert drawn.slope == pytest.approx(np.array([o.slope[0] for o in one_by_one]), abs=0.006)
    assert drawn.ici == pytest.approx(np.array([o.ici[0] for o in one_by_one]), abs=0.002)


def test_right_risks_have_slope_one_and_no_distance():
    generator = np.random.default_rng(0)
    risk = expit(generator.normal(-2, 1, 60_000))
    left = (generator.uniform(size=60_000) < risk).astype(float)
    found = reliability(risk, left, np.ones((1, 60_000)))
    assert found.slope[0] == pytest.approx(1.0, abs=0.04)
    assert found.ici[0] < 0.006


def test_one_risk_for_all_has_no_slope_and_no_distance_and_does_not_break():
    found = reliability(np.full(40, 0.1), np.r_[np.ones(4), np.zeros(36)], np.ones((3, 40)))
    assert np.isnan(found.slope).all()
    nobody = reliability(np.linspace(0.1, 0.2, 40), np.zeros(40), np.ones((1, 40)))
    assert np.isnan(nobody.ici).all()


def test_few_different_risks_take_fewer_knots():
    generator = np.random.default_rng(1)
    risk = generator.choice([0.1, 0.3], 400)
    left = (generator.uniform(size=400) < risk).astype(float)
    found = reliability(risk, left, np.ones((1, 400)))
    rates = [left[risk == r].mean() for r in (0.1, 0.3)]
    slow = np.average([abs(rates[0] - 0.1), abs(rates[1] - 0.3)], weights=[(risk == 0.1).sum(), (risk == 0.3).sum()])
    assert found.ici[0] == pytest.approx(slow, abs=1e-6)


@pytest.mark.parametrize("n_values", [2, 3, 4, 6, 21])
def test_draws_work_however_few_different_risks_there_are(n_values):
    generator = np.random.default_rng(2)
    risk = generator.choice(np.linspace(0.05, 0.4, n_values), 500)
    left = (generator.uniform(size=500) < risk).astype(float)
    drawn = reliability(risk, left, person_weights(np.arange(500), 20, 0))
    assert np.isfinite(drawn.ici).all()
    assert np.isfinite(drawn.slope).all()


@pytest.mark.parametrize("everybody", [0.0, 1.0])
def test_where_nobody_or_everybody_left_there_is_nothing_to_forecast(everybody):
    assert np.isnan(ipa(np.full(4, 0.2), np.full(4, everybody), np.ones(4)))
