"""What is known on a day about leaving itself: who goes when, how long notices are, what is entered late, how long a
seat stays empty. Counts for planning; nothing here describes a person to a model.

    notice ----lag----> last day ----days to fill----> next hire in the same job
                           └----delay----> entered in the books

All of it as known at the close of ``as_of``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl

from features.snapshots import Records, known_by
from features.tables import NOTICE_DAYS

MATURE_DAYS = 180
"""Exits older than this are taken to have been entered: from them one learns how late entries come."""
LOOK_BACK_DAYS = 1095
FEWEST_SEATS = 8
"""Seats that were filled again before a job's own time to fill is told; below, the organisation's."""
LONGEST_NOTICE = 365


@dataclass(frozen=True)
class Fill:
    """Days from a last working day to the next hire in the same job: the median, and from how many seats."""

    days: int
    n_seats: int
    learned_from: Literal["job", "organisation", "default"]


def going(records: Records, as_of: date) -> pl.DataFrame:
    """Return employee_id and last_day of everybody whose exit is on record and still lies ahead, whatever its kind."""
    exits = _exits(records, as_of)
    ahead = exits.filter(pl.col("last_day") > as_of).sort("last_day").unique("employee_id", keep="first")
    return ahead.select("employee_id", "last_day").sort("employee_id")


def notices(records: Records, as_of: date, *, start: date, end: date) -> int:
    """Return how many people gave voluntary notice in ``(start, end]``, as far as it was known on ``as_of``."""
    exits = _exits(records, as_of).filter(pl.col("kind") == "voluntary")
    return exits.filter((pl.col("notice_on") > start) & (pl.col("notice_on") <= end)).height


def notice_lags(records: Records, as_of: date) -> np.ndarray:
    """Return the days from notice to last day of past voluntary exits; ``NOTICE_DAYS`` alone where nobody wrote any.

    Where notices were not recorded the lag is the guess itself, and a plan built on it is no better than the guess.
    """
    exits = _exits(records, as_of).filter((pl.col("kind") == "voluntary") & pl.col("known_on_given"))
    recent = exits.filter(pl.col("notice_on") > as_of - timedelta(days=LOOK_BACK_DAYS))
    days = (recent["last_day"] - recent["notice_on"]).dt.total_days().to_numpy()
    return np.clip(days, 0, LONGEST_NOTICE) if len(days) else np.array([NOTICE_DAYS])


def not_yet_entered(records: Records, as_of: date) -> float:
    """Return how many voluntary leavers are probably gone already without anybody having entered it.

    The daily rate of the older exits × the days that entries of each age still lack: a delay curve as in claims
    reserving (Lawless 1994, Can J Stat 22:15). Counting only what is in the books would find too few exits in the
    youngest month.
    """
    exits = _exits(records, as_of).filter((pl.col("kind") == "voluntary") & pl.col("known_on_given"))
    young, old = as_of - timedelta(days=MATURE_DAYS), as_of - timedelta(days=LOOK_BACK_DAYS)
    mature = exits.filter((pl.col("last_day") <= young) & (pl.col("last_day") > old))
    if mature.is_empty():
        return 0.0
    first = mature["last_day"].min()
    days_seen = (young - first).days + 1 if isinstance(first, date) else 1
    delays = (mature["first_known_on"] - mature["last_day"]).dt.total_days().to_numpy()
    missing = sum(float((delays > age).mean()) for age in range(MATURE_DAYS))
    return mature.height / days_seen * missing


def fill_times(records: Records, as_of: date, *, default_days: int) -> dict[str | None, Fill]:
    """Return the time to fill per job; the key ``None`` holds the organisation's, for every job that is not there.

    Each leaver's seat is matched to the earliest hire in the same job, from the notice on, that filled no earlier seat;
    a seat still empty counts as longer than it has been (median of Kaplan & Meier 1958). Moves within the house and
    seats given up are not told apart.
    """
    seats = _seats(records, as_of)
    whole = _median_fill(seats["days"].to_numpy(), seats["filled"].to_numpy())
    n_whole = int(seats["filled"].sum())
    out: dict[str | None, Fill] = {None: Fill(default_days, n_whole, "default")}
    if whole is not None and n_whole >= FEWEST_SEATS:
        out[None] = Fill(whole, n_whole, "organisation")
    for (job,), mine in seats.group_by("job"):
        own = _median_fill(mine["days"].to_numpy(), mine["filled"].to_numpy())
        n = int(mine["filled"].sum())
        if own is not None and n >= FEWEST_SEATS:
            out[str(job)] = Fill(own, n, "job")
    return out


def _exits(records: Records, as_of: date) -> pl.DataFrame:
    """Return the exits known on ``as_of``: last_day, notice_on (never after it), first_known_on, kind."""
    empty = {"employee_id": pl.String, "last_day": pl.Date, "notice_on": pl.Date, "first_known_on": pl.Date}
    if "exits" not in records:
        return pl.DataFrame(schema={**empty, "kind": pl.String, "known_on_given": pl.Boolean})
    every = records["exits"].lazy().filter(pl.col("known_on") <= as_of)
    first = every.group_by("employee_id", "happened_on").agg(first_known_on=pl.col("known_on").min())
    known = known_by(records, as_of)["exits"].join(first, on=["employee_id", "happened_on"], how="left")
    dated = known.with_columns(notice_on=pl.min_horizontal("first_known_on", "happened_on"))
    return dated.rename({"happened_on": "last_day"}).select(*empty, "kind", "known_on_given").collect()


def _seats(records: Records, as_of: date) -> pl.DataFrame:
    """Return one row per seat that fell empty: job, days until it was filled or until ``as_of``, filled."""
    nothing = pl.DataFrame(schema={"job": pl.String, "days": pl.Int64, "filled": pl.Boolean})
    if "positions" not in records or "exits" not in records:
        return nothing
    known = known_by(records, as_of)
    posts = known["positions"].filter(pl.col("job").is_not_null()).sort("happened_on")
    last = posts.filter(pl.col("happened_on") <= as_of).group_by("employee_id").agg(pl.col("job").last())
    first = posts.group_by("employee_id").agg(pl.col("job").first())
    hires = known["employees"].select("employee_id", "hired_on").join(first, on="employee_id").collect()
    exits = _exits(records, as_of).join(last.collect(), on="employee_id")
    old = as_of - timedelta(days=LOOK_BACK_DAYS)
    exits = exits.filter((pl.col("last_day") > old) & (pl.col("last_day") <= as_of)).sort("last_day", "employee_id")
    hired = {job: mine["hired_on"].sort().to_list() for (job,), mine in hires.group_by("job")}
    rows = [row for (job,), mine in exits.group_by("job") for row in _filled(str(job), mine, hired.get(job, []), as_of)]
    return pl.DataFrame(rows, schema=nothing.schema, orient="row") if rows else nothing


def _filled(job: str, exits: pl.DataFrame, hired: Sequence[date], as_of: date) -> list[tuple[str, int, bool]]:
    out, at = [], 0
    for notice_on, last_day in exits.select("notice_on", "last_day").iter_rows():
        while at < len(hired) and hired[at] < notice_on:
            at += 1
        found = at < len(hired) and hired[at] <= as_of
        out.append((job, max(0, ((hired[at] if found else as_of) - last_day).days), found))
        at += found
    return out


def _median_fill(days: np.ndarray, filled: np.ndarray) -> int | None:
    """Return the day by which half of the seats were filled; None when fewer than half ever were."""
    staying = 1.0
    for day in np.unique(days[filled]):
        staying *= 1.0 - float(filled[days == day].sum()) / float((days >= day).sum())
        if staying <= 0.5:
            return int(day)
    return None
