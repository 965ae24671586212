"""Laws of the clock that runs with the exits."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from lifelines import NelsonAalenFitter

from models.clock import Clock

PEOPLE = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=40)


def split(people):
    return np.array([t for t, _ in people], float), np.array([e for _, e in people])


@given(PEOPLE)
def test_what_all_lived_through_is_the_number_who_left(people):
    time, event = split(people)
    assert np.isclose(Clock.fit(time, event).lived(time, event).sum(), (event > 0).sum())


@given(PEOPLE, st.sampled_from([lambda t: t * 30.4375, lambda t: np.sqrt(t), lambda t: t**2 + t]))
def test_stretching_time_changes_no_reading(people, stretch):
    time, event = split(people)
    np.testing.assert_array_equal(
        Clock.fit(time, event).lived(time, event), Clock.fit(stretch(time), event).lived(stretch(time), event)
    )


@given(PEOPLE, st.integers(1, 8))
def test_every_exit_falls_into_an_interval_that_was_lived_in(people, n_intervals):
    time, event = split(people)
    clock = Clock.fit(time, event)
    edges = clock.edges(time, event, n_intervals=n_intervals)
    lower = np.concatenate([[0.0], edges[:-1]])
    left = event > 0
    interval = np.searchsorted(edges, clock.read(time[left]), side="left")
    assert (interval < len(edges)).all()
    assert (clock.lived(time, event)[left] > lower[interval]).all()


def test_without_ties_the_clock_is_the_cumulative_hazard_of_nelson_and_aalen():
    rng = np.random.default_rng(3)
    time, event = rng.exponential(size=50), rng.integers(0, 2, 50)
    golden = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(time, event).predict([0.1, 0.5, 1.0, 2.0]).to_numpy()
    np.testing.assert_allclose(Clock.fit(time, event).read(np.array([0.1, 0.5, 1.0, 2.0])), golden)


def test_nothing_passes_before_the_first_exit_and_after_the_last():
    clock = Clock.fit(np.array([2.0, 3.0, 9.0]), np.array([1, 1, 0]))
    np.testing.assert_allclose(
        clock.read(np.array([0.0, 1.9, 2.0, 3.0, 9.0, 99.0])), [0, 0, 1 / 3, 5 / 6, 5 / 6, 5 / 6]
    )
