"""Trials that nobody held, drawn out of records: care begun in a month against everybody who could have had it.

    as_of           the month-end before care was agreed on: who may take part, and what was known of each
    start           the day on which care was done
    |----no care for 270 days----]as_of--agreed--start](----outcome: voluntary exit within 90 or 180 days----]

Every month-end opens a trial (target trial emulation: Hernán & Robins 2016, Am J Epidemiol 183:758). Nobody is
immortal: those given nothing get a day of start too, drawn from the days on which care was done, and whoever had given
notice by that day, treated or not, is out. What was known is taken before the agreement, which is the first step of
care and no trait of a person. Who is not treated in one month may be in the next; the same person is in
many trials, which the errors know. An exit of another kind is not an exit of the person's own accord and competes.
Only trials whose horizon is over count.

The effect is that of care now against no care now; some of the others get care later, as they usually would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from features.errors import FixableError
from models.outreach import COIN, chance_of, held_out
from training.effect_actions import Trials
from training.effect_columns import Coded, coded
from training.fit import Ground

GRACE_DAYS = 31
AGREED_DAYS = 92
"""An agreement so many days before care was done is taken to be about it."""
CARE_FREE_DAYS = 270
LONG_AGO_DAYS = 365
CONTROLS_PER_TREATED = 5
FEWEST_CONTROLS = 4000
MOST_COLUMNS = 40
FEWEST_KNOWN = 0.3
OF_CARE = ("care_agreed_180d", "care_done_180d", "care_declined_365d", "days_since_care")
"""Columns that tell of earlier care: no confounders like others, for they would hide what the checks look for."""


@dataclass(frozen=True)
class Care:
    """Care that was done and toss-ups lost: employee_id, began (agreed, or drawn), day (done), action, by_coin, chance
    (NaN unknown), sorted by ``began``."""

    done: pd.DataFrame
    held_out: pd.DataFrame


def care_of(records: Mapping[str, Any], *, until: date) -> Care:
    """Return what the table care_actions says of care that was done by ``until``.

    Raises ``FixableError`` when there is none.
    """
    if "care_actions" not in records:
        raise FixableError(
            "There is no care on record, so nothing can be learned about it.",
            ["Record care in the service, or import care_actions (employee_id, action, happened_on, status)."],
        )
    known = records["care_actions"].lazy().filter(pl.col("happened_on") <= until).collect()
    note = known["note"] if "note" in known.columns else pl.Series([None] * known.height, dtype=pl.String)
    rows = known.with_columns(note=note.fill_null("")).to_pandas()
    rows["day"] = pd.to_datetime(rows["happened_on"])
    rows["by_coin"] = rows["note"].str.startswith(COIN)
    rows["chance"] = rows["note"].map(chance_of)
    kept = ["employee_id", "began", "day", "action", "by_coin", "chance"]
    done = rows[rows["status"] == "done"].sort_values("day")
    if done.empty:
        raise FixableError("No care action was done.", ["care_actions holds rows, but none with status done."])
    agreed = rows[rows["status"] == "agreed"].sort_values("day")[["employee_id", "action", "day"]]
    key, near = ["employee_id", "action"], pd.Timedelta(days=AGREED_DAYS)
    at = pd.merge_asof(done, agreed.assign(began=agreed["day"]), on="day", by=key, tolerance=near)
    done = at.assign(began=at["began"].fillna(at["day"])).sort_values("began")[kept].reset_index(drop=True)
    out = rows[(rows["status"] == "suggested") & rows["note"].map(held_out)].sort_values("day")
    return Care(done, out.assign(began=out["day"])[kept].reset_index(drop=True))


def trials_of(ground: Ground, care: Care, risk: np.ndarray, *, horizon_days: int, seed: int = 0) -> Trials:
    """Return the rows of all trials whose horizon is over.

    ``risk`` (n,) is the model's log-odds for each row of ``ground.panel``, from folds that had not seen the person.
    Controls are thinned at random to a few times the treated: more of them would add time, and hardly any precision.
    """
    index = ground.panel.index.assign(row=np.arange(len(ground.panel.index)), as_of=_days(ground.panel.index["as_of"]))
    rows = _begun(index, care, np.random.default_rng(seed))
    time = rows["time"] - rows["wait"]
    rows = rows[(time > 0) & (rows["follow_up"] - rows["wait"] >= horizon_days)].reset_index(drop=True)
    rows = _thinned(rows, np.random.default_rng(seed + 1))
    inside = (rows["time"] - rows["wait"]) <= horizon_days
    names = tuple(sorted(set(rows["action"].dropna())))
    code = rows["action"].map({name: i for i, name in enumerate(names)}).fillna(-1).to_numpy(int)
    left = ((rows["event"] == 1) & inside).to_numpy(float)
    x = confounders(ground, rows, risk, code >= 0, left)
    return Trials(
        actions=names,
        arm=code,
        left=left,
        other=((rows["event"] == 2) & inside).to_numpy(float),
        x=x,
        history=_history(ground, rows),
        cared_before=rows["cared_before"].to_numpy(float),
        clusters=(_team(rows), np.unique(rows["employee_id"].astype(str), return_inverse=True)[1]),
        by_coin=rows["by_coin"].to_numpy(bool),
        chance=rows["chance"].fillna(0.5).to_numpy(float),
        horizon_days=horizon_days,
    )


def _days(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values).astype("datetime64[us]")


def _begun(index: pd.DataFrame, care: Care, generator: np.random.Generator) -> pd.DataFrame:
    """Return the rows of people without care for ``CARE_FREE_DAYS``, each with the days until its trial starts."""
    rows = index.sort_values("as_of").reset_index(drop=True)
    rows["employee_id"] = rows["employee_id"].astype(str)
    done, out = (_plain(frame) for frame in (care.done, care.held_out))
    begun = done[["employee_id", "began"]]
    last = pd.merge_asof(rows[["employee_id", "as_of"]], begun, left_on="as_of", right_on="began", by="employee_id")[
        "began"
    ]
    grace = pd.Timedelta(days=GRACE_DAYS)
    given, spared = _next(rows, done, grace), _next(rows, out, grace)
    # Snapshots may lie less than the grace apart: care belongs to the last one before it.
    ends = np.sort(rows["as_of"].unique())
    following = pd.Series(np.append(ends[1:], ends[-1:] + grace)[np.searchsorted(ends, rows["as_of"])])
    given, spared = (f.mask(f["began"] > following) for f in (given, spared))
    wait = (given["day"] - rows["as_of"]).dt.days
    waits = wait.dropna().to_numpy(float)
    lost = given["day"].isna() & spared["began"].notna()
    drawn = generator.choice(waits, len(rows)) if len(waits) else np.zeros(len(rows))
    # Those whom the coin spared start as long after the draw as the others did.
    delays = (done["day"] - done["began"]).dt.days.to_numpy(float)
    lost_wait = (spared["began"] - rows["as_of"]).dt.days + generator.choice(delays, len(rows))
    rows["wait"] = np.where(wait.notna(), wait, np.where(lost, lost_wait, drawn))
    rows["action"] = given["action"]
    rows["by_coin"] = np.where(wait.notna(), given["by_coin"] == True, lost)  # noqa: E712 - blank is not by coin
    rows["chance"] = given["chance"].where(wait.notna(), spared["chance"])
    since = (rows["as_of"] - last).dt.days
    known_for = (rows["as_of"] - done["began"].min()).dt.days
    before = np.where(since.isna(), 0.0, np.where(since >= LONG_AGO_DAYS, 1.0, np.nan))
    blind = (rows["tenure_days"] < LONG_AGO_DAYS) | (known_for < LONG_AGO_DAYS)
    rows["cared_before"] = np.where(blind, np.nan, before)
    return rows[since.isna() | (since >= CARE_FREE_DAYS)].reset_index(drop=True)


def _plain(care: pd.DataFrame) -> pd.DataFrame:
    days = {name: _days(care[name]) for name in ("began", "day")}
    return care.assign(employee_id=care["employee_id"].astype(str), **days)


def _next(rows: pd.DataFrame, care: pd.DataFrame, grace: pd.Timedelta) -> pd.DataFrame:
    """Return each row's first care after ``as_of`` and within the grace; blank where there is none."""
    return pd.merge_asof(
        rows[["employee_id", "as_of"]],
        care,
        left_on="as_of",
        right_on="began",
        by="employee_id",
        direction="forward",
        tolerance=grace,
        allow_exact_matches=False,
    )


def _thinned(rows: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    kept = rows["action"].notna() | rows["by_coin"]
    wanted = max(CONTROLS_PER_TREATED * int(kept.sum()), FEWEST_CONTROLS)
    share = wanted / max(int((~kept).sum()), 1)
    return rows[kept | (generator.random(len(rows)) < share)].reset_index(drop=True)


def confounders(ground: Ground, rows: pd.DataFrame, risk: np.ndarray, treated: np.ndarray, left: np.ndarray) -> Coded:
    """Return the model's risk, tenure, date, season, the team's habit of care, and the columns that go most with
    treatment or outcome (double selection: Belloni, Chernozhukov & Hansen 2014, Rev Econ Stud 81:608)."""
    at = rows["row"].to_numpy(int)
    known = ground.panel.rows.iloc[at].reset_index(drop=True)
    numbers = [c.column for c in ground.panel.cards if c.kind == "number" and c.column not in OF_CARE]
    numbers = [c for c in numbers if known[c].notna().mean() >= FEWEST_KNOWN and known[c].nunique() > 1]
    chosen = _telling(known[numbers], treated, left)
    season = 2 * np.pi * (pd.to_datetime(rows["as_of"]).dt.month.to_numpy() / 12)
    always = {
        "risk": risk[at],
        "log_tenure": np.log1p(rows["tenure_days"].to_numpy(float)),
        "day": pd.to_datetime(rows["as_of"]).to_numpy("datetime64[D]").astype(float),
        "season_1": np.sin(season),
        "season_2": np.cos(season),
        "habit": _habit(ground, rows),
    }
    return coded(pd.DataFrame(always).join(known[chosen]), [*always, *chosen])


def _telling(known: pd.DataFrame, treated: np.ndarray, left: np.ndarray) -> list[str]:
    """Return the columns with the largest correlation with who is treated or who leaves."""
    x = known.to_numpy(float)
    x = np.where(np.isfinite(x), x, np.nanmedian(x, axis=0))
    z = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-9)
    strength = np.zeros(z.shape[1])
    for values in (treated.astype(float), left):
        if values.std() > 0:
            strength = np.maximum(strength, np.abs(z.T @ ((values - values.mean()) / values.std())) / len(z))
    return [known.columns[i] for i in np.argsort(-strength, kind="stable")[:MOST_COLUMNS]]


def _habit(ground: Ground, rows: pd.DataFrame) -> np.ndarray:
    """Return the share of the row's team, the person apart, that was given care in the last half year."""
    panel = ground.panel
    whole = panel.index.assign(as_of=_days(panel.index["as_of"]), given=0.0)
    if "care_done_180d" in panel.rows:
        whole["given"] = (panel.rows["care_done_180d"].fillna(0).to_numpy(float) > 0).astype(float)
    key = ["as_of", "department", "team"]
    sums = whole.groupby(key, dropna=False)["given"].agg(["sum", "size"]).reset_index()
    at = rows[key].merge(sums, on=key, how="left")
    own = whole["given"].to_numpy()[rows["row"].to_numpy(int)]
    return ((at["sum"].to_numpy() - own) / np.maximum(at["size"].to_numpy() - 1, 1)).astype(float)


def _history(ground: Ground, rows: pd.DataFrame) -> np.ndarray:
    at = rows["row"].to_numpy(int)
    """Return refusals in the last year, care long ago, and whether that can be said. An agreement just before the
    month-end is not among them: it is the beginning of the care itself."""
    known = ground.panel.rows
    no = known["care_declined_365d"] if "care_declined_365d" in known else pd.Series(0.0, index=known.index)
    before = rows["cared_before"].to_numpy(float)
    return np.column_stack([no.fillna(0).to_numpy(float)[at], np.nan_to_num(before), np.isnan(before)])


def _team(rows: pd.DataFrame) -> np.ndarray:
    """Return a code per team; people without a team on record are a team each."""
    name = rows["department"].astype("string").fillna("") + "/" + rows["team"].astype("string")
    name = name.fillna("person " + rows["employee_id"].astype("string"))
    return np.unique(name.to_numpy(str), return_inverse=True)[1]
