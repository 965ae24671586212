"""A part of the quiet rows speaks for all: who left stays, every snapshot counts for as many as there were."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.learn import Landmarks, Settings, fit_hazards
from models.quiet import drawn

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=80)


@given(ROWS, st.integers(1, 60), st.integers(0, 3))
def test_everybody_who_left_stays_and_each_snapshot_counts_for_as_many_as_there_were(rows, most, seed):
    quiet, snapshot = (np.array(column) for column in zip(*rows, strict=True))
    kept, speaks_for = drawn(quiet, snapshot, most=most, seed=seed)
    assert kept[~quiet].all()
    assert (speaks_for[~quiet] == 1).all()
    for day in np.unique(snapshot):
        mine = quiet & (snapshot == day)
        assert speaks_for[mine & kept].sum() == pytest.approx(mine.sum())
    assert (quiet & kept).sum() <= max(most, 1) + len(np.unique(snapshot))
    again = drawn(quiet, snapshot, most=most, seed=seed)
    assert np.array_equal(again[0], kept)


def test_where_all_may_teach_nothing_changes():
    kept, speaks_for = drawn(np.ones(7, dtype=bool), np.arange(7), most=7, seed=0)
    assert kept.all()
    assert (speaks_for == 1).all()


def company(n=2500, n_as_of=8, seed=0):
    """People with a constant hazard that rises with a column, seen every month."""
    draw = np.random.default_rng(seed)
    strain, noise = draw.normal(size=(2, n))
    leaves = draw.exponential(365 / (0.15 * np.exp(0.8 * strain)))
    parts = []
    for day in np.arange(n_as_of) * 30.0:
        here = np.flatnonzero(leaves > day)
        time, follow_up = leaves[here] - day, np.full(len(here), 580.0 - day)
        rows = pd.DataFrame({"strain": strain[here], "noise": noise[here]})
        ended = (np.minimum(time, follow_up), (time <= follow_up).astype(int), follow_up)
        parts.append((rows, *ended, here.astype(str), np.full(len(here), day)))
    rows, *arrays = zip(*parts, strict=True)
    return Landmarks(pd.concat(rows, ignore_index=True), *(np.concatenate(a) for a in arrays))


def test_a_quarter_of_the_quiet_rows_teaches_the_same_rates_and_nearly_the_same_risks():
    landmarks, few_trees = company(), {"max_rounds": 40, "folds": 3}
    n_quiet = int((landmarks.event == 0).sum())
    every, some = (fit_hazards(landmarks, Settings(most_quiet=most, **few_trees)) for most in (n_quiet, n_quiet // 4))
    people = landmarks.rows.iloc[:: len(landmarks.rows) // 300]
    for kind in ("base", "linear", "boosted"):
        whole, part = (f.models[kind].cumulative_incidence(people, [30, 180, 365])[:, :, 1] for f in (every, some))
        assert part.mean(axis=0) == pytest.approx(whole.mean(axis=0), rel=0.05), kind
        assert np.abs(part - whole).mean() < 0.1 * whole.mean(), kind
