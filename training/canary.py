"""Is the judging itself honest? Two checks that need a wrong answer to look right.

    rows split at random    one learner, rows of the same person on both sides: how much that alone would flatter
    labels shuffled         the same learner taught nonsense: it must find nothing

A plain boosted classifier stands in for the model, because what is tested is the split, not the learner. A published
figure that was got on rows split at random belongs beside the first of these, not beside ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from training.fit import Panel, Trained, days_between

MOST_ROWS = 6_000
SHUFFLES = 7
"""One alone strays by a tenth where leavers sit in few departments: a liking for one of them looks like skill."""

ROUNDS = 80
PARAMETERS = {
    "objective": "binary", "num_leaves": 16, "learning_rate": 0.1, "seed": 0, "deterministic": True,
    "force_row_wise": True, "num_threads": 1, "verbosity": -1,
}  # fmt: skip
"""One thread: a team of threads waits for a busy core, a minute instead of a second."""

TEST_SHARE = 0.3
FEWEST_LEAVERS = 10


@dataclass(frozen=True)
class Canary:
    """AUC of one plain learner at the reference horizon; NaN where too few left to say."""

    in_time: float
    rows_at_random: float
    labels_shuffled: float

    @property
    def gap(self) -> float:
        """Return by how much a split at random flatters."""
        return self.rows_at_random - self.in_time


def canary(trained: Trained) -> Canary:
    """Return the three figures for the last origin of the test, on the rows whose horizon was closed."""
    nothing = Canary(float("nan"), float("nan"), float("nan"))
    if not trained.splits:
        return nothing
    split, h = trained.splits[-1], trained.plan.reference_horizon_days
    panel, rng = trained.panel, np.random.default_rng(trained.plan.seed)
    day = pd.to_datetime(panel.index["as_of"]).dt.date
    closed = (panel.index["follow_up"] >= h).to_numpy()
    by_then = days_between(panel.index["as_of"], split.origin).to_numpy() >= h
    taught = _some(closed & by_then & day.isin(split.train).to_numpy(), rng)
    tested = _some(closed & day.isin(split.test).to_numpy(), rng)
    values, left = trained.model.codes.transform(panel.rows), _left(panel, h)
    together = rng.permutation(np.concatenate([taught, tested]))
    cut = int(TEST_SHARE * len(together))
    if any(len(np.flatnonzero(left[part])) < FEWEST_LEAVERS for part in (taught, tested, together[:cut])):
        return nothing
    nonsense = []
    for _ in range(SHUFFLES):
        shuffled = left.copy()
        shuffled[taught] = rng.permutation(left[taught])
        nonsense.append(_auc(values, left, taught=taught, tested=tested, lesson=shuffled))
    return Canary(
        _auc(values, left, taught=taught, tested=tested),
        _auc(values, left, taught=together[cut:], tested=together[:cut]),
        float(np.mean(nonsense)),
    )


def _left(panel: Panel, horizon_days: int) -> np.ndarray:
    return ((panel.index["event"] == 1) & (panel.index["time"] <= horizon_days)).to_numpy(int)


def _some(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rows = np.flatnonzero(mask)
    return np.sort(rng.choice(rows, MOST_ROWS, replace=False)) if len(rows) > MOST_ROWS else rows


def _auc(
    values: np.ndarray,
    left: np.ndarray,
    *,
    taught: np.ndarray,
    tested: np.ndarray,
    lesson: np.ndarray | None = None,
) -> float:
    lessons = left if lesson is None else lesson
    learner = lgb.train(PARAMETERS, lgb.Dataset(values[taught], label=lessons[taught]), num_boost_round=ROUNDS)
    return float(roc_auc_score(left[tested], learner.predict(values[tested], num_threads=1)))
