"""A feed that stops is told from people who fall silent; a feed with a rhythm is measured by that rhythm."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features.feeds import holes, silences
from features.tables import canonical

AS_OF = date(2025, 6, 30)
FIRST = date(2024, 1, 1)
PEOPLE = [f"E{i:02d}" for i in range(24)]
SITE = {one: f"S{i % 3}" for i, one in enumerate(PEOPLE)}


def tables(*, stop=None, who=None, kind=None, drop=None, rhythm=91):
    """24 people in three sites; a message and a mail each working day, a survey every quarter, hours every month end.

    ``stop``: day from which the interactions of ``who`` (of ``kind``) are missing; ``drop``: (table, first, last) lost.
    """
    days = [FIRST + timedelta(days=d) for d in range((AS_OF - FIRST).days + 1)]
    work = [d for d in days if d.weekday() < 5]
    acts = [(p, d, k) for p in PEOPLE for d in work for k in ("message", "email")]
    acts = pl.DataFrame(acts, schema=["employee_id", "happened_on", "kind"], orient="row")
    if stop:
        gone = (pl.col("happened_on") >= stop) & pl.col("employee_id").is_in(who or PEOPLE)
        acts = acts.filter(~(gone & (pl.col("kind").is_in([kind] if kind else ["message", "email"]))))
    waves = [FIRST + timedelta(days=d) for d in range(20, len(days), rhythm)]
    answers = [(p, d + timedelta(days=i % 5), "pay", 3.0) for d in waves for i, p in enumerate(PEOPLE)]
    ends = [d for d in days if (d + timedelta(days=1)).day == 1]
    made = {
        "employees": pl.DataFrame({"employee_id": PEOPLE, "hired_on": date(2020, 1, 1)}),
        "positions": pl.DataFrame(
            {"employee_id": PEOPLE, "happened_on": date(2020, 1, 1), "location": [SITE[p] for p in PEOPLE]}
        ),
        "interactions": acts,
        "surveys": pl.DataFrame(answers, schema=["employee_id", "happened_on", "item", "score"], orient="row"),
        "attendance": pl.DataFrame(
            [(p, d, 160.0) for p in PEOPLE for d in ends], schema=["employee_id", "happened_on", "hours"], orient="row"
        ),
    }
    if drop:
        name, first, last = drop
        made[name] = made[name].filter(~pl.col("happened_on").is_between(first, last))
    return made


def told(made, as_of=AS_OF):
    return [(s.table, s.part, s.place, s.since, len(s.people)) for s in silences(canonical(made), as_of)]


@pytest.mark.parametrize("back", [0, 45, 120, 250])
def test_feeds_that_speak_in_their_own_rhythm_are_not_silent(back):
    assert told(tables(), AS_OF - timedelta(days=back)) == []


def test_a_feed_that_stops_for_everybody_is_told_once():
    assert told(tables(stop=date(2025, 6, 2))) == [("interactions", "", "", date(2025, 5, 31), 24)]


def test_a_feed_that_stops_for_one_site_concerns_its_people_alone():
    here = [p for p in PEOPLE if SITE[p] == "S1"]
    (one,) = silences(canonical(tables(stop=date(2025, 6, 2), who=here)), AS_OF)
    assert (one.table, one.column, one.place, one.people) == ("interactions", "location", "S1", frozenset(here))
    assert "location S1 since 2025-05-31" in one.text()


def test_a_channel_that_stops_is_told_by_its_name():
    assert told(tables(stop=date(2025, 6, 2), kind="email")) == [("interactions", "email", "", date(2025, 5, 31), 24)]


def test_one_person_who_falls_silent_is_no_silent_feed():
    assert told(tables(stop=date(2025, 5, 1), who=["E00"])) == []


def test_a_feed_that_comes_in_drops_is_fallen():
    made = tables()
    late = pl.col("happened_on") > AS_OF - timedelta(days=29)
    some = pl.Series(np.random.default_rng(0).random(made["interactions"].height) < 0.1)
    made["interactions"] = made["interactions"].filter(~late | some)
    (one,) = silences(canonical(made), AS_OF)
    assert one.table == "interactions"
    assert 0 < one.came < 0.2 * one.expected


def test_a_survey_is_not_missed_before_its_rhythm_is_over_by_far():
    last = date(2025, 1, 1)
    made = tables(drop=("surveys", last, AS_OF))
    assert told(made, date(2025, 2, 15)) == []
    assert [name for name, *_ in told(made, AS_OF)] == ["surveys"]


def test_what_is_known_later_than_the_day_changes_nothing():
    made = tables(stop=date(2025, 5, 1))
    later = tables()["interactions"].filter(pl.col("happened_on") >= date(2025, 5, 1))
    undated = made["interactions"].with_columns(known_on=pl.lit(None, dtype=pl.Date))
    more = pl.concat([undated, later.with_columns(known_on=pl.lit(AS_OF + timedelta(days=5)))])
    late, corrected = canonical({**made, "interactions": undated}), canonical({**made, "interactions": more})
    assert silences(late, AS_OF) == silences(corrected, AS_OF)


def test_a_month_that_is_missing_in_the_past_is_visible():
    for name in ("interactions", "attendance"):
        (hole,) = holes(canonical(tables(drop=(name, date(2024, 9, 1), date(2024, 9, 30)))), AS_OF)
        assert hole.table == name
        assert hole.first <= date(2024, 9, 1) < date(2024, 9, 30) <= hole.last
    assert holes(canonical(tables()), AS_OF) == []


def test_a_hole_is_told_in_a_sentence_with_its_days_and_what_was_to_be_expected():
    (hole,) = holes(canonical(tables(drop=("interactions", date(2024, 9, 1), date(2024, 9, 30)))), AS_OF)
    assert hole.text().startswith("Hole in interactions: (almost) no rows from 2024-08-31 to 2024-09-30, ")
    assert "Import them" in hole.text()


def test_a_feed_with_few_days_has_no_rhythm_to_be_late_for():
    made = tables()
    made["attendance"] = made["attendance"].filter(pl.col("happened_on") > AS_OF - timedelta(days=200))
    assert [hole.table for hole in holes(canonical(made), AS_OF)] == []


def test_long_waits_that_come_again_and_again_are_a_rhythm_and_no_holes():
    """A questionnaire of four weekly waves after each half-year is not broken in between."""
    made = tables()
    days = [date(2022, 1, 3) + timedelta(days=182 * half + 7 * wave) for half in range(6) for wave in range(4)]
    answers = [(one, day, "pay", 3.0) for one in PEOPLE for day in days]
    made["surveys"] = pl.DataFrame(answers, schema=["employee_id", "happened_on", "item", "score"], orient="row")
    assert [hole for hole in holes(canonical(made), AS_OF) if hole.table == "surveys"] == []


def test_a_feed_that_has_not_begun_yet_is_neither_silent_nor_broken():
    made = tables()
    later = canonical({**made, "surveys": made["surveys"].filter(pl.col("happened_on") > date(2025, 3, 1))})
    assert silences(later, date(2025, 2, 1)) == []
    assert holes(later, date(2025, 2, 1)) == []


def test_among_hardly_any_settled_people_silence_is_not_judged():
    few = PEOPLE[:3]
    made = {name: frame.filter(pl.col("employee_id").is_in(few)) for name, frame in tables().items()}
    made["interactions"] = made["interactions"].filter(pl.col("happened_on") < date(2025, 3, 1))
    assert told(made) == []


def test_a_short_pause_of_a_lively_feed_is_no_hole():
    """Two weeks around New Year, in which little was to be expected of a monthly feed."""
    made = tables(drop=("interactions", date(2024, 12, 24), date(2025, 1, 2)))
    assert holes(canonical(made), AS_OF) == []
