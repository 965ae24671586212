"""A small made-up organisation in a real store: the model's answers are written down here, everything else is ours."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import exp, nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from features.cards import DRIVERS, Card
from features.withdrawal.alarms import ALARMS, Review
from features.withdrawal.alarms import TEAMS as TEAM_SIGNALS
from features.withdrawal.limit import Limit
from models.assess import Assessment
from models.bundle import Bundle
from models.card import ModelCard
from models.care import CarePlan, PlannedAction
from models.catalog import load_catalog
from models.explain import Reason
from models.hiring import Line
from models.judged import Judged
from models.phrases import fact_words
from models.record import Column, Dictionary, Layout
from models.tell import sentence
from serving import auth, store_log
from serving.access import ROLES
from serving.app import create_app
from serving.score import Scored, save
from serving.settings import Settings
from serving.store import Store, migrate, open_store
from serving.store_people import Sight

AS_OF = date(2026, 10, 31)
NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8000"
CANARY = 0.218734
"""The reference risk of E0001. It may appear in no answer to a manager and in no log."""


@dataclass
class Clock:
    """The time of day, held in the hand."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)


def card() -> ModelCard:
    interval = {"value": 0.741, "low": 0.702, "high": 0.779}
    return ModelCard(
        name="retention-risk",
        model_kind="boosted",
        trained_on="2026-04-30",
        labels_closed_on="2026-10-31",
        horizons_days=(30, 90, 180, 365),
        reference_horizon_days=180,
        base_rate={30: 0.012, 90: 0.035, 180: 0.07, 365: 0.13},
        bands={"watch": 0.1, "act": 0.18},
        band_evidence={
            "calm": {"n": 600, "left": 24.0, "rate": 0.04, "low": 0.03, "high": 0.06},
            "watch": {"n": 220, "left": 28.6, "rate": 0.13, "low": 0.09, "high": 0.17},
            "act": {"n": 140, "left": 30.8, "rate": 0.22, "low": 0.15, "high": 0.3},
        },
        typical={"months_since_promotion": 14.0},
        missing_share={"months_since_promotion": 0.02},
        cards=(Card("months_since_promotion", "growth", "months", "…", "{value} months", "{value} 个月"),),
        data_versions={"employees": 4},
        n_people=960,
        n_exits=141,
        metrics={"chosen": {"180": {"auc": interval}}},
    )


def bundle(version: str = "7") -> Bundle:
    return Bundle(model=None, card=card(), version=version, sha256="9f2c" * 16)  # type: ignore[arg-type]


FACTS = {
    "growth": Column(
        "months_since_promotion", "months", "{value} since the last promotion", "距上次晋升 {value}", 14.0
    ),
    "workload": Column("overtime", "hours", "{value} of overtime in the last 90 days", "近 90 天加班 {value}", 12.0),
    "recognition": Column(
        "thanks", "count", "{value} thanks recorded in the last year", "近一年有 {value} 次表扬", None
    ),
    "belonging": Column("colleagues", "count", "{value} colleagues worked with", "与 {value} 位同事共事", None),
    "pay": Column("compa_ratio", "ratio", "pay at {value} of the market median", "薪酬为市场中位数的 {value}", None),
    "context": Column("tenure", "months", "{value} with the organisation", "入职 {value}", None),
}
VALUES = {"growth": 31.0, "workload": 46.0, "recognition": 0.0, "belonging": 18.0, "pay": 1.04, "context": 12.0}


def reason(driver: str, contribution: float) -> Reason:
    fact = FACTS[driver]
    words = fact_words(fact, VALUES[driver], fact.usual)
    told = sentence(driver, contribution, [(contribution, *words)])
    return Reason(driver, contribution, exp(contribution), "raises" if contribution > 0 else "keeps", (), *told)


def planned(action_id: str, driver: str) -> PlannedAction:
    action = load_catalog().action(action_id)
    words = {
        f"{name}_{lang}": getattr(getattr(action, name), lang)
        for name in ("title", "why", "first_step", "watch", "harm")
        for lang in ("en", "zh")
    }
    return PlannedAction(
        action=action.id,
        driver=driver,
        who_decides=action.who_decides,
        cost=action.cost,
        days=action.days,
        evidence=action.evidence.to_dict(),
        who_decides_en="the direct manager",
        who_decides_zh="直接上级",
        cost_en=action.money.en,
        cost_zh=action.money.zh,
        manager_hours=action.manager_hours,
        guide_en=action.guide_en,
        guide_zh=action.guide_zh,
        **words,
    )


CALM = CarePlan((), "The risk is calm: nothing beyond good leadership is suggested.", "风险平稳，不建议额外行动。")
CARE = CarePlan((planned("career_talk", "growth"), planned("skill_course", "growth")))


def assessment(employee_id: str, risk: float, *, band: str) -> Assessment:
    """One person's assessment with the risk at 180 days given; the other horizons follow from it."""
    unknown = band == "cannot_judge"
    told = () if unknown else (reason("growth", 0.8 * risk * 3), reason("workload", 0.1), reason("pay", -0.2))
    by_horizon = {days: risk * days / 180 for days in (30, 90, 180, 365)}
    return Assessment(
        employee_id=employee_id,
        as_of=AS_OF,
        risk={days: nan if unknown else at for days, at in by_horizon.items()},
        other={days: nan if unknown else 0.01 for days in by_horizon},
        interval={} if unknown else {days: (at / 3, min(1.0, 1.5 * at)) for days, at in by_horizon.items()},
        band=band,  # type: ignore[arg-type]
        cannot_judge_en="Hired less than a month ago." if unknown else None,
        cannot_judge_zh="入职不足一个月。" if unknown else None,
        score=nan if unknown else -1.3,
        base=nan if unknown else -2.6,
        reasons=told,
        plan=CARE if band in ("act", "watch") else CALM,
    )


def judged(told: Sequence[Assessment]) -> Judged:
    """The same as scoring keeps it: records, and the dictionary they refer to. Every driver is in every record."""
    drivers = tuple(FACTS)
    planned = {f"{a.action} {a.driver}": a for one in told for a in one.plan.actions}
    actions = sorted({key.split()[0] for key in planned} | {o.action for one in told for o in one.plan.options})
    whys = sorted({(one.plan.empty_because_en or "", one.plan.empty_because_zh or "") for one in told})
    horizons = (30, 90, 180, 365)
    known = Dictionary(
        layout=Layout(len(horizons), len(drivers)),
        horizons=horizons,
        base=-2.6,
        drivers=drivers,
        columns=tuple(FACTS.values()),
        levels={},
        every_driver=DRIVERS,
        actions=tuple(actions),
        planned={key: asdict(one) for key, one in planned.items()},
        empty=tuple(whys),
    )
    records = np.zeros(len(told), dtype=known.layout.dtype)
    for record, one in zip(records, told, strict=True):
        _record(record["codes"], record["numbers"], one, known)
    bands = [("calm", "watch", "act", "cannot_judge").index(one.band) for one in told]
    why_not = {
        i: (one.cannot_judge_en, one.cannot_judge_zh) for i, one in enumerate(told) if one.band == "cannot_judge"
    }
    risk = np.array([one.risk[180] for one in told])
    ids = [one.employee_id for one in told]
    return Judged(
        ids, [AS_OF] * len(ids), np.array([-1 if b == 3 else b for b in bands]), why_not, risk, records, known
    )  # type: ignore[arg-type]


def _record(codes: np.ndarray, numbers: np.ndarray, one: Assessment, known: Dictionary) -> None:
    """Write one assessment as scoring would have."""
    at, of, width = known.layout.codes, known.layout.numbers, known.layout.facts + known.layout.told
    if one.band != "cannot_judge":
        ends = [one.interval.get(day, (nan, nan)) for day in known.horizons]
        numbers[of["risk"]], numbers[of["other"]] = list(one.risk.values()), list(one.other.values())
        numbers[of["low"]], numbers[of["high"]] = zip(*ends, strict=True)
    for reason in one.reasons:
        d = known.drivers.index(reason.driver)
        numbers[of["sums"]][d] = reason.contribution
        named = d * width + known.layout.facts
        codes[at["columns"]][named] = d + 1
        numbers[of["values"]][named], numbers[of["adds"]][named] = VALUES[reason.driver], reason.contribution
    for k, action in enumerate(one.plan.actions):
        codes[at["actions"]][k] = known.actions.index(action.action) + 1
        codes[at["through"]][k] = DRIVERS.index(action.driver) + 1
    codes[at["why_empty"]] = 1 + known.empty.index((one.plan.empty_because_en or "", one.plan.empty_because_zh or ""))
    for k, option in enumerate(one.plan.options):
        codes[at["options"]][k] = known.actions.index(option.action) + 1
        codes[at["option_drivers"]][k] = DRIVERS.index(option.driver) + 1  # type: ignore[arg-type]
        numbers[of["avoided"]][k], numbers[of["sd"]][k] = option.avoided, option.sd


TEAMS = {"Nursing B": 12, "Reception": 6, "Dental / 口腔": 7, "Lab": 3}
NAMES = ("Li Na", "王芳", "Anna Berg", "张伟", "Omar Haddad", "陈静", "Ivy Chen", "刘洋", "Jonas Weiss", "赵敏")


def people() -> tuple[dict[str, Any], ...]:
    """E0001…E0028 in four teams; M1 leads Nursing B and reports to M0, who leads everybody."""
    rows: list[dict[str, Any]] = []
    number = 0
    for team, size in TEAMS.items():
        lead = f"M{len({row['team'] for row in rows}) + 1}"
        for _ in range(size):
            number += 1
            row = {"id": f"E{number:04}", "name": NAMES[number % 10], "department": "Care", "team": team}
            rows.append({**row, "location": "North", "job": "nurse", "manager_id": lead})
        row = {"id": lead, "name": f"Lead of {team}", "department": "Care", "team": "Leads", "location": "North"}
        rows.append({**row, "job": "lead", "manager_id": "M0"})
    return tuple(rows)


def assessments() -> tuple[Assessment, ...]:
    """E0001 to E0003 are to act on, E0004 and E0005 to watch, E0006 cannot be judged, all others are calm."""
    special = {
        "E0001": (CANARY, "act"),
        "E0002": (0.31, "act"),
        "E0003": (0.19, "act"),
        "E0004": (0.13, "watch"),
        "E0005": (0.11, "watch"),
        "E0006": (nan, "cannot_judge"),
        "E0013": (0.12, "watch"),
        "E0026": (0.24, "act"),
    }
    return tuple(
        assessment(row["id"], *special.get(row["id"], (0.04, ""))[:1], band=special.get(row["id"], (0, "calm"))[1])
        for row in people()
    )


LEDGER = [
    Line("Care", "nurse", 27, 1, 3, 1, 5, 4, date(2026, 11, 30), AS_OF, 45, "job", ((date(2026, 11, 30), 1, 1, 1),)),
    Line("*", "*", 7, 0, 0, 0, 1, 0, None, None, 60, "default", ((date(2026, 11, 30), 0, 0, 0),)),
]
"""Two lines of a ledger as scoring stores them."""


def withdrawn() -> Review:
    """E0001 of Nursing B and E0013 of Reception do less than usual; so do Nursing B and the small Lab as a whole."""
    week = {"week": date(2026, 10, 25), "since": date(2026, 9, 14)}
    told = {"weeks": 6, "stream": "all", "usual": 62.4, "now": 31.2, "score": -3.4, "p": 0.001, "false_share": 0.2}
    people_ = [{**week, **told, "employee_id": one, "team": "as recorded"} for one in ("E0001", "E0013", "E9999")]
    team = {**week, "level": 0.7, "score": -3.0}
    teams = [{**team, "team": "Nursing B", "n_people": 12}, {**team, "team": "Lab", "n_people": 3}]
    limit = Limit(2.6, 0.05, 50.0, 10)
    return Review(pl.DataFrame(people_, schema=ALARMS), pl.DataFrame(teams, schema=TEAM_SIGNALS), {}, limit, limit)


def fill(store: Store, *, now: datetime = NOW, version: str = "7", scored: Scored | None = None) -> int:
    told = {"lines": [line.to_dict() for line in LEDGER], "until": "2027-04-30", "min_group": 5, "service_level": 0.8}
    expected = {"as_of": AS_OF.isoformat(), "until": "2026-11-30", "notices": 1.25}
    rest = {"withdrawal": withdrawn(), "forecast": told, "expected": expected}
    batch = scored or Scored(AS_OF, people(), judged(assessments()), bundle(version), {"employees": 4}, **rest)
    return save(store, batch, now=now, valid_days=90, actor="console - test")


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled store, made once; each test gets a copy of the file."""
    file = tmp_path_factory.mktemp("store") / "retention.db"
    opened = open_store(f"sqlite:///{file}")
    migrate(opened)
    fill(opened)
    opened.close()
    return file


@pytest.fixture(scope="session")
def filled_server(postgres: Any) -> str:
    """The same on PostgreSQL: the name of a filled database, made once; each test gets a copy of it."""
    name = str(postgres.fresh())
    opened = open_store(postgres.url(name))
    migrate(opened)
    fill(opened)
    opened.close()
    return name


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> Iterator[str]:
    """Where a fresh copy of the filled store is, on the database of this test."""
    if database == "sqlite":
        shutil.copy(request.getfixturevalue("filled"), tmp_path / "retention.db")
        yield f"sqlite:///{tmp_path / 'retention.db'}"
        return
    server = request.getfixturevalue("postgres")
    name = server.fresh(request.getfixturevalue("filled_server"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def one_app(filled: Path) -> FastAPI:
    """The application, put together once: that costs more than most tests."""
    return create_app(Settings(state=filled.parent, requests_per_minute=1_000_000))


@pytest.fixture
def app(one_app: FastAPI, store: Store, clock: Clock) -> FastAPI:
    one_app.state.desk = replace(one_app.state.desk, store=store, clock=clock)
    return one_app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """Nobody yet: no key, no cookie."""
    return TestClient(app, base_url=ORIGIN, raise_server_exceptions=False)


Keys = Callable[..., dict[str, str]]


@pytest.fixture
def key(store: Store) -> Keys:
    """Make a key of a role and return the header that shows it."""

    def make(role: str, sight: Sight = Sight("everyone"), **other: Any) -> dict[str, str]:  # noqa: B008
        token = auth.new_token(auth.KEY_PREFIX)
        row = {"name": f"{role} system", "sha256": auth.sha256(token), "role": role, "created_at": NOW}
        row |= {"scopes": sorted(other.get("scopes", ROLES[role].scopes))}
        row |= {"purposes": sorted(other.get("purposes", ROLES[role].purposes))}
        row |= auth.stored_sight(sight)
        with store.begin() as tx:
            store_log.add_key(tx, row)
        return {"authorization": f"Bearer {token}"}

    return make


SignIn = Callable[..., TestClient]


@pytest.fixture
def signed_in(app: FastAPI, store: Store, clock: Clock) -> SignIn:
    """Sign somebody in through the page, as a browser does, and return the browser."""

    def make(
        role: str = "hr",
        sight: Sight = Sight("everyone"),  # noqa: B008
        *,
        purpose: str = "",
        name: str = "Li Na of HR",
        employee_id: str | None = None,
    ) -> TestClient:
        if role == "employee":
            employee_id = employee_id or "E0001"
            sight, purpose = Sight("self", employee_id), "subject_access"
        purpose = purpose or "retention_care"
        browser = TestClient(app, base_url=ORIGIN, headers={"accept": "text/html"}, raise_server_exceptions=False)
        with store.begin() as tx:
            invitation = auth.Invitation(name, role, sight, employee_id=employee_id)
            token = auth.make_link(tx, invitation, now=clock(), minutes=15)
        form = {"token": token, "purpose": purpose}
        answer = browser.post("/sign-in", data=form, headers={"origin": ORIGIN}, follow_redirects=False)
        if answer.status_code != 303:
            raise RuntimeError(f"could not sign in: {answer.status_code}")
        return browser

    return make


def entries(store: Store) -> list[dict[str, Any]]:
    """The audit log, oldest first, with the people behind the tokens."""
    with store.begin() as tx:
        return list(reversed(store_log.entries_page(tx, before=None, limit=10_000)))


@pytest.fixture
def made(store: Store) -> SimpleNamespace:
    """What was made up, for tests to compare with; test modules cannot import this file."""
    return SimpleNamespace(
        AS_OF=AS_OF,
        CANARY=CANARY,
        NOW=NOW,
        ORIGIN=ORIGIN,
        assessment=assessment,
        assessments=assessments,
        judged=judged,
        bundle=bundle,
        entries=lambda: entries(store),
        fill=fill,
        people=people,
        withdrawn=withdrawn,
    )


@pytest.fixture
def form_of() -> Callable[[TestClient], dict[str, str]]:
    """The hidden field that every form of a signed-in browser carries, as read from a page."""

    def read(browser: TestClient) -> dict[str, str]:
        pages = (browser.get(path).text for path in ("/about", "/stop", "/mine"))
        found = next(filter(None, (re.search(r'name="form_token" value="([0-9a-f]+)"', page) for page in pages)), None)
        return {"form_token": found[1] if found else ""}

    return read
