"""The plan of a large organisation, manager by manager: Dantzig & Wolfe's decomposition (1960).

Given prices for what all managers share (money, capacities, fairness), the best plan of one manager is a small knapsack
over people and quarter hours, solved exactly for all managers at once. A master program mixes such plans and finds new
prices, until no manager has a better plan. The prices bound what any plan could reach (Lagrange), so that the distance
from the optimum is known; the last program chooses one whole plan per manager.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csc_array, csr_array, hstack, vstack

MOST_ROUNDS = 40
GOOD_GAP = 5e-4
SAMPLE = 300
"""So many managers teach the first prices; an organisation with fewer starts from nothing."""

FREE = 200
"""So many managers choose anew when the mixture becomes whole plans."""

NODES = 2000
"""Where HiGHS stops searching. Counted in nodes and not in seconds: a busy machine must not change a plan."""

MOST_OPTIONS = 8
"""With several actions per person, sets are formed of so many of the best offers of each."""

NOTHING = -1


@dataclass(frozen=True)
class Blocks:
    """The offers (see ``allocation.Offers``) with what ties managers together: ``shared`` (rows, offers) ≤ ``ends``.

    ``money_scale``: what a 1 in the first row stands for in money; 0 when money is no limit.
    """

    person: np.ndarray
    manager: np.ndarray
    kind: np.ndarray
    worth: np.ndarray
    quarters: np.ndarray
    most_quarters: int
    most_each: int
    shared: csr_array
    ends: np.ndarray
    money_scale: float


@dataclass(frozen=True)
class Sets:
    """What one person may be given together, as rows ordered by person, then quarters.

    ``members`` (sets, most_each) are offers, -1 for none. ``segment`` starts a run of the same person and quarters; a
    segment belongs to a ``place`` in its manager's queue, so that all managers' first people are treated at once.
    """

    members: np.ndarray
    manager: np.ndarray
    starts: np.ndarray
    quarters: np.ndarray
    place: np.ndarray


def solve(blocks: Blocks, *, more_budget: float) -> tuple[np.ndarray, float, float, float, float]:
    """Return chosen offers, their worth, the bound, and what more budget and one more hour of one manager would add."""
    n_managers = int(blocks.manager.max()) + 1
    prices = np.zeros(len(blocks.ends))
    if n_managers > 3 * SAMPLE and len(prices):
        prices = _prices_of_sample(blocks, n_managers)
    sets = form_sets(blocks)
    master = _Master(blocks, sets, n_managers)
    bound, mixed = _rounds(master, prices)
    chosen = master.whole_plans()
    value = float(blocks.worth[chosen].sum())
    more_money = 0.0
    if blocks.money_scale:
        richer = blocks.ends.copy()
        richer[0] += more_budget / blocks.money_scale
        more_money = max(master.mix(richer)[0] - mixed, 0.0)
    longer = best_plans(blocks, sets, master.best_prices, most_quarters=blocks.most_quarters + 4)[0]
    usual = best_plans(blocks, sets, master.best_prices, most_quarters=blocks.most_quarters)[0]
    return chosen, value, max(bound, value), more_money, float((longer - usual).mean())


def _prices_of_sample(blocks: Blocks, n_managers: int) -> np.ndarray:
    """Return the prices at which a sample of the managers, with its share of everything, would be in balance."""
    step = n_managers // SAMPLE
    taken = np.flatnonzero(blocks.manager % step == 0)
    _, manager = np.unique(blocks.manager[taken], return_inverse=True)
    share = (int(manager.max()) + 1) / n_managers
    few = replace(
        blocks,
        **{name: getattr(blocks, name)[taken] for name in ("person", "kind", "worth", "quarters")},
        manager=manager,
        shared=csr_array(blocks.shared[:, taken]),
        ends=blocks.ends * share,
    )
    master = _Master(few, form_sets(few), int(manager.max()) + 1)
    _rounds(master, np.zeros(len(blocks.ends)))
    return master.best_prices


def _rounds(master: _Master, prices: np.ndarray) -> tuple[float, float]:
    """Let managers plan at prices and the master set new ones until the two meet; return the bound and the mixture."""
    bound, value = np.inf, 0.0
    for turn in range(MOST_ROUNDS):
        reached = master.add(prices)
        if reached < bound:
            bound = reached
            master.best_prices = prices
        value, told = master.mix(master.blocks.ends)
        if bound - value <= GOOD_GAP * max(bound, 1e-12):
            break
        # Prices swing when few plans are known; half the way to the new ones calms them (Wentges 1997).
        prices = told if turn % 4 == 3 else 0.5 * told + 0.5 * master.best_prices
    return bound, value


class _Master:
    """The plans found so far, as columns: what each is worth and takes of what is shared."""

    def __init__(self, blocks: Blocks, sets: Sets, n_managers: int) -> None:
        self.blocks, self.sets, self.n_managers = blocks, sets, n_managers
        self.worth, self.manager = np.zeros(0), np.zeros(0, int)
        self.use = csc_array((len(blocks.ends), 0))
        self.plans: list[np.ndarray] = []
        self.first: list[int] = []
        self.best_prices = np.zeros(len(blocks.ends))
        self.mixed = np.zeros(0)

    def add(self, prices: np.ndarray) -> float:
        """Add each manager's best plan at these prices; return the bound that the prices prove."""
        gain, chosen, by = best_plans(self.blocks, self.sets, prices, most_quarters=self.blocks.most_quarters)
        shape = (len(self.blocks.ends), self.n_managers)
        taken = self.blocks.shared[:, chosen].tocoo()
        use = coo_array((taken.data, (taken.row, by[taken.col])), shape=shape).tocsc()
        worth = np.bincount(by, self.blocks.worth[chosen], minlength=self.n_managers)
        self.use = csc_array(hstack([self.use, use]))
        self.worth = np.concatenate([self.worth, worth])
        self.manager = np.concatenate([self.manager, np.arange(self.n_managers)])
        self.plans.append(np.stack([by, chosen]))
        return float(gain.sum() + prices @ self.blocks.ends)

    def mix(self, ends: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the worth of the best mixture of known plans, and the prices of what is shared."""
        matrix, tops = self._program(ends)
        found = linprog(-self.worth, A_ub=matrix, b_ub=tops, bounds=(0, None), method="highs")
        if found.x is None:
            raise RuntimeError(f"the plans cannot be mixed: {found.message}")
        self.mixed = found.x
        return float(-found.fun), np.maximum(-found.ineqlin.marginals[: len(ends)], 0.0)

    def whole_plans(self) -> np.ndarray:
        """Return the offers of the best choice of one known plan per manager.

        Nearly every manager has one plan in the mixture already: only as many are mixed as there are shared limits. The
        mixed ones, and some more, choose anew among all their plans; more and more, should what is left not suffice.
        """
        free = len(self.blocks.ends) + FREE
        while True:
            kept = self._chosen(min(free, self.n_managers))
            if kept is not None:
                turn, manager = kept // self.n_managers, kept % self.n_managers
                parts = [p[1][np.isin(p[0], manager[turn == t])] for t, p in enumerate(self.plans)]
                return np.sort(np.concatenate(parts))
            if free >= self.n_managers:
                raise RuntimeError("no whole plans were found")
            free *= 4

    def _chosen(self, n_free: int) -> np.ndarray | None:
        """Return the columns of the best choice when so many managers choose anew, or ``None`` when there is none."""
        largest = np.zeros(self.n_managers)
        np.maximum.at(largest, self.manager, self.mixed)
        total = np.bincount(self.manager, self.mixed, minlength=self.n_managers)
        settled = np.where(total < 1e-6, 1.0, largest)
        free = np.zeros(self.n_managers, bool)
        free[np.argsort(settled, kind="stable")[:n_free]] = True
        fixed = np.flatnonzero(~free[self.manager] & (self.mixed > 0.5))
        columns = np.flatnonzero(free[self.manager])
        ends = self.blocks.ends - self.use[:, fixed].sum(axis=1)
        _, row = np.unique(self.manager[columns], return_inverse=True)
        one_each = csc_array((np.ones(len(columns)), (row, np.arange(len(columns)))))
        found = milp(
            -self.worth[columns],
            integrality=np.ones(len(columns)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(
                vstack([self.use[:, columns], one_each]), -np.inf, np.concatenate([ends, np.ones(one_each.shape[0])])
            ),
            options={"mip_rel_gap": GOOD_GAP, "node_limit": NODES},
        )
        return None if found.x is None else np.concatenate([fixed, columns[found.x > 0.5]])

    def _program(self, ends: np.ndarray) -> tuple[csc_array, np.ndarray]:
        n = len(self.worth)
        one_each = csc_array((np.ones(n), (self.manager, np.arange(n))), shape=(self.n_managers, n))
        return csc_array(vstack([self.use, one_each])), np.concatenate([ends, np.ones(self.n_managers)])


# --------------------------------------------------------------------------------------------- one manager's plan


def form_sets(blocks: Blocks) -> Sets:
    """Return everything that one person may be given together: single offers, and pairs and triples of other kinds."""
    offers = np.arange(len(blocks.person))
    if blocks.most_each > 1:
        order = np.lexsort((-blocks.worth, blocks.person))
        _, first = np.unique(blocks.person[order], return_index=True)
        place = offers - np.repeat(first, np.diff(np.append(first, len(offers))))
        offers = np.sort(order[place < MOST_OPTIONS])
    sets = [offers[:, None]]
    for _ in range(1, blocks.most_each):
        sets.append(_longer(sets[-1], offers, blocks))
    members = np.concatenate(
        [np.pad(s, ((0, 0), (0, blocks.most_each - s.shape[1])), constant_values=NOTHING) for s in sets]
    )
    quarters = np.where(members >= 0, blocks.quarters[members], 0).sum(axis=1)
    person = blocks.person[members[:, 0]]
    order = np.lexsort((quarters, person))
    members, quarters, person = members[order], quarters[order], person[order]
    new = np.r_[True, (person[1:] != person[:-1]) | (quarters[1:] != quarters[:-1])]
    starts = np.flatnonzero(new)
    manager = blocks.manager[members[starts, 0]]
    return Sets(members, manager, starts, quarters[starts], _places(person[starts], manager))


def _longer(sets: np.ndarray, offers: np.ndarray, blocks: Blocks) -> np.ndarray:
    """Return the sets with one later offer of the same person and of another kind added."""
    person, kind = blocks.person[offers], blocks.kind[offers]
    last = np.searchsorted(offers, sets[:, -1])
    found = []
    for ahead in range(1, len(offers)):
        other = last + ahead
        inside = other < len(offers)
        same = np.zeros(len(sets), bool)
        same[inside] = person[other[inside]] == person[last[inside]]
        if not same.any():
            break
        mine = np.flatnonzero(same)
        apart = (blocks.kind[sets[mine]] != kind[other[mine]][:, None]).all(axis=1)
        found.append(np.column_stack([sets[mine[apart]], offers[other[mine[apart]]]]))
    return np.concatenate(found) if found else np.zeros((0, sets.shape[1] + 1), int)


def _places(person: np.ndarray, manager: np.ndarray) -> np.ndarray:
    """Return for each segment the place of its person among the people of the manager, from 0."""
    people, at = np.unique(person, return_index=True)
    boss = manager[at]
    order = np.argsort(boss, kind="stable")
    first = np.searchsorted(boss[order], boss[order], side="left")
    place = np.empty(len(people), int)
    place[order] = np.arange(len(people)) - first
    return place[np.searchsorted(people, person)]


def best_plans(
    blocks: Blocks, sets: Sets, prices: np.ndarray, *, most_quarters: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what each manager gains at these prices, the offers chosen, and the manager of each of them.

    A knapsack over people, exact in quarter hours: ``table[m, q]`` is the best gain with at most ``q`` quarters.
    """
    gain = blocks.worth - (blocks.shared.T @ prices if len(prices) else 0.0)
    of_set = np.where(sets.members >= 0, gain[sets.members], 0.0).sum(axis=1)
    top = np.maximum.reduceat(of_set, sets.starts)
    n_managers = int(blocks.manager.max()) + 1
    width = min(most_quarters, int(np.bincount(sets.manager, sets.quarters).max())) + 1
    table = np.zeros((n_managers, width))
    taken = []
    fits = np.flatnonzero((top > 0) & (sets.quarters < width))
    for place in range(int(sets.place.max()) + 1):
        here = fits[sets.place[fits] == place]
        before, choice = table.copy(), np.full(table.shape, NOTHING)
        for quarters in np.unique(sets.quarters[here]):
            mine = here[sets.quarters[here] == quarters]
            boss = sets.manager[mine]
            offered = before[boss, : width - quarters] + top[mine][:, None]
            better = offered > table[boss, quarters:]
            table[boss, quarters:] = np.where(better, offered, table[boss, quarters:])
            choice[boss, quarters:] = np.where(better, mine[:, None], choice[boss, quarters:])
        taken.append(choice)
    segments, by = _traced(taken, sets, n_managers, width)
    chosen, by = _members(segments, by, of_set, sets)
    return table[:, -1], chosen, by


def _traced(taken: list[np.ndarray], sets: Sets, n_managers: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the segments on the way to each manager's best plan, from the last person back to the first."""
    left, managers = np.full(n_managers, width - 1), np.arange(n_managers)
    segments, by = [], []
    for choice in reversed(taken):
        mine = choice[managers, left]
        some = mine >= 0
        segments.append(mine[some])
        by.append(managers[some])
        left[some] -= sets.quarters[mine[some]]
    return np.concatenate(segments), np.concatenate(by)


def _members(segments: np.ndarray, by: np.ndarray, of_set: np.ndarray, sets: Sets) -> tuple[np.ndarray, np.ndarray]:
    """Return the offers of the best set of each segment, and their managers."""
    ends = np.append(sets.starts[1:], len(of_set))
    runs = zip(sets.starts[segments], ends[segments], strict=True)
    best = np.array([start + int(np.argmax(of_set[start:end])) for start, end in runs], int)
    members = sets.members[best]
    real = members >= 0
    return members[real], np.repeat(by, real.sum(axis=1))
