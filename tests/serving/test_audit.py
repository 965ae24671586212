"""Every look is written down before it is answered, and the log shows when somebody touches it."""

from __future__ import annotations

import threading

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, text, update

from serving import audit, store_log
from serving.audit import Entry
from serving.store import Store
from serving.store_tables import audit_entry, audit_head, audit_subject

FULL_DISK = {
    "sqlite": ["CREATE TRIGGER full_disk BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'disk full'); END"],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk full'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION refuse()",
    ],
}
RISK = "/v1/employees/E0001/risk?purpose=retention_care"


def add(store: Store, made, n: int) -> None:
    with store.begin() as tx:
        for i in range(n):
            audit.record(tx, Entry("key 1 x", "risk.read", "shown", f"r{i}", subject=f"E{i:04}"), now=made.NOW)


def verdict(store: Store, anchor: tuple[int, str] | None = None) -> audit.Verdict:
    with store.begin() as tx:
        return audit.verify(tx, anchor=anchor)


def test_a_read_is_written_down_with_who_when_why_whom_and_which_model(client: TestClient, key, made) -> None:
    client.get(RISK, headers=key("hr_system"))
    row = made.entries()[-1]
    assert row["actor"] == "key 1 hr_system system"
    assert (row["action"], row["purpose"], row["result"]) == ("risk.read", "retention_care", "shown")
    assert (row["employee_id"], row["model_version"], row["at"]) == ("E0001", "7", made.NOW)


def test_the_log_never_holds_a_score_or_a_band(client: TestClient, key, store: Store, made) -> None:
    client.get(RISK, headers=key("hr_system"))
    row = str(made.entries()[-1])
    assert str(made.CANARY)[:5] not in row
    assert "act'" not in row.replace("'action'", "").replace("'actor'", "")


def test_when_the_entry_cannot_be_written_nothing_is_shown(client: TestClient, key, store: Store, made) -> None:
    headers = key("hr_system")
    with store.begin() as tx:
        for statement in FULL_DISK[store.engine.dialect.name]:
            tx.execute(text(statement))
    answer = client.get(RISK, headers=headers)
    assert answer.status_code == 503
    assert "growth" not in answer.text
    assert str(made.CANARY)[:5] not in answer.text
    assert "disk full" not in answer.text


def test_a_refused_request_is_written_down_too(client: TestClient, key, made) -> None:
    before = len(made.entries())
    client.get(RISK)
    client.get("/v1/audit", headers=key("manager"))
    client.get("/v1/employees/E7777/risk?purpose=retention_care", headers=key("hr_system"))
    rows = made.entries()[before:]
    assert [(row["actor"].split()[0], row["action"], row["result"]) for row in rows] == [
        ("anonymous", "refused", "not_signed_in"),
        ("key", "refused", "scope_missing"),
        ("key", "risk.read", "not_found"),
    ]


def test_a_chain_that_nobody_touched_is_whole(store: Store, made) -> None:
    add(store, made, 20)
    assert verdict(store).problem is None
    assert verdict(store).n_entries == 21


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda tx: tx.execute(update(audit_entry).where(audit_entry.c.sequence == 5).values(actor="nobody")),
            "entry 5",
        ),
        (lambda tx: tx.execute(delete(audit_entry).where(audit_entry.c.sequence == 7)), "entry 7"),
        (lambda tx: swap(tx, 3, 4), "entry 3"),
        (lambda tx: tx.execute(delete(audit_entry).where(audit_entry.c.sequence > 15)), "the end was cut"),
    ],
    ids=["edited", "deleted", "swapped", "cut"],
)
def test_an_edited_deleted_swapped_or_cut_entry_is_found(change, told: str, store: Store, made) -> None:
    add(store, made, 20)
    with store.begin() as tx:
        change(tx)
    assert told in str(verdict(store).problem)


def swap(tx, one: int, other: int) -> None:
    for old, new in ((one, 1000), (other, one), (1000, other)):
        tx.execute(update(audit_entry).where(audit_entry.c.sequence == old).values(sequence=new))


def test_a_cut_with_its_traces_removed_and_a_rebuilt_chain_are_found_against_the_anchor(store: Store, made) -> None:
    add(store, made, 20)
    anchor = (verdict(store).sequence, verdict(store).hash)
    with store.begin() as tx:
        rows = list(store_log.entries(tx))
        tx.execute(delete(audit_entry).where(audit_entry.c.sequence > 15))
        tx.execute(update(audit_head).values(sequence=15, hash=rows[14]["hash"]))
    assert verdict(store).problem is None
    assert "anchored" in str(verdict(store, anchor).problem)
    with store.begin() as tx:
        tx.execute(delete(audit_entry))
        tx.execute(update(audit_head).values(sequence=0, hash=audit.START))
    add(store, made, 21)
    assert verdict(store).problem is None
    assert "anchored" in str(verdict(store, anchor).problem)


def test_the_anchor_file_remembers_the_last_end_of_the_chain(store: Store, made, tmp_path) -> None:
    file = tmp_path / "anchor.txt"
    assert audit.read_anchor(file) is None
    audit.write_anchor(file, verdict(store))
    add(store, made, 3)
    found = verdict(store, audit.read_anchor(file))
    assert found.problem is None
    audit.write_anchor(file, found)
    assert audit.read_anchor(file) == (4, found.hash)


def test_erasing_the_token_of_a_person_leaves_the_chain_whole(store: Store, made) -> None:
    add(store, made, 5)
    with store.begin() as tx:
        tx.execute(delete(audit_subject).where(audit_subject.c.employee_id == "E0003"))
    assert verdict(store).problem is None
    assert "E0003" not in str(made.entries())


def test_eight_writers_at_once_make_one_chain(store: Store, made) -> None:
    writers = [threading.Thread(target=add, args=(store, made, 5)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (verdict(store).problem, verdict(store).n_entries) == (None, 41)


def test_the_log_is_read_in_pages_and_the_reading_is_in_it(client: TestClient, key, store: Store, made) -> None:
    add(store, made, 6)
    headers = key("auditor")
    first = client.get("/v1/audit?limit=4", headers=headers).json()
    assert [row["sequence"] for row in first["entries"]] == [7, 6, 5, 4]
    second = client.get("/v1/audit", params={"limit": 4, "cursor": first["next_cursor"]}, headers=headers).json()
    assert [row["sequence"] for row in second["entries"]] == [3, 2, 1]
    assert made.entries()[-1]["action"] == "audit.read"
