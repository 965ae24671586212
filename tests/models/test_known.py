"""Recorded values as arrays: the same of a few rows as of many, and nothing where nothing is recorded."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.known import FEW, Known

CELL = st.fixed_dictionaries(
    {
        "pay": st.one_of(st.none(), st.floats(-1e9, 1e9), st.just(float("nan")), st.just(float("inf"))),
        "courses": st.one_of(st.none(), st.integers(0, 1000)),
        "moved": st.one_of(st.none(), st.booleans()),
        "site": st.one_of(st.none(), st.sampled_from(["A", "B", ""])),
    }
)
TYPES = {"pay": pl.Float64, "courses": pl.Int64, "moved": pl.Boolean, "site": pl.String}


@settings(max_examples=40, deadline=None)
@given(st.lists(CELL, min_size=FEW + 1, max_size=FEW + 5))
def test_few_rows_are_read_as_many_are(people: list[dict]) -> None:
    index = {"employee_id": [f"e{i}" for i in range(len(people))], "as_of": [date(2026, 1, 1)] * len(people)}
    frame = pl.DataFrame(index).hstack(pl.DataFrame(people, schema=TYPES))
    many = Known.of_frame(frame)
    for i in range(len(people)):
        alone = Known.of_frame(frame[i : i + 1])
        np.testing.assert_array_equal(alone.of(list(TYPES))[0], many.of(list(TYPES))[i])
        np.testing.assert_array_equal(alone.has(list(TYPES))[0], many.has(list(TYPES))[i])
        assert [alone.value(0, c) for c in TYPES] == [many.value(i, c) for c in TYPES]


def test_what_is_not_recorded_and_what_is_no_number_is_told_as_nothing() -> None:
    known = Known.of_people([{"pay": float("nan"), "site": "A"}, {"pay": 2, "site": None}], ["pay", "site", "else"])
    assert [known.value(0, c) for c in known.columns] == [None, "A", None]
    assert [known.value(1, c) for c in ("pay", "site", "unheard of")] == [2.0, None, None]
    assert known.has(["site", "unheard of", "pay"]).tolist() == [[True, False, False], [False, False, True]]
    assert np.isnan(known.of(["unheard of"])).all()
    assert known.only(["site"]).columns == ("site",)


@pytest.mark.parametrize("n", [0, 1, FEW + 1])
def test_without_columns_there_are_still_people(n: int) -> None:
    frame = pl.DataFrame({"employee_id": ["e"] * n, "as_of": [date(2026, 1, 1)] * n})
    assert Known.of_frame(frame).of(["pay"]).shape == (n, 1)
