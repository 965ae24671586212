"""What may help: the drivers that carry a person's risk → at most three care actions, each with its evidence.

How actions are ranked (every number is a constant of this file)::

    benefit = (share of the raised risk × fit, of the driver answered best) × worth × what cost and possible harm leave

The actions are chosen one by one, never two of a kind; a driver that an earlier one answers counts half from then on.
An action answers what care can change (``Card.actionable``), unless it says that it answers what nobody can change.

``worth`` of an action with a study is trust in that kind of study × -log(hazard ratio), the hazard ratio taken halfway
(geometric mean) between the published one and .88, the cautious guess for any care action: what worked elsewhere is one
draw of what may work here. An action without a study counts as .93. That is less than any proven action of the shipped
catalog is worth after the dearest cost and the largest harm: at the same share and fit the proven one always comes
first, and an unproven one wins only by fitting better or by answering what carries more of the risk. A study that found
no effect, or harm, counts for nothing.

Not good for: deciding. A plan is a draft for a conversation between people who know more than the records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from features.cards import DRIVERS, Card, Driver
from models.catalog import WHO_DECIDES, CareAction, Catalog, load_catalog

__all__ = ["CarePlan", "Carried", "Catalog", "PlannedAction", "carried", "load_catalog", "plan"]

MAX_ACTIONS = 3
"""More than three suggestions are none: a manager starts with one."""

STANDS_OUT = 0.05
"""A driver that carries less of the raised risk than this is not worth an action."""

TRUST = {"rct": 1.0, "quasi_experiment": 0.9, "observational": 0.6, "practice": 0.0}
PRIOR_HR = 0.88
UNPROVEN_WORTH = -log(0.93)
COST_LEAVES = {"none": 1.0, "low": 0.97, "medium": 0.92, "high": 0.85}
HARM_LEAVES = {"low": 1.0, "medium": 0.95, "high": 0.85}

EMPTY = {
    "calm": (
        "The risk is calm: nothing beyond good everyday leadership is suggested.",
        "风险处于平稳档：除日常用心带人之外，不建议额外行动。",
    ),
    "cannot_judge": (
        "Too little is known to judge, so nothing is suggested.",
        "已知信息太少，无法判断，因此不提建议。",
    ),
    "not_actionable": (
        "What goes with the higher risk here, for instance tenure or season, is nothing that a care action can change.",
        "与较高风险相伴的因素（例如司龄或季节）不是关怀行动能够改变的。",
    ),
    "nothing_fits": (
        "There are points that could be acted on, but no action in the catalog fits what is recorded of this person.",
        "有可以着手的方面，但目录中没有与此人记录情况相符的行动。",
    ),
}
"""Why a plan is empty, in English and Chinese."""


@dataclass(frozen=True)
class PlannedAction:
    """A draft for a conversation, never an order: nothing happens until a named person agrees.

    ``who_decides`` and ``cost`` are short codes (``manager``, ``hr``, …; ``none``, ``low``, ``medium``, ``high``), told
    in words by the fields of the same name with ``_en`` and ``_zh``. ``days`` is the time until the first step.
    ``evidence`` holds kind, effect_hr, low, high, source, note_en, note_zh, text_en, text_zh.
    """

    action: str
    driver: str
    title_en: str
    title_zh: str
    why_en: str
    why_zh: str
    first_step_en: str
    first_step_zh: str
    who_decides: str
    cost: str
    days: int
    evidence: dict[str, Any]
    watch_en: str
    watch_zh: str
    harm_en: str
    harm_zh: str
    who_decides_en: str = ""
    who_decides_zh: str = ""
    cost_en: str = ""
    cost_zh: str = ""
    manager_hours: float = 0.0
    guide_en: tuple[str, ...] = ()
    guide_zh: tuple[str, ...] = ()


@dataclass(frozen=True)
class CarePlan:
    """At most three actions of different kinds, best first; when empty, why, in both languages."""

    actions: tuple[PlannedAction, ...]
    empty_because_en: str | None = None
    empty_because_zh: str | None = None


@dataclass(frozen=True)
class Carried:
    """Which share of one person's raised risk each driver carries; drivers that do not stand out are left out.

    ``whole`` counts every column of the driver, ``changeable`` only what its actionable columns add.
    """

    whole: dict[Driver, float]
    changeable: dict[Driver, float]

    def answered_by(self, action: CareAction) -> dict[Driver, float]:
        """Return the shares that this action can answer."""
        return self.whole if action.answers_unchangeable else self.changeable

    def half_answered(self, driver: Driver) -> Carried:
        """Return the shares with half of one driver's left: what one action does not reach, the next may."""
        return Carried(*({d: s / 2 if d == driver else s for d, s in x.items()} for x in (self.whole, self.changeable)))


def carried(contributions: np.ndarray, cards: Sequence[Card]) -> list[Carried]:
    """Return one ``Carried`` per row of ``contributions`` (n, p, log-odds in the order of ``cards``).

    Only drivers that raise the risk on balance count; their whole shares together are 1.
    """
    of_driver = np.array([[card.driver == d for d in DRIVERS] for card in cards], dtype=float)
    total = np.maximum(contributions @ of_driver, 0.0)
    actionable = np.array([card.actionable for card in cards], dtype=float)
    reachable = np.minimum(np.maximum(contributions, 0.0) * actionable @ of_driver, total)
    raised = total.sum(axis=1, keepdims=True)
    raised[raised == 0] = 1.0
    return [
        Carried(*pair) for pair in zip(_standing_out(total / raised), _standing_out(reachable / raised), strict=True)
    ]


def _standing_out(shares: np.ndarray) -> list[dict[Driver, float]]:
    return [{d: s for d, s in zip(DRIVERS, row, strict=True) if s >= STANDS_OUT} for row in shares.tolist()]


def plan(raised: Carried, facts: Mapping[str, Any], *, band: str, catalog: Catalog) -> CarePlan:
    """Return one person's plan: the best actions that fit, no two of one kind; or none, and why.

    ``facts`` maps a column to its value, for the conditions of an action.
    """
    if band in ("calm", "cannot_judge"):
        return CarePlan((), *EMPTY[band])
    fitting = [a for a in catalog.actions if band in a.bands and all(c.holds(facts) for c in a.when)]
    chosen: list[tuple[CareAction, Driver]] = []
    while len(chosen) < MAX_ACTIONS:
        # Among equals the one that takes less of the manager's time, then the sooner, then by name: never by chance.
        best = min(fitting, key=lambda a: (-benefit(a, raised), a.manager_hours, a.days, a.id), default=None)
        if best is None or benefit(best, raised) <= 0:
            break
        _, answered = _best_answer(best, raised)
        chosen.append((best, answered))
        raised = raised.half_answered(answered)
        fitting = [a for a in fitting if a.kind != best.kind]
    if not chosen:
        return CarePlan((), *EMPTY["nothing_fits" if raised.changeable else "not_actionable"])
    return CarePlan(tuple(_planned(action, driver) for action, driver in chosen))


def benefit(action: CareAction, raised: Carried) -> float:
    """Return the expected benefit by the rule at the top of this file; a unit for ranking, never shown."""
    match, _ = _best_answer(action, raised)
    return match * worth(action) * COST_LEAVES[action.cost] * HARM_LEAVES[action.harm_level]


def _best_answer(action: CareAction, raised: Carried) -> tuple[float, Driver]:
    """Return share × fit of the driver that the action answers best for this person, and that driver."""
    shares = raised.answered_by(action)
    return max(((shares.get(d, 0.0) * fit, d) for d, fit in action.drivers.items()), key=lambda answer: answer[0])


def worth(action: CareAction) -> float:
    """Return what the evidence says the action is worth, before cost and harm, as a discounted -log hazard ratio."""
    published = action.evidence.effect_hr
    if published is None:
        return UNPROVEN_WORTH
    return TRUST[action.evidence.kind] * -log(published * PRIOR_HR) / 2 if published < 1 else 0.0


def _planned(action: CareAction, driver: Driver) -> PlannedAction:
    who = WHO_DECIDES[action.who_decides]
    return PlannedAction(
        action=action.id,
        driver=driver,
        title_en=action.title.en,
        title_zh=action.title.zh,
        why_en=action.why.en,
        why_zh=action.why.zh,
        first_step_en=action.first_step.en,
        first_step_zh=action.first_step.zh,
        who_decides=action.who_decides,
        cost=action.cost,
        days=action.days,
        evidence=action.evidence.to_dict(),
        watch_en=action.watch.en,
        watch_zh=action.watch.zh,
        harm_en=action.harm.en,
        harm_zh=action.harm.zh,
        who_decides_en=who.en,
        who_decides_zh=who.zh,
        cost_en=action.money.en,
        cost_zh=action.money.zh,
        manager_hours=action.manager_hours,
        guide_en=action.guide_en,
        guide_zh=action.guide_zh,
    )
