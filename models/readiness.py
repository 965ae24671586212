"""How near somebody is to a step on a ladder, in plain words, and how they grow beside peers of the same job and level.

Both are for a talk about growing. Neither is a judgement of a person: what is unknown is said to be unknown, peers are
told in thirds, and there is no sum of everything, because a rank would be used as one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from features.talent import Ground, Talent
from models.growth_rules import Rule, Rules, shown

DAYS_A_MONTH = 30.44
FEW_RATED = 0.5
"""With fewer of the asked skills rated, the share that is met says more about the records than about the person."""

Verdict = Literal["ready", "nearly", "growing", "cannot_judge"]
State = Literal["met", "missing", "unknown"]


@dataclass(frozen=True)
class Check:
    """One rule held against the records: ``have`` is what is on record, as people read it."""

    rule: str
    measure: str
    state: State
    have: str | None
    text_en: str
    text_zh: str


@dataclass(frozen=True)
class Readiness:
    """A step on one ladder: to which post, how near, and each rule; ``skills`` as (skill, held or None, asked)."""

    ladder: str
    job: str
    level: int
    verdict: Verdict
    checks: tuple[Check, ...]
    skills: tuple[tuple[str, float | None, float], ...]


@dataclass(frozen=True)
class Standing:
    """One sign of growth beside peers: ``place`` in thirds, of so many peers."""

    measure: str
    place: Literal["above", "as", "room"]
    n_peers: int


@dataclass(frozen=True)
class Posts:
    """Which jobs there are on each ladder: per department a count of jobs, per job the levels held."""

    in_department: Mapping[tuple[str | None, str], Counter[str]]
    levels: Mapping[tuple[str, str], tuple[int, ...]]


def posts(people: Iterable[Talent]) -> Posts:
    """Return the posts that people hold."""
    jobs: dict[tuple[str | None, str], Counter[str]] = {}
    levels: dict[tuple[str, str], set[int]] = {}
    for one in people:
        if one.ladder and one.job:
            jobs.setdefault((one.department, one.ladder), Counter())[one.job] += 1
            levels.setdefault((one.job, one.ladder), set()).update([one.level] if one.level else [])
    return Posts(jobs, {key: tuple(sorted(found)) for key, found in levels.items()})


def next_post(person: Talent, ladder: str, known: Posts) -> tuple[str, int] | None:
    """Return job and level of the step: one level up on the own ladder; on the other one the wished job if it is held
    there, else the job most held there in the department, at the lowest level not below the own one."""
    if person.job is None or person.level is None:
        return None
    if ladder == person.ladder:
        return person.job, person.level + 1
    wished = person.target_job if (person.target_job, ladder) in known.levels else None
    near = known.in_department.get((person.department, ladder), Counter())
    job = wished or min(near, key=lambda name: (name != person.job, -near[name], name), default=None)
    if job is None:
        return None
    held = [level for level in known.levels[job, ladder] if level >= person.level]
    return job, min(held, default=person.level)


def readiness(person: Talent, ladder: str, ground: Ground, known: Posts, *, rules: Rules) -> Readiness | None:
    """Return how near the person is to the next post on the ladder; ``None`` when there is no such post."""
    post = next_post(person, ladder, known)
    if post is None:
        return None
    asked = ground.requirements(*post)
    have = measures(person, asked, own=ground.requirements(person.job, person.level), as_of=ground.as_of, rules=rules)
    checks = tuple(_check(rule, have[rule.measure]) for rule in rules.of(ladder))
    held = person.skills or {}
    skills = tuple((skill, held.get(skill), level) for skill, level in asked.items())
    return Readiness(ladder, post[0], post[1], verdict(checks), checks, skills)


def measures(
    person: Talent, asked: Mapping[str, float], *, own: Mapping[str, float], as_of: date, rules: Rules
) -> dict[str, float | None]:
    """Return everything that a rule may ask about; ``None`` where the records do not say."""
    held = person.skills or {}
    months = None if person.level_since is None else (as_of - person.level_since).days / DAYS_A_MONTH
    best = [level for skill, level in held.items() if skill in own]
    return {
        "months_in_level": None if months is None else float(int(months)),
        "skills_met_share": met_share(held, asked),
        "good_ratings_in_a_row": in_a_row([share for _, share in person.ratings], good=rules("ratings", "good")),
        "goals_overdue": person.goals_overdue,
        "best_skill_level": max(best, default=None),
        "contributions_24m": None if person.praise is None else sum(person.praise.values()),
        "far_colleagues": person.far_colleagues,
        "colleagues_helped": person.helped,
    }


def met_share(held: Mapping[str, float], asked: Mapping[str, float]) -> float | None:
    """Return the share of the asked skills that are met, over those rated; ``None`` when fewer than half are rated.

    >>> met_share({"triage": 3.0, "talk": 1.0}, {"triage": 2.0, "talk": 2.0})
    0.5
    """
    rated = [skill for skill in asked if skill in held]
    if not rated or len(rated) < FEW_RATED * len(asked):
        return None
    return sum(held[skill] >= asked[skill] for skill in rated) / len(rated)


def in_a_row(shares: Sequence[float], *, good: float) -> float | None:
    """Return how many of the newest ratings, without a gap, are good; ``None`` without any rating.

    >>> in_a_row([0.8, 0.9, 0.5, 0.9], good=0.7)
    2.0
    """
    below = [i for i, share in enumerate(shares) if share < good]
    return float(below[0] if below else len(shares)) if shares else None


def _check(rule: Rule, value: float | None) -> Check:
    state: State = "unknown" if value is None else "met" if rule.holds(value) else "missing"
    have = None if value is None else shown(rule.measure, value)
    return Check(rule.id, rule.measure, state, have, **rule.told())


def verdict(checks: Sequence[Check]) -> Verdict:
    """Return how near: all met, all but one, or more to come; with half or more unknown nothing is said."""
    states = Counter(check.state for check in checks)
    if not checks or 2 * states["unknown"] >= len(checks):
        return "cannot_judge"
    short = states["missing"] + states["unknown"]
    return "ready" if short == 0 else "nearly" if short == 1 else "growing"


GROWTH = ("skills_gained", "learning_hours", "rating", "goals_done", "far_colleagues")


def signs(person: Talent) -> dict[str, float | None]:
    """Return the signs of growth that are compared."""
    found: dict[str, Any] = {name: getattr(person, name, None) for name in GROWTH}
    last = [share for _, share in person.ratings[:2]]
    return {**found, "rating": sum(last) / len(last) if last else None}


def ranked(group: Iterable[Talent]) -> dict[str, list[float]]:
    """Return every known sign of the people of one job and level, in order: what each of them is held against."""
    found: dict[str, list[float]] = {}
    for one in group:
        for name, value in signs(one).items():
            if value is not None:
                found.setdefault(name, []).append(value)
    return {name: sorted(values) for name, values in found.items()}


def potential(person: Talent, group: Mapping[str, Sequence[float]], *, least: int) -> tuple[Standing, ...]:
    """Return where the person stands among peers, in thirds; nothing among fewer than ``least``.

    ``group`` is what ``ranked`` says of everybody of the job and level, the person among them. Ties count half, so that
    a sign that everybody has alike puts nobody above or below.
    """
    found = []
    for name, value in signs(person).items():
        values = group.get(name, ())
        n_peers = len(values) - 1
        if value is None or n_peers < max(least, 1):
            continue
        first, beyond = bisect_left(values, value), bisect_right(values, value)
        below = (first + 0.5 * (beyond - first - 1)) / n_peers
        found.append(Standing(name, "above" if below >= 2 / 3 else "room" if below <= 1 / 3 else "as", n_peers))
    return tuple(found)
