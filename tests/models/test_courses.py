"""The plan of courses: exact against trying everything, chains in order, and as far as courses go."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.talent import Course
from models.courses import Gap, fewest_hours

REACH = 2.0


def course(number: str, skills: str, to_level: float, hours: float) -> Course:
    return Course(number, number, tuple(skills.split(";")), to_level, hours)


def after(gaps: list[Gap], taken: tuple[Course, ...]) -> dict[str, float]:
    """The level of each skill once the courses are taken, lowest first, each only when its start is within reach."""
    levels = {gap.skill: gap.held for gap in gaps}
    reached = {skill: {held} for skill, held in levels.items()}
    for one in sorted(taken, key=lambda c: c.to_level):
        for skill in one.skills:
            if skill in reached and any(one.to_level - REACH <= level < one.to_level for level in reached[skill]):
                reached[skill].add(one.to_level)
    return {skill: max(found) for skill, found in reached.items()}


def by_trying_everything(gaps: list[Gap], courses: list[Course]) -> float:
    """The fewest hours of all sets of courses that close every gap as far as all courses together can."""
    best = after(gaps, tuple(courses))
    wanted = {gap.skill: min(gap.wanted, max(best[gap.skill], gap.held)) for gap in gaps}
    sets = (taken for n in range(len(courses) + 1) for taken in combinations(courses, n))
    fits = (taken for taken in sets if all(after(gaps, taken)[s] >= level for s, level in wanted.items()))
    return min(sum(one.hours for one in taken) for taken in fits)


SKILLS = ("a", "b", "c")
LEVELS = st.integers(0, 5).map(float)
OFFERS = st.lists(
    st.tuples(st.sets(st.sampled_from(SKILLS), min_size=1, max_size=2), st.integers(1, 5), st.integers(1, 20)),
    max_size=7,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(SKILLS), st.tuples(LEVELS, LEVELS), max_size=3), OFFERS)
def test_no_set_of_courses_closes_as_much_in_fewer_hours(held_wanted: dict, offers: list) -> None:
    gaps = [Gap(skill, held, wanted) for skill, (held, wanted) in held_wanted.items() if wanted > held]
    courses = [course(f"k{i}", ";".join(sorted(s)), float(to), float(h)) for i, (s, to, h) in enumerate(offers)]
    plan = fewest_hours(gaps, courses, reach=REACH)
    assert plan.hours == pytest.approx(by_trying_everything(gaps, courses))
    levels = after(gaps, tuple(step.course for step in plan.steps))
    best = after(gaps, tuple(courses))
    assert all(levels[gap.skill] >= min(gap.wanted, best[gap.skill]) for gap in gaps)


def test_an_advanced_course_needs_the_basic_one_first_and_stands_after_it() -> None:
    offer = [course("advanced", "a", 4, 12), course("basic", "a", 2, 6)]
    plan = fewest_hours([Gap("a", 0, 4)], offer, reach=REACH)
    assert [step.course.course_id for step in plan.steps] == ["basic", "advanced"]
    assert fewest_hours([Gap("a", 2, 4)], offer, reach=REACH).hours == 12


def test_one_course_for_two_skills_beats_two_courses_when_it_is_shorter() -> None:
    offer = [course("both", "a;b", 2, 7), course("a", "a", 2, 4), course("b", "b", 2, 4)]
    plan = fewest_hours([Gap("a", 0, 2), Gap("b", 1, 2)], offer, reach=REACH)
    assert [(step.course.course_id, step.closes) for step in plan.steps] == [("both", (("a", 2), ("b", 2)))]


def test_what_no_course_reaches_is_closed_as_far_as_courses_go() -> None:
    plan = fewest_hours([Gap("a", 2, 5)], [course("k", "a", 4, 9)], reach=REACH)
    assert (plan.hours, plan.reached) == (9, {"a": 4})
    assert fewest_hours([Gap("a", 0, 5)], [course("k", "a", 4, 9)], reach=REACH).steps == ()


def test_nothing_missing_needs_nothing() -> None:
    assert fewest_hours([Gap("a", 3, 3)], [course("k", "a", 4, 9)], reach=REACH).steps == ()


def test_two_plans_alike_are_decided_by_the_course_number_whatever_the_order() -> None:
    offer = [course(f"k{i}", "a", 2, 5) for i in range(4)]
    for order in (offer, offer[::-1]):
        assert fewest_hours([Gap("a", 0, 2)], order, reach=REACH).steps[0].course.course_id == "k0"
