"""Both sides of a programme, from drawn records: what the same people say, exits, rises, skills that follow."""

from datetime import date, timedelta

import polars as pl
import pytest

from features.errors import FixableError
from training.programmes import Programme, two_sides

START, UNTIL = date(2024, 7, 1), date(2025, 6, 30)
IDS = [f"E{i:02d}" for i in range(40)]


def table(rows, *columns):
    frame = pl.DataFrame(rows, schema=list(columns), orient="row")
    return frame.with_columns(known_on=pl.col("happened_on"), _seq=pl.int_range(pl.len()))


def records():
    employees = pl.DataFrame({"employee_id": IDS, "hired_on": [date(2020, 1, 1)] * 40, "known_on": date(2020, 1, 1)})
    said = [
        (e, day, "growth", s, 1.0, 5.0) for e in IDS for day, s in ((date(2024, 3, 1), 2.0), (date(2024, 12, 1), 3.0))
    ]
    gone = [(e, date(2024, 2, 1), "voluntary") for e in IDS[:8]] + [(IDS[8], date(2025, 2, 1), "voluntary")]
    posts = [(e, date(2020, 1, 1), 1) for e in IDS] + [(e, date(2024, 10, 1), 2) for e in IDS[10:30]]
    done = [(e, "C1", day, "completed") for e in IDS[10:25] for day in (date(2024, 2, 1), date(2024, 9, 1))]
    levels = [(e, date(2023, 6, 1), "sql", 1.0) for e in IDS[10:25]] + [
        (e, date(2024, 10, 1), "sql", 2.0) for e in IDS[10:25]
    ]
    levels += [(e, date(2024, 3, 1), "sql", 1.0) for e in IDS[10:25]]
    return {
        "employees": employees.with_columns(_seq=pl.int_range(pl.len())),
        "surveys": table(said, "employee_id", "happened_on", "item", "score", "scale_min", "scale_max"),
        "exits": table(gone, "employee_id", "happened_on", "kind"),
        "positions": table(posts, "employee_id", "happened_on", "level"),
        "learning": table(done, "employee_id", "course_id", "happened_on", "status"),
        "skills": table(levels, "employee_id", "happened_on", "skill", "level"),
        "courses": pl.DataFrame({"course_id": ["C1"], "skill": ["sql"]}),
    }


@pytest.fixture(scope="module")
def changes():
    return {c.name: c for c in two_sides(records(), Programme("growth talks", START), until=UNTIL)}


def test_the_same_people_say_more_than_before(changes):
    said = changes["growth"]
    assert (said.side, said.n) == ("said", 40)
    assert said.change == pytest.approx(0.25)


def test_fewer_leave_and_more_rise_and_learn_what_stays(changes):
    exits, rises, learned = (changes[n] for n in ("voluntary_exits", "internal_promotions", "training_transfer"))
    assert exits.before > exits.after
    assert exits.high < 0
    assert (rises.before, rises.after) == (0.0, 0.5)
    assert (learned.before, learned.after) == (0.0, 1.0)


def test_a_group_too_small_to_hide_in_is_not_told():
    few = two_sides(records(), Programme("pilot", START, IDS[30:35]), until=UNTIL)
    assert all(c.before is None for c in few)


def test_a_programme_that_has_just_begun_is_not_judged():
    with pytest.raises(FixableError, match="90 days"):
        two_sides(records(), Programme("new", UNTIL - timedelta(days=20)), until=UNTIL)
