"""Who works where in the invented company today: places, posts, pay, reporting lines, and the rows that note a change.

``Staff`` is the one thing here that changes; ``company.life`` says what happens to it in a month. Days are numpy
``datetime64[D]``; months count from the first month lived through, which lies before the first month recorded.
"""

from __future__ import annotations

import numpy as np

from features.company import hazard as hz
from features.company.hazard import Company
from features.company.world import DEPARTMENTS, JOBS, LOCATIONS
from features.errors import FixableError

NEVER = np.datetime64("2200-01-01", "D")
LEAD, HEAD, CHIEF = 4, 5, 6
"""Levels of a team's manager, a department's head and the chief; the professional ladder goes from 1 to 5."""

PERFORMANCE, GROWTH = hz.STATES.index("performance"), hz.STATES.index("growth")
NOTED = ("department", "team", "location", "job", "level", "leads", "manager", "fixed_term", "weekly_hours", "pay")

Columns = dict[str, np.ndarray]


class Staff:
    """Everybody who ever works here. Arrays have room for all who may come; the first ``n`` entries are in use."""

    def __init__(self, company: Company, rng: np.random.Generator, more: np.random.Generator) -> None:
        self.company, self.rng, self.more = company, rng, more
        total = company.history_months + company.months
        start = np.datetime64(company.starts_on, "M") - company.history_months
        self.first = (start + np.arange(total + 8)).astype("datetime64[D]")
        self.n = 0
        size = int(company.n_employees * (1.2 + 0.05 * total)) + 50
        self.p: Columns = {
            **{name: np.full(size, -1) for name in ("team", "department", "location", "job", "manager", "kind")},
            **{name: np.full(size, -99) for name in ("manager_month", "decided_month", "notice_month", "care_month")},
            **{name: np.zeros(size, int) for name in ("level", "since_month", "promoted_month")},
            **{name: np.full(size, NEVER) for name in ("hired", "last", "known", "decided", "notice", "born")},
            **{name: np.zeros(size, bool) for name in ("leads", "fixed_term", "female")},
            **{name: np.zeros(size) for name in ("pay", "quality", "frailty", "eta", "on_file", "weekly_hours")},
            **{name: np.zeros(size) for name in ("commute", "central")},
            "care_action": np.full(size, -1),
            "group": np.zeros(size, int),
            "alias": np.arange(size),
        }
        self.gap = np.zeros(size)
        self.returned = np.zeros(size, bool)
        self.own = np.zeros((size, len(hz.STATES)))
        self.market = np.ones(len(JOBS))
        self.positions: list[Columns] = []
        self._lay_out_teams()
        self._fill_posts()
        self._backdate()

    # ---- the first day ---------------------------------------------------------------------------------------------

    def _lay_out_teams(self) -> None:
        """Team 0 is the chief and the heads of departments; the others have about 8 people each."""
        n, rng = self.company.n_employees, self.rng
        self.n_departments = int(np.clip(n // 60, 2, len(DEPARTMENTS)))
        sizes = [self.n_departments + 1]
        while sum(sizes) < n:
            sizes.append(int(np.clip(round(rng.normal(8, 2.2)), 3, 15)))
        self.target = np.array(sizes)
        self.team_department = np.concatenate([[0], np.arange(len(sizes) - 1) % self.n_departments])
        self.team_location = np.concatenate([[0], rng.choice(len(LOCATIONS), len(sizes) - 1, p=(0.4, 0.3, 0.2, 0.1))])
        self.team_x = rng.standard_normal((len(sizes), len(hz.STATES)))
        self.team_shock = rng.standard_normal(len(sizes)) * self.mood_sd
        self._lay_out_late_teams()

    @property
    def mood_sd(self) -> float:
        """The SD of the mood that a team has in common."""
        return hz.TEAM_SHOCK_SD * self.company.regime.shared_mood

    def _lay_out_late_teams(self) -> None:
        """Teams that an acquisition will bring: empty until then."""
        drift, more = self.company.regime.drift, self.more
        self.late_target = np.zeros(len(self.target), int)
        if drift.acquired_month is None:
            return
        sizes: list[int] = []
        while sum(sizes) < drift.acquired_share * self.company.n_employees:
            sizes.append(int(np.clip(round(more.normal(8, 2.2)), 3, 15)))
        n = len(sizes)
        self.late_target = np.concatenate([self.late_target, sizes])
        self.target = np.concatenate([self.target, np.zeros(n, int)])
        self.team_department = np.concatenate([self.team_department, np.arange(n) % self.n_departments])
        self.team_location = np.concatenate([self.team_location, more.choice(len(LOCATIONS), n)])
        self.team_x = np.concatenate([self.team_x, more.standard_normal((n, len(hz.STATES)))])
        self.team_shock = np.concatenate([self.team_shock, self.mood_sd * more.standard_normal(n)])

    def _fill_posts(self) -> None:
        n_teams, places = len(self.target), np.flatnonzero(self.target[1:]) + 1
        self.chief = int(self.add(np.array([0]), CHIEF)[0])
        self.head_of = self.add(np.zeros(self.n_departments, int), HEAD)
        self.p["department"][self.head_of] = np.arange(self.n_departments)
        self.lead_of = np.full(n_teams, -1)
        self.lead_of[places] = self.add(places, LEAD)
        self.p["leads"][: self.n] = True
        places = np.repeat(places, self.target[places] - 1)
        self.add(places[: max(0, self.company.n_employees - self.n)], None)

    def _backdate(self) -> None:
        """Give the first people a tenure (exponential, mean 40 months) and the few rows an older file would hold.

        Those old rows name no manager; on the first day lived through everybody gets a full row.
        """
        who, p, rng = np.arange(self.n), self.p, self.rng
        months = np.clip(np.ceil(rng.exponential(40, self.n)).astype(int), 1, 300)
        months[p["leads"][who]] += 18
        waited = np.minimum(months, rng.integers(1, 40, self.n))
        p["since_month"][who], p["promoted_month"][who] = -months, -waited
        opening = self.first[0].astype("datetime64[M]")
        p["hired"][who] = (opening - months).astype("datetime64[D]") + rng.integers(0, 15, self.n)
        age_at_hire = np.clip((p["hired"][who] - p["born"][who]).astype(int) / 365.25, 20, 58)
        p["born"][who] = p["hired"][who] - (age_at_hire * 365.25).astype(int)
        risen = who[(waited < months) & (p["level"][who] > 1)]
        level, pay = p["level"][who].copy(), p["pay"][who].copy()
        p["level"][risen] -= 1
        p["pay"][risen] /= 1.18
        self.note(who, p["hired"][who], prices=0.97 ** (months / 12))
        p["level"][who], p["pay"][who] = level, pay
        self.note(risen, (opening - waited[risen]).astype("datetime64[D]"), prices=0.97 ** (waited[risen] / 12))
        p["manager"][who] = self.boss()
        self.note(who, np.full(self.n, self.first[0]))

    # ---- facts about people ----------------------------------------------------------------------------------------

    def states(self) -> np.ndarray:
        """(n, 8): everybody's latent states today, the team's share mixed in."""
        share = np.sqrt(hz.TEAM_SHARE)
        return np.sqrt(1 - hz.TEAM_SHARE) * self.own[: self.n] + share * self.team_x[self.p["team"][: self.n]]

    def midpoint(self, who: np.ndarray) -> np.ndarray:
        """Market median of full-time pay per month for the job, level and place of each."""
        p = self.p
        base = np.array([job.pay for job in JOBS])[p["job"][who]] * self.market[p["job"][who]]
        return base * 1.2 ** (p["level"][who] - 1) * np.array([factor for _, factor in LOCATIONS])[p["location"][who]]

    def care_facts(self, tenure: np.ndarray) -> dict[str, np.ndarray]:
        """What the effect of a care action on each person depends on (``company.care``)."""
        n, p = self.n, self.p
        shares = np.array([hz.SATISFACTION_SHARES.get(name, 0.0) for name in hz.STATES]) ** 0.5
        return {
            "leads": p["leads"][:n],
            "female": p["female"][:n],
            "long_commute": p["commute"][:n] > hz.LONG_COMMUTE,
            "below_market": self.compa(np.arange(n)) < 0,
            "disappointed": self.states() @ shares < hz.DISAPPOINTED,
            "tenure": tenure,
        }

    def compa(self, who: np.ndarray) -> np.ndarray:
        """Full-time pay against the market median, as a log in units of 10 %."""
        return np.log(self.p["pay"][who] / self.midpoint(who)) / 0.10

    def boss(self) -> np.ndarray:
        """Who everybody reports to today: team, else department, else the chief; -1 for the chief."""
        who, p = np.arange(self.n), self.p
        boss = np.where(p["team"][who] == 0, self.chief, self.lead_of[p["team"][who]])
        for above in (self.head_of[p["department"][who]], self.chief):
            boss = np.where((boss < 0) | (boss == who), above, boss)
        return np.where(who == self.chief, -1, boss)

    def here(self, day: np.datetime64) -> np.ndarray:
        """Who is employed on this day (n booleans)."""
        return (self.p["hired"][: self.n] <= day) & (self.p["last"][: self.n] >= day)

    def settled(self, month: int) -> np.ndarray:
        """Employed since before this month, and not under notice so far (n booleans)."""
        return (self.p["hired"][: self.n] < self.first[month]) & (self.p["known"][: self.n] == NEVER)

    def gaps(self, month: int) -> np.ndarray:
        """Empty places by team, once those who leave this month have left; the posts of heads are not counted."""
        staying = self.p["last"][: self.n] >= self.first[month + 1]
        filled = np.bincount(self.p["team"][: self.n][staying], minlength=len(self.target))
        gaps = np.maximum(self.target - filled, 0)
        gaps[0] = 0
        return gaps

    # ---- changes ---------------------------------------------------------------------------------------------------

    def add(self, teams: np.ndarray, level: int | None) -> np.ndarray:
        """New people in these teams, with what is theirs for life and their states of today; not yet hired."""
        rng, k, p = self.rng, len(teams), self.p
        if self.n + k > len(p["team"]):
            raise FixableError("The invented company ran out of room for new people.", ["Ask for a lower turnover."])
        who = np.arange(self.n, self.n + k)
        self.n += k
        p["team"][who], p["department"][who] = teams, self.team_department[teams]
        p["location"][who] = self.team_location[teams]
        p["job"][who] = [rng.choice(DEPARTMENTS[d][1], p=DEPARTMENTS[d][2]) for d in self.team_department[teams]]
        p["level"][who] = level if level is not None else rng.choice(4, k, p=(0.42, 0.33, 0.18, 0.07)) + 1
        p["quality"][who], p["frailty"][who] = rng.standard_normal((2, k))
        self.own[who] = rng.standard_normal((k, len(hz.STATES)))
        p["female"][who] = rng.random(k) < 0.7
        p["fixed_term"][who] = (rng.random(k) < 0.08) & (level is None)
        p["weekly_hours"][who] = np.where((rng.random(k) < 0.1) & (level is None), 24.0, 40.0)
        p["born"][who] = self.first[0] - (np.clip(rng.normal(36, 9, k), 21, 60) * 365.25).astype(int)
        p["pay"][who] = self.midpoint(who) * np.exp(0.10 * rng.standard_normal(k))
        self._add_more(who)
        return who

    def _add_more(self, who: np.ndarray) -> None:
        """What people have in some regimes only: a way to work, a place among colleagues, a protected group."""
        regime, more, p = self.company.regime, self.more, self.p
        if regime.wide:
            p["commute"][who] = np.clip(more.gamma(4, 9, len(who)), 5, 120)
        if regime.network:
            p["central"][who] = more.standard_normal(len(who))
        if regime.groups is not None:
            u, groups = more.random(len(who)), regime.groups
            p["group"][who] = np.where(u < groups.share_c, 2, np.where(u < groups.share_c + groups.share_b, 1, 0))
            self.gap[who] = hz.pay_gap(groups.rate_ratio, regime.scale) * (p["group"][who] == 1)
            p["pay"][who] *= np.exp(-0.10 * self.gap[who])

    def start(self, who: np.ndarray, days: np.ndarray, month: int) -> None:
        """These new people begin to work on these days."""
        p = self.p
        p["hired"][who], p["since_month"][who], p["promoted_month"][who] = days, month, month
        p["manager"][who] = self.boss()[who]
        self.note(who, days)

    def note(self, who: np.ndarray, days: np.ndarray, *, prices: np.ndarray | float = 1.0) -> None:
        """Write down where these people stand on these days; the last note of a day is the one that counts.

        ``prices``: what pay and market were on that day, as a share of today's.
        """
        noted = {name: self.p[name][who].copy() for name in NOTED}
        noted |= {"pay": noted["pay"] * prices, "midpoint": self.midpoint(who) * prices}
        self.positions.append({"who": who, "day": days, **noted})

    def rewire(self, day: np.datetime64, month: int) -> None:
        """Point everybody employed on this day at the right manager, and note whoever got a new one."""
        boss, p = self.boss(), self.p
        moved = np.flatnonzero((boss != p["manager"][: self.n]) & self.here(day))
        p["manager"][moved], p["manager_month"][moved] = boss[moved], month
        self.note(moved, np.full(len(moved), day))

    def promote(self, who: np.ndarray, level: np.ndarray, month: int) -> None:
        """A step up: level, pay, and for a while the feeling of growing (assumed: .6 SD)."""
        p = self.p
        p["level"][who] = level
        p["pay"][who] *= np.exp(self.rng.normal(0.15, 0.03, len(who)))
        p["promoted_month"][who] = month
        self.own[who, GROWTH] += 0.6

    def best(self, pool: np.ndarray) -> np.ndarray:
        """The person of the pool who looks best to those who choose, as an array of one."""
        looks = self.own[pool, PERFORMANCE] + self.rng.standard_normal(len(pool))
        return pool[[int(np.argmax(looks))]]
