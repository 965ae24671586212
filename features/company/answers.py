"""What people of the invented company say, what is said about them, and how they grow: noisy views of latent states.

Noise is the published one where there is one (survey answers: SD .8 of the latent state), else assumed and said so.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from features.company import hazard as hz
from features.company.records import Roster
from features.company.world import INTERESTS, JOBS, all_skills

REVIEW_MONTHS, GOAL_MONTHS = (6, 12), (3, 6, 9, 12)
SURVEY_STYLE_SD, SURVEY_ITEM_SD, INTENT_ITEM_SD = 0.20, 0.775, 0.55
"""A person's way of answering and the noise of one answer: together SD .8 of the latent state. Less for the intent to
stay: one answer then carries a hazard ratio of about 2.2 per SD (Griffeth 2000: 2.3-2.7)."""

DRIVERS_SD = 0.67
"""SD of all driver terms together at scale 1."""


def surveys(roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """A short pulse each month, half of the items in turn. A high score is always the favourable answer.

    That holds for ``workload`` too (5 = the load is fine). About seven in ten answer, fewer of those who would
    rather leave (MNAR), and few who are under notice.
    """
    panel = roster.panel
    row = np.arange(len(panel["who"]))
    day = roster.days(rng, row, 8, 18)
    wish = panel["eta"][row] / (roster.history.company.regime.scale * DRIVERS_SD)
    wish = wish - wish.mean()
    answers = rng.random(len(row)) < 1 / (1 + np.exp(-(0.95 - 0.35 * wish - 0.8 * panel["under_notice"][row])))
    kept = answers & roster.works(panel["who"][row], day)
    row, day, wish = row[kept], day[kept], wish[kept]
    x = {name[2:]: values[row] for name, values in panel.items() if name.startswith("x_")}
    satisfaction = sum(share**0.5 * x[name] for name, share in hz.SATISFACTION_SHARES.items())
    views = {
        "engagement": satisfaction,
        "growth": x["growth"],
        "recognition": x["recognition"],
        "belonging": x["embeddedness"],
        "workload": -(0.8 * x["overtime"] + 0.6 * x["load"]),
        "pay": np.clip(x["pay"], -2.5, 2.5),
        "manager": x["manager"],
        "fairness": x["fairness"],
        "wellbeing": 0.8 * x["general"] - 0.6 * x["overtime"],
        "enps": satisfaction,
        "intent_to_stay": -wish,
    }
    style = (SURVEY_STYLE_SD * rng.standard_normal(len(roster.number)))[panel["who"][row]]
    parts = []
    for place, (item, view) in enumerate(views.items()):
        asked = _asked(roster, row, place)
        noise = INTENT_ITEM_SD if item == "intent_to_stay" else SURVEY_ITEM_SD
        felt = view + style + noise * rng.standard_normal(len(row))
        wide = item == "enps"
        score = np.clip(np.round(6.8 + 2.2 * felt), 0, 10) if wide else np.clip(np.round(3.3 + 0.85 * felt), 1, 5)
        low, high = (0.0, 10.0) if wide else (1.0, 5.0)
        columns = {"employee_id": roster.ids(panel["who"][row]), "happened_on": day, "item": [item] * len(row)}
        frame = pl.DataFrame({**columns, "score": score}).with_columns(scale_min=low, scale_max=high)
        parts.append(frame.filter(pl.Series(asked)))
    return pl.concat(parts)


def _asked(roster: Roster, row: np.ndarray, place: int) -> np.ndarray:
    """Half of the items each month; all of them where the pulse comes more rarely."""
    month, every = roster.panel["month"][row], roster.history.company.regime.survey_every
    return month % 2 == place % 2 if every == 1 else month % every == every - 1


def reviews(roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """Half-yearly ratings by the manager (some strict, some lenient) and by the person (kinder). Noise assumed."""
    panel = roster.panel
    row = roster.rows_in(REVIEW_MONTHS)
    day = roster.days(rng, row, 12, 24)
    row, day = row[kept := roster.works(panel["who"][row], day) & (panel["tenure"][row] >= 2)], day[kept]
    leniency = 0.4 * rng.standard_normal(len(roster.number))
    parts = []
    for source, rater, shift in (("manager", panel["manager"][row], 0.0), ("self", panel["who"][row], 0.3)):
        seen = panel["x_performance"][row] + leniency[rater] + shift + 0.6 * rng.standard_normal(len(row))
        rated = pl.DataFrame(
            {
                "employee_id": roster.ids(panel["who"][row]),
                "happened_on": day,
                "rating": np.clip(np.round(2 * (3.4 + 0.75 * seen)) / 2, 1, 5),
                "reviewer_id": roster.ids(rater),
                "source": [source] * len(row),
            }
        )
        parts.append(rated.filter(pl.Series(roster.works(rater, day) & (rater >= 0))))
    return pl.concat(parts)


def goals(roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """Two goals a year, updated each quarter; progress follows performance and mood a little (sizes assumed)."""
    panel = roster.panel
    row = roster.rows_in(GOAL_MONTHS)
    day = roster.days(rng, row, 22, 28)
    row, day = row[kept := roster.works(panel["who"][row], day)], day[kept]
    who, year = panel["who"][row], roster.history.first[panel["month"][row]].astype("datetime64[Y]").astype(int) + 1970
    quarter = roster.calendar_month(panel["month"][row]) / 12
    parts = []
    for number in (1, 2):
        luck = 0.15 * rng.standard_normal((len(roster.number), 200))[who, year - 1970]
        pace = 0.85 + luck + 0.08 * panel["x_performance"][row] + 0.05 * panel["x_general"][row]
        parts.append(
            pl.DataFrame(
                {
                    "goal_id": [f"G{w + 1:05d}-{y}-{number}" for w, y in zip(who, year, strict=True)],
                    "employee_id": roster.ids(who),
                    "happened_on": day,
                    "progress": np.clip(np.round(quarter * pace, 2), 0, 1),
                    "due_on": [f"{y}-12-31" for y in year],
                    "title": [("年度目标 Yearly goal", "改进 Improvement")[number - 1]] * len(row),
                }
            )
        )
    return pl.concat(parts)


def learning(roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """Courses assigned, most of them completed within two months; more by those who feel that they grow."""
    panel, skills = roster.panel, all_skills()
    row = np.repeat(np.arange(len(panel["who"])), rng.poisson(0.28 * np.exp(0.25 * panel["x_growth"])))
    who, day = panel["who"][row], roster.days(rng, row, 1, 28)
    own = [JOBS[j].skills for j in panel["job"][row]]
    pick, half = rng.random(len(row)), rng.random(len(row)) < 0.35
    course = [2 * skills.index(s[int(u * len(s))]) + int(h) for s, u, h in zip(own, pick, half, strict=True)]
    done = np.busday_offset(day, rng.integers(10, 42, len(row)), roll="forward")
    completed = rng.random(len(row)) < 1 / (1 + np.exp(-(1.2 + 0.3 * panel["x_growth"][row])))
    hours, score = np.where(half, 12.0, 6.0), np.clip(np.round(rng.normal(80, 9, len(row))), 40, 100)
    base = {"employee_id": roster.ids(who), "course_id": [f"C{c:03d}" for c in course]}
    assigned = pl.DataFrame({**base, "happened_on": day}).with_columns(
        status=pl.lit("assigned"), hours=pl.lit(None, pl.Float64), score=pl.lit(None, pl.Float64)
    )
    finished = pl.DataFrame({**base, "happened_on": done}).with_columns(
        status=pl.lit("completed"), hours=pl.Series(hours), score=pl.Series(score)
    )
    both = [
        assigned.filter(pl.Series(roster.works(who, day))),
        finished.filter(pl.Series(completed & roster.works(who, done))),
    ]
    return pl.concat(both).unique(["employee_id", "course_id", "happened_on"], keep="last", maintain_order=True)


def skills(roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """Each skill of the job, judged in the first weeks here (or on record) and each March."""
    panel = roster.panel
    _, first_row = np.unique(panel["who"], return_index=True)
    row = np.union1d(first_row, roster.rows_in((3,)))
    day = np.maximum(roster.days(rng, row, 5, 25), roster.people["hired"][panel["who"][row]])
    row, day = row[kept := roster.works(panel["who"][row], day)], day[kept]
    talent = rng.standard_normal((len(roster.number), 5))
    parts = []
    for place in range(5):
        named = [JOBS[j].skills[place] if place < len(JOBS[j].skills) else None for j in panel["job"][row]]
        ability = (
            0.9 + 0.6 * panel["level"][row] + 0.5 * talent[panel["who"][row], place] + 0.006 * panel["tenure"][row]
        )
        columns = {"employee_id": roster.ids(panel["who"][row]), "happened_on": day, "skill": named}
        level = np.clip(np.round(ability + 0.3 * rng.standard_normal(len(row))), 0, 5)
        parts.append(pl.DataFrame({**columns, "level": level, "source": ["manager"] * len(row)}))
    return pl.concat(parts).filter(pl.col("skill").is_not_null())


def recognitions(roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """Praise and thanks, about two or three a year each, more for those who feel seen and those who perform."""
    panel = roster.panel
    rate = 0.20 * np.exp(0.45 * panel["x_recognition"] + 0.15 * panel["x_performance"])
    row = np.repeat(np.arange(len(rate)), rng.poisson(rate))
    who, day = panel["who"][row], roster.days(rng, row, 1, 28)
    kinds = ["customer_praise", "improvement", "cost_saving", "rescue", "peer_thanks", "award"]
    kind = rng.choice(kinds, len(row), p=(0.3, 0.15, 0.07, 0.05, 0.35, 0.08))
    giver = np.where(np.isin(kind, ["customer_praise", "peer_thanks"]), -1, panel["manager"][row])
    giver = np.where((giver >= 0) & roster.works(giver, day), giver, -1)
    frame = pl.DataFrame(
        {"employee_id": roster.ids(who), "happened_on": day, "kind": kind, "given_by": roster.ids(giver)}
    ).filter(pl.Series(roster.works(who, day)))
    return frame.unique(["employee_id", "happened_on", "kind", "given_by"], keep="last", maintain_order=True)


def aspirations(roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """What people say each September that they would like next; six in ten say something."""
    panel = roster.panel
    row = roster.rows_in((9,))
    row = row[rng.random(len(row)) < 0.6]
    day = roster.days(rng, row, 5, 25)
    row, day = row[kept := roster.works(panel["who"][row], day)], day[kept]
    wants = np.array(["promotion", "transfer", "skill", "flexibility", "none"])
    pull = np.stack(
        [
            0.04 * panel["wait"][row] - 0.3 * panel["x_growth"][row],
            -0.8 - 0.4 * panel["x_manager"][row],
            0.2 - 0.2 * panel["x_growth"][row],
            -0.3 + 0.4 * panel["x_overtime"][row],
            0.5 * panel["x_general"][row],
        ],
        axis=1,
    )
    liked = rng.integers(0, len(INTERESTS), (len(roster.number), 2))[panel["who"][row]]
    return pl.DataFrame(
        {
            "employee_id": roster.ids(panel["who"][row]),
            "happened_on": day,
            "wants": wants[np.argmax(pull + rng.gumbel(size=pull.shape), axis=1)],
            "interests": [";".join(dict.fromkeys(INTERESTS[i] for i in pair)) for pair in liked],
        }
    )
