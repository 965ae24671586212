"""Ola drivers (Analytics Vidhya, Jobathon 2021) → the tables of this service, one CSV file each.

    python examples/ola/convert.py SOURCE TARGET

The source has one row per driver and month of 2016 and 2017. What is told when decides whether the result is worth
anything:

- A month's row is known at the end of that month.
- ``Quarterly Rating`` already holds the end result in the first month of the quarter. It is dated on the last day of
  the quarter and known with the usual lag of a review, so no snapshot sees a rating of its own quarter.
- ``LastWorkingDate`` stands on the driver's last row. It is the last day and the notice in one: drivers give none.
- Some drivers stop appearing without a last working day. They are taken out on the day after their last month as
  ``other``: they were not seen to choose to go, and keeping them would count absent people as staying.

Age and gender go to ``protected``, where no feature reads them. There is no word on whether a driver or the company
ended the work, so every last working day counts as voluntary.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import polars as pl

FILE = "train_MpHjUjU.csv"
NAMES = {
    "MMM-YY": "month",
    "Emp_ID": "employee_id",
    "Age": "age",
    "Gender": "gender",
    "City": "city",
    "Education_Level": "education",
    "Salary": "pay",
    "Dateofjoining": "hired_on",
    "LastWorkingDate": "last_day",
    "Joining Designation": "joining_grade",
    "Designation": "grade",
    "Total Business Value": "business_value",
    "Quarterly Rating": "rating",
}

Tables = dict[str, pl.DataFrame]


def main() -> None:
    """Read SOURCE, write TARGET, say how many rows each table has."""
    parser = argparse.ArgumentParser(description="The Ola panel → a data folder that can be imported.")
    parser.add_argument("source", type=Path, help=f"folder with {FILE}")
    parser.add_argument("target", type=Path, help="folder to write")
    asked = parser.parse_args()
    if not (asked.source / FILE).is_file():
        parser.error(f"{asked.source} lacks {FILE}")
    write(tables(pl.read_csv(asked.source / FILE, infer_schema=False)), asked.target)


def tables(raw: pl.DataFrame) -> Tables:
    """The service's tables, each row with the day on which it was known."""
    rows = typed(raw)
    first = rows.group_by("employee_id", maintain_order=True).first()
    return {
        "employees": employees(first),
        "exits": exits(rows),
        "positions": positions(rows),
        "reviews": reviews(rows),
        "attendance": rows.select(
            "employee_id",
            happened_on="month_end",
            known_on="month_end",
            x_business_value="business_value",
            x_idle_month=(pl.col("business_value") <= 0).cast(pl.Int64),
        ),
        "protected": first.select("employee_id", "gender", birth_year=pl.col("month_end").dt.year() - pl.col("age")),
    }


def typed(raw: pl.DataFrame) -> pl.DataFrame:
    """Rows with dates and numbers, by driver and month; ``month_end`` is when the row was known."""
    days = [pl.col(name).str.to_date("%d-%m-%Y") for name in ("month", "hired_on", "last_day")]
    numbers = [
        pl.col(name).cast(pl.Int64) for name in ("age", "pay", "joining_grade", "grade", "business_value", "rating")
    ]
    rows = raw.rename(NAMES).with_columns(*days, *numbers)
    rows = rows.with_columns(month_end=pl.col("month").dt.month_end())
    return rows.sort(pl.col("employee_id").cast(pl.Int64), "month_end")


def employees(first: pl.DataFrame) -> pl.DataFrame:
    """Drivers; before their first row the panel did not know them, however long they had been driving."""
    return first.select(
        "employee_id",
        "hired_on",
        known_on=pl.max_horizontal("hired_on", "month_end"),
        x_joining_grade="joining_grade",
        x_education="education",
    )


def exits(rows: pl.DataFrame) -> pl.DataFrame:
    """Last working days, and the drivers who stop appearing before the panel ends."""
    end = rows["month_end"].max()
    last = rows.group_by("employee_id", maintain_order=True).agg(
        pl.col("last_day").max(), last_seen=pl.col("month_end").max()
    )
    left = last.drop_nulls("last_day").select("employee_id", happened_on="last_day", kind=pl.lit("voluntary"))
    vanished = last.filter(pl.col("last_day").is_null() & (pl.col("last_seen") < end)).select(
        "employee_id", happened_on=pl.col("last_seen").dt.offset_by("1d"), kind=pl.lit("other")
    )
    return pl.concat([left, vanished]).with_columns(known_on="happened_on")


def positions(rows: pl.DataFrame) -> pl.DataFrame:
    """A row where city, grade or pay is new; a monthly copy of the same post would look like a change of post.

    The first row is dated on the day of joining only when that lies in its month. For those who joined before the
    panel nobody knows since when the first known post is held.
    """
    kept = ("city", "grade", "pay")
    new = pl.any_horizontal(*[pl.col(name) != pl.col(name).shift(1).over("employee_id") for name in kept])
    steps = rows.filter(new.fill_null(True))
    joined_in_month = pl.col("hired_on").is_between("month", "month_end")
    since = pl.when(joined_in_month).then("hired_on").otherwise("month_end")
    return steps.select(
        "employee_id",
        happened_on=since,
        known_on="month_end",
        location="city",
        job=pl.lit("driver"),
        level="grade",
        pay="pay",
    ).unique(["employee_id", "happened_on"], keep="last", maintain_order=True)


def reviews(rows: pl.DataFrame) -> pl.DataFrame:
    """One rating per quarter, dated on its last day; the default lag of ``reviews`` says when it was known.

    In 13 quarters the months disagree; the last month tells the result. A quarter whose end the driver or the panel did
    not see has none.
    """
    quarter_end = pl.col("month").dt.truncate("1q").dt.offset_by("1q").dt.offset_by("-1d")
    seen_until = pl.coalesce(pl.col("last_day").max(), pl.col("month_end").max()).over("employee_id")
    rated = rows.with_columns(happened_on=quarter_end).filter(pl.col("happened_on") <= seen_until)
    last = rated.group_by("employee_id", "happened_on", maintain_order=True).agg(pl.col("rating").last())
    return last.with_columns(scale_max=pl.lit(4), source=pl.lit("manager"))


def write(converted: Mapping[str, pl.DataFrame], target: Path) -> None:
    """One CSV file per table."""
    target.mkdir(parents=True, exist_ok=True)
    for name, frame in converted.items():
        frame.write_csv(target / f"{name}.csv")
        print(f"{name:10} {frame.height:>7,} rows")


if __name__ == "__main__":
    main()
