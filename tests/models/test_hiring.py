"""The ledger: seats fall empty after the notice, small groups are merged, hires suffice, days are days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from features.leaving import Fill
from models.forecast import Shock
from models.hiring import (
    LEDGER_COLUMNS,
    Outlook,
    gone_already,
    ledger,
    ledger_rows,
    month_ends_after,
    seats_empty,
)  # fmt: skip
from models.small_groups import Post

AS_OF = date(2026, 10, 31)
ENDS = month_ends_after(AS_OF, 3)
FILLS = {None: Fill(60, 0, "default"), "nurse": Fill(45, 20, "job")}


def outlook(posts, chance=0.1, going=None):
    n = len(posts)
    last = [None] * n
    for i, day in (going or {}).items():
        last[i] = day
    chances = np.tile([chance / 3, chance * 2 / 3, chance], (n, 1))
    chances[[i for i, day in enumerate(last) if day]] = np.nan
    judged = [day is None for day in last]
    return Outlook(AS_OF, posts, judged, chances, last, ENDS, FILLS)


def test_a_month_that_has_begun_ends_with_its_own_last_day():
    assert month_ends_after(date(2026, 12, 17), 2) == [date(2026, 12, 31), date(2027, 1, 31)]
    assert month_ends_after(date(2026, 12, 31), 3) == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)]


def test_seats_fall_empty_a_notice_period_after_the_notice():
    notices = np.array([[0.05, 0.10]])
    seats = seats_empty(notices, [60, 120], [30, 90, 150, 400], lags=np.array([30]))
    assert seats[0] == pytest.approx([0.0, 0.05, 0.10, 0.10])
    mixed = seats_empty(notices, [60, 120], [60], lags=np.array([0, 60]))
    assert mixed[0, 0] == pytest.approx(0.025, rel=0.02)


def test_leavers_whom_nobody_entered_are_added_to_every_month():
    chances = gone_already(np.array([[0.0, 0.1], [0.0, 0.1]]), 0.2)
    assert chances == pytest.approx(np.array([[0.1, 0.19], [0.1, 0.19]]))


def test_a_line_counts_those_who_go_in_full_and_hires_only_grow():
    people = [Post("Care", "t", "nurse")] * 30
    going = {0: date(2026, 11, 12), 1: date(2027, 1, 15)}
    (line,) = ledger(outlook(people, going=going), Shock(), min_group=5)
    assert (line.n_people, line.n_going, line.expected) == (30, 2, 5)
    assert [month[3] for month in line.months] == sorted(month[3] for month in line.months)
    assert line.months[0][1] >= 1
    assert line.low <= line.expected <= line.high <= line.hires + 1
    assert (line.fill_days, line.fill_from) == (45, "job")
    assert (line.needed_by, line.search_from) == (date(2026, 11, 30), AS_OF), "that time has passed already"


def test_nobody_expected_means_nobody_to_hire_and_no_day():
    (line,) = ledger(outlook([Post("Care", "t", "cook")] * 6, chance=0.0), Shock(), min_group=5)
    assert (line.hires, line.needed_by, line.search_from, line.fill_days) == (0, None, None, 60)
    assert ledger_rows([line.to_dict()]) == []


def test_a_later_need_begins_its_search_as_many_days_earlier_as_the_job_takes_to_fill():
    few = replace(outlook([Post("Care", "t", "nurse")] * 20), chances=np.tile([0.0, 0.0, 0.1], (20, 1)))
    (line,) = ledger(few, Shock(), min_group=5)
    assert line.needed_by == ENDS[2]
    assert line.search_from == date(2026, 12, 17)


def test_a_higher_level_means_more_hires():
    people = [Post("Care", "t", "nurse")] * 40
    low, high = (ledger(outlook(people), Shock(), min_group=5, factor=f)[0].hires for f in (0.5, 2.0))
    assert low < high


def test_rows_for_a_spreadsheet_hold_each_step_of_the_need_once():
    people = [Post("Care", "t", "nurse")] * 40
    (line,) = ledger(outlook(people, chance=0.2), Shock(), min_group=5)
    rows = ledger_rows([line.to_dict()])
    assert set(rows[0]) == set(LEDGER_COLUMNS)
    assert [row["hires_by_then"] for row in rows] == sorted({month[3] for month in line.months} - {0})
    assert rows[-1]["hires_by_then"] == rows[-1]["hires_in_all"] == line.hires


def test_the_whole_is_never_a_line_unless_it_is_all_there_is():
    people = [Post("Care", "t", "nurse")] * 20 + [Post("Lab", "u", "tech")] * 20
    lines = ledger(outlook(people), Shock(), min_group=5)
    assert {(line.department, line.job) for line in lines} == {("Care", "nurse"), ("Lab", "tech")}
    assert sum(line.n_people for line in lines) == 40
