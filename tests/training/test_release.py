"""When what was learned gives way to the published effects: it failed, they did not, and nothing else was asked."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.learn import Fitted
from training.console import unproved
from training.fit import Panel, Trained
from training.plan import Plan
from training.promote import Gate
from training.release import stepped_down

N = 400
HORIZON = 90
LEFT = np.arange(N) % 5 == 0
RIGHT = np.where(LEFT, 0.3, 0.175)
"""Told of who left and of who stayed: 80 of 400 people left, and as many were expected."""
UPSIDE_DOWN = np.where(LEFT, 0.1, 0.225)
FAR_TOO_HIGH = np.minimum(0.95, 4 * RIGHT)


def trained(chosen: np.ndarray, prior: np.ndarray, *, kind: str = "linear", kinds: tuple[str, ...] = ()) -> Trained:
    """A run with one test snapshot, in which ``chosen`` and the published effects said this."""
    said = {"base": np.full(N, 0.2), "linear": chosen, "chosen": chosen, "prior": prior}
    rows = pd.DataFrame(
        {
            "employee_id": [f"p{i}" for i in range(N)],
            "as_of": date(2024, 1, 31),
            "time": np.where(LEFT, 30.0, 300.0),
            "event": LEFT.astype(int),
            "follow_up": 300.0,
            "apart": False,
            "chosen_kind": kind,
            **{f"{name}_{HORIZON}": told for name, told in said.items()},
        }
    )
    plan = Plan(horizons_days=(HORIZON,), reference_horizon_days=HORIZON)
    fitted = Fitted({one: SimpleNamespace() for one in kinds or ("base", "linear", "prior")}, {}, {}, {}, kind)
    return Trained(plan, Panel(rows, rows, (), date(2024, 12, 31)), (), fitted, rows, rows.copy(), {})


def test_what_was_learned_and_fails_gives_way_to_published_effects_that_are_not_contradicted():
    before = trained(UPSIDE_DOWN, RIGHT)
    after, refused = stepped_down(before)
    assert after.kind == "prior"
    for rows in (after.unseen, after.seen):
        assert rows[f"chosen_{HORIZON}"].tolist() == RIGHT.tolist()
        assert set(rows["chosen_kind"]) == {"prior"}
    assert "ranks better than chance" in {gate.name for gate in refused if not gate.passed}
    assert before.kind == "linear"  # the run itself is not changed
    assert before.unseen[f"chosen_{HORIZON}"].tolist() == UPSIDE_DOWN.tolist()


@pytest.mark.parametrize(
    "run",
    [
        trained(RIGHT, RIGHT),
        trained(UPSIDE_DOWN, UPSIDE_DOWN),
        trained(UPSIDE_DOWN, FAR_TOO_HIGH),
        trained(UPSIDE_DOWN, RIGHT, kind="prior"),
        trained(UPSIDE_DOWN, RIGHT, kind="base"),
        trained(UPSIDE_DOWN, RIGHT, kinds=("base", "linear")),
    ],
    ids=[
        "it passes",
        "they rank the wrong way",
        "they are far too high",
        "they speak",
        "the base rate",
        "there are none",
    ],
)
def test_a_run_stays_as_it_is_when_what_was_learned_passes_or_the_published_effects_cannot_do_better(run: Trained):
    after, refused = stepped_down(run)
    assert after is run
    assert refused == ()


@pytest.mark.parametrize(
    ("kind", "promoted", "passed", "says"),
    [
        ("prior", True, False, "What was learned here has not proved itself yet, so the published effects serve."),
        ("base", True, False, "so the base rate itself serves: nobody is flagged."),
        ("linear", True, True, ""),
        ("linear", False, False, ""),
    ],
)
def test_what_serves_instead_of_what_failed_is_said(kind: str, promoted: bool, passed: bool, says: str):
    gate = Gate("enough exits out of time", passed, "5 people left")
    told = unproved(SimpleNamespace(kind=kind, promoted=promoted, gates=(gate,)))
    assert told.endswith(says)
    assert bool(told) == bool(says)
