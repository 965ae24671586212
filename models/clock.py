"""Time as the exits tell it: a clock that runs by the share of those still here who leave.

A hazard model asked about days has to learn first that most leave early, or on Mondays, or after twelve months. Read
on this clock (the cumulative hazard of everybody, all causes together) the same data have a rate of about 1 from the
first exit to the last: what is left to learn is how people differ. Days, months and years, and any other stretching of
time, give the same readings exactly; nothing passes on the clock before the first exit seen or after the last.

Piecewise exponential hazards by Poisson likelihood: Holford 1980, Biometrics 36:299; Friedman 1982, Ann Stat 10:101.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Clock:
    """Readings of the clock at the ``times`` (J,) of exits, ascending: just after them, and as those who left felt it.

    Exits of one day are taken as having come one after the other in an unknown order (Fleming & Harrington 1984,
    Commun Stat 13:2469): ``reading`` (J,) is what somebody who stays has lived through, ``met`` (J,) what those who
    left on that day had on average when their turn came. Without this rounding to months would look like fewer exits.
    """

    times: np.ndarray
    reading: np.ndarray
    met: np.ndarray

    @classmethod
    def fit(cls, time: np.ndarray, event: np.ndarray) -> Clock:
        """Return the clock of people seen until ``time`` (n,), ``event`` (n,) above 0 where they left."""
        times, exits = np.unique(time[event > 0], return_counts=True)
        if not len(times):
            return cls(*(np.zeros(0),) * 3)
        at_risk = len(time) - np.searchsorted(np.sort(time), times, side="left")
        first = np.cumsum(exits) - exits
        turn = np.arange(exits.sum()) - np.repeat(first, exits)
        step = 1.0 / (np.repeat(at_risk, exits) - turn)
        jump = np.add.reduceat(step, first)
        met = np.add.reduceat(step * (1.0 - turn / np.repeat(exits, exits)), first)
        reading = np.cumsum(jump)
        return cls(times, reading, reading - jump + met)

    def read(self, time: np.ndarray) -> np.ndarray:
        """Return the reading at ``time`` for somebody still here: 0 before the first exit, level after the last."""
        position = np.searchsorted(self.times, time, side="right")
        return np.concatenate([[0.0], self.reading])[position]

    def lived(self, time: np.ndarray, event: np.ndarray) -> np.ndarray:
        """Return what each person had lived through when observation ended, by leaving or otherwise."""
        stayed = self.read(time)
        if not len(self.times):
            return stayed
        position = np.clip(np.searchsorted(self.times, time, side="left"), 0, len(self.times) - 1)
        return np.where(event > 0, self.met[position], stayed)

    def edges(self, time: np.ndarray, event: np.ndarray, *, n_intervals: int) -> np.ndarray:
        """Return the readings (K,) that close each of at most ``n_intervals`` intervals with equally many exits."""
        exits = np.sort(time[event > 0])
        if not len(exits):
            return np.ones(1)
        last = np.ceil(np.arange(1, n_intervals + 1) * len(exits) / n_intervals).astype(int) - 1
        return np.unique(self.read(exits[last]))
