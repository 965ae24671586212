"""What may be said of an action: helps, harms, no effect seen, cannot tell yet, or not identified; and why.

The order matters: a check that shows something hidden ends the matter for every action; then too few cases, before
anything is read into them; then what the records cannot settle, however many there are; only then the sign. "No effect
seen" is said only where an effect of published size would have been found; otherwise silence is no evidence and the
answer is "cannot tell yet".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from training.effect_checks import ALIKE, Balance, Hidden, Overlap, Test
from training.effect_estimate import Estimate

VERDICTS = {
    "helps": "helps",
    "harms": "harms",
    "no_effect_seen": "no effect seen",
    "cannot_tell_yet": "cannot tell yet",
    "not_identified": "not identified: these records cannot tell the action from who was given it",
}
FEWEST_TREATED, FEWEST_EVENTS, FEWEST_CLUSTERS = 30, 10, 8
FEWEST_TO_CHECK = 30
"""Cases behind a check before its silence counts for something."""
PUBLISHED_SIZE = 0.2
"""Share of the base risk that published care takes away in the smaller of the good studies (Friebel 2022: a fifth)."""

WHY = {
    "few_treated": f"fewer than {FEWEST_TREATED} were given it, or as few were not",
    "few_exits": f"fewer than {FEWEST_EVENTS} outcomes in all, or {FEWEST_EVENTS // 2} to expect in the smaller arm",
    "few_clusters": f"fewer than {FEWEST_CLUSTERS} teams: an interval over so few cannot be trusted",
    "overlap": "many of those given it have no counterpart among the others",
    "balance": "the arms stay unlike each other after weighting",
    "hidden_confounding": "a check that must show nothing shows something: records do not explain who was given it",
    "unchecked": "nothing here can show whether something unrecorded decided, and something as strong as the "
    "strongest recorded column would change the answer",
    "too_small_to_see": "an effect of published size would not be found with so few cases",
    "randomised": "chance decided who was given it",
    "from_randomised": "from the cases alone in which chance decided",
    "moved_apart_before": "those that started were moving away from the others before anything began",
    "arms_differ": "the randomised arms differ in a baseline more than chance explains: check the draw",
}


@dataclass(frozen=True)
class Ground:
    """What a verdict is passed on. ``events``: outcomes of yes in both arms (None when the outcome is a number)."""

    found: Estimate
    n_treated: int
    n_controls: int
    events: int | None
    clusters: int
    randomised: bool
    higher_is_better: bool
    overlap: Overlap
    balance: Sequence[Balance]
    hidden: Hidden
    tests: Sequence[Test]
    detectable: float


def verdict(ground: Ground) -> tuple[str, tuple[str, ...]]:
    """Return one of VERDICTS and the keys of WHY that it rests on."""
    if not ground.randomised and any(test.flagged for test in ground.tests):
        return "not_identified", ("hidden_confounding",)
    why = _few(ground)
    if why:
        return "cannot_tell_yet", why
    if ground.randomised:
        why = ("randomised", *(("arms_differ",) if _unlike(ground, "before") else ()))
    else:
        why = _unsettled(ground)
        if why:
            return "not_identified", why
    seen = ground.found
    if (np.isfinite(seen.low) and seen.low <= 0 <= seen.high) or not np.isfinite(seen.low):
        if ground.events is None or ground.detectable <= PUBLISHED_SIZE * seen.mean_untreated:
            return "no_effect_seen", why
        return "cannot_tell_yet", (*why, "too_small_to_see")
    good = (seen.value > 0) == ground.higher_is_better
    return ("helps" if good else "harms"), why


def _few(ground: Ground) -> tuple[str, ...]:
    why = []
    if min(ground.n_treated, ground.n_controls) < FEWEST_TREATED:
        why.append("few_treated")
    if ground.events is not None:
        # Outcomes to be expected on the smaller side: an arm of 60 in which nobody left may be luck.
        smaller = min(ground.n_treated, ground.n_controls) / (ground.n_treated + ground.n_controls)
        if ground.events < FEWEST_EVENTS or smaller * ground.events < FEWEST_EVENTS / 2:
            why.append("few_exits")
    if ground.clusters < FEWEST_CLUSTERS:
        why.append("few_clusters")
    return tuple(why)


def _unsettled(ground: Ground) -> tuple[str, ...]:
    why = []
    if not ground.overlap.enough:
        why.append("overlap")
    if _unlike(ground, "after"):
        why.append("balance")
    checked = any(np.isfinite(test.z) and test.n >= FEWEST_TO_CHECK for test in ground.tests)
    if not checked and fragile(ground):
        why.append("unchecked")
    return tuple(why)


def _unlike(ground: Ground, when: str) -> bool:
    """Whether a column differs by more than what is alike and more than chance explains."""
    n0 = max(ground.overlap.effective_controls, 1.0) if when == "after" else ground.n_controls
    chance = (1 / ground.n_treated + 1 / n0) ** 0.5
    most = max((abs(getattr(row, when)) for row in ground.balance), default=0.0)
    return most > 2 * ALIKE and most > 4.5 * chance


def fragile(ground: Ground) -> bool:
    """Whether a hidden cause as strong as the strongest recorded one could bring the estimate across the line."""
    reach = float(student.ppf(0.975, max(ground.found.freedom, 1))) * ground.found.error
    away = abs(ground.found.value)
    crosses = away <= reach
    return away + ground.hidden.bias > reach if crosses else away - ground.hidden.bias <= reach
