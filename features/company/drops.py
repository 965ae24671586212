"""Drops of activity in the invented company that have nothing to do with leaving, three times as common as quits.

Four kinds, equally common by person; each lasts 6 to 14 weeks, and what remains of the activity is 50 to 75 % but for
leave. How they show is what tells them apart from somebody who draws back, as far as anything does (``KINDS``). The
kinds and three per quit are those of the specification; parts, lengths and how they show are assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.company.history import History
from features.company.staff import Columns

PER_QUIT = 3
ACTIVITIES = ("written", "met", "done")
"""Messages and mail; meetings and talks; projects and help."""


@dataclass(frozen=True)
class Kind:
    """The share of a team that takes part, or None for what happens to one person, and in which activities it shows."""

    team_share: float | None
    shows: tuple[str, ...]


KINDS = {
    "leave": Kind(None, ()),  # away, which stands in attendance
    "project": Kind(0.5, ACTIVITIES),  # everything falls for all who worked on what has ended
    "tool": Kind(1.0, ("written",)),  # what is written is counted elsewhere in part
    "focus": Kind(None, ("written", "met")),  # writes and meets less; projects and help go on
}
FEWEST_WEEKS, MOST_WEEKS = 6, 14
LEAST_LEFT, MOST_LEFT = 0.50, 0.75
WEEKS_A_MONTH = 4.35


@dataclass(frozen=True)
class Drops:
    """One entry per person and drop; ``factor`` is what is left of the activity, nothing on leave."""

    who: np.ndarray
    kind: np.ndarray
    start: np.ndarray  # week
    stop: np.ndarray  # the week after the last
    factor: np.ndarray

    def away(self, shape: tuple[int, int]) -> np.ndarray:
        """(people, weeks): who is on leave."""
        return self._left(shape, ["leave"]) == 0

    def factor_on(self, shape: tuple[int, int], activity: str) -> np.ndarray:
        """(people, weeks): what is left of one of the ``ACTIVITIES`` where somebody works."""
        return self._left(shape, [name for name, kind in KINDS.items() if activity in kind.shows])

    def _left(self, shape: tuple[int, int], kinds: list[str]) -> np.ndarray:
        left = np.ones(shape)
        for one in np.flatnonzero(np.isin(self.kind, kinds)).tolist():
            row = left[self.who[one], self.start[one] : self.stop[one]]
            np.minimum(row, self.factor[one], out=row)
        return left

    def listed(self, fridays: np.ndarray) -> Columns:
        """Who, kind, first and last day, and factor, for the truth."""
        last = len(fridays) - 1
        return {
            "who": self.who,
            "kind": self.kind,
            "first_on": fridays[np.minimum(self.start, last)] - 4,
            "last_on": fridays[np.minimum(self.stop - 1, last)],
            "factor": self.factor,
        }


def drops(history: History, rng: np.random.Generator) -> Drops:
    """Draw the drops of all recorded months."""
    panel = history.panel
    monthly = PER_QUIT * history.company.regime.voluntary / 12 / len(KINDS)
    months, n = history.company.months, len(panel["who"])
    parts: list[tuple[np.ndarray, ...]] = []
    for name, kind in KINDS.items():
        # What happens to a team is drawn once for the team and month, what happens to a person once for each row.
        at, size, share = np.arange(n), n, 1.0
        if kind.team_share is not None:
            at, size = panel["month"] * history.n_teams + panel["team"], months * history.n_teams
            share = kind.team_share
        happens = rng.random(size) < monthly / share
        late, long = rng.integers(0, 4, size), rng.integers(FEWEST_WEEKS, MOST_WEEKS + 1, size)
        left = np.zeros(size) if name == "leave" else rng.uniform(LEAST_LEFT, MOST_LEFT, size)
        row = np.flatnonzero(happens[at] & (rng.random(n) < share))
        start = (panel["month"][row] * WEEKS_A_MONTH).astype(int) + late[at[row]]
        parts.append((panel["who"][row], np.full(len(row), name), start, start + long[at[row]], left[at[row]]))
    return Drops(*(np.concatenate(part) for part in zip(*parts, strict=True)))
