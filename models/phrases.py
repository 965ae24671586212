"""How a value is said: one column of one person as a short phrase in English and in Chinese.

The words come from the card; this file only fills in the value by its unit and adds what is typical.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite
from typing import Any, Literal, Protocol

Language = Literal["en", "zh"]

DRIVER_WORDS: dict[str, tuple[str, str]] = {
    "growth": ("Growth", "成长发展"),
    "recognition": ("Recognition", "认可"),
    "belonging": ("Belonging", "团队归属"),
    "workload": ("Workload", "工作负荷"),
    "pay": ("Pay", "薪酬"),
    "manager": ("Manager", "直接上级"),
    "fairness": ("Fairness", "公平"),
    "engagement": ("Engagement", "工作投入"),
    "context": ("Circumstances", "客观情况"),
}
"""The name of each driver in English and Chinese."""

SLOT = "{value}"
UNIT_WORDS: dict[str, tuple[str, str]] = {
    "hours": (" hours", " 小时"),
    "days": (" days", " 天"),
    "months": (" months", " 个月"),
    "years": (" years", " 年"),
}
DAYS_PER_MONTH = 365.25 / 12


def known_value(value: Any) -> float | str | None:
    """Return the value as a plain number or text; ``None`` when nothing is known (null, NaN, infinite)."""
    if value is None or isinstance(value, str):
        return value
    number = float(value)
    return number if isfinite(number) else None


class Worded(Protocol):
    """What is needed of a card to say a value."""

    @property
    def unit(self) -> str:
        """How a value is written."""
        ...

    @property
    def words_en(self) -> str:
        """The noun phrase in English."""
        ...

    @property
    def words_zh(self) -> str:
        """The noun phrase in Chinese."""
        ...


@lru_cache(maxsize=16_384)  # most values occur many times: whole months, counts, flags
def fact_words(card: Worded, value: float | str | None, typical: float | str | None) -> tuple[str, str]:
    """Return the phrase in English and Chinese: ``"31 months without a promotion (typical here: 14 months)"``."""
    if value is None:
        gap_en, gap_zh = card.words_en.replace(SLOT, "…"), card.words_zh.replace(SLOT, "…")
        return f"nothing recorded for “{gap_en}”", f"没有“{gap_zh}”的记录"
    if card.unit == "flag":
        return _flag(card, bool(value), typical)
    en, zh = _said(card.words_en, value, card.unit, "en"), _said(card.words_zh, value, card.unit, "zh")
    if typical is None:
        return en, zh
    usual_en, usual_zh = written(typical, card.unit, "en"), written(typical, card.unit, "zh")
    if usual_zh == written(value, card.unit, "zh"):
        return f"{en} (as is typical here)", f"{zh}（与这里常见的情况相同）"
    return f"{en} (typical here: {usual_en})", f"{zh}（这里常见为 {usual_zh}）"


def written(value: float | str, unit: str, language: Language) -> str:
    """Return the value as it stands in a sentence; a length of time carries its unit.

    >>> written(943, "days", "en"), written(943, "days", "zh"), written(1, "hours", "en")
    ('31 months', '31 个月', '1 hour')
    >>> written(0.354, "share", "en"), written(0.9, "ratio", "zh"), written(1234.0, "count", "en")
    ('35%', '0.90', '1,234')
    """
    if isinstance(value, str):
        return value
    if unit in UNIT_WORDS:
        value, unit = _length_of_time(value, unit)
        text = _number(value, 0 if unit in ("days", "months") else 1)
        words = UNIT_WORDS[unit][0 if language == "en" else 1]
        return f"{text}{words[:-1] if language == 'en' and text == '1' else words}"
    if unit == "share":
        return f"{_number(100 * value, 0 if abs(value) >= 0.01 else 1)}%"
    return _number(value, 2, fixed=True) if unit == "ratio" else _number(value, 1, fixed=unit == "score")


def _length_of_time(value: float, unit: str) -> tuple[float, str]:
    """Return days as months from two months on, and as years from three years on: nobody thinks in 943 days."""
    months = value / DAYS_PER_MONTH if unit == "days" else value
    if unit == "hours" or (unit == "days" and abs(value) < 60):
        return value, unit
    return (months / 12, "years") if abs(months) >= 36 else (months, "months")


def _number(value: float, places: int, *, fixed: bool = False) -> str:
    """Return at most ``places`` decimals (exactly that many when ``fixed``), none from ten on, never "-0"."""
    text = f"{value:,.{places if fixed or abs(value) < 10 else 0}f}"
    if not fixed and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if text.strip("-0.,") else text.lstrip("-")


def _said(words: str, value: float | str, unit: str, language: Language) -> str:
    """Return the card's words with the value in them; a unit that the words name themselves is not said twice."""
    own = UNIT_WORDS.get(unit, ("", ""))[0 if language == "en" else 1].strip()
    if own and not isinstance(value, str) and re.search(rf"\{{value\}}\s*{own}", words):
        return _singular(words.replace(SLOT, _number(value, 0 if unit in ("days", "months") else 1)))
    text = words.replace(SLOT, written(value, unit, language))
    # "已有 31 个月 未晋升" → "已有 31 个月未晋升": no space between two Chinese characters.
    return _singular(text) if language == "en" else re.sub(r"(?<=[一-鿿]) (?=[一-鿿])", "", text)


def _flag(card: Worded, holds: bool, typical: float | str | None) -> tuple[str, str]:
    en, zh = card.words_en, card.words_zh
    if not holds:
        without = re.sub(r"^an?\s+", "no ", en)
        en, zh = without if without != en else f"not the case: {en}", f"没有“{zh}”的情况"
    if typical is not None and not isinstance(typical, str) and bool(round(typical)) != holds:
        return f"{en} (unusual here)", f"{zh}（这里少见）"
    return en, zh


def _singular(phrase: str) -> str:
    """Return ``"1 course finished"`` for ``"1 courses finished"``."""
    found = re.match(r"^1 ((?:different|direct|pay|project|peer|open|new) )?([a-z-]*[a-z])s\b", phrase)
    if not found or found[2].endswith(("s", "u", "i")):
        return phrase
    word = f"{found[2][:-2]}y" if found[2].endswith("ie") else found[2]
    return f"1 {found[1] or ''}{word}{phrase[found.end() :]}"
