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
from training.effect_words import Told, told

VERDICTS = ("helps", "harms", "no_effect_seen", "cannot_tell_yet", "not_identified")
FEWEST_TREATED, FEWEST_EVENTS, FEWEST_CLUSTERS = 30, 10, 8
FEWEST_TO_CHECK = 30
"""Cases behind a check before its silence counts for something."""
PUBLISHED_SIZE = 0.2
"""Share of the base risk that published care takes away in the smaller of the good studies (Friebel 2022: a fifth)."""
FEWEST_EACH_SIDE = 3
"""Clusters in either arm."""
SIZES = {
    "few_treated": {"treated": FEWEST_TREATED},
    "few_exits": {"events": FEWEST_EVENTS, "smaller": FEWEST_EVENTS // 2},
    "few_clusters": {"clusters": FEWEST_CLUSTERS},
}
"""The sizes that the words of a reason speak of."""


def why_told(key: str) -> Told:
    """Return a reason of a verdict to be said."""
    return told(f"why.{key}", **SIZES.get(key, {}))


@dataclass(frozen=True)
class Ground:
    """What a verdict is passed on. ``events``: outcomes of yes in both arms (None when the outcome is a number);
    ``clusters`` in all, ``clusters_each`` in the arm that has fewer."""

    found: Estimate
    n_treated: int
    n_controls: int
    events: int | None
    clusters: int
    clusters_each: int
    randomised: bool
    higher_is_better: bool
    overlap: Overlap
    balance: Sequence[Balance]
    hidden: Hidden
    tests: Sequence[Test]
    detectable: float


def verdict(ground: Ground) -> tuple[str, tuple[str, ...]]:
    """Return one of VERDICTS and the keys of the reasons that it rests on."""
    if not ground.randomised and any(test.flagged for test in ground.tests):
        return "not_identified", ("hidden_confounding",)
    why = _few(ground)
    if why:
        return "cannot_tell_yet", why
    if ground.randomised:
        why = ("randomised", *(("arms_differ",) if _unlike(ground) else ()))
    else:
        why = _unsettled(ground)
        if why:
            return "not_identified", why
    seen = ground.found
    if (np.isfinite(seen.low) and seen.low <= 0 <= seen.high) or not np.isfinite(seen.low):
        # Of a good thing (who stayed) it is the rest that an action could take away.
        base = 1 - seen.mean_untreated if ground.higher_is_better else seen.mean_untreated
        if ground.events is None or ground.detectable <= PUBLISHED_SIZE * base:
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
    if ground.clusters < FEWEST_CLUSTERS or ground.clusters_each < FEWEST_EACH_SIDE:
        why.append("few_clusters")
    return tuple(why)


def _unsettled(ground: Ground) -> tuple[str, ...]:
    why = []
    if not ground.overlap.enough:
        why.append("overlap")
    if _unlike(ground):
        why.append("balance")
    checked = any(np.isfinite(test.z) and test.n >= FEWEST_TO_CHECK for test in ground.tests)
    if not checked and fragile(ground):
        why.append("unchecked")
    return tuple(why)


def _unlike(ground: Ground) -> bool:
    """Whether a column differs, after weighting, by more than what is alike and more than chance explains. In a trial
    the weights only undo strata that were drawn with different chances."""
    chance = (1 / ground.n_treated + 1 / max(ground.overlap.effective_controls, 1.0)) ** 0.5
    most = max((abs(row.after) for row in ground.balance), default=0.0)
    return most > 2 * ALIKE and most > 4.5 * chance


def fragile(ground: Ground) -> bool:
    """Whether a hidden cause as strong as the strongest recorded one could bring the estimate across the line."""
    reach = float(student.ppf(0.975, max(ground.found.freedom, 1))) * ground.found.error
    away = abs(ground.found.value)
    crosses = away <= reach
    return away + ground.hidden.bias > reach if crosses else away - ground.hidden.bias <= reach
