"""Weeks of work with nothing wrong in them, or with a fall that was put in: the ground on which alarms are judged.

Negative binomial counts a week, mean LogN(log 60, .6), size LogN(log 12, .4), a season of .1, three holiday weeks at
.55, the team's level wandering (AR .8, SD .08) and the person's own (AR .5, SD .10), 5 % of the weeks on leave that is
on record (SCIENCE section 5). ``World`` has every setting, so that the study can also break them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from features import engine
from features.engine import Frame
from features.withdrawal.weeks import CHANNELS

HOLIDAYS = (0, 5, 39)


@dataclass(frozen=True)
class World:
    n_people: int = 1000
    n_weeks: int = 330
    team_size: int = 8
    mean: float = 60.0
    person_ar: tuple[float, float] = (0.5, 0.10)
    team_ar: tuple[float, float] = (0.8, 0.08)


@dataclass(frozen=True)
class Weeks:
    """``counts`` and ``there``: people × weeks; ``team``: number per person."""

    counts: np.ndarray
    there: np.ndarray
    team: np.ndarray

    def frame(self) -> Frame:
        """The weekly table as ``features.withdrawal.weeks.weekly`` makes it; everything done is a message."""
        n, weeks = self.counts.shape
        there = (self.there & (self.counts > 0)).ravel().astype(np.int64)
        columns = {
            "employee_id": np.repeat(names(n), weeks),
            "place": np.tile(np.arange(weeks), n),
            "team": np.repeat(np.array([f"t{i:04d}" for i in self.team]), weeks),
            "there": there,
            "present": there.astype(float),
            **{name: np.zeros(n * weeks, dtype=np.int64) for name in CHANNELS},
            "message": self.counts.ravel(),
        }
        return engine.load(pl.DataFrame(columns))


def names(n: int) -> np.ndarray:
    return np.array([f"p{i:05d}" for i in range(n)])


def live(world: World, rng: np.random.Generator) -> Weeks:
    """Years of weeks in which nothing falls."""
    n, weeks = world.n_people, world.n_weeks
    team = np.arange(n) // world.team_size
    usual = np.exp(np.log(world.mean) + 0.6 * rng.standard_normal(n))
    size = np.exp(np.log(12) + 0.4 * rng.standard_normal(n))[:, None]
    of_year = np.arange(weeks) % 52
    season = 0.1 * np.sin(2 * np.pi * of_year / 52) + np.log(np.where(np.isin(of_year, HOLIDAYS), 0.55, 1.0))
    level = season + _wander(rng, team.max() + 1, weeks, world.team_ar)[team] + _wander(rng, n, weeks, world.person_ar)
    mean = usual[:, None] * np.exp(level)
    there = rng.random((n, weeks)) >= 0.05
    counts = np.where(there, rng.negative_binomial(size, size / (size + mean)), 0)
    return Weeks(counts.astype(np.int64), there, team)


def fallen(weeks: Weeks, kept: np.ndarray, rng: np.random.Generator) -> Weeks:
    """The same weeks with a fall put in: each act stays with the chance ``kept`` (people × weeks, .5 for a half).

    What is left is negative binomial of the same size again, so only the mean falls; all else is as it was.
    """
    return replace(weeks, counts=rng.binomial(weeks.counts, kept))


def _wander(rng: np.random.Generator, n: int, weeks: int, ar: tuple[float, float]) -> np.ndarray:
    keep, sd = ar
    path = rng.standard_normal((n, weeks))
    for week in range(1, weeks):
        path[:, week] = keep * path[:, week - 1] + np.sqrt(1 - keep**2) * path[:, week]
    return sd * path
