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
from functools import reduce
from typing import Any

import numpy as np

from features.cards import DRIVERS, Card, Driver
from models.catalog import WHO_DECIDES, CareAction, Catalog, Words, load_catalog
from models.evidence import Effect, effects
from models.grouped import add_rows
from models.known import Known
from models.own_effects import OwnEffects
from models.record import MAX_ACTIONS
from models.ways import BANDS, USUAL_RISK, Shares, Ways

__all__ = ["MAX_ACTIONS", "CarePlan", "Carried", "Catalog", "Option", "PlannedAction", "Shares"]
__all__ += ["benefit", "carried", "load_catalog", "picked", "plan", "plans", "shares_of", "ways_of"]

STANDS_OUT = 0.05
"""A driver that carries less of the raised risk than this is not worth an action."""

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

WHY = {name: place for place, name in enumerate(EMPTY, start=1)}


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


@dataclass(frozen=True, slots=True)
class Option:
    """What one action is expected to prevent for one person: exits, and the standard deviation from the effect alone.

    For allocation over many people; with the effect it would give the risk away, so it is shown to nobody.
    """

    action: str
    driver: str
    avoided: float
    sd: float


@dataclass(frozen=True, slots=True)
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
    """Return one ``Carried`` per row of ``contributions``; by the rule of ``shares_of``."""
    shares = shares_of(contributions, Carriers.of(cards))
    return [Carried(*pair) for pair in zip(_by_driver(shares.whole.T), _by_driver(shares.changeable.T), strict=True)]


@dataclass(frozen=True)
class Carriers:
    """Columns and their drivers (places in ``DRIVERS``), in the order in which they are added up: every column, and
    those that can be changed."""

    every: np.ndarray
    whose: np.ndarray
    changeable: np.ndarray
    whose_changeable: np.ndarray

    @classmethod
    def of(cls, cards: Sequence[Card]) -> Carriers:
        """Return the carriers of the columns with these cards."""
        driver = np.array([DRIVERS.index(card.driver) for card in cards], dtype=np.intp)
        can = np.flatnonzero([card.actionable for card in cards])
        return cls(np.arange(len(cards)), driver, can, driver[can])


def shares_of(contributions: np.ndarray, carriers: Carriers) -> Shares:
    """Return what each driver carries of the raised risk, by row of ``contributions`` (n, p), in log-odds.

    Only drivers that raise the risk on balance count; their whole shares together are 1.
    """
    total, reachable = (np.zeros((len(DRIVERS), len(contributions))) for _ in range(2))
    add_rows(total, contributions.T, carriers.every, carriers.whose)
    add_rows(reachable, contributions.T, carriers.changeable, carriers.whose_changeable, above_zero=True)
    total = np.maximum(total, 0.0)
    raised = reduce(np.add, total)  # one after the other: ``sum`` adds one person up in another order than many
    raised[raised == 0] = 1.0
    return Shares(_standing_out(total / raised), _standing_out(np.minimum(reachable, total) / raised))


def _standing_out(shares: np.ndarray) -> np.ndarray:
    return np.where(shares >= STANDS_OUT, shares, 0.0)


def _by_driver(shares: np.ndarray) -> list[dict[Driver, float]]:
    return [{d: s for d, s in zip(DRIVERS, row, strict=True) if s > 0} for row in shares.tolist()]


def ways_of(catalog: Catalog, own: OwnEffects | None = None) -> Ways:
    """Return the catalog with what is believed of its actions, worked out once for each catalog and ``own``."""
    known = catalog.kept.get("ways")
    if known is None or known[0] is not own:
        known = catalog.kept["ways"] = (own, Ways.of(catalog, effects(catalog, own)))
    ways: Ways = known[1]
    return ways


def plan(
    raised: Carried,
    facts: Mapping[str, Any],
    *,
    band: str,
    catalog: Catalog,
    believed: Mapping[str, Effect] | None = None,
    risk: float = USUAL_RISK,
) -> CarePlan:
    """Return one person's plan, as ``plans`` would among many.

    ``facts`` maps a column to its value, for the conditions of an action. ``believed`` is the effect of each action
    (``evidence.effects``; default: published studies alone). ``risk`` within the horizon scales the options.
    """
    ways = ways_of(catalog) if believed is None else Ways.of(catalog, believed)
    known = Known.of_people([facts], sorted(facts))
    return plans(_shares([raised]), known, bands=[band], ways=ways, risk=np.array([risk]))[0]


def _shares(raised: Sequence[Carried]) -> Shares:
    both = [[[carried.get(d, 0.0) for d in DRIVERS] for carried in (one.whole, one.changeable)] for one in raised]
    whole, changeable = np.array(both, dtype=float).transpose(1, 2, 0)
    return Shares(whole, changeable)


@dataclass(frozen=True)
class Picked:
    """The plans of n people as codes, arrays (k, n): places of actions and of drivers plus one, 0 for none.

    ``options`` are those for the organisation's plan, with what each prevents and the deviation of it; ``why`` (n,) is
    the place in ``EMPTY`` plus one of why a plan is empty.
    """

    actions: np.ndarray
    through: np.ndarray
    why: np.ndarray
    options: np.ndarray
    option_drivers: np.ndarray
    avoided: np.ndarray
    sd: np.ndarray


def picked(shares: Shares, facts: Known, *, bands: np.ndarray, ways: Ways, risk: np.ndarray) -> Picked:
    """Return each person's plan: the best actions that fit, no two of one kind; or none, and why.

    ``facts`` holds what may be told of them, for the conditions of an action; ``bands`` (n,) are places in
    ``ways.BANDS``, -1 for whom nobody can judge; ``risk`` (n,) within the horizon scales the options. A calm person
    gets no plan; somebody calm whom an action keeps may still come first in the organisation's, so the options are
    there.
    """
    n, judged = len(bands), bands >= 0
    nothing = np.zeros((MAX_ACTIONS, n), dtype=np.int64)
    if not ways.actions or not judged.any():
        why = np.where(judged, WHY["nothing_fits"], WHY["cannot_judge"])
        none = np.zeros((0, n))
        return Picked(nothing, nothing, why, none.astype(np.int64), none.astype(np.int64), none, none)
    fits, match = ways.rules.hold(facts) & ways.in_band[bands].T & judged, ways.match(shares)
    helps = fits & ways.helps[:, None]
    options, option_drivers, avoided, sd = ways.options(match, helps, risk)
    chosen, through, _ = ways.chosen(match, helps & (bands > 0))
    useless = np.zeros(n, dtype=bool)
    if not ways.helps.all():
        useless = (fits & ~ways.helps[:, None]).any(axis=0) & (fits & (ways.best(match) > 0)).any(axis=0)
    can = shares.changeable.any(axis=0)
    why = np.where(useless, WHY["does_not_help"], np.where(can, WHY["nothing_fits"], WHY["not_actionable"]))
    why = np.where(judged, np.where(bands == 0, WHY["calm"], why), WHY["cannot_judge"])
    return Picked(chosen + 1, through + 1, why, options + 1, option_drivers + 1, avoided, sd)


def plans(shares: Shares, facts: Known, *, bands: Sequence[str], ways: Ways, risk: np.ndarray) -> list[CarePlan]:
    """Return the plans by ``picked`` of people in these bands, one by one."""
    places = np.array([BANDS.index(band) if band in BANDS else -1 if band == "cannot_judge" else 0 for band in bands])
    found = picked(shares, facts, bands=places, ways=ways, risk=risk)
    names, empty = [one.id for one in ways.actions], list(EMPTY.values())
    told = []
    for i, why in enumerate(found.why.tolist()):
        mine = zip(found.actions[:, i].tolist(), found.through[:, i].tolist(), strict=True)
        planned = tuple(made(ways, a - 1, d - 1) for a, d in mine if a)
        columns = (found.options, found.option_drivers, found.avoided, found.sd)
        offered = zip(*(column[:, i].tolist() for column in columns), strict=True)
        options = tuple(Option(names[a - 1], DRIVERS[d - 1], v, s) for a, d, v, s in offered if a)
        en, zh = (None, None) if planned else empty[why - 1]
        told.append(CarePlan(planned, en, zh, options))
    return told


def made(ways: Ways, action: int, driver: int) -> PlannedAction:
    """Return the suggestion, made once: nothing in it is about one person."""
    found: PlannedAction | None = ways.made.get((action, driver))
    if found is None:
        titles = {one.id: one.title for one in ways.actions}
        new = _planned(ways.actions[action], DRIVERS[driver], ways.effects[action], titles)
        found = ways.made[action, driver] = new
    return found


def benefit(action: CareAction, raised: Carried, *, effect: Effect, answered: frozenset[Driver] = frozenset()) -> float:
    """Return the exits avoided at a usual risk, discounted by cost: what one person's actions are ranked by.

    A driver that is ``answered`` by an earlier action counts half.
    """
    ways = Ways.of(Catalog((action,)), {action.id: effect})
    value = ways.worth(ways.match(_shares([raised])))[:, 0] * ways.leaves[ways.action]
    return float(max(value * [0.5 if DRIVERS[d] in answered else 1.0 for d in ways.driver]))


def _planned(action: CareAction, driver: Driver, effect: Effect, titles: Mapping[str, Words]) -> PlannedAction:
    who = WHO_DECIDES[action.who_decides]
    parts = [titles[part] for part in action.parts]
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
