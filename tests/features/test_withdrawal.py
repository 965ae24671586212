"""Withdrawal: whose fall it is, how seldom chance alone alarms, and that a score depends on nothing that came later."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features import engine
from features.snapshots import panel
from features.tables import canonical
from features.withdrawal import CARDS, columns
from features.withdrawal.alarms import FURTHER, TEAM_STANDS_WEEKS, Watch, personal, review, shared, watch
from features.withdrawal.limit import Limit, alarms_at, calibrate, chances, false_shares, person_years
from features.withdrawal.weeks import sundays, weekly

MONDAY = date(2022, 1, 3)
N_WEEKS = 130
AS_OF = MONDAY + timedelta(7 * N_WEEKS + 2)
"""The Wednesday after the last Sunday: that week has just been closed."""
TEAMS = 4
PEOPLE = [f"p{i:02d}" for i in range(32)]
Records = dict[str, pl.DataFrame]


def company(kept: dict[str, float], *, weeks: int = 10, kinds: tuple[str, str] = ("message", "message")) -> Records:
    """Two and a half years of 32 people; those in ``kept`` do so much of their usual in the last ``weeks``.

    ``kinds``: what everybody uses before and in the last ``weeks``. Odd people do twice as much as even ones.
    """
    dice = np.random.default_rng(7)
    rows = []
    for i, one in enumerate(PEOPLE):
        for week in range(N_WEEKS):
            late = week >= N_WEEKS - weeks
            n = dice.negative_binomial(30, 30 / (30 + 40 * (1 + i % 2) * (kept.get(one, 1.0) if late else 1.0)))
            rows.append((one, MONDAY + timedelta(7 * week + week % 5), kinds[late], int(n)))
    start = [MONDAY - timedelta(900)] * len(PEOPLE)
    return canonical(
        {
            "employees": pl.DataFrame({"employee_id": PEOPLE, "hired_on": start}),
            "positions": pl.DataFrame(
                {"employee_id": PEOPLE, "happened_on": start, "team": [f"t{i % TEAMS}" for i in range(len(PEOPLE))]}
            ),
            "interactions": pl.DataFrame(rows, schema=["employee_id", "happened_on", "kind", "n"], orient="row"),
        }
    )


def told(records: Records, as_of: date = AS_OF) -> pl.DataFrame:
    return engine.collected(columns(panel(records, [as_of]))).sort("employee_id")


@pytest.fixture(scope="module")
def one_falls() -> Records:
    return company({"p05": 0.4})


def test_a_fall_of_one_person_is_that_persons_alarm_told_in_counts(one_falls: Records) -> None:
    seen = review(one_falls, AS_OF, cycle_weeks=10)
    assert seen.alarms["employee_id"].to_list() == ["p05"]
    alarm = seen.alarms.row(0, named=True)
    assert (alarm["team"], alarm["stream"]) == ("t1", "all")
    assert alarm["now"] < 0.7 * alarm["usual"]
    assert alarm["since"] == alarm["week"] - timedelta(7 * alarm["weeks"] - 1)
    assert alarm["p"] < 0.01
    assert seen.teams.height == 0


def test_a_fall_that_a_team_shares_is_the_teams_and_nobodys() -> None:
    seen = review(company({one: 0.5 for i, one in enumerate(PEOPLE) if i % TEAMS == 2}), AS_OF, cycle_weeks=10)
    assert seen.alarms.height == 0
    assert seen.teams["team"].unique().to_list() == ["t2"]
    assert seen.teams["n_people"].to_list()[0] == 8


def test_who_falls_clearly_further_than_a_falling_team_is_told_of() -> None:
    kept = {one: 0.7 for i, one in enumerate(PEOPLE) if i % TEAMS == 2} | {"p02": 0.05}
    seen = review(company(kept), AS_OF, cycle_weeks=10)
    assert seen.alarms["employee_id"].to_list() == ["p02"]
    assert seen.teams["team"].unique().to_list() == ["t2"]


def test_of_people_whose_feed_is_silent_nothing_is_said_and_of_their_team_neither(one_falls: Records) -> None:
    seen = review(one_falls, AS_OF, cycle_weeks=10, unheard=["p05"])
    assert seen.alarms.height == 0
    assert seen.unjudged["silent_feed"] == 1
    team = [one for i, one in enumerate(PEOPLE) if i % TEAMS == 2]
    records = company(dict.fromkeys(team, 0.5))
    assert review(records, AS_OF, cycle_weeks=10, unheard=team[:3]).teams["team"].to_list() == ["t2"]
    assert review(records, AS_OF, cycle_weeks=10, unheard=team[:4]).teams.height == 0


def drawn(team_scores: list[float], score: float) -> Watch:
    """Three people with the same score in all weeks: two in a team with these scores, one in none."""
    n = len(team_scores)
    there = np.zeros((3, n))
    return Watch(
        people=("a", "b", "c"),
        ends=tuple(range(0, 7 * n, 7)),
        scores=np.array([[score] * n, [np.nan] * n, [score] * n]),
        lowest=there.astype(int),
        usual=there,
        level=there,
        present=there,
        teams=("t",),
        team=np.array([[0] * n, [0] * n, [-1] * n]),
        team_scores=np.array([team_scores]),
        volume=there,
    )


def test_a_teams_signal_stands_until_its_low_weeks_have_left_every_window() -> None:
    low = [0.0, -3.0, *[0.0] * (TEAM_STANDS_WEEKS + 1), np.nan]
    limit = Limit(2.5, 0.05, 100.0, 10)
    stands = shared(drawn(low, -4.0), limit)
    assert np.flatnonzero(stands[0]).tolist() == list(range(1, 2 + TEAM_STANDS_WEEKS))
    assert not stands[2].any()
    own = personal(drawn(low, -4.0), limit)
    assert own[0].tolist() == [-4.0 + FURTHER * stands[0, week] for week in range(len(low))]
    assert np.isnan(own[1]).all()
    assert set(own[2]) == {-4.0}


def test_while_a_team_leans_a_deeper_score_is_needed_and_none_turns_good() -> None:
    limit = Limit(2.5, 0.05, 100.0, 10)
    assert personal(drawn([-0.9, -1.1, -2.4, -2.6], -3.0), limit)[0].tolist() == [-3.0, -2.5, -2.5, -2.0]
    assert personal(drawn([-2.6], -0.4), limit)[0].tolist() == [0.0]
    assert personal(drawn([-2.6], 0.7), limit)[0].tolist() == [0.0]


def test_a_fall_that_everybody_shares_is_nobodys() -> None:
    scores = told(company(dict.fromkeys(PEOPLE, 0.5)))["activity_score_84d"]
    assert scores.null_count() == 0
    assert abs(scores.mean()) < 0.3
    assert scores.min() > -3


def test_moving_from_mail_to_chat_is_no_fall() -> None:
    scores = told(company({}, kinds=("email", "message")))["activity_score_84d"]
    assert scores.null_count() == 0
    assert abs(scores.mean()) < 0.3
    assert scores.min() > -3


def test_losing_a_tool_is_no_fall_of_those_who_used_it() -> None:
    """Mail is not recorded any more; half of the people wrote nothing else, the others hardly any."""
    records = company({})
    odd = pl.col("employee_id").is_in(PEOPLE[1::2])
    rows = records["interactions"].with_columns(pl.when(odd).then(pl.lit("email")).otherwise("kind").alias("kind"))
    rest = rows.filter(odd).with_columns(pl.lit("message").alias("kind"), pl.lit(8, pl.Int64).alias("n"))
    kept = pl.concat([rows.filter(~odd | (pl.col("happened_on") < AS_OF - timedelta(70))), rest])
    scores = told({**records, "interactions": kept}).filter(odd)["activity_score_84d"]
    assert scores.drop_nulls().min() > -2.5


def test_leave_and_silence_are_left_out_and_not_read_as_a_fall(one_falls: Records) -> None:
    away = [MONDAY + timedelta(7 * (N_WEEKS - week) + day) for week in (2, 3, 4) for day in range(5)]
    rows = one_falls["interactions"]
    silent = rows.filter(~((pl.col("employee_id") == "p03") & (pl.col("happened_on") >= AS_OF - timedelta(30))))
    leave = pl.DataFrame({"employee_id": ["p02"] * 15, "happened_on": away, "leave_days": [1.0] * 15})
    frame = told(canonical({**one_falls, "interactions": silent, "attendance": leave}))
    shares = dict(frame.select("employee_id", "weeks_present_share_84d").rows())
    assert (shares["p02"], shares["p03"], shares["p04"]) == (0.75, pytest.approx(8 / 12), 1.0)
    assert frame.filter(pl.col("employee_id").is_in(["p02", "p03"]))["activity_score_84d"].min() > -2


def test_a_row_that_sums_up_a_month_of_leave_is_not_laid_on_a_week(one_falls: Records) -> None:
    month = pl.DataFrame({"employee_id": ["p02"], "happened_on": [AS_OF - timedelta(3)], "leave_days": [9.0]})
    frame = told(canonical({**one_falls, "attendance": month}))
    assert frame.equals(told(one_falls))


def test_going_part_time_is_no_fall() -> None:
    records = company({"p05": 0.5}, weeks=10)
    part = {"employee_id": "p05", "happened_on": MONDAY + timedelta(7 * (N_WEEKS - 10)), "weekly_hours": 20.0}
    positions = pl.concat([records["positions"].drop("_seq"), pl.DataFrame([part])], how="diagonal_relaxed")
    frame = told(canonical({**records, "positions": positions}))
    assert frame.filter(pl.col("employee_id") == "p05")["activity_score_84d"].item() > -1.5
    assert told(records).filter(pl.col("employee_id") == "p05")["activity_score_84d"].item() < -2.5


def test_what_becomes_known_after_the_close_of_its_week_never_counts(one_falls: Records) -> None:
    rows = one_falls["interactions"]
    last = pl.col("happened_on").max().over("employee_id") == pl.col("happened_on")
    late = rows.with_columns(pl.when(last).then(AS_OF + timedelta(1)).otherwise("known_on").alias("known_on"))
    without = rows.filter(~last)
    later = AS_OF + timedelta(4)
    assert told({**one_falls, "interactions": late}, later).equals(told({**one_falls, "interactions": without}, later))


def test_a_score_needs_no_more_than_its_memory(one_falls: Records) -> None:
    """Asked for together with an early snapshot, the chart begins years before; the late row stays the same."""
    early = date(2023, 6, 30)
    both = engine.collected(columns(panel(one_falls, [early, AS_OF])))
    for place, day in enumerate((early, AS_OF)):
        rows = both.filter(pl.col("place") == place).sort("employee_id").drop("place")
        assert rows.equals(told(one_falls, day).drop("place"))


def test_a_week_is_read_from_the_day_of_its_close_and_for_seven_days(one_falls: Records) -> None:
    rows = [told(one_falls, AS_OF - timedelta(days)).drop("place") for days in (0, 1, 7)]
    assert rows[1].equals(rows[2])
    assert not rows[0].equals(rows[1])
    assert sundays(engine.day_number(AS_OF), engine.day_number(AS_OF)) == (engine.day_number(AS_OF) - 3,)


def test_people_who_do_little_or_are_new_are_told_apart_and_not_judged(one_falls: Records) -> None:
    new = (pl.col("employee_id") == "p01") & (pl.col("happened_on") < AS_OF - timedelta(100))
    little = pl.col("employee_id") == "p02"
    rows = one_falls["interactions"].filter(~new)
    rows = rows.with_columns(pl.when(little).then(pl.col("n").clip(1, 2)).otherwise("n").alias("n"))
    rows = rows.filter(pl.col("employee_id") != "p03")
    seen = review({**one_falls, "interactions": rows}, AS_OF)
    assert seen.unjudged == {"no_records": 1, "no_habit_yet": 1, "too_little": 1, "away": 0}


def test_without_any_interaction_there_is_nothing_and_no_error(one_falls: Records) -> None:
    records = {name: frame for name, frame in one_falls.items() if name != "interactions"}
    frame = told(records)
    assert frame.select(card.column for card in CARDS).null_count().row(0) == (frame.height,) * len(CARDS)
    assert review(records, AS_OF).alarms.height == 0


def test_the_weekly_table_has_every_week_of_everybody(one_falls: Records) -> None:
    ends = sundays(engine.day_number(AS_OF), engine.day_number(AS_OF), back=20)
    rows = engine.collected(weekly(panel(one_falls, [AS_OF]).facts, ends))
    assert rows.height == len(PEOPLE) * 21
    assert rows["there"].sum() == rows.height


def noise(n: int, weeks: int, seed: int) -> np.ndarray:
    """Scores like those of a chart when nothing happens: moving sums of six and twelve weeks, the lower one."""
    steps = np.random.default_rng(seed).standard_normal((n, weeks + 12))
    sums = np.cumsum(steps, axis=1)
    return np.minimum(*[(sums[:, 12:] - sums[:, 12 - k : -k]) / np.sqrt(k) for k in (6, 12)])


def test_the_limit_keeps_the_stated_rate_on_new_people() -> None:
    limit = calibrate(noise(800, 104, 1), rate=0.05)
    fresh = noise(4000, 104, 2)
    assert alarms_at(fresh, limit.at).sum() / person_years(fresh) == pytest.approx(0.05, rel=0.2)


def test_a_small_company_leans_on_what_unchanged_counts_do() -> None:
    limits = [calibrate(noise(5, 30, seed), rate=0.05).at for seed in range(5)]
    assert max(limits) - min(limits) < 0.25
    assert calibrate(np.full((3, 10), np.nan)).n_counted == 0


def test_nobody_is_told_of_twice_within_eight_weeks() -> None:
    scores = np.array([[0, -3, -4, -3, -3, -3, -3, -3, -3, -3, -3, 0, np.nan]])
    assert np.flatnonzero(alarms_at(scores, 2.5)[0]).tolist() == [1, 10]


def test_false_shares_are_those_of_benjamini_and_hochberg() -> None:
    """p.adjust(c(.01, .02, .03, .5), "BH") in R 4.3 gives .04 .04 .04 .5."""
    shares = false_shares(np.array([0.5, 0.02, np.nan, 0.01, 0.03]))
    assert shares[[0, 1, 3, 4]].tolist() == pytest.approx([0.5, 0.04, 0.04, 0.04])
    assert np.isnan(shares[2])


def test_chances_rank_a_score_among_the_past() -> None:
    past = np.array([-3.0, -1.0, 0.0, 1.0, np.nan])
    assert chances(np.array([-2.0, np.nan]), past).tolist()[0] == pytest.approx(0.4)


def test_the_watch_lays_people_and_weeks_out_in_order(one_falls: Records) -> None:
    seen = watch(panel(one_falls, [AS_OF]), n_weeks=20)
    assert seen.scores.shape == (len(PEOPLE), 20)
    assert seen.people == tuple(PEOPLE)
    assert seen.team_scores.shape == (TEAMS, 20)


def test_a_teams_fall_is_told_in_the_cycle_in_which_it_shows_and_not_again() -> None:
    records = company({one: 0.4 for i, one in enumerate(PEOPLE) if i % TEAMS == 1})
    assert review(records, AS_OF, cycle_weeks=10).teams["team"].to_list() == ["t1"]
    assert review(records, AS_OF, cycle_weeks=1).teams.height == 0
