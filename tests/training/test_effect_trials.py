"""Trials out of records, as drawn: who takes part, when it starts, and that nobody is immortal."""

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from features.errors import FixableError
from training.effect_trials import _begun, care_of

MARCH, APRIL, MAY = (pd.Timestamp(2024, m, d) for m, d in ((3, 31), (4, 30), (5, 31)))


def people(*rows):
    """Columns: person, as_of; everybody has been there for five years and is watched for years."""
    frame = pd.DataFrame(rows, columns=["employee_id", "as_of"]).astype({"as_of": "datetime64[us]"})
    return frame.assign(row=range(len(frame)), time=900.0, event=0, follow_up=900.0, tenure_days=1900)


def care(*rows):
    columns = ["employee_id", "happened_on", "action", "status", "note"]
    return care_of({"care_actions": pl.DataFrame(rows, schema=columns, orient="row")}, until=date(2030, 1, 1))


def begun(index, given):
    rows = _begun(index, given, np.random.default_rng(0))
    return {(r.employee_id, r.as_of): r for r in rows.itertuples()}


def test_care_belongs_to_the_last_month_end_before_it_and_blocks_the_next_nine_months():
    index = people(*[(p, day) for p in "AB" for day in (MARCH, APRIL, MAY)])
    rows = begun(index, care(("A", date(2024, 5, 10), "talk", "done", None)))
    assert pd.isna(rows["A", MARCH].action)
    assert rows["A", APRIL].action == "talk"
    assert rows["A", APRIL].wait == 10
    assert ("A", MAY) not in rows, "cared for 21 days ago"
    assert {("B", MARCH), ("B", APRIL), ("B", MAY)} <= set(rows)


def test_what_is_known_is_what_was_known_before_the_agreement():
    index = people(*[(p, day) for p in "AB" for day in (MARCH, APRIL, MAY)])
    agreed, done = ("A", date(2024, 4, 25), "talk", "agreed", None), ("A", date(2024, 5, 10), "talk", "done", None)
    rows = begun(index, care(agreed, done))
    assert rows["A", MARCH].action == "talk"
    assert rows["A", MARCH].wait == 40
    assert ("A", APRIL) not in rows, "care is under way, so no control either"
    assert rows["B", MARCH].wait == 40


def test_those_given_nothing_start_on_a_day_on_which_care_was_done_so_nobody_is_immortal():
    index = people(*[(p, APRIL) for p in ("A", *map(str, range(50)))])
    rows = begun(index, care(("A", date(2024, 5, 10), "talk", "done", None)))
    assert {row.wait for row in rows.values()} == {10}


def test_care_on_the_day_itself_is_known_and_no_treatment_of_that_trial():
    rows = begun(
        people(("A", MARCH), ("A", APRIL)),
        care(("A", date(2024, 4, 30), "talk", "done", None), ("B", date(2024, 6, 1), "talk", "done", None)),
    )
    assert rows["A", MARCH].action == "talk"
    assert ("A", APRIL) not in rows


def test_what_was_agreed_or_declined_is_no_treatment():
    with pytest.raises(FixableError, match="No care action was done"):
        care(("A", date(2024, 5, 10), "talk", "agreed", None), ("A", date(2024, 6, 10), "talk", "declined", None))


def test_earlier_care_is_long_ago_or_too_recent_to_say():
    given = care(
        ("Z", date(2020, 1, 1), "talk", "done", None),
        ("old", date(2023, 2, 1), "talk", "done", None),
        ("mid", date(2023, 6, 20), "talk", "done", None),
    )
    rows = begun(people(("old", APRIL), ("mid", APRIL), ("never", APRIL)), given)
    assert rows["old", APRIL].cared_before == 1
    assert np.isnan(rows["mid", APRIL].cared_before)
    assert rows["never", APRIL].cared_before == 0


def test_a_coin_is_read_from_the_notes_of_both_sides():
    given = care(
        ("A", date(2024, 5, 10), "talk", "done", "decided by a coin; chance 0.3750; draw 7"),
        ("B", date(2024, 5, 12), "talk", "suggested", "decided by a coin: held out; chance 0.3750; draw 7"),
    )
    rows = begun(people(("A", APRIL), ("B", APRIL), ("C", APRIL)), given)
    assert rows["A", APRIL].by_coin
    assert rows["B", APRIL].by_coin
    assert pd.isna(rows["B", APRIL].action)
    assert rows["B", APRIL].wait == 12, "the draw, and as long after it as others waited"
    assert rows["B", APRIL].chance == 0.375
    assert not rows["C", APRIL].by_coin


def test_records_without_care_say_what_to_do():
    with pytest.raises(FixableError, match="no care on record"):
        care_of({}, until=date(2024, 1, 1))
