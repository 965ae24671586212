"""Why a score is what it is: contributions → drivers → sentences in English and Chinese.

A reason tells what *goes with* a higher or a lower risk in the records of the past. It is not a cause, not a feeling
and not a diagnosis of a person; changing the fact need not change the risk. The sentences keep to those words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from features.cards import DRIVERS, Card
from models.known import Known
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


@dataclass(frozen=True, slots=True)
class Fact:
    """One shown column of one person, in words, with what it adds to the score (log-odds)."""

    column: str
    value: float | str | None
    typical: float | str | None
    contribution: float
    text_en: str
    text_zh: str


@dataclass(frozen=True, slots=True)
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
    contributions: np.ndarray, cards: Sequence[Card], *, values: Known, typical: Mapping[str, Any]
) -> list[tuple[Reason, ...]]:
    """Return each person's reasons, strongest first, one per driver that has a column.

    ``contributions`` is (n, p) in log-odds, in the order of ``cards``; ``values`` is what is recorded of the same n
    people and ``typical`` the commonest value at training. The sum of a person's reasons equals the sum of the row:
    hidden columns count, they are only never told.
    """
    if contributions.shape != (len(values), len(cards)):
        raise ValueError(f"contributions are {contributions.shape}, expected {(len(values), len(cards))}")
    members: dict[str, list[int]] = {}
    for j in sorted(range(len(cards)), key=lambda j: cards[j].column):
        members.setdefault(cards[j].driver, []).append(j)
    areas = [_Area(d, tuple(members[d]), tuple(cards[j] for j in members[d])) for d in DRIVERS if d in members]
    told = [_reasons(area, contributions, values, typical) for area in areas]
    # sorted() keeps the order of DRIVERS among equals, so the same row always reads the same.
    return [tuple(sorted(reasons, key=_weakness)) for reasons in zip(*told, strict=True)]


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


def _weakness(reason: Reason) -> float:
    return -abs(reason.contribution)


@dataclass(frozen=True)
class _Area:
    """The columns of one driver by name: where they are among the contributions, and their cards."""

    driver: str
    at: tuple[int, ...]
    cards: tuple[Card, ...]


def _reasons(area: _Area, contributions: np.ndarray, values: Known, typical: Mapping[str, Any]) -> list[Reason]:
    """Return the reason of one driver for each person."""
    parts = np.take(contributions, area.at, axis=1)  # row by row in memory: one row adds up as it does among many
    total, shown = parts.sum(axis=1), [k for k, card in enumerate(area.cards) if card.shown]
    cards, parts = [area.cards[k] for k in shown], parts[:, shown]
    names, size = [card.column for card in cards], np.abs(parts)
    known = values.only(names)
    words = _Words(cards, [known_value(typical.get(name)) for name in names], known, [{} for _ in names])
    facts = words.facts(_strongest(size, MAX_FACTS), parts)
    # "Nothing recorded" counts in the score, but as a reason it says nothing that anybody could act on.
    same_way = known.anything & (parts * total[:, None] > 0)
    told = words.told(_strongest(np.where(same_way, size, 0.0), TOLD_FACTS), parts)
    return [_reason(area.driver, *one) for one in zip(total.tolist(), facts, told, strict=True)]


def _strongest(size: np.ndarray, most: int) -> np.ndarray:
    """Return (n, most) the places of the largest in each row, the first of equals first; -1 where nothing is left."""
    rows, left = np.arange(len(size)), size.copy()
    found = np.full((len(size), most), -1)
    for k in range(min(most, size.shape[1])):
        at = left.argmax(axis=1)
        found[:, k] = np.where(left[rows, at] > 0, at, -1)
        left[rows, at] = 0.0
    return found


Told = tuple[float, str, str]
"""What a fact adds, and its phrase in English and Chinese."""


@dataclass(frozen=True)
class _Words:
    """The shown columns of one driver, what is typical of them, and the phrases that were made so far.

    Lists are flat below: a hundred thousand small lists would keep the collector of garbage busy.
    """

    cards: Sequence[Card]
    typical: Sequence[float | str | None]
    values: Known
    said: Sequence[dict[float | str | None, tuple[str, str]]]

    def facts(self, which: np.ndarray, parts: np.ndarray) -> list[tuple[Fact, ...]]:
        """Return the facts at the places ``which`` (n, k) of each person."""
        columns, typical, width = [card.column for card in self.cards], self.typical, which.shape[1]
        flat = [
            Fact(columns[k], value, typical[k], part, *self._phrase(k, value)) if k >= 0 else None
            for k, value, part in self._picked(which, parts)
        ]
        found = (flat[i : i + width] for i in range(0, len(flat), width))
        return [tuple([fact for fact in mine if fact]) for mine in found]

    def told(self, which: np.ndarray, parts: np.ndarray) -> list[list[Told]]:
        """Return what the sentence of each person names: the strongest, and the second if it is worth telling."""
        picked = self._picked(which, parts)
        flat = [(part, *self._phrase(k, value)) if k >= 0 else None for k, value, part in picked]
        pairs = zip(flat[::TOLD_FACTS], flat[1::TOLD_FACTS], strict=True)
        return [
            [] if one is None else [one] if two is None or abs(two[0]) < WORTH_TELLING * abs(one[0]) else [one, two]
            for one, two in pairs
        ]

    def _phrase(self, k: int, value: float | str | None) -> tuple[str, str]:
        said = self.said[k]
        words = said.get(value)
        if words is None:
            words = said[value] = fact_words(self.cards[k], value, self.typical[k])
        return words

    def _picked(self, which: np.ndarray, parts: np.ndarray) -> Iterator[tuple[int, float | str | None, float]]:
        if not self.cards:
            return iter([(-1, None, 0.0)] * which.size)
        rows, names = np.arange(len(which))[:, None], self.values.columns
        numbers = self.values.numbers[rows, which]
        values: list[float | str | None] = numbers.ravel().tolist()
        places = which.ravel().tolist()
        for at in np.flatnonzero(~np.isfinite(numbers.ravel()) & (which.ravel() >= 0)).tolist():
            values[at] = self.values.value(at // which.shape[1], names[places[at]])
        return zip(places, values, parts[rows, which].ravel().tolist(), strict=True)


def _reason(driver: str, total: float, facts: tuple[Fact, ...], told: Sequence[Told]) -> Reason:
    en, zh = _sentence(driver, total, told)
    return Reason(driver, total, _odds_ratio(total), "raises" if total > 0 else "keeps", facts, en, zh)


def _sentence(driver: str, total: float, told: Sequence[Told]) -> tuple[str, str]:
    """Return the sentence of a driver: what is recorded, and with how much more or less risk it goes."""
    name_en, name_zh = DRIVER_WORDS[driver]
    how_en, how_zh = _how_much(total)
    if not told:
        return (
            f"{name_en}: what is recorded, taken together, goes with {how_en}.",
            f"{name_zh}：记录合起来看，{how_zh}。",
        )
    en, zh = " and ".join([one[1] for one in told]), "，".join([one[2] for one in told])
    verb = "goes" if len(told) == 1 else "together go"
    if abs(sum([one[0] for one in told])) < 0.5 * abs(total):
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
