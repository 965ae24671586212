"""When to say "cannot judge": too little is known of a person, or the model was never shown anybody like them.

Without this a person with an empty file gets the score of a typical colleague, which looks like knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import numpy as np

from features.cards import DRIVERS, Card
from features.feeds import Silence
from features.tables import TABLES
from models.card import ModelCard
from models.known import Known
from models.phrases import DRIVER_WORDS, fact_words
from models.risk import INTERVAL_CARD

USUALLY_KNOWN = 0.5
"""A column is usually known when it was missing for a smaller share of people than this at training."""

MATERIAL_SHARE = 0.1
"""From this share of the contributions on, a score without the feed would be another score."""

MOST_MISSING = 0.3
"""The largest share of the usually known columns that may be missing for a person who still gets a score."""


def cards_of(columns: Sequence[str], card: ModelCard) -> list[Card]:
    """Return the card of each column the model reads, as it was at training; ``ValueError`` for one without."""
    known = {c.column: c for c in (INTERVAL_CARD, *card.cards)}
    absent = [c for c in columns if c not in known]
    if absent:
        raise ValueError(f"the model reads columns without a card: {', '.join(absent)}")
    return [known[c] for c in columns]


def cannot_judge(known: Known, card: ModelCard, *, cards: Sequence[Card]) -> list[tuple[str, str] | None]:
    """Return why nothing can be said of each person, in English and Chinese; ``None`` when something can.

    ``known`` is what is recorded of them; ``cards`` are those of the model's columns.
    """
    holds = [_satisfied(rule, known) for rule in card.eligible]
    usual = [c for c in cards if card.missing_share.get(c.column, 1.0) < USUALLY_KNOWN]
    there = known.has([c.column for c in usual])
    outside = np.zeros(len(known), dtype=bool)
    for held in holds:
        outside |= ~held
    unknown = len(usual) - there.sum(axis=1, dtype=np.int32) > MOST_MISSING * len(usual)
    why: list[tuple[str, str] | None] = [None] * len(known)
    for i in np.flatnonzero(outside | unknown).tolist():
        if outside[i]:
            broken = [rule["column"] for rule, held in zip(card.eligible, holds, strict=True) if not held[i]]
            why[i] = _outside_words(broken, known, i, cards=cards)
        else:
            why[i] = _gap_words([c for c, ok in zip(usual, there[i], strict=True) if not ok], len(usual))
    return why


def _gap_words(missing: Sequence[Card], n_usual: int) -> tuple[str, str]:
    areas = [DRIVER_WORDS[d] for d in DRIVERS if any(c.driver == d for c in missing)]
    en, zh = ", ".join(en.lower() for en, _ in areas), "、".join(zh for _, zh in areas)
    return (
        f"Cannot judge: no record for {len(missing)} of {n_usual} facts that are usually known. Areas with gaps: {en}.",
        f"无法判断：通常具备的 {n_usual} 项信息中有 {len(missing)} 项没有记录。有缺口的方面：{zh}。",
    )


def unheard(silences: Sequence[Silence], card: ModelCard) -> dict[str, tuple[str, str]]:
    """Return for whom nothing can be said because a feed has fallen silent, and why, in English and Chinese.

    A feed is material when at least ``MATERIAL_SHARE`` of the contributions to the scores rested on it at training;
    silence of the others is told to the operator and changes nobody's score much.
    """
    why: dict[str, tuple[str, str]] = {}
    for one in silences:
        share = card.feed_shares.get(one.table, 0.0)
        if share < MATERIAL_SHARE:
            continue
        table = TABLES[one.table]
        en, zh = f"{one.table} ({table.meaning_en})", f"{table.meaning_zh}({one.table})"
        reason = (
            f"Cannot judge: since {one.since} no usual records have come for {en}, and {share:.0%} of the score "
            "rests on them. Silence of a system is not silence of a person.",
            f"无法判断：自 {one.since} 起，{zh}没有正常记录，而评分有 {share:.0%} 依据它。"
            "系统没有数据，不等于员工没有动静。",
        )
        why.update({person: reason for person in one.people if person not in why})
    return why


def _satisfied(rule: Mapping[str, Any], known: Known) -> np.ndarray:
    """Return (n,) whether the rule holds as it did at training: an unknown value satisfies none."""
    column = rule["column"]
    if rule.get("values"):
        return np.array([known.value(i, column) in rule["values"] for i in range(len(known))], dtype=bool)
    low, high = rule.get("minimum"), rule.get("maximum")
    number = known.of([column])[:, 0]
    within = (number >= (-inf if low is None else low)) & (number <= (inf if high is None else high))
    return np.isfinite(number) & within


def _outside_words(outside: Sequence[str], known: Known, i: int, *, cards: Sequence[Card]) -> tuple[str, str]:
    shown = [c for c in cards if c.column in outside and c.shown]
    words = [fact_words(c, known.value(i, c.column), None) for c in shown]
    en, zh = "; ".join(en for en, _ in words), "；".join(zh for _, zh in words)
    return (
        "Cannot judge: the model was learned from another group of people" + (f" (here: {en})." if en else "."),
        "无法判断：模型依据的是另一类人员的记录" + (f"（此处：{zh}）。" if zh else "。"),
    )
