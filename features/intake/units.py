"""Units as people write them: in a cell (``1.2万``, ``3.5小时``) and in a header (``工作时长(分钟)``, ``月薪(万元)``).

The trap is a unit that is dropped: minutes read as hours are wrong sixty times over, and look like numbers. A cell's
own unit counts before the header's. A unit that needs a convention (hours of leave as days) is not converted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import polars as pl

_HOUR = dict.fromkeys(("小时", "个小时", "h", "hr", "hrs", "hour", "hours"), 1.0)
_MINUTE = dict.fromkeys(("分钟", "min", "mins", "minute", "minutes"), 1.0)
_MONEY = {"元": 1.0, "元/月": 1.0, "万": 1e4, "万元": 1e4, "万元/月": 1e4, "千": 1e3, "千元": 1e3, "k": 1e3, "rmb": 1.0}
UNITS: Mapping[str, Mapping[str, float]] = {
    "hours": _HOUR | {word: 1 / 60 for word in _MINUTE},
    "hours per week": _HOUR | {"小时/周": 1.0},
    "minutes": _MINUTE | {"分": 1.0} | {word: 60.0 for word in _HOUR},
    "days": dict.fromkeys(("天", "日", "d", "day", "days", "工作日"), 1.0),
    "currency per month": _MONEY,
    "points": {"分": 1.0},
    "count": {"次": 1.0, "个": 1.0, "人次": 1.0},
}
"""Unit of a column → what may stand behind a number, and how many of the unit that is."""
_EVERY = frozenset(word for words in UNITS.values() for word in words)
_IN_BRACKETS = re.compile(r"[(\[【]\s*(?:单位[::])?\s*([^)\]】]*?)\s*[)\]】]\s*$")


def header_unit(header: str) -> str | None:
    """The unit that a header names in brackets at its end; None when there is none that anybody knows."""
    found = _IN_BRACKETS.search(unicodedata.normalize("NFKC", header).casefold())
    return found.group(1) if found and found.group(1) in _EVERY else None


def header_factor(header: str, unit: str) -> float | None:
    """How many of a column's unit the header's unit is: 1 when it names none, None when it cannot be converted."""
    named = header_unit(header)
    return 1.0 if named is None or unit not in UNITS else UNITS[unit].get(named)


def without_units(texts: pl.Series, unit: str, factor: float) -> tuple[pl.Series, pl.Series | float]:
    """The texts without the unit behind the number, and how much each counts: by its own unit, else by ``factor``."""
    words = UNITS.get(unit)
    if words is None or not texts.str.contains(r"\pL\s*$").any():
        return texts, factor
    clean = texts.str.normalize("NFKC").str.to_lowercase().str.strip_chars()
    parts = clean.str.extract_groups(r"^(.*?[\d.])\s*(\pL[\pL/]*)$").struct.unnest()
    number, word = parts.to_series(0), parts.to_series(1)
    named = word.replace_strict(words, default=None, return_dtype=pl.Float64)
    known = named.is_not_null()
    return texts.to_frame("t").select(pl.when(known).then(number).otherwise("t")).to_series(), named.fill_null(factor)
