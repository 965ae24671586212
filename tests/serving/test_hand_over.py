"""What the records change in a case: a new manager, a decider or a person who has left; and the outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from serving import audit, store_cases
from serving.hand_over import hand_over, remind
from serving.score import Scored
from serving.store_people import Sight

CARE = {"purpose": "retention_care"}


@pytest.fixture
def case(client, key) -> dict[str, Any]:
    """A career talk with E0001, agreed by M1."""
    body = {"employee_id": "E0001", "action": "career_talk", "decided_by": "M1", "step": "agree"}
    return client.post("/v1/cases", params=CARE, headers=key("hr_system"), json=body).json()


@pytest.fixture
def scored_with(store, made):
    """Score again, with the people as ``change`` makes them: a row, or None for somebody who is gone."""

    def again(change, *, days: int = 1) -> None:
        rows = tuple(row for row in (change(dict(row)) for row in made.people()) if row)
        there = {row["id"] for row in rows}
        told = tuple(one for one in made.assessments() if one.employee_id in there)
        batch = Scored(made.AS_OF, rows, made.judged(told), made.bundle(), {})
        made.fill(store, now=made.NOW + timedelta(days=days), scored=batch)

    return again


def outbox(store) -> list[tuple[str, str]]:
    with store.begin() as tx:
        return [
            (row["kind"], row["recipient"]) for row in store_cases.reminders(tx, Sight("everyone"), after=0, limit=99)
        ]


def codes(case_id: str, client, key, leads: list[str]) -> dict[str, int]:
    path = f"/v1/cases/{case_id}"
    return {m: client.get(path, params=CARE, headers=key("manager", Sight("manager", m))).status_code for m in leads}


def moved_to(manager: str):
    return lambda row: {**row, "manager_id": manager} if row["id"] == "E0001" else row


def without(*gone: str):
    return lambda row: None if row["id"] in gone else row


def read(case_id: str, client, key) -> dict[str, Any]:
    return client.get(f"/v1/cases/{case_id}", params=CARE, headers=key("hr_system")).json()


def test_with_a_new_manager_the_case_moves_and_the_former_one_sees_it_no_more(
    case, client, key, store, scored_with
) -> None:
    assert codes(case["id"], client, key, ["M1", "M3"]) == {"M1": 200, "M3": 404}
    scored_with(moved_to("M3"))
    assert codes(case["id"], client, key, ["M1", "M3"]) == {"M1": 404, "M3": 200}
    seen = read(case["id"], client, key)
    last = seen["steps"][-1]
    assert (seen["case"]["lead_id"], seen["case"]["status"], seen["case"]["version"]) == ("M3", "agreed", 3)
    assert (last["step"], last["by_name"], last["reason"]) == ("handed_over", "records", "new_manager")
    assert outbox(store) == [("handed_over", "M3"), ("handed_over", "hr")]
    body = {"step": "done", "decided_by": "M1"}
    late = client.post(
        f"/v1/cases/{case['id']}/steps", params=CARE, headers={**key("hr_system"), "if-match": '"3"'}, json=body
    )
    assert late.status_code == 403, "the former manager has no say any more, whoever asks"


def test_scoring_again_without_a_change_hands_nothing_over(case, client, key, store, scored_with, made) -> None:
    scored_with(moved_to("M3"))
    scored_with(moved_to("M3"), days=2)
    assert read(case["id"], client, key)["case"]["version"] == 3
    assert len(outbox(store)) == 2
    with store.begin() as tx:
        moved = hand_over(tx, now=made.NOW + timedelta(days=3), actor="console - test")
    assert (moved.handed_over, moved.decider_left, moved.person_left) == (0, 0, 0)


def test_when_the_manager_has_left_the_case_goes_to_hr(case, client, key, store, scored_with) -> None:
    scored_with(without("M1"))
    seen = read(case["id"], client, key)
    assert (seen["case"]["lead_id"], seen["case"]["decided_by_id"]) == (None, None)
    assert seen["case"]["decided_by"] == "Lead of Nursing B"
    assert seen["steps"][-1]["reason"] == "manager_left"
    assert outbox(store) == [("decider_left", "hr")]


def test_when_the_decider_has_left_the_lead_and_hr_are_told_once(client, key, store, scored_with, signed_in) -> None:
    signed_in("hr", employee_id="M4")
    body = {"employee_id": "E0001", "action": "career_talk", "decided_by": "M4", "step": "agree"}
    body |= {"instead_because": "M1 asked HR to begin"}
    case = client.post("/v1/cases", params=CARE, headers=key("hr_system"), json=body).json()
    for days in (1, 2):
        scored_with(without("M4"), days=days)
    seen = read(case["id"], client, key)
    assert (seen["case"]["lead_id"], seen["steps"][-1]["reason"]) == ("M1", "decider_left")
    assert outbox(store) == [("decider_left", "M1"), ("decider_left", "hr")]


def test_when_the_person_has_left_open_cases_close_and_hr_is_told(case, client, key, store, scored_with) -> None:
    scored_with(without("E0001"))
    assert outbox(store) == [("person_left", "hr")]
    assert client.get(f"/v1/cases/{case['id']}", params=CARE, headers=key("hr_system")).status_code == 404
    with store.begin() as tx:
        last = store_cases.steps(tx, case["id"])[-1]
    assert (last["step"], last["status"], last["reason"]) == ("left", "closed", "left")


def test_a_batch_that_fails_hands_nothing_over(case, client, key, store, made) -> None:
    from serving.store import StoreError

    rows = tuple(moved_to("M3")(row) for row in made.people())
    twice = (*made.assessments(), made.assessments()[0])
    with pytest.raises(StoreError):
        made.fill(store, scored=Scored(made.AS_OF, rows, made.judged(twice), made.bundle(), {}))
    assert read(case["id"], client, key)["case"]["lead_id"] == "M1"


def test_a_step_by_the_former_manager_with_the_page_still_open_is_refused(
    signed_in, form_of, scored_with, made
) -> None:
    browser = signed_in("manager", Sight("manager", "M1"))
    form = {**form_of(browser), "action": "career_talk", "step": "agree"}
    path = browser.post("/people/E0001/care", data=form, headers={"origin": made.ORIGIN}).url.path
    scored_with(moved_to("M3"), days=0)
    late = {**form_of(browser), "step": "done", "version": "2"}
    assert browser.post(f"{path}/steps", data=late, headers={"origin": made.ORIGIN}).status_code == 404
    heir = signed_in("manager", Sight("manager", "M3"), name="Omar Haddad")
    page = heir.get(f"{path}?lang=en").text
    assert "handed over, because: the person has a new manager" in page
    assert "Career talk" in heir.get("/cases").text
    assert "Handed over lately" in heir.get("/cases").text
    assert "Handed over lately" in signed_in("hr").get("/cases").text


def test_reminders_are_written_once_per_due_day_and_go_to_hr_after_a_week(case, store, made) -> None:
    def run(days: int) -> dict[str, int]:
        with store.begin() as tx:
            return remind(tx, now=made.NOW + timedelta(days=days), actor="console - test")

    assert run(6) == {"due": 0, "overdue": 0}
    assert [run(7), run(8)] == [{"due": 1, "overdue": 0}, {"due": 0, "overdue": 0}]
    assert [run(15), run(16)] == [{"due": 0, "overdue": 1}, {"due": 0, "overdue": 0}]
    assert run(22) == {"due": 0, "overdue": 1}
    assert outbox(store) == [("due", "M1"), ("overdue", "M1"), ("overdue", "hr")]


def test_the_outbox_is_thin_comes_in_order_and_only_of_people_within_sight(case, client, key, store, made) -> None:
    with store.begin() as tx:
        remind(tx, now=made.NOW + timedelta(days=30), actor="console - test")
    headers = key("hr_system")
    first = client.get("/v1/reminders", params={**CARE, "limit": 1}, headers=headers).json()
    assert [set(row) for row in first["reminders"]] == [{"id", "case_id", "kind", "recipient", "due_on", "made_at"}]
    more = {**CARE, "cursor": first["next_cursor"]}
    second = client.get("/v1/reminders", params=more, headers=headers).json()
    assert [row["recipient"] for row in (*first["reminders"], *second["reminders"])] == ["M1", "hr"]
    again = {**CARE, "cursor": second["next_cursor"]}
    assert client.get("/v1/reminders", params=again, headers=headers).json()["reminders"] == []
    other = key("manager", Sight("manager", "M3"))
    assert client.get("/v1/reminders", params=CARE, headers=other).json()["reminders"] == []


@pytest.mark.only("sqlite")
def test_somebody_erased_is_in_no_case_and_the_chain_still_verifies(case, client, key, store) -> None:
    from serving import store_people

    other = {"employee_id": "E0002", "action": "career_talk", "decided_by": "M1", "step": "agree", "note": "by M1"}
    kept = client.post("/v1/cases", params=CARE, headers=key("hr_system"), json=other).json()["id"]
    with store.begin() as tx:
        remind(tx, now=datetime(2026, 12, 24, tzinfo=UTC), actor="test")
        store_people.erase(tx, "E0001")
        store_people.erase(tx, "M1")
    store.fold()
    with store.begin() as tx:
        assert [row["case_id"] for row in store_cases.all_steps(tx)] == [kept, kept]
        assert {row["by_name"] for row in store_cases.all_steps(tx)} == {"(erased)"}
        assert audit.verify(tx).problem is None
    assert store.file is not None
    files = b"".join(path.read_bytes() for path in store.file.parent.glob(f"{store.file.name}*") if path.is_file())
    assert b"E0001" not in files
    assert b"by M1" not in files


def test_a_suggestion_that_nobody_took_up_dies_with_the_assessment(case, client, key, store, made) -> None:
    from serving import store_people

    for action in ("skill_course", "one_on_one_rhythm"):
        body = {"employee_id": "E0001", "action": action, "decided_by": "M1"}
        client.post("/v1/cases", params=CARE, headers=key("hr_system"), json=body)
    for days, left in ((90, 3), (91, 2)):
        with store.begin() as tx:
            today = made.NOW.date() + timedelta(days=days)
            store_people.purge(tx, today=today, notes_before=made.NOW.date())
            assert len({row["case_id"] for row in store_cases.all_steps(tx)}) == left


def test_notes_are_deleted_after_a_year_and_what_was_decided_stays(client, key, store, made) -> None:
    from serving import store_people

    body = {"employee_id": "E0001", "action": "career_talk", "decided_by": "M1", "step": "agree", "note": "a word"}
    case = client.post("/v1/cases", params=CARE, headers=key("hr_system"), json=body).json()
    with store.begin() as tx:
        gone = store_people.purge(tx, today=made.NOW.date(), notes_before=made.NOW.date() + timedelta(days=1))
        told = store_cases.steps(tx, case["id"])
    assert gone["care_notes"] == 1
    assert [(row["step"], row["note"]) for row in told] == [("suggest", None), ("agree", None)]


def test_what_a_head_decides_stands_on_the_list_of_the_head_and_moves_with_them(client, key, scored_with) -> None:
    def three_levels(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "manager_id": {"E0001": "E0002", "E0002": "M1"}.get(row["id"], row["manager_id"])}

    scored_with(three_levels)
    body = {"employee_id": "E0001", "action": "manager_attention", "decided_by": "M1", "step": "agree"}
    case = client.post("/v1/cases", params=CARE, headers=key("hr_system"), json=body).json()
    assert (case["status"], case["lead_id"]) == ("agreed", "M1")
    scored_with(moved_to("M3"), days=2)
    assert read(case["id"], client, key)["case"]["lead_id"] == "M3"
