"""Ridge logistic regression with one intercept per interval, on rows that share their columns across intervals.

A general library would repeat each landmark row once per interval and lose an order of magnitude on it: the columns
do not change with the interval, so the normal equations need them only once. Checked against scikit-learn in the
tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

MAX_STEPS = 50
TOLERANCE = 1e-8
INTERCEPT_SD = 3.0
"""How far an interval's intercept may stray from its own base rate; keeps an interval nobody left in finite."""


@dataclass(frozen=True)
class Prior:
    """What is believed of the coefficients before any exit is seen: normal, ``mean`` (q,), ``covariance`` (q, q)."""

    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class Posterior:
    """Maximum a posteriori and its Laplace approximation: ``solution`` (q + K,), ``covariance`` (q + K, q + K)."""

    solution: np.ndarray
    covariance: np.ndarray
    n_coefficients: int

    @property
    def coefficient(self) -> np.ndarray:
        """Return (q,)."""
        return self.solution[: self.n_coefficients]

    @property
    def intercept(self) -> np.ndarray:
        """Return (K,)."""
        return self.solution[self.n_coefficients :]


def fit_ridge(
    columns: np.ndarray, exits: np.ndarray, weight: np.ndarray, *, prior: Prior, start: np.ndarray
) -> Posterior:
    """Return coefficients (q,) and intercepts (K,) of the penalised maximum likelihood, by Newton's method.

    ``columns`` (n, q) standardised; ``exits`` and ``weight`` (n, K), the weight 0 where an interval was not lived
    through; ``start`` (K,) log-odds of each interval's base rate.
    """
    q = columns.shape[1]
    precision = np.diag(np.full(q + len(start), 1.0 / INTERCEPT_SD**2))
    precision[:q, :q] = np.linalg.inv(prior.covariance)
    return posterior(columns, exits, weight, mean=np.concatenate([prior.mean, start]), precision=precision)


def posterior(
    columns: np.ndarray, exits: np.ndarray, weight: np.ndarray, *, mean: np.ndarray, precision: np.ndarray
) -> Posterior:
    """Return the posterior of coefficients and intercepts, in this order, under any normal prior.

    ``mean`` (q + K,) and ``precision`` (q + K, q + K) are the prior's; arrays as in ``fit_ridge``.
    """
    problem = _Problem(columns, exits, weight, mean, precision)
    solution = problem.centre
    loss = problem.loss(solution)
    for _ in range(MAX_STEPS):
        gradient, hessian = problem.derivatives(solution)
        step = cho_solve(cho_factor(hessian), gradient)
        size = 1.0
        while (new_loss := problem.loss(solution - size * step)) > loss and size > 1e-4:
            size /= 2
        solution, improved, loss = solution - size * step, loss - new_loss, new_loss
        if improved <= TOLERANCE * (abs(loss) + 1.0):
            break
    _, hessian = problem.derivatives(solution)
    return Posterior(solution, cho_solve(cho_factor(hessian), np.eye(len(solution))), columns.shape[1])


@dataclass(frozen=True)
class _Problem:
    columns: np.ndarray
    exits: np.ndarray
    weight: np.ndarray
    centre: np.ndarray
    precision: np.ndarray

    def log_odds(self, solution: np.ndarray) -> np.ndarray:
        q = self.columns.shape[1]
        return (self.columns @ solution[:q])[:, None] + solution[q:]

    def loss(self, solution: np.ndarray) -> float:
        z = self.log_odds(solution)
        misfit = self.weight * (np.logaddexp(0.0, z) - self.exits * z)
        return float(misfit.sum() + 0.5 * (solution - self.centre) @ self.precision @ (solution - self.centre))

    def derivatives(self, solution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, q = self.columns, self.columns.shape[1]
        chance = expit(self.log_odds(solution))
        residual, curvature = self.weight * (chance - self.exits), self.weight * chance * (1.0 - chance)
        gradient = np.concatenate([x.T @ residual.sum(axis=1), residual.sum(axis=0)])
        hessian = np.empty((len(solution), len(solution)))
        hessian[:q, :q] = x.T @ (curvature.sum(axis=1)[:, None] * x)
        hessian[:q, q:] = x.T @ curvature
        hessian[q:, :q] = hessian[:q, q:].T
        hessian[q:, q:] = np.diag(curvature.sum(axis=0))
        return gradient + self.precision @ (solution - self.centre), hessian + self.precision
