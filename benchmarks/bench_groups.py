"""Whether sums over groups give anybody away: random allowed questions of random readers, and then algebra over all
answers together, as if all readers had put their heads together.

    PYTHONPATH=. python benchmarks/bench_groups.py --queries 10000

Invented companies from day to day: somebody leaves, joins, moves or objects, and all risks stay as they were, which is
the best an attacker can hope for. The attacker knows who stands in which group, whom a plan chose and what an action
takes off a risk; every answer is then a line about the risks. Two counts:

    exact      the fixed groups of one day taken as exact sums: whose risk follows by linear algebra (null space)
    narrow     all answers of all days as they were told, each with its rounding: whose risk lies between two ends that
               are less than ``NARROW`` apart (linear programs). A risk lies between 0 and 1

and a third, ``objecting``: a system that reads everybody else's exact risk beside the sums; who has objected is not to
follow from them.

Not covered: the low and high ends of the hiring ledger, which are no linear function of the risks.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from scipy.optimize import linprog
from scipy.sparse import csr_array

from features.leaving import Fill
from models.forecast import Shock
from models.hiring import Outlook, ledger
from models.small_groups import OTHER, Post, cells
from serving import auth, store_contest, store_log, store_people
from serving.access import ROLES
from serving.app import create_app
from serving.settings import Settings
from serving.store import Store, migrate, open_store
from serving.store_people import Sight

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8000"
K = 5
NARROW = 0.2
EACH_DAY = 25
BANDS = {"watch": 0.1, "act": 0.18}
EFFECTS = {
    "career_talk": 0.15,
    "skill_course": 0.2,
    "workload_relief": 0.3,
    "one_off_award": 0.1,
    "stay_conversation": 0.08,
}
AMOUNTS = (0, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
CARE = {"purpose": "retention_care"}

Person = dict[str, Any]
Line = tuple[frozenset[tuple[str, float]], float, float]
"""People with their factors, and the ends between which the sum of factor × risk lies."""


@dataclass
class Company:
    """People as they stand today, what each risk is, who has objected, and what the attacker has been told."""

    people: dict[str, Person]
    risk: dict[str, float]
    rng: random.Random
    objecting: set[str] = field(default_factory=set)
    told: set[Line] = field(default_factory=set)
    day: set[Line] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    n_asked: int = 0


def invent(rng: random.Random, n: int) -> Company:
    """Return a company: departments with teams of 2 to 13 people, a leader within each, and two teams of one name."""
    company = Company({}, {}, rng)
    team = 0
    while len(company.people) < n:
        department = f"D{rng.randrange(max(2, n // 40))}"
        team += 1
        name = f"T{team if rng.random() < 0.9 else max(1, team - 1)}"
        lead = f"P{len(company.people):04}"
        for i in range(rng.choice((2, 3, 4, 5, 5, 6, 6, 7, 8, 9, 13))):
            _join(company, {"department": department, "team": name, "manager_id": lead if i else "P0000"})
    return company


def _join(company: Company, place: Mapping[str, str]) -> None:
    one = f"P{len(company.risk):04}"
    job = company.rng.choice(("nurse", "nurse", "nurse", "desk", "desk", "cook"))
    company.people[one] = {"id": one, "name": one, "location": "North", "job": job, **place}
    company.risk[one] = min(0.95, company.rng.betavariate(1.2, 8))


def next_day(company: Company) -> None:
    """One person leaves, joins, moves or objects; nobody's risk changes."""
    rng, people = company.rng, company.people
    one, other = rng.sample(sorted(people.keys() - {"P0000"}), 2)
    place = {name: people[other][name] for name in ("department", "team", "manager_id")}
    what = rng.choice(("leaves", "joins", "moves", "objects"))
    if what == "leaves":
        del people[one]
        company.objecting.discard(one)
    elif what == "joins":
        _join(company, place)
    elif what == "moves":
        people[one] |= place if place["manager_id"] != one else {}
    else:
        company.objecting ^= {one}


def band_of(risk: float) -> str:
    """Return the band, as the model's card has it."""
    return "act" if risk >= BANDS["act"] else "watch" if risk >= BANDS["watch"] else "calm"


def write(store: Store, company: Company) -> None:
    """Write today's batch, with the ledger, and who objects."""
    rows = list(company.people.values())
    words = {"cannot_judge_en": None, "cannot_judge_zh": None, "reasons": [], "interval": None, "log_odds": -1.0}
    clock = {"valid_until": NOW.date() + timedelta(days=90), "base_log_odds": -2.0}
    scores = []
    for one in company.people:
        risk = company.risk[one]
        options = [{"action": a, "avoided": risk * e, "sd": risk * e / 2} for a, e in EFFECTS.items()]
        plan = {"actions": [], "empty_because_en": None, "empty_because_zh": None, "options": options}
        numbers = {"risk": {"180": risk}, "other": {"180": 0.01}, "risk_at_reference": risk, "band": band_of(risk)}
        scores.append({"employee_id": one, "plan": plan, **words, **clock, **numbers})
    run = {"as_of": date(2026, 10, 31), "computed_at": NOW, "model_version": "1", "bundle_sha256": "0" * 64}
    run |= {"data_versions": {}, "card": {"name": "m", "reference_horizon_days": 180, "bands": BANDS}}
    run |= {"forecast": _ledger(company), "forecast_until": date(2027, 1, 31)}
    with store.begin() as tx:
        store_people.add_run(tx, run, people=rows, scores=scores)
        for row in store_contest.open_contests(tx, Sight("everyone")):
            store_contest.answer(tx, row["id"], {"outcome": "stands", "answer": "x", "answered_by": "x"})
        for one in sorted(company.objecting):
            opened = {"employee_id": one, "words": "no", "opened_at": NOW, "due_on": NOW.date()}
            store_contest.open_contest(tx, opened)


def _posts(company: Company) -> list[Post]:
    return [Post(row["department"], row["team"], row["job"]) for row in company.people.values()]


def _ledger(company: Company) -> dict[str, Any]:
    n, end = len(company.people), date(2027, 4, 30)
    chances = np.array([[company.risk[one]] for one in company.people])
    fills = {None: Fill(60, 0, "default")}
    outlook = Outlook(date(2026, 10, 31), _posts(company), [True] * n, chances, [None] * n, [end], fills)
    lines = ledger(outlook, Shock(0.0, 0.0), min_group=K)
    return {"lines": [one.to_dict() for one in lines], "until": end.isoformat(), "min_group": K, "service_level": 0.8}


Reader = tuple[str, Sight, dict[str, str]]


def readers(store: Store, company: Company) -> list[Reader]:
    """Return readers of every role, as wide and as narrow as their role may see, with a key each."""
    departments = sorted({row["department"] for row in company.people.values()})
    leads = sorted({row["manager_id"] for row in company.people.values()})
    wanted = [(role, Sight("everyone")) for role in ("hr_system", "hr", "analyst")]
    wanted += [("hr_partner", Sight("department", one)) for one in departments]
    wanted += [("analyst", Sight("department", one)) for one in departments]
    wanted += [
        ("hr_system", Sight("team", row["team"]))
        for row in company.rng.sample(sorted(company.people.values(), key=lambda r: r["id"]), 5)
    ]
    wanted += [("manager", Sight("manager", one)) for one in company.rng.sample(leads, min(12, len(leads)))]
    found = []
    with store.begin() as tx:
        for role, sight in wanted:
            key, most = auth.new_token(auth.KEY_PREFIX), ROLES[role]
            row = {
                "name": role,
                "sha256": auth.sha256(key),
                "role": role,
                "created_at": NOW,
                **auth.stored_sight(sight),
            }
            store_log.add_key(tx, {**row, "scopes": sorted(most.scopes), "purposes": sorted(most.purposes)})
            found.append((role, sight, {"authorization": f"Bearer {key}"}))
    return found


def ask(client: TestClient, company: Company, reader: Reader) -> None:
    """Send one random question that the reader may ask, and note what it tells."""
    role, _, header = reader
    routes = {"analyst": (_teams, _pseudonyms), "manager": (_teams,)}.get(role, (_teams, _forecast, _plan))
    company.rng.choice(routes)(client, company, header)
    company.n_asked += 1


def _note(company: Company, factors: Mapping[str, float], told: float, *, fixed: bool) -> None:
    """Keep a line about the risks; a line that the true risks break is a mistake of the attack, not a safe answer."""
    off = sum(company.risk[one] * factor for one, factor in factors.items()) - told
    if abs(off) > 0.5 + 1e-6:
        raise RuntimeError(f"the attack has misread an answer: {told} told of {len(factors)} people, off by {off:.3f}")
    line = (frozenset(factors.items()), told - 0.5, told + 0.5)
    company.told.add(line)
    if fixed:
        company.day.add(line)


def _teams(client: TestClient, company: Company, header: dict[str, str]) -> None:
    for team in client.get("/v1/teams", headers=header).json()["teams"]:
        place = (team["team"], team["department"])
        members = [one for one, row in company.people.items() if (row["team"], row["department"]) == place]
        if len(members) < K or len(members) != team["n_judged"]:
            company.broken.append(f"team {place} of {len(members)}")
        _note(company, dict.fromkeys(members, 1.0), team["expected_exits"], fixed=True)


def _forecast(client: TestClient, company: Company, header: dict[str, str]) -> None:
    answer = client.get("/v1/forecast", headers=header)
    cut = cells(_posts(company), [True] * len(company.people), min_group=K)
    for line in answer.json().get("lines", []):
        mine = [one for one, cell in zip(company.people, cut, strict=True) if cell == (line["department"], line["job"])]
        if len(mine) < K:
            company.broken.append(f"line {line['department']} {line['job']} of {len(mine)}")
        _note(company, dict.fromkeys(mine, 1.0), line["expected"], fixed=True)


def _plan(client: TestClient, company: Company, header: dict[str, str]) -> None:
    rng = company.rng
    budget = rng.choice(AMOUNTS) if rng.random() < 0.7 else rng.randrange(100_000)
    limits = {"budget": budget, "hours": rng.choice((1, 2, 2, 4, 8, 3, 1.5)), "most_each": rng.choice((1, 1, 2))}
    answer = client.get("/v1/care-plans/allocation", params=limits, headers=header)
    chosen = client.get("/v1/care-plans/people", params={**limits, **CARE}, headers=header).json().get("people", [])
    if answer.status_code != 200:
        return
    told = answer.json()
    named = {line["department"] for line in told["lines"]}
    for line in [*told["lines"], {**told, "department": None}]:
        if line["avoided"] is None:
            continue
        mine = Counter[str]()
        for one in chosen:
            if line["department"] in (None, one["department"] if one["department"] in named else OTHER):
                mine[one["employee_id"]] += EFFECTS[one["action"]]  # type: ignore[assignment]
        if len(mine) < K:
            company.broken.append(f"effect of {len(mine)} people")
        _note(company, mine, line["avoided"]["expected"], fixed=False)


def _pseudonyms(client: TestClient, company: Company, header: dict[str, str]) -> None:
    found: dict[str, Counter[str]] = {}
    people = client.get("/v1/pseudonyms", params={"purpose": "model_quality"}, headers=header).json()["people"]
    for one in people:
        found.setdefault(one["department"], Counter())[one["band"]] += 1
    company.broken += [f"bands of {name}" for name, bands in found.items() if bands.total() < K or len(bands) == 1]


def exactly(lines: Sequence[Line], people: Sequence[str]) -> int:
    """Return for how many people the sums, were they exact, have one solution: unit vectors in the row space."""
    if not lines:
        return 0
    matrix = _matrix(lines, people).toarray()
    _, size, rows = np.linalg.svd(matrix, full_matrices=False)
    kept = rows[size > 1e-9 * size[0]]
    return int((np.square(kept).sum(axis=0) > 1 - 1e-9).sum())


def _matrix(lines: Sequence[Line], people: Sequence[str]) -> csr_array:
    place = {one: i for i, one in enumerate(people)}
    entries = [(i, place[one], factor) for i, line in enumerate(lines) for one, factor in sorted(line[0])]
    row, column, value = (np.array(part) for part in zip(*entries, strict=True))
    return csr_array((value, (row, column)), shape=(len(lines), len(people)))


def widths(lines: Sequence[Line], people: Sequence[str], known: Mapping[str, float] | None = None) -> np.ndarray:
    """Return per person how far the ends of the risk are apart, given all lines and the risks known beside them."""
    known = known or {}
    free = [one for one in people if one not in known]
    if not lines or not free:
        return np.ones(len(free))
    matrix = _matrix(lines, people)
    place = {one: i for i, one in enumerate(people)}
    shift = matrix[:, [place[one] for one in known]] @ np.array([known[one] for one in known]) if known else 0.0
    left = matrix[:, [place[one] for one in free]]
    low, high = (np.array([line[i] for line in lines]) - shift for i in (1, 2))
    tops, ends = csr_array(np.vstack([left.toarray(), -left.toarray()])), np.concatenate([high, -low]) + 1e-7
    found = []
    for i in range(len(free)):
        unit = np.zeros(len(free))
        unit[i] = 1.0
        least, most = (linprog(sign * unit, A_ub=tops, b_ub=ends, bounds=(0, 1), method="highs") for sign in (1, -1))
        if least.x is None or most.x is None:
            why = f"{least.message} {most.message}"
            raise RuntimeError(f"the answers contradict each other: the attack has misread one ({why})")
        found.append(most.x[i] - least.x[i])
    return np.array(found)


@dataclass(frozen=True)
class Found:
    """What a draw came to. ``narrowest`` is over people, ``objecting`` over those whom the others' risks surround."""

    n_asked: int
    n_lines: int
    n_people: int
    exact: int
    narrow: int
    narrowest: float
    n_objecting: int
    objecting: int
    broken: tuple[str, ...]


def draw(folder: Path, *, queries: int, seed: int, people: int = 120) -> Found:
    """Ask ``queries`` questions in one company, a day every ``EACH_DAY`` of them, and put all answers together."""
    rng = random.Random(seed)
    company = invent(rng, people)
    store = open_store(f"sqlite:///{folder / f'groups{seed}.db'}")
    migrate(store)
    settings = Settings(state=folder, requests_per_minute=1_000_000)
    client = TestClient(create_app(settings, store=store, clock=lambda: NOW), base_url=ORIGIN)
    exact = n_objecting = hit = 0
    asking: list[Reader] = []
    while company.n_asked < queries:
        if company.n_asked % EACH_DAY == 0:
            next_day(company)
            write(store, company)
            asking = readers(store, company)
            before, company.day = company.day, set()
            everybody = sorted(company.risk)
            exact = max(exact, exactly(sorted_lines(before), everybody))
            found = _beside_others(client, company, asking[0])
            n_objecting, hit = n_objecting + len(found), hit + int((found < NARROW).sum())
        ask(client, company, rng.choice(asking))
    exact = max(exact, exactly(sorted_lines(company.day), sorted(company.risk)))
    apart = widths(sorted_lines(company.told), sorted(company.risk))
    store.close()
    narrow = int((apart < NARROW).sum())
    return Found(
        company.n_asked, len(company.told), len(company.risk), exact, narrow, float(apart.min()),
        n_objecting, hit, tuple(company.broken),
    )  # fmt: skip


def _beside_others(client: TestClient, company: Company, reader: Reader) -> np.ndarray:
    """Return how far apart the ends of each objecting person's risk are for a system that reads all the others'."""
    if not company.objecting:
        return np.ones(0)
    alone = Company(company.people, company.risk, random.Random(0))
    for route in (_teams, _forecast):
        route(client, alone, reader[2])
    known = {one: risk for one, risk in company.risk.items() if one in company.people and one not in company.objecting}
    return widths(sorted_lines(alone.told), sorted(company.people), known)


def sorted_lines(lines: set[Line]) -> list[Line]:
    """Return lines in an order that every run has."""
    return sorted(lines, key=lambda line: (sorted(line[0]), line[1]))


def main() -> None:
    """Draw, and print what was found; ends with 1 when anybody was determined."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--companies", type=int, default=10)
    parser.add_argument("--people", type=int, default=120)
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    began = time.perf_counter()
    each = -(-asked.queries // asked.companies)
    with tempfile.TemporaryDirectory() as folder:
        seeds = range(asked.seed, asked.seed + asked.companies)
        found = [draw(Path(folder), queries=each, seed=seed, people=asked.people) for seed in seeds]
    exact, narrow, objecting = (sum(getattr(one, name) for one in found) for name in ("exact", "narrow", "objecting"))
    broken = [line for one in found for line in one.broken]
    print(
        f"{sum(one.n_asked for one in found)} questions in {len(found)} companies, "
        f"{sum(one.n_lines for one in found)} different sums about {sum(one.n_people for one in found)} people: "
        f"{exact} determined by exact algebra within a day, {narrow} within {NARROW} of all days (narrowest "
        f"{min(one.narrowest for one in found):.2f}), "
        f"{objecting} of {sum(one.n_objecting for one in found)} objecting, "
        f"{len(broken)} groups too small or of one band ({time.perf_counter() - began:.0f} s)"
    )
    if exact or narrow or objecting or broken:
        print(*broken[:20], sep="\n")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
