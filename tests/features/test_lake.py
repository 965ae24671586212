"""The lake: pinned versions, what the data bear witness of, kills that harm nothing, and erasure to the last byte."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from features.errors import FixableError
from features.ingest import import_folder, repair
from features.lake import QUARANTINE, Lake
from features.mapping import parse
from features.tables import BOOKKEEPING, TABLES

SECRET, NAME, CHINESE, ADDRESS = "EX-70417", "Zofia Quartz", "欧阳晴川", "zofia.q@example.org"

EXPORTS = {
    "employees": f"employee_id,hired_on,name,email\nA1,2019-01-01,Ann,\n{SECRET},2020-01-01,{NAME},{ADDRESS}\n"
    f"{SECRET},2020-01-02,{CHINESE},\n{SECRET},soon,{NAME},\n",
    "positions": f"employee_id,happened_on,job,manager_id,x_mentor\nA1,2020-01-01,d,{SECRET},{SECRET}\n"
    f"A1,2021-01-01,d,A2,\n{SECRET},2020-01-01,d,A1,\nA1,2022-01-01,d,{SECRET},long\nA9,2022-01-01,d,{SECRET},\n",
    "interactions": f"employee_id,happened_on,kind,counterpart_id\nA1,2023-05-01,email,{SECRET}\n"
    f"{SECRET},2023-05-01,email,A1\nA1,2023-05-02,email,A2\n",
    "reviews": f"employee_id,happened_on,rating,reviewer_id\nA1,2023-05-01,4,{SECRET}\n",
    "recognitions": f"employee_id,happened_on,kind,given_by,note\nA1,2023-05-01,award,{SECRET},thanks to {NAME}!\n"
    f"A1,2023-05-02,award,A1,感谢{CHINESE}的帮助\nA1,2023-05-03,award,A1,Quartz is a mineral\n",
    "care_actions": f"employee_id,happened_on,action,decided_by\nA1,2023-05-01,talk,{SECRET}\n",
    "goals": f"goal_id,employee_id,happened_on,progress,parent_goal_id\ng1,{SECRET},2023-01-01,0.5,\n"
    "g2,A1,2023-01-01,50%,g1\n",
    "protected": f"employee_id,gender\n{SECRET},f\nA1,m\n",
}
MAPPING = parse('[tables.positions.own.x_mentor]\nkind = "category"\n')


def write(folder: Path, files: dict[str, str]) -> Path:
    """A folder of exports."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def content(lake: Lake) -> dict[str, list[tuple]]:
    """Everything in the lake and its quarantine, in a fixed order."""
    rows = {name: sorted(frame.collect().rows(), key=repr) for name, frame in lake.read().items()}
    return rows | {QUARANTINE: sorted(lake.internal(QUARANTINE).rows(), key=repr)}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "a lake")
    import_folder(write(tmp_path / "exports", EXPORTS), lake, mapping=MAPPING)
    return lake


def test_frames_are_canonical_and_own_columns_come_before_the_bookkeeping(lake: Lake) -> None:
    frame = lake.read(["positions"])["positions"].collect()
    assert frame.columns == [*TABLES["positions"].names(), "x_mentor", *BOOKKEEPING]
    assert frame["known_on"].null_count() == 0
    assert set(lake.read()) == set(lake.tables()) == set(EXPORTS)


def test_a_pinned_version_is_read_as_it_was(lake: Lake, tmp_path: Path) -> None:
    pinned = lake.versions()
    before = lake.read(["reviews"], versions=pinned)["reviews"].collect()
    import_folder(write(tmp_path / "more", {"reviews": "employee_id,happened_on,rating\nA1,2024-05-01,5\n"}), lake)
    assert lake.versions()["reviews"] == pinned["reviews"] + 1
    assert lake.read(["reviews"], versions=pinned)["reviews"].collect().equals(before)
    assert lake.read(["reviews"])["reviews"].collect().height == before.height + 1
    with pytest.raises(FixableError, match="no version 99"):
        lake.read(versions={"reviews": 99})


def test_a_column_that_came_later_is_null_in_older_rows(lake: Lake, tmp_path: Path) -> None:
    mapping = parse('[tables.reviews.own.x_points]\nkind = "number"\n')
    text = "employee_id,happened_on,rating,x_points\nA1,2024-05-01,5,12\n"
    import_folder(write(tmp_path / "more", {"reviews": text}), lake, mapping=mapping)
    assert lake.read()["reviews"].collect().sort("_seq")["x_points"].to_list() == [None, 12.0]
    assert [column.name for column in lake.own_columns()] == ["x_mentor", "x_points"]


def test_the_log_of_a_table_holds_no_values(lake: Lake) -> None:
    for log in lake.folder.rglob("_delta_log/*"):
        assert SECRET.encode() not in log.read_bytes()


def test_data_until_is_the_last_day_that_was_witnessed(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with pytest.raises(FixableError, match="no records yet"):
        lake.data_until()
    files = {
        "employees": "employee_id,hired_on\nA1,2019-01-01\n",
        "surveys": "employee_id,happened_on,item,score\nA1,2023-05-01,pay,3\n",
        "exits": "employee_id,happened_on,kind\nA1,2023-05-20,voluntary\n",
    }
    import_folder(write(tmp_path / "a", files), lake)
    assert lake.data_until() == date(2023, 5, 1), "neither the default lag nor the last working day was witnessed"
    late = {"surveys": "employee_id,happened_on,item,score,known_on\nA1,2023-05-01,fairness,3,2023-05-09\n"}
    import_folder(write(tmp_path / "b", late), lake)
    assert lake.data_until() == date(2023, 5, 9)
    ahead = {"positions": "employee_id,happened_on,job\nA1,2023-08-01,head\n"}
    import_folder(write(tmp_path / "c", ahead), lake, today=date(2023, 6, 1))
    assert lake.data_until() == date(2023, 6, 1), "an announced promotion does not move the present"


def test_an_erased_person_is_in_no_table_and_in_no_byte_of_any_file(lake: Lake) -> None:
    versions = lake.versions()
    orphan = lake.folder / "positions" / "part-of-a-killed-write.parquet"
    pl.DataFrame({"employee_id": [SECRET]}).write_parquet(orphan)
    DeltaTable(lake.folder / "positions").create_checkpoint()
    rest = {name: frame.collect().filter(pl.col("employee_id") != SECRET).height for name, frame in lake.read().items()}

    report = lake.erase(SECRET)

    for path in (path for path in lake.folder.rglob("*") if path.is_file()):
        kept = path.read_bytes().decode("utf-8", errors="ignore")
        if path.suffix == ".parquet":
            kept += repr(pl.read_parquet(path).rows())
        for word in (SECRET, NAME, CHINESE, ADDRESS):
            assert word not in kept, path
    assert {name: frame.collect().height for name, frame in lake.read().items()} == rest
    assert report.removed == {
        "employees": 2,
        "positions": 1,
        "interactions": 1,
        "goals": 1,
        "protected": 1,
        "_quarantine": 1,
    }
    assert report.emptied == {
        "positions": 2,
        "interactions": 1,
        "reviews": 1,
        "recognitions": 2,
        "care_actions": 1,
        "goals": 1,
        "_quarantine": 1,
    }
    assert "next import" in report.text()
    notes = lake.read()["recognitions"].collect().sort("_seq")["note"].to_list()
    assert notes == [None, None, "Quartz is a mineral"]
    assert lake.versions()["positions"] > versions["positions"]
    with pytest.raises(FixableError, match=r"version 0 of table positions is gone: 1 files were removed by an erasure"):
        lake.read(["positions"], versions=versions)
    assert lake.erase(SECRET).removed == {}


def test_the_last_row_of_a_table_can_be_erased(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    import_folder(write(tmp_path / "a", {"employees": "employee_id,hired_on\nA1,2019-01-01\n"}), lake)
    lake.erase("A1")
    assert lake.tables() == ()
    assert lake.read() == {}
    import_folder(tmp_path / "a", lake)
    assert lake.tables() == ("employees",)


def test_two_writers_do_not_meet(lake: Lake) -> None:
    other = Lake(lake.folder).writing(wait_seconds=0.2)
    with lake.writing(), pytest.raises(FixableError, match="another import or erasure is running"), other:
        pass


def test_a_path_that_the_store_would_misread_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match="choose a folder without"):
        Lake(tmp_path / "a[1]")


KILLED = """
import os, signal, sys
from pathlib import Path
from features.ingest import import_folder, repair
from features.lake import Lake
from features.mapping import parse

task, lake, folder, mapping = sys.argv[1], Lake(Path(sys.argv[2])), Path(sys.argv[3]), sys.argv[4]
stop, seen = int(sys.argv[5]), 0

def watch(frame, event, arg):
    global seen
    if event in ("call", "return") and frame.f_code.co_name in ("_write", "_sweep", "reserve"):
        if frame.f_code.co_filename.endswith("lake.py"):
            seen += 1
            if seen == stop:
                os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(watch)
if task == "import":
    import_folder(folder, lake, mapping=parse(mapping))
elif task == "repair":
    repair(lake, folder)
else:
    lake.erase(task)
"""
OWN = '[tables.positions.own.x_mentor]\nkind = "category"\n'


def kill_at(stops: list[int], task: str, lakes: list[Lake], folder: Path) -> list[int]:
    """The same task in one process per lake, each killed before or after another write; the exit codes."""
    command = [sys.executable, "-c", KILLED, task]
    running = [
        subprocess.Popen([*command, str(lake.folder), str(folder), OWN, str(stop)])
        for stop, lake in zip(stops, lakes, strict=True)
    ]
    return [process.wait() for process in running]


FEW = {name: EXPORTS[name] for name in ("employees", "positions", "interactions")}


def test_an_import_that_is_killed_anywhere_is_completed_by_another_one(tmp_path: Path) -> None:
    exports = write(tmp_path / "exports", FEW)
    clean = Lake(tmp_path / "clean")
    import_folder(exports, clean, mapping=MAPPING)
    stops = [1, 5, 6, 12, 15]
    lakes = [Lake(tmp_path / f"lake{stop}") for stop in stops]
    codes = kill_at(stops, "import", lakes, exports)
    assert codes == [-9] * 5
    for lake in lakes:
        import_folder(exports, lake, mapping=MAPPING)
        assert content(lake) == content(clean)


def test_a_repair_and_an_erasure_that_are_killed_are_completed_by_another_one(tmp_path: Path) -> None:
    exports = write(tmp_path / "exports", FEW)
    known = write(tmp_path / "known", {"employees": "employee_id,hired_on\nA9,2021-01-01\n"})
    lakes = [Lake(tmp_path / name) for name in ("clean", "b", "c", "d", "e")]
    for lake in lakes:
        import_folder(exports, lake, mapping=MAPPING)
        import_folder(known, lake)
    (tmp_path / "nothing").mkdir()
    codes = kill_at([1, 2], "repair", lakes[1:3], tmp_path / "nothing")
    codes += kill_at([2, 7], SECRET, lakes[3:], tmp_path)
    assert codes == [-9] * 4
    for lake in lakes:
        repair(lake)
    assert len({repr(content(lake)) for lake in lakes[:3]}) == 1
    for lake in lakes:
        lake.erase(SECRET)
    assert len({repr(content(lake)) for lake in lakes}) == 1
    assert not any(
        SECRET in repr(pl.read_parquet(path).rows()) for lake in lakes for path in lake.folder.rglob("*.parquet")
    )


def test_the_files_of_a_version_hold_the_rows_of_that_version(lake: Lake, tmp_path: Path) -> None:
    """For an engine that reads the Parquet files itself."""
    pinned = lake.versions()
    more = "employee_id,happened_on,rating\nA1,2024-05-01,5\n"
    import_folder(write(tmp_path / "more", {"reviews": more}), lake)
    for versions, n_rows in ((pinned, 1), (None, 2)):
        files, columns = lake.files(["reviews"], versions=versions)["reviews"]
        assert pl.read_parquet(files).height == n_rows
        assert list(columns) == lake.read(["reviews"])["reviews"].collect_schema().names()


def test_what_arrived_between_two_versions_is_dated_and_what_was_taken_away_is_not(lake: Lake, tmp_path: Path) -> None:
    before = lake.versions()
    nothing = lake.known_since(before, before)
    assert nothing is not None
    assert nothing.day is None
    late = {"reviews": "employee_id,happened_on,rating,known_on\nA1,2024-05-01,5,2024-06-30\n"}
    import_folder(write(tmp_path / "more", late), lake)
    news = lake.known_since(before, lake.versions())
    assert news is not None
    assert news.day == date(2024, 6, 30)
    assert lake.known_since({**before, "learning": 0}, lake.versions()) is None, "a table is gone"
    assert lake.known_since({**before, "reviews": 99}, lake.versions()) is None, "a version is gone"
    lake.erase(SECRET)
    assert lake.known_since(before, lake.versions()) is None


def test_a_person_of_whom_nothing_is_known_can_be_erased_from_an_empty_lake(tmp_path: Path) -> None:
    assert Lake(tmp_path / "lake").erase(SECRET).removed == {}


def test_a_person_in_the_wrong_cell_of_a_waiting_row_is_erased_from_it(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    files = {"employees": f"employee_id,hired_on\nA1,2019-01-01\n{SECRET},2020-01-01\nA2,{SECRET}\n"}
    import_folder(write(tmp_path / "a", files), lake)
    lake.erase(SECRET)
    (row,) = lake.internal(QUARANTINE).rows(named=True)
    assert (row["value"], SECRET in row["cells"], "A2" in row["cells"]) == (None, False, True)
