"""Did being flagged do harm: are people just above the line treated worse afterwards than people just below it?

    risk of 11.9 %: not flagged     risk of 12.1 %: flagged     otherwise hardly different from each other

What happens next to people on both sides of the line (projects, next rating, raise) differs by the flag alone, as far
as nobody can aim at a risk of 12.1 %. Local lines on both sides, weighted towards the line (regression discontinuity:
Imbens & Lemieux 2008, J Econometrics 142:615). Told beside it: the same jump in what happened *before* the flag, which
must be none, and whether as many people stand on both sides (McCrary 2008, J Econometrics 142:698, by counts).

And a second side effect: suggestions accepted without a thought. ``rubber_stamping`` looks at how many were taken over
unchanged, and how fast, for each person who decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from scipy.special import logit
from scipy.stats import binomtest

from features.errors import FixableError
from training.effect_checks import DETECTABLE
from training.effect_estimate import clustered_error, interval

AHEAD_DAYS = 180
RAISE_DAYS = 365
FEWEST_EACH_SIDE = 40
WIDTH = 0.6
"""Log-odds on each side of the line within which people count as alike; also told for half and twice of it."""
FAST_MINUTES = 2.0
FEWEST_DECISIONS = 10
OUTCOMES = ("projects", "rating", "raise")


@dataclass(frozen=True)
class Jump:
    """What changes at the line: flagged minus not flagged, with its 95 % interval.

    ``before``: the same of the time before the flag (None where there is none); ``steady``: the sign holds with half
    and twice the width. ``verdict``: worse, better, no_difference_seen, cannot_tell_yet, not_comparable.
    """

    outcome: str
    value: float
    error: float
    low: float
    high: float
    n_below: int
    n_above: int
    before: float | None
    before_p: float | None
    steady: bool
    detectable: float
    verdict: str


@dataclass(frozen=True)
class Stamps:
    """One decider: suggestions answered, share accepted unchanged, share of those within ``FAST_MINUTES``."""

    decided_by: str
    n: int
    unchanged: float
    fast: float | None
    flagged: bool


def side_effects(
    scores: pd.DataFrame, records: Mapping[str, Any], *, threshold: float, until: pd.Timestamp
) -> list[Jump]:
    """Return the jump of each outcome at ``threshold``.

    ``scores``: what was shown, one row per employee_id, as_of and risk (0..1). One row per person counts: the first in
    which the person came within reach of the line, so that nobody's later flags follow from earlier ones. Outcomes
    whose window is not over by ``until`` are left out.
    """
    missing = [c for c in ("employee_id", "as_of", "risk") if c not in scores]
    if missing:
        raise FixableError("The scores lack columns:", missing)
    if not 0 < threshold < 1:
        raise FixableError(f"The line is a risk between 0 and 1, not {threshold}")
    shown = scores.assign(
        employee_id=scores["employee_id"].astype(str),
        as_of=pd.to_datetime(scores["as_of"]),
        away=logit(np.clip(scores["risk"].to_numpy(float), 1e-6, 1 - 1e-6)) - logit(threshold),
    )
    near = shown[shown["away"].abs() <= 2 * WIDTH].sort_values("as_of")
    first = near.drop_duplicates("employee_id").reset_index(drop=True)
    found = []
    for name in OUTCOMES:
        after, before = outcome_around(first, records, name, until=until)
        if after is not None:
            found.append(jump_at(first, after, before, name))
    return found


def outcome_around(
    people: pd.DataFrame, records: Mapping[str, Any], name: str, *, until: pd.Timestamp
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the outcome after each ``as_of`` and the same before it; NaN where it cannot be told, None without the
    table."""
    table = {"projects": "interactions", "rating": "reviews", "raise": "positions"}[name]
    if table not in records:
        return None, None
    facts = _facts(records[table], name)
    ahead = RAISE_DAYS if name == "raise" else AHEAD_DAYS
    over = (people["as_of"] + pd.Timedelta(days=ahead) <= until).to_numpy()
    if name == "projects":
        after, before = (_counted(people, facts, span) for span in ((0, ahead), (-ahead, 0)))
    elif name == "rating":
        after, before = _nearest(people, facts, ahead, forward=True), _nearest(people, facts, 730, forward=False)
    else:
        now = _nearest(people, facts, 10**5, forward=False)
        later = _nearest(people.assign(as_of=people["as_of"] + pd.Timedelta(days=ahead)), facts, 10**5, forward=False)
        past = _nearest(people.assign(as_of=people["as_of"] - pd.Timedelta(days=ahead)), facts, 10**5, forward=False)
        after, before = later / now - 1, now / past - 1
    return np.where(over, after, np.nan), before


def _facts(frame: Any, name: str) -> pd.DataFrame:
    rows = frame.lazy()
    if name == "projects":
        n = pl.col("n").fill_null(1).cast(pl.Float64) if "n" in rows.collect_schema().names() else pl.lit(1.0)
        rows = rows.filter(pl.col("kind") == "project").select("employee_id", "happened_on", value=n)
    elif name == "rating":
        rows = rows.filter(pl.col("source").fill_null("manager") == "manager")
        rows = rows.select("employee_id", "happened_on", value=pl.col("rating") / pl.col("scale_max").fill_null(5))
    else:
        rows = rows.filter(pl.col("pay").is_not_null()).select("employee_id", "happened_on", value=pl.col("pay"))
    out = rows.collect().to_pandas().dropna()
    days = pd.to_datetime(out["happened_on"]).astype("datetime64[us]")
    return out.assign(happened_on=days, employee_id=out["employee_id"].astype(str)).sort_values("happened_on")


def _counted(people: pd.DataFrame, facts: pd.DataFrame, span: tuple[int, int]) -> np.ndarray:
    """Return the sum of values in ``(as_of + span[0], as_of + span[1]]`` per person."""
    both = people[["employee_id", "as_of"]].reset_index().merge(facts, on="employee_id")
    days = (both["happened_on"] - both["as_of"]).dt.days
    mine = both[(days > span[0]) & (days <= span[1])]
    return mine.groupby("index")["value"].sum().reindex(range(len(people)), fill_value=0.0).to_numpy(float)


def _nearest(people: pd.DataFrame, facts: pd.DataFrame, within_days: int, *, forward: bool) -> np.ndarray:
    left = people[["employee_id", "as_of"]].assign(as_of=people["as_of"].astype("datetime64[us]")).reset_index()
    found = pd.merge_asof(
        left.sort_values("as_of"),
        facts,
        left_on="as_of",
        right_on="happened_on",
        by="employee_id",
        direction="forward" if forward else "backward",
        tolerance=pd.Timedelta(days=within_days),
        allow_exact_matches=not forward,
    )
    return found.set_index("index")["value"].reindex(range(len(people))).to_numpy(float)


def jump_at(people: pd.DataFrame, after: np.ndarray, before: np.ndarray | None, name: str) -> Jump:
    """Return the jump of one outcome at the line (``people.away`` = 0), and what speaks against it."""
    away = people["away"].to_numpy(float)
    clusters = (people["employee_id"].to_numpy(str),)
    value, error, n_below, n_above = _jump(away, after, clusters, WIDTH)
    freedom = max(n_below + n_above - 4, 1)
    low, high, _ = interval(value, error, freedom)
    others = [_jump(away, after, clusters, WIDTH * factor)[0] for factor in (0.5, 2.0)]
    steady = all(np.sign(other) == np.sign(value) for other in others if np.isfinite(other))
    past, past_p = None, None
    if before is not None:
        past, past_error, below, above = _jump(away, before, clusters, WIDTH)
        past_p = interval(past, past_error, max(below + above - 4, 1))[2]
    word = _said(value, (low, high), min(n_below, n_above), past_p, _aimed(away), steady=steady)
    return Jump(name, value, error, low, high, n_below, n_above, past, past_p, steady, DETECTABLE * error, word)


def _jump(
    away: np.ndarray, y: np.ndarray, clusters: tuple[np.ndarray, ...], width: float
) -> tuple[float, float, int, int]:
    """Return jump, standard error, people below and above, by a line on each side with a triangular kernel."""
    near = np.isfinite(y) & (np.abs(away) < width)
    n_above, n_below = int((near & (away >= 0)).sum()), int((near & (away < 0)).sum())
    if min(n_above, n_below) < 5:
        return float("nan"), float("nan"), n_below, n_above
    z, w = away[near], 1 - np.abs(away[near]) / width
    above = (z >= 0).astype(float)
    design = np.column_stack([np.ones(len(z)), above, z, z * above])
    gram = np.linalg.pinv(design.T @ (w[:, None] * design))
    slope = gram @ (design.T @ (w * y[near]))
    influence = (w * (y[near] - design @ slope))[:, None] * design @ gram
    return float(slope[1]), clustered_error(influence[:, 1], tuple(c[near] for c in clusters)), n_below, n_above


def _aimed(away: np.ndarray, *, level: float = 0.001) -> bool:
    """Whether many more people stand just above the line than just below it, or the other way round."""
    close = np.abs(away) < WIDTH / 4
    n, k = int(close.sum()), int((close & (away >= 0)).sum())
    # Risks thin out upwards, so somewhat fewer above is no sign: the share expected is that of the wider surroundings.
    wide = np.abs(away) < WIDTH
    share = float(np.clip((away[wide] >= 0).mean(), 0.2, 0.8)) if wide.any() else 0.5
    return n >= 50 and binomtest(k, n, 0.5 * share + 0.25).pvalue < level


def _said(value: float, ends: tuple[float, float], n: int, past_p: float | None, aimed: bool, *, steady: bool) -> str:
    if n < FEWEST_EACH_SIDE or not np.isfinite(ends[0]):
        return "cannot_tell_yet"
    if aimed or (past_p is not None and past_p < 0.01):
        return "not_comparable"
    if ends[0] <= 0 <= ends[1] or not steady:
        return "no_difference_seen"
    return "better" if value > 0 else "worse"


def rubber_stamping(decisions: pd.DataFrame) -> list[Stamps]:
    """Return each decider's habit, those who accept everything at once first.

    ``decisions``: one row per answered suggestion: decided_by, accepted (0/1), changed (0/1), and if known
    suggested_at and decided_at. Flagged: every one of at least ``FEWEST_DECISIONS`` accepted unchanged, or most of them
    within ``FAST_MINUTES``. A flag is a question to ask, not a fault: suggestions may have been good.
    """
    missing = [c for c in ("decided_by", "accepted", "changed") if c not in decisions]
    if missing:
        raise FixableError("The decisions lack columns:", missing)
    timed = {"suggested_at", "decided_at"} <= set(decisions.columns)
    out = []
    for who, rows in decisions.groupby(decisions["decided_by"].astype(str)):
        plain = (rows["accepted"].astype(bool) & ~rows["changed"].astype(bool)).to_numpy()
        fast = None
        if timed:
            took = (pd.to_datetime(rows["decided_at"]) - pd.to_datetime(rows["suggested_at"])).dt.total_seconds() / 60
            fast = float((plain & (took <= FAST_MINUTES).to_numpy()).mean())
        flagged = len(rows) >= FEWEST_DECISIONS and bool(plain.all() or (fast or 0.0) > 0.5)
        out.append(Stamps(str(who), len(rows), float(plain.mean()), fast, flagged))
    return sorted(out, key=lambda s: (not s.flagged, -s.n, s.decided_by))
