"""Records pushed row by row: each row is told what became of it, a repeat has one effect, nothing forbidden is kept."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import polars as pl
import pytest

from features.intake.quarantine import waiting
from serving.store_people import Sight


def push(client, headers, table, rows, *, name="one"):
    return client.post(f"/v1/records/{table}", json={"rows": rows}, headers={**headers, "idempotency-key": name})


def height(world, table):
    return world.lake.read([table])[table].select(pl.len()).collect().item()


@pytest.fixture
def thanks(world):
    """Two rows of thanks for the first person on record."""
    who = world.lake.read(["employees"])["employees"].sort("employee_id").collect()["employee_id"][0]
    day = (world.as_of - timedelta(days=3)).isoformat()
    row = {"employee_id": who, "happened_on": day, "kind": "peer_thanks", "given_by": who}
    return [row, {**row, "kind": "award"}]


def test_each_row_is_told_what_became_of_it(client, key, world, thanks) -> None:
    headers, before = key(), height(world, "recognitions")
    rows = [
        *thanks,
        thanks[0],
        {**thanks[0], "note": "said twice"},
        {**thanks[0], "happened_on": "31/02/2026"},
        {**thanks[0], "employee_id": "nobody"},
        {**thanks[0], "religion": "any"},
        {**thanks[0], "given_bye": "x"},
    ]
    answer = push(client, headers, "recognitions", rows)
    body = answer.json()
    assert answer.status_code == 200, answer.text
    states = [row["state"] for row in body["rows"]]
    assert states[:4] == ["accepted", "accepted", "duplicate", "corrected"]
    assert states[4:] == ["quarantined", "quarantined", "refused", "refused"]
    kinds = ("accepted", "corrected", "duplicates", "quarantined", "refused")
    assert body["received"] == 8 == sum(body[kind] for kind in kinds)
    faults = [row["faults"][0] for row in body["rows"][4:]]
    assert [fault["rule"] for fault in faults] == ["date", "unknown_employee", "never_accepted", "unknown_column"]
    assert [fault["column"] for fault in faults] == ["happened_on", "employee_id", "religion", "given_bye"]
    assert faults[0]["value"] == "31/02/2026"
    assert all(fault["fix_en"] and fault["fix_zh"] for fault in faults)
    assert "given_by" in faults[3]["fix_en"]
    assert height(world, "recognitions") == before + 3


def test_a_quarantined_row_waits_under_its_id_and_a_refused_one_leaves_no_trace(client, key, world, thanks) -> None:
    rows = [{**thanks[0], "happened_on": "soon"}, {**thanks[0], "home_gps_trace": "CANARY-31.2,121.4"}]
    body = push(client, key(), "recognitions", rows).json()
    assert body["rows"][0]["quarantine_id"] in set(waiting(world.lake)["id"])
    assert body["rows"][1]["state"] == "refused"
    held = [file for file in world.state.rglob("*") if file.is_file() and b"CANARY" in file.read_bytes()]
    assert held == []


def test_pushed_records_are_what_a_file_with_them_would_be(client, key, world, thanks, tmp_path) -> None:
    import shutil

    from features.ingest import import_folder
    from features.lake import Lake

    shutil.copytree(world.state / "lake", tmp_path / "twin")
    push(client, key(), "recognitions", thanks)
    (tmp_path / "files").mkdir()
    pl.DataFrame(thanks).write_csv(tmp_path / "files" / "recognitions.csv")
    twin = Lake(tmp_path / "twin")
    import_folder(tmp_path / "files", twin)
    content = pl.exclude("_seq")
    pushed, filed = (lake.read(["recognitions"])["recognitions"].collect() for lake in (world.lake, twin))
    order = ["employee_id", "happened_on", "kind"]
    assert pushed.select(content).sort(order).equals(filed.select(content).sort(order))


def test_the_same_key_with_the_same_body_is_one_write_with_one_answer(client, key, world, thanks) -> None:
    headers, before = key(), height(world, "recognitions")
    answers = [push(client, headers, "recognitions", thanks) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    assert height(world, "recognitions") == before + 2


def test_the_same_key_with_another_body_or_another_table_is_refused(client, key, thanks) -> None:
    headers = key()
    push(client, headers, "recognitions", thanks)
    assert push(client, headers, "recognitions", thanks[:1]).status_code == 422
    assert push(client, headers, "reviews", thanks).status_code == 422


def test_a_key_of_another_client_is_another_key(client, key, thanks) -> None:
    first, second = (push(client, key(), "recognitions", thanks).json() for _ in range(2))
    assert (first["accepted"], second["accepted"], second["duplicates"]) == (2, 0, 2)


def test_without_a_key_nothing_is_written(client, key, world, thanks) -> None:
    before = height(world, "recognitions")
    answer = client.post("/v1/records/recognitions", json={"rows": thanks}, headers=key())
    assert (answer.status_code, height(world, "recognitions")) == (400, before)


def test_many_at_once_with_one_key_have_one_effect(client, key, world, thanks) -> None:
    headers, before = key(), height(world, "recognitions")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(push(client, headers, "recognitions", thanks)))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = {answer.status_code for answer in answers}
    assert codes <= {200, 409, 503}
    assert len({answer.text for answer in answers if answer.status_code == 200}) == 1
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code != 200)
    assert height(world, "recognitions") == before + 2
    assert push(client, headers, "recognitions", thanks).json()["accepted"] == 2


def test_a_write_that_was_killed_before_its_answer_is_taken_over_and_answered_the_same(world, thanks) -> None:
    from features.push import push as push_rows

    today, before = world.as_of, height(world, "recognitions")
    rows = [*thanks, {**thanks[0], "note": "later"}, {**thanks[1], "happened_on": "soon"}]
    first = push_rows(world.lake, "recognitions", rows, batch="b", today=today)
    again = push_rows(world.lake, "recognitions", rows, batch="b", today=today)
    assert [one.state for one in first] == ["accepted", "accepted", "corrected", "quarantined"]
    assert again == first
    assert height(world, "recognitions") == before + 3


def test_a_lease_that_ran_out_is_taken_over_under_the_name_it_had(client, key, store, clock, world, thanks) -> None:
    from sqlalchemy import update

    from serving.store_exchange_tables import repeat

    headers = key()
    done = push(client, headers, "recognitions", thanks)
    with store.begin() as tx:  # as a kill after the records were written and before the answer was
        tx.execute(update(repeat).values(answer=None, status=None))
    assert push(client, headers, "recognitions", thanks).status_code == 409
    clock.now += timedelta(seconds=61)
    assert push(client, headers, "recognitions", thanks).json() == done.json()


def test_protected_attributes_have_no_way_in_here(client, key) -> None:
    answer = push(client, key(), "protected", [{"employee_id": "1", "gender": "x"}])
    assert answer.status_code == 422


def test_a_key_that_sees_a_part_pushes_nothing(client, key, thanks) -> None:
    headers = key("hr_system", Sight("team", "anything"))
    assert push(client, headers, "recognitions", thanks).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        *('{"rows": []}', "[]", "{", '{"rows": [{"a": {}}]}', '{"rows": [{"a": NaN}]}', '{"rows": [{"a": 1e999}]}', ""),
        *('{"rows": [{"a": "\\ud800"}]}', '{"rows": [{"a": 1}], "more": 1}', "[" * 10_000),
    ],
)
def test_a_body_of_another_form_is_refused_with_the_place_and_without_the_value(body, client, key) -> None:
    headers = {**key(), "idempotency-key": "x", "content-type": "application/json"}
    answer = client.post("/v1/records/employees", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_hostile_cells_are_told_and_nothing_breaks(client, key, world) -> None:
    cells = ["\u0000", "=HYPERLINK(1)", "x" * 2000, "\u202e", "9" * 300, True, -1e15, 10**15, "😀" * 500, " ", "null"]
    rows = [{"employee_id": cell, "hired_on": cell} for cell in cells]
    body = push(client, key(), "employees", rows).json()
    assert {row["state"] for row in body["rows"]} == {"quarantined"}
    assert json.dumps(body)
