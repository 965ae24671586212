"""Whom to bring together: a mentor for a missing skill, a buddy for somebody new, a team whose projects teach a skill.

Suggestions for people who then ask each other. Nobody is named who is the person's own manager or report, leads many
people, works long hours already, or has been named often enough; each name comes with the reasons for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from features.talent import Ground, Talent
from models.growth_rules import Rules

LOOKED_AT = 200
"""Holders of a skill at one place that are looked at before the search goes on elsewhere."""


@dataclass(frozen=True)
class Companion:
    """Somebody who fits, and why: ``reasons`` are keys of sentences."""

    employee_id: str
    kind: str
    skill: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Host:
    """A team in whose projects a skill can be learned: so many of its people hold it at the level that is wanted.

    ``gives``: a skill that the person could bring along and that people there lack.
    """

    department: str | None
    team: str
    skill: str
    n_holders: int
    gives: str | None


Team = tuple[str | None, str]


@dataclass(frozen=True)
class Circle:
    """Everybody, arranged for looking up; ``load`` counts how often somebody was named first and grows with use."""

    ground: Ground
    rules: Rules
    holders: Mapping[tuple[str, str | None], list[str]]
    members: Mapping[Team, tuple[str, ...]]
    near: Mapping[Team, tuple[str, ...]]
    usual_ties: float
    load: Counter[tuple[str, str]] = field(default_factory=Counter)
    hosts: dict[tuple[str, float, str | None], tuple[tuple[Team, int], ...]] = field(default_factory=dict)


def circle(ground: Ground, rules: Rules) -> Circle:
    """Return the circle of a batch, in which nobody has been named yet and whoever is overloaded is no holder."""
    holders: dict[tuple[str, str | None], list[str]] = {}
    members: dict[Team, list[str]] = {}
    near: dict[Team, list[str]] = {}
    people = ground.people
    for one in people.values():
        for skill in () if _is_busy(one, rules) else one.skills or {}:
            holders.setdefault((skill, one.location), []).append(one.employee_id)
        if one.team:
            members.setdefault((one.department, one.team), []).append(one.employee_id)
        near.setdefault((one.department, one.location or ""), []).append(one.employee_id)
    for (skill, _), row in holders.items():
        order = {i: (-(people[i].skills or {})[skill], people[i].n_reports, i) for i in row}
        row.sort(key=order.__getitem__)
    ties = [one.colleagues for one in people.values() if one.colleagues is not None]
    teams, places = ({key: tuple(found) for key, found in part.items()} for part in (members, near))
    return Circle(ground, rules, holders, teams, places, median(ties) if ties else 0.0)


def mentors(person: Talent, skill: str, wanted: float, *, among: Circle) -> tuple[Companion, ...]:
    """Return who could teach the skill, first choice first: at least a level above the person, of another team, not
    overloaded. The same place comes first, then the higher level, then who leads fewer people."""
    places = [person.location, *sorted({p or "" for s, p in among.holders if s == skill} - {person.location or ""})]
    most = int(among.rules("mentors", "names"))
    found: list[Companion] = []
    for place in places:
        for one in _teachers(person, skill, place or None, among=among, most=most - len(found)):
            near = ("same_place",) if one.location and one.location == person.location else ()
            how = "holds_skill" if (one.skills or {})[skill] >= wanted else "is_ahead"
            found.append(Companion(one.employee_id, "mentor", skill, (how, "other_team", *near, *_room(one))))
        if len(found) == most:
            break
    if found:
        among.load["mentor", found[0].employee_id] += 1
    return tuple(found)


def _teachers(person: Talent, skill: str, place: str | None, *, among: Circle, most: int) -> list[Talent]:
    """Return the best holders at a place who may be asked; who has been named often enough leaves the row for good."""
    held, row = (person.skills or {}).get(skill, 0.0), among.holders.get((skill, place), [])
    found: list[Talent] = []
    for other in row[:LOOKED_AT]:
        one = among.ground.people[other]
        if (one.skills or {})[skill] < held + 1 or len(found) == most:
            break  # the best come first
        if among.load["mentor", other] >= among.rules("mentors", "mentees_most"):
            row.remove(other)
        elif not _in_line(one, person) and not _same_team(one, person):
            found.append(one)
    return found


def buddy(person: Talent, *, among: Circle) -> tuple[Companion, ...]:
    """Return a colleague of the same team, else of the same place and department, who knows the house well."""
    rules, people = among.rules, among.ground.people
    if (among.ground.as_of - person.hired_on).days >= rules("buddies", "new_days"):
        return ()
    team = among.members.get((person.department, person.team or ""), ())
    found = _buddies((people[i] for i in team), person, among)
    if not found:
        same = among.near[person.department, person.location or ""]
        found = _buddies((people[i] for i in same), person, among)
    if not found:
        return ()
    one = found[0]
    among.load["buddy", one.employee_id] += 1
    where = "same_team" if _same_team(one, person) else "same_place"
    same_job = ("same_job",) if one.job and one.job == person.job else ()
    wide = ("many_ties",) if one.colleagues is not None else ()
    return (Companion(one.employee_id, "buddy", None, (where, *same_job, "knows_house", *wide, *_room(one))),)


def _buddies(others: Iterable[Talent], person: Talent, among: Circle) -> list[Talent]:
    """Return those who can be the person's buddy, the same job first, then who is named less, then who knows more."""
    rules, today = among.rules, among.ground.as_of
    fit = [
        one
        for one in others
        if (today - one.hired_on).days >= rules("buddies", "tenure_days_least")
        and (one.colleagues is None or one.colleagues >= among.usual_ties)
        and not _in_line(one, person)
        and not _is_busy(one, rules)
        and among.load["buddy", one.employee_id] < rules("buddies", "looks_after_most")
    ]
    named = among.load
    return sorted(
        fit, key=lambda o: (o.job != person.job, named["buddy", o.employee_id], -(o.colleagues or 0), o.employee_id)
    )


def _in_line(one: Talent, person: Talent) -> bool:
    """Whether it is the person, their manager or somebody they lead: nobody learns freely from those."""
    return person.employee_id in (one.employee_id, one.manager_id) or one.employee_id == person.manager_id


def _is_busy(one: Talent, rules: Rules) -> bool:
    """Whether somebody leads many people or works long hours already; unknown hours are taken as usual ones."""
    overtime = one.overtime_week or 0.0
    return one.n_reports > rules("mentors", "reports_most") or overtime > rules("mentors", "overtime_week_most")


def _same_team(one: Talent, other: Talent) -> bool:
    return one.team is not None and (one.department, one.team) == (other.department, other.team)


def _room(one: Talent) -> tuple[str, ...]:
    return () if one.overtime_week is None else ("has_room",)


def hosts(person: Talent, skill: str, wanted: float, *, among: Circle) -> tuple[Host, ...]:
    """Return up to two other teams with project work on record in which enough people hold the skill."""
    key = (skill, wanted, person.location)
    if key not in among.hosts:
        among.hosts[key] = _teams_that_hold(skill, wanted, person.location, among)
    own = (person.department, person.team)
    found = [(team, n) for team, n in among.hosts[key] if team != own][:2]
    return tuple(Host(team[0], team[1], skill, n, _gives(person, team, skill, among)) for team, n in found)


def _teams_that_hold(skill: str, wanted: float, place: str | None, among: Circle) -> tuple[tuple[Team, int], ...]:
    """Return the teams with projects and enough holders, those at the same place first, then those with more."""
    rows = []
    for team, members in among.members.items():
        people = [among.ground.people[i] for i in members]
        n = sum(1 for one in people if (one.skills or {}).get(skill, -1.0) >= wanted)
        if n >= among.rules("projects", "holders_least") and any(one.projects for one in people):
            here = sum(one.location == place for one in people) * 2 >= len(people)
            rows.append((not here, -n, team[0] or "", team[1], (team, n)))
    return tuple(row[-1] for row in sorted(rows, key=lambda row: row[:4]))[:3]


def _gives(person: Talent, team: Team, learned: str, among: Circle) -> str | None:
    """Return the skill, good enough for the person's own post, that people there lack most; not the one to learn."""
    own = among.ground.requirements(person.job, person.level)
    best: tuple[float, str] | None = None
    people = [among.ground.people[i] for i in among.members[team]]
    for skill, level in sorted((person.skills or {}).items()):
        if skill == learned or level < own.get(skill, 0.0):
            continue
        short = [
            needed - (one.skills or {}).get(skill, needed)
            for one in people
            if (needed := among.ground.requirements(one.job, one.level).get(skill, 0.0)) <= level
        ]
        lack = sum(gap for gap in short if gap > 0)
        if lack > 0 and (best is None or lack > best[0]):
            best = (lack, skill)
    return best[1] if best else None
