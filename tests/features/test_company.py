"""The invented company: as promised, like an export, and with its truth out of reach."""

from datetime import date, timedelta
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.company import Company, invent, invent_company, true_risk
from features.company.hazard import TERMS
from features.company.records import as_filed
from features.company.regimes import FIRST_ACTIONS
from features.company.truth import FILES
from features.company.warts import SPOILED
from features.errors import FixableError
from features.ingest import import_folder
from features.lake import Lake
from features.tables import TABLES
from models.catalog import load_catalog

EXPORT = date(2023, 12, 31)


class World:
    """One company of 200 people over two years, read back from its files."""

    def __init__(self, folder):
        self.folder, self.truth = folder / "records", folder / "truth"
        invent(self.folder, n_employees=200, months=24, seed=5, truth=self.truth)
        self.text = {p.stem: pl.read_csv(p, infer_schema=False) for p in sorted(self.folder.glob("*.csv"))}
        self.hazards = pl.read_parquet(self.truth / "hazards.parquet")
        self.exits = self.dated("exits")
        self.employees = self.dated("employees")

    def dated(self, name):
        """The rows of a table whose dates can be read, with ``known`` filled in by the default lag."""
        table, frame = TABLES[name], self.text[name]
        dates = [c.name for c in table.columns if c.kind == "date" and c.name in frame.columns]
        frame = frame.with_columns(pl.col(dates).str.to_date(strict=False))
        if "known_on" not in frame.columns:
            frame = frame.with_columns(known_on=pl.lit(None, pl.String))
        known = pl.col("known_on").cast(pl.String).str.to_date(strict=False)
        event = pl.col(table.event or "hired_on") if name != "exits" else known
        frame = frame.with_columns(known=pl.coalesce(known, event + timedelta(days=table.lag_days or 0)))
        return frame.filter(event.is_not_null() & (pl.col("employee_id") != ""))

    @property
    def events(self):
        return [n for n in self.text if TABLES[n].event == "happened_on" and not TABLES[n].reference]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("company"))


def soft_auc(chance, score):
    """The expected AUC of a score when each row has its event with this chance."""
    order = np.argsort(score, kind="stable")
    chance, spared = chance[order], 1 - chance[order]
    return float((chance * (np.cumsum(spared) - spared / 2)).sum() / (chance.sum() * spared.sum()))


def test_the_files_are_those_of_the_contract_with_its_columns(world):
    assert set(world.text) == set(TABLES)
    for name, frame in world.text.items():
        allowed = {"gender", "birth_year"} if name == "protected" else set()
        assert set(frame.columns) <= set(TABLES[name].names()) | {"known_on"} | allowed, name


def test_of_old_positions_the_hire_steps_in_level_and_what_held_last_are_on_file():
    days = [date(2017, 3, 1), date(2018, 3, 1), date(2018, 6, 1), date(2019, 3, 1), date(2020, 3, 1), date(2021, 3, 1)]
    whole = pl.DataFrame(
        {
            "employee_id": ["E1"] * 6 + ["E2"] * 2,
            "happened_on": days + days[-2:],
            "level": [1, 1, 2, 2, 2, 2, 3, 3],
            "pay": [10, 11, 12, 13, 14, 15, 30, 31],
        }
    )
    filed = as_filed(whole, since=date(2021, 1, 1))
    assert filed["pay"].to_list() == [10, 12, 14, 15, 30, 31]


def test_voluntary_exits_come_at_the_rate_asked_for(world):
    exposed = world.hazards.filter("exposed")
    expected = (1 - np.exp(-exposed["rate_voluntary"].to_numpy())).sum() / (len(world.hazards) / 12)
    assert expected == pytest.approx(0.18, rel=0.06)
    during = world.exits.filter(pl.col("known") >= date(2022, 1, 1))
    counts = dict(during["kind"].value_counts().iter_rows())
    person_years = len(world.hazards) / 12
    assert counts["voluntary"] / person_years == pytest.approx(0.18, abs=4 * (0.18 / person_years) ** 0.5)
    assert counts["involuntary"] / person_years == pytest.approx(0.04, abs=4 * (0.04 / person_years) ** 0.5)


def test_hires_replace_exits(world):
    heads = world.hazards.group_by("as_of").len()["len"]
    assert 180 <= heads.min() <= heads.max() <= 215


def test_the_oracle_is_as_good_as_the_spread_of_the_hazards_implies(world):
    rows = world.hazards.filter(pl.col("exposed"))
    log_rate = np.log(rows["rate_voluntary"].to_numpy())
    implied = NormalDist().cdf(log_rate.std() / 2**0.5)
    assert -0.03 < soft_auc(1 - np.exp(-np.exp(log_rate)), log_rate) - implied < 0.02
    assert 0.72 < implied < 0.84
    risk = at_risk_with_labels(world, horizon_days=180)
    assert 0.66 < soft_auc(risk["left"].to_numpy().astype(float), risk["true_risk"].to_numpy()) < 0.88


def at_risk_with_labels(world, *, horizon_days):
    """Everybody's true risk at month ends, and whether a voluntary notice followed within the horizon."""
    ends = [d for d in world.hazards["as_of"].unique().sort() if d + timedelta(days=horizon_days) <= EXPORT]
    spine = world.hazards.filter(pl.col("as_of").is_in(ends) & ~pl.col("under_notice"))
    risk = true_risk(world.truth, spine, horizon_days=horizon_days)
    notices = world.exits.filter(pl.col("kind") == "voluntary").select("employee_id", notice="known")
    after = (pl.col("notice") - pl.col("as_of")).dt.total_days()
    left = after.is_between(1, horizon_days).fill_null(False)
    return risk.join(notices, on="employee_id", how="left").with_columns(left=left)


def test_true_risk_is_right_on_average(world):
    risk = at_risk_with_labels(world, horizon_days=90)
    assert risk["true_risk"].null_count() == 0
    assert risk["true_risk"].mean() == pytest.approx(risk["left"].mean(), rel=0.3)


@settings(max_examples=15, deadline=None)
@given(days=st.lists(st.integers(1, 800), min_size=2, max_size=2, unique=True))
def test_true_risk_is_a_probability_that_never_falls_with_the_horizon(world, days):
    spine = world.hazards.filter(pl.col("as_of") == date(2023, 3, 31))
    short, long = (true_risk(world.truth, spine, horizon_days=d)["true_risk"].drop_nulls() for d in sorted(days))
    assert (short >= 0).all()
    assert (long <= 1).all()
    assert (long - short >= 0).all()


def test_true_risk_keeps_the_order_of_the_spine_and_says_nothing_about_people_under_notice(world):
    day = world.hazards.filter(pl.col("as_of") == date(2023, 6, 30)).sample(fraction=1, shuffle=True, seed=1)
    told = true_risk(world.truth, day, horizon_days=180)
    assert told["employee_id"].to_list() == day["employee_id"].to_list()
    assert (told["true_risk"].is_null() == day["under_notice"]).all()
    mid_month = day.with_columns(as_of=pl.lit(date(2023, 7, 20)))
    assert true_risk(world.truth, mid_month, horizon_days=180)["true_risk"].equals(told["true_risk"])
    sure = true_risk(world.truth, day, horizon_days=180, decisions=True)["true_risk"]
    assert (sure.filter(day["decided"] & ~day["under_notice"]) == 1.0).all()


def test_the_terms_add_up_to_the_log_hazard(world):
    rows = world.hazards.filter(pl.col("rate_voluntary") > 0)
    total = rows.select(pl.sum_horizontal(f"term_{name}" for name in TERMS)).to_series()
    assert np.allclose(total, np.log(rows["rate_voluntary"].to_numpy()), atol=1e-9)
    assert len(world.hazards) - len(rows) == 24  # the chief cannot leave


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        invent(tmp_path / name, n_employees=60, months=12, seed=seed, truth=tmp_path / f"truth_{name}")
    for path in sorted((tmp_path / "a").glob("*.csv")):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    assert (tmp_path / "a" / "surveys.csv").read_bytes() != (tmp_path / "c" / "surveys.csv").read_bytes()


def test_nobody_has_records_before_the_first_day_or_after_the_last(world):
    last = world.exits.select("employee_id", last="happened_on")
    for name in world.events:
        rows = world.dated(name).join(world.employees.select("employee_id", "hired_on"), on="employee_id", how="left")
        rows = rows.join(last, on="employee_id", how="left")
        assert rows["hired_on"].null_count() == 0, name
        assert rows.filter(pl.col("happened_on") < pl.col("hired_on")).is_empty(), name
        assert rows.filter(pl.col("happened_on") > pl.col("last")).is_empty(), name


def test_nothing_is_known_after_the_export(world):
    for name in [*world.events, "employees"]:
        rows = world.dated(name)
        assert rows["known"].null_count() == 0, name
        assert rows["known"].max() <= EXPORT, name
    ahead = world.exits.filter(pl.col("happened_on") > EXPORT)
    assert not ahead.is_empty()
    assert (ahead["known"] <= EXPORT).all()


def test_notice_comes_thirty_to_sixty_days_before_the_last_day_of_those_who_choose_to_go(world):
    days = world.exits.with_columns(days=(pl.col("happened_on") - pl.col("known")).dt.total_days())
    assert days["days"].min() >= 20
    assert days.filter(pl.col("kind") == "voluntary")["days"].is_between(30, 60).all()
    assert days["employee_id"].is_unique().all()


def test_a_manager_is_somebody_who_works_here_on_that_day(world):
    named = world.dated("positions").filter(pl.col("manager_id").is_not_null())
    assert named.filter(pl.col("manager_id") == pl.col("employee_id")).is_empty()
    boss = world.employees.select(manager_id="employee_id", since="hired_on")
    left = world.exits.select(manager_id="employee_id", until="happened_on")
    rows = named.join(boss, on="manager_id", how="left").join(left, on="manager_id", how="left")
    recent = rows.filter(pl.col("happened_on") >= date(2021, 1, 1))
    assert recent["since"].null_count() == 0
    assert recent.filter(pl.col("since") > pl.col("happened_on")).is_empty()
    assert recent.filter(pl.col("until") < pl.col("happened_on")).is_empty()


def test_everybody_here_but_the_chief_has_a_manager_who_has_not_left(world):
    current = world.dated("positions").sort("known", "happened_on", maintain_order=True)
    current = current.unique("employee_id", keep="last", maintain_order=True)
    gone = world.exits.filter(pl.col("happened_on") <= EXPORT)["employee_id"].to_list()
    here = current.filter(~pl.col("employee_id").is_in(gone))
    assert here["manager_id"].null_count() == 1
    assert here.filter(pl.col("manager_id").is_in(gone)).is_empty()


def test_a_colleague_named_in_an_interaction_works_here_on_that_day(world):
    rows = world.dated("interactions").filter(pl.col("counterpart_id").is_not_null())
    other = world.employees.join(world.exits.select("employee_id", last="happened_on"), on="employee_id", how="left")
    rows = rows.join(other.select(counterpart_id="employee_id", since="hired_on", last="last"), on="counterpart_id")
    assert rows.filter(pl.col("counterpart_id") == pl.col("employee_id")).is_empty()
    assert rows.filter((pl.col("happened_on") < pl.col("since")) | (pl.col("happened_on") > pl.col("last"))).is_empty()


def test_raises_promotions_transfers_and_new_managers_happen(world):
    rows = world.dated("positions").sort("employee_id", "happened_on", "known", maintain_order=True)
    rows = rows.with_columns(pl.col("pay", "level").cast(pl.Float64, strict=False))
    now, before = rows.filter(pl.col("happened_on") >= date(2022, 1, 1)), pl.all().shift(1).over("employee_id")
    changed = rows.select(before.name.suffix("_before")).hstack(rows).filter(pl.col("happened_on") >= date(2022, 1, 1))
    assert len(now) == len(changed)
    for column in ("manager_id", "team", "level"):
        assert (changed[column] != changed[f"{column}_before"]).sum() > 5, column
    assert (changed["pay"] > changed["pay_before"]).sum() > 200
    assert set(rows["ladder"].drop_nulls()) >= {"management", "professional"}


def test_the_faults_of_real_exports_are_there_in_a_small_dose(world, tmp_path):
    report = import_folder(world.folder, Lake(tmp_path / "lake"))
    for file in report.files:
        assert file.received == file.accepted + file.quarantined + file.duplicates, file.file
    total = {name: sum(getattr(f, name) for f in report.files) for name in ("quarantined", "duplicates", "corrections")}
    received = sum(f.received for f in report.files)
    assert all(0 < count < 0.002 * received for count in total.values()), total
    surveys = world.text["surveys"].filter(pl.col("known_on").is_not_null())
    assert 0 < len(surveys) < 0.01 * len(world.text["surveys"])


def test_but_for_corrections_a_key_stands_once(world):
    for name in world.events:
        key = [c for c in TABLES[name].key if c in world.text[name].columns]
        if key:
            rows = world.dated(name).filter(pl.col("known_on").is_null() | (pl.lit(name) == "exits"))
            assert rows.unique().select(key).is_duplicated().sum() <= 2 * len(SPOILED.get(name, ())), name


def test_records_tell_something_of_why_people_leave(world):
    asked = world.dated("surveys").with_columns(pl.col("score").cast(pl.Float64, strict=False))
    notices = world.exits.filter(pl.col("kind") == "voluntary").select("employee_id", notice="known")
    asked = asked.filter(pl.col("happened_on") <= EXPORT - timedelta(days=180)).join(
        notices, on="employee_id", how="left"
    )
    soon = (pl.col("notice") - pl.col("happened_on")).dt.total_days().is_between(1, 180).fill_null(False)
    asked = asked.with_columns(soon=soon)
    for item in ("intent_to_stay", "engagement", "manager", "growth"):
        scores = asked.filter(pl.col("item") == item)
        gap = scores.filter("soon")["score"].mean() - scores.filter(~pl.col("soon"))["score"].mean()
        assert gap < -0.1, item


def test_minutes_late_tell_nothing(world):
    late = world.dated("attendance").with_columns(pl.col("late_minutes").cast(pl.Float64, strict=False))
    rows = late.join(
        world.hazards.filter(pl.col("rate_voluntary") > 0),
        left_on=["employee_id", "happened_on"],
        right_on=["employee_id", "as_of"],
    ).drop_nulls("late_minutes")
    assert abs(np.corrcoef(rows["late_minutes"], np.log(rows["rate_voluntary"].to_numpy()))[0, 1]) < 0.1


def test_names_are_half_chinese_and_addresses_unique(world):
    chinese = world.employees["name"].str.contains(r"\p{Han}").mean()
    assert 0.4 < chinese < 0.6
    assert world.employees["email"].is_unique().all()
    assert world.employees["email"].str.contains(r"^[a-z0-9.]+@clinics\.example$").all()


def test_the_truth_stays_where_no_import_looks(world, tmp_path):
    assert {p.suffix for p in world.folder.iterdir()} == {".csv"}
    assert {p.name for p in world.truth.iterdir()} == set(FILES)
    for truth in (tmp_path / "r", tmp_path / "r" / "truth", tmp_path):
        with pytest.raises(FixableError, match="outside"):
            invent(tmp_path / "r", truth=truth)
    assert not (tmp_path / "r").exists()


def test_a_company_too_small_to_have_teams_is_refused_with_everything_that_is_wrong(tmp_path):
    with pytest.raises(FixableError) as refusal:
        invent_company(Company(n_employees=5, months=2), tmp_path / "r", truth=tmp_path / "t")
    assert len(refusal.value.problems) == 2


def test_care_actions_of_the_company_are_in_the_catalog(world):
    assert set(FIRST_ACTIONS) <= {action.id for action in load_catalog().actions}
    assert set(world.text["care_actions"]["action"]) <= set(FIRST_ACTIONS)
