"""A plan that is made once and run for whoever comes tells exactly what the matrix made for them alone tells."""

from __future__ import annotations

import threading
from functools import cache

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.matrix import matrix
from features.plans import MOST_KEPT, Plans
from tests.features.random_records import AS_OF, OWN, records

DAY = AS_OF[-1:]


@cache
def plans() -> Plans:
    return Plans()


def alone(seed: int, person: int) -> dict[str, pl.DataFrame]:
    """What is on record of one person; reference tables whole."""
    tables = records(seed)
    one = tables["employees"]["employee_id"].unique().sort()[person]
    return {
        name: frame.filter(pl.col("employee_id") == one) if "employee_id" in frame.columns else frame
        for name, frame in tables.items()
    }


@pytest.mark.parametrize("seed", [0, 14])
def test_a_company_gets_the_matrix_to_the_last_bit(seed: int) -> None:
    given = records(seed)
    expected = matrix(given, as_of=DAY, own=OWN)
    found = plans().matrix(given, as_of=DAY, own=OWN)
    assert found.cards == expected.cards
    assert_frame_equal(found.frame, expected.frame, check_exact=True)


def test_several_days_and_some_of_the_people() -> None:
    given = records(1)
    some = given["employees"]["employee_id"].unique().sort().to_list()[:3]
    expected = matrix(given, as_of=AS_OF, own=OWN, employees=some).frame
    found = Plans().matrix(given, as_of=AS_OF, own=OWN, employees=some).frame
    assert_frame_equal(found, expected, check_exact=True)


def test_tables_that_are_absent_are_unknown_as_in_the_matrix() -> None:
    given = {"employees": records(0)["employees"]}
    expected = matrix(given, as_of=DAY).frame
    assert_frame_equal(Plans().matrix(given, as_of=DAY).frame, expected, check_exact=True)


def test_a_plan_is_made_once_holds_nobody_and_few_are_kept() -> None:
    kept, person = Plans(), alone(0, 1)
    kept.matrix(person, as_of=DAY, own=OWN)
    ((shape, first),) = kept.kept.items()
    assert first.tables == {}
    for number in range(MOST_KEPT - 1):
        kept.kept[*shape[:2], ((str(number), ()),)] = first
    kept.matrix(alone(0, 2), as_of=DAY, own=OWN)
    assert list(kept.kept.values()) == [first] * MOST_KEPT
    kept.matrix({"employees": person["employees"]}, as_of=DAY)
    assert len(kept.kept) == MOST_KEPT
    assert list(kept.kept)[-2] == shape


def test_people_alone_get_theirs_too_and_requests_at_once_do_not_see_each_other() -> None:
    given = [alone(0, person) for person in range(3)]
    expected = [matrix(one, as_of=DAY, own=OWN).frame for one in given]
    found: dict[int, pl.DataFrame] = {}

    def ask(i: int) -> None:
        found[i] = plans().matrix(given[i], as_of=DAY, own=OWN).frame

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, frame in enumerate(expected):
        assert_frame_equal(found[i], frame, check_exact=True)
