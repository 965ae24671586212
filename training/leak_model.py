"""A quick model of all columns together: what a random split would have claimed, and what single columns carry.

Not for forecasting. The gap between the random split and the split in time is what an honest report has to show beside
its figures (SCIENCE: .16 to .27 on panels); a column whose shuffling alone brings the model down carries it alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import pandas as pd

from models.encode import Codes, usable_columns
from training.leak_columns import FEWEST_LEAVERS, Ground
from training.leak_sight import Sight, sight

MOST_CARRIED = 0.15
"""A single column whose shuffling costs more AUC than this, out of time, carries the model alone."""
ASKED = 12
PARAMETERS = {
    "objective": "binary", "num_leaves": 15, "learning_rate": 0.1, "min_child_samples": 40, "feature_fraction": 0.5,
    "verbose": -1, "num_threads": 1, "deterministic": True, "force_col_wise": True, "lambda_l2": 10.0,
}  # fmt: skip


@dataclass(frozen=True)
class Gap:
    """AUC of the quick model on a random split of rows and on later snapshots, and what shuffling a column costs."""

    random: Sight
    later: Sight
    carried: dict[str, float]


def quick_look(rows: pd.DataFrame, ground: Ground, *, horizon_days: float, seed: int = 0) -> Gap | None:
    """Return what a quick model says; None when too few people left on either side of the cut."""
    f, band = ground.fates, (0.0, float(horizon_days))
    closed = (f.follow_up >= horizon_days) | (f.left & (f.time <= horizon_days))
    y = f.left & (f.time <= horizon_days)
    if not closed.any():
        return None
    cut = np.quantile(ground.as_of[closed], 0.7)
    early, late = closed & (ground.as_of < cut - horizon_days), closed & (ground.as_of >= cut)
    if min(len(np.unique(f.person[y & part])) for part in (early, late)) < FEWEST_LEAVERS:
        return None
    codes = Codes.fit(rows, usable_columns(rows, ground.as_of.astype(float)))
    x = codes.transform(rows)
    model = _learn(x[early], y[early], seed)
    later = _seen(model, x[late], ground, late, band)
    mixed = np.random.default_rng(seed).random(len(y)) < early.sum() / (early.sum() + late.sum())
    both = early | late
    random = _seen(_learn(x[both & mixed], y[both & mixed], seed), x[both & ~mixed], ground, both & ~mixed, band)
    gain = model.feature_importance("gain")
    carried = {}
    for j in np.argsort(-gain)[:ASKED]:
        shuffled = x[late].copy()
        shuffled[:, j] = np.random.default_rng([seed, int(j)]).permutation(shuffled[:, j])
        carried[codes.columns[j]] = later.auc - _seen(model, shuffled, ground, late, band).auc
    return Gap(random, later, carried)


def _learn(x: np.ndarray, y: np.ndarray, seed: int) -> lgb.Booster:
    return lgb.train({**PARAMETERS, "seed": seed}, lgb.Dataset(x, y.astype(float)), num_boost_round=60)


def _seen(model: lgb.Booster, x: np.ndarray, ground: Ground, rows: np.ndarray, band: tuple[float, float]) -> Sight:
    f = ground.fates
    mine = type(f)(f.time[rows], f.left[rows], f.follow_up[rows], f.person[rows], f.stratum[rows])
    return sight(np.asarray(model.predict(x)), mine, band)
