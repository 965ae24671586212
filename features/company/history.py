"""What an invented company leaves behind, the hidden part included; and how its records and its truth read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.company.hazard import Company
from features.company.staff import Columns

KINDS = ("voluntary", "involuntary", "retirement", "contract_end")


@dataclass(frozen=True)
class Tracks:
    """Everybody's hidden path through the recorded months, also after a decision or an exit: (months, people) arrays.

    It is what makes potential outcomes exact: a person's luck (``draw``) stays the same whatever care does. People not
    yet there have nan. ``log_rate`` is the monthly log-hazard without care; ``fit`` (accelerated generator alone) the
    distance to the threshold without care; ``other_hit``: would be dismissed, retire or run out of contract this month.
    ``facts`` as in ``company.care``.
    """

    draw: np.ndarray
    log_rate: np.ndarray
    other_rate: np.ndarray
    other_hit: np.ndarray
    fit: np.ndarray
    facts: Columns


@dataclass(frozen=True)
class History:
    """Everything that happened, the hidden part included. ``who`` counts people; ``month`` counts recorded months."""

    company: Company
    first: np.ndarray  # first day of every recorded month, and of the one after
    people: Columns  # one entry per person ever employed
    panel: Columns  # one entry per person and recorded month on the payroll, states and terms of the hazard included
    positions: Columns  # every change of a person's place, job, pay or manager, in the order in which it was noted
    care: Columns  # care actions that were carried out
    spared: Columns  # people for whom a coin decided against care
    tracks: Tracks
    n_teams: int
    chief: int

    @property
    def until(self) -> np.datetime64:
        """The day of the export: the last day of the last month."""
        return self.first[-1] - np.timedelta64(1, "D")


def joined(parts: list[Columns]) -> Columns:
    """The months' columns one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def stacked(parts: list[Columns], n: int) -> Tracks:
    """The months' tracks as (months, n) arrays; people who came later have nan (False where true or false is meant)."""

    def padded(name: str) -> np.ndarray:
        values = parts[-1][name]
        out = np.zeros((len(parts), n), values.dtype)
        if values.dtype.kind == "f":
            out[:] = np.nan
        for month, part in enumerate(parts):
            out[month, : len(part[name])] = part[name]
        return out

    own = ("draw", "log_rate", "other_rate", "other_hit", "fit")
    draw, log_rate, other_rate, other_hit, fit = (padded(name) for name in own)
    facts = {name: padded(name) for name in parts[-1] if name not in own}
    return Tracks(draw, log_rate, other_rate, other_hit, fit, facts)
