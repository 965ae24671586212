"""What only the training run itself can say, kept as plain data beside the test rows, for the report and for later.

which columns and drivers move the score · gates and verdicts · plan and data versions · two checks of the judging
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

import numpy as np

from models.card import ModelCard
from models.risk import INTERVAL_CARD
from training.backtest import Backtest
from training.canary import canary
from training.evaluate import Interval
from training.fit import Trained
from training.promote import Gate

FEWEST_OF_A_COLUMN = 0.005
"""Share of the score's movement below which a column is left out of the list."""


def findings(
    trained: Trained, card: ModelCard, counts: Backtest, *, gates: Sequence[Gate], gain: Mapping[str, Interval]
) -> dict[str, Any]:
    """Return the facts of a run with JSON types only."""
    honest = canary(trained)
    plan = {name: str(value) for name, value in asdict(trained.plan).items()}
    return {
        "card": card.to_dict(),
        "kind_tested": sorted(set(trained.unseen["chosen_kind"])),
        "gates": [asdict(gate) for gate in gates],
        "gain": {name: plain(interval) for name, interval in gain.items()},
        "columns": parts(trained),
        "canary": {name: number(value) for name, value in {**asdict(honest), "gap": honest.gap}.items()},
        "forecast": {
            "coverage": [_numbers(row) for row in counts.coverage.to_dict("records")],
            "sums": {name: plain(interval) for name, interval in counts.sums.items()},
            "bias": counts.bias and {**asdict(counts.bias), "ratio": plain(counts.bias.ratio)},
            "shock": counts.shock.to_dict(),
        },
        "plan": plan,
        "n_rows": len(trained.panel.rows),
        "n_snapshots": int(trained.panel.index["as_of"].nunique()),
    }


def parts(trained: Trained) -> list[dict[str, Any]]:
    """Return the columns that move the score, with their share of its movement on the last snapshot, largest first.

    The share is the mean absolute contribution over people: what the model looks at, not what makes people leave.
    """
    model, as_of = trained.model, trained.panel.index["as_of"]
    rows = trained.panel.rows[(as_of == as_of.max()).to_numpy()]
    _, contributions = model.contributions(rows)
    size = np.abs(contributions).mean(axis=0)
    cards = {card.column: card for card in (*trained.panel.cards, INTERVAL_CARD)}
    told = [
        {"column": name, "driver": cards[name].driver, "meaning": cards[name].meaning, "part": float(part)}
        for name, part in zip(model.columns, size / max(size.sum(), 1e-12), strict=True)
        if part >= FEWEST_OF_A_COLUMN
    ]
    return sorted(told, key=lambda one: -float(one["part"]))


def plain(interval: Interval) -> dict[str, float | None]:
    """Return an interval with None for what is not known."""
    return {name: number(value) for name, value in asdict(interval).items()}


def number(value: Any) -> float | None:
    """Return a finite number or None, which JSON can hold."""
    return float(value) if isfinite(value) else None


def _numbers(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value if isinstance(value, str) else number(value) for key, value in row.items()}
