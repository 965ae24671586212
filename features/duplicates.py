"""The same person twice: copies of a file under new ids, and one person under two ids.

A model that is tested on the copy of somebody it learned from looks brilliant (McKinsey's case data hold 1,470 people
three times: .995 where .711 is true). Two signs are read:

    copies       every row of every table is equal but for the ids, and so much is equal that chance cannot explain it;
                 a cell that is empty in one copy only (read once with all columns, once with those never empty)
    two ids      two people with one e-mail address: a re-hire who got a new number, or one person in two systems

"So much": the content of a person is weighed in bits, minus log2 of the share of people who have the same value; dates
do not weigh (everybody has the same payday), a value that all share weighs nothing. Two newcomers with a day's records
are equal and light; they are two people. Equal names are no sign: there are many 王伟.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.snapshots import Records
from features.tables import BOOKKEEPING, PEOPLE, TABLES

SPARE_BITS = 10.0
"""Beyond what two of ``n`` people share by chance: less than one chance pair in 2 ** SPARE_BITS companies."""
COPIED_FILE = 0.05
"""Where more than this share of the ids are copies a file was copied, and a lighter pair is a copy as well."""
NAMES = ("employee_id", "name", "email", "goal_id", "parent_goal_id", "title", "note", *PEOPLE, *BOOKKEEPING)
MOST_TOLD = 5


@dataclass(frozen=True)
class Duplicates:
    """``copies`` are sets of ids whose records are equal; ``same_address`` sets of ids with one e-mail address.

    Of each set the first id in order is kept.
    """

    copies: tuple[tuple[str, ...], ...]
    same_address: tuple[tuple[str, ...], ...]
    people: int

    @property
    def surplus(self) -> frozenset[str]:
        """The ids that are copies of another one: all but the first of each set of copies."""
        return frozenset(one for ids in self.copies for one in ids[1:])

    def lines(self) -> list[str]:
        """Return what a person should know, in sentences; empty when nobody is there twice."""
        out = []
        if self.copies:
            out.append(
                f"Duplicated people: {len(self.surplus)} of {self.people} ids are copies of another one with equal "
                f"records ({_some(self.copies)}). One of each was kept; remove the others from the export."
            )
        if self.same_address:
            out.append(
                f"One person, several ids: {len(self.same_address)} e-mail addresses stand under more than one id "
                f"({_some(self.same_address)}). Give a re-hire the former id, so that the earlier years count."
            )
        return out


def find_duplicates(records: Records) -> Duplicates:
    """Return who is in the records more than once."""
    n = records["employees"].lazy().select(pl.col("employee_id").n_unique()).collect().item()
    exact, filled = (_copies(records, _columns(records, complete=complete), n) for complete in (False, True))
    taken = {one for ids in filled for one in ids}
    # What both readings find is told once, in the wider set; a set of the first that overlaps none stands by itself.
    copies = sorted([*filled, *(ids for ids in exact if not taken & set(ids))])
    return Duplicates(tuple(copies), _same_address(records), n)


def _copies(records: Records, columns: Mapping[str, list[str]], n: int) -> list[tuple[str, ...]]:
    prints = _fingerprints(records, columns)
    sets = prints.group_by("a", "b", "rows").agg(pl.col("employee_id").sort(), pl.len().alias("n"))
    equal = sets.filter(pl.col("n") > 1)["employee_id"].to_list()
    # One of each set is weighed: the others weigh the same. Copies count once, so that they do not make a value common.
    surplus = {one for ids in equal for one in ids[1:]}
    bits = _bits(records, columns, {ids[0] for ids in equal}, without=surplus)
    heavy = [ids for ids in equal if bits.get(ids[0], 0.0) >= 2 * np.log2(max(n, 2)) + SPARE_BITS]
    if sum(len(ids) - 1 for ids in heavy) > COPIED_FILE * n:
        heavy = [ids for ids in equal if bits.get(ids[0], 0.0) >= np.log2(max(n, 2))]
    return [tuple(ids) for ids in heavy]


def without(records: Records, ids: frozenset[str]) -> Mapping[str, pl.LazyFrame | pl.DataFrame]:
    """Return the records without the rows about some people."""
    if not ids:
        return records
    gone = sorted(ids)
    about = {n: f for n, f in records.items() if "employee_id" in f.lazy().collect_schema().names()}
    return {**records, **{n: f.lazy().filter(~pl.col("employee_id").is_in(gone)) for n, f in about.items()}}


def _columns(records: Records, *, complete: bool) -> dict[str, list[str]]:
    """Return, for each table about people, the columns that say something (``complete``: that are never empty)."""
    found = {}
    for name, frame in records.items():
        lazy = frame.lazy()
        names = lazy.collect_schema().names()
        said = [c for c in names if c not in NAMES]
        if "employee_id" in names and said and not TABLES[name].reference:
            empty = lazy.select(pl.col(said).null_count()).collect().row(0, named=True)
            found[name] = [c for c in said if not (complete and empty[c])]
    return {name: columns for name, columns in found.items() if columns}


def _fingerprints(records: Records, columns: Mapping[str, list[str]]) -> pl.DataFrame:
    """Return employee_id, two sums of row hashes, and the number of rows: equal for equal records in any order."""
    parts = []
    for seed, (name, wanted) in enumerate(columns.items()):
        lazy, row = records[name].lazy(), pl.struct(wanted)
        # 48 bits each, so that the sums of some thousand rows wrap the same way on every machine.
        hashes = [(row.hash(seed * 2 + i) & ((1 << 48) - 1)).alias(k) for i, k in enumerate("ab")]
        parts.append(lazy.select("employee_id", *hashes).group_by("employee_id").agg(
            pl.col("a").sum(), pl.col("b").sum(), rows=pl.len()))  # fmt: skip
    people = pl.concat(parts).group_by("employee_id").agg(pl.col("a").sum(), pl.col("b").sum(), pl.col("rows").sum())
    return people.collect()


def _bits(records: Records, columns: Mapping[str, list[str]], of: set[str], *, without: set[str]) -> dict[str, float]:
    """Return how much the content of each person in ``of`` weighs."""
    if not of:
        return {}
    weight: dict[str, float] = dict.fromkeys(of, 0.0)
    for name, wanted in columns.items():
        lazy = records[name].lazy()
        schema = lazy.collect_schema()
        kept = lazy.filter(~pl.col("employee_id").is_in(sorted(without)))
        for column in (c for c in wanted if not schema[c].is_temporal() or c == "hired_on"):
            values = kept.select("employee_id", value=pl.col(column)).drop_nulls().unique().collect()
            n = max(values["employee_id"].n_unique(), 1)
            share = values.group_by("value").agg(bits=-(pl.len() / n).log(2.0))
            mine = values.filter(pl.col("employee_id").is_in(sorted(of))).join(share, on="value")
            # The rarest value of a column speaks for it: many values of one person are not independent.
            for one, bits in mine.group_by("employee_id").agg(pl.col("bits").max()).iter_rows():
                weight[one] += bits
    return weight


def _same_address(records: Records) -> tuple[tuple[str, ...], ...]:
    people = records["employees"].lazy()
    if "email" not in people.collect_schema().names():
        return ()
    address = pl.col("email").str.strip_chars().str.to_lowercase()
    known = people.select("employee_id", address=address).filter(pl.col("address").str.contains("@")).unique()
    sets = known.group_by("address").agg(pl.col("employee_id").unique().sort()).collect()
    return tuple(sorted(tuple(ids) for ids in sets["employee_id"].to_list() if len(ids) > 1))


def _some(sets: tuple[tuple[str, ...], ...]) -> str:
    shown = "; ".join(" = ".join(ids[:4]) for ids in sets[:MOST_TOLD])
    return shown + (f"; and {len(sets) - MOST_TOLD} more sets" if len(sets) > MOST_TOLD else "")
