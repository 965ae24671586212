"""Scoring of posted records, by the recipe of the nightly batch: check → matrix → assess. Nothing of them is kept.

    rows ─▶ judged one by one ─▶ canonical records ─▶ matrix(as_of) ─▶ assess(model of the shown batch)

The posted people are an organisation of their own: colleagues to be compared with, managers and teams are those that
are posted too. A person for whom too little is posted is answered "cannot judge", as at night.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from features.feeds import silences
from features.intake.checks import Known
from features.intake.posted import Cell, Fault, judge, text_of
from features.matrix import Matrix, matrix
from features.plans import Plans
from features.tables import TABLES, OwnColumn, canonical
from models.abstain import unheard
from models.assess import Assessment, assess
from models.bundle import Bundle
from models.care import Catalog
from models.own_effects import OwnEffects

Rows = Sequence[Mapping[str, Cell]]
FEW_ROWS = 200_000
"""Rows up to which a kept plan (``features.plans``) is quicker than planning for just these rows; 100 people have
about 100,000 in three years of messages."""


@dataclass(frozen=True)
class Refused:
    """One posted row that was left out, and everything wrong with it."""

    table: str
    row: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Prepared:
    """``matrix``: the people asked for who are at risk on the day. ``absent``: those who are not. ``left_out``: how
    many of a person's rows were refused."""

    matrix: Matrix
    unheard: Mapping[str, tuple[str, str]]
    refused: tuple[Refused, ...]
    absent: tuple[str, ...]
    left_out: Mapping[str, int]


def prepare(
    records: Mapping[str, Rows],
    *,
    as_of: date,
    own: Sequence[OwnColumn],
    bundle: Bundle,
    plans: Plans,
    only: Sequence[str] = (),
) -> Prepared:
    """Return the matrix of posted records at the close of ``as_of``, and every row that was left out of it."""
    known = Known(pl.DataFrame(schema={"employee_id": pl.String, "first_hired": pl.Date}))
    good: dict[str, pl.DataFrame] = {}
    refused: list[Refused] = []
    for table in (name for name in TABLES if records.get(name)):
        judged = judge(table, records[table], known, own=own)
        rows = judged.checked.good
        if table == "employees":
            known = Known(rows.group_by("employee_id").agg(first_hired=pl.col("hired_on").min()))
        if rows.height:
            good[table] = rows.drop("__index").with_columns(_seq=pl.int_range(pl.len(), dtype=pl.Int64))
        refused += [Refused(table, i, judged.faults[i]) for i in sorted(judged.faults)]
    asked = list(dict.fromkeys(only)) or known.people["employee_id"].sort().to_list()
    left_out = Counter(
        id_ for one in refused if (id_ := text_of(records[one.table][one.row].get("employee_id"))) is not None
    )
    if "employees" not in good:
        return Prepared(Matrix(pl.DataFrame(), ()), {}, tuple(refused), tuple(asked), left_out)
    whole = canonical(good)
    few = sum(frame.height for frame in whole.values()) <= FEW_ROWS
    found = (plans.matrix if few else matrix)(whole, as_of=[as_of], own=own, employees=asked)
    there = set(found.frame["employee_id"])
    quiet = unheard(tuple(silences(whole, as_of)), bundle.card)
    return Prepared(found, quiet, tuple(refused), tuple(one for one in asked if one not in there), left_out)


def answer(
    prepared: Prepared, bundle: Bundle, catalog: Catalog, *, own: OwnEffects | None, rows: slice = slice(None)
) -> list[Assessment]:
    """Return the assessments of some of the prepared people, in their order; a person alone gets the same answer."""
    if not prepared.matrix.frame.height:
        return []
    part = Matrix(prepared.matrix.frame[rows], prepared.matrix.cards)
    return assess(bundle, part, catalog=catalog, own=own, unheard=prepared.unheard)
