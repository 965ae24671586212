"""Withdrawal in the service: told in counts to those in reach, a suggestion to reach out, closed by a named person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from serving import store_events, store_people
from serving.score import Scored
from serving.store_people import Sight

M1, M3 = Sight("manager", "M1"), Sight("manager", "M3")
URL = "/v1/events?purpose=retention_care"


def told(answer) -> list[str]:
    return [event["employee_id"] for event in answer.json()["events"]]


def test_a_manager_sees_the_events_of_the_own_people_and_the_other_manager_others(client, key) -> None:
    assert sorted(told(client.get(URL, headers=key("hr")))) == ["E0001", "E0013"]
    assert told(client.get(URL, headers=key("manager", M1))) == ["E0001"]
    assert told(client.get(URL, headers=key("manager", M3))) == ["E0013"]
    assert told(client.get(URL, headers=key("manager", Sight("manager", "nobody")))) == []


@pytest.mark.parametrize("asked", ["employee_id=E0001", "team=Nursing B", "employee_id=E4242", "team=None such"])
def test_who_is_out_of_reach_is_unknown_and_the_question_is_written_down(asked, client, key, made) -> None:
    answer = client.get(f"{URL}&{asked}", headers=key("manager", M3))
    assert answer.status_code == 404
    assert "E0001" not in answer.text
    last = made.entries()[-1]
    assert (last["action"], last["result"]) == ("events.list", "not_found")


def test_an_event_tells_counts_and_each_person_on_the_list_is_a_look(client, key, made) -> None:
    answer = client.get(f"{URL}&status=open&team=Nursing B", headers=key("hr"))
    event = answer.json()["events"][0]
    assert (event["usual_a_week"], event["now_a_week"], event["status"]) == (62.4, 31.2, "open")
    assert event["due_on"] == "2026-11-09"
    assert "about 31 a week, usually about 62" in event["text_en"]
    assert "每周约 31 次，平常约 62 次" in event["text_zh"]
    assert [e["action"] for e in made.entries()][-1] == "events.list"
    assert client.get(f"{URL}&status=done", headers=key("hr")).json()["events"] == []


def test_the_team_page_asks_to_reach_out_and_tells_what_is_the_teams(signed_in) -> None:
    page = signed_in("manager", M1).get("/teams/Nursing%20B?lang=en").text
    assert "Reach out within a week" in page
    assert "The team as a whole is quieter" in page
    assert "about 70 % of what is usual" in page
    chinese = signed_in("manager", M1).get("/teams/Nursing%20B?lang=zh").text
    assert "一周内主动聊聊" in chinese
    assert "整个团队比平常安静" in chinese


def test_a_team_below_the_smallest_group_gets_no_signal(signed_in) -> None:
    assert "quieter" not in signed_in("hr").get("/teams/Lab?lang=en").text


def test_the_page_of_a_person_names_harmless_reasons_before_the_guide(signed_in) -> None:
    page = signed_in("manager", M1).get("/people/E0001?lang=en").text
    harmless, guide = page.index("Think of the harmless first"), page.index("Two sentences that open the talk")
    assert page.index("about 31 a week, usually about 62") < harmless < guide
    assert "Reach out within a week" not in signed_in("hr").get("/people/E0002?lang=en").text


def test_a_named_person_closes_an_event_and_it_leaves_the_team_page(signed_in, form_of, made) -> None:
    browser = signed_in("manager", M1)
    form = {**form_of(browser), "status": "done", "decided_by": "Li Na"}
    answer = browser.post("/people/E0001/withdrawal", data=form, headers={"origin": made.ORIGIN})
    assert "Li Na has reached out (2 Nov 2026)." in answer.text
    assert "Reach out within a week" not in browser.get("/teams/Nursing%20B").text
    assert ("withdrawal.decide", "recorded") in [(e["action"], e["result"]) for e in made.entries()]


def test_nobody_closes_what_is_out_of_reach_or_without_a_name(signed_in, form_of, made) -> None:
    browser = signed_in("manager", M3)
    form = {**form_of(browser), "status": "done", "decided_by": "Li Na"}
    path, origin = "/people/E0001/withdrawal", {"origin": made.ORIGIN}
    assert browser.post(path, data=form, headers=origin).status_code == 404
    assert browser.post("/people/E0013/withdrawal", data={**form, "decided_by": ""}, headers=origin).status_code == 422
    assert browser.post("/people/E0013/withdrawal", data={**form, "status": "open"}, headers=origin).status_code == 422


def test_a_person_is_told_of_once_in_eight_weeks(store, made) -> None:
    def events() -> int:
        with store.begin() as tx:
            return len(store_events.events_of(tx, Sight("everyone"), today=made.NOW.date()))

    review = made.withdrawn()

    def score_again(weeks: int) -> None:
        later = review.alarms.with_columns(week=review.alarms["week"] + timedelta(7 * weeks))
        batch = Scored(
            made.AS_OF,
            made.people(),
            made.judged(made.assessments()),
            made.bundle(),
            {},
            withdrawal=replace(review, alarms=later),
        )
        made.fill(store, scored=batch)

    score_again(0)
    score_again(8)
    assert events() == 2
    score_again(9)
    assert events() == 4


def test_events_expire_and_go_with_the_person(store, made) -> None:
    with store.begin() as tx:
        assert store_people.erase(tx, "E0001")["withdrawal_event"] == 1
        late = made.NOW.date() + timedelta(91)
        assert store_events.newest_of(tx, "E0013", today=late) is None
        assert store_people.purge(tx, today=late, notes_before=late)["withdrawal_events"] == 3


def test_an_event_cannot_be_closed_by_nobody(store) -> None:
    with pytest.raises(IntegrityError), store.begin() as tx:
        store_events.decide(tx, 1, {"status": "done", "decided_by": None})
