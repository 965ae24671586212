"""How a newcomer settles in: contacts made, team-mates met, time with the manager. Unknown after half a year.

The time since hiring is looked at as far as it is no more than ``PERIOD`` days; for somebody who came back,
interactions of those days before the return count as well.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw

from features import windows
from features.cards import Card
from features.engine import Frame, quotient
from features.pairs import Pairs, covered
from features.snapshots import Panel
from features.windows import others_mean

PERIOD = 180
"""A newcomer is somebody hired less than so many days ago."""

FARBER = "Farber 1994: exits peak three months after hiring"


def _card(column: str, meaning: str, en: str, zh: str, **more: object) -> Card:
    facts: dict[str, object] = {"driver": "belonging", "window_days": PERIOD, "source": FARBER, **more}
    return Card(column, meaning=f"{meaning}; unknown after 180 days", words_en=en, words_zh=zh, **facts)  # type: ignore[arg-type]


CARDS: tuple[Card, ...] = (
    _card(
        "newcomer_contacts_per_week",
        "people in touch with the newcomer since hiring, per week",
        "a newcomer with {value} contacts a week since hiring",
        "入职以来平均每周结识 {value} 位同事",
        unit="score",
    ),
    _card(
        "newcomer_contacts_vs_others",
        "contacts of the newcomer per week over the mean of the other newcomers in the company",
        "{value} times the contacts of other newcomers",
        "结识同事的速度为其他新员工的 {value} 倍",
        unit="ratio",
        expected=-1,
    ),
    _card(
        "newcomer_team_met_share",
        "share of the others in the team with whom the newcomer has been in touch since hiring",
        "a newcomer in touch with {value} of the team",
        "入职以来与团队中 {value} 的同事有过往来",
        unit="share",
        expected=-1,
    ),
    _card(
        "newcomer_one_on_ones",
        "one-on-ones of the newcomer with the present manager since hiring, begun by either",
        "{value} one-on-ones with the manager since hiring",
        "入职以来与上级一对一沟通 {value} 次",
        driver="manager",
        unit="count",
    ),
    _card(
        "newcomer_days_to_one_on_one",
        "days from hiring to the first one-on-one with the present manager, or, as long as there was none, so far",
        "{value} from hiring to the first one-on-one with the manager",
        "入职到首次与上级一对一沟通 {value}",
        driver="manager",
        unit="days",
    ),
)


def columns(panel: Panel, pairs: Pairs) -> Frame:
    """One row per (employee_id, place) with the columns of ``CARDS``."""
    keys = ["employee_id", "place"]
    rows = panel.rows.select(*keys, "as_of", "hired_on", "tenure_days", "team", "manager_id")
    others = nw.when(~nw.col("team").is_null()).then(nw.len().over("team", "place").cast(nw.Int64) - 1)
    rows = rows.with_columns(others.alias("_others")).join(pairs.feed, on="place", how="left")
    rows = rows.join(_met(panel, pairs.ties), on=keys, how="left").join(_first_talk(panel), on=keys, how="left")
    new = nw.col("tenure_days") < PERIOD
    weeks = quotient(nw.col("tenure_days") + 1, 7.0)
    met = nw.when(new, covered(PERIOD)).then(quotient(nw.col("_met").fill_null(0).cast(nw.Float64), weeks))
    talked = new & covered(PERIOD, "talks") & ~nw.col("manager_id").is_null()
    until = nw.min_horizontal(nw.col("_first_talk").fill_null(nw.col("as_of")), "as_of") - nw.col("hired_on")
    rows = rows.with_columns(met.alias("newcomer_contacts_per_week"))
    per_week = nw.col("newcomer_contacts_per_week")
    among = others_mean(per_week, [])
    return rows.with_columns(
        nw.when(among > 0).then(quotient(per_week, among)).alias("newcomer_contacts_vs_others"),
        nw.when(new, covered(PERIOD), nw.col("_others") > 0)
        .then(quotient(nw.col("_mates").fill_null(0), nw.col("_others")))
        .alias("newcomer_team_met_share"),
        nw.when(talked).then(nw.col("_talks").fill_null(0).cast(nw.Float64)).alias("newcomer_one_on_ones"),
        nw.when(talked).then(until.clip(0, None).cast(nw.Float64)).alias("newcomer_days_to_one_on_one"),
    )


def _newcomers(panel: Panel) -> Frame:
    return panel.rows.filter(nw.col("tenure_days") < PERIOD)


def _met(panel: Panel, ties: Frame) -> Frame:
    """How many people the newcomer knows, how many of them in the team, and the one-on-ones with the manager."""
    keys = ["employee_id", "place"]
    own = _newcomers(panel).select(*keys, "team", "manager_id")
    theirs = panel.rows.select(nw.col("employee_id").alias("with_id"), "place", nw.col("team").alias("_their_team"))
    known = ties.join(own, on=keys, how="inner").join(theirs, on=["with_id", "place"], how="left")
    mates = (nw.col("team") == nw.col("_their_team")).fill_null(False)
    boss = (nw.col("with_id") == nw.col("manager_id")).fill_null(False)
    talks = nw.col("made_talks180") + nw.col("heard_talks180")
    counted = known.select(
        *keys,
        mates.cast(nw.Int64).alias("_mates"),
        nw.when(boss).then(talks).otherwise(nw.lit(0, dtype=nw.Int64)).alias("_talks"),
    )
    return counted.group_by(*keys).agg(
        nw.len().cast(nw.Int64).alias("_met"), nw.col("_mates").sum(), nw.col("_talks").sum()
    )


def _first_talk(panel: Panel) -> Frame:
    """The day of the first one-on-one of a newcomer with the present manager.

    ``last_day`` of the days with their sign turned is the first day.
    """
    keys, pair = ["employee_id", "place"], ["employee_id", "with_id"]
    facts = panel.facts["interactions"].filter(nw.col("kind") == "one_on_one", ~nw.col("counterpart_id").is_null())
    facts = facts.filter(nw.col("counterpart_id") != nw.col("employee_id"))
    managed = _newcomers(panel).filter(~nw.col("manager_id").is_null())
    managed = managed.select(*keys, nw.col("manager_id").alias("with_id"))
    turned = (nw.col("happened_on") * -1).alias("happened_on")
    sides = [
        facts.select(nw.col(one).alias("employee_id"), nw.col(other).alias("with_id"), turned, "start")
        for one, other in (("employee_id", "counterpart_id"), ("counterpart_id", "employee_id"))
    ]
    talks = nw.concat(sides).join(managed.select(*pair).unique(), on=pair, how="semi")
    first = windows.last_day(talks, panel.as_of, pair)
    met = managed.join(first, on=[*pair, "place"], how="inner")
    return met.select(*keys, (nw.col("last_day") * -1).alias("_first_talk"))
