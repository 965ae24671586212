"""Commands of access and oversight: accounts, the stop switch, a person's own records.

Heavy imports wait inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import FixableError
from serving.at_console import console_actor, opened, person_name, sight_of, told

if TYPE_CHECKING:
    from serving.access import Visit
    from serving.store_people import Sight

account_app = typer.Typer(help="People who sign in with a password.", no_args_is_help=True)

State = Annotated[Path | None, typer.Option(help="Folder with the records, models and scores.", show_default="var")]
Login = Annotated[str, typer.Argument(help="The login, such as li.na.")]


def add_to(app: typer.Typer) -> None:
    """Put the commands beside those that are there."""
    app.add_typer(account_app, name="account")
    app.command("stop")(stop)
    app.command("release")(release)
    app.command("export-person")(export_person)
    app.command("readers")(readers)


@account_app.command("create")
def create_account(
    login: Login,
    role: Annotated[str, typer.Option(help="hr, hr_partner, manager, employee, analyst, auditor or admin.")],
    name: Annotated[str | None, typer.Option(help="Stands in the audit log and on pages.")] = None,
    sees: Annotated[
        str | None,
        typer.Option(
            help="everyone, department:NAME, team:NAME or manager:NUMBER; a manager and an employee need none."
        ),
    ] = None,
    employee: Annotated[str | None, typer.Option(help="The person's own employee number.")] = None,
    state: State = None,
) -> None:
    """Make an account; the password is asked for and only its argon2id hash is kept."""
    from serving import accounts, audit, auth, store_access
    from serving.access import PERSON_ROLES
    from serving.audit import Entry

    with opened(state) as (_, store):
        if role not in PERSON_ROLES:
            raise FixableError(f"People are {', '.join(PERSON_ROLES)}, not {role}.")
        sight = sight_for(role, sees, employee)
        row: dict[str, Any] = {"login": login.strip().casefold()[:100], "name": (name or login)[:100], "role": role}
        row |= {"employee_id": employee, "created_at": _now(), **auth.stored_sight(sight)}
        with store.begin() as tx:
            taken = store_access.account_by_login(tx, row["login"]) is not None
        if taken:
            raise FixableError(f"There is an account {row['login']} already.")
        row["password_hash"] = accounts.Hashing().hasher.hash(_new_password(row["login"]))
        with store.begin() as tx:
            number = store_access.add_account(tx, row)
            audit.record(tx, Entry(console_actor(), "account.create", f"for {role}", f"account-{number}"), now=_now())
        typer.echo(f"Account {number} for {row['login']}.")


def sight_for(role: str, sees: str | None, employee: str | None) -> Sight:
    """Return how far a person of this role sees. Raises ``FixableError`` when the role cannot see so far."""
    from serving.access import sight_fits
    from serving.store_people import Sight

    own = {"manager": Sight("manager", employee), "employee": Sight("self", employee)}
    own |= {"admin": Sight("nobody"), "auditor": Sight("nobody")}
    sight = sight_of(sees) if sees is not None or role not in own else own[role]
    if not sight_fits(role, sight):
        raise FixableError(f"A person of role {role} cannot see {sight.kind} {sight.value or ''}.", [_hint(role)])
    return sight


def _hint(role: str) -> str:
    if role in ("manager", "employee"):
        return "Name the person's number: --employee NUMBER, or a team: --sees team:NAME"
    return "An HR partner sees one department: --sees department:NAME" if role == "hr_partner" else "See --sees."


@account_app.command("password")
def change_password(login: Login, state: State = None) -> None:
    """Set a new password; every open session of the account ends."""
    from serving import accounts, audit, store_access, store_log
    from serving.audit import Entry

    with opened(state) as (_, store):
        number = _live(store, login)
        hashed = accounts.Hashing().hasher.hash(_new_password(login.strip().casefold()))
        now = _now()
        with store.begin() as tx:
            store_access.change_account(tx, number, {"password_hash": hashed})
            ended = store_log.end_sessions_of(tx, accounts.identity_of(number), now=now)
            audit.record(tx, Entry(console_actor(), "account.password", "changed", f"account-{number}"), now=now)
        typer.echo(f"The password of {login} is changed; {ended} sessions ended.")


@account_app.command("end")
def end_account(login: Login, state: State = None) -> None:
    """End an account and its sessions at once."""
    from serving import accounts, audit, store_access, store_log
    from serving.audit import Entry

    with opened(state) as (_, store):
        number, now = _live(store, login), _now()
        with store.begin() as tx:
            store_access.change_account(tx, number, {"ended_at": now})
            store_log.end_sessions_of(tx, accounts.identity_of(number), now=now)
            audit.record(tx, Entry(console_actor(), "account.end", "ended", f"account-{number}"), now=now)
        typer.echo(f"{login} cannot sign in any more.")


@account_app.command("list")
def list_accounts(state: State = None) -> None:
    """List all accounts."""
    from serving import store_access

    with opened(state) as (_, store):
        with store.begin() as tx:
            rows = store_access.accounts(tx)
        for row in rows:
            sees = row["sees"] + (f" {row['sees_value']}" if row["sees_value"] else "")
            until = f"ended {row['ended_at']:%Y-%m-%d}" if row["ended_at"] else "live"
            typer.echo(f"{row['id']}  {row['login']} · {row['name']} · {row['role']} · sees {sees} · {until}")
        if not rows:
            typer.echo("There are no accounts.")


def _live(store: Any, login: str) -> int:
    from serving import store_access

    with store.begin() as tx:
        row = store_access.account_by_login(tx, login.strip().casefold())
    if row is None or row["ended_at"] is not None:
        raise FixableError(f"There is no live account {login}.")
    return int(row["id"])


def _new_password(login: str) -> str:
    from serving import accounts

    given = str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))
    wrong = accounts.weak(given, login)
    if wrong:
        raise FixableError("This password is too easy to guess.", [f"It needs: {rule}." for rule in wrong])
    return given


def stop(
    reason: Annotated[str, typer.Option(help="Why; people will read it.")],
    state: State = None,
) -> None:
    """Stop all scoring and showing at once; it holds through restarts."""
    from serving import stop as switch

    with opened(state) as (_, store):
        if len(reason.strip()) < 3:
            raise FixableError("Say why the service should stop.")
        switch.stop(store, _visit(), reason.strip()[:1_000])
        typer.echo("The service is stopped. Two different people have to release it: retention-serve release")


def release(state: State = None) -> None:
    """Agree to start the service again; the second, different person completes it."""
    from serving import stop as switch

    with opened(state) as (_, store):
        done = switch.release(store, _visit()) == "released"
        typer.echo("The service works again." if done else "You have agreed. One more, different person has to.")


def export_person(
    employee_id: Annotated[str, typer.Argument(help="The person's number.")],
    out: Annotated[Path, typer.Option(help="File to write (JSON).")],
    state: State = None,
) -> None:
    """Write everything that is kept about a person: records, assessments, decisions, readers, objections."""
    from serving import audit, own_records
    from serving.audit import Entry

    with opened(state) as (settings, store), told():
        now = _now()
        with store.begin() as tx:
            kept = own_records.kept(tx, employee_id)
            entry = Entry(console_actor(), "person.export", "written", "export", "subject_access", employee_id)
            audit.record(tx, entry, now=now)
        kept["records"] = own_records.records(settings.state / "lake", employee_id)
        out.write_text(json.dumps(kept, ensure_ascii=False, indent=1, default=_plain), encoding="utf-8")
        typer.echo(f"Written to {out}. Hand it to nobody but the person.")


def readers(state: State = None) -> None:
    """Show who opened unusually many people, and why they say so; looking is in the audit log."""
    from serving import audit, store_readers
    from serving.audit import Entry

    with opened(state) as (_, store), store.begin() as tx:
        rows = store_readers.brakes(tx)
        audit.record(tx, Entry(console_actor(), "readers.list", "shown", "console"), now=_now())
    for row in rows:
        typer.echo(f"{row['at']:%Y-%m-%d %H:%M} UTC  {row['kind']:<8} {row['who']}: {row['words']}")
    typer.echo(f"{len(rows)} entries")


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _visit() -> Visit:
    from serving.access import ROLES, Viewer, Visit

    name = person_name()
    role = ROLES["admin"]
    viewer = Viewer(console_actor(), name, "admin", role.scopes, role.purposes, identity=f"console {name}")
    return Visit(viewer, "audit", _now(), "console")


def _now() -> datetime:
    from serving.app import utc_now

    return utc_now()
