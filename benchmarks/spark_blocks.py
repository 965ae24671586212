"""The matrix on Spark beside Polars, on a small company: every block by itself, then the whole joined matrix.

PYTHONPATH=. python benchmarks/spark_blocks.py                 needs the extra spark, Java 17 and half an hour
PYTHONPATH=. python benchmarks/spark_blocks.py pay manager     these blocks only
PYTHONPATH=. python benchmarks/spark_blocks.py --whole         the joined matrix only

Equal means: the same rows, known in the same rows, and no number off by more than 1e-9 (of the number, from 1 upwards).
The time is almost all planning: it hardly grows with the number of people.

Two records in one lake: random ones with everything that makes time hard (late, corrected, dated ahead, blank), and two
years of an invented company of forty, so that habits, trends and yearly rounds, and thereby all columns, have values.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from features import engine
from features.cards import Card
from features.company import Company, invent_company
from features.ingest import import_folder
from features.lake import Lake
from features.matrix import BLOCKS, matrix
from features.snapshots import Panel, panel
from features.tables import canonical
from tests.features import random_records

EQUAL = 1e-9
SMALL = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.buffer.pageSize": "1m",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
"""Compiling a plan for thirty rows, and planning it again on the way, takes longer than all the rest."""


STARTS = date(2023, 1, 1)
"""Of both records."""
HELPERS = 8
"""So many of the invented people work on projects and help others often enough to be judged by it, two years long."""


def two_records(lake: Lake, seed: int, folder: Path) -> None:
    """Random records, an invented company and its helpers, in an empty lake."""
    for name, frame in random_records.records(seed).items():
        lake.append(name, frame)
    lake.declare(random_records.OWN)
    settings = Company(n_employees=40, months=24, seed=seed, starts_on=STARTS)
    invent_company(settings, folder / "records", truth=folder / "truth")
    import_folder(folder / "records", lake)
    people = pl.read_csv(folder / "records" / "employees.csv")["employee_id"].unique().sort().to_list()[:HELPERS]
    dice = random.Random(seed)
    rows = [
        {"employee_id": one, "happened_on": STARTS + timedelta(7 * week + dice.randint(0, 4)), "kind": kind, "n": n}
        for one in people
        for week in range(104)
        for kind, n in (("project", dice.randint(2, 6)), ("help_given", dice.randint(2, 6)))
    ]
    lake.append("interactions", canonical({"interactions": pl.DataFrame(rows)})["interactions"])


@dataclass(frozen=True)
class Compared:
    """``largest`` difference of a number, ``told`` columns with a value somewhere, and ``differing`` in words."""

    n_columns: int
    n_told: int
    largest: float
    differing: tuple[str, ...]


def compared(here: pl.DataFrame, there: pl.DataFrame, cards: Sequence[Card]) -> Compared:
    """Two frames in the same order, column by column."""
    found: list[str] = []
    largest = 0.0
    for card in cards:
        one, other = here[card.column], there[card.column]
        if not one.is_null().equals(other.is_null()):
            found.append(f"{card.column}: known in {one.count()} rows and in {other.count()}")
        elif card.kind == "category":
            found += [] if one.equals(other) else [card.column]
        else:
            one, other = one.cast(pl.Float64), other.cast(pl.Float64)
            off = ((one - other).abs() / one.abs().clip(lower_bound=1.0)).max()
            if isinstance(off, float):
                largest = max(largest, off)
                found += [f"{card.column}: {off}"] if off > EQUAL else []
    told = sum(here[card.column].count() > 0 for card in cards)
    return Compared(len(cards), told, largest, tuple(found))


def block_compared(block: ModuleType, here: Panel, there: Panel) -> Compared:
    """One block on two engines."""
    keys, names = ["employee_id", "place"], [card.column for card in block.CARDS]
    frames = [engine.collected(block.columns(ground).select(*keys, *names)).sort(keys) for ground in (here, there)]
    if not frames[0].select(keys).equals(frames[1].select(keys)):
        return Compared(len(names), 0, 0.0, ("the rows themselves",))
    return compared(frames[0], frames[1], block.CARDS)


def whole_compared(here: Any, there: Any, days: Sequence[date], declared: Sequence[Any]) -> Compared:
    """The joined matrix, own columns and all, on two engines."""
    one, other = (matrix(records, as_of=days, own=declared) for records in (here, there))
    if not one.frame.select("employee_id", "as_of").equals(other.frame.select("employee_id", "as_of")):
        return Compared(len(one.cards), 0, 0.0, ("the rows themselves",))
    return compared(one.frame, other.frame, one.cards)


def line(name: str, run: Callable[[], Compared]) -> bool:
    """Print how a comparison ended and how long it took; a failure is told and the others go on."""
    start = time.perf_counter()
    try:
        seen = run()
        equal = not seen.differing
        told = "equal" if equal else "; ".join(seen.differing)
        told = (
            f"{seen.n_columns:3} columns ({seen.n_told:3} with values)  largest difference {seen.largest:8.1e}  {told}"
        )
    except Exception as problem:  # whatever the engine throws is the result
        equal, told = False, f"fails: {type(problem).__name__}: {str(problem)[:400]}"
    print(f"{name:24} {time.perf_counter() - start:7.1f} s  {told}", flush=True)
    return equal


def main() -> int:
    """Go through the blocks asked for; 1 when anything differs."""
    from features import spark

    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("blocks", nargs="*", help="names of blocks; none: all, then the whole matrix")
    ask.add_argument("--whole", action="store_true", help="the joined matrix only")
    ask.add_argument("--memory", default="4g", help="of the driver")
    ask.add_argument("--seed", type=int, default=35, help="of both records")
    asked = ask.parse_args()
    session = spark.session("local[2]", partitions=1, memory=asked.memory, options=SMALL)
    days, equal = random_records.AS_OF, True
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        two_records(lake, asked.seed, Path(folder))
        if not asked.whole:
            here, there = panel(lake.read(), days), panel(spark.records(lake, session), days)
            for block in BLOCKS:
                name = block.__name__.removeprefix("features.")
                if not asked.blocks or name in asked.blocks:
                    equal &= line(name, lambda block=block: block_compared(block, here, there))  # type: ignore[misc]
        if asked.whole or not asked.blocks:
            told = (lake.read(), spark.records(lake, session))
            equal &= line("the whole matrix", lambda: whole_compared(*told, days, random_records.OWN))
    session.stop()
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
