"""A firm of sixty with three exports only (花名册, 离职, 绩效): propose → import → fit → score, and what it is told."""

from __future__ import annotations

import random
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from serving.cli import app as serve
from training.cli import app as train

pytestmark = pytest.mark.slow

TODAY = date(2026, 9, 30)


def written(day: date, form: int) -> str:
    """One day in one of the ways in which such exports write it."""
    return (f"{day.year}/{day.month}/{day.day}", f"{day.year}年{day.month}月{day.day}日", f"{day:%Y%m%d}")[form % 3]


def exports(folder: Path, *, n_left: int, roster: str) -> None:
    """Sixty people and those who left in the last four years, whose last ratings were mostly low."""
    draw = random.Random(7)
    here, gone, rated = [], [], []
    for i in range(60 + n_left):
        last = None if i < 60 else date(2022, 10, 1) + timedelta(days=draw.randrange(1400))
        hired = (last or TODAY) - timedelta(days=draw.randrange(250, 2600))
        who, part = f"A{i:03}", draw.choice(["销售部", "研发部", "行政部"])
        if last is None:
            here.append(f'{i},{who},王{i},{part},P{draw.randrange(3, 8)},{written(hired, i)},"{9000 + 50 * i:,}",在职')
        else:
            gone.append(f"{who},王{i},{part},{written(hired, i)},{written(last, i + 1)},主动离职,薪酬福利")
        for year in range(2022, 2027):
            for end, half in ((date(year, 6, 30), "上"), (date(year, 12, 31), "下")):
                if hired < end < (last or TODAY):
                    low = last is not None and (last - end).days < 400
                    grade = draw.choices("SABC", [1, 1, 4, 9] if low else [2, 6, 5, 1])[0]
                    rated.append(f"{who},王{i},{year}年{half}半年,{grade}")
    folder.mkdir()
    title = "某某公司员工花名册,,,,,,,\n序号,工号,姓名,部门,职级,入职日期,月薪,在职状态\n"
    (folder / f"{roster}.csv").write_bytes((title + "\n".join(here)).encode("gb18030"))
    left = "工号,姓名,部门,入职日期,离职日期,离职类型,离职原因\n" + "\n".join(gone)
    (folder / "离职.csv").write_bytes(left.encode("gb18030"))
    (folder / "绩效.csv").write_text("工号,姓名,考核周期,考核等级\n" + "\n".join(rated), encoding="utf-8-sig")


def run(app: object, *words: str, state: Path | None = None) -> Result:
    return CliRunner().invoke(app, [*words, *(["--state", str(state)] if state else [])])  # type: ignore[arg-type]


def imported(tmp_path: Path, **company: object) -> Result:
    """Propose and import, with the proposal as it is."""
    exports(tmp_path / "exports", **company)  # type: ignore[arg-type]
    proposal = run(train, "propose-mapping", str(tmp_path / "exports"))
    (tmp_path / "mapping.toml").write_text(proposal.stdout, encoding="utf-8")
    mapping = str(tmp_path / "mapping.toml")
    return run(train, "import", str(tmp_path / "exports"), "--mapping", mapping, state=tmp_path)


def test_a_firm_with_few_exits_is_served_the_base_rate_and_told_why(tmp_path: Path) -> None:
    told = imported(tmp_path, n_left=12, roster="员工花名册_20260930")
    assert told.exit_code == 0, told.output
    assert re.search(r"files: .* \+ 0 quarantined", told.output)
    fitted = run(train, "fit", state=tmp_path)
    assert fitted.exit_code == 0, fitted.output
    words = " ".join(fitted.output.split())
    assert "Learned from 71 people, 11 voluntary exits" in words, "the first exit is where the history begins"
    assert "failed right in the large" in words, "far fewer left than published rates expect"
    scored = run(serve, "score", state=tmp_path)
    assert scored.exit_code == 0, scored.output
    assert "60 people scored" in scored.output
    assert " 0 act, 0 watch" in scored.output


def test_a_roster_without_a_date_is_refused_with_the_way_out_and_the_rest_is_taken(tmp_path: Path) -> None:
    told = imported(tmp_path, n_left=12, roster="员工花名册")
    assert told.exit_code == 1
    assert "Before the import, answer what is required (1)" in (tmp_path / "mapping.toml").read_text(encoding="utf-8")
    assert "a roster tells the posts of the day of its export" in told.output + told.stderr
    assert "离职.csv (exits): 12 rows received = 12 accepted" in told.output
