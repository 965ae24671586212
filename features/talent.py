"""What is on record about everybody's growth on a date: post, skills, courses, wish, reviews, goals, praise, ties.

Records for people to read, one per person, not columns for a model: titles of courses are in them, and nothing here
feeds the risk. Whoever is under notice or gone is left out. Unknown is ``None``, never zero: a table that is absent
says nothing about anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from typing import Any

import polars as pl

from features import engine
from features.snapshots import Records, known_by, panel
from features.tables import empty

YEAR = timedelta(days=365)
TIES = timedelta(days=180)
LOAD = timedelta(days=90)
POSTS = ("employees", "exits", "positions")
NOBODY = ""
"""Stands for everybody of whom a table that holds rows says nothing: there a count is zero, not unknown."""


@dataclass(frozen=True)
class Course:
    """A course on offer. ``skills``: one, or several (separated by ``;`` in the table), each taught to ``to_level``."""

    course_id: str
    title: str
    skills: tuple[str, ...]
    to_level: float
    hours: float
    mode: str | None = None


@dataclass(frozen=True)
class Activity:
    """Something that people can join, on a day to come."""

    activity_id: str
    title: str
    interest: str
    day: date
    place: str | None = None


@dataclass(frozen=True)
class Talent:
    """One person on the day. Levels 0 to 5; ``ratings`` as (day, share of the best possible), newest first.

    ``praise`` counts the recognitions of the last two years by kind; ``colleagues`` (and ``far_colleagues``, of other
    teams) are those in touch in the last 180 days; ``projects`` and ``helped`` are recorded acts of project work and
    colleagues helped in that time.
    """

    employee_id: str
    hired_on: date
    department: str | None = None
    team: str | None = None
    location: str | None = None
    job: str | None = None
    ladder: str | None = None
    level: int | None = None
    manager_id: str | None = None
    level_since: date | None = None
    stepped_on: date | None = None
    skills: Mapping[str, float] | None = None
    skills_gained: float | None = None
    done: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    learning_hours: float | None = None
    wants: str | None = None
    target_job: str | None = None
    wished_on: date | None = None
    interests: tuple[str, ...] = ()
    ratings: tuple[tuple[date, float], ...] = ()
    goals_open: int | None = None
    goals_overdue: int | None = None
    goals_done: int | None = None
    praise: Mapping[str, int] | None = None
    colleagues: int | None = None
    far_colleagues: int | None = None
    helped: int | None = None
    projects: int | None = None
    overtime_week: float | None = None
    n_reports: int = 0


@dataclass(frozen=True)
class Ground:
    """Everybody, and what is on offer. ``asked``: (job, level or None for every level) → skill → level needed."""

    as_of: date
    people: Mapping[str, Talent]
    courses: tuple[Course, ...]
    asked: Mapping[tuple[str, int | None], Mapping[str, float]]
    activities: tuple[Activity, ...]

    def requirements(self, job: str | None, level: int | None) -> dict[str, float]:
        """Return skill → level that a post asks for; what holds on every level and what this level adds."""
        both = (self.asked.get((job or "", None), {}), self.asked.get((job or "", level), {}) if level else {})
        return {skill: max(part.get(skill, 0.0) for part in both) for skill in sorted({*both[0], *both[1]})}


def ground(records: Records, as_of: date) -> Ground:
    """Everything that growth files are made of, as it was known at the close of ``as_of``."""
    known = {name: empty(name).lazy() for name in _READ} | known_by(records, as_of)
    people = _posts(records, as_of)
    teams = {row["employee_id"]: (row["department"], row["team"]) for row in people}
    parts = [_skills(known, as_of), _learning(known, as_of), _wishes(known, as_of), _ratings(known, as_of)]
    parts += [_goals(known, as_of), _praise(known, as_of), _ties(known, as_of, teams), _overtime(known, as_of)]
    talents = {}
    for row in people:
        facts: dict[str, Any] = dict(row)
        for part in parts:
            facts |= part.get(row["employee_id"], part.get(NOBODY, {}))
        talents[row["employee_id"]] = Talent(**facts)
    return Ground(as_of, talents, _courses(known), _asked(known), _activities(known, as_of))


_READ = (
    "skills",
    "learning",
    "aspirations",
    "reviews",
    "goals",
    "recognitions",
    "interactions",
    "attendance",
    "courses",
    "job_skills",
    "activities",
)
Known = Mapping[str, pl.LazyFrame]
Part = dict[str, dict[str, Any]]


def _posts(records: Records, as_of: date) -> list[dict[str, Any]]:
    """Who is employed and not under notice, in which post, and since when at this level."""
    seen = panel({name: records[name] for name in POSTS if name in records}, [as_of])
    post = ("department", "team", "location", "job", "ladder", "level", "manager_id")
    rows = engine.collected(seen.rows.select("employee_id", "hired_on", *post), dates=("hired_on",))
    steps = engine.collected(
        seen.history.select("employee_id", "happened_on", "promoted", "moved"), dates=("happened_on",)
    )
    up = pl.col("happened_on").filter(pl.col("promoted")).max()
    step = pl.col("happened_on").filter(pl.col("promoted") | pl.col("moved")).max()
    when = steps.group_by("employee_id").agg(
        pl.coalesce(up, pl.col("happened_on").min()).alias("level_since"), step.alias("stepped_on")
    )
    reports = rows["manager_id"].drop_nulls().value_counts().rename({"manager_id": "employee_id", "count": "n_reports"})
    both = rows.join(when, on="employee_id", how="left").join(reports, on="employee_id", how="left")
    return both.with_columns(pl.col("n_reports").fill_null(0)).sort("employee_id").to_dicts()


def _by_person(frame: pl.LazyFrame) -> Part:
    rows = frame.collect()
    return {row.pop("employee_id"): row for row in rows.to_dicts()}


def _happened(known: Known, name: str, as_of: date) -> pl.LazyFrame:
    return known[name].filter(pl.col("happened_on") <= as_of)


def _skills(known: Known, as_of: date) -> Part:
    """The latest level of every skill, and how many levels were gained since a year ago, over skills rated then."""
    rated = _happened(known, "skills", as_of).filter(pl.col("level").is_not_null()).sort("happened_on").collect()
    found: Part = {}
    for one, skill, day, level in rated.select("employee_id", "skill", "happened_on", "level").iter_rows():
        facts = found.setdefault(one, {"skills": {}, "_before": {}})
        facts["skills"][skill] = level
        if day <= as_of - YEAR:
            facts["_before"][skill] = level
    for facts in found.values():
        before = facts.pop("_before")
        facts["skills_gained"] = sum(facts["skills"][s] - before[s] for s in before) if before else None
    return found


def _learning(known: Known, as_of: date) -> Part:
    rows = _happened(known, "learning", as_of).sort("happened_on")
    last = rows.unique(["employee_id", "course_id"], keep="last", maintain_order=True).sort("course_id")
    done = pl.col("status") == "completed"
    recent = done & (pl.col("happened_on") > as_of - YEAR)
    found = _by_person(
        last.group_by("employee_id", maintain_order=True).agg(
            pl.col("course_id").filter(done).alias("done"),
            pl.col("course_id").filter(pl.col("status").is_in(["assigned", "started"])).alias("begun"),
            pl.col("hours").filter(recent).sum().alias("learning_hours"),
        )
    )
    for facts in found.values():
        facts |= {name: tuple(facts[name]) for name in ("done", "begun")}
    return found | ({NOBODY: {"learning_hours": 0.0}} if found else {})


def _wishes(known: Known, as_of: date) -> Part:
    """What somebody last said to want, and the interests last named (often not on the same day)."""
    told = _happened(known, "aspirations", as_of).sort("happened_on").collect()
    found: Part = {}
    columns = ("employee_id", "happened_on", "wants", "target_job", "interests")
    for one, day, wants, job, interests in told.select(columns).iter_rows():
        facts = found.setdefault(one, {})
        if wants or job:
            facts |= {"wants": wants, "target_job": job, "wished_on": day}
        if interests:
            facts["interests"] = tuple(part.strip() for part in interests.split(";") if part.strip())
    return found


def _ratings(known: Known, as_of: date) -> Part:
    """The manager's ratings, the mean of a day where several were given, newest first."""
    by_manager = pl.col("source").is_null() | (pl.col("source") == "manager")
    rows = _happened(known, "reviews", as_of).filter(by_manager, pl.col("scale_max") > 0)
    share = (pl.col("rating") / pl.col("scale_max")).mean().alias("share")
    cycles = rows.group_by("employee_id", "happened_on").agg(share).drop_nulls().sort("happened_on", descending=True)
    found: Part = {}
    for one, day, value in cycles.select("employee_id", "happened_on", "share").collect().iter_rows():
        found.setdefault(one, {"ratings": []})["ratings"].append((day, value))
    return {one: {"ratings": tuple(facts["ratings"])} for one, facts in found.items()}


def _goals(known: Known, as_of: date) -> Part:
    """Goals by their newest update: open ones of the last year, those past their day, those finished in that year."""
    rows = _happened(known, "goals", as_of).sort("happened_on").unique("goal_id", keep="last", maintain_order=True)
    fresh = rows.filter(pl.col("happened_on") > as_of - YEAR)
    unfinished = pl.col("progress") < 1
    found = _by_person(
        fresh.group_by("employee_id").agg(
            unfinished.sum().cast(pl.Int64).alias("goals_open"),
            (unfinished & (pl.col("due_on") < as_of)).sum().cast(pl.Int64).alias("goals_overdue"),
            (pl.col("progress") >= 1).sum().cast(pl.Int64).alias("goals_done"),
        )
    )
    return found | ({NOBODY: {"goals_open": 0, "goals_overdue": 0, "goals_done": 0}} if found else {})


def _praise(known: Known, as_of: date) -> Part:
    """Recognition by others in the last two years, by kind. Nobody praises themselves."""
    rows = _happened(known, "recognitions", as_of).filter(pl.col("happened_on") > as_of - 2 * YEAR)
    rows = rows.filter(pl.col("given_by").is_null() | (pl.col("given_by") != pl.col("employee_id")))
    counts = rows.group_by("employee_id", "kind").len().sort("employee_id", "kind").collect()
    found: Part = {NOBODY: {"praise": {}}} if counts.height else {}
    for one, kind, n in counts.iter_rows():
        found.setdefault(one, {"praise": {}})["praise"][kind] = n
    return found


def _ties(known: Known, as_of: date, teams: Mapping[str, tuple[Any, Any]]) -> Part:
    """With how many colleagues somebody was in touch, whoever began; counts alone."""
    rows = _happened(known, "interactions", as_of).filter(pl.col("happened_on") > as_of - TIES, pl.col("n") > 0)
    pairs = rows.group_by("employee_id", "counterpart_id").agg(
        pl.col("n").filter(pl.col("kind") == "project").sum().alias("projects"),
        (pl.col("kind") == "help_given").any().alias("helped"),
    )
    found: dict[str, dict[str, Any]] = {}
    for one, other, projects, helped in pairs.collect(engine="streaming").iter_rows():
        mine = found.setdefault(one, {"met": set(), "projects": 0, "helped": set()})
        mine["projects"] += projects
        if other is None or other == one:
            continue
        mine["met"].add(other)
        mine["helped"] |= {other} if helped else set()
        found.setdefault(other, {"met": set(), "projects": 0, "helped": set()})["met"].add(one)
    if not found:
        return {}
    found[NOBODY] = {"met": set(), "projects": 0, "helped": set()}
    kinds = {name for name in ("helped", "projects") if any(facts[name] for facts in found.values())}
    return {
        one: {
            "colleagues": len(facts["met"]),
            "far_colleagues": sum(teams[o] != teams.get(one) for o in facts["met"] if o in teams),
            "helped": len(facts["helped"]) if "helped" in kinds else None,
            "projects": int(facts["projects"]) if "projects" in kinds else None,
        }
        for one, facts in found.items()
    }


def _overtime(known: Known, as_of: date) -> Part:
    rows = _happened(known, "attendance", as_of).filter(pl.col("happened_on") > as_of - LOAD)
    a_week = (pl.col("overtime_hours").sum() / pl.lit(LOAD.days / 7)).alias("overtime_week")
    return _by_person(rows.filter(pl.col("overtime_hours").is_not_null()).group_by("employee_id").agg(a_week))


def _courses(known: Known) -> tuple[Course, ...]:
    whole = pl.col("to_level").is_not_null() & pl.col("hours").is_not_null()
    rows = known["courses"].filter(whole).sort("course_id").collect()
    columns = ("course_id", "title", "skill", "to_level", "hours", "mode")
    return tuple(
        Course(number, title or number, tuple(p.strip() for p in skill.split(";") if p.strip()), level, hours, mode)
        for number, title, skill, level, hours, mode in rows.select(columns).iter_rows()
    )


def _asked(known: Known) -> dict[tuple[str, int | None], dict[str, float]]:
    found: dict[tuple[str, int | None], dict[str, float]] = {}
    rows = known["job_skills"].filter(pl.col("required_level").is_not_null()).collect()
    for job, level, skill, needed in rows.select("job", "level", "skill", "required_level").iter_rows():
        found.setdefault((job, level), {})[skill] = needed
    return found


def _activities(known: Known, as_of: date) -> tuple[Activity, ...]:
    ahead = (pl.col("happened_on") > as_of) & (pl.col("happened_on") <= as_of + TIES)
    rows = known["activities"].filter(ahead, pl.col("interest").is_not_null()).sort("happened_on", "activity_id")
    columns = ("activity_id", "title", "interest", "happened_on", "place")
    return tuple(
        Activity(number, title or number, interest, day, place)
        for number, title, interest, day, place in rows.select(columns).collect().iter_rows()
    )


def to_plain(one: Talent) -> dict[str, Any]:
    """Return the record as JSON can hold it; ``from_plain`` reads it back."""
    return {name: _plain(value) for name, value in asdict(one).items()}


def from_plain(facts: Mapping[str, Any]) -> Talent:
    """Return the record that ``to_plain`` wrote."""
    days = ("hired_on", "level_since", "stepped_on", "wished_on")
    read: dict[str, Any] = {field.name: facts[field.name] for field in fields(Talent)}
    read |= {name: date.fromisoformat(read[name]) for name in days if read[name]}
    read |= {name: tuple(read[name]) for name in ("done", "begun", "interests")}
    read["ratings"] = tuple((date.fromisoformat(day), share) for day, share in read["ratings"])
    return Talent(**read)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return value


def found_by_interest(activities: Sequence[Activity], interests: Sequence[str]) -> list[Activity]:
    """Return the activities to come that serve a stated interest, the nearest first."""
    liked = {one.casefold() for one in interests}
    return [one for one in activities if one.interest.casefold() in liked]
