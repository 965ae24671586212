"""Trees as tables say what LightGBM says, of every kind of split, and share it out as its own TreeSHAP does."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from models.tables import FEW_ROWS, lookup_of, tables_of

EXACT = 1e-10


def grown(seed: int, *, leaves: int = 8, **other: object) -> tuple[lgb.Booster, np.ndarray]:
    """A booster whose columns have gaps, zeros, categories and an interval, and rows with values it never saw."""
    g = np.random.default_rng(seed)
    x = np.column_stack(
        [g.normal(size=(1200, 3)), g.poisson(0.5, 1200), g.integers(0, 40, 1200), g.integers(0, 6, 1200)]
    )
    x[g.random(x.shape) < 0.15] = np.nan
    x[:, 5] = g.integers(0, 6, 1200)
    risk = np.nan_to_num(x[:, 0]) + (x[:, 4] % 3 == 1) - 0.2 * x[:, 5]
    y = (risk + g.normal(size=1200) > 0).astype(float)
    given = {"num_leaves": leaves, "min_data_in_leaf": 5, "verbosity": -1, "seed": seed, "num_threads": 1, **other}
    data = lgb.Dataset(x, label=y, categorical_feature=[4])
    booster = lgb.train({"objective": "binary", **given}, data, num_boost_round=25)
    odd = np.array([[0.0, 1e-36, -1e-36, 0.0, 99.0, 3.0], [np.inf, -np.inf, 0.0, np.nan, -1.0, 0.0], [np.nan] * 6])
    return lgb.Booster(model_str=booster.model_to_string()), np.vstack([odd, x])


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "other", [{}, {"zero_as_missing": True}, {"use_missing": False}, {"leaves": 2}, {"max_cat_to_onehot": 50}], ids=str
)
def test_tables_equal_what_lightgbm_says_and_how_it_shares_it_out(seed: int, other: dict[str, object]) -> None:
    booster, rows = grown(seed, **other)  # type: ignore[arg-type]
    tables = tables_of(booster)
    assert tables is not None
    for part in (rows, rows[:FEW_ROWS], rows[:1], rows[1:2]):
        told = np.asarray(booster.predict(part, pred_contrib=True))
        assert np.abs(tables.raw(part)[:, 0] - booster.predict(part, raw_score=True)).max() < EXACT
        assert np.abs(tables.contributions(part, np.ones(1)) - told[:, :-1]).max() < EXACT
        assert tables.base == pytest.approx(told[0, -1], abs=EXACT)


def test_along_the_interval_one_look_stands_for_a_row_per_interval() -> None:
    booster, rows = grown(2)
    tables, weights = tables_of(booster), np.array([0.2, 0.3, 0.0, 0.5, 0.0, 0.0])
    assert tables is not None
    along = tables.along(len(weights))
    for people in (rows[:, :-1], rows[:5, :-1]):
        at = [np.column_stack([people, np.full(len(people), k)]) for k in range(6)]
        raw = np.column_stack([booster.predict(one, raw_score=True) for one in at])
        shares = sum(
            w * np.asarray(booster.predict(one, pred_contrib=True)) for w, one in zip(weights, at, strict=True)
        )
        assert np.abs(along.raw(people) - raw).max() < EXACT
        assert np.abs(along.contributions(people, weights) - shares[:, :-1]).max() < EXACT


@pytest.mark.parametrize("n_trees", [None, 10])
def test_a_lookup_is_the_mean_of_what_the_boosters_say(n_trees: int | None) -> None:
    (one, rows), (other, _) = grown(0), grown(1)
    told = np.mean([b.predict(rows, raw_score=True, num_iteration=n_trees) for b in (one, other)], axis=0)
    assert np.abs(lookup_of([one, other], n_trees=n_trees).raw(rows)[:, 0] - told).max() < EXACT


def test_trees_that_never_split_say_the_same_of_everybody() -> None:
    data = lgb.Dataset(np.zeros((50, 2)), label=np.arange(50) % 2)
    flat = lgb.train({"objective": "binary", "verbosity": -1, "boost_from_average": True}, data, num_boost_round=3)
    rows = np.zeros((60, 2))
    for part in (rows, rows[:2]):
        assert np.abs(lookup_of([flat]).raw(part)[:, 0] - flat.predict(part, raw_score=True)).max() < EXACT
    assert tables_of(flat) is None


def test_large_trees_get_no_table() -> None:
    large = grown(0, leaves=31)[0]
    assert tables_of(large) is None
    with pytest.raises(ValueError, match="more than 8 splits"):
        lookup_of([grown(0)[0], large])


def test_nobody_gives_nothing() -> None:
    tables = tables_of(grown(0)[0])
    assert tables is not None
    assert tables.raw(np.empty((0, 6))).shape == (0, 1)
    assert tables.contributions(np.empty((0, 6)), np.ones(1)).shape == (0, 6)
