"""Scoring on demand: the recipe of the night, nothing kept, rows refused one by one; jobs that outlive a restart."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from serving import jobs, store_contest, store_log
from serving.app import create_app
from serving.settings import Settings
from serving.store_people import Sight

CARE = {"purpose": "retention_care"}


def score(client, headers, records, day, **other):
    body = {"as_of": str(day), "records": records, **other}
    return client.post("/v1/scores", params=CARE, json=body, headers=headers)


def start(client, headers, records, day, *, name="job-1"):
    body = {"as_of": str(day), "records": records}
    return client.post("/v1/jobs", params=CARE, json=body, headers={**headers, "idempotency-key": name})


def whole(world):
    """Every record of the lake, as another system would post it."""
    import polars as pl

    tables = {}
    for name, frame in world.lake.read().items():
        if name == "protected":
            continue
        kept = frame.collect()
        days = [pl.col(n).cast(pl.String) for n, t in kept.schema.items() if t in (pl.Date, pl.Datetime("us"))]
        given = kept.with_columns(pl.when("known_on_given").then("known_on").alias("known_on"))
        plain = given.drop("_seq", "known_on_given").with_columns(days)
        tables[name] = [{k: v for k, v in row.items() if v is not None} for row in plain.to_dicts()]
    return tables


def few(world):
    """The records that say most, so that a test does not post a year of messages."""
    return {name: rows for name, rows in whole(world).items() if name in ("employees", "positions", "recognitions")}


def test_posted_records_get_the_answer_that_the_nightly_batch_gives(client, key, store, world) -> None:
    from sqlalchemy import select

    from serving import store_said
    from serving.store_tables import plain
    from serving.store_tables import score as stored

    records = whole(world)
    headers = key()
    answer = score(client, headers, records, world.as_of)
    assert answer.status_code == 200, answer.text
    with store.begin() as tx:
        rows = {row.employee_id: store_said.told(tx, plain(row)) for row in tx.execute(select(stored)).all()}
    told = {one["employee_id"]: one for one in answer.json()["people"]}
    assert set(told) == set(rows)
    assert answer.json()["refused"] == []
    for who, one in told.items():
        assert one["band"] == rows[who]["band"]
        if one["risk"] is not None:
            at_180 = next(row for row in one["risk"] if row["horizon_days"] == 180)
            assert at_180["voluntary"] == pytest.approx(rows[who]["risk"]["180"], abs=1e-9)
            assert [r["driver"] for r in one["reasons"]] == [r["driver"] for r in rows[who]["reasons"] if r["text_en"]]


def test_only_those_asked_for_are_answered_and_the_others_are_compared_with(client, key, world) -> None:
    records, headers = few(world), key()
    everybody = {one["employee_id"]: one for one in score(client, headers, records, world.as_of).json()["people"]}
    two = sorted(everybody)[:2]
    answer = score(client, headers, records, world.as_of, employees=[*two, "nobody"]).json()
    assert [one["employee_id"] for one in answer["people"]] == two
    assert answer["people"] == [everybody[who] for who in two]
    assert answer["absent"] == ["nobody"]


def test_nothing_of_what_is_posted_is_kept(client, key, world) -> None:
    before = world.lake.versions()
    row = {"employee_id": "CANARY-7781", "hired_on": "2020-01-01", "name": "Canary Canarsson"}
    post = {"employee_id": "CANARY-7781", "happened_on": "2020-01-01", "department": "CANARY-Dept"}
    answer = score(client, key(), {"employees": [row], "positions": [post]}, world.as_of)
    assert [one["employee_id"] for one in answer.json()["people"]] == ["CANARY-7781"]
    assert world.lake.versions() == before
    held = [file for file in world.state.rglob("*") if file.is_file() and b"CANARY" in file.read_bytes()]
    assert held == []


def test_a_wrong_row_is_refused_with_its_fix_and_the_rest_is_scored(client, key, world) -> None:
    people = [{"employee_id": "A", "hired_on": "2020-01-01"}, {"employee_id": "B", "hired_on": "not yet"}]
    posts = [{"employee_id": "A", "happened_on": "2020-01-01", "level": "high"}, {"employee_id": "A", "mood": "sad"}]
    body = score(client, key(), {"employees": people, "positions": posts}, world.as_of).json()
    assert [one["employee_id"] for one in body["people"]] == ["A"]
    told = [(one["table"], one["row"], one["faults"][0]["rule"]) for one in body["refused"]]
    assert told == [("employees", 1, "date"), ("positions", 0, "whole_number"), ("positions", 1, "never_accepted")]
    assert body["people"][0]["rows_left_out"] == 2


def test_more_than_a_hundred_people_are_a_job(client, key, world) -> None:
    people = [{"employee_id": f"E{i}", "hired_on": "2020-01-01"} for i in range(101)]
    answer = score(client, key(), {"employees": people}, world.as_of)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["what"] == "more_than_100_people"


def test_every_known_person_scored_is_in_the_log_and_a_stranger_is_not(client, key, store, world) -> None:
    records, headers = few(world), key()
    score(client, headers, records, world.as_of)
    score(client, headers, {"employees": [{"employee_id": "STRANGER", "hired_on": "2020-01-01"}]}, world.as_of)
    with store.begin() as tx:
        rows = [r for r in store_log.entries_page(tx, before=None, limit=10_000) if r["action"] == "score.posted"]
    assert "STRANGER" not in {row["employee_id"] for row in rows}
    assert sum(row["result"] == "shown" for row in rows) > 30


def test_a_key_that_sees_a_part_scores_nothing(client, key, world) -> None:
    records = {"employees": [{"employee_id": "A", "hired_on": "2020-01-01"}]}
    assert score(client, key("hr_system", Sight("team", "x")), records, world.as_of).status_code == 403


def test_a_job_says_where_it_stands_and_answers_what_the_request_would(app, client, key, world) -> None:
    records, headers = few(world), key()
    at_once = score(client, headers, records, world.as_of).json()["people"]
    made = start(client, headers, records, world.as_of)
    assert (made.status_code, made.json()["state"]) == (202, "queued")
    place = made.headers["location"]
    assert client.get(f"{place}/answers", params=CARE, headers=headers).status_code == 409
    assert jobs.run_next(app.state.desk, app.state.at_hand) == made.json()["job_id"]
    stands = client.get(place, headers=headers).json()
    assert (stands["state"], stands["done"]) == ("done", stands["total"])
    lines = [json.loads(x) for x in client.get(f"{place}/answers", params=CARE, headers=headers).text.splitlines()]
    assert [line["person"] for line in lines if line["line"] == "person"] == at_once


def test_posted_records_tell_nobody_who_objects_also_after_the_job_is_done(app, client, key, store, world) -> None:
    records, headers = few(world), key()
    people = [one["employee_id"] for one in score(client, headers, records, world.as_of).json()["people"]]
    made = start(client, headers, records, world.as_of)
    jobs.run_next(app.state.desk, app.state.at_hand)
    who = people[3]
    with store.begin() as tx:
        row = {"employee_id": who, "words": "no", "opened_at": world.now, "due_on": world.as_of}
        store_contest.open_contest(tx, row)
    told = score(client, headers, records, world.as_of).json()
    assert who not in {one["employee_id"] for one in told["people"]}
    assert who in told["absent"]
    answers = client.get(f"{made.headers['location']}/answers", params=CARE, headers=headers).text
    lines = {one["employee_id"]: one["line"] for one in map(json.loads, answers.splitlines()) if one["employee_id"]}
    assert lines[who] == "absent"
    assert {lines[one] for one in people if one != who} == {"person"}


def test_a_job_that_was_interrupted_goes_on_after_a_restart_without_a_row_twice(
    app, client, key, world, store, monkeypatch
) -> None:
    from serving import store_exchange

    monkeypatch.setattr(jobs, "PORTION", 10)
    records, headers = few(world), key()
    place = start(client, headers, records, world.as_of).headers["location"]
    rounds = iter([False, False, True])
    jobs.run_next(app.state.desk, app.state.at_hand, stopping=lambda: next(rounds))
    half = client.get(place, headers=headers).json()
    assert half["state"] == "queued"
    assert 0 < half["done"] < half["total"]
    with store.begin() as tx:
        store_exchange.release_jobs(tx)
    jobs.run_next(app.state.desk, app.state.at_hand)
    lines = [json.loads(x) for x in client.get(f"{place}/answers", params=CARE, headers=headers).text.splitlines()]
    ids = [line["employee_id"] for line in lines if line["line"] == "person"]
    assert len(ids) == len(set(ids)) == half["total"] - sum(line["line"] == "absent" for line in lines)


def test_a_killed_worker_loses_its_job_to_the_next_when_the_lease_ends(app, client, key, world, store, clock) -> None:
    from serving import store_exchange

    headers = key()
    place = start(client, headers, few(world), world.as_of).headers["location"]
    with store.begin() as tx:
        assert store_exchange.claim_job(tx, now=clock.now, lease_until=clock.now + jobs.LEASE)
    assert jobs.run_next(app.state.desk, app.state.at_hand) is None
    clock.now += jobs.LEASE + timedelta(seconds=1)
    assert jobs.run_next(app.state.desk, app.state.at_hand) is not None
    assert client.get(place, headers=headers).json()["state"] == "done"


def test_what_was_posted_is_gone_when_the_job_ends_and_the_answers_when_it_is_deleted(
    app, client, key, world, store
) -> None:
    from sqlalchemy import select

    from serving.store_exchange_tables import job, job_part

    headers = key()
    place = start(client, headers, few(world), world.as_of).headers["location"]
    jobs.run_next(app.state.desk, app.state.at_hand)
    with store.begin() as tx:
        assert tx.execute(select(job.c.asked)).scalar_one() is None
        assert tx.execute(select(job_part.c.part)).all()
    assert client.delete(place, headers=headers).status_code == 204
    with store.begin() as tx:
        assert tx.execute(select(job_part.c.part)).all() == []
    assert client.get(place, headers=headers).status_code == 404
    anew = start(client, headers, few(world), world.as_of).headers["location"]
    assert anew != place
    assert client.get(anew, headers=headers).status_code == 200


def test_a_job_is_its_own_clients_alone_and_a_repeat_starts_no_second(client, key, world) -> None:
    headers, other = key(), key()
    records = {"employees": [{"employee_id": "A", "hired_on": "2020-01-01"}]}
    first, again = (start(client, headers, records, world.as_of) for _ in range(2))
    assert first.json() == again.json()
    place = first.headers["location"]
    assert again.headers["location"] == place
    assert client.get(place, headers=other).status_code == 404
    assert client.delete(place, headers=other).status_code == 404
    assert client.get(place, headers=headers).status_code == 200


def test_a_job_that_cannot_be_worked_on_fails_and_holds_up_nobody(app, client, key, world, store) -> None:
    import shutil

    headers = key()
    records = {"employees": [{"employee_id": "A", "hired_on": "2020-01-01"}]}
    place = start(client, headers, records, world.as_of).headers["location"]
    shutil.rmtree(world.state / "champion")
    app.state.at_hand._bundle = None
    jobs.run_next(app.state.desk, app.state.at_hand)
    stands = client.get(place, headers=headers).json()
    assert (stands["state"], "model" in stands["why"]) == ("failed", True)


def what_if(client, headers, who, **changes):
    path = f"/v1/employees/{who}/what-if"
    return client.post(path, params=CARE, json={"changes": changes}, headers=headers)


def anybody(client, headers):
    people = client.get("/v1/people", params=CARE, headers=headers).json()["people"]
    return next(one["employee_id"] for one in people if one["band"] != "cannot_judge")


def test_a_what_if_moves_only_what_was_changed_and_starts_from_what_is_shown(client, key) -> None:
    headers = key()
    who = anybody(client, headers)
    shown = client.get(f"/v1/employees/{who}/risk", params=CARE, headers=headers).json()
    columns = client.get("/v1/what-if", headers=headers).json()["columns"]
    hours = next(one for one in columns if one["column"] == "overtime_hours_90d")
    body = what_if(client, headers, who, **{hours["column"]: 400}).json()
    now = {row["horizon_days"]: row["voluntary"] for row in body["now"]["risk"]}
    assert now == pytest.approx({row["horizon_days"]: row["voluntary"] for row in shown["risk"]}, abs=1e-9)
    assert body["now"]["band"] == shown["band"]
    assert body["now"] != body["then"]
    assert body["drivers"] == ["workload"]
    assert "not what would happen" in body["what_it_is_en"]


def test_a_what_if_of_nothing_changes_nothing(client, key, world) -> None:
    from features.kept import kept_matrix

    headers = key()
    who = anybody(client, headers)
    row = kept_matrix(world.lake, as_of=[world.as_of]).frame.filter(employee_id=who).row(0, named=True)
    body = what_if(client, headers, who, overtime_hours_90d=row["overtime_hours_90d"]).json()
    assert (body["now"], body["drivers"]) == (body["then"], [])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"tenure_days": 3}, "not_actionable"),
        ({"gender": "x"}, "not_read"),
        ({"shoe_size": 43}, "not_read"),
        ({"overtime_hours_90d": -1}, "out_of_range"),
        ({"overtime_hours_90d": "many"}, "not_a_number"),
    ],
)
def test_what_care_cannot_change_is_refused_by_name(change, why, client, key) -> None:
    headers = key()
    answer = what_if(client, headers, anybody(client, headers), **change)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"where": f"changes.{next(iter(change))}", "what": why}]


@pytest.mark.parametrize("role", ["hr", "manager"])
def test_those_who_talk_with_people_get_bands_and_no_number(role, client, key) -> None:
    who = anybody(client, key())
    body = what_if(client, key(role), who, overtime_hours_90d=400).json()
    assert (body["now"]["risk"], body["then"]["risk"]) == (None, None)
    assert body["then"]["band"]


def test_a_hidden_person_has_no_what_if_and_a_look_is_written_down(client, key, store) -> None:
    headers = key()
    who = anybody(client, headers)
    hidden = what_if(client, key("manager", Sight("manager", who)), who, overtime_hours_90d=1)
    unknown = what_if(client, headers, "nobody", overtime_hours_90d=1)
    assert (hidden.status_code, unknown.status_code) == (404, 404)
    assert {**hidden.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}
    with store.begin() as tx:
        looks = [r for r in store_log.entries_page(tx, before=None, limit=50) if r["action"] == "risk.read"]
    assert len(looks) == 2


def test_without_the_snapshot_of_the_day_nothing_is_worked_out_in_a_request(client, key, world) -> None:
    import shutil

    headers = key()
    who = anybody(client, headers)
    shutil.rmtree(world.state / "lake" / "_kept")
    assert what_if(client, headers, who, overtime_hours_90d=1).status_code == 503


def test_what_the_organisation_does_not_offer_is_in_no_plan(world, store, clock, key) -> None:
    """As in the nightly batch: the organisation's own word over the catalog counts for posted people too."""
    records, headers = whole(world), key()

    def offered() -> set[str]:
        app = create_app(Settings(state=world.state), store=store, clock=clock)
        answer = score(TestClient(app, base_url="http://127.0.0.1:8000"), headers, records, world.as_of)
        return {action["action"] for one in answer.json()["people"] for action in one["plan"]["actions"]}

    before = offered()
    (world.state / "care.toml").write_text(f"off = {sorted(before)}".replace("'", '"'), encoding="utf-8")
    assert before
    assert not before & offered()
