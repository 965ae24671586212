"""The people around: who has gone, who is new, how many share a manager. Exits spread, and managers matter most."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features.cards import Card
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import others_mean

VISIER = "Visier: a voluntary exit raises team-mates' exits by 9 %, peaking after 70 days, for 135 days"
HOFFMAN = "Hoffman & Tadelis 2021: from the 10th to the 90th percentile of managers 60 % fewer exits"

CARDS: tuple[Card, ...] = (
    Card(
        "team_size",
        "context",
        "count",
        "people at risk in the team",
        "a team of {value}",
        "团队 {value} 人",
        actionable=False,
        source=VISIER,
    ),
    Card(
        "team_exits_90d",
        "belonging",
        "count",
        "voluntary exits in the team that became known in the last 90 days",
        "{value} people leaving the team in the last 90 days",
        "近 90 天团队有 {value} 人主动离职",
        expected=1,
        actionable=False,
        window_days=90,
        source=VISIER,
    ),
    Card(
        "team_exits_180d",
        "belonging",
        "count",
        "voluntary exits in the team that became known in the last 180 days",
        "{value} people leaving the team in the last 180 days",
        "近 180 天团队有 {value} 人主动离职",
        expected=1,
        actionable=False,
        window_days=180,
        source=VISIER,
    ),
    Card(
        "team_exit_share_365d",
        "belonging",
        "share",
        "voluntary exits of the last 365 days over these and the people at risk in the team",
        "{value} of the team left within a year",
        "近一年团队主动离职率 {value}",
        expected=1,
        actionable=False,
        window_days=365,
        source=VISIER,
    ),
    Card(
        "team_other_exits_180d",
        "belonging",
        "count",
        "exits in the team that were not voluntary, last 180 days",
        "{value} other exits in the team in the last 180 days",
        "近 180 天团队有 {value} 人因其他原因离职",
        expected=1,
        actionable=False,
        window_days=180,
        source="Visier: involuntary exits raise team-mates' exits by 7.7 %",
    ),
    Card(
        "department_exit_share_365d",
        "context",
        "share",
        "voluntary exits of the last 365 days over these and the people at risk in the department",
        "{value} of the department left within a year",
        "近一年部门主动离职率 {value}",
        expected=1,
        actionable=False,
        window_days=365,
    ),
    Card(
        "manager_exit_share_365d",
        "manager",
        "share",
        "voluntary exits of the last 365 days among those with the same manager, over these and the reports at risk",
        "{value} of the manager's reports left within a year",
        "近一年现任上级的下属主动离职率 {value}",
        expected=1,
        window_days=365,
        source=HOFFMAN,
    ),
    Card(
        "manager_span",
        "manager",
        "count",
        "people at risk who report to the same manager (span of control)",
        "a manager with {value} reports",
        "上级直接管理 {value} 人",
    ),
    Card(
        "manager_left_180d",
        "manager",
        "flag",
        "a manager of the last 180 days whose exit became known in that time",
        "a manager who is leaving or has left in the last 180 days",
        "近 180 天内上级离职或提出离职",
        expected=1,
        actionable=False,
        window_days=180,
        source="CEB: job search +17 % after a change of manager",
    ),
    Card(
        "team_tenure_days",
        "belonging",
        "days",
        "mean tenure of the others in the team",
        "others in the team with {value} on average",
        "团队其他成员平均司龄 {value}",
        expected=-1,
        actionable=False,
    ),
    Card(
        "team_new_share_180d",
        "belonging",
        "share",
        "share of the others in the team hired in the last 180 days",
        "{value} of the team are new",
        "团队新成员占 {value}",
        actionable=False,
        window_days=180,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    rows = panel.rows.select(*keys, "as_of", "tenure_days", "team", "department", "manager_id")
    gone = _gone(panel)
    for group in ("team", "department", "manager_id"):
        rows = rows.join(_counts(gone, group), on=[group, "place"], how="left")
        size = nw.when(~nw.col(group).is_null()).then(nw.len().over(group, "place").cast(nw.Float64))
        rows = rows.with_columns(size.alias(f"_{group}_size"))
    rows = rows.join(_first_exit(panel), on="place", how="left").join(_managers_gone(panel), on=keys, how="left")
    return rows.with_columns(
        nw.col("_team_size").alias("team_size"),
        nw.col("_manager_id_size").alias("manager_span"),
        *[_known(f"_team_{d}", "team", d).alias(f"team_exits_{d}d") for d in (90, 180)],
        _known("_team_other", "team", 180).alias("team_other_exits_180d"),
        _share("team").alias("team_exit_share_365d"),
        _share("department").alias("department_exit_share_365d"),
        _share("manager_id").alias("manager_exit_share_365d"),
        nw.when(~nw.col("manager_id").is_null(), _told(180))
        .then(nw.col("_manager_gone").fill_null(0.0))
        .alias("manager_left_180d"),
        others_mean(nw.col("tenure_days"), ["team"]).alias("team_tenure_days"),
        others_mean((nw.col("tenure_days") < 180).cast(nw.Float64), ["team"]).alias("team_new_share_180d"),
    )


def _gone(panel: Panel) -> Frame:
    """Exits known on each snapshot, of people who are not back since."""
    return panel.exits.join(panel.rows.select("employee_id", "place"), on=["employee_id", "place"], how="anti")


def _counts(gone: Frame, group: str) -> Frame:
    """Voluntary exits per group and window, and other exits in 180 days."""
    left = gone.filter(~nw.col(group).is_null())
    age, chosen = nw.col("as_of") - nw.col("notice_on"), nw.col("kind") == "voluntary"
    return left.group_by(group, "place").agg(
        *[(chosen & (age < d)).cast(nw.Int64).sum().alias(f"_{group}_{d}") for d in (90, 180, 365)],
        (~chosen & (age < 180)).cast(nw.Int64).sum().alias(f"_{group}_other"),
    )


def _first_exit(panel: Panel) -> Frame:
    """Since when exits are recorded at all, as known on each snapshot."""
    return panel.exits.group_by("place").agg(nw.col("notice_on").min().alias("_exits_from"))


def _told(window: int) -> nw.Expr:
    return nw.col("as_of") - window + 1 >= nw.col("_exits_from")


def _known(count: str, group: str, window: int) -> nw.Expr:
    """A count of exits: null in an unknown group or before exits were recorded for that long."""
    number = nw.col(count).fill_null(0).cast(nw.Float64)
    return nw.when(~nw.col(group).is_null(), _told(window)).then(number)


def _share(group: str) -> nw.Expr:
    left = _known(f"_{group}_365", group, 365)
    return quotient(left, left + nw.col(f"_{group}_size"))


def _managers_gone(panel: Panel) -> Frame:
    """Did a manager whom the person had within the last 180 days give notice in that time?"""
    keys = ["employee_id", "place"]
    until = nw.col("happened_on").shift(-1).over(*keys, order_by=["happened_on"])
    held = panel.history.with_columns(until.alias("_until")).join(panel.rows.select(*keys, "as_of"), on=keys)
    held = held.filter(nw.col("_until").is_null() | (nw.col("as_of") - nw.col("_until") < 180))
    gone = panel.exits.filter(nw.col("as_of") - nw.col("notice_on") < 180).select(
        nw.col("employee_id").alias("manager_id"), "place"
    )
    hit = held.join(gone.unique(), on=["manager_id", "place"], how="inner").select(*keys).unique()
    return hit.with_columns(nw.lit(1.0).alias("_manager_gone"))
