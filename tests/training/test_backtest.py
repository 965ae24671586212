"""Past forecasts against what came true: only what had closed teaches, and the counts are those of the rows."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from training.backtest import PERIODS, backtest, snapshots

DAYS = pd.date_range("2023-01-31", periods=12, freq="ME")
CLOSED = pd.Timestamp("2024-09-30")


def predictions(*, n=240, rate=0.0008, told_rate=0.0008, seed=0, team_size=10):
    """People who leave at a constant rate per day and are replaced at once; the forecast believes in ``told_rate``."""
    rng = np.random.default_rng(seed)
    start = DAYS[0] - timedelta(days=1)
    rows = []
    for place in range(n):
        day = 0.0
        for life in range(40):
            until = day + rng.exponential(1 / rate)
            for as_of in DAYS:
                at = (as_of - start).days
                if day <= at < until:
                    follow_up = (CLOSED - as_of).days
                    time = until - at
                    row = {"employee_id": f"{place}-{life}", "as_of": as_of.date(), "follow_up": float(follow_up)}
                    row |= {"event": int(time <= follow_up), "time": min(time, follow_up), "apart": False}
                    row |= {"department": f"d{place // 60}", "team": f"t{place // team_size}", "location": "x"}
                    rows.append(row | {f"chosen_{h}": -np.expm1(-told_rate * h) for h in (30, 90, 180, 365)})
            day = until
            if day > 700:
                break
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def fair():
    return backtest(predictions())


def test_a_right_forecast_covers_what_it_promises_and_its_sums_come_true(fair):
    teams = fair.coverage[(fair.coverage["scale"] == "team") & (fair.coverage["period"] == "quarter 1")].iloc[0]
    assert teams["held"] == pytest.approx(teams["promised"], abs=0.06)
    assert teams["left"] / teams["expected"] == pytest.approx(1.0, abs=0.25)
    assert fair.sums["all"].low < 1 < fair.sums["all"].high
    assert set(fair.sums) == {"all", "d0", "d1", "d2", "d3"}
    assert fair.shock.n_windows == 4


def test_departments_together_are_right_and_alone_lie_outside_as_often_as_chance_lets_them(fair):
    bias = fair.bias
    expected = [60 * 90 * 0.0008 * fair.shock.n_windows] * 4  # a seat that falls empty is filled at once
    tail = [1 - (poisson.cdf(np.floor(1.1 * e), e) - poisson.cdf(np.ceil(0.9 * e) - 1, e)) for e in expected]
    assert bias.ratio.low < 1 < bias.ratio.high
    assert (bias.departments, bias.judged) == (4, 4)
    assert bias.by_chance == pytest.approx(sum(tail), abs=0.5)
    assert bias.outside == sum(abs(fair.sums[f"d{i}"].value - 1) > 0.1 for i in range(4))


def test_a_forecast_of_half_the_exits_is_called_biased_and_one_department_is_no_sample():
    rows = predictions(n=240, rate=0.0016, told_rate=0.0004)
    assert backtest(rows).bias.ratio.low > 1
    assert backtest(rows.assign(department="d")).bias is None


def test_every_period_and_scale_is_told_and_no_team_under_the_minimum(fair):
    assert set(fair.cells["period"]) == set(PERIODS)
    assert set(fair.cells["scale"]) == {"team", "department", "all"}
    assert fair.cells["people"].min() >= 5
    whole = fair.cells[fair.cells["scale"] == "all"].set_index(["as_of", "period"])
    by_department = fair.cells[fair.cells["scale"] == "department"].groupby(["as_of", "period"])[["left", "expected"]]
    assert by_department.sum()["left"].equals(whole["left"].sort_index())
    assert by_department.sum()["expected"].to_numpy() == pytest.approx(whole["expected"].sort_index().to_numpy())


def test_the_level_catches_up_with_a_model_that_expects_too_few_but_not_before_it_could_know():
    found = backtest(predictions(told_rate=0.0004))
    whole = found.cells[(found.cells["scale"] == "all") & (found.cells["period"] == "month 1")]
    ratio = (whole["left"] / whole["expected"]).to_numpy()
    assert whole["expected"].iloc[0] == pytest.approx(240 * -np.expm1(-0.0004 * 28), rel=0.05), "nothing seen yet"
    assert ratio[-4:].mean() < 0.8 * ratio[:2].mean()


def test_what_lies_after_a_snapshot_does_not_touch_what_was_told_on_it():
    rows = predictions(n=100)
    last = DAYS[5]
    changed = rows.copy()
    known = (pd.to_datetime(rows["as_of"]) + pd.to_timedelta(rows["time"], unit="D")) <= last
    changed.loc[~known, "event"] = 0
    before, after = (backtest(r).cells for r in (rows, changed))
    told = ["as_of", "scale", "unit", "period", "expected", "low", "high", "enough"]
    early = [cells[cells["as_of"] <= last.date()][told] for cells in (before, after)]
    pd.testing.assert_frame_equal(*early)


def test_a_history_of_three_months_has_three_months_and_one_quarter():
    rows = predictions(n=60).drop(columns=["chosen_180", "chosen_365"])
    (first, *_) = snapshots(rows, "chosen")
    assert len(first.ends) == 4
    assert set(backtest(rows).cells["period"]) == {"month 1", "month 2", "month 3", "quarter 1"}


def test_a_horizon_of_a_month_has_a_month_and_no_quarter_to_learn_shocks_from():
    found = backtest(predictions(n=60).drop(columns=["chosen_90", "chosen_180", "chosen_365"]))
    assert set(found.cells["period"]) == {"month 1"}
    assert found.shock.n_windows == 0
    assert found.sums == {}


def test_where_no_window_is_closed_nothing_is_claimed():
    found = backtest(predictions(n=60).assign(follow_up=10.0))
    assert found.cells.empty
    assert found.coverage.empty


def test_without_teams_departments_stand_for_them_and_without_those_sites():
    rows = predictions(n=60).assign(team=None, department=None)
    assert set(backtest(rows).cells["scale"]) == {"team", "all"}
    assert snapshots(rows, "chosen")[0].people["team"].unique().tolist() == ["x"]
