"""The rule that picks the kind of model, on losses that are drawn."""

import numpy as np
import pandas as pd
import pytest

from models.learn import KINDS, SHARES, Settings, fit_hazards, plain_landmarks, simplest_of_the_best


def losses(**mean):
    generator = np.random.default_rng(1)
    common = generator.normal(10, 3, 400)
    return {kind: common + generator.normal(mean[kind], 0.5, 400) for kind in KINDS}


def test_among_equals_the_simplest_is_taken():
    assert simplest_of_the_best(losses(base=0.5, prior=0.5, linear=0.0, blend=0.0, boosted=0.0)) == "blend"


def test_the_published_effects_need_no_proof_but_step_back_when_people_contradict_them():
    same = np.random.default_rng(0).normal(10, 3, 400)
    noise = np.random.default_rng(1).normal(0, 0.5, 400)
    noise -= noise.mean()
    one_error = noise.std() / 20
    assert simplest_of_the_best({"base": same, "prior": same + noise + 0.9 * one_error}) == "prior"
    assert simplest_of_the_best({"base": same, "prior": same + noise + 1.1 * one_error}) == "base"
    assert simplest_of_the_best({"base": same, "prior": same}) == "base"


def test_a_kind_that_is_clearly_better_is_taken():
    assert simplest_of_the_best(losses(base=0.5, prior=0.5, blend=0.4, linear=0.3, boosted=0.0)) == "boosted"


def test_when_nothing_is_better_than_knowing_nobody_the_base_rate_is_taken():
    assert simplest_of_the_best(losses(base=0.0, prior=0.5, linear=0.0, blend=0.0, boosted=0.0)) == "base"


def test_the_shares_of_a_blend_make_one_whole():
    assert all(abs(sum(share.values()) - 1.0) < 1e-12 for share in SHARES.values())


@pytest.mark.parametrize("kind", ["base", "linear", "blend"])
def test_a_kind_that_is_learned_alone_says_what_it_says_among_all(kind):
    draw = np.random.default_rng(1)
    rows = pd.DataFrame({"a": draw.normal(size=300), "b": draw.normal(size=300)})
    time = draw.exponential(200 * np.exp(-rows["a"].to_numpy()))
    seen = plain_landmarks(rows, np.minimum(time, 365.0), (time < 365).astype(int))
    every = fit_hazards(seen, Settings(folds=2, max_rounds=30))
    alone = fit_hazards(seen, Settings(folds=2, max_rounds=30, kinds=(kind,)))
    assert set(alone.models) == {kind} == {alone.kind}
    risks = [fitted.models[kind].cumulative_incidence(rows, (90, 365)) for fitted in (every, alone)]
    np.testing.assert_array_equal(*risks)
