"""A Viva Insights *person query* (weekly collaboration metrics per person) → the tables of this service.

    python examples/viva_insights/convert.py QUERY TARGET [--attributes-as-of-each-week] [--surveys]

QUERY is the result of the query as CSV or Parquet; headers count without case, spaces and signs (``Emails sent`` is
``Emails_sent``). What is told when decides whether the result is worth anything:

- ``MetricDate`` is the *first* day of a week (or month). The row sums that week up, so it is dated on its last day.
- The organisational attributes on every row are by default the **latest** ones, not those of the week (Microsoft's page
  on person queries says so). They are therefore dated at the end of the last week: dated week by week they would tell a
  snapshot of May who was promoted in September. ``--attributes-as-of-each-week`` is for files where HR vouches for it.
- There is no hiring date unless the query carries ``HireDate``: otherwise a person begins in the first week of the
  query, and tenure is the time in the query.
- There are no exits, and somebody who is not in the query any more is not taken for a leaver.

Counts become ``interactions`` (one row per week and kind). Hours that belong to no act become own columns ``x_…``,
which ``mapping.toml`` declares. After-hours time is hours, not acts, so it is an own column and not the mark
``after_hours``.
Survey answers are left out unless ``--surveys`` is given: they are confidential where they come from.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from features.errors import FixableError
from features.intake.parsing import date_order, parse_moments, parse_numbers
from features.intake.reading import read

Tables = dict[str, pl.DataFrame]

ACTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "email": (("emails_sent",), ("email_hours",)),
    "meeting": (("meetings",), ("meeting_and_call_hours", "meeting_hours")),
    "message": (("chats_sent", "channel_message_posts"), ("chat_hours",)),
}
"""Kind → metrics that are added up to the number of acts, and the first one there is for the hours they took."""

OWN: Mapping[str, str] = {
    "collaboration_hours": "x_collaboration_hours",
    "after_hours_collaboration_hours": "x_after_hours_hours",
    "weekend_collaboration_hours": "x_weekend_hours",
    "collaboration_span": "x_collaboration_span_hours",
    "active_connected_hours": "x_connected_hours",
    "conflicting_meeting_hours": "x_conflicting_meeting_hours",
    "large_and_long_meeting_hours": "x_long_meeting_hours",
    "internal_network_size": "x_network_size",
    "network_outside_organisation": "x_network_outside",
    "networking_outside_organization": "x_network_outside",
    "meeting_and_call_hours_with_manager": "x_manager_hours",
    "meeting_and_call_hours_with_manager_1_1": "x_manager_one_on_one_hours",
    "meeting_and_call_hours_with_skip_level": "x_skip_level_hours",
    "time_with_leadership": "x_leadership_hours",
}
"""Metric → own column of ``attendance``: hours and sizes of a week that are no acts."""

ATTRIBUTES: Mapping[str, str] = {
    "organization": "department",
    "organisation": "department",
    "team": "team",
    "functiontype": "job_family",
    "level": "level",
    "supervisorindicator": "ladder",
    "managerid": "manager_id",
    "location": "location",
}
"""Attribute → column of ``positions``; its values are mapped by ``mapping.toml`` (``IC`` → ``professional``)."""

SURVEYS: Mapping[str, str] = {
    "esat": "engagement",
    "wellbeing": "wellbeing",
    "workload": "workload",
    "manager_recommend": "manager",
    "collaboration": "belonging",
    "initiative": "growth",
}


def main() -> None:
    """Read QUERY, write TARGET, say how many rows each table has and which metrics were left out."""
    parser = argparse.ArgumentParser(description="A Viva Insights person query → a data folder that can be imported.")
    parser.add_argument("query", type=Path, help="CSV or Parquet, or the folder that holds it")
    parser.add_argument("target", type=Path, help="folder to write")
    parser.add_argument("--attributes-as-of-each-week", action="store_true", help="attributes held in their own week")
    parser.add_argument("--surveys", action="store_true", help="take survey answers: people must have been told")
    asked = parser.parse_args()
    try:
        rows, left_out = typed(one_file(asked.query), surveys=asked.surveys)
        converted = tables(rows, weekly_attributes=asked.attributes_as_of_each_week)
    except FixableError as mistake:
        parser.error(str(mistake))
    write(converted, asked.target)
    print(f"metrics left out (README says why): {', '.join(left_out) or 'none'}")


def one_file(path: Path) -> Path:
    """The query itself, or the only CSV or Parquet file in a folder."""
    if not path.is_dir():
        return path
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in (".csv", ".parquet"))
    if len(found) != 1:
        raise FixableError(f"{path} holds {len(found)} CSV or Parquet files; name the one that is meant")
    return found[0]


def typed(path: Path, *, surveys: bool = False) -> tuple[pl.DataFrame, list[str]]:
    """Rows with ``employee_id``, ``starts_on``, ``ends_on`` and plain names, and the headers nobody reads here.

    Without ``surveys`` no answer is even loaded.
    """
    raw = read(path, path.name)
    named = {plain(header): header for header in raw.headers}
    if missing := [name for name in ("personid", "metricdate") if name not in named]:
        raise FixableError(f"{path.name} is no person query: no column {', '.join(missing)}")
    numbers = {*OWN, *(name for counts, hours in ACTS.values() for name in (*counts, *hours))} & set(named)
    numbers |= set(SURVEYS) & set(named) if surveys else set()
    texts = (set(ATTRIBUTES) & set(named)) - numbers
    frame = pl.DataFrame(
        [raw.frame[named["personid"]].alias("employee_id"), _dates(raw.frame[named["metricdate"]], "starts_on")]
        + ([_dates(raw.frame[named["hiredate"]], "hired_on")] if "hiredate" in named else [])
        + [parse_numbers(raw.frame[named[name]]).alias(name) for name in sorted(numbers)]
        + [raw.frame[named[name]].alias(name) for name in sorted(texts)]
    ).drop_nulls(["employee_id", "starts_on"])
    read_here = numbers | texts | {"personid", "metricdate", "hiredate"}
    return with_end(frame), [header for name, header in named.items() if name not in read_here]


def plain(header: str) -> str:
    """``Emails sent`` and ``Emails_sent`` are one metric."""
    return re.sub(r"[^a-z0-9]+", "_", header.casefold()).strip("_")


def with_end(frame: pl.DataFrame) -> pl.DataFrame:
    """The last day of the period that each row sums up; the query is by day, by week or by month."""
    days = frame["starts_on"].unique().sort()
    step = int(days.diff().dt.total_days().drop_nulls().min() or 7)  # type: ignore[arg-type]
    ends = {1: pl.col("starts_on"), 7: pl.col("starts_on").dt.offset_by("6d")}
    if step not in ends and not 28 <= step <= 31:
        raise FixableError(f"the dates of the query lie {step} days apart; it must be by day, by week or by month")
    return frame.with_columns(ends_on=ends.get(step, pl.col("starts_on").dt.month_end())).sort("employee_id", "ends_on")


def tables(rows: pl.DataFrame, *, weekly_attributes: bool = False) -> Tables:
    """The service's tables; those that the query has no metric for are not there."""
    found = {
        "employees": employees(rows),
        "positions": positions(rows, weekly=weekly_attributes),
        "interactions": interactions(rows),
        "attendance": own_columns(rows),
        "surveys": answers(rows),
    }
    return {name: frame for name, frame in found.items() if frame is not None}


def employees(rows: pl.DataFrame) -> pl.DataFrame:
    """Everybody in the query; without a hiring date the first week stands for it."""
    first = pl.col("starts_on").min()
    hired = pl.coalesce(pl.col("hired_on").last(), first) if "hired_on" in rows.columns else first
    return rows.group_by("employee_id", maintain_order=True).agg(hired_on=hired)


def positions(rows: pl.DataFrame, *, weekly: bool) -> pl.DataFrame | None:
    """A row where an attribute is new (``weekly``), or the last one alone."""
    kept = {theirs: ours for theirs, ours in ATTRIBUTES.items() if theirs in rows.columns}
    if not kept:
        return None
    told = rows.select("employee_id", happened_on="ends_on", **{ours: theirs for theirs, ours in kept.items()})
    if not weekly:
        end = rows["ends_on"].max()
        return told.group_by("employee_id", maintain_order=True).last().with_columns(happened_on=pl.lit(end))
    new = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1).over("employee_id")) for c in kept.values())
    return told.filter(new | pl.col("employee_id").is_first_distinct())


def interactions(rows: pl.DataFrame) -> pl.DataFrame | None:
    """A row per person, week and kind with at least one act; ``minutes`` are those of all of them."""
    parts = []
    for kind, (counts, hours) in ACTS.items():
        there = [name for name in counts if name in rows.columns]
        if not there:
            continue
        took = next((pl.col(name) * 60 for name in hours if name in rows.columns), pl.lit(None, dtype=pl.Float64))
        parts.append(
            rows.select(
                "employee_id",
                happened_on="ends_on",
                kind=pl.lit(kind),
                n=pl.sum_horizontal(there).round().cast(pl.Int64),
                minutes=took.round(1),
            ).filter(pl.col("n") > 0)
        )
    return pl.concat(parts) if parts else None


def own_columns(rows: pl.DataFrame) -> pl.DataFrame | None:
    """The week's hours and sizes."""
    kept = {ours: theirs for theirs, ours in OWN.items() if theirs in rows.columns}
    return rows.select("employee_id", happened_on="ends_on", **kept) if kept else None


def answers(rows: pl.DataFrame) -> pl.DataFrame | None:
    """Answers on the scale 1 to 5, where they are new: the query repeats the latest one every week."""
    there: Sequence[str] = [name for name in SURVEYS if name in rows.columns]
    if not there:
        return None
    long = rows.select("employee_id", "ends_on", *there).unpivot(
        there, index=["employee_id", "ends_on"], variable_name="theirs", value_name="score"
    )
    keys = ["employee_id", "theirs"]
    new = pl.col("score").ne_missing(pl.col("score").shift(1).over(keys, order_by="ends_on"))
    changed = long.filter(new & pl.col("score").is_not_null())
    return changed.select(
        "employee_id", happened_on="ends_on", item=pl.col("theirs").replace_strict(SURVEYS), score="score"
    )


def write(converted: Mapping[str, pl.DataFrame], target: Path) -> None:
    """One Parquet file per table."""
    target.mkdir(parents=True, exist_ok=True)
    for name, frame in converted.items():
        frame.write_parquet(target / f"{name}.parquet")
        print(f"{name:13} {frame.height:>9,} rows")


def _dates(texts: pl.Series, name: str) -> pl.Series:
    """ISO dates, or month before day where the values do not tell: so Viva Insights writes them."""
    order = date_order(texts.drop_nulls().unique())
    return parse_moments(texts, "dmy" if order == "dmy" else "mdy").dt.date().rename(name)


if __name__ == "__main__":
    main()
