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


ROSTER = "工号,入职日期,部门,职级,月薪\n1,2019-04-01,外科,P5,9000\n2,2020-05-01,内科,P6,9500\n"


def proposed(tmp_path: Path, **files: str) -> str:
    folder = tmp_path / "exports"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return propose(folder)


def test_a_roster_gives_posts_too_and_asks_for_the_day_of_its_export(tmp_path: Path) -> None:
    text = proposed(tmp_path, 花名册=ROSTER)
    assert '# happened_on = "2023-04-30"  # required: the day of the export' in text
    assert "happened_on" not in parse(text).table("positions").columns.values(), "the hiring date dates no post"
    assert '"部门" = ""  # taken by positions' in text
    assert parse(text).table("positions").values["level"] == {"P5": "5", "P6": "6"}


def test_a_roster_with_a_date_in_its_name_is_dated_by_it_and_others_by_their_own_column(tmp_path: Path) -> None:
    change = "工号,异动日期,新部门,新职级\n1,2021-01-01,急诊,P4\n2,,急诊,P4\n"
    text = proposed(tmp_path, 花名册_20230430=ROSTER, 岗位异动=change)
    lake = Lake(tmp_path / "lake")
    report = import_folder(tmp_path / "exports", lake, mapping=parse(text))
    assert report.problems == ()
    assert report.quarantined == 1, "a change without a date is not dated by the name of the file"
    rows = lake.read()["positions"].collect().sort("happened_on", "employee_id")
    assert rows.select("employee_id", "happened_on", "department", "level").rows() == [
        ("1", date(2021, 1, 1), "急诊", 4),
        ("1", date(2023, 4, 30), "外科", 5),
        ("2", date(2023, 4, 30), "内科", 6),
    ]


def test_a_file_whose_name_has_no_date_is_refused_when_the_mapping_asks_for_one(tmp_path: Path) -> None:
    (tmp_path / "花名册.csv").write_text(ROSTER, encoding="utf-8")
    mapping = parse(
        '[tables.employees]\nfiles = ["花名册.csv"]\n'
        '[tables.positions]\nfiles = ["花名册.csv"]\n[tables.positions.constants]\nhappened_on = "@file"\n'
    )
    report = import_folder(tmp_path, Lake(tmp_path / "lake"), mapping=mapping)
    assert any("takes a date from the name of the file" in problem for problem in report.problems)


def test_a_list_of_leavers_brings_the_leavers_themselves(tmp_path: Path) -> None:
    left = "工号,入职日期,离职日期,离职类型\n3,2018-01-01,2023-02-01,辞职\n"
    text = proposed(tmp_path, 花名册_202304=ROSTER, 离职人员=left)
    lake = Lake(tmp_path / "lake")
    report = import_folder(tmp_path / "exports", lake, mapping=parse(text))
    assert (report.problems, report.quarantined) == ((), 0)
    assert sorted(lake.read()["employees"].collect()["employee_id"]) == ["1", "2", "3"]


def test_a_roster_that_lists_who_left_gives_exits_of_those_alone(tmp_path: Path) -> None:
    roster = "工号,入职日期,在职状态,离职日期,离职类型\n1,2019-04-01,在职,,\n2,2020-05-01,离职,2023-02-01,主动离职\n"
    text = proposed(tmp_path, 花名册=roster)
    lake = Lake(tmp_path / "lake")
    report = import_folder(tmp_path / "exports", lake, mapping=parse(text))
    assert report.quarantined == 0
    assert lake.read()["exits"].collect().select("employee_id", "kind").rows() == [("2", "voluntary")]


def test_several_files_may_each_have_their_own_header_but_one_file_may_not_say_a_column_twice() -> None:
    entry = TableMapping(columns={"新部门": "department", "部门": "department"})
    assert assign("positions", ("工号", "部门"), entry, ()).columns["department"] == "部门"
    both = assign("positions", ("工号", "部门", "新部门"), entry, ())
    assert "department" not in both.columns
    assert dict(both.unknown)["部门"].startswith("several columns could be `department`")
    text = (
        '[tables.positions]\nfiles = ["a.csv", "b.csv"]\n[tables.positions.columns]\n"新部门" = "pay"\n"部门" = "pay"\n'
    )
    assert set(parse(text).table("positions").columns) == {"新部门", "部门"}


def test_a_title_stands_for_a_number_and_a_period_for_a_day_only_where_there_is_no_better(tmp_path: Path) -> None:
    headers = ("工号", "培训日期", "课程名称")
    assert assign("learning", headers, TableMapping(), ()).columns["course_id"] == "课程名称"
    assert assign("learning", (*headers, "课程编号"), TableMapping(), ()).columns["course_id"] == "课程编号"
    both = assign("reviews", ("工号", "考核周期", "考核日期", "得分"), TableMapping(), ())
    assert both.columns["happened_on"] == "考核日期"


def test_words_in_a_column_of_numbers_are_proposed_as_numbers_or_as_nothing(tmp_path: Path) -> None:
    rated = "工号,考核日期,绩效等级\n1,2023-01-01,A\n2,2023-01-01,待定\n"
    taught = "工号,培训日期,课程编号,成绩\n1,2023-01-01,K1,合格\n2,2023-01-01,K1,92分\n"
    text = proposed(tmp_path, 花名册=ROSTER, 绩效=rated, 培训=taught)
    assert '# "待定" = "?"' in text
    assert '"合格" = ""  # no number: left empty' in text
    assert "92分" not in text


def test_what_is_no_folder_cannot_be_imported(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match="is not a folder"):
        propose(tmp_path / "nowhere")


def test_a_file_of_an_unknown_name_is_known_by_its_columns_or_left_aside(tmp_path: Path) -> None:
    exits = "工号,离职日期,离职类型\n1,2023-02-01,辞职\n"
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "damaged.parquet").write_bytes(b"no parquet")
    for name, text in {
        "花名册": ROSTER,
        "系统导出": exits,
        "说明": "甲,乙\n1,2\n",
        "日志": "工号,类型\n1,邮件\n",
    }.items():
        (tmp_path / "exports" / f"{name}.csv").write_text(text, encoding="utf-8")
    text = propose(tmp_path / "exports")
    assert parse(text).table("exits").files == ("系统导出.csv",)
    for name in ("说明.csv", "日志.csv", "damaged.parquet"):
        assert f"# {name}: left aside" in text


def test_a_proposal_asks_for_what_is_required_and_names_what_one_of_them_could_be(tmp_path: Path) -> None:
    text = proposed(tmp_path, 花名册=ROSTER, interactions="工号,类型\n1,邮件\n", surveys="工号,得分\n1,3\n")
    assert "# Before the import, answer what is required" in text
    assert '# "?" = "happened_at"  # required: this or happened_on' in text
    assert '# "?" = "item"  # required: ' in text
