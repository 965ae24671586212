"""The truth about the invented company: what no record shows. It lives in a folder that no part of the service reads.

Only a test, or a summary that says how good a model is against what could be known, may call ``true_risk``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from features.company import hazard as hz
from features.company.life import History
from features.company.records import Roster
from features.company.staff import NEVER

DAYS_PER_MONTH = 30.4375


def write_truth(history: History, folder: Path) -> None:
    """Three Parquet files: ``hazards`` (per person and month), ``decisions`` (who, when, notice), ``people`` (traits).

    ``hazards``: employee_id, as_of (last day of the month), month_of_year and tenure_months of that month, the monthly
    rates of a decision to leave and of all other exits, under_notice, decided, and one column per term of the
    log-hazard (``term_…``, see ``company.hazard.TERMS``). People not employed on ``as_of`` have no row.
    """
    roster, panel, people = Roster(history), history.panel, history.people
    who, as_of = panel["who"], history.first[panel["month"] + 1] - 1
    folder.mkdir(parents=True, exist_ok=True)
    terms = {f"term_{name}": panel[f"term_{name}"] for name in hz.TERMS}
    pl.DataFrame(
        {
            "employee_id": roster.ids(who),
            "as_of": as_of,
            "month_of_year": roster.calendar_month(panel["month"]),
            "tenure_months": panel["tenure"],
            "rate_voluntary": panel["rate_voluntary"],
            "rate_other": panel["rate_other"],
            "exposed": panel["exposed"],
            "under_notice": panel["under_notice"],
            "decided": people["decided"][who] <= as_of,
            **terms,
        }
    ).filter(pl.Series(people["last"][who] >= as_of)).write_parquet(folder / "hazards.parquet")
    gone = np.flatnonzero(roster.exported & (people["decided"] != NEVER))
    pl.DataFrame(
        {
            "employee_id": roster.ids(gone),
            "decided_on": people["decided"][gone],
            "notice_on": people["notice"][gone],
        }
    ).write_parquet(folder / "decisions.parquet")
    kept = np.flatnonzero(roster.exported)
    pl.DataFrame(
        {
            "employee_id": roster.ids(kept),
            "frailty": people["frailty"][kept],
            "quality_as_manager": people["quality"][kept],
        }
    ).write_parquet(folder / "people.parquet")


def true_risk(truth: Path, spine: pl.DataFrame, *, horizon_days: int, decisions: bool = False) -> pl.DataFrame:
    """The probability that a person gives voluntary notice within ``(as_of, as_of + horizon_days]``, for one who sees
    every latent state of the last month-end at or before ``as_of``, and nothing later.

    Precisely: the log-hazard of that month is held, except for what is certain to change (tenure and season go on
    month by month) and what is over soon (new manager, contagion, care: gone after three months). Other exits compete
    at their rate of that month. Who has already decided is *not* seen: these are the known hazards, and a notice
    follows a decision by a month on average. With ``decisions=True`` a person who has decided gets 1, which is
    more than hazards can tell and more than any record shows.

    Trap: latent states fall back towards the mean, so held hazards rank well but are a little too spread out.

    Returns ``spine`` (employee_id, as_of) with the column ``true_risk``, in the same order; null for people who were
    under notice or not employed at that month-end.
    """
    table = pl.read_parquet(truth / "hazards.parquet").filter(~pl.col("under_notice"))
    risks = table.select("employee_id", pl.col("as_of").alias("month_end"), "decided")
    risks = risks.with_columns(true_risk=pl.Series(_cumulative_incidence(table, horizon_days)))
    if decisions:
        risks = risks.with_columns(true_risk=pl.when("decided").then(1.0).otherwise("true_risk"))
    next_day = pl.col("as_of").cast(pl.Date).dt.offset_by("1d")
    month_end = next_day.dt.truncate("1mo").dt.offset_by("-1d")
    return (
        spine.select("employee_id", "as_of")
        .with_columns(month_end=month_end)
        .join(risks.drop("decided"), on=["employee_id", "month_end"], how="left", maintain_order="left")
        .drop("month_end")
    )


def _cumulative_incidence(table: pl.DataFrame, horizon_days: int) -> np.ndarray:
    """Voluntary cumulative incidence of each row of ``hazards`` over the horizon, month by month."""
    moving = ["term_tenure", "term_season", *(f"term_{name}" for name in hz.PASSING)]
    lasting = np.log(np.maximum(table["rate_voluntary"].to_numpy(), 1e-12))
    lasting = lasting - table.select(pl.sum_horizontal(moving)).to_series().to_numpy()
    passing = table.select(pl.sum_horizontal(f"term_{name}" for name in hz.PASSING)).to_series().to_numpy()
    tenure, month = table["tenure_months"].to_numpy(), table["month_of_year"].to_numpy()
    other = table["rate_other"].to_numpy()
    left, staying = np.zeros(len(table)), np.ones(len(table))
    months = horizon_days / DAYS_PER_MONTH
    for ahead in range(1, int(np.ceil(months)) + 1):
        share = min(1.0, months - (ahead - 1))
        log_rate = lasting + hz.tenure_term(tenure + ahead) + hz.SEASON[(month + ahead - 1) % 12]
        rate = np.exp(log_rate + (passing if ahead <= 3 else 0.0))
        gone = staying * (1 - np.exp(-share * (rate + other)))
        left = left + gone * rate / (rate + other)
        staying = staying - gone
    return left
