"""The slow, obvious twin of the matrix: one person, one day, plain Python over ``known_by(as_of)``.

Written from the cards and the docstrings, not from the expressions; the two must agree in every column. Nothing here
is fast and nothing is shared with the engine but ``known_by``. ``twin_blocks`` and ``twin_signals`` hold the themes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

import polars as pl

from features.snapshots import known_by

Row = dict[str, object]
Value = float | str | None
Columns = dict[str, Value]
STATE = [
    "department",
    "team",
    "location",
    "job",
    "job_family",
    "ladder",
    "level",
    "manager_id",
    "employment_type",
    "weekly_hours",
    "pay",
    "pay_midpoint",
    "currency",
    "probation_ends_on",
    "contract_ends_on",
    "bonus_on",
]
AHEAD = ("employees", "exits", "job_skills", "courses", "activities")


class Then:
    """What the organisation knew at the close of one day."""

    def __init__(self, records: Mapping[str, pl.DataFrame], as_of: date) -> None:
        self.as_of = as_of
        self.records = records
        self.tables: dict[str, list[Row]] = {}
        for name, frame in known_by(records, as_of).items():
            rows = frame.collect().to_dicts()
            if name not in AHEAD:
                rows = [row for row in rows if row["happened_on"] <= as_of]
                rows.sort(key=lambda row: (row["happened_on"], row["known_on"], row["_seq"]))
            self.tables[name] = rows
        self.exits = self.facts("exits")
        first_known: dict[tuple[object, object], date] = {}
        for row in records["exits"].to_dicts() if "exits" in records else []:
            if row["known_on"] <= as_of:
                key = (row["employee_id"], row["happened_on"])
                first_known[key] = min(first_known.get(key, row["known_on"]), row["known_on"])
        for row in self.exits:
            row["notice_on"] = first_known[row["employee_id"], row["happened_on"]]
        self.steps = {one: self._steps(one) for one in self._everybody()}
        self.hired = {row["employee_id"]: row["hired_on"] for row in self.facts("employees")}
        self.people = sorted(str(one) for one in self.hired if self._at_risk(one))

    def facts(self, table: str, **where: object) -> list[Row]:
        """Rows known, of the person or thing asked for."""
        return [row for row in self.tables.get(table, []) if all(row[k] == v for k, v in where.items())]

    def age(self, row: Row, column: str = "happened_on") -> int:
        return (self.as_of - row[column]).days  # type: ignore[operator]

    def post(self, one: object) -> Row:
        """What the positions say today; a blank says nothing."""
        steps = self.steps.get(one, [])
        return steps[-1] if steps else dict.fromkeys(STATE)

    def team_mates(self, one: str, *groups: str, among: Iterable[str] | None = None) -> list[str]:
        """Others at risk who share all the groups; nobody when the person's own group is unknown."""
        mine = [self.post(one)[group] for group in groups]
        if any(value is None for value in mine):
            return []
        others = self.people if among is None else among
        return [o for o in others if o != one and [self.post(o)[group] for group in groups] == mine]

    def others_mean(self, one: str, value: Callable[[str], Value], *groups: str, fewest: int = 2) -> float | None:
        values = [v for o in self.team_mates(one, *groups) if (v := value(o)) is not None]
        return sum(values) / len(values) if len(values) >= fewest else None

    def _at_risk(self, one: object) -> bool:
        hired = self.hired[one]
        left = [row for row in self.exits if row["employee_id"] == one and row["happened_on"] >= hired]
        return hired <= self.as_of and not left

    def _everybody(self) -> set[object]:
        return {row["employee_id"] for row in self.facts("positions")}

    def _steps(self, one: object) -> list[Row]:
        """The person's positions with blanks filled from before, and what changed at each."""
        steps: list[Row] = []
        for row in self.facts("positions", employee_id=one):
            before = steps[-1] if steps else None
            step: Row = {"happened_on": row["happened_on"]}
            for name in STATE:
                step[name] = row[name] if row[name] is not None or before is None else before[name]
            step |= {"promoted": False, "moved": False, "manager_changed": False, "raise_share": None}
            if before is not None:
                step["promoted"] = both(step["level"], before["level"]) and step["level"] > before["level"]
                step["manager_changed"] = differs(step["manager_id"], before["manager_id"])
                step["moved"] = any(differs(step[x], before[x]) for x in ("department", "team", "job"))
                paid = both(step["pay"], before["pay"]) and before["pay"] > 0 and step["pay"] != before["pay"]
                if paid and step["currency"] == before["currency"]:
                    step["raise_share"] = step["pay"] / before["pay"] - 1
            steps.append(step)
        return steps


class Feed:
    """Facts of one measure: how much each says, and since when anybody has said anything."""

    def __init__(self, then: Then, hired: date, everybody: list[tuple[object, Row, float | None]], one: str) -> None:
        told = [(who, row, value) for who, row, value in everybody if value is not None]
        self.then, self.hired = then, hired
        self.first = min((row["happened_on"] for _, row, _ in told), default=None)
        self.mine = [(then.age(row), value) for who, row, value in told if who == one]

    def values(self, days: int, *, after: int = 0) -> list[float]:
        return [value for age, value in self.mine if after <= age < days]

    def covered(self, days: int) -> bool:
        needed = max(self.then.as_of - timedelta(days - 1), self.hired)
        return self.first is not None and self.first <= needed

    def total(self, days: int, *, dense: bool = False) -> float | None:
        if not self.covered(days) or (dense and not self.values(days)):
            return None
        return float(sum(self.values(days)))

    def mean(self, days: int) -> float | None:
        values = self.values(days)
        return sum(values) / len(values) if values else None

    def change(self, recent: int, days: int) -> float | None:
        new, old = self.values(recent), self.values(days, after=recent)
        return sum(new) / len(new) - sum(old) / len(old) if new and old else None

    def ratio(self, recent: int, days: int, *, dense: bool = False) -> float | None:
        if self.first is None or (dense and not self.values(recent)):
            return None
        begins = max(self.then.as_of - timedelta(days - 1), self.hired, self.first)
        usual_days = (self.then.as_of - timedelta(recent - 1) - begins).days
        if usual_days < 60:
            return None
        expected = sum(self.values(days, after=recent)) / usual_days * recent
        return (sum(self.values(recent)) + 1) / (expected + 1)


def feed(then: Then, one: str, rows: list[Row], value: Callable[[Row], object], who: str = "employee_id") -> Feed:
    said = [(row[who], row, None if (v := value(row)) is None else float(v)) for row in rows]  # type: ignore[arg-type]
    return Feed(then, then.hired[one], said, one)


def since(then: Then, days: list[date]) -> float | None:
    return float((then.as_of - max(days)).days) if days else None


def both(a: object, b: object) -> bool:
    return a is not None and b is not None


def differs(a: object, b: object) -> bool:
    return both(a, b) and a != b


def minus(a: Value, b: Value) -> float | None:
    return a - b if both(a, b) else None  # type: ignore[operator]


def over(a: Value, b: Value) -> float | None:
    return a / b if both(a, b) and b > 0 else None  # type: ignore[operator]


def spread(groups: Iterable[list[float]]) -> float | None:
    """Pooled standard deviation within groups of two and more."""
    squares, free = 0.0, 0
    for values in groups:
        if len(values) > 1:
            centre = sum(values) / len(values)
            squares += sum((value - centre) ** 2 for value in values)
            free += len(values) - 1
    return math.sqrt(squares / free) if free else None
