"""The past cut for judging: rolling origins, with a gap, people in folds.

At each origin a model learns from what was closed by then and is tested on the snapshots that follow, up to the next
origin::

    ----first----train as_of----](----gap: the longest horizon----]origin----test as_of----](----horizon----]closed

The gap is as long as the longest horizon, so that every outcome that taught was complete on the day of the origin.
Within a test the people are also kept apart: a person is scored by the model whose fold left that person out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from features.errors import FixableError
from training.plan import Plan

FEWEST_TRAIN_SNAPSHOTS = 3
MOST_TEST_DAYS = 365


@dataclass(frozen=True)
class Split:
    """One origin: ``train`` and ``test`` are lists of ``as_of``; outcomes after ``origin`` teach nothing."""

    origin: date
    train: tuple[date, ...]
    test: tuple[date, ...]


def rolling_origins(as_of: Sequence[date], plan: Plan, *, closed_on: date) -> list[Split]:
    """Return the splits that the history allows, oldest first; empty when it allows none.

    A snapshot tests only when the reference horizon after it is closed. Given a number of origins, they share the
    last year of testable snapshots; given dates, those are taken.
    """
    reference, gap = timedelta(days=plan.reference_horizon_days), timedelta(days=plan.gap)
    last = plan.test_until or date.max
    testable = [a for a in sorted(as_of) if a + reference <= closed_on and a <= last]
    if isinstance(plan.origins, int):
        testable = [a for a in testable if sum(b + gap <= a for b in as_of) >= FEWEST_TRAIN_SNAPSHOTS]
        if testable:
            testable = [a for a in testable if a > testable[-1] - timedelta(days=MOST_TEST_DAYS)]
        step = -(-len(testable) // plan.origins) if testable else 1
        origins = testable[::step]
    else:
        origins = sorted(plan.origins)
    ends = [*origins[1:], date.max]
    splits = [
        Split(o, tuple(a for a in sorted(as_of) if a + gap <= o), tuple(a for a in testable if o <= a < end))
        for o, end in zip(origins, ends, strict=False)
    ]
    return [s for s in splits if s.train and s.test]


def fit_to_history(as_of: Sequence[date], plan: Plan, *, closed_on: date) -> tuple[Plan, list[Split]]:
    """Return the plan with as many of its horizons as the history can judge, and its splits.

    A short history cannot show what happens within a year: the longest horizons are dropped until at least one origin
    is left. Raises ``FixableError`` when even the shortest cannot be judged.
    """
    for n in range(len(plan.horizons_days), 0, -1):
        horizons = plan.horizons_days[:n]
        reference = min(plan.reference_horizon_days, horizons[-1])
        shorter = replace(plan, horizons_days=horizons, reference_horizon_days=reference)
        splits = rolling_origins(as_of, shorter, closed_on=closed_on)
        if splits:
            return shorter, splits
    raise FixableError(
        "The history is too short to learn and to check what was learned.",
        [
            f"{len(as_of)} snapshots, outcomes closed on {closed_on}: at least {FEWEST_TRAIN_SNAPSHOTS} snapshots are "
            f"needed {2 * plan.horizons_days[0]} days before that.",
            "Import older records, or exits as far back as they were kept.",
        ],
    )
