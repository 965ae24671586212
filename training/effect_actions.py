"""What each care action did, from trials drawn out of records: every arm against those given nothing, with checks.

The same function judges an organisation's records (``training.effect_trials``) and the invented trials of the
benchmark. Beside the checks of any estimate there are four that only records of care allow; each must show nothing
when those who chose went by what is recorded:

    chosen_again       people who had care over a year ago are not chosen again more than their columns explain
    old_care           care that has long ceased to work is not followed by more or fewer exits
    other_exits        dismissals and retirements, which care does not change, are as frequent among the treated
    placebo_action     an action that is not expected to do anything does nothing

The first is by far the sharpest: what decides again and again and is not recorded shows long before exits do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.effect_checks import Test, independent
from training.effect_columns import Coded
from training.effect_estimate import Nuisance, Sample, contrast, estimate, weighted_means
from training.effect_learners import LIMIT, Crossing, crossing, expected
from training.effects import Arm, Question, Worked, judged

CONTROL = "no care then"
TOGETHER = "all care together"
LEVEL = 0.01
"""A check shows something when chance would do so once in a hundred times."""
FEWEST = 30
"""People given an action before anything is estimated."""
PER_ROW = ("arm", "left", "other", "history", "cared_before", "by_coin", "chance")


@dataclass(frozen=True)
class Trials:
    """Rows of trials that began month after month; arrays have one entry per row.

    ``arm`` counts in the order of ``actions``, -1 for nothing; ``left`` and ``other``: voluntary and other exits within
    ``horizon_days`` after the start; ``x``: what was known at the start; ``history`` (n, k): earlier care, which helps
    an estimate and would blunt the checks; ``cared_before``: 1 had care over a year ago and none since, 0 never had,
    NaN cannot be said; ``clusters``: team and person. ``by_coin``: a coin decided, with ``chance``.
    """

    actions: tuple[str, ...]
    arm: np.ndarray
    left: np.ndarray
    other: np.ndarray
    x: Coded
    history: np.ndarray
    cared_before: np.ndarray
    clusters: Sequence[np.ndarray]
    by_coin: np.ndarray
    chance: np.ndarray
    horizon_days: int

    def take(self, kept: np.ndarray) -> Trials:
        """Return the rows where ``kept`` is true."""
        return replace(
            self,
            **{n: getattr(self, n)[kept] for n in PER_ROW},
            x=replace(self.x, x=self.x.x[kept]),
            clusters=tuple(c[kept] for c in self.clusters),
        )


@dataclass(frozen=True)
class Judged:
    """``records``: each action as the records show it; ``coin``: from the cases in which chance decided, if any;
    ``together``: all care as one action, which small organisations can tell first."""

    records: dict[str, Arm]
    coin: dict[str, Arm]
    tests: tuple[Test, ...]
    together: Arm

    def best(self, action: str) -> Arm:
        """Return what may be believed most: the coin's answer once it has one, else the records'."""
        coin = self.coin.get(action)
        return coin if coin is not None and coin.verdict != "cannot_tell_yet" else self.records[action]


def judge_actions(trials: Trials, *, placebo: str | None = None, seed: int = 0) -> Judged:
    """Return every action that was given often enough, judged."""
    whole = _sample(trials, trials.arm >= 0, trials.left, history=True)
    cross = crossing(whole.clusters[0], seed=seed)
    untreated = expected(whole.x, trials.left, trials.arm < 0, cross=cross, yes_or_no=True)
    tests = _shared(trials, seed)
    found, means, told = estimate(whole, about="treated", seed=seed, untreated=untreated)
    all_care = Worked(whole, found, means)
    any_care = np.clip(told.chance, LIMIT, 1 - LIMIT)
    estimated = {}
    for code, action in enumerate(trials.actions):
        if (trials.arm == code).sum() >= FEWEST:
            kept = (trials.arm == code) | (trials.arm < 0)
            sample = replace(whole, treated=trials.arm == code).take(kept)
            chance = _chance_of(code, whole, trials.arm, any_care, cross)
            means = weighted_means(sample, Nuisance(chance[kept], untreated[kept], sample.outcome), about="treated")
            estimated[action] = Worked(sample, contrast(means, sample.clusters, yes_or_no=True), means)
    if placebo in estimated:
        found = estimated[placebo].found
        n = int((trials.arm == trials.actions.index(placebo)).sum() * found.mean_untreated)
        tests.append(Test("placebo_action", found.value / found.error, found.p_value, n, found.p_value < LEVEL))
    question = Question("care", "left", cluster="team")
    x = _with_history(trials)
    together = judged(all_care, x, (TOGETHER, CONTROL), question, tests=tests)
    arms = {}
    for action, worked in estimated.items():
        own = [t for t in tests if not (t.name == "placebo_action" and action == placebo)]
        arms[action] = judged(worked, x, (action, CONTROL), question, tests=own)
    return Judged(arms, _by_coin(trials, seed), tuple(tests), together)


def _chance_of(code: int, whole: Sample, arm: np.ndarray, any_care: np.ndarray, cross: Crossing) -> np.ndarray:
    """Return each row's chance of this action, where it is this one or none.

    Some dozens given one action cannot show what decides about care; all care together can. So the odds of any care are
    multiplied by the share of this action among those who were given some, as told by their columns.
    """
    which = expected(whole.x, (arm == code).astype(float), arm >= 0, cross=cross, yes_or_no=True)
    odds = any_care / (1 - any_care) * which
    return np.asarray(odds / (1 + odds))


def _with_history(trials: Trials) -> Coded:
    k = trials.history.shape[1]
    named = (*trials.x.names, *(f"earlier care {i + 1}" for i in range(k)))
    return Coded(np.column_stack([trials.x.x, trials.history]), named, (*trials.x.of, *("earlier care",) * k))


def _sample(trials: Trials, treated: np.ndarray, outcome: np.ndarray, *, history: bool) -> Sample:
    x = _with_history(trials).x if history else trials.x.x
    return Sample(treated, outcome, x, trials.clusters, np.ones(len(treated)))


def _shared(trials: Trials, seed: int) -> list[Test]:
    """Return the checks that all actions share: whoever chooses for one chooses for the others."""
    given = trials.arm >= 0
    whole = _sample(trials, given, trials.left, history=False)
    chosen = independent(trials.cared_before, given.astype(float), whole, name="chosen_again", level=LEVEL)
    calm = np.where(given, np.nan, trials.cared_before)
    old = independent(calm, trials.left, whole, name="old_care", level=LEVEL)
    n_other = int(trials.other[given].sum())
    if n_other < 10:
        return [chosen, old, Test("other_exits", float("nan"), float("nan"), n_other, False)]
    found, _, _ = estimate(_sample(trials, given, trials.other, history=True), about="treated", seed=seed)
    return [
        chosen,
        old,
        Test("other_exits", found.value / found.error, found.p_value, n_other, found.p_value < LEVEL),
    ]


def _by_coin(trials: Trials, seed: int) -> dict[str, Arm]:
    """Return each action from the cases alone in which a coin decided."""
    coin = trials.take(trials.by_coin)
    out = {}
    for code, action in enumerate(coin.actions):
        kept = (coin.arm == code) | (coin.arm < 0)
        treated = coin.arm[kept] == code
        if treated.sum() < FEWEST or (~treated).sum() < FEWEST:
            continue
        chance = coin.chance[kept]
        # A menu of several actions: the coin's chance of care, shared out among them as they were given.
        chance = chance * treated.sum() / max((coin.arm >= 0).sum(), 1)
        chance = chance / (chance + 1 - coin.chance[kept])
        sample = replace(_sample(coin.take(kept), treated, coin.left[kept], history=True), chance=chance)
        found, means, _ = estimate(sample, about="all", seed=seed)
        question = Question("care", "left", cluster="team", randomised=True)
        names = (action, "held out by the coin")
        out[action] = judged(Worked(sample, found, means), _with_history(coin), names, question)
    return out
