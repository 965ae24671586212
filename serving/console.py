"""What the command line shows: the teams that need care first, one person as an example, keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from models.small_groups import OTHER
from serving.seen import Forecast, Overview, Person
from serving.words import Words

TEAMS_SHOWN = 8
REASONS_SHOWN = 5
KINDS = ("base", "linear", "chosen")
FILLED, EMPTY = "■", "□"


def quality(card: Mapping[str, Any], words: Words) -> RenderableType:
    """Return how the model, a linear model and the base rate proved out of time, as the model's card declares it."""
    reference = int(card["reference_horizon_days"])
    found = {kind: card.get("metrics", {}).get(kind, {}).get(str(reference)) for kind in KINDS}
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("", overflow="fold")
    for kind in KINDS:
        table.add_column(words(f"console.kind_{kind}"), justify="right")
    for key, metric in (("quality_auc", "auc"), ("quality_caught", "caught_at_10")):
        cells = [_share_with_range(row.get(metric)) if row else "–" for row in found.values()]
        table.add_row(words(f"console.{key}"), *cells)
    title = words("console.quality", horizon=words.horizon(reference))
    return Group(Text(title, style="bold dark_cyan"), Text(""), table)


def _share_with_range(found: Mapping[str, float] | None) -> str:
    if not found or found.get("value") is None:
        return "–"
    return f"{found['value']:.0%} ({found['low']:.0%}–{found['high']:.0%})"


def teams(seen: Overview, words: Words) -> RenderableType:
    """Return the first teams as a table; small groups have no row."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    horizon = words.horizon(seen.run.horizon_days)
    for head in ("console.team", "console.people", "console.leaving", "console.needs"):
        table.add_column(words(head, horizon=horizon), justify="right" if head == "console.people" else "left")
    large = [team for team in seen.teams if team.figures]
    for team in large[:TEAMS_SHOWN]:
        figures = team.figures
        if figures is None:
            continue
        marks = Text(FILLED * min(round(figures.expected_exits), 10), style="dark_cyan")
        needs = words("site.and").join(words.driver(driver) for driver, _ in figures.needs) or "–"
        leaving = Text.assemble(f"{words.expected(figures.low, figures.high):8}", " ", marks)
        table.add_row(team.team, str(figures.n_people), leaving, needs)
    return Group(Text(words("console.title"), style="bold dark_cyan"), Text(""), table)


def person(seen: Person, words: Words) -> RenderableType:
    """Return one person: risk over the horizons, reasons in a sentence each, and the care plan."""
    one = seen.assessed
    parts: list[RenderableType] = [_risks(one.risk or {}, words), Text("")]
    if one.band:
        parts += [Text.assemble((words("console.band"), "bold"), " ", words(f"band.{one.band}")), Text("")]
    parts += [Text(words("console.reasons"), style="bold")]
    told = [reason for reason in one.reasons if words.of(reason, "text")][:REASONS_SHOWN]
    parts += [_point("▲" if reason["direction"] == "raises" else "▼", words.of(reason, "text")) for reason in told]
    parts += [Text(""), Text(words("console.plan"), style="bold")]
    actions = one.plan.get("actions", [])
    parts += [_action(number, action, words) for number, action in enumerate(actions, 1)]
    if not actions:
        parts.append(Text(words.of(one.plan, "empty_because") or "–"))
    parts += [Text(""), Text(words.evidence(seen.run.card, one.band), style="dim")]
    parts += [Text(words("about.wrong"), style="dim"), Text(words("about.never"), style="dim")]
    who = " · ".join(part for part in (one.name, one.employee_id, one.job, one.team) if part)
    return Panel(Group(*parts), title=words("console.person"), subtitle=who, padding=(1, 2), width=104)


def _risks(risk: Mapping[str, float], words: Words) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=False)
    for days in sorted(risk, key=int):
        share = round(risk[days] * 20)
        bar = Text(FILLED * share, style="dark_cyan") + Text(EMPTY * (20 - share), style="dim")
        table.add_row(words("console.within", horizon=words.horizon(int(days))), f"{risk[days]:.0%}", bar)
    return Group(Text(words("console.risk"), style="bold"), table)


def _point(mark: str, text: str) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text(mark, style="dark_cyan"), Text(text))
    return grid


def _action(number: int, action: Mapping[str, Any], words: Words) -> RenderableType:
    title = Text.assemble((f"{number}. {words.of(action, 'title')}", "bold dark_cyan"))
    step = Text.assemble((words("console.first_step"), "bold"), " ", words.of(action, "first_step"))
    who = words.of(action, "who_decides") or action["who_decides"]
    cost = words.of(action, "cost") or action["cost"]
    facts = Text(_capital(words("console.who", who=who, cost=cost, days=action["days"])), style="dim")
    evidence = Text(words.of(action["evidence"], "text") or "", style="dim")
    return Padding(Group(title, step, facts, evidence), (0, 0, 1, 0))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def footer(run: Any, until: Any, words: Words) -> RenderableType:
    """Return what the figures rest on and until when they may be read."""
    told = words("console.as_of", day=words.day(run.as_of), version=run.model_version, until=words.day(until))
    return Text(f"{told} {words('console.audited')}", style="dim")


def ledger(seen: Forecast, words: Words) -> RenderableType:
    """Return the hiring ledger as a table, with how to read it below."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    heads = ("group", "people", "leaving", "going", "hires", "needed_by", "search_from", "fill")
    for head, key in ((head, f"forecast.{head}") for head in heads):
        table.add_column(words(key), justify="left" if head in ("group", "needed_by", "search_from") else "right")
    for line in seen.lines:
        days = [words.day(date.fromisoformat(line[name])) if line[name] else "–" for name in heads[5:7]]
        leaving = words.expected(line["low"], line["high"])
        group = " · ".join(dict.fromkeys(place(line[name], words) for name in ("department", "job")))
        fill = words("forecast.days", n=line["fill_days"])
        counts = (str(line["n_people"]), leaving, str(line["n_going"]), str(line["hires"]))
        table.add_row(group, *counts, *days, fill)
    rules = [words("forecast.read_range"), words("forecast.read_hires", of_100=round(100 * seen.service_level))]
    rules += [words("forecast.read_left_out"), words("forecast.read_small", n=seen.min_group)]
    foot = words(
        "forecast.as_of", day=words.day(seen.run.as_of), until=words.day(seen.until), version=seen.run.model_version
    )
    title = Text(words("forecast.title"), style="bold dark_cyan")
    return Group(title, Text(""), table, Text(""), *[Text(f"· {rule}") for rule in rules], Text(foot, style="dim"))


def place(name: str, words: Words) -> str:
    """Return a department or job as it is called: one that was merged or is unknown has words of its own."""
    return words("forecast.other") if name == OTHER else words("forecast.unknown") if name == "-" else name


def keys(rows: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Return all API keys, two lines each; the tokens themselves are known to nobody."""
    lines: list[RenderableType] = []
    for row in rows:
        sees = row["sees"] + (f" {row['sees_value']}" if row["sees_value"] else "")
        until = f"until {row['expires_at']:%Y-%m-%d}" if row["expires_at"] else "live"
        state = f"revoked {row['revoked_at']:%Y-%m-%d}" if row["revoked_at"] else until
        state += f" · last used {row['used_on']:%Y-%m-%d}" if row["used_on"] else " · never used"
        head = f" · {row['role']} · sees {sees} · made {row['created_at']:%Y-%m-%d} · {state}"
        lines.append(Text.assemble((f"{row['id']}  {row['name']}", "bold"), head))
        lines.append(Text(f"   {', '.join(row['scopes'])} · for {', '.join(row['purposes'])}", style="dim"))
    return Group(*lines) if lines else Text("There are no keys.")


def show(*parts: RenderableType) -> None:
    """Print the parts with a line between them."""
    console = Console(highlight=False)
    for part in parts:
        console.print(part)
        console.print()
