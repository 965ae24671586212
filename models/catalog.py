"""The catalog of care actions: what may be offered, to whom, at what cost, on which evidence.

The texts live in ``care_actions.toml``; an organisation may hand in a catalog of its own in the same form. A catalog
with a gap is refused whole, with every problem named, because half a care action is a risk to somebody.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any

from features.cards import DRIVERS, Driver
from features.errors import FixableError

DEFAULT_CATALOG = Path(__file__).with_name("care_actions.toml")

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
TEXTS = ("title", "for_whom", "money", "first_step", "why", "watch", "harm")
KEYS = {"id", "kind", "drivers", "answers_unchangeable", "bands", "when", "who_decides", "cost", "harm_level"}
KEYS |= {"manager_hours", "days"}
KEYS |= {"consent"}
EVIDENCE_KEYS = {"kind", "effect_hr", "low", "high", "source", "note"}

NEVER_OFFERED = re.compile(
    r"dismiss|terminat|disciplin|pay cut|cut (the )?pay|lower (the )?pay|surveil|monitor|formal warning"
    r"|辞退|解雇|开除|降薪|减薪|扣薪|监控|监视|监听|处分|警告",
    re.IGNORECASE,
)
"""What no title, first step or question may hold: an action never threatens, watches more closely or lowers pay."""


@dataclass(frozen=True)
class Words:
    """The same text in English and Chinese."""

    en: str
    zh: str


WHO_DECIDES: dict[str, Words] = {
    "manager": Words("the direct manager", "直接上级"),
    "hr": Words("HR", "人力资源"),
    "manager_and_hr": Words("the direct manager together with HR", "直接上级与人力资源共同"),
    "department_head": Words("the head of the department", "部门负责人"),
    "leadership": Words("the leadership together with HR", "管理层与人力资源共同"),
}


@dataclass(frozen=True)
class Condition:
    """What must be recorded of a person for an action to fit; one of several columns is enough.

    ``unknown_fits`` says what holds when none of the columns is known (absent, null, NaN): not eligible by default.
    """

    columns: tuple[str, ...]
    min: float | None
    max: float | None
    unknown_fits: bool

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Return whether any known fact lies within ``[min, max]``."""
        found = [facts.get(column) for column in self.columns]
        known = [v for v in found if v is not None and not isinstance(v, str) and isfinite(v)]
        low, high = -inf if self.min is None else self.min, inf if self.max is None else self.max
        return any(low <= v <= high for v in known) if known else self.unknown_fits


@dataclass(frozen=True)
class Evidence:
    """What is known of the effect on voluntary exits: a hazard ratio with the range it is counted with, or nothing."""

    kind: str
    effect_hr: float | None
    low: float | None
    high: float | None
    source: str
    note: Words

    def to_dict(self) -> dict[str, Any]:
        """Return the facts, and ``text_en`` / ``text_zh``: what may be said of them, never more."""
        en, zh = "Published studies: ", "已发表的研究："
        if self.effect_hr is None:
            en, zh = "No study found; good practice. ", "未找到相关研究；属于良好实践。"
        return {
            "kind": self.kind,
            "effect_hr": self.effect_hr,
            "low": self.low,
            "high": self.high,
            "source": self.source,
            "note_en": self.note.en,
            "note_zh": self.note.zh,
            "text_en": f"{en}{self.note.en}",
            "text_zh": f"{zh}{self.note.zh}",
        }


@dataclass(frozen=True)
class CareAction:
    """One entry of the catalog; ``drivers`` maps each driver it answers to how well it fits (0..1).

    ``answers_unchangeable``: it answers them also where what raises the risk cannot be changed by anybody (the early
    months, a colleague's exit). ``consent``: it changes the person's own work or shows them to others, so their own yes
    has to be noted before it is done.
    """

    id: str
    kind: str
    drivers: dict[Driver, float]
    answers_unchangeable: bool
    bands: tuple[str, ...]
    when: tuple[Condition, ...]
    who_decides: str
    cost: str
    harm_level: str
    manager_hours: float
    days: int
    title: Words
    for_whom: Words
    money: Words
    first_step: Words
    why: Words
    watch: Words
    harm: Words
    guide_en: tuple[str, ...]
    guide_zh: tuple[str, ...]
    evidence: Evidence
    consent: bool = False


@dataclass(frozen=True)
class Catalog:
    """All actions, in the order of the file."""

    actions: tuple[CareAction, ...]

    def action(self, action_id: str) -> CareAction:
        """Return the action with this id; raises ``KeyError`` when there is none."""
        for action in self.actions:
            if action.id == action_id:
                return action
        raise KeyError(action_id)


def load_catalog(path: Path | None = None) -> Catalog:
    """Return the catalog of the file (default: the one that comes with the service).

    Raises ``FixableError`` naming every gap of every action at once.
    """
    file = path or DEFAULT_CATALOG
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FixableError(f"The catalog of care actions {file} cannot be read.", [str(error)]) from error
    entries = data.get("action")
    if not isinstance(entries, list) or not entries or set(data) != {"action"}:
        raise FixableError(f"The catalog {file} must hold [[action]] entries and nothing else.")
    problems = [f"{_name(entry, n)}: {problem}" for n, entry in enumerate(entries, 1) for problem in _problems(entry)]
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    problems += [f"{name}: this id is used twice" for name in sorted({str(i) for i in ids if ids.count(i) > 1})]
    if problems:
        raise FixableError(f"The catalog of care actions {file} has {len(problems)} problems.", problems)
    return Catalog(tuple(_action(entry) for entry in entries))


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
    choices = {"kind": KINDS, "who_decides": tuple(WHO_DECIDES), "cost": LEVELS, "harm_level": LEVELS[1:]}
    for key, allowed in choices.items():
        if entry.get(key) not in allowed:
            yield f"{key} must be one of {', '.join(allowed)}, got {entry.get(key)!r}"
    bands = entry.get("bands", list(BANDS))
    if not isinstance(bands, list) or not bands or not set(map(str, bands)) <= set(BANDS):
        yield f"bands must be a list out of {', '.join(BANDS)}"
    if not isinstance(entry.get("answers_unchangeable", False), bool):
        yield "answers_unchangeable must be true or false"
    if not isinstance(entry.get("consent", False), bool):
        yield "consent must be true or false"
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
        columns = _columns(condition.get("column")) if isinstance(condition, dict) else ()
        if not columns:
            yield "when: each condition needs a column, or a list of columns of which one is enough"
            continue
        name = " or ".join(columns)
        bounds = [condition[b] for b in ("min", "max") if b in condition]
        if set(condition) - {"column", "min", "max", "unknown"} or not bounds or not all(map(_bound, bounds)):
            yield f"when {name}: give min or max (numbers), and nothing else but unknown"
        if condition.get("unknown", "eligible") != "eligible":
            yield f'when {name}: unknown may only be "eligible"; leave it out otherwise'


def _columns(value: Any) -> tuple[str, ...]:
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


def _action(entry: Mapping[str, Any]) -> CareAction:
    return CareAction(
        id=entry["id"],
        kind=entry["kind"],
        drivers={driver: float(fit) for driver, fit in entry["drivers"].items()},
        answers_unchangeable=entry.get("answers_unchangeable", False),
        bands=tuple(entry.get("bands", BANDS)),
        when=tuple(_condition(c) for c in entry.get("when", [])),
        who_decides=entry["who_decides"],
        cost=entry["cost"],
        harm_level=entry["harm_level"],
        manager_hours=float(entry["manager_hours"]),
        days=entry["days"],
        title=_words(entry["title"]),
        for_whom=_words(entry["for_whom"]),
        money=_words(entry["money"]),
        first_step=_words(entry["first_step"]),
        why=_words(entry["why"]),
        watch=_words(entry["watch"]),
        harm=_words(entry["harm"]),
        guide_en=tuple(entry["guide"]["en"]),
        guide_zh=tuple(entry["guide"]["zh"]),
        evidence=_evidence(entry["evidence"]),
        consent=entry.get("consent", False),
    )


def _words(entry: Mapping[str, str]) -> Words:
    return Words(entry["en"].strip(), entry["zh"].strip())


def _evidence(entry: Mapping[str, Any]) -> Evidence:
    effect, low, high = (float(entry[k]) if k in entry else None for k in ("effect_hr", "low", "high"))
    return Evidence(entry["kind"], effect, low, high, entry["source"], _words(entry["note"]))


def _condition(entry: Mapping[str, Any]) -> Condition:
    low, high = (float(entry[b]) if b in entry else None for b in ("min", "max"))
    return Condition(_columns(entry["column"]), low, high, entry.get("unknown") == "eligible")
