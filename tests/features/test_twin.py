"""The fast matrix equals its slow twin in every column, on random records with late, corrected and missing facts."""

from __future__ import annotations

import math
from functools import cache

import pytest

from features.matrix import Matrix, matrix
from tests.features import twin_blocks
from tests.features.random_records import AS_OF, OWN, records
from tests.features.twin import Then

SEEDS = (*range(8), 12, 22)
"""Among them those that fill the rare columns."""


@cache
def fast(seed: int) -> Matrix:
    return matrix(records(seed), as_of=AS_OF, own=OWN)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_matrix_equals_the_slow_twin_in_every_column(seed: int) -> None:
    given = records(seed)
    slow = {
        (one, as_of): twin_blocks.row(then, one, OWN)
        for as_of in AS_OF
        for then in [Then(given, as_of)]
        for one in then.people
    }
    rows = {(row["employee_id"], row["as_of"]): row for row in fast(seed).frame.to_dicts()}
    assert sorted(rows) == sorted(slow)
    assert _differences(fast(seed), rows, slow) == []


def _differences(made: Matrix, rows: dict, slow: dict) -> list[str]:
    found = []
    for key, told in slow.items():
        if set(told) != {card.column for card in made.cards}:
            return [f"columns differ: {set(told) ^ {card.column for card in made.cards}}"]
        for column, expected in told.items():
            value = rows[key][column]
            if not _same(value, expected):
                found.append(f"{key} {column}: matrix {value}, twin {expected}")
    return found


def _same(value: object, expected: object) -> bool:
    if isinstance(value, float) and isinstance(expected, int | float):
        return math.isclose(value, expected, rel_tol=1e-6, abs_tol=2e-6)
    return value == expected


def test_the_random_records_fill_every_column_somewhere() -> None:
    """Otherwise the twin would agree about nothing."""
    filled = set()
    for seed in SEEDS:
        frame = fast(seed).frame
        filled |= {column for column in frame.columns if frame[column].null_count() < frame.height}
    unfilled = {column for column in frame.columns if column not in filled}
    never_asked = ("recognition", "belonging", "fairness", "wellbeing", "enps", "intent_to_stay")
    assert unfilled == {f"survey_{i}_{x}" for i in never_asked for x in ("latest", "mean_365d", "change_90d")}
