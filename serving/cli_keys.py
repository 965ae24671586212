"""``retention-serve key``: the API keys of other systems, which end by themselves and can be changed over.

Heavy imports wait inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from features.errors import FixableError
from serving.at_console import console_actor, opened, sight_of

key_app = typer.Typer(help="API keys for other systems.", no_args_is_help=True)

State = Annotated[Path | None, typer.Option(help="Folder with the records, models and scores.", show_default="var")]
Sees = Annotated[
    str | None, typer.Option(help="everyone, department:NAME, team:NAME, or manager:NUMBER (all below that person).")
]


@key_app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Which system will use it; stands in the audit log.")],
    role: Annotated[
        str, typer.Option(help="hr_system, hr, hr_partner, manager, analyst, auditor or admin.")
    ] = "hr_system",
    scope: Annotated[list[str] | None, typer.Option(help="Fewer scopes than the role has; repeat.")] = None,
    purpose: Annotated[list[str] | None, typer.Option(help="Fewer purposes than the role has; repeat.")] = None,
    sees: Sees = None,
    state: State = None,
) -> None:
    """Make an API key, which ends after RETENTION_KEY_DAYS, and print it once."""
    from serving import audit, auth, store_log
    from serving.access import KEY_ROLES, narrow, sight_fits
    from serving.audit import Entry

    with opened(state) as (settings, store):
        if role not in KEY_ROLES:
            raise FixableError(f"There is no role {role} for keys.", [f"Roles: {', '.join(KEY_ROLES)}"])
        try:
            scopes, purposes = narrow(role, scope or [], purpose or [])
        except ValueError as refusal:
            raise FixableError(str(refusal)) from None
        sight = sight_of(sees)
        if not sight_fits(role, sight):
            raise FixableError(f"A key of role {role} cannot see {sight.kind}.")
        token, now = auth.new_token(auth.KEY_PREFIX), _now()
        row = {"name": name[:100], "sha256": auth.sha256(token), "role": role, "created_at": now}
        row |= {"scopes": sorted(scopes), "purposes": sorted(purposes), **auth.stored_sight(sight)}
        row["expires_at"] = now + timedelta(days=settings.key_days)
        with store.begin() as tx:
            number = store_log.add_key(tx, row)
            audit.record(tx, Entry(console_actor(), "key.create", "made", f"key-{number}"), now=now)
        typer.echo(token)
        typer.echo(f"Key {number} for {name}. It is shown only now; keep it where secrets are kept.", err=True)


@key_app.command("list")
def list_keys(state: State = None) -> None:
    """List all API keys."""
    from serving import console, store_log

    with opened(state) as (_, store):
        with store.begin() as tx:
            rows = store_log.keys(tx)
        console.show(console.keys(rows))


@key_app.command("revoke")
def revoke_key(number: Annotated[int, typer.Argument(help="The key's number.")], state: State = None) -> None:
    """End an API key at once."""
    from serving import audit, store_log
    from serving.audit import Entry

    with opened(state) as (_, store):
        now = _now()
        with store.begin() as tx:
            ended = store_log.revoke_key(tx, number, now=now)
            result = "revoked" if ended else "not_found"
            audit.record(tx, Entry(console_actor(), "key.revoke", result, f"key-{number}"), now=now)
        if not ended:
            raise FixableError(f"There is no live key number {number}.")
        typer.echo(f"Key {number} no longer opens anything.")


@key_app.command("rotate")
def rotate_key(
    number: Annotated[int, typer.Argument(help="The number of the key that is to be replaced.")],
    overlap_days: Annotated[int, typer.Option(help="Days for which the old key still works.", min=0, max=90)] = 7,
    state: State = None,
) -> None:
    """Make a key that may do what another may, print it once, and let the old one end after the overlap."""
    from serving import audit, auth, store_log
    from serving.audit import Entry

    with opened(state) as (settings, store):
        now, token = _now(), auth.new_token(auth.KEY_PREFIX)
        with store.begin() as tx:
            old = store_log.key_by_id(tx, number)
            live = old is not None and old["revoked_at"] is None and (old["expires_at"] or now) >= now
            if old is not None and live:
                same = {name: old[name] for name in ("name", "role", "scopes", "purposes", "sees", "sees_value")}
                until = now + timedelta(days=settings.key_days)
                row = {**same, "sha256": auth.sha256(token), "created_at": now, "expires_at": until, "replaces": number}
                made = store_log.add_key(tx, row)
                store_log.end_key_at(tx, number, at=now + timedelta(days=overlap_days))
                audit.record(tx, Entry(console_actor(), "key.rotate", "made", f"key-{made}"), now=now)
        if not live:
            raise FixableError(f"There is no live key number {number}.")
        typer.echo(token)
        typer.echo(f"Key {made} replaces key {number}, which works for {overlap_days} more days.", err=True)


def _now() -> datetime:
    from serving.app import utc_now

    return utc_now()
