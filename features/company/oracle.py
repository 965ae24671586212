"""What could be known about leaving in the invented company by one who sees every latent state: the oracle's risk.

Only a test, or a summary that says how good a model is against what could be known, may call ``true_risk``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl

from features.company import hazard as hz
from features.company.accelerated import OUTLOOK_MONTHS, outlook
from features.errors import FixableError

DAYS_PER_MONTH = 30.4375


def true_risk(truth: Path, spine: pl.DataFrame, *, horizon_days: int, decisions: bool = False) -> pl.DataFrame:
    """The probability that a person gives voluntary notice within ``(as_of, as_of + horizon_days]``, for one who sees
    every latent state of the last month-end at or before ``as_of``, and nothing later.

    Precisely: the log-hazard of that month is held, except for what is certain to change (tenure and season go on
    month by month) and what is over soon (new manager, contagion, care: gone after three months). In the accelerated
    world the pull on the fit is held, and the chance that the fit falls below zero is exact; a fit that has fallen
    tells of the decision there. Other exits compete at
    their rate of that month. Who has already decided is *not* seen, and a notice counts as if it followed a decision
    at once. With ``decisions=True`` both are known: how long ago somebody decided, and how long people wait with their
    notice; that is more than hazards can tell and more than any record shows.

    Trap: latent states fall back towards the mean, so held hazards rank well but are a little too spread out.

    Returns ``spine`` (employee_id, as_of) with the column ``true_risk``, in the same order; null for people who were
    under notice or not employed at that month-end.
    """
    table = pl.read_parquet(truth / "hazards.parquet").filter(~pl.col("under_notice"))
    regime = json.loads((truth / "company.json").read_text(encoding="utf-8"))["regime"]
    if decisions:
        known = _notice_incidence(table, horizon_days, regime)
    else:
        known = _cumulative_incidence(table, horizon_days / DAYS_PER_MONTH, regime)
    risks = table.select("employee_id", pl.col("as_of").alias("month_end"))
    risks = risks.with_columns(true_risk=pl.Series(known))
    next_day = pl.col("as_of").cast(pl.Date).dt.offset_by("1d")
    month_end = next_day.dt.truncate("1mo").dt.offset_by("-1d")
    return (
        spine.select("employee_id", "as_of")
        .with_columns(month_end=month_end)
        .join(risks, on=["employee_id", "month_end"], how="left", maintain_order="left")
        .drop("month_end")
    )


def _notice_incidence(table: pl.DataFrame, horizon_days: int, regime: dict) -> np.ndarray:
    """The chance of a notice when decisions and the usual wait between decision and notice are known."""
    months, lag = horizon_days / DAYS_PER_MONTH, np.array(regime["lag"])
    risk = np.zeros(len(table))
    for wait, share in enumerate(lag):
        if share > 0 and months > wait:
            risk += share * _cumulative_incidence(table, months - wait, regime)
    since = table["since_decision"].to_numpy()
    due = np.zeros(len(table))
    for s in np.unique(since[since >= 0]):
        # A wait of w months, s of them over: the notice comes on some day of the (w - s)th month from now.
        ahead = np.arange(len(lag)) - s
        still = np.where(ahead > 0, lag, 0.0)
        told = still * np.clip(months - (ahead - 1), 0.0, 1.0)
        due[since == s] = told.sum() / still.sum() if still.sum() > 0 else 1.0
    return np.where(since >= 0, due, risk)


def _cumulative_incidence(table: pl.DataFrame, months: float, regime: dict) -> np.ndarray:
    """Voluntary cumulative incidence of each row of ``hazards`` over so many months, month by month."""
    if "outlook_fit" in table.columns:
        return _crossings(table, months)
    moving = ["term_tenure", "term_season", "term_bonus", *(f"term_{name}" for name in hz.PASSING)]
    lasting = np.log(np.maximum(table["rate_voluntary"].to_numpy(), 1e-12))
    lasting = lasting - table.select(pl.sum_horizontal(moving)).to_series().to_numpy()
    passing = table.select(pl.sum_horizontal(f"term_{name}" for name in hz.PASSING)).to_series().to_numpy()
    tenure, month = table["tenure_months"].to_numpy(), table["month_of_year"].to_numpy()
    other = table["rate_other"].to_numpy()
    season = hz.SEASON + (hz.BONUS if regime["bonus_cliff"] else 0.0)
    left, staying = np.zeros(len(table)), np.ones(len(table))
    for ahead in range(1, int(np.ceil(months)) + 1):
        share = min(1.0, months - (ahead - 1))
        log_rate = lasting + hz.tenure_term(tenure + ahead, regime["late_rise"]) + season[(month + ahead - 1) % 12]
        rate = np.exp(log_rate + (passing if ahead <= 3 else 0.0))
        gone = staying * (1 - np.exp(-share * (rate + other)))
        left = left + gone * rate / (rate + other)
        staying = staying - gone
    return left


def _crossings(table: pl.DataFrame, months: float) -> np.ndarray:
    """The same in the accelerated world, other exits competing in the middle of each month."""
    last = int(np.ceil(months))
    if last > OUTLOOK_MONTHS:
        raise FixableError(
            "The accelerated company's risk is known a year ahead.",
            [f"Ask for at most 365 days, not {months:.0f} months."],
        )
    if last == 0:
        return np.zeros(len(table))
    crossed = outlook(table["outlook_fit"].to_numpy(), table["outlook_target"].to_numpy(), months=last)
    steps = np.diff(np.concatenate([np.zeros((len(table), 1)), crossed], axis=1), axis=1)
    steps[:, -1] *= months - (last - 1)
    other = table["rate_other"].to_numpy()[:, None]
    free = (table["rate_voluntary"].to_numpy() > 0)[:, None]
    return (steps * free * np.exp(-other * (np.arange(last) + 0.5))).sum(axis=1)
