"""The evaluation report: one HTML page that needs no other file; the first part is for readers who know no statistics.

    predictions.parquet + evaluation.json + run.json ──▶ context (numbers and pictures) ──▶ templates/report.html

Rows count only when their horizon was closed, so nothing is weighted for censoring, and other exits within the horizon
are "did not leave of their own accord". Intervals are 90 % over people unless a line says otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from features.errors import FixableError
from models.phrases import DRIVER_WORDS
from training import charts
from training.evaluate import (
    METRICS,
    Interval,
    Told,
    auc,
    average_precision,
    caught,
    difference,
    evaluate,
    stored_predictions,
    told_at,
    wilson,
)
from training.reliability import curve
from training.usefulness import (
    TEAM_SIZE,
    TENURE,
    by_group,
    classes,
    gain_over_simple,
    net_benefit,
    net_benefit_of_all,
    steadiness,
    sums_by,
    team_sizes,
    thresholds,
)

HERE = Path(__file__).parent
CHOSEN = "chosen"
KINDS = {
    "base": "base rate",
    "rule": "rule of thumb",
    "linear": "linear model",
    "champion": "last champion",
    CHOSEN: "this model",
}
COMPARED = {"auc": auc, "average_precision": average_precision, "caught_at_10": caught(0.10)}
BANDS = ("calm", "watch", "act")
LARGEST_TEAMS = 12
TEAM_STEPS = {"under .25": 0.25, ".25 to .5": 0.5, ".5 to 1": 1.0, "1 to 2": 2.0, "2 and more": np.inf}


def write_report(folder: Path, out: Path) -> Path:
    """Write the report of the run that is stored in ``folder`` to ``out`` and return the file.

    Raises ``FixableError`` when the run left no evaluation behind.
    """
    rows = stored_predictions(folder)
    missing = [name for name in ("run.json", "evaluation.json") if not (folder / name).is_file()]
    if missing:
        raise FixableError(
            "There is no evaluation to report.", [f"{folder / m} is made by: retention-train fit" for m in missing]
        )
    run, table = (json.loads((folder / name).read_text(encoding="utf-8")) for name in ("run.json", "evaluation.json"))
    cells = folder / "forecast.parquet"
    context = build(rows, run, table, pd.read_parquet(cells) if cells.is_file() else pd.DataFrame())
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(render(context), encoding="utf-8")
    return out


def render(context: Mapping[str, Any]) -> str:
    """Return the page; a name that the context lacks is an error, not a blank."""
    loader = FileSystemLoader(HERE / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"told": told_interval, "cell": cell, "percent": percent, "of_100": of_100}
    return environment.get_template("report.html").render(page=context)


def build(rows: pd.DataFrame, run: Mapping[str, Any], table: Mapping[str, Any], cells: pd.DataFrame) -> dict[str, Any]:
    """Return every number and picture of the page."""
    card = run["card"]
    reference = int(card["reference_horizon_days"])
    tested = rows[~rows["apart"]].reset_index(drop=True)
    told = told_at(tested, reference, CHOSEN)
    common = {
        "run": run,
        "card": card,
        "reference": reference,
        "kinds": KINDS,
        "driver_bars": _driver_bars(run["columns"]),
        "judged": 0 < told.left.sum() < len(told.left) and str(reference) in table.get(CHOSEN, {}),
    }
    if not common["judged"]:
        return common
    closed = tested[tested["follow_up"] >= reference].reset_index(drop=True)
    beside = _beside(closed, reference, table)
    return {
        **common,
        "chosen": beside[CHOSEN],
        "beside": beside,
        "horizons": {int(h): row for h, row in table[CHOSEN].items()},
        "versus": _versus(closed, reference),
        "origins": _origins(closed, reference),
        "counted": {"rows": len(told.left), "people": len(set(told.person.tolist())), "left": int(told.left.sum()),
                    "expected": float(told.risk.sum()), "rate": float(told.left.mean())},
        "bands": _bands(told, card["bands"]),
        "groups": _groups(closed, reference),
        "steady": steadiness(closed, reference, kind=CHOSEN),
        "decision": _decision(closed, reference, card["bands"]),
        "teams": _teams(cells),
        "counts": _teams_of_a_quarter(run["forecast"]["coverage"]),
        "pictures": _pictures(closed, told, reference, card["bands"]),
    }  # fmt: skip


def _teams_of_a_quarter(coverage: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return how ranges of what a team loses in the next quarter held; None where none could be judged."""
    return next((row for row in coverage if (row["scale"], row["period"]) == ("team", "quarter 1")), None)


def _beside(closed: pd.DataFrame, reference: int, table: Mapping[str, Any]) -> dict[str, dict[str, Interval]]:
    """Return each rival's metrics; those that the run did not keep (rule, champion) are worked out here."""
    out = {}
    for kind in KINDS:
        column = f"{kind}_{reference}"
        if str(reference) in table.get(kind, {}):
            out[kind] = {name: interval(found) for name, found in table[kind][str(reference)].items()}
        elif column in closed and closed[column].notna().any():
            rows = closed[closed[column].notna()]
            if 0 < told_at(rows, reference, kind).left.sum() < len(rows):
                out[kind] = evaluate(told_at(rows, reference, kind))
    return out


def _versus(closed: pd.DataFrame, reference: int) -> list[dict[str, Any]]:
    """Return this model minus each rival on the same rows, with a verdict that claims no tie as a win."""
    out = []
    for kind, words in KINDS.items():
        column = f"{kind}_{reference}"
        if kind == CHOSEN or column not in closed:
            continue
        rows = closed[closed[column].notna()]
        pair = told_at(rows, reference, CHOSEN), told_at(rows, reference, kind)
        if not 0 < pair[0].left.sum() < len(rows):
            continue
        found = {name: difference(metric, *pair, replicates=100) for name, metric in COMPARED.items()}
        out.append({"kind": kind, "words": words, "n": len(rows), "verdict": verdict(found["auc"]), **found})
    return out


def verdict(gain: Interval) -> str:
    """Return what may be said: better or worse only where the interval leaves out zero."""
    return "better" if gain.low > 0 else "worse" if gain.high < 0 else "matches"


def _origins(closed: pd.DataFrame, reference: int) -> list[dict[str, Any]]:
    out = []
    for origin, rows in closed.groupby("origin"):
        told = told_at(rows, reference, CHOSEN)
        left, days = int(told.left.sum()), sorted(str(day)[:10] for day in rows["as_of"].unique())
        row = {"origin": str(origin)[:10], "first": days[0], "last": days[-1], "rows": len(rows), "left": left}
        metrics = evaluate(told, replicates=100) if 0 < left < len(rows) else {}
        out.append({**row, "kind": str(rows["chosen_kind"].iloc[0]), "metrics": metrics})
    return out


def _bands(told: Told, bands: Mapping[str, float]) -> list[Any]:
    names = np.where(told.risk >= bands["act"], "act", np.where(told.risk >= bands["watch"], "watch", "calm"))
    return sums_by(told, BANDS, names)


def _groups(closed: pd.DataFrame, reference: int) -> dict[str, list[Any]]:
    named = {
        "department": closed["department"],
        "tenure": classes(closed["tenure_days"], TENURE),
        "site": closed["location"],
        "size of the team": classes(team_sizes(closed), TEAM_SIZE),
    }
    kept = {name: values for name, values in named.items() if values.notna().any()}
    return {name: by_group(closed, values, reference, kind=CHOSEN) for name, values in kept.items()}


def _decision(closed: pd.DataFrame, reference: int, bands: Mapping[str, float]) -> list[dict[str, Any]]:
    told = told_at(closed, reference, CHOSEN)
    asked = {"the base rate": float(told.left.mean()), "watch": bands["watch"], "act": bands["act"]}
    return [
        {"name": name, "threshold": t, "flagged": float((told.risk >= t).mean()), "gain": gain_over_simple(told, t)}
        for name, t in asked.items()
        if t < 1
    ]


def _teams(cells: pd.DataFrame) -> dict[str, Any]:
    """Return how teams' sums came true: all quarters by size of the forecast, and the largest teams by name."""
    if cells.empty:
        return {"steps": [], "largest": []}
    mine = cells[(cells["scale"] == "team") & (cells["period"] == "quarter 1")]
    step = np.searchsorted(list(TEAM_STEPS.values()), mine["expected"].to_numpy(float), side="right")
    steps = []
    for i, name in enumerate(TEAM_STEPS):
        part = mine[step == i]
        if len(part):
            sums = {"expected": part["expected"].sum(), "left": int(part["left"].sum())}
            held = ((part["left"] >= part["low"]) & (part["left"] <= part["high"])).mean()
            steps.append({"name": name, "n": len(part), **sums, "promised": part["chance"].mean(), "held": held})
    last = mine[mine["as_of"] == mine["as_of"].max()] if len(mine) else mine
    return {"steps": steps, "largest": last.nlargest(LARGEST_TEAMS, "people").to_dict("records")}


def _driver_bars(columns: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return a picture per language of each driver's part of what moves the score, largest first."""
    sums: dict[str, float] = {}
    for one in columns:
        sums[one["driver"]] = sums.get(one["driver"], 0.0) + one["part"]
    total = sum(sums.values()) or 1.0
    ranked = sorted(sums.items(), key=lambda pair: -pair[1])
    return {
        lang: charts.bars([(DRIVER_WORDS[driver][i], part / total) for driver, part in ranked])
        for i, lang in enumerate(("en", "zh"))
    }


def _pictures(closed: pd.DataFrame, told: Told, reference: int, bands: Mapping[str, float]) -> dict[str, Any]:
    rows = {
        kind: told_at(closed, reference, kind) for kind in (CHOSEN, "linear", "rule") if f"{kind}_{reference}" in closed
    }
    at = np.linspace(told.risk.min(), told.risk.max(), 60)
    flexible = list(zip(at, curve(told.risk, told.left, at), strict=True)) if np.ptp(told.risk) > 1e-9 else []
    t = thresholds(told)
    every = np.ones(len(told.left))
    benefit = {KINDS[kind]: [(x, net_benefit(one, every, x)) for x in t] for kind, one in rows.items()}
    benefit |= {
        "talk to all": [(x, net_benefit_of_all(told, every, x)) for x in t],
        "talk to none": [(x, 0.0) for x in t],
    }
    days = f"{reference} days"
    band_rows = [(s.name, s.expected, s.left, s.low, s.high) for s in _bands(told, bands)]
    floor = -0.3 * max(b for line in benefit.values() for _, b in line)
    return {
        "calibration": charts.dots(tenths(told), x=f"risk told, {days}", y="share who left", line=flexible),
        "reach": charts.lines(
            {KINDS[kind]: reached(one) for kind, one in rows.items()} | {"anybody first": [(0, 0), (100, 100)]},
            x="% of people talked to, highest risk first",
            y="% of leavers reached",
            legend="bottom",
        ),
        "benefit": charts.lines(benefit, x="risk from which one acts", y="net benefit per person", low=floor),
        "bands": {lang: charts.pairs([(names[r[0]], *r[1:]) for r in band_rows], expected=words[0], real=words[1])
                  for lang, names, words in BAND_WORDS},
    }  # fmt: skip


BAND_WORDS = (
    ("en", {"calm": "calm", "watch": "watch", "act": "act"}, ("expected", "really left")),
    ("zh", {"calm": "平稳", "watch": "多加留意", "act": "尽快聊聊"}, ("预计", "实际离职")),
)


def tenths(told: Told) -> list[charts.Dot]:
    """Return ten groups of equal size by risk: what was told, and the share who left with its interval over people."""
    out = []
    for group in np.array_split(np.argsort(told.risk, kind="stable"), 10):
        if len(group):
            left, people = float(told.left[group].mean()), len(set(told.person[group].tolist()))
            low, high = wilson(left * people, people)
            out.append(charts.Dot(float(told.risk[group].mean()), left, low, high))
    return out


def reached(told: Told) -> list[tuple[float, float]]:
    """Return per share of people talked to on each snapshot the share of leavers reached, in percent."""
    every = np.ones(len(told.left))
    shares = [0.01, 0.02, 0.05, *np.arange(0.1, 1.0, 0.1)]
    return [(0.0, 0.0), *((100 * s, 100 * caught(s)(told, every)) for s in shares), (100.0, 100.0)]


def interval(found: Mapping[str, float | None]) -> Interval:
    """Return an interval from plain data; None is not known."""
    return Interval(
        *(float("nan") if found[name] is None else float(found[name] or 0.0) for name in ("value", "low", "high"))
    )


def told_interval(found: Interval | Mapping[str, float | None], digits: int = 3) -> str:
    """Return ``.733 (.707–.759)``, or a dash for what is not known."""
    one = interval(found) if isinstance(found, Mapping) else found
    if not np.isfinite(one.value):
        return "–"
    spread = f" ({one.low:.{digits}f}–{one.high:.{digits}f})" if np.isfinite(one.low) else ""
    return f"{one.value:.{digits}f}{spread}"


def cell(found: Interval | Mapping[str, float | None], digits: int = 3) -> Markup:
    """Return the same for a table, the range on a line of its own."""
    value, _, spread = told_interval(found, digits).partition(" ")
    return Markup("{}<br><small>{}</small>").format(value, spread) if spread else Markup("{}").format(value)


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share as a percentage, a dash for what is not known."""
    return "–" if value is None or not np.isfinite(value) else f"{100 * value:.{digits}f} %"


def of_100(found: Interval | Mapping[str, float | None]) -> str:
    """Return ``29 (24–32)``: so many of a hundred."""
    one = interval(found) if isinstance(found, Mapping) else found
    spread = f" ({100 * one.low:.0f}–{100 * one.high:.0f})" if np.isfinite(one.low) else ""
    return f"{100 * one.value:.0f}{spread}" if np.isfinite(one.value) else "–"


__all__ = ["METRICS", "build", "render", "write_report"]
