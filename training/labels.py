"""What became of people: the only file that looks ahead.

Time convention: outcomes lie in ``(as_of, as_of + horizon]``. The event is the day on which the exit became known (the
notice), never later than the last working day::

    as_of 31 Mar, notice 12 May, last day 30 Jun   →  event on 12 May, 42 days ahead
    as_of 31 May                                    →  not in the spine: under notice
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from features.snapshots import Records, known_by
from features.tables import NOTICE_DAYS
from models.person_period import OTHER, STAY, VOLUNTARY


def exit_events(records: Records, *, closed_on: date) -> pl.DataFrame:
    """Return employee_id, happened_on, event_on, cause of every exit that was known on ``closed_on``."""
    if "exits" not in records:
        columns = {"employee_id": pl.String, "happened_on": pl.Date, "event_on": pl.Date, "cause": pl.Int8}
        return pl.DataFrame(schema=columns)
    known = known_by(records, closed_on)["exits"].lazy().collect()
    every = records["exits"].lazy().filter(pl.col("known_on") <= closed_on).collect()
    notice = every.group_by("employee_id", "happened_on").agg(notice_on=pl.col("known_on").min())
    cause = pl.when(pl.col("kind") == "voluntary").then(VOLUNTARY).otherwise(OTHER).cast(pl.Int8)
    event_on = pl.min_horizontal("notice_on", "happened_on")  # entered late is not the same as left late
    exits = known.join(notice, on=["employee_id", "happened_on"], how="left")
    return exits.select("employee_id", "happened_on", event_on=event_on, cause=cause).sort("employee_id", "event_on")


def labels_close_on(records: Records, data_until: date) -> date:
    """Return the last day up to which every notice is in the records.

    Where notices were not recorded they are taken ``NOTICE_DAYS`` before the last day, so the notices of
    people who have yet to leave are missing from the end of the data: counting those days would find too few exits.
    """
    if "exits" not in records:
        return data_until
    exits = records["exits"].lazy().collect()
    guessed = exits.filter((pl.col("kind") == "voluntary") & ~pl.col("known_on_given"))
    return data_until - timedelta(days=NOTICE_DAYS) if len(guessed) else data_until


def outcomes(spine: pl.DataFrame, events: pl.DataFrame, *, closed_on: date) -> pl.DataFrame:
    """Return the spine's rows with ``time`` and ``follow_up`` in days and ``event`` (0 stay, 1 voluntary, 2 other).

    ``spine`` has employee_id, as_of and hired_on. Rows of people who had already given notice without anybody knowing
    it yet are left out: nothing lies ahead of them any more. Order of rows is kept.
    """
    spell = (
        spine.lazy()
        .with_row_index("row")
        .join(events.lazy(), on="employee_id", how="left")
        .filter(pl.col("happened_on").is_null() | (pl.col("happened_on") >= pl.col("hired_on")))
    )
    first = spell.sort("event_on", nulls_last=True).group_by("row").first().select("row", "event_on", "cause").collect()
    rows = spine.with_row_index("row").join(first, on="row", how="left")
    follow_up = (pl.lit(closed_on) - pl.col("as_of")).dt.total_days()
    until = (pl.col("event_on") - pl.col("as_of")).dt.total_days()
    seen = until.is_not_null() & (until <= follow_up)
    return (
        rows.filter(pl.col("event_on").is_null() | (pl.col("event_on") > pl.col("as_of")))
        .with_columns(
            time=pl.when(seen).then(until).otherwise(follow_up).cast(pl.Float64),
            event=pl.when(seen).then(pl.col("cause")).otherwise(STAY).cast(pl.Int64),
            follow_up=follow_up.cast(pl.Float64),
        )
        .sort("row")
        .drop("row", "event_on", "cause")
    )
