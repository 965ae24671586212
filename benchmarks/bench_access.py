"""Whether a viewer ever reaches somebody they may not: random organisations, random pairs, every route that takes a
person, against a slow and obvious reckoning of who is below whom.

    PYTHONPATH=. python benchmarks/bench_access.py --pairs 10000

Organisations carry transfers (the link to the manager changes between two requests), acting managers (somebody leads
for a while), dotted lines (a second manager, who is not on the record and sees nothing) and rings in the records. A
leak is an answer to a hidden person that differs from that to a number nobody has, or a list with such a person on it.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import update

from serving import auth, store_log, store_people
from serving.access import PERMISSIONS, ROLES
from serving.app import create_app
from serving.settings import Settings
from serving.store import Store, migrate, open_store
from serving.store_people import Sight
from serving.store_tables import employee

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8000"
UNKNOWN = "P-nobody"
FORMS = {
    "override": {"decision": "follow", "reason": "as it was"},
    "care": {"action": "career_talk", "step": "suggest"},
    "withdrawal": {"status": "done", "decided_by": "x"},
    "/growth/people": {"kind": "rescue", "happened_on": "2026-10-01"},
}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/cases": {"action": "career_talk", "decided_by": "x"},
    "/v1/employees/{employee_id}/achievements": {"kind": "rescue", "happened_on": "2026-10-01"},
    "/v1/employees/{employee_id}/achievements/{entry}/hidden": {"hidden": True},
}
IN_THE_BODY = ("/v1/cases",)
"""Routes that name the person in what is sent."""
PLAN: dict[str, Any] = {"actions": [], "empty_because_en": None, "empty_because_zh": None}
PURPOSE = {"purpose": "retention_care"}


Ways = tuple[dict[str, str], dict[str, tuple[str, str]]]


@dataclass(frozen=True)
class Found:
    """What a draw came to: requests sent, hidden and visible people asked for, and those who were told too much."""

    n_pairs: int
    n_requests: int
    n_hidden: int
    leaks: tuple[str, ...]
    shut_out: tuple[str, ...]


def company(rng: random.Random, n: int) -> dict[str, str | None]:
    """Return person → manager: a tree, with some rings in it, as faulty records hold them."""
    people = [f"P{i:03}" for i in range(n)]
    manager = {one: people[rng.randrange(max(1, i // 2 + 1))] if i else None for i, one in enumerate(people)}
    for one in rng.sample(people, 2):
        manager[one] = rng.choice(people)  # may close a ring, may name the person itself
    return manager


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


def fill(store: Store, manager: Mapping[str, str | None], rng: random.Random) -> None:
    """Write the organisation and an assessment of everybody."""
    people = [
        {"id": one, "name": f"Name of {one}", "department": "D", "team": f"T{rng.randrange(4)}", "manager_id": boss}
        for one, boss in manager.items()
    ]
    band = {"band": "act", "risk_at_reference": 0.3, "log_odds": -1.0, "base_log_odds": -2.0}
    words = {"cannot_judge_en": None, "cannot_judge_zh": None, "reasons": [], "plan": PLAN}
    numbers: dict[str, Any] = {"risk": {"180": 0.3}, "other": {"180": 0.01}, "interval": None}
    scores = [
        {"employee_id": one, "valid_until": NOW.date() + timedelta(days=90), **band, **words, **numbers}
        for one in manager
    ]
    run = {"as_of": date(2026, 10, 31), "computed_at": NOW, "model_version": "1", "bundle_sha256": "0" * 64}
    run |= {"data_versions": {}, "card": {"name": "m", "reference_horizon_days": 180, "bands": {}}}
    with store.begin() as tx:
        store_people.add_run(tx, run, people=people, scores=scores, drivers=[])


def routes() -> list[tuple[str, str]]:
    """Return every route that takes a person, in its path or in its query."""
    in_path = sorted(route for route in PERMISSIONS if "{employee_id}" in route[1])
    return [*in_path, ("GET", "/v1/events"), *(("POST", path) for path in IN_THE_BODY)]


def purpose_of(route: tuple[str, str]) -> str | None:
    """Return the purpose for which a manager may come this way, ``None`` where no manager passes for any."""
    permission, role = PERMISSIONS[route], ROLES["manager"]
    shared = permission.purposes & role.purposes if permission.scopes & role.scopes else frozenset()
    return min(shared, default=None)


def ways_in(store: Store, client: TestClient, boss: str) -> Ways:
    """Return a manager's key as a header, and for each purpose the cookie and the form token of a session."""
    key, sight, role = auth.new_token(auth.KEY_PREFIX), Sight("manager", boss), ROLES["manager"]
    row = {"name": boss, "sha256": auth.sha256(key), "role": "manager", "created_at": NOW, **auth.stored_sight(sight)}
    row |= {"scopes": sorted(role.scopes), "purposes": sorted(role.purposes)}
    with store.begin() as tx:
        store_log.add_key(tx, row)
        invitation = auth.Invitation(f"Manager {boss}", "manager", sight, employee_id=boss)
        opened = {name: auth.open_session(tx, invitation, name, now=NOW, hours=8) for name in sorted(role.purposes)}
    secret = client.app.state.desk.secret  # type: ignore[attr-defined]
    cookies = {name: (one[0], auth.form_token(secret, auth.sha256(one[0]))) for name, one in opened.items() if one}
    return {"authorization": f"Bearer {key}"}, cookies


def ask(client: TestClient, route: tuple[str, str], person: str, ways: Ways) -> Any:
    """Send one request about a person as the manager would."""
    (method, path), (header, cookies) = route, ways
    address = path.replace("{employee_id}", person).replace("{entry}", "1")
    purpose = purpose_of(route) or "retention_care"
    query = {"purpose": purpose} if "{employee_id}" in path or method == "POST" else {**PURPOSE, "employee_id": person}
    sent: dict[str, Any] = {"params": query, "headers": {"origin": ORIGIN}, "follow_redirects": False}
    if PERMISSIONS[route].door == "key":
        sent["headers"] |= header
        sent["json"] = {**BODIES[path], "employee_id": person} if path in IN_THE_BODY else BODIES.get(path)
    else:
        cookie, token = cookies[purpose]
        sent["headers"] |= {"cookie": f"retention={cookie}"}
        form = next((form for end, form in FORMS.items() if end in path), {})
        sent["data"] = {**form, "form_token": token} if method == "POST" else None
    return client.request(method, address, **sent)


def listed(client: TestClient, header: dict[str, str], manager: Mapping[str, str | None]) -> set[str]:
    """Return everybody whose number stands in any list that the key can ask for, the counts of teams included."""
    text = client.get("/v1/teams", headers=header).text + client.get("/v1/events", params=PURPOSE, headers=header).text
    text += client.get("/v1/cases", params=PURPOSE, headers=header).text
    for team in range(4):
        text += client.get(f"/v1/teams/T{team}/flagged", params=PURPOSE, headers=header).text
    return {one for one in manager if f'"{one}"' in text or f"Name of {one}" in text}


def told(answer: Any) -> tuple[int, str]:
    """Return status and body, without the id that differs for every request."""
    return answer.status_code, answer.text.replace(answer.headers["x-request-id"], "")


def draw(folder: Path, *, pairs: int, seed: int, people: int = 40, each: int = 100) -> Found:
    """Ask for ``pairs`` random people on every route, in a new organisation every ``each`` pairs, moved every ten."""
    rng = random.Random(seed)
    leaks: list[str] = []
    shut_out: list[str] = []
    n = hidden = 0
    for number, manager, store, client in _companies(folder, rng, pairs=pairs, people=people, each=each):
        for i in range(min(each, pairs - number)):
            if i % 10 == 0:
                _move(store, manager, rng)
                boss = rng.choice(sorted(manager))
                ways, reach = ways_in(store, client, boss), below(manager, boss)
                on_lists = listed(client, ways[0], manager)
                leaks += [f"{boss} → {one} on a list" for one in sorted(on_lists - reach)]
                shut_out += [f"{boss} → {one} on no list" for one in sorted(reach - on_lists)]
                nobody = {route: told(ask(client, route, UNKNOWN, ways)) for route in routes()}
            person = rng.choice(sorted(manager))
            hidden += person not in reach
            for route in routes():
                answer = told(ask(client, route, person, ways))
                n += 1
                if person not in reach and (answer != nobody[route] or person in answer[1]):
                    leaks.append(f"{boss} → {person} on {route[0]} {route[1]}: {answer[0]}")
                if person in reach and purpose_of(route) and answer[0] in (401, 403):
                    shut_out.append(f"{boss} → {person} on {route[0]} {route[1]}: {answer[0]}")
    return Found(pairs, n, hidden, tuple(leaks), tuple(shut_out))


def _companies(
    folder: Path, rng: random.Random, *, pairs: int, people: int, each: int
) -> Iterator[tuple[int, dict[str, str | None], Store, TestClient]]:
    store = open_store(f"sqlite:///{folder / 'access.db'}")
    migrate(store)
    client = TestClient(create_app(Settings(state=folder), store=store, clock=lambda: NOW), base_url=ORIGIN)
    for number in range(0, pairs, each):
        manager = company(rng, people)
        fill(store, manager, rng)
        yield number, manager, store, client
    store.close()


def _move(store: Store, manager: dict[str, str | None], rng: random.Random) -> None:
    """Transfer somebody, and let somebody else lead a whole team for a while."""
    people = sorted(manager)
    moved, away = rng.choice(people[1:]), rng.choice(people)
    changes = {moved: rng.choice(people)}
    acting = rng.choice(people)
    changes |= {one: acting for one, boss in manager.items() if boss == away and one != acting}
    manager.update(changes)
    with store.begin() as tx:
        for one, boss in changes.items():
            tx.execute(update(employee).where(employee.c.id == one).values(manager_id=boss))


def main() -> None:
    """Draw, and print what was found; ends with 1 when anything leaked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=6)
    asked = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = draw(Path(folder), pairs=asked.pairs, seed=asked.seed)
    print(
        f"{found.n_pairs} pairs on {len(routes())} routes, {found.n_requests} requests; {found.n_hidden} pairs hidden: "
        f"{len(found.leaks)} leaks, {len(found.shut_out)} shut out ({time.perf_counter() - began:.0f} s)"
    )
    if found.leaks or found.shut_out:
        print(*(found.leaks + found.shut_out)[:20], sep="\n")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
