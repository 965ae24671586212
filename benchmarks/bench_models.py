"""`make bench-models`: ours beside the peers on public data, every fold kept as a line in var/bench, tables printed.

    python -m benchmarks.bench_models                      # everything that is not yet in var/bench
    python -m benchmarks.bench_models curves --sets GBSG2  # one part, one set
    python -m benchmarks.bench_models --print              # only the tables

A fold that is already there is not run again; ``--again ours`` forgets what one model said.
"""

from __future__ import annotations

import argparse
import time as clock
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from benchmarks.metrics import KaplanMeier, Outcomes, brier, explained, grid_of, harrell_c, integrated
from benchmarks.peers import PEERS, ours
from benchmarks.sets import CLEAN, SURVHUB, Table, survset

KEY = ["part", "set", "model", "seed", "fold"]


class Results:
    """The lines of one part, one CSV per part; a line is written as soon as its fold has run."""

    def __init__(self, folder: Path, part: str) -> None:
        self.part, self.path = part, folder / f"{part}.csv"
        folder.mkdir(parents=True, exist_ok=True)

    def table(self) -> pd.DataFrame:
        """Return every line so far."""
        return pd.read_csv(self.path) if self.path.exists() else pd.DataFrame(columns=KEY)

    def forget(self, model: str) -> None:
        """Drop the lines of one model."""
        if self.path.exists():
            kept = self.table()
            kept[kept["model"] != model].to_csv(self.path, index=False)

    def once(self, key: tuple[str, str, int, int], run: Callable[[], dict[str, float]]) -> None:
        """Run a fold unless its line is there."""
        done = self.table()
        if len(done) and ((done[KEY[1:]] == list(key)).all(axis=1)).any():
            return
        line = dict(zip(KEY, (self.part, *key), strict=True)) | run()
        pd.DataFrame([line]).to_csv(self.path, mode="a", header=not self.path.exists(), index=False)
        print(*(f"{k}={v:.4f}" if isinstance(v, float) else v for k, v in line.items()), flush=True)


def folds(table: Table, seed: int) -> Iterable[tuple[int, Table, Table]]:
    """Yield (fold, train, test) of five: SurvHub's folds for seeds 1 to 5."""
    splitter = StratifiedKFold(5, shuffle=True, random_state=seed)
    for fold, (a, b) in enumerate(splitter.split(np.zeros(len(table.time)), table.event)):
        yield fold, table.take(a), table.take(b)


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """Return what ``run`` returns and its seconds of processor time: wall time on a shared machine says nothing."""
    start = clock.process_time()
    result = run()
    return result, clock.process_time() - start


def run_ranking(results: Results, names: Iterable[str], seeds: Iterable[int]) -> None:
    """Concordance on SurvHub's sets and folds, beside its published scores."""
    for seed in seeds:
        for name in names:
            for fold, train, test in folds(survset(name), seed):

                def one(train: Table = train, test: Table = test) -> dict[str, float]:
                    told, seconds = timed(lambda: ours(train, test.rows, np.quantile(train.time, [0.5])))
                    return {"c": harrell_c(test.time, test.event, told.risk), "seconds": seconds}

                results.once((name, "ours", seed, fold), one)


def run_curves(results: Results, names: Iterable[str], models: Iterable[str], which: Iterable[int]) -> None:
    """Explained Brier score and concordance of ours and the peers on the clean sets, same folds."""
    for name in names:
        for fold, train, test in folds(survset(name, CLEAN[name]), 1):
            if fold not in which:
                continue
            grid = grid_of(train.time, train.event)
            outcomes = Outcomes.of((train.time, train.event), (test.time, test.event))
            common = 1.0 - KaplanMeier.fit(train.time, train.event).at(grid)
            reference = brier(outcomes, grid, np.tile(common, (len(test.time), 1)))
            for model in models:

                def one(
                    model: str = model, train: Table = train, test: Table = test, grid: np.ndarray = grid,
                    outcomes: Outcomes = outcomes, reference: np.ndarray = reference,
                ) -> dict[str, float]:  # fmt: skip
                    told, seconds = timed(lambda: PEERS[model](train, test.rows, grid))
                    score = brier(outcomes, grid, 1.0 - told.survival)
                    return {
                        "erv": explained(grid, score, reference),
                        "ibs": integrated(grid, score),
                        "c": harrell_c(test.time, test.event, told.risk),
                        "seconds": seconds,
                    }

                results.once((name, model, 1, fold), one)


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=["ranking", "curves"])
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--models", nargs="*", default=list(PEERS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--folds", nargs="*", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--again", nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=Path("var/bench"))
    chosen = parser.parse_args()
    for part in chosen.parts:
        results = Results(chosen.out, part)
        for model in chosen.again:
            results.forget(model)
        if part == "ranking":
            run_ranking(results, chosen.sets or SURVHUB, chosen.seeds)
        if part == "curves":
            run_curves(results, chosen.sets or CLEAN, chosen.models, chosen.folds)


if __name__ == "__main__":
    main()
