"""What care did, from rows whose truth is known: effects come out, and hidden choice is noticed."""

import numpy as np
import pytest

from training.effect_actions import TOGETHER, Trials, judge_actions
from training.effect_columns import Coded


def trials(n=9000, *, hidden=0.0, coin=0.0, seed=0):
    """Invented: care goes to the worried (recorded) and, with ``hidden``, to people whom nobody could name a reason
    for; "talk" takes a third of the hazard away, "card" does nothing."""
    rng = np.random.default_rng(seed)
    worry, unseen = rng.standard_normal(n), rng.standard_normal(n)
    logit = worry + hidden * unseen
    before = (rng.random(n) < 1 / (1 + np.exp(-(-1.2 + logit)))).astype(float)
    by_coin = rng.random(n) < coin
    given = np.where(by_coin, rng.random(n) < 0.5, rng.random(n) < 1 / (1 + np.exp(-(-1.5 + logit))))
    arm = np.where(given, rng.integers(0, 2, n), -1)
    rate = 0.1 * np.exp(0.6 * worry + 0.5 * unseen - 0.4 * (arm == 1))
    left = rng.random(n) < 1 - np.exp(-rate)
    other = ~left & (rng.random(n) < 0.02)
    return Trials(
        actions=("card", "talk"),
        arm=arm,
        left=left.astype(float),
        other=other.astype(float),
        x=Coded(worry[:, None], ("worry",), ("worry",)),
        history=before[:, None],
        cared_before=before,
        clusters=(rng.integers(0, 400, n), np.arange(n)),
        by_coin=by_coin,
        chance=np.full(n, 0.5),
        horizon_days=180,
    )


def test_an_action_that_helps_is_told_from_one_that_does_nothing():
    found = judge_actions(trials(), placebo="card")
    talk, card = found.records["talk"], found.records["card"]
    assert talk.verdict == "helps"
    assert talk.adjusted.log_ratio == pytest.approx(-0.4, abs=0.25)
    assert talk.unadjusted.value > talk.value, "care went to the worried"
    assert card.verdict in ("no_effect_seen", "cannot_tell_yet")
    assert not any(test.flagged for test in found.tests)
    assert found.together.name == TOGETHER
    assert card.value > found.together.value > talk.value


def test_people_who_are_chosen_again_and_again_without_a_recorded_reason_are_noticed():
    found = judge_actions(trials(hidden=0.9), placebo=None)
    assert {t.name for t in found.tests if t.flagged} >= {"chosen_again"}
    assert {arm.verdict for arm in found.records.values()} == {"not_identified"}


def test_what_a_coin_decided_is_believed_where_the_rest_is_not():
    found = judge_actions(trials(24_000, hidden=0.9, coin=0.4, seed=1))
    assert found.records["talk"].verdict == "not_identified"
    assert found.best("talk").verdict == "helps"
    assert found.best("talk").why[0] == "randomised"
    assert found.best("talk").adjusted.log_ratio == pytest.approx(-0.4, abs=0.2)


def test_a_rare_action_is_not_estimated():
    rows = trials()
    few = np.flatnonzero(rows.arm == 0)[20:]
    rows.arm[few] = -1
    assert set(judge_actions(rows).records) == {"talk"}
