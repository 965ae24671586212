"""Who has clearly drawn back by a day, and which teams have as a whole: an occasion to reach out, and not more.

    charts of two years ─▶ limit at .05 alarms per person-year ─▶ low scores of the last weeks ─▶ personal or the team's

A person is told of once in eight weeks. When the team is down even without any one of its members, that is the
team's matter (a finished project, a quiet season, a new tool) and nobody's personal alarm, until the quiet weeks have
left every window; only who fell clearly further than the team is told of. A team shows as quiet some weeks after it
began: meanwhile its members need a deeper score too. Every alarm carries the share of alarms this strong that chance
alone explains in its week (Benjamini-Hochberg across everybody judged).

What this cannot see: a fall of a fifth; a fall slower than the habit follows (a year); people who do little that is
recorded, who are new, or who are away. And it does not know why: leave that nobody entered, a finished project, a new
tool, deep work on one thing look the same, and are together more frequent than a wish to leave.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from features import engine
from features.engine import Frame
from features.snapshots import Panel, Records, panel
from features.withdrawal.chart import CHART_WEEKS, LEAST_A_WEEK, MEMORY_WEEKS, STREAMS, WINDOWS, charted, expected
from features.withdrawal.limit import RATE, Limit, alarms_at, calibrate, chances, false_shares
from features.withdrawal.weeks import sundays, weekly

HISTORY_WEEKS = 104
CYCLE_WEEKS = 4
FDR = 0.5
"""Of the alarms that are told, at most this share is expected to be chance."""
TEAM_STANDS_WEEKS = max(WINDOWS)
"""So long after its last low week a team's signal still stands: its quiet weeks are in the windows."""
FURTHER = 1.0
"""Standard deviations beyond the limit that a score needs while the team's signal stands: a hundred times rarer."""
TEAM_LEANS = 1.0
"""A team this low may be on the way to a signal."""
FURTHER_LEANING = 0.5
"""Standard deviations beyond the limit that a score needs while the team leans: ten times rarer."""


@dataclass(frozen=True)
class Watch:
    """Scores of everybody on consecutive weeks: matrices people × weeks, NaN where nothing can be judged.

    ``lowest`` indexes (stream, window) in ``SCALES``. ``team`` is the number of the team in ``teams`` (-1: none).
    """

    people: tuple[str, ...]
    ends: tuple[int, ...]
    scores: np.ndarray
    lowest: np.ndarray
    usual: np.ndarray
    level: np.ndarray
    present: np.ndarray
    teams: tuple[str, ...]
    team: np.ndarray
    team_scores: np.ndarray
    volume: np.ndarray


@dataclass(frozen=True)
class Review:
    """What the last weeks gave rise to.

    ``alarms``: employee_id, team, week (its Sunday), since, weeks, stream, usual and now (acts a week), score, p,
    false_share. ``teams``: team, week, since, weeks, n_people, level (done over expected), score. ``unjudged``: how
    many of the people at risk could not be judged, by reason. Most urgent first.
    """

    alarms: pl.DataFrame
    teams: pl.DataFrame
    unjudged: dict[str, int]
    limit: Limit
    team_limit: Limit


SCALES = tuple((stream, weeks) for stream in STREAMS for weeks in WINDOWS)


def review(
    records: Records,
    as_of: date,
    *,
    rate: float = RATE,
    fdr: float = FDR,
    cycle_weeks: int = CYCLE_WEEKS,
    unheard: Collection[str] = (),
) -> Review:
    """The alarms of the last ``cycle_weeks`` closed weeks about people at risk on ``as_of``.

    ``rate``: alarms per person-year to put up with. ``fdr``: leave out alarms of which more than this share is
    expected to be chance (1: none is left out; the share is told anyway). ``unheard``: people whose feed has fallen
    silent (``features.feeds``), of whom nothing can be said, nor of a team of which they are half.
    """
    ground = panel(records, [as_of])
    seen = watch(ground, n_weeks=HISTORY_WEEKS)
    team_limit = calibrate(seen.team_scores, rate=rate)
    own = personal(seen, team_limit)
    limit = calibrate(own, rate=rate)
    at_risk = set(engine.collected(ground.rows.select("employee_id"))["employee_id"].to_list())
    alarms = _told(seen, own, alarms_at(discoveries(own, fdr), limit.at), cycle_weeks)
    alarms = alarms.filter(pl.col("employee_id").is_in(sorted(at_risk - set(unheard))))
    teams = _teams(seen, alarms_at(seen.team_scores, team_limit.at), cycle_weeks)
    teams = teams.filter(~pl.col("team").is_in(_half_unheard(seen, set(unheard))))
    return Review(alarms, teams, _unjudged(seen, at_risk, set(unheard)), limit, team_limit)


def personal(seen: Watch, team_limit: Limit) -> np.ndarray:
    """The scores that may become somebody's alarm: raised while the team is low without them, as that may be all."""
    beside = np.where(
        _standing(seen, team_limit), FURTHER, np.where(seen.team_scores < -TEAM_LEANS, FURTHER_LEANING, 0)
    )
    raised = _by_person(seen, beside, nobody=0.0)
    return np.where(raised > 0, np.minimum(seen.scores + raised, 0.0), seen.scores)


def shared(seen: Watch, team_limit: Limit) -> np.ndarray:
    """For every person and week: does a signal of the team stand?"""
    return _by_person(seen, _standing(seen, team_limit), nobody=False)


def _standing(seen: Watch, team_limit: Limit) -> np.ndarray:
    """Teams × weeks: low now, or in the weeks that a window still holds."""
    week = np.arange(len(seen.ends))
    low = np.where(seen.team_scores < -team_limit.at, week, -TEAM_STANDS_WEEKS - 1)
    return week - np.maximum.accumulate(low, axis=1) <= TEAM_STANDS_WEEKS


def _by_person(seen: Watch, of_teams: np.ndarray, *, nobody: float) -> np.ndarray:
    """Teams × weeks laid out as people × weeks; ``nobody``: where somebody has no team."""
    rows = np.vstack([of_teams, np.full((1, len(seen.ends)), nobody)])
    return rows[seen.team, np.arange(len(seen.ends))]


def shares(own: np.ndarray) -> np.ndarray:
    """For every person and week the share of scores as low in that week that chance explains."""
    p = chances(own, own)
    return np.stack([false_shares(p[:, week]) for week in range(own.shape[1])], axis=1)


def discoveries(own: np.ndarray, fdr: float) -> np.ndarray:
    """The scores with those taken out of which more than ``fdr`` is expected to be chance."""
    return own if fdr >= 1 else np.where(np.isfinite(own) & (shares(own) > fdr), 0.0, own)


def watch(ground: Panel, *, n_weeks: int) -> Watch:
    """The scores of the last ``n_weeks`` weeks closed by the (last) day of the panel."""
    day = ground.as_of[-1]
    ends = sundays(day, day, back=MEMORY_WEEKS + n_weeks - 1)
    return watched(weekly(ground.facts, ends, first=len(ends) - n_weeks), ends, n_weeks=n_weeks)


def watched(weeks: Frame, ends: Sequence[int], *, n_weeks: int, streams: Sequence[str] = tuple(STREAMS)) -> Watch:
    """``watch`` over a weekly table (``weeks.weekly``) whose places are those of ``ends``; "all" comes first."""
    places = range(len(ends) - n_weeks, len(ends))
    rows = expected(weeks, first=places[0] - CHART_WEEKS)
    charts = [engine.collected(charted(rows, stream, places)).sort("employee_id", "place") for stream in streams]
    people = charts[0]["employee_id"].unique(maintain_order=True).to_list()

    def laid(name: str, stream: int = 0) -> np.ndarray:
        return charts[stream][name].fill_null(float("nan")).to_numpy().astype(float).reshape(len(people), n_weeks)

    scores = np.stack([laid(f"z{weeks}", i) for i in range(len(streams)) for weeks in WINDOWS])
    lowest = np.where(np.isnan(scores), np.inf, scores).argmin(axis=0)
    levels = np.stack([laid(f"level{weeks}", i) for i in range(len(streams)) for weeks in WINDOWS])
    usual = np.stack([laid("usual", i) for i in range(len(streams)) for _ in WINDOWS])
    names = sorted(charts[0]["team"].drop_nulls().unique().to_list())
    number = {name: i for i, name in enumerate(names)}
    team = np.array([number.get(name, -1) for name in charts[0]["team"].to_list()], dtype=int)
    team = team.reshape(len(people), n_weeks)
    return Watch(
        people=tuple(people),
        ends=tuple(ends[place] for place in places),
        scores=_lowest(scores),
        lowest=lowest,
        usual=np.take_along_axis(usual, lowest[None], 0)[0],
        level=np.take_along_axis(levels, lowest[None], 0)[0],
        present=laid("present"),
        teams=tuple(names),
        team=team,
        team_scores=_of_teams(_lowest(np.stack([laid(f"others{weeks}") for weeks in WINDOWS])), team, len(names)),
        volume=laid("usual"),
    )


def _lowest(scores: np.ndarray) -> np.ndarray:
    low = np.where(np.isnan(scores), np.inf, scores).min(axis=0)
    return np.where(np.isinf(low), np.nan, low)


def _of_teams(others: np.ndarray, team: np.ndarray, n_teams: int) -> np.ndarray:
    """Teams × weeks: how low a team is without the one member whose absence flatters it most; NaN for few people."""
    scores = np.full((n_teams, others.shape[1]), -np.inf)
    weeks = np.broadcast_to(np.arange(others.shape[1]), others.shape)
    told = np.isfinite(others) & (team >= 0)
    np.maximum.at(scores, (team[told], weeks[told]), others[told])
    return np.where(np.isinf(scores), np.nan, scores)


def _told(seen: Watch, own: np.ndarray, raised: np.ndarray, cycle_weeks: int) -> pl.DataFrame:
    recent = range(max(raised.shape[1] - cycle_weeks, 0), raised.shape[1])
    rows = []
    for week in recent:
        p = chances(own[:, week], own)
        share = false_shares(p)
        for one in np.flatnonzero(raised[:, week]):
            stream, weeks = SCALES[seen.lowest[one, week]]
            usual = float(seen.usual[one, week])
            rows.append(
                {
                    "employee_id": seen.people[one],
                    "team": seen.teams[seen.team[one, week]] if seen.team[one, week] >= 0 else None,
                    "week": engine.date_of(seen.ends[week]),
                    "since": engine.date_of(seen.ends[week] - 7 * weeks + 1),
                    "weeks": weeks,
                    "stream": stream,
                    "usual": usual,
                    "now": usual * float(seen.level[one, week]),
                    "score": float(seen.scores[one, week]),
                    "p": float(p[one]),
                    "false_share": float(share[one]),
                }
            )
    return pl.DataFrame(rows, schema=ALARMS).sort("score", "employee_id")


def _teams(seen: Watch, raised: np.ndarray, cycle_weeks: int) -> pl.DataFrame:
    first = max(raised.shape[1] - cycle_weeks, 0)
    rows = []
    for team, week in np.argwhere(raised):
        if week < first:
            continue
        members = (seen.team[:, week] == team) & np.isfinite(seen.scores[:, week])
        rows.append(
            {
                "team": seen.teams[team],
                "week": engine.date_of(seen.ends[week]),
                "since": engine.date_of(seen.ends[week] - 7 * min(WINDOWS) + 1),
                "n_people": int(members.sum()),
                "level": float(np.average(seen.level[members, week], weights=seen.usual[members, week])),
                "score": float(seen.team_scores[team, week]),
            }
        )
    return pl.DataFrame(rows, schema=TEAMS).sort("score", "team")


def _half_unheard(seen: Watch, unheard: set[str]) -> list[str]:
    """Teams of whose members half or more, in the newest week, are unheard."""
    now = seen.team[:, -1] if unheard else np.array([], dtype=int)
    silent = np.array([person in unheard for person in seen.people[: len(now)]], dtype=bool)
    return [name for i, name in enumerate(seen.teams) if (now == i).any() and silent[now == i].mean() >= 1 / 2]


def _unjudged(seen: Watch, at_risk: set[str], unheard: set[str]) -> dict[str, int]:
    """People at risk whose newest week says nothing, by reason; ``silent_feed`` only where there is one."""
    told = {"silent_feed": len(at_risk & unheard)} if unheard else {}
    return _reasons(seen, at_risk - unheard) | told


def _reasons(seen: Watch, at_risk: set[str]) -> dict[str, int]:
    reasons = {"no_records": len(at_risk - set(seen.people)), "no_habit_yet": 0, "too_little": 0, "away": 0}
    for one, person in enumerate(seen.people):
        if person not in at_risk or np.isfinite(seen.scores[one, -1]):
            continue
        if np.isnan(seen.volume[one, -1]):
            reasons[
                "away" if seen.present[one, -1] == 0 and np.isfinite(seen.scores[one]).any() else "no_habit_yet"
            ] += 1
        else:
            reasons["too_little" if seen.volume[one, -1] < LEAST_A_WEEK else "away"] += 1
    return reasons


ALARMS = {
    "employee_id": pl.String,
    "team": pl.String,
    "week": pl.Date,
    "since": pl.Date,
    "weeks": pl.Int64,
    "stream": pl.String,
    "usual": pl.Float64,
    "now": pl.Float64,
    "score": pl.Float64,
    "p": pl.Float64,
    "false_share": pl.Float64,
}
TEAMS = {
    "team": pl.String,
    "week": pl.Date,
    "since": pl.Date,
    "n_people": pl.Int64,
    "level": pl.Float64,
    "score": pl.Float64,
}
