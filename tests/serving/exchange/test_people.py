"""Many people at once: pages that together are the list, exports that are in the log before they leave."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import polars as pl
import pytest

from serving import store_log
from serving.store_people import Sight

CARE = {"purpose": "retention_care"}


def pages(client, headers, **asked):
    cursor, found = None, []
    while True:
        params = CARE | asked | ({"cursor": cursor} if cursor else {})
        answer = client.get("/v1/people", params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        found += answer.json()["people"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def test_pages_together_are_everybody_once_by_id(client, key) -> None:
    headers = key()
    whole = pages(client, headers, limit=1000)
    parts = pages(client, headers, limit=7)
    ids = [one["employee_id"] for one in whole]
    assert len(ids) > 30
    assert ids == sorted(set(ids))
    assert parts == whole


def test_a_list_holds_no_number_and_no_name(client, key) -> None:
    answer = client.get("/v1/people", params=CARE, headers=key())
    line = answer.json()["people"][0]
    assert set(line) == {"employee_id", "team", "department", "band", "decided_by_person", "valid_until"}


def test_filters_leave_exactly_those_who_fit(client, key) -> None:
    headers = key()
    whole = pages(client, headers)
    team = whole[0]["team"]
    assert pages(client, headers, team=team) == [one for one in whole if one["team"] == team]
    for band in ("calm", "watch", "act", "cannot_judge"):
        assert pages(client, headers, band=band) == [one for one in whole if one["band"] == band]
    assert pages(client, headers, team="no such team") == []


def test_a_cursor_serves_only_the_list_it_was_given_out_for(client, key) -> None:
    headers, other = key(), key()
    cursor = client.get("/v1/people", params=CARE | {"limit": 5}, headers=headers).json()["next_cursor"]
    borrowed = client.get("/v1/people", params=CARE | {"cursor": cursor}, headers=other)
    bent = client.get("/v1/people", params=CARE | {"cursor": cursor, "band": "act"}, headers=headers)
    assert (borrowed.status_code, bent.status_code) == (404, 404)


def test_somebody_out_of_sight_is_in_no_page_no_filter_and_no_export(client, key) -> None:
    whole = pages(client, key())
    team = whole[0]["team"]
    headers = key("hr_system", Sight("team", team))
    mine = [one for one in whole if one["team"] == team]
    other = next(one["team"] for one in whole if one["team"] != team)
    assert pages(client, headers) == mine
    assert pages(client, headers, team=other) == []
    told = client.get("/v1/people/export", params=CARE, headers=headers).text.splitlines()
    assert [json.loads(line)["employee_id"] for line in told] == [one["employee_id"] for one in mine]


def test_changed_since_tells_new_bands_and_peoples_words(client, key, store, world) -> None:
    from sqlalchemy import insert, select, update

    from serving.store_tables import override, score, score_run

    headers, early = key(), "2020-01-01T00:00:00Z"
    whole = pages(client, headers)
    assert pages(client, headers, changed_since=early) == whole
    after = world.now.isoformat()
    assert pages(client, headers, changed_since=after) == []
    who = whole[3]["employee_id"]
    with store.begin() as tx:
        run = tx.execute(select(score_run.c.id)).scalar_one()
        word = {"employee_id": who, "run_id": run, "decision": "calm", "reason": "talked", "decided_by": "Li Na"}
        later = world.now + timedelta(hours=1)
        tx.execute(insert(override).values(**word, decided_at=later, valid_until=later.date().replace(year=2100)))
        tx.execute(update(score).where(score.c.employee_id == whole[5]["employee_id"]).values(band="watch"))
    told = pages(client, headers, changed_since=after)
    assert [one["employee_id"] for one in told] == [who]
    assert told[0]["band"] == "calm"


@pytest.mark.parametrize("since", ["yesterday", "2026-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_without_a_zone_or_outside_of_time_is_refused(since, client, key) -> None:
    assert client.get("/v1/people", params=CARE | {"changed_since": since}, headers=key()).status_code == 422


def test_every_person_on_a_page_and_in_an_export_is_in_the_log_and_the_chain_is_whole(client, key, store) -> None:
    from serving import audit

    headers = key()
    n = len(pages(client, headers, limit=1000))
    export = client.get("/v1/people/export", params=CARE, headers=headers)
    assert len(export.text.splitlines()) == n
    with store.begin() as tx:
        rows = store_log.entries_page(tx, before=None, limit=10_000)
        assert audit.verify(tx).problem is None
    listed = {row["employee_id"] for row in rows if row["action"] == "people.list"}
    exported = [row for row in rows if row["action"] == "people.export"]
    assert len(listed) == n
    assert len(exported) == n + 1
    assert f"{n} people" in {row["result"] for row in exported}
    assert export.headers["x-export"] in {row["employee_id"] for row in exported}


def test_numbers_leave_only_when_they_are_asked_for_and_allowed(client, key) -> None:
    plainly = [json.loads(x) for x in client.get("/v1/people/export", params=CARE, headers=key()).text.splitlines()]
    assert {line["risk"] is None for line in plainly} == {True}
    asked = client.get("/v1/people/export", params=CARE | {"numbers": True}, headers=key())
    told = [json.loads(x) for x in asked.text.splitlines()]
    judged = [line for line in told if line["band"] != "cannot_judge"]
    assert judged
    assert all([row["horizon_days"] for row in line["risk"]] == [30, 90, 180, 365] for line in judged)
    few = key(scopes={"people.export"})
    assert client.get("/v1/people/export", params=CARE | {"numbers": True}, headers=few).status_code == 403


def test_parquet_says_the_same_as_ndjson_and_who_took_it(client, key) -> None:
    headers = key()
    asked = CARE | {"numbers": True}
    lines = [json.loads(x) for x in client.get("/v1/people/export", params=asked, headers=headers).text.splitlines()]
    answer = client.get("/v1/people/export", params=asked | {"file": "parquet"}, headers=headers)
    frame = pl.read_parquet(io.BytesIO(answer.content))
    assert frame["employee_id"].to_list() == [line["employee_id"] for line in lines]
    at_180 = [next((r["voluntary"] for r in line["risk"] or [] if r["horizon_days"] == 180), None) for line in lines]
    assert frame["risk_180d"].to_list() == at_180
    facts = pl.read_parquet_metadata(io.BytesIO(answer.content))
    assert facts["purpose"] == "retention_care"
    assert "hr_system" in facts["by"]
