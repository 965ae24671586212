"""What systems get over HTTP: numbers by right, nothing without a purpose, nothing after expiry, nobody hidden."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from serving.access import PURPOSES
from serving.schema_examples import EXAMPLES
from serving.store_people import Sight

RISK = "/v1/employees/{}/risk"
CARE = {"purpose": "retention_care"}
WRONG = [
    None,
    "",
    "pay",
    "promotion",
    "performance",
    "dismissal",
    "restructuring",
    "RETENTION_CARE",
    "retention_care ",
    "*",
]


def test_a_system_reads_risk_over_every_horizon_with_reasons_and_a_plan(client: TestClient, key, made) -> None:
    answer = client.get(RISK.format("E0001"), params=CARE, headers=key("hr_system")).json()
    assert [row["horizon_days"] for row in answer["risk"]] == [30, 90, 180, 365]
    assert answer["risk"][2]["voluntary"] == pytest.approx(made.CANARY)
    assert all(row["low"] < row["voluntary"] < row["high"] for row in answer["risk"])
    assert answer["band"] == "act"
    assert answer["reasons"][0]["text_zh"].startswith("成长发展")
    assert answer["plan"]["actions"][0]["action"] == "career_talk"


def test_every_answer_about_a_person_carries_what_has_to_stand_beside_a_score(client: TestClient, key) -> None:
    answer = client.get(RISK.format("E0001"), params=CARE, headers=key("hr_system")).json()
    assert (answer["as_of"], answer["valid_until"], answer["model"]["version"]) == ("2026-10-31", "2027-01-31", "7")
    limits = answer["limits"]
    assert (limits["evidence"]["low"], limits["evidence"]["high"]) == (0.15, 0.3)
    assert "74 times out of 100" in limits["accuracy_en"]
    assert "Never use it for pay" in limits["notice_en"]
    assert limits["disagree_at"] == "/people/E0001#disagree"


@pytest.mark.parametrize("role", ["manager", "hr"])
def test_people_who_talk_with_people_get_words_and_no_number_of_the_score(role: str, client, key, made) -> None:
    answer = client.get(RISK.format("E0001"), params=CARE, headers=key(role))
    body = answer.json()
    assert (body["band"], body["risk"]) == ("act", None)
    assert all(reason["factor"] is None and reason["contribution"] is None for reason in body["reasons"])
    assert str(made.CANARY)[:5] not in answer.text


@pytest.mark.parametrize("purpose", WRONG)
def test_a_missing_or_other_purpose_is_refused_and_written_down(purpose, client, key, made) -> None:
    headers, before = key("hr_system"), len(made.entries())
    answer = client.get(RISK.format("E0001"), params={} if purpose is None else {"purpose": purpose}, headers=headers)
    assert answer.status_code == 422
    assert "risk" not in answer.json()
    written = made.entries()[before:]
    assert [(row["action"], row["purpose"], row["employee_id"]) for row in written] == [("refused", "none", "E0001")]


def test_two_purposes_at_once_are_none(client: TestClient, key) -> None:
    path = RISK.format("E0001") + "?purpose=retention_care&purpose=audit"
    assert client.get(path, headers=key("hr_system")).status_code == 422


def test_a_key_reads_only_for_the_purposes_it_was_given(client: TestClient, key) -> None:
    headers = key("hr_system", purposes={"subject_access"})
    codes = {p: client.get(RISK.format("E0001"), params={"purpose": p}, headers=headers).status_code for p in PURPOSES}
    assert codes == {purpose: 200 if purpose == "subject_access" else 403 for purpose in PURPOSES}


def test_a_hidden_person_is_answered_like_one_who_does_not_exist(client: TestClient, key) -> None:
    headers = key("manager", Sight("manager", "M2"))
    hidden = client.get(RISK.format("E0001"), params=CARE, headers=headers)
    unknown = client.get(RISK.format("E9999"), params=CARE, headers=headers)
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert {**hidden.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    assert sorted(set(hidden.headers) - {"x-request-id"}) == sorted(set(unknown.headers) - {"x-request-id"})


@pytest.mark.parametrize(
    ("sight", "expected"),
    [
        (Sight("everyone"), {"E0001": 200, "E0013": 200, "M1": 200}),
        (Sight("team", "Nursing B"), {"E0001": 200, "E0013": 404, "M1": 404}),
        (Sight("department", "Care"), {"E0001": 200, "E0013": 200, "M1": 200}),
        (Sight("department", "care"), {"E0001": 404, "E0013": 404, "M1": 404}),
        (Sight("manager", "M1"), {"E0001": 200, "E0013": 404, "M1": 404}),
        (Sight("manager", "M0"), {"E0001": 200, "E0013": 200, "M1": 200}),
        (Sight("manager", "E0001"), {"E0001": 404, "E0013": 404, "M1": 404}),
    ],
    ids=str,
)
def test_a_viewer_reaches_the_people_within_sight_and_nobody_else(sight, expected, client, key) -> None:
    headers = key("hr_system", sight)
    got = {who: client.get(RISK.format(who), params=CARE, headers=headers).status_code for who in expected}
    assert got == expected


def test_after_the_last_day_a_score_is_gone_for_every_role(client: TestClient, key, clock, made) -> None:
    clock.pass_days(90)
    assert client.get(RISK.format("E0001"), params=CARE, headers=key("hr_system")).status_code == 200
    clock.pass_days(1)
    for role in ("hr_system", "hr", "manager"):
        answer = client.get(RISK.format("E0001"), params=CARE, headers=key(role))
        assert answer.status_code == 410
        assert "band" not in answer.json()
    assert client.get("/v1/teams", headers=key("hr_system")).json()["teams"] == []
    flagged = client.get("/v1/teams/Nursing B/flagged", params=CARE, headers=key("hr_system")).json()
    assert flagged["people"] == []
    assert made.entries()[-3]["result"] == "expired"


def test_teams_come_with_needs_in_order_of_care_and_small_groups_are_left_out(client: TestClient, key) -> None:
    answer = client.get("/v1/teams", headers=key("hr_system")).json()
    assert [team["team"] for team in answer["teams"]] == ["Nursing B", "Dental / 口腔", "Reception"]
    first = answer["teams"][0]
    assert (first["n_people"], first["n_judged"]) == (12, 11)
    assert first["expected_exits"] == 1, "in whole people: 0.22 + 0.31 + 0.19 + 0.13 + 0.11 + 6 × 0.04 is 1.2"
    assert first["needs"][0]["driver"] == "growth"
    assert "Lab" not in json.dumps(answer)


def test_a_viewer_who_sees_four_of_a_team_gets_no_figures_about_them(client: TestClient, key, store) -> None:
    from sqlalchemy import update

    from serving.store_tables import employee

    with store.begin() as tx:
        few = ["E0001", "E0002", "E0003", "E0004"]
        tx.execute(update(employee).where(employee.c.id.in_(few)).values(manager_id="M9"))
    answer = client.get("/v1/teams", headers=key("manager", Sight("manager", "M9"))).json()
    assert answer["teams"] == []


def test_flagged_people_stand_by_band_and_name_and_carry_no_number(client: TestClient, key, made) -> None:
    headers = key("hr_system")
    answer = client.get("/v1/teams/Nursing B/flagged", params=CARE, headers=headers)
    people = answer.json()["people"]
    assert [one["band"] for one in people] == ["act", "act", "act", "watch", "watch"]
    names = {row["id"]: row["name"] for row in made.people()}
    acting = [names[one["employee_id"]] for one in people if one["band"] == "act"]
    assert acting == sorted(acting)
    assert "0.2" not in answer.text
    seen = [row["employee_id"] for row in made.entries() if row["action"] == "team.list"]
    assert sorted(seen) == ["E0001", "E0002", "E0003", "E0004", "E0005"]


def test_a_long_list_comes_in_pages_that_together_are_the_list(store, clock, key, tmp_path, made) -> None:
    from serving.app import create_app
    from serving.settings import Settings

    client = TestClient(
        create_app(Settings(state=tmp_path, page_size=2), store=store, clock=clock), base_url=made.ORIGIN
    )
    headers, cursor, seen = key("hr_system"), None, []
    for _ in range(3):
        params = CARE | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/teams/Nursing B/flagged", params=params, headers=headers).json()
        seen += [one["employee_id"] for one in page["people"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert sorted(seen) == ["E0001", "E0002", "E0003", "E0004", "E0005"]


@pytest.mark.parametrize("cursor", ["AAAA", "!", "eyJ4IjoxfQ", "é", "A" * 800])
def test_a_cursor_that_was_not_given_out_leads_nowhere(cursor: str, client: TestClient, key) -> None:
    answer = client.get("/v1/teams/Nursing B/flagged", params=CARE | {"cursor": cursor}, headers=key("hr_system"))
    assert answer.status_code == 404


def test_an_unknown_team_and_a_hidden_team_are_the_same(client: TestClient, key) -> None:
    headers = key("manager", Sight("team", "Reception"))
    answers = [
        client.get(f"/v1/teams/{team}/flagged", params=CARE, headers=headers) for team in ("Nursing B", "Nobody")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json()["title"] == answers[1].json()["title"]


def test_a_team_whose_name_holds_a_slash_can_be_asked_for(client: TestClient, key) -> None:
    answer = client.get("/v1/teams/Dental%20%2F%20%E5%8F%A3%E8%85%94/flagged", params=CARE, headers=key("hr_system"))
    assert (answer.status_code, answer.json()["team"]) == (200, "Dental / 口腔")


def test_somebody_who_cannot_be_judged_has_a_reason_and_no_number(client: TestClient, key) -> None:
    answer = client.get(RISK.format("E0006"), params=CARE, headers=key("hr_system")).json()
    assert (answer["band"], answer["risk"], answer["reasons"]) == ("cannot_judge", None, [])
    assert answer["cannot_judge_en"] == "Hired less than a month ago."


def test_a_new_batch_replaces_the_former_one_for_every_reader(client: TestClient, key, store, made) -> None:
    made.fill(store, version="8")
    answer = client.get(RISK.format("E0001"), params=CARE, headers=key("hr_system")).json()
    assert answer["model"]["version"] == "8"


def test_without_a_batch_the_service_is_alive_but_not_ready(tmp_path, clock) -> None:
    from serving.app import create_app
    from serving.settings import Settings

    client = TestClient(create_app(Settings(state=tmp_path / "new"), clock=clock), base_url="http://localhost")
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 503)


def test_the_catalog_and_the_card_tell_everything_declared(client: TestClient, key) -> None:
    actions = client.get("/v1/catalog", headers=key("analyst")).json()["actions"]
    assert len(actions) >= 25
    assert all(action["evidence"]["text_en"] and action["harm_zh"] for action in actions)
    card = client.get("/v1/model", headers=key("analyst")).json()["card"]
    assert card["columns"][0]["column"] == "months_since_promotion"
    assert "typical" not in card


def test_every_operation_has_an_example_that_fits_its_schema(client: TestClient) -> None:
    from serving import schemas, schemas_cases

    paths = client.get("/v1/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            kinds = good.get("content", {})
            assert not kinds or any(kind.get("example") for kind in kinds.values()), path
    for name, example in EXAMPLES.items():
        where = schemas if hasattr(schemas, name) else schemas_cases
        getattr(where, name).model_validate(example)


def test_an_error_is_a_problem_document_without_anything_about_anybody(client: TestClient, key) -> None:
    answer = client.get(RISK.format("E0001"), params={"purpose": "Li Na wants it"}, headers=key("hr_system"))
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) <= {"type", "title", "status", "request_id", "errors"}
    assert "Li Na" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_body_above_the_limit_is_refused_with_and_without_a_length(client: TestClient, made) -> None:
    big = b"x" * 70_000
    headers = {"origin": made.ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    assert client.post("/sign-in", content=big, headers=headers).status_code == 413
    assert client.post("/sign-in", content=iter([big]), headers=headers).status_code == 413


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "a b"])
def test_a_host_that_is_not_ours_gets_nothing(host: str, client: TestClient, key) -> None:
    headers = {**key("hr_system"), "host": host}
    assert client.get(RISK.format("E0001"), params=CARE, headers=headers).status_code == 400


def test_a_person_who_was_set_aside_is_not_told_to_systems_either(
    client: TestClient, key, signed_in, form_of, made
) -> None:
    browser = signed_in("hr")
    form = {**form_of(browser), "decision": "disregard", "reason": "on leave for a good reason"}
    browser.post("/people/E0001/override", data=form, headers={"origin": made.ORIGIN})
    answer = client.get(RISK.format("E0001"), params=CARE, headers=key("hr_system")).json()
    assert (answer["band"], answer["risk"], answer["reasons"]) == (None, None, [])
    assert answer["override"]["decided_by"] == "Li Na of HR"
