"""Who comes, goes up, moves and is replaced in the invented company: everything about posts that no feeling decides."""

from __future__ import annotations

from functools import partial

import numpy as np

from features.company.days import calendar_month_of, workdays
from features.company.staff import HEAD, LEAD, PERFORMANCE, Staff
from features.company.world import DEPARTMENTS, JOBS

MANAGER_MOVES, REORGANISED = 0.015, 0.20
"""Share of teams whose manager changes place with another one: each month, and in the month of a reorganisation."""


def appoint(staff: Staff, month: int) -> None:
    """Fill vacant posts on the first of the month: about six in ten from within, else from outside."""
    p, rng = staff.p, staff.rng
    for department in np.flatnonzero(staff.head_of < 0):
        able = staff.settled(month) & p["leads"][: staff.n] & (p["level"][: staff.n] == LEAD)
        pool = np.flatnonzero(able & (p["department"][: staff.n] == department))
        if len(pool) and rng.random() < 0.6:
            chosen = staff.best(pool)
            staff.lead_of[staff.lead_of == chosen] = -1
            staff.head_of[department], p["team"][chosen] = chosen[0], 0
            staff.promote(chosen, np.array([HEAD]), month)
            staff.note(chosen, staff.first[[month]])
    for team in np.flatnonzero((staff.lead_of[1:] < 0) & (staff.target[1:] > 0)) + 1:
        if rng.random() < 0.6:
            _appoint_lead(staff, int(team), month)
    staff.rewire(staff.first[month], month)


def _appoint_lead(staff: Staff, team: int, month: int) -> None:
    p, rng = staff.p, staff.rng
    mates = staff.settled(month) & (p["team"][: staff.n] == team) & (p["level"][: staff.n] > 1)
    if mates.any() and rng.random() < 0.6:
        chosen = staff.best(np.flatnonzero(mates))
        staff.promote(chosen, np.maximum(LEAD, p["level"][chosen]), month)
        begin = staff.note
    else:
        chosen = staff.add(np.array([team]), LEAD)
        begin = partial(staff.start, month=month)
    p["leads"][chosen], staff.lead_of[team] = True, chosen[0]
    begin(chosen, staff.first[[month]])


def transfer(staff: Staff, month: int) -> None:
    """Move people who ask (8 % a year) into empty places where their job is found."""
    p, rng, gaps = staff.p, staff.rng, staff.gaps(month)
    asking = staff.settled(month) & ~p["leads"][: staff.n] & (rng.random(staff.n) < 0.08 / 12)
    moved = []
    for who in np.flatnonzero(asking):
        fits = [t for t in np.flatnonzero(gaps) if p["job"][who] in DEPARTMENTS[staff.team_department[t]][1]]
        fits = [t for t in fits if t != p["team"][who]]
        if fits:
            team = int(rng.choice(fits))
            gaps[team] -= 1
            p["team"][who], p["department"][who] = team, staff.team_department[team]
            p["location"][who] = staff.team_location[team]
            moved.append(who)
    staff.rewire(staff.first[month], month)
    staff.note(np.array(moved, int), np.full(len(moved), staff.first[month]))


def reward(staff: Staff, month: int) -> None:
    """January: the market moves. April: raises. April and October: steps up the professional ladder."""
    p, rng = staff.p, staff.rng
    first = staff.first[month]
    calendar_month = calendar_month_of(first)
    if calendar_month not in (1, 4, 10):
        return
    who = np.flatnonzero(staff.here(first))
    performance = staff.own[who, PERFORMANCE]
    if calendar_month == 1:
        staff.market = staff.market * (1.03 + 0.01 * rng.standard_normal(len(JOBS)))
    if calendar_month == 4:
        behind = staff.compa(who) + staff.gap[who]
        drawn = 0.032 + 0.006 * performance - 0.015 * behind + 0.015 * rng.standard_normal(len(who))
        p["pay"][who] *= 1 + np.clip(drawn, 0, 0.15)
    if calendar_month != 1:
        waited = month - p["promoted_month"][who]
        chance = 1 / (1 + np.exp(2.6 - 0.6 * performance - 0.03 * (waited - 24) + 0.5 * (p["level"][who] - 2)))
        able = staff.settled(month)[who] & ~p["leads"][who] & (p["level"][who] < 5) & (waited >= 12)
        risen = who[able & (rng.random(len(who)) < chance)]
        staff.promote(risen, p["level"][risen] + 1, month)
        who = risen if calendar_month == 10 else who
    staff.note(who, np.full(len(who), first))


def vacate(staff: Staff, month: int) -> None:
    """Empty the posts of those whose last day lies in this month; their people report upwards the day after."""
    last = staff.p["last"]
    holders = np.concatenate([staff.lead_of, staff.head_of])
    holders = holders[holders >= 0]
    for who in sorted(holders[last[holders] < staff.first[month + 1]], key=lambda i: (last[i], i)):
        staff.lead_of[staff.lead_of == who] = -1
        staff.head_of[staff.head_of == who] = -1
        staff.rewire(last[who] + 1, month)


def hire(staff: Staff, month: int) -> None:
    """Fill about six in ten empty places, in the first half of the month."""
    rng = staff.rng
    gaps = rng.binomial(staff.gaps(month), 0.6)
    who = staff.add(np.repeat(np.arange(len(gaps)), gaps), None)
    _come_back(staff, who, month)
    first = staff.first[month]
    staff.start(who, workdays(rng, np.full(len(who), first), np.full(len(who), first + 15)), month)


def _come_back(staff: Staff, who: np.ndarray, month: int) -> None:
    """Make some of those hired people who had worked here before: the old number, and what is theirs for life."""
    share = staff.company.regime.faults.rehired
    if share == 0 or not len(who):
        return
    p, more = staff.p, staff.more
    long_gone = staff.first[max(month - 6, 0)]
    left = (p["kind"][: staff.n] == 0) & (p["last"][: staff.n] < long_gone) & ~staff.returned[: staff.n]
    former = np.flatnonzero(left)
    back = who[more.random(len(who)) < share][: len(former)]
    once = more.choice(former, len(back), replace=False) if len(back) else np.empty(0, int)
    staff.returned[once] = True
    for name in ("alias", "quality", "frailty", "female", "born", "group", "commute", "central"):
        p[name][back] = p[name][once]
    staff.own[back] = 0.7 * staff.own[once] + np.sqrt(1 - 0.7**2) * staff.own[back]


def change_places(staff: Staff, month: int, *, share: float) -> None:
    """Let the managers of some teams change places, so that their people get a new one."""
    p, more = staff.p, staff.more
    settled = staff.settled(month)
    teams = np.flatnonzero((staff.lead_of >= 0) & (more.random(len(staff.lead_of)) < share))
    teams = teams[settled[staff.lead_of[teams]]]
    if len(teams) < 2:
        return
    staff.lead_of[teams] = np.roll(staff.lead_of[teams], 1)
    who = staff.lead_of[teams]
    p["team"][who], p["department"][who] = teams, staff.team_department[teams]
    p["location"][who] = staff.team_location[teams]
    staff.note(who, np.full(len(who), staff.first[month]))
    staff.rewire(staff.first[month], month)


def acquire(staff: Staff, month: int) -> None:
    """Take over another firm: whole teams on one day. Their former tenure (mean 40 months) is on nobody's file."""
    teams, p = np.flatnonzero(staff.late_target), staff.p
    staff.target = staff.target + staff.late_target
    staff.late_target = np.zeros_like(staff.target)
    leads = staff.add(teams, LEAD)
    p["leads"][leads], staff.lead_of[teams] = True, leads
    others = staff.add(np.repeat(teams, staff.target[teams] - 1), None)
    who = np.concatenate([leads, others])
    staff.start(who, np.full(len(who), staff.first[month]), month)
    former = np.clip(np.ceil(staff.more.exponential(40, len(who))).astype(int), 1, 300)
    p["since_month"][who], p["promoted_month"][who] = month - former, month - np.minimum(former, 36)
