"""The commands of growth, put onto ``retention-serve`` by ``cli.py``, which hands in who asks and what time it is.

Heavy imports wait inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from features.errors import FixableError
from serving.at_console import console_actor, day_of, opened

if TYPE_CHECKING:
    from serving.access import Visit
    from serving.settings import Settings
    from serving.store import Store
    from serving.words import Words

State = Annotated[Path | None, typer.Option(help="Folder with the records, models and scores.", show_default="var")]
Lang = Annotated[str | None, typer.Option("--language", "--lang", help="en or zh.", show_default="from LANG")]
RULES = "growth.toml"
FORMS = {".toml": "toml", ".csv": "csv"}


def register(app: typer.Typer, console_visit: Callable[[], Visit]) -> None:
    """Add the commands to ``app``."""

    def visit() -> Visit:
        return replace(console_visit(), purpose="talent_development")

    _batch(app, visit)
    _report(app, visit)
    _lists(app, visit)
    _achievements(app, visit)


def _batch(app: typer.Typer, visit: Callable[[], Visit]) -> None:
    @app.command("growth-batch")
    def growth_batch(
        as_of: Annotated[str | None, typer.Option(help="Day, YYYY-MM-DD; default: the last day with records.")] = None,
        rules: Annotated[
            Path | None, typer.Option(help="Rules of the house (TOML).", show_default="STATE/growth.toml, else shipped")
        ] = None,
        lang: Lang = None,
        state: State = None,
    ) -> None:
        """Make everybody's growth file, take over achievements from the records, and tell HR who needs what."""
        with opened(state) as (settings, store):
            words = _words(lang)
            typer.echo(make(settings, store, visit(), as_of=as_of, rules=rules).text(words))
            typer.echo(_reminder(store, visit(), words, min_group=settings.min_group))


class Made:
    """What a batch did, to be told in either language."""

    def __init__(self, **facts: Any) -> None:
        self.facts = facts

    def text(self, words: Words) -> str:
        """Return it in words."""
        return words("growth.batch_done", **{**self.facts, "day": words.day(self.facts["day"])})


def make(
    settings: Settings, store: Store, visit: Visit, *, as_of: str | None = None, rules: Path | None = None
) -> Made:
    """Make and store everybody's growth file."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from features.lake import Lake
    from models import growth_rules
    from serving import store_talent, talent
    from serving.score import employed

    lake, now, actor = Lake(settings.state / "lake"), visit.now, console_actor()
    own = settings.state / RULES
    chosen = growth_rules.load(rules or (own if own.exists() else None))
    day = day_of(as_of) if as_of else min(lake.data_until(), now.date())
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("opening the records", total=None)
        versions = lake.versions()
        records = lake.read(versions=versions)
        with store.begin() as tx:
            unknown = not store_talent.any_people(tx)
        if unknown:
            people = employed(records, as_of=day)
            with store.begin() as tx:
                store_talent.add_people(tx, people)
        bar.update(task, description="achievements")
        known, added, removed = talent.take_over(store, records, as_of=day, now=now, actor=actor)
        told = lambda n: bar.update(task, description=f"growth files: {n} of {len(known.people)}")  # noqa: E731
        batch = talent.batch(known, chosen, data_versions=versions, step=told)
        bar.update(task, description="writing")
        talent.save(store, batch, now=now, valid_days=settings.score_valid_days, actor=actor)
    return Made(n=len(batch.files), day=day, added=added, removed=removed)


def _reminder(store: Store, visit: Visit, words: Words, *, min_group: int) -> str:
    """The reminder to HR: how many need what, by need first; names are for the page and its log."""
    from serving import talent

    found = talent.reminders(store, visit, need=None, after=None, limit=1, min_group=min_group)
    lines = [words("growth.batch_needs")]
    for need, n, departments in found.counts:
        places = " · ".join(f"{name} {part}" for name, part in departments[:4])
        people = words("growth.people_count", n=n)
        lines.append(f"  {words(f'need.{need}')}{words('site.colon')}{people}  ({places})")
    return "\n".join(lines)


def _report(app: typer.Typer, visit: Callable[[], Visit]) -> None:
    @app.command("growth-report")
    def growth_report(
        employee_id: Annotated[str, typer.Argument(help="The person's number.")],
        pdf: Annotated[Path | None, typer.Option(help="File to write; default: the terminal.")] = None,
        lang: Lang = None,
        state: State = None,
    ) -> None:
        """Show one person's growth report, or write it as a PDF. Makes the growth files when there are none yet."""
        from serving import store_talent, talent
        from serving.growth_pdf import growth_pdf

        with opened(state) as (settings, store):
            words, who = _words(lang), visit()
            with store.begin() as tx:
                there = store_talent.batch(tx, today=who.now.date())
            if there is None:
                typer.echo(make(settings, store, who).text(words), err=True)
            seen = talent.person(store, who, employee_id, action="growth.report")
            if pdf is None:
                typer.echo(_in_lines(seen, words))
                return
            pdf.write_bytes(growth_pdf(seen, words))
            typer.echo(words("growth.report_written", file=pdf))


def _in_lines(seen: Any, words: Words) -> str:
    from serving.growth_pdf import MARKS
    from serving.growth_story import footer, sections, subtitle, title

    lines = [title(seen, words), subtitle(seen, words)]
    for part in sections(seen, words):
        lines += ["", f"## {part.title}", *([part.intro] if part.intro else [])]
        for item in part.items:
            lines += [f"  {MARKS[item.mark]} {item.head}", *(f"      {text}" for text in item.lines)]
    return "\n".join([*lines, "", *footer(seen, words)])


def _lists(app: typer.Typer, visit: Callable[[], Visit]) -> None:
    @app.command("skills-needed")
    def skills_needed(
        file: Annotated[Path, typer.Argument(help="TOML with [[need]] skill, level, people; or CSV with the same.")],
        lang: Lang = None,
        state: State = None,
    ) -> None:
        """Show who could grow into skills that the organisation will need, in the fewest hours together."""
        from models.openings import read_needs
        from serving import talent
        from serving.growth_story import skill

        with opened(state) as (_, store):
            words = _words(lang)
            needs = read_needs(_text_of(file), form=FORMS.get(file.suffix.lower(), "lines"))
            found = talent.needed(store, visit(), needs)
            lines = [] if found.run else [words("growth.no_batch")]
            for head, rows in found.groups:
                told = {"skill": skill(head["skill"]), "level": f"{head['level']:g}", "n": head["people"]}
                lines.append(words("growth.needed_head", **told))
                state_told = words("growth.needed_state", holding=head["n_holding"], possible=head["n_possible"])
                lines.append(f"  {state_told}")
                lines += [f"  {_candidate(one, words)}" for one in rows] or [f"  {words('growth.needed_none')}"]
            typer.echo("\n".join(lines))

    @app.command()
    def shortlist(
        job: Annotated[str, typer.Argument(help="The job of the opening.")],
        level: Annotated[int, typer.Argument(help="Its level.")],
        lang: Lang = None,
        state: State = None,
    ) -> None:
        """Show who could be asked about an opening: contributions of the last two years first."""
        from models.openings import Opening
        from serving import talent

        with opened(state) as (_, store):
            words = _words(lang)
            found = talent.shortlist(store, visit(), Opening(job, level))
            rows = [row for _, rows in found.groups for row in rows]
            lines = [_on_shortlist(row, words) for row in rows] or [words("growth.shortlist_none")]
            typer.echo("\n".join([*lines, words("growth.shortlist_rules"), words("growth.never")]))


def _candidate(one: dict[str, Any], words: Words) -> str:
    why = words("site.and").join(words(f"needed_reason.{reason}") for reason in one["reasons"])
    named = f"{one['name'] or ''} {one['employee_id']}".strip()
    return words("growth.needed_row", name=named, hours=f"{one['hours']:g}", why=why)


def _on_shortlist(one: dict[str, Any], words: Words) -> str:
    given = [f"{words(f'achievement_kind.{kind}')} {n}" for kind, n in one["contributions"].items()]
    parts = [" · ".join(given) or words("growth.contributions_none")]
    share = one["skills_met"]
    met = words("growth.skills_met_unknown") if share is None else words("growth.skills_met", share=round(100 * share))
    return f"{one['name'] or ''} {one['employee_id']}{words('site.colon')}{parts[0]} | {met}".strip()


def _achievements(app: typer.Typer, visit: Callable[[], Visit]) -> None:
    @app.command()
    def achievements(
        month: Annotated[str | None, typer.Option(help="Month, YYYY-MM; default: the newest with any.")] = None,
        lang: Lang = None,
        state: State = None,
    ) -> None:
        """Show what people achieved in a month: the monthly digest."""
        from serving import talent

        with opened(state) as (_, store):
            words = _words(lang)
            found = talent.digest(store, visit(), day_of(f"{month}-01") if month else None)
            lines = [words("growth.digest_intro", year=found.month.year, month=found.month.month)]
            for row in found.entries:
                kind, note = words(f"achievement_kind.{row['kind']}"), f" – {row['note']}" if row["note"] else ""
                lines.append(f"  {words.day(row['happened_on'])}  {row['name'] or row['employee_id']}: {kind}{note}")
            typer.echo("\n".join(lines if found.entries else [*lines, words("growth.digest_none")]))

    @app.command("export-achievements")
    def export_achievements(out: Annotated[Path, typer.Argument(help="File to write.")], state: State = None) -> None:
        """Write what was recorded here as the table recognitions (CSV), for the records. Nothing hidden."""
        from serving import audit, export, store_talent
        from serving.audit import Entry

        with opened(state) as (_, store):
            with store.begin() as tx:
                rows = store_talent.recorded_here(tx)
                entry = Entry(console_actor(), "achievement.export", "written", "export")
                audit.record(tx, entry, now=visit().now)
            with out.open("w", encoding="utf-8", newline="") as file:
                export.write_achievements(rows, file)
            typer.echo(f"{len(rows)} achievements written to {out}")


def _words(lang: Literal["en", "zh"] | str | None) -> Words:
    from serving.words import Words, choose

    return Words(choose(lang, os.environ.get("LANG", "")))


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FixableError(f"{file} cannot be read.", [str(error)]) from None
