"""The public sets of the benchmark, each as (rows, time, event), and what is left out of them because it leaks.

SurvSet (Drysdale 2022, arXiv 2203.03094) is GPL and is installed for the benchmark alone: see
``benchmarks/requirements.txt``. The other files are named in docs/models.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SURVHUB = (
    *("GBSG2", "dataDIVAT2", "rdata", "actg", "LeukSurv", "TRACE", "scania", "rott2", "UnempDur", "divorce"),
    *("Aids2", "smarto", "nwtco", "dataDIVAT3", "dataDIVAT1", "Framingham", "Dialysis", "prostateSurvival", "rhc"),
)
"""Nineteen sets of SurvHub (taltstidl/survhub) without the sets whose columns tell the outcome."""

CLEAN = {
    "whas500": ("fac_year", "num_week"),
    "GBSG2": (),
    "TRACE": (),
    "rott2": ("num_year", "fac_recent"),
    "UnempDur": (),
    "flchain": ("fac_chapter", "num_sample_yr", "fac_sample_yr"),
    "support2": ("fac_sfdm2", "fac_dnr", "num_surv2m", "num_surv6m", "num_sps", "num_hday"),
}
"""Sets for the Brier score with the columns to leave out. Dates of entry, with which marginal censoring weights can be
gamed, among them the week of admission and "recent" (since 1988), which tell when somebody is censored (rank
correlation -.56 and -.62). The cause of death ("missing" for those alive); how patients fared after two months, the
order not to revive them, and the study's own forecasts and scores."""


@dataclass(frozen=True)
class Table:
    """One person per row: ``rows`` (n, p), ``time`` (n,), ``event`` (n,) 0 = censored."""

    rows: pd.DataFrame
    time: np.ndarray
    event: np.ndarray

    def take(self, which: np.ndarray) -> Table:
        """Return the people at the positions ``which``."""
        return Table(self.rows.iloc[which].reset_index(drop=True), self.time[which], self.event[which])


def survset(name: str, leave_out: tuple[str, ...] = ()) -> Table:
    """Return a set of the SurvSet package without the columns ``leave_out``."""
    from SurvSet.data import SurvLoader

    frame = SurvLoader().load_dataset(ds_name=name)["df"]
    columns = [c for c in frame.columns if c not in {"pid", "event", "time", *leave_out}]
    missing = set(leave_out) - set(frame.columns)
    if missing:
        raise ValueError(f"{name} has no columns {sorted(missing)}")
    rows = frame[columns].reset_index(drop=True)
    return Table(rows, frame["time"].to_numpy(float), (frame["event"] > 0).to_numpy(int))


def ibm(folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows and who left of the invented IBM company (1,470 people, 16 %), without constants and numbers."""
    frame = pd.read_csv(folder / "ibm" / "emp_attrition.csv", encoding="utf-8-sig")
    left = (frame["Attrition"] == "Yes").to_numpy(int)
    return frame.drop(columns=["Attrition", "EmployeeCount", "EmployeeNumber", "Over18", "StandardHours"]), left


def babushkin(folder: Path) -> Table:
    """Return the survey of E. Babushkin (Russia, 2017) without its 13 duplicates: months of tenure and whether left."""
    frame = pd.read_csv(folder / "babushkin" / "turnover.csv", encoding="latin-1").drop_duplicates()
    rows = frame.drop(columns=["stag", "event"]).reset_index(drop=True)
    return Table(rows, frame["stag"].to_numpy(float), frame["event"].to_numpy(int))


def respondents(table: Table) -> np.ndarray:
    """Return (n,) a number of whoever answered each row of ``babushkin``: 857 people behind 1,116 rows.

    Rows with the same five traits, gender and age are one person, and so are those with the same tenure (which is
    recorded to the millionth of a month), end, gender and age. Drawn at random they stand on both sides of a split,
    and a forest grown down to single rows recognises them.
    """
    rows = table.rows.assign(time=table.time, event=table.event)
    traits = ["extraversion", "independ", "selfcontrol", "anxiety", "novator"]
    ways = [rows.groupby([*shared, "gender", "age"]).ngroup().to_numpy() for shared in (traits, ["time", "event"])]
    n, first = len(rows), ways[0].max() + 1
    ends = np.concatenate([ways[0], first + ways[1]])
    shape = (n, first + ways[1].max() + 1)
    meets = coo_array((np.ones(2 * n), (np.tile(np.arange(n), 2), ends)), shape=shape).tocsr()
    return connected_components(meets @ meets.T, directed=False)[1]


@dataclass(frozen=True)
class World:
    """An invented table whose truth is known: Weibull ``shape`` and ``scale`` (n, causes) of each person."""

    table: Table
    shape: np.ndarray
    scale: np.ndarray

    def incidence(self, which: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Return (len(which), T, causes + 1): the true chances at ``times``, integrated on a fine grid."""
        fine = np.concatenate([[0.0], np.geomspace(times.max() * 1e-6, times.max(), 4000)])
        shape, scale = self.shape[which], self.scale[which]
        cumulative = np.array([(fine[:, None] / scale[:, c]) ** shape[:, c] for c in range(shape.shape[1])])
        stay = np.exp(-cumulative.sum(axis=0))
        middle = (stay[1:] + stay[:-1]) / 2
        left = np.cumsum(np.diff(cumulative, axis=1) * middle, axis=1)
        position = np.clip(np.searchsorted(fine, times) - 1, 0, left.shape[1] - 1)
        left_by = np.moveaxis(left[:, position], 0, 2).transpose(1, 0, 2)
        return np.concatenate([1.0 - left_by.sum(axis=2, keepdims=True), left_by], axis=2)


def competing_weibull(seed: int, n: int = 6000) -> World:
    """Return hazardous' world of three competing causes, drawn with a RandomState.

    With a number instead, its censoring draws the same numbers as its first column, and a model that sees the column
    can beat the truth on its own score.
    """
    from hazardous.data import make_synthetic_competing_weibull

    rows, target = make_synthetic_competing_weibull(
        n_samples=n, return_X_y=True, feature_rounding=None, random_state=np.random.RandomState(seed)
    )
    shape, scale = (rows[[f"{kind}_{c}" for c in (1, 2, 3)]].to_numpy(float) for kind in ("shape", "scale"))
    table = Table(rows.round(2), target["duration"].to_numpy(float), target["event"].to_numpy(int))
    return World(table, shape, scale)
