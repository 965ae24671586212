"""Reading beside a writer, and sharing a transaction: what is committed is seen at once, nobody waits for nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from serving import auth, store_log
from serving.store import Store, StoreError, Transaction
from serving.store_share import look, share

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
        (holder,) = auth.holders_of_keys(tx, [(f"Bearer {token}", NOW)])
        return holder.viewer.door == "key"


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

    def work(tx: Transaction, items: Sequence[int]) -> list[int]:
        begun.append(len(items))
        assert tx.execute(text("SELECT 1")).scalar() == 1
        return [item * 2 for item in items]

    async def ask() -> list[int]:
        return await asyncio.gather(*[share(store, work, n) for n in range(100)])

    assert asyncio.run(ask()) == [2 * n for n in range(100)]
    assert sum(begun) == 100
    assert len(begun) == 2
    assert not any(line.jobs or line.served_by for line in store.lines.values())


def test_all_who_ask_in_one_turn_share_a_look_and_get_their_own_answer(store: Store) -> None:
    looked: list[int] = []

    def work(tx: Transaction, items: Sequence[int]) -> list[int]:
        looked.append(len(items))
        return [item * 2 for item in items]

    async def ask() -> tuple[list[int], int]:
        gone = asyncio.create_task(look(store, work, 99))
        many = asyncio.gather(*[look(store, work, n) for n in range(20)])
        await asyncio.sleep(0)
        gone.cancel()  # whoever has gone takes nobody's answer along
        return await many, await look(store, work, 7)

    assert asyncio.run(ask()) == ([2 * n for n in range(20)], 14)
    assert looked == [21, 1]
    assert not any(line.looks for line in store.lines.values())


def test_a_look_that_fails_fails_for_all_who_share_it_and_for_nobody_else(store: Store) -> None:
    def work(tx: Transaction, items: Sequence[int]) -> list[int]:
        if 7 in items:
            tx.execute(text("SELECT * FROM no_such_table"))
        return list(items)

    async def ask() -> tuple[list[int | BaseException], int]:
        failed = await asyncio.gather(*[look(store, work, n) for n in (7, 8)], return_exceptions=True)
        return failed, await look(store, work, 8)

    failed, later = asyncio.run(ask())
    assert all(isinstance(one, StoreError) for one in failed)
    assert later == 8


def test_every_header_of_a_shared_look_has_its_own_holder_at_its_own_moment(store: Store) -> None:
    with store.begin() as tx:
        (first, one), (second, other), (third, over) = a_key(tx), a_key(tx), a_key(tx)
        store_log.end_key_at(tx, third, at=NOW + timedelta(hours=1))
    headers = [f"Bearer {over}", "", f"bearer {one}", "Bearer rr_nobody", f"Bearer {other}", f"Basic {one}"]
    asked = [(header, NOW) for header in headers] + [(f"Bearer {over}", NOW + timedelta(hours=1))]
    with store.look() as tx:
        found = [holder.unnoted for holder in auth.holders_of_keys(tx, asked)]
    assert found == [third, None, first, None, second, None, None]


def test_whoever_comes_while_others_are_served_is_next(store: Store) -> None:
    def work(tx: Transaction, items: Sequence[int]) -> list[int]:
        return list(items)

    async def ask(n: int) -> int:
        await asyncio.sleep(n / 1000)
        return await share(store, work, n) + await share(store, work, n)

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*[ask(n) for n in range(40)])

    assert asyncio.run(all_of_them()) == [2 * n for n in range(40)]


def test_whoever_was_just_answered_and_asks_again_is_in_the_next_transaction_with_the_others(store: Store) -> None:
    begun: list[int] = []

    def work(tx: Transaction, items: Sequence[int]) -> list[int]:
        begun.append(len(items))
        return list(items)

    async def ask(n: int) -> None:
        for _ in range(3):
            for _ in range(7):  # turns of the loop that a request takes from its first byte
                await asyncio.sleep(0)
            await share(store, work, n)

    async def all_of_them() -> None:
        first = asyncio.create_task(share(store, work, 0))  # waits for nobody to come
        await asyncio.gather(*[ask(n) for n in range(8)], first)

    asyncio.run(all_of_them())
    assert begun == [1, 8, 8, 8]


def test_one_that_fails_takes_none_of_the_others_with_it(store: Store) -> None:
    def work(tx: Transaction, items: Sequence[int]) -> list[int]:
        if 7 in items:
            tx.execute(text("SELECT * FROM no_such_table"))
        return list(items)

    async def ask() -> list[int | BaseException]:
        return await asyncio.gather(*[share(store, work, n) for n in range(20)], return_exceptions=True)

    found = asyncio.run(ask())
    assert isinstance(found.pop(7), StoreError)
    assert found == [n for n in range(20) if n != 7]


def test_an_answer_comes_after_the_commit_and_whoever_has_gone_holds_up_nobody(store: Store) -> None:
    async def ask() -> tuple[int, bool]:
        gone = asyncio.create_task(share(store, add_one, "gone"))
        stays = asyncio.create_task(share(store, add_one, "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays, gone.cancelled()

    def add_one(tx: Transaction, items: Sequence[str]) -> list[int]:
        tx.execute(text("UPDATE audit_head SET sequence = sequence + :n"), {"n": len(items)})
        return [len(items)] * len(items)

    with store.look() as tx:
        before = tx.execute(text("SELECT sequence FROM audit_head")).scalar_one()
    assert asyncio.run(ask())[1]
    with store.look() as tx:
        assert tx.execute(text("SELECT sequence FROM audit_head")).scalar_one() > before
