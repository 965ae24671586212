"""An effect is a prior moved by own cases as far as they are sure; a malformed file of effects is refused whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from math import exp, hypot, log
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import FixableError
from models.care import Carried, load_catalog, plan
from models.catalog import Catalog
from models.evidence import GENERAL_MEAN, GENERAL_SD, effect, effects, prior
from models.own_effects import Own, OwnEffects, read_own

CATALOG = load_catalog()
HYBRID, TALK = CATALOG.action("hybrid_work"), CATALOG.action("stay_conversation")


def own(estimate: float, error: float, *, verdict: str = "helps", treated: int = 143) -> Own:
    return Own(treated, 2100, 180, verdict, log_hazard_ratio=estimate, standard_error=error)


def test_a_published_study_is_taken_about_halfway_towards_care_in_general() -> None:
    mean, sd = prior(CATALOG.action("manager_attention"))
    assert mean == pytest.approx((log(0.78) + GENERAL_MEAN) / 2, abs=0.01)
    assert sd < GENERAL_SD


def test_a_weaker_kind_of_study_moves_less_and_an_assumption_is_no_study() -> None:
    kinds = [
        replace(HYBRID, evidence=replace(HYBRID.evidence, kind=k)) for k in ("rct", "quasi_experiment", "observational")
    ]
    means = [prior(action)[0] for action in kinds]
    assert means == sorted(means)
    assert means[-1] < GENERAL_MEAN
    assumed = CATALOG.action("new_hire_buddy")
    assert assumed.evidence.assumed
    assert prior(assumed) == (pytest.approx(GENERAL_MEAN), pytest.approx(GENERAL_SD))


def test_no_study_is_less_and_wider_than_any_study_and_says_so() -> None:
    told = effect(TALK)
    assert exp(told.mean) == pytest.approx(0.93)
    assert told.sd == GENERAL_SD
    facts = told.to_dict()
    assert facts["text_en"].startswith("No study found, a cautious assumption: exits 7% fewer")
    assert facts["text_zh"].startswith("未找到研究，按谨慎假设：离职减少 7%")
    assert 0.6 < facts["p_helps"] < 0.75


@given(st.floats(-1, 1), st.floats(0.01, 2))
def test_the_posterior_lies_between_prior_and_estimate_and_is_surer_than_both(estimate: float, error: float) -> None:
    mean, sd = prior(HYBRID)
    told = effect(HYBRID, own(estimate, error))
    assert min(mean, estimate) - 1e-9 <= told.mean <= max(mean, estimate) + 1e-9
    assert told.sd < 1.3 * error
    contradicts = abs(estimate - mean) > 2 * hypot(sd, error)  # then the studies count for less, and nobody is surer
    assert told.sd < sd or contradicts
    assert 0 < told.own_weight < 1


def test_sure_own_cases_speak_for_themselves_and_few_beside_the_prior() -> None:
    sure, few = effect(HYBRID, own(-0.05, 0.02)), effect(HYBRID, own(-0.05, 0.4))
    assert sure.mean == pytest.approx(-0.05, abs=0.01)
    assert sure.to_dict()["text_en"].startswith("From your own 143 cases: exits")
    assert sure.to_dict()["text_zh"].startswith("依据贵单位自己的 143 例：离职")
    assert few.mean == pytest.approx(prior(HYBRID)[0], abs=0.03)
    assert "together with the prior from published studies" in few.to_dict()["text_en"]
    assert "并结合已发表的研究" in few.to_dict()["text_zh"]
    assert effect(HYBRID).to_dict()["text_en"].startswith("Prior from published studies: exits")
    assert effect(HYBRID).to_dict()["text_zh"].startswith("依据已发表研究的先验：离职")


@pytest.mark.parametrize("verdict", ["cannot_tell_yet", "not_identified"])
def test_what_cannot_be_told_moves_nothing_and_is_told(verdict: str) -> None:
    told = effect(HYBRID, own(0.9, 0.01, verdict=verdict))
    assert (told.mean, told.sd) == prior(HYBRID)
    assert "143 cases" in told.to_dict()["text_en"]
    assert "143 例" in told.to_dict()["text_zh"]


def test_what_was_seen_to_harm_or_to_do_nothing_here_drops_out_of_the_plan() -> None:
    only, raised = Catalog((TALK,)), Carried({"engagement": 1.0}, {"engagement": 1.0})
    for estimate, verdict in ((0.2, "harms"), (0.0, "no_effect_seen")):
        believed = {TALK.id: effect(TALK, own(estimate, 0.01, verdict=verdict))}
        care = plan(raised, {}, band="act", catalog=only, believed=believed)
        assert care.actions == care.options == ()
    believed = {TALK.id: effect(TALK, own(-0.2, 0.05))}
    care = plan(raised, {}, band="act", catalog=only, believed=believed, risk=0.3)
    assert care.actions[0].evidence["posterior"]["own_cases"] == 143
    assert care.options[0].avoided > plan(raised, {}, band="act", catalog=only, risk=0.3).options[0].avoided


def test_a_plan_counts_in_exits_and_a_higher_risk_has_more_to_avoid() -> None:
    raised = Carried({"engagement": 0.2}, {"engagement": 0.2})
    low, high = (plan(raised, {}, band="act", catalog=Catalog((TALK,)), risk=r).options[0] for r in (0.1, 0.3))
    assert 0 < low.avoided < high.avoided < 0.03
    # At a match of a fifth the effect is as believed: 1 - .9 ^ .93, a little less for what is uncertain.
    assert low.avoided == pytest.approx(0.9 ** exp(log(0.93) + 0.15**2 / 2 + 0.005) - 0.9, rel=1e-6)
    calm = plan(raised, {}, band="calm", catalog=Catalog((TALK,)), risk=0.05)
    assert calm.actions == ()
    assert calm.options, "the organisation's plan may still come to somebody calm whom it keeps"


GOOD: dict[str, Any] = {
    "format": 1,
    "made_on": "2026-10-31",
    "data_version": "employees 4",
    "actions": {
        "hybrid_work": {
            "treated": 143,
            "controls": 2100,
            "horizon_days": 180,
            "risk_difference": -0.021,
            "low": -0.040,
            "high": -0.002,
            "log_hazard_ratio": -0.29,
            "standard_error": 0.12,
            "smallest_detectable": 0.02,
            "verdict": "helps",
            "why": [],
        },
        "stay_conversation": {
            "treated": 12,
            "controls": 900,
            "horizon_days": 180,
            "risk_difference": None,
            "log_hazard_ratio": None,
            "standard_error": None,
            "verdict": "not_identified",
            "why": ["overlap"],
        },
    },
}


def written(folder: Path, found: Any) -> Path:
    file = folder / "effects.json"
    file.write_text(found if isinstance(found, str) else json.dumps(found), encoding="utf-8")
    return file


def test_the_file_of_effects_is_read_and_moves_what_it_names(tmp_path: Path) -> None:
    assert read_own(tmp_path / "effects.json") is None
    found = read_own(written(tmp_path, GOOD))
    assert found is not None
    believed = effects(CATALOG, found)
    assert believed["hybrid_work"].own_weight > 0
    assert believed["stay_conversation"].own_weight == 0
    unseen, alone = believed["career_talk"], effect(CATALOG.action("career_talk"))
    assert unseen.mean < alone.mean, "care that works better than published here makes other care look a little better"
    assert "moved by what other care did here" in unseen.to_dict()["text_en"]
    assert "其他关怀行动" in unseen.to_dict()["text_zh"]


def all_own(estimates: dict[str, float], error: float) -> OwnEffects:
    found = {name: own(value, error, verdict="no_effect_seen") for name, value in estimates.items()}
    return OwnEffects(date(2026, 10, 31), "v", found)


def test_one_lucky_estimate_moves_little_and_what_all_say_moves_all() -> None:
    """Nine actions tried with an error of .13: one looks far better by luck, or all do a third here."""
    names = [a.id for a in CATALOG.actions if a.evidence.effect_hr is not None and not a.parts][:9]
    priors = {name: prior(CATALOG.action(name))[0] for name in names}
    lucky = effects(CATALOG, all_own({**priors, names[0]: priors[names[0]] - 0.3}, 0.13))
    assert priors[names[0]] - 0.12 < lucky[names[0]].mean < priors[names[0]]
    weaker = effects(CATALOG, all_own({name: 0.3 * mean for name, mean in priors.items()}, 0.05))
    left = [weaker[name].mean / priors[name] for name in names]
    assert 0.25 < min(left) <= max(left) < 0.6
    assert max(left) - min(left) < 0.15, "all shrink in proportion: an order by effect stays"


def test_estimates_that_scatter_far_beyond_their_error_are_believed_action_by_action() -> None:
    names = [a.id for a in CATALOG.actions if a.evidence.effect_hr is not None and not a.parts][:9]
    priors = {name: prior(CATALOG.action(name))[0] for name in names}
    far = {name: mean + (0.25 if i % 2 else -0.25) for i, (name, mean) in enumerate(priors.items())}
    weights = [effects(CATALOG, all_own(values, 0.05))[names[0]].own_weight for values in (priors, far)]
    assert weights[0] < weights[1]
    assert weights[1] > 0.7


def test_what_was_seen_to_harm_here_is_not_offered_however_good_it_was_elsewhere() -> None:
    assert effect(HYBRID, own(0.2, 0.09, verdict="harms")).useless
    assert not effect(HYBRID, own(0.2, 0.3, verdict="cannot_tell_yet")).useless


def test_everything_wrong_in_the_file_is_named_at_once(tmp_path: Path) -> None:
    bad = json.loads(json.dumps(GOOD))
    bad["format"], bad["made_on"] = 2, "yesterday"
    del bad["data_version"]
    first, second = bad["actions"].values()
    first |= {"verdict": "great", "treated": -1, "standard_error": 0, "low": 0.5}
    second |= {"verdict": "helps", "why": "overlap"}
    with pytest.raises(FixableError) as refused:
        read_own(written(tmp_path, bad))
    said = "\n".join(refused.value.problems)
    for hint in (
        "format: must be 1",
        "made_on: must be a day",
        "data_version: is missing",
        "hybrid_work: verdict: must be one of",
        "hybrid_work: treated: must be a whole number",
        "hybrid_work: standard_error: must be a number above 0",
        "hybrid_work: low <= risk_difference <= high",
        "stay_conversation: log_hazard_ratio: must be a number",
        "stay_conversation: why: must be a list",
        "retention-train effects",
    ):
        assert hint in said


@pytest.mark.parametrize("text", ["", "[]", "{", '{"actions": 3}', '{"format": 1, "actions": {"x": 3}}'])
def test_a_file_that_holds_no_effects_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FixableError):
        read_own(written(tmp_path, text))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e9", "true"])
def test_a_number_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(FixableError, match="not as they should be"):
        read_own(written(tmp_path, json.dumps(GOOD).replace("-0.29", value)))
