"""Who is offered what in an organisation: most expected exits avoided within money, managers' hours and fairness.

    maximise    the sum of expected exits avoided, cautiously counted (models.care: risk × effect × how well it answers)
    subject to  money ≤ budget                        all together
                hours ≤ hours of a manager            each manager
                people per action ≤ its capacity
                at most one action of a kind, and at most ``most_each`` actions, per person
                care of a group ≥ (1 - slack) × its share of the need - 1 person      each group given

Solved by integer programming (HiGHS through ``scipy.optimize.milp``); a large organisation by its managers
(``allocation_blocks``). Whoever can be persuaded comes before whoever is merely at risk, because what counts is what an
action changes. Benefits of several actions for one person are added as if each worked alone, which is a little too
much; one each is the default.

Not good for: ranking people. Nobody's place in a plan says how likely they are to leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from features.errors import FixableError
from models import allocation_blocks
from models.allocation_blocks import NODES, Blocks
from models.evidence import CAUTION, TOGETHER

QUARTERS = 4
"""Hours are counted in quarters, rounded up."""

DIRECT, ENOUGH = 2_000, 2e-4
"""Up to so many offers the whole program goes to HiGHS at once, when the plan by managers is not within this share."""

MORE_MONEY = 10_000.0
FAIR_SLACK = 0.2
TIE = 1e-6
"""What an hour or a little money counts beside a typical benefit: it decides between equals only."""

Z_80 = 1.2816


@dataclass(frozen=True)
class Offers:
    """Everything that could be offered, one entry per person and action that fits, ordered by person, then action.

    ``person`` and ``action`` count from 0; ``value`` is expected exits avoided, ``sd`` its standard deviation from the
    effect of the action, which all who get that action share; ``money`` and manager ``hours`` are per person.
    """

    person: np.ndarray
    action: np.ndarray
    value: np.ndarray
    sd: np.ndarray
    money: np.ndarray
    hours: np.ndarray

    def __len__(self) -> int:
        """Return the number of offers."""
        return len(self.person)

    @property
    def cautious(self) -> np.ndarray:
        """Expected exits avoided less what caution takes off for uncertainty: what a plan maximises."""
        return np.asarray(self.value - CAUTION * self.sd)


@dataclass(frozen=True)
class Circle:
    """The people of a plan: the ``manager`` of each (from 0), their ``need`` (risk), and the groups that must get their
    share of care: a name to one group number per person. Never a protected attribute."""

    manager: np.ndarray
    need: np.ndarray
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What there is. ``kind`` and ``capacity`` have one entry per action (capacity inf: no limit); ``manager_hours`` is
    per manager in one round; ``most_each`` actions per person."""

    budget: float
    manager_hours: float
    kind: np.ndarray
    capacity: np.ndarray
    most_each: int = 1
    fair_slack: float = FAIR_SLACK

    def __post_init__(self) -> None:
        """Refuse limits that make no sense."""
        problems = []
        for name in ("budget", "manager_hours"):
            if not getattr(self, name) >= 0:
                problems.append(f"{name}: 0 or more, got {getattr(self, name)}")
        if self.most_each < 1:
            problems.append(f"most_each: at least 1, got {self.most_each}")
        if not 0 <= self.fair_slack <= 1:
            problems.append(f"fair_slack: from 0 to 1, got {self.fair_slack}")
        if problems:
            raise FixableError("These limits of a plan make no sense.", problems)


@dataclass(frozen=True)
class Allocation:
    """What is offered: ``chosen`` are positions in the offers. ``value`` exits are avoided, cautiously counted; no plan
    could avoid more than ``bound``. ``more_money`` and ``more_hour`` are what 10,000 more, and one more hour of one
    manager, would add."""

    chosen: np.ndarray
    value: float
    bound: float
    more_money: float
    more_hour: float

    @property
    def gap(self) -> float:
        """How far the plan may be from the best one, as a share of it."""
        return max(self.bound - self.value, 0.0) / self.bound if self.bound > 0 else 0.0


def allocate(offers: Offers, circle: Circle, limits: Limits) -> Allocation:
    """Return the best plan, or one whose distance from it is told. The same input gives the same plan."""
    offers, kept = _useful(offers, limits)
    if not len(offers):
        return Allocation(kept, 0.0, 0.0, 0.0, 0.0)
    found = Allocation(*allocation_blocks.solve(_blocks(offers, circle, limits), more_budget=MORE_MONEY))
    if len(offers) <= DIRECT:
        found = _directly(offers, circle, limits, found)
    value = float(offers.cautious[found.chosen].sum())
    # What decides between equals has taken a trace from every offer; the bound gets it back.
    bound = found.bound + 3 * TIE * float(offers.cautious.mean()) * limits.most_each * len(np.unique(offers.person))
    return replace(found, chosen=np.sort(kept[found.chosen]), value=value, bound=max(bound, value))


def interval(offers: Offers, chosen: np.ndarray) -> tuple[float, float, float]:
    """Return the expected exits avoided by these offers with the range that holds in about four of five cases.

    An effect is shared by all who get the action, so its error does not average out over people; and all actions may
    work better or worse here than elsewhere together. The luck of single people is not in the range.
    """
    value = float(offers.value[chosen].sum())
    of_action = np.bincount(offers.action[chosen], offers.sd[chosen])
    alone, together = float((of_action**2).sum()), float(of_action.sum()) ** 2
    half = Z_80 * sqrt((1 - TOGETHER) * alone + TOGETHER * together)
    return value, value - half, value + half


def _useful(offers: Offers, limits: Limits) -> tuple[Offers, np.ndarray]:
    """Return the offers that could be part of a plan, those that help and fit alone, and where they stood."""
    fits = (offers.cautious > 0) & (offers.money <= limits.budget) & (limits.capacity[offers.action] > 0)
    fits &= _quarters(offers.hours) <= _quarters(limits.manager_hours, up=False)
    kept = np.flatnonzero(fits)
    return Offers(**{name: getattr(offers, name)[kept] for name in Offers.__dataclass_fields__}), kept


def _quarters(hours: Any, *, up: bool = True) -> np.ndarray:
    counted = np.asarray(hours, float) * QUARTERS
    return (np.ceil(counted - 1e-9) if up else np.floor(np.minimum(counted, 1e6) + 1e-9)).astype(np.int64)


def _worth(offers: Offers) -> np.ndarray:
    """Return the values with a trace of preference for less time, less money and the earlier entry, to end ties."""
    unit = TIE * float(offers.cautious.mean())
    time = offers.hours / max(float(offers.hours.max()), 1.0)
    money = offers.money / max(float(offers.money.max()), 1.0)
    return np.asarray(offers.cautious - unit * (time + money + np.arange(len(offers)) / len(offers)))


# ------------------------------------------------------------------------------------------- rows for everybody


def shared_rows(offers: Offers, circle: Circle, limits: Limits) -> tuple[csr_array, np.ndarray]:
    """Return the limits that hold over all managers as a matrix (rows, offers) and their right-hand sides.

    Money, capacities that could bind, and one row per group: ``share × all care - care of the group ≤ 1``, so that a
    plan for nobody is always allowed.
    """
    n = len(offers)
    rows, ends = [], []
    if np.isfinite(limits.budget):
        scale = max(float(offers.money.max()), 1e-9)
        rows.append(csr_array((offers.money / scale)[None, :]))
        ends.append(limits.budget / scale)
    for action in np.unique(offers.action):
        of_it = offers.action == action
        if limits.capacity[action] < of_it.sum():
            rows.append(csr_array(of_it[None, :].astype(float)))
            ends.append(float(limits.capacity[action]))
    for name in sorted(circle.groups):
        group = circle.groups[name]
        for one, share in enumerate(fair_shares(group, offers, circle, limits).tolist()):
            if share > 0:
                rows.append(csr_array((share - (group[offers.person] == one))[None, :]))
                ends.append(1.0)
    return (vstack(rows, format="csr") if rows else csr_array((0, n))), np.array(ends)


def fair_shares(group: np.ndarray, offers: Offers, circle: Circle, limits: Limits) -> np.ndarray:
    """Return the share of all care that each group must get: of the need among those reached, less the slack.

    Never more than would still be met once everybody in the group has all they can get, or a small group in great need
    would keep care from everybody else.
    """
    reached = np.unique(offers.person)
    need = np.bincount(group[reached], circle.need[reached], minlength=int(group.max()) + 1)
    if np.count_nonzero(need) < 2:
        return np.zeros(len(need))
    places = np.bincount(group[reached], minlength=len(need)) * limits.most_each
    least = max(int(_quarters(offers.hours).min()), 1)
    by_hours = len(np.unique(circle.manager[reached])) * int(_quarters(limits.manager_hours, up=False)) // least
    most = min(int(places.sum()), by_hours) if _quarters(offers.hours).min() > 0 else int(places.sum())
    return np.asarray(np.minimum((1 - limits.fair_slack) * need / need.sum(), places / max(most, 1)))


# ----------------------------------------------------------------------------------------------- one program


def _directly(offers: Offers, circle: Circle, limits: Limits, found: Allocation) -> Allocation:
    """Return the plan of the whole program where it beats the one made by managers; few managers leave a wide gap."""
    if found.gap > ENOUGH:
        chosen, bound = _program(offers, circle, limits)
        value = max(float(_worth(offers)[chosen].sum()), found.value)
        kept = chosen if value > found.value else found.chosen
        found = replace(found, chosen=kept, value=value, bound=max(min(bound, found.bound), value))
    if limits.budget < np.inf:
        richer = _program(offers, circle, replace(limits, budget=limits.budget + MORE_MONEY))[0]
        found = replace(found, more_money=max(float(_worth(offers)[richer].sum()) - found.value, 0.0))
    return found


def _program(offers: Offers, circle: Circle, limits: Limits) -> tuple[np.ndarray, float]:
    """Return the chosen offers and the bound that HiGHS proved."""
    worth = _worth(offers)
    shared, ends = shared_rows(offers, circle, limits)
    each = _rows_of(offers.person)
    kinds = limits.kind[offers.action] + (limits.kind.max() + 1) * offers.person
    rows = [shared, each, _rows_of(circle.manager[offers.person], _quarters(offers.hours))]
    tops = [ends, np.full(each.shape[0], limits.most_each)]
    tops.append(np.full(rows[-1].shape[0], _quarters(limits.manager_hours, up=False)))
    if limits.most_each > 1:
        rows.append(_rows_of(kinds))
        tops.append(np.ones(rows[-1].shape[0]))
    found = milp(
        -worth,
        integrality=np.ones(len(offers)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(vstack(rows, format="csc"), -np.inf, np.concatenate(tops)),
        options={"mip_rel_gap": ENOUGH / 2, "node_limit": NODES},
    )
    if found.x is None:
        raise RuntimeError(f"the program of a plan has no answer: {found.message}")
    return np.flatnonzero(found.x > 0.5), float(-found.mip_dual_bound)


def _rows_of(group: np.ndarray, weight: np.ndarray | None = None) -> csr_array:
    """Return one row per group with a 1 (or the weight) at each of its offers."""
    _, row = np.unique(group, return_inverse=True)
    n = len(group)
    data = np.ones(n) if weight is None else weight.astype(float)
    return csr_array((data, (row, np.arange(n))), shape=(int(row.max()) + 1, n))


# ---------------------------------------------------------------------------------------- by managers


def _blocks(offers: Offers, circle: Circle, limits: Limits) -> Blocks:
    """Return the same program cut by manager: all that ties managers together is in ``shared``."""
    shared, ends = shared_rows(offers, circle, limits)
    _, manager = np.unique(circle.manager[offers.person], return_inverse=True)
    return Blocks(
        person=offers.person,
        manager=manager,
        kind=limits.kind[offers.action],
        worth=_worth(offers),
        quarters=_quarters(offers.hours),
        most_quarters=int(_quarters(limits.manager_hours, up=False)),
        most_each=limits.most_each,
        shared=shared,
        ends=ends,
        money_scale=max(float(offers.money.max()), 1e-9) if np.isfinite(limits.budget) else 0.0,
    )
