"""Who is in touch with whom on each snapshot, condensed from the single interactions: the ground of ties and contagion.

One row per person at risk, other person and snapshot, for everybody in touch in the last ``REACH`` days, whoever
began. The single interactions are read here and nowhere else once they have been condensed; everything that is said
about ties is said about these rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import narwhals.stable.v2 as nw

from features import engine
from features.engine import Frame
from features.places import Snapshots, condensed, first_days, unfold
from features.snapshots import Panel

REACH = 180
"""Somebody with whom the person had nothing to do for so many days is no tie any more."""
WINDOWS = (30, 90, REACH)
SINGLED = ("help_given", "one_on_one")
"""Kinds that are also counted by themselves."""
BEGUN = {"help_from": "help_given", "talks_from": "one_on_one"}
HEAVIEST = 100_000
"""The weight of a tie is cut off here, so that squares of a thousand ties still add up within 64 bits."""

COUNTS = ("n30", "n90", "n180", "w90", "w180", "help90", "talks180")


@dataclass(frozen=True)
class Pairs:
    """``ties``: employee_id (at risk), with_id, place and, for what the person began (``made_…``) and what the other
    began (``heard_…``): ``n30``, ``n90``, ``n180`` records, ``w90``, ``w180`` acts (the weight), ``help90`` times of
    help, ``talks180`` one-on-ones. All whole numbers.

    ``feed``: per place the first days on which anybody's counterparts (``ties_from``), help (``help_from``) and
    one-on-ones (``talks_from``) were recorded, as known then.
    """

    ties: Frame
    feed: Frame


def pairs(panel: Panel) -> Pairs:
    """The ties of everybody at risk."""
    keys, pair = ["employee_id", "place"], ["employee_id", "with_id"]
    # A row of no acts (a weekly export says so) is no contact.
    facts = panel.facts["interactions"].filter(~nw.col("counterpart_id").is_null(), nw.col("n") > 0)
    met = facts.with_columns(nw.col("counterpart_id").alias("with_id")).filter(
        nw.col("with_id") != nw.col("employee_id")
    )
    directed = _directed(met, panel.spine.when)
    told = [(f"{side}_{name}", side, name) for side in ("made", "heard") for name in COUNTS]
    zero = nw.lit(0, dtype=nw.Int64)
    sides = []
    for side, ends in (("made", pair), ("heard", pair[::-1])):
        named = directed.select(
            nw.col(ends[0]).alias("employee_id"),
            nw.col(ends[1]).alias("with_id"),
            "place",
            *[(nw.col(name) if mine == side else zero).alias(column) for column, mine, name in told],
        )
        sides.append(named.join(panel.rows.select(*keys), on=keys, how="semi"))
    ties = nw.concat(sides).group_by(*pair, "place").agg(*[nw.col(column).sum() for column, _, _ in told])
    day = nw.col("happened_on")
    begun = {"ties_from": day} | {name: nw.when(nw.col("kind") == kind).then(day) for name, kind in BEGUN.items()}
    return Pairs(engine.held(ties), first_days(met, panel.spine.when, begun))


def covered(window: int, name: str = "ties") -> nw.Expr:
    """Was ``name`` recorded all through the window (or all of the person's time)? Needs as_of, hired_on, feed."""
    return nw.max_horizontal(nw.col("as_of") - window + 1, "hired_on") >= nw.col(f"{name}_from")


def _directed(met: Frame, when: Snapshots) -> Frame:
    """Who turned to whom how often, for each snapshot within ``REACH`` days; both may have left since."""
    zero, one = nw.lit(0, dtype=nw.Int64), nw.lit(1, dtype=nw.Int64)
    singled = {f"n_{kind}": nw.when(nw.col("kind") == kind).then(nw.col("n")).otherwise(zero) for kind in SINGLED}
    acts = condensed(met, when, ["employee_id", "with_id"], WINDOWS, {"n": nw.col("n"), "n_records": one, **singled})
    alive = acts.filter(nw.col(f"stop{REACH}") > nw.col("first"))
    rows = unfold(alive.drop("beyond").with_columns(nw.col(f"stop{REACH}").alias("beyond")), when.n)

    def within(days: int, name: str) -> nw.Expr:
        if days == REACH:
            return nw.col(name)
        inside = nw.col("place") < nw.col(f"stop{days}")
        return nw.when(inside).then(nw.col(name)).otherwise(zero)

    amounts = {
        **{f"n{days}": within(days, "n_records") for days in WINDOWS},
        **{f"w{days}": within(days, "n") for days in (90, REACH)},
        "help90": within(90, "n_help_given"),
        f"talks{REACH}": within(REACH, "n_one_on_one"),
    }
    rows = rows.select("employee_id", "with_id", "place", *[value.alias(name) for name, value in amounts.items()])
    summed = rows.group_by("employee_id", "with_id", "place").agg(*[nw.col(name).sum() for name in amounts])
    weights = [name for name in amounts if not name.startswith("n")]
    return engine.held(summed.with_columns(*[nw.col(name).clip(0, HEAVIEST) for name in weights]))
