"""How much of what could be known about the invented company the model found.

Only for a company whose hazards are known. The oracle sees every latent state on the day, also those that no record
shows; nobody who works from records can reach it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from features.company import true_risk
from features.errors import FixableError
from training.evaluate import Told, auc, told_at
from training.fit import CHOSEN

HORIZON_DAYS = 180


def share_of_oracle(predictions: Path, truth: Path, *, horizon_days: int = HORIZON_DAYS) -> tuple[float, float]:
    """Return the AUC of the chosen model and of the known hazards on the same rows, out of time, people unseen."""
    if not predictions.is_file() or not truth.is_dir():
        raise FixableError(
            "There is nothing to compare.",
            [f"{predictions} and {truth} are made by: retention-train company, import, fit"],
        )
    table = pd.read_parquet(predictions)
    told = told_at(table, horizon_days, CHOSEN)
    rows = table[table["follow_up"] >= horizon_days]
    spine = pl.DataFrame(
        {"employee_id": rows["employee_id"].tolist(), "as_of": pd.to_datetime(rows["as_of"]).dt.date.tolist()}
    )
    known = spine.join(true_risk(truth, spine, horizon_days=horizon_days), on=["employee_id", "as_of"], how="left")
    oracle = Told(known["true_risk"].to_numpy(), told.left, told.person, told.as_of)
    every = np.ones(len(told.left))
    return auc(told, every), auc(oracle, every)


def against_truth(predictions: Path, truth: Path) -> str:
    """Return the comparison in a sentence."""
    model, oracle = share_of_oracle(predictions, truth)
    share = (model - 0.5) / (oracle - 0.5)
    return (
        f"Against the known hazards ({HORIZON_DAYS} days, out of time, people unseen): AUC {model:.3f}, "
        f"the known hazards themselves {oracle:.3f}; the model went {share:.0%} of the way from .5 to them."
    )
