"""Every learner from the same folds of people: what each says of people it has not seen, and the score of everybody.

Input: the person-period rows of one cause and the fold of each. Output: one ``Crossed`` per learner; ``models.learn``
puts them together to kinds of models, calibrates and chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from models.calibration import level_between
from models.encode import Codes, Design
from models.prior import Belief, fit_line, fit_published
from models.scores import BaseScore, BoostedScore, Growth, Rows, Score, design_of

EVERYBODY = -1
"""In the place of a fold: nobody is left out."""


@dataclass(frozen=True)
class Crossed:
    """One learner: a score per fold, what each said of the people left out, and the score learned from everybody.

    Folds that share a level (``levelled``) are calibrated with it, but not judged by it: it has seen those left out.
    """

    folds: tuple[Score, ...]
    log_odds: np.ndarray
    final: Score
    levelled: np.ndarray | None = None

    @property
    def told(self) -> np.ndarray:
        """What the folds' scores say of the people left out."""
        return self.log_odds if self.levelled is None else self.levelled


@dataclass(frozen=True)
class Taught:
    """Rows to learn from. The columns of a line cost more than the line, and several learners share them."""

    rows: Rows
    codes: Codes

    @cached_property
    def design(self) -> Design:
        """The columns of a line, learned from these rows."""
        return design_of(self.rows, self.codes)


@dataclass(frozen=True)
class Folded:
    """The rows of one cause with the fold (n,) of each, from 0; ``tell`` is called for each score made."""

    rows: Rows
    fold: np.ndarray
    codes: Codes
    n_folds: int
    workers: int
    tell: Callable[[], None]

    @cached_property
    def taught(self) -> tuple[Taught, ...]:
        """What is left when each fold is left out, and last (``EVERYBODY``) everything."""
        rest = (Taught(self.rows.take(self.fold != f), self.codes) for f in range(self.n_folds))
        return (*rest, Taught(self.rows, self.codes))

    def crossed(self, learn: Callable[[int, Rows], Score]) -> tuple[tuple[Score, ...], np.ndarray]:
        """Return each fold's score, ``learn(fold, left_out)``, and what they say of the people left out."""
        log_odds, scores = np.empty(len(self.rows.row)), []
        left_out = [self.rows.take(self.fold == f) for f in range(self.n_folds)]
        with ThreadPoolExecutor(self.workers) as pool:  # both learners let go of the interpreter while they work
            for f, score in enumerate(pool.map(learn, range(self.n_folds), left_out)):
                log_odds[self.fold == f] = left_out[f].log_odds_of(score)
                scores.append(score)
                self.tell()
        return tuple(scores), log_odds


def base_only(people: Folded) -> Crossed:
    """The rate of everybody, for everybody.

    Rates that leave out a fold each would rank the folds, and with a handful of leavers that looks like knowledge: the
    fold with few leavers so far gets the higher rate, and has those to come.
    """
    log_odds = np.empty(len(people.rows.row))
    for f in range(people.n_folds):
        left_out = BaseScore.fit(people.rows.take(people.fold != f))
        log_odds[people.fold == f] = people.rows.take(people.fold == f).log_odds_of(left_out)
    everybody = BaseScore.fit(people.rows)
    return Crossed((everybody,) * people.n_folds, log_odds, everybody)


def published(people: Folded, base: Crossed, *, edges: Sequence[int]) -> Crossed:
    """The published effects, moved by the exits of the other folds; the folds share one level (see ``base_only``).

    At it as many exits are expected of the people left out as by the score of everybody: slopes learned from others
    spread them further, and at the same middle that would be more. Columns that show no construct leave the base rate.
    """
    rows, everybody = people.rows, fit_published(people.rows, people.taught[EVERYBODY].design, edges=edges)
    if not everybody.coefficient.size:
        return base
    log_odds, told, scores = np.empty(len(rows.row)), np.empty(len(rows.row)), []
    for f in range(people.n_folds):
        score = fit_published(people.taught[f].rows, people.taught[f].design, edges=edges)
        left_out, shared = rows.take(people.fold == f), replace(score, intercept=everybody.intercept)
        log_odds[people.fold == f], told[people.fold == f] = left_out.log_odds_of(score), left_out.log_odds_of(shared)
        scores.append(shared)
    level = level_between(told, rows.log_odds_of(everybody), rows.weight)
    levelled = tuple(replace(score, intercept=everybody.intercept + level) for score in scores)
    return Crossed(levelled, log_odds, everybody, told + level)


def line(people: Folded, beliefs: Sequence[Belief]) -> Crossed:
    """The line over all columns, with the belief that says most of people left out."""

    def learned(f: int, belief: Belief) -> Score:
        return fit_line(people.taught[f].rows, people.taught[f].design, belief=belief)

    found = [people.crossed(lambda f, _, belief=belief: learned(f, belief)) for belief in beliefs]  # type: ignore[misc]
    best = min(range(len(found)), key=lambda i: float(loss(people.rows, found[i][1]).sum()))
    return Crossed(*found[best], learned(EVERYBODY, beliefs[best]))


def trees(people: Folded, growth: Growth) -> Crossed:
    """Trees; the folds stop where the people left out stop gaining."""
    scores, log_odds = people.crossed(
        lambda f, left_out: BoostedScore.fit(people.taught[f].rows, people.codes, growth=growth, held_out=left_out)
    )
    # Everybody together carries a tenth more trees.
    rounds = max(1, round(1.1 * float(np.mean([score.n_rounds for score in scores]))))  # type: ignore[attr-defined]
    return Crossed(scores, log_odds, BoostedScore.fit(people.rows, people.codes, growth=replace(growth, rounds=rounds)))


def loss(rows: Rows, log_odds: np.ndarray) -> np.ndarray:
    """Return the weighted log loss of each entry."""
    return np.asarray(rows.weight * (np.logaddexp(0.0, log_odds) - rows.exits * log_odds))
