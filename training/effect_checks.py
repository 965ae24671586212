"""What an estimate of an effect rests on: are the compared alike, and how much would have to be hidden to undo it.

Every check says what it can see. None can prove that nothing is hidden; a few can prove that something is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from training.effect_estimate import Estimate, Means, Sample, clustered_error
from training.effect_learners import crossing, expected

DETECTABLE = float(norm.ppf(0.975) + norm.ppf(0.8))
"""Standard errors that an effect must have to be found with 80 % power by a two-sided test at 5 %."""
ALIKE = 0.1
"""Standardised difference of means below which two groups count as alike (Austin 2009, Stat Med 28:3083)."""
FEWEST_COMPARABLE = 0.3
"""Share of the controls that must remain as effective sample size, unless they outnumber the treated as it is."""


@dataclass(frozen=True)
class Balance:
    """How far apart the arms are in one column, in standard deviations, before and after weighting."""

    column: str
    before: float
    after: float


@dataclass(frozen=True)
class Overlap:
    """Whether the treated have counterparts: effective number of controls, and rows left out for want of one."""

    n_controls: int
    effective_controls: float
    left_out: int
    enough: bool


@dataclass(frozen=True)
class Hidden:
    """How strong something unrecorded would have to be (Cinelli & Hazlett 2020, J R Stat Soc B 82:39).

    ``robustness``: share of what is left unexplained in both treatment and outcome that would bring the estimate to 0.
    ``as_strong_as``: the measured column that explains most, and ``bias``: by how much a hidden one of the same
    strength could have moved the estimate. ``e_value``: the same question on the scale of risk ratios, for estimate
    and for the end of its interval nearer to no effect (VanderWeele & Ding 2017, Ann Intern Med 167:268).
    """

    robustness: float
    as_strong_as: str | None
    bias: float
    e_value: float
    e_value_of_interval: float


@dataclass(frozen=True)
class Test:
    """A negative control: something that must be nothing when nothing hidden decides. ``flagged``: it is not.

    ``n``: the cases that it rests on (people chosen twice, exits); with few of them it sees little.
    """

    __test__ = False  # not one of pytest's

    name: str
    z: float
    p_value: float
    n: int
    flagged: bool


def balance(sample: Sample, means: Means, names: Sequence[str]) -> list[Balance]:
    """Return every column's standardised difference, the largest before weighting first."""
    d = sample.treated
    spread = np.sqrt((sample.x[d].var(axis=0) + sample.x[~d].var(axis=0)) / 2)
    spread[spread == 0] = 1.0
    before = (sample.x[d].mean(axis=0) - sample.x[~d].mean(axis=0)) / spread
    after = (_mean(sample.x, means.weight * d) - _mean(sample.x, means.weight * ~d)) / spread
    rows = [Balance(n, float(b), float(a)) for n, b, a in zip(names, before, after, strict=True)]
    return sorted(rows, key=lambda row: -abs(row.before))


def _mean(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return (weight[:, None] * x).sum(axis=0) / max(weight.sum(), 1e-12)


def overlap(sample: Sample, means: Means) -> Overlap:
    """Return how many controls the weighted ones are worth (Kish), and how many rows found no counterpart."""
    weight = means.weight[~sample.treated]
    n, n_treated = len(weight), int(sample.treated.sum())
    effective = float(weight.sum() ** 2 / max((weight**2).sum(), 1e-12))
    left_out = int((~means.kept).sum())
    enough = (effective >= FEWEST_COMPARABLE * n or effective >= n_treated) and left_out <= 0.1 * n_treated
    return Overlap(n, effective, left_out, enough)


def hidden(sample: Sample, found: Estimate, of: Sequence[str]) -> Hidden:
    """Return what a hidden cause would have to be like; ``of`` (p,): the column each number came from.

    By least squares, also for a yes or no: the bound is of the right size, not exact.
    """
    heard = sample.heard > 0
    y, d, x = sample.outcome[heard], sample.treated[heard].astype(float), sample.x[heard]
    n, p = x.shape
    freedom = max(n - p - 2, 1)
    partial = abs(found.value / found.error) / np.sqrt(freedom) if found.error > 0 else 0.0
    robustness = 0.5 * (np.sqrt(partial**4 + 4 * partial**2) - partial**2)
    best, name = 0.0, None
    design = np.column_stack([np.ones(n), x])
    source = np.asarray(of)
    if p:
        whole_d, whole_y = _rest(d, design), _rest(y, np.column_stack([design, d]))
        for column in dict.fromkeys(source.tolist()):
            without = np.column_stack([np.ones(n), x[:, source != column]])
            r2_d = max(0.0, 1 - whole_d / _rest(d, without))
            r2_y = max(0.0, 1 - whole_y / _rest(y, np.column_stack([without, d])))
            strength = r2_y * r2_d / max(1 - r2_d, 1e-9)
            if strength > best:
                best, name = strength, column
    return Hidden(float(robustness), name, float(found.error * np.sqrt(freedom * best)), *_e_values(found))


def _rest(y: np.ndarray, design: np.ndarray) -> float:
    """Return the sum of squares that the columns leave unexplained."""
    gram = design.T @ design + 1e-8 * np.eye(design.shape[1]) * len(y)
    rest = y - design @ np.linalg.solve(gram, design.T @ y)
    return float(max(rest @ rest, 1e-12))


def _e_values(found: Estimate) -> tuple[float, float]:
    r1, r0 = found.mean_treated, found.mean_untreated
    if not (0 < r0 < 1 and 0 < r1 < 1):
        return float("nan"), float("nan")
    ratio = r1 / r0
    near = found.low if found.value > 0 else found.high
    crosses = found.low <= 0 <= found.high
    return _e_value(ratio), 1.0 if crosses else _e_value(max((r0 + near) / r0, 1e-6))


def _e_value(ratio: float) -> float:
    ratio = max(ratio, 1 / ratio)
    return float(ratio + np.sqrt(ratio * (ratio - 1)))


def smallest_detectable(found: Estimate) -> float:
    """Return the size of effect that these rows find with a power of 80 %."""
    return DETECTABLE * found.error


def independent(one: np.ndarray, other: np.ndarray, sample: Sample, *, name: str, level: float) -> Test:
    """Return whether ``one`` and ``other`` (n,) have anything to do with each other beyond what ``sample.x`` explains.

    What is left of both after cross-fitted models should not go together (generalised covariance measure, Shah & Peters
    2020, Ann Stat 48:1514), summed by cluster. NaN in ``one`` leaves a row out; treatment in ``sample`` is not read.
    """
    kept = np.isfinite(one) & np.isfinite(other)
    a, b, x = one[kept], other[kept], sample.x[kept]
    clusters = tuple(c[kept] for c in sample.clusters)
    cases = min(_fewest(a), _fewest(b), int(((a > a.min()) & (b > b.min())).sum())) if kept.any() else 0
    if cases < 10:
        return Test(name, float("nan"), float("nan"), cases, False)
    cross, all_rows = crossing(clusters[0]), np.ones(len(a), bool)
    rest = (a - expected(x, a, all_rows, cross=cross, yes_or_no=_binary(a))) * (
        b - expected(x, b, all_rows, cross=cross, yes_or_no=_binary(b))
    )
    error = clustered_error(rest, clusters)
    z = float(rest.sum() / error) if error > 0 else 0.0
    p = float(2 * norm.sf(abs(z)))
    return Test(name, z, p, cases, p < level)


def _binary(values: np.ndarray) -> bool:
    return bool(np.isin(values, (0, 1)).all())


def _fewest(values: np.ndarray) -> int:
    return int(min(values.sum(), (1 - values).sum())) if _binary(values) else len(values)
