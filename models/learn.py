"""Learning a risk model from landmark rows: people in folds, every kind of model from the same folds.

Input: one row per (person, as_of) with what was known then, and how long the person was seen to stay. Output: one
calibrated ``RiskModel`` per kind, the models of each fold, and what each said of people it had not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from models.calibration import PRIOR_EXITS, Calibration, HeldOut, fit_calibration, identity, level_between
from models.encode import Codes, Design, usable_columns
from models.interval import Doubt, spread_of_folds
from models.person_period import OTHER, STAY, VOLUNTARY, PersonPeriod, expand
from models.prior import LEVEL_SD, fit_published, unseen_sd
from models.quiet import drawn
from models.risk import Hazard, RiskModel
from models.scores import BaseScore, Belief, BoostedScore, Growth, LinearScore, Rows, Score, design_of

KINDS = ("base", "prior", "linear", "blend", "boosted")
"""From the simplest to the freest: nobody known, published effects, a line, a mean of line and trees, trees."""
SHARES = {"blend": {"linear": 2 / 3, "boosted": 1 / 3}}
"""In the blend the line counts twice: with some hundreds of exits it keeps better from one year to the next."""
STANDARD_ERRORS = 2.0
"""How much worse than the best, in standard errors, a simpler kind may look before it is passed over."""
SPREAD_ROWS = 500
"""On so many rows it is measured how far the folds' trees are apart."""
CONTRADICTION_ERRORS = 1.0
"""How much worse than the base rate, in standard errors, the published effects may look before they are dropped."""


@dataclass(frozen=True)
class Settings:
    """How to learn. ``edges`` in days; ``beliefs`` are pairs (lean, sd) tried on people left out (``scores.Belief``);
    ``directions`` says per column which way the risk is expected to go when it rises; ``kinds`` of ``KINDS`` are
    learned, and what none of them is made of costs nothing. Of rows that saw nobody leave about ``most_quiet`` teach
    (``models.quiet``)."""

    edges: tuple[int, ...] = (30, 90, 180, 270, 365)
    reference_days: int = 180
    folds: int = 4
    beliefs: tuple[tuple[float, float], ...] = ((0.01, 0.03), (0.01, 0.1))
    directions: Mapping[str, int] = field(default_factory=dict)
    max_rounds: int = 400
    min_exits: int = 20
    recent_days: float = 365.0
    most_quiet: int = 60_000
    workers: int = 2
    seed: int = 0
    kinds: tuple[str, ...] = KINDS


@dataclass(frozen=True)
class Landmarks:
    """Landmark rows to learn from; all arrays have one entry per row.

    ``time`` days to exit or end of observation, ``event`` 0/1/2 (``models.person_period``), ``follow_up`` days for
    which the row could be observed, ``person`` an id, ``as_of_day`` a day number.
    """

    rows: pd.DataFrame
    time: np.ndarray
    event: np.ndarray
    follow_up: np.ndarray
    person: np.ndarray
    as_of_day: np.ndarray

    def take(self, mask: np.ndarray) -> Landmarks:
        """Return the rows where ``mask`` is true."""
        arrays = (a[mask] for a in (self.time, self.event, self.follow_up, self.person, self.as_of_day))
        return Landmarks(self.rows.loc[mask].reset_index(drop=True), *arrays)


@dataclass(frozen=True)
class Fitted:
    """The models by kind, the folds' models by kind, each person's fold, and what people left out say of each kind.

    ``held_out_loss`` is the mean log loss over people the scores had not seen; ``kind`` is the simplest kind whose
    loss is within two standard errors (of the difference, over people) of the best.
    """

    models: dict[str, RiskModel]
    fold_models: dict[str, tuple[RiskModel, ...]]
    fold_of: dict[str, int]
    held_out_loss: dict[str, float]
    kind: str


def plain_landmarks(rows: pd.DataFrame, time: Sequence[float], event: Sequence[int]) -> Landmarks:
    """Return one landmark per person for data that knows nothing but (X, time, event)."""
    t, e = np.asarray(time, dtype=float), np.asarray(event, dtype=int)
    nobody_left = np.where(e > 0, np.inf, t)
    return Landmarks(rows.reset_index(drop=True), t, e, nobody_left, np.arange(len(t)).astype(str), np.zeros(len(t)))


def fit_hazards(
    landmarks: Landmarks, settings: Settings, *, progress: Callable[[str, int, int], None] | None = None
) -> Fitted:
    """Return calibrated models of every kind, learned in folds of people.

    When fewer than ``min_exits`` people left of their own accord under observation every kind but ``prior`` is the base
    rate: a model that has learned from so few says nothing that the base rate would not. The published effects need
    no exits, and are then taken as they are, without a calibration that would be learned from the same few.
    """
    fold_of = assign_folds(landmarks.person, n_folds=settings.folds, seed=settings.seed)
    landmarks, copies = _without_quiet(landmarks, settings)
    codes = Codes.fit(landmarks.rows, usable_columns(landmarks.rows, landmarks.as_of_day))
    values = codes.transform(landmarks.rows)
    periods = expand(landmarks.time, landmarks.event, settings.edges, follow_up=landmarks.follow_up)
    voluntary = _Cause.of(landmarks, values, periods, VOLUNTARY, copies=copies, settings=settings)
    fold = np.array([fold_of[p] for p in landmarks.person])[voluntary.rows.row]
    taught = _Taught.by_fold(voluntary.rows, fold, codes, n_folds=settings.folds)

    tell = progress or (lambda step, done, total: None)
    enough = voluntary.people_who_left >= settings.min_exits
    crossed = (
        _cross_fit_all(voluntary, taught, fold, settings=settings, tell=tell)
        if enough
        else _base_only(voluntary, fold, settings)
    )
    if "prior" in settings.kinds:
        crossed["prior"] = _published(crossed["base"], voluntary, taught, fold=fold, settings=settings)
    other = _other_hazard(
        _Cause.of(landmarks, values, periods, OTHER, copies=copies, settings=settings), codes, settings
    )

    def model(parts: tuple[tuple[float, Score], ...], calibration: Calibration, doubt: Doubt) -> RiskModel:
        return RiskModel(codes, settings.edges, settings.reference_days, Hazard(parts, calibration), other, doubt)

    models, fold_models, losses = {}, {}, {}
    for kind in settings.kinds:
        shares = SHARES.get(kind, {kind: 1.0}) if enough or kind == "prior" else {"base": 1.0}
        members = [(share, crossed[name]) for name, share in shares.items()]
        log_odds = np.sum([share * member.log_odds for share, member in members], axis=0)
        told = np.sum([share * member.told for share, member in members], axis=0)
        as_it_is = kind == "prior" and not enough
        calibration = identity(len(settings.edges)) if as_it_is else voluntary.calibrate(told, settings)
        doubt = voluntary.doubt(members, calibration, codes, published=kind == "prior", as_it_is=as_it_is)
        models[kind] = model(tuple((share, member.final) for share, member in members), calibration, doubt)
        fold_models[kind] = tuple(
            model(tuple((share, member.folds[f]) for share, member in members), calibration, doubt)
            for f in range(settings.folds)
        )
        losses[kind] = voluntary.loss_by_person(log_odds)
    mean_loss = {kind: float(loss.sum() / voluntary.rows.weight.sum()) for kind, loss in losses.items()}
    return Fitted(models, fold_models, fold_of, mean_loss, simplest_of_the_best(losses))


def _without_quiet(landmarks: Landmarks, settings: Settings) -> tuple[Landmarks, np.ndarray]:
    """Return the rows that teach, and of how many rows each is one. Whoever left at all keeps every row of theirs:
    the mean number of rows from which an exit is seen (``landmarks_per_exit``) stays what it was."""
    kept, copies = drawn(landmarks.event == STAY, landmarks.as_of_day, most=settings.most_quiet, seed=settings.seed)
    return (landmarks, copies) if kept.all() else (landmarks.take(kept), copies[kept])


def simplest_of_the_best(losses: Mapping[str, np.ndarray]) -> str:
    """Return the first kind of ``KINDS`` that is not worse than the best by more than two standard errors over people.

    ``base`` is passed over unless it is better than ``prior`` by more than one standard error: what hundreds of firms
    have shown need not be proved again by each of them, and must only not be contradicted by its own people.

    ``losses`` holds each person's summed loss (n_people,) per kind. The rule of Breiman et al. (1984, section 3.4.3)
    takes one standard error; two, because people left out share their months and teams with people that taught, which
    flatters the more flexible kind. Without the rule the choice between equals would be a coin flip.
    """
    best = min(losses, key=lambda kind: losses[kind].sum())
    for kind in (kind for kind in KINDS if kind in losses and not (kind == "base" and _published_holds(losses))):
        worse = losses[kind] - losses[best]
        if worse.sum() <= STANDARD_ERRORS * np.sqrt(len(worse)) * worse.std():
            return kind
    return best


def _published_holds(losses: Mapping[str, np.ndarray]) -> bool:
    if "prior" not in losses or np.array_equal(losses["prior"], losses["base"]):
        return False
    worse = losses["prior"] - losses["base"]
    return bool(worse.sum() <= CONTRADICTION_ERRORS * np.sqrt(len(worse)) * worse.std())


def assign_folds(person: np.ndarray, *, n_folds: int, seed: int) -> dict[str, int]:
    """Return each person's fold: all rows of a person in one, folds of equal size, the same for the same seed."""
    people = np.unique(person)
    shuffled = np.random.default_rng(seed).permutation(len(people))
    return dict(zip(people.tolist(), (shuffled % n_folds).tolist(), strict=True))


@dataclass(frozen=True)
class _Crossed:
    """One learner: a score per fold, what each said of the people left out, and the score learned from everybody.

    Folds that share a level (``levelled``) are calibrated with it, but not judged by it: it has seen those left out.
    """

    folds: tuple[Score, ...]
    log_odds: np.ndarray
    final: Score
    levelled: np.ndarray | None = None

    @property
    def told(self) -> np.ndarray:
        return self.log_odds if self.levelled is None else self.levelled


def _base_only(cause: _Cause, fold: np.ndarray, settings: Settings) -> dict[str, _Crossed]:
    """The rate of everybody, for everybody.

    Rates that leave out a fold each would rank the folds, and with a handful of leavers that looks like knowledge: the
    fold with few leavers so far gets the higher rate, and has those to come.
    """
    log_odds = np.empty(len(cause.rows.row))
    for f in range(settings.folds):
        left_out = BaseScore.fit(cause.rows.take(fold != f))
        log_odds[fold == f] = cause.rows.take(fold == f).log_odds_of(left_out)
    everybody = BaseScore.fit(cause.rows)
    return {"base": _Crossed((everybody,) * settings.folds, log_odds, everybody)}


@dataclass(frozen=True)
class _Taught:
    """Rows to learn from. The columns of a line cost more than the line, and several learners share them."""

    rows: Rows
    codes: Codes

    @cached_property
    def design(self) -> Design:
        return design_of(self.rows, self.codes)

    @classmethod
    def by_fold(cls, rows: Rows, fold: np.ndarray, codes: Codes, *, n_folds: int) -> tuple[_Taught, ...]:
        """Return what is left when each fold is left out, and last everything."""
        return (*(cls(rows.take(fold != f), codes) for f in range(n_folds)), cls(rows, codes))


def _published(
    base: _Crossed, cause: _Cause, taught: Sequence[_Taught], *, fold: np.ndarray, settings: Settings
) -> _Crossed:
    """The published effects, moved by the exits of the other folds; the folds share one level (see ``_base_only``).

    At it as many exits are expected of the people left out as by the score of everybody: slopes learned from others
    spread them further, and at the same middle that would be more. Columns that show no construct leave the base rate.
    """
    everybody = fit_published(cause.rows, taught[-1].design, edges=settings.edges)
    if not everybody.coefficient.size:
        return base
    log_odds, told, scores = np.empty(len(cause.rows.row)), np.empty(len(cause.rows.row)), []
    for f in range(settings.folds):
        score = fit_published(taught[f].rows, taught[f].design, edges=settings.edges)
        left_out, shared = cause.rows.take(fold == f), replace(score, intercept=everybody.intercept)
        log_odds[fold == f], told[fold == f] = left_out.log_odds_of(score), left_out.log_odds_of(shared)
        scores.append(shared)
    level = level_between(told, cause.rows.log_odds_of(everybody), cause.rows.weight)
    levelled = tuple(replace(score, intercept=everybody.intercept + level) for score in scores)
    return _Crossed(levelled, log_odds, everybody, told + level)


def _cross_fit_all(
    cause: _Cause,
    taught: Sequence[_Taught],
    fold: np.ndarray,
    *,
    settings: Settings,
    tell: Callable[[str, int, int], None],
) -> dict[str, _Crossed]:
    codes = taught[-1].codes
    needed = {name for kind in settings.kinds for name in SHARES.get(kind, {kind: 1.0})}
    done, total = 0, settings.folds * (("linear" in needed) * len(settings.beliefs) + ("boosted" in needed))
    text = set(codes.category_positions())
    directions = [0 if j in text else settings.directions.get(c, 0) for j, c in enumerate(codes.columns)]
    beliefs = [Belief(np.array(directions, dtype=float), *belief) for belief in settings.beliefs]
    growth = Growth(tuple(directions), settings.seed)

    def crossed(learn: Callable[[_Taught, Rows], Score]) -> tuple[tuple[Score, ...], np.ndarray]:
        nonlocal done
        log_odds, scores = np.empty(len(cause.rows.row)), []
        with ThreadPoolExecutor(settings.workers) as pool:  # both learners let go of the interpreter while they work
            left_out = [cause.rows.take(fold == f) for f in range(settings.folds)]
            for f, score in enumerate(pool.map(learn, taught[: settings.folds], left_out)):
                log_odds[fold == f] = left_out[f].log_odds_of(score)
                scores.append(score)
                done += 1
                tell("learning", done, total)
        return tuple(scores), log_odds

    out = _base_only(cause, fold, settings)
    if "linear" in needed:
        lines = [
            crossed(lambda rest, _, belief=belief: LinearScore.fit(rest.rows, rest.design, belief=belief))  # type: ignore[misc]
            for belief in beliefs
        ]
        best = min(range(len(lines)), key=lambda i: cause.loss(lines[i][1]))
        out["linear"] = _Crossed(*lines[best], LinearScore.fit(cause.rows, taught[-1].design, belief=beliefs[best]))
    if "boosted" in needed:
        trees = crossed(
            lambda rest, left_out: BoostedScore.fit(
                rest.rows, codes, growth=growth, n_rounds=settings.max_rounds, held_out=left_out
            )
        )
        # The folds stop where the people left out stop gaining; everybody together carries a tenth more trees.
        rounds = max(1, round(1.1 * float(np.mean([s.n_rounds for s in trees[0]]))))  # type: ignore[attr-defined]
        final = BoostedScore.fit(cause.rows, codes, growth=growth, n_rounds=rounds)
        out["boosted"] = _Crossed(*trees, final)
    return out


@dataclass(frozen=True)
class _Cause:
    """The rows of one cause against staying, and where each came from."""

    rows: Rows
    closed_day: np.ndarray
    person: np.ndarray
    people_who_left: int

    @classmethod
    def of(
        cls,
        landmarks: Landmarks,
        values: np.ndarray,
        periods: PersonPeriod,
        cause: int,
        *,
        copies: np.ndarray,
        settings: Settings,
    ) -> _Cause:
        p = periods.take((periods.outcome == cause) | (periods.outcome == STAY))
        ends = p.outcome == cause
        speaks_for = copies[p.row]
        weight = speaks_for / landmarks_per_exit(landmarks)
        rows = Rows(
            values,
            landmarks.as_of_day,
            p.row,
            p.interval,
            ends.astype(float),
            weight,
            speaks_for,
            len(settings.edges),
        )
        closed = landmarks.as_of_day[p.row] + np.asarray(settings.edges)[p.interval]
        _, person = np.unique(landmarks.person[p.row], return_inverse=True)
        return cls(rows, closed, person, len(set(person[ends].tolist())))

    def loss(self, log_odds: np.ndarray) -> float:
        return float(self.loss_by_person(log_odds).sum())

    def loss_by_person(self, log_odds: np.ndarray) -> np.ndarray:
        loss = self.rows.weight * (np.logaddexp(0.0, log_odds) - self.rows.exits * log_odds)
        return np.bincount(self.person, weights=loss)

    def doubt(
        self,
        members: Sequence[tuple[float, _Crossed]],
        calibration: Calibration,
        codes: Codes,
        *,
        published: bool,
        as_it_is: bool,
    ) -> Doubt:
        """Return what is not known beside the lines; ``as_it_is``: the level is the prior's, moved by the exits."""
        exits = float(self.rows.weight @ self.rows.exits)
        level_sd = (exits + (1.0 / LEVEL_SD**2 if as_it_is else PRIOR_EXITS)) ** -0.5
        used = np.unique(self.rows.row)
        some = self.rows.values[used[:: max(1, len(used) // SPREAD_ROWS)]]
        said = np.sum([share * member.final.log_odds(some).mean(axis=1) for share, member in members], axis=0)
        trees = [(share, member) for share, member in members if isinstance(member.final, BoostedScore)]
        apart = [share * spread_of_folds(np.stack([s.log_odds(some) for s in m.folds])) for share, m in trees]
        trees_sd = calibration.slope * float(sum(apart))
        hazard = Hazard(tuple((share, member.final) for share, member in members), calibration)
        variance = (calibration.slope * said).var() + hazard.variance(some).mean() + trees_sd**2
        own_line = published and not isinstance(members[0][1].final, BaseScore)
        unseen = unseen_sd(codes.columns, line_variance=None if own_line else float(variance))
        return Doubt(level_sd, unseen, trees_sd)

    def calibrate(self, log_odds: np.ndarray, settings: Settings) -> Calibration:
        seen = HeldOut(log_odds, self.rows.interval, self.rows.exits, self.rows.weight, self.closed_day)
        return fit_calibration(seen, n_intervals=len(settings.edges), recent_days=settings.recent_days)


def landmarks_per_exit(landmarks: Landmarks) -> float:
    """Return from how many landmark rows of a person the same exit is seen, on average; 1 when nobody left."""
    left = landmarks.person[landmarks.event == VOLUNTARY]
    return len(left) / len(set(left.tolist())) if len(left) else 1.0


def _other_hazard(cause: _Cause, codes: Codes, settings: Settings) -> Hazard:
    """Dismissals, retirements and ends of contract: a competing exit, so a plain, strongly shrunk model is enough."""
    enough = cause.people_who_left >= settings.min_exits
    nothing_expected = Belief(np.zeros(len(codes.columns)), lean=0.0, sd=0.05)
    score: Score = BaseScore.fit(cause.rows)
    if enough:  # no interval is told of it, so its doubt need not travel
        score = replace(LinearScore.fit(cause.rows, design_of(cause.rows, codes), belief=nothing_expected), factor=None)
    return Hazard(((1.0, score),), identity(len(settings.edges)))
