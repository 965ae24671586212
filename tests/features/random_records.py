"""Small random organisations with everything that makes time hard: late entries, corrections, facts dated ahead,
re-hires, blanks, absent tables. The same seed gives the same records."""

from __future__ import annotations

import random
from datetime import date, timedelta
from zlib import crc32

import polars as pl

from features.tables import OwnColumn, canonical, schema

FIRST = date(2023, 1, 1)
DAYS = 730
AS_OF = [date(2023, 6, 30), date(2024, 2, 29), date(2024, 10, 31), date(2024, 11, 30)]
EDGES = (0, 1, 29, 30, 89, 90, 179, 180, 209, 210, 364, 365, 729, 730)
ITEMS = ("engagement", "growth", "manager", "pay", "workload", "canteen", "parking")
WAVE = date(2023, 11, 5)
"""Around this day many are hired at once."""
OWN = (
    OwnColumn("positions", "x_value", "number", "pay", "a business value of {value}"),
    OwnColumn("employees", "x_school", "category"),
)
Row = dict[str, object]


def records(seed: int) -> dict[str, pl.DataFrame]:
    """Canonical records of a company of one or two dozen people over two years."""
    dice = random.Random(seed)
    people = [f"p{i:02d}" for i in range(dice.randint(5, 20))]
    tables: dict[str, list[Row]] = {"employees": _employees(dice, people)}
    for name, make in MAKERS.items():
        if dice.random() < 0.88:
            tables[name] = make(dice, people)
    for name, rows in tables.items():
        if name not in ("job_skills", "employees", "courses", "activities"):
            tables[name] = [row for row in rows for row in _versions(dice, name, row)]
        dice.shuffle(tables[name])
    for name, add in ADDED.items():
        tables |= {name: [row | add(_mark(row), row) for row in tables[name]]} if name in tables else {}
    return canonical({name: framed(name, rows) for name, rows in tables.items()})


def _mark(row: Row) -> int:
    """A number that is the row's own: columns that came to be known later take no draw away from the others."""
    return crc32(repr([row.get(name) for name in ("employee_id", "happened_on", "known_on", "item")]).encode())


def _appointed(mark: int, row: Row) -> Row:
    """End of probation, end of contract and bonus: blank, soon, in a year or already over."""
    begins, named = row["happened_on"], {}
    for i, column in enumerate(("probation_ends_on", "contract_ends_on", "bonus_on")):
        part = mark >> 10 * i & 1023
        if part % 3:
            named[column] = begins + timedelta(part % 400 - 20)  # type: ignore[operator]
    return named


def _commented(mark: int, row: Row) -> Row:
    """Nothing told, nothing written, a word, a page."""
    return {"comment_length": (None, 0, mark % 90, mark % 5000)[mark % 4]}


ADDED = {"positions": _appointed, "surveys": _commented}


def framed(name: str, rows: list[Row]) -> pl.DataFrame:
    """Rows as a frame with the dtypes of the table; own columns by what they are declared as."""
    wanted = schema(name) | {one.name: one.dtype() for one in OWN if one.table == name}
    present = [column for column in wanted if any(column in row for row in rows)]
    return pl.DataFrame(
        {column: [row.get(column) for row in rows] for column in present},
        schema={column: wanted[column] for column in present},
    )


def _day(dice: random.Random, earliest: int = -60) -> date:
    """Any day, or, one time in three, a day at the very edge of a window before a snapshot."""
    if dice.random() < 0.33:
        return dice.choice(AS_OF) - timedelta(dice.choice(EDGES))
    return FIRST + timedelta(dice.randint(earliest, DAYS))


def _maybe(dice: random.Random, value: object, share: float = 0.8) -> object:
    return value if dice.random() < share else None


def _versions(dice: random.Random, name: str, row: Row) -> list[Row]:
    """The row, perhaps known late or ahead, and perhaps a correction of it known later (or on the same day)."""
    happened = row["happened_on"]
    if not isinstance(happened, date):
        raise TypeError(f"{name} row without a date")
    delay = dice.choice([None, 0, 0, 1, 20, 120, -25])
    first = row | {"known_on": None if delay is None else happened + timedelta(delay)}
    if dice.random() > 0.2:
        return [first]
    again = MAKERS[name](dice, [str(row["employee_id"])])[0]
    key = {"goals": ("goal_id", "happened_on")}.get(name, KEYS.get(name, ("employee_id", "happened_on")))
    later = again | {k: row[k] for k in key if k in row}
    known = first["known_on"] if isinstance(first["known_on"], date) else happened
    return [first, later | {"known_on": known + timedelta(dice.choice([0, 15, 90]))}]


KEYS = {
    "surveys": ("employee_id", "happened_on", "item"),
    "reviews": ("employee_id", "happened_on", "reviewer_id"),
    "learning": ("employee_id", "course_id", "happened_on"),
    "skills": ("employee_id", "skill", "happened_on"),
    "recognitions": ("employee_id", "happened_on", "kind", "given_by"),
    "care_actions": ("employee_id", "action", "happened_on"),
}


def _employees(dice: random.Random, people: list[str]) -> list[Row]:
    rows: list[Row] = []
    for one in people:
        hired = _day(dice, -900) if dice.random() < 0.7 else WAVE + timedelta(dice.randint(-20, 20))
        rows.append({"employee_id": one, "hired_on": hired, "x_school": dice.choice(["a", "b", None])})
        if dice.random() < 0.3:
            back = hired + timedelta(dice.randint(200, 900))
            known = back + timedelta(dice.choice([-30, 0, 40]))
            rows.append({"employee_id": one, "hired_on": back, "known_on": known, "x_school": "c"})
    return rows


def _exits(dice: random.Random, people: list[str]) -> list[Row]:
    leavers = [one for one in people if dice.random() < 0.5] or people[:1]
    return [
        {"employee_id": one, "happened_on": _day(dice), "kind": dice.choice(["voluntary", "voluntary", "involuntary"])}
        for one in leavers
    ]


def _positions(dice: random.Random, people: list[str]) -> list[Row]:
    """Anything at any time; in one firm of three also a yearly round of raises for most people."""
    rounds = [
        {"employee_id": one, "happened_on": day, "job": "smith", "level": 2, "pay": pay * dice.choice([1.0, 1.02])}
        for one in (people if dice.random() < 0.35 else [])
        for day, pay in ((date(2022, 11, 15), 1000.0), (date(2023, 4, 1), 1040.0), (date(2024, 4, 1), 1100.0))
        if dice.random() < 0.9
    ]
    return rounds + [
        {
            "employee_id": one,
            "happened_on": dice.choice([_day(dice, -300), _day(dice, -300), date(dice.choice([2023, 2024]), 4, 1)]),
            "department": _maybe(dice, dice.choice(["north", "north", "north", "south"])),
            "team": _maybe(dice, dice.choice(["red", "red", "red", "blue"]), 0.9),
            "location": _maybe(dice, dice.choice(["home", "home", "away"])),
            "job": _maybe(dice, dice.choice(["smith", "smith", "smith", "clerk"])),
            "job_family": _maybe(dice, "crafts", 0.6),
            "ladder": _maybe(dice, "professional", 0.3),
            "level": _maybe(dice, dice.randint(1, 4)),
            "manager_id": _maybe(dice, dice.choice(["p00", "p00", "p01"])),
            "employment_type": _maybe(dice, "permanent", 0.3),
            "weekly_hours": _maybe(dice, dice.choice([20.0, 40.0]), 0.5),
            "pay": _maybe(dice, dice.choice([1000.0, 1100.5, 1300.0, 1250.25]), 0.9),
            "pay_midpoint": _maybe(dice, dice.choice([1000.0, 1200.0])),
            "currency": _maybe(dice, dice.choice(["EUR", "EUR", "EUR", "CNY"]), 0.4),
            "x_value": _maybe(dice, dice.uniform(-5, 50)),
        }
        for one in people
        for _ in range(dice.randint(0, 2) if rounds else dice.randint(1, 6))
    ]


def _interactions(dice: random.Random, people: list[str]) -> list[Row]:
    if dice.random() < 0.4:
        return _busy_weeks(dice, people)
    kinds = ["message", "email", "meeting", "one_on_one", "project", "help_given"][: dice.randint(1, 6)]
    full = [
        {"employee_id": one, "happened_on": day, "kind": "meeting", "minutes": dice.choice([60.0, 240.0, 300.0])}
        for one in people
        for day in _workdays(dice, 0.2)
    ]
    return full + [
        {
            "employee_id": one,
            "happened_on": _day(dice),
            "kind": dice.choice([*kinds, "one_on_one"]),
            "counterpart_id": _maybe(dice, dice.choice([*people, "p00", "stranger"])),
            "n": dice.choice([None, 1, 2, 3]),
            "minutes": _maybe(dice, dice.choice([15.0, 45.0, 50.0])),
            "after_hours": dice.choice([None, True, False]),
        }
        for one in people
        for _ in range(dice.randint(1, 40))
    ]


def _busy_weeks(dice: random.Random, people: list[str]) -> list[Row]:
    """Enough acts a week to have a habit; some weeks are silent."""
    return [
        {
            "employee_id": one,
            "happened_on": FIRST + timedelta(7 * week + dice.randint(0, 6)),
            "kind": dice.choice(["message", "message", "email", "meeting", "project", "project", "help_given"]),
            "counterpart_id": _maybe(dice, dice.choice([*people, "stranger"])),
            "n": dice.randint(0, 30),
        }
        for one in people
        for week in (x // 2 for x in range(2 * DAYS // 7 if len(people) > 1 else 1))
        if week == 0 or dice.random() < 0.95
    ]


def _surveys(dice: random.Random, people: list[str]) -> list[Row]:
    days = [_day(dice) for _ in range(9)]
    return [
        {
            "employee_id": one,
            "happened_on": day,
            "item": item,
            "score": float(dice.randint(1, 5)),
            "scale_max": dice.choice([None, 5.0, 7.0]),
        }
        for one in people
        for day in days
        for item in ITEMS
        if dice.random() < 0.35
    ] or [{"employee_id": people[0], "happened_on": days[0], "item": ITEMS[0], "score": 3.0}]


def _reviews(dice: random.Random, people: list[str]) -> list[Row]:
    days = [_day(dice) for _ in range(4)]
    return [
        {
            "employee_id": one,
            "happened_on": dice.choice(days),
            "rating": float(dice.randint(1, 5)),
            "scale_max": dice.choice([None, 5.0, 6.0]),
            "reviewer_id": _maybe(dice, dice.choice(["p00", "p01"])),
            "source": dice.choice([None, "manager", "manager", "self", "peer"]),
        }
        for one in people
        for _ in range(dice.randint(1, 5))
    ]


def _goals(dice: random.Random, people: list[str]) -> list[Row]:
    return [
        {
            "goal_id": f"{one}g{goal}",
            "employee_id": one,
            "happened_on": _day(dice),
            "progress": dice.choice([0.0, 0.3, 0.6, 1.0]),
            "due_on": _maybe(dice, _day(dice)),
        }
        for one in people
        for goal in range(dice.randint(1, 3))
        for _ in range(dice.randint(1, 3))
    ]


def _learning(dice: random.Random, people: list[str]) -> list[Row]:
    return [
        {
            "employee_id": one,
            "happened_on": _day(dice),
            "course_id": dice.choice(["c1", "c2"]),
            "status": dice.choice(["assigned", "started", "completed", None]),
            "hours": _maybe(dice, 7.5),
        }
        for one in people
        for _ in range(dice.randint(1, 5))
    ]


def _skills(dice: random.Random, people: list[str]) -> list[Row]:
    return [
        {
            "employee_id": one,
            "happened_on": _day(dice),
            "skill": dice.choice(["forge", "file"]),
            "level": float(dice.randint(0, 5)),
        }
        for one in people
        for _ in range(dice.randint(1, 4))
    ]


def _recognitions(dice: random.Random, people: list[str]) -> list[Row]:
    return [
        {
            "employee_id": one,
            "happened_on": _day(dice),
            "kind": dice.choice(["customer_praise", "award", "peer_thanks"]),
            "given_by": _maybe(dice, dice.choice(people), 0.7),
        }
        for one in people
        for _ in range(dice.randint(1, 5))
    ]


def _workdays(dice: random.Random, chance: float) -> list[date]:
    """Nine weeks of workdays before a snapshot, for some people."""
    if dice.random() > chance:
        return []
    last = dice.choice(AS_OF)
    days = [last - timedelta(back) for back in range(63)]
    return [day for day in days if day.weekday() < 5 and dice.random() < 0.9]


def _attendance(dice: random.Random, people: list[str]) -> list[Row]:
    full = [
        {"employee_id": one, "happened_on": day, "overtime_hours": dice.choice([0.0, 1.0, 1.5, 3.0])}
        for one in people
        for day in _workdays(dice, 0.3)
    ]
    return full + [
        {
            "employee_id": one,
            "happened_on": _day(dice),
            "hours": _maybe(dice, 8.25),
            "overtime_hours": _maybe(dice, dice.choice([0.0, 1.5, 4.0])),
            "late_minutes": _maybe(dice, 5.0, 0.3),
            "leave_days": _maybe(dice, dice.choice([0.0, 1.0])),
        }
        for one in people
        for _ in range(dice.randint(1, 25))
    ]


def _aspirations(dice: random.Random, people: list[str]) -> list[Row]:
    return [
        {
            "employee_id": one,
            "happened_on": _day(dice),
            "wants": _maybe(dice, dice.choice(["promotion", "promotion", "transfer", "none"])),
            "target_job": _maybe(dice, dice.choice(["smith", "clerk"]), 0.4),
            "interests": _maybe(dice, dice.choice(["chess", "chess; hiking", "choir;chess;choir"]), 0.6),
        }
        for one in people
        for _ in range(dice.randint(1, 3))
    ]


def _care_actions(dice: random.Random, people: list[str]) -> list[Row]:
    return [
        {
            "employee_id": one,
            "happened_on": _day(dice),
            "action": dice.choice(["talk", "mentor"]),
            "status": dice.choice([None, "suggested", "agreed", "done", "declined"]),
        }
        for one in people
        for _ in range(dice.randint(1, 4))
    ]


def _exit_interviews(dice: random.Random, people: list[str]) -> list[Row]:
    return [
        {
            "employee_id": one,
            "happened_on": _day(dice),
            "reason": dice.choice(["pay", "growth", "manager", "workload", "study"]),
        }
        for one in people
        for _ in range(dice.randint(1, 3))
    ]


def _courses(dice: random.Random, people: list[str]) -> list[Row]:
    return [
        {
            "course_id": f"c{i}",
            "skill": dice.choice(["forge", "file", "file; forge"]),
            "to_level": dice.choice([None, 2.0, 5.0]),
        }
        for i in range(1, 5)
    ]


def _activities(dice: random.Random, people: list[str]) -> list[Row]:
    rows: list[Row] = []
    for i in range(8):
        on = _day(dice)
        known = dice.choice([None, on - timedelta(40), on + timedelta(5)])
        interest = dice.choice(["chess", "hiking", "choir", None])
        rows.append({"activity_id": f"a{i}", "interest": interest, "happened_on": on, "known_on": known})
    return rows


def _job_skills(dice: random.Random, people: list[str]) -> list[Row]:
    return [
        {"job": job, "level": level, "skill": skill, "required_level": float(dice.randint(1, 5))}
        for job in ("smith", "clerk")
        for skill in ("forge", "file")
        for level in dice.sample([None, 2, 3], 2)
    ]


MAKERS = {
    "exits": _exits,
    "positions": _positions,
    "interactions": _interactions,
    "surveys": _surveys,
    "reviews": _reviews,
    "goals": _goals,
    "learning": _learning,
    "skills": _skills,
    "recognitions": _recognitions,
    "attendance": _attendance,
    "aspirations": _aspirations,
    "job_skills": _job_skills,
    "care_actions": _care_actions,
    "exit_interviews": _exit_interviews,
    "courses": _courses,
    "activities": _activities,
}
