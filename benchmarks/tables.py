"""The tables of the benchmark, with intervals: a win is claimed only where the paired interval leaves out zero."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

PACKAGES = ("numpy", "scikit-learn", "lightgbm", "SurvSet", "scikit-survival", "hazardous", "xgboost")
STRICT = ("Cox", "forest", "SurvivalBoost")
"""The peers against whom the curves are judged, set by set."""
GOAL_FOLDS, GOAL_FOLDS_OF = 3, {"rott2": 2, "flchain": 2}
"""On how many folds of each set the goal for the curves was set."""
LOWER_IS_BETTER = ("error", "gap", "brier")


def report(parts: Mapping[str, pd.DataFrame], published: Path) -> str:
    """Return every table whose lines are there, as Markdown, with the date and the versions."""
    said = [f"{date.today().isoformat()}; {', '.join(_versions())}; one thread."]
    for part, lines in parts.items():
        if len(lines):
            said += [f"### {part}", *(TABLES[part](lines, published) if part == "ranking" else TABLES[part](lines))]
    return "\n\n".join(said)


def _versions() -> list[str]:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return found


def paired(difference: np.ndarray, *, test_share: float = 0.25) -> tuple[float, float, float]:
    """Return mean and 95 % interval of per-fold differences, corrected for folds that share their training rows.

    Nadeau & Bengio 2003, Machine Learning 52:239: the variance of the mean is that of a fold times (1/J + test rows
    per training row).
    """
    n = len(difference)
    mean, spread = float(np.mean(difference)), float(np.std(difference, ddof=1)) if n > 1 else np.inf
    half = float(stats.t.ppf(0.975, max(n - 1, 1))) * spread * np.sqrt(1.0 / n + test_share)
    return mean, mean - half, mean + half


def over_sets(difference: np.ndarray) -> tuple[float, float, float]:
    """Return mean and 95 % interval of differences of independent sets (Student)."""
    half = float(stats.t.ppf(0.975, len(difference) - 1)) * np.std(difference, ddof=1) / np.sqrt(len(difference))
    return float(np.mean(difference)), float(np.mean(difference) - half), float(np.mean(difference) + half)


def verdict(interval: tuple[float, float, float]) -> str:
    """Return "better", "worse" or "matches" with the interval."""
    mean, low, high = interval
    word = "better" if low > 0 else "worse" if high < 0 else "matches"
    return f"{word} ({mean:+.4f}, {low:+.4f} to {high:+.4f})"


def _ranking(lines: pd.DataFrame, published: Path) -> list[str]:
    if not published.is_dir():
        return ["The published scores are missing."]
    theirs = pd.concat([pd.read_csv(path) for path in sorted(published.glob("*.csv"))])
    seeds = sorted(lines["seed"].unique())
    choices = {"Seed 1 (folds 0 to 4)": [1]} | ({"All seeds run": seeds} if seeds != [1] else {})
    out = []
    for title, chosen in choices.items():
        ours = lines[lines["seed"].isin(chosen)]
        size = ours.groupby("set").size()
        names = list(size[size == 5 * len(chosen)].index)
        if names:
            seconds = ours.groupby("set")["seconds"].mean().loc[names]
            mine = ours.groupby("set")["c"].mean().loc[names]
            same = theirs["dataset"].isin(names) & (theirs["fold"] // 5 + 1).isin(chosen)
            wide = theirs[same].pivot_table(index="dataset", columns="model", values="c_index")
            table = wide.dropna(axis=1).loc[names]
            out += [_standing(title, mine, table), _by_model(mine, table)]
            out += [_by_set(mine, table, seconds)] if chosen == [1] else []
    return out


def _standing(title: str, mine: pd.Series, table: pd.DataFrame) -> str:
    """Say in a sentence where ours (by set) stands among the published models (set by model)."""
    single, best = table.mean().idxmax(), table.max(axis=1)
    ranks = pd.concat([mine.rename("ours"), table], axis=1).rank(axis=1, ascending=False).mean().sort_values()
    first = ", ".join(f"{model} {rank:.2f}" for model, rank in ranks.head(4).items())
    above_single, above_best = int((mine > table[single]).sum()), int((mine > best).sum())
    return (
        f"**{title}, {len(mine)} sets**: ours {mine.mean():.4f}; mean rank {first}. Best published model {single} "
        f"{table[single].mean():.4f}: ours is above it on {above_single} sets. Whichever published model turned out "
        f"best on each set {best.mean():.4f}: ours is above it on {above_best}."
    )


def _by_model(mine: pd.Series, table: pd.DataFrame) -> str:
    order = table.mean().sort_values(ascending=False)
    rows = [[m, f"{c:.4f}", verdict(over_sets((mine - table[m]).to_numpy()))] for m, c in order.items()]
    return _table(["published model", "mean C", "ours minus it, 95 % over sets"], rows)


def _by_set(mine: pd.Series, table: pd.DataFrame, seconds: pd.Series) -> str:
    best, which = table.max(axis=1), table.idxmax(axis=1)
    rows = [[s, f"{mine[s]:.4f}", f"{best[s]:.4f}", which[s], f"{seconds[s]:.1f}"] for s in mine.index]
    return _table(["set", "ours", "best published", "model", "seconds"], rows)


def _curves(lines: pd.DataFrame) -> list[str]:
    models = list(dict.fromkeys(lines["model"]))
    models.sort(key=lambda m: m != "ours")
    wide = {
        name: lines.pivot_table(index=["set", "fold"], columns="model", values=name) for name in ("erv", "c", "seconds")
    }
    shared = wide["erv"].dropna(subset=[m for m in ("ours", *STRICT) if m in wide["erv"]]).index
    rows = []
    for name in dict.fromkeys(lines["set"]):
        mine = [key for key in shared if key[0] == name]
        if not mine:
            continue
        cells = [f"{name} ({len(mine)} fold{'s' * (len(mine) > 1)})"]
        for m in models:
            erv = wide["erv"].get(m, pd.Series(dtype=float)).reindex(mine).mean()
            c = wide["c"][m].reindex(mine).mean()
            cells.append("–" if np.isnan(c) else f"{'–' if np.isnan(erv) else f'{erv:.3f}'} ({c:.3f})")
        rows.append(cells)
    head = "ERV = 1 - IBS / IBS of Kaplan-Meier, 5 to 80 % quantile of all times (Harrell's C)."
    out = [head, _table(["set", *models], rows)]
    if "ours" not in models:
        return out
    strict = [m for m in STRICT if m in wide["erv"]]
    first = [key for key in shared if key[1] < GOAL_FOLDS_OF.get(key[0], GOAL_FOLDS)]
    by_set = wide["erv"].loc[shared].groupby(level=0).mean()
    out += [f"All folds: {_skill(by_set, strict)}"]
    out += [f"The folds on which the goal was set: {_skill(wide['erv'].loc[first].groupby(level=0).mean(), strict)}"]
    spent = wide["seconds"].loc[shared].groupby(level=0).mean()
    ratio = (spent["SurvivalBoost"] / spent["ours"]).round(1) if "SurvivalBoost" in spent else None
    if ratio is not None:
        slower = ", ".join(f"{name} {times}" for name, times in ratio.sort_values(ascending=False).items())
        out.append(f"SurvivalBoost's processor time, in times of ours: {slower}.")
    out += [
        f"Ours against {m}: {verdict(over_sets((by_set['ours'] - by_set[m]).to_numpy()))} over sets." for m in strict
    ]
    return out


def _skill(by_set: pd.DataFrame, strict: list[str]) -> str:
    means = ", ".join(f"{m} {by_set[m].mean():.4f}" for m in ("ours", *strict))
    close = int((by_set["ours"] >= by_set[strict].max(axis=1) - 0.005).sum())
    return f"mean ERV {means}. Within .005 of the best of {', '.join(strict)}: {close} of {len(by_set)} sets."


def _folds_table(lines: pd.DataFrame, measures: tuple[str, ...]) -> list[str]:
    rows = []
    ours = lines[lines["model"] == "ours"].set_index(["seed", "fold"])
    for model in sorted(dict.fromkeys(lines["model"]), key=lambda m: m != "ours"):
        theirs = lines[lines["model"] == model].set_index(["seed", "fold"])
        cells = [model]
        for m in measures:
            error = theirs[m].std() / np.sqrt(len(theirs)) if len(theirs) > 1 else np.nan
            cells.append(f"{theirs[m].mean():.4f}" + ("" if np.isnan(error) else f" ± {error:.4f}"))
        cells.append(f"{theirs['seconds'].mean():.1f}")
        both = (ours[measures[0]] - theirs[measures[0]]).dropna() * (-1 if measures[0] in LOWER_IS_BETTER else 1)
        cells.append("" if model == "ours" or len(both) < 2 else verdict(paired(both.to_numpy())))
        rows.append(cells)
    return [_table(["model", *measures, "seconds", f"gain of ours in {measures[0]}, 95 %"], rows)]


def _survey(lines: pd.DataFrame) -> list[str]:
    out = []
    for name, mine in lines.groupby("set", sort=False):
        out += [f"**{name}**", *_folds_table(mine, ("c",))]
    return out


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


TABLES = {
    "ranking": _ranking,
    "curves": _curves,
    "causes": lambda lines: _folds_table(lines, ("error", "gap", "oracle")),
    "ibm": lambda lines: _folds_table(lines, ("auc", "ap", "brier")),
    "babushkin": _survey,
}
