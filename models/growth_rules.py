"""The organisation's rules for growing people, read from a TOML file: thresholds, and what a step on a ladder asks for.

A file of one's own stands over the shipped one; a table that it leaves out keeps the shipped values. Everything wrong
in it is told at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import FixableError

SHIPPED = Path(__file__).with_name("growth.toml")
LADDERS = ("management", "professional")
MEASURES = {
    "months_in_level": "count",
    "skills_met_share": "share",
    "good_ratings_in_a_row": "count",
    "goals_overdue": "count",
    "best_skill_level": "count",
    "contributions_24m": "count",
    "far_colleagues": "count",
    "colleagues_helped": "count",
}
"""What a rule may ask about, and whether it is told as a number or in per cent."""

RULE_KEYS = {"id", "ladder", "measure", "at_least", "at_most", "en", "zh"}


@dataclass(frozen=True)
class Rule:
    """One condition of a step: ``measure`` lies within [``at_least``, ``at_most``]."""

    id: str
    ladder: str
    measure: str
    at_least: float | None
    at_most: float | None
    en: str
    zh: str

    def holds(self, value: float) -> bool:
        """Return whether a known value meets the rule."""
        above = self.at_least is None or value >= self.at_least
        return above and (self.at_most is None or value <= self.at_most)

    def told(self) -> dict[str, str]:
        """Return the rule in words, in both languages."""
        needed = self.at_least if self.at_least is not None else self.at_most
        text = shown(self.measure, needed or 0)
        return {"text_en": self.en.format(needed=text), "text_zh": self.zh.format(needed=text)}


@dataclass(frozen=True)
class Rules:
    """All rules of the house; ``numbers`` by table and name, as ``rules("courses", "reach")``."""

    numbers: Mapping[str, Mapping[str, float]]
    steps: tuple[Rule, ...]

    def __call__(self, table: str, name: str) -> float:
        """Return one threshold."""
        return self.numbers[table][name]

    def of(self, ladder: str) -> tuple[Rule, ...]:
        """Return what a step on this ladder asks for."""
        return tuple(rule for rule in self.steps if rule.ladder in (ladder, "both"))


def shown(measure: str, value: float) -> str:
    """Return a value as people read it.

    >>> shown("skills_met_share", 0.8), shown("months_in_level", 18.0)
    ('80 %', '18')
    """
    return f"{value:.0%}".replace("%", " %") if MEASURES[measure] == "share" else f"{value:g}"


def load(path: Path | None = None) -> Rules:
    """Return the rules of the file, or the shipped ones; ``FixableError`` lists everything that is wrong."""
    base = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    if path is None:
        return _rules(base, base, SHIPPED)
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FixableError(f"{path} cannot be read.", [str(error.strerror)]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FixableError(f"{path} is not a TOML file.", [str(error)]) from None
    return _rules(given, base, path)


def _rules(given: Mapping[str, Any], base: Mapping[str, Any], path: Path) -> Rules:
    problems = [f"[{table}] is not known" for table in given if table not in base]
    numbers: dict[str, dict[str, float]] = {}
    for table, shipped in base.items():
        if table == "rule":
            continue
        own = given.get(table, {})
        problems += [f"{table}.{name} is not known" for name in own if name not in shipped]
        numbers[table] = {**shipped, **own}
        problems += [
            f"{table}.{name} must be a number that is not negative, not {value!r}"
            for name, value in numbers[table].items()
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0
        ]
    steps = given.get("rule", base["rule"])
    problems += [problem for number, rule in enumerate(steps, 1) for problem in _wrong(rule, number)]
    if problems:
        raise FixableError(f"The rules in {path} cannot be used.", problems)
    return Rules(numbers, tuple(Rule(**{key: rule.get(key) for key in RULE_KEYS}) for rule in steps))


def _wrong(rule: Mapping[str, Any], number: int) -> list[str]:
    name = f"rule {number} ({rule.get('id', 'without an id')})"
    wrong = [f"{name}: {key} is not known" for key in rule if key not in RULE_KEYS]
    wrong += [f"{name}: {key} is missing" for key in ("id", "ladder", "measure", "en", "zh") if not rule.get(key)]
    if rule.get("ladder") not in (*LADDERS, "both"):
        wrong.append(f"{name}: ladder must be management, professional or both")
    if rule.get("measure") not in MEASURES:
        wrong.append(f"{name}: measure must be one of {', '.join(MEASURES)}")
    bounds = [rule[key] for key in ("at_least", "at_most") if key in rule]
    if not bounds or any(isinstance(b, bool) or not isinstance(b, (int, float)) for b in bounds):
        wrong.append(f"{name}: at_least or at_most must be a number")
    return wrong
