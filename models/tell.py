"""From a record to words, in English and Chinese: reasons, sentences, the plan. Made when somebody reads, never before.

A reason tells what *goes with* a higher or a lower risk in the records of the past. It is not a cause, not a feeling
and not a diagnosis of a person; changing the fact need not change the risk. The sentences keep to those words. A
change of any of them is a change of ``record.TEMPLATES``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import exp, isfinite, log
from typing import Any

from models.phrases import DRIVER_WORDS, fact_words
from models.record import Column, Dictionary, Record

WORTH_TELLING = 0.25
"""A second fact is named when it is at least this share of the first."""

HARDLY, SLIGHT, CLEAR = log(1.05), log(1.25), log(1.75)
"""Upper ends, in log-odds either way, of what is called hardly, slightly and clearly different; beyond is strong."""

PHRASES = 16_384
"""Phrases that are kept ready for a batch: most values occur many times, whole months, counts, flags."""

Plain = dict[str, Any]
Phrase = Callable[[int, float | None], tuple[str, float | str | None, float | str | None, str, str]]


class Teller:
    """Tells the records of one batch. Nothing in it is about one person but the phrases that were said lately."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary
        self._phrase: Phrase = lru_cache(PHRASES)(self._said)

    def all_of(self, record: bytes, *, judged: bool) -> Plain:
        """Return risk, other, interval, reasons and plan as JSON has them; nothing but a plan of whom nobody judges."""
        one = self.dictionary.read(record)
        return {
            **self.risks(one, judged=judged),
            "reasons": self.reasons(one) if judged else [],
            "plan": self.plan(one),
        }

    def risks(self, one: Record, *, judged: bool = True) -> Plain:
        """Return the chances of a voluntary and of any other exit by horizon, and the interval if there is one."""
        days = [str(horizon) for horizon in self.dictionary.horizons]
        if not judged:
            nothing = dict.fromkeys(days)
            return {"risk": nothing, "other": dict(nothing), "interval": None}
        low, high = one.numbers("low"), one.numbers("high")
        between = {day: list(ends) for day, *ends in zip(days, low, high, strict=True)} if isfinite(low[0]) else None
        told = (dict(zip(days, one.numbers(name), strict=True)) for name in ("risk", "other"))
        return dict(zip(("risk", "other"), told, strict=True)) | {"interval": between}

    def reasons(self, one: Record) -> list[Plain]:
        """Return the reason of every driver, strongest first; ``factor`` is ``exp(contribution)``, an odds ratio."""
        known, columns, values, adds = self.dictionary, one.codes("columns"), one.numbers("values"), one.numbers("adds")
        width, n_facts = known.layout.facts + known.layout.told, known.layout.facts
        found = []
        for d, (driver, total) in enumerate(zip(known.drivers, one.numbers("sums"), strict=True)):
            facts: list[Plain] = []
            named: list[tuple[float, str, str]] = []
            for k in range(d * width, (d + 1) * width):
                if not columns[k]:
                    continue
                column, value, usual, en, zh = self._phrase(columns[k], None if values[k] != values[k] else values[k])
                if k - d * width < n_facts:
                    fact = {"column": column, "value": value, "typical": usual, "contribution": adds[k]}
                    fact["text_en"], fact["text_zh"] = en, zh
                    facts.append(fact)
                elif not named or abs(adds[k]) >= WORTH_TELLING * abs(named[0][0]):
                    named.append((adds[k], en, zh))
            facts.sort(key=_weakness)
            en, zh = sentence(driver, total, named)
            reason: Plain = {"driver": driver, "contribution": total, "factor": odds_ratio(total)}
            reason["direction"], reason["facts"] = "raises" if total > 0 else "keeps", facts
            reason["text_en"], reason["text_zh"] = en, zh
            found.append(reason)
        # sorted() keeps the order of the drivers among equals, so the same record always reads the same.
        return sorted(found, key=_weakness)

    def plan(self, one: Record) -> Plain:
        """Return at most three suggestions, or why there is none, and what else would fit (``options``)."""
        known, options = self.dictionary, self.options(one)
        pairs = zip(one.codes("actions"), one.codes("through"), strict=True)
        actions = [dict(known.planned[_key(known, a, d)]) for a, d in pairs if a]
        en, zh = (None, None) if actions else known.empty[one.codes("why_empty")[0] - 1]
        return {"actions": actions, "empty_because_en": en, "empty_because_zh": zh, "options": options}

    def options(self, one: Record) -> list[Plain]:
        """Return the best actions that fit, what each prevents and how sure that is; for the organisation's plan."""
        known = self.dictionary
        codes, numbers = (
            (one.codes("options"), one.codes("option_drivers")),
            (one.numbers("avoided"), one.numbers("sd")),
        )
        return [
            {"action": known.actions[a - 1], "driver": known.every_driver[d - 1], "avoided": avoided, "sd": sd}
            for a, d, avoided, sd in zip(*codes, *numbers, strict=True)
            if a
        ]

    def _said(self, code: int, value: float | None) -> tuple[str, float | str | None, float | str | None, str, str]:
        card = self.dictionary.columns[code - 1]
        told = value_of(self.dictionary, card, value)
        return (card.column, told, card.usual, *fact_words(card, told, card.usual))


def value_of(known: Dictionary, card: Column, number: float | None) -> float | str | None:
    """Return what is recorded: a number, the level of a category, or ``None`` where nothing is."""
    if number is None or not isfinite(number):
        return None
    levels = known.levels.get(card.column)
    return number if levels is None else levels[int(number)]


def _key(known: Dictionary, action: int, driver: int) -> str:
    return f"{known.actions[action - 1]} {known.every_driver[driver - 1]}"


def _weakness(reason: Mapping[str, Any]) -> float:
    return -abs(reason["contribution"])


def sentence(driver: str, total: float, told: Sequence[tuple[float, str, str]]) -> tuple[str, str]:
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
    factor_en, factor_zh = _factor_words(odds_ratio(total))
    side = "higher" if total > 0 else "lower"
    return f"a {degree_en} {side} risk, {factor_en}", f"往往伴随{degree_zh}的离职风险，{factor_zh}"


def odds_ratio(total: float) -> float:
    """Return how many times the odds are of what is usual."""
    # A linear model can be carried far by one odd record: a number too large to write is still "more than 10 times".
    return exp(min(total, 700.0))


def _factor_words(factor: float) -> tuple[str, str]:
    if factor >= 10:
        return "more than 10 times the usual", "超过一般情况的 10 倍"
    if factor < 0.1:
        return "less than a tenth of the usual", "不到一般情况的十分之一"
    return f"about {factor:.1f} times the usual", f"约为一般情况的 {factor:.1f} 倍"
