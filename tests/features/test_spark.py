"""The same numbers on Spark, to 1e-9. Skipped, saying so, where pyspark or Java is missing.

Block by block: Spark takes seconds to minutes to plan a block, however few the rows. Here the ground of all blocks and
some of them; ``python benchmarks/spark_blocks.py`` goes through all.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.spark_blocks import SMALL, differences
from features import clock, peers, review_cycles
from features.lake import Lake
from features.snapshots import panel
from tests.features.random_records import AS_OF, OWN, records

pytest.importorskip("pyspark", reason="the engine spark is an extra: pip install 'retention-risk[spark]'")
if shutil.which("java") is None:
    pytest.skip("the engine spark needs Java 17", allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyspark says that it does not fully know pandas 3; we use none of it
    from features import spark


@pytest.fixture(scope="module")
def session() -> Iterator[object]:
    session = spark.session("local[2]", partitions=1, options=SMALL)
    yield session
    session.stop()


@pytest.mark.slow
def test_the_ground_and_blocks_of_a_lake_are_the_same_on_spark(session: object, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    for name, frame in records(4).items():
        lake.append(name, frame)
    lake.declare(OWN)
    days = AS_OF[1:3]
    here, there = panel(lake.read(), days), panel(spark.records(lake, session), days)
    found = {block.__name__: differences(block, here, there) for block in (clock, peers, review_cycles)}
    assert found == {"features.clock": [], "features.peers": [], "features.review_cycles": []}
