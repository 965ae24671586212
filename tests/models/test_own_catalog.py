"""An organisation adds, changes and switches off care actions in its own file; every mistake is named with its fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import FixableError
from models.care import Carried, plan
from models.catalog import DEFAULT_CATALOG, load_catalog
from models.own_catalog import load_with_own

SHIPPED = load_catalog()
ONE = "[[action]]\n" + DEFAULT_CATALOG.read_text(encoding="utf-8").split("\n[[action]]\n")[1]
OWN = ONE.replace('id = "career_talk"', 'id = "our_talk"')


def loaded(folder: Path, text: str):
    file = folder / "care.toml"
    file.write_text(text, encoding="utf-8")
    return load_with_own(file)


def test_without_a_file_the_catalog_is_as_shipped(tmp_path: Path) -> None:
    assert load_with_own(tmp_path / "care.toml") == SHIPPED


def test_entries_are_switched_off_changed_and_added(tmp_path: Path) -> None:
    text = f'off = ["hybrid_work"]\n[change.skill_course]\npay_months = 0.5\ncapacity = 20\n\n{OWN}'
    catalog = loaded(tmp_path, text)
    ids = [action.id for action in catalog.actions]
    assert "hybrid_work" not in ids
    assert ids[-1] == "our_talk"
    course = catalog.action("skill_course")
    assert (course.pay_months, course.capacity) == (0.5, 20)
    assert course.title == SHIPPED.action("skill_course").title


def test_an_entry_that_is_off_leaves_the_combined_offer(tmp_path: Path) -> None:
    parts = loaded(tmp_path, 'off = ["one_off_award"]').action("pay_without_budget").parts
    assert parts == ("total_reward_talk", "leave_planning", "skill_course", "flexible_hours")
    every = SHIPPED.action("pay_without_budget").parts
    gone = loaded(tmp_path, f"off = {list(every)}".replace("'", '"'))
    assert "pay_without_budget" not in [action.id for action in gone.actions]


def test_pay_below_market_without_budget_gets_the_combined_offer_and_not_its_parts_again(tmp_path: Path) -> None:
    catalog = loaded(tmp_path, 'off = ["pay_review", "long_term_share", "voice_and_follow_up"]')
    raised = Carried({"pay": 0.9}, {"pay": 0.9})
    care = plan(raised, {"compa_ratio": 0.85}, band="act", catalog=catalog)
    offer = care.actions[0]
    assert offer.action == "pay_without_budget"
    assert len(offer.parts_en) == len(offer.parts_zh) == 5
    assert not {a.action for a in care.actions} & set(catalog.action("pay_without_budget").parts)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('off = ["hybrid"]', "off: hybrid: there is no such entry; did you mean hybrid_work?"),
        ('off = "hybrid_work"', "off: must be a list of ids"),
        ("[change.skill_corse]\ndays = 3", "change.skill_corse: there is no such entry; did you mean skill_course?"),
        ("[change.skill_course]\ntitle = 3", "change.skill_course: title: cannot be changed; use manager_hours"),
        ("[change.skill_course]\ndays = 0", "skill_course: days must be a whole number from 1 to 365"),
        ("[change.skill_course]\ncapacity = -1", "skill_course: capacity must be a whole number from 0"),
        ("[change.skill_course]\npay_months = 99", "skill_course: pay_months must be a number from 0 to 24"),
        ("change = 3", "change: must be tables"),
        ("of = []", "of: unknown key; use off, change, action"),
        ("action = 3", "action: must be [[action]] entries"),
        (ONE, "career_talk: id: the catalog has such an entry already"),
        (OWN.replace("days = 14", 'days = 14\nparts = ["nothing"]'), "our_talk: parts: 'nothing' is no single entry"),
        (OWN.replace('evidence.source = "', 'evidence.wrong = "'), "our_talk: evidence.source is missing"),
    ],
)
def test_a_mistake_is_named_with_file_entry_key_and_rule(tmp_path: Path, text: str, hint: str) -> None:
    with pytest.raises(FixableError) as refused:
        loaded(tmp_path, text)
    assert any(hint in problem for problem in refused.value.problems)
    assert all(problem.startswith("care.toml: ") for problem in refused.value.problems)
