"""The organisation's plan for those who may see it: in groups, names only with a purpose, never a risk."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from models.care import CarePlan, Carried, Option, plan
from models.own_catalog import load_with_own
from serving.cli import app as command_line
from serving.groups import together
from serving.score import Scored
from serving.store import Store
from serving.store_people import Sight

ROUTE, PEOPLE = "/v1/care-plans/allocation", "/v1/care-plans/people"
CARE = {"purpose": "retention_care"}
VOICE, COURSE = Option("voice_and_follow_up", "fairness", 0.012, 0.006), Option("skill_course", "growth", 0.02, 0.01)


@pytest.fixture
def with_options(store: Store, made) -> Store:
    """Every judged person could be offered a course or the team's voice; the departments are two and a small one."""
    said = [
        one if one.band == "cannot_judge" else replace(one, plan=replace(one.plan, options=(COURSE, VOICE)))
        for one in made.assessments()
    ]
    places = {"Reception": "Front", "Lab": "Lab"}
    people = tuple({**row, "department": places.get(row["team"], "Care")} for row in made.people())
    made.fill(store, scored=Scored(made.AS_OF, people, made.judged(tuple(said)), made.bundle("7"), {"employees": 4}))
    return store


def test_hr_reads_what_each_department_would_do_and_what_more_would_add(client: TestClient, key, with_options, made):
    answer = client.get(ROUTE, params={"budget": 2000, "hours": 2}, headers=key("hr_system")).json()
    assert answer["n_planned"] > 0
    assert answer["money"] <= 2000
    told = answer["avoided"]
    assert 0 <= told["low"] <= told["expected"] <= told["high"]
    assert answer["gap"] < 0.01
    assert {type(told[name]) for name in told} == {int}
    assert answer["more_money"] in (0, 0.1, 0.2, 0.5)
    names = {line["department"] for line in answer["lines"]}
    assert names <= {"Care", "Front", "*"}
    assert "Lab" not in names, "three people are told together with others"
    assert sum(line["n_planned"] for line in answer["lines"]) == answer["n_planned"]
    assert {a["action"] for line in answer["lines"] for a in line["actions"]} <= {"voice_and_follow_up", "skill_course"}
    last = made.entries()[-1]
    assert (last["action"], last["result"], last["employee_id"]) == ("allocation.read", "shown", None)


def test_no_answer_holds_a_name_a_risk_or_a_band(client: TestClient, key, signed_in, with_options, made) -> None:
    text = client.get(ROUTE, params={"budget": 1500}, headers=key("hr_system")).text
    text += signed_in("hr").get("/allocation", params={"budget": 1500}).text
    assert not [word for word in ("E0001", "Anna Berg", "0.2187", "band", "risk_") if word in text]


def test_a_department_with_few_planned_people_shows_no_exits_avoided(client: TestClient, key, with_options) -> None:
    answer = client.get(ROUTE, params={"budget": 0, "hours": 0.75}, headers=key("hr_system")).json()
    few = [line for line in answer["lines"] if line["n_planned"] < 5]
    assert few
    assert all(line["avoided"] is None for line in few)


def test_names_are_for_a_purpose_and_each_is_written_down(client: TestClient, key, with_options, made) -> None:
    answer = client.get(PEOPLE, params={**CARE, "budget": 1500}, headers=key("hr_system")).json()
    numbers = [one["employee_id"] for one in answer["people"]]
    assert len(numbers) == len(set(numbers)) > 3
    order = [(one["department"], one["team"], one["employee_id"]) for one in answer["people"]]
    assert order == sorted(order), "by place and number: nobody is ranked"
    assert set(answer["people"][0]) == {"employee_id", "department", "team", "manager_id", "action"}
    looked = [e["employee_id"] for e in made.entries() if e["action"] == "allocation.people"]
    assert sorted(looked) == sorted(numbers)
    assert client.get(PEOPLE, headers=key("hr_system")).status_code == 422


@pytest.mark.parametrize("kind", ["manager", "team"])
def test_who_sees_only_a_team_or_a_line_of_reports_gets_no_plan(kind, client, key, signed_in, with_options) -> None:
    sight = Sight(kind, "M1" if kind == "manager" else "Nursing B")
    assert client.get(ROUTE, headers=key("hr_system", sight)).status_code == 404
    assert client.get(PEOPLE, params=CARE, headers=key("hr_system", sight)).status_code == 404
    assert signed_in("hr", sight).get("/allocation").status_code == 404
    assert "/allocation" not in signed_in("hr", sight).get("/").text


def test_who_sees_a_department_plans_for_its_people_alone(client: TestClient, key, with_options) -> None:
    headers = key("hr_system", Sight("department", "Front"))
    answer = client.get(ROUTE, params={"budget": 9000}, headers=headers).json()
    assert [line["department"] for line in answer["lines"]] == ["Front"]


def test_people_set_aside_or_cared_for_already_are_not_planned_for(
    client, key, signed_in, form_of, with_options
) -> None:
    rich = {**CARE, "budget": 1e6, "hours": 50}
    before = {one["employee_id"] for one in client.get(PEOPLE, params=rich, headers=key("hr_system")).json()["people"]}
    browser = signed_in("hr")
    origin = {"origin": "http://127.0.0.1:8000"}
    aside = {**form_of(browser), "decision": "disregard", "reason": "on leave"}
    browser.post("/people/E0001/override", data=aside, headers=origin)
    agreed = {"employee_id": "E0002", "action": "career_talk", "step": "agree", "decided_by": "M1"}
    opened = client.post("/v1/cases", params=CARE, json=agreed, headers=key("hr_system"))
    assert opened.status_code == 201, opened.text
    after = {one["employee_id"] for one in client.get(PEOPLE, params=rich, headers=key("hr_system")).json()["people"]}
    assert before - after == {"E0001", "E0002"}


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("Plan for the organisation", "Money for this round", "for round limits alone", "Several small ones")),
        ("zh", ("单位整体的关怀计划", "本轮可用的钱", "只有在限额为整数档时", "若干人数较少的部门")),
    ],
)
def test_the_page_says_what_would_be_done_and_how_to_read_it(lang: str, words, signed_in, with_options) -> None:
    page = signed_in("hr").get("/allocation", params={"lang": lang, "budget": 3000, "hours": 3})
    assert page.status_code == 200
    assert [word for word in words if word not in page.text] == []
    assert page.text.count('data-shown="') == 8
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert page.text.count("<td") == page.text.count("<td data-name="), "on a phone every cell names its column"


def test_without_options_the_page_says_that_nothing_fits(signed_in) -> None:
    assert "Nothing fits within these limits" in signed_in("hr").get("/allocation").text


@pytest.mark.parametrize(
    "asked", [{"budget": -1}, {"hours": "nan"}, {"hours": 201}, {"most_each": 4}, {"budget": "inf"}]
)
def test_senseless_limits_are_refused(asked: dict, client: TestClient, key) -> None:
    assert client.get(ROUTE, params=asked, headers=key("hr_system")).status_code == 422


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_command_shows_departments_and_writes_names_to_a_file(lang: str, tmp_path: Path, with_options) -> None:
    file = tmp_path / "who.csv"
    told = ["plan", "--budget", "3000", "--hours", "2", "--names", str(file), "--state", str(tmp_path), "--lang", lang]
    shown = CliRunner().invoke(command_line, told)
    assert shown.exit_code == 0, shown.output
    assert "E0001" not in shown.stdout
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert rows
    assert tuple(rows[0]) == ("employee_id", "name", "department", "team", "manager_id", "action")


@pytest.mark.only("sqlite")
def test_an_action_switched_off_since_scoring_is_planned_for_nobody(tmp_path: Path, with_options) -> None:
    (tmp_path / "care.toml").write_text('off = ["voice_and_follow_up", "skill_course"]', encoding="utf-8")
    shown = CliRunner().invoke(command_line, ["plan", "--budget", "9000", "--state", str(tmp_path), "--lang", "en"])
    assert "Nothing fits" in shown.stdout


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ({"a": 9, "b": 7}, {"a": 9, "b": 7}),
        ({"a": 9, "b": 3}, {"*": 12}),
        ({"a": 9, "b": 3, "c": 4}, {"a": 9, "*": 7}),
        ({"a": 3}, {"*": 3}),
    ],
)
def test_small_departments_are_told_together_with_enough_others(sizes: dict, told: dict) -> None:
    names = [name for name, n in sizes.items() for _ in range(n)]
    found = together(names, min_group=5)
    assert {name: found.count(name) for name in set(found)} == told


def test_the_page_of_a_person_says_where_the_belief_in_an_action_comes_from(signed_in, store: Store, made) -> None:
    raised = Carried({"pay": 0.9}, {"pay": 0.9})
    care = plan(raised, {"compa_ratio": 0.8}, band="act", catalog=load_with_own(Path("no own file")), risk=0.2)
    said = tuple(replace(one, plan=care) if one.employee_id == "E0001" else one for one in made.assessments())
    made.fill(store, scored=Scored(made.AS_OF, made.people(), made.judged(said), made.bundle("7"), {"employees": 4}))
    page = signed_in("manager").get("/people/E0001").text
    assert "Prior from published studies: exits" in page
    assert "it helps with a probability of" in page
    assert str(round(care.options[0].avoided, 4)) not in page


def test_options_leave_the_store_in_no_answer_about_a_person(client: TestClient, key, with_options) -> None:
    answer = client.get("/v1/employees/E0001/risk", params=CARE, headers=key("hr_system")).json()
    assert set(answer["plan"]) == {"actions", "empty_because_en", "empty_because_zh"}
    assert CarePlan(()).options == ()
