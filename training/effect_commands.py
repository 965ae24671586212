"""The commands that ask whether care helped and what a risk score did to people: effects, programmes, side-effects."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from features.errors import FixableError
from training.terminal import DEFAULT_STATE, State, console, told

if TYPE_CHECKING:
    from training.effect_console import Screen

Lang = Annotated[str | None, typer.Option("--language", "--lang", help="en or zh.", show_default="from LANG")]
"""The words of what is found; mistakes are told in English, as everywhere."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(effects)
    app.command()(policy)
    app.command()(programme)
    app.command("side-effects")(side_effects)


def effects(  # noqa: PLR0913 - the options of a command are its parameters
    table: Annotated[
        Path | None, typer.Option(help="A table of your own (CSV, TSV, Parquet, Stata), one row per person.")
    ] = None,
    treatment: Annotated[str | None, typer.Option(help="Column: who was given what.")] = None,
    outcome: Annotated[
        str | None,
        typer.Option(help="Column: what came of it; 0/1, left/stayed, the day of leaving (blank: stayed) or a number."),
    ] = None,
    covariates: Annotated[str | None, typer.Option(help="Baselines: a,b,c. Default: every column that can be.")] = None,
    cluster: Annotated[
        str | None,
        typer.Option(help="Column of teams (people within depend on each other). Found by itself in a trial."),
    ] = None,
    strata: Annotated[
        str | None, typer.Option(help="Columns within which a trial was drawn: site,level. Needed if shares differ.")
    ] = None,
    randomised: Annotated[bool, typer.Option("--randomised", "--randomized", help="Chance decided.")] = False,
    control: Annotated[str | None, typer.Option(help="The value of those given nothing, if not obvious.")] = None,
    started: Annotated[str | None, typer.Option(help="The day it began: 2024-01-31.")] = None,
    measured_on: Annotated[
        list[str] | None,
        typer.Option(
            help="When a column was measured: column=2024-06-30, =before or =after (repeat), or a table of the columns "
            "column, measured_on."
        ),
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="Columns vouched for as measured before the start: a,b.")] = None,
    days: Annotated[str | None, typer.Option(help="Column: days to the outcome or to the end of watching.")] = None,
    horizon: Annotated[
        float | None, typer.Option(help="With --days, or an outcome of days: count outcomes within so many days.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Column: tell the effect within each of its values too.")] = None,
    negative_controls: Annotated[str | None, typer.Option(help="Columns it cannot have moved: a,b.")] = None,
    higher_is_better: Annotated[
        bool, typer.Option("--higher-is-better", help="The outcome is a good thing (stayed, satisfied).")
    ] = False,
    placebo: Annotated[
        str, typer.Option(help="For STATE: an action that should do nothing, as a check; '' for none.")
    ] = "specific_thanks",
    plan: Annotated[Path | None, typer.Option(help="For STATE: a plan file (TOML).")] = None,
    language: Lang = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Did it help? The effect of each care action in STATE (written to effects.json), or of a treatment in a table.

    A randomised trial: effects --table trial.csv --treatment arm --outcome left --randomised --started 2024-01-31
    """
    with told():
        screen = _screen(language)
        if table is None:
            _of_records(screen, state, plan, placebo)
            return
        if not treatment or not outcome:
            raise FixableError("A table needs --treatment and --outcome.", ["name the two columns"])
        asked: dict[str, Any] = {
            "treatment": treatment,
            "outcome": outcome,
            "confounders": _names(covariates),
            "cluster": cluster,
            "strata": _names(strata) or (),
            "randomised": randomised,
            "control": control,
            "started_at": None if started is None else _day(started, "--started"),
            "measured_on": measured_on or [],
            "baseline": _names(baseline) or (),
            "days": days,
            "horizon_days": horizon,
            "negative_controls": _names(negative_controls) or (),
            "higher_is_better": higher_is_better,
        }
        _of_table(screen, table, asked, by)


def _screen(language: str | None) -> Screen:
    from training.effect_console import Screen
    from training.effect_words import language_of

    return Screen(console, language_of(language, os.environ.get("LANG", "")))


def _of_table(screen: Screen, path: Path, asked: dict[str, Any], by: str | None) -> None:
    from training.effect_console import show_answer
    from training.effect_tables import read_table
    from training.effects import effect

    rows = read_table(path)
    asked = {**asked, "measured_on": _measured(screen, asked["measured_on"], rows.columns)}
    show_answer(screen, effect(rows, **asked))
    if by is None:
        return
    if by not in rows.columns:
        raise FixableError("The table does not have this column:", [by])
    for value, part in rows.groupby(by):
        try:
            answer = effect(part.drop(columns=by), **asked)
        except FixableError as problem:  # nobody of one arm is left there: no reason to keep the others back
            screen.say("answer.not_there", column=by, value=value, n=len(part), why=problem.summary)
            continue
        screen.console.print(screen.text("answer.where", column=escape(by), value=escape(str(value)), n=len(part)))
        show_answer(screen, answer)


def _of_records(screen: Screen, state: Path, plan: Path | None, placebo: str) -> None:
    from features.lake import Lake
    from training.console import progress_bars
    from training.effect_console import show_learned_effects
    from training.effect_file import as_facts, learn_effects, write_effects
    from training.plan import load_plan

    lake = Lake(state / "lake")
    with progress_bars(console) as tell:
        learned = learn_effects(lake, load_plan(plan), placebo=placebo or None, progress=tell)
    show_learned_effects(screen, learned)
    screen.say("care.written", path=write_effects(as_facts(learned, made_on=lake.data_until()), state))


def policy(
    started: Annotated[Path, typer.Argument(help="Table: unit, started_on. Units that are not in it never started.")],
    by: Annotated[str, typer.Option(help="What a unit is: department, team, location or job.")] = "department",
    plan: Annotated[Path | None, typer.Option(help="A plan file (TOML).")] = None,
    language: Lang = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Did a policy lower exits that began on a day in some departments? Against those that had not begun (yet)."""
    from features.lake import Lake
    from training.console import progress_bars
    from training.effect_console import show_event_study
    from training.effect_event_study import event_study, exit_panel, periods_of
    from training.effect_tables import read_table
    from training.fit import prepare
    from training.plan import load_plan

    with told():
        with progress_bars(console) as tell:
            ground = prepare(Lake(state / "lake"), load_plan(plan), tell)
        if by not in ground.panel.index:
            raise FixableError(f"There is no {by!r} in the records.", ["--by department, team, location or job"])
        panel, days = exit_panel(ground.panel.index, by, closed_on=ground.panel.closed_on)
        show_event_study(_screen(language), event_study(panel, periods_of(read_table(started), days)))


def programme(
    started: Annotated[str, typer.Argument(help="The day it began: 2024-01-31.")],
    name: Annotated[str, typer.Option(help="What it is called.")] = "programme",
    members: Annotated[Path | None, typer.Option(help="Table with employee_id; default: everybody.")] = None,
    language: Lang = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Tell the two sides of a people programme, before and after: what was said, and what the organisation saw."""
    from features.lake import Lake
    from training.effect_console import show_changes
    from training.effect_tables import read_table
    from training.programmes import Programme, two_sides

    with told():
        who = None if members is None else read_table(members)["employee_id"].astype(str).tolist()
        lake = Lake(state / "lake")
        show_changes(
            _screen(language),
            two_sides(lake.read(), Programme(name, _day(started, "the start"), who), until=lake.data_until()),
        )


def side_effects(
    scores: Annotated[Path | None, typer.Option(help="Table of what was shown: employee_id, as_of, risk.")] = None,
    threshold: Annotated[float, typer.Option(help="The risk from which people were flagged.")] = 0.1,
    decisions: Annotated[
        Path | None, typer.Option(help="Table: decided_by, accepted, changed, and suggested_at, decided_at if known.")
    ] = None,
    language: Lang = None,
    state: State = DEFAULT_STATE,
) -> None:
    """Are flagged people treated worse afterwards than people just below the line? Are suggestions rubber-stamped?"""
    import pandas as pd

    from features.lake import Lake
    from training import side_effects as found
    from training.effect_console import show_jumps, show_stamps
    from training.effect_tables import read_table

    with told():
        screen = _screen(language)
        if scores is None and decisions is None:
            raise FixableError("There is nothing to look at.", ["give --scores, --decisions or both"])
        if scores is not None:
            lake = Lake(state / "lake")
            until = pd.Timestamp(lake.data_until())
            shown = read_table(scores)
            show_jumps(screen, found.side_effects(shown, lake.read(), threshold=threshold, until=until), threshold)
        if decisions is not None:
            show_stamps(screen, found.rubber_stamping(read_table(decisions)))


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FixableError(f"{option} must be a day like 2024-01-31, not {text!r}") from None


def _measured(screen: Screen, pairs: list[str], columns: Collection[str]) -> dict[str, date | str]:
    """Return column → day, "before" or "after". A list may name columns that the table does not have."""
    from training.effect_tables import day_or_word, measured_list

    out: dict[str, date | str] = {}
    for pair in pairs:
        if "=" not in pair:
            listed = measured_list(Path(pair))
            out |= {column: day for column, day in listed.items() if column in columns}
            if unknown := [column for column in listed if column not in columns]:
                screen.say("remark.unknown_columns", file=pair, columns=screen.list(unknown))
            continue
        column, _, said = pair.rpartition("=")
        day = day_or_word(said)
        if not column or day is None:
            raise FixableError(
                "--measured-on takes column=2024-06-30, column=before or column=after.", [f"got {pair!r}"]
            )
        out[column] = day
    return out
