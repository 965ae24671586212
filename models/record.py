"""What is recorded of one person's assessment: codes and numbers in a fixed order, and the dictionary they refer to.

Sentences are no record: they are made when somebody reads them (``models.tell``). A record holds for every driver what
it adds and which facts speak for it, and of the plan which entry answers which driver. The dictionary, one for a
batch, holds everything that a code can mean, in full: columns with their words, levels of categories, suggestions with
their evidence as it was believed that day. So a batch stays readable when a column, a card or an entry of the catalog
is gone, and it says which ``templates`` its sentences were told by.

    codes      fact and sentence columns per driver | actions | their drivers | why empty | options | their drivers
    numbers    risk | other | low | high | sum per driver | values of the facts | what they add | avoided | its sd

A code is a place in a list of the dictionary plus one; 0 stands for nothing. A value of a category is a place too.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

TEMPLATES = 1
"""The version of the sentences in ``models.tell`` and ``models.phrases``; goes up when any of them would read anew."""

MAX_FACTS = 3
"""Facts kept per reason; a manager reads three and skips seven."""

TOLD_FACTS = 2
"""Facts named in the sentence of a reason."""

MAX_ACTIONS = 3
"""More than three suggestions are none: a manager starts with one."""

MOST_OPTIONS = 12
"""So many are kept per person for the plan of the organisation."""


@dataclass(frozen=True)
class Layout:
    """How many of each thing a record holds; kept with the batch, so that another version can read it."""

    horizons: int
    drivers: int
    facts: int = MAX_FACTS
    told: int = TOLD_FACTS
    actions: int = MAX_ACTIONS
    options: int = MOST_OPTIONS

    @cached_property
    def codes(self) -> dict[str, slice]:
        """Where each kind of code stands."""
        facts = self.drivers * (self.facts + self.told)
        sizes = {"columns": facts, "actions": self.actions, "through": self.actions, "why_empty": 1}
        return _places(sizes | {"options": self.options, "option_drivers": self.options})

    @cached_property
    def numbers(self) -> dict[str, slice]:
        """Where each kind of number stands."""
        sizes = dict.fromkeys(("risk", "other", "low", "high"), self.horizons)
        facts = self.drivers * (self.facts + self.told)
        sizes |= {"sums": self.drivers, "values": facts, "adds": facts}
        return _places(sizes | {"avoided": self.options, "sd": self.options})

    @cached_property
    def form(self) -> struct.Struct:
        """The bytes of a record: all codes, then all numbers, the lowest byte first."""
        return struct.Struct(f"<{self.codes['option_drivers'].stop}H{self.numbers['sd'].stop}d")

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The same for an array of records."""
        return np.dtype(
            [("codes", "<u2", self.codes["option_drivers"].stop), ("numbers", "<f8", self.numbers["sd"].stop)]
        )


def _places(sizes: Mapping[str, int]) -> dict[str, slice]:
    ends = list(accumulate(sizes.values()))
    return {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}


@dataclass(frozen=True)
class Column:
    """A column of the matrix that may be told: its words, and what is usual of it."""

    column: str
    unit: str
    words_en: str
    words_zh: str
    usual: float | str | None


@dataclass(frozen=True)
class Dictionary:
    """Everything that the codes of a batch can mean. ``planned`` holds a suggestion in full by "action driver"."""

    layout: Layout
    horizons: tuple[int, ...]
    base: float
    drivers: tuple[str, ...]
    columns: tuple[Column, ...]
    levels: Mapping[str, Sequence[float | str | None]]
    every_driver: tuple[str, ...]
    actions: tuple[str, ...]
    planned: Mapping[str, Mapping[str, Any]]
    empty: tuple[tuple[str, str], ...]
    templates: int = TEMPLATES

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the store."""
        return {**asdict(self), "levels": {name: list(known) for name, known in self.levels.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Dictionary:
        """Return what ``to_dict`` wrote."""
        told: dict[str, Any] = {name: tuple(data[name]) for name in ("horizons", "drivers", "every_driver", "actions")}
        told |= {name: data[name] for name in ("base", "levels", "planned", "templates")}
        columns = tuple(Column(**one) for one in data["columns"])
        empty = tuple((en, zh) for en, zh in data["empty"])
        return cls(layout=Layout(**data["layout"]), columns=columns, empty=empty, **told)

    def read(self, record: bytes) -> Record:
        """Return one person's record; ``ValueError`` when it is not of this batch's form."""
        if len(record) != self.layout.form.size:
            raise ValueError(f"a record of {len(record)} bytes, this batch's have {self.layout.form.size}")
        flat, n_codes = self.layout.form.unpack(record), self.layout.codes["option_drivers"].stop
        return Record(flat[:n_codes], flat[n_codes:], self.layout)


@dataclass(frozen=True, slots=True)
class Record:
    """One person's codes and numbers, by name."""

    _codes: Sequence[int]
    _numbers: Sequence[float]
    _layout: Layout

    def codes(self, name: str) -> Sequence[int]:
        """Return the codes of one kind."""
        return self._codes[self._layout.codes[name]]

    def numbers(self, name: str) -> Sequence[float]:
        """Return the numbers of one kind."""
        return self._numbers[self._layout.numbers[name]]
