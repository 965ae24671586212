"""The card of a column: what it means, in which unit, for which driver, in which words, and what may be done with it.

A column without a card does not enter the matrix; a column whose card says ``shown=False`` is never told to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Driver = Literal[
    "growth", "recognition", "belonging", "workload", "pay", "manager", "fairness", "engagement", "context"
]
DRIVERS: tuple[Driver, ...] = (
    "growth",
    "recognition",
    "belonging",
    "workload",
    "pay",
    "manager",
    "fairness",
    "engagement",
    "context",
)
"""The eight drivers that care can act on, and ``context`` (tenure, season, place) that it cannot."""

Kind = Literal["number", "category"]


@dataclass(frozen=True)
class Card:
    """Facts about one column of the matrix.

    ``words_en`` and ``words_zh`` are noun phrases with one ``{value}``: ``"{value} hours of overtime in the last 90
    days"``. ``unit`` says how a value is written: ``count``, ``days``, ``months``, ``hours``, ``share`` (0..1, written
    as a percentage), ``score`` (one decimal), ``ratio`` (two decimals), ``flag`` (0/1; the phrase has no value) or
    ``category``. ``expected`` is the direction that published work leads one to expect of the *risk* when the value
    rises: +1, -1, or 0 when unknown or mixed. ``actionable`` means that a care action can change the value.
    """

    column: str
    driver: Driver
    unit: str
    meaning: str
    words_en: str
    words_zh: str
    expected: int = 0
    shown: bool = True
    actionable: bool = True
    kind: Kind = "number"
    window_days: int | None = None
    source: str = ""
