"""Laws of the import, on random dirty files: the equation, no change by a second import, and repair = clean file."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.ingest import import_folder, repair
from features.intake.quarantine import export, waiting
from features.intake.reports import ImportReport
from features.lake import Lake

SLOW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def content(lake: Lake) -> dict[str, list[tuple]]:
    """Everything in the lake, with the order of arrival, in a fixed order."""
    return {name: sorted(frame.collect().rows(), key=repr) for name, frame in lake.read().items()}


def balanced(report: ImportReport) -> bool:
    """Received = accepted + quarantined + duplicates, for every file."""
    return all(f.received == f.accepted + f.quarantined + f.duplicates for f in report.files)


CELL = st.text(alphabet='A129-/.,;" \n是x', max_size=8)
ROW = st.one_of(
    st.lists(CELL, min_size=1, max_size=5),
    st.sampled_from(
        [["A1", "2023-05-01", "email", "2"], ["A2", "2023-05-01", "chat", ""], ["A9", "2023-05-01", "email", "1"]]
    ),
)


@SLOW
@given(st.lists(ROW, max_size=12), st.booleans())
def test_the_equation_holds_for_any_file_and_the_same_file_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], quoted: bool
) -> None:
    base = tmp_path_factory.mktemp("any")
    exports, lake = base / "exports", Lake(base / "lake")
    exports.mkdir()
    (exports / "employees.csv").write_text("employee_id,hired_on\nA1,2019-01-01\nA2,2020-01-01\n")
    with (exports / "interactions.csv").open("w", encoding="utf-8", newline="") as file:
        file.write("employee_id,happened_on,kind,n\n")
        if quoted:
            csv.writer(file).writerows(rows)
        else:
            file.writelines(",".join(row) + "\n" for row in rows)
    report = import_folder(exports, lake)
    assert balanced(report)
    records = lake.read()
    stored = records["interactions"].collect().height if "interactions" in records else 0
    assert (stored, waiting(lake).height) == (report.files[1].accepted, report.files[1].quarantined)
    before, versions = content(lake), lake.versions()
    again = import_folder(exports, lake)
    assert balanced(again)
    assert again.files[1].received == report.files[1].received
    assert again.files[1].quarantined == report.files[1].quarantined
    assert (again.accepted, content(lake), lake.versions()) == (0, before, versions)


@SLOW
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from(["", "who", "when", "what"])), max_size=14)
)
def test_repair_after_a_dirty_file_equals_a_clean_file(
    tmp_path_factory: pytest.TempPathFactory, facts: list[tuple[int, int, str]]
) -> None:
    base = tmp_path_factory.mktemp("repair")
    spoil = {"who": ("A9", 0), "when": ("never", 1), "what": ("dance", 2)}
    clean = [["A1", f"2023-05-0{day + 1}", "email", str(n)] for day, n, _ in facts]
    dirty = [list(row) for row in clean]
    for row, (_, _, wrong) in zip(dirty, facts, strict=True):
        if wrong:
            row[spoil[wrong][1]] = spoil[wrong][0]
    lakes = []
    for name, rows in (("clean", clean), ("dirty", dirty)):
        (base / name).mkdir()
        (base / name / "employees.csv").write_text("employee_id,hired_on\nA1,2019-01-01\n")
        text = "\n".join(["employee_id,happened_on,kind,n", *(",".join(row) for row in rows)])
        (base / name / "interactions.csv").write_text(text)
        lakes.append(Lake(base / f"lake {name}"))
        import_folder(base / name, lakes[-1])
    for path in export(lakes[1], base):
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        names = ["employee_id", "happened_on", "kind", "n"]
        mended = [row | dict(zip(names, clean[int(row["_row"]) - 2], strict=True)) for row in rows]
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.DictWriter(file, fieldnames=mended[0].keys())
            out.writeheader()
            out.writerows(mended)
        repair(lakes[1], path)
        repair(lakes[1], path)
    assert waiting(lakes[1]).height == 0
    assert content(lakes[1]) == content(lakes[0])
