"""The size of an effect by augmented inverse probability weighting, with errors that know about teams.

    effect = what the two models expect of everybody asked about, treated and not
           + what the rows taught beyond that, each row weighted by how rare it is to find it on its side

Either the outcome model or the treatment model may be wrong, not both (Robins, Rotnitzky & Zhao 1994, JASA 89:846);
predictions come from other groups' rows (Chernozhukov et al. 2018, Econom J 21:C1). Whom the effect speaks of::

    all       everybody in the table (ATE): a randomised trial
    treated   those who were given it (ATT): care from records, where most people are given nothing
    overlap   those who might have been given it or not, weighted e(1 - e) (Li, Morgan & Zaslavsky 2018, JASA 113:390)

Standard errors add up each row's influence within its cluster (two kinds of cluster: Cameron, Gelbach & Miller 2011,
JBES 29:238). A cluster that carries a good part of its side's weight pulls the mean towards itself and then looks too
calm; it is scaled up by what it pulled (as HC2 and CR2 do: Bell & McCaffrey 2002, Surv Methodol 28:169), and the t
quantile has as many degrees of freedom as clusters of equal weight would have: 16 stores of very unequal size count as
twelve or so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import t as student

from training.effect_learners import Crossing, crossing, expected

About = Literal["all", "treated", "overlap"]
MOST_ODDS = 0.98
"""Treated rows with a chance of treatment above this have nobody to be compared with: left out, and counted."""
MOST_PULLED = 0.05
"""A cluster that is nearly a whole side alone is scaled up no further than this."""
ENDS = (0.02, 0.98)
"""The same for an effect on everybody, on both sides (Crump et al. 2009 take .1; records are rarer than that)."""


@dataclass(frozen=True)
class Sample:
    """Rows to compare. All arrays have one entry per row.

    ``treated`` bool; ``outcome`` 0/1 or a number; ``x`` (n, p) confounders without NaN; ``clusters`` one or two arrays
    of codes within which rows depend on each other, the first also keeps folds apart; ``heard`` is 0 where the outcome
    was not observed, otherwise the inverse of the chance that it was (1 without censoring). ``chance``: the known
    chance of treatment of a randomised trial.
    """

    treated: np.ndarray
    outcome: np.ndarray
    x: np.ndarray
    clusters: Sequence[np.ndarray]
    heard: np.ndarray
    chance: np.ndarray | None = None

    @property
    def yes_or_no(self) -> bool:
        """Whether the outcome is a yes (1) or no (0)."""
        return bool(np.isin(self.outcome[self.heard > 0], (0, 1)).all())

    def take(self, kept: np.ndarray) -> Sample:
        """Return the rows where ``kept`` is true."""
        chance = None if self.chance is None else self.chance[kept]
        clusters = tuple(c[kept] for c in self.clusters)
        return Sample(self.treated[kept], self.outcome[kept], self.x[kept], clusters, self.heard[kept], chance)


@dataclass(frozen=True)
class Nuisance:
    """Per row the chance of treatment and the outcome expected untreated and treated, told by other groups' rows."""

    chance: np.ndarray
    untreated: np.ndarray
    treated: np.ndarray


@dataclass(frozen=True)
class Means:
    """The two mean outcomes and the influence of each row on them; ``kept`` (n,): rows that have a counterpart.

    ``weight`` (n,) is the weight of each row on its side, for balance and for weighted survival curves; ``weighted``
    the difference of means by these weights alone; ``shares`` (2, n): each row's share of the treated and of the
    untreated mean.
    """

    treated: float
    untreated: float
    influence_treated: np.ndarray
    influence_untreated: np.ndarray
    weight: np.ndarray
    kept: np.ndarray
    shares: np.ndarray
    weighted: float = float("nan")


@dataclass(frozen=True)
class Estimate:
    """An effect with its standard error and 95 % interval, in the unit of the outcome (a share when it is yes or no).

    ``log_ratio`` is the log of the ratio of cumulative hazards, log(log(1 - r1) / log(1 - r0)): the log hazard ratio
    when hazards are proportional. NaN for outcomes that are not yes or no.
    """

    value: float
    error: float
    low: float
    high: float
    p_value: float
    freedom: float
    mean_treated: float
    mean_untreated: float
    log_ratio: float
    log_ratio_error: float


def estimate(
    sample: Sample, *, about: About = "treated", seed: int = 0, untreated: np.ndarray | None = None
) -> tuple[Estimate, Means, Nuisance]:
    """Return the adjusted effect, what it is made of, and the two models' words.

    ``untreated`` (n,): the outcome expected without treatment where it was cross-fitted before, for several arms that
    share their controls.
    """
    cross = crossing(sample.clusters[0], seed=seed)
    told = nuisances(sample, cross, about=about, untreated=untreated)
    means = weighted_means(sample, told, about=about)
    return contrast(means, sample.clusters, yes_or_no=sample.yes_or_no), means, told


def nuisances(sample: Sample, cross: Crossing, *, about: About, untreated: np.ndarray | None = None) -> Nuisance:
    """Return the cross-fitted chance of treatment and expected outcomes. ``about='treated'`` without censoring needs
    no model of the treated, and learns none."""
    everybody = np.ones(len(sample.treated), bool)
    chance = sample.chance
    if chance is None:
        chance = expected(sample.x, sample.treated.astype(float), everybody, cross=cross, yes_or_no=True)
    heard = sample.heard > 0
    y, kind = np.where(heard, sample.outcome, 0.0), sample.yes_or_no
    if untreated is None:
        untreated = expected(sample.x, y, ~sample.treated & heard, cross=cross, yes_or_no=kind)
    if about == "treated" and (heard & (sample.heard == 1)).all():
        return Nuisance(chance, untreated, y)
    return Nuisance(chance, untreated, expected(sample.x, y, sample.treated & heard, cross=cross, yes_or_no=kind))


def weighted_means(sample: Sample, told: Nuisance, *, about: About) -> Means:
    """Return the two means by augmented weighting; weights on each side are made to sum to the rows asked about."""
    d, e = sample.treated.astype(float), np.clip(told.chance, 1e-6, 1 - 1e-6)
    y = np.where(sample.heard > 0, sample.outcome, 0.0)
    if about == "treated":
        kept = (e <= MOST_ODDS) if sample.chance is None else np.ones(len(d), bool)
        asked, one, other = d, d, (1 - d) * e / (1 - e)
    elif about == "all":
        kept = ((e >= ENDS[0]) & (e <= ENDS[1])) if sample.chance is None else np.ones(len(d), bool)
        asked, one, other = np.ones(len(d)), d / e, (1 - d) / (1 - e)
    else:
        kept = np.ones(len(d), bool)
        asked, one, other = e * (1 - e), d * (1 - e), (1 - d) * e
    asked, one, other = (w * kept for w in (asked, one, other))
    mean1, phi1 = _augmented(asked, one * sample.heard, told.treated, y)
    mean0, phi0 = _augmented(asked, other * sample.heard, told.untreated, y)
    alone = _mean(y, one * sample.heard) - _mean(y, other * sample.heard)
    shares = np.stack([_share(one * sample.heard), _share(other * sample.heard)])
    return Means(mean1, mean0, phi1, phi0, one + other, kept, shares, alone)


def _share(weight: np.ndarray) -> np.ndarray:
    return np.asarray(weight / max(weight.sum(), 1e-12))


def _mean(y: np.ndarray, weight: np.ndarray) -> float:
    return float((weight * y).sum() / weight.sum()) if weight.sum() > 0 else float("nan")


def _augmented(asked: np.ndarray, weight: np.ndarray, told: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean of one side and the influence of each row on it."""
    rows, total = asked.sum(), weight.sum()
    if rows <= 0 or total <= 0:
        return float("nan"), np.full(len(y), np.nan)
    model, rest = float((asked * told).sum() / rows), y - told
    correction = float((weight * rest).sum() / total)
    return model + correction, asked * (told - model) / rows + weight * (rest - correction) / total


def contrast(means: Means, clusters: Sequence[np.ndarray], *, yes_or_no: bool) -> Estimate:
    """Return treated minus untreated with its interval."""
    r1, r0 = means.treated, means.untreated
    phi = means.influence_treated - means.influence_untreated
    freedom = min(_freedom(means.shares, c) for c in clusters)
    error = clustered_error(phi, clusters, means.shares)
    log_ratio, log_error = float("nan"), float("nan")
    if yes_or_no and 0 < r0 < 1 and 0 < r1 < 1:
        slope1, slope0 = (-1 / ((1 - r) * np.log1p(-r)) for r in (r1, r0))
        log_ratio = float(np.log(np.log1p(-r1) / np.log1p(-r0)))
        on_log = slope1 * means.influence_treated - slope0 * means.influence_untreated
        log_error = clustered_error(on_log, clusters, means.shares)
    value = r1 - r0
    low, high, p = interval(value, error, freedom)
    return Estimate(value, error, low, high, p, freedom, r1, r0, log_ratio, log_error)


def interval(value: float, error: float, freedom: float) -> tuple[float, float, float]:
    """Return the ends of the 95 % interval and the two-sided p-value, by Student's t."""
    if error == 0:  # every row of an arm says the same
        return value, value, float(value == 0)
    if not (np.isfinite(error) and freedom >= 1):
        return float("nan"), float("nan"), float("nan")
    reach = float(student.ppf(0.975, freedom)) * error
    return value - reach, value + reach, float(2 * student.sf(abs(value) / error, freedom))


def clustered_error(influence: np.ndarray, clusters: Sequence[np.ndarray], shares: np.ndarray | None = None) -> float:
    """Return the standard error of a sum of influences that depend on each other within clusters (one kind or two).

    ``shares`` (k, n): each row's share of each mean that was taken out of the influences.
    """
    variance = sum(_between(influence, c, shares) for c in clusters)
    if len(clusters) == 2:
        one, other = (np.unique(c, return_inverse=True)[1] for c in clusters)
        variance -= _between(influence, one * (int(other.max()) + 1) + other, shares)
        variance = max(variance, min(_between(influence, c, shares) for c in clusters))
    return float(np.sqrt(variance))


def _between(influence: np.ndarray, cluster: np.ndarray, shares: np.ndarray | None) -> float:
    _, code = np.unique(cluster, return_inverse=True)
    sums = np.bincount(code, weights=influence)
    n = len(sums)
    if n < 2:
        return float("nan")
    if shares is None:
        return float((sums**2).sum() * n / (n - 1))
    pulled = np.max([np.bincount(code, weights=side) for side in shares], axis=0)
    return float((sums**2 / np.maximum(1 - pulled, MOST_PULLED)).sum())


def _freedom(shares: np.ndarray, cluster: np.ndarray) -> float:
    """Return how many clusters of equal weight the two means rest on, less the two means; 1 at least."""
    _, code = np.unique(cluster, return_inverse=True)
    equal = sum(1 / max((np.bincount(code, weights=side) ** 2).sum(), 1e-12) for side in shares)
    return float(max(min(equal - 2, code.max()), 1.0))


def unadjusted(sample: Sample) -> Estimate:
    """Return the plain difference of means, with the same errors; weighted by the known chance where that differs
    between rows (strata of a trial)."""
    n, d = len(sample.treated), sample.treated.astype(float)
    chance = np.full(n, max(d.mean(), 1e-12)) if sample.chance is None else sample.chance
    one, other = d / chance * sample.heard, (1 - d) / np.maximum(1 - chance, 1e-12) * sample.heard
    y, nothing = np.where(sample.heard > 0, sample.outcome, 0.0), np.zeros(n)
    mean1, phi1 = _augmented(d, one, nothing, y)
    mean0, phi0 = _augmented(1 - d, other, nothing, y)
    means = Means(mean1, mean0, phi1, phi0, one + other, np.ones(n, bool), np.stack([_share(one), _share(other)]))
    return contrast(means, sample.clusters, yes_or_no=sample.yes_or_no)
