"""What an entry of the catalog of care actions must hold; every breach is named, nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from features.cards import DRIVERS

KINDS = (
    "conversation",
    "development",
    "opportunity",
    "recognition",
    "relief",
    "flexibility",
    "pay",
    "community",
    "process",
    "support",
    "wellbeing",
    "leadership",
    "voice",
)
BANDS = ("watch", "act")
LEVELS = ("none", "low", "medium", "high")
EVIDENCE_KINDS = ("rct", "quasi_experiment", "observational", "practice")
DECIDERS = ("manager", "hr", "manager_and_hr", "department_head", "leadership")
TEXTS = ("title", "for_whom", "money", "first_step", "why", "watch", "harm")
KEYS = {"id", "kind", "drivers", "answers_unchangeable", "bands", "when", "who_decides", "cost", "harm_level"}
KEYS |= {"manager_hours", "days", "pay_months", "capacity", "reaches", "parts", "consent"}
EVIDENCE_KEYS = {"kind", "effect_hr", "low", "high", "source", "note", "assumed"}


NEVER_OFFERED = re.compile(
    r"dismiss|terminat|disciplin|pay cut|cut (the )?pay|lower (the )?pay|surveil|monitor|formal warning"
    r"|辞退|解雇|开除|降薪|减薪|扣薪|监控|监视|监听|处分|警告",
    re.IGNORECASE,
)
"""What no title, first step or question may hold: an action never threatens, watches more closely or lowers pay."""


def entry_problems(entries: list[Any]) -> list[str]:
    """Return everything wrong with the entries of a catalog: ``id: key and rule``."""
    problems = [f"{_name(entry, n)}: {problem}" for n, entry in enumerate(entries, 1) for problem in _problems(entry)]
    tables = [entry for entry in entries if isinstance(entry, dict)]
    ids = [entry.get("id") for entry in tables]
    problems += [f"{name}: this id is used twice" for name in sorted({str(i) for i in ids if ids.count(i) > 1})]
    whole = {entry.get("id") for entry in tables if not entry.get("parts")}
    for entry in tables:
        parts = entry.get("parts", [])
        listed = parts if isinstance(parts, list) else [parts]
        missing = [str(part) for part in listed if part not in whole]
        problems += [f"{entry.get('id')}: parts: {part!r} is no single entry of the catalog" for part in missing]
    return problems


def _name(entry: Any, number: int) -> str:
    found = entry.get("id") if isinstance(entry, dict) else None
    return str(found) if found else f"action number {number}"


def _problems(entry: Any) -> Iterable[str]:
    if not isinstance(entry, dict):
        yield "must be an [[action]] table"
        return
    yield from (f"unknown key {key!r}" for key in sorted(set(entry) - KEYS - set(TEXTS) - {"guide", "evidence"}))
    if not (isinstance(entry.get("id"), str) and re.fullmatch(r"[a-z][a-z0-9_]*", entry["id"])):
        yield "id must be lower-case letters, digits and _"
    yield from _choice_problems(entry)
    yield from _number_problems(entry)
    for key in TEXTS:
        yield from _words_problems(entry.get(key), key)
    yield from _guide_problems(entry.get("guide"))
    yield from _promise_problems(entry)
    yield from _condition_problems(entry.get("when", []))
    yield from _evidence_problems(entry.get("evidence"))


def _choice_problems(entry: Mapping[str, Any]) -> Iterable[str]:
    choices = {"kind": KINDS, "who_decides": DECIDERS, "cost": LEVELS, "harm_level": LEVELS[1:]}
    for key, allowed in choices.items():
        if entry.get(key) not in allowed:
            yield f"{key} must be one of {', '.join(allowed)}, got {entry.get(key)!r}"
    bands = entry.get("bands", list(BANDS))
    if not isinstance(bands, list) or not bands or not set(map(str, bands)) <= set(BANDS):
        yield f"bands must be a list out of {', '.join(BANDS)}"
    for key in ("answers_unchangeable", "consent"):
        if not isinstance(entry.get(key, False), bool):
            yield f"{key} must be true or false"
    drivers = entry.get("drivers")
    if not isinstance(drivers, dict) or not drivers:
        yield "drivers must name at least one driver with its fit"
        return
    yield from (f"unknown driver {d!r}" for d in drivers if d not in DRIVERS)
    yield from (f"the fit of {d} must lie in (0, 1]" for d, fit in drivers.items() if not _number(fit, 0, 1) or not fit)


def _number_problems(entry: Mapping[str, Any]) -> Iterable[str]:
    if not _number(entry.get("manager_hours"), 0, 100):
        yield "manager_hours must be a number from 0 to 100"
    if not isinstance(entry.get("days"), int) or not _number(entry.get("days"), 1, 365):
        yield "days must be a whole number from 1 to 365"
    if not _number(entry.get("pay_months", 0), 0, 24):
        yield "pay_months must be a number from 0 to 24: money per time, in months of a typical pay"
    for key, least in (("capacity", 0), ("reaches", 1)):
        value = entry.get(key, least)
        if not isinstance(value, int) or not _number(value, least, 100_000):
            yield f"{key} must be a whole number from {least} to 100000"


def _number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high


def _words_problems(value: Any, key: str) -> Iterable[str]:
    for language in ("en", "zh"):
        text = value.get(language) if isinstance(value, dict) else None
        if not isinstance(text, str) or not text.strip():
            yield f"{key}.{language} is missing"


def _guide_problems(guide: Any) -> Iterable[str]:
    for language in ("en", "zh"):
        questions = guide.get(language) if isinstance(guide, dict) else None
        if not isinstance(questions, list) or len(questions) != 3 or not all(isinstance(q, str) for q in questions):
            yield f"guide.{language} must hold three questions"
        else:
            ends = ("?", "？")
            yield from (f"guide.{language}: not a question: {q!r}" for q in questions if not q.endswith(ends))


def _promise_problems(entry: Mapping[str, Any]) -> Iterable[str]:
    for key in ("title", "first_step", "guide"):
        found = NEVER_OFFERED.search(str(entry.get(key, "")))
        if found:
            yield f"{key} holds {found[0]!r}: no care action threatens, watches more closely or lowers pay"


def _condition_problems(conditions: Any) -> Iterable[str]:
    if not isinstance(conditions, list):
        yield "when must be a list of conditions"
        return
    for condition in conditions:
        columns = columns_of(condition.get("column")) if isinstance(condition, dict) else ()
        if not columns:
            yield "when: each condition needs a column, or a list of columns of which one is enough"
            continue
        name = " or ".join(columns)
        bounds = [condition[b] for b in ("min", "max") if b in condition]
        if set(condition) - {"column", "min", "max", "unknown"} or not bounds or not all(map(_bound, bounds)):
            yield f"when {name}: give min or max (numbers), and nothing else but unknown"
        if condition.get("unknown", "eligible") != "eligible":
            yield f'when {name}: unknown may only be "eligible"; leave it out otherwise'


def columns_of(value: Any) -> tuple[str, ...]:
    """Return the columns that a condition names, one or several; empty when it names none."""
    names = value if isinstance(value, list) else [value]
    return tuple(names) if all(isinstance(name, str) and name for name in names) else ()


def _bound(value: Any) -> bool:
    return _number(value, -1e9, 1e9)


def _evidence_problems(evidence: Any) -> Iterable[str]:
    if not isinstance(evidence, dict):
        yield "evidence is missing"
        return
    yield from (f"evidence: unknown key {key!r}" for key in sorted(set(evidence) - EVIDENCE_KEYS))
    kind, effect = evidence.get("kind"), evidence.get("effect_hr")
    if kind not in EVIDENCE_KINDS:
        yield f"evidence.kind must be one of {', '.join(EVIDENCE_KINDS)}, got {kind!r}"
    if not isinstance(evidence.get("source"), str) or not evidence["source"].strip():
        yield "evidence.source is missing"
    yield from _words_problems(evidence.get("note"), "evidence.note")
    if not isinstance(evidence.get("assumed", False), bool):
        yield "evidence.assumed must be true or false"
    if effect is None:
        if "low" in evidence or "high" in evidence:
            yield "evidence: a range without effect_hr"
        return
    if kind == "practice":
        yield "evidence: practice without a study has no effect_hr"
    values = [evidence.get("low", effect), effect, evidence.get("high", effect)]
    if not all(_number(value, 0.01, 10) for value in values) or values != sorted(values):
        yield "evidence: 0 < low <= effect_hr <= high must hold"
    if ("low" in evidence) != ("high" in evidence):
        yield "evidence: give low and high together"
