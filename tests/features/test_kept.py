"""Kept rows of the matrix: the same as worked out anew, worked out again only from the day of what arrived."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from features import career, kept, recognition, team
from features.kept import KEPT, kept_matrix
from features.lake import Lake
from features.matrix import matrix
from tests.features.random_records import AS_OF, OWN, records


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    for name, frame in records(1).items():
        lake.append(name, frame)
    lake.declare(OWN)
    return lake


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three blocks are enough where it is about which days are worked out."""
    monkeypatch.setattr("features.matrix.BLOCKS", (career, recognition, team))


def worked_out(lake: Lake, monkeypatch: pytest.MonkeyPatch, days: list[date]) -> list[date]:
    """The days that a call has to work out; the rows are checked on the way."""
    asked: list[date] = []

    def counted(given: object, *, as_of: list[date], own: object) -> object:
        asked.extend(as_of)
        return matrix(given, as_of=as_of, own=own)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(kept, "matrix", counted)
        found = kept_matrix(lake, as_of=days)
    assert found.frame.equals(matrix(lake.read(), as_of=days, own=lake.own_columns()).frame)
    return asked


def test_a_day_is_worked_out_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worked_out(lake, monkeypatch, AS_OF[:3]) == AS_OF[:3]
    assert worked_out(lake, monkeypatch, AS_OF) == AS_OF[3:]
    assert worked_out(lake, monkeypatch, AS_OF) == []


@pytest.mark.usefixtures("few")
def test_what_arrives_makes_the_day_on_which_it_was_known_and_later_days_new(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out(lake, monkeypatch, AS_OF)
    known = AS_OF[2]
    row = records(1)["exits"].head(1) if "exits" in records(1) else records(1)["positions"].head(1)
    table = "exits" if "exits" in records(1) else "positions"
    lake.append(table, row.with_columns(known_on=pl.lit(known), _seq=pl.lit(10**7, dtype=pl.Int64)))
    assert worked_out(lake, monkeypatch, AS_OF) == AS_OF[2:]


@pytest.mark.usefixtures("few")
def test_an_erasure_leaves_no_kept_row(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out(lake, monkeypatch, AS_OF)
    lake.erase("p01")
    assert not (lake.folder / KEPT).exists()
    assert worked_out(lake, monkeypatch, AS_OF) == AS_OF


@pytest.mark.usefixtures("few")
def test_another_own_column_or_other_code_makes_all_days_new(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out(lake, monkeypatch, AS_OF)
    monkeypatch.setattr(kept, "_code", lambda: "another")
    assert worked_out(lake, monkeypatch, AS_OF) == AS_OF


@pytest.mark.usefixtures("few")
def test_portions_give_the_same_rows_as_all_days_at_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "AT_ONCE", 1)
    assert worked_out(lake, monkeypatch, AS_OF) == AS_OF


@pytest.mark.usefixtures("few")
def test_older_versions_are_read_when_they_are_asked_for(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    before = lake.versions()
    old = kept_matrix(lake, as_of=AS_OF, versions=before).frame
    row = records(1)["positions"].head(1).with_columns(_seq=pl.lit(10**7, dtype=pl.Int64))
    lake.append("positions", row.with_columns(known_on=pl.lit(AS_OF[0]), level=pl.lit(9, dtype=pl.Int64)))
    assert not kept_matrix(lake, as_of=AS_OF).frame.equals(old)
    assert kept_matrix(lake, as_of=AS_OF, versions=before).frame.equals(old)


@pytest.mark.usefixtures("few")
def test_a_day_that_nobody_vouches_for_is_removed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out(lake, monkeypatch, AS_OF[:1])
    stray = lake.folder / KEPT / "1999-12-31.parquet"
    pl.DataFrame({"employee_id": ["ghost"]}).write_parquet(stray)
    assert worked_out(lake, monkeypatch, AS_OF[:2]) == AS_OF[1:2]
    assert not stray.exists()
