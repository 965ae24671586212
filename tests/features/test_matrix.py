"""The matrix against drawn records with dates, and the cards against the columns."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
import pytest

from features.cards import DRIVERS
from features.errors import FixableError
from features.matrix import Matrix, matrix
from features.tables import OwnColumn, canonical

MAY, JUNE = date(2024, 5, 31), date(2024, 6, 30)
TEAM = ("ann", "ben", "cat", "dan")
Rows = list[dict[str, object]]


def day(text: str) -> date:
    return date.fromisoformat(text)


def table(header: str, *rows: tuple[object, ...]) -> pl.DataFrame:
    """A drawn table: column names in one string, dates as texts."""
    names = header.split()
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    dates = {name: [day(str(v)) if v else None for v in values] for name, values in columns.items() if "_on" in name}
    return pl.DataFrame(columns | dates, strict=False)


RECORDS = {
    "employees": table(
        "employee_id hired_on name",
        ("ann", "2021-05-31", "Ann A."),
        ("ben", "2024-05-02", "Ben B."),
        ("cat", "2020-01-01", "Cat C."),
        ("dan", "2020-01-01", "Dan D."),
        ("eve", "2020-01-01", "Eve E."),
    ),
    "positions": table(
        "employee_id happened_on known_on team job level manager_id pay pay_midpoint weekly_hours",
        ("ann", "2021-05-31", None, "red", "smith", 2, "cat", 1000.0, 1000.0, 40.0),
        ("ann", "2024-03-02", None, "red", "smith", 3, "dan", 1100.0, None, None),  # raise, promotion, new manager
        ("ann", "2024-06-15", "2024-05-10", "red", "smith", 3, "dan", 1210.0, None, None),  # agreed ahead
        ("ben", "2024-05-02", None, "red", "smith", 1, "dan", 900.0, 1000.0, 40.0),
        ("cat", "2020-01-01", None, "red", "smith", 3, None, 1300.0, None, None),
        ("dan", "2020-01-01", None, "red", "clerk", 3, "cat", None, None, None),
        ("eve", "2020-01-01", None, "red", "clerk", 1, "dan", 800.0, None, None),
    ),
    "exits": table(
        "employee_id happened_on known_on kind",
        ("eve", "2024-06-10", "2024-05-20", "voluntary"),
    ),
    "attendance": table(
        "employee_id happened_on known_on overtime_hours leave_days",
        ("ann", "2023-01-02", None, 1.0, 1.0),
        ("ann", "2024-05-02", None, 3.0, 0.0),  # the first day of the 30 before 31 May
        ("ann", "2024-05-01", None, 8.0, 0.0),  # the day before it
        ("ann", "2024-05-20", "2024-06-05", 2.0, 0.0),  # entered late
        ("ben", "2024-05-06", None, 4.0, None),
        ("ben", "2024-05-06", "2024-06-01", 6.0, None),  # corrected
    ),
    "recognitions": table(
        "employee_id happened_on kind given_by",
        ("dan", "2022-01-01", "award", "cat"),
        ("ann", "2024-05-15", "peer_thanks", "dan"),
    ),
    "reviews": table(
        "employee_id happened_on rating scale_max reviewer_id source",
        ("ann", "2024-04-01", 4.0, 5.0, "dan", "manager"),
        ("ann", "2024-04-01", 5.0, 5.0, None, "self"),
        ("cat", "2024-04-01", 3.0, 5.0, "dan", None),
        ("dan", "2024-04-01", 2.0, 5.0, "dan", None),
    ),
}


@pytest.fixture(scope="module")
def made() -> Matrix:
    return matrix(canonical(RECORDS), as_of=[MAY, JUNE])


def told(made: Matrix, one: str, as_of: date, *columns: str) -> tuple[object, ...]:
    row = made.frame.filter(pl.col("employee_id") == one, pl.col("as_of") == as_of)
    return row.select(columns).row(0)


def test_there_is_one_row_per_person_at_risk_and_day_in_order(made: Matrix) -> None:
    """eve gave notice on 20 May."""
    assert made.frame.select("as_of", "employee_id").rows() == [(on, one) for on in (MAY, JUNE) for one in TEAM]


def test_a_window_of_thirty_days_begins_twenty_nine_days_before_the_snapshot(made: Matrix) -> None:
    assert told(made, "ann", MAY, "overtime_hours_30d", "overtime_hours_90d") == (3.0, 11.0)


def test_a_fact_entered_late_counts_only_from_the_day_it_was_known(made: Matrix) -> None:
    assert told(made, "ann", JUNE, "overtime_hours_90d") == (13.0,)


def test_a_correction_counts_instead_of_what_it_corrects(made: Matrix) -> None:
    assert told(made, "ben", MAY, "overtime_hours_90d") == (4.0,)
    assert told(made, "ben", JUNE, "overtime_hours_90d") == (6.0,)


def test_a_raise_agreed_ahead_counts_only_from_its_date(made: Matrix) -> None:
    columns = ("compa_ratio", "days_since_raise", "last_raise_share")
    assert told(made, "ann", MAY, *columns) == (1.1, 90.0, pytest.approx(0.1))
    assert told(made, "ann", JUNE, *columns) == (1.21, 15.0, pytest.approx(0.1))
    assert told(made, "ann", MAY, "pay_growth_365d") == (pytest.approx(0.1),)


def test_pay_is_compared_with_the_others_at_risk_and_not_with_the_person(made: Matrix) -> None:
    """The others of ann's team with known pay are ben 900 and cat 1300; eve is under notice, dan unknown."""
    assert told(made, "ann", MAY, "pay_vs_team", "pay_vs_job") == (1.0, 1.0)
    assert told(made, "dan", MAY, "pay_vs_team", "compa_ratio") == (None, None)


def test_time_on_the_way_is_counted_from_what_is_on_record(made: Matrix) -> None:
    columns = ("tenure_days", "days_since_promotion", "promotions_730d", "days_since_manager_change", "level")
    assert told(made, "ann", MAY, *columns) == (1096.0, 90.0, 1.0, 90.0, 3.0)
    assert told(made, "ben", MAY, "first_90d", "days_since_promotion", "promotions_730d") == (1.0, 29.0, 0.0)
    assert told(made, "cat", MAY, "days_since_manager_change", "direct_reports") == (None, 1.0)


def test_a_notice_in_the_team_counts_once_exits_have_been_recorded_that_long(made: Matrix) -> None:
    """The first notice ever recorded is that of 20 May: 90 days before 30 June nobody would have told."""
    assert told(made, "ann", JUNE, "team_exits_90d", "team_size") == (None, 4.0)
    old = canonical(RECORDS | {"exits": pl.concat([RECORDS["exits"], _exit("fay", "2022-01-01")])})
    assert told(matrix(old, as_of=[MAY]), "ann", MAY, "team_exits_90d", "manager_exit_share_365d") == (1.0, 1 / 3)


def _exit(one: str, on: str) -> pl.DataFrame:
    return table("employee_id happened_on known_on kind", (one, on, on, "voluntary"))


def test_zero_means_none_when_the_feed_is_there_and_unknown_when_it_is_not(made: Matrix) -> None:
    assert told(made, "cat", MAY, "recognitions_90d", "days_since_recognition") == (0.0, None)
    assert told(made, "ann", MAY, "recognitions_90d", "recognitions_given_365d") == (1.0, 0.0)
    assert told(made, "dan", MAY, "recognitions_given_365d") == (1.0,)
    assert told(made, "cat", MAY, "overtime_hours_90d", "interactions_made_90d", "goals_open") == (None, None, None)


def test_ratings_are_compared_with_what_the_reviewer_gives_to_others(made: Matrix) -> None:
    columns = ("review_latest", "review_vs_reviewer", "review_self_gap", "high_review_unrewarded_days")
    latest, against, gap, waiting = told(made, "ann", MAY, *columns)
    assert (latest, waiting) == (0.8, 60.0)
    assert (against, gap) == (pytest.approx(0.3), pytest.approx(0.2))


def test_all_cards_are_there_when_only_the_people_are_known() -> None:
    bare = matrix(canonical({"employees": RECORDS["employees"]}), as_of=[MAY])
    known = {c for c in bare.frame.columns if bare.frame[c].null_count() < bare.frame.height}
    assert [card.column for card in bare.cards] == bare.frame.columns[2:]
    assert known == {
        "employee_id",
        "as_of",
        "tenure_days",
        "first_90d",
        "days_to_anniversary",
        "rehired",
        "season_sin",
        "season_cos",
        "three_months_in",
        "first_180d",
        "near_anniversary",
    }


def test_no_row_is_made_for_a_day_on_which_nobody_is_employed() -> None:
    early = matrix(canonical(RECORDS), as_of=[date(2019, 1, 1)])
    assert early.frame.height == 0
    assert early.to_pandas().shape == (0, len(early.cards))


def test_there_is_one_card_per_column_and_one_column_per_card(made: Matrix) -> None:
    columns = [card.column for card in made.cards]
    assert made.frame.columns == ["employee_id", "as_of", *columns]
    assert len(set(columns)) == len(columns)


def test_every_card_says_what_it_means_in_both_languages(made: Matrix) -> None:
    units = {"count", "days", "months", "hours", "share", "score", "ratio", "flag", "category"}
    for card in made.cards:
        values = 0 if card.unit == "flag" else 1
        assert card.unit in units, card
        assert card.driver in DRIVERS, card
        assert card.expected in (-1, 0, 1), card
        assert card.meaning, card
        assert card.words_en.count("{value}") == values, card
        assert card.words_zh.count("{value}") == values, card
        assert re.search("[一-鿿]", card.words_zh), card
        assert (card.kind == "category") == (card.unit == "category"), card


def test_a_window_in_the_name_stands_on_the_card(made: Matrix) -> None:
    for card in made.cards:
        window = re.search(r"(?<!first)_(\d+)d$", card.column)
        if window:
            assert card.window_days is not None, card
            assert card.window_days >= int(window.group(1)), card


def test_every_driver_has_columns_that_care_can_change(made: Matrix) -> None:
    assert {card.driver for card in made.cards if card.actionable} >= {d for d in DRIVERS if d != "context"}
    assert not [card.column for card in made.cards if card.driver == "context" and card.actionable and card.shown]


def test_who_somebody_is_never_becomes_a_column() -> None:
    """Neither names nor ids nor anything of ``protected``, whatever the table carries."""
    secret = table("employee_id gender", ("ann", "f"))
    rows = matrix(canonical(RECORDS | {"protected": secret}), as_of=[MAY]).frame
    texts = {v for c in rows.columns[2:] if rows[c].dtype == pl.String for v in rows[c].drop_nulls()}
    assert not texts & {"Ann A.", "ann", "cat", "dan", "f"}
    assert not {"gender", "name", "email", "manager_id", "team", "job"} & set(rows.columns)


def test_numbers_are_floats_with_nan_and_categories_objects_with_none(made: Matrix) -> None:
    frame = made.to_pandas()
    kinds = {card.column: card.kind for card in made.cards}
    assert list(frame.columns) == list(kinds)
    assert {str(frame[c].dtype) for c, kind in kinds.items() if kind == "number"} == {"float64"}
    assert {str(frame[c].dtype) for c, kind in kinds.items() if kind == "category"} == {"object"}
    assert frame["ladder"].tolist() == [None] * 8
    assert frame["compa_ratio"].isna().sum() == 4


def test_own_columns_tell_latest_level_and_change() -> None:
    owned = RECORDS | {
        "attendance": table(
            "employee_id happened_on x_tips x_shift",
            ("ann", "2023-09-01", 2.0, "early"),
            ("ann", "2024-05-01", 5.0, "late"),
            ("ann", "2024-05-20", 7.0, None),
        )
    }
    own = (OwnColumn("attendance", "x_tips", "number", "recognition", "{value} in tips", "小费 {value}"),)
    own += (OwnColumn("attendance", "x_shift", "category"),)
    rows = matrix(canonical(owned), as_of=[MAY], own=own)
    columns = ("x_tips_latest", "x_tips_mean_90d", "x_tips_mean_365d", "x_tips_change_90d", "x_shift")
    assert told(rows, "ann", MAY, *columns) == (7.0, 6.0, pytest.approx(14 / 3), 4.0, "late")
    cards = {card.column: card for card in rows.cards}
    assert cards["x_tips_latest"].driver == "recognition"
    assert cards["x_tips_latest"].words_en == "{value} in tips"
    assert cards["x_shift"].kind == "category"


def test_an_own_column_that_is_declared_but_not_delivered_is_unknown() -> None:
    own = (OwnColumn("surveys", "x_mood", "number"), OwnColumn("goals", "x_kind", "category"))
    rows = matrix(canonical(RECORDS), as_of=[MAY], own=own).frame
    assert rows["x_mood_latest"].null_count() == rows["x_kind"].null_count() == rows.height


def test_own_columns_of_exits_and_protected_are_refused_all_at_once() -> None:
    own = (
        OwnColumn("exits", "x_cost", "number"),
        OwnColumn("protected", "x_age", "number"),
        OwnColumn("goals", "x_a", "number"),
        OwnColumn("skills", "x_a", "number"),
    )
    with pytest.raises(FixableError) as refused:
        matrix(canonical(RECORDS), as_of=[MAY], own=own)
    assert len(refused.value.problems) == 3
