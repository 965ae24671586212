"""Requests in a moving window: never more than allowed within any minute, and nobody waits longer than they must."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.window import Window


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 40)), max_size=60), st.integers(1, 4))
def test_within_any_minute_nobody_passes_more_often_than_they_may(asked: list, most: int) -> None:
    window, now, passed = Window(), 1000.0, {"a": [], "b": []}
    for name, wait in asked:
        now += wait
        recent = [at for at in passed[name] if at > now - 60]
        let, left, until = window.hit(name, most, now=now)
        assert let == (len(recent) < most)
        if let:
            recent.append(now)
            passed[name].append(now)
        assert left == most - len(recent)
        assert until == recent[0] + 60


def test_who_has_not_asked_for_a_minute_is_forgotten() -> None:
    window = Window()
    for n in range(1000):
        window.hit(f"made up {n}", 5, now=float(n) / 100)
    window.hit("somebody", 5, now=200.0)
    assert list(window.passed) == ["somebody"]
