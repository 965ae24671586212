"""The matrix on Spark, for those who outgrow one machine: the same blocks, the same numbers to 1e-9. Needs the extra
``spark`` and Java 17; the only door to pyspark.

Give ``features.matrix.rows`` (lazily, to write into a warehouse) or ``matrix`` (collected) records that are Spark
frames in the canonical form: ``records(lake, session)``, or tables of your own warehouse with the same columns.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl
from narwhals._spark_like import expr as narwhals_spark

from features.errors import FixableError
from features.lake import Lake

try:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql import functions as f
    from pyspark.sql import types as t
except ImportError as missing:
    raise FixableError(
        "the engine spark needs pyspark", ["install the extra: pip install 'retention-risk[spark]', and Java 17"]
    ) from missing


def _quotient(functions: Any, left: Any, right: Any) -> Any:
    """``left / right``, null where the divisor is zero (a block asks before it divides)."""
    return functions.try_divide(left, right)


# Narwhals writes the dividend of every division four times and the divisor three times, to tell inf and NaN apart: a
# share of shares of sums over a window takes Spark minutes to plan. Blocks never ask for either.
narwhals_spark.true_divide = _quotient  # type: ignore[assignment]  # its parameters have other names

_TYPES: Mapping[pl.DataType, Any] = {
    pl.String(): t.StringType(),
    pl.Date(): t.DateType(),
    pl.Datetime("us"): t.TimestampNTZType(),
    pl.Int64(): t.LongType(),
    pl.Float64(): t.DoubleType(),
    pl.Boolean(): t.BooleanType(),
}


def session(
    master: str = "local[2]", *, partitions: int = 2, memory: str = "2g", options: Mapping[str, str] | None = None
) -> SparkSession:
    """A session that the matrix can run in. On a cluster use the one you have; its time zone has to be UTC.

    ``partitions`` of a shuffle: about twice the cores. Constraints of a plan are not propagated: what can be inferred
    from hundreds of columns that are made of each other grows beyond all bounds and speeds up nothing here.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else the workers look for another interpreter
    builder = SparkSession.builder.master(master).appName("retention-risk")
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(partitions),
        "spark.default.parallelism": str(partitions),
        "spark.driver.memory": memory,
        "spark.sql.constraintPropagation.enabled": "false",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        **(options or {}),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def records(
    lake: Lake, session: SparkSession, *, versions: Mapping[str, int] | None = None, names: Iterable[str] | None = None
) -> dict[str, DataFrame]:
    """The canonical records of a lake as Spark frames, read from the lake's own Parquet files."""
    frames: dict[str, DataFrame] = {}
    for name, (files, schema) in lake.files(names, versions=versions).items():
        fields = [t.StructField(column, _TYPES[dtype]) for column, dtype in schema.items()]
        frames[name] = session.read.schema(t.StructType(fields)).parquet(*(str(path) for path in files))
    return frames


def load(frame: Any) -> nw.LazyFrame:
    """A records table as the blocks see it: dates as whole day numbers, floats finite or null, counts as long."""
    if not isinstance(frame, DataFrame):
        raise TypeError(f"expected a Polars or Spark frame, got {type(frame).__name__}")
    columns = []
    for field in frame.schema.fields:
        column = f.col(field.name)
        if isinstance(field.dataType, t.DateType):
            column = f.unix_date(column).cast("long")
        elif isinstance(field.dataType, t.IntegralType):
            column = column.cast("long")
        elif isinstance(field.dataType, t.FractionalType):
            number = column.cast("double")
            column = f.when(~f.isnan(number) & (f.abs(number) != float("inf")), number)
        columns.append(column.alias(field.name))
    return nw.from_native(frame.select(*columns))


def like(frame: pl.DataFrame, other: DataFrame) -> DataFrame:
    """A small table in the session of ``other``."""
    return other.sparkSession.createDataFrame(frame.to_arrow())


def held(frame: nw.LazyFrame) -> nw.LazyFrame:
    """The rows are computed and the long story of how is forgotten; without it a plan of ninety blocks never ends."""
    return nw.from_native(frame.to_native().localCheckpoint(eager=True))


def collected(frame: nw.LazyFrame) -> pl.DataFrame:
    """The rows, brought into this process."""
    return pl.DataFrame(pl.from_arrow(frame.to_native().toArrow()))
