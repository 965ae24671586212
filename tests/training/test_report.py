"""The report: whole in itself, honest about too little, in both languages, with the numbers of the rows behind it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from features.cards import Card
from features.errors import FixableError
from models.card import ModelCard
from training import charts
from training.backtest import backtest
from training.evaluate import Interval, evaluate, stored_predictions, told_at
from training.findings import plain
from training.release import plain_tables
from training.report import build, interval, of_100, render, tenths, told_interval, verdict, write_report

DAYS = pd.date_range("2024-01-31", periods=5, freq="ME")


def predictions(n=260, seed=0, rate=-2.2):
    generator = np.random.default_rng(seed)
    score = generator.normal(rate, 1.0, n)
    rows = []
    for day in DAYS:
        risk = 1 / (1 + np.exp(-score))
        left = generator.uniform(size=n) < risk
        rows.append(
            pd.DataFrame(
                {
                    "employee_id": [f"p{i}" for i in range(n)],
                    "as_of": day.date(),
                    "origin": DAYS[0].date() if day < DAYS[3] else DAYS[3].date(),
                    "apart": False,
                    "time": np.where(left, generator.uniform(1, 90, n), 200.0),
                    "event": left.astype(int),
                    "follow_up": 200.0,
                    "tenure_days": generator.uniform(10, 3000, n),
                    "department": [f"<b>dep{i % 3}</b>" for i in range(n)],
                    "team": [f"t{i // 20}" for i in range(n)],
                    "location": "x",
                    "job": "nurse",
                    "chosen_kind": "linear",
                    "base_90": 0.11,
                    "linear_90": risk,
                    "chosen_90": risk * 0.9,
                    "rule_90": np.clip(risk + generator.normal(0, 0.05, n), 0.01, 0.9),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def card():
    return ModelCard(
        name="m", model_kind="linear", trained_on="2023-12-31", labels_closed_on="2024-12-31", horizons_days=(90,),
        reference_horizon_days=90, base_rate={90: 0.11}, bands={"watch": 0.15, "act": 0.25}, band_evidence={},
        typical={}, missing_share={}, cards=(Card("x", "pay", "ratio", "…", "{value}", "{value}"),),
        data_versions={"employees": 3}, n_people=300, n_exits=60,
    )  # fmt: skip


def stored(folder, rows):
    """Write what a training run leaves behind."""
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(folder / "predictions.parquet")
    counts = backtest(rows)
    table = {}
    for kind in ("base", "linear", "chosen"):
        told = told_at(rows, 90, kind)
        table[kind] = {90: evaluate(told, replicates=20)} if told.left.sum() else {}
    (folder / "evaluation.json").write_text(json.dumps(plain_tables(table)))
    counts.cells.to_parquet(folder / "forecast.parquet")
    run = {
        "card": card().to_dict(),
        "kind_tested": ["linear"],
        "gates": [{"name": "ranks", "passed": True, "evidence": "AUC"}],
        "gain": {},
        "columns": [{"column": "compa_ratio", "driver": "pay", "meaning": "pay <of> market", "part": 0.7}],
        "canary": {"in_time": 0.7, "rows_at_random": 0.9, "labels_shuffled": None, "gap": 0.2},
        "forecast": {
            "coverage": [
                {k: v if isinstance(v, str) else (float(v) if np.isfinite(v) else None) for k, v in row.items()}
                for row in counts.coverage.to_dict("records")
            ],
            "sums": {name: plain(found) for name, found in counts.sums.items()},
            "shock": counts.shock.to_dict(),
        },
        "plan": {"seed": "0"},
        "n_rows": 1000,
        "n_snapshots": 12,
    }
    (folder / "run.json").write_text(json.dumps(run))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("run"), predictions())


@pytest.fixture(scope="module")
def page(folder):
    return write_report(folder, folder / "report.html").read_text(encoding="utf-8")


class Balanced(HTMLParser):
    """Counts that every tag which is opened is closed."""

    VOID = ("meta", "br", "hr", "path", "rect", "circle", "polyline")

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_needs_nothing_but_itself_and_runs_nothing(page):
    assert "<script" not in page
    assert not re.search(r"https?://|\ssrc=|\son\w+=|@import|url\(", page)
    assert page.count("<svg") >= 6
    checked = Balanced()
    checked.feed(page)
    assert checked.open == []


def test_names_from_records_are_text_and_never_markup(page):
    assert "<b>dep0</b>" not in page
    assert "&lt;b&gt;dep0&lt;/b&gt;" in page


def test_the_first_page_speaks_both_languages_without_terms(page):
    english = page[page.index('id="first"') : page.index('id="first-zh"')]
    chinese = page[page.index('id="first-zh"') : page.index("All figures below")]
    for words in ("times out of 100", "What it cannot do", "Does the sum come true?", "never be used for pay"):
        assert words in english
    for words in ("任取一位后来离职的人", "它做不到什么", "总数对得上吗", "绝不可用于薪酬"):
        assert words in chinese
    for term in ("AUC", "Brier", "bootstrap", "ICI", "calibration"):
        assert term not in english + chinese


def test_its_numbers_are_those_of_the_rows(page, folder):
    rows = stored_predictions(folder)
    table = json.loads((folder / "evaluation.json").read_text())
    run = json.loads((folder / "run.json").read_text())
    found = build(rows, run, table, pd.DataFrame())
    assert found["counted"]["left"] == int((rows["event"] * (rows["time"] <= 90)).sum())
    assert found["counted"]["expected"] == pytest.approx(rows["chosen_90"].sum())
    assert sum(band.left for band in found["bands"]) == found["counted"]["left"]
    assert sum(band.expected for band in found["bands"]) == pytest.approx(found["counted"]["expected"])
    assert [o["rows"] for o in found["origins"]] == [780, 520]
    assert f"{found['chosen']['auc'].value:.3f}" in page
    assert {v["kind"] for v in found["versus"]} == {"base", "rule", "linear"}
    linear = next(v for v in found["versus"] if v["kind"] == "linear")
    assert linear["auc"].value == pytest.approx(0.0, abs=1e-9), "the same ranking"
    assert linear["verdict"] == "matches"


def test_what_the_page_must_say_is_there(page):
    for words in (
        "Against simpler ways", "rule of thumb", "Origin by origin", "Horizon by horizon", "Per band", "net benefit",
        "By department", "By tenure", "By size of the team", "Does the list hold still?", "compa_ratio", "employees",
        "rows split at random", "interval promised", "Last champion: insufficient",
    ):  # fmt: skip
        assert words in page, words


def test_where_nobody_left_the_page_says_so_and_claims_nothing(tmp_path):
    rows = predictions(n=60)
    rows["event"], rows["time"] = 0, 200.0
    text = write_report(stored(tmp_path / "run", rows), tmp_path / "report.html").read_text(encoding="utf-8")
    assert "There is nothing to judge yet" in text
    assert "目前还无从检验" in text
    assert "Against simpler ways" not in text


def test_without_a_run_the_command_says_what_to_do(tmp_path):
    with pytest.raises(FixableError, match="no evaluation"):
        write_report(tmp_path, tmp_path / "report.html")


def test_a_tie_is_no_win():
    assert verdict(Interval(0.01, -0.001, 0.02)) == "matches"
    assert verdict(Interval(0.01, 0.001, 0.02)) == "better"
    assert verdict(Interval(-0.01, -0.02, -0.001)) == "worse"


def test_figures_are_written_with_their_range_and_a_dash_for_the_unknown():
    assert told_interval({"value": 0.7331, "low": 0.707, "high": 0.759}) == "0.733 (0.707–0.759)"
    assert told_interval(interval({"value": None, "low": None, "high": None})) == "–"
    assert of_100(Interval(0.286, 0.243, 0.323)) == "29 (24–32)"


def test_tenths_hold_everybody_once_and_their_shares():
    rows = told_at(predictions(), 90, "chosen")
    dots = tenths(rows)
    assert len(dots) == 10
    assert np.mean([d.y for d in dots]) == pytest.approx(rows.left.mean(), abs=1e-9)
    assert all(d.low <= d.y <= d.high for d in dots)


def test_pictures_escape_names_and_stay_within_their_frame():
    picture = str(charts.bars([("<x>", 0.5), ("y", 0.2)]))
    assert "<x>" not in picture
    drawn = str(charts.lines({"a": [(0, 0), (1, -5)]}, x="x", y="y", low=-1.0))
    points = re.search(r'points="([^"]+)"', drawn)
    assert points is not None
    assert all(0 <= float(v) <= charts.WIDTH for pair in points[1].split() for v in pair.split(","))
    assert render is not None
