"""The sentinel's own examination: twelve planted leaks over several companies, clean companies, and public sets.

Each row of the table: how often the run was stopped with the planted column named, and what gave it away. A clean run
must not be stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from features.lake import Lake
from features.snapshots import Records
from features.tables import OwnColumn
from training.fit import evidence_of, leavers_of
from training.leak_bench import PLANTS, Plant, planted
from training.leakage import LeakReport, inspect
from training.plan import Plan

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Company:
    """Records held in memory, own columns, and the last day that they bear witness of."""

    records: Mapping[str, pl.DataFrame]
    own: tuple[OwnColumn, ...]
    until: date

    @classmethod
    def of(cls, lake: Lake) -> Company:
        """Return what a lake holds."""
        records = {name: frame.collect() for name, frame in lake.read().items()}
        return cls(records, lake.own_columns(), lake.data_until())


@dataclass(frozen=True)
class Examined:
    """One run: the plant (None: clean records), whether it was named, and by which tests; how many others were."""

    seed: int
    plant: Plant | None
    named: bool
    tests: tuple[str, ...]
    others: tuple[str, ...]


def examine(company: Company, plant: Plant | None, *, seed: int, plan: Plan | None = None) -> Examined:
    """Return what the sentinel makes of one company, with one leak in it or none."""
    if plant is None:
        report = look(company.records, company.own, plan or Plan(), until=company.until)
        return Examined(seed, None, False, (), tuple(f.column for f in report.findings))
    tables = planted(plant, company.records, leavers_of(company.records, until=company.until), seed=seed)
    own = (*company.own, *((plant.own,) if plant.own else ()))
    report = look(tables, own, plan or Plan(), until=company.until)
    mine = [f for f in report.findings if (f.table, f.column) == (plant.table, plant.column)]
    others = tuple(f.column for f in report.findings if f not in mine)
    return Examined(seed, plant, bool(mine), mine[0].tests if mine else (), others)


def look(records: Records, own: tuple[OwnColumn, ...], plan: Plan, *, until: date) -> LeakReport:
    """Return the sentinel's report on records held in memory."""
    return inspect(evidence_of(records, own, plan, until=until), accepted=plan.accepted)


def examine_all(companies: Callable[[int], Company], seeds: int, *, clean: int, tell: Tell) -> list[Examined]:
    """Return every run: each plant in each of the first ``seeds`` companies, and ``clean`` companies as they are."""
    done: list[Examined] = []
    total = seeds * len(PLANTS) + clean
    for seed in range(max(seeds, clean)):
        company = companies(seed)
        for plant in [*(PLANTS if seed < seeds else ()), *((None,) if seed < clean else ())]:
            done.append(examine(company, plant, seed=seed))
            tell("examining", len(done), total)
    return done


def rows(runs: list[Examined]) -> list[tuple[str, str, str, str]]:
    """Return the table: leak, column, how often it was found, by what; last the clean companies."""
    out = []
    for plant in PLANTS:
        mine = [run for run in runs if run.plant == plant]
        if mine:
            tests = Counter(test for run in mine for test in run.tests)
            by = ", ".join(f"{test} {n}" for test, n in tests.most_common())
            found = f"{sum(run.named for run in mine)} of {len(mine)}"
            out.append((plant.name, f"{plant.table}.{plant.column}", found, by))
    clean = [run for run in runs if run.plant is None]
    if clean:
        wrong = Counter(column for run in clean for column in run.others)
        stopped = sum(bool(run.others) for run in clean)
        named = ", ".join(f"{column} {n}" for column, n in wrong.most_common())
        out.append(("clean records", "", f"{stopped} of {len(clean)} stopped", named))
    return out
