"""Why people leave the invented company: the monthly log-hazard of a voluntary exit as a sum of known terms.

The sizes are published ones as far as there are any. "Joint" effects are about half to nine tenths of the marginal
ones, because drivers overlap. Sources are named beside each number; "assumed" means that we chose it.

Not good for: learning anything about real people. The terms add up, do not interact (but for two bends), and the
company has no seasons of its own; a model that does well here has only shown that it can find what was put in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from features.cards import Driver
from features.company.regimes import CLINIC, Regime


@dataclass(frozen=True)
class Company:
    """What company to invent: how large, how long, and the kind of world it lives in (``company.regimes``).

    ``history_months`` are lived through before the records start, so that the records start in the middle of lives
    (left truncation), with a mix of people that turnover has already shaped. That takes years: after one, turnover
    still falls by a fifth while the records run.
    """

    n_employees: int = 1000
    months: int = 36
    seed: int = 0
    starts_on: date = date(2022, 1, 1)
    regime: Regime = CLINIC
    history_months: int = 60


STATES = ("general", "growth", "recognition", "fairness", "embeddedness", "overtime", "load", "performance")
"""Latent states of a person, each with mean 0 and SD 1 in the company, moving as AR(1) from month to month."""

PERSISTENCE = np.array([0.98, 0.985, 0.985, 0.985, 0.99, 0.96, 0.96, 0.985])
"""Monthly AR coefficient of each state. .985 keeps half of a deviation for almost four years; for job satisfaction a
stability of about .5 over three years is commonly reported (Dormann & Zapf 2001). The others are assumed."""

TEAM_SHARE = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.0])
"""Share of a state's variance that the whole team has in common; assumed."""

SATISFACTION = -0.38
"""Joint effect of one SD of satisfaction (Griffeth 2000, Rubenstein 2018: r -.19 to -.28; marginal HR .56-.68)."""

SATISFACTION_SHARES = {"general": 0.22, "growth": 0.35, "recognition": 0.28, "fairness": 0.15}
"""Satisfaction is split by variance into four independent facets, so its whole effect stays as published. The shares
of growth and recognition are the shares of clinic nurses who name them as their reason; the rest is assumed."""

EFFECTS = {
    # Hoffman & Tadelis: from the 10th to the 90th percentile of managers exits fall by 60 %, so HR .70 per SD.
    "manager": -0.36,
    **{name: SATISFACTION * share**0.5 for name, share in SATISFACTION_SHARES.items()},
    # On-the-job embeddedness, r about -.26 with turnover; joint effect about half of the marginal HR .58.
    "embeddedness": -0.28,
    # Role overload, overtime, stress: r +.12 to +.22, marginal HR 1.27-1.57.
    "overtime": 0.18,
    "load": 0.12,
    # Performance, r -.15 to -.17, and the bend: both ends leave more often than the middle (size of the bend assumed).
    "performance": -0.10,
}
"""Log hazard ratio per SD, before ``Regime.scale``."""

PERFORMANCE_BEND = 0.04
COMPA_ABOVE, COMPA_BELOW = -0.16, -0.30
"""Pay against the market median, per SD (10 %): steeper for those below (Dube: separations answer relative pay)."""

PROMOTION_WAIT, PROMOTION_WAIT_CAP = 0.010, 36
"""Per month since the last promotion (promotion chances: r -.16, marginal HR .72)."""

MANAGER_CHANGE, MANAGER_CHANGE_MONTHS = 0.20, 4
"""For the months after the manager changed (CEB: job search +17 % after a change of manager or duties)."""

YOUTH_PER_YEAR = 0.012
"""Per year below 30 (age: r -.11 to -.21). Age stays in ``protected``; no feature may see it."""

FRAILTY_SD = 0.35
"""What nobody records and nobody can learn; not multiplied by the scale."""

TEAM_SHOCK_SD, TEAM_SHOCK_PERSISTENCE = 0.13, 0.8
"""A mood that a team has in common and that looks like contagion; not recorded."""

CONTAGION_KERNEL = (0.3, 1.0, 0.9, 0.4)
"""Weight of a teammate's last day one to four months ago (Visier: starts at 45 days, peak at 70, over at 135)."""

CONTAGION_CAP = 3.0
INVOLUNTARY_CONTAGION = 0.85
"""A teammate's dismissal counts for a little less than a resignation (Visier: +7.7 % against +9.1 %)."""

LATE_MONTHS = 120
SEASON = np.array([0.05, -0.05, 0.0, 0.02, 0.05, 0.08, 0.12, 0.15, 0.05, -0.05, -0.15, -0.25])
"""January to December. Direction from US quits (low at the end of the year, high in summer), values assumed."""

BONUS = np.array([-0.45, -0.45, 0.55, 0.25, 0, 0, 0, 0, 0, 0, 0, 0])
"""Waiting for a bonus paid in March. The evidence is mixed, so most regimes leave it off; values assumed."""

COMMUTE_PER_MINUTE, LONG_COMMUTE = 0.0035, 45
CENTRALITY = -0.12
"""Per SD of how central a person is to the others (Ballinger 2016: incoming eigenvector centrality, two firms)."""

STRONG_CONTAGION = float(np.log(1.5))
DISAPPOINTED = -0.67
"""Satisfaction (SD) below which somebody counts as disappointed: the lowest quarter."""

TERMS: dict[str, Driver] = {
    "base": "context",
    "tenure": "context",
    "season": "context",
    "manager": "manager",
    "manager_change": "manager",
    "general": "engagement",
    "growth": "growth",
    "promotion_wait": "growth",
    "recognition": "recognition",
    "fairness": "fairness",
    "embeddedness": "belonging",
    "contagion": "belonging",
    "pay": "pay",
    "overtime": "workload",
    "load": "workload",
    "performance": "context",
    "youth": "context",
    "care": "context",
    "team_shock": "context",
    "frailty": "context",
    "bonus": "context",
    "market": "context",
    "commute": "context",
    "centrality": "belonging",
}
"""Every term of the log-hazard and the driver under which an explanation should find it."""

PASSING = ("manager_change", "contagion", "care")
"""Terms that are over within months."""

UNFELT = ("base", "tenure", "season", "care", "team_shock", "frailty", "bonus", "market")
DRIVER_TERMS = tuple(t for t in TERMS if t not in UNFELT)
"""Terms that a person could feel and a colleague could notice: they colour answers and activity."""


def tenure_term(months: np.ndarray, late_rise: float = 0.0) -> np.ndarray:
    """Log-hazard by full months of tenure: high in the first months, then falling, with a bump at anniversaries.

    Shape after Farber (1994: maximum at three months); values assumed. ``late_rise`` is added from ten years on
    (pensions vest, a bathtub).
    """
    steps = np.array([1, 3, 6, 12, 24, 60])
    values = np.array([-0.20, 0.55, 0.45, 0.25, 0.10, -0.15, -0.50])
    months = np.maximum(months, 0)
    anniversary = np.where((months > 0) & (months % 12 == 0), 0.08, 0.0)
    return values[np.searchsorted(steps, months, side="right")] + anniversary + late_rise * (months >= LATE_MONTHS)


def contagion_rate(team_size: np.ndarray, strength: str = "visier") -> np.ndarray:
    """Log hazard ratio of one voluntary exit in a team of this size (Visier: 2: 25 %, 3-5: 12 %, 6-10: about 13 %)."""
    if strength != "visier":
        return np.full(len(team_size), STRONG_CONTAGION if strength == "strong" else 0.0)
    return np.log(np.select([team_size <= 2, team_size <= 5, team_size <= 10], [1.25, 1.12, 1.13], 1.09))


def driver_terms(states: np.ndarray, manager_quality: np.ndarray, compa: np.ndarray, wait: np.ndarray) -> dict:
    """The lasting driver terms at scale 1.

    ``states`` is (n, 8) in the order of STATES, ``compa`` the log of pay against the market in SDs of 10 %, ``wait``
    the months since the last promotion.
    """
    terms = {name: EFFECTS[name] * states[:, i] for i, name in enumerate(STATES)}
    terms["performance"] = terms["performance"] + PERFORMANCE_BEND * (states[:, STATES.index("performance")] ** 2 - 1)
    terms["manager"] = EFFECTS["manager"] * manager_quality
    terms["pay"] = np.where(compa < 0, COMPA_BELOW, COMPA_ABOVE) * compa
    terms["promotion_wait"] = PROMOTION_WAIT * np.minimum(wait, PROMOTION_WAIT_CAP)
    return terms


def pay_gap(rate_ratio: float, scale: float) -> float:
    """How far a group must be paid below the others (SD of 10 %) to leave ``rate_ratio`` times as often.

    The slope is steeper below the market than above; with a gap a little more than half of the group is below.
    """
    slope = 0.45 * COMPA_ABOVE + 0.55 * COMPA_BELOW
    return float(-np.log(rate_ratio) / (scale * slope))


def involuntary_rate(company: Company, performance: np.ndarray) -> np.ndarray:
    """Monthly rate of dismissal; it falls with performance (size assumed), and its mean is the company's rate."""
    return company.regime.involuntary / 12 * np.exp(-0.4 * performance - 0.08)
