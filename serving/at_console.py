"""What every command at the console needs: an opened store, mistakes in plain words, who asks and how far they see.

Heavy imports wait inside the functions, so that ``--help`` answers at once.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from features.errors import FixableError

if TYPE_CHECKING:
    from serving.settings import Settings
    from serving.store import Store
    from serving.store_people import Sight


@contextmanager
def told() -> Iterator[None]:
    """Tell a mistake that a person can fix in plain words, and end with 1."""
    from serving.problems import Problem

    try:
        yield
    except FixableError as mistake:
        typer.echo(str(mistake), err=True)
        raise typer.Exit(1) from None
    except Problem as problem:
        typer.echo(problem.kind.title_en, err=True)
        raise typer.Exit(1) from None


@contextmanager
def opened(state: Path | None, *, tables: bool = True) -> Iterator[tuple[Settings, Store]]:
    """Open the store of this installation, brought up to date, and close it again."""
    from serving import settings as settings_module
    from serving.store import migrate as migrate_store
    from serving.store import open_store

    with told():
        settings = settings_module.load(**({"state": state} if state else {}))
        store = open_store(settings.store_url)
        if tables:
            migrate_store(store)
        try:
            yield settings, store
        finally:
            store.close()


def sight_of(sees: str | None) -> Sight:
    """Return how far a key or a link sees; there is no default, because a missing word must not mean all."""
    from serving.store_people import Sight

    kind, _, value = (sees or "").partition(":")
    if kind == "everyone" and not value:
        return Sight("everyone")
    if kind in ("department", "team", "manager") and value:
        return Sight(kind, value)  # type: ignore[arg-type]
    raise FixableError("Say how far it sees: --sees everyone, department:NAME, team:NAME or manager:NUMBER.")


def address_of(settings: Settings, host: str, port: int) -> str:
    """Return the address at which people reach the service: its first trusted host in production."""
    if settings.mode == "production":
        return f"https://{settings.trusted_hosts[0]}"
    return f"http://{host}:{port}"


def console_actor() -> str:
    """Return who stands in the audit log for what was done at this console."""
    return f"console - {person_name()}"


def person_name() -> str:
    """Return who is signed in on this computer."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in a container
        return "operator"


def day_of(text: str) -> date:
    """Return the day that somebody typed. Raises ``FixableError`` when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FixableError(f"{text} is not a day of the form YYYY-MM-DD.") from None
