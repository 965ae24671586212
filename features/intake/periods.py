"""A month, quarter, half or year where a day belongs: 2023-04, 202304, 2023年4月, 2023Q2, 2023年上半年, 2023年度.

What was summed up over April was true when April was over, so a period stands for its *last* day: taken as 1 April, a
snapshot of 15 April would see overtime that nobody had worked yet. Only what begins (a first working day, a new
position) stands for the first day. A bare year (``2023``) is not read: it is as likely a number.
"""

from __future__ import annotations

import polars as pl

_MONTH = r"^(\d{4})(?:\s*[-/.]\s*|年)(\d{1,2})(?:月份?)?$"
_SOLID_MONTH = r"^(\d{4})(0[1-9]|1[0-2])$"
_QUARTER = r"^(\d{4})(?:年度?|[-/ ])?(?:[Qq]([1-4])|第?([1-4一二三四])季度?)$"
_HALF = r"^(\d{4})(?:年度?|[-/ ])?(?:[Hh]([12])|([上下])半年度?)$"
_YEAR = r"^(\d{4})(?:年度?|全年)$"
_NUMBERS = {"一": 1, "二": 2, "三": 3, "四": 4, "上": 1, "下": 2} | {str(n): n for n in range(1, 13)}


def period_days(texts: pl.Series, *, begins: bool) -> pl.Series:
    """The first day (``begins``) or the last day of the period that each text names; null where it names none.

    >>> period_days(pl.Series(["2023-04", "2023年第二季度", "2023"]), begins=False).to_list()
    [datetime.date(2023, 4, 30), datetime.date(2023, 6, 30), None]
    """
    found = pl.Series(texts.name, [None] * len(texts), dtype=pl.Date)
    if not len(texts):
        return found
    shapes = ((_MONTH, 1), (_SOLID_MONTH, 1), (_QUARTER, 3), (_HALF, 6), (_YEAR, 12))
    clean = texts.str.normalize("NFKC").str.strip_chars()
    for pattern, months in shapes:
        if found.null_count():
            found = found.fill_null(_days(clean, pattern, months, begins=begins))
    return found


def file_day(name: str) -> str | None:
    """The last day of the date or month that a file name ends with, as ISO text: ``花名册_202304.csv`` → 2023-04-30."""
    digits = pl.Series([name]).str.extract(r"(\d{4}[-_.年]?\d{2}(?:[-_.月]?\d{2})?)日?月?(?:\.\w+)?$")
    plain = digits.str.replace_all(r"\D", "")
    day = plain.str.to_date("%Y%m%d", strict=False).fill_null(period_days(plain, begins=False))[0]
    return day.isoformat() if day is not None else None


def _days(texts: pl.Series, pattern: str, months: int, *, begins: bool) -> pl.Series:
    """One shape: the year, and which of the year's periods of so many months (the only one where none is named)."""
    parts = texts.str.extract_groups(pattern).struct.unnest()
    year, *named = parts.columns
    word = pl.coalesce(pl.col(named).str.strip_chars_start("0")) if named else pl.lit("1")
    place = word.replace_strict(_NUMBERS, default=None, return_dtype=pl.Int64)
    possible = pl.col(year).is_not_null() & (place <= 12 // months)
    first = pl.when(possible).then(pl.date(pl.col(year).cast(pl.Int32), (place - 1) * months + 1, 1))
    day = first if begins else first.dt.offset_by(f"{months}mo").dt.offset_by("-1d")
    return parts.select(day).to_series().rename(texts.name)
