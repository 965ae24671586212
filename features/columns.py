"""What a column and a table are, and the short ways of writing one down (see ``table_specs.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "date", "timestamp", "int", "float", "bool", "list"]


@dataclass(frozen=True)
class Column:
    """One column: what a value means, in which unit, and which values are possible.

    ``allowed`` is the closed list of values (empty = free). A value outside of it quarantines the row, unless
    ``otherwise`` names the value that stands for it. ``default`` is what an empty cell means. ``begins``: a month in
    place of a day stands for its first day, not for its last.
    """

    name: str
    kind: Kind
    required: bool
    meaning_en: str
    meaning_zh: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    default: object = None
    otherwise: str | None = None
    begins: bool = False


@dataclass(frozen=True)
class Table:
    """One table: a later row with the same ``key`` is a correction; an empty key means append only.

    ``event`` is the column that says when the fact was true; ``known_on`` defaults to ``lag_days`` after it
    (``exits`` has a rule of its own, see ``features.tables``). ``known_ahead``: the fact can be known before it is
    true (a signed contract, an announced promotion). ``one_of``: at least one of these columns must be filled.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    lag_days: int | None
    meaning_en: str
    meaning_zh: str
    reference: bool = False
    event: str | None = "happened_on"
    known_ahead: bool = False
    one_of: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The specification of one column of this table."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"table {self.name} has no column {name}")

    def names(self) -> tuple[str, ...]:
        """The column names in the order of the contract."""
        return tuple(column.name for column in self.columns)


REASONS: tuple[str, ...] = (
    "growth",
    "recognition",
    "belonging",
    "workload",
    "pay",
    "manager",
    "fairness",
    "engagement",
    "relocation",
    "study",
    "personal",
    "performance",
    "restructuring",
    "contract",
    "retirement",
    "other",
)
"""Why somebody left: the eight drivers and what lies outside of work. Any other wording is kept as ``other``: free text
about a reason soon holds health or family facts."""


def text(name: str, en: str, zh: str, *, allowed: tuple[str, ...] = (), otherwise: str | None = None) -> Column:
    """A text that may be left out."""
    return Column(name, "text", False, en, zh, allowed=allowed, otherwise=otherwise)


def must(name: str, en: str, zh: str, *, allowed: tuple[str, ...] = (), otherwise: str | None = None) -> Column:
    """A text that every row needs."""
    return Column(name, "text", True, en, zh, allowed=allowed, otherwise=otherwise)


def day(name: str, en: str, zh: str, *, required: bool = False, begins: bool = False) -> Column:
    """A date; ``begins``: the first day of something."""
    return Column(name, "date", required, en, zh, unit="date", begins=begins)


def amount(name: str, en: str, zh: str, *, unit: str, most: float | None = None) -> Column:
    """A number that is never negative."""
    return Column(name, "float", False, en, zh, unit=unit, minimum=0, maximum=most)
