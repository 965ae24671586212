"""Care in the invented company: what each action truly does, and who is given it.

Effects are hazard ratios on people who have not decided to leave; afterwards care has none. Sizes are published ones
where there is an experiment, else said so. Good for testing whether effects can be learned back from records; not
evidence that any action works.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.company.regimes import CareRule

Facts = dict[str, np.ndarray]
"""What an effect depends on, one entry per person: leads, female, long_commute, below_market, disappointed (bool) and
tenure (full months)."""

EARLY_TENURE_MONTHS = 6
RAISE = 0.08
"""The size of a raise; paid as an allowance, so that the pay in the records stays what it was."""


@dataclass(frozen=True)
class Action:
    """A hazard ratio for so many months; ``fades``: its logarithm goes to 0 in a straight line."""

    ratio: float
    months: int
    fades: bool = False


ACTIONS: dict[str, Action] = {
    "stay_conversation": Action(0.90, 6),  # no controlled evidence; a cautious prior
    "manager_attention": Action(0.78, 9, fades=True),  # Friebel 2022, "do what you can": -20 to -25 %, nine months
    "flexible_hours": Action(0.67, 12),  # Bloom 2024: -33 %, none for managers
    "assigned_mentor": Action(0.85, 12),  # Sandvik: assigned mentors help
    "specific_thanks": Action(1.00, 6),  # no causal evidence found: a placebo, on purpose
    "hybrid_work": Action(0.67, 12),  # Bloom 2024: .50 for women and long commutes, none for managers
    "pay_review": Action((1 + RAISE) ** -3, 12),  # separation elasticity -3, for those below the market alone
    "voice_and_follow_up": Action(0.80, 6),  # Adhvaryu 2022: .60 among the disappointed
    "onboarding_checkin": Action(0.75, 6),  # Cable, Gino & Staats 2013 (treat with care); for the newly hired alone
    "chosen_mentor": Action(1.00, 12),  # Sandvik: those who chose a mentor themselves stayed no longer
    "activity_monitoring": Action(1.15, 12),  # a harm, assumed: no action of the catalog
}
IDS = tuple(ACTIONS)
_RATIO = np.log([action.ratio for action in ACTIONS.values()])
_MONTHS = np.array([action.months for action in ACTIONS.values()])
_FADES = np.array([action.fades for action in ACTIONS.values()])


def care_term(action: np.ndarray, months_since: np.ndarray, facts: Facts) -> np.ndarray:
    """The log hazard ratio of the last action carried out; ``action`` counts in the order of ACTIONS, -1 for none."""
    log_ratio = _RATIO[action] * np.ones(len(facts["leads"]))
    for name in ("flexible_hours", "hybrid_work"):
        log_ratio = np.where((action == IDS.index(name)) & facts["leads"], 0.0, log_ratio)
    glad = facts["female"] | facts["long_commute"]
    log_ratio = np.where((action == IDS.index("hybrid_work")) & glad & ~facts["leads"], np.log(0.50), log_ratio)
    log_ratio = np.where((action == IDS.index("pay_review")) & ~facts["below_market"], 0.0, log_ratio)
    unheard = (action == IDS.index("voice_and_follow_up")) & facts["disappointed"]
    log_ratio = np.where(unheard, np.log(0.60), log_ratio)
    settled = facts["tenure"] - months_since >= EARLY_TENURE_MONTHS
    log_ratio = np.where((action == IDS.index("onboarding_checkin")) & settled, 0.0, log_ratio)
    course = np.where(_FADES[action], 1 - months_since / _MONTHS[action], 1.0)
    return np.where((action >= 0) & (months_since < _MONTHS[action]), log_ratio * course, 0.0)


def effects_now(facts: Facts) -> np.ndarray:
    """(n, actions): the log hazard ratio of each action in the month in which it begins."""
    n = len(facts["leads"])
    return np.stack([care_term(np.full(n, a), np.zeros(n, int), facts) for a in range(len(ACTIONS))], axis=1)


@dataclass(frozen=True)
class Seen:
    """What those who give care go by, one entry per person. ``free``: may be given care this month."""

    free: np.ndarray
    looks: np.ndarray  # risk as they see it, about SD 1
    performance: np.ndarray
    manager_quality: np.ndarray
    frailty: np.ndarray
    manager: np.ndarray
    team: np.ndarray


def chances(rule: CareRule, seen: Seen) -> np.ndarray:
    """The monthly chance of each person to be given care.

    Assumed: logit = -4.3 + .9 observed risk + .35 performance + .5 manager quality + g × frailty.
    """
    if rule.assignment == "random":
        return np.full(len(seen.free), 1 / (1 + np.exp(-rule.level)))
    logit = rule.level + (-0.9 if rule.anti_targeting else 0.9) * seen.looks
    if rule.assignment == "proxy":
        logit = logit + 0.35 * seen.performance + 0.5 * seen.manager_quality
    if rule.assignment == "hidden":
        logit = logit + rule.hidden * seen.frailty
    return 1 / (1 + np.exp(-logit))


@dataclass(frozen=True)
class Given:
    """Care that begins this month: who, which action, and whether a coin decided. ``spared`` lost the coin's toss."""

    who: np.ndarray
    action: np.ndarray
    by_coin: np.ndarray
    spared: np.ndarray


@dataclass(frozen=True)
class Dice:
    """Two generators, so that bands and bad aim leave the draws of the plain rule as they were."""

    plain: np.random.Generator
    more: np.random.Generator


def assign(rule: CareRule, seen: Seen, facts: Facts, *, month: int, dice: Dice) -> Given:
    """Who is given what this month, under a rule with capacity, a randomised band, a roll-out or bad aim.

    ``month`` counts from the first one recorded; before it nothing is rolled out.
    In the band a coin decides: those asked in come at three times the usual rate, half of them are given care and half
    are spared. Anti-targeting picks for each person the action that helps least; else any action of the rule.
    """
    n, chance = len(seen.free), chances(rule, seen)
    wanted = seen.free & (dice.plain.random(n) < chance)
    asked, heads, band = _toss(rule, seen.free, chance, dice.more)
    wanted = np.where(band, asked & heads, wanted)
    if rule.capacity is not None:
        wanted = _within_capacity(wanted, seen, chance, rule.capacity)
    reached = np.zeros(n, bool) if rule.rollout is None else seen.free & (rollout_month(seen.team) == month)
    who = np.flatnonzero(wanted | reached)
    menu = np.array([IDS.index(action) for action in rule.actions])
    action = menu[dice.plain.integers(0, len(menu), len(who))]
    if rule.anti_targeting and len(who):
        least = effects_now(facts)[np.ix_(who, menu)] + 1e-6 * dice.more.random((len(who), len(menu)))
        action = menu[np.argmax(least, axis=1)]
    if rule.rollout is not None:
        action = np.where(reached[who], IDS.index(rule.rollout), action)
    return Given(who, action, (band & ~reached)[who], np.flatnonzero(asked & ~heads & ~reached))


def _toss(
    rule: CareRule, free: np.ndarray, chance: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who is asked into the randomised band, whose coin shows heads, and who is in the band at all."""
    n = len(free)
    if rule.randomised == 0 or not free.any():
        return (np.zeros(n, bool),) * 3
    band = free & (rng.random(n) < rule.randomised)
    asked = band & (rng.random(n) < min(6 * float(chance[free].mean()), 1.0))
    return asked, rng.random(n) < 0.5, band


NO_TURN = -99_999


def rollout_month(team: np.ndarray) -> np.ndarray:
    """The recorded month in which each team's turn comes: from the 6th on an eighth each half year, or ``NO_TURN``."""
    cohort = (team * 7919) % 8
    return np.where(cohort == 7, NO_TURN, 6 + 6 * cohort)


def _within_capacity(wanted: np.ndarray, seen: Seen, chance: np.ndarray, capacity: int) -> np.ndarray:
    """The first ``capacity`` of each manager, those with the highest chance first."""
    who = np.flatnonzero(wanted)
    order = who[np.lexsort((-chance[who], seen.manager[who]))]
    boss = seen.manager[order]
    first = np.searchsorted(boss, boss, side="left")
    kept = np.zeros(len(wanted), bool)
    kept[order[np.arange(len(boss)) - first < capacity]] = True
    return kept
