"""Brakes for curious readers: a busy week passes, a walk through the company does not, and auditors hear of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from serving import curious, store_readers
from serving.access import Viewer, Visit
from serving.curious import FREE, MORE, WALK
from serving.store_people import Sight, erase
from serving.store_readers import Look

CARE = {"purpose": "retention_care"}
WHY = {"reading-reason": "Handing%20over%20the%20whole%20ward%20to%20a%20new%20lead%20this%20week"}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MIXED = [
    f"E{n:04}" for n in (7, 3, 9, 1, 8, 2, 5, 12, 4, 11, 10, 13, 15, 14, 17, 16, 19, 18, 21, 20, 23, 22, 25, 24, 28)
]


def read(client: TestClient, headers: dict, who: str) -> int:
    return client.get(f"/v1/employees/{who}/risk", params=CARE, headers=headers).status_code


def a_reader(role: str) -> Viewer:
    return Viewer("person 1 x", "x", role, frozenset({"band.read"}), frozenset(CARE.values()), identity="account 1")


def actions(made) -> list[tuple[str, str]]:
    return [(entry["action"], entry["result"]) for entry in made.entries()]


def spend(store, who: str, n: int, *, at) -> None:
    with store.begin() as tx:
        for i in range(n):
            store_readers.add_look(tx, Look(who, f"past{(i * 7) % 31:02}{i:03}", at + timedelta(seconds=i)))


def test_a_week_of_25_views_is_slowed_by_nothing_and_alarms_nobody(client, key, clock, made) -> None:
    headers = key("hr")
    for who in MIXED:
        clock.now += timedelta(hours=5)
        assert read(client, headers, who) == 200
        assert read(client, headers, who) == 200, "opening somebody again costs nothing"
    assert "reader.unusual" not in {action for action, _ in actions(made)}


def test_a_walk_by_number_ends_at_its_twelfth_person_and_auditors_are_told_once(client, key, made) -> None:
    headers = key("hr")
    codes = [read(client, headers, f"E{n:04}") for n in range(1, 29)]
    assert codes == [200] * (WALK - 1) + [403] * (28 - WALK + 1)
    told = [result for action, result in actions(made) if action == "reader.unusual"]
    assert told == [f"{WALK} people one after the other by number"]
    assert ("risk.read", "reason_needed") in actions(made)


def test_the_31st_person_of_a_week_needs_a_reason_and_then_one_passes_every_30_seconds(client, key, clock, store, made):
    headers = key("hr")
    assert read(client, headers, "E0001") == 200
    spend(store, made.entries()[-1]["actor"], FREE - 1, at=clock.now - timedelta(days=2))
    refused = client.get("/v1/employees/E0003/risk", params=CARE, headers=headers)
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    clock.now += timedelta(minutes=1)
    assert read(client, headers | WHY, "E0003") == 200
    waiting = client.get("/v1/employees/E0009/risk", params=CARE, headers=headers)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (429, "30")
    clock.now += timedelta(seconds=30)
    assert read(client, headers, "E0009") == 200
    assert ("reader.reason", "given") in actions(made)
    clock.now += timedelta(days=8)
    assert read(client, headers, "E0002") == 200, "the week is over"


def test_what_if_questions_about_one_person_use_up_the_same_budget(store, made) -> None:
    viewer = Viewer(
        "person 1 x", "x", "manager", frozenset({"band.read"}), frozenset(CARE.values()), identity="account 1"
    )
    asked = [Visit(viewer, "retention_care", made.NOW + timedelta(minutes=i), "r") for i in range(40)]
    with store.begin() as tx:
        passed = [curious.may_open(tx, visit, "E0001", question=True) for visit in asked]
    assert passed[: FREE // 2 - 1] == [None] * (FREE // 2 - 1)
    assert passed.count(None) < FREE
    assert passed[-1] == "reason_needed"


def test_one_reason_opens_no_more_than_so_many(store, made) -> None:
    viewer = a_reader("hr")
    spend(store, "account 1", FREE, at=made.NOW - timedelta(days=1))
    said = "We merge two wards and talk with everybody"
    with store.begin() as tx:
        visits = [Visit(viewer, "x", made.NOW + timedelta(minutes=i), "r", "" if i else said) for i in range(MORE + 2)]
        found = [curious.may_open(tx, visit, f"{i * 7 % 31:03}") for i, visit in enumerate(visits)]
    assert found == [None] * MORE + ["reason_needed"] * 2


def test_a_system_of_hr_with_the_right_to_all_risks_is_not_slowed(client, key) -> None:
    headers = key("hr_system")
    assert [read(client, headers, f"E{n:04}") for n in range(7, 25)] == [200] * 18


def test_on_the_page_a_reason_is_asked_for_and_opens_the_person(signed_in, made) -> None:
    hr = signed_in("hr")
    for n in range(1, WALK):
        assert hr.get(f"/people/E{n:04}").status_code == 200
    page = hr.get(f"/people/E{WALK:04}?lang=en")
    assert page.status_code == 403
    assert "Why so many people?" in page.text
    token = page.text.split('name="form_token" value="')[1].split('"')[0]
    form = {"form_token": token, "words": "too short"}
    origin = {"origin": "http://127.0.0.1:8000"}
    assert hr.post(f"/people/E{WALK:04}/reason", data=form, headers=origin).status_code == 422
    form["words"] = "The whole ward moves and I prepare the talks"
    assert hr.post(f"/people/E{WALK:04}/reason", data=form, headers=origin, follow_redirects=False).status_code == 303
    assert hr.get(f"/people/E{WALK:04}").status_code == 200


def test_erasure_takes_who_opened_the_person(client, key, store) -> None:
    assert read(client, key("hr", Sight("everyone")), "E0001") == 200
    with store.begin() as tx:
        assert erase(tx, "E0001")["reader_look"] == 1


@pytest.mark.parametrize("up", [True, False])
def test_numbers_of_different_length_are_in_the_order_of_numbers(up: bool) -> None:
    ids = [f"p{n}" for n in range(2, 2 + WALK)]
    row = ids if up else ids[::-1]
    looks = [Look("x", one, NOON) for one in row[:-1]]
    assert "one after the other" in (curious._unusual(looks, [], who=row[-1]) or "")
