"""Reductions over groups of columns say the same of one person as of many, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.grouped import add_rows, grouped
from models.known import FEW

MANY = 4 * FEW


@pytest.mark.parametrize("reduce", [np.maximum, np.logical_or, np.logical_and])
@pytest.mark.parametrize("n", [1, FEW, MANY])
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=8), seed=st.integers(0, 1000))
def test_a_group_gets_what_numpy_says_of_its_rows(reduce: np.ufunc, n: int, sizes: list[int], seed: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 3, (sum(sizes), n)).astype(np.int32)
    first = np.cumsum([0, *sizes[:-1]])
    found = grouped(reduce, rows if reduce is np.maximum else rows > 0, first)
    each = [reduce.reduce(part > 0 if reduce is not np.maximum else part, axis=0) for part in np.split(rows, first[1:])]
    np.testing.assert_array_equal(found, each)


@given(above_zero=st.booleans(), seed=st.integers(0, 1000))
def test_a_sum_is_the_same_bits_alone_and_among_many(above_zero: bool, seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows = chance.standard_normal((40, MANY)) * 10.0 ** chance.integers(-9, 9, (40, 1))
    which, whose = chance.permutation(40)[:30], chance.integers(0, 5, 30)
    together = add_rows(np.ones((6, MANY)), rows, which, whose, above_zero=above_zero)
    for i in (0, MANY - 1):
        alone = add_rows(np.ones((6, 1)), rows[:, i : i + 1], which, whose, above_zero=above_zero)
        np.testing.assert_array_equal(together[:, i : i + 1], alone)
    expected = np.ones((6, MANY))
    for row, group in zip(which, whose, strict=True):
        expected[group] += np.maximum(rows[row], 0.0) if above_zero else rows[row]
    np.testing.assert_array_equal(together, expected)
    assert (together[5] == 1.0).all()
