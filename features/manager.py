"""The manager: attention and its breaks, how many others there are to look after, who left before, who goes next.

People leave managers (Hoffman & Tadelis 2021), but a manager is one person and small numbers mislead: exits under a
manager are drawn towards what is usual in the company, as strongly as the known spread between managers asks for.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import engine, windows
from features.cards import Card
from features.engine import Frame, quotient
from features.snapshots import Panel
from features.windows import Measure, Spine, others_mean, ratio, total

SHRINK = 8.0
"""Exits, observed and expected alike, that are added before exits under a manager count.

A gamma prior with mean 1 and shape 8 says that managers differ by a factor of exp(.35) per standard deviation: the
hazard ratio of .70 per standard deviation of Hoffman & Tadelis. With k = 8 / rate person-days this is the same as
(exits + k * rate) / (exposure + k), over the rate.
"""
FEWEST_TALKS = 3
SETTLED = 90
"""So many days under the same manager before there is a usual gap."""

HOFFMAN = "Hoffman & Tadelis 2021: from the 10th to the 90th percentile of managers 60 % fewer exits"
FRIEBEL = "Friebel 2022: attention of managers lowers quits by a fifth"
CEB = "CEB: job search +17 % after a change of manager"


def _card(column: str, meaning: str, en: str, zh: str, **more: object) -> Card:
    facts: dict[str, object] = {"driver": "manager", "unit": "count", **more}
    return Card(column, meaning=meaning, words_en=en, words_zh=zh, **facts)  # type: ignore[arg-type]


CARDS: tuple[Card, ...] = (
    _card(
        "one_on_ones_with_manager_90d",
        "one-on-ones with the present manager, begun by either, last 90 days",
        "{value} one-on-ones with the manager in the last 90 days",
        "近 90 天与上级一对一沟通 {value} 次",
        expected=-1,
        window_days=90,
        source=FRIEBEL,
    ),
    _card(
        "days_since_one_on_one",
        "days since the last one-on-one with the present manager",
        "{value} since the last one-on-one with the manager",
        "距上次与上级一对一沟通已 {value}",
        unit="days",
        expected=1,
    ),
    _card(
        "one_on_one_gap_ratio",
        "days since the last one-on-one with the present manager over the usual gap in the last 365 days; needs three "
        "of them and 90 days under this manager",
        "the present gap between one-on-ones is {value} times the usual",
        "距上次一对一沟通的间隔为平时的 {value} 倍",
        unit="ratio",
        expected=1,
        window_days=365,
        source=FRIEBEL,
    ),
    _card(
        "one_on_one_ratio_90d",
        "one-on-ones with the present manager in 90 days over their usual number (365 to 90 days ago, since this is "
        "the manager)",
        "one-on-ones with the manager at {value} of the usual",
        "与上级一对一沟通次数为平时的 {value} 倍",
        unit="ratio",
        expected=-1,
        window_days=365,
        source=FRIEBEL,
    ),
    _card(
        "one_on_ones_vs_reports_90d",
        "own one-on-ones with the manager minus the mean of the manager's other reports, last 90 days",
        "{value} one-on-ones apart from the manager's other reports",
        "与上级一对一沟通次数与其他下属平均之差为 {value}",
        driver="fairness",
        unit="score",
        expected=-1,
        window_days=90,
    ),
    _card(
        "manager_one_on_ones_90d",
        "one-on-ones of the manager with all reports at risk, last 90 days: the manager's own load of attention",
        "a manager with {value} one-on-ones with reports in 90 days",
        "上级近 90 天与全部下属一对一沟通共 {value} 次",
        window_days=90,
    ),
    _card(
        "manager_span_change_180d",
        "people who report to the manager now minus 180 days ago; unknown when nobody did then",
        "a change of {value} in the number of the manager's reports",
        "上级直接下属人数半年内变化 {value}",
        window_days=180,
    ),
    _card(
        "manager_exit_history",
        "voluntary exits under the present manager, from whichever team and as long as exits are recorded, over those "
        "expected at the company's rate, 8 added to both",
        "exits under the manager at {value} of what is usual",
        "上级历来下属的主动离职为公司平均水平的 {value} 倍",
        unit="ratio",
        expected=1,
        shown=False,
        source=HOFFMAN,
    ),
    _card(
        "manager_notice_days",
        "days since the present manager's own exit became known, while nobody else has taken over on paper",
        "{value} since the manager's own exit became known",
        "上级提出离职已 {value}",
        unit="days",
        shown=False,
        actionable=False,
        source=CEB,
    ),
    _card(
        "manager_experience_days",
        "days since anybody first reported to the manager",
        "a manager who has led people for {value}",
        "上级担任管理者已 {value}",
        unit="days",
        actionable=False,
    ),
    _card(
        "skip_level_changed_180d",
        "the manager has another manager than before, since less than 180 days",
        "a new manager one level up within 180 days",
        "近 180 天内上级的上级有变动",
        unit="flag",
        expected=1,
        actionable=False,
        window_days=180,
        source=CEB,
    ),
)


def columns(panel: Panel) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys, of_manager = ["employee_id", "place"], ["manager_id", "place"]
    began = panel.exits.group_by("place").agg(nw.col("notice_on").min().alias("_exits_from"))
    rows = panel.rows.select(*keys, "as_of", "manager_id")
    rows = rows.join(_talks(panel), on=keys, how="left").join(began, on="place", how="left")
    for part in (_span_then(panel), _exits_under(panel, began), _notice(panel), _first_led(panel), _above(panel)):
        rows = rows.join(part, on=of_manager, how="left")
    known = ~nw.col("manager_id").is_null()
    talks = nw.col("one_on_ones_with_manager_90d")
    span = nw.len().over(*of_manager).cast(nw.Float64)
    return rows.with_columns(
        (talks - others_mean(talks, ["manager_id"])).alias("one_on_ones_vs_reports_90d"),
        nw.when(known, ~talks.is_null()).then(talks.sum().over(*of_manager)).alias("manager_one_on_ones_90d"),
        nw.when(known).then(span - nw.col("_span_then")).alias("manager_span_change_180d"),
        nw.when(known, nw.col("as_of") - 364 >= nw.col("_exits_from"))
        .then(nw.col("_history").fill_null(1.0))
        .alias("manager_exit_history"),
        (nw.col("as_of") - nw.col("_manager_notice")).cast(nw.Float64).alias("manager_notice_days"),
        (nw.col("as_of") - nw.col("_first_led")).cast(nw.Float64).alias("manager_experience_days"),
        nw.when(~nw.col("_above").is_null())
        .then(nw.col("_above_since").fill_null(0.0))
        .alias("skip_level_changed_180d"),
    )


def _talks(panel: Panel) -> Frame:
    """One-on-ones between the person and the present manager, whoever entered them."""
    keys, pair = ["employee_id", "place"], ["employee_id", "with_id"]
    facts = panel.facts["interactions"].filter(nw.col("kind") == "one_on_one", ~nw.col("counterpart_id").is_null())
    facts = engine.held(facts.filter(nw.col("counterpart_id") != nw.col("employee_id")))  # few, and read three times
    talks = facts.with_columns(nw.col("counterpart_id").alias("with_id"))
    turned = facts.with_columns(nw.col("counterpart_id").alias("employee_id"), nw.col("employee_id").alias("with_id"))
    talks = nw.concat([talks, turned.select(*talks.collect_schema().names())])
    managed = panel.rows.filter(~nw.col("manager_id").is_null())
    managed = managed.select(*keys, "as_of", "hired_on", nw.col("manager_id").alias("with_id"))
    spine = Spine(panel.spine.when, managed)
    counts = windows.window_sums(spine, talks, [Measure("talks", nw.col("n"), (90, 365), whole=True)], by=["with_id"])
    last = windows.last_day(talks.join(managed.select(*pair).unique(), on=pair, how="semi"), panel.as_of, pair)
    rows = counts.join(last, on=[*keys, "with_id"], how="left").join(_under(panel), on=keys, how="left")
    rows = rows.with_columns(total("talks", 90).alias("one_on_ones_with_manager_90d"))
    since = (nw.col("as_of") - nw.col("last_day")).cast(nw.Float64)
    n, begins = nw.col("talks_365d_n"), nw.max_horizontal(nw.col("as_of") - 364, "hired_on", "talks_from")
    rows = rows.with_columns(
        since.alias("days_since_one_on_one"),
        nw.when(n >= FEWEST_TALKS, nw.col("as_of") - nw.col("_under") >= SETTLED)
        .then(quotient(since * n, nw.col("as_of") - begins + 1))
        .alias("one_on_one_gap_ratio"),
        nw.max_horizontal("hired_on", "_under").alias("hired_on"),
    )
    shown = ["one_on_ones_with_manager_90d", "days_since_one_on_one", "one_on_one_gap_ratio"]
    return rows.select(*keys, *shown, ratio("talks", 90, 365).alias("one_on_one_ratio_90d"))


def _under(panel: Panel) -> Frame:
    """Since when the person has had the present manager, as far as the books tell."""
    keys = ["employee_id", "place"]
    known = panel.history.filter(~nw.col("manager_id").is_null()).select(
        *keys,
        "happened_on",
        nw.when(nw.col("manager_changed").fill_null(False)).then(nw.col("happened_on")).alias("_changed"),
    )
    days = known.group_by(*keys).agg(nw.col("happened_on").min(), nw.col("_changed").max())
    return days.select(*keys, nw.max_horizontal("happened_on", "_changed").alias("_under"))


def _span_then(panel: Panel) -> Frame:
    """How many reported to a manager 180 days before each snapshot, as known on the snapshot."""
    keys = ["employee_id", "place"]
    days = panel.rows.select("place", (nw.col("as_of") - 180).alias("_then")).unique()
    posts = panel.history.select(*keys, "manager_id", "happened_on").join(days, on="place", how="inner")
    posts = posts.filter(nw.col("happened_on") <= nw.col("_then"))
    posts = posts.filter(nw.col("happened_on") == nw.col("happened_on").max().over(*keys))
    hired = windows.history(panel.facts["employees"], panel.as_of).select(*keys, "hired_on")
    there = posts.join(hired, on=keys, how="inner").filter(nw.col("hired_on") <= nw.col("_then"))
    left = there.join(panel.exits.select(*keys, "notice_on", "last_day"), on=keys, how="inner")
    left = left.filter(nw.col("notice_on") <= nw.col("_then"), nw.col("last_day") >= nw.col("hired_on"))
    there = there.join(left.select(*keys).unique(), on=keys, how="anti").filter(~nw.col("manager_id").is_null())
    return there.group_by("manager_id", "place").agg(nw.len().cast(nw.Float64).alias("_span_then"))


def _exits_under(panel: Panel, began: Frame) -> Frame:
    """Exits under each manager against those expected: every day that anybody reported to them is counted.

    A spell under a manager ends with the next post, with a notice, or today. Only time in which exits were recorded
    counts: nobody is seen leaving before that.
    """
    keys = ["employee_id", "place"]
    until = nw.col("happened_on").shift(-1).over(*keys, order_by=["happened_on"])
    spells = panel.history.select(*keys, "manager_id", "happened_on").with_columns(until.alias("_until"))
    now = panel.rows.select(*keys, nw.col("as_of").alias("_now"))
    notices = panel.exits.select(*keys, "notice_on", (nw.col("kind") == "voluntary").alias("_chosen"))
    last = notices.group_by(*keys).agg(nw.col("notice_on").max().alias("_last_notice"))
    spells = spells.filter(~nw.col("manager_id").is_null()).join(now, on=keys, how="left")
    spells = spells.join(last, on=keys, how="left").join(notices, on=keys, how="left")
    begun = nw.col("notice_on") >= nw.col("happened_on")
    inside = (begun & (nw.col("_until").is_null() | (nw.col("notice_on") < nw.col("_until")))).fill_null(False)
    spells = spells.with_columns(
        nw.when(inside).then(nw.col("notice_on")).alias("_ended"),
        (inside & nw.col("_chosen").fill_null(False)).cast(nw.Int64).alias("_exits"),
        nw.coalesce("_until", "_now", "_last_notice").alias("_stop"),
    )
    spells = spells.group_by(*keys, "manager_id", "happened_on").agg(
        nw.col("_ended").min(), nw.col("_exits").max(), nw.col("_stop").min()
    )
    spells = spells.join(began, on="place", how="inner")
    stop = nw.min_horizontal("_ended", "_stop")
    days = (stop - nw.max_horizontal("happened_on", "_exits_from")).clip(0, None).fill_null(0)
    spells = spells.with_columns(days.alias("_days"))
    under = spells.group_by("manager_id", "place").agg(nw.col("_exits").sum(), nw.col("_days").sum())
    everywhere = under.group_by("place").agg(
        nw.col("_exits").sum().alias("_all_exits"), nw.col("_days").sum().alias("_all_days")
    )
    under = under.join(everywhere, on="place", how="inner")
    product = nw.col("_all_exits").cast(nw.Float64) * nw.col("_days").cast(nw.Float64)
    expected = nw.when(nw.col("_all_days") > 0).then(quotient(product, nw.col("_all_days"))).otherwise(0.0)
    return under.select("manager_id", "place", quotient(nw.col("_exits") + SHRINK, expected + SHRINK).alias("_history"))


def _notice(panel: Panel) -> Frame:
    """The latest notice of everybody who has given one and is not back."""
    keys = ["employee_id", "place"]
    gone = panel.exits.join(panel.rows.select(*keys), on=keys, how="anti").group_by(*keys)
    notices = gone.agg(nw.col("notice_on").max().alias("_manager_notice"))
    return notices.select(nw.col("employee_id").alias("manager_id"), "place", "_manager_notice")


def _first_led(panel: Panel) -> Frame:
    led = panel.history.filter(~nw.col("manager_id").is_null())
    return led.group_by("manager_id", "place").agg(nw.col("happened_on").min().alias("_first_led"))


def _above(panel: Panel) -> Frame:
    """The manager's own manager, and 1 where that is somebody else than 180 days ago."""
    keys = ["employee_id", "place"]
    days = panel.rows.select("place", "as_of").unique()
    steps = panel.history.join(days, on="place", how="inner")
    recent = nw.col("manager_changed").fill_null(False) & (nw.col("as_of") - nw.col("happened_on") < 180)
    steps = steps.with_columns(
        nw.when(recent).then(nw.lit(1.0)).alias("_above_since"),
        nw.when(nw.col("newest") & ~nw.col("manager_id").is_null()).then(nw.lit(1.0)).alias("_above"),
    )
    steps = steps.group_by(*keys).agg(nw.col("_above").max(), nw.col("_above_since").max())
    return engine.held(steps.rename({"employee_id": "manager_id"}))
