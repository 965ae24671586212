"""The month of a day number, by whole numbers alone: every engine gives the same, and none needs a date type.

The months are counted from March, so that the leap day is the last of its year and every month begins on a day that
a straight line gives (rounded down): month m begins on day (153 m + 2) // 5 of the year that began in March.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

SHIFT = 719_468
"""Days from 1 March of the year 0 to 1 January 1970."""
ERA = 146_097
"""Days in 400 years."""


def year_and_month(day: nw.Expr) -> tuple[nw.Expr, nw.Expr]:
    """The year that began in March, and the month in it: 0 = March … 11 = February."""
    since = day + SHIFT
    of_era = since % ERA
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    return year + 400 * (since // ERA), (5 * of_year + 2) // 153


def first_day(year: nw.Expr, month: nw.Expr) -> nw.Expr:
    """The day number of the first of a month, told as by ``year_and_month``."""
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 - SHIFT
