"""Readiness, potential, companions and the whole file, on drawn people; and the rules file of a house."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import FixableError
from features.talent import Course, Ground, Talent
from models import growth_rules
from models.companions import buddy, circle, hosts, mentors
from models.growth_rules import LADDERS, MEASURES, load
from models.readiness import next_post, posts, potential, ranked, readiness, verdict
from models.talent import growth_files, to_plain, wished_post

DAY = date(2026, 10, 31)
RULES = load()
ASKED = {("nurse", 2): {"triage": 2.0, "talk": 3.0}, ("nurse", 3): {"triage": 3.0, "talk": 3.0}}
COURSES = (Course("basic", "Basic", ("triage",), 2, 6), Course("advanced", "Advanced", ("triage",), 4, 12))


def nurse(one: str, **other) -> Talent:
    facts = {
        "hired_on": DAY - timedelta(1000),
        "department": "Care",
        "team": "ward",
        "location": "North",
        "job": "nurse",
        "ladder": "professional",
        "level": 2,
        "manager_id": "boss",
        "level_since": DAY - timedelta(800),
        "skills": {"triage": 2.0, "talk": 3.0},
        "ratings": ((DAY - timedelta(60), 0.8), (DAY - timedelta(240), 0.8)),
        "goals_open": 1,
        "goals_overdue": 0,
        "goals_done": 2,
        "praise": {"rescue": 1},
        "colleagues": 12,
        "far_colleagues": 6,
        "helped": 3,
        "projects": 4,
        "learning_hours": 10.0,
    }
    return Talent(one, **{**facts, **other})


def clinic(*people: Talent) -> Ground:
    return Ground(DAY, {one.employee_id: one for one in people}, COURSES, ASKED, ())


def step(person: Talent, ladder: str = "professional", *others: Talent):
    ground = clinic(person, *others)
    return readiness(person, ladder, ground, posts(ground.people.values()), rules=RULES)


def state(found, rule: str) -> str:
    return next(check.state for check in found.checks if check.rule == rule)


def test_who_meets_every_rule_is_ready_and_each_rule_is_told_in_both_languages() -> None:
    found = step(nurse("a", skills={"triage": 4.0, "talk": 3.0}))
    assert (found.verdict, found.job, found.level) == ("ready", "nurse", 3)
    assert all(check.text_en and check.text_zh and "{" not in check.text_en + check.text_zh for check in found.checks)


@pytest.mark.parametrize(
    ("change", "rule", "expected"),
    [
        ({"level_since": DAY - timedelta(100)}, "time_in_level", "missing"),
        ({"level_since": None}, "time_in_level", "unknown"),
        ({"skills": {"triage": 4.0, "talk": 2.0}}, "skills", "missing"),
        ({"skills": None}, "skills", "unknown"),
        ({"ratings": ((DAY, 0.9), (DAY - timedelta(9), 0.5))}, "ratings", "missing"),
        ({"ratings": ()}, "ratings", "unknown"),
        ({"goals_overdue": 2}, "goals", "missing"),
        ({"praise": None}, "contribution", "unknown"),
        ({"praise": {}}, "contribution", "missing"),
    ],
    ids=str,
)
def test_what_is_missing_and_what_is_not_known_are_told_apart(change: dict, rule: str, expected: str) -> None:
    found = step(nurse("a", **{"skills": {"triage": 4.0, "talk": 3.0}, **change}))
    assert state(found, rule) == expected
    assert found.verdict != "ready"


def test_the_management_ladder_asks_for_other_things_at_a_post_that_exists() -> None:
    lead = nurse("lead", ladder="management", job="head nurse", level=3)
    found = step(nurse("a", helped=0), "management", lead)
    assert (found.job, found.level) == ("head nurse", 3)
    assert {check.rule for check in found.checks} >= {"breadth", "helps"}
    assert state(found, "helps") == "missing"
    assert step(nurse("a"), "management") is None


def test_the_wished_job_leads_on_the_other_ladder() -> None:
    lead = nurse("lead", ladder="management", job="head nurse", level=3)
    other = nurse("other", ladder="management", job="head of training", level=2)
    known = posts([lead, other])
    assert next_post(nurse("a", target_job="head of training"), "management", known) == ("head of training", 2)


def test_with_half_of_the_rules_unknown_nothing_is_said() -> None:
    bare = nurse("a", skills=None, ratings=(), praise=None, level_since=None, goals_overdue=None)
    assert step(bare).verdict == "cannot_judge"
    assert verdict(()) == "cannot_judge"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 40), min_size=5, max_size=12), st.integers(0, 40), st.integers(0, 10))
def test_more_of_a_sign_never_places_somebody_lower_and_few_peers_place_nobody(others, hours, more) -> None:
    peers = [nurse(f"p{i}", learning_hours=h) for i, h in enumerate(others)]
    order = {"room": 0, "as": 1, "above": 2}

    def place(value: float) -> int:
        person = nurse("a", learning_hours=value)
        found = potential(person, ranked([*peers, person]), least=5)
        return next(order[one.place] for one in found if one.measure == "learning_hours")

    assert place(hours) <= place(hours + more)
    assert potential(nurse("a"), ranked([*peers[:4], nurse("a")]), least=5) == ()


def test_what_all_peers_have_alike_puts_nobody_above_or_below() -> None:
    alike = ranked(nurse(f"p{i}") for i in range(6))
    assert {one.place for one in potential(nurse("p0"), alike, least=5)} == {"as"}


def far(one: str, **other) -> Talent:
    return nurse(one, **{"team": "lab", "manager_id": "chief", "skills": {"triage": 4.0}, **other})


def named(person: Talent, *others: Talent) -> list[str]:
    ground = clinic(person, *others)
    return [one.employee_id for one in mentors(person, "triage", 3.0, among=circle(ground, RULES))]


def test_a_mentor_is_ahead_of_another_team_and_near() -> None:
    near, away = far("near"), far("away", location="South", skills={"triage": 5.0})
    assert named(nurse("a"), away, near) == ["near", "away"]
    assert named(nurse("a"), far("level", skills={"triage": 2.5})) == []


@pytest.mark.parametrize(
    "unfit",
    [
        {"team": "ward"},
        {"employee_id": "boss"},
        {"manager_id": "a"},
        {"overtime_week": 9.0},
        {"n_reports": 9},
    ],
    ids=str,
)
def test_nobody_of_the_own_team_or_line_and_nobody_overloaded_is_named(unfit: dict) -> None:
    one = replace(far("m"), **unfit)
    assert named(nurse("a"), one) == []
    assert named(nurse("a"), far("m")) == ["m"]


def test_nobody_is_first_choice_for_more_than_two() -> None:
    people = [nurse(f"a{i}") for i in range(5)]
    files = growth_files(clinic(*(replace(p, level=3) for p in people), far("m1"), far("m2")), RULES)
    first = [file.companions[0].employee_id for file in files.values() if file.companions]
    assert sorted(first) == ["m1", "m1", "m2", "m2"]


def test_a_buddy_is_of_the_team_knows_the_house_and_looks_after_two_at_most() -> None:
    new = [nurse(f"n{i}", hired_on=DAY - timedelta(10)) for i in range(4)]
    old, young = nurse("old"), nurse("young", hired_on=DAY - timedelta(200))
    among = circle(clinic(*new, old, young), RULES)
    found = [buddy(one, among=among) for one in new]
    assert [[one.employee_id for one in part] for part in found] == [["old"], ["old"], [], []]
    assert set(found[0][0].reasons) >= {"same_team", "same_job", "knows_house"}
    assert buddy(old, among=among) == ()


def test_a_buddy_with_few_ties_is_not_named() -> None:
    new = nurse("n", hired_on=DAY - timedelta(10))
    others = [nurse("lonely", colleagues=1), nurse("known", colleagues=30, job="cook"), nurse("x", colleagues=12)]
    found = buddy(new, among=circle(clinic(new, *others), RULES))
    assert found[0].employee_id == "x"


def test_a_project_is_with_another_team_where_enough_hold_the_skill() -> None:
    lab = [far(f"l{i}", skills={"triage": 4.0, "talk": 1.0}) for i in range(3)]
    found = hosts(nurse("a"), "triage", 3.0, among=circle(clinic(nurse("a"), *lab), RULES))
    assert found[0].gives != "triage"
    assert [(one.team, one.n_holders, one.gives) for one in found] == [("lab", 3, "talk")]
    idle = [replace(one, projects=0) for one in lab]
    assert hosts(nurse("a"), "triage", 3.0, among=circle(clinic(nurse("a"), *idle), RULES)) == ()
    assert hosts(nurse("a"), "triage", 3.0, among=circle(clinic(nurse("a"), *lab[:2]), RULES)) == ()


def test_the_wished_post_is_the_named_job_or_a_step_up_and_none_means_none() -> None:
    assert wished_post(nurse("a", wants="promotion")) == ("nurse", 3)
    assert wished_post(nurse("a", wants="transfer", target_job="cook")) == ("cook", 2)
    assert wished_post(nurse("a", wants="none", target_job="cook")) is None
    assert wished_post(nurse("a", wants="skill")) is None


def test_a_file_holds_gaps_courses_and_what_hr_is_reminded_of() -> None:
    wished_on = DAY - timedelta(200)
    person = nurse("a", wants="promotion", wished_on=wished_on, skills={"triage": 1.0, "talk": 3.0}, goals_overdue=1)
    file = growth_files(clinic(person, far("m")), RULES)["a"]
    assert [(t.kind, t.gaps) for t in file.targets] == [
        ("present", (("triage", 1.0, 2.0),)),
        ("wished", (("triage", 1.0, 3.0),)),
    ]
    assert [s.course.course_id for s in file.targets[1].plan.steps] == ["basic", "advanced"]
    assert set(file.needs) == {"wish", "course", "mentor", "goals"}
    answered = replace(person, stepped_on=wished_on + timedelta(1))
    assert "wish" not in growth_files(clinic(answered), RULES)["a"].needs


def test_a_skill_that_nobody_judged_is_no_gap_of_the_present_post() -> None:
    file = growth_files(clinic(nurse("a", skills={"other": 1.0})), RULES)["a"]
    assert (file.targets[0].gaps, file.targets[0].unrated) == ((), ("talk", "triage"))
    assert "rating" in file.needs


def test_of_somebody_unknown_a_file_says_nothing_and_asks_for_nothing() -> None:
    file = growth_files(clinic(Talent("a", DAY - timedelta(500))), RULES)["a"]
    assert (file.targets, file.steps, file.potential, file.companions, file.needs) == ((), (), (), (), ())


def test_a_completed_course_is_not_proposed_again() -> None:
    file = growth_files(clinic(nurse("a", skills={"triage": 1.0, "talk": 3.0}, done=("basic",))), RULES)["a"]
    assert file.targets[0].plan.steps == ()


def test_the_order_of_people_changes_no_file() -> None:
    people = [nurse(f"a{i}", skills={"triage": float(i % 3), "talk": 3.0}) for i in range(6)] + [far("m"), far("k")]
    assert growth_files(clinic(*people), RULES) == growth_files(clinic(*people[::-1]), RULES)


def test_no_id_of_a_colleague_is_in_what_is_stored_of_a_file() -> None:
    file = growth_files(clinic(nurse("a", skills={"triage": 0.0}), far("mentor-id")), RULES)["a"]
    assert file.companions
    assert "mentor-id" not in repr(to_plain(file))


def test_every_ladder_has_rules_and_every_measure_is_used_or_known() -> None:
    for ladder in LADDERS:
        assert len(RULES.of(ladder)) >= 5
    assert {rule.measure for rule in RULES.steps} <= set(MEASURES)


def test_a_house_may_replace_the_rules_and_keeps_the_other_numbers(tmp_path: Path) -> None:
    own = tmp_path / "growth.toml"
    own.write_text(
        '[mentors]\nnames = 1\n[[rule]]\nid="t"\nladder="both"\nmeasure="months_in_level"\nat_least=6\n'
        'en="{needed} months"\nzh="{needed} 个月"\n',
        encoding="utf-8",
    )
    rules = load(own)
    assert (rules("mentors", "names"), rules("mentors", "mentees_most")) == (1, 2)
    assert [rule.told()["text_zh"] for rule in rules.of("management")] == ["6 个月"]


def test_everything_wrong_in_the_rules_is_told_at_once(tmp_path: Path) -> None:
    own = tmp_path / "growth.toml"
    own.write_text(
        '[mentor]\nnames=1\n[mentors]\nnames=-1\nbeer=2\n[[rule]]\nid="x"\nladder="up"\nmeasure="iq"\n', "utf-8"
    )
    with pytest.raises(FixableError) as wrong:
        load(own)
    told = str(wrong.value)
    for part in (
        "[mentor] is not known",
        "mentors.beer",
        "mentors.names",
        "ladder must be",
        "measure must be",
        "at_least",
    ):
        assert part in told
    with pytest.raises(FixableError):
        load(tmp_path / "none.toml")
    own.write_text("[[[", "utf-8")
    with pytest.raises(FixableError, match="not a TOML"):
        growth_rules.load(own)
