"""The way so far against those who started alike, and against how long this level usually takes."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features.cards import Card
from features.comparisons import means_around
from features.engine import Frame, held, quotient
from features.snapshots import Panel

COHORT_DAYS = 180
"""Hired at most so many days apart: started alike."""
FEWEST_STAYS = 4
"""So many stays of others, ended by a promotion, before a usual time is told; also the weight of the general mean."""
CHANCES = "Griffeth 2000: promotion chances r = -.16"

CARDS: tuple[Card, ...] = (
    Card(
        "level_vs_cohort",
        "growth",
        "score",
        "own level minus the mean of the others in the job family hired within 180 days of the person",
        "{value} levels apart from those who started at the same time",
        "与同期入职的同序列同事平均职级之差为 {value}",
        expected=-1,
        source=CHANCES,
    ),
    Card(
        "promotion_wait_vs_cohort",
        "growth",
        "ratio",
        "days since promotion over the mean of the others in the job family hired within 180 days of the person",
        "{value} times as long without a promotion as those who started at the same time",
        "未晋升时长是同期入职的同序列同事平均的 {value} 倍",
        expected=1,
        source=CHANCES,
    ),
    Card(
        "post_wait_vs_cohort",
        "growth",
        "ratio",
        "days in the same department, team and job over the mean of the others in the job family hired within 180 days",
        "{value} times as long in the same post as those who started at the same time",
        "在同一岗位的时长是同期入职的同序列同事平均的 {value} 倍",
    ),
    Card(
        "level_time_vs_usual",
        "growth",
        "ratio",
        "days since promotion over the mean time that others here took to be promoted out of this level of the ladder; "
        "few such stays are drawn towards the mean of all levels (weight of four stays)",
        "{value} times as long on this level as others took to be promoted out of it",
        "在本职级停留的时长是他人由此职级晋升所用平均时长的 {value} 倍",
        expected=1,
        source=CHANCES,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``; waits without a record begin at hiring."""
    keys = ["employee_id", "place"]
    steps = _steps(panel)
    last = steps.group_by(*keys).agg(
        nw.col("_promoted_on").max().alias("_promoted_on"), nw.col("_moved_on").max().alias("_moved_on")
    )
    rows = panel.rows.select(*keys, "as_of", "hired_on", "job_family", "ladder", "level").join(
        last.with_columns(nw.lit(True).alias("_any_post")), on=keys, how="left"
    )
    waited = nw.col("as_of") - nw.max_horizontal("_promoted_on", "hired_on")
    stayed = nw.col("as_of") - nw.max_horizontal("_moved_on", "hired_on")
    rows = rows.with_columns(
        nw.when(~nw.col("level").is_null()).then(waited).alias("wait"),
        nw.when(nw.col("_any_post")).then(stayed).alias("stay"),
        nw.col("ladder").fill_null("").alias("_ladder"),
    )
    around = means_around(rows, ["level", "wait", "stay"], ["job_family"], day="hired_on", reach=COHORT_DAYS)
    rows = rows.join(around, on=keys, how="left").join(_usual(rows, steps), on=keys, how="left")
    return rows.select(
        *keys,
        (nw.col("level") - nw.col("level_around")).alias("level_vs_cohort"),
        _over("wait", "wait_around").alias("promotion_wait_vs_cohort"),
        _over("stay", "stay_around").alias("post_wait_vs_cohort"),
        _over("wait", "_usual").alias("level_time_vs_usual"),
    )


def _over(days: str, usual: str) -> nw.Expr:
    return nw.when(nw.col(usual) > 0).then(quotient(nw.col(days).cast(nw.Float64), nw.col(usual)))


def _steps(panel: Panel) -> Frame:
    """Every step on record of those at risk; at a promotion ``_stay`` tells the days spent on the level left behind.

    A stay begins at the promotion before, or at hiring. A promotion of an earlier spell of employment tells no stay.
    """
    keys = ["employee_id", "place"]
    on, order = nw.col("happened_on"), ["happened_on"]
    steps = panel.history.select(*keys, "happened_on", "level", "ladder", "promoted", "moved")
    steps = steps.join(panel.rows.select(*keys, "hired_on"), on=keys, how="inner").with_columns(
        nw.when(nw.col("promoted")).then(on).alias("_promoted_on"),
        nw.when(nw.col("moved")).then(on).alias("_moved_on"),
        nw.col("level").shift(1).over(*keys, order_by=order).alias("_level"),
        nw.col("ladder").fill_null("").shift(1).over(*keys, order_by=order).alias("_ladder"),
    )
    steps = steps.with_columns(
        nw.col("_promoted_on").fill_null(strategy="forward").over(*keys, order_by=order).alias("_so_far")
    )
    before = nw.max_horizontal(nw.col("_so_far").shift(1).over(*keys, order_by=order), "hired_on")
    steps = steps.with_columns(before.alias("_begun"))
    stay = nw.when(nw.col("promoted"), on > nw.col("hired_on")).then(on - nw.col("_begun"))
    return held(steps.select(*keys, "_promoted_on", "_moved_on", "_level", "_ladder", stay.alias("_stay")))


def _usual(rows: Frame, steps: Frame) -> Frame:
    """The usual time on each person's level, from the stays of others that a promotion ended."""
    keys, level = ["employee_id", "place"], ["_ladder", "_level"]
    stays = held(steps.filter(~nw.col("_stay").is_null()))
    here = rows.select(*keys, "_ladder", nw.col("level").alias("_level"))
    for name, by in (
        ("here", ["place", *level]),
        ("mine_here", [*keys, *level]),
        ("all", ["place"]),
        ("mine", keys),
    ):
        sums = stays.group_by(*by).agg(
            nw.col("_stay").sum().alias(f"_{name}"), nw.len().cast(nw.Int64).alias(f"_{name}_n")
        )
        here = here.join(sums, on=by, how="left")

    def others(name: str, own: str) -> nw.Expr:
        return nw.col(name).fill_null(0) - nw.col(own).fill_null(0)

    n_all, n_here = others("_all_n", "_mine_n"), others("_here_n", "_mine_here_n")
    general = quotient(others("_all", "_mine"), n_all)
    usual = quotient(others("_here", "_mine_here") + general * float(FEWEST_STAYS), n_here + FEWEST_STAYS)
    return here.select(*keys, nw.when(n_all >= FEWEST_STAYS).then(usual).alias("_usual"))
