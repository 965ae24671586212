"""The plan of the organisation as people see it: per department what would be done, what it costs and what it prevents.

    store ─▶ options of everybody within sight ─▶ models.allocation ─▶ departments (no names) · people (each logged)

Computed when asked, from what scoring stored, so that another budget is another plan within seconds. A department with
few people is told together with others. What the plan prevents rests on the risks of the people in it: that is told in
whole people, for round limits alone and never for a handful (``groups``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.allocation import Allocation, Circle, Limits, Offers, allocate, interval
from models.catalog import Catalog
from serving import audit, groups, service, store_plan
from serving.access import Visit
from serving.problems import Problem
from serving.seen import Run
from serving.store import Store, Transaction

HR_DESK = ""
"""Who cares for people without a manager on record."""

UNKNOWN = "-"
MOST_EACH = 3
GAP_DIGITS = 3
LEAST_HOUR = 0.01
"""Exits that an hour more of one manager avoids, on average over all managers; less is told as none."""


@dataclass(frozen=True)
class Asked:
    """What there is for one round: money, hours of each manager, and how many actions a person may get at most.

    ``month_pay``: a typical month's pay; the catalog counts money in it.
    """

    budget: float
    hours: float
    most_each: int = 1
    month_pay: float = 5000.0


@dataclass(frozen=True)
class Avoided:
    """Exits avoided in whole people, with the range that holds in about four of five cases for the effects of care."""

    expected: int
    low: int
    high: int


@dataclass(frozen=True)
class Line:
    """One department: people with an assessment, people planned for, what they would be offered (action, people)."""

    department: str
    n_people: int
    n_planned: int
    actions: tuple[tuple[str, int], ...]
    money: float
    hours: float
    avoided: Avoided | None


@dataclass(frozen=True)
class OrganisationPlan:
    """All departments with what everything together would cost and prevent, and what a little more would add.

    ``told``: whether the limits are round ones, for which alone effects are told.
    """

    run: Run
    asked: Asked
    lines: tuple[Line, ...]
    n_planned: int
    money: float
    hours: float
    avoided: Avoided | None
    gap: float
    more_money: float | None
    more_hour: float | None
    told: bool


@dataclass(frozen=True)
class Planned:
    """One person of the plan, for those who may see names: what to offer, and nothing about a risk."""

    employee_id: str
    name: str | None
    department: str
    team: str
    manager_id: str | None
    action: str


@dataclass(frozen=True)
class _Drawn:
    """A plan before it is told: the people, the offers, and which were chosen."""

    people: Sequence[Mapping[str, Any]]
    offers: Offers
    found: Allocation
    ids: tuple[str, ...]


def organisation_plan(
    store: Store, visit: Visit, asked: Asked, *, catalog: Catalog, min_group: int
) -> OrganisationPlan:
    """Return the plan in groups. Only who sees everybody or a department gets one; the look is written down."""
    with store.begin() as tx:
        run = service.run_of(tx)
        wide = visit.viewer.sight.kind in ("everyone", "department")
        people = _candidates(tx, visit, run) if wide else []
        wide = wide and not 0 < len(people) < min_group
        _record(tx, visit, "allocation.read", "shown" if wide else "not_found", run)
    if not wide:
        raise Problem("not_found")
    drawn, round_ = _drawn(people, asked, catalog), groups.told_for(asked.budget, asked.hours)
    chosen, found = drawn.found.chosen, drawn.found
    lines, whole = _lines(drawn, min_group, told=round_)
    n_planned = len(np.unique(drawn.offers.person[chosen]))
    managers = len({row["manager_id"] or HR_DESK for row in people})
    return OrganisationPlan(
        run=run,
        asked=asked,
        lines=lines,
        n_planned=n_planned,
        money=float(drawn.offers.money[chosen].sum()),
        hours=float(drawn.offers.hours[chosen].sum()),
        avoided=_avoided(drawn.offers, chosen) if round_ and whole and n_planned >= min_group else None,
        gap=round(found.gap, GAP_DIGITS),
        more_money=groups.coarse(found.more_money) if round_ else None,
        more_hour=groups.coarse(found.more_hour, least=LEAST_HOUR) if round_ and managers >= min_group else None,
        told=round_,
    )


def planned_people(store: Store, visit: Visit, asked: Asked, *, catalog: Catalog) -> tuple[Run, tuple[Planned, ...]]:
    """Return the people of the plan by team and number, each look written down before it is answered."""
    with store.begin() as tx:
        run = service.run_of(tx)
        wide = visit.viewer.sight.kind in ("everyone", "department")
        people = _candidates(tx, visit, run) if wide else []
        drawn = _drawn(people, asked, catalog) if wide else None
        found = _named(drawn) if drawn else []
        for one in sorted({planned.employee_id for planned in found}):
            _record(tx, visit, "allocation.people", "shown", run, subject=one)
        if not found:
            _record(tx, visit, "allocation.people", "nobody" if wide else "not_found", run)
    if drawn is None:
        raise Problem("not_found")
    return run, tuple(found)


def _candidates(tx: Transaction, visit: Visit, run: Run) -> list[dict[str, Any]]:
    return store_plan.candidates(tx, visit.viewer.sight, run.id, today=visit.now.date())


def _drawn(people: Sequence[Mapping[str, Any]], asked: Asked, catalog: Catalog) -> _Drawn:
    """Return the best plan for these people; options whose action was switched off since scoring are left out."""
    ids = {action.id: i for i, action in enumerate(catalog.actions)}
    rows = [
        (person, ids[option["action"]], option["avoided"], option["sd"])
        for person, row in enumerate(people)
        for option in row["plan"].get("options", ())
        if option["action"] in ids
    ]
    person, action, value, sd = np.array(sorted(rows), float).reshape(-1, 4).T
    person, action = person.astype(int), action.astype(int)
    money = asked.month_pay * np.array([a.pay_months_each for a in catalog.actions])[action]
    hours = np.array([a.hours_each for a in catalog.actions])[action]
    offers = Offers(person, action, value, sd, money, hours)
    return _Drawn(people, offers, allocate(offers, _circle(people), _limits(asked, catalog)), tuple(ids))


def _circle(people: Sequence[Mapping[str, Any]]) -> Circle:
    """Return managers, need and the groups that get their share of care: departments and places, nothing protected."""
    columns = {"department": "department", "site": "location"}
    groups = {name: _numbers([row[column] or UNKNOWN for row in people]) for name, column in columns.items()}
    need = np.array([row["risk_at_reference"] or 0.0 for row in people], float)
    return Circle(_numbers([row["manager_id"] or HR_DESK for row in people]), need, groups)


def _numbers(names: Sequence[str]) -> np.ndarray:
    return np.unique(np.array(names, dtype=str), return_inverse=True)[1]


def _limits(asked: Asked, catalog: Catalog) -> Limits:
    kind = _numbers([action.kind for action in catalog.actions])
    capacity = np.array([np.inf if a.capacity is None else a.capacity for a in catalog.actions], float)
    return Limits(asked.budget, asked.hours, kind, capacity, most_each=asked.most_each)


def _lines(drawn: _Drawn, min_group: int, *, told: bool) -> tuple[tuple[Line, ...], bool]:
    """Return a line per department, the one with the most to gain first, and whether effects add up to a total that
    may be told; small departments make up one line together."""
    names = groups.together([row["department"] or UNKNOWN for row in drawn.people], min_group=min_group)
    chosen, offers = drawn.found.chosen, drawn.offers
    of_offer = np.array(names, dtype=object)[offers.person[chosen]] if len(chosen) else np.array([], dtype=object)
    planned = {name: len(np.unique(offers.person[chosen[of_offer == name]])) for name in sorted(set(names))}
    hidden = groups.withheld(planned, min_group=min_group)
    lines = []
    for department, n_people in Counter(names).items():
        mine = chosen[of_offer == department]
        counted = Counter(drawn.ids[a] for a in offers.action[mine].tolist())
        lines.append(
            Line(
                department=department,
                n_people=n_people,
                n_planned=planned[department],
                actions=tuple(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))),
                money=float(offers.money[mine].sum()),
                hours=float(offers.hours[mine].sum()),
                avoided=_avoided(offers, mine) if told and department not in hidden else None,
            )
        )
    whole = not groups.leaves_few(planned, hidden, min_group=min_group)
    return tuple(sorted(lines, key=_most_first)), whole


def _most_first(line: Line) -> tuple[int, int, str]:
    """Order by what is told, or an order would tell which of two sums is the larger."""
    return -(line.avoided.expected if line.avoided else 0), -line.n_planned, line.department


def _avoided(offers: Offers, chosen: np.ndarray) -> Avoided:
    value, _, high = interval(offers, chosen)
    return Avoided(*groups.whole_range(value, high - value))


def _named(drawn: _Drawn) -> list[Planned]:
    offers, chosen = drawn.offers, drawn.found.chosen
    found = []
    for person, action in zip(offers.person[chosen].tolist(), offers.action[chosen].tolist(), strict=True):
        row = drawn.people[person]
        place = (row["department"] or UNKNOWN, row["team"], row["manager_id"])
        found.append(Planned(row["id"], row["name"], *place, drawn.ids[action]))
    return sorted(found, key=lambda one: (one.department, one.team, one.employee_id, one.action))


def _record(tx: Transaction, visit: Visit, action: str, result: str, run: Run, *, subject: str | None = None) -> None:
    audit.record(tx, audit.entry_of(visit, action, result, subject=subject, run=run), now=visit.now)
