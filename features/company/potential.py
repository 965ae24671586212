"""What would have become of each person under each care action, with the same luck: the truth that no record holds.

Luck is common: a person's draw of a month is the same whatever care does (common random numbers), and the hidden path
is known beyond the decision and the exit (``company.history.Tracks``). Good for judging estimates of effects. Left out:
what a person's staying would have meant to the team (contagion goes on as it did).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from features.company import accelerated, care
from features.company.history import History
from features.company.records import Roster

WINDOW_MONTHS = 6


def potential_outcomes(history: History) -> pl.DataFrame:
    """One row per person and month-end ``as_of``, at risk and undecided then, with six recorded months ahead.

    ``h0`` and ``h1_<action>``: the rate of a decision in the next month without care and with the action begun in it.
    ``y_none``, ``y_<action>``: would decide to leave within the six months after ``as_of`` (0 or 1), without care and
    with the action begun in the first of them, unless another exit came first. ``p_none``, ``p_<action>``: the chance
    of that on the person's hidden path, before the luck is drawn; in the accelerated world, where luck and path are
    one, it equals ``y``.
    """
    panel, months = history.panel, history.company.months
    at_risk = (panel["since_decision"] < 0) & ~panel["under_notice"] & (panel["who"] != history.chief)
    parts = [
        _month(history, panel["who"][at_risk & (panel["month"] == month)], month)
        for month in range(months - WINDOW_MONTHS)
    ]
    roster = Roster(history)
    if not parts:
        return pl.DataFrame()
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    as_of = history.first[columns.pop("month") + 1] - 1
    return pl.DataFrame({"employee_id": roster.ids(columns.pop("who")), "as_of": as_of, **columns})


def _month(history: History, who: np.ndarray, month: int) -> dict[str, np.ndarray]:
    """The outcomes of everybody at risk at the end of one recorded month."""
    tracks = history.tracks
    ahead = slice(month + 1, month + 1 + WINDOW_MONTHS)
    draw, log_rate, other = (a[ahead, who] for a in (tracks.draw, tracks.log_rate, tracks.other_rate))
    spared = np.cumprod(1 - tracks.other_hit[ahead, who], axis=0)
    spared = np.concatenate([np.ones((1, len(who))), spared[:-1]])
    accelerated_world = history.company.regime.generator == "accelerated"
    out: dict[str, np.ndarray] = {"who": who, "month": np.full(len(who), month)}
    ratios = {"none": np.zeros((WINDOW_MONTHS, len(who)))}
    for code, action in enumerate(care.IDS):
        facts = [{name: values[month + 1 + k, who] for name, values in tracks.facts.items()} for k in range(6)]
        ratios[action] = np.stack(
            [care.care_term(np.full(len(who), code), np.full(len(who), k), f) for k, f in enumerate(facts)]
        )
    for action, ratio in ratios.items():
        if accelerated_world:
            lift = accelerated.lift(ratio)
            crossing = tracks.fit[ahead, who] + lift < 0
            first = accelerated.rate_with(log_rate[0], lift[0])
            y = (crossing * spared).max(axis=0)
            p = y
        else:
            rate = np.exp(log_rate + ratio)
            y = ((draw < 1 - np.exp(-rate)) * spared).max(axis=0)
            first, p = rate[0], _incidence(rate, other)
        out |= {"h0" if action == "none" else f"h1_{action}": first, f"y_{action}": y.astype(np.int8), f"p_{action}": p}
    return out


def _incidence(rate: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The chance of a decision within the months of ``rate`` (months, n), other exits competing after it each month."""
    decides = 1 - np.exp(-rate)
    stays = np.cumprod((1 - decides) * np.exp(-other), axis=0)
    before = np.concatenate([np.ones((1, rate.shape[1])), stays[:-1]])
    return (before * decides).sum(axis=0)
