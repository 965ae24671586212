"""What the model would say if something that care can change were otherwise. Not what would happen.

Only columns whose card says that an action can change them, that may be told, and that the model reads; everything
else is refused by name. The row is the one behind the shown score, so nothing of the future slips in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import polars as pl

from features.cards import Card
from features.matrix import Matrix
from models.assess import Assessment, assess
from models.bundle import Bundle
from models.care import Catalog

RANGES = {"share": (0.0, 1.0), "flag": (0.0, 1.0)}
LOWEST = {"count", "days", "months", "hours"}


@dataclass(frozen=True)
class WhatIf:
    """The assessment as it is and as it would be."""

    now: Assessment
    then: Assessment


def columns(bundle: Bundle) -> list[Card]:
    """Return the columns that may be changed in a what-if, in the order of the model."""
    cards = {card.column: card for card in bundle.card.cards}
    read = [cards[name] for name in bundle.model.columns if name in cards]
    return [card for card in read if card.actionable and card.shown and card.driver != "context"]


def wrong(changes: Mapping[str, float | str | None], bundle: Bundle) -> list[dict[str, str]]:
    """Return why changes cannot be asked for, each by the name of its column."""
    allowed = {card.column: card for card in columns(bundle)}
    read = set(bundle.model.columns)
    found = []
    for name, value in changes.items():
        if name not in allowed:
            found.append({"where": f"changes.{name}"[:200], "what": "not_actionable" if name in read else "not_read"})
        elif (why := _wrong_value(allowed[name], value, bundle)) is not None:
            found.append({"where": f"changes.{name}"[:200], "what": why})
    return found


def _wrong_value(card: Card, value: float | str | None, bundle: Bundle) -> str | None:
    if value is None:
        return None
    if card.kind == "category":
        levels = bundle.model.categories.get(card.column, ())
        return None if isinstance(value, str) and value in levels else "unknown_value"
    if isinstance(value, str) or not isfinite(value):
        return "not_a_number"
    low, high = RANGES.get(card.unit, (0.0 if card.unit in LOWEST else -1e9, 1e9))
    return None if low <= value <= high else "out_of_range"


def ask(
    known: Matrix, employee_id: str, changes: Mapping[str, float | str | None], *, bundle: Bundle, catalog: Catalog
) -> WhatIf | None:
    """Return both assessments of a person; None when the day knows nobody of this id."""
    frame = known.frame.filter(pl.col("employee_id") == employee_id)
    if not frame.height:
        return None
    changed = frame.with_columns(pl.lit(value, dtype=frame.schema[name]).alias(name) for name, value in changes.items())
    now, then = (assess(bundle, Matrix(one, known.cards), catalog=catalog)[0] for one in (frame, changed))
    return WhatIf(now, then)


def moved(what: WhatIf) -> Sequence[str]:
    """Return the drivers whose part of the score changes, the strongest change first."""
    before = {reason.driver: reason.contribution for reason in what.now.reasons}
    after = {reason.driver: reason.contribution for reason in what.then.reasons}
    size = {driver: abs(after[driver] - before.get(driver, 0.0)) for driver in after}
    return sorted((driver for driver in size if size[driver] > 1e-9), key=lambda driver: (-size[driver], driver))
