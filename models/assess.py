"""The recipe of this package: one row per person → risk → band → reasons → care plan, told in words.

The same function serves nightly scoring and a single request; a person alone gets the same answer as in a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from datetime import date
from math import isfinite, nan
from typing import Any

from features.matrix import Matrix
from models.bands import Band, band_of
from models.bundle import Bundle
from models.care import CarePlan, Catalog, Option, PlannedAction, ways_of
from models.explain import Fact, Reason
from models.judged import Judged, judge
from models.own_effects import OwnEffects
from models.tell import Teller

__all__ = ["Assessment", "CarePlan", "Fact", "PlannedAction", "Reason", "assess", "band_of"]


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
    found = judge(bundle, matrix, ways=ways_of(catalog, own), unheard=unheard)
    teller = Teller(found.dictionary)
    return [_assessment(found, i, teller) for i in range(len(found))]


def _assessment(found: Judged, i: int, teller: Teller) -> Assessment:
    known, why, record = found.dictionary, found.why_not.get(i), found.records[i].tobytes()
    told, person, day = teller.all_of(record, judged=why is None), found.employee_ids[i], found.as_of[i]
    plan = told["plan"]
    empty = plan["empty_because_en"], plan["empty_because_zh"]
    care = CarePlan(
        tuple(PlannedAction(**one) for one in plan["actions"]), *empty, tuple(Option(**o) for o in plan["options"])
    )
    if why is not None:
        nothing = dict.fromkeys(known.horizons, nan)
        return Assessment(person, day, nothing, dict(nothing), {}, "cannot_judge", *why, nan, nan, (), care)
    reasons = tuple(Reason(**{**one, "facts": tuple(Fact(**fact) for fact in one["facts"])}) for one in told["reasons"])
    risk, other = ({int(days): value for days, value in told[name].items()} for name in ("risk", "other"))
    ends = {int(days): (low, high) for days, (low, high) in (told["interval"] or {}).items()}
    score = known.base + sum([reason.contribution for reason in reasons])
    return Assessment(person, day, risk, other, ends, found.band(i), None, None, score, known.base, reasons, care)


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
