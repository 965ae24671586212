"""The weekly traces of work in the invented company: counts of working together, and working time.

Counts only; nobody in this company reads what was said. Weekly negative binomial counts, own and team rhythms that
wander, leave weeks, benign drops three times as common as quits; all sizes assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from features.company.days import workdays
from features.company.history import History
from features.company.records import Roster
from features.company.staff import Columns
from features.company.world import JOBS

LEAVE_WEEKS = 0.05
DISENGAGEMENT = -0.2 * 0.35
"""Log activity per unit of log-hazard: -.2 SD, where .35 is about the SD of one person's log counts over weeks."""

BENIGN_PER_QUIT = 3
"""Drops that mean nothing (end of a project, a new tool, focus work) for each quit."""
TIES = 0.7
"""How fast the ties of somebody who has decided to go loosen, where a company has a network."""


@dataclass(frozen=True)
class Weeks:
    """One entry per person and week of work, with the row of the panel (person and month) that it belongs to."""

    row: np.ndarray
    week: np.ndarray  # number of the week since the first one
    begin: np.ndarray  # first day of the week on which the person worked here
    end: np.ndarray  # last such day
    away: np.ndarray  # the whole week on leave
    activity: np.ndarray  # factor on the person's usual activity
    benign: Columns  # drops that have nothing to do with leaving: who, first and last day, factor


def weeks(history: History, rng: np.random.Generator) -> Weeks:
    """The weeks of everybody's working life here; a week belongs to the month of its Friday."""
    people, panel = history.people, history.panel
    first_friday = np.busday_offset(history.first[0], 0, roll="forward", weekmask="Fri")
    fridays = np.arange(first_friday, history.until + 1, 7, dtype="datetime64[D]")
    month_of = np.searchsorted(history.first, fridays, side="right") - 1
    starts = np.searchsorted(month_of, np.arange(history.company.months + 1))
    count = np.diff(starts)[panel["month"]]
    row = np.repeat(np.arange(len(count)), count)
    week = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + starts[panel["month"]][row]
    who = panel["who"][row]
    begin = np.maximum(fridays[week] - 4, people["hired"][who])
    end = np.minimum(fridays[week], people["last"][who])
    here = end >= begin
    row, week, begin, end, who = row[here], week[here], begin[here], end[here], who[here]
    rhythms = _rhythms(history, rng, panel["team"][row], who, week)
    decision = _after_decision(history, rng, who, end)
    drops, benign = _benign_drops(history, rng, fridays)
    activity = (
        DISENGAGEMENT * panel["eta"][row]
        + rhythms
        + np.log(np.where(_holidays(fridays), 0.55, 1.0))[week]
        + decision
        + drops[who, week]
        + np.log((end - begin).astype(int) + 1)
        - np.log(5)
    )
    away = rng.random(len(row)) < LEAVE_WEEKS
    return Weeks(row, week, begin, end, away, np.exp(activity), benign)


def _rhythms(
    history: History, rng: np.random.Generator, team: np.ndarray, who: np.ndarray, week: np.ndarray
) -> np.ndarray:
    """Log factors that wander: the team's (AR .8, SD .08) and the person's own (AR .5, SD .10)."""
    length = int(week.max()) + 1
    total = np.zeros(len(week))
    for index, n, keep, sd in ((team, history.n_teams, 0.8, 0.08), (who, len(history.people["team"]), 0.5, 0.10)):
        path = rng.standard_normal((length, n))
        for t in range(1, length):
            path[t] = keep * path[t - 1] + np.sqrt(1 - keep**2) * path[t]
        total += sd * path[week, index]
    return total


def _holidays(fridays: np.ndarray) -> np.ndarray:
    """Weeks in which the clinics run half empty: about New Year, spring festival (fixed here), and 1 October."""
    day_of_year = (fridays - fridays.astype("datetime64[Y]")).astype(int)
    return (
        (day_of_year < 5)
        | (day_of_year > 360)
        | ((day_of_year >= 34) & (day_of_year < 41))
        | ((day_of_year >= 273) & (day_of_year < 280))
    )


def _after_decision(history: History, rng: np.random.Generator, who: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Log factor once somebody has decided to go: over four weeks down 25-50 % in 60 %, nothing in 25 %, up in 15 %."""
    n = len(history.people["team"])
    style, depth = rng.random(n), rng.uniform(0.25, 0.50, n)
    change = np.select([style < 0.60, style < 0.85], [np.log(1 - depth), 0.0], np.log(1.2))
    since = (day - history.people["decided"][who]).astype(int)
    return change[who] * np.clip(since / 28, 0, 1)


def _benign_drops(history: History, rng: np.random.Generator, fridays: np.ndarray) -> tuple[np.ndarray, Columns]:
    """(people, weeks): log factors of drops of 25-50 % for 6 to 14 weeks that have nothing to do with leaving; and the
    list of them."""
    factor = np.zeros((len(history.people["team"]), len(fridays)))
    panel, monthly = history.panel, BENIGN_PER_QUIT * history.company.regime.voluntary / 12
    row = np.flatnonzero(rng.random(len(panel["who"])) < monthly)
    listed = []
    for who, month in zip(panel["who"][row], panel["month"][row], strict=True):
        start = int(month * 4.35) + int(rng.integers(0, 4))
        stop = start + int(rng.integers(6, 15))
        factor[who, start:stop] = np.log(1 - rng.uniform(0.25, 0.50))
        listed.append((min(start, len(fridays) - 1), min(stop, len(fridays)) - 1))
    first, last = np.array(listed, int).reshape(-1, 2).T
    who = panel["who"][row]
    days = {"first_on": fridays[first] - 4, "last_on": fridays[last], "factor": np.exp(factor[who, first])}
    return factor, {"who": who, **days}


def _colleagues(history: History, rng: np.random.Generator, weeks: Weeks, keys: np.ndarray) -> np.ndarray:
    """Somebody with the same key in the same month for each week; the better embedded are chosen more often.

    -1 where there is nobody, where the choice fell on oneself, or where the other one was not employed on that day.
    """
    panel, people = history.panel, history.people
    group = panel["month"] * (int(keys.max()) + 1) + keys
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    low = np.searchsorted(ordered, group[weeks.row], side="left")
    size = np.searchsorted(ordered, group[weeks.row], side="right") - low
    one, two = (order[low + (rng.random(len(low)) * size).astype(int)] for _ in range(2))
    liked = panel["liked"]
    other = np.where(rng.random(len(low)) < 1 / (1 + np.exp(liked[two] - liked[one])), one, two)
    who = panel["who"][other]
    works = (
        (people["hired"][who] <= weeks.begin) & (people["last"][who] >= weeks.end) & (who != panel["who"][weeks.row])
    )
    return np.where(works, who, -1)


def interactions(roster: Roster, weeks: Weeks, rng: np.random.Generator) -> pl.DataFrame:
    """Counts of working together: one row per person, week, kind and counterpart."""
    who = roster.panel["who"][weeks.row]
    mates = _colleagues(roster.history, rng, weeks, roster.panel["team"])
    others = _colleagues(roster.history, rng, weeks, roster.panel["department"])
    frames = []
    for act in (*_written(roster, weeks, rng, (mates, others)), *_met(roster, weeks, rng, (mates, others))):
        kept = np.flatnonzero(act.n > 0)
        end = weeks.end[kept]
        day = end if act.weekly_sum else np.minimum(workdays(rng, weeks.begin[kept], end + 1), end)
        minutes = np.zeros(len(kept)) if act.minutes is None else act.minutes[kept].astype(float)
        columns = {
            "employee_id": roster.ids(who[kept]),
            "happened_on": day,
            "kind": np.full(len(kept), act.kind),
            "counterpart_id": roster.ids(np.full(len(kept), -1) if act.other is None else act.other[kept]),
            "n": act.n[kept],
            "minutes": pl.Series(minutes).replace(0, None),
            "after_hours": np.full(len(kept), act.late),
        }
        frames.append(pl.DataFrame(columns))
    return pl.concat(frames)


@dataclass(frozen=True)
class _Act:
    """One kind of interaction, with a count for every entry of the weeks."""

    kind: str
    n: np.ndarray
    other: np.ndarray | None = None
    minutes: np.ndarray | None = None
    late: bool = False
    weekly_sum: bool = False


def _written(
    roster: Roster, weeks: Weeks, rng: np.random.Generator, around: tuple[np.ndarray, np.ndarray]
) -> list[_Act]:
    """Messages and mail: a negative binomial total per week, shared out. Some far messages are not kept, for size."""
    panel, people, at = roster.panel, roster.people, weeks.row
    who = panel["who"][at]
    usual = np.exp(np.log(60) + 0.6 * rng.standard_normal(len(people["team"])))[who]
    size = np.exp(np.log(12) + 0.4 * rng.standard_normal(len(people["team"])))[who]
    total = np.where(weeks.away, 0, rng.negative_binomial(size, size / (size + usual * weeks.activity)))
    writes = np.array([job.writes_email for job in JOBS])[panel["job"][at]] | panel["leads"][at]
    email = rng.binomial(total, np.where(writes, 0.25, 0.0))
    late = rng.binomial(total - email, np.clip(0.03 * np.exp(0.5 * panel["x_overtime"][at]), 0, 0.3))
    far = rng.binomial(total - email - late, np.clip(0.12 + 0.05 * panel["x_embeddedness"][at], 0.01, 0.4))
    mates, others = around
    return [
        _Act("message", total - email - late - far, mates, weekly_sum=True),
        _Act("message", late, mates, late=True, weekly_sum=True),
        _Act("message", np.where(rng.random(len(at)) < 0.6, far, 0), others, weekly_sum=True),
        _Act("email", email, weekly_sum=True),
    ]


def _met(roster: Roster, weeks: Weeks, rng: np.random.Generator, around: tuple[np.ndarray, np.ndarray]) -> list[_Act]:
    """Meetings, one-on-ones, projects, help. How strongly latent states show in them is assumed."""
    panel, people, at = roster.panel, roster.people, weeks.row
    embedded, boss = panel["x_embeddedness"][at], panel["manager"][at]
    ties = np.exp(-TIES * panel["loosened"][at])
    works = (boss >= 0) & (people["last"][boss] >= weeks.end) & (people["hired"][boss] <= weeks.begin)
    active = np.where(weeks.away, 0.0, weeks.activity)
    mates, others = around
    meetings = np.minimum(rng.poisson(active * 1.3 * np.exp(0.25 * panel["x_load"][at])), 9)
    talks = rng.poisson(active * np.where(works, 0.25 * np.exp(0.3 * panel["x_manager"][at]), 0.0))
    projects = rng.poisson(ties * active * 0.22 * np.exp(0.25 * panel["x_growth"][at] + 0.15 * embedded))
    helped = rng.poisson(ties * active * 0.28 * np.exp(0.4 * embedded))
    return [
        _Act("meeting", meetings, minutes=meetings * rng.integers(20, 50, len(at))),
        _Act("one_on_one", np.minimum(talks, 1), boss, minutes=rng.integers(15, 50, len(at))),
        _Act("project", projects, others),
        _Act("help_given", helped, mates),
    ]


def attendance(roster: Roster, weeks: Weeks, rng: np.random.Generator) -> pl.DataFrame:
    """Working time by person and month, summed up on the last day of the month worked here.

    Overtime is a fair record of the latent overtime. Minutes late say nothing about leaving (Berry 2012: r .01).
    """
    history, panel, people = roster.history, roster.panel, roster.people
    who, n = panel["who"], len(panel["who"])
    begin = np.maximum(history.first[panel["month"]], people["hired"][who])
    end = np.minimum(history.first[panel["month"] + 1] - 1, people["last"][who])
    workday = np.busday_count(begin, end + 1)
    leave = np.bincount(weeks.row[weeks.away], minlength=n) * 5 + rng.poisson(0.4, n)
    leave = np.minimum(leave, workday)
    a_day = people["weekly_hours"][who] / 5
    share = workday / 21.7
    tired = 0.7 * panel["x_overtime"] + 0.3 * panel["x_load"]
    overtime = np.exp(np.log(6) + tired + 0.35 * rng.standard_normal(n)) * share
    tardy = np.exp(0.6 * rng.standard_normal(len(people["team"])))[who]
    late = rng.gamma(0.7, 15, n) * tardy * share
    return pl.DataFrame(
        {
            "employee_id": roster.ids(who),
            "happened_on": end,
            "hours": np.round((workday - leave) * a_day + overtime, 1),
            "overtime_hours": np.round(overtime, 1),
            "late_minutes": np.round(late),
            "leave_days": leave.astype(float),
        }
    ).filter(pl.Series(workday > 0))
