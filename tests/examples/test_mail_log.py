"""The mail and chat log: a drawn log → drawn figures, by the two commands; and the real log beside a slow count."""

from __future__ import annotations

import csv
import os
import runpy
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from typer.testing import CliRunner

from features.lake import Lake
from features.matrix import matrix
from features.tables import canonical
from training.cli import app

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "mail_log"
SAMPLE = EXAMPLE / "sample"
SHARED = Path(os.environ.get("RETENTION_SHARED_DATA", ROOT.parent / "shared" / "data")) / "manufacturing_email"
END_OF_MAY = date(2023, 5, 31)


@pytest.fixture(scope="module")
def convert() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(EXAMPLE / "convert.py")))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The two commands of the README, on the sample."""
    state = tmp_path_factory.mktemp("log")
    words = [EXAMPLE / "convert.py", SAMPLE / "log.csv", state / "records", "--chart", SAMPLE / "chart.csv"]
    words += ["--settings", EXAMPLE / "settings.toml"]
    settings = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    told = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, env=settings, check=True)
    assert "left out: 1 rows without a readable sender, recipient or time" in told.stdout
    assert "left out: 1 messages to oneself" in told.stdout
    assert "left out: 1 people of the log are not in the chart" in told.stdout
    assert "left out: 1 people of the chart are not in the log" in told.stdout
    imported = CliRunner().invoke(app, ["import", str(state / "records"), "--state", str(state)])
    assert imported.exit_code == 0, imported.output
    return Lake(state / "lake")


@pytest.fixture(scope="module")
def who(lake: Lake) -> dict[str, dict[str, object]]:
    frame = matrix(lake.read(), as_of=[END_OF_MAY]).frame
    return {row["employee_id"]: row for row in frame.iter_rows(named=True)}


def test_a_person_begins_on_the_first_day_in_the_log(lake: Lake) -> None:
    first = dict(lake.read()["employees"].collect().select("employee_id", "hired_on").iter_rows())
    assert first == {
        "ann": date(2023, 1, 9),
        "ben": date(2023, 1, 9),
        "cho": date(2023, 5, 9),
        "dee": date(2023, 5, 13),
        "fay": date(2023, 5, 15),
    }


def test_after_hours_is_what_lies_outside_the_stated_working_time(lake: Lake) -> None:
    rows = lake.read()["interactions"].collect().sort("happened_at")
    late = rows.filter("after_hours").select("employee_id", "happened_at").rows()
    assert late == [
        ("ann", datetime(2023, 5, 9, 19, 30)),
        ("ann", datetime(2023, 5, 13, 11)),  # a Saturday
        ("dee", datetime(2023, 5, 30, 18)),  # 18:00 is over, 17:59:59 is not
    ]
    assert rows.filter(pl.col("happened_at") == datetime(2023, 5, 8, 9))["n"].to_list() == [2]


def test_nothing_that_was_written_is_kept(lake: Lake) -> None:
    for name, frame in lake.read().items():
        assert "CANARY" not in str(frame.collect().rows()), name


def test_the_figures_of_ties_are_those_counted_by_hand(who: dict[str, dict[str, object]]) -> None:
    # Known on 31 May is what happened up to 30 May: ann wrote four times, to three people, in the 30 days before.
    ann = who["ann"]
    assert ann["interactions_made_30d"] == 4
    assert ann["emails_90d"] == 4
    assert ann["contacts_30d"] == 3
    assert ann["interactions_received_30d"] == 3
    assert ann["contacts_in_90d"] == 3
    assert ann["reciprocity_90d"] == pytest.approx(2 / 3), "ben and cho answered, dee did not"
    assert ann["received_share_90d"] == pytest.approx(3 / 7)
    assert ann["days_since_interaction"] == 18
    assert ann["after_hours_share_90d"] == pytest.approx(2 / 3), "rows, not messages: 8, 9 and 13 May"
    assert who["dee"]["interactions_made_30d"] == 1, "what was written on 31 May is known on 1 June"


def test_the_figures_of_the_hierarchy_are_those_of_the_chart(who: dict[str, dict[str, object]]) -> None:
    assert [who[name]["manager_span"] for name in ("ann", "ben", "dee")] == [2, 2, 1]
    assert [who[name]["team_size"] for name in ("ann", "dee", "cho", "fay")] == [2, 1, None, None]
    assert who["ann"]["contacts_outside_team_share_90d"] == pytest.approx(1 / 2), "ben inside, dee outside, cho unknown"


def test_other_headers_separators_and_clocks_are_a_matter_of_settings(convert: SimpleNamespace, tmp_path: Path) -> None:
    log = tmp_path / "chat.csv"
    log.write_text("发送人,接收人,时间,内容\na,b,2023年5月8日 21:00,CANARY\n", encoding="gb18030")
    (tmp_path / "s.toml").write_text(
        'sender = "发送人"\nrecipient = "接收人"\ntime = "时间"\nkind = "message"\nworking_until = 22:00:00\n',
        encoding="utf-8",
    )
    settings = convert.load(tmp_path / "s.toml")
    rows = convert.columns(log, (settings.sender, settings.recipient, settings.time), convert.LOG)
    assert rows.columns == ["sender", "recipient", "time"]
    tables, left_out = convert.tables(rows, None, settings)
    assert left_out == {}
    assert tables["interactions"].rows() == [("a", datetime(2023, 5, 8, 21), "message", "b", 1, False)]
    assert "positions" not in tables


def test_what_the_settings_cannot_mean_is_refused(convert: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('subject = "Subject"\n')
    with pytest.raises(ValueError, match="subject is not known"):
        convert.load(tmp_path / "s.toml")
    with pytest.raises(ValueError, match="kind is"):
        convert.Settings(kind="meeting")
    with pytest.raises(ValueError, match=r"has no column Nobody; it has: Sender, Recipient"):
        convert.columns(SAMPLE / "log.csv", ("Nobody", "Recipient", "EventDate"), convert.LOG)


def test_a_chart_that_was_drawn_later_is_known_later(convert: SimpleNamespace) -> None:
    settings = convert.Settings(chart_known_on=date(2023, 3, 1))
    people = pl.DataFrame({"employee_id": ["a", "b"], "hired_on": [date(2023, 1, 1), date(2023, 4, 1)]})
    chart = pl.DataFrame({"employee_id": ["a", "b", "c"], "manager_id": ["c", "c", "c"]})
    rows = convert.positions(people, chart, settings)
    assert rows["happened_on"].to_list() == [date(2023, 3, 1), date(2023, 4, 1)]


@pytest.fixture(scope="module")
def real(convert: SimpleNamespace) -> tuple[dict[str, pl.DataFrame], dict[str, int]]:
    settings = convert.load(EXAMPLE / "settings.toml")
    log = convert.columns(SHARED / "communication.csv", ("Sender", "Recipient", "EventDate"), convert.LOG)
    return convert.tables(
        log, convert.columns(SHARED / "reportsto.csv", ("ID", "ReportsToID"), convert.CHART), settings
    )


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the manufacturing mail log is not in {SHARED}")
def test_the_real_log_is_taken_whole(real: tuple[dict[str, pl.DataFrame], dict[str, int]]) -> None:
    tables, left_out = real
    assert left_out == {
        "messages to oneself": 51,
        "people of the log are not in the chart: no manager, no team": 13,
    }
    assert tables["interactions"]["n"].sum() == 82_927 - 51
    assert len(tables["employees"]) == 167


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the manufacturing mail log is not in {SHARED}")
def test_the_figures_of_the_real_log_are_those_of_a_slow_count(
    real: tuple[dict[str, pl.DataFrame], dict[str, int]],
) -> None:
    as_of = date(2010, 9, 15)
    frame = matrix(canonical(real[0]), as_of=[as_of]).frame
    seen = {row["employee_id"]: row for row in frame.iter_rows(named=True)}
    made, out, into = Counter[str](), defaultdict(set), defaultdict(set)
    with (SHARED / "communication.csv").open(encoding="utf-8") as lines:
        for sender, recipient, moment in list(csv.reader(lines, delimiter=";"))[1:]:
            day = date.fromisoformat(moment[:10])
            # A mail is known the day after: known by as_of, and within the 90 days before it.
            if sender != recipient and as_of - timedelta(days=90) < day <= as_of - timedelta(days=1):
                made[sender] += 1
                out[sender].add(recipient)
                into[recipient].add(sender)
    with (SHARED / "reportsto.csv").open(encoding="utf-8") as lines:
        chart = dict(list(csv.reader(lines))[1:])
    span = Counter(boss for who, boss in chart.items() if who in seen and boss != who)
    assert len(seen) > 150
    for who, row in seen.items():
        assert row["interactions_made_90d"] == made[who], who
        assert row["contacts_90d"] == len(out[who]), who
        assert row["contacts_in_90d"] == len(into[who]), who
        assert row["manager_span"] == (span[chart[who]] if chart.get(who, who) != who else None), who
