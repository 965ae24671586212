"""Jobs: posted people scored portion by portion, so that a restart costs one portion and no row comes twice.

What was posted is kept, packed, until the job ends, and then emptied; the answers until they expire or are deleted.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from models.own_effects import read_own
from serving import audit, posted, service, store_contest, store_exchange, store_webhooks
from serving.access import Visit
from serving.at_hand import AtHand, lake_of
from serving.audit import Entry
from serving.audit_many import record_about
from serving.guard import Desk
from serving.problems import Problem
from serving.schemas_exchange import JobLine, ScoresAsk
from serving.seen import Run
from serving.store import Store, StoreBusyError, StoreError
from serving.told_scores import posted_risk, refused_row

PORTION = 200
LEASE = timedelta(minutes=10)
KEPT = timedelta(hours=24)
MOST_OPEN = 5
RETRY_SECONDS = 30


def start(at: Desk, who: Visit, asked: ScoresAsk, raw: bytes, *, batch: str) -> dict[str, Any]:
    """Return the job of this batch, written down once however often it is asked for."""
    job_id = f"job_{batch}"
    people = {row.get("employee_id") for row in asked.records.get("employees", [])}
    row = {
        "id": job_id,
        "client": who.viewer.actor,
        "state": "queued",
        "asked": zlib.compress(raw),
        "visit": {"numbers": who.viewer.sees_numbers},
        "done": 0,
        "total": len(asked.employees or people),
        "created_at": who.now,
        "expires_at": who.now + KEPT,
    }
    with at.store.begin() as tx:
        if (there := store_exchange.job_of(tx, who.viewer.actor, job_id)) is not None:
            return there
        if store_exchange.n_open_jobs(tx, who.viewer.actor) >= MOST_OPEN:
            raise Problem("too_many", retry_after=RETRY_SECONDS)  # this client's doing, not the service's
        store_exchange.add_job(tx, row)
        audit.record(tx, audit.entry_of(who, "job.start", f"{row['total']} people", subject=job_id), now=who.now)
        return store_exchange.job_of(tx, who.viewer.actor, job_id) or row


def own(store: Store, who: Visit, job_id: str) -> dict[str, Any]:
    """Return the viewer's own job; anybody else's is an unknown one."""
    with store.begin() as tx:
        found = store_exchange.job_of(tx, who.viewer.actor, job_id)
    if found is None or found["expires_at"] <= who.now:
        raise Problem("not_found")
    return found


def answers(store: Store, who: Visit, job_id: str) -> Iterator[bytes]:
    """Return the answers of a finished job, part by part, after the look at each person has been written down."""
    if own(store, who, job_id)["state"] != "done":
        raise Problem("not_ready", retry_after=RETRY_SECONDS)
    service.current(store)  # when no score may be shown, an earlier one may not either
    with store.begin() as tx:
        parts = [zlib.decompress(part) for part in store_exchange.lines(tx, job_id)]
    told = [json.loads(line) for part in parts for line in part.splitlines()]
    hidden = kept_back(store, [one["employee_id"] for one in told if one["line"] == "person"], now=who.now)
    told = [one for one in told if one["line"] != "person" or one["employee_id"] not in hidden]
    told += [JobLine(line="absent", employee_id=one).model_dump(mode="json") for one in sorted(hidden)]
    people = [one["employee_id"] for one in told if one["line"] == "person"]
    write_down(store, who, audit.entry_of(who, "job.read", f"{len(people)} people", subject=job_id), people)
    return (json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for one in told)


def kept_back(store: Store, employee_ids: Sequence[str], *, now: datetime) -> set[str]:
    """Return whose assessment may not be told, posted records or not: they are answered as not at risk."""
    with store.begin() as tx:
        return store_contest.kept_back(tx, employee_ids, today=now.date())


def write_down(store: Store, who: Visit, whole: Entry, employee_ids: Sequence[str]) -> None:
    """Write one entry for the whole, and one for each person who is known here: nobody else's id is kept."""
    with store.begin() as tx:
        audit.record(tx, whole, now=who.now)
        known = store_exchange.known(tx, employee_ids)
        about = Entry(whole.actor, whole.action, "shown", whole.request_id, whole.purpose, None, whole.model_version)
        record_about(tx, about, known, now=who.now)


def run_next(at: Desk, hand: AtHand, *, stopping: Callable[[], bool] = lambda: False) -> str | None:
    """Work on the oldest job until it ends or the service stops; return its id, or None when there is none."""
    now = at.clock()
    with at.store.begin() as tx:
        row = store_exchange.claim_job(tx, now=now, lease_until=now + LEASE)
    if row is None:
        return None
    settled = False
    try:
        _work(at, hand, row, stopping)
        settled = True
    except Problem as problem:
        _end(at, row, "failed", why=problem.kind.title_en)
        settled = True
    except (StoreError, StoreBusyError):
        settled = True  # nothing is wrong with the job: whoever comes after the lease goes on with it
        raise
    finally:
        if not settled:  # whatever it was will not be better the next time; the reason is the operator's to find
            _end(at, row, "failed", why="The job could not be worked on.")
    return str(row["id"])


def _work(at: Desk, hand: AtHand, row: dict[str, Any], stopping: Callable[[], bool]) -> None:
    run = service.current(at.store)
    asked = ScoresAsk.model_validate_json(zlib.decompress(row["asked"]))
    bundle = hand.bundle(run, at.settings)
    own_effects = read_own(at.settings.own_effects)
    how: Any = {"own": lake_of(at.settings).own_columns(), "bundle": bundle, "plans": hand.plans}
    records: Any = asked.records
    ready = posted.prepare(records, as_of=asked.as_of, only=asked.employees, **how)
    n = ready.matrix.frame.height
    done = _begin(at, row, run, total=n + len(ready.absent))
    if 0 not in done and not _put(at, row, 0, _first_lines(ready), n=len(ready.absent)):
        return
    for part, first in enumerate(range(0, n, PORTION), start=1):
        if part in done:
            continue
        if stopping():
            _give_back(at, row)
            return
        service.current(at.store)  # a stop holds from one portion to the next
        rows = slice(first, first + PORTION)
        found = posted.answer(ready, bundle, hand.catalog, own=own_effects, rows=rows)
        lines = [
            JobLine(
                line="person",
                employee_id=one.employee_id,
                person=posted_risk(
                    one, bundle, numbers=row["visit"]["numbers"], left_out=ready.left_out.get(one.employee_id, 0)
                ),
            )
            for one in found
        ]
        if not _put(at, row, part, lines, n=len(found)):
            return
    _end(at, row, "done")


def _begin(at: Desk, row: dict[str, Any], run: Run, *, total: int) -> set[int]:
    """Return the parts that are there already. Another model than before: none, because one job is one model."""
    with at.store.begin() as tx:
        if row["run_id"] is not None and row["run_id"] != run.id:
            store_exchange.drop_parts(tx, row["id"])
        store_exchange.set_total(tx, row["id"], total, run.id)
        return store_exchange.parts_done(tx, row["id"])


def _first_lines(ready: posted.Prepared) -> list[JobLine]:
    refused = [JobLine(line="refused", refused=refused_row(one)) for one in ready.refused]
    return refused + [JobLine(line="absent", employee_id=one) for one in ready.absent]


def _put(at: Desk, row: dict[str, Any], part: int, lines: Sequence[JobLine], *, n: int) -> bool:
    """Keep a part; ``False`` when the job was deleted meanwhile."""
    packed = zlib.compress("".join(line.model_dump_json() + "\n" for line in lines).encode())
    facts = {"job_id": row["id"], "part": part, "lines": packed, "n": n}
    with at.store.begin() as tx:
        return store_exchange.add_part(tx, facts, lease_until=at.clock() + LEASE)


def _give_back(at: Desk, row: dict[str, Any]) -> None:
    with at.store.begin() as tx:
        store_exchange.release_job(tx, row["id"])


def _end(at: Desk, row: dict[str, Any], state: str, *, why: str | None = None) -> None:
    now = at.clock()
    with at.store.begin() as tx:
        if store_exchange.end_job(tx, row["id"], state, now=now, why=why):
            store_webhooks.add_event(tx, "job.ended", {"job_id": row["id"]}, now=now, client=row["client"])
