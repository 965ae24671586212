"""The shared-column solver gives scikit-learn's answer on the repeated rows."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.ridge import INTERCEPT_SD, Prior, fit_ridge


@pytest.mark.parametrize("prior_sd", [0.05, 0.2, 1.0])
def test_it_equals_scikit_learn_on_the_rows_repeated_once_per_interval(prior_sd):
    generator = np.random.default_rng(0)
    n, k = 600, 3
    x = generator.normal(size=(n, 5))
    lived = np.cumprod(generator.uniform(size=(n, k)) < 0.8, axis=1).astype(float)
    weight = lived * generator.uniform(0.2, 1.0, (n, 1))
    exits = (generator.uniform(size=(n, k)) < 0.2 + 0.1 * (x[:, :1] > 0)) * lived
    found = fit_ridge(x, exits, weight, prior=Prior(np.zeros(5), prior_sd**2 * np.eye(5)), start=np.zeros(k))

    # Columns scaled by their prior: one penalty of 1 then stands for both priors.
    row, interval = np.nonzero(weight > 0)
    scaled = np.hstack([x[row] * prior_sd, np.eye(k)[interval] * INTERCEPT_SD])
    theirs = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10, max_iter=5000)
    theirs.fit(scaled, exits[row, interval], sample_weight=weight[row, interval])
    np.testing.assert_allclose(found.coefficient, theirs.coef_[0][:5] * prior_sd, atol=1e-5)
    np.testing.assert_allclose(found.intercept, theirs.coef_[0][5:] * INTERCEPT_SD, atol=1e-5)


def test_without_evidence_the_coefficients_are_what_was_believed_before():
    mean = np.array([0.05, -0.05, 0.0])
    x = np.random.default_rng(1).normal(size=(50, 3))
    nobody = np.zeros((50, 2))
    found = fit_ridge(x, nobody, nobody, prior=Prior(mean, 0.01 * np.eye(3)), start=np.array([-3.0, -2.0]))
    np.testing.assert_allclose(found.coefficient, mean, atol=1e-6)
    np.testing.assert_allclose(found.intercept, [-3.0, -2.0], atol=1e-6)
