"""Future time cut into intervals: which of them each person lived through under observation, and how each ended.

A landmark row is one person on one ``as_of``. It becomes one row per future interval ``(edge[k-1], edge[k]]`` days
after ``as_of`` in which the person was still here at the start and which was observed to its end::

    as_of 1 Jan, notice 20 Mar, data end 30 Jun, edges 30, 90, 180
    ----as_of(---1: stayed---](---2: notice---]            interval 3 is not at risk
    as_of 1 Jan, no notice,   data end 30 Apr
    ----as_of(---1: stayed---](---2: stayed---](---3 open  interval 3 is dropped for leavers and stayers alike

The last line is the trap: keeping a notice inside an interval whose end nobody has seen yet, while dropping those who
stay, raises every rate near the end of the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STAY, VOLUNTARY, OTHER = 0, 1, 2


@dataclass(frozen=True)
class PersonPeriod:
    """One entry per landmark row and interval; three arrays of equal length.

    ``row`` is the position of the landmark row, ``interval`` counts from 0, ``outcome`` is ``STAY``, ``VOLUNTARY`` or
    ``OTHER`` at the end of the interval.
    """

    row: np.ndarray
    interval: np.ndarray
    outcome: np.ndarray

    def take(self, mask: np.ndarray) -> PersonPeriod:
        """Return the entries where ``mask`` is true."""
        return PersonPeriod(self.row[mask], self.interval[mask], self.outcome[mask])


def expand(
    time: np.ndarray, event: np.ndarray, edges: Sequence[int | float], *, follow_up: np.ndarray | None = None
) -> PersonPeriod:
    """Return the intervals that were lived through, each with its end.

    ``time`` (n,) is the time to the exit or to the end of observation, in the unit of ``edges``; ``event`` (n,) is 0
    where observation ended first. ``follow_up`` (n,) is the time for which the row *could* be observed, exit or not.
    Without it (data from elsewhere, where nobody recorded it) an interval with an event counts as observed.
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=int)
    upper = np.asarray(edges, dtype=float)
    lower = np.concatenate([[0.0], upper[:-1]])
    reach = np.where(event > 0, np.inf, time) if follow_up is None else np.asarray(follow_up, dtype=float)
    at_risk = (time[:, None] > lower) | ((event[:, None] == 0) & (time[:, None] >= upper))
    observed = reach[:, None] >= upper
    row, interval = np.nonzero(at_risk & observed)
    ends_here = (event[row] > 0) & (time[row] <= upper[interval])
    return PersonPeriod(row, interval, np.where(ends_here, event[row], STAY))


def interval_weights(edges: Sequence[int | float], horizon: float) -> np.ndarray:
    """Return how much of each interval lies within the horizon, as shares of it that sum to 1 over the horizon."""
    upper = np.asarray(edges, dtype=float)
    lower = np.concatenate([[0.0], upper[:-1]])
    within = np.clip(np.minimum(upper, horizon) - lower, 0.0, None)
    return within / within.sum()
