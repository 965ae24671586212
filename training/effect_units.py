"""What was drawn: people, whole teams, or people within strata; and who was never heard of again.

A trial in which whole stores were drawn has as many draws as stores. Counting people instead makes its interval far
too narrow (Donner & Klar 2000), and a table does not say so: but where chance decides about people one by one, hardly a
group of three ends up with all the same, let alone every group.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from training.effect_columns import dates_in, plain_name
from training.effect_reading import Arms
from training.effect_words import Told, told

FEWEST_GROUPS, FEWEST_EACH = 6, 3
"""So many groups, of so many people on average, before it is believed that whole groups were drawn."""
PERSON = re.compile(
    r"(^|_)(employee|person|emp|staff|worker|user|participant|subject|respondent|pid|individual)"
    r"(_?(id|no|number|code|name))?$|工号|员工编号|人员编号"
)
LOST_LEVEL = 0.01


def unit_of(rows: pd.DataFrame, treatment: str, arms: Arms) -> tuple[str | None, list[Told]]:
    """Return the column whose values were drawn as a whole, or that numbers people who come back; None where each row
    was drawn by itself."""
    n = len(rows)
    whole = []
    for column in rows.columns:
        if column == treatment or not _groups(rows[column]):
            continue
        code = pd.factorize(rows[column], use_na_sentinel=True)[0]
        levels = int(code.max()) + 1
        person = bool(PERSON.search(plain_name(column)))
        if (code < 0).any() or levels == n or (not person and (levels < FEWEST_GROUPS or n < FEWEST_EACH * levels)):
            continue
        alike = _all_alike(code, arms.code)
        if person or alike:
            whole.append((person and not alike, levels, str(column), person))
    if not whole:
        return None, []
    # The widest group that was drawn as a whole; people who come back only where no group was.
    _, levels, column, person = min(whole)
    return column, [
        told("remark.repeated", column=column) if person else told("remark.drawn_whole", column=column, n=levels)
    ]


def _groups(values: pd.Series) -> bool:
    """Whether a column can number groups: words, or whole numbers."""
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return False
    if pd.api.types.is_numeric_dtype(values):
        known = values.dropna()
        return bool((known == known.round()).all())
    return dates_in(values) is None


def _all_alike(code: np.ndarray, arm: np.ndarray) -> bool:
    """Whether all rows of each group are in one arm, and each arm has several groups (a dose or a count of sessions,
    0 for all controls, is no group that was drawn)."""
    low, high = np.full(code.max() + 1, arm.max() + 1), np.full(code.max() + 1, -1)
    np.minimum.at(low, code, arm)
    np.maximum.at(high, code, arm)
    if not (low == high).all():
        return False
    sizes = [np.bincount(code)[low == one] for one in np.unique(arm)]
    return all(len(size) >= FEWEST_EACH and size.max() <= size.sum() / 2 for size in sizes)


def shares_of(strata: pd.Series, treated: np.ndarray) -> np.ndarray:
    """Return (n,) the share treated in each row's stratum: 0 or 1 where there is nobody to compare with."""
    given = pd.Series(treated.astype(float))
    return given.groupby(strata.to_numpy(str)).transform("mean").to_numpy(float)


def lost_apart(heard: np.ndarray, arms: Arms) -> list[Told]:
    """Return a remark for each arm of which a larger or smaller part was never heard of than of the control."""
    out = []
    for i, name in enumerate(arms.names[1:], start=1):
        sides = [heard[arms.code == arm] for arm in (0, i)]
        counts = np.array([[side.sum(), (~side).sum()] for side in sides])
        if (counts.sum(axis=0) == 0).any() or (counts.sum(axis=1) == 0).any():
            continue
        if chi2_contingency(counts).pvalue < LOST_LEVEL:
            lost = [1 - float(side.mean()) for side in sides]
            out.append(
                told("remark.lost_apart", control=lost[0], control_name=arms.names[0], treated=lost[1], name=name)
            )
    return out


def strata_of(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Return one text per row for the strata named."""
    return rows[list(columns)].astype(str).agg(" · ".join, axis=1)
