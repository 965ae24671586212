"""Judge the estimates of what care did, where the truth is known, or where an experiment tells it.

    python -m benchmarks.bench_effects n11 --draws 200              SCIENCE N11: bias, coverage, placebo, hidden
    python -m benchmarks.bench_effects company --draws 3            whole companies, from files to verdicts
    python -m benchmarks.bench_effects lalonde --causaldata DIR     nsw treated against cps controls
    python -m benchmarks.bench_effects arms                         three arms, as in a mailing test

One line per draw is added to ``--out`` (JSON lines), so a stopped benchmark loses nothing; the table of what is there
is printed at the end. ``--causaldata``: where `pip install --no-deps --target DIR causaldata` put the package.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.effect_world import MENU, Draw, World, draw
from features.company import Company, invent_company, regime_named
from features.ingest import import_folder
from features.lake import Lake
from training.effect_actions import Trials, judge_actions
from training.effect_columns import Coded
from training.effect_file import learn_effects
from training.effect_trials import care_of
from training.effects import effect
from training.plan import Plan

FIRST_SEED = 5001
"""Far from the seeds on which anything was tried out while it was built."""
CONTROLS_PER_TREATED = 1.5
NAMES = ("satisfaction", "embeddedness", "pay", "overtime", "load", "wait", "performance", "manager", "tenure")


def trials_from(rows: Draw, seed: int) -> tuple[Trials, np.ndarray]:
    """Return the draw as trials, controls thinned at random, and the true differences of the same rows."""
    generator = np.random.default_rng(seed)
    given = rows.arm >= 0
    share = CONTROLS_PER_TREATED * given.sum() / max((~given).sum(), 1)
    kept = given | (generator.random(len(given)) < share)
    season = 2 * np.pi * (rows.month[kept] % 12) / 12
    x = np.column_stack([rows.x[kept], rows.risk[kept], np.sin(season), np.cos(season)])
    names = (*NAMES, "risk", "season 1", "season 2")
    n = int(kept.sum())
    before = rows.cared_before[kept]
    trials = Trials(
        actions=tuple(MENU),
        arm=rows.arm[kept],
        left=rows.left[kept],
        other=rows.other[kept],
        x=Coded(x, names, names),
        history=np.column_stack([np.nan_to_num(before), np.isnan(before)]),
        cared_before=before,
        clusters=(rows.team[kept], rows.person[kept]),
        by_coin=np.zeros(n, bool),
        chance=np.full(n, np.nan),
        horizon_days=180,
    )
    return trials, rows.truth[kept]


def one_draw(aim: str, seed: int) -> dict:
    """One company: each action's truth, estimate, interval, verdict, and every check."""
    trials, truth = trials_from(draw(World(aim=aim, seed=seed)), seed)
    found = judge_actions(trials, placebo="thanks", seed=seed)
    actions = {}
    for code, action in enumerate(MENU):
        arm = found.records[action]
        actions[action] = {
            "truth": float(truth[trials.arm == code, code].mean()),
            "naive": arm.unadjusted.value,
            "value": arm.value,
            "error": arm.adjusted.error,
            "low": arm.adjusted.low,
            "high": arm.adjusted.high,
            "log_ratio": arm.adjusted.log_ratio,
            "log_ratio_error": arm.adjusted.log_ratio_error,
            "detectable": arm.detectable,
            "verdict": arm.verdict,
            "why": arm.why,
        }
    tests = {test.name: test.z for test in found.tests}
    flagged = any(test.flagged for test in found.tests)
    return {"aim": aim, "seed": seed, "n": len(trials.arm), "actions": actions, "tests": tests, "flagged": flagged}


def n11(args: argparse.Namespace) -> None:
    """Draw what is missing, then print the table."""
    done = {(row["aim"], row["seed"]) for row in _lines(args.out)}
    for seed in range(args.first, args.first + args.draws):
        for aim in args.aims:
            if (aim, seed) not in done:
                _add(args.out, one_draw(aim, seed))
                sys.stderr.write(f"\r{aim} {seed - args.first + 1} of {args.draws}   ")
    for aim in args.aims:
        _show_n11([row for row in _lines(args.out) if row["aim"] == aim], aim)


def _show_n11(rows: list[dict], aim: str) -> None:
    if not rows:
        return
    print(f"\n{aim}: {len(rows)} draws of {rows[0]['n']:,} rows or so")
    print("action        truth   naive  estimate    bias  (±)   covered         detectable  helps  harms  not id.")
    every = []
    for action in MENU:
        t = pd.DataFrame([row["actions"][action] for row in rows])
        covered = (t["low"] <= t["truth"]) & (t["truth"] <= t["high"])
        every.append(covered)
        gap = 100 * (t["value"] - t["truth"])
        low, high = _share(covered)
        print(
            f"{action:12s} {100 * t['truth'].mean():+6.2f} {100 * t['naive'].mean():+7.2f} "
            f"{100 * t['value'].mean():+8.2f}  {gap.mean():+6.3f} {1.96 * gap.sem():5.3f}  "
            f"{covered.mean():.3f} ({low:.3f}-{high:.3f})  {100 * t['detectable'].mean():5.2f}     "
            f"{(t['high'] < 0).mean():5.1%} {(t['low'] > 0).mean():6.1%}  "
            f"{(t['verdict'] == 'not_identified').mean():5.1%}"
        )
    covered = pd.concat(every)
    print(f"all actions covered {covered.mean():.3f}; verdicts of the placebo: {_verdicts(rows, 'thanks')}")
    print(f"verdicts of hybrid: {_verdicts(rows, 'hybrid')}; of monitoring: {_verdicts(rows, 'monitoring')}")
    flagged = np.array([row["flagged"] for row in rows])
    open_ = np.array(
        [any(a["verdict"] in ("helps", "harms", "no_effect_seen") for a in r["actions"].values()) for r in rows]
    )
    print(
        f"hidden confounding flagged in {flagged.mean():.1%} of the companies; "
        f"some effect claimed in {open_.mean():.1%}"
    )
    z = pd.DataFrame([row["tests"] for row in rows])
    print(
        "checks, mean z (share beyond 2.58):", {c: f"{z[c].mean():+.2f} ({(z[c].abs() > 2.58).mean():.0%})" for c in z}
    )


def _verdicts(rows: list[dict], action: str) -> dict[str, str]:
    counts = pd.Series([row["actions"][action]["verdict"] for row in rows]).value_counts(normalize=True)
    return {str(k): f"{v:.1%}" for k, v in counts.items()}


def _share(hit: pd.Series) -> tuple[float, float]:
    p, n, z = hit.mean(), len(hit), 1.96
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _add(path: Path, row: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def stored(name: str, folder: Path | None) -> pd.DataFrame:
    """Return a data set of the package causaldata; its files are read where they lie, without its own imports."""
    if folder is not None:
        sys.path.insert(0, str(folder))
    found = importlib.util.find_spec("causaldata")
    if found is None or found.origin is None:
        raise SystemExit("causaldata is not installed: pip install --no-deps --target DIR causaldata")
    return pd.read_stata(Path(found.origin).parent / name / f"{name}.dta")


def lalonde(args: argparse.Namespace) -> None:
    """The trained of the NSW experiment against people of the CPS survey: is the adjusted estimate nearer the truth?"""
    trial, others = (stored(name, args.causaldata) for name in ("nsw_mixtape", "cps_mixtape"))
    columns = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]
    truth = effect(
        trial, treatment="treat", outcome="re78", confounders=columns, randomised=True, higher_is_better=True
    )
    mixed = pd.concat([trial[trial["treat"] == 1], others], ignore_index=True)
    found = effect(mixed, treatment="treat", outcome="re78", confounders=columns, higher_is_better=True)
    estimates = {
        "experiment": truth.arm.unadjusted,
        "experiment adjusted": truth.arm.adjusted,
        "survey, naive": found.arm.unadjusted,
        "survey, adjusted": found.arm.adjusted,
    }
    for name, one in estimates.items():
        print(f"{name:20s} {one.value:8.0f} ({one.low:.0f} to {one.high:.0f})")
    print(
        f"verdict: {found.arm.verdict} {found.arm.why}; effective controls {found.arm.overlap.effective_controls:.0f}"
    )


def company(args: argparse.Namespace) -> None:
    """Whole companies, from files to verdicts: what the records say beside what the actions truly did."""
    done = {(row["regime"], row["seed"]) for row in _lines(args.out)}
    for seed in range(FIRST_SEED, FIRST_SEED + args.draws):
        for regime in args.regimes:
            if (regime, seed) not in done:
                _add(args.out, {"regime": regime, "seed": seed, **one_company(regime, seed, args)})
                sys.stderr.write(f"\r{regime} {seed - FIRST_SEED + 1} of {args.draws}   ")
    for row in _lines(args.out):
        print(f"\n{row['regime']} {row['seed']}: flagged {row['flagged']}, checks {row['tests']}")
        print(pd.DataFrame(row["actions"]).T.to_string())


def one_company(regime: str, seed: int, args: argparse.Namespace) -> dict:
    """One invented company. The truth is of decisions within six months, on the days on which care was agreed; records
    show notices, of which some come later, so about .85 of it can be seen."""
    settings = Company(n_employees=args.people, months=args.months, seed=seed, regime=regime_named(regime))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        invent_company(settings, folder / "records", truth=folder / "truth")
        lake = Lake(folder / "lake")
        import_folder(folder / "records", lake)
        learned = learn_effects(lake, Plan(), placebo="specific_thanks", progress=lambda *_: None)
        truth = true_effects(folder / "truth", care_of(lake.read(), until=lake.data_until()).done)
    judged = learned.judged[180]
    actions = {}
    for action in judged.records:
        arm = judged.best(action)
        found = arm.adjusted
        actions[action] = {
            "n": arm.n_treated,
            "truth": round(100 * truth.get(action, float("nan")), 2),
            "naive": round(100 * judged.records[action].unadjusted.value, 2),
            "value": round(100 * found.value, 2),
            "low": round(100 * found.low, 2),
            "high": round(100 * found.high, 2),
            "detectable": round(100 * arm.detectable, 2),
            "verdict": arm.verdict,
            "why": ",".join(arm.why),
        }
    tests = {t.name: round(t.z, 1) for t in judged.tests}
    return {"actions": actions, "tests": tests, "flagged": [t.name for t in judged.tests if t.flagged]}


def true_effects(truth: Path, done: pd.DataFrame) -> dict[str, float]:
    """Return action → the mean true difference of chances among those given it, at the month-end before."""
    known = pd.read_parquet(truth / "potential.parquet")
    known["as_of"] = pd.to_datetime(known["as_of"])
    rows = done.assign(as_of=pd.to_datetime(done["began"]) - pd.offsets.MonthEnd(1))
    both = rows.merge(known, on=["employee_id", "as_of"])
    return {
        str(action): float((mine[f"p_{action}"] - mine["p_none"]).mean()) for action, mine in both.groupby("action")
    }


def arms(args: argparse.Namespace) -> None:
    """A mailing test with three arms, invented with the sizes of a known one: are both effects found?"""
    truth = {"Mens E-Mail": 0.077, "Womens E-Mail": 0.045}
    held = []
    for seed in range(FIRST_SEED, FIRST_SEED + args.draws):
        rng = np.random.default_rng(seed)
        n = args.rows
        arm = rng.choice(["No E-Mail", *truth], n)
        history, newbie = rng.lognormal(5, 1, n), rng.random(n) < 0.5
        rate = 0.08 + 0.02 * (history > 200) + 0.02 * ~newbie + pd.Series(arm).map(truth).fillna(0).to_numpy()
        visit = rng.random(n) < rate
        spend = np.where(visit & (rng.random(n) < 0.1), rng.gamma(2, 50, n), 0.0)
        table = pd.DataFrame({"segment": arm, "history": history, "newbie": newbie, "visit": visit, "spend": spend})
        found = effect(table, treatment="segment", outcome="visit", randomised=True, higher_is_better=True)
        if "spend" not in found.refused:
            print(f"seed {seed}: spend, which follows the mail, was not refused")
        held += [one.interval[0] <= truth[one.name] <= one.interval[1] for one in found.arms]
    print(
        f"{args.draws} tests of {args.rows:,} rows, two arms each: {np.mean(held):.1%} of the intervals hold the truth"
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("n11")
    one.add_argument("--draws", type=int, default=200)
    one.add_argument("--first", type=int, default=FIRST_SEED, help="The first seed.")
    one.add_argument("--aims", nargs="+", default=["measured", "hidden"])
    one.add_argument("--out", type=Path, default=Path("var/bench/effects_n11.jsonl"))
    one.set_defaults(run=n11)
    two = commands.add_parser("lalonde")
    two.add_argument("--causaldata", type=Path)
    two.set_defaults(run=lalonde)
    three = commands.add_parser("company")
    three.add_argument("--draws", type=int, default=3)
    three.add_argument("--people", type=int, default=3000)
    three.add_argument("--months", type=int, default=60)
    three.add_argument("--regimes", nargs="+", default=["care_measured", "care_hidden", "care_randomised"])
    three.add_argument("--out", type=Path, default=Path("var/bench/effects_company.jsonl"))
    three.set_defaults(run=company)
    four = commands.add_parser("arms")
    four.add_argument("--draws", type=int, default=20)
    four.add_argument("--rows", type=int, default=12_000)
    four.set_defaults(run=arms)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
