"""Laws of the plain estimator, on drawn tables: sums, monotone, order, units, causes, strange columns, tiny data."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from features.errors import FixableError
from models.estimator import HazardModel

QUICK = {"max_trees": 60, "groves": 1, "folds": 3}


def table(n, seed=0, causes=1):
    """Numbers, a category, blanks; the first number and the category matter, the second number to the second cause."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "strain": rng.normal(size=n),
            "pay": rng.lognormal(9, 1, n),
            "site": rng.choice(["north", "south", "east", None], n),
            "same": 1.0,
            "blank": np.nan,
        }
    )
    rows.loc[rng.random(n) < 0.2, "pay"] = np.nan
    pull = 1.2 * rows["strain"] + 0.5 * (rows["site"] == "south")
    first = rng.exponential(np.exp(-pull.to_numpy()))
    second = rng.exponential(2.0, n) if causes > 1 else np.full(n, np.inf)
    third = rng.exponential(4.0, n) if causes > 2 else np.full(n, np.inf)
    ends = np.column_stack([rng.uniform(0.2, 2.5, n), first, second, third])
    return rows, ends.min(axis=1).round(2), ends.argmin(axis=1)


TIMES = (0.0, 0.01, 0.3, 0.9, 1.7, 99.0)


@pytest.mark.parametrize("causes", [1, 2, 3])
def test_chances_sum_to_one_and_never_fall(causes):
    rows, time, event = table(240, causes=causes)
    found = HazardModel(**QUICK).fit(rows, time, event).predict_cumulative_incidence(rows, TIMES)
    assert found.shape == (240, len(TIMES), causes + 1)
    np.testing.assert_allclose(found.sum(axis=2), 1.0, atol=1e-12)
    assert (np.diff(found[:, :, 1:], axis=1) >= -1e-12).all()
    assert (found >= 0).all()


def test_the_order_of_rows_does_not_matter():
    rows, time, event = table(200, causes=2)
    shuffled = np.random.default_rng(1).permutation(200)
    one = HazardModel(**QUICK).fit(rows, time, event)
    other = HazardModel(**QUICK).fit(rows.iloc[shuffled], time[shuffled], event[shuffled])
    np.testing.assert_array_equal(one.predict_risk(rows), other.predict_risk(rows))
    np.testing.assert_array_equal(one.predict_risk(rows)[shuffled], one.predict_risk(rows.iloc[shuffled]))


@pytest.mark.parametrize("stretch", [lambda t: t * 365.25, lambda t: t / 12, lambda t: t**3])
def test_the_unit_of_time_does_not_matter(stretch):
    rows, time, event = table(200)
    one = HazardModel(**QUICK).fit(rows, time, event).predict_survival(rows, TIMES)
    other = HazardModel(**QUICK).fit(rows, stretch(time), event).predict_survival(rows, stretch(np.array(TIMES)))
    np.testing.assert_array_equal(one, other)


def test_the_same_seed_gives_the_same_model():
    rows, time, event = table(200)
    one, other = (HazardModel(**QUICK).fit(rows, time, event).predict_risk(rows) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_who_leaves_first_ranks_first():
    rows, time, event = table(600)
    new, _, _ = table(600, seed=1)
    risk = HazardModel(**QUICK).fit(rows, time, event).predict_risk(new)
    assert np.corrcoef(risk, new["strain"])[0, 1] > 0.8


def test_the_chances_sum_to_the_exits_that_came():
    rows, time, event = table(800, causes=2)
    told = HazardModel(**QUICK).fit(rows, time, event).predict_cumulative_incidence(rows, [0.5, 1.5]).mean(axis=0)
    here, left, came = 1.0, np.zeros(2), []
    for t in np.unique(time):  # Aalen & Johansen (1978), step by step
        rates = [((time == t) & (event == cause)).sum() / (time >= t).sum() for cause in (1, 2)]
        left, here = left + here * np.array(rates), here * (1 - sum(rates))
        came.append([t, here, *left])
    came = np.array(came)
    for row, horizon in zip(told, (0.5, 1.5), strict=True):
        np.testing.assert_allclose(row, came[came[:, 0] <= horizon][-1, 1:], atol=0.03)


@pytest.mark.parametrize("n", [60, 61])
def test_sixty_people_are_enough_for_an_answer(n):
    rows, time, event = table(n)
    found = HazardModel().fit(rows, time, event).predict_survival(rows, TIMES)
    assert np.isfinite(found).all()
    assert found[:, -1].max() < 1.0


def test_levels_never_seen_unknown_numbers_and_missing_columns_get_an_answer():
    rows, time, event = table(200)
    model = HazardModel(**QUICK).fit(rows, time, event)
    strange = pd.DataFrame({"strain": [np.nan, np.inf, 1e12], "site": ["moon", None, "mars"], "new": [1, 2, 3]})
    assert np.isfinite(model.predict_risk(strange)).all()


def test_a_table_without_any_usable_column_gives_everybody_the_common_curve():
    _, time, event = table(200)
    found = (
        HazardModel(**QUICK)
        .fit(pd.DataFrame({"same": np.ones(200)}), time, event)
        .predict_survival(pd.DataFrame({"same": np.ones(3)}), TIMES)
    )
    assert np.ptp(found, axis=0).max() == 0.0


@pytest.mark.parametrize("event_value", [0, 1])
def test_nobody_left_and_everybody_left_are_answered(event_value):
    rows, time, _ = table(80)
    found = HazardModel(**QUICK).fit(rows, time, np.full(80, event_value)).predict_cumulative_incidence(rows, TIMES)
    np.testing.assert_allclose(found.sum(axis=2), 1.0)
    assert (found[:, -1, 1].max() > 0.5) == bool(event_value)


def test_exits_at_time_zero_and_whole_months_are_exits():
    rows, time, event = table(300)
    found = HazardModel(**QUICK).fit(rows, np.floor(time * 2), event).predict_survival(rows, [0.0, 1.0, 2.0])
    assert (found[:, 0] < 1.0).all()
    # Kaplan-Meier of the same rounded times, to within the sampling of 300 people.
    rounded, alive, curve = np.floor(time * 2), 1.0, []
    for t in (0.0, 1.0, 2.0):
        alive *= 1 - ((rounded == t) & (event == 1)).sum() / (rounded >= t).sum()
        curve.append(alive)
    np.testing.assert_allclose(found.mean(axis=0), curve, atol=0.05)


def test_more_columns_than_people_and_many_levels():
    rows, time, event = table(90)
    wide = pd.DataFrame(np.random.default_rng(2).normal(size=(90, 700))).add_prefix("g")
    wide["strain"] = rows["strain"]
    wide["badge"] = [f"badge {i}" for i in range(90)]
    risk = HazardModel(**QUICK).fit(wide, time, event).predict_risk(wide)
    assert np.isfinite(risk).all()


def test_arrays_booleans_and_category_columns_are_rows_too():
    rows, time, event = table(120)
    rows = rows.assign(site=rows["site"].astype("category"), lead=rows["strain"] > 0)
    assert np.isfinite(HazardModel(**QUICK).fit(rows, time, event > 0).predict_risk(rows)).all()
    values = rows[["strain", "pay"]].to_numpy()
    assert np.isfinite(HazardModel(**QUICK).fit(values, time, event).predict_risk(values)).all()


def test_everything_that_is_wrong_is_said_at_once():
    rows, _, _ = table(3)
    with pytest.raises(FixableError) as error:
        HazardModel().fit(rows, [-1.0, 2.0, np.nan], [0, 1, -3])
    assert len(error.value.problems) == 2
    with pytest.raises(FixableError, match="not learned"):
        HazardModel().predict_risk(rows)


def test_settings_are_read_and_changed_as_scikit_learn_does():
    model = clone(HazardModel(max_trees=7))
    assert model.get_params()["max_trees"] == 7
    assert model.set_params(seed=3).seed == 3
    with pytest.raises(FixableError, match="no such setting"):
        model.set_params(depth=3)


@pytest.mark.parametrize("columns", [[], ["same"]])
def test_without_a_column_that_tells_people_apart_everybody_has_the_common_risk(columns):
    rows, time, event = table(200)
    model = HazardModel(**QUICK).fit(rows[columns], time, event)
    for some in (rows[columns], rows[columns].iloc[:3]):
        found = model.predict_survival(some, TIMES)
        np.testing.assert_array_equal(found, np.tile(found[0], (len(some), 1)))
    assert (np.diff(model.predict_survival(rows[columns].iloc[:1], TIMES)) <= 0).all()
