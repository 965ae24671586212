"""Acknowledged means durable: on both databases, after kills, and after being asked by many at once."""

from __future__ import annotations

import asyncio
import threading

import pytest

from benchmarks.bench_kill import kill_rounds, prepare
from serving import audit, service
from serving.access import ROLES, Viewer, Visit
from serving.problems import Problem
from serving.store import Store
from serving.store_people import Sight

READERS = 12


def visit(made, request_id: str, sight: Sight = Sight("everyone")) -> Visit:  # noqa: B008
    role = ROLES["hr_system"]
    return Visit(
        Viewer("key 1 x", "x", "hr_system", role.scopes, role.purposes, sight, "key"),
        "retention_care",
        made.NOW,
        request_id,
    )


@pytest.mark.slow
def test_what_was_acknowledged_survives_three_kills(request, tmp_path, database: str) -> None:
    if database == "sqlite":
        url = f"sqlite:///{tmp_path / 'killed.db'}"
    else:
        server = request.getfixturevalue("postgres")
        url = server.url(server.fresh())
    prepare(url)
    told = kill_rounds(url, 3)
    assert told.acknowledged > 0
    assert (told.lost, told.halves, told.problems) == (0, 0, [])


def test_many_readers_at_once_get_their_own_answer_and_one_entry_each(store: Store, made) -> None:
    answers: dict[str, str] = {}

    async def read(number: int) -> None:
        for i in range(5):
            name = f"r{number}.{i}"
            sight = Sight("team", "Reception") if number % 3 == 0 else Sight("everyone")
            try:
                run, one = await service.risk(store, visit(made, name, sight), f"E{number + 1:04}")
            except Problem as problem:
                answers[name] = problem.name
            else:
                answers[name] = f"{one.employee_id} {run.model_version}"

    async def all_of_them() -> None:
        await asyncio.gather(*[read(number) for number in range(READERS)])

    asyncio.run(all_of_them())
    assert answers == {
        f"r{n}.{i}": "not_found" if n % 3 == 0 else f"E{n + 1:04} 7" for n in range(READERS) for i in range(5)
    }
    noted = {row["request_id"]: row["employee_id"] for row in made.entries() if row["action"] == "risk.read"}
    assert noted == {f"r{n}.{i}": f"E{n + 1:04}" for n in range(READERS) for i in range(5)}
    with store.begin() as tx:
        assert audit.verify(tx).problem is None


def test_twenty_new_batches_under_load_fail_nobody_and_mix_nothing(store: Store, made) -> None:
    """A batch is one model's word: the answer names the model, and the number of the batch goes with it."""
    over, seen, failed = threading.Event(), set(), []

    def read(number: int) -> None:
        i = 0
        while not over.is_set():
            try:
                run, _ = asyncio.run(service.risk(store, visit(made, f"{number}.{i}"), f"E{1 + i % 20:04}"))
                seen.add((run.id, run.model_version))
            except Exception as error:
                failed.append(error)
            i += 1

    threads = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    runs = {made.fill(store, version=str(version)): str(version) for version in range(8, 28)}
    over.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(seen) > 2
    assert seen <= {(1, "7"), *runs.items()}
