"""LaLonde's test of such estimates: trained people against a survey must come out nearer to the experiment than naive.

The data come with the package causaldata (`pip install --no-deps --target DIR causaldata`, then CAUSALDATA=DIR).
"""

import importlib.util
import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.bench_effects import stored
from training.effects import effect

PLACE = os.environ.get("CAUSALDATA")
COLUMNS = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]
EARNINGS = {"treatment": "treat", "outcome": "re78", "confounders": COLUMNS, "higher_is_better": True}


@pytest.fixture(scope="module")
def tables():
    if PLACE is None and importlib.util.find_spec("causaldata") is None:
        pytest.skip("causaldata is not installed (CAUSALDATA names no folder either)")
    before = list(sys.path)
    try:
        return [stored(name, Path(PLACE) if PLACE else None) for name in ("nsw_mixtape", "cps_mixtape")]
    finally:
        sys.path[:] = before


def test_the_experiment_itself_gives_its_published_difference(tables):
    found = effect(tables[0], **EARNINGS, randomised=True).arm
    assert found.unadjusted.value == pytest.approx(1794, abs=1), "Dehejia & Wahba 1999, table 1: 1,794 dollars"


def test_people_of_a_survey_as_controls_come_near_the_experiment_once_they_are_made_alike(tables):
    trial, survey = tables
    mixed = pd.concat([trial[trial["treat"] == 1], survey], ignore_index=True)
    found = effect(mixed, **EARNINGS).arm
    assert found.unadjusted.value < -8000
    assert abs(found.value - 1794) < 1000
    assert found.interval[0] < 1794 < found.interval[1]
