"""What stands between the records and the learner: copies, mass events, holes and silent feeds, leaks; in that order.

Each guard tells what it saw and did in sentences that go to the screen, the run and the model's card. Only a leak
stops the run: the others can be put right without a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from features.duplicates import find_duplicates, without
from features.feeds import holes, silences
from features.matrix import matrix
from features.snapshots import Records
from features.sources import columns_by_table
from features.tables import OwnColumn
from models.risk import RiskModel
from training.mass_events import MassEvent, censored, find_mass_events
from training.plan import Plan

DONE = {
    "keep_out": "Their exits are censored on the day: nothing is learned from them.",
    "report": "Reported only, as the plan says.",
    "apart": "Its rows are kept apart by the plan.",
}


def one_of_each(records: Records) -> tuple[Records, list[str]]:
    """Return the records with one of each set of copied people (the same object when there are none), and the news."""
    found = find_duplicates(records)
    return without(records, found.surplus) if found.surplus else records, found.lines()


def without_mass_events(
    index: pd.DataFrame, groups: pd.DataFrame, plan: Plan, *, apart: np.ndarray
) -> tuple[pd.DataFrame, list[MassEvent], list[str]]:
    """Return the rows with the exits of mass events censored as the plan says; rows ``apart`` stay as they are."""
    if plan.mass_events == "off":
        return index, [], []
    found = find_mass_events(index, groups)
    mine = set(index.loc[apart, "employee_id"])
    lines = [event.text(DONE["apart" if event.ids <= mine else plan.mass_events]) for event in found]
    if plan.mass_events == "keep_out":
        index = censored(index, found, keep=apart)
    return index, found, lines


def feed_lines(records: Records, until: date) -> list[str]:
    """Return the holes in the past and the feeds that are silent at the end of the records."""
    return [hole.text() for hole in holes(records, until)] + [one.text() for one in silences(records, until)]


def feed_shares(
    models: Mapping[str, RiskModel], records: Records, as_of: date, own: Sequence[OwnColumn]
) -> dict[str, dict[str, float]]:
    """Return for each model {table: share of the mean absolute contributions on ``as_of`` that rests on columns reading
    it}.

    A column that reads two tables counts for both, so the shares may add up to more than 1.
    """
    rows = matrix(records, as_of=[as_of], own=own).to_pandas()
    if rows.empty:
        return {kind: {} for kind in models}
    reads = columns_by_table(records, [as_of], own=own)
    return {kind: shares_of(model, rows, reads) for kind, model in models.items()}


def shares_of(model: RiskModel, rows: pd.DataFrame, reads: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return {table: share of the mean absolute contributions that rests on columns reading it}, shares above 0."""
    _, contributions = model.contributions(rows)
    size = pd.Series(np.abs(contributions).mean(axis=0), index=list(model.columns))
    if not size.sum() > 0:
        return {}
    shares = {table: float(size.reindex(list(columns)).sum() / size.sum()) for table, columns in reads.items()}
    return {table: round(share, 4) for table, share in shares.items() if share > 0}
