"""Chances from hazards: against a slow integration, and the laws."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.incidence import chained


def slowly(hazards, edges, time, steps=20_000):
    """Walk through time in small steps."""
    at = (np.arange(steps) + 0.5) * time / steps
    rates = hazards[:, 0, np.minimum(np.searchsorted(edges, at), len(edges) - 1)] * (at <= edges[-1])
    here = np.exp(-np.concatenate([[0.0], np.cumsum(rates.sum(axis=0))[:-1]]) * time / steps)
    left = (rates * here * time / steps).sum(axis=1)
    return np.concatenate([[1 - left.sum()], left])


def test_it_is_what_walking_through_time_gives():
    hazards = np.array([[[0.2, 1.5, 0.1]], [[0.4, 0.0, 0.9]]])
    edges, times = np.array([0.5, 1.0, 3.0]), np.array([0.2, 0.5, 0.8, 2.0, 5.0])
    found = chained(hazards, edges, times)[0]
    np.testing.assert_allclose(found, [slowly(hazards, edges, t) for t in times], atol=3e-4)


@given(st.lists(st.floats(0, 50), min_size=6, max_size=6), st.lists(st.floats(0, 4), min_size=1, max_size=8))
def test_chances_sum_to_one_and_never_fall(rates, times):
    found = chained(np.array(rates).reshape(2, 1, 3), np.array([0.5, 1.0, 3.0]), np.sort(times))
    np.testing.assert_allclose(found.sum(axis=2), 1.0, atol=1e-9)
    assert (np.diff(found[:, :, 1:], axis=1) >= -1e-9).all()
