"""A mail or chat log (who wrote to whom, when) and a chart of who reports to whom → the tables of this service.

    python examples/mail_log/convert.py LOG TARGET [--chart CHART] [--settings SETTINGS.toml]

What is read when decides whether the result is worth anything, and whether it is decent:

- Three columns of the log are read: sender, recipient, time. Whatever else stands in the file (subject, text, size) is
  not even loaded. The settings say what the columns are called.
- One row per recipient, as such logs are written: a message to three people is three ties. Messages within the same
  second between the same two are one row with their number. Messages to oneself are no tie and are left out.
- After hours is what lies outside the stated working time, by the clock of the log. Nobody is asked where they were.
- No hiring date is known: a person begins on the first day in the log, so tenure is the time in the log.
- No exits are known, and an account that falls silent is not taken for one. The log gives features and something to
  score, nothing to learn from; import the exits beside it for that.
- A chart without a date is taken to hold all along. If it was drawn later, say so (``chart_known_on``): otherwise a
  snapshot would know a manager before the organisation did.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

from features.intake.parsing import date_order, parse_moments
from features.intake.reading import read

Tables = dict[str, pl.DataFrame]
LOG = ("sender", "recipient", "time")
CHART = ("employee_id", "manager_id")


@dataclass(frozen=True)
class Settings:
    """How the files are written, and what counts as working time (``working_days``: Monday is 1)."""

    sender: str = "Sender"
    recipient: str = "Recipient"
    time: str = "EventDate"
    person: str = "ID"
    reports_to: str = "ReportsToID"
    kind: str = "email"
    time_format: str | None = None
    time_zone: str | None = None
    working_days: tuple[int, ...] = (1, 2, 3, 4, 5)
    working_from: dt.time = dt.time(8)
    working_until: dt.time = dt.time(18)
    chart_known_on: dt.date | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.kind not in ("email", "message"):
            raise ValueError(f'kind is "email" or "message", not {self.kind!r}')
        if not self.working_from < self.working_until or not set(self.working_days) <= set(range(1, 8)):
            raise ValueError("working_from must lie before working_until, working_days within 1 to 7")


def main() -> None:
    """Read LOG and CHART, write TARGET, say how many rows each table has and what was left out."""
    parser = argparse.ArgumentParser(description="A mail or chat log → a data folder that can be imported.")
    parser.add_argument("log", type=Path, help="CSV with sender, recipient and time; , ; tab or | between the cells")
    parser.add_argument("target", type=Path, help="folder to write")
    parser.add_argument("--chart", type=Path, help="CSV of who reports to whom")
    parser.add_argument("--settings", type=Path, help="TOML: names of the columns, working time")
    asked = parser.parse_args()
    try:
        settings = load(asked.settings)
        log = columns(asked.log, (settings.sender, settings.recipient, settings.time), LOG)
        chart = columns(asked.chart, (settings.person, settings.reports_to), CHART) if asked.chart else None
        converted, left_out = tables(log, chart, settings)
    except ValueError as mistake:
        parser.error(str(mistake))
    write(converted, asked.target)
    for why, n in left_out.items():
        print(f"left out: {n:,} {why}")


def load(path: Path | None) -> Settings:
    """The settings in a TOML file; without one, the defaults."""
    if path is None:
        return Settings()
    raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    if strange := set(raw) - {f.name for f in fields(Settings)}:
        raise ValueError(f"{path.name}: {', '.join(sorted(strange))} is not known")
    return Settings(**{name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()})


def columns(path: Path, headers: tuple[str, ...], names: tuple[str, ...]) -> pl.DataFrame:
    """The named columns of a file, as text, under our names; nothing else of it is kept."""
    raw = read(path, path.name)
    if missing := [header for header in headers if header not in raw.headers]:
        raise ValueError(f"{path.name} has no column {', '.join(missing)}; it has: {', '.join(raw.headers)}")
    if raw.broken:
        print(f"{path.name}: {len(raw.broken):,} lines with too many or too few cells are left out")
    return raw.frame.select(pl.col(header).alias(name) for header, name in zip(headers, names, strict=True))


def tables(log: pl.DataFrame, chart: pl.DataFrame | None, settings: Settings) -> tuple[Tables, dict[str, int]]:
    """The service's tables, and how many rows were left out, by reason. ``log`` and ``chart`` as ``columns`` gives."""
    form = settings.time_format or date_order(log["time"].drop_nulls().unique())
    if form == "?":
        raise ValueError('dates like 03/04/2023 can be read in two ways: set time_format, as "%d/%m/%Y %H:%M"')
    acts = log.with_columns(happened_at=parse_moments(log["time"], form, settings.time_zone)).drop("time")
    whole = acts.drop_nulls()
    ties = whole.filter(pl.col("sender") != pl.col("recipient"))
    left_out = {
        "rows without a readable sender, recipient or time": acts.height - whole.height,
        "messages to oneself": whole.height - ties.height,
    }
    people = first_seen(ties)
    converted = {"employees": people, "interactions": interactions(ties, settings)}
    if chart is not None:
        converted["positions"] = positions(people, chart, settings)
        listed = chart["employee_id"].unique()
        left_out["people of the log are not in the chart: no manager, no team"] = int(
            (~people["employee_id"].is_in(listed.implode())).sum()
        )
        left_out["people of the chart are not in the log"] = int((~listed.is_in(people["employee_id"].implode())).sum())
    return converted, {why: n for why, n in left_out.items() if n}


def first_seen(ties: pl.DataFrame) -> pl.DataFrame:
    """Everybody who wrote or was written to, from the first day on which that happened."""
    seen = [ties.select(pl.col(role).alias("employee_id"), "happened_at") for role in ("sender", "recipient")]
    first = pl.concat(seen).group_by("employee_id").agg(hired_on=pl.col("happened_at").min().dt.date())
    return first.sort("employee_id")


def interactions(ties: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """One row per sender, recipient and moment, with the number of messages."""
    clock, day = pl.col("happened_at").dt.time(), pl.col("happened_at").dt.weekday()
    works = day.is_in(list(settings.working_days)) & (clock >= settings.working_from) & (clock < settings.working_until)
    counted = ties.group_by("sender", "recipient", "happened_at", maintain_order=True).len("n")
    return counted.select(
        pl.col("sender").alias("employee_id"),
        "happened_at",
        kind=pl.lit(settings.kind),
        counterpart_id="recipient",
        n="n",
        after_hours=~works,
    )


def positions(people: pl.DataFrame, chart: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Manager and team (those with the same manager), for people of the log; whoever heads it all has no manager."""
    known = people.join(chart.unique("employee_id", keep="last", maintain_order=True), on="employee_id", how="inner")
    own = pl.col("manager_id") == pl.col("employee_id")
    told = known.with_columns(manager_id=pl.when(~own).then("manager_id"))
    drawn = pl.lit(settings.chart_known_on, dtype=pl.Date)
    since = pl.max_horizontal("hired_on", drawn)
    return told.drop_nulls("manager_id").select(
        "employee_id", happened_on=since, team=pl.format("reports of {}", "manager_id"), manager_id="manager_id"
    )


def write(converted: Mapping[str, pl.DataFrame], target: Path) -> None:
    """One Parquet file per table: a log may be long."""
    target.mkdir(parents=True, exist_ok=True)
    for name, frame in converted.items():
        frame.write_parquet(target / f"{name}.parquet")
        print(f"{name:13} {frame.height:>9,} rows")


if __name__ == "__main__":
    main()
