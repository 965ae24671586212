"""MAIN: what is shown to whom. Each function opens one transaction, looks, writes the audit entry, and then answers.

    team needs      people together, never fewer than the smallest group
    forecast        how many will leave a department and job, and whom to hire by when; groups only
    a team's list   people in *act* and *watch*, by name within a band, one audit entry each
    one person      the assessment, what people decided, and who has looked

A person who is hidden from the viewer is answered exactly like one who does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from models.bands import band_of
from serving import (
    audit,
    case_service,
    curious,
    groups,
    store_contest,
    store_events,
    store_log,
    store_looks,
    store_people,
)
from serving.access import Visit
from serving.groups import Members
from serving.problems import Problem
from serving.seen import Assessed, Band, Forecast, Overview, Person, Run, TeamFigures, TeamList, TeamNeed, shown_plan
from serving.store import Store, Transaction
from serving.store_looks import Untold
from serving.store_people import ListOf, Place, Sight
from serving.store_share import share

N_NEEDS = 3
SMALL_NEED = 0.1
"""A driver with a smaller share of what raises the risk in a team is not called a need of that team."""

WORTH_SAYING = 0.05
"""Log-odds. A reason below it is "about the usual risk": true, and one sentence more to read for a tired person."""

READERS_SHOWN = 50


def overview(store: Store, visit: Visit, *, min_group: int) -> Overview:
    """Return the teams within sight, the largest share of expected exits first; see ``groups`` for what is told."""
    today, viewer = visit.now.date(), visit.viewer
    with store.begin() as tx:
        run = _run(tx)
        sums = store_people.team_sums(tx, viewer.sight, run.id, today=today, myself=groups.self_of(viewer))
        drivers = store_people.team_drivers(tx, viewer.sight, run.id, today=today)
    teams = []
    for row in sums:
        kept_back = row["n_objecting"] + (row["n_aside"] if viewer.sees_numbers else 0)
        members = Members(row["n_people"], row["n_judged"], row["n_unseen"], kept_back)
        fine = groups.may_tell(members, viewer, min_group=min_group)
        raising = drivers.get((row["team"], row["department"]), [])
        teams.append(TeamNeed(row["team"], row["department"], _figures(row, raising) if fine else None))
    return Overview(run, tuple(sorted(teams, key=_care_first)))


def _figures(row: Mapping[str, Any], drivers: list[tuple[str, float]]) -> TeamFigures:
    total = sum(amount for _, amount in drivers)
    shares = [(driver, amount / total) for driver, amount in drivers if driver != "context"] if total else []
    needs = tuple((driver, groups.share(part)) for driver, part in shares[:N_NEEDS] if part >= SMALL_NEED)
    expected = groups.whole(row["expected_exits"])
    low, high = groups.likely(expected, row["n_judged"])
    return TeamFigures(row["n_people"], row["n_judged"], expected, low, high, needs)


def _care_first(need: TeamNeed) -> tuple[bool, float, str, str]:
    """Order by what is told: an order by the exact sums would tell more than they do."""
    figures = need.figures
    rate = -(figures.expected_exits / figures.n_judged) if figures else 0.0
    return figures is None, rate, need.team, need.department or ""


def forecast(store: Store, visit: Visit, *, min_group: int) -> Forecast:
    """Return the ledger as it was cut when the batch was scored: the same groups for every reader, no total.

    Whoever sees everybody gets all lines, whoever sees a department its own; a team or a reporting line cuts through
    the groups, so those who see only that see none. When the smallest group has been raised since, nothing is shown
    until the next batch. A reader of numbers does not get a line in which somebody stands who has objected.
    """
    sight = visit.viewer.sight
    with store.begin() as tx:
        row = store_people.current_run(tx)
        run = _run(tx)
        told = row["forecast"] if row else None
        if sight.kind not in ("everyone", "department") or told is None or told["min_group"] < min_group:
            result = "not_found"
        else:
            result = "shown" if row and row["forecast_until"] >= visit.now.date() else "expired"
        objecting = store_contest.places_objecting(tx) if visit.viewer.sees_numbers else []
        _record(tx, visit, "forecast.read", result, run=run)
    if result != "shown" or row is None or told is None:
        raise Problem(result)
    mine = [one for one in told["lines"] if sight.kind == "everyone" or one["department"] == sight.value]
    mine = [one for one in mine if not groups.may_hold(one, objecting)]
    until = date.fromisoformat(told["until"])
    return Forecast(run, tuple(mine), until, told["service_level"], told["min_group"], row["forecast_until"])


def team_list(
    store: Store,
    visit: Visit,
    asked: tuple[str, tuple[str, ...]],
    *,
    after: Place | None,
    limit: int,
    min_group: int | None = None,
) -> TeamList:
    """Return the people of a team in the asked bands; every name on the list is a look at that person.

    With ``min_group`` also who has withdrawn lately, and whether the team as a whole has.
    """
    team, bands = asked
    today, sight = visit.now.date(), visit.viewer.sight
    events: list[dict[str, Any]] = []
    signals: list[dict[str, Any]] = []
    with store.begin() as tx:
        run = _run(tx)
        known = store_people.team_exists(tx, visit.viewer.sight, team)
        wanted = ListOf(run.id, team, bands, after, limit + 1)
        rows = store_people.people_in_bands(tx, visit.viewer.sight, wanted, today=today) if known else []
        people = [
            _assessed(row, _standing(row), run.card, numbers=False, shown=row["shown_band"]) for row in rows[:limit]
        ]
        if not known:
            _record(tx, visit, "team.list", "not_found")
        if known and min_group is not None and after is None:
            events = store_events.events_of(tx, sight, today=today, team=team, status="open")
            if store_people.wholly_seen(tx, sight, team, myself=groups.self_of(visit.viewer)):
                signals = store_events.team_signals(tx, today=today, min_group=min_group, team=team)
        for one in sorted({*(person.employee_id for person in people), *(e["employee_id"] for e in events)}):
            _record(tx, visit, "team.list", "shown", subject=one, run=run)
    if not known:
        raise Problem("not_found")
    last = rows[limit - 1] if len(rows) > limit else None
    place = (last["rank"], last["name"] or "", last["employee_id"]) if last else None
    return TeamList(run, team, tuple(people), place, tuple(events), tuple(signals))


def _standing(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["decision"] is None or row["decision"] == "follow":
        return None
    return {"decision": row["decision"], "decided_by": row["decided_by"]}


def person(store: Store, visit: Visit, employee_id: str, *, question: bool = False) -> Person:
    """Return one person's page, after the look has been written down; expired and hidden ones are refused.

    ``question``: for a what-if, which costs a reader as much as another person (``curious``).
    """
    with store.begin() as tx:
        run = _run(tx)
        found = _look(tx, visit, run, employee_id)
        if isinstance(found, Assessed):
            found = curious.may_open(tx, visit, employee_id, question=question) or found
        result = found if isinstance(found, str) else "shown"
        _record(tx, visit, "risk.read", result, subject=employee_id, run=run)
        if isinstance(found, Assessed):
            cases, speaks_for = case_service.of_person(tx, visit, employee_id)
            readers = tuple(store_log.entries_about(tx, employee_id, limit=READERS_SHOWN))
            event = store_events.newest_of(tx, employee_id, today=visit.now.date())
    if isinstance(found, str):
        raise _refusal(found)
    return Person(run, found, cases, speaks_for, readers, event)


async def risk(store: Store, visit: Visit, employee_id: str) -> tuple[Run, Assessed]:
    """Return what is said about one person, after the look has been written down together with those of other readers.

    The API's way: without what people decided and who else has read it, which only the page tells.
    """
    run, found = await share(store, _looks, (store, visit, employee_id))
    if isinstance(found, str):
        raise _refusal(found)
    told = _shown(found.tell(), visit, run, today=visit.now.date())  # after the commit, while others' is on its way
    if isinstance(told, str):
        raise _refusal(told)
    return run, told


def _refusal(name: str) -> Problem:
    return Problem(name, retry_after=curious.SLOW_SECONDS if name == "slow_down" else None)


def _looks(tx: Transaction, asked: Sequence[tuple[Store, Visit, str]]) -> list[tuple[Run, Untold | str]]:
    """Return what each reader may see of whom they asked for, not told yet, and write down every look."""
    run = _run(tx, known=asked[0][0].runs)
    wanted: dict[tuple[Sight, date], list[str]] = {}
    for _, visit, employee_id in asked:
        wanted.setdefault((visit.viewer.sight, visit.now.date()), []).append(employee_id)
    said = {
        (sight, today): store_looks.untold(tx, sight, run.id, people, today=today)
        for (sight, today), people in wanted.items()
    }
    out: list[tuple[Run, Untold | str]] = []
    entries = []
    for _, visit, employee_id in asked:
        today = visit.now.date()
        row = said[visit.viewer.sight, today].get(employee_id)
        found = _kept_from(row.row if row else None, today=today) or curious.may_open(tx, visit, employee_id) or row
        if found is None:
            raise RuntimeError("a look found neither a row nor a reason not to show it")
        result = found if isinstance(found, str) else "shown"
        out.append((run, found))
        entries.append((audit.entry_of(visit, "risk.read", result, subject=employee_id, run=run), visit.now))
    named = {one: row.token for rows in said.values() for one, row in rows.items() if row.token is not None}
    audit.record_all(tx, entries, named=named)
    return out


def _kept_from(row: Mapping[str, Any] | None, *, today: date) -> str | None:
    """Return why nothing is shown, or ``None``: hidden and unknown people are the same problem."""
    if row is None:
        return "not_found"
    return "expired" if row["valid_until"] < today else None


def _shown(row: dict[str, Any] | None, visit: Visit, run: Run, *, today: date) -> Assessed | str:
    """Return the assessment, or the name of the problem."""
    problem = _kept_from(row, today=today)
    if row is None or problem is not None:
        return problem or "not_found"
    override = row["override"]
    shown = row["band"] if override is None else override["decision"]
    return _assessed(row, override, run.card, numbers=visit.viewer.sees_numbers, shown=shown)


def _look(tx: Transaction, visit: Visit, run: Run, employee_id: str) -> Assessed | str:
    """Return the assessment, or the name of the problem: hidden and unknown people are the same one."""
    today = visit.now.date()
    rows = store_looks.said(tx, visit.viewer.sight, run.id, [employee_id], today=today)
    return _shown(rows.get(employee_id), visit, run, today=today)


def _assessed(
    row: Mapping[str, Any], override: dict[str, Any] | None, card: Mapping[str, Any], *, numbers: bool, shown: str
) -> Assessed:
    """Return what may be shown: no numbers without the right to them, nothing at all of what a person set aside."""
    aside = shown == "disregard"
    judged = row["band"] != "cannot_judge" and not aside
    told = [] if aside else row["reasons"]
    reasons = told if numbers else [_in_words(one) for one in told if abs(one["contribution"]) >= WORTH_SAYING]
    return Assessed(
        employee_id=row["employee_id"],
        name=row["name"],
        job=row["job"],
        team=row.get("team"),
        department=row.get("department"),
        seen_because=row["seen_because"],
        valid_until=row["valid_until"],
        band=None if aside else cast(Band, shown),
        risk=dict(row["risk"]) if numbers and judged else None,
        other=dict(row["other"]) if numbers and judged else None,
        interval=row["interval"] if numbers and judged else None,
        may_be=_may_be(row["interval"], card) if judged else None,
        cannot_judge_en=row["cannot_judge_en"],
        cannot_judge_zh=row["cannot_judge_zh"],
        reasons=tuple(reasons),
        plan={} if aside else shown_plan(row["plan"]),
        override=override,
    )


def _may_be(interval: Mapping[str, Sequence[float]] | None, card: Mapping[str, Any]) -> tuple[Band, Band] | None:
    """Return the bands of both ends of the interval at the reference horizon, when they are different ones."""
    if not interval:
        return None
    low, high = (band_of(end, card["bands"]) for end in interval[str(card["reference_horizon_days"])])
    return None if low == high else (low, high)


def _in_words(reason: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reason without the numbers from which a probability could be put together again."""
    return {key: reason[key] for key in ("driver", "direction", "text_en", "text_zh")}


@dataclass(frozen=True)
class Decision:
    """What a person decided: about the assessment (``override``) or about an event of withdrawal."""

    employee_id: str
    what: str
    words: str
    decided_by: str = ""
    status: str = ""


def override(store: Store, visit: Visit, decision: Decision, *, valid_days: int) -> None:
    """Write a person's word over the assessment. It is visible at once and later scoring does not touch it."""
    with store.begin() as tx:
        run = _run(tx)
        found = _look(tx, visit, run, decision.employee_id)
        result = found if isinstance(found, str) else "recorded"
        if isinstance(found, Assessed):
            row = {
                "employee_id": decision.employee_id,
                "run_id": run.id,
                "decision": decision.what,
                "reason": decision.words,
                "decided_by": visit.viewer.name,
                "decided_at": visit.now,
                "valid_until": visit.now.date() + timedelta(days=valid_days),
            }
            store_people.add_override(tx, row)
        _record(tx, visit, "override", result, subject=decision.employee_id, run=run)
    if isinstance(found, str):
        raise Problem(found)


def events(
    store: Store, visit: Visit, *, team: str | None, employee_id: str | None, status: str | None
) -> list[dict[str, Any]]:
    """Return who within sight has withdrawn lately; asked for by number, a hidden person is an unknown one."""
    today, sight = visit.now.date(), visit.viewer.sight
    with store.begin() as tx:
        hidden = employee_id is not None and store_people.visible_person(tx, sight, employee_id) is None
        hidden = hidden or (team is not None and not store_people.team_exists(tx, sight, team))
        rows = [] if hidden else store_events.events_of(tx, sight, today=today, team=team, status=status)
        rows = [row for row in rows if employee_id in (None, row["employee_id"])]
        for one in sorted({row["employee_id"] for row in rows}):
            _record(tx, visit, "events.list", "shown", subject=one)
        if not rows:
            _record(tx, visit, "events.list", "not_found" if hidden else "nobody", subject=employee_id)
    if hidden:
        raise Problem("not_found")
    return rows


def decide_withdrawal(store: Store, visit: Visit, decision: Decision) -> None:
    """Write that a named person has reached out, or why not: the event is then closed."""
    with store.begin() as tx:
        who = store_people.visible_person(tx, visit.viewer.sight, decision.employee_id)
        found = store_events.newest_of(tx, decision.employee_id, today=visit.now.date()) if who else None
        if found is not None:
            words = {"status": decision.status, "decided_by": decision.decided_by, "decided_at": visit.now}
            store_events.decide(tx, found["id"], words)
        result = "recorded" if found is not None else "not_found"
        _record(tx, visit, "withdrawal.decide", result, subject=decision.employee_id)
    if found is None:
        raise Problem("not_found")


def current(store: Store) -> Run:
    """Return the batch that is shown."""
    with store.begin() as tx:
        return _run(tx)


def has_scores(store: Store) -> bool:
    """Whether there is a batch to show."""
    with store.begin() as tx:
        return store_people.current_run(tx) is not None


def log_page(store: Store, visit: Visit, *, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Return a page of the audit log, newest first; reading the log is in the log as well."""
    with store.begin() as tx:
        rows = store_log.entries_page(tx, before=before, limit=limit + 1)
        _record(tx, visit, "audit.read", "shown")
    return rows


def _run(tx: Transaction, *, known: dict[int, Run] | None = None) -> Run:
    stopped, number = store_looks.shown(tx)
    if stopped:
        raise Problem("stopped")
    if known is not None and number in known:
        return known[number]  # its card, long and never changed, is read once per batch and process
    row = store_people.current_run(tx)
    if row is None:
        raise Problem("not_scored")
    run = Run(**{key: row[key] for key in Run.__dataclass_fields__})
    if known is not None:
        known.clear()
        known[run.id] = run
    return run


def _record(
    tx: Transaction, visit: Visit, action: str, result: str, *, subject: str | None = None, run: Run | None = None
) -> None:
    audit.record(tx, audit.entry_of(visit, action, result, subject=subject, run=run), now=visit.now)


run_of, look, record = _run, _look, _record
"""For ``contest``: the one door to a batch (held shut by a stop), the one look at a person, the one entry."""
