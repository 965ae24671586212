"""Every row is accepted, quarantined or an exact duplicate; repair ends where a clean import would have."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from features.errors import FixableError
from features.ingest import import_folder, repair
from features.intake.quarantine import export, waiting
from features.intake.reports import ImportReport
from features.lake import Lake
from features.mapping import parse
from features.tables import TABLES

Folder = Callable[..., Path]


def content(lake: Lake) -> dict[str, list[tuple]]:
    """Everything in the lake, with the order of arrival, in a fixed order."""
    return {name: sorted(frame.collect().rows(), key=repr) for name, frame in lake.read().items()}


def balanced(report: ImportReport) -> bool:
    """Received = accepted + quarantined + duplicates, for every file."""
    return all(f.received == f.accepted + f.quarantined + f.duplicates for f in report.files)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder of exports: file name without suffix → text; ``employees`` has A1 and A2 unless it is given."""
    numbers = iter(range(100))

    def write(**files: str) -> Path:
        target = tmp_path / f"exports{next(numbers)}"
        target.mkdir()
        for name, text in {"employees": "employee_id,hired_on\nA1,2019-01-01\nA2,2020-01-01\n", **files}.items():
            (target / f"{name}.csv").write_text(text, encoding="utf-8")
        return target

    return write


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


POSITIONS = "employee_id,happened_on,department,job,ladder,level,manager_id,weekly_hours,pay,currency"


def _position(i: int) -> list[str]:
    day = date(2021, 1, 1).toordinal() + i
    manager = f"E{i % 7:03d}"
    facts = [f"E{i % 200:03d}", date.fromordinal(day).isoformat(), f"dept {i % 5}", "nurse", "professional"]
    return [*facts, str(i % 9), manager, "40", f"{8000 + i}.5", "CNY"]


SPOILS: list[tuple[str, str, Callable[[list[str]], list[str]]]] = [
    ("happened_on", "missing", lambda row: [row[0], "", *row[2:]]),
    ("happened_on", "date", lambda row: [row[0], "2023-02-30", *row[2:]]),
    ("happened_on", "impossible_date", lambda row: [row[0], "1823-05-01", *row[2:]]),
    ("employee_id", "unknown_employee", lambda row: ["X999", *row[1:]]),
    ("ladder", "allowed", lambda row: [*row[:4], "sideways", *row[5:]]),
    ("level", "whole_number", lambda row: [*row[:5], "3.5", *row[6:]]),
    ("weekly_hours", "range", lambda row: [*row[:7], "200", *row[8:]]),
    ("pay", "number", lambda row: [*row[:8], "a lot", row[9]]),
    ("", "cells", lambda row: row[:8]),
]


def _file(rows: list[list[str]]) -> str:
    return "\n".join([POSITIONS, *(",".join(row) for row in rows)]) + "\n"


def test_a_thousand_rows_of_which_37_are_bad_in_nine_ways(folder: Folder, lake: Lake, tmp_path: Path) -> None:
    people = "employee_id,hired_on\n" + "".join(f"E{i:03d},2019-01-01\n" for i in range(200))
    clean = [_position(i) for i in range(1000)]
    bad = {13 + 26 * k: SPOILS[k % 9] for k in range(37)}
    dirty = [bad[i][2](row) if i in bad else row for i, row in enumerate(clean)]

    report = import_folder(folder(employees=people, positions=_file(dirty)), lake)
    positions = report.files[1]
    assert (positions.received, positions.accepted, positions.quarantined, positions.duplicates) == (1000, 963, 37, 0)
    told = {row: (column, rule) for row, column, rule in waiting(lake).select("row", "column", "rule").iter_rows()}
    assert told == {i + 2: (column, rule) for i, (column, rule, _) in bad.items()}
    assert all(waiting(lake)["hint_en"].str.len_chars() > 0)
    assert all(waiting(lake)["hint_zh"].str.len_chars() > 0)

    (exported,) = export(lake, tmp_path / "mend")
    rows = list(csv.DictReader(io.StringIO(exported.read_text(encoding="utf-8-sig"))))
    mended = [row | dict(zip(POSITIONS.split(","), clean[int(row["_row"]) - 2], strict=True)) for row in rows]
    with exported.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.DictWriter(file, fieldnames=rows[0].keys())
        out.writeheader()
        out.writerows(mended)
    done = repair(lake, tmp_path / "mend")
    assert (done.accepted, done.still_waiting) == (37, 0)
    assert waiting(lake).height == 0

    other = Lake(tmp_path / "clean")
    import_folder(folder(employees=people, positions=_file(clean)), other)
    assert content(lake) == content(other)

    versions = lake.versions()
    again = import_folder(folder(employees=people, positions=_file(dirty)), lake).files[1]
    assert (again.accepted, again.quarantined, again.duplicates) == (0, 0, 1000)
    assert lake.versions() == versions


def test_every_rule_is_told_with_row_column_and_value(folder: Folder, lake: Lake) -> None:
    exports = folder(
        exits="employee_id,happened_on,kind\nA2,2019-06-01,voluntary\n",
        interactions="employee_id,happened_at,kind,after_hours\nA1,half past nine,email,no\nA1,,email,maybe\n",
        surveys="employee_id,happened_on,item,score,known_on\n"
        "A1,2023-05-01,pay,9,\nA1,2023-05-01,enps,3,2023-04-01\nA1,2030-01-01,pay,3,\nA1,2023-05-01,\ufffd,3,\n",
    )
    report = import_folder(exports, lake, today=date(2024, 1, 1))
    assert balanced(report)
    rows = waiting(lake).select("file", "row", "column", "value", "rule", "also").rows()
    assert rows == [
        ("exits.csv", 2, "happened_on", "2019-06-01", "exit_before_hire", None),
        ("interactions.csv", 2, "happened_at", "half past nine", "timestamp", "happened_at: missing"),
        ("interactions.csv", 3, "after_hours", "maybe", "yes_no", "happened_at: missing"),
        ("surveys.csv", 2, "score", "9", "scale", None),
        ("surveys.csv", 3, "known_on", "2023-04-01", "known_before", None),
        ("surveys.csv", 4, "happened_on", "2030-01-01", "future", None),
        ("surveys.csv", 5, "item", "\ufffd", "unreadable", None),
    ]


def test_a_refused_column_is_named_and_nothing_of_it_is_stored(folder: Folder, lake: Lake) -> None:
    exports = folder(
        employees="employee_id,hired_on,性别,x_Ge_nder\nA1,2019-01-01,CANARY1,CANARY2\n",
        interactions="employee_id,happened_on,kind,message_text,mood\nA1,2023-01-01,email,CANARY3,CANARY4\n"
        "A9,2023-01-01,email,CANARY5,CANARY6\nA1,2023-01-01,email,CANARY7\n",
    )
    report = import_folder(exports, lake)
    assert [r.header for file in report.files for r in file.refused] == ["性别", "x_Ge_nder", "message_text", "mood"]
    assert report.files[1].quarantined == 2
    assert "CANARY" not in report.text() + repr(content(lake)) + repr(waiting(lake).rows())
    for path in lake.folder.rglob("*.parquet"):
        assert "CANARY" not in repr(pl.read_parquet(path).rows())
    assert not any(b"CANARY" in path.read_bytes() for path in lake.folder.rglob("*") if path.is_file())


def test_protected_attributes_are_kept_in_their_own_table(folder: Folder, lake: Lake) -> None:
    import_folder(folder(protected="工号,性别,出生年份,宗教\nA1,女,1990,CANARY\n"), lake)
    frame = lake.read(["protected"])["protected"].collect()
    assert frame.select("employee_id", "gender", "birth_year").rows() == [("A1", "女", "1990")]
    assert "CANARY" not in repr(frame.rows())


def test_unknown_columns_are_not_stored_and_come_with_a_hint(folder: Folder, lake: Lake) -> None:
    report = import_folder(
        folder(positions="employee_id,happened_on,departmint,shoe_size,x_shift\nA1,2020-01-01,a,b,c\n"), lake
    )
    hints = dict(report.files[1].unknown)
    assert list(hints) == ["departmint", "shoe_size", "x_shift"]
    assert "`department`" in hints["departmint"]
    assert "[tables.positions.own.x_shift]" in hints["x_shift"]
    assert "x_shift" not in lake.read()["positions"].collect_schema()


def test_chinese_headers_and_values_work_without_a_mapping(tmp_path: Path, lake: Lake) -> None:
    exports = tmp_path / "导出"
    exports.mkdir()
    (exports / "花名册.csv").write_bytes("工号,姓名,入职日期\n001,王伟,2019/4/1\n".encode("gb18030"))
    (exports / "离职记录.csv").write_bytes(
        "工号,离职日期,离职类型,离职原因\n001,2023年1月31日,主动离职,薪资\n".encode("utf-8-sig")
    )
    assert balanced(import_folder(exports, lake))
    records = {name: frame.collect() for name, frame in lake.read().items()}
    assert records["employees"].select("employee_id", "name", "hired_on").row(0) == ("001", "王伟", date(2019, 4, 1))
    row = records["exits"].select("kind", "reason", "known_on", "known_on_given").row(0)
    assert row == ("voluntary", "pay", date(2023, 1, 1), False)


def test_a_reason_off_the_list_is_kept_as_other_and_its_wording_nowhere(folder: Folder, lake: Lake) -> None:
    exports = folder(
        exits="employee_id,happened_on,kind,reason\nA1,2023-01-31,voluntary,CANARY\nA9,2023-01-31,other,CANARY\n"
    )
    report = import_folder(exports, lake)
    assert lake.read()["exits"].collect()["reason"].to_list() == ["other"]
    assert "CANARY" not in repr(waiting(lake).rows()) + report.text()


def test_own_columns_are_stored_once_they_are_declared(folder: Folder, lake: Lake) -> None:
    mapping = parse(
        '[tables.positions.columns]\n"班次" = "x_shift"\n'
        '[tables.positions.own.x_shift]\nkind = "category"\ndriver = "workload"\nwords_zh = "{value}班"\n'
        '[tables.positions.own.x_km]\nkind = "number"\n'
    )
    text = 'employee_id,happened_on,班次,x_km\nA1,2020-01-01,夜,"12,5"\nA2,2020-01-01,日,far\n'
    report = import_folder(folder(positions=text), lake, mapping=mapping)
    assert report.files[1].quarantined == 1
    assert lake.read()["positions"].collect().select("x_shift", "x_km").rows() == [("夜", 12.5)]
    assert {column.name: column.driver for column in lake.own_columns()} == {"x_shift": "workload", "x_km": "context"}
    long = "employee_id,happened_on,x_shift\nA1,2021-01-01," + "我觉得" * 40 + "\n"
    refused = import_folder(folder(positions=long), lake).files[1].refused
    assert [r.topic for r in refused] == ["free text"]


def test_dates_that_can_be_read_in_two_ways_keep_the_file_out_until_the_mapping_decides(
    folder: Folder, lake: Lake
) -> None:
    exports = folder(surveys="employee_id,happened_on,item,score\nA1,03/04/2023,pay,3\n")
    report = import_folder(exports, lake)
    assert report.files[1].received == 0
    assert "date_format" in report.problems[1]
    mapping = parse('[tables.surveys]\ndate_format = "%d/%m/%Y"\n')
    import_folder(exports, lake, mapping=mapping)
    assert lake.read()["surveys"].collect()["happened_on"].to_list() == [date(2023, 4, 3)]


def test_a_file_without_a_required_column_says_which_and_others_go_on(folder: Folder, lake: Lake) -> None:
    report = import_folder(folder(exits="employee_id,kind\nA1,other\n", goals="goal_id\n", skills="x\n"), lake)
    assert "no column for happened_on" in report.problems[0]
    assert lake.tables() == ("employees",)


def test_without_employees_nothing_is_imported(tmp_path: Path, lake: Lake) -> None:
    (tmp_path / "surveys.csv").write_text("employee_id,happened_on,item,score\nA1,2023-04-03,pay,3\n")
    with pytest.raises(FixableError, match="no file with the employees"):
        import_folder(tmp_path, lake)
    (tmp_path / "employees.csv").write_text("employee_id,hired_on\nA1,03/04/2023\n")
    report = import_folder(tmp_path, lake)
    assert [file.received for file in report.files] == [0, 0]
    assert lake.tables() == ()


def test_equal_days_are_two_acts_and_equal_clock_times_are_one(folder: Folder, lake: Lake) -> None:
    day, clock = "A1,2023-05-01,,email\n", "A1,,2023-05-01 09:30,email\n"
    head = "employee_id,happened_on,happened_at,kind\n"
    first = import_folder(folder(interactions=head + day * 2 + clock * 2), lake).files[1]
    assert (first.accepted, first.duplicates) == (3, 1)
    overlap = import_folder(folder(interactions=head + clock + day * 3), lake).files[1]
    assert (overlap.accepted, overlap.duplicates) == (1, 3)
    midnight = import_folder(folder(interactions=head + "A1,,2023-05-01 00:00:00,email\n" * 4), lake).files[1]
    assert (midnight.accepted, midnight.duplicates) == (1, 3)


def test_a_correction_is_kept_beside_the_row_that_it_corrects(folder: Folder, lake: Lake) -> None:
    head = "employee_id,happened_on,pay\n"
    report = import_folder(folder(positions=head + "A1,2020-01-01,100\nA1,2020-01-01,120\nA1,2020-01-01,100\n"), lake)
    assert (report.files[1].accepted, report.files[1].duplicates, report.files[1].corrections) == (2, 1, 1)
    import_folder(folder(positions=head + "A1,2020-01-01,130\n"), lake)
    rows = lake.read()["positions"].collect().sort("_seq")
    assert rows["pay"].to_list() == [100, 120, 130]
    assert rows["_seq"].is_unique().all()


def test_rows_of_somebody_who_was_unknown_are_taken_when_the_person_is_known(folder: Folder, lake: Lake) -> None:
    surveys = "employee_id,happened_on,item,score\nB1,2023-04-03,pay,3\nB2,2023-04-03,pay,4\n"
    import_folder(folder(surveys=surveys), lake)
    import_folder(folder(employees="employee_id,hired_on\nB1,2022-01-01\n"), lake)
    assert repair(lake).text().startswith("1 rows accepted")
    report = import_folder(folder(employees="employee_id,hired_on\nB2,2022-01-01\n", surveys=surveys), lake)
    assert (report.files[1].accepted, report.files[1].duplicates) == (1, 1)
    assert waiting(lake).height == 0


def test_a_junk_row_can_be_dropped_and_a_short_line_confirmed(folder: Folder, lake: Lake, tmp_path: Path) -> None:
    exports = folder(surveys="employee_id,happened_on,item,score,scale_max\nTotal,,,,\nA1,2023-04-03,pay,3\n")
    import_folder(exports, lake)
    assert repair(lake).still_waiting == 2, "a line that does not fit is not taken unseen"
    (path,) = export(lake, tmp_path / "mend")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    marks = {"Total": "drop", "A1": "ok"}
    rows = [row | {"_do": marks[row["employee_id"]]} for row in csv.DictReader(lines)]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, fieldnames=rows[0].keys())
        out.writeheader()
        out.writerows(rows)
    done = repair(lake, path)
    assert (done.accepted, done.dropped, done.still_waiting) == (1, 1, 0)
    assert import_folder(exports, lake).files[1].duplicates == 2


def test_an_edit_that_is_still_wrong_stays_with_the_edit(folder: Folder, lake: Lake, tmp_path: Path) -> None:
    exports = folder(surveys="employee_id,happened_on,item,score\nA1,soon,pay,=3\n")
    import_folder(exports, lake)
    (path,) = export(lake, tmp_path)
    text = path.read_text(encoding="utf-8-sig")
    assert "'=3" in text, "a spreadsheet must not run a cell"
    path.write_text(text.replace(",soon,pay", ",2023-04-03,pay"), encoding="utf-8")
    repair(lake, path)
    assert waiting(lake).select("column", "value", "rule").rows() == [("score", "=3", "number")]
    import_folder(exports, lake)
    assert waiting(lake).select("column", "value", "rule").rows() == [("score", "=3", "number")]


def test_the_mapping_file_in_the_folder_is_used(folder: Folder, lake: Lake) -> None:
    exports = folder(staff_2024="Nr,Start,Bis,Warum\nA7,01.05.2019,,\nA8,01.06.2019,31.12.2023,K\n")
    (exports / "mapping.toml").write_text(
        '[tables.exits]\nfiles = ["staff_*.csv"]\nonly_if = "Bis"\n'
        '[tables.exits.columns]\nNr = "employee_id"\nBis = "happened_on"\nWarum = "kind"\n'
        '[tables.exits.values.kind]\nK = "voluntary"\n'
        '[tables.employees]\nfiles = ["staff_*.csv", "employees.csv"]\n'
        '[tables.employees.columns]\nNr = "employee_id"\nStart = "hired_on"\nWarum = ""\n',
        encoding="utf-8",
    )
    report = import_folder(exports, lake)
    assert report.received == 5
    assert lake.read()["exits"].collect().select("employee_id", "kind").rows() == [("A8", "voluntary")]


def test_progress_is_told_per_file(folder: Folder, lake: Lake) -> None:
    steps: list[tuple[str, int, int]] = []
    import_folder(folder(), lake, progress=lambda *step: steps.append(step))
    assert steps == [("employees.csv", 0, 1), ("imported", 1, 1)]


def test_every_table_can_be_imported_from_its_required_columns(folder: Folder, lake: Lake) -> None:
    samples = {
        "date": "2023-05-01",
        "timestamp": "2023-05-01 08:00",
        "int": "1",
        "float": "1",
        "text": "A1",
        "bool": "1",
    }
    files = {}
    for name, table in TABLES.items():
        columns = [c for c in table.columns if c.required or c.name in table.one_of[:1]]
        cells = [(c.allowed or (samples[c.kind],))[0] for c in columns]
        files[name] = ",".join(c.name for c in columns) + "\n" + ",".join(cells) + "\n"
    report = import_folder(folder(**files), lake)
    assert [(file.table, file.accepted) for file in report.files] == [(name, 1) for name in TABLES]
    assert lake.tables() == tuple(TABLES)
    assert not any(frame.collect()["known_on"].is_null().any() for frame in lake.read().values())


def test_progress_of_a_repair_is_told_per_table(folder: Folder, lake: Lake) -> None:
    import_folder(folder(surveys="employee_id,happened_on,item,score\nB1,2023-04-03,pay,3\n"), lake)
    steps: list[tuple[str, int, int]] = []
    repair(lake, progress=lambda *step: steps.append(step))
    assert steps == [("surveys", 0, 1), ("repaired", 1, 1)]


def test_edited_rows_that_wait_no_more_are_counted_and_passed_over(folder: Folder, lake: Lake, tmp_path: Path) -> None:
    import_folder(folder(surveys="employee_id,happened_on,item,score\nB1,2023-04-03,pay,3\n"), lake)
    (path,) = export(lake, tmp_path)
    path.write_text(path.read_text(encoding="utf-8-sig").replace(",B1,", ",A1,"), encoding="utf-8")
    assert repair(lake, path).accepted == 1
    assert "1 edited rows are not in the quarantine (any more)" in repair(lake, path).text()


def test_mended_files_that_cannot_be_used_are_refused_with_everything_that_is_wrong(
    folder: Folder, lake: Lake, tmp_path: Path
) -> None:
    import_folder(folder(surveys="employee_id,happened_on,item,score\nB1,2023-04-03,pay,3\n"), lake)
    (path,) = export(lake, tmp_path / "mend")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row | {"_do": "maybe"} for row in csv.DictReader(file)]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, fieldnames=rows[0].keys())
        out.writeheader()
        out.writerows(rows)
    (path.parent / "quarantine_goals.csv").write_text("goal_id,progress\ng1,1\n1,2,3\n", encoding="utf-8")
    with pytest.raises(FixableError, match="cannot be used yet") as refused:
        repair(lake, path.parent)
    told = "\n".join(refused.value.problems)
    for part in ("quarantine_goals.csv, row 3: more or fewer cells", "column _id is missing", "_do is 'maybe'"):
        assert part in told


def test_a_condition_on_a_column_that_is_not_there_keeps_the_file_out(folder: Folder, lake: Lake) -> None:
    exports = folder(exits="employee_id,happened_on,kind\nA1,2023-05-01,other\n")
    report = import_folder(exports, lake, mapping=parse('[tables.exits]\nonly_if = "gone"\n'))
    assert "only_if names the column gone" in report.problems[0]


def test_where_one_of_several_columns_is_needed_none_is_told_as_a_problem(folder: Folder, lake: Lake) -> None:
    report = import_folder(folder(interactions="employee_id,kind\nA1,email\n"), lake)
    assert "no column for happened_at or happened_on" in report.problems[0]


def test_an_empty_file_of_a_table_is_no_problem(folder: Folder, lake: Lake) -> None:
    report = import_folder(folder(surveys=""), lake)
    assert report.problems == ()
    assert [(file.table, file.received) for file in report.files] == [("employees", 2), ("surveys", 0)]


def test_a_correction_is_told_in_the_report(folder: Folder, lake: Lake) -> None:
    report = import_folder(folder(positions="employee_id,happened_on,pay\nA1,2020-01-01,1\nA1,2020-01-01,2\n"), lake)
    assert "1 of the accepted rows correct an earlier one with the same key" in report.text()
    assert "quarantined" in report.text()
