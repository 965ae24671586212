"""Days and months in the invented company."""

from __future__ import annotations

import numpy as np


def workdays(rng: np.random.Generator, earliest: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A random weekday in [earliest, end) for each pair; the next one after ``earliest`` where there is none."""
    count = np.maximum(np.busday_count(earliest, end), 1)
    return np.busday_offset(earliest, rng.integers(0, count), roll="forward")


def calendar_month_of(day: np.datetime64) -> int:
    """1 to 12."""
    return int(day.astype("datetime64[M]").astype(int) % 12) + 1


def further(seed: np.random.SeedSequence, key: int) -> np.random.Generator:
    """A generator that belongs to ``seed`` and leaves the draws of all others as they are.

    What only some regimes have draws from here, so that the rest of a company stays the same in every regime.
    """
    return np.random.default_rng(np.random.SeedSequence(entropy=seed.entropy, spawn_key=(*seed.spawn_key, key)))
