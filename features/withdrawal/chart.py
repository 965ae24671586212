"""How far each person's weeks lie from that person's own habit, season, company and team removed.

For every person, week and stream, from counts ``x`` and presence ``e`` (Farrington 1996 and Hoehle & Paul 2008 do the
same for disease counts; the windows scan like Siegmund's moving sums):

    f = e · I                      I: what people do per present week, company-wide, in that channel and week
    b = Σx / Σf                    own habit over 52 weeks that end 8 weeks before; at least 26 weeks
    m = b · f · c                  expected; c: the others of the company against their own habits (leave-one-out)
    d = x - m                      what is missing or too much
    a = mean of (d² - m) / m²      own unevenness beyond chance (negative binomial), shrunk to the company's

and over the last K = 6 and 12 weeks, with D and M the sums of d and m:

    g = D / M of the others in the team, shrunk by w = τ² / (τ² + noise); in full when they clearly fell
    z = (D - w·g·M) / sqrt(Σ(m + a·m²) + M² · (left over of the team + ω² + noise of the habit))

So z is about standard normal when nothing has changed, and a fall that the company or the team shares is nobody's. A
moving sum was chosen over an EWMA(.2): it finds more of the slow falls within 12 weeks, and it has an end, so that a
score does not depend on where the calculation began. Sums run over whole millionths, so that order plays no part.

Not good for: falls of a fifth (lost in the noise of one person's weeks), people with fewer than five acts a week
(null: insufficient), the first eight months after somebody arrives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add

import narwhals.stable.v2 as nw

from features import engine
from features.engine import Frame, quotient
from features.windows import fixed, units
from features.withdrawal.weeks import CHANNELS

BASELINE_WEEKS = 52
GAP_WEEKS = 8
LEAST_WEEKS = 26
LEAST_A_WEEK = 5.0
WINDOWS = (6, 12)
CHART_WEEKS = GAP_WEEKS + BASELINE_WEEKS
"""What is expected is needed for so many weeks before the first one that is charted."""
MEMORY_WEEKS = 2 * (BASELINE_WEEKS + GAP_WEEKS) + 1
"""A score looks back no further than this: unevenness over a baseline of weeks that each have a baseline."""
FEWEST_COMPANY = 5
FEWEST_TEAM = 2
PRIOR_WEEKS = 13
LEAST_UNEVEN = 0.01
LARGEST_SWING = 2.0
TEAM_SD = 0.08
"""How much the level of a team wanders in truth (SCIENCE section 5)."""
OWN_SD = 0.05
"""How much a person's own level wanders over a quarter beyond the noise of weeks."""
TEAM_FELL = -2.5
LONGEST_RUN = 26
EXPLAINED = 0.9
"""Share of the company's talk that habits with each channel must explain before channels are expected apart."""
STREAMS: Mapping[str, tuple[str, ...]] = {
    "all": ("talk", "meeting", "project", "help"),
    "talk": ("talk",),
    "meeting": ("meeting",),
    "initiative": ("project", "help"),
}
"""What is watched. ``talk`` is messages and mail together, ``initiative`` project work and help to colleagues."""
SERIES = ("talk", "meeting", "project", "help")
KEYS = ("employee_id", "place")
SUMMED = ("D", "M", "Q", "U", "N")
NOTHING = nw.lit(0, dtype=nw.Int64)


def expected(weeks: Frame, *, first: int = 0) -> Frame:
    """The weekly table with, per series, ``x_<series>`` (done) and ``m_<series>`` (expected; null without a habit).

    Series are talk, meeting, project and help. ``first``: the weeks before this place are needed for habits alone.
    """
    names = [*CHANNELS, "talk"]
    rows = weeks.with_columns((nw.col("message") + nw.col("email")).alias("talk"), fixed(nw.col("present")).alias("_e"))
    rows = rows.with_columns(*[_share_of_all(name).alias(f"f_{name}") for name in names])
    summed = [*names, *[f"f_{name}" for name in names], "there"]
    rows = engine.trailing(rows, KEYS, {"_base": (summed, GAP_WEEKS, GAP_WEEKS + BASELINE_WEEKS)})
    rows = engine.held(rows.filter(nw.col("place") >= first))
    rows = rows.with_columns(*[_by_habit(name).alias(f"m_{name}") for name in names])
    rows = rows.with_columns(*[_with_company(name).alias(f"m_{name}") for name in names])
    return engine.held(
        rows.select(
            *KEYS,
            "team",
            "there",
            *[nw.col(name).alias(f"x_{name}") for name in SERIES],
            _talk().alias("m_talk"),
            *[f"m_{name}" for name in SERIES[1:]],
        )
    )


def charted(rows: Frame, stream: str, places: Sequence[int]) -> Frame:
    """Scores of a stream on the weeks in ``places``: employee_id, place, team and

    ``z<K>`` and ``others<K>`` (the others of the team, their own score), ``level<K>`` (done over expected),
    ``usual`` (expected a week), ``present`` (share of 12 weeks that count; null
    without any such week in the past year) and ``below`` (weeks since the
    last one at or above the expected, 26 at most). Null where there is no habit yet or too little to judge.
    """
    reads: dict[str, tuple[Sequence[str], int, int]] = {str(weeks): (SUMMED, 0, weeks) for weeks in WINDOWS}
    reads["0"] = (("N", "U"), GAP_WEEKS, GAP_WEEKS + BASELINE_WEEKS)
    now = engine.trailing(_gaps(rows, stream), KEYS, reads).filter(nw.col("place").is_in(list(places)))
    told = [name + tag for tag, (names, _, _) in reads.items() for name in names]
    numbers = [nw.col(name) if name.startswith("N") else units(nw.col(name)).alias(name) for name in told]
    now = _unevenness(engine.held(now.select(*KEYS, "team", "_above", *numbers)))
    for weeks in WINDOWS:
        now = engine.held(_scored(now, weeks))
    below = nw.col("place") - nw.max_horizontal("_above", nw.col("place") - LONGEST_RUN)
    judged = (nw.col("usual") >= LEAST_A_WEEK) & (nw.col("N12") * 2 >= 12)
    told = [f"{name}{weeks}" for weeks in WINDOWS for name in ("z", "others", "level")]
    now = now.with_columns(below.cast(nw.Float64).alias("below"))
    shown = [nw.when(judged).then(nw.col(name)).alias(name) for name in (*told, "below")]
    met = nw.when(nw.col("N12") + nw.col("N0") > 0).then(quotient(nw.col("N12"), 12.0))
    return engine.held(now.select(*KEYS, "team", *shown, "usual", met.alias("present")))


def _share_of_all(name: str) -> nw.Expr:
    """What this much presence would do in this week at the pace of the whole company, in millionths."""
    pace = quotient(nw.col(name).sum().over("place"), units(nw.col("_e").sum().over("place")))
    return fixed(nw.when(nw.col("_e") > 0).then(pace * nw.col("present"))).fill_null(0)


def _by_habit(name: str) -> nw.Expr:
    usual, pace = nw.col(f"{name}_base"), units(nw.col(f"f_{name}_base"))
    habit = nw.when(pace > 0).then(quotient(usual, pace)).otherwise(nw.lit(0.0))
    return nw.when(nw.col("there_base") >= LEAST_WEEKS).then(habit * units(nw.col(f"f_{name}")))


def _with_company(name: str) -> nw.Expr:
    """Expected times what the others of the company did in that week against their own habits."""
    m, x = nw.col(f"m_{name}"), nw.col(name)
    counts = ((nw.col("there") == 1) & ~m.is_null()).cast(nw.Int64)
    done, habit = x * counts, nw.when(counts == 1).then(fixed(m)).otherwise(nw.lit(0, dtype=nw.Int64))
    others_done = done.sum().over("place") - done
    others_habit = units(habit.sum().over("place") - habit)
    factor = nw.when(others_habit > 0).then(quotient(others_done, others_habit)).otherwise(nw.lit(1.0))
    return nw.when(counts.sum().over("place") - counts >= FEWEST_COMPANY).then(m * factor)


def _talk() -> nw.Expr:
    """Expected mail and messages: the lower of both together and each for itself.

    So losing one of them looks like a fall of nobody who used it. A tool that nobody has a habit with yet (moving
    from mail to chat) cannot be expected for itself; where the parts do not explain the whole, the whole counts.
    """
    whole, parts = nw.col("m_talk"), nw.col("m_message") + nw.col("m_email")
    explained = fixed(parts).fill_null(0).sum().over("place") >= fixed(whole * EXPLAINED).fill_null(0).sum().over(
        "place"
    )
    return nw.when(explained).then(nw.min_horizontal(whole, parts)).otherwise(whole)


def _gaps(rows: Frame, stream: str) -> Frame:
    """Per week what the windows add up, in millionths: D = done - expected, M = expected, Q = M², U = unevenness
    beyond chance; N = 1 where the week counts. ``_above``: the newest week at or above the expected."""
    x, m = (reduce(add, [nw.col(f"{side}_{name}") for name in STREAMS[stream]]) for side in "xm")
    rows = rows.with_columns(x.alias("x"), m.alias("m"))
    counts = (nw.col("there") == 1) & (nw.col("m") > 0).fill_null(value=False)
    rows = rows.with_columns(counts.alias("counts"), (nw.col("x") - nw.col("m")).alias("d"))
    swing = quotient(nw.col("d"), nw.col("m")).clip(-LARGEST_SWING, LARGEST_SWING)
    chance = quotient(nw.col("m") * 0 + 1.0, nw.col("m"))
    amounts = {"D": nw.col("d"), "M": nw.col("m"), "Q": nw.col("m") * nw.col("m"), "U": swing * swing - chance}
    above = nw.when(nw.col("counts") & (nw.col("d") >= 0)).then(nw.col("place")).otherwise(NOTHING - LONGEST_RUN)
    return rows.select(
        *KEYS,
        "team",
        *[nw.when(nw.col("counts")).then(fixed(value)).otherwise(NOTHING).alias(n) for n, value in amounts.items()],
        nw.col("counts").cast(nw.Int64).alias("N"),
        above.cum_max().over("employee_id", order_by=["place"]).alias("_above"),
    )


def _unevenness(now: Frame) -> Frame:
    """``a``: relative variance of the person's weeks beyond chance, shrunk to that of everybody."""
    everybody = fixed(nw.col("U0").fill_null(0.0)).sum().over("place")
    n_everybody = nw.col("N0").fill_null(0).sum().over("place")
    mean = nw.when(n_everybody > 0).then(quotient(units(everybody), n_everybody))
    shrunk = quotient(nw.col("U0") + mean * float(PRIOR_WEEKS), nw.col("N0") + float(PRIOR_WEEKS))
    usual = nw.when(nw.col("N12") > 0).then(quotient(nw.col("M12"), nw.col("N12")))
    return now.with_columns(nw.max_horizontal(shrunk, shrunk * 0 + LEAST_UNEVEN).alias("a"), usual.alias("usual"))


def _scored(now: Frame, weeks: int) -> Frame:
    """``z``, ``others`` and ``level`` of one window; null with less than half of its weeks."""
    own, m = nw.col(f"D{weeks}"), nw.col(f"M{weeks}")
    noise = m + nw.col("a") * nw.col(f"Q{weeks}")
    counts = (nw.col(f"N{weeks}") * 2 >= weeks) & ~noise.is_null()
    now = now.with_columns(counts.fill_null(value=False).alias("_counts"))
    sums = {"_D": own, "_M": m, "_V": noise, "_n": nw.lit(1.0)}
    for name, value in sums.items():
        mine = nw.when(nw.col("_counts")).then(fixed(value)).otherwise(NOTHING)
        now = now.with_columns(mine.alias("_mine"))
        rest = nw.col("_mine").sum().over("team", "place") - nw.col("_mine")
        now = now.with_columns(nw.when(~nw.col("team").is_null()).then(units(rest)).alias(name))
    told = (nw.col("_n") >= FEWEST_TEAM) & (nw.col("_M") > 0)
    now = now.with_columns(
        nw.when(told).then(quotient(nw.col("_D"), nw.col("_M"))).alias("_g"),
        nw.when(told).then(quotient(nw.col("_V"), nw.col("_M") * nw.col("_M"))).alias("_v"),
    )
    wander = TEAM_SD * TEAM_SD
    now = now.with_columns(quotient(nw.col("_g"), (nw.col("_v") + wander) ** 0.5).alias("_z"))
    fell = nw.col("_z") < TEAM_FELL
    share = (
        nw.when(fell).then(nw.col("_v") * 0 + 1.0).otherwise(quotient(nw.col("_v") * 0 + wander, nw.col("_v") + wander))
    )
    left = nw.when(fell).then(nw.col("_v")).otherwise(wander * (1.0 - share))
    now = now.with_columns((share * nw.col("_g")).fill_null(0.0).alias("_shift"), left.fill_null(wander).alias("_left"))
    habit = quotient(nw.col("a") + quotient(nw.col("a") * 0 + 1.0, nw.col("usual")), nw.col("N0") + float(PRIOR_WEEKS))
    spread = (noise + m * m * (nw.col("_left") + OWN_SD * OWN_SD + habit)) ** 0.5
    shown = {
        "z": quotient(own - nw.col("_shift") * m, spread),
        "others": nw.col("_z"),
        "level": quotient(own + m, m),
    }
    return now.with_columns(
        *[nw.when(nw.col("_counts")).then(value).alias(f"{name}{weeks}") for name, value in shown.items()]
    )
