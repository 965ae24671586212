"""The commands as typed: a trial's table in, a readable answer out, and mistakes in plain words."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from training.cli import app

RUN = CliRunner()


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    rng = np.random.default_rng(3)
    n = 1500
    given, tenure = rng.integers(0, 2, n), rng.gamma(2, 2, n)
    left = rng.random(n) < 1 / (1 + np.exp(-(-1 - 0.2 * tenure - 0.8 * given)))
    table = pd.DataFrame({"hybrid": given, "quit": left.astype(int), "tenure": tenure, "manager": rng.random(n) < 0.3})
    table["score"] = rng.standard_normal(n)
    path = tmp_path_factory.mktemp("trial") / "trial.csv"
    table.to_csv(path, index=False)
    return path


def ask(trial, *more):
    return RUN.invoke(app, ["effects", "--table", str(trial), "--treatment", "hybrid", "--outcome", "quit", *more])


def test_a_trial_is_answered_with_both_estimates_and_a_verdict(trial):
    told = ask(trial, "--randomised", "--by", "manager")
    assert told.exit_code == 0, told.output
    for words in (
        "unadjusted",
        "adjusted",
        "hybrid = 1: helps",
        "80 % power",
        "Where manager is True",
        "Held equal: tenure",
    ):
        assert words in told.output


def test_a_late_column_ends_the_command_with_its_name(trial, tmp_path):
    late = ("--started", "2024-01-31", "--measured-on", "score=2024-06-30")
    told = ask(trial, "--randomised", "--covariates", "tenure,score", *late)
    assert told.exit_code == 1
    assert "score: measured on 2024-06-30, after the start on 2024-01-31" in told.output
    words = tmp_path / "columns.csv"
    words.write_text("column,measured_on\nscore,2024-06-30\ntenure,\n", encoding="utf-8")
    told = ask(trial, "--randomised", "--started", "2024-01-31", "--measured-on", str(words))
    assert "Refused as a confounder: score" in told.output


def test_a_trial_is_told_in_chinese(trial):
    told = ask(trial, "--randomised", "--language", "zh", "--by", "manager")
    assert told.exit_code == 0, told.output
    for words in ("随机试验", "hybrid = 1：有帮助", "保持相同的列：tenure", "manager 为 True"):
        assert words in told.output
    assert "must be one of" in ask(trial, "--language", "fr").output


def test_records_instead_of_a_trial_tell_how_strong_a_hidden_cause_would_have_to_be(trial):
    told = ask(trial, "--covariates", "tenure,manager")
    assert told.exit_code == 0, told.output
    assert "E-value" in told.output
    assert "The controls are worth" in told.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["effects", "--table", "no.xyz", "--treatment", "a", "--outcome", "b"], "cannot be read"),
        (["effects", "--table", "no.csv", "--treatment", "a", "--outcome", "b"], "cannot be read"),
        (["effects", "--table", "no.csv"], "--treatment and --outcome"),
        (["side-effects"], "nothing to look at"),
        (["programme", "soon"], "must be a day"),
    ],
)
def test_mistakes_are_told_in_words(arguments, words, tmp_path):
    told = RUN.invoke(app, [*arguments, "--state", str(tmp_path)])
    assert told.exit_code == 1
    assert words in told.output


def test_stamps_are_shown(tmp_path):
    path = tmp_path / "decisions.csv"
    pd.DataFrame({"decided_by": ["M1"] * 12, "accepted": 1, "changed": 0}).to_csv(path, index=False)
    told = RUN.invoke(app, ["side-effects", "--decisions", str(path), "--state", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "100%" in told.output


@pytest.mark.slow
def test_a_companys_own_records_lead_to_the_file_for_care_plans(tmp_path):
    state = tmp_path / "state"
    for arguments in (
        ["company", "--people", "160", "--months", "30", "--regime", "clinic", "--seed", "4"],
        ["import", str(state / "records")],
        ["effects"],
    ):
        told = RUN.invoke(app, [*arguments, "--state", str(state)])
        assert told.exit_code == 0, told.output
    assert "all care together" in told.output
    facts = json.loads((state / "effects.json").read_text(encoding="utf-8"))
    assert facts["all_care"]["treated"] >= 30
    assert facts["all_care"]["controls"] > facts["all_care"]["treated"]
    assert {line["verdict"] for line in facts["actions"].values()} <= {"cannot_tell_yet", "not_identified"}
