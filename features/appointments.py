"""Days that somebody's papers name in advance: the end of probation, the end of a contract, the next bonus.

A day counts when the post that was in force on it still named it: a bonus that was put off before its day has not
fallen due. People wait for a bonus and leave after it, and decide for themselves when a contract runs out.

Not good for: telling who was offered a renewal; that stands in no table.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features.cards import Card, Driver
from features.engine import Frame
from features.snapshots import Panel

CEB = "CEB: job search fell after bonus and review; mixed evidence"
FARBER = "Farber 1994: the hazard of leaving peaks at three months, then falls"

DAYS: dict[str, tuple[str, Driver, str, str, str]] = {
    "probation_ends_on": ("probation_end", "context", "the end of probation", "试用期结束", FARBER),
    "contract_ends_on": ("contract_end", "context", "the end of the contract", "合同到期", ""),
    "bonus_on": ("bonus", "pay", "the day of a bonus or share award", "奖金发放日", CEB),
}
"""Column of ``positions`` -> name in columns, driver, words in en and zh, source."""


def _cards(name: str, driver: Driver, en: str, zh: str, source: str) -> tuple[Card, Card]:
    ahead = Card(
        f"days_to_{name}",
        driver,
        "days",
        f"days to {en}, as the post in force names it; unknown when it names none ahead",
        f"{{value}} until {en}",
        f"距{zh}还有 {{value}}",
        actionable=False,
        source=source,
    )
    behind = Card(
        f"days_since_{name}",
        driver,
        "days",
        f"days since {en}, as the post in force on that day named it; within the present employment",
        f"{{value}} since {en}",
        f"{zh}已过 {{value}}",
        actionable=False,
        source=source,
    )
    return ahead, behind


CARDS: tuple[Card, ...] = tuple(card for facts in DAYS.values() for card in _cards(*facts))


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    replaced = nw.col("happened_on").shift(-1).over(*keys, order_by=["happened_on"])
    told = panel.history.select(*keys, "happened_on", replaced.alias("_until"), *DAYS)
    steps = told.join(panel.rows.select(*keys, "as_of", "hired_on"), on=keys, how="inner")
    until = nw.col("_until").fill_null(nw.col("as_of") + 1)
    passed = {}
    for day, (name, *_) in DAYS.items():
        held_on = (nw.col(day) >= nw.max_horizontal("happened_on", "hired_on")) & (nw.col(day) < until)
        passed[f"_{name}"] = nw.when(held_on & (nw.col(day) <= nw.col("as_of"))).then(nw.col(day))
    last = steps.group_by(*keys).agg(*[day.max().alias(name) for name, day in passed.items()])
    rows = panel.rows.select(*keys, "as_of", *DAYS).join(last, on=keys, how="left")
    read: list[nw.Expr] = []
    for day, (name, *_) in DAYS.items():
        ahead = (nw.col(day) - nw.col("as_of")).cast(nw.Float64)
        read.append(nw.when(ahead > 0).then(ahead).alias(f"days_to_{name}"))
        read.append((nw.col("as_of") - nw.col(f"_{name}")).cast(nw.Float64).alias(f"days_since_{name}"))
    return rows.select(*keys, *read)
