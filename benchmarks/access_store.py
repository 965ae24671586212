"""A store with everything a viewer could reach too far in: people, assessments, events, cases, reminders, growth files,
achievements, and a job and a webhook of somebody else's key."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import delete, update

from features.tables import canonical
from features.talent import ground
from models.growth_rules import load
from serving import auth, store_cases, store_events, store_exchange, store_log, store_people, store_talent, talent
from serving import store_webhooks as hooks
from serving.access import ROLES
from serving.cases import Case
from serving.store import Store
from serving.store_cases import Step
from serving.store_people import Sight
from serving.store_tables import care_case, care_reminder, employee, withdrawal_event
from serving.store_talent_tables import achievement

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
DAY = date(2026, 10, 31)
PLAN: dict[str, Any] = {"actions": [], "empty_because_en": None, "empty_because_zh": None}
OPTIONS = [{"action": "career_talk", "avoided": 0.05, "sd": 0.01}]
N_TEAMS, N_DEPARTMENTS = 4, 2
FOREIGN = {"job_id": "job_foreign", "endpoint_id": "wh_foreign", "event_id": "msg_foreign"}


@dataclass
class World:
    """The organisation as it stands: person → manager, person → team. Team i belongs to department i mod 2."""

    manager: dict[str, str | None]
    team: dict[str, str]

    def department(self, person: str) -> str:
        """Return the department of a person."""
        return f"D{int(self.team[person][1:]) % N_DEPARTMENTS}"


def company(rng: random.Random, n: int) -> dict[str, str | None]:
    """Return person → manager: a tree, with some rings in it, as faulty records hold them."""
    people = [f"P{i:03}" for i in range(n)]
    manager = {one: people[rng.randrange(max(1, i // 2 + 1))] if i else None for i, one in enumerate(people)}
    for one in rng.sample(people, 2):
        manager[one] = rng.choice(people)  # may close a ring, may name the person itself
    return manager


def world(rng: random.Random, n: int) -> World:
    """Return an organisation: who leads whom says nothing about teams, as with dotted lines."""
    manager = company(rng, n)
    return World(manager, {one: f"T{rng.randrange(N_TEAMS)}" for one in manager})


def below(manager: Mapping[str, str | None], top: str) -> set[str]:
    """Return everybody below ``top``, by walking up from each person: slow and obvious."""
    found = set()
    for one in manager:
        seen: set[str] = set()
        at = manager[one]
        while at is not None and at not in seen and at != top:
            seen.add(at)
            at = manager.get(at)
        if at == top and one != top:
            found.add(one)
    return found


def within(here: World, sight: Sight) -> set[str]:
    """Return everybody within a sight, the slow and obvious way."""
    if sight.kind == "manager":
        return below(here.manager, sight.value or "")
    if sight.kind == "team":
        return {one for one, team in here.team.items() if team == sight.value}
    return {one for one in here.team if here.department(one) == sight.value}


def case_of(person: str) -> str:
    """Return the number of the case that is open for a person; nobody else's has it."""
    return f"{zlib.crc32(person.encode()):08x}"


def fill(store: Store, here: World, grown: talent.Batch) -> None:
    """Write the organisation with an assessment, an event, a case, a growth file and an achievement of everybody."""
    people = [
        {"id": one, "name": f"Name of {one}", "department": here.department(one), "team": here.team[one],
         "location": "North", "job": "nurse", "manager_id": boss}
        for one, boss in here.manager.items()
    ]  # fmt: skip
    band = {"band": "act", "risk_at_reference": 0.3, "log_odds": -1.0, "base_log_odds": -2.0}
    words = {"cannot_judge_en": None, "cannot_judge_zh": None, "reasons": [], "plan": {**PLAN, "options": OPTIONS}}
    numbers: dict[str, Any] = {"risk": {"180": 0.3}, "other": {"180": 0.01}, "interval": None}
    until = NOW.date() + timedelta(days=90)
    scores = [{"employee_id": one, "valid_until": until, **band, **words, **numbers} for one in here.manager]
    run = {"as_of": DAY, "computed_at": NOW, "model_version": "1", "bundle_sha256": "0" * 64}
    run |= {"data_versions": {}, "card": {"name": "m", "reference_horizon_days": 180, "bands": {}}}
    with store.begin() as tx:
        for table in (withdrawal_event, care_reminder, care_case, achievement):
            tx.execute(delete(table))
        store_people.add_run(tx, run, people=people, scores=scores)
        store_events.add_events(tx, [_event(one, here.team[one]) for one in here.manager])
        for one, boss in here.manager.items():
            _open_case(tx, one, boss)
            praise = {"employee_id": one, "kind": "rescue", "happened_on": DAY, "note": None, "given_by": None}
            praise |= {"source": "page", "recorded_by": "x", "recorded_at": NOW}
            store_talent.add_achievement(tx, praise)
    talent.save(store, grown, now=NOW, valid_days=90, actor="console - bench")


def _event(person: str, team: str) -> dict[str, Any]:
    facts = {"employee_id": person, "team": team, "week": date(2026, 10, 25), "since": date(2026, 9, 14), "weeks": 6}
    facts |= {"stream": "all", "usual": 60.0, "now": 30.0, "level": 0.5, "n_people": 1, "false_share": 0.1}
    until = NOW.date() + timedelta(days=90)
    return {**facts, "found_at": NOW, "due_on": NOW.date(), "valid_until": until, "status": "open"}


def _open_case(tx: Any, person: str, boss: str | None) -> None:
    number, line = case_of(person), frozenset({"line"})
    facts: dict[str, Any] = {"days": 14, "needs_consent": False, "opened_on": DAY, "due_on": NOW.date()}
    case = Case(number, person, "skill_course", None, "own", line, lead_id=boss, **facts)
    step = Step("suggest", DAY, NOW, "records", None, "x")
    if not store_cases.add(tx, case, [(case, step)]):
        raise RuntimeError("the case of this person was there already")
    told = {"case_id": number, "kind": "due", "recipient": boss or "hr", "about": "x"}
    store_cases.remind(tx, [{**told, "due_on": NOW.date(), "made_at": NOW}])


def grow(n: int) -> talent.Batch:
    """Return growth files for people of these numbers; with a course to take each, so that every list has names."""
    ids = [f"P{i:03}" for i in range(n)]
    post: dict[str, Any] = {
        "department": "D0",
        "team": "T0",
        "location": "North",
        "job": "nurse",
        "ladder": "professional",
    }
    post |= {"level": 2, "manager_id": None}
    skill = {"skill": "triage", "level": 2.0}
    tables = {
        "employees": [{"employee_id": one, "hired_on": DAY - timedelta(900)} for one in ids],
        "positions": [{"employee_id": one, "happened_on": DAY - timedelta(800), **post} for one in ids],
        "skills": [{"employee_id": one, "happened_on": DAY - timedelta(90), **skill} for one in ids],
        "job_skills": [
            {"job": "nurse", "level": level, "skill": "triage", "required_level": level + 1.0} for level in (2, 3)
        ],
        "courses": [{"course_id": "C1", "title": "Triage for all", "skill": "triage", "to_level": 3.0, "hours": 6.0}],
    }  # fmt: skip
    frames = canonical({name: pl.DataFrame(rows) for name, rows in tables.items()})
    known = ground({name: frame.lazy() for name, frame in frames.items()}, DAY)
    return talent.batch(known, load(), data_versions={"skills": 1})


def move(store: Store, here: World, rng: random.Random) -> None:
    """Transfer somebody to another manager and team, and let somebody else lead a whole team for a while."""
    people = sorted(here.manager)
    moved, away, acting = rng.choice(people[1:]), rng.choice(people), rng.choice(people)
    changes = {moved: rng.choice(people)}
    changes |= {one: acting for one, boss in here.manager.items() if boss == away and one != acting}
    here.manager.update(changes)
    here.team[moved] = f"T{rng.randrange(N_TEAMS)}"
    place = {"team": here.team[moved], "department": here.department(moved)}
    with store.begin() as tx:
        for one, boss in changes.items():
            tx.execute(update(employee).where(employee.c.id == one).values(manager_id=boss))
        tx.execute(update(employee).where(employee.c.id == moved).values(**place))


def add_key(store: Store, role: str, sight: Sight) -> dict[str, str]:
    """Return the header of a new key with everything its role may be given."""
    key, most = auth.new_token(auth.KEY_PREFIX), ROLES[role]
    row = {"name": role, "sha256": auth.sha256(key), "role": role, "created_at": NOW, **auth.stored_sight(sight)}
    with store.begin() as tx:
        store_log.add_key(tx, {**row, "scopes": sorted(most.scopes), "purposes": sorted(most.purposes)})
    return {"authorization": f"Bearer {key}"}


def somebody_elses(store: Store) -> None:
    """Write a job and a webhook, with a delivery, of a key that no viewer has."""
    whose = "key 999999 foreign"
    job = {"id": FOREIGN["job_id"], "client": whose, "state": "done", "asked": None, "visit": {}, "done": 1, "total": 1}
    made = {"client": whose, "created_at": NOW, "disabled_at": None}
    with store.begin() as tx:
        store_exchange.add_job(tx, {**job, "created_at": NOW, "expires_at": NOW + timedelta(days=1)})
        endpoint = {"id": FOREIGN["endpoint_id"], "url": "https://example.org/", "kinds": ["job.ended"]}
        hooks.add_endpoint(tx, {**endpoint, "secret_number": 1, "former_until": None, **made})
        hooks.add_event(tx, "job.ended", {"job_id": FOREIGN["job_id"]}, now=NOW, client=whose)
