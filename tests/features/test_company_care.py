"""Care in the invented company: true effects as stated, given to whom the rule says, outcomes with the same luck."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2

from features.company import REGIMES, Company, care, invent_company
from features.company.lives import live
from features.company.potential import potential_outcomes
from features.company.regimes import ALL_ACTIONS, CareRule
from models.catalog import load_catalog


def facts(n=1, **known):
    flags = {name: False for name in ("leads", "female", "long_commute", "below_market", "disappointed")}
    return {name: np.full(n, known.get(name, value)) for name, value in flags.items()} | {
        "tenure": np.full(n, known.get("tenure", 30))
    }


def effect(action, months_since=0, **known):
    """The hazard ratio of an action for one person."""
    return float(
        np.exp(care.care_term(np.array([care.IDS.index(action)]), np.array([months_since]), facts(**known)))[0]
    )


@pytest.mark.parametrize(
    ("action", "months_since", "known", "ratio"),
    [
        ("stay_conversation", 0, {}, 0.90),
        ("stay_conversation", 6, {}, 1.0),
        ("manager_attention", 0, {}, 0.78),
        ("manager_attention", 9, {}, 1.0),
        ("hybrid_work", 3, {}, 0.67),
        ("hybrid_work", 3, {"female": True}, 0.50),
        ("hybrid_work", 3, {"long_commute": True}, 0.50),
        ("hybrid_work", 3, {"leads": True, "female": True}, 1.0),
        ("pay_review", 0, {}, 1.0),
        ("pay_review", 0, {"below_market": True}, 1.08**-3),
        ("voice_and_follow_up", 1, {}, 0.80),
        ("voice_and_follow_up", 1, {"disappointed": True}, 0.60),
        ("onboarding_checkin", 2, {"tenure": 4}, 0.75),
        ("onboarding_checkin", 5, {"tenure": 10}, 0.75),
        ("onboarding_checkin", 0, {"tenure": 6}, 1.0),
        ("assigned_mentor", 0, {}, 0.85),
        ("chosen_mentor", 0, {}, 1.0),
        ("specific_thanks", 0, {}, 1.0),
        ("activity_monitoring", 0, {}, 1.15),
    ],
)
def test_each_action_has_its_effect_on_whom_it_helps_for_as_long_as_it_lasts(action, months_since, known, ratio):
    assert effect(action, months_since, **known) == pytest.approx(ratio)


def test_no_action_is_no_effect_and_attention_fades_in_a_straight_line():
    assert care.care_term(np.array([-1]), np.array([0]), facts())[0] == 0
    course = [np.log(effect("manager_attention", k)) for k in range(10)]
    assert np.allclose(np.diff(course), -np.log(0.78) / 9)


def test_every_action_is_in_the_catalog_but_those_that_nobody_should_take():
    known = {action.id for action in load_catalog().actions}
    assert set(care.IDS) - known == {"chosen_mentor", "activity_monitoring"}
    assert set(ALL_ACTIONS) <= set(care.IDS)


def seen(n, rng, **changes):
    usual = {
        "free": np.ones(n, bool),
        "looks": rng.standard_normal(n),
        "performance": rng.standard_normal(n),
        "manager_quality": rng.standard_normal(n),
        "frailty": rng.standard_normal(n),
        "manager": np.arange(n) % 50,
        "team": np.arange(n) % 50,
    }
    return care.Seen(**{**usual, **changes})


def given(rule, n=20000, month=3, **changes):
    rng = np.random.default_rng(0)
    people = seen(n, rng, **changes)
    dice = care.Dice(np.random.default_rng(1), np.random.default_rng(2))
    return people, care.assign(rule, people, facts(n), month=month, dice=dice)


def test_a_hidden_rule_looks_at_frailty_and_a_measured_one_does_not():
    for rule, low, high in ((CareRule(assignment="measured"), -0.15, 0.15), (CareRule(assignment="hidden"), 0.4, 1.2)):
        people, out = given(rule)
        assert low < people.frailty[out.who].mean() < high
        assert people.looks[out.who].mean() > 0.5
    people, out = given(CareRule(assignment="random"))
    assert abs(people.looks[out.who].mean()) < 0.15


def test_bad_aim_gives_care_to_calm_people_and_the_action_that_helps_them_least():
    people, out = given(CareRule(assignment="measured", anti_targeting=True))
    assert people.looks[out.who].mean() < -0.4
    assert set(care.IDS[a] for a in out.action) == {"activity_monitoring"}


def test_capacity_holds_for_every_manager():
    people, out = given(CareRule(level=-2.0, capacity=2))
    assert np.bincount(people.manager[out.who]).max() <= 2


def test_in_the_band_a_coin_decides_whatever_the_risk():
    people, out = given(CareRule(assignment="measured", level=-2.5, randomised=0.3), n=60000)
    treated, spared = out.who[out.by_coin], out.spared
    assert len(treated) == pytest.approx(len(spared), rel=0.15)
    assert abs(people.looks[treated].mean() - people.looks[spared].mean()) < 0.08
    assert people.looks[out.who[~out.by_coin]].mean() > 0.5


def test_a_roll_out_reaches_whole_teams_at_once_and_some_never():
    months = care.rollout_month(np.arange(800))
    assert set(months.tolist()) == {care.NO_TURN, *range(6, 48, 6)}
    rule = CareRule(assignment="measured", level=-20.0, rollout="manager_attention")
    people, out = given(rule, month=12)
    reached = care.rollout_month(people.team) == 12
    assert (np.sort(out.who) == np.flatnonzero(reached)).all()
    assert {care.IDS[a] for a in out.action} == {"manager_attention"}


@pytest.fixture(scope="module")
def lives():
    regime = replace(REGIMES["care_random"], voluntary=0.25, care=CareRule(assignment="random", level=-2.8))
    seeds = (1, 2, 3)
    return [
        live(Company(500, 30, seed, regime=regime), np.random.SeedSequence(seed).spawn(2)[0], base=-4.7)
        for seed in seeds
    ]


def test_the_placebo_is_one_and_true_effects_show_in_what_people_decided(lives):
    for action, ratio in (("specific_thanks", 1.0), ("hybrid_work", None), ("activity_monitoring", 1.15)):
        observed = expected = 0.0
        for history in lives:
            panel, code = history.panel, care.IDS.index(action)
            months = np.searchsorted(history.first, history.care["day"], side="right") - 1
            on = np.zeros((len(history.people["team"]), 60), bool)
            mine = (history.care["action"] == code) & (history.care["day"] >= history.first[0])
            for k in range(6):
                on[history.care["who"][mine], months[mine] + k] = True
            rows = panel["exposed"] & on[panel["who"], panel["month"]]
            observed += (panel["since_decision"][rows] == 0).sum()
            expected += (1 - np.exp(-panel["rate_voluntary"] / np.exp(panel["term_care"])))[rows].sum()
        low, high = chi2.ppf(0.005, 2 * observed) / 2 / expected, chi2.ppf(0.995, 2 * observed + 2) / 2 / expected
        assert low < (ratio or 0.6) < high, (action, low, high)


def test_potential_outcomes_share_their_luck_and_agree_with_their_chances(lives):
    table = potential_outcomes(lives[0])
    assert (table["y_specific_thanks"] == table["y_none"]).all()
    assert (table["y_manager_attention"] <= table["y_none"]).all()
    assert (table["y_activity_monitoring"] >= table["y_none"]).all()
    assert (table["p_manager_attention"] < table["p_none"]).all()
    for action in ("none", "hybrid_work", "voice_and_follow_up"):
        chance, came = table[f"p_{action}"].sum(), table[f"y_{action}"].sum()
        assert abs(came - chance) < 6 * 3.5 * chance**0.5, action  # an outcome is seen from six months
    ratio = (table["h1_stay_conversation"] / table["h0"]).to_numpy()
    assert np.allclose(ratio, 0.90)


def test_what_came_true_without_new_care_is_the_outcome_without_care(lives):
    history = lives[1]
    table = potential_outcomes(history)
    panel = history.panel
    first = panel["exposed"] & (panel["since_decision"] == 0) & (panel["term_care"] == 0) & (panel["month"] > 0)
    alias = history.people["alias"][panel["who"][first]]
    as_of = history.first[panel["month"][first]] - 1
    due = pl.DataFrame({"employee_id": [f"E{a + 1:05d}" for a in alias], "as_of": as_of})
    joined = table.join(due, on=["employee_id", "as_of"], how="inner")
    assert len(joined) > 20
    assert (joined["y_none"] == 1).all()


def test_the_coin_is_noted_in_the_records(tmp_path):
    regime = replace(REGIMES["care_randomised"], care=replace(REGIMES["care_randomised"].care, level=-3.0))
    company = Company(120, 18, seed=1, regime=regime)
    invent_company(company, tmp_path / "records", truth=tmp_path / "truth")
    notes = pl.read_csv(tmp_path / "records" / "care_actions.csv", infer_schema=False)
    told = notes.filter(pl.col("note").str.contains("coin"))
    assert {"suggested", "done"} <= set(told["status"])
    assert notes.filter(pl.col("note").str.contains("held out"))["status"].unique().to_list() == ["suggested"]


def test_a_world_of_half_a_year_has_no_outcome_that_can_be_seen_to_its_end():
    history = live(Company(n_employees=60, months=6, seed=1), np.random.SeedSequence(1), base=-5.4)
    assert potential_outcomes(history).height == 0
