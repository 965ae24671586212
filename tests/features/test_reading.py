"""A file keeps every row: encodings, separators, quotes, lines that do not fit, Parquet parts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import FixableError
from features.intake.reading import FILE, ROW, RawFile, read


@pytest.fixture
def written(tmp_path: Path):
    def write(data: bytes | str) -> RawFile:
        path = tmp_path / "a.csv"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return read(path, "a.csv")

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_text_is_read_in_every_usual_encoding(written, encoding: str) -> None:
    raw = written("工号,姓名\nA1,王伟\n".encode(encoding))
    assert raw.headers == ("工号", "姓名")
    assert raw.frame["姓名"].to_list() == ["王伟"]


def test_a_few_damaged_bytes_spoil_their_own_cell_only(written) -> None:
    text = "工号,姓名\n" + "".join(f"A{i},王小伟\n" for i in range(50))
    raw = written(text.encode() + b"A99,\xff\n")
    assert raw.frame["姓名"][0] == "王小伟"
    assert raw.frame["姓名"][50] == "\ufffd"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(written, separator: str) -> None:
    raw = written(f"a{separator}b\n1{separator}2\n")
    assert raw.frame.select("a", "b").rows() == [("1", "2")]


def test_rows_carry_the_number_of_their_line_and_blank_lines_are_no_rows(written) -> None:
    raw = written("a,b\r\n1,2\r\n\r\n3,4\r\n")
    assert raw.frame[ROW].to_list() == [2, 4]
    assert raw.frame[FILE].to_list() == ["a.csv", "a.csv"]


def test_a_line_with_too_many_or_too_few_cells_is_kept_apart(written) -> None:
    raw = written("a,b\n1,2\n1\n1,2,3\n5,6\n")
    assert raw.frame["a"].to_list() == ["1", "5"]
    assert [(line.row, line.cells) for line in raw.broken] == [(3, ("1",)), (4, ("1", "2", "3"))]


def test_quoted_cells_hold_separators_quotes_and_line_ends(written) -> None:
    raw = written('a,b\n1,"x,y"\n2,"a ""q"""\n3,"two\nlines"\n4,5" pipe\n')
    assert raw.frame["b"].to_list() == ["x,y", 'a "q"', "two\nlines", '5" pipe']
    assert raw.frame[ROW].to_list() == [2, 3, 4, 6]


def test_a_quote_that_never_closes_spoils_its_own_line_only(written) -> None:
    raw = written('a,b\n1,"open\n2,x\n3,"y"\n4,"end')
    assert raw.frame["a"].to_list() == ["2", "3"]
    assert [line.row for line in raw.broken] == [2, 5]


def test_spaces_mean_nothing_and_repeated_headers_are_told_apart(written) -> None:
    raw = written(" a ,b,b,\n  1\u3000, ,3,\n")
    assert raw.headers == ("a", "b", "b#2")
    assert raw.frame.select("a", "b", "b#2").rows() == [("1", None, "3")]


def test_an_empty_file_has_no_rows(written) -> None:
    assert written("").headers == ()
    assert written("\n\n").frame.height == 0
    assert written("a,b\n").frame.height == 0


def test_typed_columns_of_parquet_parts_come_as_text_that_reads_back(tmp_path: Path) -> None:
    folder = tmp_path / "surveys"
    folder.mkdir()
    pl.DataFrame(
        {"employee_id": [1.0, None], "when": [date(2023, 4, 1)] * 2, "score": [1.5, float("nan")]}
    ).write_parquet(folder / "part-0.parquet")
    pl.DataFrame({"employee_id": [7], "flag": [True], "tags": [["a", "b"]]}).write_parquet(folder / "part-1.parquet")
    raw = read(folder, "surveys")
    assert raw.frame["employee_id"].to_list() == ["1", None, "7"]
    assert raw.frame["when"][0] == "2023-04-01"
    assert raw.frame["score"].to_list() == ["1.5", None, None]
    assert raw.frame.select("flag", "tags").row(2) == ("true", "a;b")
    assert raw.frame[FILE].to_list() == ["surveys/part-0.parquet"] * 2 + ["surveys/part-1.parquet"]


def test_a_file_that_is_no_parquet_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"not parquet")
    with pytest.raises(FixableError, match=r"a\.parquet is not a readable Parquet file"):
        read(tmp_path / "a.parquet", "a.parquet")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet='ab;",\n\r \t\x00\x1c\u2028王', max_size=60))
def test_no_line_is_lost_whatever_the_text(written, text: str) -> None:
    raw = written("a,b\n" + text)
    rows = raw.frame[ROW].to_list() + [line.row for line in raw.broken]
    assert len(set(rows)) == len(rows)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if '"' not in text:
        assert sorted(rows) == [number for number, line in enumerate(lines, start=2) if line.strip(" \t\u2028")]


def test_a_title_above_the_header_is_no_header_and_row_numbers_are_those_of_the_file(written) -> None:
    raw = written("某某公司花名册,,\n\n工号,姓名,部门\nA1,王伟,外科\n")
    assert raw.headers == ("工号", "姓名", "部门")
    assert raw.frame[ROW].to_list() == [4]
    assert "lines above the header: 2 (a title)" in raw.notes


def test_a_header_of_two_columns_is_no_title(written) -> None:
    raw = written("工号,姓名\nA1,王,外\n")
    assert raw.headers == ("工号", "姓名")
    assert len(raw.broken) == 1


def test_a_column_that_nothing_of_ours_can_hold_is_left_out_with_a_note(tmp_path: Path) -> None:
    frame = pl.DataFrame({"employee_id": ["A1"], "parts": [{"a": 1}], "raw": [b"x"]})
    frame.write_parquet(tmp_path / "a.parquet")
    raw = read(tmp_path / "a.parquet", "a.parquet")
    assert raw.frame["employee_id"].to_list() == ["A1"]
    assert not {"parts", "raw"} & set(raw.headers)


def test_a_file_that_is_gone_or_in_no_known_encoding_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match=r"a\.csv cannot be read: FileNotFoundError"):
        read(tmp_path / "a.csv", "a.csv")
    (tmp_path / "a.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FixableError, match=r"a\.csv cannot be read: LookupError"):
        read(tmp_path / "a.csv", "a.csv", encoding="klingon")
