"""Where the snapshots begin, and who counts: drawn as small tables."""

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from features.errors import FixableError
from features.tables import canonical
from training.fit import Panel, records_begin, satisfies, settings, snapshot_days
from training.plan import Plan, Rule

D = date


FIRST_EXIT, FIRST_FACT = D(2022, 2, 10), D(2022, 1, 5)


def records(first_exit=FIRST_EXIT, first_fact=FIRST_FACT):
    return canonical(
        {
            "employees": pl.DataFrame({"employee_id": ["a"], "hired_on": [D(1999, 1, 1)]}),
            "exits": pl.DataFrame({"employee_id": ["b"], "happened_on": [first_exit], "kind": ["voluntary"]}),
            "positions": pl.DataFrame({"employee_id": ["a"], "happened_on": [first_fact]}),
        }
    )


def panel(**columns):
    rows = pd.DataFrame(columns)
    index = pd.DataFrame({"employee_id": [str(i) for i in range(len(rows))]})
    return Panel(index, rows, (), D(2024, 1, 1))


def test_snapshots_begin_where_exits_and_facts_are_both_on_record_and_not_with_the_oldest_hire():
    assert records_begin(records()) == D(2022, 2, 10)
    assert records_begin(records(first_fact=D(2022, 6, 1))) == D(2022, 6, 1)
    days = snapshot_days(records(), Plan(), closed_on=D(2022, 4, 15))
    assert days == [D(2022, 2, 28), D(2022, 3, 31)]


def test_without_exits_there_is_nothing_to_learn_from_and_the_message_says_what_to_import():
    for exits in ({}, {"exits": records()["exits"].clear()}):
        known = {**{name: frame for name, frame in records().items() if name != "exits"}, **exits}
        with pytest.raises(FixableError, match="no exits"):
            snapshot_days(known, Plan(), closed_on=D(2024, 1, 1))


def test_of_a_long_history_the_last_five_years_are_taken():
    old = records(first_exit=D(1990, 1, 1), first_fact=D(1985, 1, 1))
    days = snapshot_days(old, Plan(), closed_on=D(2024, 6, 30))
    assert (len(days), days[0], days[-1]) == (60, D(2019, 7, 31), D(2024, 6, 30))


def test_snapshots_every_so_many_days_begin_where_the_plan_says():
    plan = Plan(every_days=30, first_as_of=D(2022, 3, 1), last_as_of=D(2022, 5, 5))
    assert snapshot_days(records(), plan, closed_on=D(2023, 1, 1)) == [D(2022, 3, 1), D(2022, 3, 31), D(2022, 4, 30)]


def test_an_unknown_value_satisfies_no_rule_and_no_rules_mean_the_default():
    p = panel(days=[5.0, 40.0, np.nan], site=["x", "y", None])
    assert satisfies(p, [Rule("days", maximum=30)], default=True).tolist() == [True, False, False]
    assert satisfies(p, [Rule("site", values=("x",))], default=False).tolist() == [True, False, False]
    assert satisfies(p, [], default=True).all()
    assert not satisfies(p, [], default=False).any()


def test_labels_are_cut_at_the_origin_for_leavers_and_stayers_alike():
    index = pd.DataFrame(
        {
            "employee_id": ["left", "stays"],
            "as_of": [D(2023, 1, 31), D(2023, 1, 31)],
            "time": [100.0, 300.0],
            "event": [1, 0],
            "follow_up": [300.0, 300.0],
        }
    )
    p = Panel(index, pd.DataFrame({"x": [1.0, 2.0]}), (), D(2023, 11, 27))
    cut = p.landmarks(closed_on=D(2023, 3, 2))
    assert cut.follow_up.tolist() == [30.0, 30.0]
    assert cut.time.tolist() == [30.0, 30.0]
    assert cut.event.tolist() == [0, 0], "the notice of May is not yet known in March"
    whole = p.landmarks(closed_on=D(2023, 11, 27))
    assert whole.event.tolist() == [1, 0]


def test_the_direction_of_a_card_reaches_the_learner():
    from features.matrix import BLOCKS

    cards = tuple(card for block in BLOCKS for card in block.CARDS)
    learned = settings(Plan(), Panel(pd.DataFrame(), pd.DataFrame(), cards, D(2024, 1, 1))).directions
    assert learned["days_since_promotion"] == 1
    assert "department" not in learned
