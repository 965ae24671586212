"""Which table has spoken when, and which has fallen silent: for everybody, or for one site, department or channel.

A feed that stops looks exactly like people who withdraw. Before anybody is scored every feed is compared with its own
past, over the people who are at risk today, so that neither growth nor a closed site counts:

    rows   ||| || |||| || |||| ||                      as_of
           past gaps: at most 10 days  └── 40 days ──┘   silent: longer than 1.8 times the longest gap before
           ||| || |||| || ||||  |     |                  fallen: the last 28 days hold under a fifth of any 28 before

A feed with a rhythm of its own (a survey each quarter) is measured by that rhythm. Not good for: a table that has never
had two waves, and a hole in the past as long as the silence of today.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from features.snapshots import Records, at_risk
from features.tables import TABLES

FEEDS = ("interactions", "attendance", "surveys", "reviews", "recognitions", "learning")
"""Tables of acts and answers. Goals, skills and posts are states: they hold until they are changed."""
STRAY_SHARE = 0.1
NEAR_DAYS = 90
FEWEST_WAVES = 4
SLICES = ("location", "department")
LONGER, SHORTEST_DAYS = 1.8, 14
FALLEN_DAYS, FALLEN_SHARE = 28, 0.2
FEWEST_PEOPLE, FEWEST_ROWS, FEWEST_EXPECTED = 5, 60, 15.0
SETTLED_DAYS = 180
"""People who have been here for less do not say what is usual."""
LOOK_BACK_DAYS = 1095
EVERYBODY = "everybody"


@dataclass(frozen=True)
class Silence:
    """A feed that says nothing (or hardly anything) any more: ``table``, ``part`` (a channel of it, or empty), where
    (``column`` = ``place``), ``since`` the day after its last usual day, how many rows were ``expected`` since and
    ``came``, and whom it concerns."""

    table: str
    part: str
    column: str
    place: str
    since: date
    expected: float
    came: int
    people: frozenset[str]

    def text(self) -> str:
        """Return the silence in a sentence."""
        feed = f"{self.table} ({self.part})" if self.part else self.table
        where = "" if self.column == EVERYBODY else f" for {self.column} {self.place}"
        rows = "nothing came" if not self.came else f"only {self.came} rows came"
        return (
            f"Silent feed: {feed}{where} since {self.since}: {rows}, {self.expected:.0f} rows expected; "
            f"{len(self.people)} people concerned."
        )


@dataclass(frozen=True)
class Hole:
    """A gap in the past of a feed: (almost) nothing from ``first`` to ``last``, both included."""

    table: str
    first: date
    last: date
    expected: float

    def text(self) -> str:
        """Return the hole in a sentence."""
        return (
            f"Hole in {self.table}: (almost) no rows from {self.first} to {self.last}, {self.expected:.0f} expected. "
            "Import them, or read what was learned of these weeks with care."
        )


def silences(records: Records, as_of: date) -> list[Silence]:
    """Return the feeds that are silent on ``as_of``; where everybody's is, its parts are not told again."""
    if records["employees"].lazy().select(pl.col("employee_id").n_unique()).collect().item() < FEWEST_PEOPLE:
        return []
    people = at_risk(records, [as_of])
    found: list[Silence] = []
    for table, part, rows, lag in _feeds(records, as_of):
        end = as_of - timedelta(days=lag)
        whole = _silence(table, part, (EVERYBODY, "", people), rows, end)
        if whole:
            found += [] if _told(whole, found) else [whole]
            continue
        for column in SLICES:
            for place in sorted(people[column].drop_nulls().unique()):
                slice_ = (column, place, people.filter(pl.col(column) == place))
                one = _silence(table, part, slice_, rows, end)
                if one and not _told(one, found):
                    found.append(one)
    return found


def _told(one: Silence, found: list[Silence]) -> bool:
    """Return whether the silence is part of another: a channel of a silent feed, a department of a silent site."""
    same = [f for f in found if f.table == one.table and f.part in ("", one.part)]
    return any(2 * len(one.people & f.people) >= len(one.people) for f in same)


def holes(records: Records, until: date) -> list[Hole]:
    """Return the gaps in the past of each feed that its own rhythm does not explain."""
    return [hole for table, part, rows, _ in _feeds(records, until) if not part for hole in _holes(table, rows)]


def _holes(table: str, rows: pl.DataFrame) -> list[Hole]:
    days, _ = _daily(rows)
    if len(days) < 12:
        return []
    gaps = np.diff(days)
    rhythm = gaps[gaps >= 7]
    usual = float(np.median(rhythm)) if len(rhythm) >= FEWEST_WAVES else 7.0
    long = np.flatnonzero(gaps >= max(LONGER * usual, SHORTEST_DAYS))
    if len(long) > max(2, 0.1 * len(rhythm)):
        return []  # that is its rhythm
    every = rows.group_by("happened_on").agg(pl.col("n").sum())
    day, n = every["happened_on"].cast(pl.Int32).to_numpy(), every["n"].to_numpy()
    found = []
    for i in long:
        first, last = days[i] + 1, days[i + 1] - 1
        came = n[(day >= first) & (day <= last)].sum()
        around = n[(day >= first - NEAR_DAYS) & (day <= last + NEAR_DAYS)].sum() - came
        expected = around / (2 * NEAR_DAYS) * (last - first + 1)
        if expected >= FEWEST_EXPECTED and came < FALLEN_SHARE * expected:
            found.append(Hole(table, _day(first), _day(last), float(expected)))
    return found


def _feeds(records: Records, as_of: date) -> Iterator[tuple[str, str, pl.DataFrame, int]]:
    """Yield (table, part, rows per person and day, days until rows are usually known); channels after the whole."""
    oldest = as_of - timedelta(days=LOOK_BACK_DAYS)
    for name in (n for n in FEEDS if n in records and TABLES[n].event):
        known = records[name].lazy().filter(
            pl.col("known_on") <= as_of, pl.col("happened_on") <= as_of, pl.col("happened_on") > oldest
        )  # fmt: skip
        lag = (pl.col("known_on") - pl.col("happened_on")).dt.total_days().quantile(0.95)
        days = known.select(lag.clip(0)).collect().item()
        if days is None:
            continue
        keys = ["employee_id", "happened_on", *(["kind"] if name == "interactions" else [])]
        rows = known.group_by(keys).agg(n=pl.len()).collect()
        yield name, "", rows.group_by("employee_id", "happened_on").agg(pl.col("n").sum()), int(days)
        for kind in sorted(rows["kind"].drop_nulls().unique()) if name == "interactions" else ():
            yield name, kind, rows.filter(pl.col("kind") == kind).drop("kind"), int(days)


def _silence(
    table: str, part: str, slice_: tuple[str, str, pl.DataFrame], rows: pl.DataFrame, end: date
) -> Silence | None:
    """Return whether the feed is silent for these people; ``end`` is the last day whose rows should be known."""
    column, place, people = slice_
    settled = people.filter(pl.col("hired_on") <= end - timedelta(days=SETTLED_DAYS))
    if len(settled) < FEWEST_PEOPLE:
        return None
    mine = rows.join(settled.select("employee_id"), on="employee_id", how="semi").filter(pl.col("happened_on") <= end)
    if mine.is_empty() or mine["n"].sum() < FEWEST_ROWS:
        return None
    days, counts = _daily(mine)
    last, today = days[-1], (end - date(1970, 1, 1)).days
    ids = frozenset(people["employee_id"])
    gaps, gap = np.diff(days), today - last
    # The rate of the last year before the silence: a feed that has grown is measured by what it has become.
    year = days > last - 365
    rate = counts[year].sum() / max(last - days[year][0] + 1, 28)
    longest = gaps.max() if len(gaps) else 0
    if len(gaps) >= 6 and gap > max(LONGER * longest, SHORTEST_DAYS) and gap * rate >= FEWEST_EXPECTED:
        came = int(mine.filter(pl.col("happened_on") > _day(last))["n"].sum())
        if came < FALLEN_SHARE * gap * rate:
            return Silence(table, part, column, place, _day(last + 1), float(gap * rate), came, ids)
    windows = _windows(days, counts, today)
    if len(windows) < 7 or longest > FALLEN_DAYS:
        return None
    now, past = int(windows[0]), windows[1:]
    if past.min() >= FEWEST_EXPECTED and now < FALLEN_SHARE * past.min():
        since = _day(today - FALLEN_DAYS + 1)
        return Silence(table, part, column, place, since, float(np.median(past)), now, ids)
    return None


def _windows(days: np.ndarray, counts: np.ndarray, today: int) -> np.ndarray:
    """Return the rows of each whole stretch of 28 days, the youngest first, at most a year of them."""
    n = min((today - days[0] + 1) // FALLEN_DAYS, 13)
    back = (today - days) // FALLEN_DAYS
    return np.bincount(back[back < n], counts[back < n], minlength=n)


def _daily(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the days on which the feed spoke and how many rows.

    A stray row (a correction, a late entry) between two waves is not the feed's rhythm: a day counts from a tenth of
    the usual day on, the one on which the middle row of all lies.
    """
    daily = rows.group_by("happened_on").agg(pl.col("n").sum()).sort("n", "happened_on", descending=True)
    upper = daily.filter(2 * pl.col("n").cum_sum() >= daily["n"].sum())
    daily = daily.filter(pl.col("n") >= STRAY_SHARE * pl.lit(upper["n"].max())).sort("happened_on")
    return daily["happened_on"].cast(pl.Int32).to_numpy().astype(int), daily["n"].to_numpy().astype(float)


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=int(number))
