"""The career clock: the humps of tenure, anniversaries, and whether the ground around has just been moved."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features.cards import Card
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import others_mean

YEAR = 365.25
NEAR_DAYS = 30
"""An anniversary is near from so many days before it to so many after it."""
GROUPS = (("team", "团队"), ("department", "部门"))
FARBER = "Farber 1994: the hazard of leaving peaks at three months, then falls"

CARDS: tuple[Card, ...] = (
    Card(
        "three_months_in",
        "context",
        "flag",
        "hired 60 to 120 days ago, where the hazard of leaving peaks",
        "a start about three months ago",
        "入职约三个月",
        expected=1,
        actionable=False,
        source=FARBER,
    ),
    Card(
        "first_180d",
        "context",
        "flag",
        "hired at most 180 days ago",
        "still in the first 180 days",
        "入职未满 180 天",
        expected=1,
        actionable=False,
        source=FARBER,
    ),
    Card(
        "near_anniversary",
        "context",
        "flag",
        "at most 30 days from a work anniversary, from the first on",
        "a work anniversary within 30 days",
        "临近入职周年（前后 30 天）",
        expected=1,
        actionable=False,
        source="CEB: job search +6 % around work anniversaries",
    ),
    Card(
        "days_to_role_anniversary",
        "context",
        "days",
        "days to the next anniversary of the last change of department, team or job (or of hiring)",
        "{value} to the next anniversary in the post",
        "距下一个任职周年还有 {value}",
        actionable=False,
        source="CEB: job search +9 % around role anniversaries",
    ),
    Card(
        "near_role_anniversary",
        "context",
        "flag",
        "at most 30 days from an anniversary of the last change of department, team or job, from the first on",
        "an anniversary in the post within 30 days",
        "临近任职周年（前后 30 天）",
        expected=1,
        actionable=False,
        source="CEB: job search +9 % around role anniversaries",
    ),
    *(
        Card(
            f"{group}_reorganised_share_90d",
            "context",
            "share",
            f"share of the others in the {group} whose manager, department, team or job changed in the last 90 days",
            f"{{value}} of the others in the {group} with a new manager, team or job in the last 90 days",
            f"近 90 天{zh}其他同事中有 {{value}} 更换了上级、团队或岗位",
            expected=1,
            actionable=False,
            window_days=90,
            source="CEB: job search +17 % after a change of manager or duties",
        )
        for group, zh in GROUPS
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    rows = panel.rows.select(*keys, "as_of", "hired_on", "tenure_days", "department", "team")
    rows = rows.join(_steps(panel), on=keys, how="left")
    tenure = nw.col("tenure_days")
    rows = rows.with_columns(
        nw.when(nw.col("_posts") > 0)
        .then((nw.col("as_of") - nw.max_horizontal("_moved_on", "hired_on")).cast(nw.Float64))
        .alias("_in_post")
    )
    return rows.with_columns(
        ((tenure >= 60) & (tenure <= 120)).cast(nw.Float64).alias("three_months_in"),
        (tenure < 180).cast(nw.Float64).alias("first_180d"),
        _near(tenure.cast(nw.Float64)).alias("near_anniversary"),
        (YEAR - _since_last(nw.col("_in_post"))).alias("days_to_role_anniversary"),
        _near(nw.col("_in_post")).alias("near_role_anniversary"),
        *[others_mean(nw.col("_stirred"), [group]).alias(f"{group}_reorganised_share_90d") for group, _ in GROUPS],
    )


def _since_last(days: nw.Expr) -> nw.Expr:
    """Days since the last full year."""
    return days - quotient(days, YEAR).floor() * YEAR


def _near(days: nw.Expr) -> nw.Expr:
    since = _since_last(days)
    near = (since <= NEAR_DAYS) & (days >= YEAR) | (since >= YEAR - NEAR_DAYS)
    return near.cast(nw.Float64)


def _steps(panel: Panel) -> Frame:
    """The last move on record, and whether anything changed around the person in the last 90 days (1 or 0)."""
    keys = ["employee_id", "place"]
    steps = panel.history.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    on = nw.col("happened_on")
    changed = nw.any_horizontal("moved", "manager_changed", ignore_nulls=True) & (nw.col("as_of") - on < 90)
    return steps.group_by(*keys).agg(
        nw.when(nw.col("moved")).then(on).max().alias("_moved_on"),
        nw.when(changed).then(nw.lit(1.0)).otherwise(nw.lit(0.0)).max().alias("_stirred"),
        nw.len().alias("_posts"),
    )
