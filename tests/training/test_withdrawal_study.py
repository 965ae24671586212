"""The study of withdrawal: rows of records give the same scores as the weeks they were written from."""

from __future__ import annotations

import numpy as np
import pytest

from training.withdrawal_real import closed_on, on_records, seen, written_out
from training.withdrawal_study import (
    BEFORE,
    CHANCE,
    FALL,
    STANDS,
    Tally,
    judge,
    seen_by_service,
    study,
    textbook,
    years_of,
)
from training.withdrawal_world import World, fallen, live

SMALL = World(n_people=40, team_size=5)


def test_rows_of_records_give_the_scores_of_the_weeks_they_were_written_from() -> None:
    weeks = live(years_of(SMALL), np.random.default_rng(5))
    from_rows = seen(written_out(weeks, np.random.default_rng(6)), closed_on(weeks), n_judged=104)
    straight = seen_by_service(weeks)
    np.testing.assert_array_equal(from_rows.scores, straight.scores)
    np.testing.assert_array_equal(from_rows.team_scores, straight.team_scores)
    assert judge(from_rows).limit == judge(straight).limit


def test_falls_put_into_rows_are_found() -> None:
    weeks = live(years_of(SMALL), np.random.default_rng(8))
    told = on_records(written_out(weeks, np.random.default_rng(6)), closed_on(weeks), n_judged=52, seed=1)[0.05]
    assert told.found[0.5].rate()[0] >= 0.5
    assert told.alarms.rate()[0] < 0.2


@pytest.mark.slow
def test_the_study_keeps_its_bars_on_a_small_company() -> None:
    result = study(World(n_people=200), [77])
    assert result.false.rate()[0] < 0.1
    assert result.found[0.5].rate()[0] >= 0.7
    assert result.team_personal[STANDS][0.5].rate()[0] == 0
    assert result.team_personal[FALL][0.5].rate()[0] <= 0.3
    assert sum(sum(map(np.sum, result.team_personal[name][0.5].of)) for name in (STANDS, BEFORE, CHANCE)) > 0


def test_a_fall_put_into_weeks_leaves_all_else_as_it_was() -> None:
    weeks = live(SMALL, np.random.default_rng(3))
    kept = np.ones(weeks.counts.shape)
    kept[:8, 100:200] = 0.7
    less = fallen(weeks, kept, np.random.default_rng(4))
    assert np.array_equal(less.counts[8:], weeks.counts[8:])
    assert (less.counts <= weeks.counts).all()
    share = less.counts[:8, 100:200].sum() / weeks.counts[:8, 100:200].sum()
    assert share == pytest.approx(0.7, abs=0.02)


def test_textbook_limits_alarm_on_nothing_more_often_than_stated() -> None:
    weeks = live(years_of(World(n_people=60)), np.random.default_rng(9))
    per_year = {name: alarms[:, -104:].mean() * 52 for name, alarms in textbook(weeks).items()}
    assert min(per_year.values()) > 0.1


def test_an_interval_holds_its_rate() -> None:
    tally = Tally()
    tally.add([1, 0, 0, 1], [2, 2, 2, 2])
    value, low, high = tally.rate()
    assert low <= value == 0.25 <= high
