"""Where a person stands on the way: time with the organisation, level, promotions, moves, managers."""

from __future__ import annotations

from math import pi

import narwhals.stable.v2 as nw

from features.cards import Card
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import others_mean

YEAR = 365.25
TROPICAL_YEAR = 365.2425
FRED = "FRED: quits low in November and December, high in summer"
CATEGORIES = ("department", "location", "job_family", "ladder", "employment_type")

CARDS: tuple[Card, ...] = (
    Card(
        "tenure_days",
        "context",
        "days",
        "days since the present hiring date",
        "{value} with the organisation",
        "入职已 {value}",
        expected=-1,
        actionable=False,
        source="Griffeth, Hom & Gaertner 2000; Farber 1994: the hazard peaks at three months, then falls",
    ),
    Card(
        "first_90d",
        "context",
        "flag",
        "hired at most 90 days ago",
        "still in the first 90 days",
        "入职未满 90 天",
        expected=1,
        actionable=False,
        source="Farber 1994",
    ),
    Card(
        "days_to_anniversary",
        "context",
        "days",
        "days to the next work anniversary",
        "{value} to the next work anniversary",
        "距下一个入职周年还有 {value}",
        actionable=False,
        source="CEB: job search +6 % around work anniversaries",
    ),
    Card(
        "rehired",
        "context",
        "flag",
        "left before and came back",
        "came back after leaving before",
        "曾离职后再次入职",
        actionable=False,
    ),
    Card(
        "level",
        "context",
        "count",
        "level of the post in force",
        "level {value}",
        "职级 {value}",
        actionable=False,
    ),
    Card(
        "days_since_promotion",
        "growth",
        "days",
        "days since the level last rose, or since hiring when no rise is on record",
        "{value} without a promotion",
        "已有 {value} 未晋升",
        expected=1,
        source="Griffeth 2000: promotion chances r = -.16",
    ),
    Card(
        "promotion_wait_vs_level",
        "growth",
        "ratio",
        "days since promotion over the mean of the others on the same level",
        "{value} times as long without a promotion as others on the same level",
        "未晋升时长是同职级同事平均的 {value} 倍",
        expected=1,
    ),
    Card(
        "promotions_730d",
        "growth",
        "count",
        "rises in level in the last 730 days",
        "{value} promotions in the last two years",
        "近两年晋升 {value} 次",
        expected=-1,
        window_days=730,
    ),
    Card(
        "days_since_move",
        "growth",
        "days",
        "days since department, team or job last changed, or since hiring",
        "{value} in the same post",
        "在同一岗位已 {value}",
        source="CEB: job search +9 % around role anniversaries",
    ),
    Card(
        "moves_1095d",
        "growth",
        "count",
        "changes of department, team or job in the last 1095 days",
        "{value} internal moves in the last three years",
        "近三年内部调动 {value} 次",
        window_days=1095,
    ),
    Card(
        "days_since_manager_change",
        "manager",
        "days",
        "days since the manager last changed, or since hiring",
        "{value} with the same manager",
        "与现任上级共事已 {value}",
        expected=-1,
        source="CEB: job search +17 % after a change of manager",
    ),
    Card(
        "manager_changes_365d",
        "manager",
        "count",
        "changes of manager in the last 365 days",
        "{value} changes of manager in the last 365 days",
        "近 365 天更换上级 {value} 次",
        expected=1,
        window_days=365,
        source="CEB: job search +17 % after a change of manager",
    ),
    Card(
        "direct_reports",
        "context",
        "count",
        "people at risk who report to this person",
        "{value} direct reports",
        "直接下属 {value} 人",
        actionable=False,
    ),
    Card(
        "weekly_hours",
        "context",
        "hours",
        "agreed hours a week",
        "{value} agreed a week",
        "合同约定每周工作 {value}",
        actionable=False,
    ),
    Card(
        "season_sin",
        "context",
        "score",
        "sine of the time of year of the snapshot",
        "season {value}",
        "季节 {value}",
        shown=False,
        actionable=False,
        source=FRED,
    ),
    Card(
        "season_cos",
        "context",
        "score",
        "cosine of the time of year of the snapshot",
        "season {value}",
        "季节 {value}",
        shown=False,
        actionable=False,
        source=FRED,
    ),
    Card(
        "department",
        "context",
        "category",
        "department of the post in force",
        "works in {value}",
        "所在部门：{value}",
        actionable=False,
        kind="category",
    ),
    Card(
        "location",
        "context",
        "category",
        "place of work in force",
        "works at {value}",
        "工作地点：{value}",
        actionable=False,
        kind="category",
    ),
    Card(
        "job_family",
        "context",
        "category",
        "family of the job in force",
        "job family {value}",
        "岗位序列：{value}",
        actionable=False,
        kind="category",
    ),
    Card(
        "ladder",
        "context",
        "category",
        "management or professional ladder",
        "on the {value} ladder",
        "职业通道：{value}",
        actionable=False,
        kind="category",
    ),
    Card(
        "employment_type",
        "context",
        "category",
        "kind of contract in force",
        "employed as {value}",
        "用工形式：{value}",
        actionable=False,
        kind="category",
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``. Durations without a record begin at hiring."""
    keys = ["employee_id", "place"]
    rows = panel.rows.join(_steps(panel), on=keys, how="left").join(_reports(panel), on=keys, how="left")
    earlier = panel.exits.join(panel.rows.select(*keys, "hired_on"), on=keys, how="inner")
    earlier = earlier.filter(nw.col("last_day") < nw.col("hired_on")).select(*keys).unique()
    rows = rows.join(earlier.with_columns(nw.lit(1.0).alias("rehired")), on=keys, how="left")
    tenure = nw.col("tenure_days").cast(nw.Float64)
    rows = rows.with_columns(
        nw.col("rehired").fill_null(0.0),
        tenure.alias("tenure_days"),
        (nw.col("tenure_days") < 90).cast(nw.Float64).alias("first_90d"),
        (YEAR - (tenure - quotient(tenure, YEAR).floor() * YEAR)).alias("days_to_anniversary"),
        _since("last_promotion", "level").alias("days_since_promotion"),
        _since("last_move", "any_post").alias("days_since_move"),
        _since("last_manager_change", "manager_id").alias("days_since_manager_change"),
        nw.when(nw.col("any_post") > 0).then(nw.col("moves")).alias("moves_1095d"),
        nw.when(~nw.col("level").is_null()).then(nw.col("promotions")).cast(nw.Float64).alias("promotions_730d"),
        nw.when(~nw.col("manager_id").is_null()).then(nw.col("manager_changes")).alias("manager_changes_365d"),
        nw.col("level").cast(nw.Float64),
        _season().sin().alias("season_sin"),
        _season().cos().alias("season_cos"),
    )
    others = others_mean(nw.col("days_since_promotion"), ["level"])
    return rows.with_columns(
        nw.when(others > 0).then(quotient(nw.col("days_since_promotion"), others)).alias("promotion_wait_vs_level")
    )


def _season() -> nw.Expr:
    """The time of year as an angle: the end of December lies beside the beginning of January."""
    years = quotient(nw.col("as_of"), TROPICAL_YEAR)
    return (years - years.floor()) * (2.0 * pi)


def _since(last: str, known: str) -> nw.Expr:
    """Days since ``last`` or hiring, whichever is later; null when ``known`` has never been said."""
    days = nw.col("as_of") - nw.max_horizontal(last, "hired_on")
    return nw.when(~nw.col(known).is_null()).then(days.cast(nw.Float64))


def _steps(panel: Panel) -> Frame:
    """Last promotion, move and change of manager on record, and how many in the window."""
    keys = ["employee_id", "place"]
    steps = panel.history.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    on, age = nw.col("happened_on"), nw.col("as_of") - nw.col("happened_on")
    return steps.group_by(*keys).agg(
        nw.when(nw.col("promoted")).then(on).max().alias("last_promotion"),
        nw.when(nw.col("moved")).then(on).max().alias("last_move"),
        nw.when(nw.col("manager_changed")).then(on).max().alias("last_manager_change"),
        nw.when(nw.col("promoted") & (age < 730)).then(1.0).otherwise(0.0).sum().alias("promotions"),
        nw.when(nw.col("moved") & (age < 1095)).then(1.0).otherwise(0.0).sum().alias("moves"),
        nw.when(nw.col("manager_changed") & (age < 365)).then(1.0).otherwise(0.0).sum().alias("manager_changes"),
        nw.len().alias("any_post"),
    )


def _reports(panel: Panel) -> Frame:
    """Direct reports at risk; zero, not unknown, once any manager is on record on that snapshot."""
    keys = ["employee_id", "place"]
    counts = panel.rows.filter(~nw.col("manager_id").is_null()).group_by("manager_id", "place").agg(nw.len().alias("n"))
    counts = counts.rename({"manager_id": "employee_id"})
    known = (~nw.col("manager_id").is_null()).cast(nw.Int64).sum().over("place") > 0
    rows = panel.rows.select(*keys, "manager_id").join(counts, on=keys, how="left")
    reports = nw.when(known).then(nw.col("n").cast(nw.Float64).fill_null(0.0)).alias("direct_reports")
    return rows.select(*keys, reports)
