"""Drops that mean nothing: each kind shows where it should, and nowhere else."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from features.company import REGIMES, Company, traces
from features.company.drops import KINDS
from features.company.lives import live
from features.company.records import Roster


@pytest.fixture(scope="module")
def history():
    company = Company(n_employees=300, months=30, seed=5, regime=replace(REGIMES["realistic"], voluntary=0.25))
    return live(company, np.random.SeedSequence(5).spawn(2)[0], base=-5.0)


@pytest.fixture(scope="module")
def weeks(history):
    return traces.weeks(history, np.random.default_rng(1))


@pytest.fixture(scope="module")
def inside(history, weeks):
    """Per kind: the weeks of somebody in a drop of that kind and of no other."""
    who, drops = history.panel["who"][weeks.row], weeks.benign
    fridays = weeks.week
    first = int(fridays.min())
    counted = {kind: np.zeros(len(who), bool) for kind in KINDS}
    monday = {int(w): weeks.begin[fridays == w].min() for w in np.unique(fridays)}
    begin = np.array([monday[int(w)] for w in range(first, int(fridays.max()) + 1)])[fridays - first]
    for one in range(len(drops["who"])):
        mine = (who == drops["who"][one]) & (begin >= drops["first_on"][one]) & (begin <= drops["last_on"][one])
        counted[str(drops["kind"][one])] |= mine
    at_once = np.sum(list(counted.values()), axis=0)
    return {kind: mine & (at_once == 1) for kind, mine in counted.items()} | {"none": at_once == 0}


def test_the_kinds_are_equally_common_and_keep_half_to_three_quarters(weeks):
    drops = pl.DataFrame(weeks.benign)
    count = dict(drops["kind"].value_counts().iter_rows())
    assert set(count) == set(KINDS)
    assert min(count.values()) > 0.4 * max(count.values())
    assert (drops.filter(pl.col("kind") == "leave")["factor"] == 0).all()
    assert drops.filter(pl.col("kind") != "leave")["factor"].is_between(0.5, 0.75).all()


@pytest.mark.parametrize("kind", ["project", "tool"])
def test_what_happens_to_a_team_happens_to_its_members_together(history, weeks, kind):
    drops, panel = pl.DataFrame(weeks.benign).filter(pl.col("kind") == kind), history.panel
    together = drops.group_by("first_on", "factor").agg(pl.col("who"))
    shares = []
    for first_on, _, who in together.iter_rows():
        # a drop begins within a month's four weeks; who was in the team is read in the month of most of its weeks
        month = max(int(np.searchsorted(history.first, np.datetime64(first_on) + 4, side="right")) - 2, 0)
        for at in (month, month + 1):
            teams = panel["team"][(panel["month"] == at) & np.isin(panel["who"], who)]
            if len(teams) == len(who) and len(set(teams.tolist())) == 1:
                size = int(((panel["month"] == at) & (panel["team"] == teams[0])).sum())
                shares.append(len(who) / size)
                break
    assert len(shares) > 0.8 * len(together)
    assert np.mean(shares) == pytest.approx(KINDS[kind].team_share, abs=0.12)


def test_a_new_tool_shows_in_writing_alone_and_deep_work_not_in_what_is_done(weeks, inside):
    written, met, done = (weeks.activity[name] for name in ("written", "met", "done"))
    for one, other, equal in (
        (written, met, ("none", "leave", "project")),
        (met, done, ("none", "leave", "project", "tool")),
    ):
        for kind in equal:
            np.testing.assert_allclose(one[inside[kind]], other[inside[kind]])
    for ratio in (written / met, written / done):
        assert ((ratio[inside["tool"]] >= 0.5 - 1e-9) & (ratio[inside["tool"]] <= 0.75 + 1e-9)).all()
    assert (met[inside["focus"]] / done[inside["focus"]]).max() <= 0.75 + 1e-9


def test_the_end_of_a_project_lets_everything_fall(weeks, inside):
    for name in ("written", "met", "done"):
        usual = np.log(weeks.activity[name])
        assert np.median(usual[inside["project"]]) < np.median(usual[inside["none"]]) - 0.3


def test_who_is_on_leave_does_nothing_and_the_leave_is_on_file(history, weeks, inside):
    assert inside["leave"].sum() > 100
    assert weeks.away[inside["leave"]].all()
    assert 0.03 < weeks.away[~inside["leave"]].mean() < 0.07
    roster, rng = Roster(history), np.random.default_rng(2)
    told = traces.attendance(roster, weeks, rng)
    months = np.bincount(weeks.row[inside["leave"]], minlength=len(history.panel["who"])) >= 3
    ids = roster.ids(history.panel["who"][months])
    rows = told.filter(pl.col("employee_id").is_in(ids.implode()))
    assert (rows["leave_days"] >= 15).sum() >= 0.9 * months.sum()
    nobody_there = rows.filter(pl.col("hours") == 0)
    assert len(nobody_there) > 0
    assert (nobody_there["overtime_hours"] == 0).all()
    acts = traces.interactions(roster, weeks, rng)
    there = pl.DataFrame(
        {"employee_id": roster.ids(history.panel["who"][weeks.row]), "end": weeks.end, "away": weeks.away}
    )
    acts = acts.with_columns(pl.col("happened_on").dt.truncate("1w").alias("week"))
    there = there.with_columns(pl.col("end").dt.truncate("1w").alias("week"))
    assert not len(acts.join(there.filter("away"), on=["employee_id", "week"], how="semi"))
