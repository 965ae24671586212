"""How commands speak: one screen, one way to tell a mistake, one option for the folder of state."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from features.errors import FixableError

WIDTH = 110
"""Columns where nobody says how wide the screen is (a pipe, a log): tables then still keep a row on a line."""
console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)

State = Annotated[Path, typer.Option(help="Folder with records, models and scores.", envvar="RETENTION_STATE")]
DEFAULT_STATE = Path("var")


@contextmanager
def told() -> Iterator[None]:
    """Tell a mistake that a person can fix in plain words, and end with 1."""
    try:
        yield
    except FixableError as mistake:
        typer.echo(str(mistake), err=True)
        raise typer.Exit(1) from None
