"""What a training run tells the person at the screen: progress, the out-of-time table, the gates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from training.backtest import TOLERANCE, Backtest
from training.drivers import METRICS, READING, VERDICTS, Contributions, verdict
from training.evaluate import Interval
from training.leak_table import Examined, rows
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
    for remark in card.remarks:
        console.print(remark, markup=False)
    if released.kind_tested == "base":
        console.print(
            f"{card.n_exits:,} people left of their own accord on record. From a few dozen exits a ranking can be "
            "learned, from fewer only how many leave: everybody gets the same risk, and there is no order of people to "
            "judge. More history helps most: exits as far back as they were kept, and the records of those who left."
        )
    else:
        show_learned(console, released)
    show_count_line(console, released.counts)
    for gate in released.gates:
        console.print(
            f"{'[green]passed[/green]' if gate.passed else '[yellow]failed[/yellow]'}  {gate.name}: {gate.evidence}"
        )
    if instead := unproved(released):
        console.print(instead)
    state = "champion" if released.promoted else "challenger only: it serves nobody until a person promotes it"
    console.print(f"Version {released.version} ({released.sha256[:12]}…) is now {state}.")


def unproved(released: Released) -> str:
    """Return what serves where what was learned here failed a gate; empty where all passed or nothing serves."""
    if not released.promoted or all(gate.passed for gate in released.gates):
        return ""
    if released.kind == "base":
        return (
            "Nothing here forecasts better than the base rate yet, so the base rate itself serves: nobody is flagged."
        )
    return "What was learned here has not proved itself yet, so the published effects serve."


def show_learned(console: Console, released: Released) -> None:
    """Print how the ranking that was learned proved, beside the linear model."""
    show_horizons(console, released)
    reference = released.card.reference_horizon_days
    title = f"Leaves within {reference} days: out of time, people not seen before (90 % intervals over people)"
    show_table(console, released.unseen, reference, title=title)
    words = {"auc": "AUC", "average_precision": "Average precision"}
    for name, gain in released.gain.items():
        verdict = "better than" if gain.low > 0 else "worse than" if gain.high < 0 else "matches"
        console.print(f"{words[name]}, chosen minus linear: {gain} → {verdict} the linear model")


def show_beside(console: Console, released: Released, plan: Plan) -> None:
    """Print the reference horizon in one line per model, with the figures of others on the same windows."""
    if released.kind_tested == "base":
        return
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
    if counts.bias:
        bias = counts.bias
        console.print(
            f"Departments on average, by how much they differ among themselves: left / expected {_written(bias.ratio)} "
            f"over {bias.departments}. {bias.outside} of the {bias.judged} above lie further than {TOLERANCE:.0%} "
            f"from 1; were every forecast exactly right, {bias.by_chance:.1f} would by chance alone."
        )
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


def show_contributions(console: Console, found: Contributions) -> None:
    """Print one table per horizon: a driver per line, what is lost without it, what it brings beside the context."""
    console.print(f"Learned again for each driver: {', '.join(found.kinds)}; out of time, people not seen before.")
    for horizon, whole in found.whole.items():
        reached = ", ".join(f"{METRIC_WORDS[m]} {i}" for m, i in whole.items())
        context = ", ".join(f"{METRIC_WORDS[m]} {i}" for m, i in found.context[horizon].items())
        console.print(f"\n[bold]Within {horizon} days.[/bold] All columns: {reached}\nContext alone: {context}")
        shown = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for column in ("driver", "columns", "AUC lost", "AP lost", "AUC gained", "AP gained"):
            shown.add_column(column, justify="left" if column == "driver" else "right", no_wrap=True)
        for one in found.drivers:
            cells = [
                _signed(differences[horizon][metric]) if horizon in differences else "–"
                for differences in (one.left_out, one.alone)
                for metric in METRICS
            ]
            shown.add_row(one.driver, str(len(one.columns)), *cells)
        console.print(shown)
        for words in VERDICTS:
            named = [one.driver for one in found.drivers if verdict(one.left_out.get(horizon, {})) == words]
            if named:
                console.print(f"{words}: {', '.join(named)}")
    console.print(f"\n{READING}")


def _signed(interval: Interval) -> str:
    """A difference with its sign and without the zero that every one of them would start with."""
    value, low, high = (f"{x:+.3f}".replace("0.", ".", 1) for x in (interval.value, interval.low, interval.high))
    return f"{value} ({low} {high})"


def show_leaks(console: Console, runs: list[Examined]) -> None:
    """Print how many planted leaks were found, by what, and how many clean runs were stopped."""
    shown = Table(title="Planted leaks: is the run stopped and the column named?", title_justify="left")
    for column in ("leak", "column", "found", "by"):
        shown.add_column(column)
    for row in rows(runs):
        shown.add_row(*row)
    console.print(shown)


def _written(interval: Interval) -> str:
    return str(interval) if isfinite(interval.value) else "–"
