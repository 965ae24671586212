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
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``. Money is compared within a currency only."""
    keys = ["employee_id", "place"]
    rows = panel.rows.with_columns(nw.col("currency").fill_null("").alias("_money"))
    rows = rows.join(_raises(panel), on=keys, how="left").join(_year_before(panel), on=keys, how="left")
    pay, paid = nw.col("pay"), ~nw.col("pay").is_null()
    same = (nw.col("_money") == nw.col("_money_before")) & (nw.col("as_of") - nw.col("hired_on") >= 365)
    rows = rows.with_columns(
        nw.when(nw.col("pay_midpoint") > 0).then(quotient(pay, nw.col("pay_midpoint"))).alias("compa_ratio"),
        *[_against(group).alias(f"pay_vs_{group}") for group in ("job", "team", "level")],
        _against(None).alias("pay_vs_company"),
        nw.when(paid)
        .then((nw.col("as_of") - nw.max_horizontal("last_raise", "hired_on")).cast(nw.Float64))
        .alias("days_since_raise"),
        nw.when(paid).then(nw.col("cuts")).alias("pay_cuts_365d"),
        nw.when(same, nw.col("pay_before") > 0)
        .then(quotient(pay, nw.col("pay_before")) - 1.0)
        .alias("pay_growth_365d"),
    )
    growth = nw.col("pay_growth_365d")
    return rows.with_columns((growth - others_mean(growth, [])).alias("pay_growth_vs_company_365d"))


def _against(group: str | None) -> nw.Expr:
    others = others_mean(nw.col("pay"), ["_money"] if group is None else ["_money", group])
    return nw.when(others > 0).then(quotient(nw.col("pay"), others))


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


def _year_before(panel: Panel) -> Frame:
    """Pay and currency in force 365 days before the snapshot, as they are known on the snapshot."""
    keys = ["employee_id", "place"]
    pay, money = (
        windows.latest(
            panel.facts["positions"].filter(~nw.col(name).is_null()), panel.as_of, ["employee_id"], delay=365
        ).select(*keys, nw.col(name).alias(f"{name}_before"))
        for name in ("pay", "currency")
    )
    both = pay.join(money, on=keys, how="left")
    return both.select(*keys, "pay_before", nw.col("currency_before").fill_null("").alias("_money_before"))
