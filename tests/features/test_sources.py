"""Which table feeds which column: asked of the matrix by taking the table away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from features import career, recognition, voice
from features.matrix import cards_of, matrix
from features.own import made_of
from features.sources import changed, columns_by_table, delayed
from features.tables import OwnColumn
from tests.features.random_records import AS_OF, OWN, records

DAYS = AS_OF[2:3]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The question is asked of whatever blocks there are: three of them, for the sake of time."""
    monkeypatch.setattr("features.matrix.BLOCKS", (career, recognition, voice))


def test_a_table_feeds_the_columns_that_change_without_it_and_no_others() -> None:
    found = columns_by_table(records(1), DAYS, own=OWN, only={"surveys", "recognitions"})
    assert set(found) == {"surveys", "recognitions", "employees"}
    assert "recognitions_90d" in found["recognitions"]
    assert not set(found["surveys"]) & set(found["recognitions"])
    assert found["employees"] == ("x_school",)


def test_people_and_exits_are_never_taken_away_nor_is_what_is_not_there() -> None:
    given = {name: frame for name, frame in records(1).items() if name in ("employees", "exits", "skills")}
    assert set(columns_by_table(given, DAYS)) == {"skills", "employees"}


def test_records_that_come_later_change_the_columns_that_they_feed() -> None:
    given = records(1)
    late = delayed(given, "recognitions", days=9)
    before, after = given["recognitions"], late["recognitions"].lazy().collect()
    assert after["known_on"].to_list() == [day + timedelta(days=9) for day in before["known_on"]]
    assert late["surveys"] is given["surveys"]
    never = delayed(given, "recognitions", days=5000)
    told = changed(matrix(given, as_of=DAYS), matrix(never, as_of=DAYS))
    assert "recognitions_90d" in told
    assert changed(matrix(given, as_of=DAYS), matrix(given, as_of=DAYS)) == ()


def test_nothing_is_missed_by_asking_only_the_blocks_that_open_a_table() -> None:
    given, asked = records(1), ("positions", "surveys", "learning")
    every = matrix(given, as_of=DAYS, own=OWN)
    found = columns_by_table(given, DAYS, own=OWN, only=asked)
    for name in asked:
        rest = {other: frame for other, frame in given.items() if other != name}
        assert found[name] == changed(every, matrix(rest, as_of=DAYS, own=OWN))
    assert "x_value_mean_180d" in found["positions"]


def test_every_column_that_an_own_one_becomes_is_known_by_its_name() -> None:
    for kind in ("category", "number"):
        ours = {card.column for card in cards_of((OwnColumn("surveys", "x_a", kind),))} - {c.column for c in cards_of()}
        assert ours
        assert ours <= set(made_of("x_a"))
