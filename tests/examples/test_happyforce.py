"""The Happyforce converter: drawn files → drawn tables, and the protocol's counts on the real files."""

from __future__ import annotations

import os
import runpy
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from features.snapshots import at_risk
from features.tables import canonical
from training.plan import load_plan

EXAMPLE = Path(__file__).parents[2] / "examples" / "happyforce"
SHARED = Path(os.environ.get("RETENTION_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "happyforce"
APART = "5370af43e4b0cff95558c12a"


@pytest.fixture(scope="module")
def convert() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(EXAMPLE / "convert.py")))


@pytest.fixture
def raw() -> dict[str, pl.DataFrame]:
    """Two companies that both have an employee 1; 2 of company a is gone; -3 is a deleted account."""
    winter, summer = "Mon Feb 01 01:00:00 CET 2016", "Fri Jul 01 02:00:00 CEST 2016"
    return {
        "churn": pl.DataFrame(
            {
                "employee": [1, 2, 2, 1, -3],
                "companyAlias": ["a", "a", "a", "b", "a"],
                "numVotes": [1, 1, 1, 1, 0],
                "lastParticipationDate": [summer, winter, "Tue Mar 01 12:30:00 CET 2016", summer, winter],
                "stillExists": [True, True, False, True, False],
            }
        ),
        "votes": pl.DataFrame(
            {
                "employee": [1, 2, 2, 1],
                "companyAlias": ["a", "a", "a", "b"],
                "voteDate": [winter, winter, "Tue Mar 01 01:00:00 CET 2016", summer],
                "vote": [4, 3, 1, 2],
            }
        ),
        "comments": pl.DataFrame(
            {
                "employee": [1, 1, 2, 1],
                "companyAlias": ["a", "a", "a", "a"],
                "commentId": ["c1", "c1", "c2", "c3"],
                "commentDate": [summer, summer, winter, None],
                "n_characters": [62, 62, 7, 9],
            }
        ),
        "comment_interactions": pl.DataFrame(
            {
                "employee": [1, 1, 2, 1, -3],
                "companyAlias": ["a"] * 5,
                "liked": ["True", "True", "True", "False", "True"],
                "disliked": ["False", "False", "False", "True", "False"],
                "commentId": ["c2", "c2", "c2", "c2", "c2"],
            }
        ),
    }


def test_the_same_number_in_two_companies_is_two_people(convert: SimpleNamespace, raw: dict[str, pl.DataFrame]) -> None:
    assert convert.tables(raw)["employees"]["employee_id"].to_list() == ["a-1", "a-2", "b-1"]


def test_the_last_participation_of_those_who_are_gone_is_last_day_and_notice(
    convert: SimpleNamespace, raw: dict[str, pl.DataFrame]
) -> None:
    day = date(2016, 3, 1)
    assert convert.tables(raw)["exits"].rows() == [("a-2", day, "voluntary", day)]


def test_a_comment_that_stands_twice_counts_once_and_an_undated_one_not_at_all(
    convert: SimpleNamespace, raw: dict[str, pl.DataFrame]
) -> None:
    written = convert.tables(raw)["interactions"].filter(pl.col("counterpart_id").is_null())
    assert written.select("employee_id", "happened_on").sort("employee_id").rows() == [
        ("a-1", date(2016, 7, 1)),
        ("a-2", date(2016, 2, 1)),
    ]


def test_a_like_is_known_fourteen_days_after_the_comment_and_only_from_others(
    convert: SimpleNamespace, raw: dict[str, pl.DataFrame]
) -> None:
    tables, day = convert.tables(raw), date(2016, 2, 15)
    assert tables["recognitions"].rows() == [("a-2", day, "peer_thanks", "a-1", day)]
    liked = tables["interactions"].drop_nulls("counterpart_id")
    assert liked.select("employee_id", "counterpart_id", "happened_on", "known_on").rows() == [("a-1", "a-2", day, day)]


def test_a_like_that_would_be_known_after_the_extraction_is_left_out(
    convert: SimpleNamespace, raw: dict[str, pl.DataFrame]
) -> None:
    raw["comment_interactions"] = raw["comment_interactions"].with_columns(
        employee=pl.lit(2), commentId=pl.lit("c1"), liked=pl.lit("True")
    )
    assert convert.tables(raw)["recognitions"].is_empty()


def test_the_plan_is_valid() -> None:
    assert load_plan(EXAMPLE / "plan.toml").reference_horizon_days == 90


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the Happyforce files are not in {SHARED}")
def test_the_real_files_give_the_people_and_the_base_rate_of_the_published_protocol(convert: SimpleNamespace) -> None:
    tables = convert.tables(convert.read(SHARED))
    records = canonical(tables)
    plan = load_plan(EXAMPLE / "plan.toml")
    days = [plan.first_as_of + timedelta(days=30 * i) for i in range(19)]
    tested = [day for day in days if day > plan.origins[0]]
    rows = at_risk(records, tested).filter(pl.col("department") != APART)
    votes = tables["surveys"].select("employee_id", voted_on="happened_on").sort("voted_on")
    rows = rows.sort("as_of").join_asof(
        votes, left_on="as_of", right_on="voted_on", by="employee_id", check_sortedness=False
    )
    rows = rows.filter(pl.col("as_of") - pl.col("voted_on") < timedelta(days=30))
    left = rows.join(tables["exits"].select("employee_id", left_on="happened_on"), on="employee_id", how="left")
    within = left.filter(pl.col("left_on") - pl.col("as_of") <= timedelta(days=90))
    assert len(tables["employees"]) == 4377
    assert (rows.height, within.height) == (6813, 227)
