"""A month in the invented company, step by step, and the whole history it leaves."""

from __future__ import annotations

import numpy as np

from features.company import care, moves
from features.company import hazard as hz
from features.company.days import calendar_month_of, further, workdays
from features.company.hazard import Company
from features.company.history import History, joined, stacked
from features.company.staff import NEVER, PERFORMANCE, Columns, Staff

EMBEDDED = hz.STATES.index("embeddedness")
LOOKS_SD = 1.28
"""SD of the latent risk in SDs once it is seen through noise of .8."""


class Life:
    """The staff, and what the months do to it."""

    def __init__(self, company: Company, seed: np.random.SeedSequence, base: float) -> None:
        self.company, self.base = company, base
        self.rng, self.more = np.random.default_rng(seed), further(seed, 1)
        self.staff = Staff(company, self.rng, self.more)
        self.left = np.zeros((len(self.staff.target), len(self.staff.first) + 24))
        self.panel: list[Columns] = []
        self.tracks: list[Columns] = []
        self.cared: list[Columns] = []
        self.spared: list[Columns] = []

    def month(self, month: int) -> None:
        """One month, in this order: posts, feelings, care, decisions, exits."""
        regime, staff = self.company.regime, self.staff
        recorded = month - self.company.history_months
        if recorded == regime.drift.acquired_month:
            moves.acquire(staff, month)
        moves.appoint(staff, month)
        if regime.wide:
            share = moves.REORGANISED if recorded == regime.drift.reorganised_month else moves.MANAGER_MOVES
            moves.change_places(staff, month, share=share)
        moves.transfer(staff, month)
        moves.reward(staff, month)
        moves.vacate(staff, month)
        moves.hire(staff, month)
        self.drift()
        self.care(month)
        self.feel(month)
        self.decide(month)
        self.dismiss(month)
        moves.vacate(staff, month)
        self.remember(month)

    def drift(self) -> None:
        """Everybody's states and every team's mood move a little."""
        staff, rng, keep = self.staff, self.rng, hz.PERSISTENCE
        for x in (staff.team_x, staff.own[: staff.n]):
            x *= keep
            x += np.sqrt(1 - keep**2) * rng.standard_normal(x.shape)
        keep_mood = hz.TEAM_SHOCK_PERSISTENCE
        news = staff.mood_sd * np.sqrt(1 - keep_mood**2) * rng.standard_normal(len(staff.team_shock))
        staff.team_shock = keep_mood * staff.team_shock + news

    def care(self, month: int) -> None:
        """Managers and HR do something for a few people (``company.care``)."""
        staff, p, rng = self.staff, self.staff.p, self.rng
        n, rule = staff.n, self.company.regime.care
        looks = p["eta"][:n] / self.company.regime.scale / 0.67 + 0.8 * rng.standard_normal(n)
        looks = looks / LOOKS_SD
        if rule.assignment in ("measured", "hidden"):
            on_file = p["on_file"][:n]
            looks = (on_file - on_file.mean()) / max(float(on_file.std()), 1e-9)
        free = staff.settled(month) & (month - p["care_month"][:n] > 9) & (p["manager"][:n] >= 0)
        performance, boss = staff.own[:n, PERFORMANCE], p["manager"][:n]
        seen = care.Seen(free, looks, performance, p["quality"][boss], p["frailty"][:n], boss, p["team"][:n])
        facts = staff.care_facts(month - p["since_month"][:n] - 1)
        recorded = month - self.company.history_months
        given = care.assign(rule, seen, facts, month=recorded, dice=care.Dice(rng, self.more))
        who = given.who
        p["care_month"][who], p["care_action"][who] = month, given.action
        days = workdays(rng, np.full(len(who), staff.first[month]), np.full(len(who), staff.first[month + 1]))
        noted = {"who": who, "day": days, "action": given.action, "by": boss[who], "by_coin": given.by_coin}
        self.cared.append(noted)
        out = given.spared
        day = np.busday_offset(np.full(len(out), staff.first[month]), 5, roll="forward")
        self.spared.append({"who": out, "day": day, "by": boss[out]})

    def feel(self, month: int) -> None:
        """Everybody's log-hazard of this month, term by term."""
        staff, p, regime = self.staff, self.staff.p, self.company.regime
        n, who = staff.n, np.arange(staff.n)
        calendar_month = calendar_month_of(staff.first[month])
        self.tenure = month - p["since_month"][who] - 1
        self.facts = staff.care_facts(self.tenure)
        terms = {name: regime.scale * term for name, term in self.drivers(month).items()}
        shocked = regime.drift.market_month is not None
        shocked = shocked and month - self.company.history_months >= (regime.drift.market_month or 0)
        terms |= {
            "base": np.full(n, self.base),
            "tenure": hz.tenure_term(self.tenure, regime.late_rise),
            "season": np.full(n, hz.SEASON[calendar_month - 1]),
            "contagion": self.caught(month),
            "care": care.care_term(p["care_action"][who], month - p["care_month"][who], self.facts),
            "team_shock": staff.team_shock[p["team"][who]],
            "frailty": regime.frailty * p["frailty"][who],
            "bonus": np.full(n, hz.BONUS[calendar_month - 1] if regime.bonus_cliff else 0.0),
            "market": np.full(n, regime.drift.market_shock if shocked else 0.0),
        }
        self.terms = terms
        self.log_rate = sum(terms.values()) - terms["care"]
        self.rate = np.exp(sum(terms.values())) * (who != staff.chief)
        p["eta"][who] = sum(terms[name] for name in hz.DRIVER_TERMS)
        p["on_file"][who] = sum(terms[name] for name in ("pay", "promotion_wait", "manager_change"))
        p["on_file"][who] += terms["tenure"]

    def drivers(self, month: int) -> Columns:
        """The terms that a person could feel, at scale 1."""
        staff, p = self.staff, self.staff.p
        who = np.arange(staff.n)
        quality = np.where(p["manager"][who] >= 0, p["quality"][p["manager"][who]], 0.0)
        terms = hz.driver_terms(staff.states(), quality, staff.compa(who), month - p["promoted_month"][who])
        terms["manager_change"] = hz.MANAGER_CHANGE * (month - p["manager_month"][who] < hz.MANAGER_CHANGE_MONTHS)
        age = (staff.first[month] - p["born"][who]).astype(int) / 365.25
        terms["youth"] = hz.YOUTH_PER_YEAR * np.maximum(30 - age, 0)
        terms["commute"] = hz.COMMUTE_PER_MINUTE * p["commute"][who]
        terms["centrality"] = hz.CENTRALITY * p["central"][who]
        return terms

    def caught(self, month: int) -> np.ndarray:
        """The log-hazard that each person caught from the exits of teammates in the last four months."""
        staff, p = self.staff, self.staff.p
        who = np.arange(staff.n)
        sizes = np.bincount(p["team"][who][staff.here(staff.first[month])], minlength=len(staff.target))
        gone = sum(w * self.left[:, month - lag] for lag, w in enumerate(hz.CONTAGION_KERNEL, 1) if month >= lag)
        rate = hz.contagion_rate(sizes, self.company.regime.contagion)
        return (rate * np.minimum(gone, hz.CONTAGION_CAP))[p["team"][who]]

    def decide(self, month: int) -> None:
        """Some decide to leave; some who had decided give notice, 30 to 60 days before their last day."""
        staff, p, rng = self.staff, self.staff.p, self.rng
        first = staff.first[month]
        self.exposed = staff.settled(month) & (p["decided_month"][: staff.n] < 0) & (self.rate > 0)
        self.draw, lag = rng.random(staff.n), self.company.regime.lag
        who = np.flatnonzero(self.exposed & (self.draw < 1 - np.exp(-self.rate)))
        delay = rng.choice(len(lag), len(who), p=lag)
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
        self.other_hit = rng.random(staff.n) < 1 - np.exp(-self.other_rate)
        hit = staff.settled(month) & self.other_hit
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

    def remember(self, month: int) -> None:
        """Keep the month of everybody on the payroll, once the recorded months have begun."""
        if month < self.company.history_months:
            return
        staff, p = self.staff, self.staff.p
        self.tracks.append(self.track())
        end = staff.first[month + 1]
        who = np.flatnonzero((p["hired"][: staff.n] < end) & (p["last"][: staff.n] >= staff.first[month]))
        kept = {name: p[name][who] for name in ("team", "department", "job", "level", "manager", "leads", "eta")}
        states = staff.states()[who]
        quality = np.where(kept["manager"] >= 0, p["quality"][kept["manager"]], 0.0)
        since = np.clip(month + 1 - p["decided_month"][who], 0, 4) * (p["decided_month"][who] >= 0)
        loosened = 0.3 * since * self.company.regime.network
        self.panel.append(
            {
                "who": who,
                "month": np.full(len(who), month - self.company.history_months),
                **kept,
                **{f"x_{name}": states[:, i] for i, name in enumerate(hz.STATES)},
                "liked": states[:, EMBEDDED] + p["central"][who] - loosened,
                "loosened": loosened,
                "x_manager": quality,
                "x_pay": staff.compa(who),
                "wait": month - p["promoted_month"][who],
                "tenure": self.tenure[who],
                "rate_voluntary": self.rate[who],
                "rate_other": self.other_rate[who],
                "exposed": self.exposed[who],
                "since_decision": np.where(p["decided_month"][who] >= 0, month - p["decided_month"][who], -1),
                "under_notice": p["known"][who] < end,
                **{f"term_{name}": self.terms[name][who] for name in hz.TERMS},
                **{f"outlook_{name}": values[who] for name, values in self.outlook().items()},
            }
        )

    def track(self) -> Columns:
        """Everybody's luck and hazard of the month, for the potential outcomes (``company.history.Tracks``)."""
        at_risk = np.where(np.arange(self.staff.n) == self.staff.chief, -np.inf, self.log_rate)
        rates = {"draw": self.draw, "log_rate": at_risk, "other_rate": self.other_rate, "other_hit": self.other_hit}
        return {**rates, "fit": np.zeros(self.staff.n), **{k: v.copy() for k, v in self.facts.items()}}

    def outlook(self) -> Columns:
        """What the oracle needs beyond the terms; nothing for hazards."""
        return {}

    def history(self) -> History:
        """What is left of it all."""
        staff, lived = self.staff, self.company.history_months
        return History(
            company=self.company,
            first=staff.first[lived : lived + self.company.months + 1],
            people={name: values[: staff.n].copy() for name, values in staff.p.items()},
            panel=joined(self.panel),
            positions=joined(staff.positions),
            care=joined(self.cared),
            spared=joined(self.spared),
            tracks=stacked(self.tracks, staff.n),
            n_teams=len(staff.target),
            chief=staff.chief,
        )
