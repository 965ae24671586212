"""Learning a risk model from landmark rows: people in folds, every kind of model from the same folds.

Input: one row per (person, as_of) with what was known then, and how long the person was seen to stay. Output: one
calibrated ``RiskModel`` per kind, the models of each fold, and what each said of people it had not seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from models.calibration import PRIOR_EXITS, Calibration, HeldOut, fit_calibration, identity
from models.crossfit import Crossed, Folded, base_only, line, loss, published, trees
from models.encode import Codes, usable_columns
from models.interval import Doubt, spread_of_folds
from models.person_period import OTHER, STAY, VOLUNTARY, PersonPeriod, expand
from models.prior import LEVEL_SD, Belief, fit_line, unseen_sd
from models.quiet import drawn
from models.risk import Hazard, RiskModel
from models.scores import BaseScore, BoostedScore, Growth, Rows, Score, design_of

KINDS = ("base", "prior", "blend", "linear", "boosted")
"""From the most cautious to the freest: nobody known, published effects, a mean of line and trees, the line that may
stray from what is published, trees. The mean strays least of the three."""
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
    """How to learn. ``edges`` in days; ``beliefs`` are pairs (lean, sd) tried on people left out (``prior.Belief``);
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
    enough = voluntary.people_who_left >= settings.min_exits
    shares = {k: SHARES.get(k, {k: 1.0}) if enough or k == "prior" else {"base": 1.0} for k in settings.kinds}
    needed = frozenset(name for parts in shares.values() for name in parts)
    text = set(codes.category_positions())
    directions = [0 if j in text else settings.directions.get(c, 0) for j, c in enumerate(codes.columns)]
    n_scores = settings.folds * (("linear" in needed) * len(settings.beliefs) + ("boosted" in needed))
    tell = _counted(progress, n_scores)
    people = Folded(voluntary.rows, fold, codes, settings.folds, settings.workers, tell)
    crossed = _crossed(needed, people, directions, settings)
    other = _other_hazard(
        _Cause.of(landmarks, values, periods, OTHER, copies=copies, settings=settings), codes, settings
    )

    def model(parts: tuple[tuple[float, Score], ...], calibration: Calibration, doubt: Doubt) -> RiskModel:
        return RiskModel(codes, settings.edges, settings.reference_days, Hazard(parts, calibration), other, doubt)

    models, fold_models, losses = {}, {}, {}
    for kind in settings.kinds:
        members = [(share, crossed[name]) for name, share in shares[kind].items()]
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


def _counted(progress: Callable[[str, int, int], None] | None, total: int) -> Callable[[], None]:
    """Return what tells ``progress`` of one more of ``total`` scores each time it is called."""
    done = itertools.count(1)
    return lambda: progress("learning", next(done), total) if progress else None


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


def _crossed(
    needed: Collection[str], people: Folded, directions: Sequence[int], settings: Settings
) -> dict[str, Crossed]:
    """Return the learners that are ``needed``, and what they stand on."""
    out = {"base": base_only(people)}
    if "prior" in needed:
        out["prior"] = published(people, out["base"], edges=settings.edges)
    if "linear" in needed:
        out["linear"] = line(people, [Belief(np.array(directions, float), *belief) for belief in settings.beliefs])
    if "boosted" in needed:
        out["boosted"] = trees(people, Growth(tuple(directions), settings.max_rounds, settings.seed))
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

    def loss_by_person(self, log_odds: np.ndarray) -> np.ndarray:
        return np.bincount(self.person, weights=loss(self.rows, log_odds))

    def doubt(
        self,
        members: Sequence[tuple[float, Crossed]],
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
        plain = fit_line(cause.rows, design_of(cause.rows, codes), belief=nothing_expected, published=False)
        score = replace(plain, factor=None)
    return Hazard(((1.0, score),), identity(len(settings.edges)))
