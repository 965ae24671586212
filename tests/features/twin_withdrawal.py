"""The charts of withdrawal, one person and one week at a time, in plain Python over what was known week by week."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, timedelta
from functools import cache

from tests.features.twin import Columns, Row, Then

WEEK = timedelta(7)
GRACE = timedelta(3)
SERIES = {"talk": ["message", "email"], "meeting": ["meeting"], "project": ["project"], "help": ["help"]}
CHANNEL = {"one_on_one": "meeting", "help_given": "help"}
Key = tuple[str, date]


def withdrawal(then: Then, one: str) -> Columns:
    week = last_sunday(then)
    told: Columns = {}
    everything, initiative = chart(then, ("talk", "meeting", "project", "help")), chart(then, ("project", "help"))
    told["activity_score_42d"] = everything.judged(one, week, everything.score(one, week, 6))
    told["activity_score_84d"] = everything.judged(one, week, everything.score(one, week, 12))
    for days in (42, 84):
        score = told[f"activity_score_{days}d"]
        told[f"activity_fall_{days}d"] = None if score is None else max(-score, 0.0)
    told["initiative_score_84d"] = initiative.judged(one, week, initiative.score(one, week, 12))
    told["activity_level_42d"] = everything.judged(one, week, everything.level(one, week, 6))
    told["weeks_below_usual"] = everything.judged(one, week, everything.below(one, week))
    told["team_activity_score_84d"] = everything.judged(one, week, everything.others(one, week, 12)[2])
    recent, before = everything.counting(one, week, 12), everything.counting(one, week, 52, gap=8)
    told["weeks_present_share_84d"] = len(recent) / 12 if recent or before else None
    return told


def last_sunday(then: Then) -> date:
    day = then.as_of - GRACE
    return day - timedelta((day.weekday() + 1) % 7)


class Habits:
    """What was done and what was to be expected, per person, week and channel."""

    def __init__(self, then: Then) -> None:
        newest = last_sunday(then)
        self.weeks = [newest - k * WEEK for k in range(122)]
        self.done: dict[tuple[str, date, str], int] = defaultdict(int)
        for row in then.records["interactions"].to_dicts() if "interactions" in then.records else []:
            sunday = row["happened_on"] + timedelta((6 - row["happened_on"].weekday()) % 7)
            if row["known_on"] <= sunday + GRACE and self.weeks[-1] <= sunday <= newest:
                self.done[row["employee_id"], sunday, CHANNEL.get(row["kind"], row["kind"])] += row["n"]
        self.people = sorted({one for one, _, _ in self.done})
        self.team: dict[Key, str] = {}
        self.present: dict[Key, float] = defaultdict(float)
        for week in self.weeks:
            self._week(then, week)

    def _week(self, then: Then, week: date) -> None:
        team = self._said(then, "team", week)
        hours = self._said(then, "weekly_hours", week)
        leave: dict[object, float] = defaultdict(float)
        for row in versions(then, "attendance", week + GRACE):
            a_day = row["leave_days"] is not None and row["leave_days"] <= 1 and (row["hours"] or 0) <= 24
            if a_day and week - WEEK < row["happened_on"] <= week:
                leave[row["employee_id"]] += row["leave_days"]
        for one in self.people:
            if one in team:
                self.team[one, week] = team[one]
            there = 1 - min(max(leave[one], 0.0), 5.0) / 5
            if there >= 1 / 3 and any(self.done[one, week, c] > 0 for c in ("message", "email", *list(SERIES)[1:])):
                agreed = hours.get(one, 40.0)
                self.present[one, week] = there * (agreed if agreed > 0 else 40.0) / 40

    def _said(self, then: Then, name: str, week: date) -> dict:
        rows = [r for r in versions(then, "positions", week + GRACE) if r["happened_on"] <= week + GRACE]
        rows.sort(key=lambda r: r["happened_on"])
        return {r["employee_id"]: r[name] for r in rows if r[name] is not None}

    def there(self, one: str, week: date) -> bool:
        return self.present[one, week] > 0

    @cache  # noqa: B019
    def pace(self, week: date, channels: tuple[str, ...]) -> float:
        """What people do per present week."""
        presence = sum(self.present[p, week] for p in self.people)
        return sum(self.acts(p, week, channels) for p in self.people) / presence if presence else 0.0

    def acts(self, one: str, week: date, channels: tuple[str, ...]) -> int:
        return sum(self.done[one, week, c] for c in channels) if self.there(one, week) else 0

    @cache  # noqa: B019
    def habit(self, one: str, week: date, channels: tuple[str, ...]) -> float | None:
        """Expected in this week by the own habit alone."""
        base = [week - k * WEEK for k in range(8, 60) if self.there(one, week - k * WEEK)]
        if len(base) < 26:
            return None
        exposure = sum(self.present[one, w] * self.pace(w, channels) for w in base)
        rate = sum(self.acts(one, w, channels) for w in base) / exposure if exposure > 0 else 0.0
        return rate * self.present[one, week] * self.pace(week, channels)

    @cache  # noqa: B019
    def expected(self, one: str, week: date, channels: tuple[str, ...]) -> float | None:
        """Expected with what the others of the company do this week."""
        mine = self.habit(one, week, channels)
        others = [p for p in self.people if p != one and self.there(p, week)]
        others = [p for p in others if self.habit(p, week, channels) is not None]
        if mine is None or len(others) < 5:
            return None
        usual = sum(self.habit(p, week, channels) for p in others)
        return mine * (sum(self.acts(p, week, channels) for p in others) / usual if usual > 0 else 1.0)

    def expected_of(self, one: str, week: date, series: str) -> float | None:
        whole = self.expected(one, week, tuple(SERIES[series]))
        if series != "talk" or whole is None:
            return whole
        parts = self.parts(one, week)
        return min(whole, parts) if self.explained(week) else whole

    def parts(self, one: str, week: date) -> float:
        return self.expected(one, week, ("message",)) + self.expected(one, week, ("email",))

    @cache  # noqa: B019
    def explained(self, week: date) -> bool:
        talk = ("message", "email")
        judged = [p for p in self.people if self.expected(p, week, talk) is not None]
        return sum(self.parts(p, week) for p in judged) >= 0.9 * sum(self.expected(p, week, talk) for p in judged)


class Chart:
    """Scores of one stream."""

    def __init__(self, habits_: Habits, parts: tuple[str, ...]) -> None:
        self.habits, self.x, self.m = habits_, {}, {}
        for one in habits_.people:
            for week in habits_.weeks[:73]:
                wanted = [habits_.expected_of(one, week, part) for part in parts]
                if habits_.there(one, week) and None not in wanted and sum(wanted) > 0:
                    channels = tuple(c for part in parts for c in SERIES[part])
                    self.x[one, week], self.m[one, week] = habits_.acts(one, week, channels), sum(wanted)

    def counting(self, one: str, week: date, n: int, gap: int = 0) -> list[Key]:
        return [(one, w) for k in range(gap, gap + n) if (one, w := week - k * WEEK) in self.m]

    def judged(self, one: str, week: date, value: float | None) -> float | None:
        keys = self.counting(one, week, 12)
        return value if len(keys) >= 6 and sum(self.m[k] for k in keys) / len(keys) >= 5 else None

    def swings(self, one: str, week: date) -> list[float]:
        keys = self.counting(one, week, 52, gap=8)
        relative = [max(-2.0, min(2.0, (self.x[k] - self.m[k]) / self.m[k])) for k in keys]
        return [r * r - 1 / self.m[k] for r, k in zip(relative, keys, strict=True)]

    @cache  # noqa: B019
    def unevenness(self, one: str, week: date) -> float | None:
        everybody = [u for p in self.habits.people for u in self.swings(p, week)]
        if not everybody:
            return None
        own, mean = self.swings(one, week), sum(everybody) / len(everybody)
        return max(0.01, (sum(own) + 13 * mean) / (len(own) + 13))

    def sums(self, one: str, week: date, n: int) -> tuple[float, float, float] | None:
        """Missing, expected and noise over a window; None when it cannot count."""
        keys, a = self.counting(one, week, n), self.unevenness(one, week)
        if len(keys) * 2 < n or a is None:
            return None
        return (
            sum(self.x[k] - self.m[k] for k in keys),
            sum(self.m[k] for k in keys),
            sum(self.m[k] + a * self.m[k] ** 2 for k in keys),
        )

    def others(self, one: str, week: date, n: int) -> tuple[float, float, float | None]:
        """Shift of the team to be taken out, what stays uncertain about it, and the score of the others."""
        team = self.habits.team.get((one, week))
        mates = [p for p in self.habits.people if p != one and team and self.habits.team.get((p, week)) == team]
        told = [s for p in mates if (s := self.sums(p, week, n))]
        if len(told) < 2 or self.sums(one, week, n) is None:
            return 0.0, 0.08**2, None
        missing, m, noise = (sum(s[i] for s in told) for i in range(3))
        g, v = missing / m, noise / m**2
        z = g / math.sqrt(v + 0.08**2)
        share = 1.0 if z < -2.5 else 0.08**2 / (v + 0.08**2)
        return share * g, v if z < -2.5 else 0.08**2 * (1 - share), z

    def score(self, one: str, week: date, n: int) -> float | None:
        mine = self.sums(one, week, n)
        if mine is None:
            return None
        missing, m, noise = mine
        shift, left, _ = self.others(one, week, n)
        twelve = self.counting(one, week, 12)
        usual = sum(self.m[k] for k in twelve) / len(twelve)
        habit = (self.unevenness(one, week) + 1 / usual) / (len(self.swings(one, week)) + 13)
        return (missing - shift * m) / math.sqrt(noise + m**2 * (left + 0.05**2 + habit))

    def level(self, one: str, week: date, n: int) -> float | None:
        mine = self.sums(one, week, n)
        return None if mine is None else 1 + mine[0] / mine[1]

    def below(self, one: str, week: date) -> float:
        for k in range(26):
            key = (one, week - k * WEEK)
            if key in self.m and self.x[key] >= self.m[key]:
                return float(k)
        return 26.0


def versions(then: Then, table: str, day: date) -> list[Row]:
    """The rows of a table with a key as they stood at the close of a day."""
    rows = then.records[table].to_dicts() if table in then.records else []
    known = sorted((r for r in rows if r["known_on"] <= day), key=lambda r: (r["known_on"], r["_seq"]))
    return list({(r["employee_id"], r["happened_on"]): r for r in known}.values())


@cache
def habits(then: Then) -> Habits:
    return Habits(then)


@cache
def chart(then: Then, parts: tuple[str, ...]) -> Chart:
    return Chart(habits(then), parts)
