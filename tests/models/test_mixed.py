"""Line and trees of one cause: who says how much of what is told."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.encode import Codes
from models.grove import Risked
from models.mixed import FEWEST_EXITS_FOR_TREES, Learning, Mixed, fit_mixed

SETTINGS = Learning(folds=3, groves=2, max_trees=40, seed=0)


def people(n: int, rate: float) -> tuple[Risked, Codes]:
    """Three columns, of which the first acts, and two intervals; about ``rate`` leave in the first."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(n, 3))
    leaves = rng.random((n, 2)) < rate * np.exp(values[:, :1] - 0.5)
    leaves[:, 1] &= ~leaves[:, 0]
    lived = np.column_stack([np.ones(n), ~leaves[:, 0]]).astype(float)
    codes = Codes.fit(pd.DataFrame(values, columns=["a", "b", "c"]), ["a", "b", "c"])
    return Risked(values, lived, leaves.astype(float)), codes


@pytest.fixture(scope="module")
def many() -> tuple[Risked, Mixed]:
    risked, codes = people(600, 0.1)
    return risked, fit_mixed(risked, codes, SETTINGS)


def test_half_of_what_is_said_is_the_folds_(many: tuple[Risked, Mixed]) -> None:
    risked, mixed = many
    alone = [
        replace(mixed, everybody=one, folds=()).log_hazard(risked.values) for one in (mixed.everybody, *mixed.folds)
    ]
    assert len(mixed.folds) == SETTINGS.folds
    assert np.std(alone, axis=0).min() > 0  # each was taught by others
    np.testing.assert_allclose(mixed.log_hazard(risked.values), (alone[0] + np.mean(alone[1:], axis=0)) / 2, atol=1e-12)


def test_as_many_exits_are_expected_as_there_were(many: tuple[Risked, Mixed]) -> None:
    risked, mixed = many
    expected = (risked.lived * np.exp(mixed.log_hazard(risked.values))).sum()
    assert expected == pytest.approx(risked.exits.sum(), rel=0.01)


def test_a_handful_of_exits_teaches_no_trees_and_no_folds() -> None:
    risked, codes = people(100, 0.04)
    assert 0 < risked.exits.sum() < FEWEST_EXITS_FOR_TREES
    mixed = fit_mixed(risked, codes, SETTINGS)
    assert (mixed.folds, mixed.everybody.grove, mixed.weights) == ((), None, (1.0, 0.0))
