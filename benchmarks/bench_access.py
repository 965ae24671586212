"""Whether a viewer ever reaches somebody they may not: random organisations, random pairs, every route that takes a
person or a case and every list, against a slow and obvious reckoning of who is within whose sight.

    PYTHONPATH=. python benchmarks/bench_access.py --pairs 10000

Organisations carry transfers (manager and team change between two requests), acting managers (somebody leads for a
while), dotted lines (teams and departments cut across reporting lines and open nothing to a manager) and rings in the
records. Viewers are managers, HR partners of a department, and systems of a team or of a manager. A leak is an answer
about a hidden person that differs from that to a number nobody has, or a list with such a person on it. Nobody may be
shut out either: who is within sight is on the lists, and found.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from benchmarks.access_store import (
    FOREIGN,
    N_DEPARTMENTS,
    N_TEAMS,
    NOW,
    World,
    add_key,
    below,
    case_of,
    company,
    fill,
    grow,
    move,
    somebody_elses,
    within,
    world,
)
from serving import auth
from serving.access import PERMISSIONS, ROLES
from serving.app import create_app
from serving.settings import Settings
from serving.store import Store, migrate, open_store
from serving.store_people import Sight

__all__ = ["below", "company", "draw", "lists", "routes"]

ORIGIN = "http://127.0.0.1:8000"
UNKNOWN = "P-nobody"
FORMS = {
    "override": {"decision": "follow", "reason": "as it was"},
    "care": {"action": "career_talk", "step": "suggest"},
    "withdrawal": {"status": "done", "decided_by": "x"},
    "reason": {"words": "We prepare talks with the whole ward"},
    "/growth/people": {"kind": "rescue", "happened_on": "2026-10-01"},
    "/cases/": {"step": "note", "note": "x", "version": "1"},
}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/cases": {"action": "career_talk", "decided_by": "x"},
    "/v1/cases/{case_id}/steps": {"step": "note", "note": "x", "decided_by": "x"},
    "/v1/employees/{employee_id}/achievements": {"kind": "rescue", "happened_on": "2026-10-01"},
    "/v1/employees/{employee_id}/achievements/{entry}/hidden": {"hidden": True},
    "/v1/employees/{employee_id}/what-if": {"changes": {"overtime": 0}},
    "/v1/growth/skills-needed": {"needs": [{"skill": "triage", "level": 3, "people": 100}]},
}
IN_QUERY = (("GET", "/v1/events"), ("GET", "/v1/cases"), ("GET", "/people"))
"""Routes that name the person in the query."""
IN_BODY = (("POST", "/v1/cases"),)
WHOSE = ("{employee_id}", "{case_id}")
OF_NOBODY = {("GET", "/people"), ("GET", "/about"), ("GET", "/v1/model")}
"""A form that only redirects, and what is told of the model: its card has no people."""
TAKES = ("{team}", *(f"{{{name}}}" for name in ("contest_id", "job_id", "endpoint_id", "table", "name")))
LISTS = {
    "/v1/growth/reminders": {"need": "course"},
    "/v1/growth/shortlist": {"job": "nurse", "level": 3},
    "/growth": {"need": "course"},
    "/growth/shortlist": {"job": "nurse", "level": 3},
    "/growth/skills-needed": {"needs": "triage, 3, 100"},
    "/cases": {"whose": "all"},
    "/v1/people": {"limit": 1000},
    "/v1/cases": {"limit": 200},
    "/v1/reminders": {"limit": 200},
    "/v1/care-plans/people": {"budget": 100_000, "hours": 100},
}
"""What makes a list name people; without an entry it does so by itself."""

Cookies = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Asker:
    """A viewer with every way in they have: a key, and for each purpose the cookie and the form token of a session."""

    role: str
    sight: Sight
    header: dict[str, str]
    cookies: Cookies


@dataclass(frozen=True)
class Found:
    """What a draw came to: requests sent, hidden and visible people asked for, and those who were told too much."""

    n_pairs: int
    n_requests: int
    n_hidden: int
    leaks: tuple[str, ...]
    shut_out: tuple[str, ...]


def routes() -> list[tuple[str, str]]:
    """Return every route that takes a person or a case of one: in its path, its query or its body."""
    in_path = sorted(route for route in PERMISSIONS if any(whose in route[1] for whose in WHOSE))
    return [*in_path, *IN_QUERY, *IN_BODY]


def lists() -> list[tuple[str, str]]:
    """Return every other route that could name people: all that read, and the one that asks for skills."""
    open_to_all = {route for route, permission in PERMISSIONS.items() if permission.door == "public"}
    reads = {route for route in PERMISSIONS if route[0] == "GET" and not any(one in route[1] for one in WHOSE + TAKES)}
    teams = {("GET", path) for path in ("/v1/teams/{team}/flagged", "/teams/{team}")}
    return sorted((reads | teams | {("POST", "/v1/growth/skills-needed")}) - open_to_all - OF_NOBODY)


def purpose_of(route: tuple[str, str], role: str) -> str | None:
    """Return the purpose for which the role may come this way, ``None`` where it does not pass for any."""
    permission, most = PERMISSIONS[route], ROLES[role]
    if permission.scopes and not permission.scopes & most.scopes:
        return None
    return min(permission.purposes & most.purposes if permission.purposes else most.purposes, default=None)


def asker(store: Store, client: TestClient, here: World, rng: random.Random) -> Asker:
    """Return a random viewer: most are managers."""
    boss = rng.choice(sorted(here.manager))
    role = rng.choices(("manager", "hr_partner", "hr_system"), (6, 2, 2))[0]
    narrow = (Sight("team", f"T{rng.randrange(N_TEAMS)}"), Sight("manager", boss))
    sights = {"manager": Sight("manager", boss), "hr_partner": Sight("department", f"D{rng.randrange(N_DEPARTMENTS)}")}
    sight = sights.get(role) or rng.choice(narrow)
    if role == "hr_system":
        return Asker(role, sight, add_key(store, role, sight), {})
    with store.begin() as tx:
        # An HR partner is somebody outside the organisation drawn here: what people hold about themselves is theirs.
        myself = boss if role == "manager" else None
        invitation = auth.Invitation("Viewer", role, sight, employee_id=myself)
        opened = {name: auth.open_session(tx, invitation, name, now=NOW, hours=8) for name in ROLES[role].purposes}
    secret = client.app.state.desk.secret  # type: ignore[attr-defined]
    cookies = {name: (one[0], auth.form_token(secret, auth.sha256(one[0]))) for name, one in opened.items() if one}
    return Asker(role, sight, add_key(store, role, sight), cookies)


def send(client: TestClient, route: tuple[str, str], who: Asker, address: str, query: dict[str, Any], body: Any) -> Any:
    """Send one request as the viewer would, by key or by session; ``None`` where they have no such way in."""
    method, path = route
    purpose = purpose_of(route, who.role) or "retention_care"
    sent: dict[str, Any] = {"params": query, "headers": {"origin": ORIGIN}, "follow_redirects": False}
    if PERMISSIONS[route].door == "key":
        sent["params"] = {"purpose": purpose, **query}
        sent["headers"] |= {**who.header, "if-match": '"1"', "idempotency-key": "the-same-every-time"}
        sent["json"] = body
    elif who.cookies:
        cookie, token = who.cookies.get(purpose) or who.cookies["retention_care"]
        sent["headers"] |= {"cookie": f"retention={cookie}"}
        form = next((form for part, form in FORMS.items() if part in path), {})
        sent["data"] = {**form, "form_token": token} if method == "POST" else None
    else:
        return None
    return client.request(method, address, **sent)


def ask(client: TestClient, route: tuple[str, str], person: str, who: Asker) -> Any:
    """Send one request about a person."""
    address = route[1].replace("{employee_id}", person).replace("{case_id}", case_of(person)).replace("{entry}", "1")
    query = {"employee_id": person} if route in IN_QUERY else {}
    body = BODIES.get(route[1]) if route[0] == "POST" else None
    return send(
        client, route, who, address, query, {**(body or {}), "employee_id": person} if route in IN_BODY else body
    )


def stands_in(text: str, person: str, path: str) -> bool:
    """Whether a list is about the person. A case and a plan also name who leads the people in them: that is no leak."""
    if path in ("/cases", "/v1/cases", "/v1/reminders"):
        return case_of(person) in text
    if path == "/v1/care-plans/people":
        return f'"employee_id":"{person}"' in text
    return person in text


def listed(client: TestClient, who: Asker, here: World) -> tuple[dict[tuple[str, str], set[str]], int]:
    """Return per list everybody whose number, name or case stands in it, and how many requests that took."""
    found: dict[tuple[str, str], set[str]] = {}
    n = 0
    for route in lists():
        teams = range(N_TEAMS) if "{team}" in route[1] else (0,)
        text = ""
        for team in teams:
            address, query = route[1].replace("{team}", f"T{team}"), LISTS.get(route[1], {})
            answer = send(client, route, who, address, query, BODIES.get(route[1]))
            n += answer is not None
            text += answer.text if answer is not None and answer.status_code == 200 else ""
        told = {one for one in here.manager if stands_in(text, one, route[1])}
        found[route] = told - _of_oneself(who, here, route[1])
    return found, n


def _of_oneself(who: Asker, here: World, path: str) -> set[str | None]:
    """Return whom a manager may read of besides: themselves, and on the own pages who leads them."""
    if who.sight.kind != "manager" or who.sight.value is None:
        return set()
    return {who.sight.value, here.manager[who.sight.value] if path.startswith("/me") else None}


NAMES_ALL = ("/v1/people", "/v1/people/export", "/v1/events", "/v1/cases", "/v1/growth/reminders", "/v1/achievements")
"""Lists on which everybody within sight has to stand, where the role may read them."""


def on_lists(found: dict[tuple[str, str], set[str]], who: Asker, reach: set[str]) -> tuple[list[str], list[str]]:
    """Return who stands on a list though hidden, and who is within sight and on none."""
    me = f"{who.role} {who.sight.kind} {who.sight.value}"
    leaks = [f"{me} → {one} on {path}" for (_, path), told in found.items() for one in sorted(told - reach)]
    must = [("GET", path) for path in NAMES_ALL if purpose_of(("GET", path), who.role)]
    return leaks, [f"{me} → {one} not on {route[1]}" for route in must for one in sorted(reach - found[route])]


def foreign(client: TestClient, who: Asker) -> tuple[list[str], int]:
    """Return which routes of jobs and webhooks answer about another key's as they do not about an unknown one."""
    leaks, n = [], 0
    for route in sorted(PERMISSIONS):
        names = [name for name in FOREIGN if f"{{{name}}}" in route[1]]
        if not names:
            continue
        answers = []
        for what in (FOREIGN, {name: one.replace("foreign", "unknown") for name, one in FOREIGN.items()}):
            address = route[1]
            for name in names:
                address = address.replace(f"{{{name}}}", what[name])
            answers.append(told(send(client, route, who, address, {}, None)))
            n += 1
        if answers[0] != answers[1]:
            leaks.append(f"{who.role} → another key's on {route[0]} {route[1]}")
    return leaks, n


def told(answer: Any) -> tuple[Any, ...]:
    """Return status, body and the headers that could tell, without the id that differs for every request."""
    kept = tuple(answer.headers.get(name) for name in ("etag", "location", "content-type"))
    return answer.status_code, answer.text.replace(answer.headers["x-request-id"], ""), *kept


def draw(folder: Path, *, pairs: int, seed: int, people: int = 40, each: int = 100) -> Found:
    """Ask for ``pairs`` random people on every route, in a new organisation every ``each`` pairs, moved every ten."""
    rng = random.Random(seed)
    leaks: list[str] = []
    shut_out: list[str] = []
    n = hidden = 0
    for number, here, store, client in _companies(folder, rng, pairs=pairs, people=people, each=each):
        for i in range(min(each, pairs - number)):
            if i % 10 == 0:
                move(store, here, rng)
                who = asker(store, client, here, rng)
                reach = within(here, who.sight)
                found, n_lists = listed(client, who, here)
                strange, n_strange = foreign(client, who)
                too_much, too_little = on_lists(found, who, reach)
                leaks += strange + too_much
                shut_out += too_little
                nobody = {
                    route: answer for route in routes() if (answer := ask(client, route, UNKNOWN, who)) is not None
                }
                n += n_lists + n_strange + len(nobody)
            person = rng.choice(sorted(here.manager))
            hidden += person not in reach
            for route, unknown in nobody.items():
                answer = ask(client, route, person, who)
                n += 1
                what = f"{who.role} {who.sight.value} → {person} on {route[0]} {route[1]}: {answer.status_code}"
                if person not in reach:
                    leaks += [what] if _differs(answer, unknown, person) else []
                elif purpose_of(route, who.role) and _shut(route, answer.status_code):
                    shut_out.append(what)
    return Found(pairs, n, hidden, tuple(leaks), tuple(shut_out))


def _differs(answer: Any, unknown: Any, person: str) -> bool:
    """Whether the answer about a hidden person tells them from a number nobody has; what was asked may come back."""
    mine, theirs = told(answer), told(unknown)
    as_asked = tuple(str(part).replace(person, UNKNOWN).replace(case_of(person), case_of(UNKNOWN)) for part in mine)
    return as_asked != tuple(str(part) for part in theirs) or (answer.status_code >= 400 and person in answer.text)


def _shut(route: tuple[str, str], status: int) -> bool:
    """Whether somebody within sight was refused, or not found by a route that reads."""
    return (status in (401, 403) and route[0] == "GET") or (status == 404 and route[0] == "GET")


def _companies(
    folder: Path, rng: random.Random, *, pairs: int, people: int, each: int
) -> Iterator[tuple[int, World, Store, TestClient]]:
    store = open_store(f"sqlite:///{folder / 'access.db'}")
    migrate(store)
    settings = Settings(state=folder, requests_per_minute=1_000_000)
    client = TestClient(create_app(settings, store=store, clock=lambda: NOW), base_url=ORIGIN)
    somebody_elses(store)
    grown = grow(people)
    for number in range(0, pairs, each):
        here = world(rng, people)
        fill(store, here, grown)
        yield number, here, store, client
    store.close()


def portion(pairs: int, seed: int) -> Found:
    """Draw in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return draw(Path(folder), pairs=pairs, seed=seed)


def both(a: Found, b: Found) -> Found:
    """Return two draws as one."""
    sums = a.n_pairs + b.n_pairs, a.n_requests + b.n_requests, a.n_hidden + b.n_hidden
    return Found(*sums, a.leaks + b.leaks, a.shut_out + b.shut_out)


def main() -> None:
    """Draw portion by portion, each from the next seed, and tell what all came to so far; ends with 1 on any leak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--each", type=int, default=500, help="pairs of a portion")
    parser.add_argument("--at-once", type=int, default=1, help="portions that are drawn at the same time")
    asked = parser.parse_args()
    sizes = [min(asked.each, asked.pairs - done) for done in range(0, asked.pairs, asked.each)]
    began = time.perf_counter()
    total = Found(0, 0, 0, (), ())
    print(f"{len(routes())} routes and {len(lists())} lists", flush=True)
    with ProcessPoolExecutor(asked.at_once, mp_context=get_context("spawn")) as pool:
        for found in pool.map(portion, sizes, range(asked.seed, asked.seed + len(sizes))):
            total = both(total, found)
            print(
                f"{total.n_pairs} pairs, {total.n_requests} requests; {total.n_hidden} pairs hidden: "
                f"{len(total.leaks)} leaks, {len(total.shut_out)} shut out ({time.perf_counter() - began:.0f} s)",
                flush=True,
            )
    if total.leaks or total.shut_out:
        print(*(total.leaks + total.shut_out)[:20], sep="\n")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
