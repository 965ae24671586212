"""What goes wrong between the world and the files, where a regime says so (``company.regimes.Faults``).

Other than the small warts of every export these faults are large enough to spoil a model that does not look: feeds fall
silent, a definition changes, exits are entered after the last day, one group's exits are filed as something else.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from features.company.history import History
from features.company.records import Roster

SURVEY_OUTAGE, INTERACTION_OUTAGE = 3, 2
OVERTIME_REDEFINED, MESSAGES_REDEFINED = 1.5, 0.6
ENTERED_LATE_DAYS = (5, 60)


def faulty(tables: dict[str, pl.DataFrame], roster: Roster, rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    """The tables with the faults of the regime; those without a fault are the same frames."""
    faults, out = roster.history.company.regime.faults, dict(tables)
    if faults.survey_lag_days is not None:
        out["surveys"] = _known_later(out["surveys"], faults.survey_lag_days, rng)
    if faults.redefined_month is not None:
        out |= _redefined(out, _day(roster.history, faults.redefined_month))
    if faults.outage_month is not None:
        silent = _day(roster.history, faults.outage_month), _day(roster.history, faults.outage_month + SURVEY_OUTAGE)
        back = _day(roster.history, faults.outage_month + SURVEY_OUTAGE + INTERACTION_OUTAGE)
        out["surveys"] = _without(out["surveys"], *silent)
        out["interactions"] = _without(out["interactions"], silent[1], back)
    out["exits"] = _exits(out["exits"], roster, rng)
    return out


def _day(history: History, month: int) -> date:
    first: date = history.first[min(month, len(history.first) - 1)].item()
    return first


def _known_later(frame: pl.DataFrame, days: tuple[int, int], rng: np.random.Generator) -> pl.DataFrame:
    lag = pl.Series(rng.integers(days[0], days[1] + 1, len(frame)))
    return frame.with_columns(known_on=pl.col("happened_on") + pl.duration(days=pl.lit(lag)))


def _without(frame: pl.DataFrame, first: date, end: date) -> pl.DataFrame:
    return frame.filter((pl.col("happened_on") < first) | (pl.col("happened_on") >= end))


def _redefined(tables: dict[str, pl.DataFrame], first: date) -> dict[str, pl.DataFrame]:
    later = pl.col("happened_on") >= first
    hours = pl.when(later).then((pl.col("overtime_hours") * OVERTIME_REDEFINED).round(1)).otherwise("overtime_hours")
    fewer = (pl.col("n") * MESSAGES_REDEFINED).ceil().cast(pl.Int64)
    counted = pl.when(later & (pl.col("kind") == "message")).then(fewer).otherwise("n")
    return {
        "attendance": tables["attendance"].with_columns(overtime_hours=hours),
        "interactions": tables["interactions"].with_columns(n=counted),
    }


def _exits(frame: pl.DataFrame, roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """Some exits entered after the last day; some of group B's voluntary ones filed as dismissals."""
    regime = roster.history.company.regime
    if regime.faults.backdated:
        late = pl.Series(rng.random(len(frame)) < regime.faults.backdated)
        days = pl.Series(rng.integers(ENTERED_LATE_DAYS[0], ENTERED_LATE_DAYS[1] + 1, len(frame)))
        entered = pl.col("happened_on") + pl.duration(days=pl.lit(days))
        frame = frame.with_columns(known_on=pl.when(late).then(entered).otherwise("known_on"))
    if regime.groups is not None and regime.groups.label_bias:
        b = pl.Series(roster.number.gather(np.flatnonzero(roster.people["group"] == 1)))
        wrong = pl.Series(rng.random(len(frame)) < regime.groups.label_bias)
        wrong = wrong & frame["employee_id"].is_in(b.implode()) & (frame["kind"] == "voluntary")
        kind = pl.when(wrong).then(pl.lit("involuntary")).otherwise("kind")
        reason = pl.when(wrong).then(pl.lit("performance")).otherwise("reason")
        frame = frame.with_columns(kind=kind, reason=reason)
    return frame
