"""Drops of activity in the invented company that have nothing to do with leaving, three times as common as quits.

Four kinds, equally common by person; each lasts 6 to 14 weeks, and what remains of the activity is 50 to 75 % but for
leave. How they show is what tells them apart from somebody who draws back, as far as anything does::

    leave      one person       away, which stands in attendance
    project    half of a team   everything falls, for all who worked on what has ended
    tool       a whole team     what is written is counted elsewhere in part; people meet and help as before
    focus      one person       writes and meets less; projects and help go on

The kinds and three per quit are those of the specification; parts, lengths and how they show are assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.company.history import History
from features.company.staff import Columns

PER_QUIT = 3
KINDS = ("leave", "project", "tool", "focus")
ALONE = ("leave", "focus")
INVOLVED = {"project": 0.5, "tool": 1.0}
"""Share of a team that takes part in what happens to teams."""
FEWEST_WEEKS, MOST_WEEKS = 6, 14
LEAST_LEFT, MOST_LEFT = 0.50, 0.75
WEEKS_A_MONTH = 4.35
SHOWS = {"written": ("project", "tool", "focus"), "met": ("project", "focus"), "done": ("project",)}
"""In which activity a drop is seen: messages and mail, meetings and talks, projects and help."""


@dataclass(frozen=True)
class Drops:
    """One entry per person and drop: ``listed`` holds who, kind, first and last day, and the factor on activity."""

    who: np.ndarray
    kind: np.ndarray  # position in KINDS
    start: np.ndarray  # week
    stop: np.ndarray  # the week after the last
    factor: np.ndarray
    listed: Columns

    def away(self, shape: tuple[int, int]) -> np.ndarray:
        """(people, weeks): who is on leave."""
        with np.errstate(divide="ignore"):
            return np.isneginf(self._over(shape, ("leave",)))

    def log_factor(self, shape: tuple[int, int], activity: str) -> np.ndarray:
        """(people, weeks): log factors on one activity of ``SHOWS``."""
        return self._over(shape, SHOWS[activity])

    def _over(self, shape: tuple[int, int], kinds: tuple[str, ...]) -> np.ndarray:
        out = np.zeros(shape)
        chosen = np.flatnonzero(np.isin(self.kind, [KINDS.index(kind) for kind in kinds]))
        for one in chosen.tolist():
            weeks = slice(self.start[one], self.stop[one])
            out[self.who[one], weeks] = np.minimum(out[self.who[one], weeks], np.log(self.factor[one]))
        return out


def drops(history: History, rng: np.random.Generator, fridays: np.ndarray) -> Drops:
    """Draw the drops of all recorded months; ``fridays`` are the days that the weeks are known by."""
    panel = history.panel
    monthly = PER_QUIT * history.company.regime.voluntary / 12 / len(KINDS)
    months, n = history.company.months, len(panel["who"])
    parts: list[tuple[np.ndarray, ...]] = []
    for number, kind in enumerate(KINDS):
        # What happens to a team is drawn once for the team and month, what happens to a person once for each row.
        at = np.arange(n) if kind in ALONE else panel["month"] * history.n_teams + panel["team"]
        size = n if kind in ALONE else months * history.n_teams
        share = INVOLVED.get(kind, 1.0)
        happens = rng.random(size) < monthly / share
        late, long = rng.integers(0, 4, size), rng.integers(FEWEST_WEEKS, MOST_WEEKS + 1, size)
        left = np.zeros(size) if kind == "leave" else rng.uniform(LEAST_LEFT, MOST_LEFT, size)
        row = np.flatnonzero(happens[at] & (rng.random(n) < share))
        start = (panel["month"][row] * WEEKS_A_MONTH).astype(int) + late[at[row]]
        parts.append((panel["who"][row], np.full(len(row), number), start, start + long[at[row]], left[at[row]]))
    who, code, start, stop, factor = (np.concatenate(part) for part in zip(*parts, strict=True))
    last = len(fridays) - 1
    listed = {
        "who": who,
        "kind": np.array(KINDS)[code],
        "first_on": fridays[np.minimum(start, last)] - 4,
        "last_on": fridays[np.minimum(stop - 1, last)],
        "factor": factor,
    }
    return Drops(who, code, start, stop, factor, listed)
