"""What would be expected of a row without looking at it: cross-fitted predictions for the two nuisances of an effect.

Two learners see the rows of other groups only: a line with a penalty, and small boosted trees where there are enough
cases for them. They are mixed by one weight that is chosen on what they said of groups they had not seen (stacking,
Wolpert 1992; van der Laan, Polley & Hubbard 2007, SAGMB 6:25). Rows of one group (a team, a person) are never on both
sides: a colleague's outcome would tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression, Ridge

PENALTIES = (0.01, 0.3)
"""Strengths of the line's penalty that are tried (C of scikit-learn): with few cases the strictest wins."""
CASES_FOR_TREES = 120
"""Below so many cases in the rarer class trees only add noise."""
TREES = {"num_leaves": 7, "learning_rate": 0.1, "min_data_in_leaf": 60, "lambda_l2": 10.0, "feature_fraction": 0.8}
ROUNDS = 30
ROWS_TO_CHOOSE_ON_ONE_FOLD = 5000
"""With more rows one fold is enough to choose penalty and mixture; the chosen then learn on all folds."""
LIMIT = 1e-4
"""Probabilities are kept this far from 0 and 1."""


@dataclass(frozen=True)
class Crossing:
    """Who is kept apart from whom: ``fold`` (n,) holds the fold of each row, the same for all rows of one group."""

    fold: np.ndarray
    seed: int = 0

    @property
    def folds(self) -> range:
        return range(int(self.fold.max()) + 1)


def crossing(group: np.ndarray, *, n_folds: int = 5, seed: int = 0) -> Crossing:
    """Return folds of whole groups, as equal in rows as a random order of the groups allows.

    With fewer groups than folds there are as many folds as groups; with one group alone, rows are split.
    """
    _, code = np.unique(group, return_inverse=True)
    n_groups = int(code.max()) + 1
    generator = np.random.default_rng(seed)
    if n_groups < 2:
        return Crossing(generator.permutation(len(group)) % n_folds, seed)
    n_folds = min(n_folds, n_groups)
    size = np.bincount(code)
    order = generator.permutation(n_groups)
    order = order[np.argsort(-size[order], kind="stable")] if n_groups < 20 * n_folds else order
    load, of_group = np.zeros(n_folds), np.empty(n_groups, int)
    for group_code in order:
        of_group[group_code] = int(np.argmin(load))
        load[of_group[group_code]] += size[group_code]
    return Crossing(of_group[code], seed)


def expected(x: np.ndarray, y: np.ndarray, teaches: np.ndarray, *, cross: Crossing, yes_or_no: bool) -> np.ndarray:
    """Return (n,) what rows of other groups lead one to expect of ``y`` given ``x``, for every row.

    ``teaches`` (n,) bool: the rows to learn from (the untreated, say); the others are only told. ``x`` has no NaN.
    A probability when ``yes_or_no``, otherwise a mean.
    """
    flat = np.unique(y[teaches])
    if x.shape[1] == 0 or len(flat) < 2:
        return _means(y, teaches, cross)
    cases = min(float(y[teaches].sum()), float((1 - y[teaches]).sum())) if yes_or_no else len(y[teaches]) / 4
    learners = [_line(c, yes_or_no) for c in PENALTIES]
    if cases >= CASES_FOR_TREES:
        learners.append(_trees(yes_or_no, cross.seed))
    tried = cross.folds if len(y) < ROWS_TO_CHOOSE_ON_ONE_FOLD else cross.folds[:1]
    told = [_crossed(x, y, teaches, cross.fold, learner, tried) for learner in learners]
    judged = teaches & np.isin(cross.fold, tried)
    weights = _mixture([t[judged] for t in told], y[judged], yes_or_no)
    if tried != cross.folds:
        needed = [
            (w, _crossed(x, y, teaches, cross.fold, one, cross.folds))
            for w, one in zip(weights, learners, strict=True)
            if w
        ]
        weights, told = [w for w, _ in needed], [t for _, t in needed]
    return _mixed(told, weights, yes_or_no)


def _means(y: np.ndarray, teaches: np.ndarray, cross: Crossing) -> np.ndarray:
    out, whole = np.empty(len(y)), float(y[teaches].mean()) if teaches.any() else 0.0
    for fold in cross.folds:
        others = teaches & (cross.fold != fold)
        out[cross.fold == fold] = y[others].mean() if others.any() else whole
    return out


def _crossed(
    x: np.ndarray, y: np.ndarray, teaches: np.ndarray, fold_of: np.ndarray, learner: _Learner, folds: range
) -> np.ndarray:
    """Return what a learner that had not seen the row's fold says of it; 0 outside of ``folds``."""
    out = np.zeros(len(y))
    for fold in folds:
        mine, others = fold_of == fold, teaches & (fold_of != fold)
        if len(np.unique(y[others])) < 2:
            out[mine] = y[others].mean() if others.any() else y[teaches].mean()
        else:
            out[mine] = learner.told(x[others], y[others], x[mine])
    return out


@dataclass(frozen=True)
class _Learner:
    """A way to learn: ``strength`` of the penalty of a line, or None for trees."""

    strength: float | None
    yes_or_no: bool
    seed: int = 0

    def told(self, x: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Return what a model of (x, y) says of the rows ``asked``."""
        if self.strength is None:
            return self._by_trees(x, y, asked)
        centre, scale = x.mean(axis=0), x.std(axis=0)
        scale[scale == 0] = 1.0
        z, far = (x - centre) / scale, np.clip((asked - centre) / scale, -8, 8)
        if self.yes_or_no:
            line = LogisticRegression(C=self.strength, max_iter=300).fit(z, y)
            return line.predict_proba(far)[:, 1]
        ridge = Ridge(alpha=1.0 / self.strength).fit(z, y)
        return ridge.predict(far)

    def _by_trees(self, x: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
        settings = {
            **TREES,
            "objective": "binary" if self.yes_or_no else "regression",
            "verbose": -1,
            "num_threads": 1,
            "seed": self.seed,
            "deterministic": True,
            "max_bin": 63,
        }
        booster = lgb.train(settings, lgb.Dataset(x, label=y, params={"verbose": -1}), num_boost_round=ROUNDS)
        return np.asarray(booster.predict(asked))


def _line(strength: float, yes_or_no: bool) -> _Learner:
    return _Learner(strength, yes_or_no)


def _trees(yes_or_no: bool, seed: int) -> _Learner:
    return _Learner(None, yes_or_no, seed)


def _mixture(told: list[np.ndarray], y: np.ndarray, yes_or_no: bool) -> list[float]:
    """Return the weight of each learner: the best line, and the share of trees (last) with the smallest loss."""
    lines = told[: len(PENALTIES)]
    best = min(range(len(lines)), key=lambda i: _loss(lines[i], y, yes_or_no))
    weights = [float(i == best) for i in range(len(told))]
    if len(told) > len(lines):

        def with_trees(share: float) -> list[float]:
            return [(1 - share) * w for w in weights[:-1]] + [share]

        shares = np.linspace(0, 1, 6).tolist()
        return with_trees(min(shares, key=lambda s: _loss(_mixed(told, with_trees(s), yes_or_no), y, yes_or_no)))
    return weights


def _mixed(told: list[np.ndarray], weights: list[float], yes_or_no: bool) -> np.ndarray:
    """Return the weighted mean of what was told, of log-odds for a yes or no."""
    if not yes_or_no:
        return np.asarray(sum(w * t for w, t in zip(weights, told, strict=True)))
    parts = [w * logit(np.clip(t, LIMIT, 1 - LIMIT)) for w, t in zip(weights, told, strict=True) if w]
    return np.asarray(expit(sum(parts)))


def _loss(told: np.ndarray, y: np.ndarray, yes_or_no: bool) -> float:
    if not yes_or_no:
        return float(((y - told) ** 2).mean())
    p = np.clip(told, LIMIT, 1 - LIMIT)
    return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())
