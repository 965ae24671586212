"""MAIN: one growth file per person, from skills, learning, wish, performance and goals.

    gaps         to the present post and to the wished one
    courses      that close them in the fewest hours (models.courses)
    companions   mentors of other teams, projects of other teams, a buddy for who is new (models.companions)
    readiness    for the next post on either ladder, with what is missing (models.readiness)
    potential    beside peers of the same job and level, in thirds
    needs        what HR should be reminded of

For a talk about growing and for nothing else; no risk of leaving goes in and none comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from features.talent import Activity, Ground, Talent, found_by_interest
from models.companions import Circle, Companion, Host, buddy, circle, hosts, mentors
from models.courses import Gap, Plan, fewest_hours
from models.growth_rules import LADDERS, Rules
from models.readiness import Posts, Readiness, Standing, posts, potential, ranked, readiness

NEEDS = ("promotion_talk", "wish", "buddy", "course", "mentor", "rating", "goals", "thanks", "anniversary")
"""What HR is reminded of, the most pressing first."""

TAUGHT_BY_PEOPLE = 2
"""Gaps for which mentors and projects are looked for: nobody can take up more at once."""


@dataclass(frozen=True)
class Target:
    """A post held against the person: ``gaps`` as (skill, held, asked), ``unrated`` skills that nobody has judged."""

    kind: str
    job: str
    level: int | None
    gaps: tuple[tuple[str, float, float], ...]
    unrated: tuple[str, ...]
    n_asked: int
    plan: Plan


@dataclass(frozen=True)
class GrowthFile:
    """Everything that a growth report says; ids of colleagues stand only in ``companions``."""

    person: Talent
    as_of: date
    targets: tuple[Target, ...]
    companions: tuple[Companion, ...]
    projects: tuple[Host, ...]
    steps: tuple[Readiness, ...]
    potential: tuple[Standing, ...]
    activities: tuple[Activity, ...]
    review_on: date | None
    years: int
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """What all files of a batch share."""

    ground: Ground
    rules: Rules
    posts: Posts
    circle: Circle
    peers: Mapping[tuple[str | None, int | None], Mapping[str, list[float]]]


def setting(ground: Ground, rules: Rules) -> Setting:
    """Return what is the same for everybody: posts, holders of skills, peers."""
    groups: dict[tuple[str | None, int | None], list[Talent]] = {}
    for one in ground.people.values():
        groups.setdefault((one.job, one.level), []).append(one)
    peers = {key: ranked(group) for key, group in groups.items() if key[0]}
    return Setting(ground, rules, posts(ground.people.values()), circle(ground, rules), peers)


def growth_files(
    ground: Ground, rules: Rules, *, step: Callable[[int], None] = lambda _: None
) -> dict[str, GrowthFile]:
    """Return everybody's file. Mentors and buddies are given out fairly: those with the most to learn come first."""
    shared = setting(ground, rules)
    plain = {one: _without_people(person, shared) for one, person in ground.people.items()}
    order = sorted(plain, key=lambda one: (-_missing(plain[one]), one))
    done = {}
    for number, one in enumerate(order, 1):
        done[one] = _with_people(plain[one], shared)
        step(number)
    return {one: done[one] for one in plain}


def _missing(file: GrowthFile) -> float:
    return sum(asked - held for target in file.targets[:1] for _, held, asked in target.gaps)


def _without_people(person: Talent, shared: Setting) -> GrowthFile:
    ground, rules = shared.ground, shared.rules
    steps = [readiness(person, ladder, ground, shared.posts, rules=rules) for ladder in LADDERS]
    years, review_on = anniversary(person.hired_on, ground.as_of)
    peers = shared.peers.get((person.job, person.level), {})
    return GrowthFile(
        person=person,
        as_of=ground.as_of,
        targets=tuple(_targets(person, shared)),
        companions=(),
        projects=(),
        steps=tuple(one for one in steps if one is not None),
        potential=potential(person, peers, least=int(rules("peers", "least"))),
        activities=tuple(found_by_interest(ground.activities, person.interests)[:3]),
        review_on=review_on,
        years=years,
        needs=(),
    )


def _with_people(file: GrowthFile, shared: Setting) -> GrowthFile:
    """Return the file with mentors, projects and a buddy, and the needs that follow from the whole."""
    wide = [(asked - held, skill, asked) for target in file.targets for skill, held, asked in target.gaps]
    wanted: dict[str, float] = {}
    for _, skill, asked in sorted(wide, key=lambda gap: (-gap[0], gap[1])):
        if skill in wanted or len(wanted) < TAUGHT_BY_PEOPLE:
            wanted.setdefault(skill, asked)
    found = [mentors(file.person, skill, level, among=shared.circle) for skill, level in wanted.items()]
    teams = [hosts(file.person, skill, level, among=shared.circle) for skill, level in wanted.items()]
    people = tuple(one for part in found for one in part) + buddy(file.person, among=shared.circle)
    whole = replace(file, companions=people, projects=tuple(one for part in teams for one in part))
    return replace(whole, needs=needs(whole, shared.rules))


def _targets(person: Talent, shared: Setting) -> list[Target]:
    """Return the present post and, when somebody wished for another one, that one as well."""
    found = []
    if person.job:
        found.append(_target("present", person, person.job, person.level, shared))
    wished = wished_post(person)
    if wished is not None:
        found.append(_target("wished", person, wished[0], wished[1], shared))
    return [target for target in found if target.n_asked]


def wished_post(person: Talent) -> tuple[str, int | None] | None:
    """Return the post that somebody last wished for: the named job, or the present one a level up."""
    if person.wants == "none" or person.job is None:
        return None
    up = person.wants == "promotion" and person.level is not None
    if person.target_job is None and not up:
        return None
    return person.target_job or person.job, (person.level or 0) + 1 if up else person.level


def _target(kind: str, person: Talent, job: str, level: int | None, shared: Setting) -> Target:
    """A skill that nobody has judged is no gap of the present post (ask for a judgement first); for another post it is
    learned from the start."""
    asked, held = shared.ground.requirements(job, level), person.skills or {}
    unrated = tuple(skill for skill in asked if skill not in held)
    counted = asked if kind == "wished" and job != person.job else {s: n for s, n in asked.items() if s in held}
    gaps = tuple((s, held.get(s, 0.0), needed) for s, needed in counted.items() if held.get(s, 0.0) < needed)
    offer = [course for course in shared.ground.courses if course.course_id not in person.done]
    plan = fewest_hours([Gap(*gap) for gap in gaps], offer, reach=shared.rules("courses", "reach"))
    return Target(kind, job, level, gaps, unrated, len(asked), plan)


def anniversary(hired_on: date, as_of: date) -> tuple[int, date]:
    """Return how many years it will be at the next anniversary after ``as_of``, and its day (29 February: the 28th).

    >>> anniversary(date(2020, 2, 29), date(2021, 2, 1))
    (1, datetime.date(2021, 2, 28))
    """
    day = 28 if (hired_on.month, hired_on.day) == (2, 29) else hired_on.day
    this_year = date(as_of.year, hired_on.month, day)
    coming = this_year if this_year > as_of else date(as_of.year + 1, hired_on.month, day)
    return coming.year - hired_on.year, coming


def needs(file: GrowthFile, rules: Rules) -> tuple[str, ...]:
    """Return what HR should be reminded of about this person, in the order of ``NEEDS``."""
    person, today = file.person, file.as_of
    tenure = (today - person.hired_on).days
    waited = (today - person.wished_on).days if person.wished_on else 0
    answered = person.wished_on and person.stepped_on and person.stepped_on > person.wished_on
    first = file.targets[0] if file.targets and file.targets[0].kind == "present" else None
    soon = timedelta(days=rules("reminders", "anniversary_days"))
    held = {
        "promotion_talk": any(step.verdict == "ready" for step in file.steps),
        "wish": person.wants not in (None, "none") and not answered and waited >= rules("reminders", "wish_days"),
        "buddy": tenure < rules("buddies", "new_days"),
        "course": any(s.course.course_id not in person.begun for t in file.targets for s in t.plan.steps),
        "mentor": any(one.kind == "mentor" for one in file.companions),
        "rating": first is not None and 2 * len(first.unrated) > first.n_asked,
        "goals": bool(person.goals_overdue),
        "thanks": person.praise == {} and tenure >= rules("reminders", "thanks_days"),
        "anniversary": file.review_on is not None and file.review_on <= today + soon,
    }
    return tuple(need for need in NEEDS if held[need])


def to_plain(file: GrowthFile) -> dict[str, Any]:
    """Return the file as JSON can hold it, without colleagues: their ids are kept apart, so that they can be erased."""
    return {
        "as_of": file.as_of.isoformat(),
        "targets": [_target_facts(target, file.person.begun) for target in file.targets],
        "projects": [asdict(one) for one in file.projects],
        "steps": [asdict(one) for one in file.steps],
        "potential": [asdict(one) for one in file.potential],
        "activities": [{**asdict(one), "day": one.day.isoformat()} for one in file.activities],
        "review_on": file.review_on.isoformat() if file.review_on else None,
        "years": file.years,
        "needs": list(file.needs),
    }


def _target_facts(target: Target, begun: Sequence[str]) -> dict[str, Any]:
    reached = target.plan.reached
    return {
        "kind": target.kind,
        "job": target.job,
        "level": target.level,
        "n_asked": target.n_asked,
        "unrated": list(target.unrated),
        "hours": target.plan.hours,
        "gaps": [
            {"skill": skill, "held": held, "asked": asked, "reached": reached.get(skill)}
            for skill, held, asked in target.gaps
        ],
        "courses": [
            {
                "course_id": step.course.course_id,
                "title": step.course.title,
                "hours": step.course.hours,
                "mode": step.course.mode,
                "begun": step.course.course_id in begun,
                "closes": [list(one) for one in step.closes],
            }
            for step in target.plan.steps
        ],
    }
