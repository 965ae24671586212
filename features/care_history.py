"""Care that was agreed, given or declined before. It marks attention, not a cause: care goes to those about whom
somebody worries, so more of it beside a higher risk says nothing against it (see the effects of care in ``training``).
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.engine import Frame
from features.snapshots import Panel
from features.windows import Measure, total

COUNTED = (
    ("agreed", 180, "已商定", "agreed"),
    ("done", 180, "已完成", "given"),
    ("declined", 365, "被谢绝", "declined"),
)

CARDS: tuple[Card, ...] = (
    *(
        Card(
            f"care_{status}_{days}d",
            "context",
            "count",
            f"care actions {en} in the last {days} days; a mark of attention, not a cause",
            f"{{value}} care actions {en} in the last {days} days",
            f"近 {days} 天{zh}的关怀行动 {{value}} 项",
            shown=False,
            actionable=False,
            window_days=days,
        )
        for status, days, zh, en in COUNTED
    ),
    Card(
        "days_since_care",
        "context",
        "days",
        "days since a care action was last given; a mark of attention, not a cause",
        "{value} since a care action was last given",
        "距上次关怀行动已 {value}",
        shown=False,
        actionable=False,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    facts, status = panel.facts["care_actions"], nw.col("status")
    measures = [Measure(name, nw.when(status == name).then(nw.lit(1.0)), (days,)) for name, days, _, _ in COUNTED]
    sums = windows.window_sums(panel.spine, facts, measures)
    last = windows.last_day(facts.filter(status == "done"), panel.as_of, ["employee_id"])
    return sums.join(last, on=["employee_id", "place"], how="left").select(
        "employee_id",
        "place",
        *[total(name, days).alias(f"care_{name}_{days}d") for name, days, _, _ in COUNTED],
        (nw.col("as_of") - nw.col("last_day")).cast(nw.Float64).alias("days_since_care"),
    )
