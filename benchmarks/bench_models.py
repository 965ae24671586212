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
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from benchmarks.classifiers import CLASSIFIERS, oversampled_leak
from benchmarks.metrics import KaplanMeier, Outcomes, brier, explained, grid_of, harrell_c, integrated
from benchmarks.peers import CAUSES, PEERS, TWINS, ours
from benchmarks.sets import CLEAN, SURVHUB, Table, babushkin, competing_weibull, ibm, respondents, survset
from benchmarks.tables import report

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


def folds_of_people(table: Table, who: np.ndarray, seed: int) -> Iterable[tuple[int, Table, Table]]:
    """Yield (fold, train, test) of five, all rows of a person on one side."""
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    for fold, (a, b) in enumerate(splitter.split(np.zeros(len(who)), table.event, who)):
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
            grid = grid_of(train.time)
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


def run_causes(results: Results, seeds: Iterable[int], models: Iterable[str]) -> None:
    """Three competing causes with known truth: distance to it, and the Brier score's distance to the oracle's."""
    for seed in seeds:
        world = competing_weibull(seed)
        train, test = world.table.take(np.arange(3000)), world.table.take(np.arange(3000, 6000))
        grid = grid_of(train.time[train.event > 0])
        truth = world.incidence(np.arange(3000, 6000), grid)
        outcomes = Outcomes.of((train.time, train.event), (test.time, test.event))

        def score(told: np.ndarray, outcomes: Outcomes = outcomes, grid: np.ndarray = grid) -> float:
            each = [integrated(grid, brier(outcomes, grid, told[:, :, c], cause=c)) for c in (1, 2, 3)]
            return float(np.mean(each))

        for model in models:

            def one(
                model: str = model, train: Table = train, test: Table = test,
                grid: np.ndarray = grid, truth: np.ndarray = truth, score: Callable[..., float] = score,
            ) -> dict[str, float]:  # fmt: skip
                told, seconds = timed(lambda: CAUSES[model](train, test.rows, grid))
                error = float(np.abs(told[:, :, 1:] - truth[:, :, 1:]).mean())
                return {"error": error, "gap": score(told) - score(truth), "oracle": score(truth), "seconds": seconds}

            results.once(("weibull", model, seed, 0), one)


def run_ibm(results: Results, folder: Path, models: Iterable[str]) -> None:
    """Who left, five times five folds, nothing resampled; and once the leak: oversampling before the split."""
    rows, left = ibm(folder)
    for seed in range(1, 6):
        for fold, train, test in folds(Table(rows, np.ones(len(left)), left), seed):
            for model in models:

                def one(model: str = model, train: Table = train, test: Table = test) -> dict[str, float]:
                    told, seconds = timed(lambda: CLASSIFIERS[model](train, test.rows))
                    auc, ap = roc_auc_score(test.event, told), average_precision_score(test.event, told)
                    return {"auc": auc, "ap": ap, "brier": float(np.mean((told - test.event) ** 2)), "seconds": seconds}

                results.once(("ibm", model, seed, fold), one)
    results.once(("ibm", "LEAK: forest, oversampled before the split", 1, 0), lambda: oversampled_leak(rows, left))


def run_babushkin(results: Results, folder: Path, models: Iterable[str]) -> None:
    """Concordance on the survey of E. Babushkin, three times five folds of rows, and of people."""
    table = babushkin(folder)
    who = respondents(table)
    for seed in range(1, 4):
        splits = {"babushkin": folds(table, seed), "babushkin, people apart": folds_of_people(table, who, seed)}
        for name, fold, train, test in ((n, *each) for n, split in splits.items() for each in split):
            for model in models:

                def one(model: str = model, train: Table = train, test: Table = test) -> dict[str, float]:
                    told, seconds = timed(lambda: TWINS[model](train, test.rows, np.quantile(train.time, [0.2, 0.8])))
                    return {"c": harrell_c(test.time, test.event, told.risk), "seconds": seconds}

                results.once((name, model, seed, fold), one)


PARTS = ("ranking", "curves", "causes", "ibm", "babushkin")


def run(part: str, results: Results, chosen: argparse.Namespace) -> None:
    """Run one part with what was chosen on the command line."""
    if part == "ranking":
        run_ranking(results, chosen.sets or SURVHUB, chosen.seeds)
    elif part == "curves":
        run_curves(results, chosen.sets or CLEAN, chosen.models or PEERS, chosen.folds)
    elif part == "causes":
        run_causes(results, chosen.seeds, chosen.models or CAUSES)
    elif part == "ibm":
        run_ibm(results, chosen.data, chosen.models or CLASSIFIERS)
    elif part == "babushkin":
        run_babushkin(results, chosen.data, chosen.models or TWINS)


def main() -> None:
    """Run what was asked for and is not there yet, and print the tables of everything that is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", default=PARTS, help=" ".join(PARTS))
    parser.add_argument("--sets", nargs="*", help="only these sets")
    parser.add_argument("--models", nargs="*", help="only these models")
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--folds", nargs="*", type=int, default=[0, 1, 2, 3, 4], help="of the part curves")
    parser.add_argument("--again", nargs="*", default=[], help="forget what these models said")
    parser.add_argument("--print", action="store_true", dest="only_print", help="run nothing")
    parser.add_argument("--out", type=Path, default=Path("var/bench"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public files")
    chosen = parser.parse_args()
    for part in chosen.parts:
        results = Results(chosen.out, part)
        for model in chosen.again:
            results.forget(model)
        if not chosen.only_print:
            run(part, results, chosen)
    print(report({part: Results(chosen.out, part).table() for part in chosen.parts}, chosen.data / "survhub"))


if __name__ == "__main__":
    main()
