"""The second generator: the same records and truth, without proportional hazards."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.company import REGIMES, Company, accelerated, invent_company, true_risk
from features.company.truth import FILES
from features.errors import FixableError
from features.ingest import import_folder
from features.lake import Lake


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("accelerated")
    company = Company(n_employees=250, months=20, seed=4, regime=REGIMES["accelerated"])
    invent_company(company, folder / "records", truth=folder / "truth")
    return folder


@pytest.fixture(scope="module")
def hazards(world):
    return pl.read_parquet(world / "truth" / "hazards.parquet")


def test_its_records_are_imported_like_any_others_and_its_truth_has_the_same_files(world, tmp_path):
    report = import_folder(world / "records", Lake(tmp_path / "lake"))
    assert not report.problems
    assert sum(f.quarantined for f in report.files) < 0.002 * sum(f.received for f in report.files)
    assert {path.name for path in (world / "truth").iterdir()} == set(FILES)


def test_the_oracle_ranks_well_and_is_right_on_average(world, hazards):
    ends = hazards.filter(~pl.col("under_notice") & (pl.col("as_of") <= date(2023, 2, 28)))
    told = true_risk(world / "truth", ends, horizon_days=180, decisions=True)
    exits = pl.read_parquet(world / "truth" / "decisions.parquet").filter(pl.col("kind") == "voluntary")
    told = told.join(exits.select("employee_id", "notice_on"), on="employee_id", how="left")
    after = (told["notice_on"] - told["as_of"]).dt.total_days()
    left, risk = after.is_between(1, 180).fill_null(False).to_numpy(), told["true_risk"].to_numpy()
    assert risk.sum() == pytest.approx(left.sum(), rel=0.3)
    assert (risk[left][:, None] > risk[~left][None, :]).mean() > 0.72


@settings(max_examples=10, deadline=None)
@given(days=st.lists(st.integers(1, 365), min_size=2, max_size=2, unique=True))
def test_its_risk_is_a_probability_that_never_falls_with_the_horizon(world, hazards, days):
    day = hazards.filter(pl.col("as_of") == date(2023, 3, 31))
    short, long = (true_risk(world / "truth", day, horizon_days=d)["true_risk"].drop_nulls() for d in sorted(days))
    assert (short >= 0).all()
    assert (long <= 1).all()
    assert (long - short >= -1e-9).all()


def test_nobody_looks_further_ahead_than_a_year(world, hazards):
    with pytest.raises(FixableError, match="a year ahead"):
        true_risk(world / "truth", hazards, horizon_days=800)


def test_the_chance_to_cross_is_what_a_simulation_gives():
    rng, n = np.random.default_rng(0), 40000
    for start, target in ((1.0, 1.5), (2.5, 2.0), (0.6, 3.0)):
        fit, crossed = np.full(n, start), np.zeros(n, bool)
        for _ in range(6):
            shock = np.where(
                rng.random(n) < accelerated.SHOCK_RATE,
                accelerated.SHOCK_MEDIAN * np.exp(accelerated.SHOCK_LOG_SD * rng.standard_normal(n)),
                0.0,
            )
            team = np.where(
                rng.random(n) < accelerated.TEAM_SHOCK_RATE,
                accelerated.TEAM_SHOCK_MEDIAN * np.exp(accelerated.SHOCK_LOG_SD * rng.standard_normal(n)),
                0.0,
            )
            memory = accelerated.MEMORY
            fit = memory * fit + (1 - memory) * target - shock - team + accelerated.NOISE_SD * rng.standard_normal(n)
            crossed |= fit < 0
        told = accelerated.outlook(np.array([start]), np.array([target]), months=6)[0, -1]
        assert told == pytest.approx(crossed.mean(), abs=0.01), (start, target)


def test_hazards_are_not_proportional():
    """With proportional hazards the ratio between two people would be the same in each month ahead."""
    ahead = accelerated.outlook(np.array([0.8, 2.5]), np.array([2.5, 2.5]), months=12)
    steps = np.diff(np.concatenate([np.zeros((2, 1)), ahead], axis=1), axis=1) / (1 - ahead + 1e-12)
    ratio = steps[0] / steps[1]
    assert ratio[0] > 3 * ratio[-1]


def test_drivers_bend_and_meet(hazards):
    terms = hazards.filter(pl.col("exposed")).select("term_performance", "term_overtime", "term_pay")
    assert terms["term_pay"].min() >= 0  # pay above the market holds nobody
    assert terms["term_performance"].max() > 3 * abs(terms["term_performance"].min())  # both ends leave


def test_care_lifts_the_fit_and_harm_lowers_it(world):
    table = pl.read_parquet(world / "truth" / "potential.parquet")
    assert (table["y_specific_thanks"] == table["y_none"]).all()
    assert table["h1_stay_conversation"].mean() < table["h0"].mean() < table["h1_activity_monitoring"].mean()
    assert table["y_hybrid_work"].sum() < table["y_none"].sum()


def test_within_no_time_nobody_decides(world, hazards):
    day = hazards.filter(pl.col("as_of") == date(2023, 3, 31))
    assert set(true_risk(world / "truth", day, horizon_days=0)["true_risk"].drop_nulls()) == {0.0}
