"""What each person did in each calendar week, and for how much of the week the person was there.

A week runs from Monday to Sunday and is closed ``GRACE_DAYS`` after its Sunday: by then interactions (a day late) and
attendance (three days late) have come in. A row that becomes known after the close of its week never counts here, so
that a chart that was read once reads the same for ever:

    Mon ---- week ---- Sun --grace--] closed      read at every as_of in [closed, closed + 7)

A week in which somebody did nothing at all says nothing: leave that was not entered, illness or a dead feed look like
that, withdrawal does not. Such a week is left out, as is one spent on leave for more than two thirds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals.stable.v2 as nw

from features import engine, windows
from features.engine import Frame, quotient
from features.places import lasting, placed, unfold

GRACE_DAYS = 3
WORKING_DAYS = 5.0
LEAST_PRESENCE = 1 / 3
FULL_TIME_HOURS = 40.0
CHANNELS: Mapping[str, tuple[str, ...]] = {
    "message": ("message",),
    "email": ("email",),
    "meeting": ("meeting", "one_on_one"),
    "project": ("project",),
    "help": ("help_given",),
}
"""What is counted apart, so that a kind that falls for everybody (a new tool, a feed that stops) falls for nobody."""


def sundays(first: int, last: int, *, back: int = 0) -> tuple[int, ...]:
    """Last days of the weeks that are closed on a day from ``first`` to ``last``, and of ``back`` weeks before.

    The first one is the newest week closed on ``first``. 1970-01-04 (day 3) was a Sunday.
    """
    newest = (first - GRACE_DAYS - 3) // 7 * 7 + 3
    return tuple(range(newest - 7 * back, last - GRACE_DAYS + 1, 7))


def weekly(facts: Mapping[str, Frame], ends: Sequence[int], *, first: int = 0) -> Frame:
    """One row per person who ever did something, and week: what was done, how much of the week, in which team.

    ``ends`` are consecutive Sundays; ``place`` is the position in it. Counts per channel are zero, and ``present`` is
    zero, in a week that is left out. ``present`` is the share of the working days times agreed hours over 40, so that
    going part-time is no withdrawal. ``team`` is told from place ``first`` on: the weeks before are read for habits.
    """
    done = _done(facts["interactions"], ends)
    people = done.select("employee_id").unique()
    rows = unfold(
        people.with_columns(
            nw.lit(0, dtype=nw.Int64).alias("first"), nw.lit(len(ends), dtype=nw.Int64).alias("beyond")
        ),
        len(ends),
    )
    keys = ["employee_id", "place"]
    for part in (done, _leave(facts["attendance"], ends), *_posts(facts["positions"], ends, first)):
        rows = rows.join(part, on=keys, how="left")
    days = quotient(nw.col("leave_days").fill_null(0.0).clip(0.0, WORKING_DAYS), WORKING_DAYS)
    there = nw.any_horizontal(*[nw.col(name) > 0 for name in CHANNELS], ignore_nulls=True) & (
        1.0 - days >= LEAST_PRESENCE
    )
    hours = nw.when(nw.col("weekly_hours") > 0).then(nw.col("weekly_hours")).otherwise(nw.lit(FULL_TIME_HOURS))
    rows = rows.with_columns(there.fill_null(value=False).alias("there"))
    share = nw.when(nw.col("there")).then((1.0 - days) * quotient(hours, FULL_TIME_HOURS)).otherwise(nw.lit(0.0))
    counts = [
        nw.when(nw.col("there")).then(nw.col(name)).otherwise(nw.lit(0, dtype=nw.Int64)).fill_null(0).alias(name)
        for name in CHANNELS
    ]
    return engine.held(rows.select(*keys, "team", nw.col("there").cast(nw.Int64), share.alias("present"), *counts))


def _in_week(facts: Frame, ends: Sequence[int], *, until: int) -> Frame:
    """Facts of the weeks of ``ends`` that were known, and not yet corrected, at the close of their week."""
    near = facts.filter(nw.col("happened_on") > ends[0] - 7, nw.col("happened_on") <= until)
    rows = placed(near, ends, "place", nw.col("happened_on"))
    closed = nw.col("place") * 7 + (ends[0] + GRACE_DAYS)
    known = rows.filter(nw.col("start") <= closed)
    return known if lasting(facts) else known.filter(nw.col("end").is_null() | (nw.col("end") > closed))


def _done(interactions: Frame, ends: Sequence[int]) -> Frame:
    rows = _in_week(interactions, ends, until=ends[-1])
    counts = [
        nw.when(nw.col("kind").is_in(list(kinds))).then(nw.col("n")).otherwise(nw.lit(0, dtype=nw.Int64)).alias(name)
        for name, kinds in CHANNELS.items()
    ]
    rows = rows.select("employee_id", "place", *counts)
    return engine.held(
        engine.added_up(rows, ["employee_id"], "place", bits=len(ends).bit_length(), sums=list(CHANNELS))
    )


def _leave(attendance: Frame, ends: Sequence[int]) -> Frame:
    """Days of leave per week, from rows that speak of one day; a row that sums up a month cannot be laid on a week."""
    rows = _in_week(attendance, ends, until=ends[-1])
    rows = rows.filter(nw.col("leave_days") <= 1.0, nw.col("hours").fill_null(0.0) <= 24.0)
    rows = rows.with_columns(windows.fixed(nw.col("leave_days")).alias("_leave"))
    summed = rows.group_by("employee_id", "place").agg(nw.col("_leave").sum())
    return summed.select("employee_id", "place", windows.units(nw.col("_leave")).alias("leave_days"))


def _posts(positions: Frame, ends: Sequence[int], first: int) -> list[Frame]:
    """Team and agreed hours as known at the close of each week."""
    told = []
    for name, place in (("team", first), ("weekly_hours", 0)):
        closed = [end + GRACE_DAYS for end in ends[place:]]
        says = windows.latest(positions.filter(~nw.col(name).is_null()), closed, ["employee_id"])
        told.append(says.select("employee_id", nw.col("place") + place, name))
    return told
