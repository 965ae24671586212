"""The store: one engine, one way to begin a transaction, one way to bring the tables up to date.

The only door to SQL, together with ``store_tables`` (what is kept), ``store_people`` and ``store_log`` (what is asked).

SQLite before 3.51.3 can lose a database when two connections write or checkpoint at the same instant ("WAL-reset bug").
So on SQLite every transaction that can write, of every thread and every process, takes its turn behind one lock file,
and only one service may be open on a file. A command such as ``score`` may run beside the service: it waits for its
turn. ``look`` waits for nobody: its connections can neither write nor checkpoint.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from features.errors import FixableError

try:
    import fcntl
except ImportError:  # not a POSIX system: only threads take turns there
    fcntl = None  # type: ignore[assignment]

Transaction = Connection
StoreError = SQLAlchemyError
"""What the database raises: full disk, locked file, broken rule. Never shown to anybody."""

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # what was acknowledged survives a power cut
    "foreign_keys=ON",
    "mmap_size=0",
    "busy_timeout=5000",
    "secure_delete=ON",  # an expired or erased score is overwritten, not only forgotten
)

WAIT_SECONDS = 15.0
"""How long a transaction waits for its turn; a batch of scores for 20,000 people writes for a few seconds."""


READERS = 8
"""Connections for reading that are kept open; more are opened and closed when as many requests ask at once."""


class StoreBusyError(Exception):
    """Another transaction did not finish in time; nothing was read or written."""


@dataclass(frozen=True)
class Store:
    """An open store. ``begin`` and ``look`` are the only ways in; ``runs`` remembers the batch that is shown.

    ``readers`` opens connections to the same SQLite file that only read; ``None`` on a server. ``lines`` are those who
    wait to share a transaction (``store_share``), by event loop.
    """

    engine: Engine
    file: Path | None
    readers: Engine | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)
    lines: WeakKeyDictionary[Any, Any] = field(default_factory=WeakKeyDictionary)
    runs: dict[int, Any] = field(default_factory=dict)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Yield a transaction that is committed at the end, durably, or rolled back when anything is raised."""
        with _turn(self), self.engine.begin() as tx:
            yield tx

    @contextmanager
    def look(self) -> Iterator[Transaction]:
        """Yield a transaction that only reads, and sees all that was committed before; it waits for no writer.

        For what is asked on every request. A read that has to be written down belongs into ``begin`` or
        ``store_share.share``.
        """
        with (self.readers or self.engine).begin() as tx:
            yield tx

    @property
    def looks_at_once(self) -> bool:
        """Whether ``look`` asks neither a network nor a lock: a file on this machine, read beside whoever writes."""
        return self.readers is not None

    def fold(self) -> None:
        """Clear away what was deleted: from the log (SQLite) or from dead rows (PostgreSQL)."""
        with _turn(self), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self.file is None:
                connection.exec_driver_sql("VACUUM")
                return
            raw = connection.connection.driver_connection
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()  # type: ignore[union-attr]

    def copy_into(self, file: Path) -> None:
        """Write the SQLite file as it is at this moment into a new one, readable by its owner alone."""
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with _turn(self), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            raw = connection.connection.driver_connection
            raw.execute("VACUUM INTO ?", (str(file),)).close()  # type: ignore[union-attr]

    def close(self) -> None:
        """Let go of the file; the last connection folds the write-ahead log back, so this waits for its turn too."""
        with _turn(self):
            if self.readers is not None:
                self.readers.dispose()  # the last to close folds the log back, and these cannot
            self.engine.dispose()


def open_store(url: str) -> Store:
    """Return the store behind ``url``; a new SQLite file is made readable by its owner alone."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        engine = create_engine(address, hide_parameters=True, pool_pre_ping=True, pool_timeout=WAIT_SECONDS)
        event.listen(engine, "handle_error", _without_values)
        return Store(engine, None)
    if not address.database or address.database == ":memory:":
        raise FixableError("The store must be a file or a server: scores in memory would be lost at the next start.")
    file = Path(address.database)
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(address, hide_parameters=True, pool_size=1, max_overflow=0, pool_timeout=WAIT_SECONDS)
    event.listen(engine, "connect", _prepare_sqlite)
    _begin_with(engine, "BEGIN IMMEDIATE")
    return Store(engine, file, _readers(file))


def _readers(file: Path) -> Engine:
    """Return what opens connections that can only read. They close before the one that writes, never after it."""

    def connect() -> sqlite3.Connection:
        uri = f"file:{quote(str(file.resolve()))}?mode=ro"
        return sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None, timeout=5.0)

    engine = create_engine(
        "sqlite://",
        creator=connect,
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=-1,
        pool_timeout=WAIT_SECONDS,
    )
    _begin_with(engine, "BEGIN")
    return engine


def _begin_with(engine: Engine, statement: str) -> None:
    """Let every transaction begin with the statement. An event would do it too, but then each statement of the engine
    asks six times who listens: a tenth of the time of reading a person."""

    def begin(connection: Any) -> None:
        connection.execute(statement).close()

    engine.dialect.do_begin = begin  # type: ignore[method-assign, assignment]


def _without_values(context: ExceptionContext) -> None:
    """Take the text from an error: PostgreSQL repeats the whole row in it, with names and scores."""
    error = context.original_exception
    if isinstance(context.sqlalchemy_exception, DBAPIError):
        code = getattr(error, "sqlstate", None) or "no code"
        error.args = (f"{type(error).__name__} ({code})",)
        context.sqlalchemy_exception.args = (f"({type(error).__module__}.{type(error).__name__}) {code}",)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver would begin too late, and not at all before DDL
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


@contextmanager
def _turn(store: Store) -> Iterator[None]:
    """Wait until no thread and no other process works on the same SQLite file; servers know how to do this alone."""
    if store.file is None:
        yield
        return
    until = time.monotonic() + WAIT_SECONDS
    if not store.turn.acquire(timeout=WAIT_SECONDS):
        raise StoreBusyError("the store is busy")
    try:
        with _file_lock(store.file.with_name(store.file.name + ".turn"), until=until):
            yield
    finally:
        store.turn.release()


@contextmanager
def _file_lock(path: Path, *, until: float) -> Iterator[None]:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        while not _taken(handle):
            if time.monotonic() >= until:
                raise StoreBusyError("another process holds the store")
            time.sleep(0.005)
        yield
    finally:
        os.close(handle)  # also lets go of the lock


def _taken(handle: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def only_service(store: Store) -> Iterator[None]:
    """Hold the right to be the one service on this SQLite file; a second one is refused at once."""
    if store.file is None:
        yield
        return
    try:
        with _file_lock(store.file.with_name(store.file.name + ".service"), until=0.0):
            yield
    except StoreBusyError:
        raise FixableError(
            "Another service is already open on this SQLite file.",
            ["Stop it first, start with one worker, or set RETENTION_DATABASE_URL to a PostgreSQL server."],
        ) from None


def migrate(store: Store) -> None:
    """Bring the tables up to date, all in one transaction: a kill in the middle leaves the old tables."""
    _refuse_newer(store)
    with store.begin() as tx:
        command.upgrade(alembic_config(tx), "head")


def is_current(store: Store) -> bool:
    """Whether the tables are those that this version of the code was written for."""
    with store.begin() as tx:
        return _revision(tx) == _scripts().get_current_head()


def _refuse_newer(store: Store) -> None:
    with store.begin() as tx:
        found = _revision(tx)
    if found is not None and found not in {script.revision for script in _scripts().walk_revisions()}:
        raise FixableError(
            "The store was written by a newer version of the service.",
            [f"It is at revision {found}, which this version does not know. Install the newer version."],
        )


def _revision(tx: Transaction) -> str | None:
    return MigrationContext.configure(tx).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config(None))


def alembic_config(tx: Transaction | None) -> Config:
    """Return Alembic's configuration; the migrations run inside ``tx`` and open no connection of their own."""
    config = Config(attributes={"connection": tx})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def answers(store: Store) -> bool:
    """Whether the store takes a write right now; nothing is left behind."""
    with store.begin() as tx:
        tx.execute(text("UPDATE audit_head SET sequence = sequence"))
    return True
