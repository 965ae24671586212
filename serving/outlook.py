"""The ledger of a batch: who is employed, what the champion says of them together, and what the books say of leaving.

    matrix, people, records ─▶ chances of an empty seat by month end ─▶ groups ─▶ lines (models.hiring)

Computed while scoring and stored whole, so that every reader gets the same groups: what is cut differently for each
reader can be subtracted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from features import leaving
from features.matrix import Matrix
from features.snapshots import Records
from models.bundle import Bundle
from models.forecast import SERVICE_LEVEL, Shock, at_days, at_most, level
from models.hiring import Outlook, gone_already, ledger, month_ends_after, seats_empty
from models.small_groups import Post

UNKNOWN = "-"
DAYS_TO_FILL = 60
"""For a model from before the plan could say."""
GRID_DAYS = 15
"""The model is asked every so many days; in between its hazard is taken as constant."""
RECENT_DAYS = 365


@dataclass(frozen=True)
class Expected:
    """What a batch expected of everybody together until the next month end: notices in ``(as_of, until]``. Kept to see
    later how far the level was off; shown to nobody."""

    as_of: date
    until: date
    notices: float


@dataclass(frozen=True)
class Batch:
    """What scoring has at hand: the champion, the matrix of the day, everybody employed, and who of those in the matrix
    could be judged, in its order."""

    bundle: Bundle
    known: Matrix
    people: Sequence[Mapping[str, Any]]
    judged: Sequence[bool]
    as_of: date


def forecast(
    batch: Batch, records: Records, *, past: Sequence[Expected], min_group: int
) -> tuple[dict[str, Any], Expected]:
    """Return the ledger as plain data, and what this batch expects, for the level of later ones."""
    as_of, card = batch.as_of, batch.bundle.card
    edge = batch.bundle.model.edges[-1]
    ends = [end for end in month_ends_after(as_of) if (end - as_of).days <= edge + GRID_DAYS]
    grid = sorted({*range(GRID_DAYS, edge, GRID_DAYS), edge})
    incidence = _incidence(batch, grid)
    seats = seats_empty(incidence, grid, [(end - as_of).days for end in ends], lags=leaving.notice_lags(records, as_of))
    seats = gone_already(seats, leaving.not_yet_entered(records, as_of))
    going = dict(leaving.going(records, as_of).iter_rows())
    row_of = {one: i for i, one in enumerate(batch.known.frame["employee_id"].to_list())}
    judged = {one for one, i in row_of.items() if batch.judged[i]}
    ids = [str(person["id"]) for person in batch.people]
    nothing = np.full(len(ends), np.nan)
    outlook = Outlook(
        as_of=as_of,
        posts=[Post(*(person[name] or UNKNOWN for name in ("department", "team", "job"))) for person in batch.people],
        judged=[one in judged for one in ids],
        chances=np.array([seats[row_of[one]] if one in row_of and one not in going else nothing for one in ids]),
        last_day=[going.get(one) for one in ids],
        month_ends=ends,
        fills=leaving.fill_times(records, as_of, default_days=int(card.forecast.get("days_to_fill", DAYS_TO_FILL))),
    )
    factor = level(*missed(past, records, as_of=as_of))
    lines = ledger(outlook, Shock.from_dict(card.forecast), min_group=min_group, factor=factor)
    told = {"lines": [line.to_dict() for line in lines], "until": ends[-1].isoformat(), "min_group": min_group}
    notices = float(at_days(incidence, grid, [(ends[0] - as_of).days]).sum())
    return {**told, "service_level": SERVICE_LEVEL}, Expected(as_of, ends[0], notices)


def _incidence(batch: Batch, grid: Sequence[int]) -> np.ndarray:
    """Return (n, len(grid)): each one's chance of a notice; people who cannot be judged count with the base rate."""
    rows, card = batch.known.to_pandas(), batch.bundle.card
    if not len(rows):
        return np.zeros((0, len(grid)))
    incidence = batch.bundle.model.cumulative_incidence(rows, grid)[:, :, 1]
    base = np.array([[card.base_rate[h] for h in sorted(card.base_rate)]])
    unknown = ~np.array(batch.judged, dtype=bool)
    incidence[unknown] = at_days(base, sorted(card.base_rate), grid)
    return incidence


def missed(past: Sequence[Expected], records: Records, *, as_of: date) -> tuple[float, float]:
    """Return exits and expected exits of the months of the last year that are over, each as an earlier batch told it.

    Months that overlap count once, with the batch that came first.
    """
    observed, expected = 0.0, 0.0
    covered = date.min
    for one in sorted(past, key=lambda one: one.as_of):
        if one.as_of < covered or one.until > as_of or (as_of - one.as_of).days > RECENT_DAYS:
            continue
        left = float(leaving.notices(records, as_of, start=one.as_of, end=one.until))
        observed += float(at_most(np.array([left]), np.array([one.notices]))[0])
        expected += one.notices
        covered = one.until
    return observed, expected


def plain(expected: Expected) -> dict[str, Any]:
    """Return what is stored of an expectation."""
    return {**asdict(expected), "as_of": expected.as_of.isoformat(), "until": expected.until.isoformat()}


def read(stored: Mapping[str, Any]) -> Expected:
    """Return what ``plain`` wrote."""
    return Expected(date.fromisoformat(stored["as_of"]), date.fromisoformat(stored["until"]), float(stored["notices"]))
