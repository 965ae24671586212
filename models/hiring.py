"""The hiring ledger: which seats fall empty when, how many to hire, and when to begin to look.

A seat falls empty on the last working day, a notice period after the notice. Its chance to be empty by day t is the
chance of a notice by t minus the lag, averaged over past lags; a known last day counts in full; leavers whom nobody has
entered yet are added as of today. Counts per group come from ``models.forecast``.

Groups are published, people are not: every person stands in exactly one group that is large enough
(``models.small_groups``), there is no line for the whole, and all figures are whole people.

Left out, and said so to the reader: exits of people hired meanwhile, moves within the house, seats nobody means to fill
again, dismissals and retirements that are not on record yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from features.leaving import Fill
from models.forecast import SERVICE_LEVEL, Count, Shock, at_days, given_company, shifted, together, told
from models.small_groups import OTHER, Cell, Post, cells

MONTHS = 6
LAG_POINTS = 10


@dataclass(frozen=True)
class Outlook:
    """What is known on the day, before it is put together.

    ``posts`` of everybody employed; ``chances`` (n, months) of each one's seat being empty by each month end, NaN for
    those already going; ``last_day`` of those; ``judged`` says who has an assessment and so counts for the size of a
    group. ``month_ends`` rise from the end of the current month.
    """

    as_of: date
    posts: Sequence[Post]
    judged: Sequence[bool]
    chances: np.ndarray
    last_day: Sequence[date | None]
    month_ends: Sequence[date]
    fills: Mapping[str | None, Fill]


@dataclass(frozen=True)
class Line:
    """One group in the ledger; per month end, counted from today: the likely range of empty seats, hires that suffice.

    ``needed_by`` is the first month end by which a hire is needed (None: none is), ``search_from`` that minus the time
    to fill, or today when that has passed.
    """

    department: str
    job: str
    n_people: int
    n_going: int
    expected: int
    low: int
    high: int
    hires: int
    needed_by: date | None
    search_from: date | None
    fill_days: int
    fill_from: str
    months: tuple[tuple[date, int, int, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the line with JSON types only."""
        days = {name: value.isoformat() if value else None for name, value in
                (("needed_by", self.needed_by), ("search_from", self.search_from))}  # fmt: skip
        months = [{"until": m.isoformat(), "low": low, "high": high, "hires": n} for m, low, high, n in self.months]
        return {**asdict(self), **days, "months": months}


def month_ends_after(as_of: date, n_months: int = MONTHS) -> list[date]:
    """Return the ends of the current month, if any of it is left, and of the following ones.

    >>> month_ends_after(date(2026, 10, 30), 2), month_ends_after(date(2026, 10, 31), 1)
    ([datetime.date(2026, 10, 31), datetime.date(2026, 11, 30)], [datetime.date(2026, 11, 30)])
    """
    first = as_of + timedelta(days=1)
    firsts = [(first.year * 12 + first.month - 1 + k) for k in range(1, n_months + 1)]
    return [date(m // 12, m % 12 + 1, 1) - timedelta(days=1) for m in firsts]


def seats_empty(
    incidence: np.ndarray, horizons_days: Sequence[float], days: Sequence[float], *, lags: np.ndarray
) -> np.ndarray:
    """Return (n, len(days)): the chance that each person's last working day lies within so many days.

    ``incidence`` (n, len(horizons)) is the chance of a notice. Example: 5 % give notice within 60 days, everybody's
    notice takes 30 days: 5 % of the seats are empty within 90 days.
    """
    points = np.quantile(lags, (np.arange(LAG_POINTS) + 0.5) / LAG_POINTS)
    return np.mean([at_days(incidence, horizons_days, np.asarray(days) - lag) for lag in points], axis=0)


def gone_already(chances: np.ndarray, not_yet_entered: float) -> np.ndarray:
    """Return the chances when so many of these people have left unnoticed by the books, nobody knows which."""
    share = min(0.5, not_yet_entered / max(len(chances), 1))
    return 1.0 - (1.0 - share) * (1.0 - chances)


def ledger(outlook: Outlook, shock: Shock, *, min_group: int, factor: float = 1.0) -> list[Line]:
    """Return one line per group, most hires first; groups under ``min_group`` are merged. ``factor``: today's level."""
    cell_of = cells(outlook.posts, outlook.judged, min_group=min_group)
    chances = shifted(np.nan_to_num(outlook.chances), factor)
    members: dict[Cell, list[int]] = {}
    for i, cell in enumerate(cell_of):
        if cell is not None:
            members.setdefault(cell, []).append(i)
    lines = [_line(outlook, cell, rows, chances=chances, shock=shock) for cell, rows in members.items()]
    return sorted(lines, key=_rank)


def _rank(line: Line) -> tuple[bool, int, int, str, str]:
    """Most hires first; the remainder, which nobody can act on as one, at the end."""
    return line.department == OTHER, -line.hires, -line.expected, line.department, line.job


def _line(outlook: Outlook, cell: Cell, rows: list[int], *, chances: np.ndarray, shock: Shock) -> Line:
    going = [day for day in (outlook.last_day[i] for i in rows) if day is not None]
    by_team: dict[tuple[str, str], list[int]] = {}
    for i in rows:
        if outlook.last_day[i] is None:
            by_team.setdefault((outlook.posts[i].department, outlook.posts[i].team), []).append(i)
    counts: list[Count] = []
    for k, end in enumerate(outlook.month_ends):
        teams = given_company([chances[team, k] for team in by_team.values()], shock)
        counts.append(told(together(teams, certain=sum(day <= end for day in going))))
    hires = np.maximum.accumulate([count.enough for count in counts])
    first = next((end for end, n in zip(outlook.month_ends, hires, strict=True) if n), None)
    fill = outlook.fills.get(cell[1], outlook.fills[None])
    last = counts[-1]
    return Line(
        *cell,
        n_people=len(rows),
        n_going=len(going),
        expected=round(last.expected),
        low=last.low,
        high=last.high,
        hires=int(hires[-1]),
        needed_by=first,
        search_from=max(outlook.as_of, first - timedelta(days=fill.days)) if first else None,
        fill_days=fill.days,
        fill_from=fill.learned_from,
        months=tuple(
            (end, count.low, count.high, int(n))
            for end, count, n in zip(outlook.month_ends, counts, hires, strict=True)
        ),
    )


LEDGER_COLUMNS = (
    "department", "job", "people", "already_going", "expected_leavers", "low", "high", "service_level",
    "hires_in_all", "month_end", "hires_by_then", "search_from", "days_to_fill", "days_to_fill_from",
)  # fmt: skip
LEDGER_FIELDS = {
    "department": "department",
    "job": "job",
    "people": "n_people",
    "already_going": "n_going",
    "expected_leavers": "expected",
    "low": "low",
    "high": "high",
    "hires_in_all": "hires",
    "days_to_fill": "fill_days",
    "days_to_fill_from": "fill_from",
}
"""Columns that say the same in every row of a group, and the field of its line."""


def ledger_rows(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the ledger for a spreadsheet: one row per group and month end by which more hires are needed.

    ``lines`` are as ``Line.to_dict`` gives them. ``hires_by_then`` counts from today: rows of a group do not add up.
    """
    rows = []
    for line in lines:
        before = 0
        for month in line["months"]:
            if month["hires"] > before:
                search = date.fromisoformat(month["until"]) - timedelta(days=line["fill_days"])
                start = max(search, date.fromisoformat(line["search_from"]))
                row = {name: line[field] for name, field in LEDGER_FIELDS.items()}
                row |= {"service_level": SERVICE_LEVEL, "month_end": month["until"], "hires_by_then": month["hires"]}
                rows.append({**row, "search_from": start.isoformat()})
            before = month["hires"]
    return rows
