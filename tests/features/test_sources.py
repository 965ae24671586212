"""Which table feeds which column: asked of the matrix by taking the table away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from features import career, recognition, voice
from features.matrix import matrix
from features.sources import changed, columns_by_table, delayed, made_of
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


def test_an_own_number_becomes_a_latest_value_means_and_a_change() -> None:
    assert made_of("x_a") == ("x_a", "x_a_latest", "x_a_mean_90d", "x_a_mean_365d", "x_a_change_90d")
