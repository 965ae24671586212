"""The matrix on Spark beside Polars, on a small random company: every block by itself, then the whole joined matrix.

PYTHONPATH=. python benchmarks/spark_blocks.py                 needs the extra spark, Java 17 and half an hour
PYTHONPATH=. python benchmarks/spark_blocks.py pay manager     these blocks only
PYTHONPATH=. python benchmarks/spark_blocks.py --whole         the joined matrix only

Equal means: the same rows, known in the same rows, and no number off by more than 1e-9 (of the number, from 1 upwards).
The time is almost all planning: it hardly grows with the number of people.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from features import engine
from features.cards import Card
from features.lake import Lake
from features.matrix import BLOCKS, matrix
from features.snapshots import Panel, panel

EQUAL = 1e-9
SMALL = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.buffer.pageSize": "1m",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
"""Compiling a plan for thirty rows, and planning it again on the way, takes longer than all the rest."""


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
    from tests.features.random_records import AS_OF, OWN, records

    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("blocks", nargs="*", help="names of blocks; none: all, then the whole matrix")
    ask.add_argument("--whole", action="store_true", help="the joined matrix only")
    ask.add_argument("--memory", default="4g", help="of the driver")
    ask.add_argument("--seed", type=int, default=35, help="of the random company; 35 fills most columns")
    asked = ask.parse_args()
    session = spark.session("local[2]", partitions=1, memory=asked.memory, options=SMALL)
    days, equal = AS_OF, True
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        for name, frame in records(asked.seed).items():
            lake.append(name, frame)
        lake.declare(OWN)
        if not asked.whole:
            here, there = panel(lake.read(), days), panel(spark.records(lake, session), days)
            for block in BLOCKS:
                name = block.__name__.removeprefix("features.")
                if not asked.blocks or name in asked.blocks:
                    equal &= line(name, lambda block=block: block_compared(block, here, there))  # type: ignore[misc]
        if asked.whole or not asked.blocks:
            told = (lake.read(), spark.records(lake, session))
            equal &= line("the whole matrix", lambda: whole_compared(*told, days, OWN))
    session.stop()
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
