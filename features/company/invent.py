"""An invented clinic group with known hazards: records in the form of the tables contract, and their truth elsewhere.

Monthly steps, weekly traces, many kinds of world (``company.regimes``) and two generators of different structure. Good
for showing the whole way, for testing that a model finds what is there, and for judging effects whose truth is known.
Not good for claims about real turnover: the company has the effects that were put in (``company.hazard``), and nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from features.company import answers, records, traces, warts
from features.company.days import further
from features.company.faults import faulty
from features.company.hazard import Company
from features.company.history import History
from features.company.lives import live, settle_base
from features.company.staff import Columns
from features.company.truth import write_truth
from features.company.world import activities, courses, job_skills
from features.errors import FixableError
from features.tables import TABLES

OWN_COLUMNS = """# The company's own columns: two of pure noise, and one that gives a protected group away a little.
[tables.positions.own.x_locker]
kind = "number"
[tables.positions.own.x_parking]
kind = "number"
[tables.positions.own.x_district]
kind = "number"
"""


def invent(folder: Path, *, n_employees: int = 1000, months: int = 36, seed: int = 0, truth: Path) -> None:
    """Write the records of an invented company into ``folder`` and what really happened into ``truth``.

    The files look like an export made at the close of the last month: nothing in them was known later. The same
    arguments give the same bytes. About one row in a thousand is late, corrected, doubled or senseless, on purpose.
    """
    invent_company(Company(n_employees=n_employees, months=months, seed=seed), folder, truth=truth)


def invent_company(
    company: Company, folder: Path, *, truth: Path, progress: Callable[[str], None] | None = None
) -> None:
    """``invent`` with every setting of the company; ``progress`` is told the name of each step as it begins."""
    _refuse(company, folder, truth)
    told = progress or (lambda step: None)
    life, paper = np.random.SeedSequence(company.seed).spawn(2)
    told("lives")
    history = live(company, life, base=settle_base(company, life))
    told("records")
    tables, benign = make_records(history, paper)
    told("files")
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        frame.write_csv(folder / f"{name}.csv")
    if company.regime.wide:
        (folder / "mapping.toml").write_text(OWN_COLUMNS, encoding="utf-8")
    told("truth")
    write_truth(history, truth, benign=benign)


def make_records(history: History, seed: np.random.SeedSequence) -> tuple[dict[str, pl.DataFrame], Columns]:
    """Every table as an export made at ``history.until``, warts included; all text where there are bad rows.

    Beside them the benign drops of activity, which no table tells apart from the others.
    """
    rng, roster = _generators(seed), records.Roster(history)
    weeks = traces.weeks(history, rng["attendance"])
    clean = faulty(_clean_records(roster, weeks, rng, further(seed, 1)), roster, further(seed, 2))
    exported = {name: _exported(name, clean[name], history, again) for name, again in _generators(seed).items()}
    return exported, weeks.benign


def _generators(seed: np.random.SeedSequence) -> dict[str, np.random.Generator]:
    """A generator for each table, so that a change to one leaves the others as they were."""
    return {name: np.random.default_rng(child) for name, child in zip(TABLES, seed.spawn(len(TABLES)), strict=True)}


def _clean_records(
    roster: records.Roster, weeks: traces.Weeks, rng: dict[str, np.random.Generator], more: np.random.Generator
) -> dict[str, pl.DataFrame]:
    """One frame per table, without warts; each table draws from a generator of its own."""
    history = roster.history
    exits = records.exits(roster, rng["exits"])
    evenings = history.first[:-1] + 17
    return {
        "employees": records.employees(roster, rng["employees"]),
        "exits": exits,
        "positions": records.positions(roster, more),
        "interactions": traces.interactions(roster, weeks, rng["interactions"]),
        "surveys": answers.surveys(roster, rng["surveys"]),
        "reviews": answers.reviews(roster, rng["reviews"]),
        "goals": answers.goals(roster, rng["goals"]),
        "learning": answers.learning(roster, rng["learning"]),
        "skills": answers.skills(roster, rng["skills"]),
        "recognitions": answers.recognitions(roster, rng["recognitions"]),
        "attendance": traces.attendance(roster, weeks, rng["attendance"]),
        "aspirations": answers.aspirations(roster, rng["aspirations"]),
        "care_actions": records.care_actions(roster, rng["care_actions"]),
        "exit_interviews": records.exit_interviews(rng["exit_interviews"], exits),
        "protected": records.protected(roster),
        "job_skills": job_skills(),
        "courses": courses(),
        "activities": activities(evenings),
    }


def _exported(name: str, frame: pl.DataFrame, history: History, rng: np.random.Generator) -> pl.DataFrame:
    """Warts added, rows known after the export left out, in the order in which a system would list them."""
    table = TABLES[name]
    if table.event != "happened_on":
        return frame
    dose = history.company.regime.faults.dose
    if name != "exits":
        frame = warts.with_late_rows(name, frame, rng, dose)
    frame = warts.with_corrections(name, frame, rng, dose)
    by_default = pl.col("happened_on").dt.offset_by(f"{table.lag_days or 0}d")
    known = pl.coalesce("known_on", by_default)
    until = history.until.astype("datetime64[D]").item()
    frame = frame.filter(known <= until).sort(known, "employee_id", maintain_order=True)
    frame = warts.with_duplicates(name, frame, rng, dose)
    if frame["known_on"].is_null().all():
        frame = frame.drop("known_on")
    bad = warts.spoiled_rows(name, frame, rng)
    return pl.concat([frame.select(pl.all().cast(pl.String)), bad]) if len(bad) else frame


def _refuse(company: Company, folder: Path, truth: Path) -> None:
    problems = []
    if company.n_employees < 20:
        problems.append("n_employees: at least 20, so that there are teams.")
    if company.months < 6:
        problems.append("months: at least 6, so that there is something to look back on.")
    inner, outer = truth.resolve(), folder.resolve()
    if inner == outer or outer in inner.parents or inner in outer.parents:
        problems.append(f"truth: choose a folder outside of {folder}, so that no import can read it.")
    if problems:
        raise FixableError("This company cannot be invented.", problems)
