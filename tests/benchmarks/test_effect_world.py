"""The invented world of the effects benchmark: its truth is what happens when chance alone decides."""

import numpy as np
import pytest

from benchmarks.effect_world import MENU, World, draw


@pytest.fixture(scope="module")
def by_chance():
    return draw(World(n_people=4000, months=24, aim="random", yearly_rate=0.3, seed=1))


def test_the_truth_of_each_action_is_the_difference_that_chance_shows(by_chance):
    d = by_chance
    rest = d.left[d.arm < 0].mean()
    for code, action in enumerate(MENU):
        given = d.arm == code
        error = np.sqrt(d.left[given].mean() * (1 - d.left[given].mean()) / given.sum())
        assert d.left[given].mean() - rest == pytest.approx(d.truth[given, code].mean(), abs=3.5 * error), action
    assert np.abs(d.truth[:, list(MENU).index("thanks")]).max() == 0


def test_rates_are_those_asked_for_and_care_goes_to_a_few_each_month(by_chance):
    assert 0.08 < by_chance.left.mean() < 0.16
    assert 0.01 < (by_chance.arm >= 0).mean() < 0.06
    assert len(np.unique(by_chance.team)) == 500


def test_who_is_given_care_depends_on_frailty_only_where_the_aim_is_hidden():
    """Those chosen before are chosen again only where something lasting and unrecorded decides."""
    again = {}
    for aim in ("random", "hidden"):
        d = draw(World(n_people=4000, months=36, aim=aim, seed=2))
        known = np.isfinite(d.cared_before)
        given = d.arm[known] >= 0
        again[aim] = given[d.cared_before[known] == 1].mean() / given[d.cared_before[known] == 0].mean()
    assert again["random"] == pytest.approx(1.0, abs=0.25)
    assert again["hidden"] > 1.6
