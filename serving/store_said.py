"""What was said of a person, from the store: a record of codes and numbers, told in words when somebody reads it.

A batch has one dictionary, which says in full what every code means (``models.record``); it is read once per connection
and batch. Rows from before records carry their words themselves and are told as they were written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from models.record import Dictionary
from models.tell import Teller
from serving.store import Transaction
from serving.store_tables import score, score_words

AT_HAND = 2
"""Batches whose dictionary a connection keeps: the one that is shown, and the one before while readers change over."""

OF_ONE = [column for column in score.c if not column.name.startswith("raises_")]
"""What is read of one person: what raises a score in numbers of their own is there for the sums of teams alone."""


def add_words(tx: Transaction, run_id: int, dictionary: Mapping[str, Any]) -> None:
    """Write the dictionary of a batch."""
    tx.execute(insert(score_words).values(run_id=run_id, words=dict(dictionary)))


def purge_words(tx: Transaction) -> int:
    """Delete the dictionaries of batches of which no row is left."""
    return tx.execute(delete(score_words).where(score_words.c.run_id.not_in(select(score.c.run_id)))).rowcount


def teller(tx: Transaction, run_id: int) -> Teller:
    """Return what tells the records of a batch; ``RuntimeError`` when its dictionary is lost."""
    kept: dict[int, Teller] = tx.info.setdefault("tellers", {})
    if run_id not in kept:
        words = tx.execute(select(score_words.c.words).where(score_words.c.run_id == run_id)).scalar()
        if words is None:
            raise RuntimeError(f"the dictionary of batch {run_id} is gone, its records cannot be told")
        kept[run_id] = Teller(Dictionary.from_dict(words))
        for old in sorted(kept)[:-AT_HAND]:
            del kept[old]
    return kept[run_id]


def told(tx: Transaction, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of ``score`` with risk, other, interval, log-odds, reasons and plan in words; the rest as it is."""
    return in_words(None if row["said"] is None else teller(tx, row["run_id"]), row)


def in_words(told_by: Teller | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``told`` of a row, by what tells its batch (a row from before records needs nothing); asks no store."""
    plain = {name: value for name, value in row.items() if name != "said"}
    if row["said"] is None or told_by is None:
        return plain
    found = told_by.all_of(row["said"], judged=row["band"] != "cannot_judge")
    odds: dict[str, float | None] = {"log_odds": None, "base_log_odds": None}
    if found["reasons"]:
        base = told_by.dictionary.base
        odds = {"log_odds": base + sum(one["contribution"] for one in found["reasons"]), "base_log_odds": base}
    return {**plain, **odds, **found}


def numbers(tx: Transaction, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of ``score`` with risk, other and interval alone: for lists, which tell no reason."""
    plain = {name: value for name, value in row.items() if name != "said"}
    if row["said"] is None:
        return plain
    told_by = teller(tx, row["run_id"])
    return {**plain, **told_by.risks(told_by.dictionary.read(row["said"]), judged=row["band"] != "cannot_judge")}


def options(tx: Transaction, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of ``score`` with the options of its plan alone: for the plan of the organisation."""
    plain = {name: value for name, value in row.items() if name != "said"}
    if row["said"] is None:
        return plain
    told_by = teller(tx, row["run_id"])
    return {**plain, "plan": {"options": told_by.options(told_by.dictionary.read(row["said"]))}}
