"""Rolling origins: what teaches is closed on the day of the origin, what tests comes after it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import FixableError
from features.snapshots import month_ends
from training.plan import Plan
from training.splits import fit_to_history, rolling_origins


def test_a_worked_example_three_years_of_months():
    as_of = month_ends(date(2022, 1, 1), date(2024, 12, 31))
    splits = rolling_origins(as_of, Plan(), closed_on=date(2024, 12, 31))
    assert len(splits) == 3
    last = splits[-1]
    assert last.test[-1] == date(2024, 6, 30), "half a year must be closed after the last test snapshot"
    assert last.train[-1] + timedelta(days=365) <= last.origin
    assert [s.origin for s in splits] == sorted(s.origin for s in splits)


@given(
    months=st.integers(4, 60),
    gap=st.one_of(st.none(), st.integers(0, 400)),
    origins=st.integers(1, 6),
    lost=st.integers(0, 200),
)
def test_nothing_that_teaches_reaches_into_the_test(months, gap, origins, lost):
    first = date(2020, 1, 31)
    last = first + timedelta(days=30 * months)
    as_of, closed_on = month_ends(first, last), last - timedelta(days=lost)
    plan = Plan(gap_days=gap, origins=origins)
    splits = rolling_origins(as_of, plan, closed_on=closed_on)
    tested = [a for s in splits for a in s.test]
    assert len(tested) == len(set(tested)), "a snapshot tests one model"
    for split in splits:
        assert max(split.train) + timedelta(days=plan.gap) <= split.origin <= min(split.test)
        assert max(split.test) + timedelta(days=plan.reference_horizon_days) <= closed_on


def test_dates_given_as_origins_are_taken():
    as_of = month_ends(date(2022, 1, 1), date(2024, 12, 31))
    plan = Plan(horizons_days=(90,), reference_horizon_days=90, origins=(date(2024, 1, 15),))
    (split,) = rolling_origins(as_of, plan, closed_on=date(2024, 12, 31))
    assert split.test[0] == date(2024, 1, 31)
    assert split.train[-1] == date(2023, 9, 30)


def test_a_short_history_drops_the_long_horizons_and_a_shorter_one_is_refused_with_the_fix():
    as_of = month_ends(date(2024, 1, 1), date(2024, 12, 31))
    plan, splits = fit_to_history(as_of, Plan(), closed_on=date(2024, 12, 31))
    assert plan.horizons_days == (30, 90)
    assert plan.reference_horizon_days == 90
    assert splits
    with pytest.raises(FixableError, match="too short"):
        fit_to_history(as_of[:2], Plan(), closed_on=as_of[1])
