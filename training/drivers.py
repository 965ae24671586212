"""What each driver adds to the forecast: the model learned again without its columns, judged on the same people.

    all columns  −  all but the driver's     what is lost when the driver is left out
    context and the driver  −  context       what the driver brings when nothing else is known but tenure, season, place

Both are paired: the same origins, folds, kind of model, test rows and draws of people. Two drivers that tell the same
story each look as if they could be spared, so read both sides. The intervals say how far the difference would move
with other test people, not with another history to learn from; where there is no difference, one interval in ten sees
one by chance. A difference says what helps to forecast here, not what makes people leave.

Leaving out groups of inputs and learning again: Lei et al. 2018, J. Am. Stat. Assoc. 113:1094, section 6 (LOCO).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.cards import DRIVERS
from features.errors import FixableError
from models.encode import usable_columns
from models.learn import fit_hazards
from training.evaluate import (
    REPLICATES,
    Interval,
    Metric,
    Told,
    auc,
    average_precision,
    difference,
    person_weights,
    told_at,
    with_interval,
)
from training.fit import CHOSEN, Ground, Progress, at_origin, say, settings, tell_as
from training.plan import Plan
from training.splits import Split

METRICS: Mapping[str, Metric] = {"auc": auc, "average_precision": average_precision}
ALL, CONTEXT = "all", "context"
READING = (
    "Lost: all columns minus all but the driver's. Gained: context and the driver minus the context alone. 90 % paired "
    "intervals over people; where there is no difference, one interval in ten sees one by chance. No difference seen "
    "is not no difference: drivers that tell the same story each look as if they could be spared. What helps to "
    "forecast is not what makes people leave."
)
WORSE, BETTER, MIXED, SAME, UNTOLD = VERDICTS = (
    "Worse without",
    "Better without",
    "One measure worse, the other better without",
    "No difference seen",
    "No column could teach",
)
Differences = dict[int, dict[str, Interval]]
"""{horizon in days: {metric: Interval}}"""


@dataclass(frozen=True)
class Contribution:
    """One driver: the names of its columns that could teach, and both differences; positive means that it helps.

    ``alone`` is empty for the context itself. Both are empty when no column of the driver could teach.
    """

    driver: str
    columns: tuple[str, ...]
    left_out: Differences
    alone: Differences


@dataclass(frozen=True)
class Contributions:
    """Every driver in the order of ``DRIVERS``, with what the model of all columns and that of the context reach."""

    plan: Plan
    kinds: tuple[str, ...]
    whole: Differences
    context: Differences
    drivers: tuple[Contribution, ...]

    def table(self) -> pd.DataFrame:
        """One row per driver, horizon, comparison and metric, for a file."""
        rows = [
            (one.driver, len(one.columns), horizon, comparison, metric, found.value, found.low, found.high)
            for one in self.drivers
            for comparison, differences in (("left_out", one.left_out), ("alone", one.alone))
            for horizon, by_metric in differences.items()
            for metric, found in by_metric.items()
        ]
        names = ["driver", "n_columns", "horizon_days", "comparison", "metric", "difference", "low", "high"]
        return pd.DataFrame(rows, columns=names)


def contributions(ground: Ground, *, quick: bool = False, progress: Progress | None = None) -> Contributions:
    """What each driver adds, on the rolling origins of ``fit`` (``training.fit.prepare`` makes the ground).

    At each origin the kind that ``fit`` would choose there is learned again for each set of columns; ``quick`` takes
    the linear model throughout, which costs a fraction. Raises ``FixableError`` when no kind proved itself: nothing can
    be left out of a base rate.
    """
    tell = progress or (lambda step, done, total: None)
    teaching = _teaching_columns(ground)
    sets = _column_sets(teaching)
    chosen = [_choose(ground, split, quick=quick, tell=tell) for split in ground.splits]
    if all(kind == "base" for kind in chosen):
        raise FixableError(
            "Nothing forecasts better than the base rate here, so there is nothing to leave out.",
            ["Judge the linear model all the same: add --quick.", "Or import more history and more tables."],
        )
    said: dict[str, list[pd.DataFrame]] = {name: [] for name in sets}
    done, total = 0, len(sets) * len(ground.splits)
    for split, kind in zip(ground.splits, chosen, strict=True):
        for name, columns in sets.items():
            tell("leaving out", done, total)
            said[name].append(_forecast(ground, split, columns, kind=kind))
            done += 1
    tell("leaving out", done, total)
    predictions = {name: pd.concat(frames, ignore_index=True) for name, frames in said.items()}
    return _compared(ground.plan, tuple(dict.fromkeys(chosen)), teaching, predictions)


def _teaching_columns(ground: Ground) -> dict[str, tuple[str, ...]]:
    """Driver → its columns that could teach at some origin."""
    plan, usable = ground.plan, set[str]()
    for split in ground.splits:
        rows = at_origin(ground.panel, split, plan)[0].landmarks(closed_on=split.origin)
        usable |= set(usable_columns(rows.rows, rows.as_of_day))
    cards = ground.panel.cards
    return {d: tuple(c.column for c in cards if c.driver == d and c.column in usable) for d in DRIVERS}


def _column_sets(teaching: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Name → columns to learn from: all, the context, and two sets for each driver that has columns."""
    every = frozenset(column for columns in teaching.values() for column in columns)
    sets = {ALL: every, CONTEXT: frozenset(teaching[CONTEXT])}
    for driver, columns in teaching.items():
        if columns:
            sets[f"without {driver}"] = every - frozenset(columns)
        if columns and driver != CONTEXT:
            sets[f"alone {driver}"] = sets[CONTEXT] | frozenset(columns)
    return sets


def _choose(ground: Ground, split: Split, *, quick: bool, tell: Progress) -> str:
    """The kind that ``fit`` chooses at this origin, from all columns."""
    if quick:
        return "linear"
    train = at_origin(ground.panel, split, ground.plan)[0].landmarks(closed_on=split.origin)
    step = tell_as(tell, f"choosing at {split.origin}")
    return fit_hazards(train, settings(ground.plan, ground.panel), progress=step).kind


def _forecast(ground: Ground, split: Split, columns: Collection[str], *, kind: str) -> pd.DataFrame:
    """What a model of one kind and some columns says of the test rows of an origin, by folds that left people out.

    Only what teaches is cut: the rules of the plan still see every column.
    """
    plan, panel = ground.plan, ground.panel
    train, test = at_origin(panel, split, plan)
    landmarks = train.landmarks(closed_on=split.origin)
    kept = [column for column in landmarks.rows.columns if column in columns]
    learning = replace(settings(plan, panel), kinds=(kind,))
    fitted = fit_hazards(replace(landmarks, rows=landmarks.rows[kept]), learning)
    return say(fitted, test, plan, split.origin, left_out=True)


def _compared(
    plan: Plan, kinds: tuple[str, ...], teaching: Mapping[str, tuple[str, ...]], said: Mapping[str, pd.DataFrame]
) -> Contributions:
    rows = {name: frame[~frame["apart"].to_numpy()] for name, frame in said.items()}
    horizons = [h for h in plan.horizons_days if _tells_apart(told_at(rows[ALL], h, CHOSEN))]
    told = {name: {h: told_at(frame, h, CHOSEN) for h in horizons} for name, frame in rows.items()}

    def paired(ours: str, theirs: str) -> Differences:
        if ours not in told or theirs not in told:
            return {}
        return {
            h: {name: difference(m, told[ours][h], told[theirs][h], seed=plan.seed) for name, m in METRICS.items()}
            for h in horizons
        }

    def reached(name: str) -> Differences:
        draws = {h: person_weights(told[name][h].person, REPLICATES, plan.seed) for h in horizons}
        return {h: {n: with_interval(m, told[name][h], draws[h]) for n, m in METRICS.items()} for h in horizons}

    found = (
        Contribution(driver, columns, paired(ALL, f"without {driver}"), paired(f"alone {driver}", CONTEXT))
        for driver, columns in teaching.items()
    )
    return Contributions(plan, kinds, reached(ALL), reached(CONTEXT), tuple(found))


def _tells_apart(told: Told) -> bool:
    """Whether somebody left and somebody stayed within the horizon: otherwise there is no ranking to judge."""
    return 0 < float(np.sum(told.left)) < len(told.left)


def verdict(found: Mapping[str, Interval]) -> str:
    """What leaving a driver out does, in words that claim no more than the intervals hold."""
    if not found:
        return UNTOLD
    worse = any(interval.low > 0 for interval in found.values())
    better = any(interval.high < 0 for interval in found.values())
    return MIXED if worse and better else WORSE if worse else BETTER if better else SAME
