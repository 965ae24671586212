"""The benchmark of policies draws one small company from beginning to end."""

from __future__ import annotations

import pytest

from benchmarks.bench_policy import draw


@pytest.mark.slow
def test_a_plan_prevents_more_than_chance_with_the_same_care() -> None:
    rows = list(draw("clinic", 7, people=800, trial_people=300, hours=1.5))
    assert [(r["against"], r["evidence"]) for r in rows] == [(a, e) for a in (False, True) for e in ("prior", "own")]
    as_is = rows[0]
    assert as_is["plan"] > 1.5 * as_is["random"]
    assert as_is["plan"] > as_is["risk_any"]
    assert 0.55 < as_is["auc"] < 0.9
