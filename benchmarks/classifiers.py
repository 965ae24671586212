"""Who left, without a time: ours as a classifier beside the usual ones, and the leak that the literature lives on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from benchmarks.peers import codes, indicators
from benchmarks.sets import Table

Classifier = Callable[[Table, pd.DataFrame], np.ndarray]


def ours(train: Table, rows: pd.DataFrame) -> np.ndarray:
    """HazardModel with one moment for everybody: the chance to have left by then."""
    from models.estimator import HazardModel

    model = HazardModel().fit(train.rows, train.time, train.event)
    return model.predict_cumulative_incidence(rows, [1.0])[:, 0, 1]


def logistic(train: Table, rows: pd.DataFrame) -> np.ndarray:
    """Logistic regression on indicators, scikit-learn's default penalty."""
    x, new = indicators(train.rows, rows)
    return LogisticRegression(max_iter=2000).fit(x, train.event).predict_proba(new)[:, 1]


def forest(train: Table, rows: pd.DataFrame) -> np.ndarray:
    """Random forest of 500 trees on indicators."""
    x, new = indicators(train.rows, rows)
    model = RandomForestClassifier(500, n_jobs=1, random_state=0).fit(x, train.event)
    return model.predict_proba(new)[:, 1]


def lightgbm(train: Table, rows: pd.DataFrame) -> np.ndarray:
    """LightGBM, default settings."""
    from lightgbm import LGBMClassifier

    x, new = codes(train.rows, rows)
    model = LGBMClassifier(n_jobs=1, random_state=0, verbosity=-1).fit(x, train.event)
    return np.asarray(model.predict_proba(new))[:, 1]


def xgboost(train: Table, rows: pd.DataFrame) -> np.ndarray:
    """XGBoost, default settings."""
    from xgboost import XGBClassifier

    x, new = codes(train.rows, rows)
    model = XGBClassifier(enable_categorical=True, n_jobs=1, random_state=0).fit(x, train.event)
    return model.predict_proba(new)[:, 1]


CLASSIFIERS: dict[str, Classifier] = {
    "ours": ours,
    "logistic": logistic,
    "forest": forest,
    "LightGBM": lightgbm,
    "XGBoost": xgboost,
}


def oversampled_leak(rows: pd.DataFrame, left: np.ndarray) -> dict[str, float]:
    """Return the figure one gets by copying leavers until both classes are equal and splitting only then.

    The copies stand on both sides of the split. A warning, not a result: nothing may be compared with it.
    """
    rng = np.random.default_rng(1)
    leavers = np.flatnonzero(left)
    grown = np.concatenate([np.arange(len(left)), rng.choice(leavers, len(left) - 2 * len(leavers))])
    a, b = train_test_split(grown, test_size=0.2, random_state=1, stratify=left[grown])
    told = forest(Table(rows.iloc[a].reset_index(drop=True), np.ones(len(a)), left[a]), rows.iloc[b])
    return {"auc": float(roc_auc_score(left[b], told)), "ap": np.nan, "brier": np.nan, "seconds": np.nan}
