"""The same matrix on Spark, to 1e-9. Skipped, saying so, where pyspark or Java is missing."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from features.kept import kept_matrix
from features.lake import Lake
from features.matrix import Matrix, matrix
from tests.features.random_records import AS_OF, OWN, records

pytest.importorskip("pyspark", reason="the engine spark is an extra: pip install 'retention-risk[spark]'")
if shutil.which("java") is None:
    pytest.skip("the engine spark needs Java 17", allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyspark says that it does not fully know pandas 3; we use none of it
    from features import spark

INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
"""Compiling a plan for thirty rows takes longer than all the rest."""


@pytest.fixture(scope="module")
def session() -> Iterator[object]:
    session = spark.session("local[2]", partitions=1, options={**INTERPRETED, "spark.sql.adaptive.enabled": "false"})
    yield session
    session.stop()


@pytest.mark.slow
def test_the_matrix_of_a_lake_is_the_same_on_spark(session: object, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    for name, frame in records(12).items():
        lake.append(name, frame)
    lake.declare(OWN)
    days = AS_OF[1:3]
    here = matrix(lake.read(), as_of=days, own=lake.own_columns())
    there = kept_matrix(lake, as_of=days, engine="spark")
    assert here.frame.height > 20
    assert differences(here, there) == []


def differences(here: Matrix, there: Matrix) -> list[str]:
    """Columns that differ by more than 1e-9, or are known on one side only."""
    assert here.frame.select("employee_id", "as_of").equals(there.frame.select("employee_id", "as_of"))
    found = []
    for card in here.cards:
        one, other = here.frame[card.column], there.frame[card.column]
        if not one.is_null().equals(other.is_null()):
            found.append(f"{card.column}: known in {one.count()} rows here, {other.count()} there")
        elif card.kind == "category":
            if not one.equals(other):
                found.append(card.column)
        elif ((one - other).abs() > 1e-9 * pl.max_horizontal(one.abs(), pl.lit(1.0))).any():
            found.append(f"{card.column}: {(one - other).abs().max()}")
    return found
