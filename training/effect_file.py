"""What care did in this organisation, learned from its own records and written to ``effects.json`` for care plans.

The file is all that passes from learning to serving: each action with its effect on the chance of a voluntary exit
within ``horizon_days``, its interval, the smallest effect that could have been found, a verdict, and why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import logit

from features.errors import FixableError
from features.lake import Lake
from models.learn import fit_hazards
from training.effect_actions import FEWEST, Judged, judge_actions
from training.effect_trials import Care, care_of, trials_of
from training.effects import Arm
from training.fit import Ground, Progress, prepare, say, settings, tell_as
from training.plan import Plan

FORMAT = 1
HORIZONS = (180, 90)
"""Days after the start; the first is what care plans read."""
PLACEBO = "specific_thanks"
"""The action of the shipped catalog for which no study found an effect on exits: the negative control by default."""


@dataclass(frozen=True)
class Learned:
    """``judged``: by horizon in days; ``counts``: how often each action was done; ``data_version``: whence."""

    judged: Mapping[int, Judged]
    counts: Mapping[str, int]
    data_version: str
    closed_on: date


def learn_effects(lake: Lake, plan: Plan, *, placebo: str | None, progress: Progress) -> Learned:
    """Return what the records in ``lake`` say of each care action."""
    ground = prepare(lake, plan, progress)
    care = care_of(ground.records, until=ground.panel.closed_on)
    risk = unseen_risk(ground, progress)
    judged = {}
    for i, horizon in enumerate(HORIZONS):
        progress("trials", i, len(HORIZONS))
        trials = trials_of(ground, care, risk, horizon_days=horizon, seed=plan.seed)
        if (trials.arm >= 0).sum() >= FEWEST and trials.left.sum() > 0:
            judged[horizon] = judge_actions(trials, placebo=placebo, seed=plan.seed)
    progress("trials", len(HORIZONS), len(HORIZONS))
    if not judged:
        raise FixableError(
            "Too little care is on record to learn from.",
            [f"{len(care.done)} actions were done; at least {FEWEST} must lie {min(HORIZONS)} days back"],
        )
    version = ",".join(f"{name}:{number}" for name, number in sorted(ground.data_versions.items()))
    return Learned(judged, counts(care), version, ground.panel.closed_on)


def counts(care: Care) -> dict[str, int]:
    """Return how often each action was done, the most frequent first."""
    return {str(action): int(n) for action, n in care.done["action"].value_counts().items()}


def unseen_risk(ground: Ground, progress: Progress) -> np.ndarray:
    """Return the log-odds of each row's risk by a line that had not seen the person: one number that holds what the
    model knows, so that few other columns are needed."""
    plan, panel = ground.plan, ground.panel
    own = replace(settings(plan, panel), kinds=("base", "linear"), workers=1)
    fitted = fit_hazards(panel.landmarks(closed_on=panel.closed_on), own, progress=tell_as(progress, "risk"))
    told = say(fitted, panel, plan, panel.closed_on, left_out=True)
    column = f"linear_{plan.reference_horizon_days}"
    if column not in told:
        column = f"{fitted.kind}_{plan.reference_horizon_days}"
    return np.asarray(logit(np.clip(told[column].to_numpy(float), 1e-5, 1 - 1e-5)))


def as_facts(learned: Learned, *, made_on: date) -> dict[str, Any]:
    """Return the content of ``effects.json``."""
    first = next(h for h in HORIZONS if h in learned.judged)
    judged = learned.judged[first]
    actions = {}
    for action in judged.records:
        actions[action] = arm_facts(judged.best(action), first)
        others = [h for h in learned.judged if h != first and action in learned.judged[h].records]
        actions[action]["other_horizons"] = [arm_facts(learned.judged[h].best(action), h) for h in others]
    for action, n in learned.counts.items():
        if action not in actions:
            actions[action] = _too_few(n, first)
    tests = [{"name": t.name, "z": _number(t.z), "n": t.n, "flagged": bool(t.flagged)} for t in judged.tests]
    return {
        "format": FORMAT,
        "made_on": made_on.isoformat(),
        "data_version": learned.data_version,
        "closed_on": learned.closed_on.isoformat(),
        "actions": actions,
        "all_care": arm_facts(judged.together, first),
        "tests": tests,
    }


def arm_facts(arm: Arm, horizon_days: int) -> dict[str, Any]:
    """Return one action's line of the file."""
    found = arm.adjusted
    return {
        "treated": arm.n_treated,
        "controls": arm.n_controls,
        "horizon_days": horizon_days,
        "risk_difference": _number(found.value),
        "low": _number(found.low),
        "high": _number(found.high),
        "log_hazard_ratio": _number(found.log_ratio),
        "standard_error": _number(found.log_ratio_error),
        "smallest_detectable": _number(arm.detectable),
        "verdict": arm.verdict,
        "why": list(arm.why),
    }


def _too_few(n: int, horizon_days: int) -> dict[str, Any]:
    blank = ("risk_difference", "low", "high", "log_hazard_ratio", "standard_error", "smallest_detectable")
    facts: dict[str, Any] = {"treated": n, "controls": 0, "horizon_days": horizon_days}
    return {**facts, **dict.fromkeys(blank), "verdict": "cannot_tell_yet", "why": ["few_treated"]}


def _number(value: float) -> float | None:
    return round(float(value), 6) if isfinite(value) else None


def write_effects(facts: Mapping[str, Any], state: Path) -> Path:
    """Write ``effects.json`` whole or not at all, and return its path."""
    state.mkdir(parents=True, exist_ok=True)
    path, draft = state / "effects.json", state / "effects.json.new"
    draft.write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(path)
    return path
