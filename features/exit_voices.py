"""What those who left the department lately gave as their reason: over several people only, never one person's own.

A reason was told in confidence, and among three leavers a reader may guess who gave it: the columns count in the
score and are told to nobody.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card, Driver
from features.engine import Frame, quotient
from features.snapshots import Panel

FEWEST = 3
"""A share is formed over at least so many others who were asked."""
REASONS: tuple[tuple[Driver, str], ...] = (
    ("pay", "薪酬"),
    ("growth", "发展"),
    ("manager", "上级"),
    ("workload", "负荷"),
)

CARDS: tuple[Card, ...] = tuple(
    Card(
        f"exit_interviews_{reason}_share_365d",
        reason,
        "share",
        f"share of the exit interviews of the last 365 days with others from the department that name {reason}, "
        f"the last one of each; unknown among fewer than {FEWEST} people",
        f"{{value}} of the exit interviews in the department that name {reason}",
        f"部门离职面谈中有 {{value}} 提到{zh}",
        shown=False,
        window_days=365,
    )
    for reason, zh in REASONS
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    post = panel.exits.filter(~nw.col("department").is_null()).select(*keys, "department").unique()
    told = windows.history(panel.facts["exit_interviews"], panel.as_of, window=365)
    told = told.filter(nw.col("happened_on") == nw.col("happened_on").max().over(*keys))
    told = told.select(*keys, "reason").join(post, on=keys, how="inner")
    everybody = told.group_by("place", "department").agg(*_counts("all"))
    own = told.group_by(*keys, "department").agg(*_counts("own"))
    rows = panel.rows.select(*keys, "department").join(everybody, on=["place", "department"], how="left")
    rows = rows.join(own, on=[*keys, "department"], how="left")
    others = nw.col("_all_n") - nw.col("_own_n").fill_null(0)
    return rows.select(
        *keys,
        *[
            nw.when(others >= FEWEST)
            .then(quotient(nw.col(f"_all_{reason}") - nw.col(f"_own_{reason}").fill_null(0), others))
            .alias(f"exit_interviews_{reason}_share_365d")
            for reason, _ in REASONS
        ],
    )


def _counts(whose: str) -> list[nw.Expr]:
    named = [(nw.col("reason") == reason).cast(nw.Int64).sum().alias(f"_{whose}_{reason}") for reason, _ in REASONS]
    return [*named, nw.len().cast(nw.Int64).alias(f"_{whose}_n")]
