"""The recipe of this package: one row per person → risk → band → reasons → care plan.

The same function serves nightly scoring and a single request; a person alone gets the same answer as in a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import date
from math import isfinite, nan
from typing import Any

import numpy as np

from features.matrix import Matrix
from models.abstain import cannot_judge, cards_of
from models.bands import Band, band_of
from models.bundle import Bundle
from models.care import CarePlan, Catalog, PlannedAction, plans, shares_of, ways_of
from models.explain import Fact, Reason, explain
from models.known import INDEX, Known
from models.own_effects import OwnEffects
from models.ways import Ways

__all__ = ["Assessment", "CarePlan", "Fact", "PlannedAction", "Reason", "assess", "band_of"]

AT_ONCE = 2048
"""People per step: what is worked out of them stays in the processor's cache."""

TOO_SOON = 45
"""Days. A notice given before is hardly prevented: care takes weeks to begin, and most have decided by then."""


@dataclass(frozen=True)
class Assessment:
    """What the service says about one person on one day, and until more is known.

    ``risk`` and ``other`` are probabilities of a voluntary and of any other exit in ``(as_of, as_of + horizon]``, by
    horizon in days; ``interval`` holds the two risks between which the person's own lies with a chance of 90 %, and is
    empty where the model does not know its doubt. When ``band`` is ``cannot_judge`` every number is NaN (``None`` in
    JSON), ``interval``, ``reasons`` and ``plan`` are empty, and ``cannot_judge_en`` / ``_zh`` say why.
    """

    employee_id: str
    as_of: date
    risk: dict[int, float]
    other: dict[int, float]
    interval: dict[int, tuple[float, float]]
    band: Band
    cannot_judge_en: str | None
    cannot_judge_zh: str | None
    score: float
    base: float
    reasons: tuple[Reason, ...]
    plan: CarePlan

    def to_dict(self) -> dict[str, Any]:
        """The same facts with JSON types only: dates ISO, tuples as lists, horizons as text keys, NaN as None."""
        told: dict[str, Any] = _plain(self)
        return told


def assess(
    bundle: Bundle,
    matrix: Matrix,
    *,
    catalog: Catalog,
    own: OwnEffects | None = None,
    unheard: Mapping[str, tuple[str, str]] | None = None,
) -> list[Assessment]:
    """Return one assessment per row of the matrix, in its order. The model is asked once for the whole batch.

    ``own`` is what care did in this organisation (``own_effects.read_own``). ``unheard`` maps people of whom a material
    feed says nothing any more to the reason (``abstain.unheard``).
    """
    ways = ways_of(catalog, own)
    parts = matrix.frame.iter_slices(AT_ONCE) if matrix.frame.height else ()
    return [one for part in parts for one in _assessed(bundle, Matrix(part, matrix.cards), ways, unheard or {})]


def _assessed(
    bundle: Bundle, matrix: Matrix, ways: Ways, unheard: Mapping[str, tuple[str, str]]
) -> Iterator[Assessment]:
    card, known = bundle.card, Known.of_frame(matrix.frame)
    horizons = sorted({*card.horizons_days, card.reference_horizon_days})
    said = bundle.model.said(known, horizons)
    cards = cards_of(bundle.model.columns, card)
    reasons = explain(said.shares, cards, values=known, typical=card.typical)
    index = list(zip(*(matrix.frame[name].to_list() for name in INDEX), strict=True))
    blank = cannot_judge(known, card, cards=cards)
    why_not = [unheard.get(person) or blank[i] for i, (person, _) in enumerate(index)]
    at_reference = said.incidence[:, horizons.index(card.reference_horizon_days), 1]
    bands = [
        "cannot_judge" if why else band_of(risk, card.bands)
        for risk, why in zip(at_reference.tolist(), why_not, strict=True)
    ]
    soon = [i for i, days in enumerate(horizons) if days <= min(TOO_SOON, card.reference_horizon_days / 2)]
    late = np.maximum(at_reference - (said.incidence[:, soon[-1], 1] if soon else 0.0), 0.0)
    # Conditions of an action see shown columns only: a plan must not give away what may not be told.
    told = known.only([c.column for c in matrix.cards if c.shown])
    care = plans(shares_of(said.shares, cards), told, bands=bands, ways=ways, risk=late)
    risk, other = said.incidence[:, :, 1].tolist(), said.incidence[:, :, 2].tolist()
    between = None if said.interval is None else said.interval.tolist()
    for i, (person, as_of) in enumerate(index):
        if why := why_not[i]:
            nothing = dict.fromkeys(horizons, nan)
            yield Assessment(person, as_of, nothing, dict(nothing), {}, "cannot_judge", *why, nan, nan, (), care[i])
            continue
        ends = {} if between is None else dict(zip(horizons, map(tuple, between[i]), strict=True))
        score = said.base + sum([reason.contribution for reason in reasons[i]])
        mine = dict(zip(horizons, risk[i], strict=True)), dict(zip(horizons, other[i], strict=True))
        no = None  # nothing keeps us from judging
        yield Assessment(person, as_of, *mine, ends, bands[i], no, no, score, said.base, reasons[i], care[i])


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value.isoformat() if isinstance(value, date) else value
