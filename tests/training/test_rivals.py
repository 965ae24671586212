"""The rule of thumb counts points that a manager could count, and learns its rates from what had closed."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.bundle import Bundle
from models.calibration import identity
from models.card import ModelCard
from models.encode import Codes
from models.risk import Hazard, RiskModel
from models.scores import BaseScore
from training.fit import Panel
from training.plan import Plan
from training.rivals import PRIOR_ROWS, points, with_rivals
from training.splits import Split

OLD, ORIGIN, NEW = date(2023, 1, 31), date(2023, 6, 30), date(2023, 7, 31)


def test_each_sign_counts_a_point_and_what_is_unknown_none():
    rows = pd.DataFrame(
        {
            "tenure_days": [100.0, 2000.0, np.nan],
            "days_since_raise": [10.0, 800.0, 900.0],
            "survey_engagement_latest": [0.2, 0.9, np.nan],
        }
    )
    assert points(rows).tolist() == [2.0, 1.0, 1.0]
    assert points(pd.DataFrame({"other": [1.0]})).tolist() == [0.0]


def trained(late_exits: int):
    """Two hundred people: newcomers leave more often; the same people again after the origin."""
    n = 200
    new = np.arange(n) < 100
    left = new & (np.arange(n) % 5 == 0)
    parts = []
    for day in (OLD, NEW):
        gone = left if day == OLD else np.arange(n) < late_exits
        parts.append(
            pd.DataFrame(
                {
                    "employee_id": [f"p{i}" for i in range(n)],
                    "as_of": day,
                    "time": np.where(gone, 30.0, 300.0),
                    "event": gone.astype(int),
                    "follow_up": 300.0,
                }
            )
        )
    index = pd.concat(parts, ignore_index=True)
    rows = pd.DataFrame({"tenure_days": np.tile(np.where(new, 100.0, 2000.0), 2)})
    unseen = index[index["as_of"] == NEW].assign(origin=ORIGIN).reset_index(drop=True)
    split = Split(ORIGIN, (OLD,), (NEW,))
    plan = Plan(horizons_days=(30, 90), reference_horizon_days=90)
    return SimpleNamespace(panel=Panel(index, rows, (), NEW), unseen=unseen, splits=(split,), plan=plan)


def test_the_rule_tells_the_share_that_left_among_people_with_as_many_points():
    found = with_rivals(trained(0), None)
    expected_new = (20 + PRIOR_ROWS * 0.1) / (100 + PRIOR_ROWS)
    assert found["rule_90"].iloc[:100].unique() == pytest.approx([expected_new])
    assert found["rule_90"].iloc[100:].unique() == pytest.approx([PRIOR_ROWS * 0.1 / (100 + PRIOR_ROWS)])
    assert "champion_90" not in found


def test_what_happened_after_the_origin_does_not_touch_the_rule():
    one, other = (with_rivals(trained(n), None)["rule_90"] for n in (0, 150))
    assert one.tolist() == other.tolist()


def champion(closed_on: date, column: str = "tenure_days") -> Bundle:
    """A model that tells everybody 5 % per interval, and says until when it has learned."""
    codes = Codes.fit(pd.DataFrame({column: [0.0, 1.0]}), [column])
    voluntary, other = (Hazard(((1.0, BaseScore(np.full(2, odds))),), identity(2)) for odds in (np.log(1 / 19), -30.0))
    days = closed_on.isoformat()
    card = ModelCard("m", "base", days, days, (30, 90), 90, {}, {}, {}, {}, {}, (), {}, 1, 1)
    return Bundle(RiskModel(codes, (30, 90), 90, voluntary, other), card, "1", "0")


def test_the_last_champion_is_judged_only_on_days_after_all_that_it_learned_from():
    fresh = with_rivals(trained(10), champion(NEW))
    assert fresh["champion_30"].to_numpy() == pytest.approx(np.full(200, 0.05), abs=1e-6)
    assert fresh["champion_90"].to_numpy() == pytest.approx(np.full(200, 1 - 0.95**2), abs=1e-6)
    assert "champion_90" not in with_rivals(trained(10), champion(date(2023, 8, 31)))


def test_a_champion_that_reads_columns_which_are_gone_is_not_judged():
    assert "champion_90" not in with_rivals(trained(10), champion(NEW, column="gone"))
