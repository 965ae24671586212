"""How long a plan takes and how far it is from the best one, by size of the organisation.

    python benchmarks/bench_allocation.py --people 1000 5000 20000 50000
    python benchmarks/bench_allocation.py --people 20000 --most-each 2

Invented offers: ``--actions`` per person in thirteen kinds, with the hours of the shipped catalog, some that cost
money and some with few places; about eight people per manager, four hours each, six sites and twenty departments that
must get their share. One core; the distance from the best plan is proved for each run (``Allocation.gap``).
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from models.allocation import Circle, Limits, Offers, allocate

HOURS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
MONEY = (0.0, 0.0, 0.0, 200.0, 500.0, 1500.0, 5000.0)


def organisation(n: int, n_actions: int, *, most_each: int, seed: int) -> tuple[Offers, Circle, Limits]:
    """Return a plan's input for ``n`` people who could each be offered every action."""
    rng = np.random.default_rng([seed, n])
    kind, hours = rng.integers(0, 13, n_actions), rng.choice(HOURS, n_actions)
    money, effect = rng.choice(MONEY, n_actions), rng.uniform(0.02, 0.3, n_actions)
    risk = rng.beta(1.2, 10, n)
    person, action = np.repeat(np.arange(n), n_actions), np.tile(np.arange(n_actions), n)
    value = risk[person] * effect[action] * rng.uniform(0.2, 1.5, len(person))
    offers = Offers(person, action, value, value / 2, money[action], hours[action])
    manager = np.arange(n) // 8
    groups = {"site": rng.integers(0, 6, n), "department": (manager // 40) % 20}
    capacity = np.where(rng.random(n_actions) < 0.4, 0.01 * n, np.inf)
    return offers, Circle(manager, risk, groups), Limits(40.0 * n, 4.0, kind, capacity, most_each)


def main() -> None:
    """Print a line per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[1000, 5000, 20_000, 50_000])
    parser.add_argument("--actions", type=int, default=25)
    parser.add_argument("--most-each", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    print("people  actions  each   planned   avoided     gap   10,000 more  an hour more  seconds")
    for n in asked.people:
        for seed in range(asked.seeds):
            given = organisation(n, asked.actions, most_each=asked.most_each, seed=seed)
            begin = time.perf_counter()
            found = allocate(*given)
            seconds = time.perf_counter() - begin
            print(
                f"{n:6} {asked.actions:8} {asked.most_each:5} {len(found.chosen):9} {found.value:9.2f} {found.gap:7.3%}"
                f" {found.more_money:13.3f} {found.more_hour:13.4f} {seconds:8.1f}"
            )


if __name__ == "__main__":
    main()
