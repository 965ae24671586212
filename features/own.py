"""Columns of the organisation's own (``x_…``), declared in its mapping: the latest value, its level and its change."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.comparisons import silence
from features.engine import Frame
from features.errors import FixableError
from features.snapshots import Panel
from features.tables import TABLES, OwnColumn
from features.windows import Measure, change, mean

REFUSED = ("exits", "exit_interviews", "protected", "care_actions")
"""What is known about leaving, protected or given as care is no signal of it."""


def cards(own: Sequence[OwnColumn]) -> tuple[Card, ...]:
    """The cards of declared own columns: one for a category, seven for a number."""
    problems = [f"{one.name}: table {one.table} has no features of its own" for one in own if not _usable(one)]
    names = [one.name for one in own]
    problems += [f"{name}: declared in two tables, give one another name" for name in names if names.count(name) > 1]
    if problems:
        raise FixableError("own columns that cannot become features", sorted(set(problems)))
    return tuple(card for one in own for card in _cards(one))


def made_of(name: str) -> tuple[str, ...]:
    """The names of all columns of the matrix that an own column of this name can become."""
    kinds = (OwnColumn("", name, kind) for kind in ("category", "number"))
    return tuple(card.column for one in kinds for card in _cards(one))


def columns(panel: Panel, own: Sequence[OwnColumn]) -> Frame:
    """One row per (employee_id, place) with the columns of ``cards(own)``."""
    keys = ["employee_id", "place"]
    rows = panel.rows.select(*keys)
    for one in own:
        facts = panel.facts[one.table]
        if one.name not in facts.collect_schema().names():
            kind = nw.Float64 if one.kind == "number" else nw.String
            facts = facts.with_columns(nw.lit(None, dtype=kind()).alias(one.name))
        rows = rows.join(_told(panel, facts, one), on=keys, how="left")
    return rows


def _usable(one: OwnColumn) -> bool:
    table = TABLES.get(one.table)
    return table is not None and table.event is not None and one.table not in REFUSED and one.name.startswith("x_")


def _told(panel: Panel, facts: Frame, one: OwnColumn) -> Frame:
    keys, value = ["employee_id", "place"], nw.col(one.name)
    said = facts.filter(~value.is_null())
    last = windows.latest(said, panel.as_of, ["employee_id"])
    if one.kind == "category":
        return last.select(*keys, value.cast(nw.String))
    latest = last.select(*keys, value.cast(nw.Float64).alias(f"{one.name}_latest"))
    newest = windows.last_day(said, panel.as_of, ["employee_id"])
    sums = windows.window_sums(panel.spine, facts, [Measure("own", value.cast(nw.Float64), (90, 180, 365, 730))])
    told = sums.join(newest, on=keys, how="left").select(
        *keys,
        *[mean("own", days).alias(f"{one.name}_mean_{days}d") for days in (90, 180, 365)],
        *[change("own", days, 365).alias(f"{one.name}_change_{days}d") for days in (90, 180)],
        silence("own", 730).alias(f"{one.name}_silence_vs_usual"),
    )
    return told.join(latest, on=keys, how="left")


def _cards(one: OwnColumn) -> tuple[Card, ...]:
    name = one.name.removeprefix("x_").replace("_", " ")
    en, zh = _phrase(one.words_en or name), _phrase(one.words_zh or name)
    acts = one.driver != "context"
    if one.kind == "category":
        return (
            Card(one.name, one.driver, "category", f"{name}: latest known", en, zh, actionable=acts, kind="category"),
        )
    return (
        Card(f"{one.name}_latest", one.driver, "score", f"{name}: latest known", en, zh, actionable=acts),
        *(
            Card(
                f"{one.name}_mean_{d}d",
                one.driver,
                "score",
                f"{name}: mean of the last {d} days",
                f"{en} on average in the last {d} days",
                f"近 {d} 天平均{zh}",
                actionable=acts,
                window_days=d,
            )
            for d in (90, 180, 365)
        ),
        *(
            Card(
                f"{one.name}_change_{d}d",
                one.driver,
                "score",
                f"{name}: mean of the last {d} days minus the mean of the {365 - d} days before",
                f"{en} as the change in the last {d} days",
                f"近 {d} 天变化：{zh}",
                actionable=acts,
                window_days=365,
            )
            for d in (90, 180)
        ),
        Card(
            f"{one.name}_silence_vs_usual",
            one.driver,
            "ratio",
            f"{name}: days since the last value over the days that usually lay between two in the last 730 days; "
            "unknown with fewer than three",
            f"{en} as the wait for a new value against the usual one",
            f"距上次记录的时长与平时间隔之比：{zh}",
            actionable=acts,
            window_days=730,
        ),
    )


def _phrase(words: str) -> str:
    return words if "{value}" in words else words + ": {value}"
