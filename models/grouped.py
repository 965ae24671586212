"""Sums and largest values over groups of columns, for many people at once.

A row here is one column of the matrix, of all people, in one piece of memory: what follows goes row by row, because a
row of a few thousand people stays next to the processor. The trap: what is added up must not depend on how many people
are asked at once, so sums have one order, that in which the rows are listed.
"""

from __future__ import annotations

import numpy as np

from models.known import FEW


def grouped(reduce: np.ufunc, rows: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return (groups, n): ``reduce`` over the rows (m, n) of each group, which ``first`` (groups,) says the begin of.

    For ``maximum``, ``logical_or`` and the like, whose order plays no part: ``reduceat`` goes through the groups person
    by person, which for many people takes five times as long as whole rows.
    """
    if rows.shape[1] <= FEW:
        found: np.ndarray = reduce.reduceat(rows, first, axis=0)
        return found
    out = np.empty((len(first), rows.shape[1]), dtype=rows.dtype)
    ends = (*first[1:].tolist(), len(rows))
    for one, start, end in zip(out, first.tolist(), ends, strict=True):
        reduce.reduce(rows[start:end], axis=0, out=one)
    return out


def add_rows(
    out: np.ndarray, rows: np.ndarray, which: np.ndarray, whose: np.ndarray, *, above_zero: bool = False
) -> np.ndarray:
    """Add the rows (p, n) at ``which`` (m,) one after the other, each to the row of ``out`` (g, n) that ``whose`` says.

    ``above_zero``: what is below zero counts as zero. Returns ``out``.
    """
    if rows.shape[1] <= FEW:
        few = rows[which]
        np.add.at(out, whose, np.maximum(few, 0.0) if above_zero else few)
        return out
    for group, row in zip(whose.tolist(), which.tolist(), strict=True):
        out[group] += np.maximum(rows[row], 0.0) if above_zero else rows[row]
    return out
