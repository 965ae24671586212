"""Chinese HR exports, command by command: propose → import → a matrix; and what each way of writing is read as."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from features.ingest import import_folder
from features.intake.proposal import propose
from features.lake import Lake
from features.mapping import load, parse
from features.matrix import matrix
from training.cli import app

EXAMPLE = Path(__file__).parents[2] / "examples" / "hris_zh"
SAMPLE = EXAMPLE / "sample"
ROWS = {"employees": 11, "exits": 3, "positions": 13, "reviews": 11, "learning": 5, "attendance": 48}


def commands(state: Path, mapping: Path | None) -> str:
    """The two commands of the README; without a mapping the proposal is taken as it is."""
    run = CliRunner()
    if mapping is None:
        proposed = run.invoke(app, ["propose-mapping", str(SAMPLE)])
        assert proposed.exit_code == 0, proposed.output
        mapping = state / "mapping.toml"
        mapping.write_text(proposed.stdout, encoding="utf-8")
    imported = run.invoke(app, ["import", str(SAMPLE), "--mapping", str(mapping), "--state", str(state)])
    assert imported.exit_code == 0, imported.output
    return imported.output


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    state = tmp_path_factory.mktemp("hris")
    commands(state, EXAMPLE / "mapping.toml")
    return Lake(state / "lake")


def rows(lake: Lake, table: str, who: str) -> pl.DataFrame:
    return lake.read()[table].collect().filter(pl.col("employee_id") == who)


def test_the_proposal_imports_every_row_without_a_correction(tmp_path: Path) -> None:
    told = commands(tmp_path, None)
    assert "91 rows received = 91 accepted + 0 quarantined" in told
    read = Lake(tmp_path / "lake").read()
    assert {name: frame.select(pl.len()).collect().item() for name, frame in read.items()} == ROWS


def test_every_column_that_was_not_taken_is_named_with_a_reason(tmp_path: Path) -> None:
    told = commands(tmp_path, None)
    for words in (
        "column not taken: 在职状态 (who left is told by `exits`, with the day)",
        "column not taken: 异动类型",
        "column not taken: 迟到次数 (lateness does not foretell exits; the minutes are enough)",
        "column not taken: 课程名称",
        "refused, nothing of it stored: 性别",
        "refused, nothing of it stored: 病假天数",
    ):
        assert words in told


def test_the_committed_mapping_is_the_proposal_with_corrections() -> None:
    proposed, kept = parse(propose(SAMPLE)), load(EXAMPLE / "mapping.toml")
    assert set(kept.tables) == set(proposed.tables)
    for name, table in proposed.tables.items():
        mine = kept.table(name)
        assert table.columns.items() <= mine.columns.items(), name
        assert table.constants == mine.constants
        for column, values in table.values.items():
            assert values.items() <= mine.values[column].items(), (name, column)
    assert [column.name for column in kept.own] == ["x_days_present"]


def test_after_the_corrections_only_refused_columns_are_left(tmp_path: Path) -> None:
    report = import_folder(SAMPLE, Lake(tmp_path), mapping=load(EXAMPLE / "mapping.toml"))
    assert [file.unknown for file in report.files if file.unknown] == []
    assert {refused.header for file in report.files for refused in file.refused} == {"性别", "病假天数"}


def test_every_way_of_writing_a_date_is_read(lake: Lake) -> None:
    hired = dict(lake.read()["employees"].collect().select("employee_id", "hired_on").iter_rows())
    assert [hired[f"00{n:02}"] for n in (1, 2, 3, 4, 6, 8)] == [
        date(2015, 3, 2),
        date(2019, 4, 1),
        date(2020, 8, 17),
        date(2022, 5, 1),
        date(2021, 7, 1),
        date(2023, 2, 13),
    ]


def test_money_with_thousands_yuan_and_wan_is_money_per_month(lake: Lake) -> None:
    now = lake.read()["positions"].collect().filter(pl.col("happened_on") == date(2023, 12, 31))
    assert now.sort("employee_id")["pay"].to_list() == [15800, 9200.5, 8800, 7600, 21000, 12500, 9600, 7300]
    assert now["level"].to_list()[:3] == [7, 5, 5]


def test_a_roster_is_dated_by_its_file_name_and_never_by_the_hiring_date(lake: Lake) -> None:
    known = rows(lake, "positions", "0005")
    assert known.select("happened_on", "known_on", "team").rows() == [
        (date(2023, 12, 31), date(2023, 12, 31), "内科二组")
    ]


def test_a_month_of_attendance_is_known_after_it_is_over_and_in_hours(lake: Lake) -> None:
    first = rows(lake, "attendance", "0001").row(0, named=True)
    assert (first["happened_on"], first["known_on"]) == (date(2023, 7, 31), date(2023, 8, 3))
    assert first["hours"] == pytest.approx(first["x_days_present"] * 8)
    assert first["overtime_hours"] == 6


def test_a_grade_is_the_number_of_the_mapping_and_known_after_the_half_year(lake: Lake) -> None:
    rated = rows(lake, "reviews", "0003").sort("happened_on")
    assert rated.select("happened_on", "known_on", "rating").rows() == [
        (date(2022, 12, 31), date(2023, 1, 14), 4.0),
        (date(2023, 6, 30), date(2023, 7, 14), 5.0),
    ]


def test_leavers_are_known_from_their_own_list_with_notice_kind_and_reason(lake: Lake) -> None:
    exits = lake.read()["exits"].collect().sort("employee_id")
    assert exits.select("employee_id", "happened_on", "known_on", "kind", "reason").rows() == [
        ("0009", date(2023, 4, 14), date(2023, 3, 15), "voluntary", "pay"),
        ("0010", date(2023, 8, 31), date(2023, 8, 31), "retirement", None),
        ("0011", date(2023, 10, 31), date(2023, 10, 10), "involuntary", "performance"),
    ]


def test_the_company_has_a_matrix_whose_figures_can_be_checked_by_hand(lake: Lake) -> None:
    days = [date(2023, 3, 31), date(2023, 12, 31)]
    frame = matrix(lake.read(), as_of=days, own=lake.own_columns()).frame
    old, new = (frame.filter(pl.col("as_of") == day) for day in days)
    assert "0009" not in old["employee_id"].to_list(), "gave notice on 15 March"
    assert {"0010", "0011"} <= set(old["employee_id"])
    assert sorted(new["employee_id"]) == [f"00{n:02}" for n in range(1, 9)]
    who = {row["employee_id"]: row for row in new.iter_rows(named=True)}
    assert who["0003"]["manager_span"] == 3, "0002, 0003 and 0004 report to 0001"
    # October and November are known on 31 December, the month of December not yet.
    assert who["0003"]["overtime_hours_90d"] == (24 + 4 * 3) + (24 + 4 * 4)
    assert who["0003"]["x_days_present_latest"] is not None


def test_the_sample_is_written_in_both_encodings() -> None:
    raw = {path.name: path.read_bytes() for path in SAMPLE.glob("*.csv")}
    assert len(raw) == 6
    for name in ("员工花名册_20231231.csv", "岗位异动.csv", "绩效考核.csv"):
        with pytest.raises(UnicodeDecodeError):
            raw[name].decode("utf-8")
    assert raw["离职人员.csv"].startswith(b"\xef\xbb\xbf")


def test_the_mapping_is_plain_toml() -> None:
    assert tomllib.loads((EXAMPLE / "mapping.toml").read_text(encoding="utf-8"))["tables"].keys() == ROWS.keys()
