"""From the hazards of competing exits to the chance to have left by each of them."""

from __future__ import annotations

import numpy as np


def chained(hazards: np.ndarray, edges: np.ndarray, readings: np.ndarray) -> np.ndarray:
    """Return (n, T, causes + 1) at ``readings`` (T,) of hazards (causes, n, K), constant up to each of ``edges`` (K,).

    Entry 0 is the chance to be still here; all sum to 1 and none but that ever falls. After the last edge they
    stand still. Within an interval the causes share the exits in proportion to their hazards (Aalen & Johansen 1978).
    """
    total = hazards.sum(axis=0)
    share = hazards / np.maximum(total, 1e-300)
    lower = np.concatenate([[0.0], edges[:-1]])
    reached = np.exp(-np.cumsum(total * (edges - lower), axis=1))
    before = np.concatenate([np.ones((len(total), 1)), reached[:, :-1]], axis=1)
    closed = np.cumsum(share * (before - reached), axis=2)
    inside = np.clip(np.searchsorted(edges, readings, side="left"), 0, len(edges) - 1)
    gone = np.clip(readings, 0.0, edges[-1]) - lower[inside]
    stay = before[:, inside] * np.exp(-total[:, inside] * gone)
    left = share[:, :, inside] * (before[:, inside] - stay)
    left += np.where(inside > 0, closed[:, :, inside - 1], 0.0)
    return np.concatenate([stay[:, :, None], np.moveaxis(left, 0, 2)], axis=2)
