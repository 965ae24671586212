"""What care did, from rows whose truth is known: effects come out, and hidden choice is noticed."""

import numpy as np
import pytest

from training.effect_actions import TOGETHER, judge_actions


def test_an_action_that_helps_is_told_from_one_that_does_nothing(some_trials):
    found = judge_actions(some_trials, placebo="card")
    talk, card = found.records["talk"], found.records["card"]
    assert talk.verdict == "helps"
    assert talk.adjusted.log_ratio == pytest.approx(-0.4, abs=0.25)
    assert talk.unadjusted.value > talk.value, "care went to the worried"
    assert card.verdict in ("no_effect_seen", "cannot_tell_yet")
    assert not any(test.flagged for test in found.tests)
    assert found.together.name == TOGETHER
    assert card.value > found.together.value > talk.value


def test_people_who_are_chosen_again_and_again_without_a_recorded_reason_are_noticed(draw_trials):
    found = judge_actions(draw_trials(hidden=0.9), placebo=None)
    assert {t.name for t in found.tests if t.flagged} >= {"chosen_again"}
    assert {arm.verdict for arm in found.records.values()} == {"not_identified"}


def test_what_a_coin_decided_is_believed_where_the_rest_is_not(draw_trials):
    found = judge_actions(draw_trials(24_000, hidden=0.9, coin=0.4, seed=1))
    assert found.records["talk"].verdict == "not_identified"
    assert found.best("talk").verdict == "helps"
    assert found.best("talk").why[0] == "randomised"
    assert found.best("talk").adjusted.log_ratio == pytest.approx(-0.4, abs=0.2)


def test_a_rare_action_is_not_estimated(draw_trials):
    rows = draw_trials()
    few = np.flatnonzero(rows.arm == 0)[20:]
    rows.arm[few] = -1
    assert set(judge_actions(rows).records) == {"talk"}
