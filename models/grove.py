"""Boosted trees for piecewise constant hazards: what a line cannot say about who leaves when.

One row per person and interval lived through, the exit counted against the time at risk (Poisson likelihood). How many
trees to grow is asked of people left out; several groves that differ by chance alone are averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.tables import Lookup, lookup_of

if TYPE_CHECKING:
    import lightgbm as lgb  # half a second: only where trees are made or opened

PATIENCE = 30
"""Trees without gain on people left out after which growing stops."""


@dataclass(frozen=True)
class Growth:
    """How trees may grow."""

    learning_rate: float
    leaves: int
    fewest_rows: int
    max_trees: int


@dataclass(frozen=True)
class Risked:
    """People at risk: coded ``values`` (n, p), ``lived`` (n, K) time at risk, ``exits`` (n, K) 0 or 1."""

    values: np.ndarray
    lived: np.ndarray
    exits: np.ndarray

    def take(self, mask: np.ndarray) -> Risked:
        """Return the people where ``mask`` is true."""
        return Risked(self.values[mask], self.lived[mask], self.exits[mask])


def grow(people: Risked, text: Sequence[int], base: np.ndarray, *, growth: Growth, seeds: Sequence[int]) -> Lookup:
    """Return a grove of ``growth.max_trees`` trees per seed; ``text`` are the positions of category columns.

    It says of each row of ``values`` (n, p) what the trees add to the log rate ``base`` (K,) of each interval (n, K),
    on average over the seeds.
    """
    import lightgbm as lgb

    data = _dataset(people, text, base)
    data.construct()  # the columns are sorted into bins once for all seeds
    boosters = [lgb.train(_parameters(growth, seed), data, num_boost_round=growth.max_trees) for seed in seeds]
    return grove_of(boosters, n_intervals=len(base))


def grove_of(boosters: Sequence[lgb.Booster], *, n_intervals: int, n_trees: int | None = None) -> Lookup:
    """Return what boosters say on average of every interval; ``n_trees``: only the first so many of each."""
    return lookup_of(boosters, n_trees=n_trees).along(n_intervals)


def grow_tried(
    people: Risked, left_out: Risked, text: Sequence[int], base: np.ndarray, *, growth: Growth, seed: int
) -> tuple[lgb.Booster, np.ndarray]:
    """Return a booster and the loss (``growth.max_trees``,) on people left out after each tree.

    Where growing stopped early the last loss stands for the rest.
    """
    import lightgbm as lgb

    data = _dataset(people, text, base)
    judge = _dataset(left_out, text, base, reference=data)
    record: dict[str, Any] = {}
    stop: list[Callable[..., Any]] = [lgb.record_evaluation(record), lgb.early_stopping(PATIENCE, verbose=False)]
    booster = lgb.train(
        _parameters(growth, seed), data, num_boost_round=growth.max_trees, valid_sets=[judge], callbacks=stop
    )
    loss = np.array(record["valid_0"]["poisson"]) * judge.num_data()
    return booster, np.concatenate([loss, np.full(growth.max_trees - len(loss), loss[-1])])


def _dataset(
    people: Risked, text: Sequence[int], base: np.ndarray, reference: lgb.Dataset | None = None
) -> lgb.Dataset:
    import lightgbm as lgb

    row, interval = np.nonzero(people.lived > 0)
    return lgb.Dataset(
        np.column_stack([people.values[row], interval]),
        label=people.exits[row, interval],
        init_score=np.log(people.lived[row, interval]) + base[interval],
        categorical_feature=list(text) or "auto",
        reference=reference,
        params={"verbosity": -1, "max_bin": 127, "feature_pre_filter": False, "min_data_in_bin": 3},
    )


def _parameters(growth: Growth, seed: int) -> dict[str, Any]:
    return {
        "objective": "poisson",
        "metric": "poisson",
        "poisson_max_delta_step": 0.3,
        "learning_rate": growth.learning_rate,
        "num_leaves": growth.leaves,
        "min_data_in_leaf": growth.fewest_rows,
        "min_sum_hessian_in_leaf": 3.0,  # the exits expected in a leaf
        "feature_fraction": 0.6,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 20.0,
        "cat_smooth": 20.0,
        "max_bin": 127,
        "min_data_in_bin": 3,
        "feature_pre_filter": False,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "boost_from_average": False,
        "num_threads": 1,
        "verbosity": -1,
    }
