"""The recipe of this package: one row per person → risk → band → reasons → care plan.

The same function serves nightly scoring and a single request; a person alone gets the same answer as in a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from math import isfinite, nan
from typing import Any

import numpy as np

from features.matrix import Matrix
from models.abstain import cannot_judge, cards_of
from models.bands import Band, band_of
from models.bundle import Bundle
from models.care import CarePlan, Carried, Catalog, PlannedAction, carried, plan
from models.evidence import effects
from models.explain import Fact, Reason, explain
from models.own_effects import OwnEffects

__all__ = ["Assessment", "CarePlan", "Fact", "PlannedAction", "Reason", "assess", "band_of"]

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
        return _plain(asdict(self))


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
    model, card = bundle.model, bundle.card
    people = matrix.frame.to_dicts()
    if not people:
        return []
    rows = model.coded(people)
    horizons = sorted({*card.horizons_days, card.reference_horizon_days})
    incidence = model.cumulative_incidence(rows, horizons)
    intervals = model.interval(rows, horizons)
    base, contributions = model.contributions(rows)
    cards = cards_of(model.columns, card)
    reasons = explain(contributions, cards, values=people, typical=card.typical)
    shares, believed = carried(contributions, cards), effects(catalog, own)
    # Conditions of an action see shown columns only: a plan must not give away what may not be told.
    told = [c.column for c in matrix.cards if c.shown]
    out = []
    for i, person in enumerate(people):
        why_not = (unheard or {}).get(person["employee_id"]) or cannot_judge(person, card, cards=cards)
        if why_not:
            out.append(_silent(person, horizons, why_not))
            continue
        risk, other = (_by_horizon(horizons, incidence[i, :, cause]) for cause in (1, 2))
        told_between = {} if intervals is None else dict(zip(horizons, map(tuple, intervals[i].tolist()), strict=True))
        at_reference = risk[card.reference_horizon_days]
        band, facts = band_of(at_reference, card.bands), {c: person[c] for c in told}
        soon = [days for days in horizons if days <= min(TOO_SOON, card.reference_horizon_days / 2)]
        late = at_reference - (risk[soon[-1]] if soon else 0.0)
        care = plan(shares[i], facts, band=band, catalog=catalog, believed=believed, risk=max(late, 0.0))
        score = base + sum(reason.contribution for reason in reasons[i])
        who = (person["employee_id"], person["as_of"])
        out.append(Assessment(*who, risk, other, told_between, band, None, None, score, base, reasons[i], care))
    return out


def _by_horizon(horizons: Sequence[int], chances: np.ndarray) -> dict[int, float]:
    return dict(zip(horizons, chances.tolist(), strict=True))


def _silent(person: Mapping[str, Any], horizons: Sequence[int], why: tuple[str, str]) -> Assessment:
    """Return an assessment without any number: nothing is guessed from what is left."""
    nothing = dict.fromkeys(horizons, nan)
    empty = plan(Carried({}, {}), {}, band="cannot_judge", catalog=Catalog(()))
    who = (person["employee_id"], person["as_of"])
    return Assessment(*who, nothing, dict(nothing), {}, "cannot_judge", *why, nan, nan, (), empty)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    return value
