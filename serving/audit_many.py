"""Many entries of the audit log in few statements: a list or an export is one look at each person in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from serving import store_exchange, store_log
from serving.audit import Entry, seal
from serving.store import Transaction


def record_about(tx: Transaction, entry: Entry, employee_ids: Sequence[str], *, now: datetime) -> None:
    """Append one entry per person, each sealed with the one before; whatever fails here must fail the read."""
    if not employee_ids:
        return
    sequence, previous = store_log.audit_end(tx)
    tokens = store_exchange.subjects(tx, employee_ids)
    rows = []
    for employee_id in employee_ids:
        sequence += 1
        row = {**asdict(entry), "subject": tokens[employee_id], "sequence": sequence, "at": now, "previous": previous}
        previous = seal(row)
        rows.append({**row, "hash": previous})
    store_exchange.add_entries(tx, rows)
