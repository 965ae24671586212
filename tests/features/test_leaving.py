"""What is known on a day about leaving: drawn as small tables, and nothing that came later."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from features.leaving import FEWEST_SEATS, fill_times, going, not_yet_entered, notice_lags, notices
from features.tables import NOTICE_DAYS, canonical

D = date
AS_OF = D(2026, 6, 30)


def exits(rows):
    schema = {"employee_id": pl.String, "happened_on": pl.Date, "kind": pl.String, "known_on": pl.Date}
    return {"exits": pl.DataFrame(rows, schema=schema, orient="row")}


def test_those_who_go_are_on_record_and_still_here_whatever_the_kind():
    rows = [
        ("a", D(2026, 7, 31), "voluntary", D(2026, 6, 1)),
        ("b", D(2026, 6, 15), "voluntary", D(2026, 5, 1)),  # gone
        ("c", D(2026, 8, 31), "retirement", D(2026, 1, 1)),
        ("d", D(2026, 7, 15), "voluntary", D(2026, 7, 1)),  # not known yet
    ]
    found = going(canonical(exits(rows)), AS_OF)
    assert found.rows() == [("a", D(2026, 7, 31)), ("c", D(2026, 8, 31))]


def test_notices_count_on_the_day_they_became_known_and_never_after_the_last_day():
    rows = [
        ("a", D(2026, 5, 31), "voluntary", D(2026, 5, 1)),
        ("b", D(2026, 5, 20), "voluntary", D(2026, 6, 10)),  # entered late: it happened in May
        ("c", D(2026, 5, 20), "involuntary", D(2026, 5, 20)),
    ]
    records = canonical(exits(rows))
    assert notices(records, AS_OF, start=D(2026, 4, 30), end=D(2026, 5, 31)) == 2
    assert notices(records, D(2026, 6, 5), start=D(2026, 4, 30), end=D(2026, 5, 31)) == 1


def test_lags_are_those_that_were_written_and_otherwise_the_customary_month():
    rows = [("a", D(2026, 5, 31), "voluntary", D(2026, 4, 1)), ("b", D(2026, 6, 1), "voluntary", None)]
    assert notice_lags(canonical(exits(rows)), AS_OF).tolist() == [60]
    assert notice_lags(canonical(exits(rows[1:])), AS_OF).tolist() == [NOTICE_DAYS]
    assert notice_lags({}, AS_OF).tolist() == [NOTICE_DAYS]


def test_exits_that_nobody_entered_yet_are_counted_by_how_late_the_older_ones_came():
    late = [
        (f"p{i}", AS_OF - timedelta(days=200 + i), "voluntary", AS_OF - timedelta(days=180 + i)) for i in range(300)
    ]
    missing = not_yet_entered(canonical(exits(late)), AS_OF)
    assert missing == pytest.approx(20 * 300 / 320, rel=0.02), "one a day, each entered twenty days later"
    early = [(e, day, kind, day - timedelta(days=30)) for e, day, kind, _ in late]
    assert not_yet_entered(canonical(exits(early)), AS_OF) == 0.0
    assert not_yet_entered({}, AS_OF) == 0.0


def staffed(n_exits, days_empty):
    """Nurses who left one after the other, each replaced after so many days; cooks of whom one left for ever."""
    first = D(2025, 1, 10)
    left = [first + timedelta(days=20 * i) for i in range(n_exits)]
    hired = [day + timedelta(days=days_empty) for day in left]
    people = [(f"o{i}", D(2020, 1, 1), "nurse") for i in range(n_exits)]
    people += [(f"n{i}", day, "nurse") for i, day in enumerate(hired)] + [("k", D(2020, 1, 1), "cook")]
    gone = [(f"o{i}", day, "voluntary", day) for i, day in enumerate(left)] + [("k", first, "voluntary", first)]
    ids, days, jobs = zip(*people, strict=True)
    posts = {"employee_id": ids, "happened_on": days, "job": jobs}
    return canonical(
        {
            "employees": pl.DataFrame({"employee_id": ids, "hired_on": days}),
            "positions": pl.DataFrame(posts),
            **exits(gone),
        }
    )


def test_time_to_fill_is_learned_per_job_and_borrowed_where_a_job_has_seen_too_little():
    found = fill_times(staffed(FEWEST_SEATS + 4, 35), AS_OF, default_days=60)
    assert (found["nurse"].days, found["nurse"].learned_from) == (35, "job")
    assert "cook" not in found
    assert (found[None].days, found[None].learned_from) == (35, "organisation")
    little = fill_times(staffed(2, 35), AS_OF, default_days=60)
    assert (little[None].days, little[None].learned_from) == (60, "default")
    assert fill_times({}, AS_OF, default_days=70)[None].days == 70


def test_a_seat_that_is_still_empty_counts_as_longer_than_it_has_been():
    records = staffed(FEWEST_SEATS + 6, 35)
    last_hire = D(2025, 1, 10) + timedelta(days=20 * (FEWEST_SEATS + 1) + 35)
    found = fill_times(records, last_hire, default_days=60)["nurse"]
    assert found.days == 35
    assert found.n_seats == FEWEST_SEATS + 2


def test_the_middle_seat_decides_when_every_wait_is_another() -> None:
    records = staffed(FEWEST_SEATS + 4, 35)
    waits = {f"n{i}": timedelta(days=i) for i in range(FEWEST_SEATS + 4)}
    people = records["employees"].with_columns(
        hired_on=pl.struct("employee_id", "hired_on").map_elements(
            lambda one: one["hired_on"] + waits.get(one["employee_id"], timedelta()), return_dtype=pl.Date
        )
    )
    days = fill_times({**records, "employees": people}, AS_OF, default_days=60)["nurse"].days
    assert days == 35 + (FEWEST_SEATS + 4 - 1) // 2
