"""The order of outreach: within capacity, by a coin that can be looked up, and urgent people first."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import FixableError
from models.outreach import chance_of, draw_outreach, held_out, note_of

DAY = date(2026, 3, 31)
PEOPLE = st.lists(st.text("abc123", min_size=1, max_size=4), unique=True, max_size=15)


@given(people=PEOPLE, capacity=st.integers(0, 20), seed=st.integers(0, 99), data=st.data())
def test_everybody_has_one_place_and_no_more_are_chosen_than_there_is_time_for(people, capacity, seed, data):
    urgent = data.draw(st.lists(st.sampled_from(people), unique=True)) if people else []
    order = draw_outreach(people, capacity=capacity, on=DAY, seed=seed, urgent=urgent)
    assert sorted(r.employee_id for r in order) == sorted(people)
    assert sum(r.chosen for r in order) == min(len(people), max(capacity, len(urgent)))
    assert {r.employee_id for r in order[: len(urgent)]} == set(urgent)
    again = draw_outreach(people[::-1], capacity=capacity, on=DAY, seed=seed, urgent=urgent)
    assert again == order, "the order of a list is no matter"


def test_the_coin_is_fair_and_its_chance_is_written_down():
    people = [f"E{i}" for i in range(8)]
    draws = [draw_outreach(people, capacity=3, on=DAY, seed=seed) for seed in range(400)]
    often = sum(any(r.employee_id == "E0" and r.chosen for r in order) for order in draws) / 400
    assert often == pytest.approx(3 / 8, abs=0.07)
    first, last = draws[0][0], draws[0][-1]
    assert first.by_coin
    assert chance_of(note_of(first, seed=0)) == 0.375
    assert held_out(note_of(last, seed=0))
    assert not held_out(note_of(first, seed=0))
    assert chance_of("a note of somebody's") != chance_of("a note of somebody's")


def test_places_for_all_leave_nothing_to_chance():
    order = draw_outreach(["a", "b"], capacity=2, on=DAY, seed=1)
    assert [note_of(r, seed=1) for r in order] == ["", ""]


def test_another_month_is_another_order():
    people = [f"E{i}" for i in range(30)]
    orders = [[r.employee_id for r in draw_outreach(people, capacity=5, on=date(2026, m, 28), seed=1)] for m in (1, 2)]
    assert orders[0] != orders[1]


def test_a_list_that_makes_no_sense_is_refused():
    with pytest.raises(FixableError, match="twice") as refusal:
        draw_outreach(["a", "a"], capacity=-1, on=DAY, seed=1)
    assert len(refusal.value.problems) == 2
