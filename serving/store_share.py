"""One transaction for all who ask the same at the same moment, so that one write to the disk serves them all.

    requests   a ─┐          ┌─ c ─ d ─┐            answered when the transaction of theirs is committed
                  └▶ [ a ] ──▶ [ c  d  e ] ──▶ …    one transaction after the other, in a thread of its own

Whoever waits here holds no thread: handing each request to one and back took a fifth of the time of reading a person.
A look that writes nothing is shared as well (``look``), and waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from serving.store import Store, Transaction

AT_ONCE = 64
"""The most pieces of work that share one transaction, so that nobody waits for a long one."""

COMPANY, TURNS = 8, 10
"""Whoever comes first is served at once. Those who waited for that, when they are few, wait so many turns of the event
loop more: a request takes seven from its first byte to here, so whoever was just answered and asks again can be with
them. With eight readers at once a read takes a tenth less of the processor so."""

T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(eq=False)
class Job:
    """One item of work, and where its answer goes."""

    work: Callable[..., Any]
    item: Any
    answer: asyncio.Future[Any]


@dataclass(eq=False)
class Look:
    """What is asked together in one turn of the event loop, and the answers."""

    items: list[Any]
    found: asyncio.Task[Sequence[Any]]


@dataclass
class Line:
    """Those who wait to share a transaction, and who serves them; of one event loop, so without a lock."""

    jobs: list[Job] = field(default_factory=list)
    served_by: asyncio.Task[None] | None = None
    looks: dict[Callable[..., Any], Look] = field(default_factory=dict)


async def share(store: Store, work: Callable[[Transaction, Sequence[Item]], Sequence[T]], item: Item) -> T:
    """Return what ``work`` gives for ``item``, done and committed together with the items of all who wait.

    When it fails each item is tried again alone, so ``work`` may do nothing outside of the transaction.
    """
    loop = asyncio.get_running_loop()
    line: Line = store.lines.setdefault(loop, Line())
    job = Job(work, item, loop.create_future())
    line.jobs.append(job)
    if line.served_by is None:
        line.served_by = loop.create_task(_serve(store, line))
    return await job.answer  # type: ignore[no-any-return]


async def look(store: Store, work: Callable[[Transaction, Sequence[Item]], Sequence[T]], item: Item) -> T:
    """Return what ``work`` gives for ``item``, found in one look with all that is asked in this turn of the event loop.

    Many requests come in at once when an answer to many has gone out. ``work`` only reads; what it raises, all get.
    """
    loop = asyncio.get_running_loop()
    line: Line = store.lines.setdefault(loop, Line())
    if (mine := line.looks.get(work)) is None:
        mine = line.looks[work] = Look([], loop.create_task(_look(store, line, work)))
    place = len(mine.items)
    mine.items.append(item)
    return (await asyncio.shield(mine.found))[place]  # type: ignore[no-any-return]


async def _look(store: Store, line: Line, work: Callable[..., Any]) -> Sequence[Any]:
    items = line.looks.pop(work).items  # whoever comes from now on is in the next one
    if store.looks_at_once:  # less than it takes to hand it to a thread and back
        return _seen(store, work, items)
    return await asyncio.get_running_loop().run_in_executor(None, _seen, store, work, items)


def _seen(store: Store, work: Callable[..., Any], items: Sequence[Any]) -> Sequence[Any]:
    with store.look() as tx:
        return _one_each(work(tx, items), items)


async def _serve(store: Store, line: Line) -> None:
    jobs: list[Job] = []
    try:
        while line.jobs:
            work = line.jobs[0].work
            jobs = [job for job in line.jobs if job.work == work][:AT_ONCE]
            line.jobs = [job for job in line.jobs if job not in jobs]
            await _answer(store, jobs)
            await _company(line)
    finally:  # nobody comes in between the last look at the line and this
        line.served_by = None
        for job in [*jobs, *line.jobs]:
            job.answer.cancel()  # only those without an answer: the service ends


async def _company(line: Line) -> None:
    for _ in range(TURNS):
        if not 0 < len(line.jobs) < COMPANY:
            return
        await asyncio.sleep(0)


async def _answer(store: Store, jobs: Sequence[Job]) -> None:
    (found,) = await _tried(store, [jobs])
    each = await _tried(store, [[job] for job in jobs]) if isinstance(found, Exception) and len(jobs) > 1 else None
    for i, job in enumerate(jobs):
        told = found if each is None else each[i]
        if job.answer.done():
            continue
        if isinstance(told, BaseException):
            job.answer.set_exception(told)
        else:
            job.answer.set_result(told[i if each is None else 0])


async def _tried(store: Store, groups: Sequence[Sequence[Job]]) -> list[Any]:
    """Return per group what came of it: the answers, or the exception."""
    loop = asyncio.get_running_loop()
    work = [loop.run_in_executor(None, _together, store, jobs) for jobs in groups]
    return await asyncio.gather(*work, return_exceptions=True)


def _together(store: Store, jobs: Sequence[Job]) -> Sequence[Any]:
    with store.begin() as tx:
        told = list(jobs[0].work(tx, [job.item for job in jobs]))
    return _one_each(told, jobs)


def _one_each(told: Sequence[T], asked: Sequence[Any]) -> Sequence[T]:
    if len(told) != len(asked):
        raise RuntimeError(f"{len(told)} answers to {len(asked)} questions")
    return told
