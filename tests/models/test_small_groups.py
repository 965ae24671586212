"""Groups beside teams: none too small, and nobody to be worked out by subtracting one from the other."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.small_groups import OTHER, Post, bridges, cells

posts = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(["t1", "t2", "t3"]), st.sampled_from("xyz"), st.booleans()),
    min_size=1,
    max_size=60,
)


@given(posts, st.integers(5, 10))
def test_nobody_stands_in_a_group_that_is_too_small(people, min_group):
    """Neither alone, nor as what a department's teams that are shown elsewhere leave over."""
    who, judged = [Post(d, t, j) for d, t, j, _ in people], [known for *_, known in people]
    found = cells(who, judged, min_group=min_group)
    sizes = Counter(cell for cell, known in zip(found, judged, strict=True) if known)
    assert all(sizes[cell] >= min_group for cell in found if cell is not None)
    teams = Counter((p.department, p.team) for p, known in zip(who, judged, strict=True) if known)
    for post, cell in zip(who, found, strict=True):
        if teams[post.department, post.team] < min_group:
            assert cell in (None, (OTHER, OTHER))
    assert None not in found or set(found) == {None}, "either everybody is in a group or nothing is shown"


def test_what_is_too_small_is_merged_with_the_smallest_and_never_left_alone():
    team = [Post("Care", "t", "nurse")] * 9 + [Post("Care", "t", "cook")] * 6 + [Post("Care", "t", "porter")] * 2
    found = Counter(cells(team, [True] * 17, min_group=5))
    assert found == {("Care", "nurse"): 9, ("Care", OTHER): 8}
    two_small = [*team, *[Post("Care", "t", "guard")] * 3]
    assert Counter(cells(two_small, [True] * 20, min_group=5))["Care", OTHER] == 5


def test_four_who_go_do_not_hide_the_one_who_stays():
    people = [Post("Care", "t", "nurse")] * 5 + [Post("Care", "t", "cook")] * 8
    judged = [True] + [False] * 4 + [True] * 8
    assert set(cells(people, judged, min_group=5)) == {("Care", OTHER)}


def sums_that_can_be_known(who, judged, found, min_group):
    """Every set of people in the same team and group whose sum follows from all sums that are shown: plain algebra."""
    teams = Counter((p.department, p.team) for p, known in zip(who, judged, strict=True) if known)
    sizes = Counter(
        (cell, (p.department, p.team) if teams[p.department, p.team] >= min_group else None)
        for p, cell, known in zip(who, found, judged, strict=True)
        if known
    )
    names = list(sizes)
    shown = [[1.0 if cell == c else 0.0 for c, _ in names] for cell in {c for c, _ in names} if cell is not None]
    shown += [[1.0 if team == t else 0.0 for _, t in names] for team in {t for _, t in names} if team is not None]
    if not shown:
        return {}
    known = np.linalg.pinv(np.array(shown)) @ np.array(shown)
    return {name: sizes[name] for i, name in enumerate(names) if abs(known[i, i] - 1) < 1e-9}


@given(posts, st.integers(5, 8))
def test_algebra_on_teams_and_groups_finds_nobody(people, min_group):
    who, judged = [Post(d, t, j) for d, t, j, _ in people], [known for *_, known in people]
    found = cells(who, judged, min_group=min_group)
    if set(found) != {None}:
        assert all(n >= min_group for n in sums_that_can_be_known(who, judged, found, min_group).values())


def test_the_one_receptionist_in_a_team_of_nurses_is_not_left_over():
    people = [Post("Care", "t", "nurse")] * 6 + [Post("Care", "t", "desk")] + [Post("Care", "u", "desk")] * 6
    judged = [True] * 13
    assert (
        sums_that_can_be_known(people, judged, [(p.department, p.job) for p in people], 5)[
            ("Care", "desk"), ("Care", "t")
        ]
        == 1
    )
    assert set(cells(people, judged, min_group=5)) == {("Care", OTHER)}


def test_a_ring_of_teams_and_groups_gives_nothing_away_and_stays_as_it_is():
    people = [Post("Care", team, job) for team in "tu" for job in ("nurse", "desk") for _ in range(4)]
    assert set(cells(people, [True] * 16, min_group=5)) == {("Care", "nurse"), ("Care", "desk")}


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(10, 17)), max_size=25, unique=True))
def test_bridges_are_the_edges_without_which_the_ends_come_apart(edges):
    def joined(a, b, left):
        seen, todo = {a}, [a]
        while todo:
            at = todo.pop()
            for x, y in left:
                for one, other in ((x, y), (y, x)):
                    if one == at and other not in seen:
                        seen.add(other)
                        todo.append(other)
        return b in seen

    slow = {i for i, (a, b) in enumerate(edges) if not joined(a, b, [e for k, e in enumerate(edges) if k != i])}
    assert bridges(edges) == slow


def test_a_large_organisation_is_divided_in_a_moment():
    rng = np.random.default_rng(0)
    people = [Post(f"d{i // 500}", f"t{i // 10}", f"j{rng.integers(0, 12)}") for i in range(20_000)]
    found = cells(people, [True] * len(people), min_group=5)
    assert None not in found
    assert len(set(found)) > 100


@pytest.mark.parametrize("n", [0, 4])
def test_too_few_people_altogether_are_shown_nowhere(n):
    assert cells([Post("a", "t", "x")] * n, [True] * n, min_group=5) == [None] * n
