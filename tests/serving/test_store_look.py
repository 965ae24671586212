"""Reading beside a writer, and sharing a transaction: what is committed is seen at once, nobody waits for nothing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from serving import auth, store_log
from serving.store import Store, StoreError, Transaction

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def a_key(tx: Transaction) -> tuple[int, str]:
    token = auth.new_token(auth.KEY_PREFIX)
    row = {
        "name": "a",
        "sha256": auth.sha256(token),
        "role": "auditor",
        "created_at": NOW,
        "scopes": [],
        "purposes": [],
    }
    return store_log.add_key(tx, {**row, "sees": "everyone", "sees_value": None}), token


def known(store: Store, token: str) -> bool:
    with store.look() as tx:
        return auth.viewer_of_key(tx, f"Bearer {token}", now=NOW).viewer.door == "key"


def test_a_look_sees_what_was_committed_and_a_key_ends_at_once(store: Store) -> None:
    with store.begin() as tx:
        number, token = a_key(tx)
    for _ in range(3):
        assert known(store, token)
    with store.begin() as tx:
        store_log.revoke_key(tx, number, now=NOW)
    assert not known(store, token)


def test_a_look_waits_for_no_writer_and_does_not_see_half_of_its_work(store: Store) -> None:
    with store.begin() as tx:
        _, token = a_key(tx)
        seen: list[bool] = []
        reader = threading.Thread(target=lambda: seen.append(known(store, token)))
        reader.start()
        reader.join(10)
        assert seen == [False]
    assert known(store, token)


def test_on_sqlite_a_look_cannot_write(store: Store) -> None:
    if store.readers is None:
        pytest.skip("a server knows how to do this alone")
    with pytest.raises(StoreError), store.look() as tx:
        tx.execute(text("UPDATE audit_head SET sequence = sequence + 1"))


def test_all_who_share_get_their_own_answer_in_few_transactions(store: Store) -> None:
    begun: list[int] = []

    def work(tx: Transaction, items: list[int]) -> list[int]:
        begun.append(len(items))
        assert tx.execute(text("SELECT 1")).scalar() == 1
        return [item * 2 for item in items]

    found: dict[int, int] = {}
    threads = [threading.Thread(target=lambda n=n: found.update({n: store.share(work, n)})) for n in range(60)]
    with store.begin():  # all of them have to stand in line
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(30)
    assert found == {n: 2 * n for n in range(60)}
    assert sum(begun) == 60
    assert len(begun) < 30
    assert not store.line.led
    assert not store.line.jobs


def test_one_that_fails_takes_none_of_the_others_with_it(store: Store) -> None:
    def work(tx: Transaction, items: list[int]) -> list[int]:
        if 7 in items:
            tx.execute(text("SELECT * FROM no_such_table"))
        return list(items)

    found: dict[int, object] = {}

    def ask(n: int) -> None:
        try:
            found[n] = store.share(work, n)
        except StoreError:
            found[n] = "refused"

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    with store.begin():
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(30)
    assert found == {n: "refused" if n == 7 else n for n in range(20)}
    assert not store.line.led
