"""Drawn records and the rows they must give: exits that spread, ties that fade, managers, newcomers, weeks, silence."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from types import ModuleType

import polars as pl
import pytest

from features import belonging, engine, manager, voice, weeks
from features.snapshots import panel
from features.tables import canonical
from tests.features.test_matrix import table

JUNE = date(2024, 6, 30)
"""A Sunday."""
LONG_AGO = "2023-01-01"
INTERACTIONS = "employee_id happened_on kind counterpart_id n"


def block(records: dict[str, pl.DataFrame], theme: ModuleType, as_of: date = JUNE) -> pl.DataFrame:
    """The columns of one theme for everybody: the rest of the matrix would cost twenty times as much."""
    told = theme.columns(panel(canonical(records), [as_of]))
    return engine.collected(told.select("employee_id", *[card.column for card in theme.CARDS]))


def row(records: dict[str, pl.DataFrame], one: str, theme: ModuleType, as_of: date = JUNE) -> dict:
    return block(records, theme, as_of).filter(pl.col("employee_id") == one).to_dicts()[0]


def staff(*people: tuple[str, str, str, str | None]) -> dict[str, pl.DataFrame]:
    """Name, day of hiring, team and manager of everybody."""
    posts = [(one, hired, team, "care", "nurse", boss) for one, hired, team, boss in people]
    return {
        "employees": table("employee_id hired_on", *[(one, hired) for one, hired, _, _ in people]),
        "positions": table("employee_id happened_on team department job manager_id", *posts),
    }


AGES = {0: 0.3, 29: 0.3, 30: 1.0, 59: 1.0, 60: 0.9, 89: 0.9, 90: 0.4, 119: 0.4, 120: 0.0}


@cache
def after_exits() -> pl.DataFrame:
    """Nine teams of four and one who left: the notice was given 0, 29, 30 … days before the end of June."""
    old = [("zoe", "2020-01-01", "past", None)]
    people = [(f"{one}{age}", "2020-01-01", f"team{age}", None) for age in AGES for one in ("ann", "ben", "cat", "dan")]
    left = [(f"eve{age}", "2020-01-01", f"team{age}", None) for age in AGES]
    notices = [(f"eve{age}", "2024-07-31", str(JUNE - timedelta(age)), "voluntary") for age in AGES]
    talks = [
        (f"ann{age}", "2024-01-20", "message", f"{other}{age}", n)
        for age in AGES
        for other, n in (("eve", 6), ("ben", 3), ("cat", 3))
    ]
    records = staff(*old, *people, *left) | {
        "exits": table("employee_id happened_on known_on kind", ("zoe", LONG_AGO, LONG_AGO, "voluntary"), *notices),
        "interactions": table(INTERACTIONS, ("zoe", "2022-12-01", "message", "ann0", 1), *talks),
    }
    return block(records, belonging)


@pytest.mark.parametrize(("age", "weight"), AGES.items())
def test_an_exit_weighs_most_between_one_and_three_months_after_the_notice(age: int, weight: float) -> None:
    told = after_exits().filter(pl.col("employee_id") == f"ann{age}").to_dicts()[0]
    assert told["team_exits_weighted"] == pytest.approx(weight)
    assert told["contact_exits_weighted"] == pytest.approx(weight / 2)  # half of ann's interactions were with eve
    assert told["tie_weight_gone_180d"] == pytest.approx(0.5)
    assert told["former_team_exits_weighted"] == 0.0  # eve left the team ann is in: that is no former team


def test_exits_among_fewer_than_three_ties_are_not_told() -> None:
    told = after_exits().filter(pl.col("employee_id") == "ben30").to_dicts()[0]
    assert told["contact_exits_weighted"] is None
    assert told["team_exits_weighted"] == pytest.approx(1.0)


def test_somebody_who_shared_the_team_within_a_year_is_a_former_team_mate() -> None:
    records = staff(
        *[(one, "2020-01-01", "red", None) for one in ("ann", "ben", "cat")], ("zoe", "2020-01-01", "past", None)
    )
    moved = table(
        "employee_id happened_on team",
        ("ann", "2024-01-10", "blue"),  # ann left red in January, cat in May a year ago, ben stayed and now leaves
        ("cat", "2023-05-10", "blue"),
    )
    records["positions"] = pl.concat([records["positions"], moved], how="diagonal_relaxed")
    records["exits"] = table(
        "employee_id happened_on known_on kind",
        ("zoe", LONG_AGO, LONG_AGO, "voluntary"),
        ("ben", "2024-07-31", "2024-05-20", "voluntary"),
    )
    assert row(records, "ann", belonging)["former_team_exits_weighted"] == pytest.approx(1.0)
    assert row(records, "cat", belonging)["former_team_exits_weighted"] == 0.0


def test_ties_fade_among_those_who_are_still_there() -> None:
    people = [(one, "2020-01-01", "red", None) for one in ("ann", "ben", "cat", "dan", "eve", "fay")]
    records = staff(*people) | {
        "exits": table("employee_id happened_on known_on kind", ("eve", "2024-06-10", "2024-05-20", "voluntary")),
        "interactions": table(
            INTERACTIONS,
            ("cat", LONG_AGO, "message", "dan", 1),
            ("ann", "2024-04-01", "message", "ben", 4),  # 90 days ago: before
            ("ann", "2024-05-01", "message", "ben", 1),  # now: a quarter of it kept up
            ("ann", "2024-01-03", "message", "cat", 2),  # 179 days ago: before, and silent since
            ("ann", "2024-01-02", "message", "dan", 2),  # 180 days ago: too long ago to count
            ("ann", "2024-02-01", "message", "eve", 5),  # silent since, but gone
            ("fay", "2024-06-01", "message", "ann", 3),  # new
            ("ben", "2024-06-30", "message", "ann", 9),  # known tomorrow
        ),
    }
    expected = {
        "ties_90d": 2.0,
        "acts_per_tie_90d": 2.0,
        "strongest_ties_share_90d": 1.0,
        "tie_concentration_90d": 10 / 16,
        "ties_silent_90d": 1.0,
        "ties_silent_share_90d": 1 / 2,
        "ties_new_share_90d": 1 / 2,
        "tie_weight_kept_90d": 1 / 6,
        "initiated_share_change_90d": 1 / 4 - 1,
        "answered_share_90d": 0.0,
    }
    told = row(records, "ann", belonging)
    assert {name: told[name] for name in expected} == pytest.approx(expected)


def test_whoever_is_sought_by_the_sought_after_is_central() -> None:
    """dan and fay are asked by one person each; dan's asker is asked by three herself."""
    people = [(one, "2020-01-01", "red", None) for one in ("ann", "ben", "cat", "dan", "eve", "fay", "gus")]
    asked = [("ann", "eve"), ("ben", "eve"), ("cat", "eve"), ("eve", "dan"), ("gus", "fay")]
    records = staff(*people)
    records["interactions"] = table(
        INTERACTIONS,
        ("ann", LONG_AGO, "message", "ben", 1),
        *[(one, "2024-05-01", "message", other, 1) for one, other in asked],
    )
    frame = block(records, belonging)
    central = dict(frame.select("employee_id", "incoming_centrality_90d").rows())
    assert central["dan"] > central["fay"] > central["gus"]
    assert sum(central.values()) / len(central) == pytest.approx(1.0, abs=1e-6)


def test_exits_under_a_manager_are_drawn_towards_what_is_usual() -> None:
    records = staff(
        ("moe", "2019-01-01", "top", None),
        ("pat", "2019-01-01", "top", None),
        ("ann", "2019-01-01", "red", "moe"),
        ("eve", "2019-01-01", "red", "moe"),
        ("ben", "2019-01-01", "blue", "pat"),
        ("zoe", "2019-01-01", "blue", "pat"),
    )
    records["exits"] = table(
        "employee_id happened_on known_on kind",
        ("zoe", "2023-02-01", LONG_AGO, "voluntary"),  # exits are recorded from here on: what was before does not count
        ("eve", "2024-02-01", "2024-01-01", "voluntary"),
    )
    here, year = (JUNE - date(2023, 1, 1)).days, 365
    rate = 2 / (2 * here + year)
    assert row(records, "ann", manager)["manager_exit_history"] == pytest.approx((1 + 8) / ((here + year) * rate + 8))
    assert row(records, "ben", manager)["manager_exit_history"] == pytest.approx((1 + 8) / (here * rate + 8))


def test_a_gap_between_one_on_ones_is_measured_by_the_usual_gap() -> None:
    records = staff(
        ("moe", "2019-01-01", "top", None), ("ann", "2019-01-01", "red", "moe"), ("ben", "2019-01-01", "red", "moe")
    )
    talks = [("moe", day, "one_on_one", "ann", 1) for day in ("2024-01-01", "2024-02-01", "2024-03-01")]
    records["interactions"] = table(INTERACTIONS, ("moe", LONG_AGO, "one_on_one", "ben", 1), *talks)
    told = row(records, "ann", manager)
    assert told["days_since_one_on_one"] == 121.0
    assert told["one_on_one_gap_ratio"] == pytest.approx(121 / (365 / 3))
    assert told["one_on_one_ratio_90d"] == pytest.approx(1 / (3 * 90 / 275 + 1))
    assert row(records, "ben", manager)["one_on_one_gap_ratio"] is None


def test_a_newcomer_is_followed_for_half_a_year() -> None:
    records = staff(
        ("moe", "2019-01-01", "top", None),
        ("ann", "2024-05-20", "red", "moe"),  # 41 days: six weeks
        ("ben", "2019-01-01", "red", "moe"),
        ("cat", "2024-01-03", "red", "moe"),  # 179 days
        ("dan", "2024-01-02", "red", "moe"),  # 180 days
        ("fay", "2019-01-01", "blue", None),
    )
    records["interactions"] = table(
        INTERACTIONS,
        ("moe", LONG_AGO, "one_on_one", "ben", 1),
        ("ann", "2024-05-21", "message", "ben", 7),
        ("fay", "2024-05-28", "meeting", "ann", 1),
        ("moe", "2024-06-03", "one_on_one", "ann", 1),
    )
    frame = block(records, belonging)
    ann, cat, dan = (frame.filter(pl.col("employee_id") == one).to_dicts()[0] for one in ("ann", "cat", "dan"))
    assert ann["newcomer_contacts_per_week"] == pytest.approx(3 / 6)
    assert ann["newcomer_team_met_share"] == pytest.approx(1 / 3)
    assert (ann["newcomer_one_on_ones"], ann["newcomer_days_to_one_on_one"]) == (1.0, 14.0)
    assert (cat["newcomer_contacts_per_week"], cat["newcomer_days_to_one_on_one"]) == (0.0, 179.0)
    assert {dan[name] for name in dan if name.startswith("newcomer_")} == {None}


def test_overloaded_weeks_are_counted_back_from_the_last_whole_week() -> None:
    records = staff(("ann", "2019-01-01", "red", None))
    wednesday = date(2024, 6, 26)
    worked = [(str(wednesday - timedelta(7 * back)), 6.0 if back in (0, 1, 4) else 1.0) for back in range(8)]
    running = ("ann", "2024-07-01", 9.0)  # the week that is not over
    entered = [("ann", day, hours) for day, hours in worked]
    records["attendance"] = table("employee_id happened_on overtime_hours", running, *entered)
    for as_of in (JUNE, date(2024, 7, 6)):
        told = row(records, "ann", weeks, as_of)
        assert (told["overtime_weeks_56d"], told["overtime_weeks_in_a_row"]) == (3.0, 2.0)
    told = row(records, "ann", weeks, date(2024, 7, 7))
    assert (told["overtime_weeks_56d"], told["overtime_weeks_in_a_row"]) == (4.0, 3.0)


def test_silence_is_not_answering_where_colleagues_answer() -> None:
    records = staff(*[(one, "2019-01-01", "red", None) for one in ("ann", "ben", "cat", "dan")])
    answers = [("ann", "2024-01-10"), ("ben", "2024-01-10"), ("ben", "2024-05-10"), ("cat", "2024-05-10")]
    records["surveys"] = table(
        "employee_id happened_on item score", *[(one, day, "engagement", 4.0) for one, day in answers]
    )
    frame = block(records, voice)
    silent = dict(frame.select("employee_id", "survey_silent_90d").rows())
    assert silent == {"ann": 1.0, "ben": 0.0, "cat": None, "dan": None}
