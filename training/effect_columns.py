"""Which columns of a table may explain an outcome: those measured before the start, and no others.

A column measured after the start may be moved by the treatment itself; to hold it still is to hold the effect still
(Rosenbaum 1984, J R Stat Soc A 147:656). What gives such a column away, in the order in which it is believed::

    declared     measured_on says a day after the start; a date column holds days after it
    by name      post_…, …_endline, …_after, …_m6, …_t1 beside …_t0, a period that was not over at the start
                 (…_2022h1), anything about leaving itself
    by the data  known almost only for those who stayed; tells the outcome nearly without fault;
                 differs between randomised arms beyond chance: chance made the arms alike before the start

Not good for: proving that a column is a baseline. A name can lie, and a late column on which the treatment had no
effect looks like an early one; only the declared date settles it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from training.effect_estimate import Sample, unadjusted
from training.effect_words import Told, told

EARLY = re.compile(
    r"(^|_)(baseline|base|bl|pre|prior|before|past|previous|initial|t0|wave_?0|w0|m0|intent|intention)(_|$)"
    r"|基线|入职前|之前|意向"
)
LATE = re.compile(
    r"(^|_)(post|after|endline|end_line|end|ending|followup|follow_up|followed|fu|exit|outcome|delta)(_|\d|$)"
    r"|(^|_)(t|w|wave|round)_?([2-9]|1\d)$|(^|_)(m|mo|mth|month|months|week|weeks|wk|day|days)_?[1-9]\d*$"
    r"|之后|以后|期末|随访|试验后|结束"
)
LEAVING = re.compile(
    r"(^|_)(quit|quits|attrition|resign\w*|terminat\w*|separat\w*|left(?!_hand)|leave_date|leaving|leaver|exit\w*|turnover|"
    r"last_day|stayed|still_\w+|retained|retention|churn\w*|survived|time_to_event|days_to\w*)(_|$)|离职|辞职|流失"
)
IDS = re.compile(r"(^|_)(id|ids|uuid|number|no|index|name|email|row|rowid|unnamed|column)(_|$)|工号|编号|姓名|邮箱")
NUMBERED = re.compile(r"(^|_)(id|ids|uuid|code)$|工号|编号")
PERIOD = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:_?(?:m|-)?_?(0[1-9]|1[0-2])(?!\d)|_?([hq])_?([1-4]))?(?!\d)")
SPAN = re.compile(r"(^|_)\d{1,3}_?(m|mo|mth|mths|months?|w|wk|wks|weeks?|d|days?|y|yrs?|years?)$")
"""A span of time: the half year before the start (overtime_6m) or that after it (wellbeing_6m), nobody can tell."""
MOST_LEVELS = 15
BEYOND_CHANCE = 1e-4
"""Family-wise: in a fair trial this check refuses a true baseline once in ten thousand tables."""
NEARLY_SURE = 0.98
FEWEST_OTHERS = 10
KNOWN_GAP = 0.3
"""Difference in the share of known values between those with and without the outcome that no baseline has."""


@dataclass(frozen=True)
class Coded:
    """Confounders as numbers: ``x`` (n, p) without NaN, ``names`` (p,), ``of`` (p,) the column each came from."""

    x: np.ndarray
    names: tuple[str, ...]
    of: tuple[str, ...]


@dataclass(frozen=True)
class Start:
    """What is known of time: when it began, when columns were measured, which are vouched for as baselines, and which
    are said to be late."""

    started_at: date | None = None
    measured_on: Mapping[str, date] | None = None
    baseline: Sequence[str] = ()
    late: Sequence[str] = ()


def plain_name(column: str) -> str:
    """Return a column's name in small letters with underscores.

    >>> plain_name("PostSatisfaction.6m")
    'post_satisfaction_6m'
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(column))
    return re.sub(r"[^0-9a-z一-鿿]+", "_", apart.lower()).strip("_")


def too_late(table: pd.DataFrame, columns: Iterable[str], start: Start) -> dict[str, Told]:
    """Return column → why it cannot be a baseline, by declared dates and by name."""
    found, names = {}, {plain_name(column) for column in table.columns}
    for column in columns:
        why = _declared(table[column], column, start)
        if why is None and column not in start.baseline and not _declared_early(column, start):
            why = _named(column, start.started_at) or _second_round(column, names)
        if why:
            found[column] = why
    return found


def dated_names(columns: Iterable[str]) -> list[str]:
    """Return the columns whose names carry a year: whether it lies before the start, only the start can tell."""
    return [column for column in columns if PERIOD.search(plain_name(column)) and not EARLY.search(plain_name(column))]


def spans(columns: Iterable[str]) -> list[str]:
    """Return the columns whose names end in a span of time that may lie before the start or after it."""
    return [column for column in columns if SPAN.search(plain_name(column)) and not EARLY.search(plain_name(column))]


def _second_round(column: str, names: set[str]) -> Told | None:
    found = re.fullmatch(r"(.*_)?(t|w|m|wave_?|round_?|period_?)1(_.*)?", plain_name(column))
    first = f"{found[1] or ''}{found[2]}0{found[3] or ''}" if found else ""
    return told("refused.second_round", first=first) if first in names else None


def _declared_early(column: str, start: Start) -> bool:
    return bool(start.started_at and start.measured_on and column in start.measured_on)


def _declared(values: pd.Series, column: str, start: Start) -> Told | None:
    if column in start.late:
        return told("refused.said")
    if start.started_at is None:
        return None
    on = (start.measured_on or {}).get(column)
    if on is not None and on > start.started_at:
        return told("refused.declared", on=on, start=start.started_at)
    days = dates_in(values)
    if days is not None and column not in start.baseline and (days > pd.Timestamp(start.started_at)).any():
        return told("refused.holds_days", start=start.started_at)
    return None


def dates_in(values: pd.Series) -> pd.Series | None:
    """Return the column as dates when it is one (or text that reads as one throughout), otherwise None."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.dt.tz_localize(None) if values.dt.tz is not None else values
    known = values.dropna()
    if not len(known) or pd.api.types.is_numeric_dtype(values):
        return None
    if not known.astype(str).str.match(r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}").all():
        return None
    return pd.to_datetime(values, errors="coerce", format="mixed")


def _named(column: str, started_at: date | None) -> Told | None:
    name = plain_name(column)
    if EARLY.search(name):
        return None
    for year, month, kind, part in PERIOD.findall(name):
        if started_at and _period_end(int(year), month, kind, part) > started_at:
            return told("refused.period", start=started_at)
    if LEAVING.search(name):
        return told("refused.leaving")
    if LATE.search(name):
        return told("refused.late_name")
    return None


def _period_end(year: int, month: str, kind: str, part: str) -> date:
    months = {"h": 6, "q": 3}.get(kind, 12)
    last = int(month) if month else min(int(part) * months, 12) if part else 12
    return date(year + last // 12, last % 12 + 1, 1) - timedelta(days=1)


def given_away(table: pd.DataFrame, columns: Sequence[str], sample: Sample, *, randomised: bool) -> dict[str, Told]:
    """Return column → why the data themselves say that it was measured after the start.

    ``sample`` holds treatment and outcome of the same rows. Columns of text with many values are not looked at.
    """
    found: dict[str, Told] = {}
    limit = BEYOND_CHANCE / max(len(columns), 1)
    for column in columns:
        known = table[column].notna().to_numpy()
        numbers = one_column(table[column]).x
        if sample.yes_or_no and (why := _tells_outcome(known, numbers, sample)):
            found[column] = why
        elif randomised and _says_treatment(numbers, sample.treated):
            found[column] = told("refused.is_treatment")
        elif randomised and _apart(known, numbers, sample) < limit:
            found[column] = told("refused.apart")
    return found


def _says_treatment(numbers: np.ndarray, treated: np.ndarray) -> bool:
    """Whether one of the numbers is another in every row that was treated than in any that was not."""
    sides = [(numbers[treated].min(axis=0), numbers[treated].max(axis=0)),
             (numbers[~treated].min(axis=0), numbers[~treated].max(axis=0))]  # fmt: skip
    return bool(((sides[0][0] > sides[1][1]) | (sides[1][0] > sides[0][1])).any())


def _tells_outcome(known: np.ndarray, numbers: np.ndarray, sample: Sample) -> Told | None:
    heard = sample.heard > 0
    yes = (sample.outcome == 1) & heard
    no = heard & ~yes
    if yes.sum() < 5 or no.sum() < 5:
        return None
    shares = known[yes].mean(), known[no].mean()
    pooled = known[heard].mean()
    error = np.sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / yes.sum() + 1 / no.sum()))
    if abs(shares[0] - shares[1]) > KNOWN_GAP and abs(shares[0] - shares[1]) > 5 * error:
        return told("refused.known_by_outcome")
    for column in numbers.T:
        ranks = rankdata(column[heard])
        n1, n0 = int(yes.sum()), int(no.sum())
        auc = (ranks[yes[heard]].sum() - n1 * (n1 + 1) / 2) / (n1 * n0)
        if max(auc, 1 - auc) > NEARLY_SURE:
            return told("refused.tells_outcome")
        if _only_with(column[heard], yes[heard] if yes.sum() <= no.sum() else no[heard]):
            return told("refused.only_with_outcome")
    return None


def _only_with(values: np.ndarray, rarer: np.ndarray) -> bool:
    """Whether everybody with another value than the usual one is of the rarer outcome (spending, of those who came)."""
    kinds, counts = np.unique(values, return_counts=True)
    usual = kinds[np.argmax(counts)]
    others = values != usual
    return bool(FEWEST_OTHERS <= others.sum() < 0.5 * len(values) and rarer[others].all())


def _apart(known: np.ndarray, numbers: np.ndarray, sample: Sample) -> float:
    """Return the smallest p-value of a difference between the arms, corrected for how many numbers were looked at."""
    parts = [*numbers.T, known.astype(float)]
    smallest = 1.0
    for values in parts:
        if values.std() > 0:
            ranks = rankdata(values) / len(values)
            none = np.zeros((len(ranks), 0))
            found = unadjusted(Sample(sample.treated, ranks, none, sample.clusters, np.ones(len(ranks)), sample.chance))
            smallest = min(smallest, found.p_value if found.error > 0 else 1.0)
    return min(1.0, smallest * len(parts))


def useless(table: pd.DataFrame, columns: Iterable[str]) -> dict[str, Told]:
    """Return column → why it can explain nothing: numbers of people, texts with a value for each row, constants."""
    found = {}
    for column in columns:
        values = table[column]
        n, distinct = int(values.notna().sum()), int(values.nunique())
        text = not pd.api.types.is_numeric_dtype(values) and dates_in(values) is None
        if distinct < 2:
            found[column] = told("refused.constant")
        elif IDS.search(plain_name(column)) and distinct > 0.9 * n:
            found[column] = told("refused.numbers_rows")
        elif NUMBERED.search(plain_name(column)) and distinct > MOST_LEVELS:
            found[column] = told("refused.numbers_groups", n=distinct)
        elif text and not pd.api.types.is_bool_dtype(values) and distinct > MOST_LEVELS:
            found[column] = told("refused.many_texts", n=distinct)
    return found


def coded(table: pd.DataFrame, columns: Sequence[str]) -> Coded:
    """Return the columns as numbers: categories one by one, blanks at the middle with a column that says so."""
    parts = [one_column(table[column]) for column in columns]
    if not parts:
        return Coded(np.zeros((len(table), 0)), (), ())
    x = np.concatenate([part.x for part in parts], axis=1)
    return Coded(x, tuple(n for part in parts for n in part.names), tuple(o for part in parts for o in part.of))


def one_column(values: pd.Series) -> Coded:
    """Return one column as numbers."""
    name = str(values.name)
    days = dates_in(values)
    if days is not None:
        values = pd.Series((days - pd.Timestamp(2000, 1, 1)).dt.days.astype(float), name=name)
    if pd.api.types.is_numeric_dtype(values):
        return _numbers(values.to_numpy(float, na_value=np.nan), name)
    text = values.astype("string").str.strip()
    levels = text.value_counts().index[: MOST_LEVELS - 1] if text.nunique() > 2 else text.value_counts().index[1:]
    x = np.column_stack([(text == level).fillna(False).to_numpy(float) for level in levels] or [np.zeros(len(text))])
    names = [f"{name} = {level}" for level in levels] or [name]
    if text.isna().any():
        x, names = np.column_stack([x, text.isna().to_numpy(float)]), [*names, f"{name} unknown"]
    return Coded(x, tuple(names), (name,) * len(names))


def _numbers(values: np.ndarray, name: str) -> Coded:
    unknown = ~np.isfinite(values)
    middle = float(np.median(values[~unknown])) if (~unknown).any() else 0.0
    filled = np.where(unknown, middle, values)
    if not unknown.any():
        return Coded(filled[:, None], (name,), (name,))
    return Coded(np.column_stack([filled, unknown.astype(float)]), (name, f"{name} unknown"), (name, name))
