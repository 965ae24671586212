"""The comparison with the known hazards: on the same rows, and with figures that mean what they say."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from features.company import REGIMES, Company, invent_company, true_risk
from features.errors import FixableError
from training.evaluate import Told
from training.truth import against_truth, beside_oracle, integrated_calibration, precision_at


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("truth")
    company = Company(n_employees=200, months=24, seed=6, regime=REGIMES["notice_lag"])
    invent_company(company, folder / "records", truth=folder / "truth")
    return folder


def predictions(world, noise=0.0):
    """What a model would say that knows the hazards, but for noise on the log-odds."""
    spine = pl.read_parquet(world / "truth" / "hazards.parquet").filter(~pl.col("under_notice"))
    spine = spine.filter(pl.col("as_of") < date(2023, 6, 30)).select("employee_id", "as_of")
    risk = true_risk(world / "truth", spine, horizon_days=180)["true_risk"].to_numpy()
    left = pl.read_parquet(world / "truth" / "decisions.parquet").filter(pl.col("kind") == "voluntary")
    rows = spine.join(left.select("employee_id", "notice_on"), on="employee_id", how="left").to_pandas()
    until = (pd.to_datetime(rows["notice_on"]) - pd.to_datetime(rows["as_of"])).dt.days
    seen = until.between(1, 180)
    noisy = np.log(risk + 1e-9) + noise * np.random.default_rng(0).standard_normal(len(risk))
    return rows.assign(
        follow_up=400.0, time=until.where(seen, 400.0), event=seen.astype(int), chosen_180=np.clip(np.exp(noisy), 0, 1)
    )


def test_one_who_knows_the_hazards_goes_all_the_way_and_noise_costs_something(world):
    exact, noisy = (
        beside_oracle(predictions(world), world / "truth"),
        beside_oracle(predictions(world, 2.0), world / "truth"),
    )
    assert exact.share == pytest.approx(1.0)
    assert exact.caught == exact.oracle_caught
    assert noisy.share < 0.9
    assert exact.sure_auc > exact.oracle_auc + 0.02  # decisions are known two to four months before the notice
    assert exact.sure_precision > 1.3 * exact.precision


def test_the_auc_is_that_of_scikit_learn(world):
    rows = predictions(world, 1.0)
    assert beside_oracle(rows, world / "truth").auc == pytest.approx(roc_auc_score(rows["event"], rows["chosen_180"]))


def test_precision_takes_the_riskiest_of_each_snapshot():
    left = np.array([1.0, 0, 0, 0, 0, 1, 0, 0])
    told = Told(np.array([0.9, 0.1, 0.2, 0.3, 0.1, 0.2, 0.8, 0.3]), left, np.arange(8), np.repeat([0, 1], 4))
    assert precision_at(told, 0.25) == 0.5


def test_the_calibration_distance_is_nothing_for_true_risks_and_the_shift_for_wrong_ones():
    rng = np.random.default_rng(1)
    risk = rng.beta(1, 12, 60000)
    left = (rng.random(len(risk)) < risk).astype(float)
    every = np.arange(len(risk))
    assert integrated_calibration(Told(risk, left, every, np.zeros(len(risk)))) < 0.004
    shifted = integrated_calibration(Told(risk + 0.05, left, every, np.zeros(len(risk))))
    assert shifted == pytest.approx(0.05, abs=0.005)


def test_the_sentence_names_the_way_gone_and_misses_nothing_silently(world, tmp_path):
    path = tmp_path / "predictions.parquet"
    predictions(world, 1.0).to_parquet(path)
    assert "of the way from .5" in against_truth(path, world / "truth")
    with pytest.raises(FixableError, match="nothing to compare"):
        against_truth(tmp_path / "no.parquet", world / "truth")


def test_rows_that_the_truth_does_not_know_are_left_out(world):
    rows = predictions(world)
    stranger = rows.iloc[[0]].assign(employee_id="E99999")
    late = rows.iloc[[1]].assign(as_of=rows["as_of"].iloc[1] + timedelta(days=5000))
    both = beside_oracle(pd.concat([rows, stranger, late]), world / "truth")
    assert both.n_rows == len(rows)
