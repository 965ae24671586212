"""Judge the estimates of what care did, where the truth is known, or where an experiment tells it.

    python benchmarks/bench_effects.py n11 --draws 200              SCIENCE N11: bias, coverage, placebo, hidden
    python benchmarks/bench_effects.py company --draws 3            whole companies, from files to verdicts
    python benchmarks/bench_effects.py lalonde --causaldata DIR     nsw treated against cps controls
    python benchmarks/bench_effects.py arms                         three arms, as in a mailing test

One line per draw is added to ``--out`` (JSON lines), so a stopped benchmark loses nothing; the table of what is there
is printed at the end. ``--causaldata``: where `pip install --no-deps --target DIR causaldata` put the package.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.effect_world import MENU, Draw, World, draw
from training.effect_actions import Trials, judge_actions
from training.effect_columns import Coded
from training.effects import effect

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
    for seed in range(FIRST_SEED, FIRST_SEED + args.draws):
        for aim in args.aims:
            if (aim, seed) not in done:
                _add(args.out, one_draw(aim, seed))
                sys.stderr.write(f"\r{aim} {seed - FIRST_SEED + 1} of {args.draws}   ")
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


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("n11")
    one.add_argument("--draws", type=int, default=200)
    one.add_argument("--aims", nargs="+", default=["measured", "hidden"])
    one.add_argument("--out", type=Path, default=Path("var/bench/effects_n11.jsonl"))
    one.set_defaults(run=n11)
    two = commands.add_parser("lalonde")
    two.add_argument("--causaldata", type=Path)
    two.set_defaults(run=lalonde)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
