"""Silence of a feed is told as "cannot judge" where the feed matters, and is nobody's business where it does not."""

from dataclasses import replace
from datetime import date

import pytest

from features.cards import Card
from features.feeds import Silence
from models.abstain import MATERIAL_SHARE, cannot_judge, unheard
from models.card import ModelCard
from models.known import Known

CARDS = tuple(Card(f"c{i}", "pay", "count", "m", "{value}", "{value}") for i in range(10))
SILENCE = Silence("interactions", "", "location", "S1", date(2025, 6, 2), 400.0, 0, frozenset({"A", "B"}))


def card(**shares):
    return ModelCard(
        name="m", model_kind="linear", trained_on="2025-06-30", labels_closed_on="2025-06-30", horizons_days=(180,),
        reference_horizon_days=180, base_rate={180: 0.1}, bands={"watch": 0.15, "act": 0.25}, band_evidence={},
        typical={}, missing_share={c.column: 0.0 for c in CARDS}, cards=CARDS, data_versions={}, n_people=100,
        n_exits=30, feed_shares=shares,
    )  # fmt: skip


def test_whose_material_feed_is_silent_cannot_be_judged_and_hears_which_and_since_when():
    why = unheard([SILENCE], card(interactions=0.31))
    assert set(why) == {"A", "B"}
    en, zh = why["A"]
    for part in ("Cannot judge", "2025-06-02", "interactions", "31%"):
        assert part in en
    for part in ("无法判断", "2025-06-02", "31%"):
        assert part in zh


@pytest.mark.parametrize("share", [0.0, MATERIAL_SHARE - 0.001])
def test_a_feed_that_carries_little_silences_nobody(share):
    assert unheard([SILENCE], card(interactions=share)) == {}
    assert unheard([SILENCE], card()) == {}, "nor does one that the model was never asked about"


def test_two_silent_feeds_give_one_reason_each_person():
    both = [SILENCE, replace(SILENCE, table="surveys", people=frozenset({"B", "C"}))]
    why = unheard(both, card(interactions=0.3, surveys=0.4))
    assert {one: "surveys" in en for one, (en, _) in why.items()} == {"A": False, "B": False, "C": True}


@pytest.mark.parametrize(("known", "judged"), [(10, True), (7, True), (6, False), (0, False)])
def test_with_more_than_thirty_per_cent_of_the_usual_columns_missing_there_is_no_score(known, judged):
    person = {c.column: 1.0 if i < known else None for i, c in enumerate(CARDS)}
    (why_not,) = cannot_judge(Known.of_people([person], list(person)), card(), cards=CARDS)
    assert (why_not is None) == judged


def test_a_bundle_from_before_the_feed_shares_still_loads():
    old = {k: v for k, v in card().to_dict().items() if k not in ("feed_shares", "accepted", "remarks")}
    assert ModelCard.from_dict(old) == card()
