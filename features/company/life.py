"""A month in the invented company, step by step, and the whole history it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from features.company import hazard as hz
from features.company.hazard import Company
from features.company.staff import HEAD, LEAD, NEVER, PERFORMANCE, Columns, Staff
from features.company.world import DEPARTMENTS, JOBS

KINDS = ("voluntary", "involuntary", "retirement", "contract_end")
DELAY = (0.35, 0.40, 0.25)
"""Share of leavers who give notice 0, 1 or 2 months after they decided (Gardner: signs show 1-2 months ahead)."""


@dataclass(frozen=True)
class History:
    """Everything that happened, the hidden part included. ``who`` counts people; ``month`` counts recorded months."""

    company: Company
    first: np.ndarray  # first day of every recorded month, and of the one after
    people: Columns  # one entry per person ever employed
    panel: Columns  # one entry per person and recorded month on the payroll, states and terms of the hazard included
    positions: Columns  # every change of a person's place, job, pay or manager, in the order in which it was noted
    care: Columns  # care actions that were carried out
    n_teams: int
    chief: int

    @property
    def until(self) -> np.datetime64:
        """The day of the export: the last day of the last month."""
        return self.first[-1] - np.timedelta64(1, "D")


def live(company: Company, seed: np.random.SeedSequence, *, base: float) -> History:
    """The company's whole history for a given intercept of the log-hazard."""
    life = _Life(company, np.random.default_rng(seed), base)
    for month in range(company.history_months + company.months):
        life.appoint(month)
        life.transfer(month)
        life.reward(month)
        life.vacate(month)
        life.hire(month)
        life.drift()
        life.care(month)
        life.feel(month)
        life.decide(month)
        life.dismiss(month)
        life.vacate(month)
        life.remember(month)
    return life.history()


def settle_base(company: Company, seed: np.random.SeedSequence) -> float:
    """The intercept at which the expected voluntary rate is the one asked for, found by living a few times."""
    base = float(np.log(company.voluntary / 12)) - 0.5 * company.scale**2 * 0.45
    for _ in range(4):
        panel = live(company, seed, base=base).panel
        expected = np.sum(1 - np.exp(-panel["rate_voluntary"][panel["exposed"]]))
        base += float(np.log(company.voluntary * len(panel["who"]) / (12 * expected)))
    return base


class _Life:
    """The staff, and what the months do to it."""

    def __init__(self, company: Company, rng: np.random.Generator, base: float) -> None:
        self.company, self.rng, self.base = company, rng, base
        self.staff = Staff(company, rng)
        self.left = np.zeros((len(self.staff.target), len(self.staff.first) + 24))
        self.panel: list[Columns] = []
        self.cared: list[Columns] = []

    # ---- moves -----------------------------------------------------------------------------------------------------

    def appoint(self, month: int) -> None:
        """Fill vacant posts on the first of the month: about six in ten from within, else from outside."""
        staff, p = self.staff, self.staff.p
        for department in np.flatnonzero(staff.head_of < 0):
            able = staff.settled(month) & p["leads"][: staff.n] & (p["level"][: staff.n] == LEAD)
            pool = np.flatnonzero(able & (p["department"][: staff.n] == department))
            if len(pool) and self.rng.random() < 0.6:
                chosen = staff.best(pool)
                staff.lead_of[staff.lead_of == chosen] = -1
                staff.head_of[department], p["team"][chosen] = chosen[0], 0
                staff.promote(chosen, np.array([HEAD]), month)
                staff.note(chosen, staff.first[[month]])
        for team in np.flatnonzero(staff.lead_of[1:] < 0) + 1:
            if self.rng.random() < 0.6:
                self._appoint_lead(int(team), month)
        staff.rewire(staff.first[month], month)

    def _appoint_lead(self, team: int, month: int) -> None:
        staff, p = self.staff, self.staff.p
        mates = staff.settled(month) & (p["team"][: staff.n] == team) & (p["level"][: staff.n] > 1)
        if mates.any() and self.rng.random() < 0.6:
            chosen = staff.best(np.flatnonzero(mates))
            staff.promote(chosen, np.maximum(LEAD, p["level"][chosen]), month)
            begin = staff.note
        else:
            chosen = staff.add(np.array([team]), LEAD)
            begin = partial(staff.start, month=month)
        p["leads"][chosen], staff.lead_of[team] = True, chosen[0]
        begin(chosen, staff.first[[month]])

    def transfer(self, month: int) -> None:
        """Move people who ask (8 % a year) into empty places where their job is found."""
        staff, p, gaps = self.staff, self.staff.p, self.staff.gaps(month)
        asking = staff.settled(month) & ~p["leads"][: staff.n] & (self.rng.random(staff.n) < 0.08 / 12)
        moved = []
        for who in np.flatnonzero(asking):
            fits = [t for t in np.flatnonzero(gaps) if p["job"][who] in DEPARTMENTS[staff.team_department[t]][1]]
            fits = [t for t in fits if t != p["team"][who]]
            if fits:
                team = int(self.rng.choice(fits))
                gaps[team] -= 1
                p["team"][who], p["department"][who] = team, staff.team_department[team]
                p["location"][who] = staff.team_location[team]
                moved.append(who)
        staff.rewire(staff.first[month], month)
        staff.note(np.array(moved, int), np.full(len(moved), staff.first[month]))

    def reward(self, month: int) -> None:
        """January: the market moves. April: raises. April and October: steps up the professional ladder."""
        staff, p, rng = self.staff, self.staff.p, self.rng
        first = staff.first[month]
        calendar_month = _calendar_month(first)
        if calendar_month not in (1, 4, 10):
            return
        who = np.flatnonzero(staff.here(first))
        performance = staff.own[who, PERFORMANCE]
        if calendar_month == 1:
            staff.market = staff.market * (1.03 + 0.01 * rng.standard_normal(len(JOBS)))
        if calendar_month == 4:
            drawn = 0.032 + 0.006 * performance - 0.015 * staff.compa(who) + 0.015 * rng.standard_normal(len(who))
            p["pay"][who] *= 1 + np.clip(drawn, 0, 0.15)
        if calendar_month != 1:
            waited = month - p["promoted_month"][who]
            chance = 1 / (1 + np.exp(2.6 - 0.6 * performance - 0.03 * (waited - 24) + 0.5 * (p["level"][who] - 2)))
            able = staff.settled(month)[who] & ~p["leads"][who] & (p["level"][who] < 5) & (waited >= 12)
            risen = who[able & (rng.random(len(who)) < chance)]
            staff.promote(risen, p["level"][risen] + 1, month)
            who = risen if calendar_month == 10 else who
        staff.note(who, np.full(len(who), first))

    def vacate(self, month: int) -> None:
        """Empty the posts of those whose last day lies in this month; their people report upwards the day after."""
        staff, last = self.staff, self.staff.p["last"]
        holders = np.concatenate([staff.lead_of, staff.head_of])
        holders = holders[holders >= 0]
        for who in sorted(holders[last[holders] < staff.first[month + 1]], key=lambda i: (last[i], i)):
            staff.lead_of[staff.lead_of == who] = -1
            staff.head_of[staff.head_of == who] = -1
            staff.rewire(last[who] + 1, month)

    def hire(self, month: int) -> None:
        """Fill about six in ten empty places, in the first half of the month."""
        staff, gaps = self.staff, self.rng.binomial(self.staff.gaps(month), 0.6)
        who = staff.add(np.repeat(np.arange(len(gaps)), gaps), None)
        first = staff.first[month]
        staff.start(who, workdays(self.rng, np.full(len(who), first), np.full(len(who), first + 15)), month)

    # ---- what people feel and do -----------------------------------------------------------------------------------

    def drift(self) -> None:
        """Everybody's states and every team's mood move a little."""
        staff, rng, keep = self.staff, self.rng, hz.PERSISTENCE
        for x in (staff.team_x, staff.own[: staff.n]):
            x *= keep
            x += np.sqrt(1 - keep**2) * rng.standard_normal(x.shape)
        keep_mood = hz.TEAM_SHOCK_PERSISTENCE
        news = hz.TEAM_SHOCK_SD * np.sqrt(1 - keep_mood**2) * rng.standard_normal(len(staff.team_shock))
        staff.team_shock = keep_mood * staff.team_shock + news

    def care(self, month: int) -> None:
        """Managers and HR do something for a few people: more for those who look at risk, and for good performers.

        Assumed: logit = -4.3 + .9 observed risk (in SD, seen through noise) + .35 performance + .5 manager quality.
        """
        staff, p, rng = self.staff, self.staff.p, self.rng
        looks = p["eta"][: staff.n] / self.company.scale / 0.67 + 0.8 * rng.standard_normal(staff.n)
        quality = p["quality"][p["manager"][: staff.n]]
        logit = -4.3 + 0.9 * looks / 1.28 + 0.35 * staff.own[: staff.n, PERFORMANCE] + 0.5 * quality
        free = staff.settled(month) & (month - p["care_month"][: staff.n] > 9) & (p["manager"][: staff.n] >= 0)
        who = np.flatnonzero(free & (rng.random(staff.n) < 1 / (1 + np.exp(-logit))))
        p["care_month"][who], p["care_action"][who] = month, rng.integers(0, len(hz.CARE), len(who))
        days = workdays(rng, np.full(len(who), staff.first[month]), np.full(len(who), staff.first[month + 1]))
        self.cared.append({"who": who, "day": days, "action": p["care_action"][who], "by": p["manager"][who]})

    def feel(self, month: int) -> None:
        """Everybody's log-hazard of this month, term by term."""
        staff, p, company = self.staff, self.staff.p, self.company
        who, first = np.arange(staff.n), staff.first[month]
        quality = np.where(p["manager"][who] >= 0, p["quality"][p["manager"][who]], 0.0)
        terms = hz.driver_terms(staff.states(), quality, staff.compa(who), month - p["promoted_month"][who])
        terms["manager_change"] = hz.MANAGER_CHANGE * (month - p["manager_month"][who] < hz.MANAGER_CHANGE_MONTHS)
        age = (first - p["born"][who]).astype(int) / 365.25
        terms["youth"] = hz.YOUTH_PER_YEAR * np.maximum(30 - age, 0)
        terms = {name: company.scale * term for name, term in terms.items()}
        sizes = np.bincount(p["team"][who][staff.here(first)], minlength=len(staff.target))
        gone = sum(w * self.left[:, month - lag] for lag, w in enumerate(hz.CONTAGION_KERNEL, 1) if month >= lag)
        caught = hz.contagion_rate(sizes) * np.minimum(gone, hz.CONTAGION_CAP)
        self.tenure = month - p["since_month"][who] - 1
        terms |= {
            "base": np.full(staff.n, self.base),
            "tenure": hz.tenure_term(self.tenure),
            "season": np.full(staff.n, hz.SEASON[_calendar_month(first) - 1]),
            "contagion": caught[p["team"][who]],
            "care": hz.care_term(p["care_action"][who], month - p["care_month"][who], p["leads"][who]),
            "team_shock": staff.team_shock[p["team"][who]],
            "frailty": hz.FRAILTY_SD * p["frailty"][who],
        }
        self.terms = terms
        self.rate = np.exp(sum(terms.values())) * (who != staff.chief)
        p["eta"][who] = sum(terms[name] for name in hz.DRIVER_TERMS)

    def decide(self, month: int) -> None:
        """Some decide to leave; some who had decided give notice, 30 to 60 days before their last day."""
        staff, p, rng = self.staff, self.staff.p, self.rng
        first = staff.first[month]
        self.exposed = staff.settled(month) & (p["decided_month"][: staff.n] < 0) & (self.rate > 0)
        who = np.flatnonzero(self.exposed & (rng.random(staff.n) < 1 - np.exp(-self.rate)))
        delay = rng.choice(len(DELAY), len(who), p=DELAY)
        p["decided_month"][who], p["notice_month"][who] = month, month + delay
        p["decided"][who] = workdays(rng, np.full(len(who), first), np.full(len(who), first + 20))
        earliest = np.where(delay == 0, p["decided"][who] + 1, staff.first[month + delay])
        p["notice"][who] = workdays(rng, earliest, staff.first[month + delay + 1])
        due = np.flatnonzero((p["notice_month"][: staff.n] == month) & (p["known"][: staff.n] == NEVER))
        self._give_notice(due, p["notice"][due], 30, 58)
        p["kind"][due] = 0
        self._count_leavers(due, 1.0)

    def dismiss(self, month: int) -> None:
        """Exits that are not the person's choice."""
        staff, p, rng = self.staff, self.staff.p, self.rng
        who, first = np.arange(staff.n), staff.first[month]
        old = (first - p["born"][who]).astype(int) / 365.25 > 61
        ends = p["fixed_term"][who] & (self.tenure > 0) & (self.tenure % 12 == 0)
        rates = np.stack([hz.involuntary_rate(self.company, staff.own[who, PERFORMANCE]), 0.03 * old, 0.15 * ends])
        self.other_rate = rates.sum(axis=0) * (who != staff.chief)
        hit = staff.settled(month) & (rng.random(staff.n) < 1 - np.exp(-self.other_rate))
        drawn = rng.random(staff.n) * rates.sum(axis=0)
        kind = 1 + (drawn[None, :] > np.cumsum(rates, axis=0)[:2]).sum(axis=0)
        for code, (least, most) in enumerate(((20, 38), (60, 118), (28, 33)), 1):
            out = np.flatnonzero(hit & (kind == code))
            days = workdays(rng, np.full(len(out), first), np.full(len(out), staff.first[month + 1]))
            p["kind"][out] = code
            self._give_notice(out, days, least, most)
        self._count_leavers(np.flatnonzero(hit & (kind == 1)), hz.INVOLUNTARY_CONTAGION)

    def _give_notice(self, who: np.ndarray, days: np.ndarray, least: int, most: int) -> None:
        p = self.staff.p
        p["known"][who] = days
        p["last"][who] = np.busday_offset(days + self.rng.integers(least, most + 1, len(who)), 0, roll="forward")

    def _count_leavers(self, who: np.ndarray, weight: float) -> None:
        opening = self.staff.first[0].astype("datetime64[M]")
        month = (self.staff.p["last"][who].astype("datetime64[M]") - opening).astype(int)
        np.add.at(self.left, (self.staff.p["team"][who], month), weight)

    # ---- memory ----------------------------------------------------------------------------------------------------

    def remember(self, month: int) -> None:
        """Keep the month of everybody on the payroll, once the recorded months have begun."""
        if month < self.company.history_months:
            return
        staff, p = self.staff, self.staff.p
        end = staff.first[month + 1]
        who = np.flatnonzero((p["hired"][: staff.n] < end) & (p["last"][: staff.n] >= staff.first[month]))
        kept = {name: p[name][who] for name in ("team", "department", "job", "level", "manager", "leads", "eta")}
        states = staff.states()[who]
        quality = np.where(kept["manager"] >= 0, p["quality"][kept["manager"]], 0.0)
        self.panel.append(
            {
                "who": who,
                "month": np.full(len(who), month - self.company.history_months),
                **kept,
                **{f"x_{name}": states[:, i] for i, name in enumerate(hz.STATES)},
                "x_manager": quality,
                "x_pay": staff.compa(who),
                "wait": month - p["promoted_month"][who],
                "tenure": self.tenure[who],
                "rate_voluntary": self.rate[who],
                "rate_other": self.other_rate[who],
                "exposed": self.exposed[who],
                "under_notice": p["known"][who] < end,
                **{f"term_{name}": self.terms[name][who] for name in hz.TERMS},
            }
        )

    def history(self) -> History:
        """What is left of it all."""
        staff, lived = self.staff, self.company.history_months
        people = {name: values[: staff.n].copy() for name, values in staff.p.items()}
        first = staff.first[lived : lived + self.company.months + 1]
        return History(
            company=self.company,
            first=first,
            people=people,
            panel=_joined(self.panel),
            positions=_joined(staff.positions),
            care=_joined(self.cared),
            n_teams=len(staff.target),
            chief=staff.chief,
        )


def workdays(rng: np.random.Generator, earliest: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A random weekday in [earliest, end) for each pair; the next one after ``earliest`` where there is none."""
    count = np.maximum(np.busday_count(earliest, end), 1)
    return np.busday_offset(earliest, rng.integers(0, count), roll="forward")


def _calendar_month(day: np.datetime64) -> int:
    return int(day.astype("datetime64[M]").astype(int) % 12) + 1


def _joined(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
