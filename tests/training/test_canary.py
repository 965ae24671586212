"""The canary sings: rows split at random flatter where people repeat, and nonsense teaches nothing."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.encode import Codes
from training.canary import canary, left_by_lot
from training.fit import Panel
from training.plan import Plan
from training.splits import Split

DAYS = [date(2023, 1, 31) + timedelta(days=30 * i) for i in range(10)]


def trained(n=300, signal=0.0):
    """People with a number each, who leave or stay alike on most snapshots: memory pays, foresight does not."""
    rng = np.random.default_rng(0)
    mark, leaves = rng.normal(size=n), rng.uniform(size=n) < 0.2
    parts = []
    for i, day in enumerate(DAYS):
        left = leaves if i < 5 else rng.permutation(leaves)
        left = left & (rng.uniform(size=n) < 0.9)
        parts.append(
            pd.DataFrame(
                {
                    "employee_id": [f"p{k}" for k in range(n)],
                    "as_of": day,
                    "time": np.where(left, 20.0, 400.0),
                    "event": left.astype(int),
                    "follow_up": 400.0,
                    "mark": mark + signal * left,
                }
            )
        )
    index = pd.concat(parts, ignore_index=True)
    rows = index[["mark"]].astype(float)
    split = Split(DAYS[7], tuple(DAYS[:6]), tuple(DAYS[8:]))
    plan = Plan(horizons_days=(30,), reference_horizon_days=30)
    model = SimpleNamespace(codes=Codes.fit(rows, ["mark"]))
    panel = Panel(index.drop(columns="mark"), rows, (), DAYS[-1])
    return SimpleNamespace(panel=panel, splits=(split,), plan=plan, model=model)


def test_a_split_at_random_flatters_where_only_memory_pays():
    found = canary(trained())
    assert found.in_time < 0.6
    assert found.gap > 0.1
    assert found.gap == pytest.approx(found.rows_at_random - found.in_time)


def test_shuffled_labels_teach_nothing_even_where_there_is_something_to_learn():
    found = canary(trained(signal=3.0))
    assert found.in_time > 0.9
    assert 0.47 < found.labels_shuffled < 0.53


def test_a_split_with_the_same_rows_on_both_sides_shows_in_shuffled_labels():
    leaky = trained()
    leaky.splits = (Split(DAYS[9], tuple(DAYS[:9]), tuple(DAYS[6:])),)
    assert canary(leaky).labels_shuffled > 0.6


def test_by_lot_every_month_keeps_its_exits_and_an_exit_is_seen_from_all_snapshots_before_it():
    panel = trained().panel
    true = ((panel.index["event"] == 1) & (panel.index["time"] <= 30)).groupby(panel.index["as_of"]).sum()
    for drawn in left_by_lot(panel, 30, rng=np.random.default_rng(0)):
        assert pd.Series(drawn).groupby(panel.index["as_of"]).sum().tolist() == true.tolist()
    long = next(left_by_lot(panel, 60, rng=np.random.default_rng(0)))
    once = next(left_by_lot(panel, 30, rng=np.random.default_rng(0)))
    by_person = panel.index.assign(once=once, long=long).sort_values(["employee_id", "as_of"]).groupby("employee_id")
    later = by_person["once"].shift(-1).fillna(0).to_numpy()
    seen = by_person.obj["once"].to_numpy() + later > 0
    assert (by_person.obj["long"].to_numpy() == seen).all()


def test_with_too_few_leavers_nothing_is_said():
    few = trained(n=20)
    assert np.isnan(canary(few).in_time)
