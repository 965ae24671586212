"""Which model may speak: proof of what was learned here, no contradiction of what was published."""

from __future__ import annotations

import pytest

from training.evaluate import Interval
from training.promote import gates, published_gates

LEVEL = Interval(1.0, 0.7, 1.4)


def told(auc: Interval, *, level: Interval = LEVEL, brier: float = 0.05) -> dict[str, Interval]:
    return {"auc": auc, "observed_over_expected": level, "brier": Interval(brier, brier, brier)}


def test_a_learned_model_needs_exits_a_ranking_and_a_better_forecast_than_the_base_rate() -> None:
    base = told(Interval(0.5, 0.5, 0.5), brier=0.06)
    good = told(Interval(0.7, 0.6, 0.8))
    assert all(gate.passed for gate in gates(good, base, 30))
    assert not all(gate.passed for gate in gates(good, base, 19))
    assert not all(gate.passed for gate in gates(told(Interval(0.6, 0.45, 0.7)), base, 30))
    assert not all(gate.passed for gate in gates(told(Interval(0.7, 0.6, 0.8), brier=0.07), base, 30))


@pytest.mark.parametrize(
    ("auc", "passed"),
    [(Interval(0.6, 0.3, 0.9), True), (Interval(0.45, 0.2, 0.6), True), (Interval(0.3, 0.1, 0.45), False)],
)
def test_published_effects_speak_until_who_left_contradicts_them(auc: Interval, passed: bool) -> None:
    assert all(gate.passed for gate in published_gates(told(auc), 4)) is passed


def test_published_effects_are_not_believed_where_the_level_is_far_off() -> None:
    assert not all(g.passed for g in published_gates(told(Interval(0.6, 0.3, 0.9), level=Interval(4.0, 2.5, 6.0)), 9))


def test_where_nobody_left_nothing_contradicts_them() -> None:
    (gate,) = published_gates(None, 0)
    assert gate.passed
