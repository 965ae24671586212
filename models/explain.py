"""Why a score is what it is: contributions → drivers → sentences in English and Chinese.

A reason tells what *goes with* a higher or a lower risk in the records of the past. It is not a cause, not a feeling
and not a diagnosis of a person; changing the fact need not change the risk. The sentences keep to those words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, log
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from features.cards import DRIVERS, Card
from models.phrases import DRIVER_WORDS, fact_words, known_value

if TYPE_CHECKING:
    from lightgbm import Booster

MAX_FACTS = 3
"""Facts kept per reason; a manager reads three and skips seven."""

TOLD_FACTS = 2
"""Facts named in the sentence of a reason."""

WORTH_TELLING = 0.25
"""A second fact is named when it is at least this share of the first."""

HARDLY, SLIGHT, CLEAR = log(1.05), log(1.25), log(1.75)
"""Upper ends, in log-odds either way, of what is called hardly, slightly and clearly different; beyond is strong."""


@dataclass(frozen=True)
class Fact:
    """One shown column of one person, in words, with what it adds to the score (log-odds)."""

    column: str
    value: float | str | None
    typical: float | str | None
    contribution: float
    text_en: str
    text_zh: str


@dataclass(frozen=True)
class Reason:
    """What one driver adds to or takes from the score; all reasons of a person sum to ``score - base``.

    ``contribution`` is the sum over *all* columns of the driver, also those that may not be shown, so that nothing is
    lost; ``facts`` names shown columns only, strongest first. ``factor`` is ``exp(contribution)``: an odds ratio, which
    is close to a ratio of risks while the risk of one interval is small.
    """

    driver: str
    contribution: float
    factor: float
    direction: Literal["raises", "keeps"]
    facts: tuple[Fact, ...]
    text_en: str
    text_zh: str


def explain(
    contributions: np.ndarray,
    cards: Sequence[Card],
    *,
    values: Sequence[Mapping[str, Any]],
    typical: Mapping[str, Any],
) -> list[tuple[Reason, ...]]:
    """Return each person's reasons, strongest first, one per driver that has a column.

    ``contributions`` is (n, p) in log-odds, in the order of ``cards``; ``values`` holds one mapping from column to
    value per person (absent or null means unknown) and ``typical`` the commonest value at training. The sum of a
    person's reasons equals the sum of the row: hidden columns count, they are only never told.
    """
    if contributions.shape != (len(values), len(cards)):
        raise ValueError(f"contributions are {contributions.shape}, expected {(len(values), len(cards))}")
    members = {d: [j for j, card in enumerate(cards) if card.driver == d] for d in DRIVERS}
    return [
        _in_order(_reason(d, row, cards, members=at, values=person, typical=typical) for d, at in members.items() if at)
        for row, person in zip(contributions.tolist(), values, strict=True)
    ]


def shap_check(booster: Booster, rows: np.ndarray) -> float:
    """Return the largest difference, in log-odds, between LightGBM's contributions and an independent computation.

    The trap: ``shap.TreeExplainer`` quietly asks LightGBM itself when it is given a LightGBM model, which would compare
    a number with itself. Here shap's own tree code is made to do the work. That code counts categories from 1 to 31, so
    rows whose category is unknown or the first one are left out. Raises ``ValueError`` when no row is left.
    """
    import shap  # seconds to import, and needed by nobody who only scores

    code = rows[:, _category_positions(booster)]
    kept = rows[((code >= 1) & (code <= 31)).all(axis=1)]
    if not len(kept):
        raise ValueError("no row has a known category that shap can read: nothing left to check")
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    explainer.model.model_type = "internal"
    theirs = explainer.shap_values(kept, check_additivity=False)
    ours = np.asarray(booster.predict(kept, pred_contrib=True))
    base = abs(float(np.ravel(explainer.expected_value)[0]) - ours[0, -1])
    return max(base, float(np.abs(theirs - ours[:, :-1]).max()))


def _category_positions(booster: Booster) -> list[int]:
    """Return the columns that any tree splits by category."""
    nodes = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    found = set()
    while nodes:
        node = nodes.pop()
        if "split_feature" in node:
            nodes += [node["left_child"], node["right_child"]]
            if node["decision_type"] == "==":
                found.add(int(node["split_feature"]))
    return sorted(found)


def _in_order(reasons: Any) -> tuple[Reason, ...]:
    # sorted() keeps the order of DRIVERS among equals, so the same row always reads the same.
    return tuple(sorted(reasons, key=lambda r: -abs(r.contribution)))


def _reason(
    driver: str,
    row: Sequence[float],
    cards: Sequence[Card],
    *,
    members: Sequence[int],
    values: Mapping[str, Any],
    typical: Mapping[str, Any],
) -> Reason:
    total = fsum(row[j] for j in members)
    shown = [j for j in members if cards[j].shown and row[j] != 0]
    strongest = sorted(shown, key=lambda j: (-abs(row[j]), cards[j].column))
    # "Nothing recorded" counts in the score, but as a reason it says nothing that anybody could act on.
    known = [j for j in strongest if known_value(values.get(cards[j].column)) is not None]
    same_way = [j for j in known if row[j] * total > 0]
    told = [j for j in same_way if abs(row[j]) >= WORTH_TELLING * abs(row[same_way[0]])][:TOLD_FACTS]
    facts = {j: _fact(cards[j], row[j], values, typical) for j in {*strongest[:MAX_FACTS], *told}}
    en, zh = _sentence(driver, total, [facts[j] for j in told])
    direction: Literal["raises", "keeps"] = "raises" if total > 0 else "keeps"
    return Reason(driver, total, _odds_ratio(total), direction, tuple(facts[j] for j in strongest[:MAX_FACTS]), en, zh)


def _fact(card: Card, contribution: float, values: Mapping[str, Any], typical: Mapping[str, Any]) -> Fact:
    value, usual = known_value(values.get(card.column)), known_value(typical.get(card.column))
    en, zh = fact_words(card, value, usual)
    return Fact(card.column, value, usual, contribution, en, zh)


def _sentence(driver: str, total: float, told: Sequence[Fact]) -> tuple[str, str]:
    """Return the sentence of a driver: what is recorded, and with how much more or less risk it goes."""
    name_en, name_zh = DRIVER_WORDS[driver]
    how_en, how_zh = _how_much(total)
    if not told:
        return (
            f"{name_en}: what is recorded, taken together, goes with {how_en}.",
            f"{name_zh}：记录合起来看，{how_zh}。",
        )
    en, zh = " and ".join(f.text_en for f in told), "，".join(f.text_zh for f in told)
    verb = "goes" if len(told) == 1 else "together go"
    if abs(sum(f.contribution for f in told)) < 0.5 * abs(total):
        verb, zh = "together with other points goes", f"{zh}，连同其他方面"
    return f"{name_en}: {en}, which {verb} with {how_en}.", f"{name_zh}：{zh}，{how_zh}。"


def _how_much(total: float) -> tuple[str, str]:
    """Return the size of a contribution in words; the same steps either way, so that nothing is told louder."""
    size = abs(total)
    if size < HARDLY:
        return "about the usual risk", "离职风险与一般情况差不多"
    step = 0 if size < SLIGHT else 1 if size < CLEAR else 2
    degree_en = ("slightly", "clearly", "much")[step]
    degree_zh = (("略高", "明显较高", "高得多") if total > 0 else ("略低", "明显较低", "低得多"))[step]
    factor_en, factor_zh = _factor_words(_odds_ratio(total))
    side = "higher" if total > 0 else "lower"
    return f"a {degree_en} {side} risk, {factor_en}", f"往往伴随{degree_zh}的离职风险，{factor_zh}"


def _odds_ratio(total: float) -> float:
    # A linear model can be carried far by one odd record: a number too large to write is still "more than 10 times".
    return exp(min(total, 700.0))


def _factor_words(factor: float) -> tuple[str, str]:
    if factor >= 10:
        return "more than 10 times the usual", "超过一般情况的 10 倍"
    if factor < 0.1:
        return "less than a tenth of the usual", "不到一般情况的十分之一"
    return f"about {factor:.1f} times the usual", f"约为一般情况的 {factor:.1f} 倍"
