"""The words of the benchmark: wins only where the interval leaves out zero; the invented truth is true."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.sets import Table, World, respondents
from benchmarks.tables import TABLES, over_sets, paired, verdict


def test_a_win_is_claimed_only_where_the_interval_leaves_out_zero():
    assert verdict((0.01, 0.002, 0.018)).startswith("better")
    assert verdict((-0.01, -0.02, -0.001)).startswith("worse")
    assert verdict((0.01, -0.001, 0.021)).startswith("matches")


def test_folds_that_share_training_rows_give_a_wider_interval_than_independent_sets():
    difference = np.array([0.01, 0.02, 0.0, 0.015, 0.005])
    mean, low, high = paired(difference)
    assert mean == pytest.approx(0.01)
    assert high - low == pytest.approx((over_sets(difference)[2] - over_sets(difference)[1]) * np.sqrt(0.45 / 0.2))


def test_a_model_is_compared_on_the_folds_that_both_have():
    lines = pd.DataFrame(
        {
            "set": "babushkin",
            "model": ["ours"] * 3 + ["peer"] * 2,
            "seed": 1,
            "fold": [0, 1, 2, 0, 1],
            "c": [0.7, 0.8, 0.9, 0.6, 0.7],
            "seconds": 1.0,
        }
    )
    table = TABLES["babushkin"](lines)[1]
    assert "| peer | 0.6500 ± 0.0500 | 1.0 | better (+0.1000" in table


def test_the_truth_of_the_invented_world_is_what_happens_in_it():
    rng = np.random.default_rng(0)
    shape, scale = np.array([[0.6, 1.0, 2.0]]), np.array([[900.0, 700.0, 500.0]])
    drawn = scale * rng.weibull(shape, size=(200_000, 3))
    times = np.array([50.0, 300.0, 900.0])
    told = World(Table(pd.DataFrame(), np.zeros(1), np.zeros(1)), shape, scale).incidence(np.array([0]), times)[0]
    first, cause = drawn.min(axis=1), drawn.argmin(axis=1)
    for row, time in zip(told, times, strict=True):
        seen = [(first > time).mean(), *[((first <= time) & (cause == c)).mean() for c in range(3)]]
        np.testing.assert_allclose(row, seen, atol=0.004)


def test_a_smaller_error_is_a_gain():
    lines = pd.DataFrame(
        {"model": ["ours", "ours", "peer", "peer"], "seed": [1, 2] * 2, "fold": 0, "error": [0.1, 0.1, 0.2, 0.21]}
    ).assign(gap=0.0, oracle=0.1, seconds=1.0)
    assert "| peer | 0.2050" in TABLES["causes"](lines)[0]
    assert "better (+0.1050" in TABLES["causes"](lines)[0]


def test_rows_that_share_traits_or_the_same_tenure_are_one_respondent_also_by_way_of_a_third():
    same = {"gender": "f", "age": 30.0, "independ": 1.0, "selfcontrol": 1.0, "anxiety": 1.0, "novator": 1.0}
    rows = pd.DataFrame([{**same, "extraversion": e} for e in (2.0, 2.0, 5.0, 5.0)])
    rows.loc[3, "age"] = 41.0
    table = Table(rows, np.array([7.1, 9.3, 9.3, 9.3]), np.ones(4, int))
    who = respondents(table)
    assert who[0] == who[1] == who[2]
    assert who[3] != who[0]
