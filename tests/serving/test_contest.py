"""The own page of an employee, and the objection that hides the assessment until somebody independent has answered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from serving import contest, store_contest
from serving.access import Viewer
from serving.settings import Settings
from serving.store_people import Sight

CARE = {"purpose": "retention_care"}
RISK = "/v1/employees/E0001/risk"


@pytest.fixture
def nurse(signed_in) -> TestClient:
    """E0001, whom M1 leads and M0 above."""
    return signed_in("employee", Sight("self", "E0001"), purpose="subject_access", name="王芳", employee_id="E0001")


@pytest.fixture
def objects(nurse, form_of, made):
    def do(words: str = "The overtime is wrong"):
        form = {**form_of(nurse), "words": words}
        return nurse.post("/me/contest", data=form, headers={"origin": made.ORIGIN}, follow_redirects=False)

    return do


def answered(browser: TestClient, form_of, made, outcome: str = "stands"):
    form = {**form_of(browser), "outcome": outcome, "words": "I have checked the hours"}
    headers = {"origin": made.ORIGIN}
    return browser.post("/contests/1/answer", data=form, headers=headers, follow_redirects=False)


def test_an_employee_sees_band_reasons_records_readers_and_how_to_object(nurse, client, key, made) -> None:
    client.get(RISK, params=CARE, headers=key("hr_system"))
    page = nurse.get("/me/assessment?lang=en").text
    assert "Talk soon" in page
    assert "31 months since the last promotion" in page
    assert "Records that this rests on" in page
    assert "hr_system system" in page
    assert 'action="/me/contest"' in page
    assert str(made.CANARY)[:5] not in page
    for name in ("as_of", "model_version", "valid_until", "uncertainty", "accuracy", "may_be_wrong", "never_for"):
        assert f'data-shown="{name}"' in page


def test_the_readers_on_the_page_are_those_of_the_log(nurse, client, key, made) -> None:
    for role in ("hr_system", "hr", "manager"):
        client.get(RISK, params=CARE, headers=key(role))
    page = nurse.get("/me/assessment?lang=en").text
    readers = {row["actor"].split(" ", 2)[2] for row in made.entries() if row["employee_id"] == "E0001"}
    assert readers >= {"hr_system system", "hr system", "manager system"}
    assert all(reader in page for reader in readers)


def test_the_band_can_be_kept_from_employees_and_nothing_else(nurse, app, made) -> None:
    from dataclasses import replace

    before = app.state.desk
    app.state.desk = replace(before, settings=Settings(state=before.settings.state, employees_see_band=False))
    page = nurse.get("/me/assessment?lang=en").text
    app.state.desk = before
    assert "Talk soon" not in page
    assert "31 months since the last promotion" in page
    assert 'action="/me/contest"' in page


def test_nobody_has_somebody_else_s_own_page(signed_in) -> None:
    stranger = signed_in("employee", Sight("self", "E9999"), purpose="subject_access", employee_id="E9999")
    assert stranger.get("/me/assessment").status_code == 404
    for path in ("/people/E0001", "/teams/Nursing B", "/", "/contests"):
        assert stranger.get(path).status_code == 403


def test_from_the_objection_on_nobody_else_sees_the_assessment(objects, client, key, signed_in, made) -> None:
    headers = {role: key(role) for role in ("hr_system", "hr", "manager")}
    hr, boss = signed_in("hr", name="Wei"), signed_in("manager", Sight("manager", "M1"), name="Lead of Nursing B")
    assert "E0001" in client.get("/v1/teams/Nursing B/flagged", params=CARE, headers=headers["hr"]).text
    assert objects().status_code == 303
    unknown = client.get("/v1/employees/E9999/risk", params=CARE, headers=headers["hr"])
    for one in headers.values():
        hidden = client.get(RISK, params=CARE, headers=one)
        assert hidden.status_code == 404
        assert {**hidden.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
        assert "E0001" not in client.get("/v1/teams/Nursing B/flagged", params=CARE, headers=one).text
        assert "E0001" not in client.get("/v1/events", params=CARE, headers=one).text
    for browser in (hr, boss):
        assert browser.get("/people/E0001").status_code == 404
        assert "E0001" not in browser.get("/teams/Nursing B").text


def test_an_objection_changes_no_sum_and_is_not_told_by_one(objects, client, key) -> None:
    alone, beside = key("hr_system", scopes=["teams.read"]), key("hr_system")
    before = client.get("/v1/teams", headers=alone).json()
    assert client.get("/v1/teams", headers=beside).json() == before
    objects()
    assert client.get("/v1/teams", headers=alone).json() == before
    after = client.get("/v1/teams", headers=beside).json()["teams"]
    assert after == [one for one in before["teams"] if one["team"] != "Nursing B"], "the others are known one by one"


def test_care_that_was_agreed_goes_on_and_a_mere_suggestion_is_hidden(objects, client, key) -> None:
    headers = key("hr_system")

    def opened(action: str, step: str) -> str:
        new = {"employee_id": "E0001", "action": action, "step": step, "decided_by": "M1"}
        return client.post("/v1/cases", params=CARE, json=new, headers=headers).json()["id"]

    agreed, idea = opened("career_talk", "agree"), opened("skill_course", "suggest")
    objects()
    for reader in (headers, key("manager", Sight("manager", "M1"))):
        listed = client.get("/v1/cases", params=CARE, headers=reader).json()["cases"]
        assert [one["id"] for one in listed if one["employee_id"] == "E0001"] == [agreed]
        assert client.get(f"/v1/cases/{idea}", params=CARE, headers=reader).status_code == 404
        assert client.get(f"/v1/cases/{agreed}", params=CARE, headers=reader).status_code == 200
    done = {"step": "done", "decided_by": "M1"}
    taken = client.post(f"/v1/cases/{agreed}/steps", params=CARE, json=done, headers={**headers, "if-match": '"2"'})
    assert taken.status_code == 200, taken.text
    own = client.get("/v1/employees/E0001/care", params={"purpose": "subject_access"}, headers=headers)
    assert [one["id"] for one in own.json()["cases"]] == [agreed]


def test_who_objects_is_helped_to_grow_as_before(objects, client, key, signed_in) -> None:
    objects()
    grow = {"purpose": "talent_development"}
    assert client.get("/v1/employees/E0001/growth", params=grow, headers=key("manager")).status_code == 200
    praise = {"kind": "rescue", "happened_on": "2026-10-01"}
    told = client.post("/v1/employees/E0001/achievements", params=grow, json=praise, headers=key("manager"))
    assert told.status_code == 200
    assert signed_in("manager", purpose="talent_development").get("/growth/people/E0001").status_code == 200


def test_the_own_page_has_a_word_for_every_way_in_which_somebody_looked(nurse, client, key) -> None:
    headers = key("hr_system")
    for path in ("/v1/people", "/v1/people/export", "/v1/events", "/v1/cases"):
        assert client.get(path, params=CARE, headers=headers).status_code == 200
    page = nurse.get("/me/assessment?lang=en")
    assert page.status_code == 200
    assert "took the assessment along in an export" in page.text


def test_the_employee_still_sees_it_and_a_later_batch_does_not_bring_it_back(objects, nurse, store, client, key, made):
    objects()
    assert "Talk soon" in nurse.get("/me/assessment?lang=en").text
    made.fill(store, version="8")
    assert client.get(RISK, params=CARE, headers=key("hr_system")).status_code == 404


def test_one_objection_at_a_time(objects) -> None:
    assert [objects().status_code for _ in range(3)] == [303, 409, 409]


@pytest.mark.parametrize("outcome", ["stands", "set_aside"])
def test_an_independent_reviewer_answers_and_the_employee_reads_it(  # noqa: PLR0913
    outcome, objects, nurse, signed_in, form_of, client, key, made
) -> None:
    objects("The overtime is wrong")
    reviewer = signed_in("hr", name="Wei")
    assert "/contests/1" in reviewer.get("/contests").text
    case = reviewer.get("/contests/1?lang=en").text
    assert "The overtime is wrong" in case
    assert "31 months since the last promotion" in case
    assert str(made.CANARY)[:5] not in case
    assert answered(reviewer, form_of, made, outcome).status_code == 303
    page = nurse.get("/me/assessment?lang=en").text
    assert "by Wei: I have checked the hours" in page
    band = client.get(RISK, params=CARE, headers=key("hr")).json()["band"]
    assert band == ("act" if outcome == "stands" else None)
    assert answered(reviewer, form_of, made).status_code == 404
    told = [(row["action"], row["result"]) for row in made.entries() if row["action"].startswith("contest")]
    assert ("contest.answer", "recorded") in told
    assert ("contest.told", "shown") in told


def test_who_set_the_band_or_decided_about_the_person_may_not_review(objects, signed_in, form_of, made) -> None:
    acted = signed_in("hr", name="Wei")
    form = {**form_of(acted), "decision": "act", "reason": "I know better"}
    acted.post("/people/E0001/override", data=form, headers={"origin": made.ORIGIN})
    objects()
    assert acted.get("/contests/1").status_code == 403
    assert answered(acted, form_of, made).status_code == 403
    assert "/contests/1" not in acted.get("/contests").text
    assert "/contests/1" in signed_in("hr", name="Anna").get("/contests").text


@pytest.mark.parametrize(
    ("name", "employee_id"), [("Somebody", "M1"), ("lead of nursing b", None), ("王芳", None), ("Somebody", "E0001")]
)
def test_who_leads_the_person_or_is_the_person_may_not_review(
    name, employee_id, objects, signed_in, form_of, made
) -> None:
    objects()
    browser = signed_in("hr", name=name, employee_id=employee_id)
    assert browser.get("/contests/1").status_code == 403
    assert answered(browser, form_of, made).status_code == 403


def test_a_partner_of_another_department_does_not_know_of_it(objects, signed_in, form_of, made) -> None:
    objects()
    partner = signed_in("hr_partner", Sight("department", "Finance"), name="Partner")
    assert partner.get("/contests/1").status_code == 404
    assert answered(partner, form_of, made).status_code == 404
    assert "E0001" not in partner.get("/contests").text


def test_the_line_above_ends_in_a_ring_and_reaches_the_top(store, made) -> None:
    from sqlalchemy import update

    from serving.store_tables import employee

    with store.begin() as tx:
        assert {row["id"] for row in store_contest.line_above(tx, "E0001")} == {"M1", "M0"}
        tx.execute(update(employee).where(employee.c.id == "M1").values(manager_id="E0001"))
        assert {row["id"] for row in store_contest.line_above(tx, "E0001")} == {"M1", "E0001"}
        viewer = Viewer("person 1 x", "x", "hr", frozenset(), frozenset(), Sight("everyone"))
        assert contest.independent(tx, viewer, "E0002")


def test_late_answers_are_told_to_be_late(objects, signed_in, clock) -> None:
    objects()
    clock.now += timedelta(days=31)
    assert "was due by" in signed_in("hr", name="Wei").get("/contests?lang=en").text


def test_erasing_a_person_takes_the_objection_along(objects, store) -> None:
    from serving import store_people

    objects()
    with store.begin() as tx:
        store_people.erase(tx, "E0001")
        assert store_contest.contests_of(tx, "E0001") == []


def test_an_analyst_sees_bands_under_pseudonyms_that_change_with_each_batch(client, key, store, made) -> None:
    headers = key("analyst")
    first = client.get("/v1/pseudonyms", params={"purpose": "model_quality"}, headers=headers)
    assert len(first.json()["people"]) == len(made.people())
    assert not any(row["id"] in first.text for row in made.people())
    assert not any(row["name"] in first.text for row in made.people())
    assert "0.2187" not in first.text
    made.fill(store, version="8")
    second = client.get("/v1/pseudonyms", params={"purpose": "model_quality"}, headers=headers).json()["people"]
    assert not {row["pseudonym"] for row in second} & {row["pseudonym"] for row in first.json()["people"]}
