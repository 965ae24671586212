"""A small invented company in a real lake, a small real model, and a store that the nightly batch has filled."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from features.company import invent
from features.ingest import import_folder
from features.kept import kept_matrix
from features.lake import Lake
from models.bundle import load_bundle, save_bundle
from models.card import ModelCard
from models.care import load_catalog
from models.learn import Settings as FitSettings
from models.learn import fit_hazards, plain_landmarks
from serving import auth, store_log
from serving.access import ROLES
from serving.app import create_app
from serving.score import save, score
from serving.settings import Settings
from serving.store import Store, migrate, open_store
from serving.store_people import Sight

ORIGIN = "http://127.0.0.1:8000"
HORIZONS = (30, 90, 180, 365)
LEARNED = ("tenure_days", "overtime_hours_90d", "compa_ratio", "one_on_ones_90d")


@dataclass(frozen=True)
class World:
    """A state folder as an installation has it, the day of its scores, and the moment at which they were made."""

    state: Path
    as_of: date
    now: datetime

    @property
    def lake(self) -> Lake:
        return Lake(self.state / "lake")


def learn(lake: Lake, day: date, folder: Path) -> str:
    """Put a model that knows five columns into the folder under its checksum; what it learned from is invented."""
    known = kept_matrix(lake, as_of=[day])
    cards = {card.column: card for card in known.cards}
    rows = known.to_pandas()
    names = [name for name in LEARNED if name in rows and rows[name].notna().mean() > 0.6]
    generator = np.random.default_rng(0)
    drawn = rows[names].iloc[generator.integers(0, len(rows), 400)].reset_index(drop=True)
    filled = drawn.fillna(drawn.median())
    slope = ((filled - filled.mean()) / filled.std().replace(0, 1)).to_numpy() @ np.linspace(0.8, -0.6, len(names))
    time = generator.exponential(400 * np.exp(-slope))
    landmarks = plain_landmarks(drawn, np.minimum(time, 365), (time <= 365).astype(int))
    model = fit_hazards(landmarks, FitSettings(max_rounds=15, folds=2, kinds=("linear",))).models["linear"]
    card = ModelCard(
        name="retention-risk",
        model_kind="linear",
        trained_on=day.isoformat(),
        labels_closed_on=day.isoformat(),
        horizons_days=HORIZONS,
        reference_horizon_days=180,
        base_rate=dict.fromkeys(HORIZONS, 0.1),
        bands={"watch": 0.25, "act": 0.45},
        band_evidence={},
        typical={name: float(filled[name].median()) for name in names},
        missing_share=dict.fromkeys(names, 0.1),
        cards=tuple(cards[name] for name in names),
        data_versions=lake.versions(),
        n_people=400,
        n_exits=150,
        metrics={"chosen": {"180": {"auc": {"value": 0.74, "low": 0.7, "high": 0.78}}}},
    )
    draft = folder / "draft"
    sha256 = save_bundle(model, card, drawn, draft)
    draft.rename(folder / sha256)
    return sha256


@pytest.fixture(scope="session")
def made_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The company of sixty, imported, learned from and scored once; each test works on a copy."""
    state = tmp_path_factory.mktemp("exchange") / "var"
    invent(state / "records", n_employees=60, months=14, seed=3, truth=state / "truth")
    lake = Lake(state / "lake")
    import_folder(state / "records", lake)
    day = lake.data_until()
    (state / "champion").mkdir()
    sha256 = learn(lake, day, state / "champion")
    bundle = load_bundle(state / "champion" / sha256, version="3", expected_sha256=sha256)
    now = datetime.now(UTC).replace(microsecond=0)  # a process of its own, with the real clock, must find it valid
    opened = open_store(f"sqlite:///{state / 'retention.db'}")
    migrate(opened)
    save(opened, score(lake, bundle, load_catalog(), as_of=day), now=now, valid_days=90, actor="console - test")
    opened.close()
    return World(state, day, now)


@dataclass
class Clock:
    """The time of day, held in the hand."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def world(made_world: World, tmp_path: Path) -> World:
    shutil.copytree(made_world.state, tmp_path / "var", ignore=shutil.ignore_patterns("records", "truth"))
    return replace(made_world, state=tmp_path / "var")


@pytest.fixture
def clock(world: World) -> Clock:
    return Clock(world.now)


@pytest.fixture
def store(world: World) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{world.state / 'retention.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def exchange_app(made_world: World) -> FastAPI:
    return create_app(settings_of(made_world))


def settings_of(world: World, **other: Any) -> Settings:
    """Settings under which a test is never braked, and webhooks may go to this computer."""
    free = {"requests_per_minute": 1_000_000, "webhook_networks": "127.0.0.0/8"}
    return Settings(state=world.state, **{**free, **other})


@pytest.fixture
def app(exchange_app: FastAPI, world: World, store: Store, clock: Clock) -> FastAPI:
    desk = exchange_app.state.desk
    exchange_app.state.desk = replace(desk, store=store, clock=clock, settings=settings_of(world))
    return exchange_app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, base_url=ORIGIN, raise_server_exceptions=False)


def make_key(store: Store, role: str = "hr_system", sight: Sight | None = None, **other: Any) -> dict[str, str]:
    """Return the header that shows a new key."""
    token = auth.new_token(auth.KEY_PREFIX)
    seen = sight or Sight("everyone")
    row = {"name": f"{role} system", "sha256": auth.sha256(token), "role": role, "sees": seen.kind}
    row |= {"sees_value": seen.value, "created_at": datetime(2026, 1, 1, tzinfo=UTC)}
    row |= {name: sorted(other.get(name, getattr(ROLES[role], name))) for name in ("scopes", "purposes")}
    with store.begin() as tx:
        store_log.add_key(tx, row)
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def key(store: Store):
    """Make a key of a role and return the header that shows it."""
    return lambda role="hr_system", sight=None, **other: make_key(store, role, sight, **other)


@pytest.fixture
def someone(world: World) -> dict[str, list[dict[str, Any]]]:
    """The records of the whole company as other systems would post them: one list of rows per table."""
    tables = ("employees", "positions", "attendance", "interactions", "recognitions")
    frames = {name: frame.collect() for name, frame in world.lake.read(tables).items()}
    return {name: rows_of(frame) for name, frame in frames.items()}


def rows_of(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON holds them: days and moments as text, what is unknown left out."""
    kept = frame.drop("_seq", "known_on_given")
    texts = [pl.col(n).cast(pl.String) for n, t in kept.schema.items() if t in (pl.Date, pl.Datetime("us"))]
    return [{k: v for k, v in row.items() if v is not None} for row in kept.with_columns(texts).to_dicts()]
