"""The batch: who is in it, what is written about them, and what never leaves the model."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
from sqlalchemy import select

from features.tables import canonical
from serving import store_people
from serving.score import card_facts, employed
from serving.store import Store
from serving.store_tables import employee, score, score_run

AS_OF = date(2026, 10, 31)


def records() -> dict[str, pl.DataFrame]:
    """A to F; the post is the last one in force on the day.

    A, B   Team 1 of Care and Team 1 of Sales
    C      has moved from Lab to Care, where no team is on record
    D      gave notice on 1 October, last day 30 November
    E      left in June
    F      starts in November
    """
    hired = [date(2020, 1, 1)] * 5 + [date(2026, 11, 10)]
    day, move = date(2020, 1, 1), date(2026, 3, 1)
    posts = [
        ("A", day, "Care", "Team 1", "D"),
        ("B", day, "Sales", "Team 1", "D"),
        ("C", day, "Lab", "Bench", "D"),
        ("C", move, "Care", None, "D"),
        ("D", day, "Care", "Leads", None),
        ("E", day, "Care", "Team 1", "D"),
    ]
    return canonical(
        {
            "employees": pl.DataFrame({"employee_id": list("ABCDEF"), "hired_on": hired, "name": list("abcdef")}),
            "positions": pl.DataFrame(
                posts, schema=["employee_id", "happened_on", "department", "team", "manager_id"], orient="row"
            ),
            "exits": pl.DataFrame(
                {
                    "employee_id": ["D", "E"],
                    "happened_on": [date(2026, 11, 30), date(2026, 6, 30)],
                    "kind": ["voluntary", "voluntary"],
                    "known_on": [date(2026, 10, 1), date(2026, 5, 31)],
                }
            ),
        }
    )


def test_everybody_employed_has_a_row_under_notice_too_and_nobody_else() -> None:
    assert [row["id"] for row in employed(records(), as_of=AS_OF)] == ["A", "B", "C", "D"]


def test_two_teams_of_one_name_are_two_teams_and_a_blank_team_is_the_department() -> None:
    found = {row["id"]: (row["team"], row["name"], row["manager_id"]) for row in employed(records(), as_of=AS_OF)}
    assert found["A"] == ("Care / Team 1", "a", "D")
    assert found["B"] == ("Sales / Team 1", "b", "D")
    assert found["D"][0] == "Leads"
    assert found["C"][0] in ("Bench", "Care")  # a blank cell in a position may also mean "as before"


def test_an_earlier_day_shows_the_people_of_that_day() -> None:
    assert [row["id"] for row in employed(records(), as_of=date(2026, 6, 29))] == ["A", "B", "C", "D", "E"]


def test_a_row_carries_what_was_said_and_until_when(store: Store, made) -> None:
    with store.begin() as tx:
        run = tx.execute(select(score_run)).one()
        row = tx.execute(select(score).where(score.c.employee_id == "E0001")).one()
        told = store_people.score_of(tx, run.id, "E0001")
    assert (run.as_of, run.model_version, run.bundle_sha256) == (made.AS_OF, "7", "9f2c" * 16)
    assert run.data_versions == {"employees": 4}
    assert (row.band, row.valid_until) == ("act", date(2027, 1, 31))
    assert row.risk_at_reference == made.CANARY
    assert row.raises_growth > row.raises_workload > row.raises_pay == 0
    assert (row.risk, row.reasons, row.plan) == (None, None, None), "words are made when somebody reads"
    assert told is not None
    assert set(told["risk"]) == {"30", "90", "180", "365"}
    assert [reason["driver"] for reason in told["reasons"]][:3] == ["growth", "pay", "workload"]


def test_somebody_who_cannot_be_judged_has_no_number_anywhere(store: Store) -> None:
    with store.begin() as tx:
        run = tx.execute(select(score_run)).one()
        row = store_people.score_of(tx, run.id, "E0006")
    assert row is not None
    assert (row["risk_at_reference"], row["log_odds"], set(row["risk"].values())) == (None, None, {None})


def test_the_stored_card_is_plain_data_without_what_training_rows_looked_like(made) -> None:
    facts = json.loads(json.dumps(card_facts(made.bundle()), allow_nan=False))
    assert facts["base_rate"]["180"] == 0.07
    assert not {"typical", "missing_share", "cards"} & set(facts)


def test_people_who_are_gone_are_gone_from_the_store_with_the_next_batch(store: Store, made) -> None:
    from serving.score import Scored

    fewer = made.people()[1:]
    made.fill(store, scored=Scored(made.AS_OF, fewer, made.judged(made.assessments()[1:]), made.bundle("8"), {}))
    with store.begin() as tx:
        assert "E0001" not in {row.id for row in tx.execute(select(employee.c.id))}
