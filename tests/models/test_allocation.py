"""A plan keeps its limits, is as good as every plan that could be made by hand, and says what more would add."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations

import numpy as np
import pytest

from features.errors import FixableError
from models import allocation, allocation_blocks
from models.allocation import Circle, Limits, Offers, allocate, fair_shares, interval, shared_rows


def small_case(rng: np.random.Generator) -> tuple[Offers, Circle, Limits]:
    """Up to five people, three actions, two managers, with every kind of limit now and then."""
    n, n_actions = int(rng.integers(2, 6)), 3
    person, action = (a.ravel() for a in np.meshgrid(np.arange(n), np.arange(n_actions), indexing="ij"))
    kept = rng.random(n * n_actions) < 0.8
    person, action = person[kept], action[kept]
    value = np.round(rng.uniform(-0.01, 0.08, len(person)), 4)
    money = rng.choice([0.0, 200.0, 900.0], n_actions)[action]
    hours = rng.choice([0.0, 0.5, 1.5, 2.0], n_actions)[action]
    offers = Offers(person, action, value, np.abs(value) / 2, money, hours)
    groups = {"site": rng.integers(0, 2, n)} if rng.random() < 0.5 else {}
    circle = Circle(rng.integers(0, 2, n), rng.uniform(0.02, 0.4, n), groups)
    capacity = rng.choice([1.0, 2.0, np.inf], n_actions)
    most_each = int(rng.integers(1, 3))
    budget, hours_each = float(rng.choice([0, 500, 1500, 1e6])), float(rng.choice([0, 1.5, 3, 9]))
    return offers, circle, Limits(budget, hours_each, rng.integers(0, 2, n_actions), capacity, most_each)


def keeps_limits(chosen: np.ndarray, case: tuple[Offers, Circle, Limits]) -> bool:
    """Count everything anew, one limit after the other."""
    offers, circle, limits = case
    person, action = offers.person[chosen], offers.action[chosen]
    if offers.money[chosen].sum() > limits.budget + 1e-6:
        return False
    hours = np.bincount(circle.manager[person], np.ceil(4 * offers.hours[chosen]) / 4, minlength=1)
    if hours.max() > limits.manager_hours + 1e-9 or np.bincount(person, minlength=1).max() > limits.most_each:
        return False
    if (np.bincount(action, minlength=len(limits.capacity)) > limits.capacity).any():
        return False
    kinds = set(zip(person.tolist(), limits.kind[action].tolist(), strict=True))
    return len(kinds) == len(chosen) and all(is_fair(chosen, case, group) for group in circle.groups.values())


def is_fair(chosen: np.ndarray, case: tuple[Offers, Circle, Limits], group: np.ndarray) -> bool:
    """Whether each group with a need gets its share of care, less the slack and one person."""
    offers, circle, limits = case
    possible = (offers.value > 0) & (offers.money <= limits.budget) & (limits.capacity[offers.action] > 0)
    kept = possible & (offers.hours <= limits.manager_hours)
    useful = Offers(**{f.name: getattr(offers, f.name)[kept] for f in fields(Offers)})
    if not len(useful):
        return True
    shares = fair_shares(group, useful, circle, limits)
    given = np.bincount(group[offers.person[chosen]], minlength=len(shares))
    return bool((given >= shares * len(chosen) - 1 - 1e-9).all())


def best_by_hand(case: tuple[Offers, Circle, Limits]) -> float:
    """Try every plan there is, the most valuable first: each person gets nothing, one action, or two."""
    offers, _, limits = case
    each = []
    for person in np.unique(offers.person):
        mine = np.flatnonzero((offers.person == person) & (offers.value > 0)).tolist()
        each.append([s for size in range(limits.most_each + 1) for s in combinations(mine, size)])
    worth, money = np.zeros(1), np.zeros(1)
    for sets in each:
        worth = np.add.outer(worth, [offers.cautious[list(s)].sum() for s in sets]).ravel()
        money = np.add.outer(money, [offers.money[list(s)].sum() for s in sets]).ravel()
    plans = np.flatnonzero(money <= limits.budget)
    for plan in plans[np.argsort(-worth[plans], kind="stable")].tolist():
        parts = np.unravel_index(plan, [len(sets) for sets in each])
        chosen = np.array([one for sets, i in zip(each, parts, strict=True) for one in sets[i]], int)
        if keeps_limits(chosen, case):
            return float(worth[plan])
    return 0.0


@pytest.mark.parametrize("n_cases", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_small_plans_are_within_one_percent_of_the_best_made_by_hand(n_cases: int) -> None:
    rng = np.random.default_rng(n_cases)
    for _ in range(n_cases):
        case = small_case(rng)
        found = allocate(*case)
        assert keeps_limits(found.chosen, case)
        best = best_by_hand(case)
        assert found.value >= 0.99 * best - 1e-9
        assert found.bound >= best - 1e-9
        assert found.more_money >= 0
        assert found.more_hour >= 0


def larger_case(n: int, *, most_each: int = 1, seed: int = 3) -> tuple[Offers, Circle, Limits]:
    rng = np.random.default_rng(seed)
    n_actions = 12
    person, action = np.repeat(np.arange(n), n_actions), np.tile(np.arange(n_actions), n)
    risk = rng.beta(1.2, 10, n)
    value = risk[person] * rng.uniform(0.02, 0.3, n_actions)[action] * rng.uniform(0.2, 1.5, len(person))
    money, hours = rng.choice([0.0, 0.0, 300.0, 1500.0], n_actions), rng.choice([0.5, 1.0, 1.5, 3.0], n_actions)
    offers = Offers(person, action, value, value / 2, money[action], hours[action])
    circle = Circle(np.arange(n) // 8, risk, {"site": rng.integers(0, 4, n)})
    capacity = np.where(rng.random(n_actions) < 0.4, 0.02 * n, np.inf)
    return offers, circle, Limits(30.0 * n, 4.0, rng.integers(0, 6, n_actions), capacity, most_each)


@pytest.mark.parametrize("most_each", [1, 2])
def test_by_managers_and_all_at_once_come_to_the_same(most_each: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = larger_case(160, most_each=most_each)
    monkeypatch.setattr(allocation_blocks, "MOST_OPTIONS", 12)
    whole = allocate(*case)
    monkeypatch.setattr(allocation, "DIRECT", 0)
    parts = allocate(*case)
    assert keeps_limits(parts.chosen, case)
    assert parts.value == pytest.approx(whole.value, rel=0.003)
    assert parts.bound >= whole.value - 1e-6
    assert parts.gap < 0.005
    assert parts.more_hour == pytest.approx(whole.more_hour, rel=0.5)


def test_a_thousand_managers_are_planned_with_the_distance_from_the_best_told() -> None:
    case = larger_case(8000)
    found = allocate(*case)
    assert keeps_limits(found.chosen, case)
    assert found.gap < 0.003


def test_the_same_input_gives_the_same_plan_also_among_equals() -> None:
    offers, circle, limits = larger_case(30)
    same = replace(offers, value=np.full(len(offers), 0.01))
    first, again = (allocate(same, circle, limits) for _ in range(2))
    assert first.chosen.tolist() == again.chosen.tolist()


def one_offer_each(values: list[float], **more: object) -> tuple[Offers, Circle, Limits]:
    n = len(values)
    offers = Offers(
        np.arange(n), np.zeros(n, int), np.array(values), np.array(values) / 2, np.full(n, 100.0), np.full(n, 1.0)
    )
    limits = Limits(100.0 * n, 1.0, np.zeros(1, int), np.array([np.inf]))
    return offers, Circle(np.zeros(n, int), np.full(n, 0.1)), replace(limits, **more)  # type: ignore[arg-type]


def test_the_persuadable_comes_before_the_merely_risky() -> None:
    offers, circle, limits = one_offer_each([0.01, 0.05])
    risky_first = replace(circle, need=np.array([0.6, 0.2]))
    assert allocate(offers, risky_first, limits).chosen.tolist() == [1]


def test_more_of_what_is_scarce_is_told_and_of_what_is_not_scarce_adds_nothing() -> None:
    hours_scarce = allocate(*one_offer_each([0.01, 0.05]))
    assert hours_scarce.more_hour == pytest.approx(0.875 * 0.01, rel=1e-3)
    assert hours_scarce.more_money == 0
    money_scarce = allocate(*one_offer_each([0.01, 0.05], budget=100.0, manager_hours=9.0))
    assert money_scarce.more_money == pytest.approx(0.875 * 0.01, rel=1e-3)
    assert money_scarce.more_hour == 0


def test_a_group_gets_its_share_of_care_though_others_gain_more() -> None:
    n = 20
    offers, circle, limits = one_offer_each([0.05] * 10 + [0.04] * 10, manager_hours=10.0)
    fair = replace(circle, groups={"site": np.repeat([0, 1], 10)})
    alone, shared = allocate(offers, circle, limits), allocate(offers, fair, limits)
    assert (alone.chosen < 10).all()
    assert len(alone.chosen) == len(shared.chosen) == 10
    assert (shared.chosen >= 10).sum() >= 0.8 * 0.5 * 10 - 1
    assert n == len(offers)


def test_fairness_never_keeps_care_from_others_once_a_needy_group_has_all_it_can_get() -> None:
    offers, circle, limits = one_offer_each([0.03] * 12, manager_hours=99.0)
    needy = replace(
        circle, groups={"site": np.r_[np.zeros(2, int), np.ones(10, int)]}, need=np.r_[[0.9] * 2, [0.05] * 10]
    )
    assert len(allocate(offers, needy, limits).chosen) == 12
    scarce = allocate(offers, needy, replace(limits, manager_hours=3.0))
    assert {0, 1} & set(scarce.chosen.tolist())


def test_nobody_is_planned_where_nothing_helps_or_nothing_is_left() -> None:
    offers, circle, limits = one_offer_each([-0.01, 0.0])
    assert allocate(offers, circle, limits).chosen.tolist() == []
    offers, circle, limits = one_offer_each([0.01], budget=50.0)
    found = allocate(offers, circle, limits)
    assert (found.value, found.bound, found.gap) == (0, 0, 0)


def test_senseless_limits_are_refused_all_at_once() -> None:
    with pytest.raises(FixableError) as refused:
        Limits(-1.0, float("nan"), np.zeros(1), np.ones(1), most_each=0, fair_slack=2)
    assert [p.split(":")[0] for p in refused.value.problems] == ["budget", "manager_hours", "most_each", "fair_slack"]


def test_the_range_does_not_shrink_with_people_and_only_somewhat_with_actions() -> None:
    offers, *_ = one_offer_each([0.02] * 50)
    value, low, high = interval(offers, np.arange(50))
    assert value == pytest.approx(1.0)
    assert (high - low) / value == pytest.approx(2 * 1.2816 * 0.5)
    apart = replace(offers, action=np.arange(50))
    assert 0.5 < np.diff(interval(apart, np.arange(50))[1:])[0] / (high - low) < 0.95


def test_no_limit_binds_nobody() -> None:
    offers, circle, limits = larger_case(40)
    free = replace(limits, budget=np.inf, manager_hours=1e9, capacity=np.full(12, np.inf))
    rows, ends = shared_rows(offers, replace(circle, groups={}), free)
    assert rows.shape == (0, len(offers))
    assert len(ends) == 0
    found = allocate(offers, replace(circle, groups={}), free)
    best = np.array([offers.cautious[offers.person == p].max() for p in range(40)])
    assert found.value == pytest.approx(best.sum(), rel=1e-4)
    assert {f.name for f in fields(found)} >= {"more_money", "more_hour"}
