"""``retention-train``: take in records, learn, judge, promote. The only file of training that reads the clock.

Heavy imports wait inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import FixableError
from training import effect_commands
from training.terminal import DEFAULT_STATE, State, console, told

if TYPE_CHECKING:
    from training.withdrawal_real import OnRecords

app = typer.Typer(
    help="Records in, an explained and judged risk model out.", no_args_is_help=True, pretty_exceptions_enable=False
)


def tracking_uri(state: Path) -> str:
    """Return where models are listed: a server by setting, otherwise a file in the state folder."""
    return os.environ.get("RETENTION_TRACKING_URI") or f"sqlite:///{(state / 'mlflow.db').as_posix()}"


@app.command()
def company(
    people: Annotated[int, typer.Option(help="How many work there at any time.")] = 1000,
    months: Annotated[int, typer.Option(help="How many months of records.")] = 36,
    seed: Annotated[int, typer.Option(help="The same seed invents the same company.")] = 0,
    regime: Annotated[str, typer.Option(help="The kind of world; a wrong name lists them all.")] = "clinic",
    state: State = DEFAULT_STATE,
) -> None:
    """Invent a clinic group to try everything on: files in STATE/records, the truth in STATE/truth."""
    from features.company import Company, invent_company, regime_named

    records, truth = state / "records", state / "truth"
    with told(), console.status("inventing …") as status:
        world = regime_named(regime)
        for folder in (records, truth):
            shutil.rmtree(folder, ignore_errors=True)
        settings = Company(n_employees=people, months=months, seed=seed, regime=world)
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
def drivers(
    plan: Annotated[Path | None, typer.Option(help="A plan file (TOML); default: the built-in plan.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="The linear model throughout: a fraction of the time.")
    ] = False,
    state: State = DEFAULT_STATE,
) -> None:
    """Learn again without each driver's columns, and say what is lost; nothing is registered or promoted."""
    from features.lake import Lake
    from training.console import progress_bars, show_contributions
    from training.drivers import contributions
    from training.fit import prepare
    from training.plan import load_plan

    with told():
        chosen = load_plan(plan)
        with progress_bars(console) as tell:
            found = contributions(prepare(Lake(state / "lake"), chosen, tell), quick=quick, progress=tell)
        show_contributions(console, found)
        path = state / "evaluation" / "drivers.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        found.table().to_csv(path, index=False)
        console.print(f"Written to {path}")


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
def leaks(
    seeds: Annotated[int, typer.Option(help="Companies in which each of the twelve leaks is planted.")] = 3,
    clean: Annotated[int, typer.Option(help="Companies looked at without a leak.")] = 10,
    people: Annotated[int, typer.Option(help="How many work in each company.")] = 300,
    months: Annotated[int, typer.Option(help="How many months of records.")] = 30,
) -> None:
    """Examine the leak sentinel: how many planted leaks stop a run, and how many clean runs are stopped."""
    from tempfile import TemporaryDirectory

    from features.company import invent
    from features.ingest import import_folder
    from features.lake import Lake
    from training.console import progress_bars, show_leaks
    from training.leak_table import Company, examine_all

    with told(), TemporaryDirectory() as scratch, progress_bars(console, "leaks") as tell:

        def company_of(seed: int) -> Company:
            folder = Path(scratch) / str(seed)
            invent(folder / "records", n_employees=people, months=months, seed=seed, truth=folder / "truth")
            lake = Lake(folder / "lake")
            import_folder(folder / "records", lake, today=date.today())
            return Company.of(lake)

        runs = examine_all(company_of, seeds, clean=clean, tell=tell)
    show_leaks(console, runs)


@app.command()
def truth(state: State = DEFAULT_STATE) -> None:
    """Compare the forecasts for the invented company with its known hazards, which see what no record shows."""
    from training.truth import against_truth

    with told():
        typer.echo(against_truth(state / "evaluation" / "predictions.parquet", state / "truth"))


@app.command()
def withdrawal(
    seeds: Annotated[int, typer.Option(help="How many companies of 1,000 people to judge on.")] = 6,
    broken: Annotated[bool, typer.Option(help="Judge also where the assumptions do not hold.")] = True,
    rows: Annotated[bool, typer.Option(help="Judge also from rows of records, on an invented company.")] = True,
) -> None:
    """Judge the alarm of withdrawal: how often it is false, what it finds (about three minutes on one core)."""
    from training import withdrawal_report as report
    from training.withdrawal_world import World

    with told():
        with console.status("judging on companies of 1,000 people …"):
            result = report.study(World(), range(report.FIRST_SEED, report.FIRST_SEED + seeds))
        for table in report.tables(result):
            console.print(table)
        with console.status("breaking the assumptions …"):
            for table in report.broken() if broken else ():
                console.print(table)
        with console.status("reading rows …"):
            for table in report.on_rows(_invented_withdrawal(report.FIRST_SEED)) if rows else ():
                console.print(table)
        for line in report.verdict(result):
            console.print(line)


def _invented_withdrawal(seed: int) -> dict[float, OnRecords]:
    """Invent and import a company in a folder that is gone afterwards, and judge its last year."""
    from tempfile import TemporaryDirectory

    from features.company import Company, invent_company
    from features.ingest import import_folder
    from features.lake import Lake
    from training.withdrawal_real import on_records

    with TemporaryDirectory() as place:
        folder, lake = Path(place), Lake(Path(place) / "lake")
        settings = Company(n_employees=300, months=60, seed=seed)
        invent_company(settings, folder / "records", truth=folder / "truth")
        import_folder(folder / "records", lake, mapping=None, today=date.today())
        return on_records(lake.read(), lake.data_until(), n_judged=52, seed=seed, rates=(0.05, 0.25, 0.5))


effect_commands.add_to(app)

if __name__ == "__main__":
    app()
