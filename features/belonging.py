"""The block of people and ties: the pairs in touch are found once and read by four themes.

interactions ─▶ pairs ─▶ interactions.py  how often, with how many
                     ├─▶ ties.py          how strong, how lasting, how central
                     ├─▶ contagion.py     who of them has gone
                     └─▶ integration.py   how a newcomer settles in
"""

from __future__ import annotations

from features import contagion, integration, interactions, ties
from features.cards import Card
from features.engine import Frame
from features.pairs import pairs
from features.snapshots import Panel

THEMES = (interactions, ties, contagion, integration)
CARDS: tuple[Card, ...] = tuple(card for theme in THEMES for card in theme.CARDS)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    in_touch = pairs(panel)
    rows = panel.rows.select(*keys)
    for theme in THEMES:
        told = theme.columns(panel, in_touch).select(*keys, *[card.column for card in theme.CARDS])
        rows = rows.join(told, on=keys, how="left")
    return rows
