"""Laws of time, on random organisations: what a row says depends on what was known by its day, and on nothing else."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.matrix import matrix
from tests.features.random_records import AS_OF, OWN, records

FEW = settings(max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate])
"""A smaller seed is no simpler company, so nothing is shrunk."""
SEEDS = st.integers(0, 10_000)
LATE_ARRIVAL = 1_000_000


def known_later(frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    return frame.filter(pl.col("known_on") > as_of)


@given(seed=SEEDS, other=SEEDS, as_of=st.sampled_from(AS_OF))
@FEW
def test_adding_altering_or_deleting_what_is_known_later_changes_no_byte(seed: int, other: int, as_of: date) -> None:
    told = records(seed)
    by_then = {name: frame.filter(pl.col("known_on") <= as_of) for name, frame in told.items()}
    altered = dict(by_then)
    for name, frame in records(other).items():
        later = known_later(frame, as_of).with_columns(pl.col("_seq") + LATE_ARRIVAL)
        if name in altered and altered[name].columns == later.columns:
            altered[name] = pl.concat([altered[name], later])
        elif name not in altered:
            altered[name] = later
    rows = [matrix(given_, as_of=[as_of], own=OWN).frame for given_ in (told, by_then, altered)]
    assert rows[0].equals(rows[1])
    assert rows[0].equals(rows[2])


@given(seed=SEEDS)
@FEW
def test_a_row_alone_equals_the_row_in_a_batch(seed: int) -> None:
    told = records(seed)
    batch = matrix(told, as_of=AS_OF, own=OWN).frame
    for as_of, one in batch.select("as_of", "employee_id").rows()[:: max(1, batch.height // 2)][:2]:
        alone = matrix(told, as_of=[as_of], own=OWN, employees=[one]).frame
        assert alone.equals(batch.filter(pl.col("as_of") == as_of, pl.col("employee_id") == one))


@given(seed=SEEDS)
@FEW
def test_the_order_of_input_rows_does_not_matter(seed: int) -> None:
    told = records(seed)
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=seed) for name, frame in told.items()}
    lazy = {name: frame.lazy() for name, frame in reversed(shuffled.items())}
    rows = matrix(told, as_of=AS_OF, own=OWN).frame
    assert rows.equals(matrix(lazy, as_of=list(reversed(AS_OF)), own=OWN).frame)


@given(seed=SEEDS)
@FEW
def test_the_names_of_people_do_not_matter(seed: int) -> None:
    told = records(seed)
    names = [*(f"p{i:02d}" for i in range(20)), "stranger"]
    random.Random(seed).shuffle(renamed := [f"z{name}" for name in names])
    ids = ("employee_id", "counterpart_id", "manager_id", "reviewer_id", "given_by")
    other = {
        name: frame.with_columns(pl.col(c).replace(names, renamed) for c in ids if c in frame.columns)
        for name, frame in told.items()
    }
    rows = matrix(told, as_of=AS_OF, own=OWN).frame.with_columns(pl.col("employee_id").replace(names, renamed))
    assert rows.sort("as_of", "employee_id").equals(matrix(other, as_of=AS_OF, own=OWN).frame)
