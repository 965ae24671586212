"""Which intervals a landmark row teaches, drawn as small tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.person_period import OTHER, STAY, VOLUNTARY, expand, interval_weights

EDGES = (30, 90, 180)


def rows_of(time, event, follow_up=None):
    periods = expand(
        np.array([time]), np.array([event]), EDGES, follow_up=None if follow_up is None else np.array([follow_up])
    )
    return list(zip(periods.interval.tolist(), periods.outcome.tolist(), strict=True))


@pytest.mark.parametrize(
    ("time", "event", "follow_up", "expected"),
    [
        (78, VOLUNTARY, 180, [(0, STAY), (1, VOLUNTARY)]),
        (30, VOLUNTARY, 180, [(0, VOLUNTARY)]),
        (31, OTHER, 180, [(0, STAY), (1, OTHER)]),
        (180, STAY, 180, [(0, STAY), (1, STAY), (2, STAY)]),
        (120, STAY, 120, [(0, STAY), (1, STAY)]),
        (100, VOLUNTARY, 120, [(0, STAY), (1, STAY)]),
        (29, STAY, 29, []),
    ],
)
def test_an_interval_teaches_only_when_it_was_observed_to_its_end(time, event, follow_up, expected):
    assert rows_of(time, event, follow_up) == expected


def test_without_a_recorded_follow_up_an_interval_with_an_exit_counts_as_observed():
    assert rows_of(100, VOLUNTARY) == [(0, STAY), (1, STAY), (2, VOLUNTARY)]
    assert rows_of(100, STAY) == [(0, STAY), (1, STAY)]


@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.sampled_from([STAY, VOLUNTARY, OTHER]), st.integers(1, 400)),
        min_size=1,
        max_size=30,
    )
)
def test_leavers_and_stayers_are_dropped_alike_where_the_window_is_open(people):
    time = np.array([min(t, f) if e == STAY else t for t, e, f in people], dtype=float)
    follow_up = np.array([f for _, _, f in people], dtype=float)
    event = np.array([0 if t > f else e for (_, e, _), t, f in zip(people, time, follow_up, strict=True)])
    time = np.where(event == 0, follow_up, time)
    periods = expand(time, event, EDGES, follow_up=follow_up)
    upper = np.array(EDGES)[periods.interval]
    assert (upper <= follow_up[periods.row]).all()
    for row in range(len(people)):
        mine = periods.interval[periods.row == row]
        assert mine.tolist() == list(range(len(mine))), "intervals are lived through in order, none is skipped"
        assert (periods.outcome[periods.row == row] > 0).sum() <= 1


def test_weights_are_the_shares_of_the_horizon():
    np.testing.assert_allclose(interval_weights(EDGES, 180), [30 / 180, 60 / 180, 90 / 180])
    np.testing.assert_allclose(interval_weights(EDGES, 60), [0.5, 0.5, 0.0])
