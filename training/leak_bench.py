"""Twelve leaks planted into invented companies: does the sentinel find each one, and is it silent on clean records?

Each plant is a way in which real exports have leaked. Where a public set showed it first, the set is named. The exits
that a plant needs to know are handed over by the caller; nothing here is part of a training run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from features.tables import OwnColumn, canonical

Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class World:
    """Clean records, who left (employee_id, event_on = notice, happened_on = last day), and the day of extraction."""

    tables: Tables
    leavers: pl.DataFrame
    until: date
    rng: np.random.Generator

    def shares(self, n: int, share: float) -> np.ndarray:
        """Return ``n`` coin flips."""
        return self.rng.random(n) < share

    def before_notice(self, share: float, first: int, last: int) -> pl.DataFrame:
        """Return employee_id, happened_on: a day ``first`` to ``last`` days before the notice, of some leavers."""
        some = self.leavers.filter(self.shares(len(self.leavers), share))
        some = some.with_columns(back=pl.Series(self.rng.integers(first, last + 1, len(some)), dtype=pl.Int64))
        return some.select("employee_id", happened_on=pl.col("event_on") - pl.duration(days="back"))

    def people(self) -> pl.DataFrame:
        """Return employee_id, hired_on, event_on (null: still there) and happened_on."""
        newest = self.tables["employees"].sort("_seq").unique("employee_id", keep="last")
        first = newest.select("employee_id", "hired_on")
        ends = self.leavers.unique("employee_id", keep="last")
        return first.join(ends, on="employee_id", how="left").sort("employee_id")


@dataclass(frozen=True)
class Plant:
    """A leak: its name, the table and column to be named in the message, and how it gets into the records."""

    name: str
    table: str
    column: str
    put: Callable[[World], Tables]
    own: OwnColumn | None = None


def _own(table: str, name: str, kind: str = "number") -> OwnColumn:
    return OwnColumn(table, name, "number" if kind == "number" else "category")


def _attribute(world: World, name: str, values: pl.Series) -> Tables:
    """Return the tables with a column of ``employees`` that the extraction wrote."""
    told = world.people().select("employee_id").with_columns(values.alias(name))
    return {**world.tables, "employees": world.tables["employees"].join(told, on="employee_id", how="left")}


def _rows(world: World, table: str, rows: pl.DataFrame) -> Tables:
    """Return the tables with further rows in one of them."""
    more = canonical({table: rows})[table]
    first = int(world.tables[table]["_seq"].max() or 0) + 1  # type: ignore[arg-type]
    more = more.with_columns(_seq=pl.int_range(pl.len(), dtype=pl.Int64) + first)
    return {**world.tables, table: pl.concat([world.tables[table], more], how="diagonal")}


def status_code(world: World) -> Tables:
    """EmploymentStatus, Termd, stillExists: the state at the extraction on a row that claims to be from the hiring."""
    gone = world.people()["event_on"].is_not_null()
    return _attribute(world, "x_state", gone.replace_strict({True: "B", False: "A"}, return_dtype=pl.String))


def total_logins(world: World) -> Tables:
    """Happyforce ``numVotes``: a count over all time, to which stayers go on adding."""
    people = world.people()
    begin = world.leavers["event_on"].min()
    start = pl.max_horizontal("hired_on", pl.lit(begin))
    days = people.select((pl.col("event_on").fill_null(world.until) - start).dt.total_days().clip(0)).to_series()
    rate = 0.5 * np.exp(world.rng.normal(0, 0.4, len(people)))
    return _attribute(world, "x_logins", pl.Series(world.rng.poisson(rate * days.to_numpy()).astype(float)))


def filled_for_leavers(world: World) -> Tables:
    """SurvSet ``flchain.fac_chapter``: filled only for those to whom it happened."""
    gone = world.people()["event_on"].is_not_null().to_numpy() & world.shares(len(world.people()), 0.6)
    kinds = np.array(["I", "II", "III"])[world.rng.integers(0, 3, len(gone))]
    return _attribute(world, "x_case", pl.Series([k if g else None for k, g in zip(kinds, gone, strict=True)]))


def last_review(world: World) -> Tables:
    """HRDataset ``LastPerformanceReview_Date``: months before the end for leavers, weeks before the extraction for all
    others."""
    people = world.people()
    until = (world.until - date(1970, 1, 1)).days
    end = people["event_on"].cast(pl.Int32).fill_null(until).to_numpy().astype(float)
    stays = people["event_on"].is_null().to_numpy()
    back = np.where(stays, world.rng.uniform(0, 60, len(end)), world.rng.uniform(0, 365, len(end)))
    return _attribute(world, "x_reviewed", pl.Series(end - back))


def off_boarding_team(world: World) -> Tables:
    """A move to a team that only leavers are in, entered before the notice is."""
    return _rows(world, "positions", world.before_notice(0.7, 3, 20).with_columns(team=pl.lit("T-99")))


def left_manager(world: World) -> Tables:
    """The people of somebody who is a drawer: "Left employees" as the manager."""
    return _rows(world, "positions", world.before_notice(0.7, 1, 15).with_columns(manager_id=pl.lit("E-LEFT")))


def pay_of_zero(world: World) -> Tables:
    """Pay set to 0 for those who will leave."""
    return _rows(world, "positions", world.before_notice(0.6, 5, 25).with_columns(pay=pl.lit(0.0)))


def badge_off(world: World) -> Tables:
    """A flag that the badge was called in, on the attendance of the month before the notice."""
    return {**world.tables, "attendance": _with_soon(world, days=30).rename({"soon": "x_badge"})}


def _with_soon(world: World, *, days: int) -> pl.DataFrame:
    """Return attendance with ``soon``: 1 on rows at most so many days before the notice."""
    rows = world.tables["attendance"].sort("happened_on").join_asof(
        world.leavers.select("employee_id", "event_on").sort("event_on"), left_on="happened_on", right_on="event_on",
        by="employee_id", strategy="forward", check_sortedness=False,
    )  # fmt: skip
    left = (pl.col("event_on") - pl.col("happened_on")).dt.total_days()
    return rows.with_columns(soon=(left <= days).fill_null(False).cast(pl.Float64)).drop("event_on")


def severance_course(world: World) -> Tables:
    """A course for those who are let go."""
    rows = world.before_notice(0.6, 3, 25).with_columns(course_id=pl.lit("C-900"), status=pl.lit("assigned"))
    return _rows(world, "learning", rows)


def exit_survey(world: World) -> Tables:
    """An item that only leavers are asked."""
    score = pl.Series(world.rng.integers(1, 6, len(world.leavers)).astype(float))
    rows = world.before_notice(1.0, 10, 25).with_columns(item=pl.lit("farewell"), score=score)
    return _rows(world, "surveys", rows)


def quarter_rating(world: World) -> Tables:
    """Ola ``Quarterly Rating``: dated on the first day of the quarter, it holds what the quarter brought."""
    people, begin = world.people().drop("happened_on"), world.leavers["event_on"].min()
    days = pl.DataFrame({"first": [begin], "last": [world.until]}).select(
        happened_on=pl.date_ranges("first", "last", "1q")
    )
    quarters = days.explode("happened_on").select(pl.col("happened_on").dt.truncate("1q")).unique()
    rows = people.join(quarters, how="cross").sort("employee_id", "happened_on")
    rows = rows.filter(pl.col("happened_on") >= pl.col("hired_on"))
    rows = rows.filter(pl.col("event_on").is_null() | (pl.col("event_on") > pl.col("happened_on")))
    hit = (pl.col("event_on") < pl.col("happened_on").dt.offset_by("1q")).fill_null(False)
    level = world.rng.normal(3, 0.7, len(rows))
    rating = (pl.Series(level) - 1.3 * rows.select(hit).to_series().cast(pl.Float64)).clip(1, 5)
    done = rows.select("employee_id", "happened_on").with_columns(rating=rating, source=pl.lit("manager"))
    return _rows(replace(world, tables={**world.tables, "reviews": world.tables["reviews"].clear()}), "reviews", done)


def monthly_pulse(world: World) -> Tables:
    """The subtle one: a noisy monthly score (AUC about .75) that was filled in after the notices of the next weeks."""
    rows = _with_soon(world, days=60)
    noise = pl.Series("x_pulse", world.rng.normal(0, 1, len(rows)))
    return {**world.tables, "attendance": rows.with_columns(noise - 0.95 * pl.col("soon")).drop("soon")}


PLANTS: tuple[Plant, ...] = (
    Plant("state at the extraction", "employees", "x_state", status_code, _own("employees", "x_state", "category")),
    Plant("count over all time", "employees", "x_logins", total_logins, _own("employees", "x_logins")),
    Plant("filled for leavers", "employees", "x_case", filled_for_leavers, _own("employees", "x_case", "category")),
    Plant("date of the last review", "employees", "x_reviewed", last_review, _own("employees", "x_reviewed")),
    Plant("off-boarding team", "positions", "team", off_boarding_team),
    Plant("manager of those who left", "positions", "manager_id", left_manager),
    Plant("pay of 0", "positions", "pay", pay_of_zero),
    Plant("badge called in", "attendance", "x_badge", badge_off, _own("attendance", "x_badge")),
    Plant("severance course", "learning", "course_id", severance_course),
    Plant("farewell survey", "surveys", "item", exit_survey),
    Plant("rating of the running quarter", "reviews", "review_latest", quarter_rating),
    Plant("noisy monthly score", "attendance", "x_pulse", monthly_pulse, _own("attendance", "x_pulse")),
)


def planted(plant: Plant, tables: Mapping[str, pl.DataFrame], leavers: pl.DataFrame, *, seed: int) -> Tables:
    """Return the records with one leak in them; ``leavers`` as of ``labels.exit_events``."""
    until = max(frame["known_on"].max() for name, frame in tables.items() if name == "attendance")  # type: ignore[type-var]
    one = leavers.sort("event_on").unique("employee_id", keep="last", maintain_order=True)
    ends = one.select("employee_id", "event_on", "happened_on").sort("employee_id")
    return plant.put(World(dict(tables), ends, until, np.random.default_rng([seed, PLANTS.index(plant)])))  # type: ignore[arg-type]
