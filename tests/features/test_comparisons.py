"""Standing among others and means over those who began at the same time, against the plain definition."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.comparisons import means_around, standing
from features.engine import Frame

PEOPLE = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(["a", "b", None]),
        st.integers(0, 900),
        st.sampled_from([None, 1, 2, 7]),
    ),
    min_size=1,
    max_size=30,
)
Person = tuple[int, str | None, int, int | None]


def framed(people: list[Person]) -> Frame:
    columns = ("place", "family", "day", "value")
    frame = pl.DataFrame(
        [(f"p{i}", *one) for i, one in enumerate(people)],
        schema=["employee_id", *columns],
        schema_overrides={"value": pl.Int64, "family": pl.String},
        orient="row",
    )
    return nw.from_native(frame.lazy())


def read(frame: Frame, name: str) -> dict[str, float | None]:
    rows = nw.to_native(frame).collect()
    return dict(rows.select("employee_id", name).rows())


def others(people: list[Person], i: int) -> list[Person]:
    return [one for j, one in enumerate(people) if j != i and one[:2] == people[i][:2] and one[3] is not None]


@given(PEOPLE)
@settings(deadline=None, max_examples=60)
def test_the_mean_is_over_others_of_the_group_who_began_within_reach(people: list[Person]) -> None:
    told = read(means_around(framed(people), ["value"], ["family"], day="day", reach=180), "value_around")
    for i, one in enumerate(people):
        near = [other[3] for other in others(people, i) if abs(other[2] - one[2]) <= 180]
        expected = sum(near) / len(near) if one[1] is not None and len(near) >= 2 else None
        assert told.get(f"p{i}") == (None if expected is None else pytest.approx(expected, abs=1e-6))


@given(PEOPLE)
@settings(deadline=None, max_examples=60)
def test_standing_is_the_share_of_others_with_less_and_half_of_the_equal(people: list[Person]) -> None:
    told = read(standing(framed(people), "value", ["family"], name="standing"), "standing")
    for i, one in enumerate(people):
        values = [other[3] for other in others(people, i)]
        if one[1] is None or one[3] is None or len(values) < 4:
            assert told.get(f"p{i}") is None
            continue
        below = sum((value < one[3]) + 0.5 * (value == one[3]) for value in values)
        assert told[f"p{i}"] == pytest.approx(below / len(values))
