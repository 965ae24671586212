"""How much of a model rests on each table."""

from __future__ import annotations

from datetime import date
from typing import cast

import numpy as np
import pandas as pd
import pytest

from models.risk import RiskModel
from tests.features.random_records import records
from training import guards

ROWS = pd.DataFrame({"a": [1.0, -1.0], "b": [3.0, 1.0], "c": [0.0, 0.0]})


class Adds:
    """A model whose contributions are the values themselves."""

    columns = ("a", "b", "c")

    def contributions(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(rows)), rows[list(self.columns)].to_numpy()


def test_a_column_that_reads_two_tables_counts_for_both_and_nothing_is_told_of_the_others() -> None:
    reads = {"surveys": ("a", "not_learned"), "positions": ("a", "b"), "skills": ("c",)}
    found = guards.shares_of(cast("RiskModel", Adds()), ROWS, reads)
    assert found == {"surveys": pytest.approx(1 / 3, abs=1e-4), "positions": 1.0}


def test_a_model_that_says_the_same_of_everybody_rests_on_nothing() -> None:
    assert guards.shares_of(cast("RiskModel", Adds()), ROWS * 0, {"surveys": ("a",)}) == {}


def test_where_nobody_is_at_risk_no_share_is_told() -> None:
    models = {"prior": cast("RiskModel", Adds())}
    assert guards.feed_shares(models, records(1), date(1990, 1, 1), ()) == {"prior": {}}
