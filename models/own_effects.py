"""What care did in this organisation, as ``effects.json`` carries it from learning to serving; refused when malformed.

Training and serving never import each other, so this file is their contract: one estimate per action, on the log
hazard and on the risk within a horizon, with a verdict. It is read whole or not at all: half of it would rank actions
by whichever half was left.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

from features.errors import FixableError

FORMAT = 1
COUNTS = ("helps", "no_effect_seen", "harms")
TELLS_NOTHING = ("cannot_tell_yet", "not_identified")
VERDICTS = (*COUNTS, *TELLS_NOTHING)
WIDEST = 5.0
"""Log hazard ratios and errors beyond this are a mistake: a factor of 150."""


@dataclass(frozen=True)
class Own:
    """The organisation's estimate of one action. ``treated`` people were given it, ``controls`` were not.

    ``risk_difference`` with ``low`` and ``high`` (95 %) is in probability of a voluntary exit within ``horizon_days``.
    """

    treated: int
    controls: int
    horizon_days: int
    verdict: str
    log_hazard_ratio: float | None = None
    standard_error: float | None = None
    risk_difference: float | None = None
    low: float | None = None
    high: float | None = None
    smallest_detectable: float | None = None
    why: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether the estimate may move what is believed."""
        return self.verdict in COUNTS


@dataclass(frozen=True)
class OwnEffects:
    """All estimates of one day, with the data they rest on."""

    made_on: date
    data_version: str
    actions: Mapping[str, Own]


def read_own(file: Path) -> OwnEffects | None:
    """Return the organisation's own estimates, or ``None`` when nothing was estimated yet (no file).

    Raises ``FixableError`` that names every action, key, value and rule that is broken.
    """
    if not file.exists():
        return None
    again = "Write it anew with: retention-train effects; or delete it to use published studies alone."
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FixableError(f"The effects of care {file} cannot be read.", [str(error), again]) from error
    problems = list(_problems(found))
    if problems:
        raise FixableError(f"The effects of care {file} are not as they should be.", [*problems, again])
    actions = {name: _own(told) for name, told in found["actions"].items()}
    return OwnEffects(date.fromisoformat(found["made_on"]), str(found["data_version"]), actions)


def _own(told: Mapping[str, Any]) -> Own:
    kept = {name: told[name] for name in ("treated", "controls", "horizon_days", "verdict")}
    numbers = ("log_hazard_ratio", "standard_error", "risk_difference", "low", "high", "smallest_detectable")
    kept |= {name: None if told.get(name) is None else float(told[name]) for name in numbers}
    return Own(**kept, why=tuple(told.get("why", ())))


def _problems(found: Any) -> Iterable[str]:
    if not isinstance(found, dict) or not isinstance(found.get("actions"), dict):
        yield 'must be an object with "format", "made_on", "data_version" and "actions"'
        return
    if found.get("format") != FORMAT:
        yield f"format: must be {FORMAT}, got {found.get('format')!r}"
    if not _is_day(found.get("made_on")):
        yield f"made_on: must be a day YYYY-MM-DD, got {found.get('made_on')!r}"
    if "data_version" not in found:
        yield "data_version: is missing"
    for name, told in found["actions"].items():
        yield from (f"{name}: {problem}" for problem in _action_problems(told))


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _action_problems(told: Any) -> Iterable[str]:
    if not isinstance(told, dict):
        yield "must be an object"
        return
    verdict = told.get("verdict")
    if verdict not in VERDICTS:
        yield f"verdict: must be one of {', '.join(VERDICTS)}, got {verdict!r}"
    for name, least in (("treated", 0), ("controls", 0), ("horizon_days", 1)):
        value = told.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            yield f"{name}: must be a whole number of at least {least}, got {value!r}"
    yield from _estimate_problems(told, needed=verdict in COUNTS)
    yield from _interval_problems(told)
    if not isinstance(told.get("why", []), list) or not all(isinstance(w, str) for w in told.get("why", [])):
        yield "why: must be a list of words"


def _estimate_problems(told: Mapping[str, Any], *, needed: bool) -> Iterable[str]:
    value, error = told.get("log_hazard_ratio"), told.get("standard_error")
    if (needed or value is not None) and not _within(value, -WIDEST, WIDEST):
        yield f"log_hazard_ratio: must be a number from {-WIDEST:g} to {WIDEST:g}, got {value!r}"
    if (needed or error is not None) and not (_within(error, 0, WIDEST) and error):
        yield f"standard_error: must be a number above 0 and at most {WIDEST:g}, got {error!r}"


def _interval_problems(told: Mapping[str, Any]) -> Iterable[str]:
    numbers = {name: told.get(name) for name in ("low", "risk_difference", "high")}
    for name, value in (*numbers.items(), ("smallest_detectable", told.get("smallest_detectable"))):
        if value is not None and not _within(value, -1, 1):
            yield f"{name}: must be a number from -1 to 1, got {value!r}"
            return
    known = [value for value in numbers.values() if value is not None]
    if known != sorted(known):
        yield "low <= risk_difference <= high must hold"


def _within(value: Any, low: float, high: float) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and isfinite(value) and low <= value <= high
