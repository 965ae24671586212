"""Nobody is reached by whom they do not report to: a small draw of ``benchmarks/bench_access.py``."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.bench_access import OF_NOBODY, below, company, draw, lists, routes
from serving.access import PERMISSIONS


def test_random_viewers_reach_exactly_the_people_within_their_sight_at_that_moment(tmp_path: Path) -> None:
    found = draw(tmp_path, pairs=20, seed=1, people=20, each=10)
    assert found.n_requests > 20 * 15
    assert 0 < found.n_hidden < 20
    assert found.leaks == ()
    assert found.shut_out == ()


def test_the_draw_asks_every_route_that_could_tell_of_somebody() -> None:
    asked = {*routes(), *lists(), *OF_NOBODY}
    own = {"/sign-out", "/me", "/me/contest", "/stop", "/stop/release", "/v1/stop", "/v1/scores", "/v1/jobs"}
    left = {route for route, permission in PERMISSIONS.items() if route not in asked and permission.door != "public"}
    assert {path for _, path in left} - own == {
        "/contests/{contest_id}",
        "/contests/{contest_id}/answer",
        "/v1/records/{table}",
        "/v1/webhooks",
        *(path for _, path in PERMISSIONS if "{job_id}" in path or "{endpoint_id}" in path),
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_draw_knows_rings_and_nobody_is_below_themselves(seed: int) -> None:
    manager = company(random.Random(seed), 40)
    assert all(one not in below(manager, one) for one in manager)
    ring = {"a": "b", "b": "c", "c": "a", "d": "a"}
    assert below(ring, "a") == {"b", "c", "d"}
