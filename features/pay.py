"""Pay against the market, against colleagues, and against what it was: pay below that of peers makes people go."""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import others_mean

DUBE = "Dube, Giuliano & Leonard: quits answer to pay below peers; separation elasticity -3 to -4.5"

CARDS: tuple[Card, ...] = (
    Card(
        "compa_ratio",
        "pay",
        "ratio",
        "pay over the market median for the job (compa-ratio)",
        "pay at {value} of the market median",
        "薪酬为市场中位数的 {value} 倍",
        expected=-1,
        source="Griffeth 2000: pay r = -.11 to -.17; separation elasticity -3 to -4.5",
    ),
    Card(
        "pay_vs_job",
        "pay",
        "ratio",
        "pay over the mean of the others in the same job and currency",
        "pay at {value} of colleagues in the same job",
        "薪酬为同岗位同事平均的 {value} 倍",
        expected=-1,
        source=DUBE,
    ),
    Card(
        "pay_vs_team",
        "pay",
        "ratio",
        "pay over the mean of the others in the team, same currency",
        "pay at {value} of the others in the team",
        "薪酬为团队同事平均的 {value} 倍",
        expected=-1,
        source=DUBE,
    ),
    Card(
        "pay_vs_level",
        "pay",
        "ratio",
        "pay over the mean of the others on the same level, same currency",
        "pay at {value} of the others on the same level",
        "薪酬为同职级同事平均的 {value} 倍",
        expected=-1,
        source=DUBE,
    ),
    Card(
        "pay_vs_company",
        "pay",
        "ratio",
        "pay over the mean of all others, same currency",
        "pay at {value} of the average in the organisation",
        "薪酬为全员平均的 {value} 倍",
        expected=-1,
    ),
    Card(
        "days_since_raise",
        "pay",
        "days",
        "days since pay last rose, or since hiring when no raise is on record",
        "{value} without a raise",
        "已有 {value} 未调薪",
        expected=1,
    ),
    Card(
        "last_raise_share",
        "pay",
        "share",
        "size of the last raise on record",
        "a last raise of {value}",
        "上次调薪幅度 {value}",
        expected=-1,
    ),
    Card(
        "pay_growth_365d",
        "pay",
        "share",
        "pay in force against the pay in force 365 days before",
        "pay {value} above a year ago",
        "薪酬较一年前增长 {value}",
        expected=-1,
        window_days=365,
    ),
    Card(
        "pay_growth_vs_company_365d",
        "fairness",
        "share",
        "pay growth over 365 days minus the mean growth of all others",
        "pay growth {value} apart from that of colleagues",
        "薪酬增幅与同事平均之差为 {value}",
        expected=-1,
        window_days=365,
        source=DUBE,
    ),
    Card(
        "pay_cuts_365d",
        "pay",
        "count",
        "reductions of pay in the last 365 days",
        "{value} pay cuts in the last 365 days",
        "近 365 天降薪 {value} 次",
        expected=1,
        window_days=365,
    ),
    Card(
        "pay_vs_job_site",
        "pay",
        "ratio",
        "pay over the mean of the others in the same job at the same site, same currency",
        "pay at {value} of colleagues in the same job at the same site",
        "薪酬为同地点同岗位同事平均的 {value} 倍",
        expected=-1,
        source=DUBE,
    ),
    Card(
        "hourly_pay_vs_job",
        "pay",
        "ratio",
        "pay per agreed hour over the mean of the others in the same job and currency: part-time compared fairly",
        "pay per hour at {value} of colleagues in the same job",
        "时薪为同岗位同事平均的 {value} 倍",
        expected=-1,
        source=DUBE,
    ),
    Card(
        "pay_vs_new_hires",
        "pay",
        "ratio",
        "pay of a person here for a year or longer over the mean of the others in the same job and currency hired in "
        "the last 365 days",
        "pay at {value} of what newly hired colleagues in the same job get",
        "薪酬为同岗位近一年新入职同事平均的 {value} 倍",
        expected=-1,
        source=DUBE,
    ),
    Card(
        "raise_wait_vs_job",
        "pay",
        "ratio",
        "days since a raise over the mean of the others in the same job",
        "{value} times as long without a raise as colleagues in the same job",
        "未调薪时长是同岗位同事平均的 {value} 倍",
        expected=1,
        source=DUBE,
    ),
    Card(
        "pay_growth_vs_job_365d",
        "fairness",
        "share",
        "pay growth over 365 days minus the mean growth of the others in the same job",
        "pay growth {value} apart from colleagues in the same job",
        "近一年薪酬增幅与同岗位同事平均之差为 {value}",
        expected=-1,
        window_days=365,
        source=DUBE,
    ),
    Card(
        "pay_growth_730d",
        "pay",
        "share",
        "pay in force against the pay in force 730 days before",
        "pay {value} above two years ago",
        "薪酬较两年前增长 {value}",
        expected=-1,
        window_days=730,
    ),
    Card(
        "pay_growth_vs_job_730d",
        "fairness",
        "share",
        "pay growth over 730 days minus the mean growth of the others in the same job",
        "pay growth over two years {value} apart from colleagues in the same job",
        "近两年薪酬增幅与同岗位同事平均之差为 {value}",
        expected=-1,
        window_days=730,
        source=DUBE,
    ),
    Card(
        "compa_change_365d",
        "pay",
        "ratio",
        "compa-ratio in force minus the compa-ratio in force 365 days before",
        "a change of {value} in pay over the market median within a year",
        "近一年薪酬与市场中位数之比变化 {value}",
        expected=-1,
        window_days=365,
    ),
    Card(
        "below_market",
        "pay",
        "share",
        "how far pay lies below the market median for the job; 0 when it does not",
        "pay {value} below the market median",
        "薪酬低于市场中位数 {value}",
        expected=1,
        source="Griffeth 2000: pay r = -.11 to -.17; separation elasticity -3 to -4.5",
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``. Money is compared within a currency only."""
    keys = ["employee_id", "place"]
    rows = panel.rows.with_columns(nw.col("currency").fill_null("").alias("_money"))
    for part in (_raises(panel), _before(panel, 365, ("pay", "currency", "pay_midpoint")), _before(panel, 730)):
        rows = rows.join(part, on=keys, how="left")
    pay, paid = nw.col("pay"), ~nw.col("pay").is_null()
    rows = rows.with_columns(
        nw.when(nw.col("pay_midpoint") > 0).then(quotient(pay, nw.col("pay_midpoint"))).alias("compa_ratio"),
        *[_against(group).alias(f"pay_vs_{group}") for group in ("job", "team", "level")],
        _against().alias("pay_vs_company"),
        _against("job", "location").alias("pay_vs_job_site"),
        nw.when(paid)
        .then((nw.col("as_of") - nw.max_horizontal("last_raise", "hired_on")).cast(nw.Float64))
        .alias("days_since_raise"),
        nw.when(paid).then(nw.col("cuts")).alias("pay_cuts_365d"),
        nw.when(nw.col("weekly_hours") > 0).then(quotient(pay, nw.col("weekly_hours"))).alias("_hourly"),
        nw.when(nw.col("tenure_days") < 365).then(pay).alias("_new_pay"),
        nw.when(nw.col("tenure_days") >= 365, nw.col("pay_midpoint_365d") > 0)
        .then(quotient(nw.col("pay_365d"), nw.col("pay_midpoint_365d")))
        .alias("_compa_before"),
        *[_growth(days).alias(f"pay_growth_{days}d") for days in (365, 730)],
    )
    growth, since = nw.col("pay_growth_365d"), nw.col("days_since_raise")
    beginners, since_others = others_mean(nw.col("_new_pay"), ["_money", "job"]), others_mean(since, ["job"])
    return rows.with_columns(
        (growth - others_mean(growth, [])).alias("pay_growth_vs_company_365d"),
        *[_growth_vs_job(days).alias(f"pay_growth_vs_job_{days}d") for days in (365, 730)],
        _against("job", value="_hourly").alias("hourly_pay_vs_job"),
        nw.when(nw.col("tenure_days") >= 365, beginners > 0).then(quotient(pay, beginners)).alias("pay_vs_new_hires"),
        nw.when(since_others > 0).then(quotient(since, since_others)).alias("raise_wait_vs_job"),
        (nw.col("compa_ratio") - nw.col("_compa_before")).alias("compa_change_365d"),
        (1.0 - nw.col("compa_ratio")).clip(0.0, None).alias("below_market"),
    )


def _against(*groups: str, value: str = "pay") -> nw.Expr:
    others = others_mean(nw.col(value), ["_money", *groups])
    return nw.when(others > 0).then(quotient(nw.col(value), others))


def _growth(days: int) -> nw.Expr:
    """Pay against the pay so many days ago; the person was here then and paid in the same currency."""
    before = nw.col(f"pay_{days}d")
    same = (nw.col("_money") == nw.col(f"currency_{days}d")) & (nw.col("tenure_days") >= days)
    return nw.when(same, before > 0).then(quotient(nw.col("pay"), before) - 1.0)


def _growth_vs_job(days: int) -> nw.Expr:
    growth = nw.col(f"pay_growth_{days}d")
    return growth - others_mean(growth, ["job"])


def _raises(panel: Panel) -> Frame:
    keys = ["employee_id", "place"]
    steps = panel.history.join(panel.rows.select(*keys, "as_of"), on=keys, how="inner")
    share, on = nw.col("raise_share"), nw.col("happened_on")
    cut = (share < 0) & (nw.col("as_of") - on < 365)
    steps = steps.with_columns(nw.when(share > 0).then(on).alias("_raised_on"))
    steps = steps.with_columns(nw.col("_raised_on").max().over(*keys).alias("last_raise"))
    return steps.group_by(*keys).agg(
        nw.col("last_raise").max(),
        nw.when(nw.col("_raised_on") == nw.col("last_raise")).then(share).max().alias("last_raise_share"),
        nw.when(cut).then(1.0).otherwise(0.0).sum().alias("cuts"),
    )


def _before(panel: Panel, days: int, names: tuple[str, ...] = ("pay", "currency")) -> Frame:
    """``<name>_<days>d``: what was in force so many days before the snapshot, as it is known on the snapshot."""
    keys = ["employee_id", "place"]
    rows = panel.rows.select(*keys)
    for name in names:
        told = panel.facts["positions"].filter(~nw.col(name).is_null())
        then = windows.latest(told, panel.as_of, ["employee_id"], delay=days)
        rows = rows.join(then.select(*keys, nw.col(name).alias(f"{name}_{days}d")), on=keys, how="left")
    return rows.with_columns(nw.col(f"currency_{days}d").fill_null(""))
