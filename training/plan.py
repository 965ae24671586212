"""The plan of a training run: which snapshots, which horizons, which people, and how the past is cut for judging.

Defaults suit an organisation with monthly records. A TOML file may change any field; an unknown one is refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

from features.errors import FixableError
from features.kept import ENGINES


@dataclass(frozen=True)
class Rule:
    """Rows of the matrix by one column: ``minimum <= value <= maximum``, or ``value`` one of ``values``."""

    column: str
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Beside:
    """A figure that somebody else got on the same windows, shown beside ours: never read by the model."""

    name: str
    auc: float
    average_precision: float | None = None


@dataclass(frozen=True)
class Plan:
    """What to learn and how to judge it.

    ``horizons_days``: risks told, ascending. ``reference_horizon_days``: the horizon of bands and reasons.
    ``every_days``: 0 takes month-ends, otherwise every so many days from ``first_as_of``. Of a longer history the last
    ``most_snapshots`` are taken: what held more than five years ago says little about today. ``eligible``: people
    outside the rules get no score and teach nothing. ``apart``: rows that do not count in the headline and are
    reported apart (a mass off-boarding, say). ``gap_days``: between the last day that teaches and the first that
    tests; None is the longest horizon. ``origins``: how many, or which dates. ``test_until``: the last as_of that
    tests. ``accepted``: columns that the leak sentinel would stop at, each with the reason why they are honest.
    ``mass_events``: ``keep_out`` takes the exits of a mass event (a closing, a merger) out of the labels, ``report``
    only tells of it, ``off`` does not look. ``bands``: multiples of the base rate from which a person is in *watch*
    and in *act*. ``beside``: figures of others at the reference horizon, to be printed beside ours.
    ``days_to_fill``: how long a seat is taken to stay empty, where the records do not tell.
    """

    horizons_days: tuple[int, ...] = (30, 90, 180, 365)
    reference_horizon_days: int = 180
    every_days: int = 0
    first_as_of: date | None = None
    last_as_of: date | None = None
    most_snapshots: int = 60
    labels_closed_on: date | None = None
    eligible: tuple[Rule, ...] = ()
    apart: tuple[Rule, ...] = ()
    gap_days: int | None = None
    origins: int | tuple[date, ...] = 3
    test_until: date | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)
    mass_events: str = "keep_out"
    bands: Mapping[str, float] = field(default_factory=lambda: {"watch": 1.5, "act": 2.5})
    beside: tuple[Beside, ...] = ()
    days_to_fill: int = 60
    folds: int = 4
    recent_days: int = 365
    seed: int = 0
    engine: str = "polars"

    def __post_init__(self) -> None:
        """Refuse horizons that make no sense, all at once."""
        problems = []
        if not self.horizons_days or list(self.horizons_days) != sorted(set(self.horizons_days)):
            problems.append(f"horizons_days must rise: {list(self.horizons_days)}")
        if min(self.horizons_days, default=0) <= 0:
            problems.append(f"horizons_days must be positive: {list(self.horizons_days)}")
        if self.reference_horizon_days not in self.horizons_days:
            problems.append(f"reference_horizon_days {self.reference_horizon_days} must be one of horizons_days")
        if self.every_days and self.first_as_of is None:
            problems.append("every_days needs first_as_of")
        if self.mass_events not in ("keep_out", "report", "off"):
            problems.append(f"mass_events is keep_out, report or off, not {self.mass_events!r}")
        problems += [
            f"accepted.{column} needs a reason: the model's card will show it"
            for column, why in self.accepted.items()
            if not str(why).strip()
        ]
        if self.engine not in ENGINES:
            problems.append(f"engine {self.engine} must be one of {list(ENGINES)}")
        if problems:
            raise FixableError("The plan does not make sense:", problems)

    @property
    def gap(self) -> int:
        """Return the days between the last ``as_of`` that teaches and the origin."""
        return max(self.horizons_days) if self.gap_days is None else self.gap_days

    @property
    def edges(self) -> tuple[int, ...]:
        """Return the ends of the hazard intervals: every horizon, and a cut in the middle of gaps above 120 days."""
        out: list[int] = []
        for end in self.horizons_days:
            start = out[-1] if out else 0
            if end - start > 120:
                out.append((start + end) // 2 // 30 * 30)
            out.append(end)
        return tuple(out)


def load_plan(path: Path | None) -> Plan:
    """Return the plan in a TOML file; without a file, the defaults."""
    if path is None:
        return Plan()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as problem:
        raise FixableError(f"The plan {path} cannot be read: {problem}") from problem
    known = {f.name for f in fields(Plan)}
    unknown = sorted(set(data) - known)
    if unknown:
        raise FixableError(f"The plan {path} has unknown fields:", [f"{u} (known: {sorted(known)})" for u in unknown])
    return Plan(**{name: _value(name, value, path) for name, value in data.items()})


def _value(name: str, value: Any, path: Path) -> Any:
    if name in ("eligible", "apart"):
        allowed = {f.name for f in fields(Rule)}
        for rule in value:
            if "column" not in rule or set(rule) - allowed:
                raise FixableError(f"{path}: a rule of {name} has column and some of {sorted(allowed)}, got {rule}")
        return tuple(Rule(**{**rule, "values": tuple(rule.get("values", ()))}) for rule in value)
    if name == "beside":
        return tuple(Beside(**figure) for figure in value)
    return tuple(value) if isinstance(value, list) else value
