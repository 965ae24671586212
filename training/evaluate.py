"""How good the forecasts proved out of time, with intervals, against knowing nobody and against a linear model.

Input: one row per (employee, as_of) of the test snapshots with the risk that was told and what became of the person.
Only rows whose horizon was closed count, so no weighting for censoring is needed; other exits within the horizon are
"did not leave voluntarily", not censored (they compete). Intervals are 90 % percentile bootstraps over *people*: the
snapshots of one person are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from features.errors import FixableError
from training.reliability import ipa, reliability

CAPACITIES = (0.01, 0.05, 0.10)
"""Shares of the people on a snapshot to whom a manager can talk."""
REPLICATES = 200
INTERVAL = (0.05, 0.95)


@dataclass(frozen=True)
class Interval:
    """An estimate with its 90 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        known = np.isfinite(self.low) and np.isfinite(self.high)
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})" if known else f"{self.value:.3f}"


@dataclass(frozen=True)
class Told:
    """Risks told and what came true, one entry per row; ``person`` and ``as_of`` are codes for grouping."""

    risk: np.ndarray
    left: np.ndarray
    person: np.ndarray
    as_of: np.ndarray

    @cached_property
    def by_risk(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the order of falling risk, and where each group of equal risks starts in it."""
        order = np.argsort(-self.risk, kind="stable")
        return order, _starts(self.risk[order])

    @cached_property
    def by_snapshot(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the order of snapshots, falling risk within each, and where each snapshot starts in it."""
        order = np.lexsort((-self.risk, self.as_of))
        return order, _starts(self.as_of[order])


def _starts(ordered: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


Metric = Callable[[Told, np.ndarray], float]


def auc(told: Told, weight: np.ndarray) -> float:
    """Return the chance that a leaver was given a higher risk than a stayer, ties half (Hanley & McNeil 1982)."""
    order, starts = told.by_risk
    left, w = told.left[order], weight[order]
    leavers = np.add.reduceat(w * left, starts)
    stayers = np.add.reduceat(w * (1 - left), starts)
    below = stayers.sum() - np.cumsum(stayers)
    total = leavers.sum() * stayers.sum()
    return float((leavers * (below + stayers / 2)).sum() / total) if total > 0 else float("nan")


def average_precision(told: Told, weight: np.ndarray) -> float:
    """Return the precision averaged over the leavers, highest risk first, ties taken together."""
    order, starts = told.by_risk
    w = weight[order]
    hits = np.cumsum(np.add.reduceat(w * told.left[order], starts))
    all_ = np.cumsum(np.add.reduceat(w, starts))
    gained = np.diff(np.concatenate([[0.0], hits]))
    precision = np.divide(hits, all_, out=np.zeros_like(hits), where=all_ > 0)
    return float((gained * precision).sum() / hits[-1]) if hits.size and hits[-1] > 0 else float("nan")


def brier(told: Told, weight: np.ndarray) -> float:
    """Return the mean squared distance between risk and outcome (Brier 1950)."""
    return float(np.average((told.risk - told.left) ** 2, weights=weight))


def skill(told: Told, weight: np.ndarray) -> float:
    """Return how much less squared error than telling everybody the rate of these rows (IPA)."""
    return ipa(told.risk, told.left, weight)


def observed_over_expected(told: Told, weight: np.ndarray) -> float:
    """Return calibration in the large: exits that came true per exit expected."""
    return float((weight * told.left).sum() / (weight * told.risk).sum())


def caught(share: float) -> Metric:
    """Return the metric: share of the leavers among the ``share`` of people with the highest risk on each snapshot."""

    def metric(told: Told, weight: np.ndarray) -> float:
        order, starts = told.by_snapshot
        w = weight[order]
        before = np.cumsum(w) - w
        group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(w))))
        size = np.add.reduceat(w, starts)
        rank = before - before[starts][group]
        chosen = rank < share * size[group]
        left = w * told.left[order]
        return float(left[chosen].sum() / left.sum()) if left.sum() > 0 else float("nan")

    return metric


METRICS: Mapping[str, Metric] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier": brier,
    "ipa": skill,
    "observed_over_expected": observed_over_expected,
    **{f"caught_at_{round(100 * c)}": caught(c) for c in CAPACITIES},
}


def calibration_slope(told: Told) -> float:
    """Return the slope of outcome on log-odds of risk: 1 is right, below 1 the risks are too extreme (Cox 1958)."""
    return float(reliability(told.risk, told.left, np.ones((1, len(told.risk)))).slope[0])


def evaluate(told: Told, *, seed: int = 0, replicates: int = REPLICATES) -> dict[str, Interval]:
    """Return every metric with its interval, and the calibration slope and ICI with theirs."""
    weights = person_weights(told.person, replicates, seed)
    out = {name: with_interval(metric, told, weights) for name, metric in METRICS.items()}
    found = reliability(told.risk, told.left, np.ones((1, len(told.risk))))
    drawn = reliability(told.risk, told.left, weights)
    for name, value, draws in (("calibration_slope", found.slope, drawn.slope), ("ici", found.ici, drawn.ici)):
        out[name] = Interval(float(value[0]), *_spread(draws))
    return out


def _spread(draws: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Return the ends of the percentile interval; NaN when there is no draw to take them from."""
    known = np.asarray(draws)[np.isfinite(draws)]
    low, high = np.quantile(known, INTERVAL) if len(known) else (np.nan, np.nan)
    return float(low), float(high)


def difference(metric: Metric, ours: Told, theirs: Told, *, seed: int = 0, replicates: int = REPLICATES) -> Interval:
    """Return ours minus theirs on the same rows, with the paired interval over people."""
    weights = person_weights(ours.person, replicates, seed)
    every = np.ones(len(ours.risk))
    draws = [metric(ours, w) - metric(theirs, w) for w in weights]
    return Interval(metric(ours, every) - metric(theirs, every), *_spread(draws))


def with_interval(metric: Metric, told: Told, weights: np.ndarray) -> Interval:
    """Return the metric on all rows and its percentile interval over the weights' draws of people."""
    draws = [metric(told, w) for w in weights]
    return Interval(metric(told, np.ones(len(told.risk))), *_spread(draws))


def person_weights(person: np.ndarray, replicates: int, seed: int) -> np.ndarray:
    """Return (replicates, n): how often each row's person was drawn, with replacement."""
    _, code = np.unique(person, return_inverse=True)
    n = code.max() + 1
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(n, np.full(n, 1.0 / n), size=replicates)
    return drawn[:, code].astype(float)


def wilson(left: float, n: float, z: float = 1.645) -> tuple[float, float]:
    """Return the 90 % interval of a share (Wilson 1927); (0, 1) when nobody was seen."""
    if n <= 0:
        return 0.0, 1.0
    share, scale = left / n, 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / scale
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def told_at(predictions: pd.DataFrame, horizon_days: int, kind: str) -> Told:
    """Return the rows of ``predictions`` whose horizon is closed, as ``Told`` for one kind of model."""
    rows = predictions[predictions["follow_up"] >= horizon_days]
    left = ((rows["event"] == 1) & (rows["time"] <= horizon_days)).to_numpy(dtype=float)
    as_of = rows["as_of"].astype("category").cat.codes.to_numpy()
    return Told(rows[f"{kind}_{horizon_days}"].to_numpy(dtype=float), left, rows["employee_id"].to_numpy(), as_of)


def stored_predictions(folder: Path) -> pd.DataFrame:
    """Return the test rows that the last training run left behind. Raises ``FixableError`` when there are none."""
    path = folder / "predictions.parquet"
    rows = pd.read_parquet(path) if path.is_file() else pd.DataFrame()
    if "team" not in rows:
        raise FixableError("There is no evaluation to read.", [f"{path} is made by: retention-train fit"])
    return rows
