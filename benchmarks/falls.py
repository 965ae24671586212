"""How far would somebody come who knows the hazards and sees every fall of activity, but not always why?

The known risk says who may decide; a fall says who may have decided already. Six in ten draw back then. Those who are
away, whose project has ended or whose team has a new tool are told apart here without fail; deep work of one person is
not, it looks like drawing back but for what is rare. So this is more than any model can see.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from features.company import Company, invent_company, true_risk
from features.company.traces import DRAW_BACK
from training.evaluate import Told, auc, average_precision
from training.truth import CAPACITY, HORIZON_DAYS, precision_at

SEEN = {"complete": 1, "at once": 0}
"""The month since the decision from which a fall is seen; it takes four weeks to be complete."""


def falls(company: Company) -> Iterator[dict]:
    """One line for the known hazards alone, and one for each way of seeing falls beside them, on the same rows.

    All month-ends of people who are not under notice and whose horizon is closed. What a fall adds to the known risk is
    a logistic regression of three coefficients on the same rows: nothing beside their number.
    """
    with tempfile.TemporaryDirectory() as place:
        truth = Path(place) / "truth"
        invent_company(company, Path(place) / "records", truth=truth)
        rows = closed_rows(truth)
    deep_work = rows["deep_work"].to_numpy()
    draws_back = rows["draws_back"].to_numpy()
    since, log_odds = rows["since_decision"].to_numpy(), logit(rows["true_risk"].to_numpy())
    yield {"kind": "hazards", **told(log_odds, rows)}
    for kind, from_month in SEEN.items():
        fallen = ((since >= from_month) & draws_back) | deep_work
        design = np.column_stack([log_odds, fallen, log_odds * fallen])
        learned = LogisticRegression(C=np.inf, max_iter=500).fit(design, rows["left"].to_numpy())
        yield {"kind": kind, "fallen": float(fallen.mean()), **told(learned.decision_function(design), rows)}


def closed_rows(truth: Path) -> pl.DataFrame:
    """Person and month-end with the known risk, what came of it, deep work on that day, and who would draw back."""
    hazards = pl.read_parquet(truth / "hazards.parquet").filter(~pl.col("under_notice"))
    decisions = pl.read_parquet(truth / "decisions.parquet").filter(pl.col("kind") == "voluntary")
    drops = pl.read_parquet(truth / "benign_drops.parquet").filter(pl.col("kind") == "focus")
    rows = hazards.select("employee_id", pl.col("as_of").cast(pl.Date), "since_decision")
    rows = rows.filter(pl.col("as_of").dt.offset_by(f"{HORIZON_DAYS}d") <= pl.col("as_of").max())
    risk = true_risk(truth, rows, horizon_days=HORIZON_DAYS)["true_risk"]
    rows = rows.with_columns(true_risk=risk).filter(pl.col("true_risk") > 0)
    key = ["employee_id", "as_of"]
    spans = rows.join(drops.select("employee_id", "first_on", "last_on"), on="employee_id")
    busy = spans.filter(pl.col("as_of").is_between("first_on", "last_on")).select(key).unique()
    gave = rows.join(decisions.select("employee_id", "notice_on"), on="employee_id")
    within = pl.col("as_of").dt.offset_by(f"{HORIZON_DAYS}d")
    left = gave.filter(pl.col("notice_on").is_between("as_of", within, closed="right")).select(key).unique()
    people = rows.select("employee_id").unique(maintain_order=True)
    style = np.random.default_rng(0).random(len(people)) < DRAW_BACK
    return (
        rows.join(busy.with_columns(deep_work=True), on=key, how="left", maintain_order="left")
        .join(left.with_columns(left=True), on=key, how="left", maintain_order="left")
        .join(people.with_columns(draws_back=style), on="employee_id", how="left", maintain_order="left")
        .with_columns(pl.col("deep_work", "left").fill_null(value=False))
    )


def told(score: np.ndarray, rows: pl.DataFrame) -> dict[str, float]:
    """How well a score ranks, and how many there are to find."""
    day = rows["as_of"].rank("dense").to_numpy().astype(int)
    found = Told(score, rows["left"].to_numpy().astype(float), np.zeros(len(score)), day)
    every = np.ones(len(score))
    return {
        "rows": len(score),
        "base_rate": float(found.left.mean()),
        "auc": auc(found, every),
        "average_precision": average_precision(found, every),
        "precision": precision_at(found, CAPACITY),
    }
