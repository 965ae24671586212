"""The penalised line stands at the top of its likelihood, finds the truth, and believes little when it saw little."""

import numpy as np
import pytest

from models.shrunken import Belief, Columns, _Problem, fit_line, log_rates

BELIEFS = (Belief(0.05, 1.0), Belief(0.01, 1.0))


def drawn(n, effect, seed=0):
    """People at risk over two intervals of length .5 whose first column acts and whose second does not."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    time = rng.exponential(np.exp(-effect * x[:, 0]))
    lived = np.column_stack([np.minimum(time, 0.5), np.clip(time - 0.5, 0, 0.5)])
    exits = np.column_stack([time <= 0.5, (time > 0.5) & (time <= 1.0)]).astype(float)
    return Columns(x, x[:, :1], np.array([-1.0, 1.0]), np.array([0, 0, 1]), BELIEFS), lived, exits


def test_slopes_and_curvature_are_those_of_the_loss():
    columns, lived, exits = drawn(40, 0.7)
    problem = _Problem(columns, lived, exits, log_rates(lived, exits))
    at, precision = np.array([0.3, -0.1, 0.05, 0.1, -0.2]), problem.precision(np.array([20.0, 100.0]))
    gradient, hessian = problem.derivatives(at, precision)
    for i in range(5):
        step = np.eye(5)[i] * 1e-5
        slope = (problem.loss(at + step, precision) - problem.loss(at - step, precision)) / 2e-5
        assert slope == pytest.approx(gradient[i], abs=1e-5)
        bend = problem.derivatives(at + step, precision)[0] - problem.derivatives(at - step, precision)[0]
        np.testing.assert_allclose(bend / 2e-5, hessian[i], atol=1e-4)


def test_with_many_exits_the_truth_is_found():
    line = fit_line(*drawn(20_000, 0.7))
    np.testing.assert_allclose(line.fixed, [0.7, 0.0], atol=0.03)
    assert abs(line.fading[0]) < 0.03
    np.testing.assert_allclose(line.base, 0.0, atol=0.05)


def test_with_few_exits_little_is_claimed():
    few, many = (np.abs(fit_line(*drawn(n, 0.0, seed=5)).fixed).max() for n in (12, 2_000))
    assert few < 0.3
    assert many < 0.05


def test_an_interval_nobody_left_in_stays_finite():
    lived, exits = np.array([[1.0, 1.0]] * 9), np.array([[1.0, 0.0]] * 9)
    assert np.isfinite(log_rates(lived, exits)).all()
    assert log_rates(lived, exits)[1] < log_rates(lived, exits)[0]
