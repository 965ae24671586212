"""What may help: the drivers that carry a person's risk → at most three care actions, each with its evidence.

Everything is counted in one unit: **expected exits avoided** among people like this one, within the horizon of the
risk::

    avoided = risk - risk after,     risk after = 1 - (1 - risk) ^ hazard ratio
    log hazard ratio = effect (posterior, models.evidence) × match + harm

``match`` says how much of the effect reaches this person: three quarters reach everybody, the rest goes with the share
of the raised risk that the action's best driver carries × how well the action fits it (1 when that is a fifth, as
usual; at most 1.5). ``harm`` is what a good intention may spoil. The hazard ratio is the mean over what is uncertain
of the effect.

Actions are chosen one by one by ``avoided × what the cost leaves``, never two of a kind; for a driver that an earlier
one answers, the next counts half. Money is no price here: how much there is of it is decided for the organisation
(``models.allocation``); the discount only lets the cheaper of two similar actions come first. An action answers what
care can change (``Card.actionable``), unless it says that it answers what nobody can change. What is expected to
prevent next to nothing, or was seen to do harm, drops out.

Not good for: deciding. A plan is a draft for a conversation between people who know more than the records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np

from features.cards import DRIVERS, Card, Driver
from models.catalog import WHO_DECIDES, CareAction, Catalog, load_catalog
from models.evidence import Effect, effects

__all__ = ["CarePlan", "Carried", "Catalog", "Option", "PlannedAction", "avoided", "carried", "load_catalog", "plan"]

MAX_ACTIONS = 3
"""More than three suggestions are none: a manager starts with one."""

MOST_OPTIONS = 12
"""So many are kept per person for the plan of the organisation."""

STANDS_OUT = 0.05
"""A driver that carries less of the raised risk than this is not worth an action."""

REACHES_ALL = 0.75
"""The share of an effect that does not ask why somebody may leave. Published effects are on everybody offered, and no
study says how much more an action does for those whose reason it answers; assumed."""

TYPICAL_MATCH, MOST_MATCH = 0.2, 1.5
"""Share of the raised risk × fit at which an effect is as large as published, and how much larger it may be. A fifth is
about the mean over people and actions that fit, as a published effect is the mean over everybody offered."""

LEAST_MATCH = 0.15
"""In one person's plan an action that answers less than this of what raises the risk is beside the point."""

COST_LEAVES = {"none": 1.0, "low": 0.97, "medium": 0.92, "high": 0.85}
HARM = {"low": 0.0, "medium": 0.005, "high": 0.02}
"""Added to the log hazard ratio: how easily a good intention does damage; assumed."""

USUAL_RISK = 0.1
"""Stands in where only the order of actions is asked for; the order does not depend on it."""

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
    "does_not_help": (
        "What would fit has been seen not to help, so nothing is suggested.",
        "与记录情况相符的行动经检验并无帮助，因此不提建议。",
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
    parts_en: tuple[str, ...] = ()
    parts_zh: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """What one action is expected to prevent for one person: exits, and the standard deviation from the effect alone.

    For allocation over many people; with the effect it would give the risk away, so it is shown to nobody.
    """

    action: str
    driver: str
    avoided: float
    sd: float


@dataclass(frozen=True)
class CarePlan:
    """At most three actions of different kinds, best first; when empty, why, in both languages.

    ``options`` holds the best that fit, for the plan of the organisation.
    """

    actions: tuple[PlannedAction, ...]
    empty_because_en: str | None = None
    empty_because_zh: str | None = None
    options: tuple[Option, ...] = ()


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


def plan(
    raised: Carried,
    facts: Mapping[str, Any],
    *,
    band: str,
    catalog: Catalog,
    believed: Mapping[str, Effect] | None = None,
    risk: float = USUAL_RISK,
) -> CarePlan:
    """Return one person's plan: the best actions that fit, no two of one kind; or none, and why.

    ``facts`` maps a column to its value, for the conditions of an action. ``believed`` is the effect of each action
    (``evidence.effects``; default: published studies alone). ``risk`` within the horizon scales the options.
    """
    if band == "cannot_judge":
        return CarePlan((), *EMPTY[band])
    believed = effects(catalog) if believed is None else believed
    # A calm person gets no plan; somebody calm whom an action keeps may still come first in the organisation's.
    fitting = [a for a in catalog.actions if band in (*a.bands, "calm") and all(c.holds(facts) for c in a.when)]
    helping = [a for a in fitting if not believed[a.id].useless]
    options = _options(helping, raised, believed, risk=risk)
    if band == "calm":
        return CarePlan((), *EMPTY[band], options)
    chosen = _chosen(helping, raised, believed)
    if not chosen:
        return CarePlan((), *EMPTY[_why_empty(fitting, helping, raised)], options)
    planned = tuple(_planned(action, driver, believed[action.id], catalog) for action, driver in chosen)
    return CarePlan(planned, options=options)


def _options(
    fitting: Sequence[CareAction], raised: Carried, believed: Mapping[str, Effect], *, risk: float
) -> tuple[Option, ...]:
    found = []
    for action in fitting:
        match, driver = _best_answer(action, raised)
        value, sd = avoided(action, match, effect=believed[action.id], risk=risk)
        if value > 0:
            found.append(Option(action.id, driver, value, sd))
    return tuple(sorted(found, key=lambda option: (-option.avoided, option.action))[:MOST_OPTIONS])


def _chosen(
    fitting: Sequence[CareAction], raised: Carried, believed: Mapping[str, Effect]
) -> list[tuple[CareAction, Driver]]:
    """Return the best action with the driver it answers, then the best of what is left, three times at most."""
    left, chosen = list(fitting), list[tuple[CareAction, Driver]]()
    while len(chosen) < MAX_ACTIONS:
        answered = frozenset(driver for _, driver in chosen)
        answers = {a.id: _answer(a, raised, believed[a.id], answered) for a in left}
        # Among equals the one that takes less of the manager's time, then the sooner, then by name: never by chance.
        best = min(left, key=lambda a: (-answers[a.id][0], a.hours_each, a.days, a.id), default=None)
        if best is None or answers[best.id][0] <= 0:
            break
        chosen.append((best, answers[best.id][1]))
        left = [a for a in left if a.kind != best.kind and a.id not in best.parts and best.id not in a.parts]
    return chosen


def _why_empty(fitting: Sequence[CareAction], helping: Sequence[CareAction], raised: Carried) -> str:
    if len(fitting) > len(helping) and any(_best_answer(action, raised)[0] > 0 for action in fitting):
        return "does_not_help"
    return "nothing_fits" if raised.changeable else "not_actionable"


def benefit(action: CareAction, raised: Carried, *, effect: Effect, answered: frozenset[Driver] = frozenset()) -> float:
    """Return the exits avoided at a usual risk, discounted by cost: what one person's actions are ranked by.

    A driver that is ``answered`` by an earlier action counts half.
    """
    return _answer(action, raised, effect, answered)[0]


def _answer(action: CareAction, raised: Carried, effect: Effect, answered: frozenset[Driver]) -> tuple[float, Driver]:
    """Return the benefit through the driver that the action answers best by now, and that driver."""
    shares = raised.answered_by(action)
    found = []
    for driver, fit in action.drivers.items():
        match = shares.get(driver, 0.0) * fit
        value = avoided(action, match, effect=effect, risk=USUAL_RISK)[0] if match >= LEAST_MATCH else 0.0
        found.append((value * (0.5 if driver in answered else 1.0) * COST_LEAVES[action.cost], match, driver))
    value, _, driver = max(found)
    return value, driver


def avoided(action: CareAction, match: float, *, effect: Effect, risk: float) -> tuple[float, float]:
    """Return the expected exits avoided by the rule at the top of this file, and the standard deviation of it.

    ``match`` is share of the raised risk × fit of the driver answered best; at 0 the action answers nothing and
    prevents nothing. Uncertainty of the effect alone: what becomes of one person is far less certain.
    """
    if match <= 0:
        return 0.0, 0.0
    reach = min(REACHES_ALL + (1 - REACHES_ALL) * match / TYPICAL_MATCH, MOST_MATCH)
    mean, sd = effect.mean, effect.sd
    # The mean of a log-normal hazard ratio: an uncertain effect is expected to prevent a little less.
    ratio = exp(reach * mean + (reach * sd) ** 2 / 2 + HARM[action.harm_level])
    stays = 1 - min(risk, 0.999)
    after = stays**ratio
    return after - stays, -after * log(stays) * ratio * reach * sd


def _best_answer(action: CareAction, raised: Carried) -> tuple[float, Driver]:
    """Return share × fit of the driver that the action answers best for this person, and that driver."""
    shares = raised.answered_by(action)
    return max(((shares.get(d, 0.0) * fit, d) for d, fit in action.drivers.items()), key=lambda answer: answer[0])


def _planned(action: CareAction, driver: Driver, effect: Effect, catalog: Catalog) -> PlannedAction:
    who = WHO_DECIDES[action.who_decides]
    parts = [catalog.action(part).title for part in action.parts]
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
        evidence={**action.evidence.to_dict(), "posterior": effect.to_dict()},
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
        parts_en=tuple(title.en for title in parts),
        parts_zh=tuple(title.zh for title in parts),
    )
