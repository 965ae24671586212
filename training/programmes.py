"""Two sides of a people programme: what employees say, and what the organisation sees.

    before ----(year)----] start ----(up to a year)----] until
    said   the same people's survey answers, item by item, before and after
    seen   voluntary exits a year, openings filled from within, courses finished that a higher skill followed

A programme that is praised and changes nothing, and one that works and is disliked, are both worth knowing about.

Not good for: proof. Before and after differ by everything else that happened too; whether the programme did it is a
question for ``training.effect_event_study`` (some departments first) or a trial. Groups below ``FEWEST`` are not told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from features.errors import FixableError
from features.snapshots import known_by
from training.effect_estimate import clustered_error, interval

YEAR = 365
TRANSFER_DAYS = 180
FEWEST = 10


@dataclass(frozen=True)
class Change:
    """One figure before and after. ``low`` and ``high``: the 95 % interval of the change; ``n``: people or cases
    behind the smaller side; every value is None where ``n`` is below FEWEST."""

    side: str
    name: str
    unit: str
    n: int
    before: float | None
    after: float | None
    change: float | None
    low: float | None
    high: float | None
    higher_is_better: bool


@dataclass(frozen=True)
class Programme:
    """A programme: who took part (``members``, None for everybody) and when it began."""

    name: str
    started_on: date
    members: Sequence[str] | None = None


def two_sides(records: Mapping[str, Any], programme: Programme, *, until: date) -> list[Change]:
    """Return what was said and what was seen, before and after; what the records do not hold is left out.

    Raises ``FixableError`` when less than 90 days have passed since the start.
    """
    passed = (until - programme.started_on).days
    if passed < 90:
        raise FixableError(
            f"{programme.name} began {passed} days before the end of the records.", ["ask again when 90 days are over"]
        )
    span = min(passed, YEAR)
    known = known_by(records, until)
    tables = {name: _members(frame, programme.members) for name, frame in known.items() if name in _TABLES}
    window = (programme.started_on, span)
    out = _said(tables["surveys"], window) if "surveys" in tables else []
    out += _exits(tables, window)
    out += _promotions(tables["positions"], window) if "positions" in tables else []
    if "learning" in tables and "skills" in tables:
        out += _transfer(tables["learning"], tables["skills"], _courses(records), window)
    return out


_TABLES = ("employees", "exits", "surveys", "positions", "learning", "skills")
Window = tuple[date, int]


def _members(frame: pl.LazyFrame, members: Sequence[str] | None) -> pl.DataFrame:
    rows = frame.collect()
    return rows if members is None else rows.filter(pl.col("employee_id").is_in(list(members)))


def _courses(records: Mapping[str, Any]) -> pl.DataFrame | None:
    return records["courses"].lazy().select("course_id", "skill").collect() if "courses" in records else None


def _said(surveys: pl.DataFrame, window: Window) -> list[Change]:
    """Return the change of each item among people who answered on both sides: who answers is part of the answer."""
    start, span = window
    share = (pl.col("score") - pl.col("scale_min").fill_null(1)) / (
        pl.col("scale_max").fill_null(5) - pl.col("scale_min").fill_null(1)
    )
    rows = surveys.with_columns(share=share, days=(pl.col("happened_on") - pl.lit(start)).dt.total_days())
    rows = rows.filter((pl.col("days") > -span) & (pl.col("days") <= span))
    sides = [
        rows.filter(side).group_by("employee_id", "item").agg(pl.col("share").mean())
        for side in (pl.col("days") <= 0, pl.col("days") > 0)
    ]
    both = sides[0].join(sides[1], on=["employee_id", "item"], suffix="_after").sort("item", "employee_id")
    out = []
    for (item,), mine in both.group_by("item", maintain_order=True):
        before, after = mine["share"].to_numpy(), mine["share_after"].to_numpy()
        gap = after - before
        spread = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else float("nan")
        low, high, _ = interval(float(gap.mean()), spread, len(gap) - 1)
        up = item != "workload"
        out.append(_change("said", str(item), "scale", (before.mean(), after.mean(), low, high), len(gap), up))
    return out


def _exits(tables: Mapping[str, pl.DataFrame], window: Window) -> list[Change]:
    """Return voluntary exits per person and year (Poisson errors); the event is the notice, as everywhere."""
    if "exits" not in tables or "employees" not in tables:
        return []
    start, span = window
    ends = tables["exits"].with_columns(on=pl.min_horizontal("known_on", "happened_on"))
    last = ends.group_by("employee_id").agg(pl.col("on").max(), kind=pl.col("kind").last())
    people = tables["employees"].join(last, on="employee_id", how="left").select("hired_on", "on", "kind")
    counted = []
    for begin, end in ((start - timedelta(days=span), start), (start, start + timedelta(days=span))):
        since = pl.max_horizontal(pl.col("hired_on"), pl.lit(begin))
        until = pl.min_horizontal(pl.col("on").fill_null(end), pl.lit(end))
        years = people.select(((until - since).dt.total_days()).clip(lower_bound=0).sum() / YEAR).item()
        left = people.filter((pl.col("kind") == "voluntary") & (pl.col("on") > begin) & (pl.col("on") <= end)).height
        counted.append((left, float(years)))
    (left0, years0), (left1, years1) = counted
    if min(years0, years1) <= 0:
        return []
    before, after = left0 / years0, left1 / years1
    error = float(np.sqrt(max(left0, 1) / years0**2 + max(left1, 1) / years1**2))
    ends_of = (before, after, after - before - 1.96 * error, after - before + 1.96 * error)
    return [_change("seen", "voluntary_exits", "rate", ends_of, int(min(years0, years1)), False)]


def _promotions(positions: pl.DataFrame, window: Window) -> list[Change]:
    """Return the share of people who rose a level within the year, before and after."""
    start, span = window
    posts = positions.filter(pl.col("level").is_not_null()).sort("employee_id", "happened_on")
    rises = posts.with_columns(rose=(pl.col("level") > pl.col("level").shift(1)).over("employee_id"))
    rises = rises.with_columns(days=(pl.col("happened_on") - pl.lit(start)).dt.total_days())
    there = posts.filter((pl.col("happened_on") - pl.lit(start)).dt.total_days() <= 0)["employee_id"].n_unique()
    sides = [
        rises.filter(pl.col("rose").fill_null(False) & (pl.col("days") > a) & (pl.col("days") <= b))[
            "employee_id"
        ].n_unique()
        for a, b in ((-span, 0), (0, span))
    ]
    if not there:
        return []
    before, after = (count / there for count in sides)
    error = float(np.sqrt((before * (1 - before) + after * (1 - after)) / there))
    ends = (before, after, after - before - 1.96 * error, after - before + 1.96 * error)
    return [_change("seen", "internal_promotions", "people", ends, there, True)]


def _transfer(
    learning: pl.DataFrame, skills: pl.DataFrame, courses: pl.DataFrame | None, window: Window
) -> list[Change]:
    """Return the share of finished courses that a higher level of the course's skill followed within half a year."""
    if courses is None:
        return []
    start, span = window
    done = learning.filter(pl.col("status") == "completed").join(courses, on="course_id").with_row_index("case")
    done = done.select("case", "employee_id", "skill", on=pl.col("happened_on"))
    both = done.join(skills.select("employee_id", "skill", "level", "happened_on"), on=["employee_id", "skill"])
    gap = (pl.col("happened_on") - pl.col("on")).dt.total_days()
    prior = both.filter(gap <= 0).sort("happened_on").group_by("case").agg(was=pl.col("level").last())
    later = both.filter((gap > 0) & (gap <= TRANSFER_DAYS)).group_by("case").agg(is_now=pl.col("level").max())
    cases = done.join(prior, on="case").join(later, on="case")
    cases = cases.with_columns(
        days=(pl.col("on") - pl.lit(start)).dt.total_days(), rose=(pl.col("is_now") > pl.col("was")).cast(pl.Float64)
    )
    sides = [cases.filter((pl.col("days") > a) & (pl.col("days") <= b)) for a, b in ((-span, 0), (0, span))]
    if not sides[0].height or not sides[1].height:
        return []
    means = [float(side["rose"].to_numpy().mean()) for side in sides]
    errors = [
        clustered_error((side["rose"].to_numpy() - mean) / side.height, (side["employee_id"].to_numpy(),))
        for side, mean in zip(sides, means, strict=True)
    ]
    error = float(np.hypot(errors[0], errors[1]))
    ends = (means[0], means[1], means[1] - means[0] - 1.96 * error, means[1] - means[0] + 1.96 * error)
    n = min(side.height for side in sides)
    return [_change("seen", "training_transfer", "courses", ends, n, True)]


def _change(side: str, name: str, unit: str, ends: tuple[float, float, float, float], n: int, up: bool) -> Change:
    if n < FEWEST:
        return Change(side, name, unit, n, None, None, None, None, None, up)
    before, after, low, high = (float(v) for v in ends)
    return Change(side, name, unit, n, before, after, after - before, low, high, up)
