"""From a trained model to a version in the catalogue: card, bundle, figures, gates, alias.

Everything a reader may later ask of a version is logged with it: the plan, the lake's versions, the out-of-time table
with intervals, the figures, the bundle with its SHA-256.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import FixableError
from models.bundle import Bundle, save_bundle
from models.card import ModelCard
from models.registry import CHAMPION, MODEL_NAME, Record, alias_version, load_champion, promote, publish
from models.risk import INTERVAL_CARD
from training.backtest import Backtest, backtest
from training.evaluate import Interval, Told, told_at, wilson
from training.figures import draw_figures
from training.findings import findings
from training.fit import CHOSEN, Trained, gain_over_linear, tables
from training.promote import Gate, gates, published_gates
from training.report import write_report
from training.rivals import with_rivals

REPORT = "report.html"
UNLEARNED = ("base", "prior")
"""Kinds that stand on no exits of the organisation's own, or hardly any."""
Tables = Mapping[str, Mapping[int, Mapping[str, Interval]]]


@dataclass(frozen=True)
class Released:
    """A version in the catalogue, with the evidence. ``promoted`` says whether it became the champion."""

    version: str
    sha256: str
    kind: str
    card: ModelCard
    gates: tuple[Gate, ...]
    promoted: bool
    unseen: Tables
    seen: Tables
    gain: Mapping[str, Interval]
    kind_tested: str
    observed_rate: float
    apart: tuple[int, float, float] | None
    counts: Backtest


def release(trained: Trained, *, tracking_uri: str, artifacts: Path, folder: Path) -> Released:
    """Write the bundle and the evaluation to ``folder``, register them, and promote when every gate is passed.

    What was learned and fails a gate gives way to the published effects, unless they are contradicted or something
    learned serves already. When they fail too and there is no champion yet, the base rate itself is released: everybody
    gets the same risk, nobody is flagged, no reason is told.
    """
    champion = last_champion(tracking_uri, folder.parent / "champion")
    trained = replace(trained, unseen=with_rivals(trained, champion))
    nobody_serves = alias_version(tracking_uri, CHAMPION) is None
    nothing_learned = nobody_serves or (champion is not None and champion.card.model_kind in UNLEARNED)
    trained, refused = stepped_down(trained) if nothing_learned else (trained, ())
    unseen, seen = tables(trained, trained.unseen), tables(trained, trained.seen)
    reference = trained.plan.reference_horizon_days
    gain = gain_over_linear(trained, trained.unseen, reference)
    tested = trained.unseen[~trained.unseen["apart"]]
    told = told_at(tested, reference, CHOSEN)
    passed = checked(trained, unseen)
    proved = all(gate.passed for gate in passed)
    only_base = not proved and nobody_serves
    kind = "base" if only_base else trained.kind
    counts = backtest(trained.unseen, kind="base" if only_base else CHOSEN, seed=trained.plan.seed)
    card = make_card(trained, kind, unseen, told_at(tested, reference, "base") if only_base else told)
    card = replace(card, forecast={**counts.shock.to_dict(), "days_to_fill": trained.plan.days_to_fill})
    bundle = folder / "bundle"
    sha256 = save_bundle(trained.fitted.models[kind], card, trained.panel.rows, bundle, seed=trained.plan.seed)
    figures = keep(trained, card, Evidence(told, unseen, counts, (*refused, *passed), gain), folder)
    found = {**metrics(unseen), **count_metrics(counts)}
    record = Record(parameters(trained), found, {"kind": kind}, bundle, sha256, figures)
    version = publish(tracking_uri, artifacts, record)
    if proved or only_base:
        promote(tracking_uri, version)
    return Released(
        version=version,
        sha256=sha256,
        kind=kind,
        card=card,
        gates=(*refused, *passed),
        promoted=proved or only_base,
        unseen=unseen,
        seen=seen,
        gain=gain,
        kind_tested=" / ".join(sorted(set(trained.unseen["chosen_kind"]))),
        observed_rate=float(told.left.mean()) if len(told.left) else 0.0,
        apart=kept_apart(trained, reference),
        counts=counts,
    )


@dataclass(frozen=True)
class Evidence:
    """What a version stands on: risks told at the reference horizon, the table, counts, gates, gain over a line."""

    told: Told
    unseen: Tables
    counts: Backtest
    gates: tuple[Gate, ...]
    gain: Mapping[str, Interval]


def keep(trained: Trained, card: ModelCard, evidence: Evidence, folder: Path) -> Path:
    """Write the test rows, the table, the counts, what the run found, the report; return the folder of figures.

    From these files ``retention-train report`` and ``retention-train forecast`` work without the records.
    """
    figures = folder / "figures"
    trained.unseen.to_parquet(folder / "predictions.parquet")
    (folder / "evaluation.json").write_text(json.dumps(plain_tables(evidence.unseen), indent=1), encoding="utf-8")
    evidence.counts.cells.to_parquet(folder / "forecast.parquet")
    (folder / "remarks.txt").write_text("\n".join(trained.remarks) + "\n", encoding="utf-8")
    known = findings(trained, card, evidence.counts, gates=evidence.gates, gain=evidence.gain)
    (folder / "run.json").write_text(json.dumps(known, indent=1, ensure_ascii=False), encoding="utf-8")
    draw_figures(evidence.told, evidence.unseen, trained.plan.reference_horizon_days, figures)
    write_report(folder, figures / REPORT)
    return figures


def last_champion(tracking_uri: str, cache: Path) -> Bundle | None:
    """Return the model that serves until now, to be judged beside the new one; None when there is none to be had."""
    if alias_version(tracking_uri, CHAMPION) is None:
        return None
    try:
        return load_champion(tracking_uri, cache=cache)
    except FixableError:
        return None


def kept_apart(trained: Trained, horizon_days: int) -> tuple[int, float, float] | None:
    """Return rows, share who left and mean risk told of what the plan keeps apart; None when that is nothing."""
    rows = trained.unseen[trained.unseen["apart"]]
    told = told_at(rows, horizon_days, CHOSEN)
    return (len(told.left), float(told.left.mean()), float(told.risk.mean())) if len(told.left) else None


def stepped_down(trained: Trained) -> tuple[Trained, tuple[Gate, ...]]:
    """Return the run as if the published effects had been chosen, and the gates at which what was learned failed.

    As it is, and no gates, when what was learned passes, or when the published effects fail as well.
    """
    if trained.kind in UNLEARNED or "prior" not in trained.fitted.models:
        return trained, ()
    gates_of_learned = checked(trained, tables(trained, trained.unseen))
    if all(gate.passed for gate in gates_of_learned):
        return trained, ()
    instead = {f"{CHOSEN}_{h}": f"prior_{h}" for h in trained.plan.horizons_days}
    unseen, seen = (
        rows.assign(chosen_kind="prior", **{chosen: rows[prior] for chosen, prior in instead.items()})
        for rows in (trained.unseen, trained.seen)
    )
    published = replace(trained, fitted=replace(trained.fitted, kind="prior"), unseen=unseen, seen=seen)
    if all(gate.passed for gate in checked(published, tables(published, published.unseen))):
        return published, gates_of_learned
    return trained, ()


def checked(trained: Trained, table: Tables) -> tuple[Gate, ...]:
    """Return the gates' answers; without a test in which somebody left only published effects may speak."""
    reference = trained.plan.reference_horizon_days
    told = told_at(trained.unseen[~trained.unseen["apart"]], reference, CHOSEN)
    tested = reference in table[CHOSEN]
    n_exits = len(set(told.person[told.left > 0].tolist()))
    if trained.kind == "prior":
        return published_gates(dict(table[CHOSEN][reference]) if tested else None, n_exits)
    if not tested:
        return (Gate("enough exits out of time", False, "nobody left in the test snapshots"),)
    return gates(dict(table[CHOSEN][reference]), dict(table["base"][reference]), n_exits)


def make_card(trained: Trained, kind: str, table: Tables, told: Told) -> ModelCard:
    """Return the facts that travel with the model of one kind."""
    plan, index = trained.plan, trained.panel.index
    latest = trained.panel.rows[(index["as_of"] >= sorted(index["as_of"].unique())[-12:][0]).to_numpy()]
    model = trained.fitted.models[kind]
    base_rate = {h: closed_rate(index, h) for h in plan.horizons_days}
    if kind == "prior":  # with a handful of exits the share seen is chance: nobody in a year, or everybody of a team
        mean = model.cumulative_incidence(latest, plan.horizons_days)[:, :, 1].mean(axis=0)
        base_rate = dict(zip(plan.horizons_days, mean.tolist(), strict=True))
    bands = {name: min(0.9, factor * base_rate[plan.reference_horizon_days]) for name, factor in plan.bands.items()}
    columns = model.codes.columns
    return ModelCard(
        name=MODEL_NAME,
        model_kind=kind,
        trained_on=str(index["as_of"].max()),
        labels_closed_on=trained.panel.closed_on.isoformat(),
        horizons_days=plan.horizons_days,
        reference_horizon_days=plan.reference_horizon_days,
        base_rate=base_rate,
        bands=bands,
        band_evidence=band_evidence(told, bands),
        typical={c: typical(latest[c]) for c in columns},
        missing_share={c: float(latest[c].isna().mean()) for c in columns},
        cards=(*(card for card in trained.panel.cards if card.column in set(columns)), INTERVAL_CARD),
        data_versions=dict(trained.data_versions),
        n_people=int(index["employee_id"].nunique()),
        n_exits=int(index.loc[index["event"] == 1, "employee_id"].nunique()),
        eligible=tuple(asdict(rule) for rule in plan.eligible),
        metrics=plain_tables({**table, CHOSEN: table["base"]} if kind == "base" else table),
        accepted=dict(trained.accepted),
        remarks=trained.remarks,
        feed_shares={} if kind == "base" else dict(trained.feed_shares.get(kind, {})),
    )


def closed_rate(index: pd.DataFrame, horizon_days: int) -> float:
    """Return the share who left voluntarily within the horizon, among rows whose horizon was closed."""
    rows = index[index["follow_up"] >= horizon_days]
    return float(((rows["event"] == 1) & (rows["time"] <= horizon_days)).mean()) if len(rows) else 0.0


def band_evidence(told: Told, bands: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return what became of people out of time, by the band in which they stood.

    The interval counts people, not rows: the twelve snapshots of one person are one piece of evidence.
    """
    edges = [0.0, bands["watch"], bands["act"], np.inf]
    out = {}
    for name, low, high in zip(("calm", "watch", "act"), edges, edges[1:], strict=False):
        mine = (told.risk >= low) & (told.risk < high)
        rate = float(told.left[mine].mean()) if mine.any() else 0.0
        people = len(set(told.person[mine].tolist()))
        lower, upper = wilson(rate * people, people)
        out[name] = {"n": people, "left": round(rate * people, 1), "rate": rate, "low": lower, "high": upper}
    return out


def typical(values: pd.Series) -> float | str | None:
    """Return the median of numbers, the commonest category, None when nothing is known."""
    known = values.dropna()
    if known.empty:
        return None
    return float(known.median()) if pd.api.types.is_numeric_dtype(known) else str(known.mode().iloc[0])


def parameters(trained: Trained) -> dict[str, Any]:
    """Return what determines the model: the plan, the data versions, the size of what it learned from."""
    plan = {name: str(value) for name, value in asdict(trained.plan).items()}
    data = {f"lake.{table}": version for table, version in trained.data_versions.items()}
    return {**plan, **data, "kind": trained.kind, "n_rows": len(trained.panel.rows)}


def metrics(table: Tables) -> dict[str, float]:
    """Return the table flat: ``chosen.180.auc`` with ``.low`` and ``.high``."""
    flat = {}
    for kind, horizons in table.items():
        for horizon, row in horizons.items():
            for name, interval in row.items():
                for suffix, value in (("", interval.value), (".low", interval.low), (".high", interval.high)):
                    if np.isfinite(value):
                        flat[f"{kind}.{horizon}.{name}{suffix}"] = float(value)
    return flat


def count_metrics(counts: Backtest) -> dict[str, float]:
    """Return how the forecasts of counts came true, flat: ``forecast.team.quarter_1.held``."""
    rows = counts.coverage.to_dict("records") if len(counts.coverage) else []
    flat = {
        f"forecast.{row['scale']}.{row['period'].replace(' ', '_')}.{name}": float(row[name])
        for row in rows
        for name in ("promised", "held", "sufficed")
    }
    whole = counts.sums.get("all")
    return {**flat, **({"forecast.observed_over_expected": whole.value} if whole and np.isfinite(whole.value) else {})}


def plain_tables(table: Tables) -> dict[str, Any]:
    """Return the table with JSON types only."""
    return {
        kind: {
            str(horizon): {
                name: {k: v if np.isfinite(v) else None for k, v in asdict(interval).items()}
                for name, interval in row.items()
            }
            for horizon, row in horizons.items()
        }
        for kind, horizons in table.items()
    }
