"""Exits that one decision made for many: a closing, a merger, a customer who left the service. Found, told, kept out.

    a group's exits   ·  ·   ·    ·  ·:::::::::::::·      days on which far more leave than the group's own rate, or the
                                   window              rest of the company in the same days, would lead one to expect

Such exits teach nothing about the people: nothing in their records foretold them. They are censored on the day: until
then the person was seen to stay, and what would have come later is unknown. The test is a scan over groups and windows
with Poisson tails (Kulldorff 1997), each tail multiplied by the number of windows tried (Bonferroni).

Not good for small groups (fewer than ``FEWEST`` exits) and for a slow wave of months: a bonus season is no mass event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy.stats import poisson

WINDOWS_DAYS = (1, 7, 14, 30)
FEWEST, LEAST_SHARE, HIGHEST_P = 8, 0.15, 1e-6
TIMES = 8.0
"""Less than so many times the expected number may be people who follow each other: that is for the model to learn."""
EVERYBODY = "everybody"
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class MassEvent:
    """``left`` of ``people`` in ``column`` = ``group`` left from ``first`` to ``last`` (both included), where
    ``expected`` would have; ``p`` is the Poisson tail times the number of windows tried. ``ids`` are those who left."""

    column: str
    group: str
    first: date
    last: date
    left: int
    people: int
    expected: float
    p: float
    ids: frozenset[str]

    def text(self, done: str) -> str:
        """Return the event in a sentence."""
        where = "everybody" if self.column == EVERYBODY else f"{self.column} {self.group}"
        return (
            f"Mass event in {where}: {self.left} of {self.people} people left from {self.first} to {self.last}, "
            f"{self.expected:.1f} expected (p = {self.p:.0e}). {done}"
        )


@dataclass(frozen=True)
class _Ground:
    """Landmark rows (``as_of`` day, ``person``) and exits (``day``, the last row before it: ``row``)."""

    as_of: np.ndarray
    person: np.ndarray
    row: np.ndarray
    day: np.ndarray


def find_mass_events(index: pd.DataFrame, groups: pd.DataFrame) -> list[MassEvent]:
    """Return the mass events among landmark rows, the clearest first; an exit belongs to one event at most.

    ``index`` has employee_id, as_of, time and event; ``groups`` the category columns of the same rows.
    """
    ground = _ground(index)
    asked = [(EVERYBODY, "", np.ones(len(index), dtype=bool))]
    asked += [(c, str(g), (groups[c] == g).to_numpy()) for c in map(str, groups) for g in groups[c].dropna().unique()]
    asked = [one for one in asked if one[2][ground.row].sum() >= FEWEST]
    free = np.ones(len(ground.day), dtype=bool)
    found: list[MassEvent] = []
    while True:
        best = [event for one in asked if (event := _clearest(one, ground, free, tries=len(asked)))]
        if not best:
            return found
        found.append(min(best, key=lambda event: (event.p, -event.left, event.column)))
        free &= ~np.isin(ground.person[ground.row], list(found[-1].ids))


def censored(index: pd.DataFrame, events: Sequence[MassEvent], *, keep: np.ndarray) -> pd.DataFrame:
    """Return the rows with the exits of mass events censored on their day, but for the rows in ``keep``."""
    day = pd.to_datetime(index["as_of"]) + pd.to_timedelta(index["time"], unit="D")
    hit = np.zeros(len(index), dtype=bool)
    for event in events:
        in_days = (day >= pd.Timestamp(event.first)) & (day <= pd.Timestamp(event.last))
        hit |= (index["employee_id"].isin(event.ids) & in_days & (index["event"] > 0)).to_numpy()
    hit &= ~keep
    follow_up = np.where(hit, index["time"], index["follow_up"])
    return index.assign(event=np.where(hit, 0, index["event"]), follow_up=follow_up)


def _ground(index: pd.DataFrame) -> _Ground:
    as_of = pd.to_datetime(index["as_of"]).to_numpy("datetime64[D]").astype(int)
    person = index["employee_id"].to_numpy(dtype=object)
    gone = np.flatnonzero((index["event"] > 0).to_numpy())
    order = gone[np.argsort(as_of[gone], kind="stable")]
    row = order[~pd.Series(person[order]).duplicated(keep="last").to_numpy()]
    day = as_of[row] + index["time"].to_numpy()[row].astype(int)
    order = np.argsort(day, kind="stable")
    return _Ground(as_of, person, row[order], day[order])


def _clearest(one: tuple[str, str, np.ndarray], ground: _Ground, free: np.ndarray, *, tries: int) -> MassEvent | None:
    """Return the window of a group with the smallest tail, if it is a mass event."""
    column, group, rows = one
    mine, days = free & rows[ground.row], np.unique(ground.as_of)
    day, other = ground.day[mine], ground.day[~rows[ground.row]]
    if len(day) < FEWEST:
        return None
    head = np.array([(rows & (ground.as_of == d)).sum() for d in days])
    rest = np.array([(~rows & (ground.as_of == d)).sum() for d in days])
    step = np.diff(days, append=days[-1] + int(np.median(np.diff(days))) if len(days) > 1 else days[-1] + 30)
    # The median snapshot: a wave of months must not make itself usual. Never below the rest of the company.
    monthly = np.histogram(day, np.append(days, days[-1] + step[-1]))[0] / np.maximum(head * step, 1)
    elsewhere = (len(other) + 0.5) / (rest * step).sum() if rest.any() else 0.0
    own = max(float(np.median(monthly[head > 0])), elsewhere, 0.5 / (head * step).sum())
    best, score = None, 0.0
    for width in WINDOWS_DAYS:
        first = np.unique(day)
        k = np.searchsorted(day, first + width) - np.searchsorted(day, first)
        at = np.maximum(np.searchsorted(days, first) - 1, 0)
        n_other = np.searchsorted(other, first + width) - np.searchsorted(other, first)
        usual = np.where(rest[at] > 0, (n_other + 0.5) / np.maximum(rest[at] * width, 1), 0.0)
        expected = np.maximum(own, np.where(rest[at] >= 20, usual, 0.0)) * head[at] * width
        p = poisson.sf(k - 1, expected) * tries * len(WINDOWS_DAYS) * len(first)
        clear = (k >= np.maximum(FEWEST, LEAST_SHARE * head[at])) & (k >= TIMES * expected) & (p <= HIGHEST_P)
        if not clear.any():
            continue
        excess = np.where(clear, k * np.log(k / expected) - (k - expected), 0.0)  # Kulldorff's likelihood ratio
        i = int(np.argmax(excess))
        inside = mine.copy()
        inside[mine] = (day >= first[i]) & (day < first[i] + width)
        if excess[i] > score:
            score = float(excess[i])
            ids = frozenset(map(str, ground.person[ground.row[inside]]))
            days_of = ground.day[inside]
            span = (EPOCH + timedelta(days=int(days_of[0])), EPOCH + timedelta(days=int(days_of[-1])))
            best = MassEvent(column, group, *span, int(k[i]), int(head[at[i]]), float(expected[i]), float(p[i]), ids)
    return best
