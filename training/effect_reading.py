"""How the columns of a trial's table are read: who was given what, what came of it, how long anybody was watched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from features.errors import FixableError
from training.effect_columns import dates_in
from training.effect_words import Told, told

NOTHING = re.compile(
    r"^(0|0\.0|false|no|none|n|c|ctrl?|ctl|control\w*|control[ _-].*|placebo\w*|sham|untreated|nothing|never|off|"
    r"without.*|"
    r"(business[ _-]as[ _-])?usual.*|.*[ _-]as[ _-]usual|bau|standard.*|status[ _-]?quo|wait(ing)?[ _-]?list.*|"
    r"comparison.*|no[nt]?[ _-].*|否|对照.*|控制组?|无|没有.*|未.*|照常.*)$"
)
GIVEN = re.compile(r"^(t|tx|trt|treat\w*|treat\w*[ _-].*|intervention.*|experiment\w*.*|.*实验组?|处理组?|干预组?)$")
YES = {
    "1", "1.0", "true", "yes", "y", "t", "quit", "quits", "left", "leaver", "leave", "exit", "exited", "event", "gone",
    "attrited", "attrition", "resigned", "resignation", "terminated", "separated", "departed", "churned",
    "离职", "已离职", "辞职", "离开", "流失", "是",
}  # fmt: skip
NO = {
    "0", "0.0", "false", "no", "n", "f", "stay", "stayed", "stayer", "current", "active", "censored", "retained",
    "employed", "remained", "present", "still here", "still employed", "在职", "留任", "留下", "未离职", "否",
}  # fmt: skip
MOST_ARMS = 10
SHARE_WATCHED = 0.5
"""Share of those without the outcome who were watched up to the horizon that is taken by default."""


@dataclass(frozen=True)
class Arms:
    """``code`` (n,): 0 for the control, then the arms in the order of ``names``."""

    code: np.ndarray
    names: tuple[str, ...]


def arms_of(values: pd.Series, *, control: str | None) -> Arms:
    """Return who was given what. Raises ``FixableError`` when nobody can tell which value is the control."""
    text = _text(values)
    levels = sorted(text.unique().tolist())
    if not 2 <= len(levels) <= MOST_ARMS:
        raise FixableError(
            f"The treatment {values.name!r} must have two values or a few, not {len(levels)}.",
            [f"found: {', '.join(levels[:8])}{' …' if len(levels) > 8 else ''}"],
        )
    if control is not None:
        found = [level for level in levels if level.lower() == str(control).strip().lower()]
    else:
        found = [level for level in levels if NOTHING.match(level.lower())]
        given = [level for level in levels if GIVEN.match(level.lower())]
        if len(found) != 1 and len(levels) == 2 and len(given) == 1:
            found = [level for level in levels if level not in given]
    if len(found) != 1:
        raise FixableError(
            f"Which value of {values.name!r} stands for those who were given nothing?",
            [f"name it: control=… (--control …), one of: {', '.join(levels)}"],
        )
    names = (found[0], *(level for level in levels if level != found[0]))
    return Arms(text.map({name: i for i, name in enumerate(names)}).to_numpy(int), names)


def outcome_of(values: pd.Series, *, name: str) -> np.ndarray:
    """Return the outcome as 0/1 or as numbers (NaN where blank). Raises ``FixableError`` for words that say neither."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return values.to_numpy(float, na_value=np.nan)
    text = values.astype("string").str.strip().str.lower()
    known = text.dropna()
    words = set(known.unique().tolist())
    if words <= YES | NO:
        return np.where(text.isna(), np.nan, text.isin(YES).fillna(False).to_numpy(bool)).astype(float)
    numbers = pd.to_numeric(known, errors="coerce")
    if numbers.notna().all():
        return pd.to_numeric(text, errors="coerce").to_numpy(float)
    strange = sorted(words - YES - NO)[:6]
    raise FixableError(
        f"The outcome {name!r} cannot be read as yes or no, nor as a number.",
        [f"found: {', '.join(strange)}", "write 1 for those who left and 0 for those who stayed"],
    )


def from_dates(
    table: pd.DataFrame, outcome: str, started_at: date | None, horizon_days: float | None
) -> tuple[pd.DataFrame, list[Told]]:
    """Return the table with an outcome of days (of leaving; blank for whoever stayed) as 1 and 0, and remarks; the same
    for one word (left) and blanks.

    With the day of the start, rows of people who had left before are no part of the trial, and a horizon can be held.
    """
    days = dates_in(table[outcome])
    if days is None:
        return _one_word(table, outcome)
    if days.notna().all():
        return table, []
    kept, left = pd.Series(True, index=table.index), days.notna()
    remarks = [told("remark.day_of_leaving", outcome=outcome)]
    if started_at is not None:
        since = (days - pd.Timestamp(started_at)).dt.days
        kept = ~(since < 0)
        if not kept.all():
            remarks.append(told("remark.gone_before", n=int((~kept).sum()), outcome=outcome, start=started_at))
        if horizon_days is not None:
            left &= since <= horizon_days
            remarks.append(told("remark.within", outcome=outcome, start=started_at, days=horizon_days))
    return table.assign(**{outcome: left.astype(int)})[kept].reset_index(drop=True), remarks


def _one_word(table: pd.DataFrame, outcome: str) -> tuple[pd.DataFrame, list[Told]]:
    if pd.api.types.is_numeric_dtype(table[outcome]) or table[outcome].notna().all():
        return table, []
    words = table[outcome].astype("string").str.strip().str.lower()
    if words.nunique() != 1 or not set(words.dropna().unique()) <= YES:
        return table, []
    left = words.notna().astype(int)
    return table.assign(**{outcome: left}), [told("remark.one_word", outcome=outcome, word=str(words.dropna().iloc[0]))]


def follow_up_of(values: pd.Series, outcome: np.ndarray, *, name: str) -> np.ndarray:
    """Return days to the outcome or to the end of observation. Raises ``FixableError`` for what cannot be days."""
    days = pd.to_numeric(values, errors="coerce").to_numpy(float)
    problems = []
    if not np.isfinite(days).all():
        problems.append(f"{int((~np.isfinite(days)).sum())} rows of {name!r} are not numbers of days")
    if (days[np.isfinite(days)] < 0).any():
        problems.append(f"{int((days < 0).sum())} rows of {name!r} are negative: the outcome came before the start")
    if not np.isin(outcome, (0, 1)).all():
        problems.append("with days, the outcome must be 1 (happened on that day) or 0 (not until then)")
    if problems:
        raise FixableError("Time to the outcome cannot be read.", problems)
    return days


def censored(
    days: np.ndarray, event: np.ndarray, arm: np.ndarray, *, horizon_days: float | None
) -> tuple[np.ndarray, np.ndarray, list[Told]]:
    """Return outcome within the horizon, the weight of each row, and what was taken as the horizon.

    A row censored before the horizon says nothing and weighs 0; the others weigh the inverse of the chance of being
    heard of, by Kaplan and Meier within each arm (Robins & Rotnitzky 1992). Censoring is taken to depend on the
    arm alone.
    """
    if horizon_days is None:
        ends = [days[(arm == a) & ~event] for a in np.unique(arm)]
        horizon_days = min(float(np.quantile(e, 1 - SHARE_WATCHED, method="lower")) if len(e) else np.inf for e in ends)
        horizon_days = float(days.max()) if np.isinf(horizon_days) else horizon_days
    horizon = float(horizon_days)
    heard = (days >= horizon) | event
    outcome = (event & (days <= horizon)).astype(float)
    weight = np.zeros(len(days))
    for a in np.unique(arm):
        mine = arm == a
        weight[mine] = heard[mine] / _still_watched(days[mine], event[mine], np.minimum(days[mine], horizon))
    return outcome, weight, [told("remark.horizon", days=horizon, lost=float((~heard).mean()))]


def _still_watched(days: np.ndarray, event: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the chance of being watched just before each day ``at``, by Kaplan and Meier with censoring as event."""
    times, lost = np.unique(days[~event], return_counts=True)
    at_risk = len(days) - np.searchsorted(np.sort(days), times, side="left")
    # On one day exits come first and those lost to sight after them.
    gone = np.array([(event & (days == t)).sum() for t in times]) if len(times) else np.zeros(0)
    curve = np.cumprod(1 - lost / np.maximum(at_risk - gone, 1)) if len(times) else np.zeros(0)
    return np.maximum(np.concatenate([[1.0], curve])[np.searchsorted(times, at, side="left")], 0.02)


def _text(values: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(values):
        return values.map({True: "yes", False: "no"})
    if pd.api.types.is_numeric_dtype(values) and (values == values.round()).all():
        return values.astype(int).astype(str)
    return values.astype(str).str.strip()
