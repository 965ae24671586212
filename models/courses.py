"""Which courses close a person's skill gaps in the fewest hours: exact, by integer programming (HiGHS).

A course teaches one or several skills up to ``to_level`` and lifts by at most ``reach`` levels, so an advanced course
may need a basic one first. What no chain of courses reaches is closed as far as courses go; the rest is for a mentor.

    minimise  hours · x
    u[c,s] ≤ x[c]                                            a course teaches only those who take it
    u[c,s] ≤ Σ u[d,s], to[c] - reach ≤ to[d] < to[c]         unless the level held is near enough
    Σ u[c,s], to[c] ≥ target[s]  ≥ 1                         each gap is closed

Not good for: saying that somebody *will* hold the level afterwards; a course is an offer, not a rating.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_array

from features.talent import Course

FEWER = 1e-2
"""Hours. Between two plans of the same hours the one with fewer courses is better."""
ORDER = 1e-5
"""Hours. And then the one with the earlier course numbers, so that two runs say the same."""


@dataclass(frozen=True)
class Gap:
    """A skill at ``held`` that is wanted at ``wanted``."""

    skill: str
    held: float
    wanted: float


@dataclass(frozen=True)
class Step:
    """A course of the plan and what it closes: (skill, level after it) for each gap that it moves."""

    course: Course
    closes: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Plan:
    """Courses in the order in which they can be taken, the hours together, and the level each gap gets to."""

    steps: tuple[Step, ...]
    hours: float
    reached: Mapping[str, float]


def fewest_hours(gaps: Sequence[Gap], courses: Sequence[Course], *, reach: float) -> Plan:
    """Return the plan with the fewest hours among those that close every gap as far as any courses can.

    Gaps that share no course are solved apart: a sum of minima is the minimum of the sum.
    """
    steps: list[Step] = []
    reached: dict[str, float] = {}
    offered = sorted(courses, key=lambda course: course.course_id)
    for part, offer in _apart(sorted(gaps, key=lambda gap: gap.skill), offered):
        found = _solved(part, offer, reach)
        steps += found
        for step in found:
            reached |= {s: max(level, reached.get(s, 0.0)) for s, level in step.closes}
    steps.sort(key=lambda step: (step.course.to_level, step.course.course_id))
    return Plan(tuple(steps), sum(step.course.hours for step in steps), reached)


def _apart(gaps: Sequence[Gap], courses: Sequence[Course]) -> list[tuple[tuple[Gap, ...], tuple[Course, ...]]]:
    """Return groups of gaps that are linked by courses teaching several of them, each with those courses."""
    open_gaps = {gap.skill: gap for gap in gaps if gap.wanted > gap.held}
    group = {skill: skill for skill in open_gaps}
    useful = []
    for course in courses:
        mine = [s for s in course.skills if s in open_gaps and course.to_level > open_gaps[s].held]
        if mine:
            useful.append((course, mine[0]))
            joined = {group[s] for s in mine}
            group = {s: group[mine[0]] if g in joined else g for s, g in group.items()}
    parts = []
    for name in dict.fromkeys(group.values()):
        members = tuple(gap for skill, gap in open_gaps.items() if group[skill] == name)
        offer = tuple(course for course, first in useful if group[first] == name)
        if offer:
            parts.append((members, offer))
    return parts


@lru_cache(maxsize=8192)
def _solved(gaps: tuple[Gap, ...], courses: tuple[Course, ...], reach: float) -> tuple[Step, ...]:
    """Return the courses of the best plan. Remembered: many people have the same gap before the same courses."""
    usable = {gap.skill: _usable(gap, courses, reach) for gap in gaps}
    pairs = [(c, gap) for gap in gaps for c in usable[gap.skill]]
    if not pairs:
        return ()
    n, m = len(courses), len(pairs)
    place = {(c, gap.skill): n + k for k, (c, gap) in enumerate(pairs)}
    rows: list[tuple[dict[int, float], float]] = []  # Σ weight · variable ≤ bound
    for c, gap in pairs:
        own = place[c, gap.skill]
        rows.append(({own: 1.0, c: -1.0}, 0.0))
        lowest = courses[c].to_level - reach
        if gap.held < lowest:
            before = [d for d in usable[gap.skill] if lowest <= courses[d].to_level < courses[c].to_level]
            rows.append(({own: 1.0, **{place[d, gap.skill]: -1.0 for d in before}}, 0.0))
    for gap in gaps:
        levels = [courses[c].to_level for c in usable[gap.skill]]
        if levels:
            target = min(gap.wanted, max(levels))
            closing = [c for c in usable[gap.skill] if courses[c].to_level >= target]
            rows.append(({place[c, gap.skill]: -1.0 for c in closing}, -1.0))
    cost = np.concatenate([[course.hours + FEWER + ORDER * i for i, course in enumerate(courses)], np.zeros(m)])
    taken = _least(cost, rows)
    return tuple(_step(course, gaps, usable, c) for c, course in enumerate(courses) if taken[c])


def _usable(gap: Gap, courses: Sequence[Course], reach: float) -> list[int]:
    """Return the courses that a chain from the level held leads to, by level."""
    order = sorted((c.to_level, i) for i, c in enumerate(courses) if gap.skill in c.skills and c.to_level > gap.held)
    levels, found = [gap.held], []
    for to_level, i in order:
        if any(to_level - reach <= level < to_level for level in levels):
            levels.append(to_level)
            found.append(i)
    return found


def _least(cost: np.ndarray, rows: Sequence[tuple[dict[int, float], float]]) -> np.ndarray:
    matrix = lil_array((len(rows), len(cost)))
    for i, (weights, _) in enumerate(rows):
        for j, weight in weights.items():
            matrix[i, j] = weight
    limits = LinearConstraint(matrix.tocsr(), -np.inf, np.array([bound for _, bound in rows]))
    found = milp(
        cost, constraints=limits, integrality=np.ones(len(cost)), bounds=Bounds(0, 1), options={"mip_rel_gap": 0.0}
    )
    if found.x is None:
        raise RuntimeError(f"no plan of courses was found: {found.message}")
    return np.asarray(found.x) > 0.5


def _step(course: Course, gaps: Sequence[Gap], usable: Mapping[str, Sequence[int]], c: int) -> Step:
    moved = tuple((gap.skill, course.to_level) for gap in gaps if c in usable[gap.skill])
    return Step(course, moved)
