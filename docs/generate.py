"""The reference pages, written from the code they describe: ``make docs`` renews them, a test holds them current."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import typer

from features.matrix import BLOCKS
from features.tables import TABLES
from models.catalog import Words, load_catalog
from models.evidence import effects
from serving.cli import app as serve_app
from serving.settings import Settings
from training.cli import app as train_app
from training.plan import Plan

HERE = Path(__file__).resolve().parent


def pages() -> dict[str, str]:
    """Return file name → text of every generated page."""
    return {"tables.md": tables(), "features.md": features(), "care.md": care(), "commands.md": commands()}


def tables() -> str:
    """Return the page of input tables."""
    out = [
        "# The tables an organisation hands over",
        "One file per table, CSV or Parquet, or a folder of Parquet parts. Only `employees` is required. **Bold** "
        "columns are required when the table is present. Every table may carry `known_on`: the first day on which the "
        "systems held the fact; left out, it is the default lag after the event (an exit: 30 days before the last day "
        "when it was voluntary, the last day otherwise).",
    ]
    for table in TABLES.values():
        key = ", ".join(f"`{k}`" for k in table.key) or "none, append only"
        lag = "" if table.lag_days is None or table.reference else f" Default lag: {table.lag_days} days."
        out += [f"## `{table.name}`\n\n{table.meaning_en} · {table.meaning_zh}\n\nKey: {key}.{lag}"]
        rows = []
        for c in table.columns:
            name = f"**`{c.name}`**" if c.required else f"`{c.name}`"
            limits = [
                f"{c.minimum:g} ≤" if c.minimum is not None else "",
                f"≤ {c.maximum:g}" if c.maximum is not None else "",
            ]
            allowed = ", ".join(f"`{a}`" for a in c.allowed)
            rows.append((name, c.kind, " ".join([c.unit, *limits, allowed]).strip(), c.meaning_en, c.meaning_zh))
        out.append(_table(("column", "kind", "unit, limits", "meaning", "含义"), rows))
    return _page(out)


def features() -> str:
    """Return the page of feature columns."""
    out = [
        "# What was known on a date: the columns",
        "One row per person and day. *Direction* is what published work leads one to expect of the risk when the value "
        "rises (`+`, `-`; empty: mixed or unknown). A column that is not *told* counts in the score and appears in "
        "nobody's reasons; one that *care can change* may lead to an action. An organisation's own `x_…` columns add "
        "theirs.",
    ]
    cards = [card for block in BLOCKS for card in block.CARDS]
    for driver in dict.fromkeys(card.driver for card in cards):
        mine = [card for card in cards if card.driver == driver]
        rows = [
            (
                f"`{c.column}`",
                c.unit,
                {1: "+", -1: "-", 0: ""}[c.expected],
                "yes" if c.shown else "",
                "yes" if c.actionable else "",
                c.meaning,
                c.words_zh,
                c.source,
            )
            for c in mine
        ]
        head = ("column", "unit", "direction", "told", "care can change", "meaning", "中文", "source")
        out += [f"## {driver} ({len(mine)})", _table(head, rows)]
    return _page(out)


def care() -> str:
    """Return the page of care actions."""
    out = [
        "# Care actions",
        "What a manager can do. An effect is a published hazard ratio of voluntary exit (below 1: fewer leave); where "
        "no controlled study was found, the entry says so. *Counted with* is what plans use until own "
        "cases say more: the study, drawn towards the experience with care in general. An organisation adds, changes "
        "and switches off entries in `care.toml` in its state folder (`models/own_catalog.py`).",
    ]
    catalog = load_catalog()
    believed = {name: one.to_dict() for name, one in effects(catalog).items()}
    for action in catalog.actions:
        told = action.evidence.to_dict()
        facts = (
            ("drivers", ", ".join(action.drivers)),
            ("for whom", _both(action.for_whom)),
            ("cost", _both(action.money)),
            ("first step", _both(action.first_step)),
            ("watch", _both(action.watch)),
            ("harm to avoid", _both(action.harm)),
            ("evidence", f"{told['text_en']} · {told['text_zh']} ({action.evidence.source})"),
            ("counted with", f"{believed[action.id]['text_en']} · {believed[action.id]['text_zh']}"),
            (
                "per person",
                f"{action.hours_each:.3g} h of a manager, {action.pay_months_each:.3g} months of a typical pay",
            ),
        )
        out += [f"## {_both(action.title)}\n\n`{action.id}`", _table(("", ""), facts)]
    return _page(out)


def commands() -> str:
    """Return the page of commands, options, settings and plan fields."""
    out = ["# Commands and settings"]
    for name, cli in (("retention-train", train_app), ("retention-serve", serve_app)):
        out += _commands(name, typer.main.get_command(cli))
    rows = [(f"`RETENTION_{n.upper()}`", f"`{f.default}`") for n, f in Settings.model_fields.items()]
    out += ["## Settings of the service", _table(("environment variable", "default"), rows)]
    defaults = Plan()
    plan = [(f"`{name}`", f"`{getattr(defaults, name)}`") for name in Plan.__dataclass_fields__]
    out += ["## Fields of a training plan (TOML)", _table(("field", "default"), plan), _plain(Plan.__doc__ or "")]
    return _page(out)


def _both(words: Words) -> str:
    return f"{words.en} · {words.zh}"


def _commands(path: str, command: Any) -> list[str]:
    if hasattr(command, "commands"):
        return [part for name, child in command.commands.items() for part in _commands(f"{path} {name}", child)]
    rows = []
    for parameter in command.params:
        names = ", ".join(f"`{o}`" for o in parameter.opts if o != "--help") or f"`{parameter.name}`"
        rows.append((names, _plain(getattr(parameter, "help", None) or "")))
    return [f"## `{path}`\n\n{_plain(command.help or '')}", *([_table(("option", "meaning"), rows)] if rows else [])]


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(_cell(c) for c in row) + " |" for row in rows)])


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("``", "`")).strip()


def _page(parts: list[str]) -> str:
    return "\n\n".join(["<!-- written by `make docs`; change the code, not this page -->", *parts]) + "\n"


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")
