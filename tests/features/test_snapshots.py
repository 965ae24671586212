"""Who is at risk on which day, and what was known by then: drawn cases with dates."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from features.snapshots import at_risk, known_by, month_ends
from features.tables import canonical


def day(text: str) -> date:
    return date.fromisoformat(text)


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Rows with texts like 2024-03-31 in date columns."""
    dated = [
        {k: day(str(v)) if k.endswith("_on") and v is not None else v for k, v in row.items()} for row in rows
    ]  # fmt: skip
    return pl.DataFrame(dated, infer_schema_length=None)


def who(records: dict[str, list[dict[str, object]]], *days: str) -> list[tuple[str, str]]:
    made = canonical({name: frame(rows) for name, rows in records.items()})
    risk = at_risk(made, [day(text) for text in days])
    return [(str(as_of), one) for one, as_of in risk.select("employee_id", "as_of").iter_rows()]


def test_month_ends_are_the_last_days_within_the_span() -> None:
    assert month_ends(day("2024-01-15"), day("2024-03-30")) == [day("2024-01-31"), day("2024-02-29")]
    assert month_ends(day("2023-12-31"), day("2024-01-31")) == [day("2023-12-31"), day("2024-01-31")]
    assert month_ends(day("2024-02-01"), day("2024-02-28")) == []


def test_a_person_is_at_risk_from_the_day_of_hiring() -> None:
    people = {"employees": [{"employee_id": "ann", "hired_on": "2024-03-01"}]}
    assert who(people, "2024-02-29", "2024-03-01") == [("2024-03-01", "ann")]


def test_a_person_under_notice_is_not_at_risk_any_more() -> None:
    """----2024-03-31(at risk)--notice 04-10--2024-04-30(under notice)--last day 05-31----"""
    records = {
        "employees": [{"employee_id": "ann", "hired_on": "2020-01-01"}],
        "exits": [
            {"employee_id": "ann", "happened_on": "2024-05-31", "kind": "voluntary", "known_on": "2024-04-10"}
        ],
    }  # fmt: skip
    assert who(records, "2024-03-31", "2024-04-09", "2024-04-10", "2024-04-30") == [
        ("2024-03-31", "ann"),
        ("2024-04-09", "ann"),
    ]


def test_without_a_notice_date_it_is_thirty_days_before_a_voluntary_exit_and_the_last_day_of_any_other() -> None:
    people = [{"employee_id": one, "hired_on": "2020-01-01"} for one in ("ann", "ben")]
    exits = [
        {"employee_id": "ann", "happened_on": "2024-05-31", "kind": "voluntary"},
        {"employee_id": "ben", "happened_on": "2024-05-31", "kind": "contract_end"},
    ]
    risk = who({"employees": people, "exits": exits}, "2024-04-30", "2024-05-01", "2024-05-30", "2024-05-31")
    assert risk == [("2024-04-30", "ann"), ("2024-04-30", "ben"), ("2024-05-01", "ben"), ("2024-05-30", "ben")]


def test_an_exit_that_becomes_known_late_leaves_the_person_at_risk_until_then() -> None:
    records = {
        "employees": [{"employee_id": "ann", "hired_on": "2020-01-01"}],
        "exits": [
            {"employee_id": "ann", "happened_on": "2024-03-31", "kind": "voluntary", "known_on": "2024-05-05"}
        ],
    }  # fmt: skip
    assert who(records, "2024-03-31", "2024-04-30", "2024-05-31") == [("2024-03-31", "ann"), ("2024-04-30", "ann")]


def test_a_person_who_comes_back_is_at_risk_again_and_the_old_exit_does_not_count() -> None:
    """hired 2020 --exit 2022-06-30-- (away) --hired 2023-02-01, known 2023-01-15--"""
    records = {
        "employees": [
            {"employee_id": "ann", "hired_on": "2020-01-01", "known_on": None},
            {"employee_id": "ann", "hired_on": "2023-02-01", "known_on": "2023-01-15"},
        ],
        "exits": [{"employee_id": "ann", "happened_on": "2022-06-30", "kind": "voluntary"}],
    }
    days = ("2022-05-30", "2022-06-30", "2023-01-01", "2023-01-20", "2023-02-01", "2024-01-31")
    assert who(records, *days) == [("2022-05-30", "ann"), ("2023-02-01", "ann"), ("2024-01-31", "ann")]


def test_an_exit_on_the_very_day_of_hiring_belongs_to_the_present_spell() -> None:
    records = {
        "employees": [{"employee_id": "ann", "hired_on": "2024-01-10"}],
        "exits": [{"employee_id": "ann", "happened_on": "2024-01-10", "kind": "other"}],
    }
    assert who(records, "2024-01-10", "2024-02-29") == []


def test_the_post_is_the_latest_one_known_and_a_blank_says_nothing() -> None:
    made = canonical(
        {
            "employees": frame([{"employee_id": "ann", "hired_on": "2020-01-01"}]),
            "positions": frame(
                [
                    {"employee_id": "ann", "happened_on": "2020-01-01", "team": "red", "location": "north"},
                    {"employee_id": "ann", "happened_on": "2024-03-01", "team": "blue", "location": None},
                ]
            ),
        }
    )
    rows = at_risk(made, [day("2024-02-29"), day("2024-03-31")]).select("team", "location").rows()
    assert rows == [("red", "north"), ("blue", "north")]


def test_a_post_agreed_ahead_counts_from_its_date() -> None:
    made = canonical(
        {
            "employees": frame([{"employee_id": "ann", "hired_on": "2020-01-01"}]),
            "positions": frame(
                [
                    {"employee_id": "ann", "happened_on": "2020-01-01", "team": "red", "known_on": "2020-01-01"},
                    {"employee_id": "ann", "happened_on": "2024-04-15", "team": "blue", "known_on": "2024-02-01"},
                ]
            ),
        }
    )
    assert at_risk(made, [day("2024-03-31"), day("2024-04-30")])["team"].to_list() == ["red", "blue"]


def test_known_by_hides_what_came_later_and_puts_corrections_in_place() -> None:
    told = canonical(
        {
            "surveys": frame(
                [
                    {"employee_id": "a", "happened_on": "2024-03-01", "item": "pay", "score": 2.0, "known_on": None},
                    {
                        "employee_id": "a",
                        "happened_on": "2024-03-01",
                        "item": "pay",
                        "score": 4.0,
                        "known_on": "2024-03-20",
                    },
                ]
            )
        }
    )

    def scores(text: str) -> list[float]:
        return known_by(told, day(text))["surveys"].collect()["score"].to_list()

    assert scores("2024-03-07") == []
    assert scores("2024-03-08") == [2.0]
    assert scores("2024-03-20") == [4.0]


def test_at_least_one_day_must_be_asked_for() -> None:
    with pytest.raises(ValueError, match="at least one"):
        at_risk(canonical({"employees": frame([{"employee_id": "a", "hired_on": "2024-03-01"}])}), [])
