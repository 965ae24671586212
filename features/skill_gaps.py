"""Levels held against levels that a post asks for: the present one, or the one that somebody would like."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.engine import Frame, held, quotient
from features.snapshots import Panel
from features.windows import fixed, units


def levels(panel: Panel, *, delay: int = 0) -> Frame:
    """The latest level of every skill that somebody was rated in, as it was ``delay`` days before: ``held``."""
    rated = panel.facts["skills"].filter(~nw.col("level").is_null())
    last = windows.latest(rated, panel.as_of, ["employee_id", "skill"], delay=delay)
    return last.select("employee_id", "place", "skill", nw.col("level").alias("held"))


def gaps(panel: Panel, posts: Frame, rated: Frame) -> Frame:
    """One row per person and skill that the post asks for and the person was rated in: ``held``, ``missing`` levels.

    ``posts`` has (employee_id, place, job, level); a requirement without a level of its own holds on every level. A
    skill in which nobody has rated the person says nothing.
    """
    keys = ["employee_id", "place"]
    needed = windows.history(panel.facts["job_skills"], panel.as_of).rename({"level": "_for_level"})
    needed = needed.select("job", "_for_level", "skill", "required_level", "place")
    asked = posts.select(*keys, "job", "level").join(needed, on=["job", "place"], how="inner")
    asked = asked.filter(nw.col("_for_level").is_null() | (nw.col("_for_level") == nw.col("level")))
    asked = asked.group_by(*keys, "skill").agg(nw.col("required_level").max())
    both = asked.join(rated, on=[*keys, "skill"], how="inner").filter(~nw.col("required_level").is_null())
    missing = (nw.col("required_level") - nw.col("held")).clip(0.0, None)
    return held(both.with_columns(missing.alias("missing")))


def summed_up(found: Frame) -> Frame:
    """Per person the mean number of levels missing (``gap``) and the share of the skills met (``met``)."""
    missing = nw.col("missing")
    sums = found.group_by("employee_id", "place").agg(
        fixed(missing).sum().alias("_gap"), (missing <= 0).cast(nw.Int64).sum().alias("_met"), nw.len().alias("_n")
    )
    return sums.select(
        "employee_id",
        "place",
        quotient(units(nw.col("_gap")), nw.col("_n")).alias("gap"),
        quotient(nw.col("_met"), nw.col("_n")).alias("met"),
    )
