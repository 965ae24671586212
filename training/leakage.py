"""MAIN of the leak sentinel: which columns know the future, found before anything is learned.

    rows of the tables ─▶ values after which nearly everybody is gone                      (leak_rows)
    columns of the matrix ─▶ six tests each: power, collapse, period, static, edge, duration (leak_columns)
    all columns together ─▶ a random split against a split in time; what shuffling costs    (leak_model)
    a column made from the future ─▶ must be found, or the sentinel says that it is blind here

A finding stops the run and names column, table, numbers and remedies. A person who knows better writes the column with
a reason under ``accepted`` in the plan; the reason stands in the model's card.

What it cannot see: a leak so weak that a hundred exits do not show it, and one that fades as slowly as an honest trait.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
import polars as pl

from features.errors import FixableError
from features.matrix import Matrix, matrix
from features.own import made_of
from features.snapshots import Records
from features.sources import columns_by_table, delayed
from features.tables import TABLES, OwnColumn
from training.leak_columns import FEWEST_LEAVERS, NEAR, Ground, Known, Seen, numbers, suspicions
from training.leak_model import MOST_CARRIED, Gap, quick_look
from training.leak_rows import WITHIN_DAYS, Telling, telling_values
from training.leak_sight import Fates, fold, sight, strata

HINTS = (
    "term", "empstatus", "employmentstatus", "lastperformancereview", "lastreview", "stillexists", "lastparticipation",
    "lastday", "lastworking", "numvotes", "exit", "leav", "resign", "offboard", "severance", "deactivat", "badgeoff",
    "离职", "辞职", "退工", "状态",
)  # fmt: skip
"""Parts of names that public data sets leaked under. A name lowers the limit; it never proves anything alone."""
ACTS = ("interactions", "attendance", "learning", "recognitions")
"""Tables whose rows are acts that date themselves."""
DELAY_DAYS = 90
RECORDED = 0.9


@dataclass(frozen=True)
class Finding:
    """A column that knows the future, where it comes from, and by what it was seen."""

    column: str
    table: str
    tests: tuple[str, ...]
    seen: str

    def text(self) -> str:
        """Return the finding and what a person can do about it, in one line."""
        where = f"{self.table}.{self.column}" if self.table else self.column
        return (
            f"{where} ({', '.join(self.tests)}): {self.seen}. Remedies: give the rows of {self.table or 'its table'} "
            "their true known_on; or lag the feed; or leave the column out of the mapping; or, if it is honest, "
            f'write into the plan: accepted."{self.column}" = "why"'
        )


@dataclass(frozen=True)
class LeakReport:
    """What the sentinel found and on how much it rests; ``sighted``: a column made from the future was seen."""

    findings: tuple[Finding, ...]
    accepted: Mapping[str, str]
    columns: int
    leavers: int
    sighted: bool
    gap: Gap | None

    def lines(self) -> list[str]:
        """Return what a person at the screen should know, even when nothing was found."""
        out = [f"Leaks: {self.columns} columns looked at, {self.leavers} leavers, {len(self.findings)} found."]
        if not self.sighted:
            out.append(
                f"Leaks cannot be ruled out: {self.leavers} leavers are too few to see even a column of the future."
            )
        if self.gap:
            gap = self.gap.random.auc - self.gap.later.auc
            out.append(
                f"A quick model: AUC {self.gap.later} on later snapshots, {self.gap.random} on rows split at random; "
                f"the random split flatters by {gap:+.2f} and is not used."
            )
        return out + [f"Accepted by the plan: {column}: {why}" for column, why in self.accepted.items()]


@dataclass(frozen=True)
class Evidence:
    """What the sentinel looks at: landmark rows (``index``, ``rows``), the records and exits behind them."""

    index: pd.DataFrame
    rows: pd.DataFrame
    records: Records
    events: pl.DataFrame
    own: tuple[OwnColumn, ...]
    closed_on: date
    horizon_days: int
    seed: int = 0


def inspect(evidence: Evidence, *, accepted: Mapping[str, str] | None = None, gap: bool = True) -> LeakReport:
    """Return every column that knows the future, those that the plan accepts set apart."""
    accepted = accepted or {}
    ground = ground_of(evidence)
    found = [*row_findings(evidence), *column_findings(evidence, ground)]
    look = quick_look(evidence.rows, ground, horizon_days=evidence.horizon_days, seed=evidence.seed) if gap else None
    found += carried_findings(look, evidence, {f.column for f in found})
    used = {c: why for c, why in accepted.items() if c in {f.column for f in found}}
    return LeakReport(
        findings=tuple(f for f in found if f.column not in accepted),
        accepted=used,
        columns=evidence.rows.shape[1],
        leavers=len(np.unique(ground.fates.person[ground.fates.left])),
        sighted=canary_seen(ground),
        gap=look,
    )


def refuse(report: LeakReport) -> None:
    """Raise ``FixableError`` that names every column found; do nothing when there is none."""
    if report.findings:
        n = len(report.findings)
        raise FixableError(
            f"Training stopped: {n} column{'s' if n > 1 else ''} seem to know the future. Nothing was learned.",
            [finding.text() for finding in report.findings],
        )


def ground_of(evidence: Evidence) -> Ground:
    """Return the rows as every test asks about them."""
    index = evidence.index
    as_of = pd.to_datetime(index["as_of"]).to_numpy("datetime64[D]").astype(int)
    tenure = evidence.rows["tenure_days"].to_numpy(dtype=float)
    event = index["event"].to_numpy(int)
    fates = Fates(
        time=index["time"].to_numpy(float),
        left=event == 1,
        follow_up=index["follow_up"].to_numpy(float),
        person=pd.factorize(index["employee_id"])[0],
        stratum=strata(as_of, tenure),
    )
    return Ground(fates, as_of, event > 0, (evidence.closed_on - date(1970, 1, 1)).days)


def row_findings(evidence: Evidence) -> list[Finding]:
    """Return the values of tables after which nearly everybody is gone, one finding per column."""
    told: dict[tuple[str, str], list[Telling]] = {}
    for one in telling_values(evidence.records, evidence.events, closed_on=evidence.closed_on):
        told.setdefault((one.table, one.column), []).append(one)
    return [
        Finding(column, table, ("value",), "; ".join(_told(one) for one in values[:3]))
        for (table, column), values in told.items()
    ]


def _told(one: Telling) -> str:
    return (
        f"of {one.people} people who got the value {one.value} {one.left} left within {WITHIN_DAYS} days "
        f"({one.left / one.people:.0%}; of everybody {one.base:.1%})"
    )


def column_findings(evidence: Evidence, ground: Ground) -> list[Finding]:
    """Return the columns that a test speaks against, judged by who wrote their dates."""
    columns = [str(column) for column in evidence.rows if evidence.rows[column].nunique(dropna=False) > 1]
    mine = own_of(columns, evidence.own)
    near = {c: fold(sight(numbers(evidence.rows[c], ground.fates), ground.fates, NEAR)) for c in columns}
    first: dict[str, list[Seen]] = {}
    for column in columns:
        others = {c: s for c, s in near.items() if family(c, mine) != family(column, mine)}
        # Asked as if nobody had recorded a date: what passes this needs no look at the dates.
        known = Known("undated", own=column in mine, hinted=hinted(column))
        seen = suspicions(column, evidence.rows[column], replace(ground, near=others), known)
        if seen:
            first[column] = seen
    if not first:
        return []
    table_of = {c: one.table for c, one in mine.items()} | read_tables(evidence, [c for c in first if c not in mine])
    found = []
    for column in first:
        table = table_of.get(column, "")
        known = Known(dated(evidence, table, own=column in mine), own=column in mine, hinted=hinted(column))
        others = {c: s for c, s in near.items() if family(c, mine) != family(column, mine)}
        seen = suspicions(column, evidence.rows[column], replace(ground, near=others), known)
        if seen:
            words = "; ".join(s.words for s in seen)
            found.append(Finding(column, table, tuple(s.test for s in seen), words))
    strongest = _strongest(found, mine)
    late = {table: matrix_after_delay(evidence, table) for table in {f.table for f in strongest}}
    return [replace(f, seen=f.seen + after_delay(evidence, f, ground, late[f.table])) for f in strongest]


def _strongest(found: Sequence[Finding], mine: Mapping[str, OwnColumn]) -> list[Finding]:
    """Return one finding per own column: its latest value, mean and change are one leak."""
    kept: dict[str, Finding] = {}
    for finding in found:
        name = mine[finding.column].name if finding.column in mine else finding.column
        if name not in kept or len(finding.tests) > len(kept[name].tests):
            kept[name] = replace(finding, column=name)
    return list(kept.values())


def carried_findings(gap: Gap | None, evidence: Evidence, before: Iterable[str]) -> list[Finding]:
    """Return the columns that carry the quick model alone, when no other test has named them."""
    known = set(before)
    heavy = {c: drop for c, drop in (gap.carried if gap else {}).items() if drop > MOST_CARRIED}
    heavy = {c: d for c, d in heavy.items() if c not in known and not any(c.startswith(f"{k}_") for k in known)}
    if not heavy or gap is None:
        return []
    mine = own_of(list(heavy), evidence.own)
    tables = {c: one.table for c, one in mine.items()} | read_tables(evidence, [c for c in heavy if c not in mine])
    words = "a quick model has AUC {:.2f} out of time and {:.2f} when this column is shuffled"
    return [
        Finding(
            mine[c].name if c in mine else c, tables.get(c, ""), ("shuffle",),
            words.format(gap.later.auc, gap.later.auc - drop),
        )
        for c, drop in heavy.items()
    ]  # fmt: skip


def own_of(columns: Sequence[str], own: Sequence[OwnColumn]) -> dict[str, OwnColumn]:
    """Return {matrix column: the own column it was made of}."""
    return {c: one for one in own for c in made_of(one.name) if c in columns}


def family(column: str, mine: Mapping[str, OwnColumn]) -> str:
    """Return what columns made of the same facts have in common: the own column, or the first word of the name."""
    return mine[column].name if column in mine else column.split("_")[0]


def hinted(column: str) -> bool:
    """Return whether the name of an own column is one that public data sets leaked under."""
    plain = column.lower().replace("_", "")
    return column.startswith("x_") and any(hint in plain for hint in HINTS)


def read_tables(evidence: Evidence, columns: Sequence[str]) -> dict[str, str]:
    """Return the table that each column reads; of several the one that is no mere list of people's posts."""
    if not columns:
        return {}
    day = snapshots_of(evidence)[-3:][:1]
    reads = columns_by_table(evidence.records, day, own=evidence.own)
    found: dict[str, str] = {}
    for table in sorted(reads, key=lambda name: name == "positions"):
        for column in reads[table]:
            if column in columns:
                found.setdefault(column, table)
    return found


def dated(evidence: Evidence, table: str, *, own: bool) -> str:
    """Return who wrote the dates of a table: ``acts`` date themselves, ``recorded`` by a system, else ``undated``."""
    if table in ACTS and not own:
        return "acts"
    if table not in evidence.records or TABLES[table].reference:
        return "undated"
    share = evidence.records[table].lazy().select(pl.col("known_on_given").mean()).collect().item()
    return "recorded" if share is not None and share >= RECORDED else "undated"


def matrix_after_delay(evidence: Evidence, table: str) -> Matrix | None:
    """Return the matrix as it would be had the table become known 90 days later; None where that means nothing."""
    if table in ("", "employees") or table not in evidence.records:
        return None
    later = delayed(evidence.records, table, days=DELAY_DAYS)
    return matrix(later, as_of=snapshots_of(evidence), own=evidence.own)


def after_delay(evidence: Evidence, finding: Finding, ground: Ground, late: Matrix | None) -> str:
    """Return what the column is worth when its table becomes known 90 days later, in words."""
    if late is None:
        return ""
    names = [c.column for c in late.cards]
    held = [finding.column] if finding.column in names else list(made_of(finding.column))
    held = [c for c in held if c in names]
    place = pd.MultiIndex.from_frame(late.frame.select("employee_id", "as_of").to_pandas().astype(str))
    wanted = pd.MultiIndex.from_frame(evidence.index[["employee_id", "as_of"]].astype(str))
    told = late.to_pandas()[held].set_index(place).reindex(wanted).reset_index(drop=True)
    best = max((fold(sight(numbers(told[c], ground.fates), ground.fates, NEAR)) for c in held), key=lambda s: s.auc)
    return f". Known {DELAY_DAYS} days later it would have AUC {best}"


def snapshots_of(evidence: Evidence) -> list[date]:
    """Return the days of the landmark rows, ascending."""
    return sorted(pd.to_datetime(evidence.index["as_of"]).dt.date.unique())


def canary_seen(ground: Ground) -> bool:
    """Return whether a column made from the future is found on these rows: otherwise silence means nothing."""
    f = ground.fates
    if len(np.unique(f.person[f.left & (f.time <= NEAR[1])])) < FEWEST_LEAVERS:
        return False
    noise = np.random.default_rng(0).normal(0, 0.3, len(f.time))
    future = pd.Series((f.left & (f.time <= NEAR[1])) + noise)
    return bool(suspicions("canary", future, ground, Known()))
