"""Nobody is reached by whom they do not report to: a small draw of ``benchmarks/bench_access.py``."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.bench_access import below, company, draw, routes


def test_random_managers_reach_exactly_the_people_below_them_at_that_moment(tmp_path: Path) -> None:
    found = draw(tmp_path, pairs=30, seed=1, people=20, each=15)
    assert found.n_requests == 30 * len(routes())
    assert 0 < found.n_hidden < 30
    assert found.leaks == ()
    assert found.shut_out == ()


@pytest.mark.parametrize("seed", range(5))
def test_the_draw_knows_rings_and_nobody_is_below_themselves(seed: int) -> None:
    manager = company(random.Random(seed), 40)
    assert all(one not in below(manager, one) for one in manager)
    ring = {"a": "b", "b": "c", "c": "a", "d": "a"}
    assert below(ring, "a") == {"b", "c", "d"}
