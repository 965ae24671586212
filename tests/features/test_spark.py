"""The same numbers on Spark, to 1e-9. Skipped, saying so, where pyspark or Java is missing.

Spark plans every block anew, however few the rows: here the blocks that are planned within seconds;
``python benchmarks/spark_blocks.py`` goes through all of them and the joined matrix.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from types import ModuleType

import polars as pl
import pytest

from benchmarks.spark_blocks import SMALL, block_compared, compared
from features import (
    career,
    clock,
    engine,
    exit_voices,
    goals,
    growth,
    peers,
    recognition,
    review_cycles,
    team,
    wishes,
)
from features.lake import Lake
from features.snapshots import Panel, panel
from tests.features.random_records import AS_OF, OWN, records

pytest.importorskip("pyspark", reason="the engine spark is an extra: pip install 'retention-risk[spark]'")
if shutil.which("java") is None:
    pytest.skip("the engine spark needs Java 17", allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyspark says that it does not fully know pandas 3; we use none of it
    from features import spark

pytestmark = pytest.mark.slow

QUICK = (career, clock, growth, peers, wishes, goals, recognition, review_cycles, team, exit_voices)
FILLED = 35
"""The random company that fills most columns."""


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Panel, Panel]]:
    """One lake, on Polars and on Spark."""
    lake = Lake(tmp_path_factory.mktemp("spark") / "lake")
    for name, frame in records(FILLED).items():
        lake.append(name, frame)
    lake.declare(OWN)
    session = spark.session("local[2]", partitions=1, options=SMALL)
    yield panel(lake.read(), AS_OF), panel(spark.records(lake, session), AS_OF)
    session.stop()


@pytest.mark.parametrize("block", QUICK, ids=lambda block: block.__name__.removeprefix("features."))
def test_a_block_is_the_same_on_spark(grounds: tuple[Panel, Panel], block: ModuleType) -> None:
    seen = block_compared(block, *grounds)
    assert seen.differing == ()
    assert seen.n_told > 0, "two engines that know nothing agree about nothing"


def test_what_differs_is_told_by_its_column() -> None:
    days = pl.DataFrame({"tenure_days": [1.0, 2.0]})
    card = next(card for card in career.CARDS if card.column == "tenure_days")
    off = compared(days, days.with_columns(pl.col("tenure_days") + 1e-6), [card])
    assert off.differing == (f"tenure_days: {off.largest}",)
    lost = compared(days, days.with_columns(pl.lit(None, dtype=pl.Float64).alias("tenure_days")), [card])
    assert lost.differing == ("tenure_days: known in 2 rows and in 0",)
    assert compared(days, days, [card]).differing == ()


def test_a_table_beside_those_of_spark_goes_there_and_an_infinite_number_is_unknown(
    grounds: tuple[Panel, Panel],
) -> None:
    told = engine.table({"employee_id": ["a", "b"], "x": [1.0, float("inf")]}, {"employee_id": "text", "x": "number"})
    there = engine.load(engine.collected(told), beside=grounds[1].rows.to_native())
    assert engine.collected(there).sort("employee_id")["x"].to_list() == [1.0, None]


def test_a_frame_of_neither_engine_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a Polars or Spark frame, got dict"):
        engine.load({"employee_id": ["a"]})
