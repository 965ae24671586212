"""Counts of exits: exact, unbiased, as wide as they say, and shrunk where the past is short."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import forecast
from models.forecast import (
    Past,
    Shock,
    at_days,
    at_most,
    given_company,
    learn_shock,
    level,
    poisson_binomial,
    shifted,
    together,
    told,
)  # fmt: skip

few_chances = st.lists(st.floats(0.0, 0.9), min_size=1, max_size=7)


def slow_counts(chances):
    """Every way in which these people can leave or stay, one by one."""
    out = np.zeros(len(chances) + 1)
    for ends in itertools.product([0, 1], repeat=len(chances)):
        out[sum(ends)] += np.prod([p if left else 1 - p for p, left in zip(chances, ends, strict=True)])
    return out


@given(few_chances, st.floats(0.2, 3.0))
def test_the_count_is_the_sum_over_every_way_to_leave_or_stay(chances, factor):
    fast = poisson_binomial(np.array([chances]), np.array([factor]))[0, 0]
    assert fast == pytest.approx(slow_counts(shifted(np.array(chances), factor)), abs=1e-9)


def test_in_a_large_team_what_is_cut_off_is_nothing():
    chances = np.full(2_000, 0.02)
    (counts,) = poisson_binomial(chances[None, :], np.array([0.5, 1.0, 2.0]))
    assert counts.shape[1] < 500
    assert counts.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-9)
    assert counts[1] @ np.arange(counts.shape[1]) == pytest.approx(40.0)


def test_a_team_alone_has_the_counts_it_has_among_teams_of_other_sizes():
    rng = np.random.default_rng(4)
    teams = [rng.uniform(0, 0.3, n) for n in (3, 40, 0, 4, 1, 5)]
    together_, shock = given_company(teams, Shock(0.2, 0.3)), Shock(0.2, 0.3)
    for team, found in zip(teams, together_, strict=True):
        assert found == pytest.approx(given_company([team], shock)[0], abs=1e-12)
        assert found.shape[1] <= len(team) + 1


def test_without_shocks_a_group_is_plain_chance_and_teams_do_not_matter():
    a, b, none = np.array([0.1, 0.3]), np.array([0.2]), Shock(0.0, 0.0)
    apart = together(given_company([a, b], none))
    assert apart == pytest.approx(slow_counts([0.1, 0.3, 0.2]))


def test_shocks_widen_the_count_and_leave_its_mean_nearly_where_it_was():
    teams = [np.full(10, 0.08)] * 30
    plain, shocked = (together(given_company(teams, s)) for s in (Shock(0, 0), Shock(0.2, 0.3)))
    means = [float(pmf @ np.arange(len(pmf))) for pmf in (plain, shocked)]
    spread = [
        np.sqrt(pmf @ (np.arange(len(pmf)) - mean) ** 2) for pmf, mean in zip((plain, shocked), means, strict=True)
    ]
    assert means == pytest.approx([24.0, 24.0], rel=0.01)
    assert spread[1] == pytest.approx(np.sqrt(24 * 0.92 + (24 * 0.2) ** 2 + 30 * (0.8 * 0.3) ** 2), rel=0.05)


def test_twice_as_many_nodes_change_no_figure_that_is_told(monkeypatch):
    teams = [np.full(12, 0.05 + 0.01 * i) for i in range(9)]
    few = told(together(given_company(teams, Shock(0.3, 0.5))))
    monkeypatch.setattr(forecast, "NODES", 2 * forecast.NODES)
    many = told(together(given_company(teams, Shock(0.3, 0.5))))
    assert (few.low, few.high, few.enough) == (many.low, many.high, many.enough)
    assert few.chance == pytest.approx(many.chance, abs=0.005)


def test_people_under_notice_count_in_full():
    counts = together(given_company([np.array([0.1, 0.1])], Shock(0, 0)), certain=3)
    assert counts[:3].tolist() == [0, 0, 0]
    assert counts[3] == pytest.approx(0.81)
    assert together([], certain=2) == pytest.approx([0, 0, 1])


@given(few_chances, st.floats(0.5, 0.95))
def test_the_interval_states_the_chance_it_has_and_hires_suffice_as_promised(chances, service):
    pmf = together(given_company([np.array(chances)], Shock(0.1, 0.2)))
    count = told(pmf, service_level=service)
    assert count.chance == pytest.approx(pmf[count.low : count.high + 1].sum())
    assert pmf[: count.enough + 1].sum() >= service - 1e-6
    assert count.enough == 0 or pmf[: count.enough].sum() < service
    assert count.low <= int(np.argmax(pmf)) <= count.high


def test_the_interval_is_the_one_nearest_to_four_in_five():
    assert (told(np.array([0.67, 0.27, 0.06])).low, told(np.array([0.67, 0.27, 0.06])).high) == (0, 0)
    assert told(np.array([0.60, 0.30, 0.10])).high == 1
    assert told(np.array([0.1, 0.2, 0.4, 0.2, 0.1])).chance == pytest.approx(0.8)


def test_chances_between_horizons_follow_a_constant_hazard_and_end_with_the_last():
    rate = 0.002
    days = [0, 10, 30, 50, 90, 200]
    found = at_days(np.array([[1 - np.exp(-rate * 30), 1 - np.exp(-rate * 90)]]), [30, 90], days)
    assert found[0, :5] == pytest.approx([1 - np.exp(-rate * d) for d in days[:5]])
    assert found[0, 5] == found[0, 4]


def test_chances_within_days_equal_those_of_the_model_asked_directly():
    from models.risk import _incidence

    edges = (30, 90, 180)
    log_odds = np.random.default_rng(0).normal(-4, 1, (50, 3)), np.full((50, 3), -9.0)
    asked = [15, 30, 61, 90, 122, 153, 180]
    direct = _incidence(*log_odds, edges, asked)[:, :, 1]
    assert at_days(_incidence(*log_odds, edges, edges)[:, :, 1], edges, asked) == pytest.approx(direct, abs=1e-4)


def test_the_level_follows_what_came_true_and_little_says_little():
    assert level(0, 0) == 1.0
    assert level(2, 1) == pytest.approx(1.02, abs=0.01)
    assert level(1_300, 1_000) == pytest.approx(1.29, abs=0.01)
    assert at_most(np.array([30.0, 1.0]), np.array([1.0, 1.0])).tolist() == [pytest.approx(5.09, abs=0.01), 1.0]


def invented(company, team, n_windows, rng, n_teams=40):
    windows = []
    for _ in range(n_windows):
        common = np.exp(company * rng.normal() - company**2 / 2)
        window = []
        for _ in range(n_teams):
            chances = rng.uniform(0.02, 0.12, 12)
            own = np.exp(team * rng.normal() - team**2 / 2)
            window.append(Past(chances, int((rng.uniform(size=12) < shifted(chances, common * own)).sum())))
        windows.append(window)
    return windows


def test_shocks_are_found_where_they_are_and_not_where_there_are_none():
    rng = np.random.default_rng(1)
    calm, wild = (learn_shock(invented(c, t, 24, rng)) for c, t in ((0.0, 0.0), (0.4, 0.7)))
    assert calm.company < 0.12
    assert calm.team < 0.25
    assert wild.company == pytest.approx(0.4, abs=0.15)
    assert wild.team == pytest.approx(0.7, abs=0.2)


def test_without_a_past_the_prior_speaks():
    none = learn_shock([])
    assert none.n_windows == 0
    assert 0.1 < none.company < 0.2
    assert 0.2 < none.team < 0.35
    assert Shock.from_dict({}) == Shock()
    assert Shock.from_dict(none.to_dict()) == none


def test_intervals_cover_what_they_promise_when_the_shocks_are_learned_from_the_past():
    rng = np.random.default_rng(2)
    held, promised = [], []
    shock = learn_shock(invented(0.2, 0.4, 6, rng))
    for past in itertools.chain(*invented(0.2, 0.4, 12, rng)):
        count = told(together(given_company([past.chances], shock)))
        held.append(count.low <= past.left <= count.high)
        promised.append(count.chance)
    assert np.mean(held) == pytest.approx(np.mean(promised), abs=0.05)
    assert 0.7 <= np.mean(held) <= 0.9
