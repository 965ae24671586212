"""What a flag does to people: a planted harm is found at the line, none is found where there is none."""

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from features.errors import FixableError
from training.side_effects import rubber_stamping, side_effects

UNTIL = pd.Timestamp("2025-12-31")


def world(*, harm=0.0, n=3000, seed=0, past=0.0):
    """Scores around a line of .1; projects before and after it; ``harm``: fewer projects for those flagged."""
    rng = np.random.default_rng(seed)
    risk = 1 / (1 + np.exp(-(-2.2 + 0.5 * rng.standard_normal(n))))
    flagged = risk >= 0.1
    ids = [f"E{i}" for i in range(n)]
    scores = pd.DataFrame({"employee_id": ids, "as_of": "2024-06-30", "risk": risk})
    before = rng.poisson(4 - past * flagged)
    after = rng.poisson(np.maximum(4 - 3 * risk - harm * flagged, 0.1))
    may, august = date(2024, 5, 1), date(2024, 8, 1)
    both = [(e, day, k) for e, b, a in zip(ids, before, after, strict=True) for day, k in ((may, b), (august, a))]
    rows = [(e, day, "project", int(k)) for e, day, k in both if k]
    frame = pl.DataFrame(rows, schema=["employee_id", "happened_on", "kind", "n"], orient="row")
    return scores, {"interactions": frame}


def looked(**changes):
    scores, records = world(**changes)
    (jump,) = side_effects(scores, records, threshold=0.1, until=UNTIL)
    return jump


def test_people_who_lose_projects_because_they_were_flagged_are_noticed():
    jump = looked(harm=1.5)
    assert jump.verdict == "worse"
    assert jump.low < -1.5 < jump.high
    assert jump.before_p > 0.01


def test_a_slope_alone_is_no_jump():
    verdicts = [looked(seed=seed).verdict for seed in range(20)]
    assert sum(v in ("worse", "better") for v in verdicts) <= 3
    assert set(verdicts) <= {"no_difference_seen", "worse", "better", "not_comparable"}


def test_people_who_differed_before_the_flag_are_not_comparable():
    assert looked(harm=1.5, past=1.5).verdict == "not_comparable"


def test_few_people_near_the_line_cannot_tell():
    assert looked(harm=1.5, n=60).verdict == "cannot_tell_yet"


def test_a_window_that_is_not_over_counts_nothing():
    scores, records = world()
    (jump,) = side_effects(scores, records, threshold=0.1, until=pd.Timestamp("2024-09-30"))
    assert jump.verdict == "cannot_tell_yet"


def test_ratings_and_raises_are_read_from_their_tables():
    scores, _ = world(n=400)
    day = pd.Timestamp
    reviews = [
        (e, day(d).date(), 4.0, 5.0, "manager") for e in scores["employee_id"] for d in ("2024-01-15", "2024-09-15")
    ]
    posts = [
        (e, day(d).date(), p)
        for e in scores["employee_id"]
        for d, p in (("2022-01-01", 100.0), ("2024-01-01", 104.0), ("2024-10-01", 110.0))
    ]
    records = {
        "reviews": pl.DataFrame(
            reviews, schema=["employee_id", "happened_on", "rating", "scale_max", "source"], orient="row"
        ),
        "positions": pl.DataFrame(posts, schema=["employee_id", "happened_on", "pay"], orient="row"),
    }
    rating, rise = side_effects(scores, records, threshold=0.1, until=UNTIL)
    assert (rating.outcome, rise.outcome) == ("rating", "raise")
    assert abs(rating.value) < 1e-9
    assert abs(rise.value) < 1e-9


def test_those_who_accept_everything_at_once_are_asked_about():
    at = pd.Timestamp("2026-01-05 09:00")
    rows = [("quick", 1, 0, at, at + pd.Timedelta(seconds=20))] * 12
    rows += [("slow", k % 2, k % 3 == 0, at, at + pd.Timedelta(days=1)) for k in range(12)]
    rows += [("new", 1, 0, at, at + pd.Timedelta(seconds=20))] * 3
    table = pd.DataFrame(rows, columns=["decided_by", "accepted", "changed", "suggested_at", "decided_at"])
    quick, slow, new = rubber_stamping(table)
    assert (quick.decided_by, quick.unchanged, quick.fast, quick.flagged) == ("quick", 1.0, 1.0, True)
    assert not slow.flagged
    assert not new.flagged, "three are no habit"
    assert rubber_stamping(table.drop(columns=["suggested_at", "decided_at"]))[0].fast is None


def test_tables_that_lack_columns_are_refused():
    with pytest.raises(FixableError, match="risk"):
        side_effects(pd.DataFrame({"employee_id": []}), {}, threshold=0.1, until=UNTIL)
    with pytest.raises(FixableError, match="changed"):
        rubber_stamping(pd.DataFrame({"decided_by": []}))
