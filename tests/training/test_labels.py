"""What became of people, drawn as small tables."""

from datetime import date

import polars as pl

from features.tables import canonical
from training.labels import exit_events, labels_close_on, outcomes

D = date


HIRED = (("e1", D(2020, 1, 1)),)
YEAR_END = D(2024, 12, 31)


def records(exits, employees=HIRED):
    return canonical(
        {
            "employees": pl.DataFrame(employees, schema={"employee_id": pl.String, "hired_on": pl.Date}, orient="row"),
            "exits": pl.DataFrame(
                exits,
                schema={"employee_id": pl.String, "happened_on": pl.Date, "kind": pl.String, "known_on": pl.Date},
                orient="row",
            ),
        }
    )


def spine(*rows):
    schema = {"employee_id": pl.String, "as_of": pl.Date, "hired_on": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row")


def ends(exits, *rows, closed_on=YEAR_END):
    r = records(exits)
    out = outcomes(spine(*rows), exit_events(r, closed_on=closed_on), closed_on=closed_on)
    return out.select("as_of", "time", "event", "follow_up").rows()


def test_the_event_is_the_notice_and_not_the_last_day():
    exits = [("e1", D(2024, 6, 30), "voluntary", D(2024, 5, 12))]
    assert ends(exits, ("e1", D(2024, 3, 31), D(2020, 1, 1))) == [(D(2024, 3, 31), 42.0, 1, 275.0)]


def test_without_a_notice_it_is_taken_thirty_days_before_the_last_day_and_for_others_on_it():
    voluntary = [("e1", D(2024, 6, 30), "voluntary", None)]
    retired = [("e1", D(2024, 6, 30), "retirement", None)]
    assert ends(voluntary, ("e1", D(2024, 4, 30), D(2020, 1, 1)))[0][1:3] == (31.0, 1)
    assert ends(retired, ("e1", D(2024, 4, 30), D(2020, 1, 1)))[0][1:3] == (61.0, 2)


def test_an_exit_recorded_late_happened_when_it_happened():
    exits = [("e1", D(2024, 6, 30), "voluntary", D(2024, 9, 1))]
    assert ends(exits, ("e1", D(2024, 5, 31), D(2020, 1, 1)))[0][1:3] == (30.0, 1)
    assert ends(exits, ("e1", D(2024, 7, 31), D(2020, 1, 1))) == [], "gone, though nobody knew it yet: teaches nothing"


def test_those_who_are_still_here_are_censored_and_not_negatives():
    assert ends([], ("e1", D(2024, 11, 30), D(2020, 1, 1))) == [(D(2024, 11, 30), 31.0, 0, 31.0)]


def test_an_exit_beyond_the_closing_day_is_not_seen():
    exits = [("e1", D(2025, 2, 1), "voluntary", D(2025, 1, 2))]
    assert ends(exits, ("e1", D(2024, 11, 30), D(2020, 1, 1)))[0][1:3] == (31.0, 0)


def test_an_exit_of_a_former_spell_does_not_end_the_present_one():
    exits = [("e1", D(2021, 6, 30), "voluntary", D(2021, 6, 1)), ("e1", D(2024, 9, 30), "voluntary", D(2024, 9, 1))]
    rehired = ("e1", D(2024, 8, 31), D(2023, 1, 1))
    first_spell = ("e1", D(2021, 5, 31), D(2020, 1, 1))
    assert ends(exits, rehired)[0][1:3] == (1.0, 1)
    assert ends(exits, first_spell)[0][1:3] == (1.0, 1)


def test_a_corrected_kind_counts_as_corrected():
    exits = [("e1", D(2024, 6, 30), "voluntary", D(2024, 6, 1)), ("e1", D(2024, 6, 30), "involuntary", D(2024, 6, 20))]
    assert ends(exits, ("e1", D(2024, 5, 31), D(2020, 1, 1)))[0][1:3] == (1.0, 2), "and the notice stays where it was"


def test_labels_close_a_notice_period_early_where_notices_were_guessed():
    guessed = records([("e1", D(2024, 6, 30), "voluntary", None)])
    given = records([("e1", D(2024, 6, 30), "voluntary", D(2024, 5, 1))])
    assert labels_close_on(guessed, D(2024, 12, 31)) == D(2024, 12, 1)
    assert labels_close_on(given, D(2024, 12, 31)) == D(2024, 12, 31)


def test_order_of_rows_is_kept_and_records_without_exits_censor_everybody():
    rows = [("e1", D(2024, 3, 31), D(2020, 1, 1)), ("e1", D(2024, 1, 31), D(2020, 1, 1))]
    assert [r[0] for r in ends([], *rows)] == [D(2024, 3, 31), D(2024, 1, 31)]
    no_exits = exit_events({}, closed_on=D(2024, 12, 31))
    out = outcomes(spine(*rows), no_exits, closed_on=D(2024, 12, 31))
    assert out["event"].to_list() == [0, 0]
