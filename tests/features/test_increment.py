"""A month more alone: the same bytes, in every column, as the same month worked out together with those before."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from features import engine
from features.company import Company, invent_company
from features.ingest import import_folder
from features.lake import Lake
from features.matrix import cards_of, matrix
from features.snapshots import month_ends

pytestmark = pytest.mark.slow

MONTHS = month_ends(date(2022, 1, 31), date(2023, 12, 31))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A company of sixty people over two years, with its late entries and corrections."""
    folder: Path = tmp_path_factory.mktemp("increment")
    invent_company(Company(n_employees=60, months=24, seed=3), folder / "records", truth=folder / "truth")
    lake = Lake(folder / "lake")
    import_folder(folder / "records", lake)
    return lake


@pytest.fixture(scope="module")
def together(lake: Lake) -> pl.DataFrame:
    """24 snapshots in one call."""
    assert len(MONTHS) == 24
    return matrix(lake.read(), as_of=MONTHS).frame


@pytest.mark.parametrize("month", [0, 11, 23])
def test_a_month_alone_is_the_month_among_twenty_four_in_every_column(
    lake: Lake, together: pl.DataFrame, month: int
) -> None:
    alone = matrix(lake.read(), as_of=[MONTHS[month]]).frame
    among = together.filter(pl.col("as_of") == MONTHS[month])
    assert alone.columns == ["employee_id", "as_of", *(card.column for card in cards_of())]
    assert [name for name in alone.columns if not alone[name].equals(among[name])] == []


def test_most_columns_hold_a_value_in_the_last_month(together: pl.DataFrame) -> None:
    """Two calls that know nothing agree about nothing."""
    last = together.filter(pl.col("as_of") == MONTHS[-1])
    told = sum(last[card.column].count() > 0 for card in cards_of())
    assert told > 0.8 * len(cards_of())


def test_events_in_parts_of_a_thousand_rows_give_the_same_month(
    lake: Lake, together: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As hundreds of millions of events are worked through."""
    monkeypatch.setattr(engine, "AT_ONCE", 1000)
    last = matrix(lake.read(), as_of=MONTHS[-1:]).frame
    among = together.filter(pl.col("as_of") == MONTHS[-1])
    assert [name for name in last.columns if not last[name].equals(among[name])] == []
