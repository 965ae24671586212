"""The kinds of world: each does what its name says, in the lives, in the records and in the truth."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest

from features.company import REGIMES, Company, Regime, invent_company, regime_named
from features.company import hazard as hz
from features.company.history import KINDS
from features.company.lives import live, settle_base
from features.errors import FixableError
from features.ingest import import_folder
from features.lake import Lake
from features.snapshots import at_risk


def lived(name, *, n_employees=400, months=30, seed=3, settle=True, **changes):
    """One company of a regime without its records."""
    regime = replace(REGIMES[name], **changes)
    company = Company(n_employees=n_employees, months=months, seed=seed, regime=regime)
    life = np.random.SeedSequence(seed).spawn(2)[0]
    usual = -3.0 if regime.generator == "accelerated" else -5.4
    return live(company, life, base=settle_base(company, life) if settle else usual)


def decided(history):
    return history.panel["exposed"] & (history.panel["since_decision"] == 0)


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """A company with every fault and every drift, its files and its truth."""
    folder = tmp_path_factory.mktemp("faults")
    drift = replace(REGIMES["faults"].drift, market_month=20, acquired_month=10, reorganised_month=15)
    faults = replace(REGIMES["faults"].faults, outage_month=8, redefined_month=18, rehired=0.3)
    regime = replace(REGIMES["faults"], voluntary=0.25, drift=drift, faults=faults)
    invent_company(
        Company(n_employees=150, months=26, seed=2, regime=regime), folder / "records", truth=folder / "truth"
    )
    return folder


def table(folder, name):
    return pl.read_csv(folder / "records" / f"{name}.csv", infer_schema=False)


def test_a_regime_that_makes_no_sense_is_refused_with_everything_that_is_wrong():
    with pytest.raises(FixableError) as refusal:
        Regime("odd", lag=(0.5, 0.1), voluntary=2.0, scale=-1, survey_every=0)
    assert len(refusal.value.problems) == 4
    with pytest.raises(FixableError, match="no regime"):
        regime_named("paradise")


def test_every_regime_lives():
    for name in REGIMES:
        history = lived(name, n_employees=60, months=12, settle=False)
        assert 40 <= len(history.panel["who"]) / 12 <= 80, name
        assert np.isfinite(history.panel["rate_voluntary"]).all(), name


@pytest.mark.parametrize(("name", "asked"), [("low_turnover", 0.06), ("high_turnover", 0.25), ("accelerated", 0.12)])
def test_people_leave_about_as_often_as_asked_for(name, asked):
    panel = lived(name, n_employees=800).panel
    expected = 12 * np.sum(1 - np.exp(-panel["rate_voluntary"][panel["exposed"]])) / len(panel["who"])
    assert expected == pytest.approx(asked, rel=0.2)


def test_a_larger_scale_spreads_the_hazards_and_the_oracle_follows():
    implied = []
    for name in ("published", "realistic", "easy"):
        panel = lived(name, settle=False).panel
        rate = panel["rate_voluntary"][panel["rate_voluntary"] > 0]
        implied.append(NormalDist().cdf(np.log(rate).std() / 2**0.5))
    assert implied == sorted(implied)
    assert 0.67 < implied[0] < 0.75 < implied[1] < 0.83 < implied[2] < 0.89


def test_in_the_notice_lag_world_nobody_gives_notice_before_two_months_and_care_comes_too_late_after():
    people = lived("notice_lag", settle=False).people
    gone = people["decided_month"] >= 0
    wait = people["notice_month"][gone] - people["decided_month"][gone]
    assert set(wait.tolist()) <= {2, 3, 4}
    assert np.bincount(wait)[2:].min() > 0


def test_without_contagion_nothing_is_caught_and_with_it_more_than_as_published():
    caught = {name: lived(name, settle=False).panel["term_contagion"] for name in ("no_contagion", "strong_contagion")}
    assert (caught["no_contagion"] == 0).all()
    assert caught["strong_contagion"].max() <= hz.STRONG_CONTAGION * hz.CONTAGION_CAP + 1e-9
    assert caught["strong_contagion"].max() > 2 * lived("realistic", settle=False).panel["term_contagion"].max() / 1.5


def test_decisions_follow_exits_of_teammates_and_no_longer_when_the_exits_are_permuted_over_teams():
    z, permuted = contagion_scores(lived("strong_contagion", n_employees=800, voluntary=0.25))
    assert z > 3
    assert abs(np.mean(permuted)) < 1.2


def contagion_scores(history):
    """Score test for exits in the team, all other causes known: as it was, and with teams exchanged 10 times."""
    panel, people = history.panel, history.people
    left = np.zeros((history.n_teams, history.company.months))
    gone = (people["kind"] == 0) & (people["last"] >= history.first[0]) & (people["last"] < history.first[-1])
    month = np.searchsorted(history.first, people["last"][gone], side="right") - 1
    np.add.at(left, (people["team"][gone], month), 1.0)
    rows = panel["exposed"] & (panel["month"] >= 4)
    p = (1 - np.exp(-panel["rate_voluntary"] / np.exp(panel["term_contagion"])))[rows]

    def score(left):
        x = sum(w * left[panel["team"], panel["month"] - lag] for lag, w in enumerate(hz.CONTAGION_KERNEL, 1))[rows]
        x = x - np.average(x, weights=p)
        return np.sum(x * (decided(history)[rows] - p)) / np.sqrt(np.sum(x * x * p * (1 - p)))

    rng = np.random.default_rng(0)
    return score(left), [score(left[rng.permutation(len(left))]) for _ in range(10)]


def test_a_bonus_in_march_makes_people_wait_and_a_bathtub_rises_late():
    panel = lived("bonus_cliff", settle=False).panel
    month = panel["month"] % 12 + 1
    assert panel["term_bonus"][month == 3].mean() > 0.5 > -0.4 > panel["term_bonus"][month == 2].mean()
    assert hz.tenure_term(np.array([130]), 0.45) - hz.tenure_term(np.array([130])) == pytest.approx(0.45)
    assert hz.tenure_term(np.array([100]), 0.45) == hz.tenure_term(np.array([100]))


def test_group_b_leaves_more_often_through_its_pay_alone():
    history = lived("groups", n_employees=1500, settle=False)
    panel, group = history.panel, history.people["group"][history.panel["who"]]
    chance, at_risk_now = 1 - np.exp(-panel["rate_voluntary"]), panel["exposed"]
    rate = [chance[at_risk_now & (group == g)].mean() for g in (0, 1)]
    assert rate[1] / rate[0] == pytest.approx(1.3, rel=0.15)
    assert panel["term_pay"][group == 1].mean() > panel["term_pay"][group == 0].mean() + 0.15
    assert np.bincount(history.people["group"])[2] / len(history.people["group"]) == pytest.approx(0.05, abs=0.02)


def test_one_column_gives_group_b_away_and_two_say_nothing(tmp_path):
    regime = replace(REGIMES["groups"], voluntary=0.3, groups=replace(REGIMES["groups"].groups, label_bias=0.5))
    company = Company(n_employees=250, months=12, seed=1, regime=regime)
    invent_company(company, tmp_path / "records", truth=tmp_path / "truth")
    group = table(tmp_path, "protected").select("employee_id", "group")
    own = table(tmp_path, "positions").unique("employee_id").join(group, on="employee_id").drop_nulls("x_district")
    b = (own["group"] == "B").to_numpy()
    for column, low, high in (("x_district", 0.68, 0.82), ("x_parking", 0.40, 0.60), ("x_locker", 0.40, 0.60)):
        value = own[column].cast(pl.Float64).to_numpy()
        above = (value[b][:, None] > value[~b][None, :]).mean()
        assert low < above < high, column
    told = table(tmp_path, "exits").join(group, on="employee_id")
    truth = pl.read_parquet(tmp_path / "truth" / "decisions.parquet").select("employee_id", real="kind")
    both = told.join(truth, on="employee_id").filter(pl.col("real") == "voluntary")
    wrong = both.with_columns(wrong=pl.col("kind") == "involuntary").group_by("group").agg(pl.col("wrong").mean())
    shares = dict(wrong.iter_rows())
    assert shares["A"] == 0
    assert 0.2 < shares["B"] < 0.8


def test_feeds_fall_silent_definitions_change_and_exits_are_entered_late(spoiled):
    month = pl.col("happened_on").str.slice(0, 7)
    surveys = set(table(spoiled, "surveys").select(month).to_series().to_list())
    assert {"2022-08", "2022-12"} <= surveys
    assert not {"2022-09", "2022-10", "2022-11"} & surveys
    talk = set(table(spoiled, "interactions").select(month).to_series().to_list())
    assert not {"2022-12", "2023-01"} & talk
    hours = table(spoiled, "attendance").with_columns(pl.col("overtime_hours").cast(pl.Float64, strict=False))
    quarters = (("2023-03", "2023-04", "2023-05"), ("2023-09", "2023-10", "2023-11"))
    before, after = (hours.filter(month.is_in(q))["overtime_hours"].drop_nulls().median() for q in quarters)
    assert 1.2 < after / before < 1.9
    exits = table(spoiled, "exits").drop_nulls("known_on")
    late = (exits["known_on"] > exits["happened_on"]).mean()
    assert 0.04 < late < 0.30
    surveys = table(spoiled, "surveys").with_columns(pl.col("happened_on", "known_on").str.to_date(strict=False))
    lag = (surveys["known_on"] - surveys["happened_on"]).dt.total_days().drop_nulls()
    assert lag.quantile(0.02) >= 20
    assert 35 < lag.median() < 55


def test_a_person_who_comes_back_has_the_old_number_and_is_at_risk_again(spoiled, tmp_path):
    employees, exits = table(spoiled, "employees"), table(spoiled, "exits")
    twice = employees.filter(pl.col("employee_id").is_duplicated()).sort("employee_id", "hired_on")
    assert len(twice) >= 2
    lake = Lake(tmp_path / "lake")
    report = import_folder(spoiled / "records", lake)
    assert not report.problems
    number = twice["employee_id"][0]
    spells = twice.filter(pl.col("employee_id") == number)["hired_on"].str.to_date().to_list()
    left = exits.filter(pl.col("employee_id") == number)["happened_on"].str.to_date(strict=False).min()
    assert spells[0] < left < spells[-1]
    records = lake.read(versions=lake.versions())
    gap, again = (at_risk(records, [day])["employee_id"].to_list() for day in (left, spells[-1]))
    assert number not in gap
    assert number in again


def test_an_acquisition_brings_people_whose_former_tenure_is_on_nobodys_file(spoiled):
    hired = table(spoiled, "employees")["hired_on"].value_counts()
    joined = hired.filter(pl.col("hired_on") == "2022-11-01")["count"].item()
    assert joined >= 15
    hazards = pl.read_parquet(spoiled / "truth" / "hazards.parquet")
    who = table(spoiled, "employees").filter(pl.col("hired_on") == "2022-11-01")["employee_id"]
    first = hazards.filter(pl.col("employee_id").is_in(who.implode()) & (pl.col("as_of").dt.year() == 2022))
    assert first["tenure_months"].mean() > 12
    market = hazards.group_by(pl.col("as_of") >= pl.date(2023, 9, 1)).agg(pl.col("term_market").mean())
    assert dict(market.iter_rows()) == {False: 0.0, True: 0.5}


def test_the_truth_of_a_spoiled_world_still_tells_the_real_kind_of_every_exit(spoiled):
    truth = pl.read_parquet(spoiled / "truth" / "decisions.parquet")
    assert set(truth["kind"].drop_nulls()) <= set(KINDS)
    drops = pl.read_parquet(spoiled / "truth" / "benign_drops.parquet")
    months = 150 * 26
    assert 0.6 < len(drops) / (3 * 0.25 / 12 * months) < 1.4
    assert set(drops["kind"]) == {"leave", "project", "tool", "focus"}
    assert drops["factor"].is_between(0, 0.75).all()
    assert (drops["first_on"] <= drops["last_on"]).all()


def test_a_regime_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(FixableError, match="no regime 'utopia'") as refused:
        regime_named("utopia")
    assert "realistic" in refused.value.problems[0]
    assert regime_named("clinic") is REGIMES["clinic"]
