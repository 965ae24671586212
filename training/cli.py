"""``retention-train``: take in records, learn, judge, promote. The only file of training that reads the clock.

Heavy imports wait inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from features.errors import FixableError

app = typer.Typer(
    help="Records in, an explained and judged risk model out.", no_args_is_help=True, pretty_exceptions_enable=False
)
WIDTH = 110
"""Columns where nobody says how wide the screen is (a pipe, a log): tables then still keep a row on a line."""
console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)

State = Annotated[Path, typer.Option(help="Folder with records, models and scores.", envvar="RETENTION_STATE")]
DEFAULT_STATE = Path("var")


@contextmanager
def told() -> Iterator[None]:
    """Tell a mistake that a person can fix in plain words, and end with 1."""
    try:
        yield
    except FixableError as mistake:
        typer.echo(str(mistake), err=True)
        raise typer.Exit(1) from None


def tracking_uri(state: Path) -> str:
    """Return where models are listed: a server by setting, otherwise a file in the state folder."""
    return os.environ.get("RETENTION_TRACKING_URI") or f"sqlite:///{(state / 'mlflow.db').as_posix()}"


@app.command()
def company(
    people: Annotated[int, typer.Option(help="How many work there at any time.")] = 1000,
    months: Annotated[int, typer.Option(help="How many months of records.")] = 36,
    seed: Annotated[int, typer.Option(help="The same seed invents the same company.")] = 0,
    state: State = DEFAULT_STATE,
) -> None:
    """Invent a clinic group to try everything on: files in STATE/records, the truth in STATE/truth."""
    from features.company import Company, invent_company

    records, truth = state / "records", state / "truth"
    with told(), console.status("inventing …") as status:
        for folder in (records, truth):
            shutil.rmtree(folder, ignore_errors=True)
        settings = Company(n_employees=people, months=months, seed=seed)
        invent_company(settings, records, truth=truth, progress=lambda step: status.update(f"inventing {step} …"))
    n_files = len(list(records.glob("*.csv")))
    console.print(f"Invented a clinic group of {people:,} people over {months} months: {n_files} files in {records}")


@app.command("propose-mapping")
def propose_mapping(folder: Annotated[Path, typer.Argument(help="Folder with the exports.")]) -> None:
    """Print a mapping file proposed from the headers (English and Chinese), to correct and save as mapping.toml."""
    from features.intake.proposal import propose

    with told():
        typer.echo(propose(folder))


@app.command("import")
def import_records(
    folder: Annotated[Path, typer.Argument(help="Folder with one file or folder per table.")],
    mapping: Annotated[Path | None, typer.Option(help="Default: mapping.toml in the folder, if there is one.")] = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Take a folder of exports into the lake; every row is accepted, quarantined or a duplicate, and counted."""
    from features.ingest import import_folder
    from features.lake import Lake
    from features.mapping import load
    from training.console import progress_bars

    with told():
        chosen = load(mapping) if mapping else None
        with progress_bars(console, "importing") as tell:
            report = import_folder(folder, Lake(state / "lake"), mapping=chosen, today=date.today(), progress=tell)
        typer.echo(report.text())
        if report.problems:
            raise FixableError("Some files were not imported:", report.problems)


@app.command()
def quarantine(
    out: Annotated[Path, typer.Argument(help="Folder to write one CSV per table into, to mend in a spreadsheet.")],
    state: State = DEFAULT_STATE,
) -> None:
    """Write out the rows that wait for repair, each with file, row, column, value, rule and hint."""
    from features.intake.quarantine import export
    from features.lake import Lake

    with told():
        for path in export(Lake(state / "lake"), out):
            typer.echo(path)


@app.command()
def repair(
    edited: Annotated[Path | None, typer.Argument(help="What `quarantine` wrote, after your corrections.")] = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Try the quarantined rows again, the mended ones first of all."""
    from features.ingest import repair as try_again
    from features.lake import Lake
    from training.console import progress_bars

    with told():
        with progress_bars(console, "repairing") as tell:
            report = try_again(Lake(state / "lake"), edited, today=date.today(), progress=tell)
        typer.echo(report.text())


@app.command()
def erase(employee_id: str, state: State = DEFAULT_STATE) -> None:
    """Remove a person from every table and every file of the lake. Train again afterwards."""
    from features.lake import Lake

    with told():
        typer.echo(Lake(state / "lake").erase(employee_id).text())
        forget_predictions(state / "evaluation" / "predictions.parquet", employee_id)
    typer.echo("Remove the person from the service as well: retention-serve erase " + employee_id)


def forget_predictions(path: Path, employee_id: str) -> None:
    """Take a person out of the rows that the last evaluation left behind."""
    import pandas as pd

    if path.exists():
        rows = pd.read_parquet(path)
        rows[rows["employee_id"] != employee_id].to_parquet(path)


@app.command()
def fit(
    plan: Annotated[Path | None, typer.Option(help="A plan file (TOML); default: the built-in plan.")] = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Learn, judge out of time, register, and make the model champion when it passes every gate."""
    from features.lake import Lake
    from training.console import progress_bars, show_beside, show_released
    from training.fit import train
    from training.plan import load_plan
    from training.release import release

    with told():
        chosen = load_plan(plan)
        with progress_bars(console) as tell:
            trained = train(Lake(state / "lake"), chosen, progress=tell)
        with console.status("evaluating and registering …"):
            released = release(
                trained,
                tracking_uri=tracking_uri(state),
                artifacts=state / "artifacts",
                folder=state / "evaluation",
            )
        show_released(console, released)
        show_beside(console, released, trained.plan)
        console.print(f"The whole evaluation as a page: {state / 'evaluation' / 'figures' / 'report.html'}")


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="Version in the catalogue; an earlier one rolls back.")],
    state: State = DEFAULT_STATE,
) -> None:
    """Make a version the champion, in full knowledge of its gates."""
    from models.registry import promote as point_at

    with told():
        point_at(tracking_uri(state), version)
    typer.echo(f"Version {version} is now the champion. Score again: retention-serve score")


@app.command()
def forecast(state: State = DEFAULT_STATE) -> None:
    """Compare past forecasts of how many leave (teams, departments, months, quarters) with how many left."""
    from training.backtest import backtest
    from training.console import show_counts
    from training.evaluate import stored_predictions

    with told():
        rows = stored_predictions(state / "evaluation")
        with console.status("comparing …"):
            counts = backtest(rows)
        show_counts(console, counts)


@app.command()
def report(
    out: Annotated[Path | None, typer.Option(help="File to write; default: report.html in STATE/evaluation.")] = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Write the evaluation of the last training run as one HTML page, the first part for no statisticians (en, zh)."""
    from training.report import write_report

    with told(), console.status("writing …"):
        path = write_report(state / "evaluation", out or state / "evaluation" / "report.html")
    typer.echo(path)


@app.command()
def truth(state: State = DEFAULT_STATE) -> None:
    """Compare the forecasts for the invented company with its known hazards, which see what no record shows."""
    from training.truth import against_truth

    with told():
        typer.echo(against_truth(state / "evaluation" / "predictions.parquet", state / "truth"))


if __name__ == "__main__":
    app()
