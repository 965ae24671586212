"""Judge the whole way from records to risks on invented companies whose truth is known.

    python benchmarks/bench_truth.py ladder --regimes realistic notice_lag accelerated --seeds 5
    python benchmarks/bench_truth.py ceiling --regimes notice_lag --seeds 3     what features could tell at best
    python benchmarks/bench_truth.py canary --regimes realistic --seeds 3       a leak, and shuffled labels
    python benchmarks/bench_truth.py small --sizes 60 200 1000 --draws 20       firms with few exits
    python benchmarks/bench_truth.py generator --seeds 200                      is the generator what it says

Each run invents a company, imports its files, learns and judges as `retention-train` does, and compares with the known
hazards on the same rows: out of time, people unseen. One line per run is added to ``--out`` (JSON lines), so a stopped
benchmark loses nothing; the table of what is there is printed at the end.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import polars as pl
from sklearn.linear_model import Ridge

from features.company import Company, invent_company, regime_named, true_risk
from features.ingest import import_folder
from features.kept import kept_matrix
from features.lake import Lake
from models.learn import assign_folds, fit_hazards
from training.evaluate import Told, auc, average_precision, told_at
from training.fit import CHOSEN, Panel, Trained, at_origin, build_panel, judge, settings, snapshot_days, train
from training.labels import labels_close_on
from training.plan import Plan
from training.truth import HORIZON_DAYS, beside_oracle

FIRST_SEED = 101
"""Far from the seeds on which anything was tried out while it was built."""


@dataclass(frozen=True)
class World:
    """One invented company with what was learned from its records."""

    trained: Trained
    truth: Path
    seconds: float


def worlds(company: Company, plan: Plan | None = None) -> Iterator[World]:
    """Yield the company, learned; its folder is gone afterwards."""
    with tempfile.TemporaryDirectory() as place:
        folder, begin = Path(place), time.perf_counter()
        trained = train(taken_in(company, folder), plan or Plan())
        yield World(trained, folder / "truth", time.perf_counter() - begin)


def taken_in(company: Company, folder: Path) -> Lake:
    """Invent the company and return its records, imported."""
    invent_company(company, folder / "records", truth=folder / "truth")
    lake = Lake(folder / "lake")
    report = import_folder(folder / "records", lake)
    if report.problems:
        raise SystemExit(f"import: {report.problems}")
    return lake


def ladder(company: Company) -> Iterator[dict]:
    """The model beside the oracle: one line for each company and kind of model."""
    for world in worlds(company):
        horizon = min(HORIZON_DAYS, world.trained.plan.reference_horizon_days)
        exits = world.trained.panel.index.loc[lambda t: t["event"] == 1, "employee_id"].nunique()
        ceiling = best_of_features(world, horizon)
        for kind in (CHOSEN, "linear", "boosted", "blend"):
            if f"{kind}_{horizon}" in world.trained.unseen.columns:
                found = beside_oracle(world.trained.unseen, world.truth, horizon_days=horizon, kind=kind)
                chosen = sorted(set(world.trained.unseen["chosen_kind"]))
                line = {"kind": kind, "chosen": chosen, "exits": int(exits), "share": found.share, **asdict(found)}
                yield {**line, **ceiling, "seconds": round(world.seconds)}


def best_of_features(world: World, horizon_days: int) -> dict[str, float]:
    """What the feature matrix could tell on the test rows if labels were no limit (``taught_by_truth``)."""
    panel, fold_of = world.trained.panel, world.trained.fitted.fold_of
    fold = panel.index["employee_id"].map(fold_of).fillna(0).to_numpy(int)
    key = ["employee_id", "as_of"]
    told = panel.index[key].assign(**taught_by_truth(panel, world.truth, fold, horizon_days))
    told["as_of"] = pd.to_datetime(told["as_of"])
    unseen = world.trained.unseen.assign(as_of=pd.to_datetime(world.trained.unseen["as_of"]))
    return ceilings(unseen.merge(told, on=key), horizon_days)


def taught_by_truth(panel: Panel, truth: Path, fold: np.ndarray, horizon_days: int) -> dict[str, np.ndarray]:
    """Risks from features alone, learned from the truth instead of exits, people left out by folds.

    Learners are taught the oracle's log-odds of every row (``line``, ``trees``), or the risk of one who knows decisions
    (``sure_trees``: do the traces tell who has decided?). What is missing from there to the oracle is missing in the
    features; what the model is missing to it is for want of exits to learn from.
    """
    spine = pl.DataFrame(
        {
            "employee_id": panel.index["employee_id"].tolist(),
            "as_of": pd.to_datetime(panel.index["as_of"]).dt.date.tolist(),
        }
    )
    risk, sure = (
        true_risk(truth, spine, horizon_days=horizon_days, decisions=d)["true_risk"].to_numpy() for d in (False, True)
    )
    known = np.isfinite(risk) & (risk > 1e-9)
    target = np.where(known, np.log(np.clip(risk, 1e-6, 1)), 0.0)
    numbers = panel.rows.select_dtypes("number").to_numpy(float)
    design = plain_design(numbers)
    out = {name: np.zeros(len(target)) for name in ("line", "trees", "sure_trees")}
    trees = {"learning_rate": 0.06, "num_leaves": 15, "feature_fraction": 0.5, "verbosity": -1, "num_threads": 1}
    for f in sorted(set(fold)):
        rest, mine = known & (fold != f), fold == f
        out["line"][mine] = Ridge(alpha=300.0).fit(design[rest], target[rest]).predict(design[mine])
        for name, goal, objective in (("trees", target, "l2"), ("sure_trees", np.clip(sure, 0, 1), "cross_entropy")):
            data = lgb.Dataset(numbers[rest], goal[rest])
            learned = lgb.train({**trees, "objective": objective}, data, num_boost_round=250)
            out[name][mine] = np.asarray(learned.predict(numbers[mine]))
    return {**out, "oracle": risk, "sure": sure, "known": known}


def plain_design(numbers: np.ndarray) -> np.ndarray:
    """Numbers standardised, gaps filled with medians and marked."""
    numbers = numbers[:, np.isfinite(numbers).any(axis=0)]
    known = np.isfinite(numbers)
    filled = np.where(known, numbers, np.nanmedian(numbers, axis=0))
    filled = np.clip((filled - filled.mean(axis=0)) / (filled.std(axis=0) + 1e-9), -4, 4)
    return np.hstack([filled, ~known[:, known.mean(axis=0) < 0.98]])


def ceilings(rows: pd.DataFrame, horizon_days: int) -> dict[str, float]:
    """The AUC of what was taught by the truth, and of the truth, on rows whose horizon is closed."""
    rows = rows[(rows["follow_up"] >= horizon_days) & rows["known"]]
    left = ((rows["event"] == 1) & (rows["time"] <= horizon_days)).to_numpy(float)
    code = np.zeros(len(left))
    names = ("line", "trees", "sure_trees", "oracle", "sure")
    found = {name: Told(rows[name].to_numpy(float), left, code, code) for name in names}
    out = {f"features_{name}_auc": auc(told, code + 1) for name, told in found.items()}
    return out | {f"features_{name}_ap": average_precision(told, code + 1) for name, told in found.items()}


def ceiling(company: Company) -> Iterator[dict]:
    """The same without training: records, features, truth; all rows with a closed horizon, people left out."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        lake = taken_in(company, folder)
        versions, plan = lake.versions(), Plan()
        records = lake.read(versions=versions)
        closed_on = labels_close_on(records, lake.data_until())
        as_of = snapshot_days(records, plan, closed_on=closed_on)
        panel = build_panel(records, kept_matrix(lake, as_of=as_of, versions=versions), closed_on=closed_on)
        people = panel.index["employee_id"]
        fold_of = assign_folds(people.to_numpy(str), n_folds=plan.folds, seed=0)
        told = taught_by_truth(panel, folder / "truth", people.map(fold_of).to_numpy(int), HORIZON_DAYS)
        yield ceilings(panel.index.assign(**told), HORIZON_DAYS)


def canary(company: Company) -> Iterator[dict]:
    """A model judged on random rows looks far better than in time; labels shuffled within a snapshot teach nothing."""
    for world in worlds(company):
        trained = world.trained
        split_random, split_time = random_and_temporal(trained)
        rng, index = np.random.default_rng(company.seed), trained.panel.index.copy()
        for rows in index.groupby("as_of").indices.values():
            drawn = rng.permutation(rows)
            for column in ("time", "event", "follow_up"):
                index.iloc[rows, index.columns.get_loc(column)] = index[column].to_numpy()[drawn]
        shuffled = judge(
            Panel(index, trained.panel.rows, trained.panel.cards, trained.panel.closed_on),
            trained.splits,
            trained.plan,
            lambda step, done, total: None,
        )[0]
        horizon = trained.plan.reference_horizon_days
        nonsense = {kind: whole_auc(shuffled, horizon, kind) for kind in ("linear", "boosted")}
        yield {
            "random_rows_auc": split_random,
            "temporal_auc": split_time,
            "gap": split_random - split_time,
            **{f"shuffled_{kind}_auc": value for kind, value in nonsense.items()},
        }


def whole_auc(predictions: pd.DataFrame, horizon_days: int, kind: str) -> float:
    told = told_at(predictions, horizon_days, kind)
    return auc(told, np.ones(len(told.left)))


def random_and_temporal(trained: Trained) -> tuple[float, float]:
    """The AUC of one plain boosted classifier with rows drawn at random, and with the first origin's cut in time."""
    index, horizon = trained.panel.index, trained.plan.reference_horizon_days
    full = (index["follow_up"] >= horizon).to_numpy()
    left = ((index["event"] == 1) & (index["time"] <= horizon)).to_numpy(float)
    numbers = trained.panel.rows.select_dtypes("number").to_numpy(float)
    day = pd.to_datetime(index["as_of"]).dt.date.to_numpy()
    drawn = np.random.default_rng(0).random(len(index)) < 0.7
    first = trained.splits[0]
    cuts = ((full & drawn, full & ~drawn), (full & np.isin(day, first.train), full & np.isin(day, first.test)))
    settings = {"objective": "binary", "num_leaves": 31, "learning_rate": 0.05, "verbosity": -1, "num_threads": 1}
    told = []
    for teaches, tests in cuts:
        model = lgb.train(settings, lgb.Dataset(numbers[teaches], left[teaches]), num_boost_round=200)
        risk = np.asarray(model.predict(numbers[tests]))
        code = np.zeros(int(tests.sum()))
        told.append(auc(Told(risk, left[tests], code, code), np.ones(int(tests.sum()))))
    return told[0], told[1]


def small(company: Company) -> Iterator[dict]:
    """The chosen rung against the base rate out of time, and how often its 90 % intervals hold the known risk.

    The invented files carry the number of a locker; in a small firm it names people, and the sentinel must be told.
    """
    for world in worlds(company, Plan(accepted={"x_locker": "a number, drawn at random in the invented company"})):
        plan, unseen = world.trained.plan, world.trained.unseen
        horizon = plan.reference_horizon_days
        ours, base = told_at(unseen, horizon, CHOSEN), told_at(unseen, horizon, "base")
        worse = log_loss(ours) - log_loss(base)
        by_person = pd.Series(worse).groupby(ours.person).sum().to_numpy()
        error = float(by_person.std() * np.sqrt(len(by_person)) / len(worse))
        two_kinds = set(ours.left.tolist()) == {0.0, 1.0}
        yield {
            "chosen": sorted(set(unseen["chosen_kind"])),
            "horizon_days": horizon,
            "exits_tested": int(ours.left.sum()),
            "auc": whole_auc(unseen, horizon, CHOSEN) if two_kinds else None,
            "worse_than_base": float(worse.mean()),
            "standard_error": error,
            "beyond_one_error": bool(worse.mean() > error > 0),
            "observed": float(ours.left.mean()),
            "expected": float(ours.risk.mean()),
            **coverage(world, min(HORIZON_DAYS, horizon)),
        }


def coverage(world: World, horizon_days: int) -> dict[str, float]:
    """How often the 90 % interval holds the known risk on the rows out of time that tested.

    At every origin the model of the chosen kind is learned once more: predictions keep no intervals. Rows, not people.
    """
    trained, inside, width = world.trained, [], []
    for split in trained.splits:
        teaches, tests = at_origin(trained.panel, split, trained.plan)
        learned = fit_hazards(
            teaches.landmarks(closed_on=split.origin),
            replace(settings(trained.plan, trained.panel), kinds=tuple(dict.fromkeys(("base", "prior", trained.kind)))),
        )
        key = {"employee_id": tests.index["employee_id"].tolist()}
        spine = pl.DataFrame({**key, "as_of": pd.to_datetime(tests.index["as_of"]).dt.date.tolist()})
        truth = true_risk(world.truth, spine, horizon_days=horizon_days, decisions=False)["true_risk"].to_numpy()
        ends = learned.models[learned.kind].interval(tests.rows, [horizon_days])
        if ends is None:
            raise ValueError("a model that was just learned knows its doubt")
        known = np.isfinite(truth) & (truth > 1e-9)
        held = (ends[:, 0, 0] <= truth) & (truth <= ends[:, 0, 1])
        inside.append(held[known])
        width.append((ends[:, 0, 1] - ends[:, 0, 0])[known])
    return {"covered": float(np.concatenate(inside).mean()), "width": float(np.concatenate(width).mean())}


def log_loss(told: Told) -> np.ndarray:
    risk = np.clip(told.risk, 1e-6, 1 - 1e-6)
    return -(told.left * np.log(risk) + (1 - told.left) * np.log1p(-risk))


RUNS = {"ladder": ladder, "ceiling": ceiling, "canary": canary, "small": small}


def main() -> None:
    """Run what was asked for, one company after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=[*RUNS, "generator", "table"])
    parser.add_argument("--regimes", nargs="+", default=["realistic"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[1000])
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--seeds", "--draws", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--out", type=Path, default=Path("var/bench/truth.jsonl"))
    asked = parser.parse_args()
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    if asked.what == "generator":
        from acceptance import accept

        accept(asked.seeds)
        return
    if asked.what != "table":
        run(asked)
    table(asked.out)


def run(asked: argparse.Namespace) -> None:
    for regime in asked.regimes:
        for size in asked.sizes:
            for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
                company = Company(n_employees=size, months=asked.months, seed=seed, regime=regime_named(regime))
                for found in RUNS[asked.what](company):
                    line = {"what": asked.what, "regime": regime, "people": size, "months": asked.months, "seed": seed}
                    with asked.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line | found) + "\n")
                    print(json.dumps(line | found), flush=True)


def table(path: Path) -> None:
    """Print the mean and the standard error over seeds of everything measured so far."""
    lines = pd.read_json(path, lines=True)
    for what, rows in lines.groupby("what"):
        keys = [k for k in ("regime", "people", "months", "kind") if rows[k].notna().any()] if "kind" in rows else []
        keys = keys or ["regime", "people", "months"]
        figures = [c for c in rows.columns if c not in (*keys, "what", "seed") and rows[c].map(is_number).any()]
        grouped = rows.dropna(axis=1, how="all").groupby(keys)[figures]
        mean, error = grouped.mean(numeric_only=True), grouped.sem(numeric_only=True)
        print(f"\n## {what}: mean over seeds (standard error)\n")
        for key in mean.index:
            told = (f"{c} {mean.loc[key, c]:.3f} ({error.loc[key, c]:.3f})" for c in mean.columns)
            print(f"{key}, {len(grouped.get_group(key))} runs: " + ", ".join(told))


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and value == value


if __name__ == "__main__":
    main()
