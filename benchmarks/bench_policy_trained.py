"""The benchmark of policies from end to end: records, a trained model, its reasons, the plan, and what it prevents.

    python -m benchmarks.bench_policy_trained --seeds 2 --people 1000 --months 36

A company is invented and imported; six months before the end of its records a model learns from what was known until
then, as ``retention-train fit`` learns, and everybody present gets a risk and drivers from it. The policies of
``bench_policy`` then share the same care. What is left of the records is never read; the potential outcomes of those
six months say what each policy prevents.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.bench_policy import CATALOG, IDS, Scene, bands_of, expected_auc, policies, table, turned
from features.cards import Card
from features.company import Company, invent_company, regime_named
from features.ingest import import_folder
from features.lake import Lake
from models.care import carried
from models.evidence import effects
from models.learn import fit_hazards
from training.fit import Ground, prepare, settings
from training.plan import Plan

FIRST_SEED = 651
SOON_DAYS, HORIZON_DAYS = 30, 180


@dataclass(frozen=True)
class Told:
    """What a model says on the last day with potential outcomes: risks (n, 2) soon and in half a year, and why."""

    index: pd.DataFrame
    risk: np.ndarray
    raised: list
    facts: list[dict]


def told_on(ground: Ground, origin: pd.Timestamp) -> Told:
    """Learn from everything before ``origin``, as ``retention-train fit`` learns, and say each person's risk on it."""
    panel, day = ground.panel, pd.to_datetime(ground.panel.index["as_of"])
    teaches, now = panel.take((day < origin).to_numpy()), panel.take((day == origin).to_numpy())
    fitted = fit_hazards(teaches.landmarks(closed_on=origin.date()), settings(ground.plan, panel))
    model = fitted.models[fitted.kind]
    risks = model.cumulative_incidence(now.rows, [SOON_DAYS, HORIZON_DAYS])[:, :, 1]
    known = {card.column: card for card in panel.cards}
    other = {c: Card(c, "context", "score", "", "{value}", "{value}", actionable=False) for c in model.columns}
    cards = [known.get(c, other[c]) for c in model.columns]
    raised = carried(model.contributions(now.rows)[1], cards)
    facts = now.rows[[card.column for card in panel.cards if card.shown]].to_dict("records")
    facts = [{name: None if value != value else value for name, value in row.items()} for row in facts]
    return Told(now.index.assign(employee_id=now.index["employee_id"].astype(str)), risks, raised, facts)


def managers(ground: Ground, origin: pd.Timestamp) -> pd.Series:
    """Return who led each person on that day, by employee."""
    posts = ground.records["positions"].filter(pl.col("happened_on") <= origin.date()).sort("happened_on")
    posts = posts.group_by("employee_id", maintain_order=True).agg(pl.col("manager_id").last()).collect()
    return pd.Series(posts["manager_id"].to_list(), index=posts["employee_id"].cast(pl.String).to_list())


def scene_of(told: Told, truth: pd.DataFrame, led: pd.Series, *, against: bool) -> Scene:
    """Return what is known and what is true; ``truth`` has the potential outcomes of that day by employee."""
    known = truth.reindex(told.index["employee_id"])
    # Whoever is present and has no potential outcome had decided already: no care reaches them.
    none = known["p_none"].fillna(1.0).to_numpy()
    saved = np.stack([none - known[f"p_{action}"].fillna(1.0).to_numpy() for action in IDS], axis=1)
    if against:
        saved = turned(saved, none)
    risk, band = told.risk[:, 1], bands_of(told.risk[:, 1], none)
    manager, site = (
        pd.factorize(values.astype("string").fillna("none"))[0]
        for values in (led.reindex(told.index["employee_id"]), told.index["location"])
    )
    return Scene(risk, told.risk[:, 0], band, told.raised, told.facts, manager, site, saved, none, none)


def one_company(seed: int, *, people: int, months: int, hours: float, regime: str) -> list[dict]:
    """Invent, import, train, plan, and count what each policy prevents in both worlds."""
    company = Company(n_employees=people, months=months, seed=seed, regime=regime_named(regime))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        invent_company(company, folder / "records", truth=folder / "truth")
        lake = Lake(folder / "lake")
        import_folder(folder / "records", lake)
        truth = pd.read_parquet(folder / "truth" / "potential.parquet")
        ground = prepare(lake, Plan(), lambda *_: None)
        return judged(ground, truth, seed=seed, regime=regime, hours=hours)


def judged(ground: Ground, truth: pd.DataFrame, *, seed: int, regime: str, hours: float) -> list[dict]:
    """Return one row per world for ``bench_policy.table``."""
    truth = truth.assign(as_of=pd.to_datetime(truth["as_of"]), employee_id=truth["employee_id"].astype(str))
    origin = truth["as_of"].max()
    told, led = told_on(ground, origin), managers(ground, origin)
    last, rows = truth[truth["as_of"] == origin].set_index("employee_id"), []
    for against in (False, True):
        now = scene_of(told, last, led, against=against)
        found = policies(now, effects(CATALOG), np.random.default_rng([seed, 9]), hours=hours)
        row = {"regime": regime, "seed": seed, "against": against, "evidence": "trained", "people": len(now.risk)}
        rows.append({**row, **found, "auc": expected_auc(now.would_leave, now.risk)})
    return rows


def main() -> None:
    """Run the companies asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--regimes", nargs="+", default=["clinic"])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--hours", type=float, default=1.5)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    size, rows = {"people": asked.people, "months": asked.months, "hours": asked.hours}, []
    for regime in asked.regimes:
        for seed in range(FIRST_SEED, FIRST_SEED + asked.seeds):
            rows += one_company(seed, **size, regime=regime)
    if asked.out:
        asked.out.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    table(rows)


if __name__ == "__main__":
    main()
