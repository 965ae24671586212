"""The metrics equal well-kept implementations, and their intervals cover."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from training.evaluate import (
    METRICS,
    Told,
    auc,
    average_precision,
    brier,
    calibration_slope,
    caught,
    difference,
    evaluate,
    observed_over_expected,
    person_weights,
    told_at,
    wilson,
    with_interval,
)  # fmt: skip


def told(risk, left, person=None, as_of=None):
    n = len(risk)
    people = np.arange(n) if person is None else np.asarray(person)
    return Told(
        np.asarray(risk, float), np.asarray(left, float), people, np.zeros(n) if as_of is None else np.asarray(as_of)
    )


cases = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 4)), min_size=4, max_size=60).filter(
    lambda rows: 0 < sum(left * w for _, left, w in rows) < sum(w for _, _, w in rows)
)


@given(cases)
def test_auc_precision_and_brier_equal_scikit_learn_with_ties_and_weights(rows):
    risk, left, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    rows_ = told(risk / 6, left)
    assert auc(rows_, weight) == pytest.approx(roc_auc_score(left, risk, sample_weight=weight))
    assert average_precision(rows_, weight) == pytest.approx(average_precision_score(left, risk, sample_weight=weight))
    assert brier(rows_, weight) == pytest.approx(brier_score_loss(left, risk / 6, sample_weight=weight))


def test_caught_counts_the_leavers_among_those_a_manager_can_talk_to_on_each_snapshot():
    risk = [0.9, 0.8, 0.2, 0.1, 0.5, 0.4, 0.3, 0.2]
    left = [1, 0, 1, 0, 0, 1, 0, 0]
    rows = told(risk, left, as_of=[0, 0, 0, 0, 1, 1, 1, 1])
    assert caught(0.25)(rows, np.ones(8)) == pytest.approx(1 / 3)
    assert caught(0.50)(rows, np.ones(8)) == pytest.approx(2 / 3)


def test_calibrated_risks_have_slope_one_and_level_one():
    generator = np.random.default_rng(0)
    risk = 1 / (1 + np.exp(-generator.normal(-2, 1, 40_000)))
    rows = told(risk, generator.uniform(size=40_000) < risk)
    assert calibration_slope(rows) == pytest.approx(1.0, abs=0.05)
    assert observed_over_expected(rows, np.ones(40_000)) == pytest.approx(1.0, abs=0.05)


def test_the_interval_is_over_people_so_repeating_the_snapshots_of_a_person_does_not_narrow_it():
    generator = np.random.default_rng(1)
    risk = generator.uniform(size=300)
    left = (generator.uniform(size=300) < risk / 3).astype(float)
    once = told(risk, left)
    often = told(np.repeat(risk, 10), np.repeat(left, 10), person=np.repeat(np.arange(300), 10))
    width = [i.high - i.low for i in (evaluate(once)["auc"], evaluate(often)["auc"])]
    assert width[1] == pytest.approx(width[0], rel=0.05)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(2)
    covered = 0
    for _ in range(100):
        score = generator.normal(size=150)
        left = (generator.uniform(size=150) < 0.3).astype(float)
        rows = told(score + 0.8 * left, left)
        interval = with_interval(auc, rows, person_weights(rows.person, 100, 0))
        covered += interval.low <= 0.7142 <= interval.high  # Phi(0.8 / sqrt 2)
    assert 80 <= covered <= 98


def test_a_model_differs_from_itself_by_nothing_and_from_noise_by_something():
    generator = np.random.default_rng(3)
    left = (generator.uniform(size=800) < 0.2).astype(float)
    good, noise = told(generator.normal(size=800) + left, left), told(generator.normal(size=800), left)
    same = difference(auc, good, good)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert difference(auc, good, noise).low > 0


def test_rows_with_an_open_horizon_do_not_count_and_other_exits_are_not_leavers():
    predictions = pd.DataFrame(
        {
            "employee_id": ["a", "b", "c", "d"], "as_of": ["2024-01-31"] * 4, "time": [50.0, 200.0, 60.0, 40.0],
            "event": [1, 1, 2, 0], "follow_up": [300.0, 300.0, 300.0, 40.0], "chosen_90": [0.4, 0.3, 0.2, 0.1],
        }
    )  # fmt: skip
    rows = told_at(predictions, 90, "chosen")
    assert rows.left.tolist() == [1, 0, 0]
    assert rows.risk.tolist() == [0.4, 0.3, 0.2]


def test_every_metric_is_reported_with_an_interval():
    generator = np.random.default_rng(4)
    rows = told(generator.uniform(size=200), generator.uniform(size=200) < 0.3)
    out = evaluate(rows)
    assert set(METRICS) < set(out)
    assert all(out[name].low <= out[name].value <= out[name].high for name in METRICS)


@pytest.mark.parametrize(("left", "n"), [(0, 10), (3, 10), (10, 10)])
def test_the_interval_of_a_share_lies_within_zero_and_one_and_holds_the_share(left, n):
    low, high = wilson(left, n)
    assert 0 <= low <= left / n <= high <= 1
    assert wilson(0, 0) == (0.0, 1.0)
