"""A person against others and against habit, where the mean over a fixed group is not the question.

    means_around   those who began within so many days of each other, whenever that was
    standing       the place among the others, 0 = lowest, 1 = highest
    silence        how long nothing came, against how often something used to come

Like ``windows.others_mean`` they are taken over everybody at risk and leave the person out. They sort by days and by
values, never by people, and add up whole numbers only, so the order of the rows cannot show.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import narwhals.stable.v2 as nw

from features.engine import Frame, quotient
from features.windows import FEWEST_OTHERS, fixed, units

KEYS = ["employee_id", "place"]


def means_around(rows: Frame, values: Sequence[str], groups: Sequence[str], *, day: str, reach: int) -> Frame:
    """Per value the mean over the others of the group whose ``day`` lies at most ``reach`` days from the person's own.

    ``rows`` holds each person once per place. Gives (employee_id, place) with ``<value>_around``, null among fewer
    than ``FEWEST_OTHERS`` others with a value; people of an unknown group are left out. One running total over the
    days answers all: what has come by ``day + reach`` minus what had come before ``day - reach``. So the cost is
    that of a sort, where comparing everybody with everybody would cost a thousand times as much in a large job family.
    """
    group = ["place", *groups]
    told = rows.filter(_all_known(groups))
    sums = [f"_{value}_{part}" for value in values for part in ("sum", "n")]
    mine = told.with_columns(
        *[fixed(nw.col(value)).fill_null(0).alias(f"_{value}_sum") for value in values],
        *[(~nw.col(value).is_null()).cast(nw.Int64).alias(f"_{value}_n") for value in values],
    ).select("employee_id", *group, nw.col(day).alias("_day"), *sums)
    none = [nw.lit(0, dtype=nw.Int64).alias(name) for name in sums]
    come = [mine.with_columns(nw.lit(0, dtype=nw.Int64).alias("_sign"), nw.lit(0, dtype=nw.Int64).alias("_asks"))]
    for sign, shift in ((1, reach), (-1, -reach - 1)):
        asked = mine.with_columns(
            *none, (nw.col("_day") + shift).alias("_day"), nw.lit(sign, dtype=nw.Int64).alias("_sign")
        )
        come.append(asked.with_columns(nw.lit(1, dtype=nw.Int64).alias("_asks")))
    running = nw.concat(come).with_columns(
        *[nw.col(name).cum_sum().over(*group, order_by=["_day", "_asks"]) for name in sums]
    )
    around = running.group_by(*KEYS).agg(
        *[(nw.col(name) * nw.col("_sign")).sum().alias(f"{name}_all") for name in sums]
    )
    both = mine.select(*KEYS, *sums).join(around, on=KEYS, how="inner")
    others = {name: nw.col(f"{name}_all") - nw.col(name) for name in sums}
    return both.select(
        *KEYS,
        *[
            nw.when(others[f"_{value}_n"] >= FEWEST_OTHERS)
            .then(quotient(units(others[f"_{value}_sum"]), others[f"_{value}_n"]))
            .alias(f"{value}_around")
            for value in values
        ],
    )


def standing(rows: Frame, value: str, groups: Sequence[str], *, name: str, fewest: int = 4) -> Frame:
    """The share of the others in the group who have less, half of those who have the same: (employee_id, place, name).

    0.5 = in the middle. Null among fewer than ``fewest`` others with a value; people without a value or of an unknown
    group are left out.
    """
    group = ["place", *groups]
    told = rows.filter(_all_known([value, *groups])).with_columns(fixed(nw.col(value)).alias("_value"))
    counts = told.group_by(*group, "_value").agg(nw.len().alias("_same"))
    counts = counts.with_columns(nw.col("_same").cast(nw.Int64)).with_columns(
        nw.col("_same").cum_sum().over(*group, order_by=["_value"]).alias("_up_to"),
        nw.col("_same").sum().over(*group).alias("_everybody"),
    )
    others = nw.col("_everybody") - 1
    twice = 2 * (nw.col("_up_to") - nw.col("_same")) + nw.col("_same") - 1
    both = told.select("employee_id", *group, "_value").join(counts, on=[*group, "_value"], how="inner")
    return both.select(*KEYS, nw.when(others >= fewest).then(quotient(twice, 2 * others)).alias(name))


def silence(name: str, window: int) -> nw.Expr:
    """Days since ``last_day`` over the days that usually lie between two such facts; above 1: longer than usual.

    To be read on rows of ``window_sums`` that carry ``last_day``. Usual is the number of days that the feed and the
    person were there within ``window``, over the facts in it; fewer than three facts make no habit.
    """
    begins = nw.max_horizontal(nw.col("as_of") - window + 1, "hired_on", f"{name}_from")
    count = nw.col(f"{name}_{window}d_n")
    usual = quotient(nw.col("as_of") - begins + 1, count)
    return nw.when(count >= 3).then(quotient((nw.col("as_of") - nw.col("last_day")).cast(nw.Float64), usual))


def _all_known(names: Sequence[str]) -> nw.Expr:
    return reduce(lambda a, b: a & b, [~nw.col(name).is_null() for name in names])
