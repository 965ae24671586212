"""Too many quiet rows to learn from: a part of them, drawn by lot, speaks for all.

A company of twenty thousand has a million landmark rows in five years, of which nine in ten saw nobody leave and repeat
what the month before said. Every row of somebody who left is kept; of the others each snapshot keeps the same share,
and each of those kept counts for as many as were drawn from (Horvitz & Thompson 1952, J Am Stat Assoc 47:663). On each
snapshot the rows kept count for exactly as many as there were, so the rate of every interval is what it was; what
the columns do is estimated without bias, a little less surely.
"""

from __future__ import annotations

import numpy as np


def drawn(quiet: np.ndarray, snapshot: np.ndarray, *, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows are kept (n,) and for how many rows each of them speaks (n,), 1 where none is left out.

    ``quiet`` (n,) says which rows may be left out, ``snapshot`` (n,) the day of each; about ``most`` quiet ones are
    kept, at least one per snapshot that has any. The same seed keeps the same rows.
    """
    kept, speaks_for = np.ones(len(quiet), dtype=bool), np.ones(len(quiet))
    share = most / max(int(quiet.sum()), 1)
    if share >= 1.0:
        return kept, speaks_for
    rng = np.random.default_rng(seed)
    for day in np.unique(snapshot[quiet]):
        rows = np.flatnonzero(quiet & (snapshot == day))
        n = max(1, round(share * len(rows)))
        chosen = np.sort(rng.permutation(rows)[:n])
        kept[rows], kept[chosen] = False, True
        speaks_for[chosen] = len(rows) / n
    return kept, speaks_for
