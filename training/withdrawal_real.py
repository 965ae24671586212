"""The same question through the whole path: rows of records, as a company hands them over, to alarms.

Two grounds: the study's own weeks written out as daily rows with leave on record, and the invented company, whose
people draw back for harmless reasons (an ended project, a new tool) half a time a year, leave that is entered by the
month, and late and doubled rows. Falls are put in by leaving out a share of what a person did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from features.snapshots import Records, panel
from features.tables import canonical
from features.withdrawal.alarms import HISTORY_WEEKS, Watch, watch
from features.withdrawal.limit import RATE
from features.withdrawal.weeks import GRACE_DAYS
from training.withdrawal_study import WITHIN_WEEKS, Tally, Told, judge
from training.withdrawal_world import Weeks, names

MONDAY = date(2018, 1, 1)
WORKDAYS = 5
SHARE_FALLING = 0.1
SIZES = (0.5, 0.3)


@dataclass(frozen=True)
class OnRecords:
    """Alarms per person-year with nothing put in, and the share found of what was."""

    alarms: Tally
    found: dict[float, Tally]
    n_people: int
    n_rows: int


def written_out(weeks: Weeks, rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Records of these weeks: a row of messages per person and working day, a row of attendance per day of leave."""
    who, week = np.nonzero(weeks.counts > 0)
    days = rng.multinomial(weeks.counts[who, week], np.full(WORKDAYS, 1 / WORKDAYS))
    one, day = np.nonzero(days)
    ids, start = names(len(weeks.counts)), np.datetime64(MONDAY)
    away, away_week = np.nonzero(~weeks.there)
    off = (start + away_week[:, None] * 7 + np.arange(WORKDAYS)).ravel()
    return canonical(
        {
            "employees": pl.DataFrame({"employee_id": ids, "hired_on": [MONDAY] * len(ids)}),
            "positions": pl.DataFrame(
                {
                    "employee_id": ids,
                    "happened_on": [MONDAY] * len(ids),
                    "team": [f"t{team:04d}" for team in weeks.team],
                }
            ),
            "interactions": pl.DataFrame(
                {
                    "employee_id": ids[who[one]],
                    "happened_on": start + week[one] * 7 + day,
                    "kind": np.full(len(one), "message"),
                    "n": days[one, day],
                }
            ),
            "attendance": pl.DataFrame(
                {"employee_id": np.repeat(ids[away], WORKDAYS), "happened_on": off, "leave_days": np.ones(len(off))}
            ),
        }
    )


def closed_on(weeks: Weeks) -> date:
    """The day on which the last of these weeks is closed."""
    return MONDAY + timedelta(7 * weeks.counts.shape[1] - 1 + GRACE_DAYS)


def seen(records: Records, as_of: date, *, n_judged: int) -> Watch:
    return watch(panel(records, [as_of]), n_weeks=HISTORY_WEEKS + n_judged)


def on_records(
    records: Records, as_of: date, *, n_judged: int, seed: int, rates: Sequence[float] = (RATE,)
) -> dict[float, OnRecords]:
    """Judge the last weeks of a company, for each rate of alarms that it may put up with.

    As it is, and with falls of half and of 30 % put in for a tenth of the people each.
    """
    before = seen(records, as_of, n_judged=n_judged)
    quiet = judge(before, n_judged=n_judged)
    rng = np.random.default_rng(seed)
    usable = rng.permutation(np.flatnonzero(quiet.judged.all(1)))
    n = max(int(len(before.people) * SHARE_FALLING), 1)
    rows = records["interactions"].lazy().collect()
    begin = before.ends[-n_judged + 8] + 1
    whom = {size: usable[i * n : (i + 1) * n] for i, size in enumerate(SIZES)}
    after = {}
    for size in SIZES:
        fallen = _without(rows, [before.people[one] for one in whom[size]], (begin, size), rng)
        after[size] = seen({**records, "interactions": fallen}, as_of, n_judged=n_judged)
    told = {}
    for rate in rates:
        quiet, alarms = judge(before, n_judged=n_judged, rate=rate), Tally()
        alarms.add(quiet.alarms.sum(1), quiet.judged.sum(1) / 52)
        found = {size: _found(judge(after[size], n_judged=n_judged, rate=rate), whom[size]) for size in SIZES}
        told[rate] = OnRecords(alarms, found, len(before.people), rows.height)
    return told


def _without(rows: pl.DataFrame, people: list[str], fall: tuple[int, float], rng: np.random.Generator) -> pl.DataFrame:
    """Rows with a share of the acts of ``people`` left out for twelve weeks from a day on."""
    begin, size = fall
    day = pl.col("happened_on").cast(pl.Int32)
    hit = pl.col("employee_id").is_in(people) & (day >= begin) & (day < begin + 7 * WITHIN_WEEKS)
    kept = rng.binomial(rows["n"].to_numpy(), 1 - size)
    return rows.with_columns(pl.when(hit).then(pl.Series(kept)).otherwise(pl.col("n")).alias("n")).filter(
        pl.col("n") > 0
    )


def _found(told: Told, whom: np.ndarray) -> Tally:
    """People who had an alarm within the twelve weeks."""
    tally = Tally()
    tally.add(told.alarms[whom, 8 : 8 + WITHIN_WEEKS].any(1), np.ones(len(whom)))
    return tally
