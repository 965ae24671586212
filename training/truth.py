"""How much of what could be known about the invented company the model found.

Only for a company whose truth is known. The oracle sees every latent state on the day, also those that no record
shows; nobody who works from records can reach it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from features.company import true_risk
from features.errors import FixableError
from training.evaluate import Told, auc, average_precision, calibration_slope, caught, observed_over_expected, told_at
from training.fit import CHOSEN

HORIZON_DAYS = 180
CAPACITY = 0.05
"""Share of the people on a snapshot to whom somebody can talk."""


@dataclass(frozen=True)
class BesideOracle:
    """What a model found, and what one would find who sees every latent state, on the same rows out of time.

    ``caught`` and ``precision`` are those of the ``CAPACITY`` with the highest risk on each snapshot, ``ici`` is the
    mean distance between risk and what came true at that risk, and ``sure_…`` belong to an oracle that also knows who
    has already decided and how long people wait with their notice.
    """

    n_rows: int
    base_rate: float
    auc: float
    oracle_auc: float
    sure_auc: float
    average_precision: float
    sure_average_precision: float
    caught: float
    oracle_caught: float
    precision: float
    sure_precision: float
    observed_over_expected: float
    slope: float
    ici: float

    @property
    def share(self) -> float:
        """How far the model went from an AUC of .5 to the oracle's."""
        return (self.auc - 0.5) / (self.oracle_auc - 0.5)


def beside_oracle(
    predictions: pd.DataFrame, truth: Path, *, horizon_days: int = HORIZON_DAYS, kind: str = CHOSEN
) -> BesideOracle:
    """Return one kind of model and the known hazards side by side, out of time, people unseen."""
    told = told_at(predictions, horizon_days, kind)
    rows = predictions[predictions["follow_up"] >= horizon_days]
    spine = pl.DataFrame(
        {"employee_id": rows["employee_id"].tolist(), "as_of": pd.to_datetime(rows["as_of"]).dt.date.tolist()}
    )
    seen = [true_risk(truth, spine, horizon_days=horizon_days, decisions=d)["true_risk"] for d in (False, True)]
    known = np.array(~(seen[0].is_null()))
    told = _only(told, known)
    oracle, sure = (Told(s.to_numpy()[known], told.left, told.person, told.as_of) for s in seen)
    every, top = np.ones(len(told.left)), caught(CAPACITY)
    return BesideOracle(
        n_rows=len(told.left),
        base_rate=float(told.left.mean()),
        auc=auc(told, every),
        oracle_auc=auc(oracle, every),
        sure_auc=auc(sure, every),
        average_precision=average_precision(told, every),
        sure_average_precision=average_precision(sure, every),
        caught=top(told, every),
        oracle_caught=top(oracle, every),
        precision=precision_at(told, CAPACITY),
        sure_precision=precision_at(sure, CAPACITY),
        observed_over_expected=observed_over_expected(told, every),
        slope=calibration_slope(told),
        ici=integrated_calibration(told),
    )


def _only(told: Told, kept: np.ndarray) -> Told:
    return Told(told.risk[kept], told.left[kept], told.person[kept], told.as_of[kept])


def precision_at(told: Told, share: float) -> float:
    """Return how many of the ``share`` of people with the highest risk on each snapshot left within the horizon."""
    order, starts = told.by_snapshot
    sizes = np.diff(np.append(starts, len(order)))
    rank = np.arange(len(order)) - np.repeat(starts, sizes)
    chosen = rank < share * np.repeat(sizes, sizes)
    return float(told.left[order][chosen].mean())


def integrated_calibration(told: Told) -> float:
    """Return the mean distance between risk and smoothed outcome (Austin & Steyerberg 2019, Stat Med 38:4051).

    The smooth is a logistic regression on a cubic spline of the log-odds, where they used loess.
    """
    x = logit(np.clip(told.risk, 1e-6, 1 - 1e-6))[:, None]
    if len(np.unique(x)) < 8 or len(set(told.left.tolist())) < 2:
        return float(abs(told.risk.mean() - told.left.mean()))
    spline = SplineTransformer(n_knots=4, degree=3, knots="quantile", extrapolation="linear", include_bias=False)
    smooth = make_pipeline(spline, LogisticRegression(C=np.inf, max_iter=500)).fit(x, told.left)
    return float(np.abs(smooth.predict_proba(x)[:, 1] - told.risk).mean())


def against_truth(predictions: Path, truth: Path) -> str:
    """Return the comparison in a few sentences."""
    if not predictions.is_file() or not truth.is_dir():
        raise FixableError(
            "There is nothing to compare.",
            [f"{predictions} and {truth} are made by: retention-train company, import, fit"],
        )
    found = beside_oracle(pd.read_parquet(predictions), truth)
    return (
        f"Against the known hazards ({HORIZON_DAYS} days, out of time, people unseen): AUC {found.auc:.3f}, "
        f"the known hazards themselves {found.oracle_auc:.3f}; the model went {found.share:.0%} of the way from .5 to "
        f"them. Among the {CAPACITY:.0%} with the highest risk it caught {found.caught:.0%} of the leavers, they "
        f"{found.oracle_caught:.0%}."
    )
