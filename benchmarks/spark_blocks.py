"""Every block of the matrix on Spark beside Polars, on a small random company: which are equal to 1e-9, which are not.

PYTHONPATH=. python benchmarks/spark_blocks.py          needs the extra spark, Java 17 and some minutes
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from types import ModuleType

import polars as pl

from features import engine
from features.lake import Lake
from features.matrix import BLOCKS
from features.snapshots import Panel, panel

SMALL = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.buffer.pageSize": "1m",
}
"""Compiling a plan for thirty rows, and planning it again on the way, takes longer than all the rest."""


def differences(block: ModuleType, here: Panel, there: Panel) -> list[str]:
    """Columns of a block that differ by more than 1e-9 between two engines, or are known in one only."""
    keys, names = ["employee_id", "place"], [card.column for card in block.CARDS]
    frames = [engine.collected(block.columns(ground).select(*keys, *names)).sort(keys) for ground in (here, there)]
    if not frames[0].select(keys).equals(frames[1].select(keys)):
        return ["the rows themselves"]
    found = []
    for card in block.CARDS:
        one, other = (frame[card.column] for frame in frames)
        if not one.is_null().equals(other.is_null()):
            found.append(f"{card.column}: known in {one.count()} rows and in {other.count()}")
        elif card.kind == "category":
            found += [] if one.equals(other) else [card.column]
        else:
            one, other = one.cast(pl.Float64), other.cast(pl.Float64)
            off = ((one - other).abs() / one.abs().clip(lower_bound=1.0)).max()
            found += [f"{card.column}: {off}"] if isinstance(off, float) and off > 1e-9 else []
    return found


def main() -> None:
    """Go through all blocks; a failure of one is told and the others go on."""
    from features import spark
    from tests.features.random_records import AS_OF, OWN, records

    session = spark.session("local[2]", partitions=1, options=SMALL)
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        for name, frame in records(4).items():
            lake.append(name, frame)
        lake.declare(OWN)
        here, there = panel(lake.read(), AS_OF[1:3]), panel(spark.records(lake, session), AS_OF[1:3])
        for block in BLOCKS:
            start = time.perf_counter()
            try:
                told = "; ".join(differences(block, here, there)) or "equal"
            except Exception as problem:  # whatever the engine throws is the result
                told = f"fails: {type(problem).__name__}: {str(problem)[:200]}"
            print(
                f"{block.__name__:28} {len(block.CARDS):3} columns {time.perf_counter() - start:6.1f} s  {told}",
                flush=True,
            )


if __name__ == "__main__":
    main()
