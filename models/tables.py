"""Small trees as tables: what they say of a row, and the share of each column in it, looked up rather than computed.

A tree with d splits sees a row only as d answers of yes or no, so there are 2^d rows it can tell apart. What it says
of each, and the Shapley values of its columns, are worked out once; afterwards a row costs one comparison per split
and one look into a table. Our trees have seven splits: 128 entries. The idea of trees as tables over bit patterns:
Nadel and Wettenstein 2026, "From Decision Trees to Boolean Logic" (AAAI). The values are those of path-dependent
TreeSHAP (Lundberg et al. 2020, Nature Machine Intelligence 2:56), which LightGBM calls ``pred_contrib``.

The trap: how LightGBM treats an unknown value, a zero and a category differs from split to split and is copied here
split by split; the tests hold both equal. Trees with more than ``MOST_SPLITS`` splits get no table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import factorial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    import lightgbm as lgb  # half a second: only where trees are made or opened

MOST_SPLITS = 8
"""256 entries a tree; each split more doubles the table and the time it takes to make it."""

ROWS_AT_ONCE = 8192
"""Rows per step: the answers of one step stay in the processor's cache."""

FEW_ROWS = 24
"""Below, all trees are asked at once per split; above, all rows at once per tree."""

ZERO = 1e-35
"""LightGBM takes numbers closer to zero than this for zero."""

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Splits:
    """Arrays (t, w): the splits of every tree, filled up to ``w`` with ones that nobody asks (nothing is below -inf).

    ``levels`` (c, L) says of each split by category which categories go left; ``category`` (t, w) is its row there, -1
    for a split by number.
    """

    column: np.ndarray
    threshold: np.ndarray
    unknown_left: np.ndarray
    nan_is_zero: np.ndarray
    zero_is_unknown: np.ndarray
    category: np.ndarray
    levels: np.ndarray

    def patterns(self, values: np.ndarray) -> np.ndarray:
        """Return (t, n): the entry that each tree looks up for each row of ``values`` (n, p)."""
        x = np.ascontiguousarray(values.T)
        if not len(x):  # of rows without a column nobody asks anything
            return np.zeros((len(self.column), len(values)), dtype=np.intp)
        if len(values) <= FEW_ROWS:
            bits, by_level = self._left(x[self.column], (..., None)), self.category >= 0
            bits[by_level] = _among(x[self.column[by_level]], self.levels[self.category[by_level]])
            return (bits * self.powers[:, None]).sum(axis=1)
        out, codes = np.zeros((len(self.column), len(values)), dtype=np.uint8), dict[int, np.ndarray]()
        for t, b, column, threshold, way in self.questions:
            if way == "by level":
                if column not in codes:
                    codes[column] = self._code(x[column])
                left = self.goes_left[self.category[t, b]].take(codes[column])
            else:
                left = self._answer(x[column], (t, b), threshold, way)
            out[t] |= left.view(np.uint8) * np.uint8(1 << b)
        return out

    @cached_property
    def goes_left(self) -> np.ndarray:
        """``levels`` with a last place for categories that no split knows: they go right."""
        return np.pad(self.levels, ((0, 0), (0, 1)))

    def _code(self, x: np.ndarray) -> np.ndarray:
        last = self.levels.shape[1]
        return np.where((x >= 0) & (x < last), x, last).astype(np.intp)

    def _answer(self, x: np.ndarray, at: tuple[int, int], threshold: float, way: str) -> np.ndarray:
        """Return (n,) whether the rows go left at one split. Nothing compares with NaN, so that one look is enough."""
        if way == "unknown right":
            return x <= threshold
        if way == "unknown left":
            return ~(x > threshold)
        return self._left(x, at)

    @cached_property
    def questions(self) -> list[tuple[int, int, int, float, str]]:
        """Every split that somebody asks: tree, bit, column, threshold, and where the unknown goes."""
        found = []
        for t, b in np.argwhere(self.asked).tolist():
            threshold = float(self.threshold[t, b])
            goes_left = threshold >= 0.0 if self.nan_is_zero[t, b] else bool(self.unknown_left[t, b])
            way = "unknown left" if goes_left else "unknown right"
            way = "zero is unknown" if self.zero_is_unknown[t, b] else way
            found.append((t, b, int(self.column[t, b]), threshold, "by level" if self.category[t, b] >= 0 else way))
        return found

    def without(self, asked_no_more: int) -> Splits:
        """Return the splits with those of one column asked no more."""
        gone = self.column == asked_no_more
        column, threshold = np.where(gone, 0, self.column), np.where(gone, -np.inf, self.threshold)
        category, nan_is_zero = np.where(gone, -1, self.category), self.nan_is_zero | gone
        return replace(self, column=column, threshold=threshold, nan_is_zero=nan_is_zero, category=category)

    @cached_property
    def powers(self) -> np.ndarray:
        """What each bit adds to the number of a pattern."""
        return 1 << np.arange(self.column.shape[1], dtype=np.intp)

    @cached_property
    def asked(self) -> np.ndarray:
        """Which splits somebody asks."""
        return (self.threshold > -np.inf) | (self.category >= 0)

    def _left(self, x: np.ndarray, at: Any) -> np.ndarray:
        nan_is_zero, missing = self.nan_is_zero[at], np.isnan(x)
        known = np.where(missing, 0.0, x)
        unknown = (missing & ~nan_is_zero) | (self.zero_is_unknown[at] & (np.abs(known) <= ZERO))
        return np.where(unknown, self.unknown_left[at], known <= self.threshold[at])


@dataclass(frozen=True)
class Lookup:
    """What trees say, looked up: ``says`` (t, K, 2^w) is the raw score per pattern and interval (K is 1 at first)."""

    splits: Splits
    says: np.ndarray
    n_columns: int

    def raw(self, values: np.ndarray) -> np.ndarray:
        """Return (n, K) the raw score of each row of ``values`` (n, p)."""
        out = np.zeros((self.says.shape[1], len(values)))
        for part in _parts(len(values)):
            self._say(self.splits.patterns(values[part]), out[:, part])
        return out.T

    def _say(self, pattern: np.ndarray, out: np.ndarray) -> None:
        if pattern.shape[1] <= FEW_ROWS:
            out[:] = np.take_along_axis(self.says, pattern[:, None, :], axis=2).sum(axis=0)
            return
        for says, entry in zip(self.says, pattern, strict=True):
            at = entry.astype(np.intp)
            for k, one in enumerate(says):
                out[k] += one.take(at)

    def along(self, count: int) -> Self:
        """Return the same for rows without the last column, which runs through 0 … ``count`` - 1 = K - 1."""
        seen = self._seen(count)
        says = np.take_along_axis(np.broadcast_to(self.says, seen.shape), seen, axis=2)
        return replace(self, splits=self.splits.without(self.n_columns - 1), says=says)

    def _seen(self, count: int) -> np.ndarray:
        """Return (t, count, 2^w): the entry to look up when the last column has a value, whatever the pattern says."""
        rows = np.full((count, self.n_columns), np.nan)
        rows[:, -1] = np.arange(count)
        theirs = np.where(self.splits.column == self.n_columns - 1, self.splits.powers, 0).sum(axis=1)
        turned = self.splits.patterns(rows) & theirs[:, None]
        entries = np.arange(self.says.shape[2])
        found: np.ndarray = (entries & ~theirs[:, None, None]) | turned[:, :, None]
        return found


@dataclass(frozen=True)
class Tables(Lookup):
    """The trees of one booster, with the share of each column in what they say.

    ``share`` (t, K, w, 2^w) is the Shapley value of the column in ``slot`` (t, w), -1 where a tree has fewer columns
    than slots; ``base`` is what the trees say of nobody in particular.
    """

    share: np.ndarray
    slot: np.ndarray
    base: float

    def contributions(self, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return (n, n_columns): base plus a row's sum is the mean of its raw scores with ``weights`` (K,), sum 1."""
        out = np.zeros((self.n_columns, len(values)))
        for part in _parts(len(values)):
            self._share_out(self.splits.patterns(values[part]), weights, out[:, part])
        return out.T

    def both(self, values: np.ndarray, weights: np.ndarray, *, onto: np.ndarray, scale: float = 1.0) -> np.ndarray:
        """Return the raw scores, and add the contributions times ``scale`` ``onto`` others (n, p); every split is asked
        once for both."""
        raw = np.zeros((self.says.shape[1], len(values)))
        for part in _parts(len(values)):
            pattern = self.splits.patterns(values[part])
            self._say(pattern, raw[:, part])
            self._share_out(pattern, weights * scale, onto.T[:, part])
        return raw.T

    def _share_out(self, pattern: np.ndarray, weights: np.ndarray, out: np.ndarray) -> None:
        share = self._mean_share(weights)
        if pattern.shape[1] <= FEW_ROWS:
            kept = self.slot >= 0
            np.add.at(out, self.slot[kept], np.take_along_axis(share, pattern[:, None, :], 2)[kept])
            return
        for slots, mine, entry in zip(self.slot.tolist(), share, pattern, strict=True):
            at = entry.astype(np.intp)
            for column, one in zip(slots, mine, strict=True):
                if column >= 0:
                    out[column] += one.take(at)

    def along(self, count: int) -> Self:
        """Return the same for rows without the last column, which runs through 0 … ``count`` - 1 = K - 1."""
        share = np.take_along_axis(self.share, self._seen(count)[:, :, None, :], axis=3)
        return replace(super().along(count), share=share)

    def _mean_share(self, weights: np.ndarray) -> np.ndarray:
        """Return (t, w, 2^w); worked out once per set of weights, of which a model has one."""
        known = self._mean_shares.get(weights.tobytes())
        if known is None:
            known = self._mean_shares[weights.tobytes()] = np.einsum("k,tkwe->twe", weights, self.share)
        return known

    @cached_property
    def _mean_shares(self) -> dict[bytes, np.ndarray]:
        return {}


def tables_of(booster: lgb.Booster) -> Tables | None:
    """Return the trees as tables; None when a tree has too many splits or is of a kind that is not known here."""
    trees = _trees(booster)
    width = max((len(nodes) for _, nodes in trees or ()), default=0)
    if trees is None or not width:
        return None
    made = [_table(root, nodes, width) for root, nodes in trees]
    says, share, slot, base = (np.array(part) for part in zip(*made, strict=True))
    splits = _splits([nodes for _, nodes in trees], width)
    return Tables(splits, says[:, None], booster.num_feature(), share[:, None], slot, float(base.sum()))


def lookup_of(boosters: Sequence[lgb.Booster], *, n_trees: int | None = None) -> Lookup:
    """Return what the boosters say on average, the first ``n_trees`` of each if given.

    Raises ``ValueError`` when a tree has too many splits or is of a kind that is not known here.
    """
    trees: list[tuple[Node, list[Node]]] = []
    for booster in boosters:
        found = _trees(booster, n_trees=n_trees)
        if found is None:
            raise ValueError(f"trees with more than {MOST_SPLITS} splits, or of a kind that cannot be looked up")
        trees += found
    width = max(len(nodes) for _, nodes in trees)
    says = np.array([_leaves(root, nodes, width) for root, nodes in trees])
    return Lookup(
        _splits([nodes for _, nodes in trees], width), says[:, None] / len(boosters), boosters[0].num_feature()
    )


def _trees(booster: lgb.Booster, *, n_trees: int | None = None) -> list[tuple[Node, list[Node]]] | None:
    """Return root and splits of each tree; None when one has too many or is of a kind that is not known here."""
    told = booster.dump_model(num_iteration=n_trees)
    roots = [tree["tree_structure"] for tree in told["tree_info"]]
    trees = [(root, _nodes(root)) for root in roots]
    width = max((len(nodes) for _, nodes in trees), default=0)
    kinds = {node["decision_type"] for _, nodes in trees for node in nodes}
    if width > MOST_SPLITS or kinds - {"<=", "=="} or told.get("average_output") or _is_linear(booster):
        return None
    return trees


def _is_linear(booster: lgb.Booster) -> bool:
    return "is_linear=1" in booster.model_to_string(num_iteration=1)


def _parts(n: int) -> Iterator[slice]:
    return (slice(start, start + ROWS_AT_ONCE) for start in range(0, n, ROWS_AT_ONCE))


def _among(x: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return (c, n): whether row c of ``levels`` (c, L) holds the categories of ``x`` (c, n); unknown ones go right."""
    code = np.where(np.isnan(x), -1, x).astype(np.intp)
    known = (code >= 0) & (code < levels.shape[1])
    return known & np.take_along_axis(levels, np.where(known, code, 0), axis=1)


def _nodes(root: Node) -> list[Node]:
    """Return the splits of a tree; the position in this list is the bit of a split."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        if "split_index" in node:
            found.append(node)
            waiting += [node["right_child"], node["left_child"]]
    return found


def _splits(trees: Sequence[Sequence[Node]], width: int) -> Splits:
    shape = (len(trees), width)
    column, threshold = np.zeros(shape, dtype=np.intp), np.full(shape, -np.inf)
    unknown_left, nan_is_zero, zero_is_unknown = np.zeros(shape, bool), np.ones(shape, bool), np.zeros(shape, bool)
    sets: list[list[int]] = []
    category = np.full(shape, -1)
    for t, nodes in enumerate(trees):
        for b, node in enumerate(nodes):
            column[t, b], unknown_left[t, b] = node["split_feature"], node["default_left"]
            nan_is_zero[t, b], zero_is_unknown[t, b] = node["missing_type"] != "NaN", node["missing_type"] == "Zero"
            if node["decision_type"] == "==":
                category[t, b] = len(sets)
                sets.append([int(one) for one in str(node["threshold"]).split("||")])
            else:
                threshold[t, b] = node["threshold"]
    levels = np.zeros((len(sets), max((max(one) for one in sets), default=0) + 1), dtype=bool)
    for c, one in enumerate(sets):
        levels[c, one] = True
    return Splits(column, threshold, unknown_left, nan_is_zero, zero_is_unknown, category, levels)


def _table(root: Node, nodes: Sequence[Node], width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return of one tree what it says per pattern, the Shapley values per column and pattern, the columns, its base."""
    columns = sorted({int(node["split_feature"]) for node in nodes})
    m = len(columns)
    known = (np.arange(1 << m) >> np.arange(max(m, 1))[:, None] & 1).astype(bool)  # (m, sets of columns)
    goes_left = _goes_left(nodes, width)

    def says(node: Node) -> np.ndarray:
        """Return (sets, patterns): the mean over training rows of what is not known, as TreeSHAP takes it."""
        if "split_index" not in node:
            return np.full((1, 1), node["leaf_value"])
        left, right = says(node["left_child"]), says(node["right_child"])
        share = (
            _count(node["left_child"]) / node["internal_count"],
            _count(node["right_child"]) / node["internal_count"],
        )
        told = np.where(goes_left[node["split_index"]], left, right)
        return np.where(known[columns.index(node["split_feature"])][:, None], told, share[0] * left + share[1] * right)

    value = np.broadcast_to(says(root), (1 << m, 1 << width))
    shares, slot = np.zeros((width, 1 << width)), np.full(width, -1)
    slot[:m] = columns
    shares[:m] = _shapley(known[:m]) @ value
    return value[-1], shares, slot, float(value[0, 0])


def _leaves(root: Node, nodes: Sequence[Node], width: int) -> np.ndarray:
    """Return (2^width,) what one tree says per pattern."""
    goes_left = _goes_left(nodes, width)

    def says(node: Node) -> np.ndarray | float:
        if "split_index" not in node:
            return float(node["leaf_value"])
        return np.where(goes_left[node["split_index"]], says(node["left_child"]), says(node["right_child"]))

    return np.broadcast_to(says(root), 1 << width)


def _goes_left(nodes: Sequence[Node], width: int) -> dict[int, np.ndarray]:
    """Return for each split, by its index, (2^width,) which patterns go left."""
    patterns = np.arange(1 << width)
    return {node["split_index"]: (patterns >> b & 1).astype(bool) for b, node in enumerate(nodes)}


def _count(node: Node) -> int:
    return int(node["internal_count"] if "split_index" in node else node["leaf_count"])


def _shapley(known: np.ndarray) -> np.ndarray:
    """Return (m, sets): times the value of each set it gives the Shapley values (Shapley 1953)."""
    m, size = len(known), known.sum(axis=0)
    joined = np.array([factorial(max(s - 1, 0)) * factorial(m - s) for s in range(m + 1)]) / factorial(m)
    lacked = np.array([factorial(s) * factorial(max(m - s - 1, 0)) for s in range(m + 1)]) / factorial(m)
    return np.where(known, joined[size], -lacked[size])
