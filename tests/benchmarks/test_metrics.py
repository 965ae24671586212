"""The metrics of the benchmark against golden numbers of lifelines 0.30.0 and scikit-survival 0.28.0, and laws."""

import lifelines.utils
import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from benchmarks.metrics import KaplanMeier, Outcomes, brier, explained, harrell_c, integrated

GOLDEN_BRIER = [0.2772138626947408, 0.3586990016642855, 0.38304419540679735]
GOLDEN_IBS = 0.34617785423606157


def drawn(n=80):
    rng = np.random.default_rng(11)
    time, event, risk = rng.integers(1, 30, n).astype(float), rng.integers(0, 2, n), rng.normal(size=n).round(1)
    return time, event, risk


def slow_c(time, event, risk):
    """Every pair, one by one."""
    good = pairs = 0.0
    for i in range(len(time)):
        for j in range(len(time)):
            if event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j])):
                pairs += 1
                good += 1.0 if risk[i] > risk[j] else 0.5 * (risk[i] == risk[j])
    return good / pairs


def test_concordance_is_every_pair_counted():
    time, event, risk = drawn()
    assert harrell_c(time, event, risk) == pytest.approx(slow_c(time, event, risk), abs=1e-12)


def test_concordance_is_that_of_lifelines():
    time, event, risk = drawn()
    assert harrell_c(time, event, risk) == pytest.approx(
        lifelines.utils.concordance_index(time, -risk, event), abs=1e-12
    )


def test_without_a_comparable_pair_there_is_no_concordance():
    assert np.isnan(harrell_c(np.array([1.0, 2.0]), np.array([0, 0]), np.array([1.0, 2.0])))


def test_kaplan_meier_is_that_of_lifelines():
    time, event, _ = drawn()
    golden = KaplanMeierFitter().fit(time, event).predict([0.5, 3, 10.2, 29]).to_numpy()
    np.testing.assert_allclose(KaplanMeier.fit(time, event).at(np.array([0.5, 3, 10.2, 29])), golden)


def test_brier_score_is_that_of_scikit_survival():
    # sksurv.metrics.brier_score(train, test, 1 - told, [5, 12, 20]), test = the first 40 people of the 80 drawn. Times
    # are made distinct: on ties scikit-survival takes the censoring just after an exit, Graf et al. just before it.
    time, event, risk = drawn()
    time = time + np.arange(80) / 1000
    times = np.array([5.0, 12.0, 20.0])
    told = 1 / (1 + np.exp(-(risk[:40, None] + times / 20 - 0.5)))
    outcomes = Outcomes.of((time, event), (time[:40], event[:40]))
    found = brier(outcomes, times, told)
    np.testing.assert_allclose(found, GOLDEN_BRIER, atol=1e-10)
    assert integrated(times, found) == pytest.approx(GOLDEN_IBS, abs=1e-10)


def test_the_reference_explains_nothing_and_the_truth_everything():
    times, ones = np.array([1.0, 2.0, 4.0]), np.array([0.2, 0.2, 0.1])
    assert explained(times, ones, ones) == 0.0
    assert explained(times, 0 * ones, ones) == 1.0


def test_without_censoring_the_brier_score_is_the_mean_square():
    time, event, told = np.array([1.0, 3.0, 6.0]), np.ones(3, int), np.array([[0.9], [0.4], [0.2]])
    outcomes = Outcomes.of((time, event), (time, event))
    expected = (0.1**2 + 0.6**2 + 0.2**2) / 3
    assert brier(outcomes, np.array([4.0]), told)[0] == pytest.approx(expected)


def test_another_cause_counts_as_not_having_left_by_this_one():
    time, event, told = np.array([1.0, 3.0, 6.0]), np.array([1, 2, 1]), np.array([[0.9], [0.4], [0.2]])
    outcomes = Outcomes.of((time, event), (time, event))
    expected = (0.1**2 + 0.4**2 + 0.2**2) / 3
    assert brier(outcomes, np.array([4.0]), told, cause=1)[0] == pytest.approx(expected)
