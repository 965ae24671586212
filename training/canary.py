"""Is the judging itself honest? Two checks that need a wrong answer to look right.

    rows split at random    one learner, rows of the same person on both sides: how much that alone would flatter
    labels shuffled         the same learner taught and judged on nonsense: it must find nothing

Nonsense is made before the split, as in any permutation test of a whole procedure (Ojala & Garriga 2010, JMLR 11:1833):
at each exit somebody drawn from all who were at risk leaves instead. Every month keeps its number of exits and an exit
is seen from every snapshot before it, so a split that lets rows, or the same exit, stand on both sides still shows.
Shuffling only what teaches would be no test: judged on true exits a chance liking for one company or department is
worth a tenth of AUC either way, and rare labels shuffled rank sparsely settled corners low, which is where few leave.

A plain boosted classifier stands in for the model, because what is tested is the split, not the learner. A published
figure that was got on rows split at random belongs beside the first of these, not beside ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from training.fit import Panel, Trained, days_between, satisfies
from training.plan import Plan
from training.splits import Split

MOST_ROWS = 6_000
SHUFFLES = 12
"""One alone strays by about .02 with some hundred leavers in the test."""

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
    """Return the three figures of a training run."""
    values = trained.model.codes.transform(trained.panel.rows)
    return canary_of(trained.panel, trained.splits, trained.plan, values=values)


def canary_of(panel: Panel, splits: Sequence[Split], plan: Plan, *, values: np.ndarray) -> Canary:
    """Return the three figures for the last origin of the test, on the rows whose horizon was closed.

    ``values`` (n, p) are the panel's rows as coded for trees.
    """
    nothing = Canary(float("nan"), float("nan"), float("nan"))
    if not splits:
        return nothing
    split, h = splits[-1], plan.reference_horizon_days
    rng = np.random.default_rng(plan.seed)
    day = pd.to_datetime(panel.index["as_of"]).dt.date
    closed = (panel.index["follow_up"] >= h).to_numpy() & ~satisfies(panel, plan.apart, default=False)
    by_then = days_between(panel.index["as_of"], split.origin).to_numpy() >= h
    taught = _some(closed & by_then & day.isin(split.train).to_numpy(), rng)
    tested = _some(closed & day.isin(split.test).to_numpy(), rng)
    left = _left(panel, h)
    together = rng.permutation(np.concatenate([taught, tested]))
    cut = int(TEST_SHARE * len(together))
    if any(len(np.flatnonzero(left[part])) < FEWEST_LEAVERS for part in (taught, tested, together[:cut])):
        return nothing
    nonsense = [_auc(values, drawn, taught=taught, tested=tested) for drawn in left_by_lot(panel, h, rng=rng)]
    return Canary(
        _auc(values, left, taught=taught, tested=tested),
        _auc(values, left, taught=together[cut:], tested=together[:cut]),
        float(np.nanmean(nonsense)) if np.isfinite(nonsense).any() else float("nan"),
    )


def left_by_lot(panel: Panel, horizon_days: int, *, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield ``SHUFFLES`` times (n,) who left within the horizon when lots are drawn for each exit among those at risk.

    Lots are drawn between one snapshot and the next, for as many as left then.
    """
    day = pd.to_datetime(panel.index["as_of"]).to_numpy("datetime64[D]").astype(float)
    who = pd.factorize(panel.index["employee_id"])[0]
    left = (panel.index["event"] == 1).to_numpy()
    exits = np.unique(np.column_stack([who, day + panel.index["time"].to_numpy(float)])[left], axis=0)[:, 1]
    snapshots, rows_of = np.unique(day), pd.Series(who).groupby(who).indices
    here = [np.unique(who[day == start]) for start in snapshots]
    between = np.searchsorted(snapshots, exits, side="left") - 1  # the snapshot after which each exit came
    for _ in range(SHUFFLES):
        out = np.zeros(len(day), dtype=int)
        for k, at_risk in enumerate(here):
            ends = exits[between == k][: len(at_risk)]
            for person, end in zip(rng.choice(at_risk, len(ends), replace=False), ends, strict=True):
                mine = rows_of[person]
                out[mine[(day[mine] < end) & (end <= day[mine] + horizon_days)]] = 1
        yield out


def _left(panel: Panel, horizon_days: int) -> np.ndarray:
    return ((panel.index["event"] == 1) & (panel.index["time"] <= horizon_days)).to_numpy(int)


def _some(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rows = np.flatnonzero(mask)
    return np.sort(rng.choice(rows, MOST_ROWS, replace=False)) if len(rows) > MOST_ROWS else rows


def _auc(values: np.ndarray, left: np.ndarray, *, taught: np.ndarray, tested: np.ndarray) -> float:
    if len(set(left[tested].tolist())) < 2:
        return float("nan")
    learner = lgb.train(PARAMETERS, lgb.Dataset(values[taught], label=left[taught]), num_boost_round=ROUNDS)
    return float(roc_auc_score(left[tested], learner.predict(values[tested], num_threads=1)))
