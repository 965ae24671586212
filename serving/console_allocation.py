"""The organisation's plan in the console: a line per department, and the names as a file for those who may see them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from models.catalog import Catalog
from models.own_catalog import load_with_own
from models.small_groups import OTHER
from serving.access import Visit
from serving.allocation import Asked, Avoided, OrganisationPlan, Planned, organisation_plan, planned_people
from serving.console import show
from serving.export import cell
from serving.settings import Settings
from serving.store import Store
from serving.words import Words

COLUMNS = ("employee_id", "name", "department", "team", "manager_id", "action")


def run(store: Store, settings: Settings, visit: Visit, asked: Asked, *, names: Path | None, words: Words) -> None:
    """Show the plan, and write who is offered what to the file ``names`` when there is one; each name is logged."""
    catalog = load_with_own(settings.own_actions)
    show_plan(organisation_plan(store, visit, asked, catalog=catalog, min_group=settings.min_group), catalog, words)
    if names is not None:
        _, people = planned_people(store, visit, asked, catalog=catalog)
        with names.open("w", encoding="utf-8-sig", newline="") as file:  # spreadsheets then read Chinese names
            write_people(people, file)
        show(words("allocation.written", n=len(people), file=names))


def show_plan(seen: OrganisationPlan, catalog: Catalog, words: Words) -> None:
    """Print what would be done per department, what it prevents together, and what a little more would add."""
    parts: list[RenderableType] = [Text(words("allocation.title"), style="bold dark_cyan")]
    if not seen.n_planned:
        show(*parts, words("allocation.empty"))
        return
    money, hours = f"{seen.money:,.0f}", f"{seen.hours:.1f}"
    parts.append(_table(seen, catalog, words))
    parts.append(words("allocation.together", n=seen.n_planned, money=money, hours=hours))
    parts += _effects(seen, words)
    foot = words("allocation.as_of", day=words.day(seen.run.as_of), version=seen.run.model_version)
    rules = [words("allocation.read_persuadable"), words("allocation.read_draft"), foot]
    show(*parts, *[Text(rule, style="dim") for rule in rules])


def _effects(seen: OrganisationPlan, words: Words) -> list[RenderableType]:
    """Return what the plan prevents and what a little more would add, as far as it is told."""
    parts: list[RenderableType] = []
    if seen.avoided:
        told = {"expected": seen.avoided.expected or "< 1", "low": seen.avoided.low, "high": seen.avoided.high}
        parts.append(words("allocation.avoided_together", **told, horizon=words.horizon(seen.run.horizon_days)))
    elif not seen.told:
        parts.append(words("allocation.round_only"))
    if seen.more_money is not None:
        parts.append(words("allocation.more_money", step="10,000", n=seen.more_money or "< 0.1"))
    if seen.more_hour is not None:
        parts.append(words("allocation.more_hour", n=seen.more_hour or "< 0.01"))
    return parts


def _table(seen: OrganisationPlan, catalog: Catalog, words: Words) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("department", "people", "what", "money", "hours", "avoided"):
        table.add_column(words(f"allocation.{head}"), justify="left" if head in ("department", "what") else "right")
    titles = {action.id: getattr(action.title, words.language) for action in catalog.actions}
    for line in seen.lines:
        offered = "\n".join(words("allocation.action", title=titles[action], n=n) for action, n in line.actions)
        people = words("allocation.of", n=line.n_planned, all=line.n_people)
        place = {OTHER: words("allocation.other"), "-": words("allocation.unknown")}.get(
            line.department, line.department
        )
        table.add_row(place, people, offered or "–", f"{line.money:,.0f}", f"{line.hours:.1f}", _avoided(line.avoided))
    return table


def _avoided(told: Avoided | None) -> str:
    return f"{told.expected or '< 1'} ({told.low}–{told.high})" if told else "–"


def write_people(people: Sequence[Planned], file: TextIO) -> None:
    """Write one row per person and action, without anything that tells of a risk."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for one in people:
        writer.writerow([cell(getattr(one, name)) for name in COLUMNS])
