"""What the organisation will need, held against its people: who could grow into a new skill, who is ready for a post.

Both name people for a talk, with the reasons, and both ask first what people want. Contributions come first where a
post is open; a risk of leaving is not among the inputs and so cannot tip the scale either way.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from features.errors import FixableError
from features.talent import Ground, Talent
from models.courses import Gap, fewest_hours
from models.growth_rules import Rules
from models.readiness import DAYS_A_MONTH, in_a_row, met_share

NEAR = 1e-3
MOST_NEEDS = 20
MOST_PEOPLE = 200
"""People asked for in one list, over all its needs."""


@dataclass(frozen=True)
class Need:
    """So many people who hold the skill at this level or above."""

    skill: str
    level: float
    people: int


@dataclass(frozen=True)
class Candidate:
    """Somebody who could grow into it: ``hours`` of courses and practice from ``held``; ``reasons`` are keys."""

    employee_id: str
    held: float | None
    hours: float
    practice_hours: float
    courses: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """One need: how many hold it already, how many could grow into it, and who is proposed, fewest hours first."""

    need: Need
    n_holding: int
    n_possible: int
    proposed: tuple[Candidate, ...]


def match(needs: Sequence[Need], ground: Ground, *, rules: Rules) -> tuple[Match, ...]:
    """Return who could grow into each need. Nobody is proposed twice; together the hours are the fewest possible, where
    a person's own wish makes an hour count less. Who said to want no change, or works long hours, is not proposed."""
    possible = [_possible(need, ground, rules) for need in needs]
    slots = [i for i, need in enumerate(needs) for _ in range(need.people)]
    # More than as many candidates per need as there are seats in all can never be used.
    kept = [sorted(found, key=_cheapest_first(rules))[: len(slots)] for found in possible]
    names = sorted({one.employee_id for found in kept for one in found})
    given = _assigned(kept, slots, names, rules)
    out = []
    for i, need in enumerate(needs):
        mine = [one for one in kept[i] if given.get(one.employee_id) == i]
        holding = sum((p.skills or {}).get(need.skill, -1.0) >= need.level for p in ground.people.values())
        chosen = tuple(sorted(mine, key=lambda one: (one.hours, one.employee_id)))
        out.append(Match(need, holding, len(possible[i]), chosen))
    return tuple(out)


def _weighted(one: Candidate, rules: Rules) -> float:
    """Hours, fewer for a wish; of two who need the same, the one whose job asks for the skill."""
    hours = one.hours * (rules("needs", "wish_weight") if "wishes_it" in one.reasons else 1.0)
    return hours + (0.0 if "near_job" in one.reasons else NEAR)


def _cheapest_first(rules: Rules) -> Any:
    return lambda one: (_weighted(one, rules), one.hours, one.employee_id)


def _assigned(kept: Sequence[Sequence[Candidate]], slots: Sequence[int], names: Sequence[str], rules: Rules) -> dict:
    """Return person → need: as many seats as can be filled are filled, in the fewest weighted hours."""
    if not names or not slots:
        return {}
    row = {one: i for i, one in enumerate(names)}
    dear = 1.0 + sum(_weighted(one, rules) for found in kept for one in found)
    cost = np.full((len(names), len(slots)), dear)
    for j, need in enumerate(slots):
        for one in kept[need]:
            cost[row[one.employee_id], j] = _weighted(one, rules)
    rows, columns = linear_sum_assignment(cost)
    return {names[i]: slots[j] for i, j in zip(rows, columns, strict=True) if cost[i, j] < dear}


def _possible(need: Need, ground: Ground, rules: Rules) -> list[Candidate]:
    found = []
    for one in ground.people.values():
        held = (one.skills or {}).get(need.skill)
        busy = (one.overtime_week or 0.0) > rules("mentors", "overtime_week_most")
        if one.wants == "none" or busy or (held is not None and held >= need.level):
            continue
        offer = [course for course in ground.courses if course.course_id not in one.done]
        plan = fewest_hours([Gap(need.skill, held or 0.0, need.level)], offer, reach=rules("courses", "reach"))
        rest = need.level - min(need.level, plan.reached.get(need.skill, held or 0.0))
        practice = rest * rules("courses", "self_hours_per_level")
        names = tuple(step.course.title for step in plan.steps)
        begun = any(step.course.course_id in one.begun for step in plan.steps)
        reasons = ("wishes_it",) * wishes(one, need.skill, ground) + ("knows_some",) * bool(held)
        reasons += ("has_begun",) * begun + ("near_job",) * (need.skill in ground.requirements(one.job, one.level))
        found.append(Candidate(one.employee_id, held, plan.hours + practice, practice, names, reasons))
    return found


def wishes(person: Talent, skill: str, ground: Ground) -> bool:
    """Whether what somebody said to want leads to the skill: a wish to learn, a job that asks for it, an interest."""
    job = person.target_job
    leads = job is not None and any(skill in asked for (name, _), asked in ground.asked.items() if name == job)
    named = any(skill.casefold() in interest.casefold() for interest in person.interests)
    return leads or named or person.wants == "skill"


def read_needs(text: str, *, form: str) -> tuple[Need, ...]:
    """Return the needs written as TOML (``[[need]]``), CSV (skill, level, people) or plain lines (``skill, level, n``).

    Raises ``FixableError`` with every line that cannot be read.
    """
    try:
        rows = _rows(text, form)
    except (tomllib.TOMLDecodeError, csv.Error) as error:
        raise FixableError("The list of needed skills cannot be read.", [str(error)]) from None
    problems: list[str] = []
    needs = []
    for number, row in enumerate(rows, 1):
        try:
            skill, level = str(row["skill"]).strip(), float(row["level"])
            people = float(row.get("people") or 1)
        except (KeyError, TypeError, ValueError):
            problems.append(f"{number}: skill, level (0 to 5) and people are needed")
            continue
        if not skill or len(skill) > 100 or not 0 < level <= 5 or people != int(people) or not 1 <= people <= 100:
            problems.append(f"{number}: level must be above 0 and at most 5, people a whole number from 1 to 100")
            continue
        needs.append(Need(skill, level, int(people)))
    if not needs and not problems:
        problems = ["it names no skill"]
    if len(needs) > MOST_NEEDS or sum(need.people for need in needs) > MOST_PEOPLE:
        problems.append(f"at most {MOST_NEEDS} skills and {MOST_PEOPLE} people at once")
    if problems:
        raise FixableError("The list of needed skills cannot be used.", problems)
    return tuple(needs)


def _rows(text: str, form: str) -> list[Mapping[str, Any]]:
    if form == "toml":
        found = tomllib.loads(text).get("need", [])
        return [row if isinstance(row, dict) else {} for row in (found if isinstance(found, list) else [])]
    if form == "csv":
        return list(csv.DictReader(io.StringIO(text)))
    lines = [line.replace("，", ",") for line in text.splitlines() if line.strip()]
    return list(csv.DictReader(io.StringIO("\n".join(lines)), fieldnames=["skill", "level", "people"]))


@dataclass(frozen=True)
class Opening:
    """A post to be filled from within."""

    job: str
    level: int


@dataclass(frozen=True)
class Named:
    """Somebody on a shortlist: contributions first, then the skills of the post, then reviews and time at the level."""

    employee_id: str
    contributions: Mapping[str, int]
    wishes: bool
    skills_met: float | None
    missing: tuple[tuple[str, float | None, float], ...]
    good_reviews: int | None
    months_in_level: int | None


def shortlist(
    opening: Opening, ground: Ground, contributions: Mapping[str, Mapping[str, int]], *, rules: Rules
) -> tuple[Named, ...]:
    """Return who could be asked about the post: most contributions of the last two years first, then skills met, then
    who wished for it. Somebody without a known share of its skills is on it only with the same job."""
    asked = ground.requirements(opening.job, opening.level)
    found = []
    for one in ground.people.values():
        below = opening.level - (one.level if one.level is not None else opening.level)
        near = 0 <= below <= rules("shortlist", "levels_below_most") and one.level is not None
        if not near or (one.job == opening.job and below == 0) or one.wants == "none":
            continue
        share = held_share(one.skills or {}, asked)
        least = rules("shortlist", "levels_held_least")
        if share >= least if share is not None else one.job == opening.job:
            found.append(_named(one, opening, ground, contributions.get(one.employee_id, {}), rules=rules))
    order = sorted(found, key=lambda n: (-sum(n.contributions.values()), -(n.skills_met or 0), not n.wishes))
    return tuple(order[: int(rules("shortlist", "names"))])


def held_share(held: Mapping[str, float], asked: Mapping[str, float]) -> float | None:
    """Return the share of the asked levels that is held (not rated: nothing held); ``None`` when none is rated.

    >>> held_share({"triage": 2.0, "talk": 5.0}, {"triage": 4.0, "talk": 4.0})
    0.75
    """
    total = sum(asked.values())
    if not total or not set(asked) & set(held):
        return None
    return sum(min(held.get(skill, 0.0), level) for skill, level in asked.items()) / total


def _named(one: Talent, opening: Opening, ground: Ground, contributions: Mapping[str, int], *, rules: Rules) -> Named:
    held, asked = one.skills or {}, ground.requirements(opening.job, opening.level)
    good = in_a_row([value for _, value in one.ratings], good=rules("ratings", "good"))
    months = None if one.level_since is None else int((ground.as_of - one.level_since).days / DAYS_A_MONTH)
    return Named(
        employee_id=one.employee_id,
        contributions=dict(contributions),
        wishes=one.target_job == opening.job or (one.wants == "promotion" and one.job == opening.job),
        skills_met=met_share(held, asked),
        missing=tuple((s, held.get(s), level) for s, level in asked.items() if held.get(s, -1.0) < level),
        good_reviews=None if good is None else int(good),
        months_in_level=months,
    )
