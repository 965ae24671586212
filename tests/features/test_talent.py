"""What a growth file is made of: the newest of what was known on the day, and nothing that became known later."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest

from features import snapshots
from features.tables import canonical
from features.talent import found_by_interest, from_plain, ground, to_plain

DAY = date(2026, 10, 31)


def days_ago(n: int) -> date:
    return DAY - timedelta(days=n)


def records(**more: list[dict]) -> dict[str, pl.LazyFrame]:
    """A clinic of four: Ann leads; Bo is a nurse; Cy sits in another team; Di has given notice."""
    tables: dict[str, list[dict]] = {
        "employees": [{"employee_id": one, "hired_on": days_ago(1000)} for one in ("ann", "bo", "cy", "di")],
        "exits": [
            {"employee_id": "di", "happened_on": DAY + timedelta(20), "kind": "voluntary", "known_on": days_ago(5)}
        ],
        "positions": [
            post("ann", 1000, ("ward", "lead", 3), None, "management"),
            post("bo", 1000, ("ward", "nurse", 1), "ann"),
            post("bo", 400, ("ward", "nurse", 2), "ann"),
            post("cy", 1000, ("lab", "technician", 2), "ann"),
            post("di", 1000, ("ward", "nurse", 2), "ann"),
        ],
    }
    return {
        name: frame.lazy()
        for name, frame in canonical({n: pl.DataFrame(r) for n, r in (tables | more).items()}).items()
    }


def post(one: str, ago: int, what: tuple[str, str, int], manager: str | None, ladder: str = "professional") -> dict:
    team, job, level = what
    place = {"employee_id": one, "happened_on": days_ago(ago), "department": "Care", "team": team, "location": "North"}
    return {**place, "job": job, "level": level, "manager_id": manager, "ladder": ladder}


def one(who: str, **more: list[dict]):
    return ground(records(**more), DAY).people[who]


def test_a_list_of_employees_alone_gives_files_that_know_nothing() -> None:
    rows = {"employees": records()["employees"]}
    found = ground(rows, DAY)
    assert list(found.people) == ["ann", "bo", "cy", "di"]
    assert (found.people["ann"].job, found.people["ann"].skills, found.courses) == (None, None, ())


def test_everybody_employed_has_a_file_and_nobody_under_notice() -> None:
    found = ground(records(), DAY).people
    assert list(found) == ["ann", "bo", "cy"]
    assert set(found) == set(snapshots.at_risk(records(), [DAY])["employee_id"])


def test_the_post_says_where_somebody_is_since_when_and_whom_they_lead() -> None:
    bo = one("bo")
    assert (bo.job, bo.level, bo.team, bo.manager_id) == ("nurse", 2, "ward", "ann")
    assert (bo.level_since, bo.stepped_on) == (days_ago(400), days_ago(400))
    assert (one("ann").n_reports, one("ann").level_since, one("ann").stepped_on) == (2, days_ago(1000), None)


def test_the_newest_level_of_a_skill_counts_and_the_gain_is_over_a_year() -> None:
    rated = [
        {"employee_id": "bo", "happened_on": days_ago(500), "skill": "triage", "level": 1.0},
        {"employee_id": "bo", "happened_on": days_ago(100), "skill": "triage", "level": 3.0},
        {"employee_id": "bo", "happened_on": days_ago(100), "skill": "talk", "level": 4.0},
        {"employee_id": "bo", "happened_on": days_ago(3), "skill": "triage", "level": 5.0},  # known a week later
    ]
    bo = one("bo", skills=rated)
    assert bo.skills == {"triage": 3.0, "talk": 4.0}
    assert bo.skills_gained == 2.0


def test_a_table_that_is_absent_says_nothing_and_one_that_is_there_says_zero() -> None:
    silent = one("cy")
    assert (silent.praise, silent.goals_open, silent.learning_hours, silent.colleagues, silent.skills) == (None,) * 5
    praise = [{"employee_id": "bo", "happened_on": days_ago(30), "kind": "rescue", "given_by": "ann"}]
    goals = [{"goal_id": "g", "employee_id": "bo", "happened_on": days_ago(9), "progress": 0.5, "due_on": days_ago(1)}]
    met = [{"employee_id": "bo", "happened_on": days_ago(9), "kind": "message", "counterpart_id": "ann"}]
    told = one("cy", recognitions=praise, goals=goals, interactions=met)
    assert (told.praise, told.goals_overdue, told.colleagues) == ({}, 0, 0)
    assert (told.helped, told.projects) == (None, None)  # nobody's help is recorded anywhere
    bo = one("bo", recognitions=praise, goals=goals, interactions=met)
    assert (bo.praise, bo.goals_open, bo.goals_overdue, bo.colleagues) == ({"rescue": 1}, 1, 1, 1)


def test_nobody_praises_themselves_and_old_praise_is_over() -> None:
    rows = [
        {"employee_id": "bo", "happened_on": days_ago(30), "kind": "rescue", "given_by": "bo"},
        {"employee_id": "bo", "happened_on": days_ago(731), "kind": "award", "given_by": None},
        {"employee_id": "bo", "happened_on": days_ago(700), "kind": "award", "given_by": None},
    ]
    assert one("bo", recognitions=rows).praise == {"award": 1}


def test_ties_count_whoever_began_and_tell_far_colleagues_apart() -> None:
    rows = [
        {"employee_id": "cy", "happened_on": days_ago(20), "kind": "help_given", "counterpart_id": "bo"},
        {"employee_id": "bo", "happened_on": days_ago(20), "kind": "project", "counterpart_id": "ann", "n": 4},
        {"employee_id": "bo", "happened_on": days_ago(400), "kind": "message", "counterpart_id": "di"},
    ]
    bo, cy = one("bo", interactions=rows), one("cy", interactions=rows)
    assert (bo.colleagues, bo.far_colleagues, bo.helped, bo.projects) == (2, 1, 0, 4)
    assert (cy.colleagues, cy.far_colleagues, cy.helped, cy.projects) == (1, 1, 1, 0)


def test_the_last_wish_and_the_last_interests_may_be_of_different_days() -> None:
    told = [
        {"employee_id": "bo", "happened_on": days_ago(300), "wants": "none", "interests": "choir; hiking"},
        {"employee_id": "bo", "happened_on": days_ago(30), "wants": "transfer", "target_job": "technician"},
    ]
    bo = one("bo", aspirations=told)
    assert (bo.wants, bo.target_job, bo.wished_on, bo.interests) == (
        "transfer",
        "technician",
        days_ago(30),
        ("choir", "hiking"),
    )


def test_ratings_are_the_managers_newest_first_as_shares() -> None:
    rows = [
        {"employee_id": "bo", "happened_on": days_ago(400), "rating": 3.0, "reviewer_id": "ann", "source": "manager"},
        {"employee_id": "bo", "happened_on": days_ago(40), "rating": 4.0, "reviewer_id": "ann", "source": "manager"},
        {"employee_id": "bo", "happened_on": days_ago(40), "rating": 1.0, "reviewer_id": "cy", "source": "peer"},
    ]
    assert one("bo", reviews=rows).ratings == ((days_ago(40), 0.8), (days_ago(400), 0.6))


def test_courses_teach_one_or_several_skills_and_requirements_add_up_over_levels() -> None:
    offered = [
        {"course_id": "c1", "title": None, "skill": "triage; talk", "to_level": 3.0, "hours": 8.0},
        {"course_id": "c2", "title": "No hours", "skill": "triage", "to_level": 3.0, "hours": None},
    ]
    asked = [
        {"job": "nurse", "level": None, "skill": "talk", "required_level": 2.0},
        {"job": "nurse", "level": 2, "skill": "talk", "required_level": 3.0},
        {"job": "nurse", "level": 3, "skill": "triage", "required_level": 4.0},
    ]
    found = ground(records(courses=offered, job_skills=asked), DAY)
    assert [(c.course_id, c.title, c.skills) for c in found.courses] == [("c1", "c1", ("triage", "talk"))]
    assert found.requirements("nurse", 2) == {"talk": 3.0}
    assert found.requirements("nurse", 3) == {"talk": 2.0, "triage": 4.0}
    assert found.requirements("cook", 1) == {}


def test_activities_to_come_that_match_an_interest_are_found_by_any_case() -> None:
    rows = [
        {"activity_id": "a", "title": "Choir", "interest": "Choir", "happened_on": DAY + timedelta(9)},
        {"activity_id": "b", "title": "Past", "interest": "choir", "happened_on": days_ago(9)},
        {"activity_id": "c", "title": "Hike", "interest": "hiking", "happened_on": DAY + timedelta(3)},
    ]
    found = ground(records(activities=rows), DAY).activities
    assert [one.activity_id for one in found] == ["c", "a"]
    assert [one.activity_id for one in found_by_interest(found, ["choir"])] == ["a"]


LATER = {
    "skills": {"employee_id": "bo", "happened_on": days_ago(1), "skill": "triage", "level": 5.0},
    "learning": {
        "employee_id": "bo",
        "happened_on": days_ago(1),
        "course_id": "c",
        "status": "completed",
        "hours": 9.0,
    },
    "reviews": {"employee_id": "bo", "happened_on": days_ago(1), "rating": 5.0, "source": "manager"},
    "recognitions": {"employee_id": "bo", "happened_on": days_ago(1), "kind": "award"},
    "goals": {"goal_id": "g", "employee_id": "bo", "happened_on": DAY + timedelta(1), "progress": 1.0},
    "interactions": {"employee_id": "bo", "happened_on": DAY, "kind": "project", "counterpart_id": "ann"},
    "attendance": {"employee_id": "bo", "happened_on": days_ago(1), "overtime_hours": 80.0},
    "aspirations": {"employee_id": "bo", "happened_on": DAY + timedelta(1), "wants": "transfer"},
    "positions": {**post("bo", 0, ("lab", "lead", 9), None), "happened_on": DAY + timedelta(1)},
}


@pytest.mark.parametrize("table", LATER)
def test_what_becomes_known_or_true_later_changes_no_file(table: str) -> None:
    before = records()
    rows = [LATER[table]] if table != "positions" else None
    if rows is None:
        added = canonical({"positions": pl.DataFrame([LATER[table]])})["positions"].lazy()
        after = {**before, "positions": pl.concat([before["positions"], added], how="diagonal_relaxed")}
    else:
        after = records(**{table: rows})
    assert ground(after, DAY).people["bo"] == ground(before, DAY).people["bo"]


def test_a_record_survives_the_way_through_json() -> None:
    bo = one(
        "bo",
        skills=[{"employee_id": "bo", "happened_on": days_ago(90), "skill": "triage", "level": 1.5}],
        reviews=[{"employee_id": "bo", "happened_on": days_ago(90), "rating": 4.0, "source": "manager"}],
        aspirations=[{"employee_id": "bo", "happened_on": days_ago(9), "wants": "skill", "interests": "choir"}],
    )
    assert from_plain(json.loads(json.dumps(to_plain(bo)))) == bo
