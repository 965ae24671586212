"""Exits that one decision made for many are found and censored; people who leave one by one are not."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from training.mass_events import EVERYBODY, censored, find_mass_events

START = date(2024, 1, 31)
MONTHS, SITES, PER_SITE = 24, 6, 60


def rows(seed=0, *, closing=None, site="S2", share=0.7, wave=1.0):
    """360 people in six sites, 1.5 % leave a month; on ``closing`` (month) ``share`` of a site leaves within a week."""
    rng = np.random.default_rng(seed)
    people = [(f"E{i:03d}", f"S{i % SITES}") for i in range(SITES * PER_SITE)]
    ends = rng.exponential(30 / 0.015, len(people))
    if wave > 1:
        ends = np.where(
            (ends > 300) & (rng.random(len(people)) < 0.02 * wave), rng.uniform(300, 330, len(people)), ends
        )
    for i, (_, where) in enumerate(people):
        if closing is not None and where == site and ends[i] > closing * 30 and rng.random() < share:
            ends[i] = closing * 30 + rng.integers(1, 6)
    index, groups = [], []
    for (who, where), end in zip(people, ends, strict=True):
        for month in range(MONTHS):
            follow_up = (MONTHS - month) * 30
            ahead = int(end) - month * 30
            if ahead <= 0:
                break
            seen = ahead <= follow_up
            as_of = START + timedelta(days=30 * month)
            index.append((who, pd.Timestamp(as_of), min(ahead, follow_up), int(seen), follow_up))
            groups.append((where, "x"))
    return (
        pd.DataFrame(index, columns=["employee_id", "as_of", "time", "event", "follow_up"]),
        pd.DataFrame(groups, columns=["location", "job_family"]),
    )


def test_a_closed_site_is_found_with_its_days_and_its_people():
    (found,) = find_mass_events(*rows(closing=12))
    assert (found.column, found.group) == ("location", "S2")
    assert START + timedelta(days=360) < found.first <= found.last < START + timedelta(days=367)
    assert found.left == len(found.ids) >= 25
    assert found.left > 8 * found.expected
    assert "S2" in found.text("")


@pytest.mark.parametrize("seed", range(8))
def test_people_who_leave_one_by_one_and_a_bonus_month_are_no_mass_event(seed):
    assert find_mass_events(*rows(seed)) == []
    assert find_mass_events(*rows(seed, wave=2.0)) == [], "twice the usual number in one month, everywhere"


def test_a_merger_that_takes_a_third_of_everybody_is_one_event_and_not_one_of_each_site():
    index, groups = rows(3)
    rng = np.random.default_rng(1)
    gone = {who for who in index["employee_id"].unique() if rng.random() < 0.35}
    day = pd.Timestamp(START + timedelta(days=363))
    index = index[~(index["employee_id"].isin(gone) & (index["as_of"] >= day))]
    groups = groups.loc[index.index].reset_index(drop=True)
    index = index.reset_index(drop=True)
    until = (day - index["as_of"]).dt.days
    hit = index["employee_id"].isin(gone) & (index["time"] > until)
    index = index.assign(time=np.where(hit, until, index["time"]), event=np.where(hit, 1, index["event"]))
    (found,) = find_mass_events(index, groups)
    assert found.column in (EVERYBODY, "job_family")
    assert found.left > 80


def test_censoring_takes_the_exit_away_and_keeps_the_days_until_then():
    index, groups = rows(closing=12)
    found = find_mass_events(index, groups)
    clean = censored(index, found, keep=np.zeros(len(index), bool))
    hit = index["employee_id"].isin(found[0].ids)
    assert (clean.loc[hit, "event"] == 0).all()
    assert (clean.loc[hit, "follow_up"] == index.loc[hit, "time"]).all(), "no horizon beyond the day counts as stayed"
    assert clean[~hit].equals(index[~hit])
    assert censored(index, found, keep=np.ones(len(index), bool)).equals(index), "rows kept apart stay as they are"
