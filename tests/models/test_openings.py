"""Skills that will be needed and posts to fill: fewest hours together, contributions first, wishes respected."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import FixableError
from features.talent import Course, Ground, Talent
from models.growth_rules import load
from models.openings import Need, Opening, match, read_needs, shortlist

DAY = date(2026, 10, 31)
RULES = load()
COURSES = (
    Course("s1", "Scan basics", ("scan",), 2, 6),
    Course("s2", "Scan advanced", ("scan",), 4, 12),
    Course("l1", "Lab", ("lab",), 2, 9),
)


def person(one: str, **other) -> Talent:
    return Talent(one, **{"hired_on": DAY - timedelta(900), "job": "nurse", "level": 2, "skills": {}, **other})


def house(*people: Talent, asked=None) -> Ground:
    return Ground(DAY, {one.employee_id: one for one in people}, COURSES, asked or {}, ())


def chosen(needs: list[Need], *people: Talent) -> list[list[str]]:
    return [[one.employee_id for one in found.proposed] for found in match(needs, house(*people), rules=RULES)]


def test_the_fewest_hours_come_first_and_who_holds_it_is_counted() -> None:
    people = [person("none"), person("some", skills={"scan": 2.0}), person("holds", skills={"scan": 4.0})]
    found = match([Need("scan", 4, 1)], house(*people), rules=RULES)[0]
    assert (found.n_holding, found.n_possible) == (1, 2)
    assert [(one.employee_id, one.hours, one.courses) for one in found.proposed] == [("some", 12, ("Scan advanced",))]


def test_a_wish_halves_the_hours_and_a_wish_for_no_change_is_respected() -> None:
    assert chosen([Need("scan", 2, 1)], person("a"), person("b", wants="skill")) == [["b"]]
    assert chosen([Need("scan", 2, 1)], person("a", wants="none"), person("b", overtime_week=20.0)) == [[]]


def test_what_no_course_teaches_costs_practice() -> None:
    found = match([Need("scan", 5, 1)], house(person("a")), rules=RULES)[0].proposed[0]
    assert (found.hours, found.practice_hours) == (18 + 40, 40)


def test_nobody_is_proposed_twice() -> None:
    found = chosen([Need("scan", 2, 1), Need("lab", 2, 1)], person("a"), person("b"))
    assert sorted(one for part in found for one in part) == ["a", "b"]
    assert sum(len(part) for part in chosen([Need("scan", 2, 1), Need("lab", 2, 1)], person("a"))) == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.booleans()), min_size=2, max_size=5))
def test_no_other_assignment_takes_fewer_hours(levels: list) -> None:
    people = [
        person(f"p{i}", skills={"scan": float(s), "lab": float(k)}, wants="skill" if w else None)
        for i, (s, k, w) in enumerate(levels)
    ]
    needs = [Need("scan", 4, 1), Need("lab", 2, 1)]
    cost = [
        {
            one.proposed[0].employee_id: one.proposed[0].hours * (0.5 if "wishes_it" in one.proposed[0].reasons else 1)
            for p in people
            if (one := match([need], house(p), rules=RULES)[0]).proposed
        }
        for need in needs
    ]
    pairs = [(a, b) for a, b in permutations([p.employee_id for p in people], 2) if a in cost[0] and b in cost[1]]
    found = match(needs, house(*people), rules=RULES)
    if pairs:
        best = min(cost[0][a] + cost[1][b] for a, b in pairs)
        taken = sum(cost[i][one.employee_id] for i, part in enumerate(found) for one in part.proposed)
        assert taken == pytest.approx(best)
    else:
        assert sum(len(part.proposed) for part in found) == min(1, len(cost[0]) + len(cost[1]))


LISTS = {
    "toml": '[[need]]\nskill = "scan"\nlevel = 3\npeople = 2\n[[need]]\nskill = "lab"\nlevel = 2\n',
    "csv": "skill,level,people\nscan,3,2\nlab,2,\n",
    "lines": "scan, 3, 2\nlab，2\n",
}


@pytest.mark.parametrize("form", LISTS)
def test_needs_are_read_from_toml_csv_and_lines(form: str) -> None:
    assert read_needs(LISTS[form], form=form) == (Need("scan", 3, 2), Need("lab", 2, 1))


@pytest.mark.parametrize(
    "text", ["", "scan", "scan, 9", "scan, 3, 0", "scan, 3, 1.5", "scan, x", "scan, nan", "a, 5, 100\n" * 3]
)
def test_a_list_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(FixableError):
        read_needs(text, form="lines")


ASKED = {("nurse", 3): {"scan": 3.0, "lab": 3.0}}


def on_list(*people: Talent, given: dict | None = None) -> list[str]:
    found = shortlist(Opening("nurse", 3), house(*people, asked=ASKED), given or {}, rules=RULES)
    return [one.employee_id for one in found]


def test_contributions_come_before_skills_on_a_shortlist() -> None:
    skilled, giving = (
        person("skilled", skills={"scan": 5.0, "lab": 5.0}),
        person("giving", skills={"scan": 2.0, "lab": 2.0}),
    )
    assert on_list(skilled, giving, given={"giving": {"rescue": 2}}) == ["giving", "skilled"]
    assert on_list(skilled, giving) == ["skilled", "giving"]


def test_who_is_far_from_the_post_or_in_it_or_wants_no_change_is_not_on_it() -> None:
    able = {"scan": 3.0, "lab": 3.0}
    people = [
        person("in it", level=3, skills=able),
        person("far below", level=0, skills=able),
        person("above", level=4, skills=able),
        person("content", wants="none", skills=able),
        person("unskilled", skills={"scan": 1.0, "lab": 1.0}),
        person("other job, unrated", job="cook", skills={}),
    ]
    assert on_list(*people) == []
    assert on_list(person("same job, unrated", skills={})) == ["same job, unrated"]


def test_a_shortlist_says_what_is_missing_and_what_is_wished() -> None:
    one = person("a", wants="promotion", skills={"scan": 3.0, "lab": 2.0}, level_since=DAY - timedelta(400))
    found = shortlist(Opening("nurse", 3), house(one, asked=ASKED), {"a": {"award": 1}}, rules=RULES)[0]
    assert (found.wishes, found.skills_met, found.missing, found.months_in_level) == (
        True,
        0.5,
        (("lab", 2.0, 3.0),),
        13,
    )
