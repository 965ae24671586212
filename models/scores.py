"""Scores of one cause: the log-odds that this exit, rather than staying, ends an interval.

Each score is fitted on the rows that stayed or left for its own cause (individualised logits: Begg & Gray 1984,
Biometrika 71:11, which give the multinomial model back when the two are put together), is plain data afterwards, and
says for every row how its columns add up to the log-odds, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy.special import logit

from models.encode import Codes, Design
from models.grouped import add_rows
from models.tables import Tables, tables_of

if TYPE_CHECKING:
    import lightgbm as lgb  # half a second: only where trees are made or opened


class Score(Protocol):
    """What every score can do; ``values`` is (n, p) as coded by ``Codes``, K the number of intervals."""

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Return (n, K)."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the bundle."""
        ...

    def contributions(self, values: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the base and (n, p + 1) whose row sums give the weighted mean over intervals; last: the interval."""
        ...


@dataclass(frozen=True)
class Whole:
    """All that a score says of n rows: ``log_odds`` (n, K), what its line does not know of them as a ``variance`` (n,),
    and ``base`` and ``shares`` as ``contributions`` returns them."""

    log_odds: np.ndarray
    variance: np.ndarray
    base: float
    shares: np.ndarray


@dataclass(frozen=True)
class Rows:
    """Person-period rows of one cause, ready to learn from.

    ``values`` is (n, p) and ``period`` (n,) the day of the snapshot, one entry per landmark row; the other arrays
    have one entry per row and interval lived through, ``row`` pointing into ``values``. ``speaks_for`` says of how many
    rows each is one (``models.quiet``); ``weight`` holds that already.
    """

    values: np.ndarray
    period: np.ndarray
    row: np.ndarray
    interval: np.ndarray
    exits: np.ndarray
    weight: np.ndarray
    speaks_for: np.ndarray
    n_intervals: int

    def take(self, mask: np.ndarray) -> Rows:
        """Return the entries where ``mask`` is true."""
        arrays = ("row", "interval", "exits", "weight", "speaks_for")
        return replace(self, **{name: getattr(self, name)[mask] for name in arrays})

    def log_odds_of(self, score: Score) -> np.ndarray:
        """Return what ``score`` says of each entry at its own interval."""
        used, position = np.unique(self.row, return_inverse=True)
        return score.log_odds(self.values[used])[position, self.interval]


@dataclass(frozen=True)
class BaseScore:
    """The rate of each interval and nothing else: what is known without knowing anybody."""

    offset: np.ndarray

    @classmethod
    def fit(cls, rows: Rows) -> BaseScore:
        """Return the log-odds per interval, with half an exit added so that none is infinite."""
        n = np.bincount(rows.interval, weights=rows.speaks_for, minlength=rows.n_intervals)
        exits = np.bincount(rows.interval, weights=rows.exits * rows.speaks_for, minlength=rows.n_intervals)
        overall = (exits.sum() + 0.5) / (n.sum() + 1.0)
        return cls(logit((exits + overall) / (n + 1.0)))

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Return (n, K), the same for everybody."""
        return np.tile(self.offset, (len(values), 1))

    def contributions(self, values: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return zeros: no column counts."""
        return float(self.offset @ weights), np.zeros((len(values), values.shape[1] + 1))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the bundle."""
        return {"kind": "base", "offset": self.offset.tolist()}


@dataclass(frozen=True)
class LinearScore:
    """Penalised logistic hazard: one coefficient per design column, one intercept per interval (``models.prior``).

    ``factor`` (q, r) is the posterior's: a row's log-odds have the variance of its squared length under it
    (``models.interval``); None in a bundle that is older.
    """

    design: Design
    coefficient: np.ndarray
    intercept: np.ndarray
    factor: np.ndarray | None = None

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Return (n, K)."""
        return self._said_of(self.design.transform(values))

    def variance(self, values: np.ndarray) -> np.ndarray:
        """Return (n,) what is not known of the log-odds, the level left aside; zeros without a ``factor``."""
        return self._variance_of(self.design.transform(values))

    def contributions(self, values: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return coefficient times distance from the mean, summed back to the matrix columns."""
        shares = np.zeros((values.shape[1] + 1, len(values))).T
        return self._add_shares(self.design.transform(values), weights, scale=1.0, onto=shares), shares

    def whole(self, values: np.ndarray, weights: np.ndarray, *, scale: float, onto: np.ndarray) -> Whole:
        """Return all three; the columns, which cost more than what is made of them, are made once.

        ``shares`` are multiplied by ``scale``, nothing else is, and added ``onto`` those of other scores (n, p + 1).
        """
        columns = self.design.transform(values)
        said, variance = self._said_of(columns), self._variance_of(columns)
        base = self._add_shares(columns, weights, scale=scale, onto=onto)
        return Whole(said, variance, base, onto)

    def _said_of(self, columns: np.ndarray) -> np.ndarray:
        return (columns @ self.coefficient)[:, None] + self.intercept

    def _variance_of(self, columns: np.ndarray) -> np.ndarray:
        if self.factor is None:
            return np.zeros(len(columns))
        return ((columns @ self.factor) ** 2).sum(axis=1)

    def _add_shares(self, columns: np.ndarray, weights: np.ndarray, *, scale: float, onto: np.ndarray) -> float:
        """Add what each column adds ``onto`` (n, p + 1) and return the base; afterwards ``columns`` are used up."""
        columns *= self.coefficient * scale
        add_rows(onto.T, columns.T, np.arange(columns.shape[1]), self.design.source)
        return float(self.intercept @ weights)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the bundle."""
        arrays = {"coefficient": self.coefficient.tolist(), "intercept": self.intercept.tolist()}
        doubt = {} if self.factor is None else {"factor": self.factor.tolist()}
        return {"kind": "linear", "design": self.design.to_dict(), **arrays, **doubt}


def design_of(rows: Rows, codes: Codes) -> Design:
    """Return the columns of a line learned from the landmark rows behind ``rows``, each counted once."""
    used = np.unique(rows.row)
    return Design.fit(rows.values[used], codes, period=rows.period[used])


@dataclass(frozen=True)
class Growth:
    """How trees may grow: ``direction`` (p,) of each column's effect (+1, -1; 0 is free), how many, the seed."""

    direction: tuple[int, ...]
    rounds: int
    seed: int


@dataclass(frozen=True)
class BoostedScore:
    """Boosted trees on top of the rate of each interval; the interval is a column, so effects may fade with time.

    ``tables``, made when a bundle is opened, gives the same answers many times faster than ``booster``; none where a
    tree is too large. Where a direction is expected the trees may only go that way (monotone constraints): with a few
    hundred exits a tree would otherwise find many turns that the next year does not repeat.
    """

    offset: np.ndarray
    booster: lgb.Booster
    tables: Tables | None = None

    @classmethod
    def fit(cls, rows: Rows, codes: Codes, *, growth: Growth, held_out: Rows | None = None) -> BoostedScore:
        """Return the fitted score; with ``held_out`` (other people) stop when their loss has stopped falling."""
        import lightgbm as lgb

        offset = BaseScore.fit(rows).offset
        train = _dataset(rows, codes, offset)
        valid = [_dataset(held_out, codes, offset, reference=train)] if held_out is not None else []
        stop: list[Callable[..., Any]] = [lgb.early_stopping(40, verbose=False)] if valid else []
        parameters = boosting_parameters(len(rows.exits), growth)
        booster = lgb.train(parameters, train, num_boost_round=growth.rounds, valid_sets=valid, callbacks=stop)
        if held_out is not None:
            text = booster.model_to_string(num_iteration=max(booster.best_iteration, 1))
            booster = lgb.Booster(model_str=text)
        return cls(offset, booster)

    @property
    def n_rounds(self) -> int:
        """Return the number of trees."""
        return self.booster.num_trees()

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Return (n, K)."""
        n, k = len(values), len(self.offset)
        if self.tables is not None:
            return self.tables.raw(values) + self.offset
        raw = self.booster.predict(_with_interval(values, k), raw_score=True, num_threads=1)
        return np.asarray(raw).reshape(k, n).T + self.offset

    def whole(self, values: np.ndarray, weights: np.ndarray, *, scale: float, onto: np.ndarray) -> Whole:
        """Return both, the shares multiplied by ``scale`` and added ``onto`` those of other scores (n, p + 1).

        From tables every split is asked once. What trees do not know is told by ``Doubt``.
        """
        nothing = np.zeros(len(values))
        if self.tables is None:
            base, shares = self.contributions(values, weights)
            onto += shares * scale
            return Whole(self.log_odds(values), nothing, base, onto)
        raw = self.tables.both(values, weights, scale=scale, onto=onto)
        return Whole(raw + self.offset, nothing, float(self.offset @ weights + self.tables.base), onto)

    def contributions(self, values: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return TreeSHAP values (Lundberg et al. 2020, Nature Machine Intelligence 2:56) averaged over intervals."""
        if self.tables is not None:
            return float(self.offset @ weights + self.tables.base), self.tables.contributions(values, weights)
        n, used = len(values), np.flatnonzero(weights > 0)
        raw = self.booster.predict(_with_interval(values, len(self.offset), used), pred_contrib=True, num_threads=1)
        by_interval = np.asarray(raw).reshape(len(used), n, -1)
        mean = np.tensordot(weights[used], by_interval, axes=1)
        base = float(self.offset @ weights + by_interval[0, 0, -1])
        return base, mean[:, :-1]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the bundle; the trees travel as LightGBM's own text."""
        return {"kind": "boosted", "offset": self.offset.tolist(), "trees": self.booster.model_to_string()}


def score_from_dict(data: Mapping[str, Any], codes: Codes) -> Score:
    """Return the score that ``to_dict`` wrote; a kind that is not known is refused."""
    kind = data["kind"]
    if kind == "base":
        return BaseScore(np.array(data["offset"]))
    if kind == "linear":
        design = Design.from_dict(data["design"], codes)
        factor = np.array(data["factor"]) if "factor" in data else None
        return LinearScore(design, np.array(data["coefficient"]), np.array(data["intercept"]), factor)
    if kind == "boosted":
        import lightgbm as lgb

        offset, booster = np.array(data["offset"]), lgb.Booster(model_str=data["trees"])
        tables = tables_of(booster)
        return BoostedScore(offset, booster, tables.along(len(offset)) if tables else None)
    raise ValueError(f"unknown kind of score {kind!r}")


def compact(factor: np.ndarray, columns: np.ndarray, *, rank: int = 20) -> np.ndarray:
    """Return (q, rank) that gives the rows ``columns`` (n, q) the same mean variance as ``factor`` (q, q).

    The directions in which these rows vary most under the posterior are kept, and lengthened for what is left out.
    Rounded, because a bundle should be small and an interval knows no six digits.
    """
    moments = factor.T @ (columns.T @ columns / max(len(columns), 1)) @ factor
    values, vectors = np.linalg.eigh(moments)
    kept = values[-rank:].sum()
    lengthened = np.sqrt(values.sum() / kept) if kept > 0 else 1.0
    out = factor @ vectors[:, -rank:] * lengthened
    return np.array([float(f"{x:.4g}") for x in out.ravel()]).reshape(out.shape)


def boosting_parameters(n_rows: int, growth: Growth) -> dict[str, Any]:
    """Return LightGBM's parameters: small trees, strong shrinkage, the same bytes for the same data and seed."""
    return {
        "objective": "binary",
        "learning_rate": 0.05,
        "num_leaves": 8,
        "min_data_in_leaf": max(20, n_rows // 100),
        "feature_fraction": 0.6,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "cat_smooth": 50.0,
        "max_bin": 127,
        "monotone_constraints": [*growth.direction, 0],
        "seed": growth.seed,
        "deterministic": True,
        "force_row_wise": True,
        "boost_from_average": False,
        "num_threads": 1,  # folds run side by side; a team of threads waits for a busy core
        "verbosity": -1,
    }


def _dataset(rows: Rows, codes: Codes, offset: np.ndarray, reference: lgb.Dataset | None = None) -> lgb.Dataset:
    import lightgbm as lgb

    features = np.column_stack([rows.values[rows.row], rows.interval])
    return lgb.Dataset(
        features,
        label=rows.exits,
        weight=rows.speaks_for if (rows.speaks_for != 1.0).any() else None,
        init_score=offset[rows.interval],
        categorical_feature=codes.category_positions() or "auto",
        reference=reference,
        free_raw_data=True,
    )


def _with_interval(values: np.ndarray, n_intervals: int, which: np.ndarray | None = None) -> np.ndarray:
    chosen = np.arange(n_intervals) if which is None else which
    return np.column_stack([np.tile(values, (len(chosen), 1)), np.repeat(chosen.astype(float), len(values))])
