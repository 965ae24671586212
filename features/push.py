"""Records pushed by another system: each row is accepted, corrected, a duplicate, quarantined or refused, and told so.

The same steps as for a file (``features.ingest``), with one more promise: the batch has a name, and pushing the same
batch again, also after a kill in the middle, gives the same answer and brings no row in twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from features.ingest import known_people, settle
from features.intake.arrivals import corrections, split_new
from features.intake.checks import INDEX
from features.intake.posted import Cell, Fault, Judged, judge
from features.intake.quarantine import bad_rows
from features.lake import QUARANTINE, Lake

State = Literal["accepted", "corrected", "duplicate", "quarantined", "refused"]


@dataclass(frozen=True)
class Verdict:
    """What became of one row. ``corrected``: taken, and later than a row with the same key. ``quarantine_id``: under
    which it waits for repair."""

    row: int
    state: State
    quarantine_id: str | None = None
    faults: tuple[Fault, ...] = ()


def push(
    lake: Lake, table_name: str, rows: Sequence[Mapping[str, Cell]], *, batch: str, today: date
) -> tuple[Verdict, ...]:
    """One verdict per row, in their order. ``batch`` names the push; ``today``: later facts are quarantined.

    Raises FixableError when another import does not end in time.
    """
    with lake.writing():
        judged = judge(table_name, rows, known_people(lake, today), own=lake.own_columns())
        sha256 = hashlib.sha256(f"{batch}\x1f{table_name}\x1f{len(rows)}".encode()).hexdigest()
        room = len(rows) + 1
        first = lake.reserve(f"{sha256}:push", file="posted", table=table_name, n_rows=room, today=today)
        taken = _take(lake, table_name, judged, first_seq=first, room=room)
        waiting = _set_aside(lake, table_name, judged, first_seq=first)
    return tuple(_verdict(i, judged, taken, waiting) for i in range(len(rows)))


def _take(lake: Lake, table_name: str, judged: Judged, *, first_seq: int, room: int) -> dict[int, State]:
    """New rows go into the lake in one commit; rows that this very batch brought before are not its duplicates."""
    good = judged.checked.good.with_columns(_seq=pl.col(INDEX) + first_seq).drop(INDEX)
    stored = lake.read([table_name]).get(table_name)
    mine = pl.col("_seq").is_between(first_seq, first_seq + room - 1)
    there = stored.filter(mine).select("_seq").collect()["_seq"] if stored is not None else good["_seq"].clear()
    others = stored.filter(~mine) if stored is not None else None
    new, _ = split_new(table_name, good, others)
    corrects = new.filter(corrections(table_name, new, others))["_seq"]
    lake.append(table_name, new.filter(~pl.col("_seq").is_in(there.implode())))
    states: dict[int, State] = dict.fromkeys((good["_seq"] - first_seq).to_list(), "duplicate")
    states |= dict.fromkeys((new["_seq"] - first_seq).to_list(), "accepted")
    return states | dict.fromkeys((corrects - first_seq).to_list(), "corrected")


def _set_aside(lake: Lake, table_name: str, judged: Judged, *, first_seq: int) -> dict[int, str | None]:
    """Bad rows go into the quarantine: place → id, or None for a row that was mended or dropped there before."""
    checked = judged.checked
    bad = bad_rows(judged.cells, checked.problems, table=table_name, reading=judged.reading, first_seq=first_seq)
    before = lake.internal(QUARANTINE)
    closed = set(before.filter(pl.col("state") == "closed")["id"])
    settle(lake, table_name, bad, judged.cells.join(checked.good, on=INDEX, how="semi"))
    return {row - 1: None if id_ in closed else id_ for row, id_ in bad.select("row", "id").iter_rows()}


def _verdict(row: int, judged: Judged, taken: Mapping[int, State], waiting: Mapping[int, str | None]) -> Verdict:
    if row in judged.refused:
        return Verdict(row, "refused", None, judged.faults[row])
    if row in taken:
        return Verdict(row, taken[row])
    if waiting[row] is None:
        return Verdict(row, "duplicate")
    return Verdict(row, "quarantined", waiting[row], judged.faults[row])
