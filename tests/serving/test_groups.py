"""Figures about many people give nobody away: a small draw of ``benchmarks/bench_groups.py``, and the rule itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from benchmarks.bench_groups import draw, exactly, widths
from models.small_groups import OTHER
from serving import groups, store_contest
from serving.access import ANONYMOUS, ROLES, Viewer
from serving.groups import Members
from serving.score import Scored
from serving.settings import Settings
from serving.store_people import Sight
from serving.store_tables import employee

SIZES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30), min_size=1)
SMALLEST = st.integers(5, 12)


def viewer(role: str, *scopes: str) -> Viewer:
    return Viewer("x", "x", role, frozenset(scopes) or ROLES[role].scopes, frozenset())


def test_nobody_is_determined_by_random_questions_of_all_readers_together(tmp_path: Path) -> None:
    found = draw(tmp_path, queries=40, seed=3, people=50)
    assert found.n_lines > 5
    assert (found.exact, found.narrow, found.objecting, found.broken) == (0, 0, 0, ())


def test_the_attack_finds_who_can_be_found() -> None:
    team, less = frozenset({("a", 1.0), ("b", 1.0), ("c", 1.0)}), frozenset({("a", 1.0), ("b", 1.0)})
    sums = [(team, 0.89, 0.91), (less, 0.29, 0.31)]
    assert exactly(sums, ["a", "b", "c"]) == 1
    assert widths(sums, ["a", "b", "c"])[2] == pytest.approx(0.04, abs=1e-4)
    assert widths(sums[:1], ["a", "b", "c"], {"a": 0.1, "b": 0.2}) == pytest.approx([0.02], abs=1e-4)


@given(st.lists(st.floats(0, 1), min_size=5, max_size=20), st.floats(0, 1))
def test_two_whole_numbers_that_differ_by_one_person_say_nothing_about_that_person(risks, one) -> None:
    """Either difference that can come about allows every risk from 0 to 1."""
    with_, without = groups.whole(sum(risks) + one), groups.whole(sum(risks))
    assert with_ - without in (0, 1)
    (ends,) = {tuple(widths([(frozenset({("it", 1.0)}), d - 1.0, d + 1.0)], ["it"])) for d in (with_ - without,)}
    assert ends == pytest.approx((1.0,))


@given(st.integers(5, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_range_around_a_whole_number_holds_it_and_fits_the_group(drawn: tuple[int, int]) -> None:
    expected, n = drawn
    low, high = groups.likely(expected, n)
    assert 0 <= low <= expected <= high <= n


@given(SIZES, SMALLEST)
def test_nothing_small_is_named_and_nothing_small_is_left_over(sizes: dict[str, int], k: int) -> None:
    names = [name for name, n in sizes.items() for _ in range(n)]
    told = Counter(groups.together(names, min_group=k))
    assert all(n >= k for name, n in told.items() if name != OTHER)
    assert told[OTHER] == 0 or told[OTHER] >= k or set(told) == {OTHER}
    assert sum(n for _, n in groups.parts(sizes, min_group=k)) == len(names)


@given(SIZES, SMALLEST)
def test_a_total_less_what_is_told_of_it_is_never_about_a_few(sizes: dict[str, int], k: int) -> None:
    hidden = groups.withheld(sizes, min_group=k)
    assert all(sizes[name] >= k for name in sizes.keys() - hidden)
    few = 0 < sum(sizes[name] for name in hidden) < k
    assert groups.leaves_few(sizes, hidden, min_group=k) is few
    assert not few or hidden == set(sizes), "the next smallest was put to them"


BANDS = st.dictionaries(st.sampled_from(["calm", "watch", "act"]), st.integers(1, 9), min_size=1)


@given(st.dictionaries(st.sampled_from("abcdef"), BANDS, max_size=6), SMALLEST)
def test_no_department_of_one_band_and_none_too_small_is_named(bands: dict[str, dict[str, int]], k: int) -> None:
    hidden = groups.unnamed(bands, min_group=k)
    if hidden is None:
        return
    rest = sum((Counter(bands[name]) for name in hidden), Counter[str]())
    for found in [*(Counter(bands[name]) for name in bands.keys() - hidden), *([rest] if hidden else [])]:
        assert found.total() >= k
        assert len(found) > 1


@given(st.floats(0, 1e12), st.floats(0, 1e12))
def test_any_money_and_any_hours_are_either_told_for_or_not(budget: float, hours: float) -> None:
    assert groups.told_for(budget, hours) in (True, False)


@given(st.sampled_from((1, 2, 5)), st.integers(-2, 12))
def test_one_two_and_five_with_zeros_are_round_and_what_is_a_little_more_is_not(digit: int, zeros: int) -> None:
    amount = digit * 10.0**zeros
    assert groups.round_amount(amount)
    assert not groups.round_amount(amount * 1.01)


def test_managers_dashboards_ask_for_more_people_where_no_names_can_be_opened() -> None:
    settings = Settings(min_group=6)
    assert groups.smallest(viewer("manager"), settings) == 6
    assert groups.smallest(viewer("manager", "teams.read"), settings) == 10
    assert groups.smallest(viewer("hr"), settings) == 6


@pytest.mark.parametrize(
    ("members", "who", "told"),
    [
        (Members(9, 5, 0, 0), viewer("hr"), True),
        (Members(9, 4, 0, 0), viewer("hr"), False),
        (Members(9, 8, 1, 0), viewer("hr"), False),
        (Members(9, 8, 0, 1), viewer("hr"), False),
        (Members(19, 18, 0, 5), viewer("hr"), True),
        (Members(9, 8, 0, 1), viewer("analyst"), True),
        (Members(9, 8, 0, 1), ANONYMOUS, True),
    ],
)
def test_a_group_is_told_whole_or_not_at_all(members: Members, who: Viewer, told: bool) -> None:
    assert groups.may_tell(members, who, min_group=5) is told


def test_every_reader_is_told_the_same_number_of_a_team_and_who_sees_a_part_none(client, key, store) -> None:
    def told(*who) -> dict:
        return {one["team"]: one for one in client.get("/v1/teams", headers=key(*who)).json()["teams"]}

    whole = told("hr_system")
    assert told("manager", Sight("manager", "M1")) == {"Nursing B": whole["Nursing B"]}
    assert told("hr_partner", Sight("department", "Care")) == whole
    with store.begin() as tx:  # one of the twelve comes under somebody else; eleven are still seen
        tx.execute(update(employee).where(employee.c.id == "E0009").values(manager_id="M2"))
    assert told("manager", Sight("manager", "M1")) == {}
    assert told("hr_system") == whole


def test_who_leads_a_team_and_stands_in_it_still_sees_its_figures(client, key, store) -> None:
    with store.begin() as tx:
        tx.execute(update(employee).where(employee.c.id == "M1").values(team="Nursing B"))
    seen = client.get("/v1/teams", headers=key("manager", Sight("manager", "M1"))).json()["teams"]
    assert [(one["team"], one["n_people"]) for one in seen] == [("Nursing B", 13)]
    system = client.get("/v1/teams", headers=key("hr_system", Sight("manager", "M1"))).json()["teams"]
    assert system == [], "to a system that reads numbers the sum would tell the manager's own"


def test_an_objection_takes_the_line_of_the_ledger_from_systems_that_know_the_others(client, key, store, made) -> None:
    def jobs(role: str) -> list[str]:
        return [line["job"] for line in client.get("/v1/forecast", headers=key(role)).json()["lines"]]

    assert jobs("hr_system") == ["nurse", "*"]
    with store.begin() as tx:
        row = {"employee_id": "E0001", "words": "no", "opened_at": made.NOW, "due_on": made.AS_OF}
        store_contest.open_contest(tx, row)
    assert jobs("hr_system") == []
    assert jobs("hr") == ["nurse", "*"]


def test_bands_under_pseudonyms_name_no_department_that_gives_its_people_away(client, key, store, made) -> None:
    quality = {"purpose": "model_quality"}
    places = {"Reception": "Front", "Lab": "Lab"}
    people = tuple({**row, "department": places.get(row["team"], "Care")} for row in made.people())
    made.fill(
        store, scored=Scored(made.AS_OF, people, made.judged(made.assessments()), made.bundle("7"), {"employees": 4})
    )
    told = client.get("/v1/pseudonyms", params=quality, headers=key("analyst")).json()["people"]
    assert len(told) == len(people)
    assert Counter(one["department"] for one in told)["Lab"] == 0
    lab = key("analyst", Sight("department", "Lab"))
    assert client.get("/v1/pseudonyms", params=quality, headers=lab).json()["people"] == []


@pytest.mark.parametrize("given", [{"min_group": 4}, {"min_group_managers": 4}])
def test_fewer_than_five_are_refused_at_the_start(given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="greater than or equal to 5"):
        Settings(**given)
