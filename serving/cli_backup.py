"""``retention-serve backup`` and ``restore``: a checked copy of the store, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serving.at_console import console_actor, opened, told

State = Annotated[Path | None, typer.Option(help="Folder with the records, models and scores.", show_default="var")]


def backup(
    file: Annotated[Path, typer.Argument(help="New file for the copy; what it holds stands in FILE.json beside it.")],
    state: State = None,
) -> None:
    """Copy the store while the service works, and check the copy. It holds names and scores: keep it safe."""
    from serving import audit
    from serving.app import utc_now
    from serving.audit import Entry
    from serving.store_backup import back_up

    with opened(state) as (_, store):
        with store.begin() as tx:
            entry = Entry(console_actor(), "backup", "written", "backup")
            audit.record(tx, entry, now=utc_now())
        made = back_up(store, file)
    typer.echo(
        f"{sum(made.rows.values())} rows written to {file} and checked. End of the audit chain: {made.audit_end[0]}"
    )


def restore(
    file: Annotated[Path, typer.Argument(help="A copy that backup made.")],
    state: State = None,
) -> None:
    """Bring a copy back into an empty store (RETENTION_DATABASE_URL or the folder), and check it."""
    from serving import settings as settings_module
    from serving.store_backup import restore as bring_back

    with told():
        settings = settings_module.load(**({"state": state} if state else {}))
        found = bring_back(file, settings.store_url)
    typer.echo(f"{sum(found.rows.values())} rows restored and checked. Audit chain whole up to {found.audit_end[0]}.")
