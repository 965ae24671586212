"""Each test of the sentinel on a world drawn for it: the leak is seen, the honest twin beside it is not."""

import numpy as np
import pandas as pd
import pytest

from training.leak_columns import Ground, Known, period_ends, suspicions
from training.leak_sight import Fates

PEOPLE, MONTHS, STEP = 600, 24, 30
CLOSED = MONTHS * STEP


@pytest.fixture(scope="module")
def world():
    """Everybody is here from the start; a quarter leaves at times drawn evenly. One row per person and month."""
    rng = np.random.default_rng(5)
    leaves = rng.random(PEOPLE) < 0.45
    end = np.where(leaves, rng.uniform(1, CLOSED, PEOPLE), np.inf)
    person, month = (a.ravel() for a in np.meshgrid(np.arange(PEOPLE), np.arange(MONTHS), indexing="ij"))
    as_of = month * STEP
    here = end[person] > as_of
    person, as_of, follow_up = person[here], as_of[here], CLOSED - as_of[here]
    time = np.minimum(end[person] - as_of, follow_up)
    left = np.isfinite(end[person])
    f = Fates(time, left, follow_up.astype(float), person, as_of // STEP)
    return Ground(f, as_of, left, CLOSED), rng


def reasons(values, ground, known=None):
    return {seen.test for seen in suspicions("x", pd.Series(values), ground, known or Known())}


def per_person(ground, values):
    return values[ground.fates.person]


def test_noise_and_an_honest_slow_trait_pass(world):
    ground, rng = world
    f = ground.fates
    noise = rng.normal(size=len(f.time))
    soon = per_person(ground, rng.normal(size=PEOPLE)) - 0.3 * f.left * (f.time < 300)
    for values in (noise, soon):
        assert reasons(values, ground) == set()


def test_a_column_that_is_too_good_is_stopped_whatever_its_dates(world):
    ground, rng = world
    values = (ground.fates.left & (ground.fates.time <= 200)) + rng.normal(0, 0.2, len(ground.fates.time))
    assert "power" in reasons(values, ground)


def test_a_known_trap_of_a_name_lowers_the_limit_and_proves_nothing_alone(world):
    ground, rng = world
    fair = 1.6 * (ground.fates.left & (ground.fates.time <= 150)) + rng.normal(0, 1, len(ground.fates.time))
    assert "power" not in reasons(fair, ground)
    assert "power" in reasons(fair, ground, Known(hinted=True))
    assert reasons(rng.normal(size=len(fair)), ground, Known("undated", own=True, hinted=True)) == set()


def test_a_value_that_sees_a_month_and_is_blind_beyond_is_a_leak_unless_it_is_an_act(world):
    ground, rng = world
    values = 1.15 * (ground.fates.left & (ground.fates.time <= 40)) + rng.normal(0, 1, len(ground.fates.time))
    assert reasons(values, ground, Known("undated")) == {"collapse"}
    assert reasons(values, ground, Known("acts")) == set(), "people do fall silent before they go"


def test_a_value_that_holds_its_quarter_falls_off_at_the_quarters_end(world):
    ground, rng = world
    f = ground.fates
    quarter = np.maximum(ground.as_of // STEP - 1, 0) // 3  # a month-end belongs to the quarter that it ends
    left_in = f.left & (ground.as_of + f.time <= (quarter + 1) * 3 * STEP)
    noise = rng.normal(0, 1, (PEOPLE, MONTHS // 3 + 1))[f.person, quarter]
    # The value of the quarter is one value: whoever leaves in it has the low one from its first day on.
    first = pd.Series(left_in).groupby([f.person, quarter]).transform("max").to_numpy()
    assert "period" in reasons(noise - 1.5 * first, ground)
    assert reasons(noise, ground) == set()
    ends = period_ends(noise, f.person, ground.as_of)
    assert set(ground.as_of[ends] // STEP % 3) == {0}


def test_what_was_written_at_the_extraction_never_outlives_it(world):
    ground, rng = world
    left = np.zeros(PEOPLE, bool)
    left[ground.fates.person] = ground.fates.left
    code = np.where(left & (rng.random(PEOPLE) < 0.6), "Z", "A")
    assert {"edge", "static"} <= reasons(per_person(ground, code), ground, Known("undated", own=True))
    half = np.where(rng.random(PEOPLE) < 0.5, "Z", "A")
    assert reasons(per_person(ground, half), ground, Known("undated", own=True)) == set()


def test_a_copy_of_the_time_that_is_left_is_seen_among_leavers_alone(world):
    ground, rng = world
    f = ground.fates
    copy = np.where(f.left, f.time * np.exp(rng.normal(0, 0.1, len(f.time))), rng.uniform(0, CLOSED, len(f.time)))
    assert "duration" in reasons(copy, ground, Known(own=True))


def test_a_number_that_names_the_person_is_refused_and_a_measure_is_not(world):
    ground, rng = world
    assert "identity" in reasons(per_person(ground, rng.permutation(PEOPLE) * 1.0), ground, Known(own=True))
    assert reasons(per_person(ground, rng.normal(size=PEOPLE)), ground, Known(own=True)) == set()


def test_too_few_leavers_accuse_nobody(world):
    ground, _ = world
    few = ground.fates.person < 20
    f = Fates(*(getattr(ground.fates, n)[few] for n in ("time", "left", "follow_up", "person", "stratum")))
    small = Ground(f, ground.as_of[few], ground.any_exit[few], CLOSED)
    assert suspicions("x", pd.Series(f.left & (f.time <= 30)).astype(float), small, Known()) == []
