"""The catalog as arrays: for many people at once, which actions fit, what each would prevent, and the best of them.

A *way* is an action together with one driver that it answers. ``models.care`` says by which rules; here they are
worked out for n people and A actions in arrays, because one person after the other would take longer than the model.
The trap: among equals an order decides, never chance; the actions stand in that order here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any

import numpy as np

from features.cards import DRIVERS
from models.catalog import CareAction, Catalog
from models.evidence import Effect
from models.grouped import grouped
from models.known import Known
from models.record import MAX_ACTIONS, MOST_OPTIONS

REACHES_ALL = 0.75
"""The share of an effect that does not ask why somebody may leave. Published effects are on everybody offered, and no
study says how much more an action does for those whose reason it answers; assumed."""

TYPICAL_MATCH, MOST_MATCH = 0.2, 1.5
"""Share of the raised risk × fit at which an effect is as large as published, and how much larger it may be. A fifth is
about the mean over people and actions that fit, as a published effect is the mean over everybody offered."""

LEAST_MATCH = 0.15
"""In one person's plan an action that answers less than this of what raises the risk is beside the point."""

COST_LEAVES = {"none": 1.0, "low": 0.97, "medium": 0.92, "high": 0.85}
HARM = {"low": 0.0, "medium": 0.005, "high": 0.02}
"""Added to the log hazard ratio: how easily a good intention does damage; assumed."""

USUAL_RISK = 0.1
"""Stands in where only the order of actions is asked for; the order does not depend on it."""

BANDS = ("calm", "watch", "act")

PLACES = 1023
"""The last ten bits of a number give way to a place: what differs by less than one part in 10¹² counts as equal."""


@dataclass(frozen=True)
class Shares:
    """Arrays (drivers, n) in the order of ``DRIVERS``: shares of the raised risk, 0 where a driver is left out.

    ``whole`` counts every column of the driver, ``changeable`` only what its actionable columns add.
    """

    whole: np.ndarray
    changeable: np.ndarray


@dataclass(frozen=True)
class Rules:
    """The conditions of all actions in a row: C of them, made of one or more columns each, and one that always holds.

    ``columns``, ``low`` and ``high`` have an entry per column of a condition; ``first`` (C,) says where each begins.
    ``asked`` lists the conditions of one action after the other, ``asked_first`` (A,) where each begins.
    """

    columns: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    first: np.ndarray
    unknown_fits: np.ndarray
    asked: np.ndarray
    asked_first: np.ndarray

    @classmethod
    def of(cls, actions: Sequence[CareAction]) -> Rules:
        """Return the conditions of these actions."""
        every = list(dict.fromkeys(condition for action in actions for condition in action.when))
        parts = [(column, one.min, one.max) for one in every for column in one.columns]
        lengths = [len(one.columns) for one in every]
        asked = [[every.index(one) for one in action.when] or [len(every)] for action in actions]
        return cls(
            (*(column for column, _, _ in parts), ""),
            np.array([*(-inf if low is None else low for _, low, _ in parts), 0.0]),
            np.array([*(inf if high is None else high for _, _, high in parts), 0.0]),
            np.cumsum([0, *lengths]),
            np.array([*(one.unknown_fits for one in every), True]),
            np.array([at for one in asked for at in one], dtype=np.intp),
            np.cumsum([0, *(len(one) for one in asked)])[:-1],
        )

    def hold(self, facts: Known) -> np.ndarray:
        """Return (A, n) whether every condition of an action holds; unknown is what is not there."""
        x = facts.of(self.columns).T
        known, within = np.isfinite(x), (x >= self.low[:, None]) & (x <= self.high[:, None])
        told = grouped(np.logical_or, known, self.first)
        holds = np.where(told, grouped(np.logical_or, known & within, self.first), self.unknown_fits[:, None])
        return grouped(np.logical_and, holds[self.asked], self.asked_first)


@dataclass(frozen=True)
class Ways:
    """A actions in the order that decides among equals, and W ways, those of an action together, by name of driver.

    ``action``, ``driver``, ``fit``, ``any_cause`` and ``rank`` (the driver's place in the catalog) have an entry per
    way, ``first`` where each action's begin; the others have one per action.
    """

    actions: tuple[CareAction, ...]
    effects: tuple[Effect, ...]
    rules: Rules
    action: np.ndarray
    driver: np.ndarray
    fit: np.ndarray
    any_cause: np.ndarray
    rank: np.ndarray
    first: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    harm: np.ndarray
    leaves: np.ndarray
    helps: np.ndarray
    in_band: np.ndarray
    beside: np.ndarray
    by_name: np.ndarray
    made: dict[tuple[int, int], Any] = field(default_factory=dict)

    @classmethod
    def of(cls, catalog: Catalog, believed: Mapping[str, Effect]) -> Ways:
        """Return the ways of a catalog; ``believed`` is the effect of each action."""
        # Among equals the one that takes less of the manager's time, then the sooner, then by name.
        actions = tuple(sorted(catalog.actions, key=lambda a: (a.hours_each, a.days, a.id)))
        effects = tuple(believed[a.id] for a in actions)
        ways = [(i, d, a) for i, a in enumerate(actions) for d in sorted(a.drivers)]
        return cls(
            actions,
            effects,
            Rules.of(actions),
            action=np.array([i for i, _, _ in ways], dtype=np.intp),
            driver=np.array([DRIVERS.index(d) for _, d, _ in ways], dtype=np.intp),
            fit=np.array([a.drivers[d] for _, d, a in ways]),
            any_cause=np.array([a.answers_unchangeable for _, _, a in ways]),
            rank=np.array([list(a.drivers).index(d) for _, d, a in ways]),
            first=np.cumsum([0, *(len(a.drivers) for a in actions)])[:-1],
            mean=np.array([one.mean for one in effects]),
            sd=np.array([one.sd for one in effects]),
            harm=np.array([HARM[a.harm_level] for a in actions]),
            leaves=np.array([COST_LEAVES[a.cost] for a in actions]),
            helps=np.array([not one.useless for one in effects]),
            in_band=np.array([[band == "calm" or band in a.bands for a in actions] for band in BANDS]),
            beside=np.array([[_beside(a, b) for b in actions] for a in actions]),
            by_name=np.array(sorted(range(len(actions)), key=lambda i: actions[i].id), dtype=np.intp),
        )

    def match(self, shares: Shares) -> np.ndarray:
        """Return (W, n) share of the raised risk × fit of each way."""
        both = np.concatenate([shares.changeable, shares.whole])
        found = both[self.driver + len(DRIVERS) * self.any_cause]
        found *= self.fit[:, None]
        return found

    def best(self, match: np.ndarray) -> np.ndarray:
        """Return (A, n) the best match of each action."""
        return grouped(np.maximum, match, self.first)

    def through(self, match: np.ndarray, best: np.ndarray, *, of: np.ndarray, who: np.ndarray) -> np.ndarray:
        """Return (k,) the driver by which each action ``of`` matches the person ``who`` best, of equals the one named
        first."""
        found, reached = np.full(len(of), -1), best[of, who]
        for ways in self.in_turn.T:
            way = ways[of]
            found = np.where((found < 0) & (match[way, who] == reached), self.driver[way], found)
        return found

    @cached_property
    def in_turn(self) -> np.ndarray:
        """The ways of each action (A, most) as their drivers are named; one that has fewer repeats its first."""
        mine = [sorted(np.flatnonzero(self.action == a), key=lambda w: self.rank[w]) for a in range(len(self.actions))]
        most = max(len(one) for one in mine)
        return np.array([[*one, *one[:1] * (most - len(one))] for one in mine], dtype=np.intp)

    def avoided(self, match: np.ndarray, risk: np.ndarray | float, *, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the exits avoided of each match (k,) above 0 at a ``risk``, and the standard deviation of it.

        ``of`` (k,) says which action each is. Uncertainty of the effect alone: what becomes of one person is far less
        certain.
        """
        reach = np.minimum(REACHES_ALL + (1 - REACHES_ALL) * match / TYPICAL_MATCH, MOST_MATCH)
        told = reach * self.sd[of]
        # The mean of a log-normal hazard ratio: an uncertain effect is expected to prevent a little less.
        ratio = np.exp(reach * self.mean[of] + told**2 / 2 + self.harm[of])
        stays = 1 - np.minimum(risk, 0.999)
        line = np.log(stays) * ratio
        after = np.exp(line)
        return after - stays, -after * line * told

    def worth(self, match: np.ndarray) -> np.ndarray:
        """Return (W, n) the exits avoided by each way at a usual risk: what one person's actions are ranked by."""
        out = np.zeros(match.shape)
        way, who = np.nonzero(match >= LEAST_MATCH)
        out[way, who], _ = self.avoided(match[way, who], USUAL_RISK, of=self.action[way])
        return out

    def options(self, match: np.ndarray, fits: np.ndarray, risk: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return (options, n) each: the best actions by what they prevent, their drivers, that, and its deviation.

        Those of the ``match`` (W, n) that ``fits`` (A, n); -1 where none is left. Of equals the first by name.
        """
        best = self.best(match)
        action, who = np.nonzero(fits & (best > 0))
        value, sd = np.zeros(best.shape), np.zeros(best.shape)
        value[action, who], sd[action, who] = self.avoided(best[action, who], risk[who], of=action)
        last = len(self.actions) - 1
        # Numbers above 0 sort as their bits do; the last ones give way to the place by name.
        place = (last - np.argsort(self.by_name))[:, None]
        bits = ((value.view(np.int64) & ~PLACES) | place) * (value > 0)
        first = np.sort(bits.T, axis=1)[:, ::-1][:, :MOST_OPTIONS].T
        found = np.where(first > PLACES, self.by_name[last - np.minimum(first & PLACES, last)], -1)
        driver, (option, who) = np.full(found.shape, -1), np.nonzero(found >= 0)
        action = found[option, who]
        driver[option, who] = self.through(match, best, of=action, who=who)
        worth, doubt = np.zeros(found.shape), np.zeros(found.shape)
        worth[option, who], doubt[option, who] = value[action, who], sd[action, who]
        return found, driver, worth, doubt

    def chosen(self, match: np.ndarray, fits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (3, n) each: the best action that ``fits`` (A, n), then the best of what is left; -1 when none is.

        The second array is the driver it answers, the third what it is worth, discounted by cost. For a driver that an
        earlier one answers, the next counts half.
        """
        n = match.shape[1]
        out = np.full((MAX_ACTIONS, n), -1), np.full((MAX_ACTIONS, n), -1), np.zeros((MAX_ACTIONS, n))
        some = np.flatnonzero(fits.any(axis=0))
        if not some.size:
            return out
        rows, match, left = np.arange(len(some)), match[:, some], fits[:, some]
        value, drivers = self.worth(match) * self.leaves[self.action][:, None], out[1][:, some]
        for k in range(MAX_ACTIONS):
            best = np.where(left, grouped(np.maximum, value, self.first), -1.0)
            action = best.argmax(axis=0)
            worth = best[action, rows]
            on = worth > 0
            if not on.any():
                break
            driver = self._through(value, match, action, worth)
            answered = (self.driver[:, None, None] == drivers[None, :k]).any(axis=1)
            drivers[k] = np.where(on, driver, -1)
            for array, found, nothing in zip(out, (action, driver, worth), (-1, -1, 0.0), strict=True):
                array[k, some] = np.where(on, found, nothing)
            left &= self.beside[:, action] & on
            value = np.where((self.driver[:, None] == driver) & ~answered, value * 0.5, value)
        return out

    def _through(self, value: np.ndarray, match: np.ndarray, action: np.ndarray, worth: np.ndarray) -> np.ndarray:
        """Return (n,) the driver through which the chosen action is worth most; of equals the better match."""
        mine = (self.action[:, None] == action) & (value == worth)
        closest = np.where(mine, match, -1.0)
        among = closest == closest.max(axis=0)
        last = len(self.driver) - 1 - among[::-1].argmax(axis=0)
        return self.driver[last]


def _beside(one: CareAction, other: CareAction) -> bool:
    """Whether two actions may stand in one plan: not of a kind, and neither a part of the other."""
    return one.kind != other.kind and one.id not in other.parts and other.id not in one.parts
