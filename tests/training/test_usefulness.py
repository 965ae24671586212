"""Net benefit by counting, groups with a minimum, a ranking that holds still or does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluate import Told
from training.usefulness import (
    TEAM_SIZE,
    TENURE,
    by_group,
    classes,
    gain_over_simple,
    net_benefit,
    net_benefit_of_all,
    steadiness,
    sums_by,
    team_sizes,
    thresholds,
)  # fmt: skip


def told(risk, left):
    return Told(np.asarray(risk, float), np.asarray(left, float), np.arange(len(risk)), np.zeros(len(risk)))


people = st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(0, 3)), min_size=2, max_size=30).filter(
    lambda rows: sum(w for *_, w in rows) > 0
)


@given(people, st.floats(0.01, 0.9))
def test_net_benefit_is_counted_person_by_person(rows, threshold):
    true = sum(w for risk, left, w in rows if risk >= threshold and left)
    false = sum(w for risk, left, w in rows if risk >= threshold and not left)
    slow = (true - false * threshold / (1 - threshold)) / sum(w for *_, w in rows)
    risk, left, weight = (np.array(c, dtype=float) for c in zip(*rows, strict=True))
    assert net_benefit(told(risk, left), weight, threshold) == pytest.approx(slow)
    everybody = net_benefit(told(np.ones(len(risk)), left), weight, threshold)
    assert net_benefit_of_all(told(risk, left), weight, threshold) == pytest.approx(everybody)


def test_knowing_beats_all_and_none_and_guessing_does_not():
    generator = np.random.default_rng(0)
    left = (generator.uniform(size=2_000) < 0.1).astype(float)
    assert gain_over_simple(told(0.05 + 0.5 * left, left), 0.1).low > 0
    assert gain_over_simple(told(generator.uniform(0, 0.2, 2_000), left), 0.1).high < 0.01
    found = thresholds(told(left, left))
    assert found == sorted(found)
    assert found[0] < left.mean() < found[-1]


def frame(n=300, days=("2024-01-31",), seed=0, noise=0.0):
    generator = np.random.default_rng(seed)
    score = generator.normal(-2, 1, n)
    rows = []
    for day in days:
        risk = 1 / (1 + np.exp(-(score + noise * generator.normal(size=n))))
        left = generator.uniform(size=n) < risk
        rows.append(
            pd.DataFrame(
                {
                    "employee_id": [f"p{i}" for i in range(n)],
                    "as_of": pd.Timestamp(day),
                    "time": np.where(left, 20.0, 200.0),
                    "event": left.astype(int),
                    "follow_up": 200.0,
                    "chosen_90": risk,
                    "department": "d",
                    "team": [f"t{i // 8}" for i in range(n)],
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def test_a_group_with_too_few_people_or_leavers_has_no_figures():
    rows = frame()
    site = pd.Series(["big"] * 200 + ["small"] * 40 + [None] * 60)
    found = {group.name: group for group in by_group(rows, site, 90, kind="chosen")}
    assert found["big"].ranks is not None
    assert found["big"].ranks.low <= found["big"].ranks.value <= found["big"].ranks.high
    assert found["small"].ranks is None
    assert "not on record" in found
    assert [g.n_people for g in by_group(rows, site, 90, kind="chosen")] == [200, 60, 40]


def test_classes_of_tenure_and_team_size_cut_where_they_say():
    assert classes(pd.Series([0, 364, 365, 2000, np.nan]), TENURE).tolist()[:4] == [
        "under 1 year",
        "under 1 year",
        "1 to 3 years",
        "5 years and more",
    ]
    sizes = team_sizes(frame(n=20))
    assert sizes.tolist() == [8] * 16 + [4] * 4
    assert classes(sizes, TEAM_SIZE).iloc[-1] == "teams under 5"


def test_a_ranking_that_does_not_change_holds_still_and_noise_does_not():
    days = ("2024-01-31", "2024-02-29", "2024-03-31")
    still, shaken = (steadiness(frame(days=days, noise=noise), 90, kind="chosen") for noise in (0.0, 3.0))
    assert [(p.correlation, p.kept) for p in still] == [(pytest.approx(1.0), 1.0)] * 2
    assert all(p.correlation < 0.6 and p.kept < 0.6 for p in shaken)
    assert steadiness(frame(n=10, days=days), 90, kind="chosen") == []


def test_sums_count_what_was_expected_and_what_came_true_per_group():
    rows = told([0.1, 0.2, 0.6, 0.8], [0, 1, 1, 1])
    calm, act = sums_by(rows, ("calm", "watch", "act"), np.array(["calm", "calm", "act", "act"]))
    assert (calm.expected, calm.left, act.expected, act.left) == (pytest.approx(0.3), 1.0, pytest.approx(1.4), 2.0)
    assert calm.low <= calm.left <= calm.high
