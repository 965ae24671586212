"""The weekly traces of work in the invented company: counts of working together, and working time.

Counts only; nobody in this company reads what was said. Four streams of weekly negative binomial counts (messages,
mail, meetings, contributions to projects) that each have a noise of their own; own and team rhythms that all of them
share, weeks of leave, drops that mean nothing (``company.drops``); all sizes assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from features.company.days import workdays
from features.company.drops import ACTIVITIES, drops
from features.company.history import History
from features.company.records import Roster
from features.company.staff import Columns
from features.company.world import JOBS

LEAVE_WEEKS = 0.05
DISENGAGEMENT = -0.2 * 0.35
"""Log activity per unit of log-hazard: -.2 SD, where .35 is about the SD of one person's log counts over weeks."""

USUAL = {"message": 60, "email": 40, "meeting": 8, "project": 12}
"""The median person's acts a week; nobody's mail where the job writes none."""
SPREAD, SIZE, SIZE_SPREAD = 0.6, 12, 0.4
"""Log SD of the people's means; median and log SD of the sizes of their negative binomial counts."""
DRAW_BACK, UNCHANGED = 0.60, 0.25
"""Of those who have decided to go; the others do more than before."""
TIES = 0.7
"""How fast the ties of somebody who has decided to go loosen, where a company has a network: less help to others, and
project work alone; not less work."""


@dataclass(frozen=True)
class Weeks:
    """One entry per person and week of work, with the row of the panel (person and month) that it belongs to."""

    row: np.ndarray
    week: np.ndarray  # number of the week since the first one
    begin: np.ndarray  # first day of the week on which the person worked here
    end: np.ndarray  # last such day
    away: np.ndarray  # the whole week on leave
    activity: Columns  # factors on the person's usual activity, by the kinds of ``drops.ACTIVITIES``
    benign: Columns  # drops that have nothing to do with leaving, as ``Drops.listed``


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
    benign, shape = drops(history, rng), (len(people["team"]), len(fridays))
    usual = (
        DISENGAGEMENT * panel["eta"][row]
        + rhythms
        + np.log(np.where(_holidays(fridays), 0.55, 1.0))[week]
        + decision
        + np.log((end - begin).astype(int) + 1)
        - np.log(5)
    )
    activity = {name: np.exp(usual + np.log(benign.factor_on(shape, name)[who, week])) for name in ACTIVITIES}
    away = (rng.random(len(row)) < LEAVE_WEEKS) | benign.away(shape)[who, week]
    return Weeks(row, week, begin, end, away, activity, benign.listed(fridays))


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
    """Log factor once somebody has decided to go: over four weeks down by a quarter to a half, nothing, or up."""
    n = len(history.people["team"])
    style, depth = rng.random(n), rng.uniform(0.25, 0.50, n)
    change = np.select([style < DRAW_BACK, style < DRAW_BACK + UNCHANGED], [np.log(1 - depth), 0.0], np.log(1.2))
    since = (day - history.people["decided"][who]).astype(int)
    return change[who] * np.clip(since / 28, 0, 1)


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


def _counts(roster: Roster, weeks: Weeks, rng: np.random.Generator, kind: str, factor: np.ndarray) -> np.ndarray:
    """A stream: how many acts of that kind in each week, around everybody's own mean times ``factor``."""
    n, who = len(roster.people["team"]), roster.panel["who"][weeks.row]
    usual = np.exp(np.log(USUAL[kind]) + SPREAD * rng.standard_normal(n))[who]
    size = np.exp(np.log(SIZE) + SIZE_SPREAD * rng.standard_normal(n))[who]
    drawn: np.ndarray = rng.negative_binomial(size, size / (size + usual * factor))
    return np.where(weeks.away, 0, drawn)


def _written(
    roster: Roster, weeks: Weeks, rng: np.random.Generator, around: tuple[np.ndarray, np.ndarray]
) -> list[_Act]:
    """Messages and mail. Some far messages are not kept, for size."""
    panel, at = roster.panel, weeks.row
    total = _counts(roster, weeks, rng, "message", weeks.activity["written"])
    writes = np.array([job.writes_email for job in JOBS])[panel["job"][at]] | panel["leads"][at]
    email = np.where(writes, _counts(roster, weeks, rng, "email", weeks.activity["written"]), 0)
    late = rng.binomial(total, np.clip(0.03 * np.exp(0.5 * panel["x_overtime"][at]), 0, 0.3))
    far = rng.binomial(total - late, np.clip(0.12 + 0.05 * panel["x_embeddedness"][at], 0.01, 0.4))
    mates, others = around
    return [
        _Act("message", total - late - far, mates, weekly_sum=True),
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
    met, done = (weeks.activity[name] for name in ("met", "done"))
    mates, others = around
    meetings = _counts(roster, weeks, rng, "meeting", met * np.exp(0.25 * panel["x_load"][at]))
    talks = rng.poisson(met * np.where(works & ~weeks.away, 0.25 * np.exp(0.3 * panel["x_manager"][at]), 0.0))
    felt = np.exp(0.25 * panel["x_growth"][at] + 0.15 * embedded)
    projects = _counts(roster, weeks, rng, "project", done * felt)
    partner = np.where(rng.random(len(at)) < ties, others, -1)
    helped = rng.poisson(ties * done * np.where(weeks.away, 0.0, 0.28 * np.exp(0.4 * embedded)))
    return [
        _Act("meeting", meetings, minutes=meetings * rng.integers(20, 50, len(at)), weekly_sum=True),
        _Act("one_on_one", np.minimum(talks, 1), boss, minutes=rng.integers(15, 50, len(at))),
        _Act("project", projects, partner, weekly_sum=True),
        _Act("help_given", helped, mates),
    ]


def attendance(roster: Roster, weeks: Weeks, rng: np.random.Generator) -> pl.DataFrame:
    """Working time by person and month, summed up on the last day of the month worked here.

    Overtime is a fair record of the latent overtime; nobody works late on leave. Minutes late say nothing about leaving
    (Berry 2012: r .01).
    """
    history, panel, people = roster.history, roster.panel, roster.people
    who, n = panel["who"], len(panel["who"])
    begin = np.maximum(history.first[panel["month"]], people["hired"][who])
    end = np.minimum(history.first[panel["month"] + 1] - 1, people["last"][who])
    workday = np.busday_count(begin, end + 1)
    leave = np.bincount(weeks.row[weeks.away], minlength=n) * 5 + rng.poisson(0.4, n)
    leave = np.minimum(leave, workday)
    a_day = people["weekly_hours"][who] / 5
    share = (workday - leave) / 21.7
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
