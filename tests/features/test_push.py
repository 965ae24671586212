"""Rows that are posted: every one gets exactly one verdict, whatever stands in it, and the books balance."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.intake.checks import Known
from features.intake.posted import judge, text_of
from features.lake import QUARANTINE, Lake
from features.push import push
from features.tables import TABLES

TODAY = date(2026, 11, 1)
KNOWN = Known(pl.DataFrame({"employee_id": ["A", "B"], "first_hired": [date(2020, 1, 1)] * 2}), TODAY)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(-1e15, 1e15, allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(["A", "B", "2026-01-31", "31/12/2026", "voluntary", "0.5", "=1+1", "\x00", "９"]),
)


def rows_of(table: str) -> st.SearchStrategy[list[dict]]:
    names = st.sampled_from([*TABLES[table].names(), "known_on", "religion", "happend_on"])
    return st.lists(st.dictionaries(names, CELLS, max_size=6), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([name for name in TABLES if name != "protected"]).flatmap(
        lambda t: st.tuples(st.just(t), rows_of(t))
    )
)
def test_a_row_is_good_or_at_fault_and_never_both(case) -> None:
    table, rows = case
    judged = judge(table, rows, KNOWN)
    good = set(judged.checked.good["__index"])
    assert good | set(judged.faults) == set(range(len(rows)))
    assert not good & set(judged.faults)
    assert judged.refused <= set(judged.faults)


@settings(max_examples=40, deadline=None)
@given(rows_of("reviews"), st.permutations(range(8)))
def test_a_row_is_judged_alone(rows, order) -> None:
    whole = judge("reviews", rows, KNOWN)
    shuffled = [i for i in order if i < len(rows)]
    again = judge("reviews", [rows[i] for i in shuffled], KNOWN)
    assert {shuffled[i]: faults for i, faults in again.faults.items()} == whole.faults


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows_of("recognitions"))
def test_every_row_has_one_verdict_and_is_where_it_says(tmp_path_factory, rows) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    people = [{"employee_id": "A", "hired_on": "2020-01-01"}, {"employee_id": "B", "hired_on": "2021-01-01"}]
    push(lake, "employees", people, batch="people", today=TODAY)
    verdicts = push(lake, "recognitions", rows, batch="one", today=TODAY)
    assert [one.row for one in verdicts] == list(range(len(rows)))
    taken = sum(one.state in ("accepted", "corrected") for one in verdicts)
    frame = lake.read(["recognitions"]).get("recognitions")
    assert taken == (frame.select(pl.len()).collect().item() if frame is not None else 0)
    waiting = {one.quarantine_id for one in verdicts if one.state == "quarantined"}
    assert waiting == set(lake.internal(QUARANTINE)["id"])
    assert push(lake, "recognitions", rows, batch="one", today=TODAY) == verdicts


def test_rows_before_anybody_is_known_wait_for_their_people(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    (verdict,) = push(
        lake,
        "skills",
        [{"employee_id": "A", "happened_on": "2026-01-01", "skill": "x", "level": 2}],
        batch="1",
        today=TODAY,
    )
    assert (verdict.state, verdict.faults[0].rule) == ("quarantined", "unknown_employee")


@pytest.mark.parametrize(
    ("cell", "text"),
    [(True, "true"), (None, None), (" a ", "a"), ("", None), (3.5, "3.5"), (10**15, "1" + "0" * 15), (-0.0, "-0.0")],
)
def test_a_json_value_is_the_text_that_a_file_would_hold(cell, text) -> None:
    assert text_of(cell) == text


def test_dates_that_could_be_two_days_are_not_guessed() -> None:
    rows = [
        {"employee_id": "A", "happened_on": "03/04/2026", "rating": 3},
        {"employee_id": "A", "happened_on": "25/04/2026"},
    ]
    assert [judge("reviews", rows, KNOWN).faults[i][0].rule for i in (0, 1)] == ["date", "date"]
