"""What a viewer gets to see, as frozen records: ``service`` fills them; pages, API and console tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from serving.store_people import Place

Band = Literal["calm", "watch", "act", "cannot_judge"]


def shown_plan(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a person's plan without its options: those are for the plan of the whole organisation."""
    return {name: told for name, told in plan.items() if name != "options"}


@dataclass(frozen=True)
class Run:
    """The batch behind everything on a page: when, by which model, from which data, and what the model declares."""

    id: int
    as_of: date
    computed_at: Any
    model_version: str
    bundle_sha256: str
    data_versions: dict[str, int]
    card: dict[str, Any]

    @property
    def horizon_days(self) -> int:
        """The horizon that bands, needs and expected exits refer to."""
        return int(self.card["reference_horizon_days"])


@dataclass(frozen=True)
class TeamNeed:
    """One team as a whole. ``figures`` is ``None`` when they would say something about single people (``groups``)."""

    team: str
    department: str | None
    figures: TeamFigures | None


@dataclass(frozen=True)
class TeamFigures:
    """How many may leave, of how many people judged, and what would have to change; ``needs`` as (driver, share).

    Whole people, see ``groups``."""

    n_people: int
    n_judged: int
    expected_exits: int
    low: int
    high: int
    needs: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Overview:
    """All teams within sight, those that need care first on top, small ones at the end without figures."""

    run: Run
    teams: tuple[TeamNeed, ...]


@dataclass(frozen=True)
class Assessed:
    """One person's assessment as the viewer may see it. Numbers are ``None`` for a viewer who sees bands only.

    ``interval`` per horizon: the two risks between which the person's own lies with a chance of 90 %; ``may_be``: the
    bands of these two at the reference horizon, when they are not one and the same.
    """

    employee_id: str
    name: str | None
    job: str | None
    team: str | None
    department: str | None
    seen_because: str
    valid_until: date
    band: Band | None
    risk: dict[str, float] | None
    other: dict[str, float] | None
    interval: dict[str, list[float]] | None
    may_be: tuple[Band, Band] | None
    cannot_judge_en: str | None
    cannot_judge_zh: str | None
    reasons: tuple[dict[str, Any], ...]
    plan: dict[str, Any]
    override: dict[str, Any] | None


@dataclass(frozen=True)
class Person:
    """Everything on a person's page; ``speaks_for``: the sides for which the viewer may agree to a care action."""

    run: Run
    assessed: Assessed
    cases: tuple[dict[str, Any], ...]
    speaks_for: frozenset[str]
    readers: tuple[dict[str, Any], ...]
    event: dict[str, Any] | None


@dataclass(frozen=True)
class TeamList:
    """The people of one team who need care, and where the next page starts."""

    run: Run
    team: str
    people: tuple[Assessed, ...]
    next: Place | None
    events: tuple[dict[str, Any], ...] = ()
    signals: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Forecast:
    """The hiring ledger within sight; ``lines`` as ``models.hiring`` wrote them, most hires first."""

    run: Run
    lines: tuple[dict[str, Any], ...]
    until: date
    service_level: float
    min_group: int
    valid_until: date
