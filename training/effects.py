"""Did it help? The effect of something that some people were given and others were not, on any table with a row each.

    effect(table, treatment="hybrid", outcome="quit", randomised=True)                       a trial
    effect(table, treatment="mentor", outcome="quit", cluster="team", confounders=[...])     records

For a randomised trial the answer is the difference that chance explains; confounders only make it sharper. For records
it is what is left after comparing like with like, and it stands only as far as what decided was recorded: the checks
say how far. Columns measured after the start are refused (``training.effect_columns``).

Not good for: saying what one person would have done; an effect is a mean over many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from features.errors import FixableError
from training.effect_checks import (
    Balance,
    Hidden,
    Overlap,
    Test,
    balance,
    hidden,
    overlap,
    smallest_detectable,
)
from training.effect_columns import Coded, Start, coded, dated_names, given_away, spans, too_late, useless
from training.effect_estimate import About, Estimate, Means, Sample, estimate, unadjusted
from training.effect_reading import Arms, arms_of, censored, follow_up_of, from_dates, outcome_of
from training.effect_survival import HazardRatio, hazard_ratio
from training.effect_units import lost_apart, shares_of, strata_of, unit_of
from training.effect_verdict import FEWEST_CLUSTERS, Ground, verdict
from training.effect_words import Told, told

WHEN = ("before", "after")
CONTROL_FLAG = 0.01
"""A negative control is believed to show something when chance would do so once in a hundred times."""


@dataclass(frozen=True)
class Question:
    """What is asked of a table.

    ``treatment``: the column that says who was given what; ``control`` names the value of those who were given
    nothing (found by itself when it is 0, no, none, control …). ``outcome``: yes or no, 0/1, a number, or the day of
    leaving (blank: stayed). ``confounders``: columns known before the start; None takes every column that can be one
    and names those left out. ``cluster``: teams, say, within which people depend on each other (found by itself where
    whole groups were drawn); ``strata``: columns within which a trial was drawn. ``started_at``, ``measured_on``
    (column → day, or "before" or "after"), ``baseline`` (columns vouched for) and ``late`` tell what was measured
    when. ``days``: days to the outcome or to the end of observation, then ``outcome`` says which; ``horizon_days`` is
    by default how long half of those who stayed were watched in every arm.
    ``negative_controls``: columns that the treatment cannot have moved. ``about``: all, treated or overlap; by default
    all of a randomised trial, those treated otherwise.
    """

    treatment: str
    outcome: str
    confounders: Sequence[str] | None = None
    cluster: str | None = None
    strata: Sequence[str] = ()
    randomised: bool = False
    control: str | None = None
    started_at: date | None = None
    measured_on: Mapping[str, date] = field(default_factory=dict)
    baseline: Sequence[str] = ()
    late: Sequence[str] = ()
    days: str | None = None
    horizon_days: float | None = None
    negative_controls: Sequence[str] = ()
    higher_is_better: bool = False
    about: About | None = None
    seed: int = 0


@dataclass(frozen=True)
class Worked:
    """An estimate with the rows and the weighted means that it came from."""

    sample: Sample
    found: Estimate
    means: Means


@dataclass(frozen=True)
class Arm:
    """One arm against the control: ``unadjusted`` and ``adjusted`` effect, what they rest on, and what may be said.

    ``weighted`` is the effect by weights alone, without a model of the outcome: far from ``adjusted``, one of the two
    models is wrong.
    """

    name: str
    control: str
    n_treated: int
    n_controls: int
    n_clusters: int
    events: int | None
    unadjusted: Estimate
    adjusted: Estimate
    weighted: float
    hazard: HazardRatio | None
    overlap: Overlap
    balance: tuple[Balance, ...]
    hidden: Hidden
    tests: tuple[Test, ...]
    detectable: float
    verdict: str
    why: tuple[str, ...]

    @property
    def value(self) -> float:
        """Return the adjusted effect: treated minus untreated, in the outcome's unit."""
        return self.adjusted.value

    @property
    def interval(self) -> tuple[float, float]:
        """Return its 95 % interval."""
        return self.adjusted.low, self.adjusted.high


@dataclass(frozen=True)
class Answer:
    """One ``Arm`` per arm; which columns were held equal (``used``), which were refused and why, what was noticed."""

    question: Question
    arms: tuple[Arm, ...]
    used: tuple[str, ...]
    refused: Mapping[str, Told]
    remarks: tuple[Told, ...]

    @property
    def arm(self) -> Arm:
        """Return the only arm. Raises ``FixableError`` when there are several."""
        if len(self.arms) != 1:
            raise FixableError("There are several arms.", [f"read .arms: {[arm.name for arm in self.arms]}"])
        return self.arms[0]


def effect(table: pd.DataFrame, **asked: Any) -> Answer:
    """Return the effect of each arm of a treatment on an outcome; ``asked`` are the fields of ``Question``.

    Days may be dates or text like 2024-01-31. Raises ``FixableError`` for columns that are not there, values that
    cannot be read, and confounders that were measured after the start (each named, with how it was noticed).
    """
    question = _asked(asked)
    _refuse_missing(table, question)
    table, dated = from_dates(table, question.outcome, question.started_at, question.horizon_days)
    rows, arms, question, remarks = _readable(table, question)
    outcome, heard, more = _outcome(rows, arms, question)
    chance = shares_of(strata_of(rows, question.strata), arms.code > 0) if question.strata else None
    probe = Sample(arms.code > 0, outcome, np.zeros((len(rows), 0)), (_cluster(rows, question),), heard, chance)
    used, refused = _confounders(rows, question, probe)
    if question.started_at is None and (named := dated_names(used)):
        more = [*more, told("remark.dated", columns=", ".join(named))]
    if open_ := [c for c in spans(used) if c not in question.baseline and c not in question.measured_on]:
        more = [*more, told("remark.spans", columns=", ".join(open_))]
    x = coded(rows, used)
    found = [_arm(arms, i, probe, x, rows, question) for i in range(1, len(arms.names))]
    return Answer(question, tuple(found), tuple(used), refused, (*dated, *remarks, *more))


def _asked(asked: Mapping[str, Any]) -> Question:
    known = {f.name for f in fields(Question)}
    unknown = sorted(set(asked) - known)
    if unknown:
        raise FixableError("An effect is not asked for like this:", [f"{u} (known: {sorted(known)})" for u in unknown])
    when = dict(asked.get("measured_on") or {})
    words = {column: str(day).strip().lower() for column, day in when.items() if str(day).strip().lower() in WHEN}
    days = {column: _day(day, column) for column, day in when.items() if column not in words}
    start = asked.get("started_at")
    more = {
        "measured_on": days,
        "started_at": None if start is None else _day(start, "started_at"),
        "baseline": (*asked.get("baseline", ()), *(c for c, word in words.items() if word == "before")),
        "late": (*asked.get("late", ()), *(c for c, word in words.items() if word == "after")),
    }
    return Question(**{**asked, **more})


def _day(value: Any, name: str) -> date:
    try:
        return pd.Timestamp(value).date()
    except (ValueError, TypeError) as problem:
        raise FixableError(f"{name} must be a day like 2024-01-31, not {value!r}") from problem


def _refuse_missing(table: pd.DataFrame, question: Question) -> None:
    named = [question.treatment, question.outcome, *(question.confounders or ()), *question.negative_controls]
    named += [c for c in (question.cluster, question.days) if c] + list(question.measured_on)
    named += [*question.baseline, *question.late, *question.strata]
    missing = sorted({c for c in named if c not in table.columns})
    if missing:
        raise FixableError(
            "The table does not have these columns:", [*missing, f"it has: {', '.join(map(str, table.columns))}"]
        )
    twice = sorted({str(c) for c in table.columns[table.columns.duplicated()]})
    if twice:
        raise FixableError("Columns of the table have the same name:", twice)
    if question.measured_on and question.started_at is None:
        raise FixableError(
            "measured_on says when columns were measured; started_at is needed to say what that means.",
            ["give started_at: the day on which the first person was treated"],
        )


def _readable(table: pd.DataFrame, question: Question) -> tuple[pd.DataFrame, Arms, Question, list[Told]]:
    """Return the rows that can be compared with their arms, the question with its cluster, and what was noticed."""
    given = table[table[question.treatment].notna()].reset_index(drop=True)
    arms, remarks = arms_of(given[question.treatment], control=question.control), []
    needed = list(
        dict.fromkeys([question.outcome, *(c for c in (question.days, question.cluster) if c), *question.strata])
    )
    known = given[needed].notna().all(axis=1).to_numpy(bool, copy=True)
    n = len(table) - int(known.sum())
    if n:
        blank = [c for c in (question.treatment, *needed) if table[c].isna().any()]
        remarks.append(told("remark.left_out", n=n, of=len(table), what=", ".join(blank)))
        remarks += lost_apart(known, arms)
    if question.strata:
        share = shares_of(strata_of(given, question.strata), arms.code > 0)
        alone = known & ((share == 0) | (share == 1))
        if alone.any():
            remarks.append(told("remark.one_sided", n=int(alone.sum()), strata=", ".join(question.strata)))
        known &= ~alone
    if int(known.sum()) < 10:
        raise FixableError("There are too few rows to compare.", [f"{int(known.sum())} rows have all that is needed"])
    rows, arms = given[known].reset_index(drop=True), Arms(arms.code[known], arms.names)
    if question.cluster is None and question.randomised:
        found, more = unit_of(rows, question.treatment, arms)
        question, remarks = replace(question, cluster=found), [*remarks, *more]
    return rows, arms, question, remarks


def _outcome(rows: pd.DataFrame, arms: Arms, question: Question) -> tuple[np.ndarray, np.ndarray, list[Told]]:
    """Return the outcome, the weight of each row that was heard of, and remarks."""
    y = outcome_of(rows[question.outcome], name=question.outcome)
    if question.days is None:
        return y, np.ones(len(rows)), []
    days = follow_up_of(rows[question.days], y, name=question.days)
    return censored(days, y > 0, arms.code, horizon_days=question.horizon_days)


def _cluster(rows: pd.DataFrame, question: Question) -> np.ndarray:
    if question.cluster is None:
        return np.arange(len(rows))
    return np.unique(rows[question.cluster].astype(str), return_inverse=True)[1]


def _confounders(rows: pd.DataFrame, question: Question, probe: Sample) -> tuple[list[str], dict[str, Told]]:
    """Return the columns to hold equal and those refused. Raises when one that was asked for is refused."""
    taken = {question.treatment, question.outcome, question.days, question.cluster, *question.negative_controls}
    asked = question.confounders is not None
    columns = [c for c in (rows.columns if question.confounders is None else question.confounders) if c not in taken]
    start = Start(question.started_at, question.measured_on, question.baseline, question.late)
    refused = too_late(rows, columns, start)
    empty = useless(rows, [c for c in columns if c not in refused])
    open_ = [c for c in columns if c not in refused and c not in empty]
    doubted = [c for c in open_ if c not in question.baseline and c not in question.measured_on]
    refused |= given_away(rows, doubted, probe, randomised=question.randomised)
    if asked and refused:
        raise FixableError(
            "A confounder must have been measured before the start:",
            [f"{column}: {why}" for column, why in refused.items()]
            + ["leave it out; or, if it was measured before, say so: baseline=… or measured_on=… (--baseline)"],
        )
    return [c for c in open_ if c not in refused], refused | empty


def _arm(arms: Arms, i: int, probe: Sample, x: Coded, rows: pd.DataFrame, question: Question) -> Arm:
    """Return one arm against the control."""
    kept = (arms.code == i) | (arms.code == 0)
    if question.strata:
        share = np.full(len(rows), np.nan)
        share[kept] = shares_of(strata_of(rows[kept], question.strata), arms.code[kept] == i)
        kept &= (share > 0) & (share < 1)
    treated = arms.code[kept] == i
    chance = np.full(int(kept.sum()), treated.mean()) if question.randomised else None
    if question.randomised and question.strata:
        chance = share[kept]
    clusters = tuple(c[kept] for c in probe.clusters)
    sample = Sample(treated, probe.outcome[kept], x.x[kept], clusters, probe.heard[kept], chance)
    about: About = question.about or ("all" if question.randomised else "treated")
    found, means, _ = estimate(sample, about=about, seed=question.seed)
    controls = [_placebo(rows.loc[kept, name], sample, about, question) for name in question.negative_controls]
    hazard = None
    if question.days is not None:
        days = rows.loc[kept, question.days].to_numpy(float)
        event = outcome_of(rows.loc[kept, question.outcome], name=question.outcome) > 0
        hazard = hazard_ratio(days, event, sample, weight=means.weight)
    names = (arms.names[i], arms.names[0])
    return judged(Worked(sample, found, means), x, names, question, tests=controls, hazard=hazard)


def judged(
    worked: Worked,
    x: Coded,
    names: tuple[str, str],
    question: Question,
    *,
    tests: Sequence[Test] = (),
    hazard: HazardRatio | None = None,
) -> Arm:
    """Return an estimate with its checks and its verdict; ``names``: of the arm and of the control."""
    sample, found, means = worked.sample, worked.found, worked.means
    d, heard = sample.treated, sample.heard > 0
    events = int(sample.outcome[heard].sum()) if sample.yes_or_no else None
    ground = Ground(
        found=found,
        n_treated=int(d.sum()),
        n_controls=int((~d).sum()),
        events=events,
        clusters=min(len(np.unique(c)) for c in sample.clusters) if len(d) else FEWEST_CLUSTERS,
        clusters_each=min(len(np.unique(c[side])) for c in sample.clusters for side in (d, ~d)),
        randomised=question.randomised,
        higher_is_better=question.higher_is_better,
        overlap=overlap(sample, means),
        balance=balance(sample, means, x.names),
        hidden=hidden(sample, found, x.of),
        tests=tests,
        detectable=smallest_detectable(found),
    )
    word, why = verdict(ground)
    return Arm(
        name=names[0],
        control=names[1],
        n_treated=ground.n_treated,
        n_controls=ground.n_controls,
        n_clusters=ground.clusters,
        events=events,
        unadjusted=unadjusted(sample),
        adjusted=found,
        weighted=means.weighted,
        hazard=hazard,
        overlap=ground.overlap,
        balance=tuple(ground.balance),
        hidden=ground.hidden,
        tests=tuple(tests),
        detectable=ground.detectable,
        verdict=word,
        why=why,
    )


def _placebo(values: pd.Series, sample: Sample, about: About, question: Question) -> Test:
    """Return whether the treatment 'moved' what it cannot have moved."""
    numbers = outcome_of(values, name=str(values.name))
    known = np.isfinite(numbers)
    part = sample.take(known)
    part = Sample(part.treated, numbers[known], part.x, part.clusters, np.ones(int(known.sum())), part.chance)
    found, _, _ = estimate(part, about=about, seed=question.seed)
    z = found.value / found.error if found.error > 0 else float("nan")
    return Test(str(values.name), z, found.p_value, len(part.treated), found.p_value < CONTROL_FLAG)
