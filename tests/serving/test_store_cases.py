"""Decisions recorded before there were cases become cases, and come out again when the step is taken back."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from alembic import command
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from serving import store_cases
from serving.store import Store, alembic_config, migrate
from serving.store_cases import CasesAsked
from serving.store_people import Sight
from serving.store_tables import care_case, sign_in

OLD = (
    ("E0001", "career_talk", "agreed", "Dr. Zhao", "2026-03-02", "in May"),
    ("E0001", "career_talk", "done", "Dr. Zhao", "2026-03-20", None),
    ("E0001", "skill_course", "declined", "Anna", "2026-03-02", None),
    ("E0001", "skill_course", "agreed", "Anna", "2026-04-01", None),
    ("E0002", "career_talk", "done", "Anna", "2026-04-02", None),
)


def down(store: Store) -> None:
    with store.begin() as tx:
        command.downgrade(alembic_config(tx), "0005")
        command.downgrade(alembic_config(tx), "-1")


@pytest.fixture
def carried(store: Store) -> list[dict[str, Any]]:
    """The cases that came of five old decisions."""
    down(store)
    with store.begin() as tx:
        for number, (who, action, status, by, day, note) in enumerate(OLD, 1):
            values = {"n": number, "w": who, "a": action, "s": status, "b": by, "d": day, "m": f"{day} 08:00:00.000000"}
            tx.execute(
                text("INSERT INTO care_case VALUES (:n, :w, :a, :s, :b, 'Li Na', :d, :m, :t, 1)"), {**values, "t": note}
            )
    migrate(store)
    with store.begin() as tx:
        return store_cases.cases(tx, Sight("everyone"), CasesAsked(date(2026, 4, 2)))


def test_old_decisions_are_cases_now_with_every_step_and_a_date(carried, store) -> None:
    told = {(row["employee_id"], row["action"], row["status"]): row for row in carried}
    assert set(told) == {
        ("E0001", "career_talk", "done"),
        ("E0001", "skill_course", "declined"),
        ("E0001", "skill_course", "agreed"),
        ("E0002", "career_talk", "done"),
    }
    talk = told["E0001", "career_talk", "done"]
    assert (talk["agreed_on"], talk["done_on"], talk["version"]) == (date(2026, 3, 2), date(2026, 3, 20), 2)
    assert (talk["due_on"], talk["origin"]) == (date(2026, 4, 19), "carried")
    with store.begin() as tx:
        steps = store_cases.steps(tx, talk["id"])
    assert [(row["step"], row["by_name"], row["note"]) for row in steps] == [
        ("agree", "Dr. Zhao", "in May"),
        ("done", "Dr. Zhao", None),
    ]


def test_old_cases_can_be_led_on_and_go_to_the_manager_with_the_next_batch(carried, store, made) -> None:
    made.fill(store, version="8")
    with store.begin() as tx:
        rows = store_cases.cases(tx, Sight("manager", "M1"), CasesAsked(date(2026, 4, 2), due="open"))
    assert {row["lead_id"] for row in rows} == {"M1"}


def test_taken_back_the_decisions_stand_as_before(carried, store) -> None:
    down(store)
    with store.begin() as tx:
        query = "SELECT employee_id, action, status, decided_by, happened_on, note FROM care_case ORDER BY id"
        rows = [tuple(row) for row in tx.execute(text(query))]
    assert sorted(rows, key=str) == sorted(OLD, key=str)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "agreed"},
        {"status": "declined"},
        {"status": "closed"},
        {"status": "forgotten"},
        {"origin": "rumour"},
    ],
    ids=str,
)
def test_the_store_holds_no_case_that_is_not_whole(wrong: dict[str, str], store: Store, made) -> None:
    row = {"id": "ab", "employee_id": "E1", "action": "x", "origin": "own", "sides": "line", "agreed_sides": ""}
    row |= {"days": 1, "needs_consent": False, "opened_on": made.NOW.date(), "status": "suggested", "version": 1}
    with store.begin() as tx:
        tx.execute(insert(care_case).values(**row))
    with pytest.raises(IntegrityError), store.begin() as tx:
        tx.execute(insert(care_case).values(**{**row, "id": "cd", **wrong}))


def test_only_people_who_sign_in_see_themselves(store: Store, made) -> None:
    row = {"link_sha256": "x", "link_until": made.NOW, "name": "Li Na", "role": "employee", "sees": "self"}
    with store.begin() as tx:
        tx.execute(insert(sign_in).values(**row, sees_value="E0001", employee_id="E0001"))
    with pytest.raises(IntegrityError), store.begin() as tx:
        tx.execute(insert(sign_in).values(**{**row, "link_sha256": "y", "sees": "all"}))
