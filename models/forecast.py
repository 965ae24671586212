"""How many will leave: counts of voluntary exits for a group and a period, with intervals that hold for groups.

Adding up risks gives the expected number. It does not give its spread: people of one company share a market, people of
one team share a manager, so their exits come together more often than independent chances would let them. Given a
shock s the exits of a group are independent with chances ``1 - (1 - p)^s`` (s multiplies each person's cumulative
hazard): a Poisson-binomial count. The shocks are log-normal with mean 1, one for the company and one for each team, and
their spread is learned from past forecasts against what came true (``learn_shock``)::

    exits of a team | company, team  ~  Poisson-binomial(1 - (1 - p_i)^(company × team))

Mixed Poisson counts with a shared effect: Klugman, Panjer & Willmot 2012, *Loss Models*, ch. 6; the level that follows
past misses is Bühlmann's credibility (1967, ASTIN Bull 4:199) for a gamma prior.

Not good for: a single person; exits that an organisation decides; a reorganisation that no past month resembles; people
who are not hired yet (those who replace a leaver may leave as well, and are left out).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

INTERVAL_SHARE = 0.80
SERVICE_LEVEL = 0.80
"""Chance with which the number of hires proposed covers the seats that fall empty."""

COMPANY_SDS = (0.0, 0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.60)
TEAM_SDS = (0.0, 0.10, 0.20, 0.30, 0.40, 0.50, 0.70, 1.00)
PRIOR_COMPANY_SD, PRIOR_TEAM_SD = 0.15, 0.25
"""Half-normal scales of the two, before any past forecast is seen: ours, and wide on purpose. That teams differ so much
is known (managers: Hoffman & Tadelis 2021); by how much quits of one firm move from year to year is not."""

NODES = 9
"""Points of the Gauss-Hermite rule per shock; twice as many move no printed figure."""
NEGLIGIBLE = 1e-12
MOST_CELLS = 2_000_000
"""Numbers held at once while many teams are worked out together."""

LOG_SHOCKS = np.linspace(-5.0, 3.0, 81)


@dataclass(frozen=True)
class Shock:
    """How much exits of a quarter vary together beyond chance: standard deviations of the log-effects.

    ``n_windows`` says from how many past quarters this was learned; with none it is the prior's.
    """

    company: float = PRIOR_COMPANY_SD
    team: float = PRIOR_TEAM_SD
    n_windows: int = 0

    def to_dict(self) -> dict[str, float]:
        """Return plain data for a model's card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, float]) -> Shock:
        """Return what ``to_dict`` wrote; without it the prior."""
        known = {name: data[name] for name in ("company", "team") if name in data}
        return cls(**known, n_windows=int(data.get("n_windows", 0)))


@dataclass(frozen=True)
class Past:
    """One team in one past quarter: each person's chance as it was told (n,), and how many left."""

    chances: np.ndarray
    left: int


@dataclass(frozen=True)
class Count:
    """A number of exits as it is told: expected, the interval with the chance it really has, and the number that
    suffices with the service level. Whole people cannot hit 80 % exactly, so ``chance`` is stated."""

    expected: float
    low: int
    high: int
    chance: float
    enough: int


def at_days(incidence: np.ndarray, horizons_days: Sequence[float], days: ArrayLike) -> np.ndarray:
    """Return (n, len(days)): the chance of a voluntary exit within each number of days.

    ``incidence`` (n, len(horizons)) is the same at the horizons told. In between, the cumulative hazard is taken as
    linear; within 0 days the chance is 0, and beyond the last horizon it stays what it is there.
    """
    known = np.concatenate([[0.0], np.asarray(horizons_days, dtype=float)])
    hazard = np.column_stack([np.zeros(len(incidence)), -np.log1p(-np.minimum(incidence, 1 - 1e-9))])
    at = np.clip(np.asarray(days, dtype=float), 0.0, known[-1])
    right = np.clip(np.searchsorted(known, at, side="left"), 1, len(known) - 1)
    share = (at - known[right - 1]) / (known[right] - known[right - 1])
    return -np.expm1(-(hazard[:, right - 1] * (1 - share) + hazard[:, right] * share))


def level(observed: float, expected: float) -> float:
    """Return by how much to multiply the hazards, from what the last forecasts expected and what came true.

    The mean of a gamma effect that is believed to lie ``PRIOR_COMPANY_SD`` around 1 before anything is seen: with
    nothing seen 1, with much seen observed / expected. A model learned long ago misses a market that has turned; this
    follows it.
    """
    prior = 1.0 / PRIOR_COMPANY_SD**2
    return (prior + observed) / (prior + expected)


def at_most(left: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the exits of each team (n,), a team that went all at once cut to three standard deviations above its
    expectation: a site that closes says nothing about the market of all the others."""
    return np.minimum(left, expected + 3.0 * np.sqrt(expected + (PRIOR_TEAM_SD * expected) ** 2) + 1.0)


def shifted(chances: np.ndarray, factor: float | np.ndarray) -> np.ndarray:
    """Return the chances with each cumulative hazard multiplied by ``factor``."""
    return -np.expm1(factor * np.log1p(-np.minimum(chances, 1 - 1e-12)))


def given_company(teams: Sequence[np.ndarray], shock: Shock) -> list[np.ndarray]:
    """Return per team (nodes, k + 1): the probabilities of 0 … k exits, for each node of the company's shock.

    ``teams`` holds each team's chances (n,). Teams of about the same size are worked out together.
    """
    z, weight = _normal_nodes()
    factors = np.exp(_company_effect(z, shock)[:, None] + _team_effect(z, shock)[None, :]).ravel()
    out: list[np.ndarray] = [np.ones((len(z), 1))] * len(teams)
    by_size: dict[int, list[int]] = {}
    for i, chances in enumerate(teams):
        if len(chances):
            by_size.setdefault(1 << (len(chances) - 1).bit_length(), []).append(i)
    for size, members in by_size.items():
        at_once = max(1, MOST_CELLS // (size * len(factors)))
        for start in range(0, len(members), at_once):
            part = members[start : start + at_once]
            padded = np.array([np.pad(teams[i], (0, size - len(teams[i]))) for i in part])
            counts = poisson_binomial(padded, factors)
            given = np.einsum("mctk,t->mck", counts.reshape(len(part), len(z), len(z), -1), weight)
            for i, found in zip(part, given, strict=True):
                out[i] = found[:, : len(teams[i]) + 1]
    return out


def together(teams: Sequence[np.ndarray], *, certain: int = 0) -> np.ndarray:
    """Return the probabilities of 0, 1, 2 … exits of a group whose people work in these teams.

    ``teams`` are the ``given_company`` of each team, for those of its people who belong to the group. ``certain``
    people have given notice already and are counted in full.
    """
    _, weight = _normal_nodes()
    total = np.ones((len(weight), 1))
    for counts in teams:
        total = _convolved(total, counts)
    return np.concatenate([np.zeros(certain), weight @ total])


def poisson_binomial(chances: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return (teams, len(factors), k + 1): the probabilities of 0 … k exits when each factor multiplies every hazard.

    ``chances`` (teams, n); a chance of 0 is a place nobody fills. One person at a time (Hong 2013, Comput Stat Data
    Anal 59:41, the recursive formula). Exact; ``k`` is n, or, in large teams, a number that even the largest factor
    does not reach in a thousand million cases.
    """
    most = float(shifted(chances, factors.max()).sum(axis=1).max())
    size = min(chances.shape[1], int(most + 6 * np.sqrt(most) + 20))
    counts = np.zeros((len(chances), len(factors), size + 1))
    counts[:, :, 0] = 1.0
    for n in range(chances.shape[1]):
        p = shifted(chances[:, n, None], factors)[:, :, None]
        top = min(n + 1, size)
        counts[:, :, 1 : top + 1] += p * (counts[:, :, :top] - counts[:, :, 1 : top + 1])
        counts[:, :, :1] *= 1 - p
    return counts


def told(pmf: np.ndarray, *, share: float = INTERVAL_SHARE, service_level: float = SERVICE_LEVEL) -> Count:
    """Return the count in words of whole people.

    The interval is the run of most likely counts whose chance lies nearest to ``share``. A rule "at least" would give
    small teams intervals that nearly always hold, and nobody could learn anything from them.
    """
    low = high = int(np.argmax(pmf))
    chance = float(pmf[low])
    while chance < share:
        below, above = (pmf[low - 1] if low else -1.0), (pmf[high + 1] if high + 1 < len(pmf) else -1.0)
        if max(below, above) < 0 or abs(chance + max(below, above) - share) > share - chance:
            break
        low, high = (low - 1, high) if below > above else (low, high + 1)
        chance += float(max(below, above))
    enough = int(np.searchsorted(np.cumsum(pmf), service_level - 1e-9))
    return Count(float(pmf @ np.arange(len(pmf))), low, high, chance, min(enough, len(pmf) - 1))


def learn_shock(windows: Sequence[Sequence[Past]]) -> Shock:
    """Return the spread of the shocks from past quarters that do not overlap, each with its teams.

    The posterior mean of both variances on a grid, under half-normal priors: with one or two quarters the prior speaks,
    and more so for the company, of which each quarter shows only one shock.
    """
    tables = [[_log_chance(past) for past in window if len(past.chances)] for window in windows]
    tables = [window for window in tables if window]
    log_posterior = np.array(
        [
            [_prior(c, t) + sum(_window_log_likelihood(window, c, t) for window in tables) for t in TEAM_SDS]
            for c in COMPANY_SDS
        ]
    )
    weight = np.exp(log_posterior - log_posterior.max())
    weight /= weight.sum()
    company = float(np.sqrt(weight.sum(axis=1) @ np.square(COMPANY_SDS)))
    team = float(np.sqrt(weight.sum(axis=0) @ np.square(TEAM_SDS)))
    return Shock(company, team, len(tables))


def _prior(company: float, team: float) -> float:
    return -((company / PRIOR_COMPANY_SD) ** 2 + (team / PRIOR_TEAM_SD) ** 2) / 2


def _log_chance(past: Past) -> np.ndarray:
    """Return the log-probability of what came true, over a grid of shocks."""
    factors = np.exp(LOG_SHOCKS)
    counts = np.zeros((len(factors), past.left + 1))  # more than came true is not asked for
    counts[:, 0] = 1.0
    for p in shifted(past.chances[:, None], factors)[:, :, None]:
        counts[:, 1:] += p * (counts[:, :-1] - counts[:, 1:])
        counts[:, :1] *= 1 - p
    return np.log(np.maximum(counts[:, past.left], 1e-300))


def _window_log_likelihood(window: Sequence[np.ndarray], company: float, team: float) -> float:
    z, weight = _normal_nodes()
    shock = Shock(company, team)
    at = _company_effect(z, shock)[:, None] + _team_effect(z, shock)[None, :]
    by_company = np.zeros(len(z))
    for table in window:
        by_company += np.log(np.exp(np.interp(at, LOG_SHOCKS, table)) @ weight + 1e-300)
    top = by_company.max()
    return float(top + np.log(np.exp(by_company - top) @ weight))


def _convolved(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the distribution of the sum, row by row, without a tail that no case in a million million reaches."""
    out = np.zeros((len(one), one.shape[1] + other.shape[1] - 1))
    for k in range(other.shape[1]):
        out[:, k : k + one.shape[1]] += one * other[:, k : k + 1]
    reached = np.flatnonzero(out.max(axis=0) > NEGLIGIBLE)
    return out[:, : reached[-1] + 1]


def _company_effect(z: np.ndarray, shock: Shock) -> np.ndarray:
    return shock.company * z - shock.company**2 / 2  # so that its mean is 1 and sums stay unbiased


def _team_effect(z: np.ndarray, shock: Shock) -> np.ndarray:
    return shock.team * z - shock.team**2 / 2


def _normal_nodes() -> tuple[np.ndarray, np.ndarray]:
    return _rule(NODES)


@cache
def _rule(n: int) -> tuple[np.ndarray, np.ndarray]:
    z, weight = np.polynomial.hermite_e.hermegauss(n)
    return z, weight / weight.sum()
