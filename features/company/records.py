"""What the personnel office of the invented company writes down: who came, where they stood, who left and why."""

from __future__ import annotations

from datetime import date
from statistics import NormalDist

import numpy as np
import polars as pl

from features.cards import DRIVERS
from features.company import hazard as hz
from features.company.care import IDS
from features.company.days import workdays
from features.company.history import KINDS, History
from features.company.regimes import Groups
from features.company.world import DEPARTMENTS, JOBS, LOCATIONS, names

BY_COIN = "decided by a coin"
GROUPS = ("A", "B", "C")


class Roster:
    """Who is in the export, and how they are numbered."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.people, self.panel = history.people, history.panel
        self.exported = self.people["last"] >= history.first[0]
        self.number = pl.Series([f"E{i + 1:05d}" for i in self.people["alias"].tolist()])

    def ids(self, who: np.ndarray) -> pl.Series:
        """Employee numbers; null for nobody (-1) and for those who left before the records begin."""
        known = (who >= 0) & self.exported[who]
        return pl.select(pl.when(pl.lit(pl.Series(known))).then(self.number.gather(np.maximum(who, 0)))).to_series()

    def works(self, who: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Employed on that day, and the day is not after the export."""
        return (self.people["hired"][who] <= day) & (self.people["last"][who] >= day) & (day <= self.history.until)

    def calendar_month(self, month: np.ndarray) -> np.ndarray:
        """1 to 12 for a recorded month."""
        return self.history.first[month].astype("datetime64[M]").astype(int) % 12 + 1

    def rows_in(self, months: tuple[int, ...]) -> np.ndarray:
        """Rows of the panel in these calendar months."""
        return np.flatnonzero(np.isin(self.calendar_month(self.panel["month"]), months))

    def days(self, rng: np.random.Generator, row: np.ndarray, first: int, last: int) -> np.ndarray:
        """A random weekday between the given days of the month for each row of the panel."""
        begin = self.history.first[self.panel["month"][row]]
        return workdays(rng, begin + first - 1, begin + last)


def employees(roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """Everybody who worked here on some day of the recorded months."""
    shown, addresses = names(rng, len(roster.number))
    who = np.flatnonzero(roster.exported)
    alias = roster.people["alias"][who]
    return pl.DataFrame(
        {
            "employee_id": roster.ids(who),
            "hired_on": roster.people["hired"][who],
            "name": [shown[i] for i in alias],
            "email": [addresses[i] for i in alias],
        }
    )


def protected(roster: Roster) -> pl.DataFrame:
    """For the fairness audit alone. No hazard differs by gender; by group where the regime has groups."""
    who = np.flatnonzero(roster.exported)
    groups = roster.history.company.regime.groups
    named = {} if groups is None else {"group": np.array(GROUPS)[roster.people["group"][who]]}
    frame = pl.DataFrame(
        {
            "employee_id": roster.ids(who),
            **named,
            "gender": np.where(roster.people["female"][who], "female", "male"),
            "birth_year": roster.people["born"][who].astype("datetime64[Y]").astype(int) + 1970,
        }
    )
    return frame.unique("employee_id", keep="last", maintain_order=True)


def positions(roster: Roster, more: np.random.Generator | None = None) -> pl.DataFrame:
    """One row per change; when several things change on one day, the last note of that day holds them all.

    Of what is older than a year when the records begin, the hire, steps in level and what held last are on file.
    """
    p = roster.history.positions
    kept = roster.exported[p["who"]] & roster.works(p["who"], p["day"])
    p = {name: values[kept] for name, values in p.items()}
    hours = p["weekly_hours"] / 40
    department = [DEPARTMENTS[d][0] for d in p["department"]]
    frame = pl.DataFrame(
        {
            "employee_id": roster.ids(p["who"]),
            "happened_on": p["day"],
            "department": department,
            "team": [
                f"{d.split(' ', 1)[1]} {t:03d}" if t else "Leadership"
                for d, t in zip(department, p["team"], strict=True)
            ],
            "location": [LOCATIONS[i][0] for i in p["location"]],
            "job": [JOBS[i].name for i in p["job"]],
            "job_family": [JOBS[i].family for i in p["job"]],
            "ladder": np.where(p["leads"], "management", "professional"),
            "level": p["level"],
            "manager_id": roster.ids(p["manager"]),
            "employment_type": np.where(p["fixed_term"], "fixed_term", "permanent"),
            "weekly_hours": p["weekly_hours"],
            "pay": np.round(p["pay"] * hours, -1),
            "pay_midpoint": np.round(p["midpoint"] * hours, -1),
            "currency": np.full(len(hours), "CNY"),
        }
    )
    frame = frame.unique(["employee_id", "happened_on"], keep="last", maintain_order=True)
    frame = as_filed(frame, since=(roster.history.first[0] - np.timedelta64(365, "D")).item())
    return frame if more is None or not roster.history.company.regime.wide else _with_own_columns(roster, frame, more)


def as_filed(frame: pl.DataFrame, *, since: date) -> pl.DataFrame:
    """Positions as a file holds them: before that day only each person's first, steps in level, and what held last."""
    day, level = pl.col("happened_on"), pl.col("level")
    old = day < since
    last = day == day.filter(old).max().over("employee_id")
    return frame.filter(~old | last | (level != level.shift().over("employee_id")).fill_null(True))


def _with_own_columns(roster: Roster, frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Three columns of the organisation's own: two that say nothing, and one that gives group B away to some extent."""
    groups, n = roster.history.company.regime.groups or Groups(rate_ratio=1.0), len(roster.number)
    apart = NormalDist().inv_cdf(groups.proxy_auc) * 2**0.5
    own = pl.DataFrame(
        {
            "employee_id": roster.number,
            "x_locker": rng.integers(100, 999, n),
            "x_parking": np.round(rng.standard_normal(n), 2),
            "x_district": np.round(apart * (roster.people["group"] == 1) + rng.standard_normal(n), 2),
        }
    )
    return frame.join(own.unique("employee_id", keep="first"), on="employee_id", how="left", maintain_order="left")


def exits(roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """Exits that are known by the export; the last day may lie ahead. ``known_on`` is the notice."""
    people, history = roster.people, roster.history
    who = np.flatnonzero(roster.exported & (people["known"] <= history.until))
    kind = np.array(KINDS)[people["kind"][who]]
    fixed = {"retirement": "retirement", "contract_end": "contract"}
    sent = np.where(rng.random(len(who)) < 0.7, "performance", "restructuring").tolist()
    felt = _true_reasons(roster, rng, who)
    reasons = [
        {"voluntary": why, "involuntary": cause}.get(k) or fixed[k]
        for k, why, cause in zip(kind.tolist(), felt, sent, strict=True)
    ]
    written = rng.random(len(who)) < 0.85
    return pl.DataFrame(
        {
            "employee_id": roster.ids(who),
            "happened_on": people["last"][who],
            "kind": kind,
            "reason": [reason if w else None for reason, w in zip(reasons, written, strict=True)],
            "known_on": people["known"][who],
        }
    )


def _true_reasons(roster: Roster, rng: np.random.Generator, who: np.ndarray) -> list[str]:
    """The driver that weighed most when the person decided, with some chance, or something outside of work."""
    panel, lived = roster.panel, roster.history.company.history_months
    row_of = np.full((len(roster.number), roster.history.company.months), -1)
    row_of[panel["who"], panel["month"]] = np.arange(len(panel["who"]))
    month = np.clip(roster.people["decided_month"][who] - lived, 0, roster.history.company.months - 1)
    row = row_of[who, month]
    reasons = [driver for driver in DRIVERS if driver != "context"]
    weight = np.zeros((len(who), len(reasons) + 3))
    for term, driver in hz.TERMS.items():
        if driver in reasons:
            values = panel[f"term_{term}"]
            weight[:, reasons.index(driver)] += values[row] - values.mean()
    weight[:, len(reasons) :] = -0.3
    best = np.argmax(weight + 0.25 * rng.gumbel(size=weight.shape), axis=1)
    return [[*reasons, "relocation", "study", "personal"][i] for i in best]


def exit_interviews(rng: np.random.Generator, exits: pl.DataFrame) -> pl.DataFrame:
    """Two in three who chose to go are asked in their last days; one in five says something else than the file."""
    asked = exits.filter((pl.col("kind") == "voluntary") & pl.col("reason").is_not_null())
    asked = asked.filter(pl.Series(rng.random(len(asked)) < 0.65))
    polite = pl.Series(rng.choice(["personal", "study", "pay", "growth"], len(asked)))
    other = pl.Series(rng.random(len(asked)) < 0.2)
    day = np.busday_offset(
        asked["happened_on"].to_numpy().astype("datetime64[D]"), -rng.integers(0, 5, len(asked)), roll="backward"
    )
    return pl.DataFrame(
        {
            "employee_id": asked["employee_id"],
            "happened_on": day,
            "reason": pl.select(pl.when(other).then(polite).otherwise(asked["reason"])).to_series(),
        }
    )


def care_actions(roster: Roster, rng: np.random.Generator) -> pl.DataFrame:
    """Care that was agreed and done, and a few suggestions that went nowhere (these had no effect)."""
    care = roster.history.care
    n, menu = len(care["who"]), [IDS.index(action) for action in roster.history.company.regime.care.actions]
    actions = np.array(IDS)
    done_on = np.busday_offset(care["day"], rng.integers(3, 15, n), roll="forward")
    randomised = roster.history.company.regime.care.randomised > 0
    idle = rng.random(n) < 0.2
    idle_on = np.busday_offset(care["day"], rng.integers(30, 90, n), roll="forward")
    steps = (
        ("agreed", care["day"], np.ones(n, bool)),
        ("done", done_on, np.ones(n, bool)),
        ("declined", idle_on, idle),
    )
    parts = []
    for status, day, kept in steps:
        action = care["action"] if status != "declined" else _next_of(menu, care["action"])
        frame = pl.DataFrame(
            {
                "employee_id": roster.ids(care["who"]),
                "happened_on": day,
                "action": actions[action],
                "status": [status] * n,
                "decided_by": roster.ids(care["by"]),
                **({"note": np.where(care["by_coin"], BY_COIN, "")} if randomised else {}),
            }
        )
        begun = day >= roster.history.first[0]
        parts.append(frame.filter(pl.Series(kept & begun & roster.works(care["who"], day))))
    return pl.concat([*parts, _spared(roster)]) if randomised else pl.concat(parts)


def _next_of(menu: list[int], action: np.ndarray) -> np.ndarray:
    """The action that stands after each in the menu, the first after the last."""
    after = np.arange(len(IDS))
    after[menu] = np.roll(menu, -1)
    return after[action]


def _spared(roster: Roster) -> pl.DataFrame:
    """People whom the coin gave nothing: a suggestion that was not acted on, by design."""
    spared = roster.history.spared
    frame = pl.DataFrame(
        {
            "employee_id": roster.ids(spared["who"]),
            "happened_on": spared["day"],
            "action": np.full(len(spared["who"]), "manager_attention"),
            "status": np.full(len(spared["who"]), "suggested"),
            "decided_by": roster.ids(spared["by"]),
            "note": np.full(len(spared["who"]), f"{BY_COIN}: held out"),
        }
    )
    begun = (spared["day"] >= roster.history.first[0]) & roster.works(spared["who"], spared["day"])
    return frame.filter(pl.Series(begun))
