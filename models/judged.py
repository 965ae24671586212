"""What the model says of many people at once, in columns: risks, intervals, bands, reasons and plans as numbers.

    one row per person ─▶ Known ─▶ model.said ─▶ bands, facts, plans ─▶ records and the dictionary they refer to

Nothing here is a sentence: ``models.tell`` makes those of one record when somebody reads it. A person alone gets the
same record as among a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from features.cards import DRIVERS, Card
from features.matrix import Matrix
from models.abstain import cannot_judge, cards_of
from models.bands import Band
from models.bundle import Bundle
from models.care import EMPTY, Carriers, Picked, made, picked, shares_of
from models.explain import Areas, Found, Levels, explained
from models.known import INDEX, Known
from models.record import Dictionary, Layout
from models.risk import Said
from models.ways import BANDS, Ways

AT_ONCE = 4096
"""People per step: what is worked out of them stays in the processor's cache."""

TOO_SOON = 45
"""Days. A notice given before is hardly prevented: care takes weeks to begin, and most have decided by then."""


@dataclass(frozen=True)
class Judged:
    """What is said of n people. ``bands`` (n,) are places in ``BANDS``, -1 where ``why_not`` says why nobody can judge.

    ``records`` (n,) hold codes and numbers as ``models.record`` tells, those of people whom nobody can judge empty;
    ``at_reference`` (n,) is the risk at the reference horizon, NaN there.
    """

    employee_ids: Sequence[str]
    as_of: Sequence[date]
    bands: np.ndarray
    why_not: Mapping[int, tuple[str, str]]
    at_reference: np.ndarray
    records: np.ndarray
    dictionary: Dictionary

    def __len__(self) -> int:
        """Return how many people."""
        return len(self.employee_ids)

    def band(self, i: int) -> Band:
        """Return the band of one person."""
        return "cannot_judge" if self.bands[i] < 0 else BANDS[self.bands[i]]  # type: ignore[return-value]

    def raises(self) -> dict[str, np.ndarray]:
        """Return (n,) by driver how much it raises each score, never below zero; 0 for whom nobody can judge."""
        sums = np.maximum(self.records["numbers"][:, self.dictionary.layout.numbers["sums"]], 0.0)
        return {driver: sums[:, d] for d, driver in enumerate(self.dictionary.drivers)}


@dataclass(frozen=True)
class Reader:
    """What is the same for everybody whom a model judges by a catalog; made once for both (``reader_of``)."""

    horizons: tuple[int, ...]
    cards: Sequence[Card]
    areas: Areas
    carriers: Carriers
    needed: frozenset[str]
    conditions: Sequence[str]
    dictionary: Dictionary


def reader_of(bundle: Bundle, ways: Ways, shown: frozenset[str]) -> Reader:
    """Return how this model and these ways read a matrix of which the columns ``shown`` may be told."""
    found = bundle.kept.get("reader")
    if found is None or found[0] is not ways or found[1] != shown:
        found = bundle.kept["reader"] = (ways, shown, _reader(bundle, ways, shown))
    reader: Reader = found[2]
    return reader


def _reader(bundle: Bundle, ways: Ways, shown: frozenset[str]) -> Reader:
    card = bundle.card
    horizons = tuple(sorted({*card.horizons_days, card.reference_horizon_days}))
    cards = cards_of(bundle.model.columns, card)
    areas = Areas.of(cards)
    # Conditions of an action see shown columns only: a plan must not give away what may not be told.
    conditions = [column for column in dict.fromkeys(ways.rules.columns) if column in shown]
    needed = frozenset({*bundle.model.columns, *conditions, *(rule["column"] for rule in card.eligible)})
    dictionary = Dictionary(
        layout=Layout(len(horizons), len(areas.drivers)),
        horizons=horizons,
        base=0.0,
        drivers=areas.drivers,
        columns=areas.columns(cards, card.typical),
        levels={},
        every_driver=DRIVERS,
        actions=tuple(one.id for one in ways.actions),
        planned={},
        empty=tuple(EMPTY.values()),
    )
    return Reader(horizons, cards, areas, Carriers.of(cards), needed, conditions, dictionary)


def judge(
    bundle: Bundle, matrix: Matrix, *, ways: Ways, unheard: Mapping[str, tuple[str, str]] | None = None
) -> Judged:
    """Return what is said of every row of the matrix, in its order.

    ``unheard`` maps people of whom a material feed says nothing any more to the reason (``abstain.unheard``).
    """
    reader = reader_of(bundle, ways, frozenset(card.column for card in matrix.cards if card.shown))
    n, levels = matrix.frame.height, Levels()
    records = np.zeros(n, dtype=reader.dictionary.layout.dtype)
    bands, at_reference = np.zeros(n, dtype=np.int8), np.full(n, np.nan)
    why_not: dict[int, tuple[str, str]] = {}
    ids, days = (matrix.frame[name].to_list() for name in INDEX)
    base, used = 0.0, set[int]()
    for start in range(0, n, AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        known = Known.of_frame(matrix.frame[rows], only=reader.needed)
        said = bundle.model.said(known, reader.horizons)
        mine = cannot_judge(known, bundle.card, cards=reader.cards)
        if unheard:
            mine = [unheard.get(one, why) for one, why in zip(ids[rows], mine, strict=True)]
        judged = np.array([why is None for why in mine])
        why_not |= {start + i: why for i, why in enumerate(mine) if why is not None}
        risk = said.incidence[:, reader.horizons.index(bundle.card.reference_horizon_days), 1]
        bands[rows] = np.where(judged, _bands(risk, bundle.card.bands), -1)
        at_reference[rows] = np.where(judged, risk, np.nan)
        found = explained(said.shares, reader.areas, known, levels)
        care = _care(reader, said, known, bands=bands[rows], ways=ways, late=_late(reader, said, bundle))
        used |= set(np.unique(care.actions * len(DRIVERS) + care.through - 1).tolist())
        _write(records[rows], reader.dictionary.layout, said, found=found, care=care, judged=judged)
        base = said.base
    known_levels = {column: tuple(places) for column, places in levels.items()}
    dictionary = replace(reader.dictionary, base=base, levels=known_levels, planned=_planned(ways, used - {-1}))
    return Judged(ids, days, bands, why_not, at_reference, records, dictionary)


def _bands(risk: np.ndarray, bands: Mapping[str, float]) -> np.ndarray:
    """Return the places in ``BANDS``, by the rule of ``bands.band_of``."""
    return np.where(risk >= bands["act"], 2, np.where(risk >= bands["watch"], 1, 0))


def _late(reader: Reader, said: Said, bundle: Bundle) -> np.ndarray:
    """Return (n,) the risk that care can still change: within the reference horizon, but not at once."""
    days = bundle.card.reference_horizon_days
    soon = [i for i, horizon in enumerate(reader.horizons) if horizon <= min(TOO_SOON, days / 2)]
    whole = said.incidence[:, reader.horizons.index(days), 1]
    return np.maximum(whole - (said.incidence[:, soon[-1], 1] if soon else 0.0), 0.0)


def _care(reader: Reader, said: Said, known: Known, *, bands: np.ndarray, ways: Ways, late: np.ndarray) -> Picked:
    facts = known.only(reader.conditions)
    return picked(shares_of(said.shares, reader.carriers), facts, bands=bands, ways=ways, risk=late)


def _planned(ways: Ways, used: set[int]) -> dict[str, dict[str, Any]]:
    """Return every suggestion of the batch in full, by action and driver."""
    found = {}
    for action, driver in (divmod(one, len(DRIVERS)) for one in sorted(used)):
        one = made(ways, action - 1, driver)
        found[f"{one.action} {one.driver}"] = {name: getattr(one, name) for name in one.__dataclass_fields__}
    return found


def _write(out: np.ndarray, layout: Layout, said: Said, *, found: Found, care: Picked, judged: np.ndarray) -> None:
    """Write the records of these people; the numbers of those whom nobody can judge stay empty."""
    numbers, codes = out["numbers"], out["codes"]
    n, k = len(out), len(care.options)
    ends = np.full((n, len(said.incidence[0]), 2), np.nan) if said.interval is None else said.interval
    told = {
        "risk": said.incidence[:, :, 1],
        "other": said.incidence[:, :, 2],
        "low": ends[:, :, 0],
        "high": ends[:, :, 1],
    }
    told |= {"sums": found.sums.T, "values": found.value.reshape(-1, n).T, "adds": found.adds.reshape(-1, n).T}
    for name, value in told.items():
        numbers[:, layout.numbers[name]] = value
    codes[:, layout.codes["columns"]] = found.code.reshape(-1, n).T
    if not judged.all():
        numbers[~judged] = codes[~judged] = 0
    codes[:, layout.codes["actions"]], codes[:, layout.codes["through"]] = care.actions.T, care.through.T
    codes[:, layout.codes["why_empty"]] = care.why[:, None]
    for name, value in (("options", care.options), ("option_drivers", care.option_drivers)):
        codes[:, layout.codes[name]][:, :k] = value.T
    for name, value in (("avoided", care.avoided), ("sd", care.sd)):
        numbers[:, layout.numbers[name]][:, :k] = value.T
