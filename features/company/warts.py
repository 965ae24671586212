"""The small faults of real exports, in a small dose: late rows, corrections, exact duplicates, rows that make no sense.

About one row in a thousand of each, so that an import has something to show and a model nothing to learn from it.
"""

from __future__ import annotations

import numpy as np
import polars as pl

DOSE = 0.001
"""Share of rows with each fault, unless a regime says otherwise."""

CORRECTED = {"surveys": "score", "attendance": "overtime_hours", "reviews": "rating", "positions": "pay"}
"""Tables with corrections: the same key again, known later, with another value in this column."""

LATE = ("attendance", "surveys", "reviews", "learning", "skills", "recognitions", "interactions")
DOUBLED = ("attendance", "surveys", "learning", "recognitions", "goals")

SPOILED = {
    "positions": ({"happened_on": "2023-02-30"}, {"pay": "confidential"}, {"ladder": "lattice"}),
    "interactions": ({"kind": "gossip"}, {"n": "-4"}, {"employee_id": ""}, {"happened_on": "yesterday"}),
    "surveys": ({"score": "11"}, {"score": "n/a"}, {"happened_on": ""}, {"item": ""}),
    "reviews": ({"rating": "A+"}, {"source": "astrologer"}),
    "learning": ({"status": "maybe"}, {"course_id": ""}),
    "recognitions": ({"kind": "gold"}, {"employee_id": ""}),
    "attendance": ({"hours": "1e9"}, {"overtime_hours": "-12"}, {"happened_on": "31.02.2023"}, {"leave_days": "two"}),
}
"""Cells that make a copy of a good row senseless."""


def with_late_rows(name: str, frame: pl.DataFrame, rng: np.random.Generator, dose: float = DOSE) -> pl.DataFrame:
    """Some rows reached the systems three to twelve weeks late: ``known_on`` says so."""
    late = rng.random(len(frame)) < (dose if name in LATE else 0.0)
    day = frame["happened_on"].to_numpy().astype("datetime64[D]") + rng.integers(20, 90, len(frame))
    known = pl.Series(np.where(late, day, np.datetime64("NaT")), dtype=pl.Date)
    if "known_on" in frame.columns:
        known = frame["known_on"] if len(frame) == 0 else pl.select(pl.coalesce(known, frame["known_on"])).to_series()
    return frame.with_columns(known_on=known)


def with_corrections(name: str, frame: pl.DataFrame, rng: np.random.Generator, dose: float = DOSE) -> pl.DataFrame:
    """Some rows come again with the same key, known later, and another value."""
    if name not in CORRECTED:
        return frame
    again = frame.filter(pl.Series(rng.random(len(frame)) < dose))
    days = pl.lit(pl.Series(rng.integers(20, 60, len(again))))
    later = pl.coalesce("known_on", "happened_on") + pl.duration(days=days)
    column = CORRECTED[name]
    mended = {
        "score": pl.when(pl.col(column) > 2).then(pl.col(column) - 1).otherwise(pl.col(column) + 1),
        "rating": pl.when(pl.col(column) > 2).then(pl.col(column) - 0.5).otherwise(pl.col(column) + 0.5),
        "overtime_hours": (pl.col(column) * 0.8).round(1),
        "pay": pl.col(column) + 100,
    }[column]
    return pl.concat([frame, again.with_columns(mended.alias(column), later.alias("known_on"))])


def with_duplicates(name: str, frame: pl.DataFrame, rng: np.random.Generator, dose: float = DOSE) -> pl.DataFrame:
    """Some rows stand there twice, word for word."""
    if name not in DOUBLED:
        return frame
    return pl.concat([frame, frame.filter(pl.Series(rng.random(len(frame)) < dose))])


def spoiled_rows(name: str, frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """A handful of rows, all columns as text, each a good one with one cell that makes no sense."""
    spoils = SPOILED.get(name, ()) if len(frame) else ()
    rows = [
        frame[int(rng.integers(len(frame)))]
        .select(pl.all().cast(pl.String))
        .with_columns(pl.lit(value).alias(column) for column, value in spoil.items())
        for spoil in spoils
    ]
    return pl.concat(rows) if rows else frame.head(0).select(pl.all().cast(pl.String))
