"""Laws of the risk model, on a model learned from invented people whose hazard is known."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.learn import KINDS, Landmarks, Settings, assign_folds, fit_hazards, landmarks_per_exit, plain_landmarks
from models.risk import RiskModel, _incidence
from models.scores import BoostedScore

HORIZONS = (30, 90, 180, 365)


def invented(n=500, n_as_of=12, seed=0):
    """People with a constant hazard that grows with column ``push`` and falls with ``hold``; dismissals at random."""
    generator = np.random.default_rng(seed)
    push, hold, noise = generator.normal(size=(3, n))
    until_notice = generator.exponential(365 / (0.25 * np.exp(0.8 * push - 0.5 * hold)))
    until_other = generator.exponential(365 / 0.08, n)
    leaves, cause = np.minimum(until_notice, until_other), np.where(until_notice < until_other, 1, 2)
    parts = []
    for day in np.arange(n_as_of) * 30.0:
        here = np.flatnonzero(leaves > day)
        rows = pd.DataFrame(
            {"push": push[here], "hold": hold[here], "noise": noise[here] + generator.normal(size=len(here))}
        )
        rows.loc[here % 7 == 0, "hold"] = np.nan
        rows["site"] = np.where(here % 3 == 0, "north", "south")
        time, follow_up = leaves[here] - day, np.full(len(here), 730.0 - day)
        event = np.where(time <= follow_up, cause[here], 0)
        parts.append((rows, np.minimum(time, follow_up), event, follow_up, here.astype(str), np.full(len(here), day)))
    rows, *arrays = zip(*parts, strict=True)
    return Landmarks(pd.concat(rows, ignore_index=True), *(np.concatenate(a) for a in arrays))


@pytest.fixture(scope="module")
def landmarks():
    return invented()


@pytest.fixture(scope="module")
def fitted(landmarks):
    return fit_hazards(landmarks, Settings(max_rounds=80, folds=3))


@pytest.mark.parametrize("kind", KINDS)
def test_causes_and_staying_sum_to_one_and_no_risk_falls_with_the_horizon(kind, fitted, landmarks):
    days = np.arange(1, 366, 13)
    chances = fitted.models[kind].cumulative_incidence(landmarks.rows[:300], days)
    np.testing.assert_allclose(chances.sum(axis=2), 1.0, atol=1e-12)
    assert (np.diff(chances[:, :, 1:], axis=1) >= -1e-12).all()
    assert (chances >= 0).all()


@given(st.lists(st.floats(-12, 6), min_size=10, max_size=10), st.lists(st.integers(1, 365), min_size=2, max_size=6))
@settings(max_examples=200)
def test_any_log_odds_give_coherent_chances(log_odds, days):
    days = sorted(days)
    voluntary, other = np.array(log_odds[:5])[None, :], np.array(log_odds[5:])[None, :]
    chances = _incidence(voluntary, other, (30, 90, 180, 270, 365), days)[0]
    assert np.allclose(chances.sum(axis=1), 1.0)
    assert (np.diff(chances[:, 1:], axis=0) >= -1e-12).all()


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_add_up_to_the_score_exactly(kind, fitted, landmarks):
    model, rows = fitted.models[kind], landmarks.rows[:200]
    base, contributions = model.contributions(rows)
    assert contributions.shape == (200, len(model.columns))
    np.testing.assert_allclose(base + contributions.sum(axis=1), model.log_odds(rows), atol=1e-9)


def test_a_higher_score_is_a_higher_risk_at_the_reference_horizon(fitted, landmarks):
    model, rows = fitted.models["blend"], landmarks.rows[:400]
    risk = model.cumulative_incidence(rows, [180])[:, 0, 1]
    rank = pd.Series(model.log_odds(rows)).corr(pd.Series(risk), method="spearman")
    assert rank > 0.99


def test_the_score_of_a_row_does_not_depend_on_its_neighbours_or_on_the_order_of_columns(fitted, landmarks):
    model, rows = fitted.models["blend"], landmarks.rows[:50]
    alone = np.concatenate([model.log_odds(rows.iloc[[i]]) for i in range(50)])
    np.testing.assert_allclose(alone, model.log_odds(rows), atol=1e-12)
    np.testing.assert_array_equal(model.log_odds(rows[rows.columns[::-1]]), model.log_odds(rows))


def test_what_is_known_to_push_pushes_and_what_holds_holds(fitted, landmarks):
    for kind in ("linear", "boosted", "blend"):
        _, contributions = fitted.models[kind].contributions(landmarks.rows)
        by_column = dict(zip(fitted.models[kind].columns, contributions.T, strict=True))
        known = landmarks.rows["hold"].notna()
        assert np.corrcoef(by_column["push"], landmarks.rows["push"])[0, 1] > 0.8
        assert np.corrcoef(by_column["hold"][known], landmarks.rows["hold"][known])[0, 1] < -0.6


def test_people_left_out_are_forecast_better_than_by_the_base_rate(fitted):
    assert max(fitted.held_out_loss[k] for k in ("linear", "boosted", "blend")) < fitted.held_out_loss["base"]


def test_forecasts_come_true_in_the_large(fitted, landmarks):
    closed = landmarks.follow_up >= 180
    left = ((landmarks.event == 1) & (landmarks.time <= 180))[closed].mean()
    told = fitted.models["blend"].cumulative_incidence(landmarks.rows[closed], [180])[:, 0, 1].mean()
    assert told == pytest.approx(left, rel=0.15)


def test_a_model_survives_the_way_through_json(fitted, landmarks):
    for kind in KINDS:
        model = fitted.models[kind]
        again = RiskModel.from_dict(json.loads(json.dumps(model.to_dict())))
        rows = landmarks.rows[:100]
        np.testing.assert_allclose(
            again.cumulative_incidence(rows, HORIZONS), model.cumulative_incidence(rows, HORIZONS), atol=1e-12
        )


def test_the_same_data_and_seed_give_the_same_model():
    small = invented(n=200, n_as_of=6)
    first, second = (fit_hazards(small, Settings(max_rounds=30, folds=2)) for _ in range(2))
    assert json.dumps(first.models["blend"].to_dict()) == json.dumps(second.models["blend"].to_dict())


def test_the_trees_explain_themselves_as_the_shap_package_does(fitted, landmarks):
    shap = pytest.importorskip("shap")
    score = fitted.models["boosted"].voluntary.parts[0][1]
    assert isinstance(score, BoostedScore)
    values = np.column_stack([fitted.models["boosted"].codes.transform(landmarks.rows[:20]), np.zeros(20)])
    theirs = shap.TreeExplainer(score.booster).shap_values(values)
    theirs = np.asarray(theirs)[..., -1] if np.ndim(theirs) == 3 else np.asarray(theirs)
    weights = np.array([1.0, 0, 0, 0, 0])
    _, ours = score.contributions(values[:, :-1], weights)
    np.testing.assert_allclose(ours, theirs, atol=5e-5)


def test_unknown_levels_and_absent_columns_are_unknown_not_guessed(fitted, landmarks):
    model = fitted.models["blend"]
    row = landmarks.rows[:1]
    never_seen = model.log_odds(row.assign(site="moon"))
    unknown = model.log_odds(row.assign(site=None))
    without = model.log_odds(row.drop(columns="site"))
    np.testing.assert_array_equal(never_seen, unknown)
    np.testing.assert_array_equal(unknown, without)


def test_a_horizon_beyond_the_last_edge_is_refused(fitted, landmarks):
    with pytest.raises(ValueError, match="365"):
        fitted.models["base"].cumulative_incidence(landmarks.rows[:1], [400])


def test_after_too_few_exits_every_kind_is_the_base_rate_and_nobody_stands_out():
    few = invented(n=30, n_as_of=3)
    fitted = fit_hazards(few, Settings(min_exits=40))
    assert fitted.kind == "base"
    for model in fitted.models.values():
        assert np.ptp(model.cumulative_incidence(few.rows, [180])[:, 0, 1]) < 1e-12
        assert not model.contributions(few.rows)[1].any()


def test_a_person_is_in_one_fold_and_an_exit_counts_once(landmarks):
    folds = assign_folds(landmarks.person, n_folds=4, seed=1)
    sizes = np.bincount(list(folds.values()))
    assert sizes.max() - sizes.min() <= 1
    assert 1.0 < landmarks_per_exit(landmarks) < 12.0


def test_plain_use_on_x_time_event_needs_no_dates():
    generator = np.random.default_rng(3)
    x = pd.DataFrame({"a": generator.normal(size=600), "b": generator.normal(size=600)})
    time = generator.exponential(200 * np.exp(-0.9 * x["a"]))
    data = plain_landmarks(x, np.minimum(time, 365), (time <= 365).astype(int))
    risk = fit_hazards(data, Settings(max_rounds=60, folds=2)).models["blend"].cumulative_incidence(x, [180])[:, 0, 1]
    assert np.corrcoef(risk, x["a"])[0, 1] > 0.7
