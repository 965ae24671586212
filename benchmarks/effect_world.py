"""A company whose care, exits and true effects follow SCIENCE §4.1 and §8, as arrays: quick enough for many draws.

Monthly hazards of a voluntary exit depend on recorded drivers, tenure, season, a team's mood and a frailty that nobody
records. Each month some of those without care in the last nine months are given one action of the menu; who, depends
on ``aim``. The truth of a row is exact: the chance of a voluntary exit within six months with the action begun now,
less the same without any care, on the person's own path. Nothing here is read by the service.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HORIZON, CARE_FREE = 6, 9
SEASON = np.array([0.05, -0.05, 0.0, 0.02, 0.05, 0.08, 0.12, 0.15, 0.05, -0.05, -0.15, -0.25])
TENURE_STEPS = np.array([1, 3, 6, 12, 24, 60])
TENURE_TERM = np.array([-0.20, 0.55, 0.45, 0.25, 0.10, -0.15, -0.50])
DRIVERS = np.array([-0.38, -0.28, -0.20, 0.18, 0.12, 0.15])
"""Log hazard ratio per SD: satisfaction, embeddedness, pay against the market, overtime, load, wait for promotion."""
PERFORMANCE, MANAGER, FRAILTY = -0.10, -0.36, 0.35
MENU = {"attention": 0.78, "hybrid": 0.67, "thanks": 1.00, "monitoring": 1.15}
"""Action → hazard ratio for twelve months; thanks do nothing, monitoring harms."""
MONTHS_ACTIVE = 12


@dataclass(frozen=True)
class World:
    """``aim``: what those who give care go by: *measured* (all of it recorded), *hidden* (that and .8 × frailty),
    *proxy* (the true state, of which a noisy survey is recorded) or *random*."""

    n_people: int = 8000
    months: int = 48
    aim: str = "measured"
    level: float = -4.3
    yearly_rate: float = 0.10
    seed: int = 0


@dataclass(frozen=True)
class Draw:
    """One row per person and month at which care could begin.

    ``arm`` counts in the order of MENU, -1 for none; ``left`` voluntary exit within the horizon; ``other`` another exit
    within it; ``truth`` (n, arms) the true difference of chances; ``cared_before``: had care more than a year ago
    (0 or 1), NaN where the person has been there for less than a year.
    """

    arm: np.ndarray
    left: np.ndarray
    other: np.ndarray
    x: np.ndarray
    risk: np.ndarray
    team: np.ndarray
    person: np.ndarray
    month: np.ndarray
    cared_before: np.ndarray
    truth: np.ndarray


def draw(world: World) -> Draw:
    """Live through the company and return its rows."""
    rng = np.random.default_rng(world.seed)
    n, last = world.n_people, world.months + HORIZON
    team = np.arange(n) // 8
    states = _paths(rng, last, n, len(DRIVERS))
    skill, mood = _paths(rng, last, n, 1)[:, :, 0], _moods(rng, last, int(team.max()) + 1)[:, team]
    boss = rng.standard_normal(int(team.max()) + 1)[team]
    felt = states @ DRIVERS + PERFORMANCE * skill + MANAGER * boss
    lasting = felt + mood + SEASON[np.arange(last) % 12][:, None]
    lasting += np.log(world.yearly_rate / 12) - 0.5 * (felt.var() + FRAILTY**2)
    other_rate = 0.04 / 12 * np.exp(-0.4 * skill - 0.08)
    shown = states + (0.8 * rng.standard_normal(states.shape) if world.aim == "proxy" else 0.0)
    looks = (felt - felt.mean()) / felt.std()
    life = _Life(rng, n, last)
    parts = []
    for month in range(last):
        rate = np.exp(lasting[month] + life.own(month) + life.care_term(month))
        if month < world.months:
            recorded = np.column_stack([shown[month], skill[month], boss, np.log1p(month - life.since)])
            parts.append(_rows(world, life, month, recorded))
            given = _given(world, rng, life, month, looks=looks[month], skill=skill[month], boss=boss)
            parts[-1]["arm"] = np.where(given >= 0, given, -1)[parts[-1]["who"]]
            parts[-1]["truth"] = _truth(life, lasting, other_rate, month)[parts[-1]["who"]]
            life.begin(given, month)
            rate = np.exp(lasting[month] + life.own(month) + life.care_term(month))
        life.leave(rng, rate, other_rate[month], month)
    return _joined(parts, life, team)


class _Life:
    """Who sits where: seats whose people are replaced when they leave. ``first``: the number of the person there."""

    def __init__(self, rng: np.random.Generator, n: int, last: int) -> None:
        self.rng, self.n = rng, n
        self.frailty = rng.standard_normal(n)
        self.since = -rng.exponential(40, n).astype(int)
        self.person = np.arange(n)
        self.next = n
        self.action, self.begun = np.full(n, -1), np.full(n, -999)
        self.first_care = np.full(n, 999)
        self.left_in = np.full((last, n), 0, np.int8)

    def own(self, month: int) -> np.ndarray:
        return FRAILTY * self.frailty + TENURE_TERM[np.searchsorted(TENURE_STEPS, month - self.since, side="right")]

    def care_term(self, month: int) -> np.ndarray:
        ratios = np.log([*MENU.values(), 1.0])
        return np.where(month - self.begun < MONTHS_ACTIVE, ratios[self.action], 0.0)

    def begin(self, given: np.ndarray, month: int) -> None:
        new = given >= 0
        self.action, self.begun = np.where(new, given, self.action), np.where(new, month, self.begun)
        self.first_care = np.where(new, np.minimum(self.first_care, month), self.first_care)

    def leave(self, rng: np.random.Generator, rate: np.ndarray, other: np.ndarray, month: int) -> None:
        voluntary = rng.random(self.n) < 1 - np.exp(-rate)
        gone = voluntary | (rng.random(self.n) < 1 - np.exp(-other))
        self.left_in[month] = np.where(voluntary, 1, np.where(gone, 2, 0))
        who = np.flatnonzero(gone)
        self.frailty[who] = rng.standard_normal(len(who))
        self.since[who], self.action[who], self.begun[who] = month + 1, -1, -999
        self.first_care[who] = 999
        self.person[who] = self.next + np.arange(len(who))
        self.next += len(who)


def _paths(rng: np.random.Generator, months: int, n: int, k: int, keep: float = 0.98) -> np.ndarray:
    out = np.empty((months, n, k), np.float32)
    out[0] = rng.standard_normal((n, k))
    for month in range(1, months):
        out[month] = keep * out[month - 1] + np.sqrt(1 - keep**2) * rng.standard_normal((n, k), np.float32)
    return out


def _moods(rng: np.random.Generator, months: int, n_teams: int) -> np.ndarray:
    return 0.13 * _paths(rng, months, n_teams, 1, keep=0.8)[:, :, 0]


def _given(world: World, rng: np.random.Generator, life: _Life, month: int, **seen: np.ndarray) -> np.ndarray:
    """The action begun this month, -1 for none."""
    logit = world.level + 0.9 * seen["looks"] + 0.35 * seen["skill"] + 0.5 * seen["boss"]
    if world.aim == "hidden":
        logit = logit + 0.8 * life.frailty
    if world.aim == "random":
        logit = np.full(life.n, -3.6)
    free = month - life.begun >= CARE_FREE
    wanted = free & (rng.random(life.n) < 1 / (1 + np.exp(-logit)))
    return np.where(wanted, rng.integers(0, len(MENU), life.n), -1)


def _rows(world: World, life: _Life, month: int, x: np.ndarray) -> dict[str, np.ndarray]:
    who = np.flatnonzero(month - life.begun >= CARE_FREE)
    before = np.where(life.first_care <= month - 12, 1.0, 0.0)
    before = np.where((month < 12) | (month - life.since < 12), np.nan, before)
    lasting = life.action >= 0
    before = np.where(lasting & (month - life.begun < 12), np.nan, before)
    kept = {"who": who, "month": np.full(len(who), month), "x": x[who].astype(float), "person": life.person[who]}
    return {**kept, "before": before[who]}


def _truth(life: _Life, lasting: np.ndarray, other: np.ndarray, month: int) -> np.ndarray:
    """(n, arms): the difference of chances on each person's own path."""
    ahead = range(month, month + HORIZON)
    base = np.stack([lasting[k] + life.own(k) for k in ahead])
    rivals = np.stack([other[k] for k in ahead])
    none = _incidence(np.exp(base), rivals)
    return np.stack([_incidence(np.exp(base + np.log(r)), rivals) - none for r in MENU.values()], axis=1)


def _incidence(rate: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The chance to leave of one's own accord; in a month voluntary comes first, as in ``leave``."""
    decides = 1 - np.exp(-rate)
    stays = np.cumprod((1 - decides) * np.exp(-other), axis=0)
    before = np.concatenate([np.ones((1, rate.shape[1])), stays[:-1]])
    return (before * decides).sum(axis=0)


def _joined(parts: list[dict[str, np.ndarray]], life: _Life, team: np.ndarray) -> Draw:
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    who, month = whole["who"], whole["month"]
    first = np.zeros(len(who), np.int8)
    for k in range(HORIZON):
        now = life.left_in[month + k, who]
        first = np.where(first == 0, now, first)
    scores = whole["x"][:, :6] @ DRIVERS + PERFORMANCE * whole["x"][:, 6] + MANAGER * whole["x"][:, 7]
    return Draw(
        whole["arm"], (first == 1).astype(float), (first == 2).astype(float), whole["x"], scores, team[who],
        whole["person"], month, whole["before"], whole["truth"],
    )  # fmt: skip
