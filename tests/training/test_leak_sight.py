"""How well a column alone separates: equal to counting pairs, whatever the order of the rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.leak_sight import Fates, fold, interval, sight, strata

BAND = (0.0, 30.0)


def fates(time, left, *, follow_up=400.0, stratum=None):
    n = len(time)
    where = np.zeros(n, int) if stratum is None else np.asarray(stratum)
    return Fates(np.asarray(time, float), np.asarray(left, bool), np.full(n, follow_up), np.arange(n), where)


def by_pairs(values, f):
    """The slow obvious way: every leaver against every stayer of the same stratum."""
    leaves = f.left & (f.time <= 30)
    stays = f.time > 30
    wins = pairs = 0.0
    for i in np.flatnonzero(leaves):
        for j in np.flatnonzero(stays & (f.stratum == f.stratum[i])):
            a, b = (v if not np.isnan(v) else -np.inf for v in (values[i], values[j]))
            wins += 1.0 if a > b else 0.5 if a == b else 0.0
            pairs += 1
    return wins / pairs if pairs else 0.5


row = st.tuples(st.sampled_from([-1.0, 0.0, 2.0, float("nan")]), st.booleans(), st.integers(0, 2), st.integers(1, 60))


@given(st.lists(row, min_size=2, max_size=40))
def test_the_auc_is_the_share_of_pairs_won_within_a_stratum(rows):
    values, left, stratum, time = (np.array(column) for column in zip(*rows, strict=True))
    f = fates(time, left, stratum=stratum)
    assert sight(values.astype(float), f, BAND).auc == pytest.approx(by_pairs(values.astype(float), f))


@given(st.lists(row, min_size=2, max_size=40), st.randoms())
def test_the_order_of_rows_says_nothing(rows, random):
    mixed = random.sample(rows, len(rows))
    seen = []
    for some in (rows, mixed):
        values, left, stratum, time = (np.array(column) for column in zip(*some, strict=True))
        seen.append(sight(values.astype(float), fates(time, left, stratum=stratum), BAND))
    assert seen[0] == seen[1]


def test_who_left_before_the_band_and_who_was_not_seen_to_its_end_count_on_no_side():
    f = Fates(
        time=np.array([10.0, 80.0, 200.0, 100.0]), left=np.array([True, True, False, False]),
        follow_up=np.array([400.0, 400.0, 200.0, 100.0]), person=np.arange(4), stratum=np.zeros(4, int),
    )  # fmt: skip
    seen = sight(np.array([9.0, 2.0, 1.0, 9.0]), f, (60.0, 120.0))
    assert (seen.auc, seen.leavers) == (1.0, 1)


def test_snapshots_and_tenure_classes_are_not_compared_with_each_other():
    assert strata(np.array([1, 1, 2, 2]), np.array([10.0, 400.0, 10.0, np.nan])).tolist() == [0, 2, 8, 8]


def test_the_interval_is_wider_with_fewer_people_and_a_perfect_column_still_has_one():
    wide, narrow = interval(0.7, 20, 100), interval(0.7, 200, 1000)
    assert wide.low < narrow.low < 0.7 < narrow.high < wide.high
    assert 0.9 < interval(1.0, 30, 300).low < 1.0


def test_folding_turns_both_ends():
    seen = interval(0.3, 50, 500)
    turned = fold(seen)
    assert turned.auc == pytest.approx(0.7)
    assert (turned.low, turned.high) == (pytest.approx(1 - seen.high), pytest.approx(1 - seen.low))
    assert fold(interval(0.6, 50, 500), like=seen).auc == pytest.approx(0.4)
