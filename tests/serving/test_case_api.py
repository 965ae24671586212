"""Cases through the API: opened, read, moved and finished by a system that names who decides, and by nobody else."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.store_people import Sight

CARE = {"purpose": "retention_care"}


@pytest.fixture
def hr_person(signed_in) -> str:
    """M4, whom a link once made HR for everybody."""
    signed_in("hr", employee_id="M4")
    return "M4"


def opened(client: TestClient, headers: dict[str, str], **other: Any) -> Any:
    body = {"employee_id": "E0001", "action": "career_talk", **other}
    return client.post("/v1/cases", params=CARE, headers=headers, json=body)


def step(client: TestClient, headers: dict[str, str], case: dict[str, Any], **body: Any) -> Any:
    tag = {"if-match": f'"{case["version"]}"'} if "version" in case else {}
    return client.post(f"/v1/cases/{case['id']}/steps", params=CARE, headers={**headers, **tag}, json=body)


def test_a_case_lives_from_the_suggestion_to_its_outcome(client, key, made) -> None:
    headers = key("hr_system")
    new = opened(client, headers, decided_by="M1")
    case = new.json()
    assert (new.status_code, new.headers["etag"], new.headers["location"]) == (201, '"1"', f"/v1/cases/{case['id']}")
    assert (case["status"], case["origin"], case["lead_id"], case["missing"]) == (
        "suggested",
        "suggestion",
        "M1",
        ["line"],
    )
    assert case["due_on"] == "2026-11-16"
    for told, status, due in (
        ({"step": "agree", "note": "on Thursday"}, "agreed", "2026-11-16"),
        ({"step": "done"}, "done", "2026-12-02"),
        ({"step": "outcome", "reason": "helped", "note": "she says so"}, "closed", None),
    ):
        answer = step(client, headers, case, decided_by="M1", **told)
        case = answer.json()
        assert (answer.status_code, case["status"], case["due_on"]) == (200, status, due)
        assert answer.headers["etag"] == f'"{case["version"]}"'
    seen = client.get(f"/v1/cases/{case['id']}", params=CARE, headers=headers).json()
    assert [row["step"] for row in seen["steps"]] == ["suggest", "agree", "done", "outcome"]
    assert {row["by_name"] for row in seen["steps"]} == {"Lead of Nursing B"}
    written = [(row["action"], row["result"]) for row in made.entries() if row["employee_id"] == "E0001"]
    assert written == [
        *((f"case.{name}", "recorded") for name in ("suggest", "agree", "done", "outcome")),
        ("case.read", "shown"),
    ]


def test_an_illegal_step_names_the_state_and_the_steps_that_are_possible(client, key) -> None:
    headers = key("hr_system")
    case = opened(client, headers, decided_by="M1", step="decline", reason="not_needed").json()
    answer = step(client, headers, case, step="done", decided_by="M1")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["state"], answer.json()["allowed_steps"]) == ("declined", ["reopen"])


def test_without_a_version_nothing_moves_and_with_an_old_one_neither(client, key, store) -> None:
    headers = key("hr_system")
    case = opened(client, headers, decided_by="M1").json()
    nameless = {name: case[name] for name in case if name != "version"}
    assert step(client, headers, nameless, step="agree", decided_by="M1").status_code == 428
    assert step(client, headers, case, step="note", note="hello", decided_by="M1").status_code == 200
    late = step(client, headers, case, step="agree", decided_by="M1")
    assert late.status_code == 412
    assert client.get(f"/v1/cases/{case['id']}", params=CARE, headers=headers).json()["case"]["status"] == "suggested"


@pytest.mark.parametrize(("tag", "code"), [("*", 428), ('W/"1"', 412), ('"1", "2"', 412), ("1", 412), ('"x"', 412)])
def test_a_tag_that_is_not_the_version_moves_nothing(tag: str, code: int, client, key) -> None:
    headers = key("hr_system")
    case = opened(client, headers, decided_by="M1").json()
    path, body = f"/v1/cases/{case['id']}/steps", {"step": "agree", "decided_by": "M1"}
    assert client.post(path, params=CARE, headers={**headers, "if-match": tag}, json=body).status_code == code


@pytest.mark.parametrize(
    ("decided_by", "code", "title"),
    [
        ("", 422, "Name the person"),
        ("E9999", 422, "Nobody with this number"),
        ("Dr. Zhao", 422, "Nobody with this number"),
        ("E0002", 403, "somebody else"),
        ("E0001", 403, "somebody else"),
        ("M3", 403, "somebody else"),
    ],
)
def test_a_key_decides_nothing_without_a_known_person_who_has_a_say(
    decided_by, code, title, client, key, store
) -> None:
    from serving import store_cases

    answer = opened(client, key("hr_system"), decided_by=decided_by, step="agree")
    assert (answer.status_code, title in answer.json()["title"]) == (code, True)
    with store.begin() as tx:
        assert store_cases.all_steps(tx) == []


def test_somebody_known_as_hr_may_decide_for_the_manager_with_a_reason(client, key, hr_person) -> None:
    headers = key("hr_system")
    refused = opened(client, headers, decided_by=hr_person, step="agree")
    assert (refused.status_code, "reason" in refused.json()["title"]) == (422, True)
    agreed = opened(client, headers, decided_by=hr_person, step="agree", instead_because="M1 is away until May")
    assert (agreed.status_code, agreed.json()["status"], agreed.json()["decided_by_id"]) == (201, "agreed", "M4")


def test_two_sides_are_two_agreements(client, key, hr_person) -> None:
    headers = key("hr_system")
    case = opened(client, headers, action="promotion_review", decided_by="M1", step="agree").json()
    assert (case["status"], case["missing"]) == ("suggested", ["hr"])
    case = step(client, headers, case, step="agree", decided_by=hr_person).json()
    assert (case["status"], case["missing"]) == ("agreed", [])


def test_a_managers_own_tool_does_not_speak_for_hr(client, key, hr_person) -> None:
    answer = opened(client, key("manager", Sight("manager", "M1")), decided_by=hr_person, step="agree")
    assert answer.status_code == 403


def test_the_same_action_is_open_once_and_own_ideas_as_often_as_one_likes(client, key) -> None:
    headers = key("hr_system")
    assert opened(client, headers, decided_by="M1").status_code == 201
    assert opened(client, headers, decided_by="M1").status_code == 409
    own = {"action": "own", "title": "lunch with the old team", "decided_by": "M1"}
    assert [opened(client, headers, **own).status_code for _ in range(2)] == [201, 201]
    assert opened(client, headers, action="own", decided_by="M1").status_code == 422
    assert opened(client, headers, action="fire_them", decided_by="M1").status_code == 422


def test_fields_that_nobody_may_write_are_refused(client, key) -> None:
    headers = key("hr_system")
    for field in (
        "status",
        "version",
        "id",
        "lead_id",
        "due_on",
        "origin",
        "agreed_on",
        "decided_by_id",
        "sides",
        "band",
    ):
        assert opened(client, headers, decided_by="M1", **{field: "agreed"}).status_code == 422


def test_a_hidden_case_is_answered_like_one_that_does_not_exist(client, key) -> None:
    case = opened(client, key("hr_system"), decided_by="M1").json()
    other = key("manager", Sight("manager", "M3"))
    answers = []
    for number in (case["id"], "0" * 16):
        path = f"/v1/cases/{number}"
        answers.append(client.get(path, params=CARE, headers=other))
        answers.append(step(client, other, {"id": number, "version": 1}, step="agree", decided_by="M3"))
    assert {answer.status_code for answer in answers} == {404}
    assert len({str({**answer.json(), "request_id": ""}) for answer in answers}) == 1
    listed = client.get("/v1/cases", params=CARE, headers=other)
    assert listed.json() == {"cases": [], "next_cursor": None}
    hidden = opened(client, other, decided_by="M3")
    unknown = opened(client, other, employee_id="E9999", decided_by="M3")
    assert {**hidden.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


def test_cases_are_listed_by_due_day_state_and_team_in_pages_that_together_are_the_list(client, key, clock) -> None:
    headers, numbers = key("hr_system"), []
    people = [f"E{number:04}" for number in (1, 2, 3, 4, 13)]
    for person in people:
        clock.pass_days(1)
        lead = "M3" if person == "E0013" else "M1"
        numbers.append(opened(client, headers, employee_id=person, decided_by=lead).json()["id"])

    def found(**asked: Any) -> list[str]:
        rows, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = client.get("/v1/cases", params={**CARE, "limit": 2, **asked, **more}, headers=headers).json()
            rows += [row["id"] for row in page["cases"]]
            cursor = page["next_cursor"]
            if not cursor:
                return rows

    assert found() == numbers
    assert found(team="Reception") == numbers[4:]
    assert found(employee_id="E0002") == numbers[1:2]
    assert found(lead_id="M3") == numbers[4:]
    assert found(status="agreed") == []
    clock.pass_days(11)
    assert found(due="overdue") == numbers[:1]
    assert found(due="this_week") == numbers[1:]
    assert found(due="none") == []
    borrowed = client.get("/v1/cases", params={**CARE, "limit": 2}, headers=headers).json()["next_cursor"]
    answer = client.get("/v1/cases", params={**CARE, "cursor": borrowed}, headers=key("hr"))
    assert answer.status_code == 404


def test_what_was_agreed_is_told_to_the_person_without_suggestions_and_risk(client, key, made) -> None:
    headers = key("hr_system")
    opened(client, headers, decided_by="M1", step="agree", note="she seems tired")
    opened(client, headers, action="skill_course", decided_by="M1")
    answer = client.get("/v1/employees/E0001/care", params={"purpose": "subject_access"}, headers=headers)
    assert [case["action"] for case in answer.json()["cases"]] == ["career_talk"]
    for hidden in ("tired", "growth", "act", str(made.CANARY)[:5]):
        assert f'"{hidden}"' not in answer.text
        assert "tired" not in answer.text
    unknown = client.get("/v1/employees/E9999/care", params={"purpose": "subject_access"}, headers=headers)
    assert unknown.status_code == 404


def test_no_answer_about_a_case_holds_a_band_a_reason_or_a_risk(client, key, made) -> None:
    headers = key("hr_system")
    case = opened(client, headers, decided_by="M1").json()
    for path in ("/v1/cases", f"/v1/cases/{case['id']}", "/v1/reminders"):
        text = client.get(path, params=CARE, headers=headers).text
        assert not any(word in text for word in (str(made.CANARY)[:5], '"band"', '"risk"', "promotion", '"driver"'))


def test_of_writers_at_the_same_moment_one_wins_and_the_others_are_told(client, key, store) -> None:
    from serving import store_cases

    headers = key("hr_system")
    case = opened(client, headers, decided_by="M1").json()
    start, answers = threading.Barrier(6), []

    def write(number: int) -> None:
        start.wait()
        answers.append(step(client, headers, case, step="note", note=f"note {number}", decided_by="M1").status_code)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(answers) == [200, 412, 412, 412, 412, 412]
    with store.begin() as tx:
        assert [row["step"] for row in store_cases.steps(tx, case["id"])] == ["suggest", "note"]


def test_the_store_itself_refuses_a_second_writer_of_the_same_version(client, key, store) -> None:
    """As on a server with many connections: both have read version 1 before either has written."""
    from dataclasses import replace

    from serving import store_cases
    from serving.store_cases import Step

    case_id = opened(client, key("hr_system"), decided_by="M1").json()["id"]
    with store.begin() as tx:
        found = store_cases.find(tx, Sight("everyone"), case_id)
        assert found is not None
        told = store_cases.steps(tx, case_id)[0]
        note = Step("note", told["day"], told["at"], "Anna Berg", "M1", "test", note="mine")
        after = replace(found[0], version=2)
        assert store_cases.change(tx, after, note)
        assert not store_cases.change(tx, after, replace(note, note="yours"))
        assert not store_cases.add(tx, replace(after, id="ff"), [(replace(after, id="ff"), note)])
        assert [row["note"] for row in store_cases.steps(tx, case_id)] == [None, "mine"]


def test_a_system_may_suggest_without_a_decider_and_nothing_more(client: TestClient, key) -> None:
    headers = key("hr_system")
    suggested = opened(client, headers)
    assert (suggested.status_code, suggested.json()["status"]) == (201, "suggested")
    assert suggested.json()["decided_by"] is None
    assert step(client, headers, suggested.json(), step="agree").status_code == 422
