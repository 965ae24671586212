"""How far a person's risk may lie from what is told, as plain data beside the model.

Three things are not known: the line (its slopes were learned from some exits), the level (so was the rate, and it
moves), and what no record shows of a person. They add up on the log-odds; the last is also why the middle of the
interval lies below the risk: of people with the same records a few carry much of the risk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri


@dataclass(frozen=True)
class Doubt:
    """Standard deviations on the log-odds: of the firm's level, of what is unseen in people, of the trees' share.

    What a line does not know differs between people and travels with its score (``LinearScore.factor``).
    """

    level_sd: float
    unseen_sd: float
    trees_sd: float = 0.0

    def shifts(self, line_variance: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return (n,) how far down and up the log-odds may lie with chance ``level``; never past the risk itself."""
        if not 0.0 < level < 1.0:
            raise ValueError(f"level must lie in (0, 1), got {level}")
        spread = np.sqrt(line_variance + self.level_sd**2 + self.unseen_sd**2 + self.trees_sd**2)
        middle, reach = -(self.unseen_sd**2) / 2, float(ndtri(0.5 + level / 2)) * spread
        return np.minimum(middle - reach, 0.0), np.maximum(middle + reach, 0.0)

    def to_dict(self) -> dict[str, float]:
        """Return plain data for the bundle."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Doubt:
        """Return what ``to_dict`` wrote."""
        return cls(**{name: float(value) for name, value in data.items()})


def spread_of_folds(log_odds: np.ndarray) -> float:
    """Return the mean standard error of ``log_odds`` (folds, n, K), each by a model that left out a share of people.

    The grouped jackknife (Efron & Stein 1981, Ann Stat 9:586); a level that the folds share or not counts elsewhere.
    """
    g = len(log_odds)
    levelled = log_odds - log_odds.mean(axis=1, keepdims=True)
    return float(np.sqrt((g - 1) * levelled.var(axis=0).mean())) if g > 1 and log_odds.size else 0.0
