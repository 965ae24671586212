"""The audit log: who looked at whom, when and why, in a chain that shows when somebody changed it.

An entry is written in the same transaction as the read it is about, before anything is answered: no entry, no answer.
It never holds a score, a band or a reason. A chain alone cannot show that its tail was cut or that it was rebuilt from
the first entry; ``verify`` therefore compares it with an anchor kept elsewhere, when one is given.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving import store_log, store_looks
from serving.store import Transaction

if TYPE_CHECKING:
    from serving.access import Visit
    from serving.seen import Run

START = "0" * 64
"""What stands before the first entry."""


@dataclass(frozen=True)
class Entry:
    """One thing that was done or refused. ``subject`` is the employee's id; the log keeps a random token for it."""

    actor: str
    action: str
    result: str
    request_id: str
    purpose: str = "none"
    subject: str | None = None
    model_version: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What the check of the chain found; ``problem`` is ``None`` when every entry is as it was written."""

    n_entries: int
    sequence: int
    hash: str
    problem: str | None


def entry_of(visit: Visit, action: str, result: str, *, subject: str | None = None, run: Run | None = None) -> Entry:
    """Return the entry about what this visit did, under the model whose assessments it saw."""
    return Entry(
        actor=visit.viewer.actor,
        action=action,
        result=result,
        request_id=visit.request_id,
        purpose=visit.purpose,
        subject=subject,
        model_version=run.model_version if run else None,
    )


def record(tx: Transaction, entry: Entry, *, now: datetime) -> None:
    """Append the entry to the chain inside ``tx``; whatever fails here must fail the read."""
    record_all(tx, [(entry, now)])


def record_all(
    tx: Transaction, entries: Sequence[tuple[Entry, datetime]], *, named: Mapping[str, str] | None = None
) -> None:
    """Append entries to the chain inside ``tx`` in this order, each with its moment.

    ``named``: the tokens of subjects that ``tx`` has read before.
    """
    sequence, previous = store_log.audit_end(tx)
    tokens = dict(named or {})
    new = [entry.subject for entry, _ in entries if entry.subject is not None and entry.subject not in tokens]
    tokens |= store_looks.subject_tokens(tx, new)
    rows: list[dict[str, Any]] = []
    for entry, now in entries:
        sequence += 1
        subject = tokens[entry.subject] if entry.subject is not None else None
        row: dict[str, Any] = {**vars(entry), "subject": subject, "sequence": sequence, "at": now, "previous": previous}
        previous = row["hash"] = seal(row)
        rows.append(row)
    if rows:
        store_looks.add_entries(tx, rows)


def seal(row: dict[str, Any]) -> str:
    """Return the hash of an entry: SHA-256 over its fields and the hash before it, as JSON in sorted order."""
    fields = {name: row[name] for name in row if name != "hash"}
    fields["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(json.dumps(fields, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def verify(tx: Transaction, *, anchor: tuple[int, str] | None = None) -> Verdict:
    """Read the whole chain and say at which entry, if any, it stops being the one that was written."""
    n, previous = 0, START
    for row in store_log.entries(tx):
        n += 1
        if row["sequence"] != n:
            return Verdict(n, n, previous, f"entry {n} is missing")
        if row["previous"] != previous or row["hash"] != seal(row):
            return Verdict(n, n, previous, f"entry {n} was changed")
        previous = row["hash"]
    if store_log.audit_end(tx) != (n, previous):
        return Verdict(n, n, previous, f"the end was cut: {n} entries, {store_log.audit_end(tx)[0]} were written")
    if anchor and anchor[0] > 0 and store_log.entry_hash(tx, anchor[0]) != anchor[1]:
        return Verdict(n, n, previous, f"entry {anchor[0]} is not the one that was anchored: rewritten or cut")
    return Verdict(n, n, previous, None)


def read_anchor(path: Path) -> tuple[int, str] | None:
    """Return the last end of the chain that was noted in the file, or ``None`` when there is none yet."""
    lines = path.read_text(encoding="utf-8").split() if path.exists() else []
    return (int(lines[-1].split(":")[0]), lines[-1].split(":")[1]) if lines else None


def write_anchor(path: Path, verdict: Verdict) -> None:
    """Add the end of a chain that was found whole to the file; keep it where the service cannot write."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{verdict.sequence}:{verdict.hash}\n")
