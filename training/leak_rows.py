"""Values that appear just before people leave and hardly ever otherwise: a status told in another table.

A team "off-boarding", a manager "Left employees", a pay of 0, a course for those who were let go: the column need not
be strong (few have the value), but whoever has it is gone. Read from the rows of the tables, because many of these
columns are no feature by themselves and reach the matrix as part of a count.

    value first seen on a day when the person was at risk ----(------ WITHIN_DAYS ------]   left or not?
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from features.snapshots import Records
from features.tables import PEOPLE, TABLES
from training.evaluate import wilson

WITHIN_DAYS = 60
FEWEST = 10
"""A value that fewer people have shows nothing: three of three may be chance."""
PUREST = 0.6
"""The lower limit (99 %) of the share who leave. The strongest honest sign known to us, a written wish to leave, stays
below a half."""
TIMES_BASE = 4.0
MOST_CODES = 12
"""A number with so few different values is a code, and each value is asked about."""
UNREAD = ("exits", "exit_interviews", "protected", "care_actions")
SKIPPED = {*PEOPLE, "employee_id", "goal_id", "parent_goal_id", "title", "note", "name", "email", "currency"} - {
    "manager_id"
}


@dataclass(frozen=True)
class Telling:
    """A value of a column, how many people got it while at risk, and how many of them left within ``WITHIN_DAYS``."""

    table: str
    column: str
    value: str
    people: int
    left: int
    base: float


def telling_values(records: Records, events: pl.DataFrame, *, closed_on: date) -> list[Telling]:
    """Return the values after which nearly everybody leaves; ``events`` as of ``labels.exit_events``."""
    hired = records["employees"].lazy().group_by("employee_id").agg(pl.col("hired_on").min()).collect()
    found: list[Telling] = []
    base = _base_rate(hired, events, closed_on=closed_on)
    for name, frame in records.items():
        table = TABLES[name]
        if name in UNREAD or table.event != "happened_on" or table.reference:
            continue
        starts = frame.lazy().with_columns(start=pl.max_horizontal("known_on", "happened_on"))
        for column, first in _first_rows(starts):
            fates = _fates(first, hired, events, closed_on=closed_on)
            counted = fates.group_by("value").agg(people=pl.len(), left=pl.col("left").sum())
            found += [
                Telling(name, column, row["value"], row["people"], row["left"], base)
                for row in counted.filter(pl.col("people") >= FEWEST).sort("value").iter_rows(named=True)
                if wilson(row["left"], row["people"], 2.576)[0] > max(PUREST, min(0.9, TIMES_BASE * base))
            ]
    return found


def _first_rows(starts: pl.LazyFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield a column with (employee_id, value, start): the first day on which each person had each value.

    A number with few different values is a code; of any other only the 0 is asked about."""
    for column, dtype in starts.collect_schema().items():
        if column in SKIPPED or not (dtype in (pl.String, pl.Boolean) or dtype.is_numeric()) or column.startswith("_"):
            continue
        value = pl.col(column)
        codes = not dtype.is_numeric() or starts.select(value.n_unique()).collect().item() <= MOST_CODES
        words = value.cast(pl.String) if codes else pl.when(value == 0).then(pl.lit("0"))
        said = starts.select("employee_id", "start", value=words).filter(pl.col("value").is_not_null())
        yield column, said.group_by("employee_id", "value").agg(pl.col("start").min()).collect()


def _fates(first: pl.DataFrame, hired: pl.DataFrame, events: pl.DataFrame, *, closed_on: date) -> pl.DataFrame:
    """Return the rows whose person was at risk on ``start`` and whose 60 days were seen, with ``left``."""
    last = closed_on - timedelta(days=WITHIN_DAYS)
    known = first.join(hired, on="employee_id").filter(
        (pl.col("start") >= pl.col("hired_on")) & (pl.col("start") <= last)
    )
    ends = events.select("employee_id", "event_on").sort("event_on")
    ahead = known.sort("start").join_asof(
        ends, left_on="start", right_on="event_on", by="employee_id", strategy="forward", check_sortedness=False
    )
    gone = known.join(ends.group_by("employee_id").agg(last_event=pl.col("event_on").max()), on="employee_id")
    over = gone.filter(pl.col("last_event") <= pl.col("start")).select("employee_id", "value")
    ahead = ahead.filter(pl.col("event_on").is_null() | (pl.col("event_on") > pl.col("start")))
    ahead = ahead.join(over, on=["employee_id", "value"], how="anti")
    days = (pl.col("event_on") - pl.col("start")).dt.total_days()
    return ahead.with_columns(left=(days <= WITHIN_DAYS).fill_null(False))


def _base_rate(hired: pl.DataFrame, events: pl.DataFrame, *, closed_on: date) -> float:
    """Return how many leave within ``WITHIN_DAYS``, whoever they are: exits per day at risk since the first exit."""
    if events.is_empty():
        return 0.0
    begin = max(events["event_on"].min(), hired["hired_on"].min())  # type: ignore[type-var]
    ends = events.group_by("employee_id").agg(pl.col("event_on").max())
    spans = hired.join(ends, on="employee_id", how="left").with_columns(
        end=pl.min_horizontal(pl.col("event_on").fill_null(closed_on), pl.lit(closed_on)),
        start=pl.max_horizontal("hired_on", pl.lit(begin)),
    )
    days = spans.select((pl.col("end") - pl.col("start")).dt.total_days().clip(0).sum()).item()
    return float(min(1.0, WITHIN_DAYS * len(events) / days)) if days else 0.0
