"""The risk model: one landmark discrete-time hazard model with competing exits gives every horizon.

Per future interval k the model has two log-odds against staying, f_v for a voluntary exit and f_o for any other one;
the interval ends in one of three ways with probabilities proportional to exp(f_v), exp(f_o) and 1. Chained over the
intervals they give the cumulative incidence of each cause (Aalen & Johansen 1978): it never falls with the horizon, and
both causes and staying sum to 1. Landmarks: van Houwelingen 2007, Scand J Stat 34:70. Person-period rows: Singer &
Willett 1993, J Educ Stat 18:155.

For a table with one row per person and no landmarks there is ``HazardModel`` (``models.estimator``).

Not good for: people whose records the training data never looked like, exits that others decide, comparing people for
pay, rating or dismissal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.cards import Card
from models.calibration import Calibration
from models.encode import Codes
from models.estimator import HazardModel as HazardModel  # the plain use, on any table of (X, time, event)
from models.incidence import chained
from models.interval import Doubt
from models.known import Known
from models.person_period import interval_weights
from models.scores import BoostedScore, LinearScore, Score, Whole, score_from_dict

INTERVAL_CARD = Card(
    column="forecast_interval",
    driver="context",
    unit="count",
    meaning="How far ahead the forecast looks; part of every score, the same for everybody, never told as a reason",
    words_en="{value}",
    words_zh="{value}",
    shown=False,
    actionable=False,
)


@dataclass(frozen=True)
class Hazard:
    """Calibrated log-odds of one cause: a weighted mean of scores, then slope and shift per interval."""

    parts: tuple[tuple[float, Score], ...]
    calibration: Calibration

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Return (n, K)."""
        mean = np.sum([weight * score.log_odds(values) for weight, score in self.parts], axis=0)
        return self.calibration.apply(mean)

    def variance(self, values: np.ndarray) -> np.ndarray:
        """Return (n,) what its lines do not know of the log-odds; trees and level are told by ``Doubt``."""
        lines = ((weight, score) for weight, score in self.parts if isinstance(score, LinearScore))
        known = ((self.calibration.slope * weight) ** 2 * score.variance(values) for weight, score in lines)
        return sum(known, np.zeros(len(values)))

    def contributions(self, values: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return base and (n, p + 1); base plus a row's sum is its weighted mean log-odds."""
        slope = self.calibration.slope
        base, total = float(self.calibration.shift @ weights), np.zeros((len(values), values.shape[1] + 1))
        for weight, score in self.parts:
            part_base, part = score.contributions(values, weights)
            base += slope * weight * part_base
            total += slope * weight * part
        return base, total

    def whole(self, values: np.ndarray, weights: np.ndarray) -> Whole:
        """Return all three of the above, with the columns of a line made once."""
        slope, base = self.calibration.slope, float(self.calibration.shift @ weights)
        shares = np.zeros((values.shape[1] + 1, len(values))).T
        said, variance = [], np.zeros(len(values))
        for weight, score in self.parts:
            one = _whole(score, values, weights, scale=slope * weight, onto=shares)
            said.append(weight * one.log_odds)
            base += slope * weight * one.base
            variance = variance + (slope * weight) ** 2 * one.variance
        return Whole(self.calibration.apply(np.sum(said, axis=0)), variance, base, shares)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the bundle."""
        return {
            "parts": [{"weight": weight, "score": score.to_dict()} for weight, score in self.parts],
            "shift": self.calibration.shift.tolist(),
            "slope": self.calibration.slope,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], codes: Codes) -> Hazard:
        """Return what ``to_dict`` wrote."""
        parts = tuple((float(p["weight"]), score_from_dict(p["score"], codes)) for p in data["parts"])
        return cls(parts, Calibration(np.array(data["shift"]), float(data["slope"])))


def _whole(score: Score, values: np.ndarray, weights: np.ndarray, *, scale: float, onto: np.ndarray) -> Whole:
    if isinstance(score, (LinearScore, BoostedScore)):
        return score.whole(values, weights, scale=scale, onto=onto)
    base, shares = score.contributions(values, weights)
    onto += shares * scale
    return Whole(score.log_odds(values), np.zeros(len(values)), base, onto)


@dataclass(frozen=True)
class Said:
    """What the model says of n rows over H horizons.

    ``incidence`` (n, H, 3) and ``interval`` (n, H, 2) or None as by the methods of these names, ``base`` and ``shares``
    as by ``contributions``.
    """

    incidence: np.ndarray
    interval: np.ndarray | None
    base: float
    shares: np.ndarray


@dataclass(frozen=True)
class RiskModel:
    """Risk of a voluntary and of any other exit within any horizon up to the last edge.

    ``edges`` are the ends of the intervals in days; ``reference_days`` is the horizon that the score and the reasons
    speak of. ``doubt`` is None in an older bundle, which tells no intervals. Immutable: training makes it, a bundle
    carries it.
    """

    codes: Codes
    edges: tuple[int, ...]
    reference_days: int
    voluntary: Hazard
    other: Hazard
    doubt: Doubt | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the matrix columns it reads, and last the interval itself."""
        return (*self.codes.columns, INTERVAL_CARD.column)

    @property
    def categories(self) -> Mapping[str, tuple[str, ...]]:
        """Return the levels that each category column had in training."""
        return self.codes.categories

    def coded(self, known: Known) -> np.ndarray:
        """Return (n, p) what the methods below read instead of a table: people coded once, for several questions."""
        return self.codes.of_known(known)

    def said(self, known: Known, horizons_days: Sequence[float]) -> Said:
        """Return chances, intervals and contributions in one go, at half the cost of asking for one after the other."""
        self._checked(horizons_days)
        values = self.coded(known)
        told, other = self.voluntary.whole(values, self._weights()), self.other.log_odds(values)
        incidence = _incidence(told.log_odds, other, self.edges, horizons_days)
        interval = self._between(told.log_odds, told.variance, other=other, days=horizons_days)
        return Said(incidence, interval, told.base, told.shares)

    def cumulative_incidence(self, rows: pd.DataFrame | np.ndarray, horizons_days: Sequence[float]) -> np.ndarray:
        """Return (n, len(horizons), 3): the chances of staying, voluntary and other exit within each horizon.

        Within an interval the hazard is taken as constant. Raises ``ValueError`` for a horizon beyond the last edge.
        """
        self._checked(horizons_days)
        values = self._values(rows)
        return _incidence(self.voluntary.log_odds(values), self.other.log_odds(values), self.edges, horizons_days)

    def interval(
        self, rows: pd.DataFrame | np.ndarray, horizons_days: Sequence[float], *, level: float = 0.9
    ) -> np.ndarray | None:
        """Return (n, len(horizons), 2): between which risks of a voluntary exit a person's own lies, at ``level``.

        The risk told lies within, and neither end falls with the horizon. None when the model does not know its doubt.
        """
        self._checked(horizons_days)
        values = self._values(rows)
        line, other = self.voluntary.log_odds(values), self.other.log_odds(values)
        variance = self.voluntary.variance(values)
        return self._between(line, variance, other=other, days=horizons_days, level=level)

    def _between(
        self, line: np.ndarray, variance: np.ndarray, *, other: np.ndarray, days: Sequence[float], level: float = 0.9
    ) -> np.ndarray | None:
        if self.doubt is None:
            return None
        ends = self.doubt.shifts(variance, level)
        risks = [_incidence(line + shift[:, None], other, self.edges, days)[:, :, 1] for shift in ends]
        return np.stack(risks, axis=2)

    def log_odds(self, rows: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return (n,) the score: mean log-odds of a voluntary exit over the intervals up to the reference horizon."""
        return self.voluntary.log_odds(self._values(rows)) @ self._weights()

    def contributions(self, rows: pd.DataFrame | np.ndarray) -> tuple[float, np.ndarray]:
        """Return base and (n, len(columns)): ``base + contributions.sum(axis=1) == log_odds(rows)`` exactly."""
        return self.voluntary.contributions(self._values(rows), self._weights())

    def _values(self, rows: pd.DataFrame | np.ndarray) -> np.ndarray:
        return rows if isinstance(rows, np.ndarray) else self.codes.transform(rows)

    def _checked(self, horizons_days: Sequence[float]) -> None:
        if max(horizons_days) > self.edges[-1] or min(horizons_days) <= 0:
            raise ValueError(f"horizons must lie in (0, {self.edges[-1]}] days, got {list(horizons_days)}")

    def _weights(self) -> np.ndarray:
        return interval_weights(self.edges, self.reference_days)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the bundle: numbers, names and LightGBM's text, nothing that could run."""
        return {
            "columns": list(self.codes.columns),
            "categories": {name: list(levels) for name, levels in self.codes.categories.items()},
            "edges": list(self.edges),
            "reference_days": self.reference_days,
            "voluntary": self.voluntary.to_dict(),
            "other": self.other.to_dict(),
            **({} if self.doubt is None else {"doubt": self.doubt.to_dict()}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RiskModel:
        """Return what ``to_dict`` wrote."""
        categories = {name: tuple(levels) for name, levels in data["categories"].items()}
        codes = Codes(tuple(data["columns"]), categories)
        voluntary, other = (Hazard.from_dict(data[cause], codes) for cause in ("voluntary", "other"))
        doubt = Doubt.from_dict(data["doubt"]) if "doubt" in data else None
        return cls(codes, tuple(data["edges"]), int(data["reference_days"]), voluntary, other, doubt)


def _incidence(
    voluntary: np.ndarray, other: np.ndarray, edges: Sequence[int], horizons_days: Sequence[float]
) -> np.ndarray:
    """Chain the interval probabilities; ``voluntary`` and ``other`` are (n, K) log-odds against staying."""
    top = np.maximum(0.0, np.maximum(voluntary, other))
    mass = np.stack([np.exp(-top), np.exp(voluntary - top), np.exp(other - top)], axis=2)
    mass /= mass.sum(axis=2, keepdims=True)
    upper = np.asarray(edges, dtype=float)
    width = np.diff(upper, prepend=0.0)
    stay = np.maximum(mass[:, :, 0], 1e-300)
    # Constant within the interval: the chance to stay through half of it is the square root of that for the whole.
    rate = -np.log(stay) / (width * np.maximum(1.0 - stay, 1e-300))
    hazards = np.stack([rate * mass[:, :, cause] for cause in (1, 2)])
    return chained(hazards, upper, np.asarray(horizons_days, dtype=float))
