"""An erased person is in no row and in no byte of the store, and the audit log is whole all the same."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from serving import audit, store_people
from serving.store import Store
from serving.store_people import Sight
from serving.store_tables import metadata

PERSON = "E0001"


def everything(store: Store) -> bytes:
    if store.file is None:  # what a server's pages hold is its own; here it is every row of every table
        with store.begin() as tx:
            return repr([tx.execute(select(table)).all() for table in metadata.sorted_tables]).encode()
    files = sorted(store.file.parent.glob(f"{store.file.name}*"))
    return b"".join(path.read_bytes() for path in files if path.is_file())


def test_an_erased_person_is_in_no_byte_of_the_store_and_the_chain_still_verifies(
    store: Store, client: TestClient, key: Any
) -> None:
    read = client.get(f"/v1/employees/{PERSON}/risk?purpose=retention_care", headers=key("hr_system"))
    assert read.status_code == 200, "a look that the audit log remembers"
    key("manager", Sight("manager", PERSON))
    store.fold()
    assert PERSON.encode() in everything(store)
    with store.begin() as tx:
        gone = store_people.erase(tx, PERSON)
    store.fold()
    assert (gone["employee"], gone["score"], gone["audit_subject"]) == (1, 1, 1)
    assert PERSON.encode() not in everything(store)
    with store.begin() as tx:
        assert audit.verify(tx).problem is None
    hidden = client.get(f"/v1/employees/{PERSON}/risk?purpose=retention_care", headers=key("hr_system"))
    assert hidden.status_code == 404


def test_whoever_saw_all_below_an_erased_manager_sees_nobody(store: Store, client: TestClient, key: Any) -> None:
    lead = key("manager", Sight("manager", "M1"))
    assert client.get("/v1/teams", headers=lead).json()["teams"] != []
    with store.begin() as tx:
        store_people.erase(tx, "M1")
    assert client.get("/v1/teams", headers=lead).json()["teams"] == []
