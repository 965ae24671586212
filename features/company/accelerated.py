"""A second invented company of another structure: nobody has a proportional hazard here.

Each person has a *fit* with the job, and decides to leave in the month in which it falls below zero (first passage;
an accelerated-failure-time world, since drivers bring the crossing nearer rather than multiply a rate)::

    fit(t+1) = target + .75 (fit(t) - target) + .70 noise - shocks            target = level + sum of driver shapes

Drivers bend and meet: the best and the worst performers leave, too little load bores, overtime hurts under a bad
manager, growth counts more the longer one is here, recognition counts where things are fair, pay counts below the
market alone. Shocks (an offer, a quarrel, a family's move) are log-normal and hit a person twice in four years, a team
once in five. Newcomers start happy with a match that nobody knows, so the hazard first rises and then falls by itself.

All sizes are assumed. Good for showing that a result does not rest on the assumptions of the first generator; the
records look the same, and so does the truth.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.special import expit, ndtr, ndtri

from features.company import care
from features.company import hazard as hz
from features.company.days import calendar_month_of
from features.company.hazard import Company
from features.company.life import Life
from features.company.staff import Columns

MEMORY, NOISE_SD = 0.75, 0.70
SHOCK_RATE, SHOCK_MEDIAN, SHOCK_LOG_SD = 0.04, 0.8, 0.6
TEAM_SHOCK_RATE, TEAM_SHOCK_MEDIAN = 0.015, 0.4
HONEYMOON, MATCH_SD = 1.0, 0.7
OUTLOOK_MONTHS = 13
CARE_PUSH = 1.1
"""Fit per month of care for each unit of log hazard ratio: so that effects are about as large as in the hazards."""
CONTAGION_PUSH = 1.5
SHAPE_SIZE = 0.40
"""Factor on all shapes at scale 1, into units of fit; with it the oracle's AUC for 180 days is about .82."""
SHAPES = tuple(term for term in hz.DRIVER_TERMS if term != "contagion")
PARTS = (*SHAPES, "tenure", "season", "contagion", "care", "team_shock", "frailty", "bonus", "market")


class AcceleratedLife(Life):
    """A life whose decisions are crossings of a threshold; posts, care, exits and records are those of ``Life``."""

    def __init__(self, company: Company, seed: np.random.SeedSequence, base: float) -> None:
        super().__init__(company, seed, base)
        size = len(self.staff.p["team"])
        self.parts = {name: np.zeros(size) for name in PARTS}
        self.noise, self.fit, self.begun = np.zeros(size), np.zeros(size), np.zeros(size, bool)

    def feel(self, month: int) -> None:
        """Move everybody's fit by this month's drivers and shocks; the rate is the chance that it crosses."""
        staff, p = self.staff, self.staff.p
        n, who = staff.n, np.arange(staff.n)
        self.tenure = month - p["since_month"][who] - 1
        self.facts = staff.care_facts(self.tenure)
        self._begin(who)
        pull = self._pulls(month)
        self.target = -self.base + sum(pull[name] for name in SHAPES) + pull["frailty"] + pull["tenure"]
        for name in PARTS:
            self.parts[name][:n] = MEMORY * self.parts[name][:n] + (1 - MEMORY) * pull[name]
        self.shock = self._shocks(n)
        mean = -self.base + sum(part[:n] for part in self.parts.values()) + MEMORY * self.noise[:n] - self.shock
        self.mean = np.where(who == staff.chief, 9.0, mean)
        self.rate = -np.log1p(-np.minimum(ndtr(-self.mean / NOISE_SD), 1 - 1e-9)) * (who != staff.chief)
        free = self.mean - self.parts["care"][:n]
        self.log_rate = np.log(np.maximum(-np.log1p(-np.minimum(ndtr(-free / NOISE_SD), 1 - 1e-9)), 1e-12))
        self._tell()

    def decide(self, month: int) -> None:
        """Whoever crosses decides; everybody else's fit moves on with the noise that did not make them cross."""
        super().decide(month)
        n = self.staff.n
        noise = NOISE_SD * ndtri(np.clip(self.draw, 1e-9, 1 - 1e-9))
        # The lowest draws are the decisions of ``Life``: 1 - exp(-rate) is the chance that the noise takes fit below 0.
        self.noise[:n] = MEMORY * self.noise[:n] + noise - self.shock
        self.fit[:n] = self.mean + noise

    def track(self) -> Columns:
        """The fit without care beside luck and hazard."""
        return {**super().track(), "fit": self.fit[: self.staff.n] - self.parts["care"][: self.staff.n]}

    def outlook(self) -> Columns:
        """Where everybody's fit stands at the end of the month and what it is drawn to, for the oracle."""
        n = self.staff.n
        return {"fit": self.fit[:n].copy(), "target": np.broadcast_to(self.target, n).copy()}

    def _begin(self, who: np.ndarray) -> None:
        """Newcomers start happy, with a match that nobody knows; what drives the others takes hold within months."""
        new = who[~self.begun[who]]
        if not len(new):
            return
        self.begun[new] = True
        fresh = self.tenure[new] < 1
        self.noise[new] = MATCH_SD * self.more.standard_normal(len(new)) + HONEYMOON * fresh

    def _pulls(self, month: int) -> Columns:
        """What each driver adds to the target (fit units, favourable is up)."""
        staff, p, regime = self.staff, self.staff.p, self.company.regime
        n, size = staff.n, regime.scale * SHAPE_SIZE
        pull = {name: size * shape for name, shape in self._shapes(month).items()}
        month_of_year = calendar_month_of(staff.first[month])
        shocked = regime.drift.market_month
        later = shocked is not None and month - self.company.history_months >= shocked
        given = care.care_term(p["care_action"][:n], month - p["care_month"][:n], self.facts)
        return pull | {
            "tenure": np.where(self.tenure >= 60, 0.15, 0.0),
            "season": np.full(n, -0.6 * hz.SEASON[month_of_year - 1]),
            "contagion": -CONTAGION_PUSH * self.caught(month),
            "care": -CARE_PUSH * given / (1 - MEMORY) / 4,
            "team_shock": -staff.team_shock[p["team"][:n]],
            "frailty": -0.4 * regime.frailty * p["frailty"][:n],
            "bonus": np.full(n, -0.8 * hz.BONUS[month_of_year - 1] if regime.bonus_cliff else 0.0),
            "market": np.full(n, -0.35 * regime.drift.market_shock if later else 0.0),
        }

    def _shapes(self, month: int) -> Columns:
        """The bent and meeting shapes of the drivers, each about .2 to .5 wide."""
        staff, p = self.staff, self.staff.p
        who, x = np.arange(staff.n), dict(zip(hz.STATES, staff.states().T, strict=True))
        boss = np.where(p["manager"][who] >= 0, p["quality"][p["manager"][who]], 0.0)
        compa, waited = staff.compa(who), month - p["promoted_month"][who]
        age = (staff.first[month] - p["born"][who]).astype(int) / 365.25
        return {
            "general": 0.35 * x["general"],
            "growth": 0.40 * x["growth"] * np.minimum(0.4 + self.tenure / 36, 1.4),
            "recognition": 0.45 * x["recognition"] * expit(1.5 * x["fairness"]),
            "fairness": 0.15 * x["fairness"],
            "embeddedness": 0.40 * x["embeddedness"],
            "overtime": -0.55 * np.maximum(x["overtime"], -0.5) * expit(-1.5 * boss),
            "load": -0.18 * (np.minimum((x["load"] - 0.3) ** 2, 5.0) - 1),
            "performance": -0.20 * (np.minimum(x["performance"] ** 2, 5.0) - 1),
            "manager": 0.55 * np.tanh(boss),
            "pay": -0.45 * np.clip(-compa - 0.3, 0, 3),
            "promotion_wait": -0.03 * np.clip(waited - 18, 0, 24),
            "manager_change": -0.35 * (month - p["manager_month"][who] < hz.MANAGER_CHANGE_MONTHS),
            "youth": -0.02 * np.maximum(30 - age, 0),
            "commute": -0.006 * np.maximum(p["commute"][who] - 40, 0),
            "centrality": 0.15 * p["central"][who],
        }

    def _shocks(self, n: int) -> np.ndarray:
        """What falls on people and teams this month, as a loss of fit."""
        more, team = self.more, self.staff.p["team"][:n]
        own = np.where(more.random(n) < SHOCK_RATE, np.exp(SHOCK_LOG_SD * more.standard_normal(n)) * SHOCK_MEDIAN, 0.0)
        teams = len(self.staff.target)
        size = np.exp(SHOCK_LOG_SD * more.standard_normal(teams)) * TEAM_SHOCK_MEDIAN
        return own + np.where(more.random(teams) < TEAM_SHOCK_RATE, size, 0.0)[team]

    def _tell(self) -> None:
        """The parts of the fit in the words of the first generator: terms that rise with the risk, and what is felt."""
        staff, p = self.staff, self.staff.p
        n = staff.n
        self.terms = {name: -self.parts[name][:n] / NOISE_SD for name in PARTS}
        self.terms["base"] = (self.base - MEMORY * self.noise[:n] + self.shock) / NOISE_SD
        felt = -self.mean
        here = p["last"][:n] >= staff.first[0]
        centre, spread = float(np.mean(felt[here])), float(np.std(felt[here])) + 1e-9
        p["eta"][:n] = (np.clip(felt, -8, 8) - centre) / spread * self.company.regime.scale * 0.67
        p["on_file"][:n] = self.company.regime.scale * (self.terms["pay"] + self.terms["promotion_wait"]) * 0.3


def lift(log_ratio: np.ndarray) -> np.ndarray:
    """How far care lifts the fit in each month, for its log hazard ratios (months, n) from the month it begins."""
    out, level = np.zeros_like(log_ratio), np.zeros(log_ratio.shape[1])
    for k, now in enumerate(log_ratio):
        level = MEMORY * level - CARE_PUSH / 4 * now
        out[k] = level
    return out


def rate_with(log_rate: np.ndarray, lifted: np.ndarray) -> np.ndarray:
    """The month's rate of a decision once the fit is lifted by so much."""
    crossing = ndtri(np.clip(1 - np.exp(-np.exp(log_rate)), 1e-12, 1 - 1e-12))
    return -np.log1p(-ndtr(crossing - lifted / NOISE_SD))


def outlook(fit: np.ndarray, target: np.ndarray, *, months: int) -> np.ndarray:
    """(n, months): the chance of having crossed zero within 1, 2 … months, the target held as it is today.

    First passage by backward recursion on a grid of fits, for a grid of targets, shocks of the person and of the team
    included; between grid points a straight line. Trap: drivers fall back towards the mean, so risks a year ahead are
    a little too spread out.
    """
    centres, targets, crossed = _grid()
    grid = RegularGridInterpolator((targets, centres), crossed[:, :, :months], bounds_error=False, fill_value=None)
    points = np.stack([np.clip(target, targets[0], targets[-1]), np.clip(fit, centres[0], centres[-1])], axis=1)
    return np.clip(grid(points), 0.0, 1.0)


@cache
def _grid() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The fits and the targets of the grid, and (targets, fits, months) the chance to have crossed, a year and more."""
    edges = np.linspace(0.0, 9.0, 121)
    centres, targets = (edges[:-1] + edges[1:]) / 2, np.linspace(-3.0, 9.0, 41)
    crossed = np.stack([_first_passage(edges, centres, target) for target in targets])
    return centres, targets, np.moveaxis(crossed, 1, 2)


def _first_passage(edges: np.ndarray, centres: np.ndarray, target: float) -> np.ndarray:
    """(months, cells): the chance to have crossed zero, from the middle of each cell, for one target."""
    quantiles = np.exp(SHOCK_LOG_SD * ndtri((np.arange(5) + 0.5) / 5))
    atoms = np.concatenate([[0.0], SHOCK_MEDIAN * quantiles, TEAM_SHOCK_MEDIAN * quantiles])
    calm = 1 - SHOCK_RATE - TEAM_SHOCK_RATE
    chance = np.concatenate([[calm], np.full(5, SHOCK_RATE / 5), np.full(5, TEAM_SHOCK_RATE / 5)])
    mean = MEMORY * centres[:, None] + (1 - MEMORY) * target - atoms
    ends = np.append(edges[:-1], 50.0)
    below = np.tensordot(ndtr((ends[:, None, None] - mean) / NOISE_SD), chance, axes=1)  # (ends, from)
    stays = np.diff(below, axis=0).T  # (from, to)
    alive, out = np.ones(len(centres)), []
    for _ in range(OUTLOOK_MONTHS):
        alive = stays @ alive
        out.append(1 - alive)
    return np.array(out)
