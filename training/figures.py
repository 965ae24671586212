"""The figures of an evaluation: does the forecast come true, and whom would a manager's time reach."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np

from training.evaluate import Interval, Told, wilson

matplotlib.use("Agg")  # figures are files; a window would need a screen
from matplotlib import pyplot as plt

Tables = Mapping[str, Mapping[int, Mapping[str, Interval]]]


def draw_figures(told: Told, table: Tables, reference_days: int, folder: Path) -> None:
    """Write ``calibration.png``, ``capacity.png`` and ``horizons.png`` to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    calibration(told, reference_days, folder / "calibration.png")
    capacity(told, reference_days, folder / "capacity.png")
    horizons(table, folder / "horizons.png")


def calibration(told: Told, reference_days: int, path: Path) -> None:
    """Draw, for ten groups of equal size by risk, the share who left against the risk told."""
    figure, axes = plt.subplots(figsize=(5, 5))
    for group in np.array_split(np.argsort(told.risk, kind="stable"), 10):
        if not len(group):
            continue
        left, people = told.left[group].mean(), len(set(told.person[group].tolist()))
        low, high = wilson(left * people, people)
        axes.errorbar(told.risk[group].mean(), left, [[left - low], [high - left]], fmt="o", color="#2b6777", capsize=3)
    top = max(axes.get_xlim()[1], axes.get_ylim()[1])
    axes.plot([0, top], [0, top], linestyle=":", color="grey")
    axes.set(xlabel=f"risk told, {reference_days} days", ylabel="share who left", title="Does the forecast come true?")
    _save(figure, path)


def capacity(told: Told, reference_days: int, path: Path) -> None:
    """Draw the share of leavers reached when a manager talks to the people with the highest risk first."""
    order = np.argsort(-told.risk, kind="stable")
    reached = np.cumsum(told.left[order]) / max(told.left.sum(), 1.0)
    share = np.arange(1, len(order) + 1) / max(len(order), 1)
    figure, axes = plt.subplots(figsize=(5, 5))
    axes.plot(share, reached, color="#2b6777", label="highest risk first")
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey", label="anybody first")
    axes.set(xlabel="share of people talked to", ylabel=f"share of the leavers of the next {reference_days} days")
    axes.set_title("Whom would a manager's time reach?")
    axes.legend()
    _save(figure, path)


def horizons(table: Tables, path: Path) -> None:
    """Draw the AUC with its interval per horizon, for the linear and the chosen model."""
    figure, axes = plt.subplots(figsize=(6, 4))
    for shift, (kind, colour) in enumerate({"linear": "#c8963e", "chosen": "#2b6777"}.items()):
        days = list(table[kind])
        rows = [table[kind][d]["auc"] for d in days]
        spread = [[r.value - r.low for r in rows], [r.high - r.value for r in rows]]
        at = [i + 0.1 * shift for i in range(len(days))]
        axes.errorbar(at, [r.value for r in rows], spread, fmt="o", color=colour, capsize=3, label=kind)
        axes.set_xticks(range(len(days)), [f"{d} days" for d in days])
    axes.axhline(0.5, linestyle=":", color="grey")
    axes.set(ylabel="AUC out of time, 90 % interval", title="Does it rank leavers above stayers?")
    axes.legend()
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)
