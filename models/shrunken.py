"""Piecewise constant hazards as a penalised line whose penalties are learned from the same data.

Each group of columns has its own normal prior; its width is found by the Fellner-Schall step (Wood & Fasiolo 2017,
Biometrics 73:1071), which needs no second fit per guess and no folds. With few exits the widths stay near ``Belief``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

MAX_STEPS = 40
INTERCEPT_SD = 3.0
"""How far the log rate of an interval may stray from what was counted; keeps an interval nobody left in finite."""
STEEPEST = 25.0
"""Log hazards beyond this would overflow on the way to the solution."""


@dataclass(frozen=True)
class Belief:
    """What is believed of one group of coefficients before any data: their variance, and how firmly (gamma shape)."""

    variance: float
    firmness: float


@dataclass(frozen=True)
class Columns:
    """Columns of the line: ``fixed`` (n, q) act alike at all times, ``fading`` (n, r) times ``age`` (K,) on top.

    ``group`` (q + r,) says to which of ``beliefs`` each coefficient belongs.
    """

    fixed: np.ndarray
    fading: np.ndarray
    age: np.ndarray
    group: np.ndarray
    beliefs: tuple[Belief, ...]


@dataclass(frozen=True)
class Line:
    """Log hazards: ``fixed`` (q,) and ``fading`` (r,) coefficients, and the log rate ``base`` (K,) of each interval."""

    fixed: np.ndarray
    fading: np.ndarray
    base: np.ndarray
    age: np.ndarray

    def log_hazard(self, fixed: np.ndarray, fading: np.ndarray) -> np.ndarray:
        """Return (n, K)."""
        return (fixed @ self.fixed)[:, None] + (fading @ self.fading)[:, None] * self.age + self.base


def log_rates(lived: np.ndarray, exits: np.ndarray) -> np.ndarray:
    """Return the log rate (K,) of each interval, drawn towards the common one by half an exit."""
    overall = (exits.sum() + 0.5) / (lived.sum() + 0.5)
    return np.log((exits.sum(axis=0) + 0.5) / (lived.sum(axis=0) + 0.5 / overall))


def fit_line(columns: Columns, lived: np.ndarray, exits: np.ndarray) -> Line:
    """Return the line of the highest penalised likelihood; ``lived`` (n, K) time at risk, ``exits`` (n, K) 0 or 1.

    Newton's steps and the steps of the penalties take turns; a step that makes the likelihood worse is halved.
    """
    problem = _Problem(columns, lived, exits, log_rates(lived, exits))
    variance = np.array([belief.variance for belief in columns.beliefs])
    firmness = np.array([belief.firmness for belief in columns.beliefs])
    size = np.bincount(columns.group, minlength=len(variance))
    penalty, solution = 1.0 / variance, problem.start
    for _ in range(MAX_STEPS):
        precision = problem.precision(penalty)
        gradient, hessian = problem.derivatives(solution, precision)
        factor = cho_factor(hessian)
        step = cho_solve(factor, gradient)
        solution = _stepped(problem, solution, step, precision)
        doubt = np.diag(cho_solve(factor, np.eye(len(step))))[: len(columns.group)]
        free = size - penalty * np.bincount(columns.group, weights=doubt, minlength=len(size))
        squares = np.bincount(columns.group, weights=solution[: len(columns.group)] ** 2, minlength=len(size))
        renewed = np.clip((free + 2 * firmness) / (squares + 2 * firmness * variance), 0.1, 1e5)
        change = float(np.max(np.abs(np.log(renewed / penalty)), initial=0.0))
        penalty = renewed
        if gradient @ step < 1e-3 and change < 0.05:
            break
    return problem.line(solution)


@dataclass(frozen=True)
class _Problem:
    columns: Columns
    lived: np.ndarray
    exits: np.ndarray
    rates: np.ndarray

    @property
    def start(self) -> np.ndarray:
        return np.concatenate([np.zeros(len(self.columns.group)), self.rates])

    def precision(self, penalty: np.ndarray) -> np.ndarray:
        return np.concatenate([penalty[self.columns.group], np.full(len(self.rates), 1.0 / INTERCEPT_SD**2)])

    def line(self, solution: np.ndarray) -> Line:
        q, r = self.columns.fixed.shape[1], self.columns.fading.shape[1]
        return Line(solution[:q], solution[q : q + r], solution[q + r :], self.columns.age)

    def log_hazard(self, solution: np.ndarray) -> np.ndarray:
        found = self.line(solution).log_hazard(self.columns.fixed, self.columns.fading)
        return np.clip(found, -STEEPEST, STEEPEST)

    def loss(self, solution: np.ndarray, precision: np.ndarray) -> float:
        z = self.log_hazard(solution)
        misfit = float((self.lived * np.exp(z) - self.exits * z).sum())
        return misfit + 0.5 * float(precision @ (solution - self.start) ** 2)

    def derivatives(self, solution: np.ndarray, precision: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y, age = self.columns.fixed, self.columns.fading, self.columns.age
        expected = self.lived * np.exp(self.log_hazard(solution))
        surplus = expected - self.exits
        gradient = np.concatenate([x.T @ surplus.sum(axis=1), y.T @ (surplus @ age), surplus.sum(axis=0)])
        w0, w1, w2 = expected.sum(axis=1)[:, None], (expected @ age)[:, None], (expected @ age**2)[:, None]
        hessian = np.block(
            [
                [x.T @ (w0 * x), x.T @ (w1 * y), x.T @ expected],
                [y.T @ (w1 * x), y.T @ (w2 * y), y.T @ (expected * age)],
                [expected.T @ x, (expected * age).T @ y, np.diag(expected.sum(axis=0))],
            ]
        )
        hessian[np.diag_indices_from(hessian)] += precision
        return gradient + precision * (solution - self.start), hessian


def _stepped(problem: _Problem, solution: np.ndarray, step: np.ndarray, precision: np.ndarray) -> np.ndarray:
    before, size = problem.loss(solution, precision), 1.0
    while problem.loss(solution - size * step, precision) > before + 1e-9 and size > 1e-3:
        size /= 2
    return solution - size * step
