"""What a new model has to beat besides the base rate and a line: a manager's rule of thumb, and the last champion.

The rule needs no model: a point each for a first year, two years without promotion, two years without a raise, a
survey answer below the middle, a new manager, pay under nine tenths of the market. A person's risk is the share who
left among people with as many points, in the rows from which the model of the same origin learned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from models.bundle import Bundle
from training.fit import Panel, Trained, days_between
from training.splits import Split

RULE: Mapping[str, Callable[[pd.Series], pd.Series]] = {
    "tenure_days": lambda days: days < 365,
    "days_since_promotion": lambda days: days > 730,
    "days_since_raise": lambda days: days > 730,
    "survey_engagement_latest": lambda score: score < 0.5,
    "days_since_manager_change": lambda days: days <= 90,
    "compa_ratio": lambda ratio: ratio < 0.9,
}
"""Column → when it counts one point; an unknown value counts none."""

PRIOR_ROWS = 50.0


def points(rows: pd.DataFrame) -> np.ndarray:
    """Return (n,) the points of the rule; columns that are not there count nothing."""
    found = np.zeros(len(rows))
    for column, counts in RULE.items():
        if column in rows:
            found += counts(rows[column]).fillna(False).to_numpy(float)
    return found


def with_rivals(trained: Trained, champion: Bundle | None) -> pd.DataFrame:
    """Return the unseen test rows with ``rule_<horizon>``, and ``champion_<horizon>`` where the champion can be judged.

    A champion is judged only on days after the last outcome it learned from; elsewhere its column is NaN, because it
    has seen what it would be asked.
    """
    out = trained.unseen.copy()
    place = pd.MultiIndex.from_frame(trained.panel.index[["employee_id", "as_of"]])
    at = place.get_indexer(pd.MultiIndex.from_frame(out[["employee_id", "as_of"]]))
    rows = trained.panel.rows.iloc[at].reset_index(drop=True)
    scored = points(rows)
    for h in trained.plan.horizons_days:
        out[f"rule_{h}"] = _rule_risk(trained, out, scored, h)
    if champion is not None:
        out = _with_champion(out, rows, champion, trained.plan.horizons_days)
    return out


def _rule_risk(trained: Trained, tested: pd.DataFrame, scored: np.ndarray, horizon_days: int) -> np.ndarray:
    risk = np.full(len(tested), np.nan)
    for split in trained.splits:
        known, left = _closed(trained.panel, split, horizon_days)
        n_points = points(trained.panel.rows.loc[known]).astype(int)
        n = np.bincount(n_points, minlength=len(RULE) + 1)
        gone = np.bincount(n_points, weights=left[known], minlength=len(RULE) + 1)
        rate = (gone + PRIOR_ROWS * gone.sum() / max(n.sum(), 1)) / (n + PRIOR_ROWS)
        mine = (tested["origin"] == split.origin).to_numpy()
        risk[mine] = rate[scored[mine].astype(int)]
    return risk


def _closed(panel: Panel, split: Split, horizon_days: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows taught at this origin with a closed horizon, and who of all rows left within it."""
    index = panel.index
    closed = days_between(index["as_of"], split.origin).to_numpy() >= horizon_days
    taught = pd.to_datetime(index["as_of"]).dt.date.isin(split.train).to_numpy()
    left = ((index["event"] == 1) & (index["time"] <= horizon_days)).to_numpy(float)
    return closed & taught, left


def _with_champion(tested: pd.DataFrame, rows: pd.DataFrame, champion: Bundle, horizons: Sequence[int]) -> pd.DataFrame:
    reach = [h for h in horizons if h <= champion.model.edges[-1]]
    absent = set(champion.model.codes.columns) - set(rows)
    fresh = (pd.to_datetime(tested["as_of"]).dt.date >= date.fromisoformat(champion.card.labels_closed_on)).to_numpy()
    if absent or not reach or not fresh.any():
        return tested
    risk = np.full((len(tested), len(reach)), np.nan)
    risk[fresh] = champion.model.cumulative_incidence(rows.loc[fresh], reach)[:, :, 1]
    return tested.assign(**{f"champion_{h}": risk[:, j] for j, h in enumerate(reach)})
