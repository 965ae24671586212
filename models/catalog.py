"""The catalog of care actions: what may be offered, to whom, at what cost, on which evidence.

The texts live in ``care_actions.toml``; what an organisation adds, switches off or changes lives in a file of its own
(``own_catalog``). A catalog with a gap is refused whole, with every problem named, because half a care action is a risk
to somebody.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite
from pathlib import Path
from typing import Any

from features.cards import Driver
from features.errors import FixableError
from models.catalog_rules import BANDS, KINDS, NEVER_OFFERED, columns_of, entry_problems

__all__ = ["BANDS", "KINDS", "NEVER_OFFERED", "CareAction", "Catalog", "Condition", "Evidence", "Words"]
__all__ += ["DEFAULT_CATALOG", "PAY_MONTHS", "WHO_DECIDES", "catalog_of", "load_catalog", "read_toml"]

DEFAULT_CATALOG = Path(__file__).with_name("care_actions.toml")

PAY_MONTHS = {"none": 0.0, "low": 0.02, "medium": 0.25, "high": 0.6}
"""Money for half a year, in months of a typical pay, where an entry does not say; ``high`` is a raise of 10 %."""


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
    """What is known of the effect on voluntary exits: a hazard ratio with the range it is counted with, or nothing.

    ``assumed``: the number is a cautious assumption, not the finding of a study about this very action.
    """

    kind: str
    effect_hr: float | None
    low: float | None
    high: float | None
    source: str
    note: Words
    assumed: bool = False

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
    has to be noted before it is done. ``manager_hours`` and ``pay_months`` (money, in months of a typical pay) are for
    one time; ``reaches`` people share them. ``capacity``: most people in one round of planning. ``parts``: a combined
    offer, made of these other entries.
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
    pay_months: float = 0.0
    capacity: int | None = None
    reaches: int = 1
    parts: tuple[str, ...] = ()

    @property
    def hours_each(self) -> float:
        """Hours of a manager per person reached."""
        return self.manager_hours / self.reaches

    @property
    def pay_months_each(self) -> float:
        """Money per person reached, in months of a typical pay."""
        return self.pay_months / self.reaches


@dataclass(frozen=True)
class Catalog:
    """All actions, in the order of the file."""

    actions: tuple[CareAction, ...]

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What was worked out from the catalog and need not be worked out again (``care.ways_of``)."""
        return {}

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
    data = read_toml(file)
    entries = data.get("action")
    if not isinstance(entries, list) or not entries or set(data) != {"action"}:
        raise FixableError(f"The catalog {file} must hold [[action]] entries and nothing else.")
    problems = entry_problems(entries)
    if problems:
        raise FixableError(f"The catalog of care actions {file} has {len(problems)} problems.", problems)
    return catalog_of(entries)


def catalog_of(entries: Iterable[Mapping[str, Any]]) -> Catalog:
    """Return the catalog of entries in which ``entry_problems`` found nothing."""
    return Catalog(tuple(_action(entry) for entry in entries))


def read_toml(file: Path) -> dict[str, Any]:
    """Return the file as plain tables; ``FixableError`` when it cannot be read."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FixableError(f"The catalog of care actions {file} cannot be read.", [str(error)]) from error


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
        pay_months=float(entry.get("pay_months", PAY_MONTHS[entry["cost"]])),
        capacity=entry.get("capacity"),
        reaches=entry.get("reaches", 1),
        parts=tuple(entry.get("parts", ())),
    )


def _words(entry: Mapping[str, str]) -> Words:
    return Words(entry["en"].strip(), entry["zh"].strip())


def _evidence(entry: Mapping[str, Any]) -> Evidence:
    effect, low, high = (float(entry[k]) if k in entry else None for k in ("effect_hr", "low", "high"))
    note, assumed = _words(entry["note"]), entry.get("assumed", False)
    return Evidence(entry["kind"], effect, low, high, entry["source"], note, assumed)


def _condition(entry: Mapping[str, Any]) -> Condition:
    low, high = (float(entry[b]) if b in entry else None for b in ("min", "max"))
    return Condition(columns_of(entry["column"]), low, high, entry.get("unknown") == "eligible")
