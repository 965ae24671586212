"""The Viva Insights person query: a drawn query → drawn tables by the two commands; the counts of Microsoft's own."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from typer.testing import CliRunner

from features.errors import FixableError
from features.lake import Lake
from features.mapping import load as load_mapping
from features.matrix import matrix
from training.cli import app

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "viva_insights"
SAMPLE = EXAMPLE / "sample" / "person_query.csv"
SHARED = Path(os.environ.get("RETENTION_SHARED_DATA", ROOT.parent / "shared" / "data")) / "viva_insights"
LAST_WEEK_ENDS = date(2024, 8, 17)


@pytest.fixture(scope="module")
def convert() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(EXAMPLE / "convert.py")))


@pytest.fixture(scope="module")
def tables(convert: SimpleNamespace) -> dict[str, pl.DataFrame]:
    return convert.tables(convert.typed(SAMPLE)[0])


def imported(query: Path, state: Path) -> Lake:
    """The two commands of the README."""
    words = [EXAMPLE / "convert.py", query, state / "records"]
    settings = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    told = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, env=settings, check=True)
    assert "Multitasking" in told.stdout, "what was left out is told"
    mapping = ["--mapping", str(EXAMPLE / "mapping.toml")]
    run = CliRunner().invoke(app, ["import", str(state / "records"), *mapping, "--state", str(state)])
    assert run.exit_code == 0, run.output
    assert re.search(r"files: .* \+ 0 quarantined", run.output), run.output
    return Lake(state / "lake")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return imported(SAMPLE, tmp_path_factory.mktemp("viva"))


def test_a_week_is_dated_on_its_last_day(tables: dict[str, pl.DataFrame]) -> None:
    days = tables["attendance"]["happened_on"]
    assert (days.min(), days.max()) == (date(2024, 5, 4), LAST_WEEK_ENDS)


def test_without_a_hiring_date_the_first_week_stands_for_it(convert: SimpleNamespace) -> None:
    rows, _ = convert.typed(SAMPLE)
    assert convert.employees(rows)["hired_on"].unique().to_list() == [date(2024, 4, 28)]
    with_date = rows.with_columns(hired_on=pl.lit(date(2020, 1, 1)))
    assert convert.employees(with_date)["hired_on"].unique().to_list() == [date(2020, 1, 1)]


def test_attributes_are_the_latest_ones_and_dated_at_the_end_unless_somebody_vouches(convert: SimpleNamespace) -> None:
    rows, _ = convert.typed(SAMPLE)
    last = convert.positions(rows, weekly=False)
    assert last.select("employee_id", "happened_on", "department", "level").rows() == [
        ("p-1", LAST_WEEK_ENDS, "Finance", "Level3"),
        ("p-2", LAST_WEEK_ENDS, "Sales", "Level2"),
    ]
    weekly = convert.positions(rows, weekly=True).filter(pl.col("employee_id") == "p-2")
    assert weekly.select("happened_on", "department").rows() == [
        (date(2024, 5, 4), "IT"),
        (date(2024, 7, 13), "Sales"),
    ]


def test_counts_become_acts_and_a_week_without_any_has_no_row(tables: dict[str, pl.DataFrame]) -> None:
    acts = tables["interactions"]
    first = acts.filter((pl.col("employee_id") == "p-1") & (pl.col("happened_on") == date(2024, 5, 4)))
    assert first.select("kind", "n", "minutes").rows() == [
        ("email", 40, 510.0),
        ("meeting", 10, 750.0),
        ("message", 32, 180.0),
    ]
    last = acts.filter((pl.col("employee_id") == "p-2") & (pl.col("happened_on") == LAST_WEEK_ENDS))
    assert last["kind"].to_list() == ["meeting"]


def test_survey_answers_are_taken_on_request_only_and_where_they_are_new(convert: SimpleNamespace) -> None:
    assert "surveys" not in convert.tables(convert.typed(SAMPLE)[0])
    told = convert.tables(convert.typed(SAMPLE, surveys=True)[0])["surveys"].sort("employee_id", "happened_on")
    assert told.select("employee_id", "happened_on", "item", "score").rows() == [
        ("p-1", date(2024, 5, 4), "engagement", 3.0),
        ("p-1", date(2024, 6, 29), "engagement", 4.0),
        ("p-2", date(2024, 5, 4), "engagement", 5.0),
    ]


def test_the_figures_of_the_matrix_are_those_counted_by_hand(lake: Lake) -> None:
    day = date(2024, 8, 31)
    frame = matrix(lake.read(), as_of=[day], own=lake.own_columns()).frame
    who = {row["employee_id"]: row for row in frame.iter_rows(named=True)}
    # In the 30 days to 31 August: the weeks that end on 3, 10 and 17 August.
    assert who["p-1"]["emails_90d"] == 40 * 11, "weeks that end from 8 June to 17 August"
    assert who["p-1"]["interactions_made_30d"] == 3 * (40 + 10 + 32)
    assert who["p-1"]["meeting_hours_30d"] == pytest.approx(3 * 12.5)
    assert who["p-2"]["interactions_made_30d"] == 2 * 20 + 3 * 16 + 1
    assert who["p-1"]["x_after_hours_hours_latest"] == 2 + 15 / 4
    assert who["p-1"]["x_manager_one_on_one_hours_latest"] == 0.5
    assert (who["p-2"]["department"], who["p-2"]["level"]) == ("Sales", 3)
    assert who["p-1"]["contacts_90d"] is None, "the query does not say with whom"


def test_every_own_column_is_declared_and_every_metric_has_a_word_in_the_readme(convert: SimpleNamespace) -> None:
    declared = {column.name for column in load_mapping(EXAMPLE / "mapping.toml").own}
    assert declared == set(convert.OWN.values())
    readme = convert.plain(re.sub(r"[`*|]", " ", (EXAMPLE / "README.md").read_text(encoding="utf-8")))
    _, left_out = convert.typed(SAMPLE)
    assert left_out == ["eSat", "Copilot actions taken in Teams", "Multitasking hours"]
    for word in ("copilot", "multitasking", "emails_read", "calls", "external_network_size", "survey"):
        assert word in readme, word


def test_what_is_no_person_query_is_refused_with_what_is_missing(convert: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("PersonId,Meetings\np,1\n")
    with pytest.raises(FixableError, match="no column metricdate"):
        convert.typed(tmp_path / "q.csv")
    (tmp_path / "q.csv").write_text("PersonId,MetricDate\np,2024-04-01\np,2024-04-11\n")
    with pytest.raises(FixableError, match="by day, by week or by month"):
        convert.typed(tmp_path / "q.csv")


@pytest.mark.parametrize(
    ("days", "end"),
    [(("2024-04-01", "2024-04-02"), date(2024, 4, 2)), (("2024-03-01", "2024-04-01"), date(2024, 4, 30))],
)
def test_a_query_by_day_or_by_month_ends_on_its_own_day(
    convert: SimpleNamespace, tmp_path: Path, days: tuple[str, str], end: date
) -> None:
    (tmp_path / "q.csv").write_text("PersonId,MetricDate,Meetings\n" + "".join(f"p,{day},1\n" for day in days))
    assert convert.typed(tmp_path / "q.csv")[0]["ends_on"].max() == end


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the Viva Insights sample is not in {SHARED}")
def test_the_real_sample_is_taken_whole(convert: SimpleNamespace, tmp_path: Path) -> None:
    lake = imported(SHARED, tmp_path)
    read = {name: frame.collect() for name, frame in lake.read().items()}
    assert {name: frame.height for name, frame in read.items() if name != "interactions"} == {
        "employees": 300,
        "positions": 300,
        "attendance": 6900,
    }
    raw = pl.read_parquet(SHARED / "person_query.parquet")
    emails = read["interactions"].filter(pl.col("kind") == "email")
    assert emails["n"].sum() == raw["Emails_sent"].round().sum()
    day = date(2024, 10, 31)
    frame = matrix(lake.read(), as_of=[day], own=lake.own_columns()).frame
    assert frame.height == 300
    one = raw["PersonId"][0]
    # known on 31 October, within 90 days: the weeks that begin from 28 July (they end from 3 August) on
    weeks = raw.filter((pl.col("PersonId") == one) & (pl.col("MetricDate") >= date(2024, 7, 28)))
    row = frame.row(by_predicate=pl.col("employee_id") == one, named=True)
    assert row["emails_90d"] == weeks["Emails_sent"].round().sum()
    assert row["x_connected_hours_latest"] == pytest.approx(weeks["Active_connected_hours"][-1])
    assert row["level"] in (1, 2, 3, 4)
