"""Do risks come true: slope, flexible curve, mean distance from it, and skill over knowing nothing.

All rows have a closed horizon, so outcomes are simply seen and nothing is weighted for censoring. Slope: Cox 1958,
Biometrika 45:562. Flexible curve: logistic regression on a restricted cubic spline of the log-odds told (Harrell 2015,
*Regression Modeling Strategies*, 2.4.5), as in Austin & Steyerberg 2019, Stat Med 38:4051, for ICI, E50 and E90. IPA:
Kattan & Gerds 2018, Diagn Progn Res 2:7.

Bootstrap draws work on rows put into ``GROUPS`` of nearly equal risk, all draws at once; the value itself is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

GROUPS = 300
KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Quantiles of the five knots, as Harrell places them; fewer where risks take few values."""

HARDLY_APART = 0.15
"""Standard deviation of the log-odds below which risks rank hardly better than chance (AUC .54): a slope is noise."""
FEW_VALUES = 20
STEPS = 25
TINY = 1e-6
RIDGE = 1e-8
"""Only so that a curve without curvature has a solution; moves no printed figure."""


@dataclass(frozen=True)
class Reliability:
    """One estimate each, or one per draw: arrays of equal shape. ``ici``, ``e50``, ``e90`` are distances between the
    risk told and the curve, as probabilities: mean, median and ninetieth percentile over people."""

    slope: np.ndarray
    ici: np.ndarray
    e50: np.ndarray
    e90: np.ndarray


def reliability(risk: np.ndarray, left: np.ndarray, weight: np.ndarray) -> Reliability:
    """Return slope and distances; ``weight`` (draws, n). NaN where all were told nearly the same risk or nobody left.

    For ``weight = np.ones((1, n))`` the rows are taken as they are.
    """
    x = logit(np.clip(risk, TINY, 1 - TINY))
    if np.std(x) < HARDLY_APART or left.min() == left.max():
        nothing = np.full(len(weight), np.nan)
        return Reliability(nothing, nothing, nothing, nothing)
    knots = _knots(x)
    if len(weight) > 1:
        x, left, weight = _grouped(x, left, weight)
    else:
        left = left[None, :]
    slope = _logistic(np.column_stack([np.ones_like(x), x]), left, weight)[:, 1]
    basis = spline(x, knots)
    distance = np.abs(expit(_logistic(basis, left, weight) @ basis.T) - expit(x))
    quantiles = [_weighted_quantiles(d, w) for d, w in zip(distance, weight, strict=True)]
    ici = (distance * weight).sum(axis=1) / weight.sum(axis=1)
    return Reliability(slope, ici, *np.array(quantiles).T)


def curve(risk: np.ndarray, left: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the share that really leaves among people who were told each risk in ``at``."""
    x = logit(np.clip(risk, TINY, 1 - TINY))
    knots = _knots(x)
    found = _logistic(spline(x, knots), left[None, :], np.ones((1, len(x))))[0]
    return expit(spline(logit(np.clip(at, TINY, 1 - TINY)), knots) @ found)


def spline(x: np.ndarray, knots: np.ndarray | None = None) -> np.ndarray:
    """Return the columns 1, x and Harrell's restricted cubic terms, linear beyond the outer knots."""
    t = _knots(x) if knots is None else knots
    columns = [np.ones_like(x), x]
    if len(t) >= 3:
        scale, last, before = (t[-1] - t[0]) ** 2, t[-1], t[-2]
        for knot in t[:-2]:
            cubes = [np.maximum(x - k, 0.0) ** 3 for k in (knot, before, last)]
            tail = (cubes[1] * (last - knot) - cubes[2] * (before - knot)) / (last - before)
            columns.append((cubes[0] - tail) / scale)
    return np.column_stack(columns)


def ipa(risk: np.ndarray, left: np.ndarray, weight: np.ndarray) -> float:
    """Return the index of prediction accuracy: how much less squared error than telling everybody the base rate.

    1 is perfect, 0 no better than the rate of these very rows, which no forecaster could have known. ``weight`` (n,).
    NaN where all of them left or nobody did: there is nothing to forecast.
    """
    rate = np.average(left, weights=weight)
    if not 0 < rate < 1:
        return float("nan")
    return float(1.0 - np.average((risk - left) ** 2, weights=weight) / (rate * (1.0 - rate)))


def _knots(x: np.ndarray) -> np.ndarray:
    """Return the knots; where risks take few values, knots lie on values, so that no column says what others say."""
    few = len(np.unique(x)) <= FEW_VALUES
    return np.unique(np.quantile(x, KNOTS, method="nearest" if few else "linear"))


def _grouped(x: np.ndarray, left: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return per group the mean log-odds, and per draw the share who left and the weight."""
    order = np.argsort(x, kind="stable")
    starts = np.unique(np.searchsorted(x[order], x[order][np.linspace(0, len(x) - 1, GROUPS + 1).astype(int)[:-1]]))
    size = np.add.reduceat(weight[:, order], starts, axis=1)
    hits = np.add.reduceat(weight[:, order] * left[order], starts, axis=1)
    middle = np.add.reduceat(x[order], starts) / np.diff(np.append(starts, len(x)))
    return middle, np.divide(hits, size, out=np.zeros_like(hits), where=size > 0), size


def _logistic(basis: np.ndarray, left: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return (draws, columns): maximum likelihood by Newton's method, all draws at once, on an orthonormal basis."""
    z, back = np.linalg.qr(basis)
    z, back = z * np.sqrt(len(z)), back / np.sqrt(len(z))
    rate = np.clip((weight * left).sum(axis=1) / weight.sum(axis=1), TINY, 1 - TINY)
    found = logit(rate)[:, None] * np.linalg.lstsq(z, np.ones(len(z)), rcond=None)[0]
    for _ in range(STEPS):
        p = expit(found @ z.T)
        gradient = (weight * (left - p)) @ z
        curvature = np.einsum("dg,gi,gj->dij", weight * p * (1 - p), z, z, optimize=True)
        curvature += RIDGE * np.eye(z.shape[1]) * np.trace(curvature, axis1=1, axis2=2)[:, None, None]
        step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        found = found + step / np.maximum(longest, 1.0)  # a full step from far away may overshoot
        if longest.max() < 1e-10:
            break
    return np.linalg.solve(back, found.T).T


def _weighted_quantiles(values: np.ndarray, weight: np.ndarray) -> list[float]:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    places = np.minimum(np.searchsorted(reached, (0.5, 0.9)), len(values) - 1)
    return [float(values[order][place]) for place in places]
