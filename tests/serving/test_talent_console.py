"""Growth at the console: a batch, reports, lists, the way back to the records, and a link for one person alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serving.cli import app as command_line
from tests.serving.growth_records import records


@pytest.fixture
def state(tmp_path: Path, made) -> Path:
    """A folder with records in a lake and a store of people: the commands read the real clock."""
    from features.lake import Lake
    from serving.store import migrate, open_store

    folder = tmp_path / "var"
    opened = open_store(f"sqlite:///{folder / 'retention.db'}")
    migrate(opened)
    made.fill(opened, now=datetime.now(UTC))
    opened.close()
    lake = Lake(folder / "lake")
    with lake.writing():
        for name, frame in records(made.people()).items():
            lake.append(name, frame.collect())
    return folder


def run(state: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(command_line, [*words, "--state", str(state)])
    assert result.exit_code == code, result.output
    return result.output


def test_a_year_at_the_console_batch_report_lists_and_the_way_back(state: Path, tmp_path: Path) -> None:
    out = run(state, "growth-batch", "--lang", "en", "--as-of", "2026-10-31")
    assert "32 growth files as of 31 Oct 2026: 3 achievements came with the records" in out
    assert "A course that closes a gap" in out
    assert "Now 1, asked 3." in run(state, "growth-report", "E0001", "--language", "en")
    assert "成长报告" in run(state, "growth-report", "E0001", "--language", "zh")
    assert run(state, "growth-report", "E4242", code=1)
    needs = tmp_path / "needs.toml"
    needs.write_text('[[need]]\nskill = "triage"\nlevel = 4\npeople = 1\n', encoding="utf-8")
    assert "triage, level 4: 1 needed" in run(state, "skills-needed", str(needs), "--lang", "en")
    assert "E0003: saved the day 1" in run(state, "shortlist", "nurse", "3", "--lang", "en")
    assert "By E0001" in run(state, "achievements", "--month", "2026-10", "--lang", "en")
    table = tmp_path / "recognitions.csv"
    assert "0 achievements written" in run(state, "export-achievements", str(table))
    assert table.read_text(encoding="utf-8").startswith("employee_id,happened_on,kind,given_by,note,known_on")


def test_a_report_makes_the_files_when_there_are_none_and_a_house_may_have_its_own_rules(state: Path) -> None:
    (state / "growth.toml").write_text("[shortlist]\nnames = 1\n", encoding="utf-8")
    assert "Growth report" in run(state, "growth-report", "E0001", "--language", "en")
    assert len(re.findall(r"E00\d\d", run(state, "shortlist", "nurse", "3", "--lang", "en"))) == 1


def test_an_employee_link_is_for_one_person_alone(state: Path) -> None:
    assert "/sign-in?token=" in run(state, "open", "--role", "employee", "--employee", "E0001")
    for words in (["--role", "employee", "--sees", "everyone"], ["--role", "hr", "--sees", "self:E0001"]):
        run(state, "open", *words, code=1)
