"""Hazards from any table (X, time, event): who leaves when, and for which cause, in five lines.

    model = HazardModel().fit(X, time, event)          # event: 0 = still here, 1 = first cause, 2.. = other causes
    model.predict_cumulative_incidence(X, [90, 180])   # (n, 2, 1 + causes): still here, left by cause; sums to 1
    model.predict_risk(X)                              # higher = leaves earlier

A penalised line and boosted trees, each a piecewise constant hazard per cause on a clock that runs with the exits
(``models.clock``), are weighed by what they say of people left out. It knows one row per person, as of time 0: for
monthly snapshots with notice and unfinished windows there is ``models.learn``.

Not good for: times before entry (left truncation), people seen twice, horizons beyond the last exit seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd

from features.errors import FixableError
from models.clock import Clock
from models.encode import Codes, usable_columns
from models.grove import Risked
from models.incidence import chained
from models.mixed import Learning, Mixed, fit_mixed


@dataclass
class HazardModel:
    """Cumulative incidence of competing exits for rows with numbers, categories and missing values.

    The same data and ``seed`` give the same model, in any order of rows and any unit of time. ``n_intervals`` is the
    most pieces of the hazard, ``max_trees`` the most trees, ``folds`` in how many parts people are left out in turn,
    ``groves`` how many groves are averaged (fewer where rows are many).
    """

    n_intervals: int = 8
    folds: int = 5
    groves: int = 4
    max_trees: int = 400
    seed: int = 0
    _fitted: _Fitted | None = field(default=None, init=False, repr=False, compare=False)

    def fit(self, X: pd.DataFrame | np.ndarray, time: Sequence[float], event: Sequence[int]) -> HazardModel:
        """Learn from rows ``X`` (n, p), ``time`` (n,) until ``event`` (n,): 0 censored, 1 first cause, 2.. others.

        Raises FixableError with everything that is wrong with the three.
        """
        rows, t, e = _checked(X, time, event)
        self._fitted = _fit(rows, t, e, self)
        return self

    def predict_cumulative_incidence(self, X: pd.DataFrame | np.ndarray, times: Sequence[float]) -> np.ndarray:
        """Return (n, len(times), causes + 1): chance to be still here, then to have left by each cause.

        Sums to 1 over the last axis; none but the first ever falls with time. Before the first exit that was seen all
        are still here; after the last nothing more is known and the chances stay as they are.
        """
        fitted = self._learned()
        return fitted.incidence(_frame(X), fitted.clock.read(np.asarray(times, dtype=float)))

    def predict_survival(self, X: pd.DataFrame | np.ndarray, times: Sequence[float]) -> np.ndarray:
        """Return (n, len(times)): the chance to be still here, whatever the cause."""
        return self.predict_cumulative_incidence(X, times)[:, :, 0]

    def predict_risk(self, X: pd.DataFrame | np.ndarray) -> np.ndarray:
        """Return one number per row, higher for earlier exits by the first cause.

        It is the mean over the exits seen in training of the chance to have left by then: for ranking, no probability
        of anything.
        """
        fitted = self._learned()
        return fitted.incidence(_frame(X), fitted.milestones)[:, :, 1].mean(axis=1)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings, as scikit-learn asks for them."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.init}

    def set_params(self, **settings: Any) -> HazardModel:
        """Change settings; an unknown one is refused."""
        unknown = sorted(set(settings) - set(self.get_params()))
        if unknown:
            raise FixableError(
                "HazardModel has no such setting", [f"{name}: known are {self.get_params()}" for name in unknown]
            )
        for name, value in settings.items():
            setattr(self, name, value)
        return self

    def _learned(self) -> _Fitted:
        if self._fitted is None:
            raise FixableError("the model has not learned yet: call fit(X, time, event) first")
        return self._fitted


@dataclass(frozen=True)
class _Fitted:
    codes: Codes
    clock: Clock
    edges: np.ndarray
    milestones: np.ndarray
    causes: tuple[Mixed, ...]

    def incidence(self, rows: pd.DataFrame, readings: np.ndarray) -> np.ndarray:
        """Return (n, T, causes + 1) at ``readings`` (T,) of the clock."""
        values = self.codes.transform(rows)
        hazards = np.stack([np.exp(cause.log_hazard(values)) for cause in self.causes])
        return chained(hazards, self.edges, readings)


def _fit(rows: pd.DataFrame, time: np.ndarray, event: np.ndarray, settings: HazardModel) -> _Fitted:
    codes = Codes.fit(rows, usable_columns(rows, np.zeros(len(rows))))
    values = codes.transform(rows)
    order = np.lexsort((*values.T, event, time))  # so that the order in which the rows came cannot matter
    values, time, event = values[order], time[order], event[order]
    clock = Clock.fit(time, event)
    edges = clock.edges(time, event, n_intervals=_n_intervals(event, settings))
    lived = _lived(clock, edges, time, event)
    interval = np.clip(np.searchsorted(edges, clock.read(time), side="left"), 0, len(edges) - 1)
    learning = Learning(settings.folds, settings.groves, settings.max_trees, settings.seed)
    causes = []
    for cause in range(1, max(1, int(event.max())) + 1):
        exits = np.zeros_like(lived)
        mine = event == cause
        exits[mine, interval[mine]] = 1.0
        causes.append(fit_mixed(Risked(values, lived, exits), codes, learning))
    at = np.linspace(0, len(clock.times) - 1, min(len(clock.times), 100)).round().astype(int)
    milestones = clock.reading[at] if len(clock.times) else np.zeros(1)
    return _Fitted(codes, clock, edges, milestones, tuple(causes))


def _n_intervals(event: np.ndarray, settings: HazardModel) -> int:
    """Return how many pieces the exits can carry, and the rows can afford."""
    affordable = max(3, 250_000 // max(1, len(event)))
    return int(np.clip((event > 0).sum() // 12, 1, min(settings.n_intervals, affordable)))


def _lived(clock: Clock, edges: np.ndarray, time: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Return (n, K): how much of each interval was lived through, on the clock."""
    lower = np.concatenate([[0.0], edges[:-1]])
    return np.clip(np.minimum(clock.lived(time, event)[:, None], edges) - lower, 0.0, None)


def _frame(X: pd.DataFrame | np.ndarray) -> pd.DataFrame:
    """Return the rows with numbers as float (infinite = unknown) and everything else as text."""
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    plain: dict[str, Any] = {}
    for position, name in enumerate(frame.columns):
        values = frame.iloc[:, position]
        if pd.api.types.is_numeric_dtype(values):
            number = values.to_numpy(dtype=float, na_value=np.nan)
            plain[str(name)] = np.where(np.isfinite(number), number, np.nan)
        else:
            text = values.astype(object)
            plain[str(name)] = pd.array([None if pd.isna(v) else str(v) for v in text], dtype="str")
    return pd.DataFrame(plain, index=range(len(frame)))


def _checked(
    X: pd.DataFrame | np.ndarray,
    time: Sequence[float],
    event: Sequence[int],
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    t, e = np.asarray(time, dtype=float), np.asarray(event)
    problems = []
    names = [str(c) for c in X.columns] if isinstance(X, pd.DataFrame) else []
    problems += [f"column {name!r} stands there twice" for name in sorted({c for c in names if names.count(c) > 1})]
    if not len(X) == len(t) == len(e):
        problems.append(f"X has {len(X)} rows, time {len(t)}, event {len(e)}")
    if not len(t):
        problems.append("there are no rows")
    if not np.isfinite(t).all() or (t < 0).any():
        problems.append(f"time must be 0 or more; it is not on {int((~(t >= 0) | ~np.isfinite(t)).sum())} rows")
    number = e.astype(float)
    if not (np.isfinite(number).all() and (number >= 0).all() and (number == np.round(number)).all()):
        problems.append("event must be 0 (still here), 1, 2, .. (causes)")
    if problems:
        raise FixableError("HazardModel cannot learn from this", problems)
    return _frame(X), t, number.astype(int)
