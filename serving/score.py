"""The batch: today's records → matrix → assessments → one row per person in the store, in one transaction.

    lake ─▶ matrix(as_of) ─▶ judge(champion) ─▶ records ─▶ store (the former batch steps back)

What is said of everybody is worked out and kept in columns, as codes and numbers; sentences are made when somebody
reads them, from the dictionary that is kept with the batch.

A person under notice gets no score and keeps a row in ``employee``, so that the people below them stay in reach of the
manager above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Any

import narwhals.stable.v2 as nw
import polars as pl

from features import engine, snapshots
from features.feeds import Silence, silences
from features.kept import kept_matrix
from features.lake import Lake
from features.withdrawal.alarms import Review, review
from features.withdrawal.chart import WINDOWS
from models.abstain import unheard
from models.care import Catalog, ways_of
from models.judged import Judged, judge
from models.own_effects import OwnEffects
from models.registry import Bundle
from serving import audit, outlook, stop, store_events, store_people, store_webhooks
from serving.audit import Entry
from serving.hand_over import hand_over
from serving.outlook import Expected
from serving.store import Store

PLACE = ("department", "team", "location", "job", "manager_id")
NO_TEAM = "-"
"""Shown in the language of the page as "no team on record"."""

Step = Callable[[str], None]


@dataclass(frozen=True)
class Scored:
    """A batch before it is stored: who was employed, what is said about those at risk, and what it rests on.

    ``forecast`` is the hiring ledger, ``expected`` what it took the next month for; both are about groups alone.
    """

    as_of: date
    people: tuple[dict[str, Any], ...]
    judged: Judged
    bundle: Bundle
    data_versions: Mapping[str, int]
    silences: tuple[Silence, ...] = ()
    withdrawal: Review | None = None
    forecast: Mapping[str, Any] | None = None
    expected: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Earlier:
    """What the store knows from before, the size below which a group is not shown, and what care did here so far."""

    expected: Sequence[Expected] = ()
    min_group: int = 5
    own: OwnEffects | None = None


def score(
    lake: Lake,
    bundle: Bundle,
    catalog: Catalog,
    *,
    as_of: date,
    earlier: Earlier = Earlier(),
    step: Step = lambda _: None,
) -> Scored:
    """Return what the champion says about everybody at risk at the close of ``as_of``. Nothing is stored yet."""
    versions = lake.versions()
    records = lake.read(versions=versions)
    step("who is employed")
    people = employed(records, as_of=as_of)
    step("what was known on the day")
    known = kept_matrix(lake, as_of=[as_of], versions=versions)
    step("which feeds are silent")
    silent = tuple(silences(records, as_of))
    step("risk, reasons, care plans")
    judged = judge(bundle, known, ways=ways_of(catalog, earlier.own), unheard=unheard(silent, bundle.card))
    step("whose weeks have become quiet")
    quiet = frozenset().union(*(one.people for one in silent if one.table == "interactions"))
    withdrawal = review(records, as_of, unheard=quiet)
    step("how many may leave, and whom to hire")
    batch = outlook.Batch(bundle, known, people, (judged.bands >= 0).tolist(), as_of)
    told, expected = outlook.forecast(batch, records, past=earlier.expected, min_group=earlier.min_group)
    return Scored(
        as_of,
        people,
        judged,
        bundle,
        versions,
        silences=silent,
        withdrawal=withdrawal,
        forecast=told,
        expected=outlook.plain(expected),
    )


def employed(records: snapshots.Records, *, as_of: date) -> tuple[dict[str, Any], ...]:
    """Return everybody employed on ``as_of``, under notice or not, with their post; the team's name is unique."""
    panel = snapshots.panel(records, [as_of])
    leaving = panel.exits.filter(nw.col("last_day") > engine.day_number(as_of))
    posts = [engine.collected(frame.select("employee_id", *PLACE)) for frame in (panel.rows, leaving)]
    names = snapshots.known_by(records, as_of)["employees"].select("employee_id", "name").collect()
    everybody = pl.concat(posts).unique("employee_id", keep="first").join(names, on="employee_id", how="left")
    # Two departments may both have a "Team 1"; for access and for lists they must not be one.
    places = everybody.filter(pl.col("team").is_not_null()).group_by("team").agg(pl.col("department").n_unique())
    shared = set(places.filter(pl.col("department") > 1)["team"])
    return tuple(_person(row, shared) for row in everybody.sort("employee_id").iter_rows(named=True))


def _person(row: dict[str, Any], shared: set[str]) -> dict[str, Any]:
    team = row["team"] or row["department"] or NO_TEAM
    if row["team"] in shared:
        team = f"{row['department'] or NO_TEAM} / {team}"
    return {"id": row["employee_id"], "name": row["name"], **{name: row[name] for name in PLACE}, "team": team}


def save(store: Store, scored: Scored, *, now: datetime, valid_days: int, actor: str) -> int:
    """Write the batch as the current one, in one transaction, and return its number."""
    valid_until = now.date() + timedelta(days=valid_days)
    card = card_facts(scored.bundle)
    run = {
        "as_of": scored.as_of,
        "computed_at": now,
        "model_version": scored.bundle.version,
        "bundle_sha256": scored.bundle.sha256,
        "data_versions": dict(scored.data_versions),
        "card": card,
        "forecast": scored.forecast,
        "forecast_until": valid_until,
        "expected": scored.expected,
    }
    rows = _rows(scored.judged, valid_until=valid_until)
    words = scored.judged.dictionary.to_dict()
    events = _events(scored, now=now, valid_until=valid_until)
    with store.begin() as tx:
        stop.refuse_when_stopped(tx)
        run_id = store_people.add_run(tx, run, people=scored.people, scores=rows, words=words)
        store_events.add_events(tx, events)
        store_webhooks.add_event(tx, "scores.updated", {"run_id": run_id}, now=now)
        hand_over(tx, now=now, actor=actor)
        entry = Entry(actor, "score", "written", f"run-{run_id}", model_version=scored.bundle.version)
        audit.record(tx, entry, now=now)
    return run_id


def _rows(judged: Judged, *, valid_until: date) -> Iterator[dict[str, Any]]:
    """Yield a row per person: the record, and beside it what is asked of many at once."""
    raises = judged.raises()
    names = [f"raises_{driver}" for driver in raises]
    risks, columns = judged.at_reference.tolist(), zip(*(one.tolist() for one in raises.values()), strict=True)
    for i, (person, risk, mine) in enumerate(zip(judged.employee_ids, risks, columns, strict=True)):
        why = judged.why_not.get(i, (None, None))
        yield {
            "employee_id": person,
            "valid_until": valid_until,
            "band": judged.band(i),
            "risk_at_reference": _finite(risk),
            "said": judged.records[i].tobytes(),
            "cannot_judge_en": why[0],
            "cannot_judge_zh": why[1],
            **dict(zip(names, mine, strict=True)),
        }


def _events(scored: Scored, *, now: datetime, valid_until: date) -> list[dict[str, Any]]:
    """Return what the review found as rows: an event per person, and one per team that is known by this name."""
    if scored.withdrawal is None:
        return []
    clock = {"found_at": now, "due_on": store_events.due(now.date()), "valid_until": valid_until, "status": "open"}
    teams = {person["id"]: person["team"] for person in scored.people}
    rows = []
    for one in scored.withdrawal.alarms.iter_rows(named=True):
        if one["employee_id"] in teams:
            told = {name: one[name] for name in ("employee_id", "week", "since", "weeks", "stream", "usual", "now")}
            share = {"false_share": one["false_share"], "level": one["now"] / one["usual"], "n_people": 1}
            rows.append({**told, **share, **clock, "team": teams[one["employee_id"]]})
    for one in scored.withdrawal.teams.iter_rows(named=True):
        if one["team"] in teams.values():
            told = {name: one[name] for name in ("team", "week", "since", "level", "n_people")}
            nobody = {"employee_id": None, "usual": None, "now": None, "false_share": None}
            rows.append({**told, **nobody, **clock, "weeks": min(WINDOWS), "stream": "all"})
    return rows


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and isfinite(value) else None


def card_facts(bundle: Bundle) -> dict[str, Any]:
    """Return what pages and the API tell about the model: its declared facts and what each column it reads means."""
    card = bundle.card
    columns = [
        {"column": c.column, "driver": c.driver, "unit": c.unit, "meaning": c.meaning, "shown": c.shown}
        for c in card.cards
    ]
    kept = asdict(card)
    for bulky in ("cards", "typical", "missing_share"):
        kept.pop(bulky, None)
    kept["base_rate"] = {str(days): rate for days, rate in card.base_rate.items()}
    kept["horizons_days"] = list(card.horizons_days)
    return {**kept, "columns": columns, "degraded": bool(getattr(bundle, "degraded", False))}
