"""Columns of the matrix as numbers: codes for trees, standardised columns for the linear model.

Both encoders are fitted on training rows, are plain data afterwards (``to_dict``), and treat what they never saw as
unknown rather than guessing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from models.known import Known

MIN_LEVEL_ROWS = 30
"""A category seen on fewer landmark rows gets no column of its own in the linear model."""
TWO_YEARS_DAYS = 730 - 31
"""The span between the first and the last of twenty-four month-ends."""
MOST_SD = 4.0
"""A standardised value is cut here, so that one odd record cannot carry a person's risk."""
COLUMNS_AT_ONCE = 32
"""Columns per step: of a few thousand people they stay in the processor's cache."""
MOVING_SHARE = 0.6
"""When the share unknown moves by this much between snapshots, "unknown" tells the calendar, not the person."""


def usable_columns(rows: pd.DataFrame, period: np.ndarray) -> tuple[str, ...]:
    """Return the columns that can teach something: known for one in a hundred, and not the same for everybody.

    A column that is the same for everybody on each snapshot tells the calendar (season). It is left out unless the
    ``period`` (n,) day numbers span two years: half a year of summer teaches nothing about winter and would be
    carried into it all the same.
    """
    short = len(period) == 0 or period.max() - period.min() < TWO_YEARS_DAYS
    kept = []
    for column in rows.columns:
        values = rows[column]
        if values.notna().mean() < 0.01 or values.nunique(dropna=False) < 2:
            continue
        calendar = len(np.unique(period)) > 1 and (values.groupby(period).nunique(dropna=False) == 1).all()
        if not (calendar and short):
            kept.append(column)
    return tuple(kept)


@dataclass(frozen=True)
class Codes:
    """Numbers for trees: numeric columns as they are, categories as the position in the sorted list of known levels."""

    columns: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]

    @classmethod
    def fit(cls, rows: pd.DataFrame, columns: Sequence[str]) -> Codes:
        """Return the codes of the levels that occur in ``rows``."""
        text = [c for c in columns if not pd.api.types.is_numeric_dtype(rows[c])]
        return cls(tuple(columns), {c: tuple(sorted(rows[c].dropna().astype(str).unique())) for c in text})

    def transform(self, rows: pd.DataFrame) -> np.ndarray:
        """Return (n, p) float64; NaN where unknown, a level never seen in training included."""
        out = np.empty((len(rows), len(self.columns)))
        for j, column in enumerate(self.columns):
            if column not in rows.columns:
                out[:, j] = np.nan
            elif column in self.categories:
                code = pd.Index(self.categories[column]).get_indexer(pd.Index(rows[column])).astype(float)
                out[:, j] = np.where(code < 0, np.nan, code)
            else:
                out[:, j] = rows[column].to_numpy(dtype=float, na_value=np.nan)
        return out

    def of_known(self, known: Known) -> np.ndarray:
        """Return the same of what is recorded of people."""
        out = known.of(self.columns)
        for j, column in enumerate(self.columns):
            if column in self.categories:
                place = self._places[column]
                texts = known.texts.get(column)
                out[:, j] = np.nan if texts is None else np.array([*map(place.get, texts)], dtype=float)
        return out

    @cached_property
    def _places(self) -> dict[str, dict[Any, float]]:
        return {c: {level: float(i) for i, level in enumerate(known)} for c, known in self.categories.items()}

    def category_positions(self) -> list[int]:
        """Return the positions of the category columns."""
        return [j for j, c in enumerate(self.columns) if c in self.categories]


@dataclass(frozen=True)
class Design:
    """The linear model's columns: standardised numbers, one indicator per level, one indicator of "unknown".

    A skewed number is put on a signed logarithmic scale first, in units of its typical size (so that money in cents
    and money in thousands give the same); a standardised value is cut at ``MOST_SD``. ``source`` says from which matrix
    column each design column comes: contributions are summed back along it.
    """

    codes: Codes
    source: np.ndarray
    level: np.ndarray
    unit: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(
        cls, values: np.ndarray, codes: Codes, *, period: np.ndarray, min_level_rows: int = MIN_LEVEL_ROWS
    ) -> Design:
        """Return the design learned from coded rows ``values`` (n, p) of the snapshots ``period`` (n,)."""
        columns: list[tuple[int, int, float]] = []
        text, told = set(codes.category_positions()), _tells_the_person(np.isnan(values), period)
        for j, column in enumerate(np.ascontiguousarray(values.T)):
            known = column[~np.isnan(column)]
            if j in text:
                counts = np.bincount(known.astype(int), minlength=1)
                columns += [(j, int(level), 0.0) for level in np.flatnonzero(counts >= min_level_rows)]
            else:
                columns.append((j, NUMBER, _log_unit(known)))
            if told[j]:
                columns.append((j, UNKNOWN, 0.0))
        source, level, unit = (np.array(c) for c in zip(*columns, strict=True)) if columns else (np.zeros(0, int),) * 3
        raw = _raw_design(values, source, level, unit)
        mean, scale = _mean_and_sd(raw)
        keep = scale > 1e-9
        return cls(codes, source[keep], level[keep], unit[keep], mean[keep], scale[keep])

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return (n, q) standardised; an unknown number stands at the mean, its indicator says so."""
        out = _raw_design(values, self.source, self.level, self.unit)
        each = out.T
        for start in range(0, len(each), COLUMNS_AT_ONCE):
            some = slice(start, start + COLUMNS_AT_ONCE)
            part = each[some]
            part -= self.mean[some, None]
            part /= self.scale[some, None]
            # Below and above zero apart: of NaN and zero the other is taken, so what is unknown becomes 0 by itself.
            below = np.fmin(part, 0.0)
            np.maximum(below, -MOST_SD, out=below)
            np.fmax(part, 0.0, out=part)
            np.minimum(part, MOST_SD, out=part)
            part += below
        return out

    def take(self, which: np.ndarray) -> Design:
        """Return the columns where ``which`` (q,) is true."""
        parts = {part: getattr(self, part)[which] for part in ("source", "level", "unit", "mean", "scale")}
        return replace(self, **parts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the bundle."""
        names = ("source", "level", "unit", "mean", "scale")
        return {name: getattr(self, name).tolist() for name in names}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], codes: Codes) -> Design:
        """Return what ``to_dict`` wrote."""
        kinds = {"source": int, "level": int, "unit": float, "mean": float, "scale": float}
        return cls(codes, *(np.array(data[name], dtype=kind) for name, kind in kinds.items()))


NUMBER, UNKNOWN = -1, -2


def _raw_design(values: np.ndarray, source: np.ndarray, level: np.ndarray, unit: np.ndarray) -> np.ndarray:
    out = values[:, source] if source.size else np.zeros((len(values), 0))
    skewed, unknown, one_level = (level == NUMBER) & (unit > 0), level == UNKNOWN, level >= 0
    numbers = out[:, skewed]
    out[:, skewed] = np.sign(numbers) * np.log1p(np.abs(numbers) / unit[skewed])
    out[:, unknown] = np.isnan(out[:, unknown])
    out[:, one_level] = out[:, one_level] == level[one_level]
    return out


def _log_unit(known: np.ndarray) -> float:
    """Return the typical size of a skewed number's values other than 0, and 0 where no logarithm is needed."""
    if not known.size:
        return 0.0
    apart = known - known.mean()
    squares = apart * apart
    spread = np.sqrt(squares.mean())
    if spread == 0 or (squares * apart).mean() / spread**3 <= 2.0:
        return 0.0
    return float(np.median(np.abs(known[known != 0])))


def _tells_the_person(unknown: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Return (p,) where "unknown" (n, p) is neither rare nor usual, and goes with people rather than with snapshots."""
    if not len(unknown):
        return np.zeros(unknown.shape[1], dtype=bool)
    _, snapshot = np.unique(period, return_inverse=True)
    order = np.argsort(snapshot, kind="stable")
    size = np.bincount(snapshot)
    count = np.add.reduceat(unknown[order], np.cumsum(size) - size, axis=0, dtype=int)
    share, everywhere = count / size[:, None], count.sum(axis=0) / len(unknown)
    still = share.max(axis=0) - share.min(axis=0) <= MOVING_SHARE
    return (everywhere > 0.01) & (everywhere < 0.99) & still


def _mean_and_sd(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both (q,) over what is known of each column; 0 where nothing is."""
    unknown = np.isnan(raw)
    n = np.maximum((~unknown).sum(axis=0), 1)
    apart = np.where(unknown, 0.0, raw)
    mean = apart.sum(axis=0) / n
    apart -= mean
    apart[unknown] = 0.0
    return mean, np.sqrt(np.einsum("ij,ij->j", apart, apart) / n)
