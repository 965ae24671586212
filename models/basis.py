"""Columns of a hazard's line: straight, bent, per level, in pairs, and fading with time.

A bend is a hinge with its straight part taken out, so that "there is no bend" and "there is no effect" are different
statements with different priors (``models.shrunken``): most columns are straight, and the prior says so. A pair is the
product of two of the columns that act most: those that do nothing alone seldom do much together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.encode import MIN_LEVEL_ROWS, MOST_SD, NUMBER, Codes, Design
from models.shrunken import Belief, Columns

STRAIGHT, LEVELS, BENT, FADING = Belief(0.02, 1.0), Belief(0.02, 1.0), Belief(0.001, 3.0), Belief(0.005, 0.5)
PAIRED = Belief(0.0005, 3.0)
"""Variance of a coefficient per standard deviation of its column. Tried on public sets outside the benchmark."""
KNOTS = (0.2, 0.4, 0.6, 0.8)
MAX_BENT_COLUMNS, MAX_FADING_COLUMNS, MAX_COLUMNS = 30, 60, 400
MAX_PAIRED_COLUMNS = 8


@dataclass(frozen=True)
class Bends:
    """Hinges ``max(0, z - knot)`` of design columns, minus ``level + slope z``, over ``scale``; five (b,) arrays."""

    column: np.ndarray
    knot: np.ndarray
    level: np.ndarray
    slope: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, straight: np.ndarray, which: np.ndarray) -> Bends:
        """Return the hinges of the columns ``which`` of ``straight`` (n, q) that differ enough from a line."""
        found = [(j, knot) for j in which for knot in _knots(straight[:, j])]
        column = np.array([j for j, _ in found], dtype=int)
        knot = np.array([k for _, k in found], dtype=float)
        z, hinge = straight[:, column], np.maximum(straight[:, column] - knot, 0.0)
        spread = z.var(axis=0)
        slope = ((z - z.mean(axis=0)) * hinge).mean(axis=0) / np.where(spread > 0, spread, 1.0)
        level = hinge.mean(axis=0) - slope * z.mean(axis=0)
        scale = (hinge - level - slope * z).std(axis=0)
        keep = scale > 0.02
        return cls(*(a[keep] for a in (column, knot, level, slope, scale)))

    def transform(self, straight: np.ndarray) -> np.ndarray:
        """Return (n, b)."""
        z = straight[:, self.column]
        return (np.maximum(z - self.knot, 0.0) - self.level - self.slope * z) / self.scale


@dataclass(frozen=True)
class Pairs:
    """Products of the design columns ``one`` and ``other``, minus ``mean``, over ``scale``; four (m,) arrays."""

    one: np.ndarray
    other: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, straight: np.ndarray, source: np.ndarray, which: np.ndarray) -> Pairs:
        """Return the products of the columns ``which`` of ``straight`` (n, q) that come from different ``source``."""
        one, other = (np.asarray(which)[side] for side in np.triu_indices(len(which), 1))
        apart = source[one] != source[other]
        one, other = one[apart], other[apart]
        product = straight[:, one] * straight[:, other]
        keep = product.std(axis=0) > 0.1
        return cls(one[keep], other[keep], product.mean(axis=0)[keep], product.std(axis=0)[keep])

    def transform(self, straight: np.ndarray) -> np.ndarray:
        """Return (n, m), cut like every other column."""
        products = (straight[:, self.one] * straight[:, self.other] - self.mean) / self.scale
        return np.clip(products, -MOST_SD, MOST_SD)


NO_PAIRS = Pairs(*(np.zeros(0, int),) * 2, *(np.zeros(0),) * 2)


@dataclass(frozen=True)
class Basis:
    """How coded rows become columns of the line. ``turn`` (q, r) reduces very many columns to a few directions."""

    design: Design
    bends: Bends
    turn: np.ndarray | None
    fading: np.ndarray
    pairs: Pairs = NO_PAIRS

    @classmethod
    def fit(cls, values: np.ndarray, codes: Codes) -> Basis:
        """Return the basis learned from coded rows (n, p)."""
        n = len(values)
        fewest = max(3, min(MIN_LEVEL_ROWS, n // 50), n // 200)  # at most 200 levels of a column
        design = Design.fit(values, codes, period=np.zeros(n), min_level_rows=fewest)
        straight = design.transform(values)
        number = np.flatnonzero(design.level == NUMBER)
        bends = Bends.fit(straight, number if len(number) <= MAX_BENT_COLUMNS else number[:0])
        turn = _directions(straight) if straight.shape[1] > MAX_COLUMNS else None
        q = straight.shape[1]
        return cls(design, bends, turn, np.arange(q if q <= MAX_FADING_COLUMNS else 0))

    def paired(self, values: np.ndarray, effect: np.ndarray) -> Basis:
        """Return the basis with the products of the columns that act most by ``effect`` (q or more,) of the line."""
        q = len(self.design.source)
        if self.turn is not None or q < 2:
            return self
        strongest = np.sort(np.argsort(-np.abs(effect[:q]), kind="stable")[:MAX_PAIRED_COLUMNS])
        return replace(self, pairs=Pairs.fit(self.design.transform(values), self.design.source, strongest))

    def transform(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the fixed (n, q) and the fading (n, r) columns."""
        straight = self.design.transform(values)
        if self.turn is not None:
            return straight @ self.turn, straight[:, self.fading]
        fixed = [straight, self.bends.transform(straight), self.pairs.transform(straight)]
        return np.column_stack(fixed), straight[:, self.fading]

    def columns(self, values: np.ndarray, *, n_intervals: int) -> Columns:
        """Return the columns with their groups; effects may fade only when there is more than one interval."""
        fixed, fading = self.transform(values)
        age = np.linspace(-1.0, 1.0, n_intervals) if n_intervals > 1 else np.zeros(1)
        turned = self.turn is not None
        kind = np.zeros(fixed.shape[1], int) if turned else np.where(self.design.level == NUMBER, 0, 1)
        paired = np.full(len(self.pairs.one), 4)
        bent = np.full(fixed.shape[1] - len(kind) - len(paired), 2)
        group = np.concatenate([kind, bent, paired, np.full(fading.shape[1], 3)]).astype(int)
        return Columns(fixed, fading, age, group, (STRAIGHT, LEVELS, BENT, FADING, PAIRED))


def _knots(z: np.ndarray) -> np.ndarray:
    if len(np.unique(z)) < 5:
        return np.zeros(0)
    knots = np.unique(np.quantile(z, KNOTS))
    return knots[[(z > knot).sum() >= 5 for knot in knots]]


def _directions(straight: np.ndarray) -> np.ndarray:
    """Return (q, r) weights of the directions in which people differ most; a ridge on them is a ridge on all."""
    n, q = straight.shape
    if q > n:
        size, side = np.linalg.eigh(straight @ straight.T)
        keep = np.argsort(-size)[:MAX_COLUMNS]
        keep = keep[size[keep] > 1e-8 * size.max()]
        return straight.T @ side[:, keep] / np.sqrt(size[keep])
    return np.linalg.eigh(straight.T @ straight)[1][:, ::-1][:, :MAX_COLUMNS]
