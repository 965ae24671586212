"""How often the alarm of withdrawal is false, and how much of what was put in it finds, on weeks not tuned on.

The limit is learnt as the service learns it, from two years of the company's own weeks; it is judged on the two years
after them. A false alarm is any alarm in a world in which nothing falls. Falls are put in for twelve weeks, and found
when an alarm comes within them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from features.withdrawal.alarms import FDR, HISTORY_WEEKS, Watch, discoveries, personal, shared, watched
from features.withdrawal.chart import MEMORY_WEEKS
from features.withdrawal.limit import RATE, Limit, alarms_at, calibrate
from training.withdrawal_world import Weeks, World, fallen, live

JUDGED_WEEKS = 104
WITHIN_WEEKS = 12
FALLS = ((0.5, 10, 0), (0.3, 45, 1), (0.2, 80, 2))
"""Size, week of the judged ones in which it begins, and which of every three teams has one member whom it befalls."""
TEAM_FALLS = ((0.5, 10, 0), (0.3, 45, 1))
"""Size, first week, and which of every three teams falls as a whole."""
DRAWS = 400


@dataclass(frozen=True)
class Told:
    """Alarms (people × judged weeks), weeks that could be judged, and the scores behind them.

    ``shared``: weeks in which a signal of the person's team stands.
    """

    alarms: np.ndarray
    judged: np.ndarray
    scores: np.ndarray
    with_fdr: np.ndarray
    team_alarms: np.ndarray
    shared: np.ndarray
    limit: Limit


@dataclass
class Tally:
    """Counts per person, to be drawn again by person."""

    hits: list[np.ndarray] = field(default_factory=list)
    of: list[np.ndarray] = field(default_factory=list)

    def add(self, hits: npt.ArrayLike, of: npt.ArrayLike) -> None:
        self.hits.append(np.asarray(hits, dtype=float))
        self.of.append(np.asarray(of, dtype=float))

    def rate(self) -> tuple[float, float, float]:
        """The ratio with its 95 % interval, people drawn with replacement."""
        hits, of = np.concatenate(self.hits), np.concatenate(self.of)
        draws = np.random.default_rng(0).multinomial(len(hits), np.full(len(hits), 1 / len(hits)), size=DRAWS)
        again = (draws @ hits) / np.maximum(draws @ of, 1e-9)
        low, high = np.quantile(again, (0.025, 0.975))
        return float(hits.sum() / max(of.sum(), 1e-9)), float(low), float(high)


def judge(seen: Watch, *, n_judged: int = JUDGED_WEEKS, rate: float = RATE) -> Told:
    """Learn the limits from the weeks before the judged ones, and raise the alarms of the judged ones."""
    team_limit = calibrate(seen.team_scores[:, :-n_judged])
    own = personal(seen, team_limit)
    limit = calibrate(own[:, :-n_judged], rate=rate)
    cut = slice(own.shape[1] - n_judged, None)
    return Told(
        alarms=alarms_at(own, limit.at)[:, cut],
        judged=np.isfinite(seen.scores[:, cut]),
        scores=own[:, cut],
        with_fdr=alarms_at(discoveries(own, FDR), limit.at)[:, cut],
        team_alarms=alarms_at(seen.team_scores, team_limit.at)[:, cut],
        shared=shared(seen, team_limit)[:, cut],
        limit=limit,
    )


def seen_by_service(weeks: Weeks) -> Watch:
    """The watch over a world whose weeks are numbered from 0; everything done there is one stream."""
    ends = range(0, 7 * weeks.counts.shape[1], 7)
    return watched(weeks.frame(), ends, n_weeks=HISTORY_WEEKS + JUDGED_WEEKS, streams=("all",))


def years_of(world: World) -> World:
    return replace(world, n_weeks=MEMORY_WEEKS + HISTORY_WEEKS + JUDGED_WEEKS)


@dataclass
class Result:
    """What came out for one kind of world."""

    false: Tally = field(default_factory=Tally)
    false_with_fdr: Tally = field(default_factory=Tally)
    textbook: dict[str, Tally] = field(default_factory=dict)
    found: dict[float, Tally] = field(default_factory=dict)
    found_with_fdr: dict[float, Tally] = field(default_factory=dict)
    waited: dict[float, list[int]] = field(default_factory=dict)
    team_personal: dict[str, dict[float, Tally]] = field(default_factory=dict)
    team_found: dict[float, Tally] = field(default_factory=dict)
    limits: list[float] = field(default_factory=list)


def study(world: World, seeds: Sequence[int], *, teams: bool = True) -> Result:
    """Three runs per seed: nothing falls, some people fall, whole teams fall (unless ``teams`` is False)."""
    result, world = Result(), years_of(world)
    for seed in seeds:
        quiet = live(world, np.random.default_rng([seed, 0]))
        told = judge(seen_by_service(quiet))
        result.limits.append(told.limit.at)
        years = told.judged.sum(1) / 52
        result.false.add(told.alarms.sum(1), years)
        result.false_with_fdr.add(told.with_fdr.sum(1), years)
        for name, low in textbook(quiet).items() if teams else ():
            result.textbook.setdefault(name, Tally()).add(low[:, -JUDGED_WEEKS:].sum(1), years)
        _people_fall(result, world, seed)
        if teams:
            _teams_fall(result, world, seed)
    return result


def _people_fall(result: Result, world: World, seed: int) -> None:
    kept, first = np.ones((world.n_people, world.n_weeks)), world.n_weeks - JUDGED_WEEKS
    team, member = np.divmod(np.arange(world.n_people), world.team_size)
    whom = {size: np.flatnonzero((member == 0) & (team % 3 == place)) for size, _, place in FALLS}
    for size, week, _ in FALLS:
        kept[whom[size], first + week : first + week + WITHIN_WEEKS] = 1 - size
    rng = np.random.default_rng([seed, 1])
    told = judge(seen_by_service(fallen(live(world, rng), kept, rng)))
    for size, week, _ in FALLS:
        span = slice(week, week + WITHIN_WEEKS)
        judged = told.judged[whom[size], span].any(1)
        hit = told.alarms[whom[size], span][judged]
        result.found.setdefault(size, Tally()).add(hit.any(1), np.ones(judged.sum()))
        found = told.with_fdr[whom[size], span][judged].any(1)
        result.found_with_fdr.setdefault(size, Tally()).add(found, np.ones(judged.sum()))
        result.waited.setdefault(size, []).extend((hit[hit.any(1)].argmax(1) + 1).tolist())


STANDS, FALL, BEFORE, CHANCE = "the signal stands", "weeks of the fall", "of them before the signal", "without the fall"
"""Where alarms of people whose team falls are counted: while a signal of the team stands, until the last window has
let go of the fall; in the weeks of the fall; in those that no signal covers; in the same weeks had nothing fallen."""


def _teams_fall(result: Result, world: World, seed: int) -> None:
    kept, first = np.ones((world.n_people, world.n_weeks)), world.n_weeks - JUDGED_WEEKS
    team = np.arange(world.n_people) // world.team_size
    for size, week, place in TEAM_FALLS:
        kept[team % 3 == place, first + week : first + week + WITHIN_WEEKS] = 1 - size
    rng = np.random.default_rng([seed, 2])
    weeks = live(world, rng)
    quiet, told = judge(seen_by_service(weeks)), judge(seen_by_service(fallen(weeks, kept, rng)))
    for size, week, place in TEAM_FALLS:
        whom, long = np.flatnonzero(team % 3 == place), slice(week, week + 2 * WITHIN_WEEKS)
        span = slice(week, week + WITHIN_WEEKS)
        counted = {
            STANDS: (told, long, told.shared[whom, long]),
            FALL: (told, span, True),
            BEFORE: (told, span, ~told.shared[whom, span]),
            CHANCE: (quiet, span, True),
        }
        for name, (world_of, weeks_of, where) in counted.items():
            alarms, judged = (told_of[whom, weeks_of] & where for told_of in (world_of.alarms, world_of.judged))
            result.team_personal.setdefault(name, {}).setdefault(size, Tally()).add(alarms.sum(1), judged.sum(1) / 52)
        teams = np.unique(team[whom])
        teams = teams[teams < len(told.team_alarms)]
        found = told.team_alarms[teams, span].any(1)
        result.team_found.setdefault(size, Tally()).add(found, np.ones(len(teams)))


def textbook(weeks: Weeks) -> dict[str, np.ndarray]:
    """Where limits as books give them alarm, each at every crossing (a sum starts again after its alarm).

    z = (week - own mean) / own SD of 52 weeks that end 8 weeks before, the company's week divided out.
    """
    x = np.where(weeks.counts > 0, weeks.counts, np.nan)
    x = x / np.nanmean(x, axis=0)
    z = np.full(x.shape, np.nan)
    for week in range(60, x.shape[1]):
        base = x[:, week - 60 : week - 8]
        z[:, week] = (x[:, week] - np.nanmean(base, axis=1)) / np.nanstd(base, axis=1)
    step = np.nan_to_num(z)
    raised = {"z < -2": z < -2, "CUSUM(.5, 5)": z < -np.inf, "EWMA(.2), L = 2.7": z < -np.inf}
    cusum, ewma = np.zeros(len(z)), np.zeros(len(z))
    for week in range(60, step.shape[1]):
        cusum, ewma = np.maximum(cusum - step[:, week] - 0.5, 0), 0.8 * ewma + 0.2 * step[:, week]
        raised["CUSUM(.5, 5)"][:, week] = cusum > 5
        raised["EWMA(.2), L = 2.7"][:, week] = ewma < -2.7 * np.sqrt(0.2 / 1.8)
        cusum, ewma = np.where(cusum > 5, 0, cusum), np.where(raised["EWMA(.2), L = 2.7"][:, week], 0, ewma)
    return raised
