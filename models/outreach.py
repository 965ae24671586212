"""Whom to reach out to first when there is not time for all: an order drawn by chance, so that it teaches something.

A manager has an hour for three conversations and a list of eight people. Whoever is chosen by a feeling, nobody will
know later whether it helped: the chosen were different from the start. Here a coin chooses, within equals only:

    urgent    must be reached, no coin: they take their places first
    equal     the coin draws who gets the places that are left; the others are "held out", and known to be

Both are written into ``care_actions.note`` (``note_of``), with the chance that each had; ``training.effects`` reads
them there. The draw is fixed by seed and month, so that it can be repeated and nobody can try until it suits.

Not good for: holding anybody back from what is due to them. Put such people among the urgent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from features.errors import FixableError

COIN = "decided by a coin"
HELD_OUT = f"{COIN}: held out"
_CHANCE = re.compile(r"chance (0?\.\d+|1\.0+|[01])")


@dataclass(frozen=True)
class Reach:
    """One person's place: ``chosen`` to be reached now, ``by_coin`` when chance decided, with which ``chance``."""

    employee_id: str
    chosen: bool
    by_coin: bool
    chance: float


def draw_outreach(
    people: Sequence[str], *, capacity: int, on: date, seed: int, urgent: Collection[str] = ()
) -> list[Reach]:
    """Return everybody in the order in which to reach out: urgent first, then by the coin, then those held out.

    ``people`` in any order, each once; ``capacity`` places in all. The same people, day and seed give the same order
    whatever order they come in. Raises ``FixableError`` for a negative capacity or somebody who is there twice.
    """
    problems = [f"{p} is listed twice" for p in sorted({p for p in people if list(people).count(p) > 1})]
    if capacity < 0:
        problems.append(f"capacity is the number of people who can be reached, not {capacity}")
    if problems:
        raise FixableError("The order of outreach cannot be drawn.", problems)
    first = sorted(set(urgent) & set(people))
    equals = sorted((p for p in people if p not in set(first)), key=lambda p: _lot(p, on, seed))
    places = max(capacity - len(first), 0)
    # Places for all or for none leave nothing to chance, so nobody was chosen by it.
    open_ = 0 < places < len(equals)
    chance = min(places / len(equals), 1.0) if equals else 1.0
    told = [Reach(p, True, False, 1.0) for p in first]
    return told + [Reach(p, i < places, open_, round(chance, 4)) for i, p in enumerate(equals)]


def note_of(reach: Reach, *, seed: int) -> str:
    """Return the note that goes with the care action (or with the suggestion held out); empty when no coin decided."""
    if not reach.by_coin:
        return ""
    return f"{COIN if reach.chosen else HELD_OUT}; chance {reach.chance:.4f}; draw {seed}"


def held_out(note: str) -> bool:
    """Return whether a note says that the coin spared this person."""
    return note.startswith(HELD_OUT)


def chance_of(note: str) -> float:
    """Return the chance of care that a coin's note tells; NaN when it tells none.

    >>> chance_of("decided by a coin; chance 0.3750; draw 7")
    0.375
    """
    found = _CHANCE.search(note) if note.startswith(COIN) else None
    return float(found[1]) if found else float("nan")


def _lot(person: str, on: date, seed: int) -> bytes:
    """Return a person's lot of the day: without the seed nobody can foresee it, whatever the order of the list."""
    return hashlib.sha256(f"{seed}|{on.isoformat()}|{person}".encode()).digest()
