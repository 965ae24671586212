"""The catalog is complete and honest; a plan is short, fitting, ranked by evidence, or empty with a reason."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from math import exp
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.cards import DRIVERS, Card
from features.errors import FixableError
from features.matrix import BLOCKS
from models.care import (
    EMPTY,
    MAX_ACTIONS,
    STANDS_OUT,
    Carried,
    PlannedAction,
    benefit,
    carried,
    load_catalog,
    plan,
)
from models.catalog import (
    DEFAULT_CATALOG,
    KINDS,
    NEVER_OFFERED,
    WHO_DECIDES,
    CareAction,
    Catalog,
    Condition,
    Words,
)
from models.catalog_rules import DECIDERS
from models.evidence import effect, effects

CATALOG = load_catalog()
BELIEVED = effects(CATALOG)
EIGHT = [d for d in DRIVERS if d != "context"]
each_action = pytest.mark.parametrize("action", CATALOG.actions, ids=lambda a: a.id)


def all_words(action: CareAction) -> list[Words]:
    guide = [Words(en, zh) for en, zh in zip(action.guide_en, action.guide_zh, strict=True)]
    own = [v for f in fields(action) if isinstance(v := getattr(action, f.name), Words)]
    return [*own, *guide, action.evidence.note]


# --------------------------------------------------------------------------------------------------- the catalog


def test_every_driver_has_several_actions_made_for_it() -> None:
    assert len(CATALOG.actions) >= 28
    for driver in EIGHT:
        made_for_it = [a.id for a in CATALOG.actions if a.drivers.get(driver, 0) >= 0.7]
        assert len(made_for_it) >= 3, driver
        assert len({CATALOG.action(a).kind for a in made_for_it}) >= 2, driver


def test_everybody_who_may_decide_has_a_name_in_both_languages() -> None:
    assert tuple(WHO_DECIDES) == DECIDERS


def test_every_kind_of_action_is_in_use() -> None:
    assert {a.kind for a in CATALOG.actions} == set(KINDS)


@each_action
def test_an_action_is_told_in_full_in_both_languages(action: CareAction) -> None:
    for words in all_words(action):
        assert re.search("[一-鿿]{3}", words.zh)
        assert not re.search("[一-鿿]", words.en)
        assert words.zh.endswith(("。", "？")) or words in (action.title,)
        assert words.en.endswith((".", "?")) or words in (action.title,)


@each_action
def test_an_action_asks_three_open_questions(action: CareAction) -> None:
    assert len(action.guide_en) == len(action.guide_zh) == 3
    closed = re.compile(r"^(do|does|did|are|is|was|were|have|has|can|could|would|will|should)\b", re.IGNORECASE)
    assert not [q for q in action.guide_en if closed.match(q)]


@each_action
def test_an_action_never_threatens_or_watches_or_lowers_pay(action: CareAction) -> None:
    offered = (
        action.title,
        action.first_step,
        *(Words(*q) for q in zip(action.guide_en, action.guide_zh, strict=True)),
    )
    assert not [w for w in offered if NEVER_OFFERED.search(w.en) or NEVER_OFFERED.search(w.zh)]


@each_action
def test_evidence_is_told_for_what_it_is(action: CareAction) -> None:
    told = action.evidence.to_dict()
    if action.evidence.effect_hr is None:
        assert told["text_en"].startswith("No study found; good practice.")
        assert told["text_zh"].startswith("未找到相关研究；属于良好实践。")
        assert not BELIEVED[action.id].useless
    else:
        assert told["text_en"].startswith("Published studies: ")
        assert told["text_zh"].startswith("已发表的研究：")
        assert action.evidence.kind != "practice"
        assert 0.6 <= action.evidence.effect_hr < 1
    assert action.evidence.source


def test_every_condition_reads_a_column_that_the_matrix_has_and_may_show() -> None:
    cards = {card.column: card for block in BLOCKS for card in block.CARDS}
    named = {(a.id, column) for a in CATALOG.actions for c in a.when for column in c.columns}
    assert named
    assert not [(a, column) for a, column in named if column not in cards or not cards[column].shown]


# ------------------------------------------------------------------------------------------------ a broken catalog

GOOD = DEFAULT_CATALOG.read_text(encoding="utf-8")
ONE = "[[action]]\n" + GOOD.split("\n[[action]]\n")[1]


def write(folder: Path, text: str) -> Path:
    file = folder / "care.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_an_own_catalog_in_the_same_form_is_read(tmp_path: Path) -> None:
    (action,) = load_catalog(write(tmp_path, ONE)).actions
    assert action == CATALOG.actions[0]


def test_everything_wrong_is_named_at_once(tmp_path: Path) -> None:
    broken = (
        ONE.replace('kind = "conversation"', 'kind = "talk"')
        .replace("growth = 1.0", "growth = 1.5, mood = 1.0")
        .replace('who_decides = "manager"', 'who_decides = "nobody"')
        .replace("days = 14", "days = 0")
        .replace('title.zh = "职业发展面谈"\n', "")
        .replace('harm_level = "low"', 'harm_level = "low"\nwhen = [{ column = "tenure_days" }]\ncolour = "red"')
        .replace('evidence.kind = "practice"', 'evidence.kind = "practice"\nevidence.effect_hr = 0.5')
    )
    with pytest.raises(FixableError) as refused:
        load_catalog(write(tmp_path, broken + broken))
    said = "\n".join(refused.value.problems)
    for hint in (
        "kind must be one of",
        "unknown driver 'mood'",
        "the fit of growth",
        "who_decides must be one of",
        "days must be",
        "title.zh is missing",
        "give min or max",
        "unknown key 'colour'",
        "practice without a study",
        "used twice",
    ):
        assert hint in said
    assert all(problem.startswith("career_talk: ") for problem in refused.value.problems)


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("Offer a one-hour talk", "Give a formal warning", "no care action threatens"),
        ("约一小时，谈谈未来两年", "安排监控", "no care action threatens"),
        ("Which part of your work would you like to have more of in a year?", "Work more.", "not a question"),
        ('evidence.note.en = "', 'evidence.low = 0.5\nevidence.note.en = "', "range without"),
        ('evidence.kind = "practice"', 'evidence.kind = "rct"\nevidence.effect_hr = -1', "0 < low"),
        ('id = "career_talk"', 'id = "Career talk!"', "id must be"),
    ],
)
def test_a_single_fault_is_refused(tmp_path: Path, old: str, new: str, hint: str) -> None:
    assert old in ONE
    with pytest.raises(FixableError, match=hint):
        load_catalog(write(tmp_path, ONE.replace(old, new)))


@pytest.mark.parametrize("text", ["", "[[action]\n", "title = 1\n", "action = 3\n", "action = [1]\n"])
def test_a_file_that_is_no_catalog_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FixableError):
        load_catalog(write(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FixableError, match="cannot be read"):
        load_catalog(tmp_path / "nowhere.toml")


# ------------------------------------------------------------------------------------------------------ conditions


@pytest.mark.parametrize(
    ("condition", "facts", "holds"),
    [
        (Condition(("tenure_days",), None, 180.0, False), {"tenure_days": 180.0}, True),
        (Condition(("tenure_days",), None, 180.0, False), {"tenure_days": 181.0}, False),
        (Condition(("tenure_days",), 10.0, 180.0, False), {"tenure_days": 9.0}, False),
        (Condition(("tenure_days",), None, 180.0, False), {}, False),
        (Condition(("tenure_days",), None, 180.0, False), {"tenure_days": None}, False),
        (Condition(("tenure_days",), None, 180.0, False), {"tenure_days": float("nan")}, False),
        (Condition(("tenure_days",), None, 180.0, True), {"tenure_days": None}, True),
        (Condition(("tenure_days",), None, 180.0, True), {"tenure_days": 200.0}, False),
        (Condition(("compa_ratio", "pay_vs_job"), None, 0.98, False), {"pay_vs_job": 0.9}, True),
        (Condition(("compa_ratio", "pay_vs_job"), None, 0.98, False), {"compa_ratio": 1.1, "pay_vs_job": 0.9}, True),
        (Condition(("compa_ratio", "pay_vs_job"), None, 0.98, False), {"compa_ratio": 1.1}, False),
        (Condition(("department",), 0.0, None, False), {"department": "Sales"}, False),
    ],
)
def test_a_condition_holds_only_for_what_is_known(condition: Condition, facts: dict, holds: bool) -> None:
    assert condition.holds(facts) is holds


# ------------------------------------------------------------------------------------- what carries the raised risk


def a_card(column: str, driver: str, **more: object) -> Card:
    return Card(column, driver, "count", "", "{value}", "{value}", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("contributions", "whole", "changeable"),
    [
        # growth, growth not actionable, pay, tenure (context)
        ([0.6, 0.0, 0.2, 0.2], {"growth": 0.6, "pay": 0.2, "context": 0.2}, {"growth": 0.6, "pay": 0.2}),
        ([0.1, 0.5, 0.4, 0.0], {"growth": 0.6, "pay": 0.4}, {"growth": 0.1, "pay": 0.4}),
        ([0.6, -0.2, 0.6, 0.0], {"growth": 0.4, "pay": 0.6}, {"growth": 0.4, "pay": 0.6}),
        ([0.1, -0.4, 0.6, 0.0], {"pay": 1.0}, {"pay": 1.0}),
        ([-0.1, 0.4, 0.7, 0.0], {"growth": 0.3, "pay": 0.7}, {"pay": 0.7}),
        ([-0.3, -0.1, -0.2, -0.1], {}, {}),
        ([0.97, 0.0, 0.03, 0.0], {"growth": 0.97}, {"growth": 0.97}),
    ],
)
def test_a_driver_carries_its_share_of_the_raised_risk(
    contributions: list[float], whole: dict, changeable: dict
) -> None:
    cards = [
        a_card("courses", "growth"),
        a_card("level", "growth", actionable=False),
        a_card("compa_ratio", "pay"),
        a_card("tenure_days", "context", actionable=False),
    ]
    (raised,) = carried(np.array([contributions]), cards)
    assert raised.whole == pytest.approx(whole)
    assert raised.changeable == pytest.approx(changeable)


# --------------------------------------------------------------------------------------------------------- the plan


def carrying(**changeable: float) -> Carried:
    return Carried(changeable, changeable)


shares_of_risk = st.dictionaries(st.sampled_from(DRIVERS), st.floats(STANDS_OUT, 1.0), max_size=4)
COLUMNS = sorted({column for a in CATALOG.actions for c in a.when for column in c.columns})
known_facts = st.dictionaries(st.sampled_from(COLUMNS), st.one_of(st.none(), st.floats(0, 4000)))


@settings(max_examples=150, deadline=None)
@given(shares_of_risk, st.sets(st.sampled_from(DRIVERS)), known_facts, st.sampled_from(["watch", "act"]))
def test_a_plan_is_short_fitting_and_ranked(whole: dict, fixed: set, facts: dict, band: str) -> None:
    raised = Carried(whole, {d: s for d, s in whole.items() if d not in fixed})
    care = plan(raised, facts, band=band, catalog=CATALOG)
    chosen = [CATALOG.action(a.action) for a in care.actions]
    assert len(chosen) <= MAX_ACTIONS
    assert len({a.kind for a in chosen}) == len(chosen)
    worths, answered = [], set()
    for action, planned in zip(chosen, care.actions, strict=True):
        worths.append(benefit(action, raised, effect=BELIEVED[action.id], answered=frozenset(answered)))
        answered.add(planned.driver)
    assert worths == sorted(worths, reverse=True)
    assert all(w > 0 for w in worths)
    for action, planned in zip(chosen, care.actions, strict=True):
        assert band in action.bands
        assert all(c.holds(facts) for c in action.when)
        assert planned.driver in raised.answered_by(action)
        assert planned.driver in action.drivers
    assert (care.empty_because_en is None) == (care.empty_because_zh is None) == bool(chosen)
    assert care == plan(raised, facts, band=band, catalog=Catalog(CATALOG.actions[::-1]))


def worth_to(action: CareAction, raised: Carried) -> float:
    return benefit(action, raised, effect=effect(action))


def test_an_action_without_a_study_never_passes_a_proven_one_of_the_same_fit() -> None:
    same_fit = [replace(a, drivers={"growth": 1.0}) for a in CATALOG.actions]
    proven = [worth_to(a, carrying(growth=0.5)) for a in same_fit if a.evidence.effect_hr is not None]
    unproven = [worth_to(a, carrying(growth=0.5)) for a in same_fit if a.evidence.effect_hr is None]
    assert min(proven) > max(unproven) > 0


def test_even_the_dearest_proven_action_passes_an_unproven_one_that_costs_nothing() -> None:
    for proven in (a for a in CATALOG.actions if a.evidence.effect_hr is not None):
        dearest = replace(proven, cost="high", harm_level="high", drivers={"growth": 1.0})
        for unproven in (a for a in CATALOG.actions if a.evidence.effect_hr is None):
            cheapest = replace(unproven, cost="none", harm_level="low", drivers={"growth": 1.0})
            assert worth_to(dearest, carrying(growth=1.0)) > worth_to(cheapest, carrying(growth=1.0))


def test_an_unproven_action_wins_when_it_answers_what_carries_the_risk() -> None:
    care = plan(carrying(growth=0.8, manager=0.1), {}, band="watch", catalog=CATALOG)
    first = CATALOG.action(care.actions[0].action)
    assert care.actions[0].driver == "growth"
    assert first.evidence.effect_hr is None


def test_a_plan_turns_to_the_next_driver_once_the_first_is_answered() -> None:
    care = plan(carrying(growth=0.6, pay=0.4), {"compa_ratio": 0.8}, band="watch", catalog=CATALOG)
    assert {a.driver for a in care.actions[:2]} == {"growth", "pay"}


def test_an_effect_of_one_or_harm_is_worth_nothing() -> None:
    proven = next(a for a in CATALOG.actions if a.evidence.effect_hr is not None)
    for hr in (1.0, exp(0.1)):
        alone = replace(proven, when=(), evidence=replace(proven.evidence, effect_hr=hr, low=None, high=None))
        assert effect(alone).useless
        care = plan(carrying(**{d: 1.0 for d in alone.drivers}), {}, band="act", catalog=Catalog((alone,)))
        assert care.actions == care.options == ()
        assert (care.empty_because_en, care.empty_because_zh) == EMPTY["does_not_help"]


@pytest.mark.parametrize(
    ("raised", "only", "band", "why"),
    [
        (carrying(growth=1.0), None, "calm", "calm"),
        (carrying(growth=1.0), None, "cannot_judge", "cannot_judge"),
        (Carried({}, {}), None, "act", "not_actionable"),
        (Carried({"context": 1.0}, {}), None, "act", "not_actionable"),
        (carrying(pay=1.0), "pay_review", "act", "nothing_fits"),
    ],
)
def test_an_empty_plan_says_why(raised: Carried, only: str | None, band: str, why: str) -> None:
    catalog = Catalog((CATALOG.action(only),)) if only else CATALOG
    care = plan(raised, {"tenure_days": 2000.0, "compa_ratio": 1.2}, band=band, catalog=catalog)
    assert care.actions == ()
    assert (care.empty_because_en, care.empty_because_zh) == EMPTY[why]


def test_a_newcomer_whose_risk_is_the_early_months_gets_a_welcome() -> None:
    care = plan(Carried({"context": 0.8}, {}), {"tenure_days": 70.0}, band="watch", catalog=CATALOG)
    assert {a.action for a in care.actions} == {"onboarding_checkin", "new_hire_buddy"}


def test_a_colleague_who_left_is_answered_though_nobody_can_change_it() -> None:
    raised = Carried({"belonging": 0.8}, {})
    left = plan(raised, {"team_exits_90d": 2.0, "tenure_days": 900.0}, band="act", catalog=CATALOG)
    nobody_left = plan(raised, {"team_exits_90d": 0.0, "tenure_days": 900.0}, band="act", catalog=CATALOG)
    assert [a.action for a in left.actions] == ["after_exit_talk"]
    assert nobody_left.actions == ()


def test_low_pay_leads_to_a_review_only_when_it_is_recorded_as_low() -> None:
    low = plan(carrying(pay=0.9), {"compa_ratio": 0.85}, band="watch", catalog=CATALOG)
    fair = plan(carrying(pay=0.9), {"compa_ratio": 1.1}, band="watch", catalog=CATALOG)
    unknown = plan(carrying(pay=0.9), {}, band="watch", catalog=CATALOG)
    assert "pay_review" in {a.action for a in low.actions}
    assert "pay_review" not in {a.action for a in (*fair.actions, *unknown.actions)}


def test_home_days_are_not_offered_to_people_who_lead_others() -> None:
    only = Catalog((CATALOG.action("hybrid_work"),))
    assert plan(carrying(workload=0.9), {"direct_reports": 0.0}, band="act", catalog=only).actions
    assert plan(carrying(workload=0.9), {}, band="act", catalog=only).actions
    assert not plan(carrying(workload=0.9), {"direct_reports": 4.0}, band="act", catalog=only).actions


def test_a_planned_action_carries_everything_a_manager_needs() -> None:
    (first, *_) = plan(carrying(workload=0.9), {}, band="act", catalog=CATALOG).actions
    assert isinstance(first, PlannedAction)
    empty = [f.name for f in fields(first) if getattr(first, f.name) in ("", (), {}, None)]
    assert empty == ["parts_en", "parts_zh"]
