"""Judge the whole way from records to risks on invented companies whose truth is known.

    python benchmarks/bench_truth.py ladder --regimes realistic notice_lag accelerated --seeds 5
    python benchmarks/bench_truth.py ceiling --regimes notice_lag --seeds 3     what features could tell at best
    python benchmarks/bench_truth.py falls --regimes notice_lag                 who knows hazards and sees every fall
    python benchmarks/bench_truth.py canary --regimes realistic --seeds 3       rows split at random, exits by lot
    python benchmarks/bench_truth.py small --sizes 60 200 1000 --draws 20       firms with few exits
    python benchmarks/bench_truth.py generator --seeds 200                      is the generator what it says

Each run invents a company, imports its files, learns and judges as `retention-train` does, and compares with the known
hazards on the same rows: out of time, people unseen. One line per run is added to ``--out`` (JSON lines), so a stopped
benchmark loses nothing; the table of what is there is printed at the end.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import polars as pl
from falls import falls
from sklearn.linear_model import Ridge

from features.company import Company, invent_company, regime_named, true_risk
from features.ingest import import_folder
from features.kept import kept_matrix
from features.lake import Lake
from models.encode import Codes, usable_columns
from models.learn import Fitted, assign_folds, fit_hazards
from training.canary import canary_of
from training.evaluate import Told, auc, average_precision, told_at
from training.fit import (
    CHOSEN,
    Ground,
    Panel,
    at_origin,
    build_panel,
    prepare,
    say,
    settings,
    snapshot_days,
)
from training.labels import labels_close_on
from training.plan import Plan
from training.truth import HORIZON_DAYS, beside_oracle

FIRST_SEED = 101
"""Far from the seeds on which anything was tried out while it was built."""


@dataclass(frozen=True)
class World:
    """One invented company: what a run stands on, and what each kind said of people unseen, out of time.

    ``held`` says of the test rows whether the 90 % interval held the known risk, ``wide`` how wide it was. The final
    model of a run, which nothing here judges, is not learned. ``seconds`` are processor time.
    """

    ground: Ground
    unseen: pd.DataFrame
    held: np.ndarray
    wide: np.ndarray
    truth: Path
    seconds: float


def worlds(company: Company) -> Iterator[World]:
    """Yield the company, judged; its folder is gone afterwards."""
    with tempfile.TemporaryDirectory() as place:
        folder, begin = Path(place), time.process_time()
        ground = prepare(taken_in(company, folder), plan_of(), silent)
        unseen, held, wide = judged(ground, folder / "truth")
        yield World(ground, unseen, held, wide, folder / "truth", time.process_time() - begin)


def judged(ground: Ground, truth: Path) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return what ``training.fit.judge`` says of people unseen, and the intervals beside the known risk.

    The intervals are those of each origin's model, which has seen the people of earlier snapshots, as in service.
    """
    plan, said, held, wide = ground.plan, [], [], []
    for split in ground.splits:
        teaches, tests = at_origin(ground.panel, split, plan)
        learned = fit_hazards(teaches.landmarks(closed_on=split.origin), settings(plan, ground.panel))
        said.append(say(learned, tests, plan, split.origin, left_out=True))
        for found, kept in zip(coverage(learned, tests, truth, horizon_of(ground)), (held, wide), strict=True):
            kept.append(found)
    return pd.concat(said, ignore_index=True), np.concatenate(held), np.concatenate(wide)


def horizon_of(ground: Ground) -> int:
    return min(HORIZON_DAYS, ground.plan.reference_horizon_days)


def plan_of() -> Plan:
    """The invented files carry the number of a locker; in a small firm it names people: the sentinel must be told."""
    return Plan(accepted={"x_locker": "a number, drawn at random in the invented company"})


def silent(step: str, done: int, total: int) -> None:
    """Tell nothing of how far a run is."""


def taken_in(company: Company, folder: Path) -> Lake:
    """Invent the company and return its records, imported."""
    invent_company(company, folder / "records", truth=folder / "truth")
    lake = Lake(folder / "lake")
    report = import_folder(folder / "records", lake)
    if report.problems:
        raise SystemExit(f"import: {report.problems}")
    return lake


def ladder(company: Company) -> Iterator[dict]:
    """The model beside the oracle: one line for each company and kind of model.

    What features could tell at best costs as much as the rest and is asked of the first company only.
    """
    for world in worlds(company):
        horizon = horizon_of(world.ground)
        exits = world.ground.panel.index.loc[lambda t: t["event"] == 1, "employee_id"].nunique()
        ceiling = best_of_features(world, horizon) if company.seed == FIRST_SEED else {}
        chosen = sorted(set(world.unseen["chosen_kind"]))
        for kind in (CHOSEN, "prior", "linear", "boosted", "blend"):
            found = beside_oracle(world.unseen, world.truth, horizon_days=horizon, kind=kind)
            line = {"kind": kind, "chosen": chosen, "exits": int(exits), "share": found.share, **asdict(found)}
            if kind == CHOSEN:
                line |= as_told(world)
            yield {**line, **ceiling, "seconds": round(world.seconds)}


def best_of_features(world: World, horizon_days: int) -> dict[str, float]:
    """What the feature matrix could tell on the test rows if labels were no limit (``taught_by_truth``)."""
    panel, plan = world.ground.panel, world.ground.plan
    people = panel.index["employee_id"]
    fold_of = assign_folds(people.to_numpy(str), n_folds=plan.folds, seed=plan.seed)
    fold = people.map(fold_of).to_numpy(int)
    key = ["employee_id", "as_of"]
    told = panel.index[key].assign(**taught_by_truth(panel, world.truth, fold, horizon_days))
    told["as_of"] = pd.to_datetime(told["as_of"])
    unseen = world.unseen.assign(as_of=pd.to_datetime(world.unseen["as_of"]))
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
    """The check that every training run prints: rows split at random look far better than the same rows in time, and
    exits drawn by lot teach nothing."""
    with tempfile.TemporaryDirectory() as place:
        begin = time.process_time()
        ground = prepare(taken_in(company, Path(place)), plan_of(), silent)
        panel = ground.panel
        day = panel.landmarks(closed_on=panel.closed_on).as_of_day
        codes = Codes.fit(panel.rows, usable_columns(panel.rows, day))
        found = canary_of(panel, ground.splits, ground.plan, values=codes.transform(panel.rows))
        yield {**asdict(found), "gap": found.gap, "seconds": round(time.process_time() - begin)}


def whole_auc(predictions: pd.DataFrame, horizon_days: int, kind: str) -> float:
    told = told_at(predictions, horizon_days, kind)
    return auc(told, np.ones(len(told.left)))


def small(company: Company) -> Iterator[dict]:
    """The chosen rung against the base rate out of time, and how often its 90 % intervals hold the known risk."""
    for world in worlds(company):
        yield {"seconds": round(world.seconds), **as_told(world)}


def as_told(world: World) -> dict:
    """How much better than the base rate the chosen rung is, whether it tells as much as is true, and what its
    intervals are worth."""
    horizon = world.ground.plan.reference_horizon_days
    intervals = {"covered": float(world.held.mean()), "width": float(world.wide.mean())}
    against = against_base(world.unseen, horizon) | against_truth(world.unseen, world.truth, horizon)
    return {"horizon_days": horizon, **against, **intervals}


def against_truth(unseen: pd.DataFrame, truth: Path, horizon_days: int) -> dict[str, float]:
    """The known risk per risk told by the chosen rung and by the base rate: far less of it is chance than of exits."""
    rows = unseen[unseen["follow_up"] >= horizon_days]
    risk, known = known_risk(rows, truth, horizon_days)
    told, base = (float(rows.loc[known, f"{kind}_{horizon_days}"].mean()) for kind in (CHOSEN, "base"))
    true = float(risk[known].mean())
    return {"true": true, "told": told, "true_per_told": true / told, "true_per_base": true / base}


def known_risk(index: pd.DataFrame, truth: Path, horizon_days: int) -> tuple[np.ndarray, np.ndarray]:
    """The known risk of each row, and on which rows there is one."""
    key = {"employee_id": index["employee_id"].tolist()}
    spine = pl.DataFrame({**key, "as_of": pd.to_datetime(index["as_of"]).dt.date.tolist()})
    risk = true_risk(truth, spine, horizon_days=horizon_days, decisions=False)["true_risk"].to_numpy()
    return risk, np.isfinite(risk) & (risk > 1e-9)


def against_base(unseen: pd.DataFrame, horizon_days: int) -> dict:
    """How much worse than the base rate the chosen rung told who leaves (log loss), with the standard error."""
    ours, base = told_at(unseen, horizon_days, CHOSEN), told_at(unseen, horizon_days, "base")
    worse = log_loss(ours) - log_loss(base)
    by_person = pd.Series(worse).groupby(ours.person).sum().to_numpy()
    error = float(by_person.std() * np.sqrt(len(by_person)) / len(worse))
    two_kinds = set(ours.left.tolist()) == {0.0, 1.0}
    return {
        "chosen": sorted(set(unseen["chosen_kind"])),
        "exits_tested": int(ours.left.sum()),
        "auc": whole_auc(unseen, horizon_days, CHOSEN) if two_kinds else None,
        "worse_than_base": float(worse.mean()),
        "standard_error": error,
        "beyond_one_error": bool(worse.mean() > error > 0),
        "observed": float(ours.left.mean()),
        "expected": float(ours.risk.mean()),
    }


def coverage(learned: Fitted, tests: Panel, truth: Path, horizon_days: int) -> tuple[np.ndarray, np.ndarray]:
    """On which rows out of time the 90 % interval of the chosen rung holds the known risk, and how wide it is."""
    risk, known = known_risk(tests.index, truth, horizon_days)
    ends = learned.models[learned.kind].interval(tests.rows, [horizon_days])
    if ends is None:
        raise ValueError("a model that was just learned knows its doubt")
    held = (ends[:, 0, 0] <= risk) & (risk <= ends[:, 0, 1])
    return held[known], (ends[:, 0, 1] - ends[:, 0, 0])[known]


def log_loss(told: Told) -> np.ndarray:
    risk = np.clip(told.risk, 1e-6, 1 - 1e-6)
    return -(told.left * np.log(risk) + (1 - told.left) * np.log1p(-risk))


RUNS = {"ladder": ladder, "ceiling": ceiling, "falls": falls, "canary": canary, "small": small}


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
    """Run the companies that are not yet in ``asked.out``; all regimes and sizes of a seed before the next.

    The lines of a company are written together, so one that was cut short is invented again.
    """
    keys = ["what", "regime", "people", "months", "seed"]
    lines = pd.read_json(asked.out, lines=True) if asked.out.exists() else pd.DataFrame(columns=keys)
    done = set(lines[keys].itertuples(index=False, name=None))
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    for seed, regime, size in itertools.product(seeds, asked.regimes, asked.sizes):
        line = dict(zip(keys, (asked.what, regime, size, asked.months, seed), strict=True))
        if tuple(line.values()) in done:
            continue
        company = Company(n_employees=size, months=asked.months, seed=seed, regime=regime_named(regime))
        found = [json.dumps(line | each) for each in RUNS[asked.what](company)]
        with asked.out.open("a", encoding="utf-8") as file:
            file.writelines(f"{each}\n" for each in found)
        print("\n".join(found), flush=True)


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
