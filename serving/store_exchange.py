"""Questions to the store about the exchange with other systems: repeats, jobs, lists of people, whole batches."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from serving import store_said
from serving.store import Transaction
from serving.store_exchange_tables import job, job_part, repeat
from serving.store_people import CHUNK, Sight, visible
from serving.store_tables import (
    BANDS,
    audit_entry,
    audit_head,
    audit_subject,
    employee,
    override,
    plain,
    score,
    score_run,
)

NUMBERS = ("risk", "other", "interval")


@dataclass(frozen=True)
class Wanted:
    """Which people are asked for: of one batch, of a team, in a band, changed since, after this id, at most so many."""

    run_id: int
    team: str | None = None
    band: str | None = None
    since: datetime | None = None
    after: str | None = None
    limit: int | None = None


def people(tx: Transaction, sight: Sight, wanted: Wanted, *, today: date) -> list[dict[str, Any]]:
    """Return people within sight by id, ``shown`` as a person's word over the assessment has it.

    Changed since a moment means: another band than in the last batch computed until then (or no such batch), or a
    person's word spoken after it. The order is that of ids: never a ranking.
    """
    query = _people(sight, wanted, today=today).order_by(employee.c.id)
    if wanted.after is not None:
        query = query.where(employee.c.id > wanted.after)
    if wanted.limit is not None:
        query = query.limit(wanted.limit)
    return [store_said.numbers(tx, plain(row)) for row in tx.execute(query).all()]


def ids(tx: Transaction, sight: Sight, wanted: Wanted, *, today: date) -> list[str]:
    """Return the ids of everybody whom ``people`` would return, in the same order."""
    query = _people(sight, wanted, today=today).with_only_columns(employee.c.id).order_by(employee.c.id)
    return list(tx.execute(query).scalars())


def _people(sight: Sight, wanted: Wanted, *, today: date) -> Select[Any]:
    seen = visible(sight).subquery()
    last = (
        select(func.max(override.c.id).label("id"))
        .where(override.c.valid_until >= today)
        .group_by(override.c.employee_id)
        .subquery()
    )
    word = select(override).join(last, last.c.id == override.c.id).subquery()
    shown = case((word.c.decision.in_([*BANDS, "disregard"]), word.c.decision), else_=score.c.band)
    told = [score.c[name] for name in ("employee_id", "band", "valid_until", "run_id", "said", *NUMBERS)]
    query = (
        select(*told, employee.c.team, employee.c.department, shown.label("shown"))
        .join(employee, employee.c.id == score.c.employee_id)
        .join(seen, seen.c.id == employee.c.id)
        .outerjoin(word, word.c.employee_id == employee.c.id)
        .where(score.c.run_id == wanted.run_id, score.c.valid_until >= today)
    )
    if wanted.team is not None:
        query = query.where(employee.c.team == wanted.team)
    if wanted.band is not None:
        query = query.where(shown == wanted.band)
    if wanted.since is not None:
        past = select(func.max(score_run.c.id)).where(score_run.c.computed_at <= wanted.since).scalar_subquery()
        former = select(score.c.employee_id, score.c.band).where(score.c.run_id == past).subquery()
        query = query.outerjoin(former, former.c.employee_id == employee.c.id)
        # The last word may have lifted an earlier one, so every word counts and not only the one that stands.
        spoken = select(override.c.employee_id).where(override.c.decided_at > wanted.since)
        changed = or_(former.c.band.is_(None), former.c.band != score.c.band, employee.c.id.in_(spoken))
        query = query.where(changed)
    return query


def subjects(tx: Transaction, employee_ids: Sequence[str]) -> dict[str, str]:
    """Return the audit token of every person, made where there was none, in few statements."""
    known: dict[str, str] = {}
    for start in range(0, len(employee_ids), CHUNK):
        part = employee_ids[start : start + CHUNK]
        query = select(audit_subject.c.employee_id, audit_subject.c.token).where(audit_subject.c.employee_id.in_(part))
        known |= {row.employee_id: row.token for row in tx.execute(query)}
        fresh = {one: secrets.token_hex(16) for one in part if one not in known}
        if fresh:
            tx.execute(insert(audit_subject), [{"token": t, "employee_id": one} for one, t in fresh.items()])
        known |= fresh
    return known


def add_entries(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append sealed entries, in their order, and move the end of the chain to the last."""
    for start in range(0, len(rows), CHUNK):
        tx.execute(insert(audit_entry), [dict(row) for row in rows[start : start + CHUNK]])
    end = {"sequence": rows[-1]["sequence"], "hash": rows[-1]["hash"]}
    tx.execute(update(audit_head).where(audit_head.c.id == 1).values(**end))


def known(tx: Transaction, employee_ids: Sequence[str]) -> list[str]:
    """Return those of these ids who are people on record here, in their order."""
    there: set[str] = set()
    for start in range(0, len(employee_ids), CHUNK):
        part = list(employee_ids[start : start + CHUNK])
        there |= {row.id for row in tx.execute(select(employee.c.id).where(employee.c.id.in_(part)))}
    return [one for one in employee_ids if one in there]


# Repeats of a write.


def repeated(tx: Transaction, client: str, key: str) -> dict[str, Any] | None:
    """Return what is known of this client's key."""
    mine = and_(repeat.c.client == client, repeat.c.idempotency_key == key)
    row = tx.execute(select(repeat).where(mine)).one_or_none()
    return plain(row) if row else None


def begin_write(tx: Transaction, row: Mapping[str, Any], *, now: datetime) -> bool:
    """Note that a write has begun; ``False`` when this client's key is in use. What has expired goes."""
    tx.execute(delete(repeat).where(repeat.c.expires_at <= now))
    try:
        with tx.begin_nested():
            tx.execute(insert(repeat).values(**row))
    except IntegrityError:
        return False
    return True


def take_over(tx: Transaction, row: Mapping[str, Any], *, lease_until: datetime) -> bool:
    """Take over a write that nobody works on any more; ``False`` when somebody else was faster."""
    mine = and_(repeat.c.client == row["client"], repeat.c.idempotency_key == row["idempotency_key"])
    still = and_(mine, repeat.c.lease_until == row["lease_until"], repeat.c.answer.is_(None))
    return bool(tx.execute(update(repeat).where(still).values(lease_until=lease_until, status=None)).rowcount)


def let_go(tx: Transaction, client: str, key: str, *, now: datetime) -> None:
    """End the lease without an answer: whoever repeats the request takes the work over."""
    mine = and_(repeat.c.client == client, repeat.c.idempotency_key == key)
    tx.execute(update(repeat).where(mine).values(lease_until=now))


def release_writes(tx: Transaction, *, now: datetime) -> int:
    """End the leases of writes without an answer; only for the one service on an SQLite file, at its start."""
    return tx.execute(update(repeat).where(repeat.c.answer.is_(None)).values(lease_until=now)).rowcount


def end_write(tx: Transaction, client: str, key: str, answer: tuple[int, str]) -> None:
    """Keep the answer."""
    mine = and_(repeat.c.client == client, repeat.c.idempotency_key == key)
    tx.execute(update(repeat).where(mine).values(status=answer[0], answer=answer[1]))


def forget_write(tx: Transaction, client: str, batch: str) -> None:
    """Forget the answer of a write whose effect its own client has deleted: the key may be used anew."""
    tx.execute(delete(repeat).where(repeat.c.client == client, repeat.c.batch == batch))


# Jobs.


def add_job(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a new job."""
    tx.execute(insert(job).values(**row))


def job_of(tx: Transaction, client: str, job_id: str) -> dict[str, Any] | None:
    """Return a client's own job without what was posted; another client's job is an unknown one."""
    shown = [column for column in job.c if column.name != "asked"]
    row = tx.execute(select(*shown).where(job.c.id == job_id, job.c.client == client)).one_or_none()
    return plain(row) if row else None


def n_open_jobs(tx: Transaction, client: str) -> int:
    """Return how many jobs of a client wait or run."""
    still = and_(job.c.client == client, job.c.state.in_(("queued", "running")))
    return int(tx.execute(select(func.count()).select_from(job).where(still)).scalar_one())


def claim_job(tx: Transaction, *, now: datetime, lease_until: datetime) -> dict[str, Any] | None:
    """Return the oldest job that waits, or that nobody works on any more, and hold it until the lease ends."""
    free = or_(job.c.state == "queued", and_(job.c.state == "running", job.c.lease_until <= now))
    row = tx.execute(select(job).where(free).order_by(job.c.created_at, job.c.id).limit(1)).one_or_none()
    if row is None:
        return None
    held = and_(job.c.id == row.id, free)
    won = tx.execute(update(job).where(held).values(state="running", lease_until=lease_until)).rowcount
    return plain(row) if won else None


def release_jobs(tx: Transaction) -> int:
    """Give back what a service before this one was working on; only for the one service on an SQLite file."""
    return tx.execute(update(job).where(job.c.state == "running").values(state="queued")).rowcount


def release_job(tx: Transaction, job_id: str) -> None:
    """Give a job back, so that whoever comes next goes on with it at once."""
    mine = and_(job.c.id == job_id, job.c.state == "running")
    tx.execute(update(job).where(mine).values(state="queued", lease_until=None))


def drop_parts(tx: Transaction, job_id: str) -> None:
    """Forget the answers so far."""
    tx.execute(delete(job_part).where(job_part.c.job_id == job_id))
    tx.execute(update(job).where(job.c.id == job_id).values(done=0))


def add_part(tx: Transaction, row: Mapping[str, Any], *, lease_until: datetime) -> bool:
    """Write one part of the answers, once, and prolong the lease; ``False`` when the job was cancelled."""
    going = and_(job.c.id == row["job_id"], job.c.state == "running")
    counted = {"done": job.c.done + row["n"], "lease_until": lease_until}
    if not tx.execute(update(job).where(going).values(**counted)).rowcount:
        return False
    tx.execute(insert(job_part).values(job_id=row["job_id"], part=row["part"], lines=row["lines"]))
    return True


def parts_done(tx: Transaction, job_id: str) -> set[int]:
    """Return the numbers of the parts that are there."""
    return {row.part for row in tx.execute(select(job_part.c.part).where(job_part.c.job_id == job_id))}


def set_total(tx: Transaction, job_id: str, total: int, run_id: int) -> None:
    """Write how many people the job is about and by which batch's model it is answered."""
    tx.execute(update(job).where(job.c.id == job_id).values(total=total, run_id=run_id))


def end_job(tx: Transaction, job_id: str, state: str, *, now: datetime, why: str | None = None) -> bool:
    """End a job that has not ended yet; what was posted is emptied at once."""
    still = and_(job.c.id == job_id, job.c.state.in_(("queued", "running")))
    ended = {"state": state, "finished_at": now, "asked": None, "lease_until": None, "why": why}
    return bool(tx.execute(update(job).where(still).values(**ended)).rowcount)


def lines(tx: Transaction, job_id: str) -> Iterator[bytes]:
    """Yield the packed answers of a job, part by part."""
    query = select(job_part.c.lines).where(job_part.c.job_id == job_id).order_by(job_part.c.part)
    for row in tx.execute(query):
        yield row.lines


def delete_job(tx: Transaction, client: str, job_id: str) -> bool:
    """Delete a client's own job with its answers."""
    if job_of(tx, client, job_id) is None:
        return False
    tx.execute(delete(job_part).where(job_part.c.job_id == job_id))
    return bool(tx.execute(delete(job).where(job.c.id == job_id)).rowcount)


def tidy(tx: Transaction, *, now: datetime) -> dict[str, int]:
    """Delete jobs and remembered answers whose time is over."""
    over = select(job.c.id).where(job.c.expires_at <= now)
    tx.execute(delete(job_part).where(job_part.c.job_id.in_(over)))
    return {
        "jobs": tx.execute(delete(job).where(job.c.expires_at <= now)).rowcount,
        "answers": tx.execute(delete(repeat).where(repeat.c.expires_at <= now)).rowcount,
    }


def forget(tx: Transaction) -> None:
    """Empty what may hold words about an erased person: remembered answers, posted records, answers of jobs.

    A write that is repeated afterwards is done again, which the records recognise; a job has to be asked for again.
    """
    tx.execute(delete(repeat))
    tx.execute(delete(job_part))
    tx.execute(delete(job))
