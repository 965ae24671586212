"""The peers, each behind one call: learn from a table, give curves of survival and a ranking for another.

Everyone gets the same columns: numbers with the median where unknown, one indicator per level, one for "unknown";
trees that take blanks and categories by themselves get codes and blanks. Settings are the libraries' own unless said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.sets import Table

N_LEVELS = 30
"""Levels of a category, by frequency, that get an indicator of their own."""


@dataclass(frozen=True)
class Told:
    """What a peer says of (n,) people: ``survival`` (n, T) and a ``risk`` (n,) to rank by."""

    survival: np.ndarray
    risk: np.ndarray


Peer = Callable[[Table, pd.DataFrame, np.ndarray], Told]


def indicators(train: pd.DataFrame, test: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, q) standardised numbers and indicators of both, learned from ``train``."""
    one, two = [], []
    for name in train.columns:
        a, b = train[name], test[name]
        if pd.api.types.is_numeric_dtype(a):
            middle = a.median()
            pairs = [(a.fillna(middle).to_numpy(float), b.fillna(middle).to_numpy(float))]
        else:
            levels = a.value_counts().index[:N_LEVELS]
            pairs = [((a == v).to_numpy(float), (b == v).to_numpy(float)) for v in levels[1:]]
        if a.isna().any():
            pairs.append((a.isna().to_numpy(float), b.isna().to_numpy(float)))
        for x, y in pairs:
            if x.std() > 0:
                one.append((x - x.mean()) / x.std())
                two.append((y - x.mean()) / x.std())
    return np.column_stack(one), np.column_stack(two)


def codes(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both with categories as pandas categories of the levels in ``train``."""
    one, two = train.copy(), test.copy()
    for name in train.columns:
        if not pd.api.types.is_numeric_dtype(train[name]):
            levels = sorted(train[name].dropna().astype(str).unique())
            for frame in (one, two):
                frame[name] = pd.Categorical(frame[name].astype(str).where(frame[name].notna()), categories=levels)
    return one, two


def _curves(model: object, rows: np.ndarray, times: np.ndarray) -> Told:
    steps = model.predict_survival_function(rows, return_array=True)  # type: ignore[attr-defined]
    position = np.searchsorted(model.unique_times_, times, side="right")  # type: ignore[attr-defined]
    survival = np.column_stack([np.ones(len(rows)), steps])[:, position]
    return Told(survival, np.asarray(model.predict(rows)))  # type: ignore[attr-defined]


def _structured(table: Table) -> np.ndarray:
    from sksurv.util import Surv

    return Surv.from_arrays(table.event > 0, np.maximum(table.time, 1e-8))


def cox(train: Table, rows: pd.DataFrame, times: np.ndarray) -> Told:
    """scikit-survival's Cox regression with a ridge of 10."""
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    x, new = indicators(train.rows, rows)
    return _curves(CoxPHSurvivalAnalysis(alpha=10.0).fit(x, _structured(train)), new, times)


def forest(train: Table, rows: pd.DataFrame, times: np.ndarray, *, leaf: int = 15) -> Told:
    """Random survival forest: 100 trees, at least ``leaf`` people in a leaf."""
    from sksurv.ensemble import RandomSurvivalForest

    x, new = indicators(train.rows, rows)
    # Curves at some hundred times, else the leaves of a forest on thousands of distinct times fill the memory.
    cut = np.unique(np.quantile(train.time[train.event > 0], np.linspace(0, 1, 200), method="higher"))
    time = cut[np.clip(np.searchsorted(cut, train.time), 0, len(cut) - 1)]
    coarse = Table(train.rows, time, train.event)
    least = {"min_samples_leaf": leaf, "min_samples_split": 2}
    model = RandomSurvivalForest(n_estimators=100, **least, random_state=0, n_jobs=1)
    return _curves(model.fit(x, _structured(coarse)), new, times)


def gradient_boosting(train: Table, rows: pd.DataFrame, times: np.ndarray) -> Told:
    """scikit-survival's gradient boosting of Cox's likelihood, default settings."""
    from sksurv.ensemble import GradientBoostingSurvivalAnalysis

    x, new = indicators(train.rows, rows)
    return _curves(GradientBoostingSurvivalAnalysis(random_state=0).fit(x, _structured(train)), new, times)


def survival_boost(train: Table, rows: pd.DataFrame, times: np.ndarray) -> Told:
    """hazardous' SurvivalBoost with Kaplan-Meier weights."""
    from hazardous import SurvivalBoost

    x, new = indicators(train.rows, rows)
    target = pd.DataFrame({"event": train.event, "duration": np.maximum(train.time, 1e-8)})
    model = SurvivalBoost(ipcw_strategy="kaplan-meier", show_progressbar=False, random_state=0).fit(x, target)
    told = model.predict_survival_function(new, times=times)
    return Told(told, -told.mean(axis=1))


def _classified(train: Table, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return who can be judged at the middle of ``times`` and who had left by then: what a plain classifier sees."""
    horizon = float(np.median(times))
    known = (train.time >= horizon) | (train.event > 0)
    return known, ((train.time <= horizon) & (train.event > 0)).astype(int)


def lightgbm_classifier(train: Table, rows: pd.DataFrame, times: np.ndarray) -> Told:
    """LightGBM as a plain classifier "left by the middle of the grid": a ranking only, no curve."""
    from lightgbm import LGBMClassifier

    x, new = codes(train.rows, rows)
    known, left = _classified(train, times)
    model = LGBMClassifier(n_jobs=1, random_state=0, verbosity=-1).fit(x[known], left[known])
    return Told(np.full((len(rows), len(times)), np.nan), np.asarray(model.predict_proba(new))[:, 1])


def xgboost_cox(train: Table, rows: pd.DataFrame, times: np.ndarray) -> Told:
    """XGBoost with Cox's likelihood, default settings: a ranking only, no curve."""
    from xgboost import XGBRegressor

    x, new = codes(train.rows, rows)
    label = np.where(train.event > 0, 1.0, -1.0) * np.maximum(train.time, 1e-8)
    model = XGBRegressor(objective="survival:cox", enable_categorical=True, n_jobs=1, random_state=0).fit(x, label)
    return Told(np.full((len(rows), len(times)), np.nan), model.predict(new, output_margin=True))


def ours(train: Table, rows: pd.DataFrame, times: np.ndarray) -> Told:
    """``models.estimator.HazardModel`` as it comes."""
    from models.estimator import HazardModel

    model = HazardModel().fit(train.rows, train.time, train.event)
    return Told(model.predict_survival(rows, times), model.predict_risk(rows))


PEERS: dict[str, Peer] = {
    "ours": ours,
    "Cox": cox,
    "forest": forest,
    "gradient boosting": gradient_boosting,
    "SurvivalBoost": survival_boost,
    "LightGBM classifier": lightgbm_classifier,
    "XGBoost Cox": xgboost_cox,
}

TWINS: dict[str, Peer] = {
    **{name: PEERS[name] for name in ("ours", "Cox", "forest", "gradient boosting")},
    "forest down to single rows": partial(forest, leaf=1),
}
"""Models for a survey in which some people answered more than once."""


def _ours_by_cause(train: Table, rows: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    from models.estimator import HazardModel

    return HazardModel().fit(train.rows, train.time, train.event).predict_cumulative_incidence(rows, times)


def _boost_by_cause(train: Table, rows: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    from hazardous import SurvivalBoost

    target = pd.DataFrame({"event": train.event, "duration": np.maximum(train.time, 1e-8)})
    model = SurvivalBoost(ipcw_strategy="kaplan-meier", show_progressbar=False, random_state=0).fit(train.rows, target)
    return np.moveaxis(model.predict_cumulative_incidence(rows, times=times), 1, 2)


def _common_by_cause(train: Table, rows: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    from models.estimator import HazardModel

    nothing = pd.DataFrame({"same": np.ones(len(train.time))})
    told = HazardModel().fit(nothing, train.time, train.event).predict_cumulative_incidence(nothing.iloc[:1], times)
    return np.repeat(told, len(rows), axis=0)


CAUSES: dict[str, Callable[[Table, pd.DataFrame, np.ndarray], np.ndarray]] = {
    "ours": _ours_by_cause,
    "SurvivalBoost": _boost_by_cause,
    "same for everybody": _common_by_cause,
}
"""Models that tell causes apart: (n, T, causes + 1)."""
