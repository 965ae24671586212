"""A policy that began in some units first: its effect, its period by period, and units that moved apart before."""

import numpy as np
import pandas as pd
import pytest

from features.errors import FixableError
from training.effect_event_study import event_study, exit_panel, periods_of


def panel(*, effect=-0.01, drift=0.0, seed=0, units=24, periods=30):
    rng = np.random.default_rng(seed)
    starts = {str(u): [12, 18][u % 2] for u in range(units // 2)}
    rows = []
    for unit in range(units):
        level = rng.normal(0.03, 0.01)
        for t in range(periods):
            begun = t >= starts.get(str(unit), 10**6)
            moved = drift * t if str(unit) in starts else 0.0
            y = level + 0.01 * np.sin(t) + moved + effect * begun + 0.004 * rng.standard_normal()
            rows.append((str(unit), t, y, 50))
    return pd.DataFrame(rows, columns=["unit", "period", "y", "n"]), starts


def test_a_policy_that_lowers_exits_is_found_though_it_began_at_two_times():
    found = event_study(*panel())
    assert found.verdict == "helps"
    assert found.overall.low < -0.01 < found.overall.high
    assert [p.period for p in found.points] == list(range(-12, 12))
    assert all(abs(p.value) < 0.006 for p in found.points if p.period < 0)


def test_units_that_moved_apart_before_identify_nothing():
    found = event_study(*panel(effect=0.0, drift=-0.001))
    assert found.verdict == "not_identified"
    assert found.trend == pytest.approx(-0.001, abs=0.0005)


def test_an_effect_that_grows_keeps_its_sign():
    """Where two-way fixed effects go wrong: early starters, still changing, are no controls for late ones."""
    table, starts = panel(effect=0.0, units=12)
    t0 = table["unit"].map(starts)
    table["y"] -= 0.002 * (table["period"] - t0 + 1).clip(lower=0).fillna(0)
    found = event_study(table, starts)
    assert found.overall.value == pytest.approx(-0.002 * 6.5, abs=0.004)


def test_too_few_units_cannot_tell_and_none_is_refused():
    table, starts = panel()
    two = {u: s for u, s in starts.items() if u in ("0", "1")}
    assert event_study(table, two).verdict == "cannot_tell_yet"
    with pytest.raises(FixableError, match="periods before its start"):
        event_study(table, {"0": 1})
    with pytest.raises(FixableError, match="nowhere is not in the panel"):
        event_study(table, {"nowhere": 12, **starts})


def test_landmark_rows_become_monthly_rates():
    days = pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-31"])
    rows = pd.DataFrame(
        {
            "as_of": [*days, *days],
            "department": ["a"] * 3 + ["b"] * 3,
            "time": [400, 371, 340, 40, 11, 340],
            "event": [0, 0, 0, 1, 1, 0],
        }
    )
    found, seen = exit_panel(rows, "department", closed_on=pd.Timestamp("2024-04-30").date())
    assert found.set_index(["unit", "period"])["y"].to_dict() == {
        ("a", 0): 0, ("a", 1): 0, ("b", 0): 0, ("b", 1): 1
    }  # fmt: skip
    starts = pd.DataFrame({"unit": ["b"], "started_on": ["2024-02-15"]})
    assert periods_of(starts, seen) == {"b": 1}
