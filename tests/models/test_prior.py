"""Laws of the small-firm model and of the intervals, on people whose columns show what was studied."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.matrix import cards_of
from models.calibration import identity
from models.encode import NUMBER, Codes
from models.interval import Doubt, spread_of_folds
from models.learn import KINDS, Landmarks, Settings, fit_hazards
from models.prior import (
    CONSTRUCTS,
    LEVEL_SD,
    STRENGTH_SD,
    USUAL_YEARLY_RATE,
    Belief,
    fit_line,
    fit_published,
    known_together,
    spread,
    unseen_sd,
    usual_level,
)
from models.risk import RiskModel
from models.scores import Rows, design_of

EDGES = (30, 90, 180, 270, 365)
HORIZONS = (30, 90, 180, 365)
INTENT = ("survey_intent_to_stay_latest", "survey_intent_to_stay_mean_365d")


def clinic(n=60, n_as_of=6, yearly=0.25, seed=0):
    """People with a constant hazard that falls with the wish to stay and with tenure, and a column of noise."""
    draw = np.random.default_rng(seed)
    stay, tenure, noise = draw.normal(size=(3, n))
    leaves = draw.exponential(365 / (yearly * np.exp(-0.6 * stay - 0.3 * tenure)) if yearly else 1e9, n)
    parts = []
    for day in np.arange(n_as_of) * 30.0:
        here = np.flatnonzero(leaves > day)
        rows = pd.DataFrame({INTENT[0]: stay[here] + 0.5 * draw.normal(size=len(here)), INTENT[1]: stay[here]})
        rows["tenure_days"], rows["noise"] = 1000 + 200 * tenure[here], noise[here]
        time, follow_up = leaves[here] - day, np.full(len(here), 540.0 - day)
        ended = (np.minimum(time, follow_up), (time <= follow_up).astype(int), follow_up)
        parts.append((rows, *ended, here.astype(str), np.full(len(here), day)))
    rows, *arrays = zip(*parts, strict=True)
    return Landmarks(pd.concat(rows, ignore_index=True), *(np.concatenate(a) for a in arrays))


@pytest.fixture(scope="module")
def fitted():
    return fit_hazards(clinic(n=300), Settings(max_rounds=30, folds=3))


def no_exits(rows):
    codes = Codes.fit(rows, tuple(rows.columns))
    row = np.repeat(np.arange(len(rows)), len(EDGES))
    interval = np.tile(np.arange(len(EDGES)), len(rows))
    nothing = np.zeros(len(row))
    each = (row, interval, nothing, nothing, np.ones(len(row)))
    return Rows(codes.transform(rows), np.zeros(len(rows)), *each, len(EDGES)), codes


def test_every_column_of_the_table_exists_and_is_expected_to_point_that_way():
    expected = {card.column: card.expected for card in cards_of()}
    named = [name for construct in CONSTRUCTS for name in construct.columns]
    assert len({name[1:] for name in named}) == len(named), "a column shows one construct"
    for name in named:
        assert expected[name[1:]] == {"+": 1, "-": -1}[name[0]], name


def test_before_anything_is_seen_the_published_effects_speak_alone():
    rows, codes = no_exits(clinic().rows)
    score = fit_published(rows, design_of(rows, codes), edges=EDGES)
    intent = next(c for c in CONSTRUCTS if c.name == "wish to leave")
    numbers = score.design.level == NUMBER
    z = score.design.transform(rows.values)[:, numbers]
    names = [codes.columns[j] for j in score.design.source[numbers]]
    at = {name: q for q, name in enumerate(names)}
    both = [at[name] for name in INTENT]
    assert (z[:, both] @ score.coefficient[both]).std() == pytest.approx(intent.effect, rel=1e-3)
    assert "noise" not in at
    np.testing.assert_allclose(score.coefficient[~numbers].sum(), usual_level(EDGES)[0] - score.intercept[0])
    alone = np.array([c.effect for c in CONSTRUCTS if c.name in ("wish to leave", "short tenure")])
    own = np.array([c.sd for c in CONSTRUCTS if c.name in ("wish to leave", "short tenure")])
    prior = np.diag(own**2) + STRENGTH_SD**2 * np.outer(alone, alone)
    loading = spread(known_together(z, np.isfinite(z)), names)
    loading = loading[:, np.abs(loading).sum(axis=0) > 0]
    expected = np.einsum("ij,jk,ik->i", z @ loading, prior, z @ loading)
    np.testing.assert_allclose(score.variance(rows.values), expected, rtol=1e-6)


def test_an_absent_column_leaves_its_share_to_those_present():
    rows = clinic().rows
    for columns in (list(rows), [c for c in rows if c != INTENT[0]]):
        some, codes = no_exits(rows[columns])
        score = fit_published(some, design_of(some, codes), edges=EDGES)
        part = np.isin([codes.columns[j] for j in score.design.source], INTENT) & (score.design.level == NUMBER)
        effect = score.design.transform(some.values)[:, part] @ score.coefficient[part]
        assert effect.std() == pytest.approx(0.46, rel=1e-3)


def risk_within_a_year(score, values):
    return 1 - np.prod(1 / (1 + np.exp(score.log_odds(values))), axis=1)


def test_before_anything_is_seen_the_firm_as_a_whole_is_told_the_usual_rate():
    rows, codes = no_exits(clinic(n=2000, n_as_of=1).rows)
    score = fit_published(rows, design_of(rows, codes), edges=EDGES)
    told = -np.log1p(-risk_within_a_year(score, rows.values)).mean()
    assert told == pytest.approx(USUAL_YEARLY_RATE, rel=0.02)


def test_a_crowd_is_told_as_many_exits_with_its_answers_as_without():
    full = clinic(n=2000, n_as_of=1).rows
    rows, codes = no_exits(full)
    score = fit_published(rows, design_of(rows, codes), edges=EDGES)
    known = risk_within_a_year(score, rows.values).mean()
    for hidden in (list(INTENT), ["tenure_days"], [*INTENT, "tenure_days"]):
        without = full.assign(**dict.fromkeys(hidden, np.nan))
        assert risk_within_a_year(score, codes.transform(without)).mean() == pytest.approx(known, rel=0.02)


def test_records_that_were_thin_at_first_do_not_make_a_firm_expect_too_many_exits():
    ratios = []
    for seed in range(4):
        thin = clinic(n=1500, n_as_of=4, yearly=0.12, seed=seed)
        rows = thin.rows.copy()
        rows.loc[thin.as_of_day < 90, list(INTENT)] = np.nan  # the first survey came in the fourth month
        learned = fit_hazards(replace(thin, rows=rows), Settings(folds=2, kinds=("prior",), min_exits=10**6))
        full = clinic(n=1500, n_as_of=1, yearly=0.12, seed=seed)
        told = learned.models["prior"].cumulative_incidence(full.rows, [365])[:, 0, 1]
        ratios.append(told.mean() / ((full.event == 1) & (full.time <= 365)).mean())
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)


def test_people_left_out_are_not_told_more_exits_than_by_the_model_of_everybody():
    more = ("compa_ratio", "review_latest", "overtime_hours_90d", "survey_mean_90d", "ties_90d", "days_since_raise")
    ratios = []
    for seed in range(4):
        few, draw = clinic(seed=seed), np.random.default_rng(seed).normal(size=(len(more), 60))
        noise = {name: values[few.person.astype(int)] for name, values in zip(more, draw, strict=True)}
        few = replace(few, rows=few.rows.assign(**noise))
        fitted = fit_hazards(few, Settings(folds=4, kinds=("prior",), min_exits=1000))
        fold = np.array([fitted.fold_of[person] for person in few.person])
        told = np.empty(len(fold))
        for f, model in enumerate(fitted.fold_models["prior"]):
            told[fold == f] = model.cumulative_incidence(few.rows.loc[fold == f], [365])[:, 0, 1]
        ratios.append(told.mean() / fitted.models["prior"].cumulative_incidence(few.rows, [365])[:, 0, 1].mean())
    assert 0.96 < np.mean(ratios) < 1.005


def test_columns_that_contradict_each_other_are_not_blown_up():
    z = np.random.default_rng(0).normal(size=500)
    z = (z - z.mean()) / z.std()
    loading = spread(known_together(np.column_stack([z, -z]), np.ones((500, 2), dtype=bool)), INTENT)
    assert np.abs(loading).max() <= 1 / np.sqrt(2) + 1e-12


def test_what_is_unseen_grows_when_columns_are_missing_and_when_a_line_tells_less():
    every = tuple(name[1:] for c in CONSTRUCTS for name in c.columns)
    assert 0 < unseen_sd(every) < unseen_sd(every[: len(every) // 2]) < unseen_sd(())
    assert unseen_sd(every, line_variance=0.0) == unseen_sd(()) > unseen_sd(every, line_variance=0.5)
    assert unseen_sd(every, line_variance=99.0) == unseen_sd(every)


@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_holds_the_risk_and_neither_end_falls_with_the_horizon(kind, fitted):
    rows = clinic(n=40, seed=5).rows
    model = fitted.models[kind]
    risk, ends = model.cumulative_incidence(rows, HORIZONS)[:, :, 1], model.interval(rows, HORIZONS)
    assert (ends[:, :, 0] <= risk).all()
    assert (risk <= ends[:, :, 1]).all()
    assert ((ends >= 0) & (ends <= 1)).all()
    assert (np.diff(ends, axis=1) >= 0).all()
    wider = model.interval(rows, HORIZONS, level=0.99)
    assert (wider[:, :, 0] <= ends[:, :, 0]).all()
    assert (wider[:, :, 1] >= ends[:, :, 1]).all()


def test_the_interval_is_wider_after_fewer_exits():
    widths = []
    for n in (40, 160, 640):
        model = fit_hazards(clinic(n=n), Settings(folds=2, kinds=("base", "prior"))).models["prior"]
        values = model.codes.transform(clinic(n=40, seed=5).rows)
        low, high = model.doubt.shifts(model.voluntary.variance(values), 0.9)
        widths.append(float((high - low).mean()))
    assert widths[0] > widths[1] > widths[2]


def test_a_firm_in_which_nobody_left_gets_a_ranking_and_no_calibration():
    nobody = clinic(yearly=0.0)
    model = fit_hazards(nobody, Settings(folds=2)).models["prior"]
    np.testing.assert_array_equal(model.voluntary.calibration.shift, identity(len(EDGES)).shift)
    assert model.doubt.level_sd == pytest.approx(LEVEL_SD)
    risk = model.cumulative_incidence(nobody.rows, [180])[:, 0, 1]
    assert np.corrcoef(risk, nobody.rows[INTENT[1]])[0, 1] < -0.5
    assert 0 < risk.mean() < 0.12


def test_sixty_people_are_ranked_by_what_is_published():
    few = clinic(seed=2)
    fitted = fit_hazards(few, Settings(folds=3, min_exits=1000))
    assert fitted.kind == "prior"
    risk = fitted.models["prior"].cumulative_incidence(few.rows, [180])[:, 0, 1]
    assert np.corrcoef(risk, few.rows[INTENT[1]])[0, 1] < -0.5


@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_survives_the_way_through_json_and_an_older_model_tells_none(kind, fitted):
    rows = clinic(n=40, seed=5).rows
    model = fitted.models[kind]
    again = RiskModel.from_dict(json.loads(json.dumps(model.to_dict())))
    np.testing.assert_array_equal(model.interval(rows, HORIZONS), again.interval(rows, HORIZONS))
    older = model.to_dict()
    del older["doubt"]
    assert RiskModel.from_dict(older).interval(rows, HORIZONS) is None


def test_a_level_outside_nought_and_one_is_refused():
    with pytest.raises(ValueError, match="level"):
        Doubt(0.1, 0.5).shifts(np.zeros(2), 1.0)


def test_folds_that_agree_leave_no_doubt_and_a_shared_shift_is_not_theirs():
    said = np.random.default_rng(0).normal(size=(1, 50, 3)).repeat(4, axis=0)
    assert spread_of_folds(said) == pytest.approx(0.0, abs=1e-12)
    assert spread_of_folds(said + np.arange(4.0)[:, None, None]) == pytest.approx(0.0, abs=1e-12)
    assert spread_of_folds(said * np.arange(1, 5)[:, None, None]) > 0.5


def columns_studied_and_not(n=400, seed=3):
    """Two columns of one construct, one of tenure, and one that nobody has studied; nobody left."""
    draw = np.random.default_rng(seed)
    stay = draw.normal(size=n)
    return pd.DataFrame(
        {INTENT[0]: stay + draw.normal(size=n), INTENT[1]: stay, "tenure_days": draw.normal(size=n), "own": stay**3}
    )


def test_without_exits_the_line_says_what_is_published_and_leans_where_nothing_is():
    rows, codes = no_exits(columns_studied_and_not())
    design = design_of(rows, codes)
    belief = Belief(np.array([-1.0, -1.0, -1.0, 1.0]), lean=0.01, sd=0.03)
    line, published = fit_line(rows, design, belief=belief), fit_published(rows, design, edges=EDGES)
    studied = design.source < 3
    np.testing.assert_allclose(line.coefficient[studied], published.coefficient[:3], atol=1e-6)
    np.testing.assert_allclose(line.coefficient[~studied], 0.01, atol=1e-6)
    columns = design.transform(rows.values)
    doubt = ((columns @ line.factor) ** 2).sum(axis=1), ((columns[:, studied] @ published.factor[:3]) ** 2).sum(axis=1)
    assert doubt[0].mean() > doubt[1].mean(), "what may stray is less sure"


def test_a_plain_line_knows_nothing_of_what_is_published():
    rows, codes = no_exits(columns_studied_and_not())
    belief = Belief(np.zeros(4), lean=0.0, sd=0.05)
    plain = fit_line(rows, design_of(rows, codes), belief=belief, published=False)
    np.testing.assert_allclose(plain.coefficient, 0.0, atol=1e-9)


def test_a_column_that_nobody_studied_may_speak_beside_the_published_effects():
    draw = np.random.default_rng(5)
    rows = pd.DataFrame({INTENT[1]: draw.normal(size=3000), "own": draw.normal(size=3000)})
    days = draw.exponential(400 * np.exp(0.4 * rows[INTENT[1]] - 0.5 * rows["own"]))
    seen = Landmarks(
        rows, np.minimum(days, 365.0), (days < 365).astype(int), np.full(3000, 365.0), np.arange(3000).astype(str),
        np.zeros(3000),
    )  # fmt: skip
    found = fit_hazards(seen, Settings(max_rounds=30, folds=3, directions={"own": 1}))
    assert found.kind == "linear"
    _, adds = found.models["linear"].contributions(rows)
    by_column = dict(zip(found.models["linear"].columns, adds.std(axis=0), strict=True))
    assert by_column["own"] == pytest.approx(0.5, rel=0.15)
    assert by_column[INTENT[1]] == pytest.approx(0.4, rel=0.2)
