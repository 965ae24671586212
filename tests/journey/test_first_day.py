"""A newcomer's first day, command by command: an invented company → forecasts in another system → one person forgotten.

Every command runs as a process of its own, as it does at a terminal; the day is lived once, the tests look at parts of
it. The company is about as small as one on which a model can prove itself out of time.
"""

from __future__ import annotations

import csv
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from shutil import copytree
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from features.intake.quarantine import waiting
from features.lake import Lake
from features.tables import TABLES
from serving import store_said
from serving.app import create_app
from serving.settings import Settings
from serving.store import open_store
from serving.store_tables import plain, score

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "http://127.0.0.1:8000"
COMPANY = ("--people", "300", "--months", "24", "--seed", "1")
CARE = {"purpose": "retention_care"}
SUMS_TO = 1e-6
HASTY_PLAN = """
# One origin and one month to be tested on: too few people leave in it to prove anything.
horizons_days = [30]
reference_horizon_days = 30
folds = 2
first_as_of = 2022-12-31
origins = [2023-10-31]
test_until = 2023-10-31
"""


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


def run(state: Path, program: str, *words: str, code: int = 0) -> Ran:
    """Run ``retention-<program>`` on a state folder and hold it to its exit code."""
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("RETENTION_", "MLFLOW_"))}
    settings |= {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "COLUMNS": "120", "OMP_NUM_THREADS": "1"}
    cli = {"train": "training.cli", "serve": "serving.cli"}[program]
    told = subprocess.run(
        [sys.executable, "-m", cli, *words, "--state", str(state)],
        capture_output=True,
        encoding="utf-8",
        env=settings,
        cwd=state.parent,
        timeout=900,
        check=False,
    )
    if told.returncode != code:
        raise RuntimeError(
            f"retention-{program} {' '.join(words)} ended with {told.returncode}:\n{told.stdout}\n{told.stderr}"
        )
    return Ran(told.returncode, told.stdout, told.stderr)


@dataclass(frozen=True)
class Records:
    """The morning: what the imports said, and what the lake held after each step."""

    state: Path
    first: str
    second: str
    versions: tuple[dict[str, int], dict[str, int]]
    waiting: tuple[int, int, int]
    repaired: str


@dataclass(frozen=True)
class Day:
    """The rest of it: what each command printed, and the keys it made."""

    state: Path
    fit: str
    truth: str
    score: str
    summary: dict[str, str]
    key: str
    auditor: str


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """The company is invented and imported twice; of the quarantined rows one is dropped and one is mended."""
    state = tmp_path_factory.mktemp("first_day") / "var"
    state.mkdir()
    lake, mended = Lake(state / "lake"), state / "to_mend"
    run(state, "train", "company", *COMPANY)
    first = run(state, "train", "import", str(state / "records")).out
    versions, n_first = lake.versions(), waiting(lake).height
    second = run(state, "train", "import", str(state / "records")).out
    again, n_second = lake.versions(), waiting(lake).height
    run(state, "train", "quarantine", str(mended))
    mend_two_rows(mended)
    repaired = run(state, "train", "repair", str(mended)).out
    counts = (n_first, n_second, waiting(lake).height)
    return Records(state, first, second, (versions, again), counts, repaired)


def mend_two_rows(folder: Path) -> None:
    """As somebody would in a spreadsheet: drop one row, and empty a cell that makes no sense and need not be filled."""
    left = ["drop", "mend"]
    for path in sorted(folder.glob("quarantine_*.csv")):
        table = TABLES[path.stem.removeprefix("quarantine_")]
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if "drop" in left:
                row["_do"] = "drop"
                left.remove("drop")
            elif "mend" in left and row["_column"] and not table.column(row["_column"]).required:
                row[row["_column"]] = ""
                left.remove("mend")
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            sheet = csv.DictWriter(file, list(rows[0]))
            sheet.writeheader()
            sheet.writerows(rows)
    if left:
        raise RuntimeError(f"no quarantined row to {' or to '.join(left)}")


@pytest.fixture(scope="module")
def day(records: Records) -> Day:
    """Learned, compared with the truth, scored, shown, and opened to another system."""
    state = records.state
    return Day(
        state,
        fit=run(state, "train", "fit").out,
        truth=run(state, "train", "truth").out,
        score=run(state, "serve", "score").out,
        summary={lang: run(state, "serve", "summary", "--lang", lang).out for lang in ("en", "zh")},
        key=run(state, "serve", "key", "create", "HR desk", "--sees", "everyone").out.strip(),
        auditor=run(state, "serve", "key", "create", "audit", "--role", "auditor", "--sees", "everyone").out.strip(),
    )


@pytest.fixture(scope="module")
def service(day: Day) -> Iterator[TestClient]:
    """The service on what the commands have made."""
    with TestClient(create_app(Settings(state=day.state)), base_url=ORIGIN) as client:
        yield client


@pytest.fixture(scope="module")
def answer(service: TestClient, day: Day) -> dict[str, Any]:
    """What another system is told of the first person who needs care, found by way of the teams."""
    headers = {"authorization": f"Bearer {day.key}"}
    for team in service.get("/v1/teams", headers=headers).json()["teams"]:
        people = service.get(f"/v1/teams/{team['team']}/flagged", params=CARE, headers=headers).json()["people"]
        if people:
            number = people[0]["employee_id"]
            return service.get(f"/v1/employees/{number}/risk", params=CARE, headers=headers).json()
    raise RuntimeError("nobody is flagged in any team")


@pytest.fixture(scope="module")
def scores(day: Day) -> list[dict[str, Any]]:
    """Every row of the store's scores that could be judged."""
    store = open_store(Settings(state=day.state).store_url)
    try:
        with store.begin() as tx:
            rows = tx.execute(select(score).where(score.c.band != "cannot_judge")).all()
            return [store_said.told(tx, plain(row)) for row in rows]
    finally:
        store.close()


def test_every_row_of_the_export_is_accounted_for(records: Records) -> None:
    received, accepted, quarantined, duplicates = totals(records.first)
    assert received == accepted + quarantined + duplicates
    assert accepted > 0.99 * received
    assert quarantined == records.waiting[0] > 0


def test_a_second_import_changes_nothing(records: Records) -> None:
    received, accepted, _, duplicates = totals(records.second)
    assert (accepted, received) == (0, totals(records.first)[0])
    assert duplicates > 0
    assert records.versions[0] == records.versions[1]
    assert records.waiting[0] == records.waiting[1]


def totals(report: str) -> tuple[int, ...]:
    """The numbers of the first line of an import's report: received, accepted, quarantined, duplicates."""
    found = re.search(r"files: ([\d,]+) rows received = ([\d,]+) accepted \+ ([\d,]+) quarantined \+ ([\d,]+)", report)
    if found is None:
        raise RuntimeError(f"no totals in: {report}")
    return tuple(int(number.replace(",", "")) for number in found.groups())


def test_a_dropped_and_a_mended_row_leave_the_quarantine(records: Records) -> None:
    assert records.repaired.strip().splitlines()[-1].startswith("1 rows accepted")
    assert "1 dropped" in records.repaired
    assert records.waiting[2] == records.waiting[1] - 2


def test_the_model_passes_every_gate_and_becomes_the_champion(day: Day) -> None:
    assert day.fit.count("passed ") in (2, 4), "published effects pass two gates, a model learned here four"
    assert "failed " not in day.fit
    assert re.search(r"Version 1 \(\w+…\) is now champion", day.fit)


def test_the_evaluation_is_a_page_that_names_nobody(day: Day) -> None:
    page = (day.state / "evaluation" / "figures" / "report.html").read_text(encoding="utf-8")
    assert "Does the sum come true?" in page
    assert "总数对得上吗" in page
    assert not re.search(r"E\d{5}", page)
    assert "How many leave a team in a quarter" in day.fit


def test_the_hiring_ledger_is_about_groups_and_everybody_is_in_one_of_them(service: TestClient, day: Day) -> None:
    answer = service.get("/v1/forecast", headers={"authorization": f"Bearer {day.key}"}).json()
    assert all(line["n_people"] >= answer["smallest_group"] == 5 for line in answer["lines"])
    with sqlite3.connect(day.state / "retention.db") as store:
        assert (
            sum(line["n_people"] for line in answer["lines"])
            == store.execute("SELECT count(*) FROM employee").fetchone()[0]
        )
    assert all(line["low"] <= line["high"] <= line["n_people"] for line in answer["lines"])


def test_the_model_finds_part_of_what_is_there_and_not_more(day: Day) -> None:
    found = re.search(r"AUC (\.\d+|0\.\d+), the known hazards themselves (0?\.\d+)", day.truth)
    assert found, day.truth
    model, oracle = float(found[1]), float(found[2])
    assert 0.5 < model < oracle < 1


def test_everybody_employed_is_in_the_batch(day: Day, scores: list[dict[str, Any]]) -> None:
    found = re.search(r"(\d+) people scored as of (\S+) by model version 1: .*, (\d+) not judged", day.score)
    assert found, day.score
    assert int(found[1]) - int(found[3]) == len(scores) > 200
    late = pl.read_csv(day.state / "records" / "interactions.csv", infer_schema=False)["known_on"].max()
    assert found[2] == late, "the last day on which something was recorded, a row that came in late"


def test_the_summary_speaks_both_languages_about_the_same_person(day: Day) -> None:
    english, chinese = day.summary["en"], day.summary["zh"]
    assert "Teams that need care first" in english
    assert "最先需要关怀的团队" in chinese
    assert set(re.findall(r"E\d{5}", english)) == set(re.findall(r"E\d{5}", chinese)) != set()
    assert re.findall(r"(\d+)%   [■□]", english) == re.findall(r"(\d+)%   [■□]", chinese)


def test_the_risk_rises_with_the_horizon(answer: dict[str, Any]) -> None:
    days = [one["horizon_days"] for one in answer["risk"]]
    assert days == [30, 90, 180, 365]
    assert answer["band"] in ("watch", "act")
    rises([one["voluntary"] for one in answer["risk"]])
    rises([one["other"] for one in answer["risk"]])


def test_leaving_and_staying_make_one_for_everybody_on_every_horizon(scores: list[dict[str, Any]]) -> None:
    for row in scores:
        days = sorted(row["risk"], key=int)
        rises([row["risk"][d] for d in days])
        rises([row["other"][d] for d in days])
        staying = [1 - row["risk"][d] - row["other"][d] for d in days]
        assert 0 < min(staying) <= max(staying) < 1, row["employee_id"]


def rises(chances: list[float]) -> None:
    assert chances[0] > 0
    assert chances[-1] < 1
    assert all(earlier < later for earlier, later in pairwise(chances)), chances


def test_the_reasons_of_everybody_sum_to_the_score(scores: list[dict[str, Any]]) -> None:
    for row in scores:
        total = sum(reason["contribution"] for reason in row["reasons"])
        assert abs(total - (row["log_odds"] - row["base_log_odds"])) < SUMS_TO, row["employee_id"]


def test_another_system_is_told_what_is_in_the_store(answer: dict[str, Any], scores: list[dict[str, Any]]) -> None:
    stored = next(row for row in scores if row["employee_id"] == answer["employee_id"])
    told = {reason["driver"]: reason["contribution"] for reason in answer["reasons"]}
    kept = {reason["driver"]: reason["contribution"] for reason in stored["reasons"] if reason["text_en"]}
    assert told == kept != {}
    assert {str(one["horizon_days"]): one["voluntary"] for one in answer["risk"]} == stored["risk"]
    assert answer["band"] == stored["band"]


def test_every_word_comes_in_english_and_chinese(answer: dict[str, Any]) -> None:
    plan = answer["plan"]
    texts = [(reason["text_en"], reason["text_zh"]) for reason in answer["reasons"]]
    texts += [(one["title_en"], one["title_zh"]) for one in plan["actions"]]
    texts += [(one["first_step_en"], one["first_step_zh"]) for one in plan["actions"]]
    if not plan["actions"]:
        texts.append((plan["empty_because_en"], plan["empty_because_zh"]))
    texts += [(answer["limits"][f"{name}_en"], answer["limits"][f"{name}_zh"]) for name in ("accuracy", "notice")]
    for english, chinese in texts:
        assert re.search(r"[a-z]{2}", english), english
        assert re.search(r"[\u4e00-\u9fff]", chinese), chinese
        assert "{" not in english + chinese


def test_without_a_purpose_nothing_is_told(service: TestClient, day: Day, answer: dict[str, Any]) -> None:
    refused = service.get(f"/v1/employees/{answer['employee_id']}/risk", headers={"authorization": f"Bearer {day.key}"})
    assert refused.status_code == 422
    assert set(refused.json()) <= {"type", "title", "status", "request_id", "errors"}
    newest = entries(service, day)[0]
    assert (newest["action"], newest["result"]) == ("refused", "purpose_missing")
    assert newest["employee_id"] == answer["employee_id"]


def test_the_look_is_in_the_audit_log_and_the_chain_is_whole(
    service: TestClient, day: Day, answer: dict[str, Any]
) -> None:
    looks = [
        line
        for line in entries(service, day)
        if line["action"] == "risk.read" and line["employee_id"] == answer["employee_id"] and "HR desk" in line["actor"]
    ]
    assert [(look["purpose"], look["result"], look["model_version"]) for look in looks] == [
        ("retention_care", "shown", "1")
    ]
    assert "whole" in run(day.state, "serve", "verify-audit").out


def entries(service: TestClient, day: Day) -> list[dict[str, Any]]:
    """The audit log, newest first, as the auditor reads it."""
    headers = {"authorization": f"Bearer {day.auditor}"}
    return service.get("/v1/audit", params={"limit": 200}, headers=headers).json()["entries"]


def test_an_erased_person_is_in_no_file_of_the_lake(day: Day, tmp_path: Path) -> None:
    copytree(day.state / "lake", tmp_path / "lake")
    person = busiest_manager(Lake(tmp_path / "lake"))
    assert mentions(tmp_path / "lake", person) > 10
    told = run(tmp_path, "train", "erase", person).out
    assert f"Erased {person}" in told
    assert "a mention emptied" in told
    assert mentions(tmp_path / "lake", person) == 0
    for path in (tmp_path / "lake").rglob("*.json"):
        assert person not in path.read_text(encoding="utf-8"), path.name
    assert Lake(tmp_path / "lake").tables() == Lake(day.state / "lake").tables()


def busiest_manager(lake: Lake) -> str:
    """The one whom most rows of others name: the hardest to forget."""
    named = lake.read(["positions"])["positions"].collect()["manager_id"].drop_nulls()
    return str(named.value_counts(sort=True)[0, "manager_id"])


def mentions(lake: Path, person: str) -> int:
    """In how many rows of all Parquet files, old and new, a text cell holds the person's number."""
    found = 0
    for path in lake.rglob("*.parquet"):
        texts = pl.read_parquet(path).select(pl.col(pl.String))
        if texts.width:
            found += int(texts.select(pl.any_horizontal(pl.all().str.contains(person, literal=True))).to_series().sum())
    return found


def test_where_too_few_left_to_prove_anything_published_effects_serve(records: Records, tmp_path: Path) -> None:
    copytree(records.state / "lake", tmp_path / "lake")
    plan = tmp_path / "hasty.toml"
    plan.write_text(HASTY_PLAN, encoding="utf-8")
    told = run(tmp_path, "train", "fit", "--plan", str(plan)).out
    assert "published effects are not contradicted" in told
    assert re.search(r"Version 1 \(\w+…\) is now champion", told)
    assert re.search(r": \d+ act, \d+ watch,", run(tmp_path, "serve", "score").out)
    key = run(tmp_path, "serve", "key", "create", "HR desk", "--sees", "everyone").out.strip()
    with TestClient(create_app(Settings(state=tmp_path)), base_url=ORIGIN) as client:
        card = client.get("/v1/model", headers={"authorization": f"Bearer {key}"}).json()["card"]
        assert card["model_kind"] == "prior"


def test_without_any_model_nothing_is_served(records: Records, tmp_path: Path) -> None:
    copytree(records.state / "lake", tmp_path / "lake")
    assert "There is no model to serve" in run(tmp_path, "serve", "score", code=1).err
    key = run(tmp_path, "serve", "key", "create", "HR desk", "--sees", "everyone").out.strip()
    with TestClient(create_app(Settings(state=tmp_path)), base_url=ORIGIN) as client:
        headers = {"authorization": f"Bearer {key}"}
        assert client.get("/v1/employees/E00001/risk", params=CARE, headers=headers).status_code == 503
        assert client.get("/v1/teams", headers=headers).status_code == 503
        assert client.get("/readyz").status_code == 503
