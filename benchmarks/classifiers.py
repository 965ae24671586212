"""Who left, without a time: ours as a classifier beside the usual ones, and the leak that the literature lives on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors

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
    """Return the figure one gets by inventing leavers between leavers until classes are equal, and splitting only then.

    Points between two people (SMOTE, Chawla et al. 2002) stand on the other side of the split than the two. A warning,
    not a result: nothing may be compared with it.
    """
    rng = np.random.default_rng(1)
    x, _ = indicators(rows, rows)
    leavers = x[left > 0]
    near = NearestNeighbors(n_neighbors=6).fit(leavers).kneighbors(leavers, return_distance=False)[:, 1:]
    one = rng.integers(len(leavers), size=len(left) - 2 * len(leavers))
    other = near[one, rng.integers(near.shape[1], size=len(one))]
    invented = leavers[one] + rng.random((len(one), 1)) * (leavers[other] - leavers[one])
    grown, label = np.vstack([x, invented]), np.concatenate([left, np.ones(len(one), int)])
    a, b = train_test_split(np.arange(len(label)), test_size=0.2, random_state=1, stratify=label)
    told = RandomForestClassifier(500, n_jobs=1, random_state=0).fit(grown[a], label[a]).predict_proba(grown[b])[:, 1]
    return {"auc": float(roc_auc_score(label[b], told)), "ap": np.nan, "brier": np.nan, "seconds": np.nan}
