"""The truth about the invented company: what no record shows. It lives in a folder that no part of the service reads.

``company.oracle`` turns it into the risk that could be known; ``company.potential`` holds what care would have done.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl

from features.company import hazard as hz
from features.company.history import KINDS, History
from features.company.potential import potential_outcomes
from features.company.records import GROUPS, Roster
from features.company.staff import NEVER, Columns

FILES = (
    "company.json",
    "hazards.parquet",
    "decisions.parquet",
    "people.parquet",
    "potential.parquet",
    "contagion.parquet",
    "benign_drops.parquet",
)


def write_truth(history: History, folder: Path, *, benign: Columns) -> None:
    """Write one JSON file and six Parquet files.

    ``company.json``: the settings. ``hazards``: per person and month-end, see ``hazards``. ``decisions``: who decided
    when, notice and true kind of every exit. ``people``: traits for life, group included. ``potential``: outcomes under
    each care action (``company.potential``). ``contagion``: every exit that teammates could catch, and how many there
    were. ``benign_drops``: falls of activity that have nothing to do with leaving (kind, first and last day, factor).
    """
    folder.mkdir(parents=True, exist_ok=True)
    roster = Roster(history)
    settings = asdict(history.company) | {"starts_on": history.company.starts_on.isoformat()}
    (folder / "company.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")
    hazards(history, roster).write_parquet(folder / "hazards.parquet")
    _decisions(history, roster).write_parquet(folder / "decisions.parquet")
    _people(history, roster).write_parquet(folder / "people.parquet")
    potential_outcomes(history).write_parquet(folder / "potential.parquet")
    _contagion(history, roster).write_parquet(folder / "contagion.parquet")
    drops = {"employee_id": roster.ids(benign["who"]), **{k: v for k, v in benign.items() if k != "who"}}
    pl.DataFrame(drops).write_parquet(folder / "benign_drops.parquet")


def hazards(history: History, roster: Roster) -> pl.DataFrame:
    """Per person and month-end, for everybody employed then: the monthly rates, the decision, and why.

    employee_id, as_of, month_of_year and tenure_months of that month, the monthly rates of a decision to leave and of
    all other exits, exposed, under_notice, decided, since_decision (months, -1: has not), and one column per term of
    the log-hazard (``term_…``, see ``company.hazard.TERMS``). In the accelerated world the terms are the parts of the
    fit in units of its noise, risk upwards.
    """
    panel, people = history.panel, history.people
    who, as_of = panel["who"], history.first[panel["month"] + 1] - 1
    terms = {f"term_{name}": panel[f"term_{name}"] for name in hz.TERMS}
    return pl.DataFrame(
        {
            "employee_id": roster.ids(who),
            "as_of": as_of,
            "month_of_year": roster.calendar_month(panel["month"]),
            "tenure_months": panel["tenure"],
            "rate_voluntary": panel["rate_voluntary"],
            "rate_other": panel["rate_other"],
            "exposed": panel["exposed"],
            "under_notice": panel["under_notice"],
            "decided": people["decided"][who] <= as_of,
            "since_decision": panel["since_decision"],
            **terms,
            **{name: values for name, values in panel.items() if name.startswith("outlook_")},
        }
    ).filter(pl.Series(people["last"][who] >= as_of))


def _decisions(history: History, roster: Roster) -> pl.DataFrame:
    people = history.people
    gone = np.flatnonzero(roster.exported & ((people["decided"] != NEVER) | (people["known"] != NEVER)))
    never = np.datetime64("NaT")
    days = {name: people[name][gone] for name in ("decided", "notice", "known", "last")}
    days = {name: np.where(day == NEVER, never, day) for name, day in days.items()}
    kind = people["kind"][gone]
    return pl.DataFrame(
        {
            "employee_id": roster.ids(gone),
            "decided_on": days["decided"],
            "notice_on": days["notice"],
            "known_on": days["known"],
            "last_on": days["last"],
            "kind": [KINDS[code] if code >= 0 else None for code in kind.tolist()],
        }
    )


def _people(history: History, roster: Roster) -> pl.DataFrame:
    people = history.people
    kept = np.flatnonzero(roster.exported)
    return pl.DataFrame(
        {
            "employee_id": roster.ids(kept),
            "hired_on": people["hired"][kept],
            "frailty": people["frailty"][kept],
            "quality_as_manager": people["quality"][kept],
            "central": people["central"][kept],
            "commute_minutes": people["commute"][kept],
            "group": np.array(GROUPS)[people["group"][kept]],
        }
    )


def _contagion(history: History, roster: Roster) -> pl.DataFrame:
    """Exits of the recorded months that count for teammates: voluntary ones fully, dismissals for .85."""
    people, panel = history.people, history.panel
    gone = np.flatnonzero(
        roster.exported
        & np.isin(people["kind"], (0, 1))
        & (people["last"] <= history.until)
        & (people["last"] != NEVER)
    )
    month = np.searchsorted(history.first, people["last"][gone], side="right") - 1
    teams = np.zeros((history.company.months, history.n_teams), int)
    np.add.at(teams, (panel["month"], panel["team"]), 1)
    inside = month >= 0
    gone, month = gone[inside], month[inside]
    team = people["team"][gone]
    return pl.DataFrame(
        {
            "employee_id": roster.ids(gone),
            "left_on": people["last"][gone],
            "team_number": team,
            "n_teammates": np.maximum(teams[month, team] - 1, 0),
            "weight": np.where(people["kind"][gone] == 0, 1.0, hz.INVOLUNTARY_CONTAGION),
        }
    )
