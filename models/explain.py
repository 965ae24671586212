"""Why a score is what it is: contributions → drivers → the facts that speak for each, in columns for many people.

The words are made from these by ``models.tell`` when somebody reads them. The trap: a sum or a choice must not depend
on how many people are asked at once, so everything here goes over people, never over what is added up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from features.cards import DRIVERS, Card
from models.grouped import add_rows, grouped
from models.known import Known
from models.phrases import known_value
from models.record import MAX_FACTS, TOLD_FACTS, Column

if TYPE_CHECKING:
    from lightgbm import Booster

PLACES = 127
"""The last bits of a size, as a short number, give way to the place of its column among its driver's: equals go by
place, and sizes that differ by less than two parts in 10⁵ count as equal where some have to be left out."""


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


@dataclass(frozen=True)
class Areas:
    """The model's columns by driver: which are added up for each, and which may be told.

    ``added`` (m,) lists the columns in the order in which they are added up and ``whose`` (m,) their drivers. ``shown``
    (s,) are the columns that may be told, those of a driver together and by name; ``first`` says where each driver's
    begin and ``area`` (s,) whose a column is; ``telling`` are the drivers that have any.
    """

    drivers: tuple[str, ...]
    added: np.ndarray
    whose: np.ndarray
    shown: np.ndarray
    names: tuple[str, ...]
    area: np.ndarray
    telling: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, cards: Sequence[Card]) -> Areas:
        """Return the areas of the columns with these cards."""
        members: dict[str, list[int]] = {}
        for j in sorted(range(len(cards)), key=lambda j: cards[j].column):
            members.setdefault(cards[j].driver, []).append(j)
        drivers = tuple(driver for driver in DRIVERS if driver in members)
        every = [(d, j) for d, one in enumerate(drivers) for j in members[one]]
        whose, added = (np.array([pair[side] for pair in every], dtype=np.intp) for side in (0, 1))
        told = np.array([cards[j].shown for j in added], dtype=bool)
        area, shown = whose[told], added[told]
        telling, first = np.unique(area, return_index=True)
        if (most := int(np.bincount(area).max(initial=0))) > PLACES:
            raise ValueError(f"a driver has {most} columns that may be told, at most {PLACES} can be")
        return cls(drivers, added, whose, shown, tuple(cards[j].column for j in shown), area, telling, first)

    @cached_property
    def rank(self) -> np.ndarray:
        """What the place of each column among its driver's leaves in the last bits of a size: the first the most."""
        whose = np.searchsorted(self.telling, self.area)
        return (PLACES - (np.arange(len(self.area)) - self.first[whose])).astype(np.int32)

    def sums(self, contributions: np.ndarray) -> np.ndarray:
        """Return (drivers, n) what each driver adds, hidden columns included, from ``contributions`` (n, p)."""
        out = np.zeros((len(self.drivers), len(contributions)))
        return add_rows(out, contributions.T, self.added, self.whose)

    def columns(self, cards: Sequence[Card], typical: Mapping[str, Any]) -> tuple[Column, ...]:
        """Return the columns that may be told, in the order of their codes."""
        told = (cards[j] for j in self.shown)
        return tuple(Column(c.column, c.unit, c.words_en, c.words_zh, known_value(typical.get(c.column))) for c in told)


@dataclass(frozen=True)
class Found:
    """Arrays of n people: ``sums`` (drivers, n); the others (drivers, facts + told, n), of the columns picked.

    ``code`` is the place of a column among those that may be told plus one, 0 where none is; ``value`` what is recorded
    (NaN: nothing), of a category the place of its level; ``adds`` what it adds to the score.
    """

    sums: np.ndarray
    code: np.ndarray
    value: np.ndarray
    adds: np.ndarray


Levels = dict[str, dict[float | str | None, int]]
"""What occurs in the columns that hold texts, each with its place; it grows as people are read."""


def explained(contributions: np.ndarray, areas: Areas, values: Known, levels: Levels) -> Found:
    """Return what each driver adds, its ``MAX_FACTS`` strongest facts, and the ``TOLD_FACTS`` its sentence may name.

    ``contributions`` is (n, p) in log-odds, in the order of the cards of ``areas``; ``values`` is what is recorded of
    the same n people. A sentence names what pulls the way of the whole driver, and nothing where nothing is recorded:
    that counts in the score, but as a reason it says nothing that anybody could act on.
    """
    sums = areas.sums(contributions)
    n, width = len(contributions), MAX_FACTS + TOLD_FACTS
    code = np.zeros((len(areas.drivers), width, n), dtype=np.uint16)
    value, adds = np.full(code.shape, np.nan), np.zeros(code.shape)
    if areas.shown.size and n:
        parts = contributions.T.take(areas.shown, axis=0)
        size = np.abs(parts.astype(np.float32)).view(np.int32)
        size &= ~PLACES
        size |= areas.rank[:, None]
        same_way = values.has(areas.names).T & ((parts > 0) == (sums > 0)[areas.area]) & (sums != 0)[areas.area]
        named = _strongest(size * same_way, areas, TOLD_FACTS)
        places = np.concatenate([_strongest(size, areas, MAX_FACTS), named], axis=1)
        picked = np.maximum(places, 0) * n + np.arange(n)
        code[areas.telling], there = places + 1, places >= 0
        recorded = _recorded(values, areas.names, levels)
        value[areas.telling] = np.where(there, recorded.ravel().take(picked), np.nan)
        adds[areas.telling] = np.where(there, parts.ravel().take(picked), 0.0)
    return Found(sums, code, value, adds)


def _strongest(size: np.ndarray, areas: Areas, most: int) -> np.ndarray:
    """Return (telling, most, n) the places of the largest of each driver, -1 where none is left; uses up ``size``."""
    found = np.empty((len(areas.telling), most, size.shape[1]), dtype=np.int64)
    first = areas.first[:, None]
    ends = (*areas.first[1:].tolist(), len(size))
    for k in range(most):
        best = grouped(np.maximum, size, areas.first)
        found[:, k] = np.where(best > PLACES, PLACES - (best & PLACES) + first, -1)
        if k + 1 < most:
            for start, end, one in zip(areas.first.tolist(), ends, best, strict=True):
                np.copyto(size[start:end], 0, where=size[start:end] == one)
    return found


def _recorded(values: Known, names: Sequence[str], levels: Levels) -> np.ndarray:
    """Return (s, n) what is recorded in these columns; of one that holds texts the place of each among its levels."""
    out = values.of(names).T
    for j, name in enumerate(names):
        if name in values.texts:
            said: Sequence[float | str | None] = values.texts[name]
            if np.isfinite(out[j]).any():  # one person's may be a number where another's is a text
                said = [values.value(i, name) for i in range(len(values))]
            places = levels.setdefault(name, {})
            for one in sorted({one for one in said if one is not None} - set(places), key=str):
                places[one] = len(places)
            out[j] = np.array([*map(places.get, said)], dtype=float)
    return out


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
