"""The sentinel in whole: twelve planted leaks stop the run and are named; clean records and honest public sets pass."""

import os
import runpy
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.company import invent
from features.errors import FixableError
from features.ingest import import_folder
from features.lake import Lake
from features.tables import OwnColumn, canonical
from training.fit import evidence_of
from training.leak_bench import PLANTS
from training.leak_table import Company, examine, look, rows
from training.leakage import Finding, LeakReport, inspect, refuse
from training.plan import Plan, load_plan

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("RETENTION_SHARED_DATA", ROOT.parent / "shared" / "data"))


def needs(name):
    return pytest.mark.skipif(not (SHARED / name).is_dir(), reason=f"the files of {name} are not in {SHARED}")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    folder = tmp_path_factory.mktemp("company")
    invent(folder / "records", n_employees=220, months=30, seed=1, truth=folder / "truth")
    lake = Lake(folder / "lake")
    import_folder(folder / "records", lake, today=date(2025, 1, 1))
    return Company.of(lake)


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.column)
def test_a_planted_leak_is_found_and_named_with_its_table(company, plant):
    assert examine(company, plant, seed=1).named


@pytest.mark.slow
def test_clean_records_pass(company):
    assert examine(company, None, seed=1).others == ()


def test_there_are_twelve_plants_of_twelve_kinds():
    assert len({plant.put for plant in PLANTS}) == len({plant.name for plant in PLANTS}) == 12


def small(*, leak: bool):
    """300 people, 40 % of whom leave within two years; with a status that knows it, or without."""
    rng = np.random.default_rng(2)
    ids = [f"E{i:03d}" for i in range(300)]
    gone = rng.random(300) < 0.4
    day = np.array(date(2022, 1, 10), dtype="datetime64[D]") + rng.integers(0, 720, 300)
    state = np.where(gone & leak, "B", "A") if leak else rng.choice(["A", "B"], 300)
    exits = pl.DataFrame({"employee_id": ids, "happened_on": day}).filter(pl.Series(gone))
    return canonical(
        {
            "employees": pl.DataFrame({"employee_id": ids, "hired_on": date(2019, 1, 1), "x_state": state}),
            "exits": exits.with_columns(kind=pl.lit("voluntary"), known_on=pl.col("happened_on")),
        }
    )


OWN = (OwnColumn("employees", "x_state", "category"),)


def test_the_run_is_stopped_with_column_table_numbers_and_remedies():
    evidence = evidence_of(small(leak=True), OWN, Plan(), until=date(2023, 12, 31))
    with pytest.raises(FixableError, match="know the future") as stopped:
        refuse(inspect(evidence))
    (problem,) = stopped.value.problems
    for part in ("employees.x_state", "AUC .", "true known_on", "lag the feed", 'accepted."x_state" = "why"'):
        assert part in problem


def test_what_the_plan_accepts_with_a_reason_goes_on_and_is_told():
    evidence = evidence_of(small(leak=True), OWN, Plan(), until=date(2023, 12, 31))
    report = inspect(evidence, accepted={"x_state": "drawn by lot in 2019", "x_other": "not there"})
    refuse(report)
    assert report.accepted == {"x_state": "drawn by lot in 2019"}
    assert any("drawn by lot" in line for line in report.lines())


def test_an_honest_attribute_passes_and_the_sentinel_says_that_it_can_see():
    report = inspect(evidence_of(small(leak=False), OWN, Plan(), until=date(2023, 12, 31)))
    assert report.findings == ()
    assert report.leavers > 100


def test_where_hardly_anybody_left_the_report_says_that_leaks_cannot_be_ruled_out():
    records = small(leak=True)
    few = {**records, "exits": records["exits"].head(6)}
    report = inspect(evidence_of(few, OWN, Plan(), until=date(2023, 12, 31)))
    assert not report.sighted
    assert any("cannot be ruled out" in line for line in report.lines())


def test_a_reason_is_needed_and_a_plan_can_be_read_from_a_file(tmp_path):
    with pytest.raises(FixableError, match="needs a reason"):
        Plan(accepted={"x_state": " "})
    with pytest.raises(FixableError, match="mass_events"):
        Plan(mass_events="maybe")
    file = tmp_path / "plan.toml"
    file.write_text('[accepted]\nx_state = "drawn by lot"\n', encoding="utf-8")
    assert load_plan(file).accepted == {"x_state": "drawn by lot"}


def test_no_finding_is_no_refusal_and_the_table_counts_runs():
    clean = LeakReport((), {}, 3, 40, True, None)
    refuse(clean)
    found = replace(clean, findings=(Finding("x_a", "employees", ("static",), "seen"),))
    with pytest.raises(FixableError, match="1 column seem"):
        refuse(found)
    assert rows([]) == []


@needs("hrdataset_v14")
def test_the_last_review_of_hrdataset_stops_the_run():
    raw = pl.read_csv(SHARED / "hrdataset_v14" / "HRDataset_v14.csv", infer_schema=False)
    day = {
        c: pl.col(c).str.to_date("%m/%d/%Y") for c in ("DateofHire", "DateofTermination", "LastPerformanceReview_Date")
    }
    people = raw.select(
        pl.col("EmpID").str.strip_chars().alias("employee_id"), "EmploymentStatus",
        hired_on=day["DateofHire"], gone=day["DateofTermination"],
        x_last_review=day["LastPerformanceReview_Date"].cast(pl.Int32).cast(pl.Float64),
        x_absences=pl.col("Absences").cast(pl.Float64),
    )  # fmt: skip
    kind = pl.when(pl.col("EmploymentStatus") == "Voluntarily Terminated").then(pl.lit("voluntary"))
    left = people.drop_nulls("gone")
    exits = left.select("employee_id", happened_on="gone", kind=kind.otherwise(pl.lit("involuntary")), known_on="gone")
    employees = people.select("employee_id", "hired_on", "x_last_review", "x_absences")
    own = (OwnColumn("employees", "x_last_review", "number"), OwnColumn("employees", "x_absences", "number"))
    report = look(canonical({"employees": employees, "exits": exits}), own, Plan(), until=date(2019, 2, 28))
    assert [(f.table, f.column) for f in report.findings] == [("employees", "x_last_review")]


@pytest.mark.slow
@needs("ola")
def test_olas_rating_of_the_running_quarter_stops_the_run_and_the_lagged_one_does_not():
    convert = runpy.run_path(str(ROOT / "examples" / "ola" / "convert.py"))
    raw = pl.read_csv(SHARED / "ola" / "train_MpHjUjU.csv", infer_schema=False)
    panel = convert["typed"](raw)
    early = panel.select(
        "employee_id", happened_on="month_end", known_on="month_end", rating=pl.col("rating").cast(pl.Float64),
        scale_max=pl.lit(4.0), source=pl.lit("manager"),
    )  # fmt: skip
    clean = {name: frame for name, frame in convert["tables"](raw).items() if name != "protected"}
    plan = load_plan(ROOT / "examples" / "ola" / "plan.toml")
    own = (OwnColumn("attendance", "x_business_value", "number"), OwnColumn("attendance", "x_idle_month", "number"))
    until = date(2017, 12, 31)
    assert look(canonical(clean), own, plan, until=until).findings == ()
    found = look(canonical({**clean, "reviews": early}), own, plan, until=until).findings
    assert ("reviews", "review_latest") in [(f.table, f.column) for f in found]
    assert all(f.table == "reviews" for f in found)


@pytest.mark.slow
@needs("happyforce")
def test_happyforces_number_of_votes_stops_the_run_and_the_example_as_shipped_does_not():
    convert = runpy.run_path(str(ROOT / "examples" / "happyforce" / "convert.py"))
    raw = convert["read"](SHARED / "happyforce")
    tables = convert["tables"](raw)
    votes = convert["with_person"](raw["churn"]).group_by("employee_id").agg(
        x_num_votes=pl.col("numVotes").max().cast(pl.Float64))  # fmt: skip
    plan = load_plan(ROOT / "examples" / "happyforce" / "plan.toml")
    until = date(2017, 3, 20)
    assert look(canonical(tables), (), plan, until=until).findings == ()
    tables["employees"] = tables["employees"].join(votes, on="employee_id", how="left")
    found = look(canonical(tables), (OwnColumn("employees", "x_num_votes", "number"),), plan, until=until).findings
    assert [(f.table, f.column) for f in found] == [("employees", "x_num_votes")]
