"""The mapping file: read strictly, applied to headers, and proposed from an organisation's own files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from features.errors import FixableError
from features.ingest import import_folder
from features.intake.proposal import propose
from features.lake import Lake
from features.mapping import Mapping, TableMapping, assign, load, parse, sources


def test_everything_wrong_with_a_mapping_is_told_at_once() -> None:
    with pytest.raises(FixableError) as caught:
        parse(
            'colour = "red"\n'
            "[tables.leavers]\n"
            "[tables.exits]\nspeed = 3\n"
            '[tables.employees]\nfiles = "staff.csv"\n'
            '[tables.positions]\ndecimal = ";"\n'
            '[tables.positions.columns]\nAbteilung = "departement"\n"性别" = "team"\nA = "pay"\nB = "pay"\n'
            '[tables.positions.values.ladder]\nX = "sideways"\n'
            '[tables.positions.own.x_mood]\nkind = "number"\n'
            '[tables.positions.own.shift]\nkind = "text"\ndriver = "luck"\n'
        )
    told = "\n".join(caught.value.problems)
    for part in (
        "[colour]",
        "[tables.leavers]: there is no such table",
        "speed: not known",
        "files: should be a list",
        'decimal: must be "." or ","',
        "no column departement; is department meant?",
        "性别: protected attribute is never accepted",
        "pay is given twice",
        "X → sideways: must be one of management, professional",
        "own.x_mood]: emotion is never accepted",
        "own.shift]: the name must be x_",
        "kind must be",
        "driver must be",
    ):
        assert part in told


def test_a_mapping_that_is_no_toml_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("[tables")
    with pytest.raises(FixableError, match=r"m\.toml is not a readable TOML file"):
        load(tmp_path / "m.toml")


def test_headers_are_assigned_by_mapping_then_name_then_synonym() -> None:
    mapping = TableMapping(columns={"Kostenstelle": "department", "部门": ""})
    headers = ("Kostenstelle", "部门", "Employee ID", "生效日期", "Title", "职位", "pay", "月薪")
    found = assign("positions", headers, mapping, ())
    assert found.columns == {
        "department": "Kostenstelle",
        "employee_id": "Employee ID",
        "happened_on": "生效日期",
        "pay": "pay",
    }
    hints = dict(found.unknown)
    assert list(hints) == ["Title", "职位", "月薪"]
    assert hints["Title"] == "several columns could be `job`: Title, 职位; say in the mapping which one is"


def test_the_deny_list_is_stronger_than_the_mapping() -> None:
    found = assign("positions", ("gender", "employee_id"), TableMapping(columns={"gender": "team"}), ())
    assert [refused.header for refused in found.refused] == ["gender"]
    assert found.columns == {"employee_id": "employee_id"}


def test_a_column_that_belongs_to_another_table_says_so() -> None:
    found = assign("employees", ("工号", "入职日期", "离职类型"), TableMapping(), ())
    assert dict(found.unknown)["离职类型"] == "not part of `employees`; `kind` of `exits`?"


def test_files_are_found_by_table_name_synonym_and_numbered_parts(tmp_path: Path) -> None:
    for name in (
        "surveys_2024-01.csv",
        "花名册.csv",
        "Interactions.parquet",
        "employees.xlsx",
        "notes.csv",
        "gps_tracks.csv",
        ".x.csv",
    ):
        (tmp_path / name).touch()
    found, aside = sources(tmp_path, Mapping())
    assert [(source.name, source.table) for source in found] == [
        ("花名册.csv", "employees"),
        ("Interactions.parquet", "interactions"),
        ("surveys_2024-01.csv", "surveys"),
    ]
    reasons = dict(aside)
    assert reasons["employees.xlsx"] == "a spreadsheet; save it as CSV (UTF-8)"
    assert reasons["notes.csv"].startswith("no table of this name")
    assert reasons["gps_tracks.csv"].startswith("never accepted (location traces)")


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "员工信息.csv").write_bytes("工号,姓名,入职日期,性别\n007,王伟,2019/4/1,CANARY\n".encode("gb18030"))
    (folder / "LZ_2023.csv").write_text(
        "职工号,离职日期,离职类型,离职原因,心情\n007,03/04/2023,主动,薪资,CANARY\n008,04/05/2023,跑路,,CANARY\n"
    )
    (folder / "岗位.csv").write_text("工号,生效日期,部门,职级,x_shift,鞋码\n007,2020-01-01,外科,3,夜,42\n")
    return folder


def test_a_proposal_is_a_mapping_that_says_what_it_does_not_know(exports: Path) -> None:
    text = propose(exports)
    mapping = parse(text)
    assert mapping.table("employees").columns == {"工号": "employee_id", "姓名": "name", "入职日期": "hired_on"}
    assert mapping.table("exits").files == ("LZ_2023.csv",)
    assert mapping.table("exits").values["kind"] == {"主动": "voluntary"}
    assert '# "跑路" = "?"' in text
    assert '# date_format = "%d/%m/%Y"' in text
    assert "# refused: 性别" in text
    assert '# "鞋码" = "?"' in text
    assert '# [tables.positions.own.x_shift]\n# kind = "category"' in text
    assert "CANARY" not in text


def test_a_corrected_proposal_imports_the_folder(exports: Path, tmp_path: Path) -> None:
    text = propose(exports).replace('# "跑路" = "?"', '"跑路" = "other"').replace("# date_format", "date_format")
    (exports / "mapping.toml").write_text(text, encoding="utf-8")
    lake = Lake(tmp_path / "lake")
    report = import_folder(exports, lake)
    assert report.problems == ()
    row = lake.read()["exits"].collect().select("employee_id", "happened_on", "kind", "reason").row(0)
    assert row == ("007", date(2023, 4, 3), "voluntary", "pay")
    assert lake.read()["positions"].collect()["level"].to_list() == [3]
