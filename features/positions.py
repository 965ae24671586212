"""The history of posts, pay and managers as it stood in the books on each snapshot.

A blank cell in a position says nothing: what was said before stays in force. Steps (a promotion, a raise, another
manager) are differences between neighbouring rows, and the neighbours of a row change when an earlier one becomes
known late or is corrected; so the history is laid out once per snapshot, which a table of few rows a person allows.
"""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from features import windows
from features.engine import Frame, held, quotient

STATE = (
    "department",
    "team",
    "location",
    "job",
    "job_family",
    "ladder",
    "level",
    "manager_id",
    "employment_type",
    "weekly_hours",
    "pay",
    "pay_midpoint",
    "currency",
    "probation_ends_on",
    "contract_ends_on",
    "bonus_on",
)
"""What a position says about a person."""


def histories(positions: Frame, as_of: Sequence[int]) -> Frame:
    """Every position row alive on each snapshot, blanks filled from before, with what changed at it.

    One row per (employee_id, place, happened_on): ``STATE``, ``promoted``, ``moved``, ``manager_changed`` (Boolean,
    null where the row before does not tell), ``raise_share`` (0.05 = five per cent more; null when pay stayed or the
    currency changed) and ``newest`` (the row in force).
    """
    rows = windows.history(positions, as_of).select("employee_id", "place", "happened_on", *STATE)
    keys = ["employee_id", "place"]
    filled = rows.with_columns(nw.col(*STATE).fill_null(strategy="forward").over(*keys, order_by=["happened_on"]))
    told = ("level", "manager_id", "pay", "currency", "department", "team", "job")
    before = filled.with_columns(
        *[nw.col(name).shift(1).over(*keys, order_by=["happened_on"]).alias(f"_{name}") for name in told]
    )
    currency = nw.col("currency").fill_null("")
    steps = before.with_columns(
        (nw.col("level") > nw.col("_level")).alias("promoted"),
        (nw.col("manager_id") != nw.col("_manager_id")).alias("manager_changed"),
        nw.any_horizontal(
            *[nw.col(name) != nw.col(f"_{name}") for name in ("department", "team", "job")], ignore_nulls=True
        ).alias("moved"),
        nw.when(nw.col("_pay") > 0, nw.col("pay") != nw.col("_pay"), currency == nw.col("_currency").fill_null(""))
        .then(quotient(nw.col("pay"), nw.col("_pay")) - 1.0)
        .alias("raise_share"),
        (nw.col("happened_on") == nw.col("happened_on").max().over(*keys)).alias("newest"),
    )
    return held(steps.drop(*[f"_{name}" for name in told]))


def states(history: Frame) -> Frame:
    """The post in force: one row per (employee_id, place), also for people who have left."""
    return history.filter(nw.col("newest")).select("employee_id", "place", *STATE)


def last_reward(history: Frame) -> Frame:
    """The day of the last raise or promotion on record: (employee_id, place, ``rewarded_on``), null for none."""
    better = (nw.col("raise_share") > 0).fill_null(False) | nw.col("promoted").fill_null(False)
    steps = history.with_columns(nw.when(better).then(nw.col("happened_on")).alias("rewarded_on"))
    return steps.group_by("employee_id", "place").agg(nw.col("rewarded_on").max())
