"""``retention-serve``: score everybody, open the service, and look after keys and the audit log.

Heavy imports wait inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import FixableError
from serving import cli_access, cli_backup, cli_keys, cli_talent, collector
from serving.at_console import address_of, console_actor, day_of, opened, person_name, told

if TYPE_CHECKING:
    from serving.access import Visit
    from serving.settings import Settings
    from serving.store import Store

app = typer.Typer(
    help="Score, show, record: the service for retention care.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(cli_keys.key_app, name="key")
cli_access.add_to(app)
app.command()(cli_backup.backup)
app.command()(cli_backup.restore)

DELIVER_SECONDS = 5.0
STALE_DAYS = 45
"""A month and the time it takes to close one: older records are told to be old."""

State = Annotated[Path | None, typer.Option(help="Folder with the records, models and scores.", show_default="var")]
Sees = Annotated[
    str | None, typer.Option(help="everyone, department:NAME, team:NAME, or manager:NUMBER (all below that person).")
]
Language = Annotated[str | None, typer.Option("--lang", help="en or zh.", show_default="from LANG")]


@app.command()
def migrate(state: State = None) -> None:
    """Bring the tables of the store up to date."""
    with opened(state):
        typer.echo("The store is up to date.")


@app.command()
def score(
    as_of: Annotated[str | None, typer.Option(help="Day, YYYY-MM-DD; default: the last day with records.")] = None,
    state: State = None,
) -> None:
    """Score everybody at risk and make it what the service shows."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with (
        opened(state) as (settings, store),
        Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), transient=True) as bar,
    ):
        task = bar.add_task("opening the records", total=None)
        from features.lake import Lake
        from models.own_catalog import load_with_own
        from models.own_effects import read_own
        from models.registry import load_champion
        from serving import outlook, store_people
        from serving.score import Earlier, save
        from serving.score import score as score_batch

        lake = Lake(settings.state / "lake")
        now = _now()
        day = day_of(as_of) if as_of else min(lake.data_until(), now.date())
        bar.update(task, description="loading the champion")
        bundle = load_champion(settings.mlflow_uri, cache=settings.state / "champion")
        step = lambda words: bar.update(task, description=words)  # noqa: E731
        with store.begin() as tx:
            past = [outlook.read(one) for one in store_people.expectations(tx)]
        earlier = Earlier(past, settings.min_group, read_own(settings.own_effects))
        catalog = load_with_own(settings.own_actions)
        collector.seldom()
        scored = score_batch(lake, bundle, catalog, as_of=day, earlier=earlier, step=step)
        bar.update(task, description="writing")
        save(store, scored, now=now, valid_days=settings.score_valid_days, actor=console_actor())
    if (now.date() - day).days > STALE_DAYS:
        typer.echo(f"Note: the records end on {day}, {(now.date() - day).days} days ago; import newer ones.", err=True)
    for silence in scored.silences:
        typer.echo(silence.text(), err=True)
    bands = [scored.judged.band(i) for i in range(len(scored.judged))]
    counts = {band: bands.count(band) for band in ("act", "watch", "calm")}
    unjudged = bands.count("cannot_judge")
    told_counts = ", ".join(f"{n} {band}" for band, n in counts.items())
    typer.echo(
        f"{len(bands)} people scored as of {day} by model version {bundle.version}"
        f"{' (degraded: last good local copy)' if bundle.degraded else ''}: {told_counts}, {unjudged} not judged."
    )


@app.command()
def summary(
    employee: Annotated[str | None, typer.Option(help="Employee number of the example.")] = None,
    way_in: Annotated[str | None, typer.Option("--open", help="The command to name as the way in.")] = None,
    lang: Language = None,
    state: State = None,
) -> None:
    """Show the teams that need care first, one person as an example, and how to open the service."""
    from serving import console, service
    from serving.store_people import Sight, first_flagged
    from serving.words import Words, choose

    words = Words(choose(lang, os.environ.get("LANG", "")))
    with opened(state) as (settings, store):
        visit = _console_visit()
        seen = service.overview(store, visit, min_group=settings.min_group)
        with store.begin() as tx:
            example = employee or first_flagged(tx, Sight("everyone"), seen.run.id, today=visit.now.date())
        parts: list[Any] = [console.quality(seen.run.card, words), console.teams(seen, words)]
        until = seen.run.computed_at.date() + timedelta(days=settings.score_valid_days)
        if example is None:
            parts.append(words("console.nobody"))
        else:
            one = service.person(store, visit, example)
            until = one.assessed.valid_until
            parts.append(console.person(one, words))
        parts.append(console.footer(seen.run, until, words))
        command = way_in or "retention-serve serve" + (f" --state {state}" if state else "")
        parts.append(f"{words('console.next')} {command}")
        console.show(*parts)


@app.command()
def forecast(
    csv: Annotated[Path | None, typer.Option(help="File to write the ledger to, a row per group and month.")] = None,
    lang: Language = None,
    state: State = None,
) -> None:
    """Show how many will leave per department and job, and how many to hire by when. Groups only."""
    from serving import console, export, service
    from serving.words import Words, choose

    words = Words(choose(lang, os.environ.get("LANG", "")))
    with opened(state) as (settings, store):
        seen = service.forecast(store, _console_visit(), min_group=settings.min_group)
        if csv is None:
            console.show(console.ledger(seen, words))
            return
        with csv.open("w", encoding="utf-8-sig", newline="") as file:  # spreadsheets then read Chinese names
            n = export.write_ledger(seen.lines, file)
        typer.echo(words("forecast.written", n=n, file=csv))


@app.command()
def plan(
    budget: Annotated[float, typer.Option(help="Money for this round, in the local currency.", min=0)] = 0,
    hours: Annotated[float, typer.Option(help="Hours of each manager in this round.", min=0)] = 2,
    most_each: Annotated[int, typer.Option(help="Actions per person at most.", min=1, max=3)] = 1,
    names: Annotated[Path | None, typer.Option(help="File for who is offered what (CSV); each name is logged.")] = None,
    lang: Language = None,
    state: State = None,
) -> None:
    """Show what the organisation would do within money and managers' hours, and what it prevents. Groups only."""
    from serving import console_allocation
    from serving.words import Words, choose

    words = Words(choose(lang, os.environ.get("LANG", "")))
    with opened(state) as (settings, store):
        asked = console_allocation.Asked(budget, hours, most_each, settings.month_pay)
        console_allocation.run(store, settings, _console_visit(), asked, names=names, words=words)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    state: State = None,
) -> None:
    """Open the service and print a link that signs one person in."""
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    from serving import observed
    from serving import settings as settings_module
    from serving.app import create_app
    from serving.auth import Invitation
    from serving.store import only_service
    from serving.store_people import Sight

    with told():
        settings = settings_module.load(**({"state": state} if state else {}))
        if settings.mode == "local" and host not in ("127.0.0.1", "localhost", "::1"):
            raise FixableError(
                "In local mode the service listens on this computer only.",
                ["Set RETENTION_MODE=production with its hosts, secret and HTTPS to be reached by others."],
            )
        application = create_app(settings)
        store = application.state.desk.store
        with only_service(store):
            pass  # refused here in plain words rather than by a failed start
        invitation = Invitation(person_name(), "hr", Sight("everyone"))
        link = _link(store, settings, invitation, base=address_of(settings, host, port))
        if settings.log != "off":
            observed.log_to(as_json=settings.log == "json")
        if settings.metrics_at:
            observed.serve_metrics(application.state.metrics, settings.metrics_at)
    typer.echo(f"Open this link within {settings.link_minutes} minutes; it works once:\n\n  {link}\n")
    typer.echo("For a new link while the service runs: retention-serve open. Stop with Ctrl+C.")
    sys.stdout.flush()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: None)  # uvicorn finishes what it has begun, then raises the signal once more
    collector.seldom()
    with told():
        uvicorn.run(
            application,
            host=host,
            port=port,
            workers=1,
            access_log=False,  # an address holds an employee's number
            proxy_headers=False,
            server_header=False,
            log_config=None if settings.log != "off" else LOGGING_CONFIG,
            log_level="warning",
            timeout_graceful_shutdown=30,
        )


@app.command("open")
def open_link(
    name: Annotated[str | None, typer.Option(help="Whom the link is for; stands in the audit log.")] = None,
    role: Annotated[str, typer.Option(help="hr, hr_partner, manager, employee, auditor or admin.")] = "hr",
    sees: Sees = None,
    employee: Annotated[str | None, typer.Option(help="The person's own employee number.")] = None,
    base: Annotated[str | None, typer.Option(help="Address of the service.")] = None,
    state: State = None,
) -> None:
    """Print a link that signs one person in, once."""
    from serving.access import PERSON_ROLES
    from serving.auth import Invitation

    with opened(state) as (settings, store):
        if role not in PERSON_ROLES:
            raise FixableError(f"People sign in as {', '.join(PERSON_ROLES)}, not as {role}.")
        sight = cli_access.sight_for(role, sees or ("everyone" if role == "hr" else None), employee)
        invitation = Invitation(name or person_name(), role, sight, employee_id=employee)
        address = base or address_of(settings, "127.0.0.1", 8000)
        typer.echo(_link(store, settings, invitation, base=address.rstrip("/")))


@app.command("verify-audit")
def verify_audit(
    anchor: Annotated[Path | None, typer.Option(help="File outside the store that remembers the chain's end.")] = None,
    state: State = None,
) -> None:
    """Check the audit log entry by entry, and against the anchor."""
    from serving import audit

    with opened(state) as (_, store):
        remembered = audit.read_anchor(anchor) if anchor else None
        with store.begin() as tx:
            verdict = audit.verify(tx, anchor=remembered)
        if verdict.problem:
            raise FixableError("The audit log is not as it was written.", [verdict.problem])
        if anchor:
            audit.write_anchor(anchor, verdict)
        typer.echo(f"{verdict.n_entries} entries, whole. End of the chain: {verdict.sequence}:{verdict.hash}")


@app.command()
def purge(state: State = None) -> None:
    """Delete scores and notes whose time is over."""
    from serving import audit, curious, store_contest, store_people, store_readers
    from serving.audit import Entry

    with opened(state) as (settings, store):
        now = _now()
        before = now.date() - timedelta(days=settings.note_valid_days)
        with store.begin() as tx:
            gone = store_people.purge(tx, today=now.date(), notes_before=before)
            gone["looks"] = store_readers.purge(
                tx,
                looks_before=now - timedelta(days=curious.DAYS),
                words_before=now - timedelta(days=settings.note_valid_days),
            )
            gone["objections"] = store_contest.purge(tx, before=now - timedelta(days=settings.note_valid_days))
            audit.record(tx, Entry(console_actor(), "purge", "done", "purge"), now=now)
        typer.echo("Deleted: " + ", ".join(f"{n} {what.replace('_', ' ')}" for what, n in gone.items()))


@app.command()
def erase(employee_id: Annotated[str, typer.Argument(help="The person's number.")], state: State = None) -> None:
    """Remove a person from the store: scores, decisions, name. The records: retention-train erase."""
    from serving import audit, store_exchange, store_people
    from serving.audit import Entry

    with opened(state) as (_, store):
        with store.begin() as tx:
            gone = store_people.erase(tx, employee_id)
            store_exchange.forget(tx)
            audit.record(tx, Entry(console_actor(), "erase", "done", "erase"), now=_now())
        store.fold()
        typer.echo("Erased from the store: " + ", ".join(f"{n} {what}" for what, n in gone.items()))


@app.command()
def deliver(
    once: Annotated[bool, typer.Option("--once", help="Deliver what is due and end.")] = False, state: State = None
) -> None:
    """Deliver events to webhooks until stopped; the service does the same while it runs."""
    import time

    from serving.webhooks import Courier, deliver_due

    with opened(state) as (settings, store):
        courier = Courier.of(store, settings, clock=_now)
        while True:
            counts = deliver_due(courier)
            if sum(counts.values()):
                typer.echo(", ".join(f"{n} {what}" for what, n in counts.items()))
            elif once:
                return
            else:
                time.sleep(DELIVER_SECONDS)


@app.command("records-out")
def records_out(
    csv: Annotated[Path | None, typer.Option(help="Write the table care_actions to this file instead.")] = None,
    state: State = None,
) -> None:
    """Append what was decided about care, and what came of it, to the records, so that training learns from it."""
    from serving import at_cases

    with opened(state) as (settings, store):
        typer.echo(at_cases.records_out(store, settings, csv, now=_now(), actor=console_actor()))


@app.command("cases-in")
def cases_in(state: State = None) -> None:
    """Turn care on record (agreed, done or declined within half a year) into cases, so that nothing is forgotten."""
    from serving import at_cases

    with opened(state) as (settings, store):
        typer.echo(at_cases.cases_in(store, settings, now=_now(), actor=console_actor()))


@app.command()
def remind(state: State = None) -> None:
    """Put cases of care that are due or overdue into the outbox. Sends nothing."""
    from serving import at_cases

    with opened(state) as (_, store):
        typer.echo(at_cases.remind(store, now=_now(), actor=console_actor()))


@app.command("hand-over")
def hand_over_cases(state: State = None) -> None:
    """Bring the cases of care in line with the latest batch: managers, deciders, leavers. Scoring does it by itself."""
    from serving import at_cases

    with opened(state) as (_, store):
        typer.echo(at_cases.hand_over_now(store, now=_now(), actor=console_actor()))


def _link(store: Store, settings: Settings, invitation: Any, *, base: str) -> str:
    from serving import audit, auth
    from serving.audit import Entry

    now = _now()
    with store.begin() as tx:
        token = auth.make_link(tx, invitation, now=now, minutes=settings.link_minutes)
        audit.record(tx, Entry(console_actor(), "link.create", f"for {invitation.role}", "link"), now=now)
    return f"{base}/sign-in?token={token}"


def _console_visit() -> Visit:
    from serving.access import ROLES, Viewer, Visit
    from serving.store_people import Sight

    role = ROLES["hr_system"]
    viewer = Viewer(
        console_actor(), person_name(), "hr_system", role.scopes, role.purposes, Sight("everyone"), door="key"
    )
    return Visit(viewer, "retention_care", _now(), "console")


def _now() -> datetime:
    return datetime.now(UTC)


cli_talent.register(app, _console_visit)


if __name__ == "__main__":
    app()
