"""What a training run tells the person at the screen: progress, the out-of-time table, the gates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from training.backtest import Backtest
from training.evaluate import Interval
from training.plan import Plan
from training.release import Released

METRIC_WORDS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "caught_at_1": "leavers caught, 1 % of people",
    "caught_at_5": "leavers caught, 5 % of people",
    "caught_at_10": "leavers caught, 10 % of people",
    "brier": "Brier score (less is better)",
    "ipa": "IPA (1 perfect, 0 the base rate)",
    "observed_over_expected": "observed / expected",
    "calibration_slope": "calibration slope",
    "ici": "mean distance to what came true (ICI)",
}
KIND_WORDS = {"base": "base rate", "linear": "linear model", "chosen": "chosen model"}


@contextmanager
def progress_bars(console: Console, name: str | None = None) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a callback (step, done, total) that shows one bar per step, or one bar in all when it has a ``name``."""
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, total: int) -> None:
            key = name or step
            if key not in tasks:
                tasks[key] = bars.add_task(key, total=total)
            bars.update(tasks[key], completed=done, total=total, description=f"{name} {step}" if name else step)

        yield tell


def show_table(
    console: Console, table: Mapping[str, Mapping[int, Mapping[str, Interval]]], horizon_days: int, *, title: str
) -> None:
    """Print one horizon: a row per metric, a column per kind of model, with 90 % intervals."""
    shown = Table(title=title, title_justify="left")
    shown.add_column("")
    kinds = [kind for kind in KIND_WORDS if horizon_days in table.get(kind, {})]
    for kind in kinds:
        shown.add_column(KIND_WORDS[kind], justify="right")
    for metric, words in METRIC_WORDS.items():
        shown.add_row(words, *[_written(table[kind][horizon_days][metric]) for kind in kinds])
    console.print(shown)


def show_horizons(console: Console, released: Released) -> None:
    """Print the chosen model in one line per horizon."""
    shown = Table(title="The chosen model: out of time, people not seen before", title_justify="left")
    metrics = ("auc", "caught_at_5", "caught_at_10", "observed_over_expected")
    for column in ("within", *(METRIC_WORDS[m] for m in metrics)):
        shown.add_column(column, justify="right")
    for horizon, row in released.unseen.get("chosen", {}).items():
        shown.add_row(f"{horizon} days", *[_written(row[m]) for m in metrics])
    console.print(shown)


def show_released(console: Console, released: Released) -> None:
    """Print what was learned, how it proved out of time, and whether it was promoted."""
    card = released.card
    console.print(
        f"Learned from {card.n_people:,} people, {card.n_exits:,} voluntary exits, up to {card.labels_closed_on}; "
        f"chosen: [bold]{released.kind}[/bold]"
    )
    show_horizons(console, released)
    reference = card.reference_horizon_days
    title = f"Leaves within {reference} days: out of time, people not seen before (90 % intervals over people)"
    show_table(console, released.unseen, reference, title=title)
    words = {"auc": "AUC", "average_precision": "Average precision"}
    for name, gain in released.gain.items():
        verdict = "better than" if gain.low > 0 else "worse than" if gain.high < 0 else "matches"
        console.print(f"{words[name]}, chosen minus linear: {gain} → {verdict} the linear model")
    show_count_line(console, released.counts)
    for gate in released.gates:
        console.print(
            f"{'[green]passed[/green]' if gate.passed else '[yellow]failed[/yellow]'}  {gate.name}: {gate.evidence}"
        )
    proved = all(gate.passed for gate in released.gates)
    state = "champion" if released.promoted else "challenger only: it serves nobody until a person promotes it"
    if released.promoted and not proved:
        console.print(
            "Nothing here forecasts better than the base rate yet, so the base rate itself serves: nobody is flagged."
        )
    console.print(f"Version {released.version} ({released.sha256[:12]}…) is now {state}.")


def show_beside(console: Console, released: Released, plan: Plan) -> None:
    """Print the reference horizon in one line per model, with the figures of others on the same windows."""
    horizon = plan.reference_horizon_days
    rows = {"ours, people unseen": released.unseen, "ours, as served": released.seen}
    base = released.observed_rate
    shown = Table(title=f"{horizon} days, out of time: {base:.1%} left", title_justify="left")
    for column in ("", "AUC", "average precision", "lift", "observed / expected"):
        shown.add_column(column, justify="right" if column else "left")
    for figure in plan.beside:
        precision = figure.average_precision
        lift = f"{precision / base:.2f}" if precision else "–"
        shown.add_row(figure.name, f"{figure.auc:.3f}", f"{precision:.3f}" if precision else "–", lift, "–")
    for name, table in rows.items():
        for kind in ("linear", "chosen"):
            if horizon in table.get(kind, {}):
                row = table[kind][horizon]
                lift = f"{row['average_precision'].value / base:.2f}"
                cells = (row["auc"], row["average_precision"], lift, row["observed_over_expected"])
                words = released.kind_tested if kind == "chosen" else kind
                shown.add_row(f"{name}: {words}", *map(str, cells), style="bold" if kind == "chosen" else "")
    console.print(shown)
    if released.apart:
        n, left, told = released.apart
        console.print(f"Kept apart by the plan: {n:,} rows, {left:.0%} left, {told:.0%} were expected to.")


PERIODS_SHOWN = ("month 1", "quarter 1", "quarter 2")
SCALES = {"team": "teams", "department": "departments", "all": "everybody"}


def show_counts(console: Console, counts: Backtest) -> None:
    """Print how past forecasts of how many leave came true, and whether departments' sums are right."""
    if counts.coverage.empty:
        console.print("No window is closed that forecasts of how many leave could be compared with.")
        return
    shown = Table(title="How many leave: forecasts told at the time against what came true", title_justify="left")
    for column in ("", "period", "forecasts", "interval promised", "held (90 %)", "hires sufficed", "left / expected"):
        shown.add_column(column, justify="right" if column else "left")
    for row in (r for r in counts.coverage.to_dict("records") if r["period"] in PERIODS_SHOWN):
        spread = f" ({row['low']:.1%}–{row['high']:.1%})" if isfinite(row["low"]) else ""
        cells = [f"{row['promised']:.1%}", f"{row['held']:.1%}{spread}", f"{row['sufficed']:.1%}"]
        sums = f"{row['left']:,.0f} / {row['expected']:,.1f}"
        shown.add_row(SCALES[row["scale"]], row["period"], f"{row['n']:,}", *cells, sums)
    console.print(shown)
    for name, ratio in counts.sums.items():
        words = "Everybody" if name == "all" else f"Department {name}"
        console.print(f"{words}, quarters that do not overlap: left / expected {_written(ratio)}")
    shock = counts.shock
    console.print(
        f"Beyond chance, a quarter's exits vary by {shock.company:.0%} for everybody together and by {shock.team:.0%} "
        f"per team (learned from {shock.n_windows} quarters, shrunk)."
    )


def show_count_line(console: Console, counts: Backtest) -> None:
    """Print the one line of it that belongs to a training run."""
    rows = {(r["scale"], r["period"]): r for r in counts.coverage.to_dict("records")} if len(counts.coverage) else {}
    if ("team", "quarter 1") in rows:
        row = rows["team", "quarter 1"]
        console.print(
            f"How many leave a team in a quarter: intervals promised {row['promised']:.0%}, held {row['held']:.0%} of "
            f"{row['n']:,} times; left / expected in all {_written(counts.sums['all'])}. More: retention-train forecast"
        )


def _written(interval: Interval) -> str:
    return str(interval) if isfinite(interval.value) else "–"
