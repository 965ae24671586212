"""The hazard of one cause: a penalised line and boosted trees, weighed by what they say of people left out.

With few exits the line is trusted and the trees are hardly heard; the weights are estimated, never switched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from models.basis import Basis
from models.encode import Codes
from models.grove import Growth, Risked, grove_of, grow, grow_tried
from models.shrunken import Line, fit_line, log_rates
from models.tables import Lookup

FEWEST_EXITS_FOR_TREES = 20
EXITS_FOR_HALF_A_SAY = 600.0
"""With very many exits line and trees are expected to be worth the same; with so many the trees half of that, with
fewer less. Tried, like the next, on public sets outside the benchmark."""
TRUST = 600.0
"""How many exits' worth of evidence that expectation stands for."""
MANY_PEOPLE, MANY_ROWS = 20_000, 50_000
"""Above these fewer people need be left out in turn, and trees may take longer steps."""
ROWS_IN_ALL_GROVES = 100_000


@dataclass(frozen=True)
class Learning:
    """How to learn: in how many parts people are left out, how many groves are averaged, the most trees, the seed."""

    folds: int
    groves: int
    max_trees: int
    seed: int


@dataclass(frozen=True)
class Taught:
    """A line and a grove that the same people taught; without a grove where there were few exits."""

    basis: Basis
    line: Line
    grove: Lookup | None

    def line_says(self, values: np.ndarray) -> np.ndarray:
        """Return (n, K) what the line adds to the log rate of each interval."""
        return self.line.log_hazard(*self.basis.transform(values)) - self.line.base


@dataclass(frozen=True)
class Mixed:
    """Log hazard of one cause: what line and trees add to the log rate ``base`` (K,) of each interval, each weighed.

    ``everybody`` taught one half of what is said; the other half is the mean of ``folds``, each taught by all but some
    people. They are there anyway, to weigh line and trees, and what they err by differently cancels out.
    """

    everybody: Taught
    folds: tuple[Taught, ...]
    weights: tuple[float, float]
    base: np.ndarray
    shift: float

    def log_hazard(self, values: np.ndarray) -> np.ndarray:
        """Return (n, K) of the rows ``values`` (n, p)."""
        taught = (self.everybody, *self.folds)
        total = self.weights[0] * _halves([one.line_says(values) for one in taught])
        groves = [one.grove.raw(values) for one in taught if one.grove is not None]
        if groves:
            total = total + self.weights[1] * _halves(groves)
        return np.clip(total, -12.0, 12.0) + self.base + self.shift


def _halves(said: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean of the first and the mean of the others."""
    first, *others = said
    return (first + np.mean(others, axis=0)) / 2 if others else first


def fit_mixed(people: Risked, codes: Codes, settings: Learning) -> Mixed:
    """Return the hazard of the cause whose exits ``people`` hold; the level is set so that their sum comes true."""
    exits, base = int(people.exits.sum()), log_rates(people.lived, people.exits)
    basis, line = _fit_line(people, codes)
    if exits < FEWEST_EXITS_FOR_TREES:
        return Mixed(Taught(basis, line, None), (), (1.0, 0.0), line.base, 0.0)
    fold = _folds(people.exits.sum(axis=1), settings)
    folds, said, n_trees = _cross_fitted(people, fold, codes, settings)
    weights = _weigh(said, people)
    growth = _growth(people, max(1, round(1.1 * n_trees)))
    seeds = [settings.seed + 1000 + s for s in range(_n_groves(people, settings))]
    grove = grow(people, codes.category_positions(), base, growth=growth, seeds=seeds)
    mixed = Mixed(Taught(basis, line, grove), folds, weights, line.base, 0.0)
    expected = float((people.lived * np.exp(mixed.log_hazard(people.values))).sum())
    return replace(mixed, shift=float(np.log((exits + 0.5) / (expected + 0.5))))


def _fit_line(people: Risked, codes: Codes) -> tuple[Basis, Line]:
    """Return the line and its columns: once without pairs, to see what acts, and once with them."""
    basis, k = Basis.fit(people.values, codes), people.lived.shape[1]
    first = fit_line(basis.columns(people.values, n_intervals=k), people.lived, people.exits)
    paired = basis.paired(people.values, first.fixed)
    if not len(paired.pairs.one):
        return basis, first
    return paired, fit_line(paired.columns(people.values, n_intervals=k), people.lived, people.exits)


def _folds(exits: np.ndarray, settings: Learning) -> np.ndarray:
    """Return each person's fold (n,), leavers and others spread evenly."""
    rng = np.random.default_rng(settings.seed)
    n_folds = settings.folds if len(exits) <= MANY_PEOPLE else min(settings.folds, 3)
    fold = np.empty(len(exits), dtype=int)
    for left in (True, False):
        mine = np.flatnonzero((exits > 0) == left)
        fold[mine] = rng.permutation(np.arange(len(mine)) % n_folds)
    return fold


def _growth(people: Risked, n_trees: int) -> Growth:
    n, exits = len(people.values), people.exits.sum()
    rate = 0.05 if (people.lived > 0).sum() < MANY_ROWS else 0.1
    return Growth(rate, 4 if exits < 500 else 8, max(20, n // 100), n_trees)


def _n_groves(people: Risked, settings: Learning) -> int:
    return int(np.clip(ROWS_IN_ALL_GROVES // (people.lived > 0).sum(), 1, settings.groves))


def _cross_fitted(
    people: Risked, fold: np.ndarray, codes: Codes, settings: Learning
) -> tuple[tuple[Taught, ...], tuple[np.ndarray, np.ndarray], int]:
    """Return what each fold's others taught, what their lines and trees say (n, K each) of the people left out, and
    the best number of trees."""
    text = codes.category_positions()
    growth, lines, boosters, losses = _growth(people, settings.max_trees), [], [], np.zeros(settings.max_trees)
    for f in range(fold.max() + 1):
        taught, out = people.take(fold != f), people.take(fold == f)
        base = log_rates(taught.lived, taught.exits)
        booster, loss = grow_tried(taught, out, text, base, growth=growth, seed=settings.seed + f)
        lines.append(_fit_line(taught, codes))
        boosters.append(booster)
        losses += loss
    n_trees = int(np.argmin(losses)) + 1
    line_says, trees_say, folds = np.zeros_like(people.lived), np.zeros_like(people.lived), []
    for f, (line, booster) in enumerate(zip(lines, boosters, strict=True)):
        grove = grove_of([booster], n_intervals=people.lived.shape[1], n_trees=n_trees)
        folds.append(Taught(*line, grove))
        line_says[fold == f] = folds[f].line_says(people.values[fold == f])
        trees_say[fold == f] = grove.raw(people.values[fold == f])
    return tuple(folds), (line_says, trees_say), n_trees


def _weigh(said: tuple[np.ndarray, np.ndarray], people: Risked) -> tuple[float, float]:
    """Return the weights of line and trees that explain people left out best, drawn towards what is expected.

    The pull is worth ``TRUST`` exits in every direction (Zellner's g-prior, 1986): where line and trees say nearly the
    same, exits tell little of how to divide the weight, and a pull of a fixed strength would never let them speak.
    """
    exits = people.exits.sum()
    trees = exits / (exits + EXITS_FOR_HALF_A_SAY) / 2
    default = np.array([1.0 - trees, trees])
    base = log_rates(people.lived, people.exits)
    at_risk = people.lived * np.exp(base)
    apart = [part - (at_risk * part).sum() / at_risk.sum() for part in said]
    pull = TRUST * np.array([[(at_risk * a * b).sum() for b in apart] for a in apart]) / at_risk.sum()

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = np.clip(w[0] + w[1] * said[0] + w[2] * said[1], -20.0, 20.0) + base
        expected = people.lived * np.exp(z)
        surplus, away = expected - people.exits, w[1:] - default
        value = float(expected.sum() - (people.exits * z).sum()) + float(away @ pull @ away) / 2
        slopes = [surplus.sum(), *((surplus * part).sum() for part in said)]
        return value, np.array(slopes) + np.concatenate([[0.0], pull @ away])

    start = np.array([0.0, *default])
    bounds = [(-3.0, 3.0), (0.0, 1.5), (0.0, 1.5)]
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(best[1]), float(best[2])
