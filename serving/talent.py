"""MAIN of growth: makes everybody's growth file in one batch, and shows files, reminders, achievements and lists.

    batch        records ─▶ features.talent ─▶ models.talent ─▶ store
    person, own  the file, suggested colleagues, achievements; one look, one entry in the log
    reminders    how many people need what; with names, an entry per name
    shortlist    for an opening: contributions first
    needed       who could grow into skills that the organisation will need
    digest       what people achieved in a month

No assessment of a risk is read anywhere in this file, so none can be shown. A person who is hidden from the viewer is
answered exactly like one who does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from features.snapshots import Records, known_by
from features.talent import YEAR, Course, Ground, from_plain, ground
from features.talent import to_plain as facts_of
from models import openings
from models.growth_rules import Rule, Rules
from models.openings import Need, Opening
from models.talent import NEEDS, GrowthFile, growth_files, to_plain
from serving import audit, groups, store_log, store_people, store_talent
from serving.access import Visit
from serving.audit import Entry
from serving.problems import Problem
from serving.store import Store, Transaction
from serving.store_talent_tables import KINDS

READERS_SHOWN = 50


@dataclass(frozen=True)
class Batch:
    """Everybody's file before it is stored."""

    ground: Ground
    rules: Rules
    files: Mapping[str, GrowthFile]
    data_versions: Mapping[str, int]


def batch(
    known: Ground, rules: Rules, *, data_versions: Mapping[str, int], step: Callable[[int], None] = lambda _: None
) -> Batch:
    """Return everybody's file. Nothing is stored yet."""
    return Batch(known, rules, growth_files(known, rules, step=step), dict(data_versions))


def take_over(store: Store, records: Records, *, as_of: date, now: datetime, actor: str) -> tuple[Ground, int, int]:
    """Bring the achievement file up to date with the records, and return what the growth files are made of, with how
    many entries came and went. Praise is then counted in the achievement file: what was recorded here counts, what a
    person has hidden does not."""
    known = ground(records, as_of)
    came = [
        {**row, "source": "import", "recorded_by": actor, "recorded_at": now} for row in _recognitions(records, as_of)
    ]
    with store.begin() as tx:
        added, removed = store_talent.take_over(tx, came)
        everyone = store_people.Sight("everyone")
        counts = store_talent.contributions(tx, everyone, since=as_of - 2 * YEAR, until=now.date())
        audit.record(tx, Entry(actor, "achievement.import", "written", "growth-batch"), now=now)
    if not counts and not came:
        return known, added, removed
    people = {one: replace(talent, praise=counts.get(one, {})) for one, talent in known.people.items()}
    return replace(known, people=people), added, removed


def _recognitions(records: Records, as_of: date) -> list[dict[str, Any]]:
    """The table ``recognitions`` as entries of the achievement file."""
    found = known_by({name: records[name] for name in ("recognitions",) if name in records}, as_of)
    if not found:
        return []
    rows = found["recognitions"].select("employee_id", "happened_on", "kind", "note", "given_by").collect()
    return [row for row in rows.to_dicts() if row["kind"] in KINDS and row["happened_on"] <= as_of]


def save(store: Store, made: Batch, *, now: datetime, valid_days: int, actor: str) -> None:
    """Write the batch as the one that is shown."""
    shared = {
        "courses": [asdict(course) for course in made.ground.courses],
        "asked": [[job, level, dict(asked)] for (job, level), asked in made.ground.asked.items()],
        "numbers": {table: dict(names) for table, names in made.rules.numbers.items()},
        "steps": [asdict(rule) for rule in made.rules.steps],
    }
    until = now.date() + timedelta(days=valid_days)
    run: dict[str, Any] = {"as_of": made.ground.as_of, "computed_at": now, "valid_until": until}
    run |= {"data_versions": dict(made.data_versions), "shared": shared}
    files = [
        {"employee_id": one, "facts": facts_of(file.person), "told": to_plain(file)} for one, file in made.files.items()
    ]
    needs = [{"employee_id": one, "need": need} for one, file in made.files.items() for need in file.needs]
    pairs = [
        {
            "employee_id": one,
            "place": place,
            "other_id": other.employee_id,
            "kind": other.kind,
            "skill": other.skill,
            "reasons": list(other.reasons),
        }
        for one, file in made.files.items()
        for place, other in enumerate(file.companions)
    ]
    with store.begin() as tx:
        store_talent.add_batch(tx, run, files=files, needs=needs, pairs=pairs)
        audit.record(tx, Entry(actor, "growth.batch", "written", "growth-batch"), now=now)


@dataclass(frozen=True)
class Seen:
    """A growth page: who, the file if there is one, suggested colleagues, achievements, and who has looked."""

    who: dict[str, Any]
    run: dict[str, Any] | None
    facts: dict[str, Any] | None
    told: dict[str, Any] | None
    pairs: tuple[dict[str, Any], ...]
    achievements: tuple[dict[str, Any], ...]
    readers: tuple[dict[str, Any], ...] = ()


def person(store: Store, visit: Visit, employee_id: str, *, action: str = "growth.read") -> Seen:
    """Return one person's growth file, after the look has been written down."""
    with store.begin() as tx:
        who = _person(tx, visit, employee_id)
        _record(tx, visit, action, "shown" if who else "not_found", subject=employee_id)
        found = _file(tx, visit, who) if who else None
    if found is None:
        raise Problem("not_found")
    return found


def _person(tx: Transaction, visit: Visit, employee_id: str) -> dict[str, Any] | None:
    """Return somebody within sight. Who objects to an assessment is helped to grow as before; none is told here."""
    return store_people.visible_person(tx, visit.viewer.sight, employee_id, contested=True)


def own(store: Store, visit: Visit) -> Seen:
    """Return what the person sees of themselves: also the entries they have hidden, and who has looked."""
    sight = visit.viewer.sight
    with store.begin() as tx:
        mine = sight.kind == "self" and sight.value
        who = _person(tx, visit, sight.value or "") if mine else None
        _record(tx, visit, "growth.own", "shown" if who else "not_found", subject=sight.value if mine else None)
        found = _file(tx, visit, who, own=True) if who else None
    if found is None:
        raise Problem("not_found")
    return found


def _file(tx: Transaction, visit: Visit, who: Mapping[str, Any], *, own: bool = False) -> Seen:
    run = store_talent.batch(tx, today=visit.now.date())
    file = store_talent.file_of(tx, who["id"]) if run else None
    return Seen(
        who=dict(who),
        run=run,
        facts=file["facts"] if file else None,
        told=file["told"] if file else None,
        pairs=tuple(store_talent.pairs_of(tx, who["id"])) if file else (),
        achievements=tuple(store_talent.achievements_of(tx, who["id"], hidden=own)),
        readers=tuple(store_log.entries_about(tx, who["id"], limit=READERS_SHOWN)) if own else (),
    )


def offers(store: Store, visit: Visit, employee_id: str) -> list[dict[str, Any]]:
    """Return activities that match what somebody said to like: something to offer when reaching out. Access to the
    person is decided, and the look written down, by the page that shows them."""
    with store.begin() as tx:
        who = _person(tx, visit, employee_id)
        run = store_talent.batch(tx, today=visit.now.date()) if who else None
        file = store_talent.file_of(tx, employee_id) if run else None
    return file["told"]["activities"] if file else []


@dataclass(frozen=True)
class Moment:
    """Something worth seeing that somebody records."""

    employee_id: str
    kind: str
    happened_on: date
    note: str
    given_by: str | None = None


def add(store: Store, visit: Visit, moment: Moment, *, source: str) -> int:
    """Write an achievement of somebody within sight and return its number. Nobody praises themselves."""
    wrong = moment.kind not in KINDS or moment.happened_on > visit.now.date() or moment.given_by == moment.employee_id
    with store.begin() as tx:
        who = _person(tx, visit, moment.employee_id)
        result = "not_found" if who is None else "invalid" if wrong else "recorded"
        number = 0
        if result == "recorded":
            row = {**asdict(moment), "note": moment.note or None, "source": source}
            row |= {"recorded_by": visit.viewer.name, "recorded_at": visit.now}
            number = store_talent.add_achievement(tx, row)
        _record(tx, visit, "achievement.add", result, subject=moment.employee_id)
    if result != "recorded":
        raise Problem(result)
    return number


def hide(store: Store, visit: Visit, employee_id: str, entry: int, *, hidden: bool) -> None:
    """Hide an entry, or show it again: the person's own word, given on their page or through a system for them."""
    with store.begin() as tx:
        who = _person(tx, visit, employee_id)
        at = visit.now if hidden else None
        done = who is not None and store_talent.set_hidden(tx, entry, employee_id, at=at)
        action = "achievement.hide" if hidden else "achievement.show"
        _record(tx, visit, action, "recorded" if done else "not_found", subject=employee_id)
    if not done:
        raise Problem("not_found")


@dataclass(frozen=True)
class Reminders:
    """How many people within sight need what: ``counts`` as (need, people, per department), the most pressing first.

    ``names`` only when one need was asked for: the people, with what their file says of it; ``more``: where to go on.
    """

    run: dict[str, Any] | None
    counts: tuple[tuple[str, int, tuple[tuple[str, int], ...]], ...]
    need: str | None
    names: tuple[dict[str, Any], ...]
    more: str | None


def reminders(
    store: Store, visit: Visit, *, need: str | None, after: str | None, limit: int, min_group: int
) -> Reminders:
    """Return who needs what: numbers first; names of one need when they are asked for, an entry in the log for each.

    The same reader may ask for every name behind a number; small departments are put together all the same.
    """
    sight = visit.viewer.sight
    with store.begin() as tx:
        run = store_talent.batch(tx, today=visit.now.date())
        rows = store_talent.need_counts(tx, sight) if run else []
        asked = need if need in NEEDS else None
        names = store_talent.people_with(tx, sight, asked, after=after, limit=limit + 1) if run and asked else []
        for one in names[:limit]:
            _record(tx, visit, "growth.list", "shown", subject=one["employee_id"])
        if not names:
            _record(tx, visit, "growth.counts", "shown")
    counts = []
    for name in NEEDS:
        sizes = {row["department"] or "-": row["n"] for row in rows if row["need"] == name}
        if sizes:
            counts.append((name, sum(sizes.values()), groups.parts(sizes, min_group=min_group)))
    more = names[limit - 1]["employee_id"] if len(names) > limit else None
    return Reminders(run, tuple(counts), asked, tuple(names[:limit]), more)


@dataclass(frozen=True)
class Proposed:
    """People proposed for something, as pages and the API tell them; ``run`` is the batch behind it."""

    run: dict[str, Any] | None
    groups: tuple[tuple[dict[str, Any], tuple[dict[str, Any], ...]], ...]
    jobs: tuple[str, ...] = ()


def shortlist(store: Store, visit: Visit, opening: Opening | None) -> Proposed:
    """Return who could be asked about a post, contributions of the last two years first; each name is a look."""
    sight = visit.viewer.sight
    with store.begin() as tx:
        run, shared, rules, names = _everybody(tx, visit)
        found: tuple[openings.Named, ...] = ()
        if opening is not None and shared is not None:
            given = store_talent.contributions(tx, sight, since=shared.as_of - 2 * YEAR, until=visit.now.date())
            found = openings.shortlist(opening, shared, given, rules=rules)
        _looks(tx, visit, "growth.shortlist", [one.employee_id for one in found])
    rows = tuple({**names[one.employee_id], **asdict(one)} for one in found)
    jobs = tuple(sorted({job for job, _ in shared.asked})) if shared else ()
    return Proposed(run, ((asdict(opening), rows),) if opening else (), jobs)


def needed(store: Store, visit: Visit, needs: Sequence[Need]) -> Proposed:
    """Return who could grow into skills that will be needed, in the fewest hours together; each name is a look."""
    with store.begin() as tx:
        run, shared, rules, names = _everybody(tx, visit)
        found = openings.match(needs, shared, rules=rules) if shared and needs else ()
        _looks(tx, visit, "growth.needed", [one.employee_id for match in found for one in match.proposed])
    groups = []
    for match in found:
        head = {**asdict(match.need), "n_holding": match.n_holding, "n_possible": match.n_possible}
        groups.append((head, tuple({**names[one.employee_id], **asdict(one)} for one in match.proposed)))
    return Proposed(run, tuple(groups))


def _everybody(
    tx: Transaction, visit: Visit
) -> tuple[dict[str, Any] | None, Ground | None, Rules, dict[str, dict[str, Any]]]:
    """Return the batch and everybody within sight, as the models read them, and how they are called."""
    run = store_talent.batch(tx, today=visit.now.date())
    if run is None:
        return None, None, Rules({}, ()), {}
    rows = store_talent.files(tx, visit.viewer.sight)
    shared = run["shared"]
    courses = tuple(Course(**{**course, "skills": tuple(course["skills"])}) for course in shared["courses"])
    people = {row["employee_id"]: from_plain(row["facts"]) for row in rows}
    asked = {(job, level): dict(needs) for job, level, needs in shared["asked"]}
    names = {row["employee_id"]: {key: row[key] for key in row if key != "facts"} for row in rows}
    rules = Rules(shared["numbers"], tuple(Rule(**rule) for rule in shared["steps"]))
    return run, Ground(run["as_of"], people, courses, asked, ()), rules, names


@dataclass(frozen=True)
class Digest:
    """What people within sight achieved in one month, by kind; ``month`` as its first day."""

    month: date
    entries: tuple[dict[str, Any], ...]


def digest(store: Store, visit: Visit, month: date | None) -> Digest:
    """Return the month's achievements, of the newest month with any when none is asked for; each name is a look."""
    sight = visit.viewer.sight
    with store.begin() as tx:
        today = visit.now.date()
        first = (month or store_talent.last_achievement(tx, sight, until=today) or today).replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        rows = store_talent.achievements_in(tx, sight, first=first, last=min(last, today))
        _looks(tx, visit, "achievement.digest", sorted({row["employee_id"] for row in rows}))
    return Digest(first, tuple(rows))


def _looks(tx: Transaction, visit: Visit, action: str, people: Sequence[str]) -> None:
    for one in people:
        _record(tx, visit, action, "shown", subject=one)
    if not people:
        _record(tx, visit, action, "nobody")


def _record(tx: Transaction, visit: Visit, action: str, result: str, *, subject: str | None = None) -> None:
    audit.record(tx, audit.entry_of(visit, action, result, subject=subject), now=visit.now)
