"""A growth file told in words, once, for the page, the PDF and the console: sections of items of short lines.

Everything is for a talk about growing. Nothing of a risk comes in here, and no number ranks a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from serving.talent import Seen
from serving.words import Words

Mark = Literal["", "head", "met", "missing", "unknown"]
ENTRIES_SHOWN = 10


@dataclass(frozen=True)
class Item:
    """A head, lines below it, and how it stands where that is known; ``head`` opens the items that follow."""

    head: str
    lines: tuple[str, ...] = ()
    mark: Mark = ""


@dataclass(frozen=True)
class Section:
    """A part of the report; ``key`` names it for links."""

    key: str
    title: str
    intro: str
    items: tuple[Item, ...]


def title(seen: Seen, words: Words) -> str:
    """Return whose report it is."""
    return words("growth.title", name=seen.who["name"] or seen.who["id"])


def subtitle(seen: Seen, words: Words) -> str:
    """Return number, job, level and team in a line."""
    facts = seen.facts or {}
    level = words("growth.level", n=facts["level"]) if facts.get("level") else None
    parts = (seen.who["id"], seen.who["job"], level, seen.who["team"], seen.who["department"])
    return " · ".join(dict.fromkeys(str(part) for part in parts if part and part != "-"))


def sections(seen: Seen, words: Words) -> tuple[Section, ...]:
    """Return the report. Contributions come first; without a file nothing else is told."""
    parts = [_achievements(seen, words)]
    if seen.told is not None and seen.facts is not None:
        parts += [_target(target, words) for target in seen.told["targets"]]
        parts += [_people(seen, words), _steps(seen.told, words), _potential(seen.told, words)]
        parts += [_present(seen.facts, words), _activities(seen.told["activities"], words)]
    return tuple(part for part in parts if part.items or part.intro)


def footer(seen: Seen, words: Words) -> tuple[str, ...]:
    """Return what the report rests on and what it is not for."""
    run = seen.run
    if run is None or seen.told is None:
        return (words("growth.no_file"), words("growth.never"))
    told = words("growth.as_of", day=words.day(run["as_of"]), until=words.day(run["valid_until"]))
    return told, words("growth.limits"), words("growth.never")


def skill(name: str) -> str:
    """Return a skill as people read it.

    >>> skill("patient_talk")
    'patient talk'
    """
    return name.replace("_", " ")


def entry(row: Mapping[str, Any], words: Words) -> str:
    """Return an achievement in a line: the day, what it was, and the sentence that goes with it."""
    told = f"{words.day(row['happened_on'])}{words('site.colon')}{words('achievement_kind.' + row['kind'])}"
    note = f" – {row['note']}" if row["note"] else ""
    by = f" ({words('growth.given_by', name=row['giver'])})" if row.get("giver") else ""
    return told + note + by


def _achievements(seen: Seen, words: Words) -> Section:
    rows = [row for row in seen.achievements if row["hidden_at"] is None]
    items = tuple(Item(entry(row, words)) for row in rows[:ENTRIES_SHOWN])
    intro = words("growth.achievements_none") if not items else ""
    if len(rows) > ENTRIES_SHOWN:
        intro = words("growth.achievements_more", n=len(rows), shown=ENTRIES_SHOWN)
    return Section("achievements", words("growth.achievements"), intro, items)


def _target(target: Mapping[str, Any], words: Words) -> Section:
    post = _post(target["job"], target["level"], words)
    n_met = target["n_asked"] - len(target["gaps"]) - len(target["unrated"])
    if target["kind"] == "wished":
        unrated = {gap["skill"] for gap in target["gaps"]} & set(target["unrated"])
        n_met += len(unrated)
    intro = [words("growth.met", n=max(n_met, 0), of=target["n_asked"])]
    if target["unrated"]:
        intro.append(words("growth.unrated", skills=words("site.and").join(skill(s) for s in target["unrated"])))
    if target["courses"]:
        intro.append(words("growth.hours", hours=f"{target['hours']:g}"))
    items = [_gap(gap, words) for gap in target["gaps"]]
    items += [_course(course, words) for course in target["courses"]]
    heading = words("growth.present", post=post) if target["kind"] == "present" else words("growth.wished", post=post)
    return Section(target["kind"], heading, words("site.gap").join(intro), tuple(items))


def _post(job: str, level: int | None, words: Words) -> str:
    return words("growth.post", job=job, n=level) if level else job


def _gap(gap: Mapping[str, Any], words: Words) -> Item:
    told = words("growth.gap", held=f"{gap['held']:g}", asked=f"{gap['asked']:g}")
    reached = gap["reached"]
    if reached is None:
        after = words("growth.no_course")
    elif reached < gap["asked"]:
        after = words("growth.partly", level=f"{reached:g}")
    else:
        after = words("growth.closed")
    return Item(skill(gap["skill"]), (f"{told}{words('site.gap')}{after}",), "missing")


def _course(course: Mapping[str, Any], words: Words) -> Item:
    closes = words("site.and").join(
        words("growth.closes", skill=skill(name), level=f"{level:g}") for name, level in course["closes"]
    )
    facts = [words("growth.course_hours", hours=f"{course['hours']:g}")]
    facts += [course["mode"]] if course["mode"] else []
    facts += [words("growth.begun")] if course["begun"] else []
    return Item(words("growth.course", title=course["title"]), (f"{closes} · {' · '.join(facts)}",))


def _people(seen: Seen, words: Words) -> Section:
    items = [_companion(row, words) for row in seen.pairs]
    for host in (seen.told or {})["projects"]:
        lines = [words("growth.host", n=host["n_holders"], skill=skill(host["skill"]))]
        lines += [words("growth.gives", skill=skill(host["gives"]))] if host["gives"] else []
        items.append(Item(words("growth.project", team=host["team"]), tuple(lines)))
    return Section("people", words("growth.people"), words("growth.people_intro") if items else "", tuple(items))


def _companion(row: Mapping[str, Any], words: Words) -> Item:
    named = " · ".join(part for part in (row["name"] or row["other_id"], row["job"], row["team"]) if part)
    what = words("growth.mentor", skill=skill(row["skill"])) if row["kind"] == "mentor" else words("growth.buddy")
    why = words("site.and").join(words(f"companion.{reason}") for reason in row["reasons"])
    return Item(f"{what}{words('site.colon')}{named}", (words("growth.because", why=why),))


def _steps(told: Mapping[str, Any], words: Words) -> Section:
    items = []
    for step in told["steps"]:
        post = _post(step["job"], step["level"], words)
        head = words(f"ladder.{step['ladder']}", post=post)
        items.append(Item(head, (words(f"verdict.{step['verdict']}"),), "head"))
        items += [_check(check, words) for check in step["checks"]]
        short = [s for s in step["skills"] if s[1] is not None and s[1] < s[2]]
        if short:
            named = words("site.and").join(f"{skill(name)} ({held:g} → {asked:g})" for name, held, asked in short)
            items.append(Item(words("growth.skills_short"), (named,), "missing"))
    return Section("steps", words("growth.steps"), words("growth.steps_intro") if items else "", tuple(items))


def _check(check: Mapping[str, Any], words: Words) -> Item:
    text = words.of(check, "text")
    have = words("growth.on_record", have=check["have"]) if check["have"] is not None else words("growth.unknown")
    return Item(text, (have,), check["state"])


def _potential(told: Mapping[str, Any], words: Words) -> Section:
    items = tuple(Item(words(f"sign.{one['measure']}"), (words(f"place.{one['place']}"),)) for one in told["potential"])
    n = max((one["n_peers"] for one in told["potential"]), default=0)
    intro = words("growth.potential_intro", n=n) if items else ""
    return Section("potential", words("growth.potential"), intro, items)


def _present(facts: Mapping[str, Any], words: Words) -> Section:
    """What the person said to want, goals, learning and the last reviews."""
    items = []
    if facts["wants"] or facts["target_job"]:
        wish = words(f"wish.{facts['wants'] or 'transfer'}", job=facts["target_job"] or words("wish.any"))
        items.append(Item(words("growth.wish", day=words.day(date.fromisoformat(facts["wished_on"]))), (wish,)))
    if facts["goals_open"] is not None:
        goals = {name: facts[f"goals_{name}"] for name in ("open", "overdue", "done")}
        items.append(Item(words("growth.goals"), (words("growth.goals_told", **goals),)))
    if facts["learning_hours"] is not None:
        n = len(facts["done"])
        told = words("growth.learning_told", hours=f"{facts['learning_hours']:g}", n=n, begun=len(facts["begun"]))
        items.append(Item(words("growth.learning"), (told,)))
    if facts["ratings"]:
        last = [f"{words.day(date.fromisoformat(day))} {share:.0%}" for day, share in facts["ratings"][:3]]
        items.append(Item(words("growth.reviews"), (" · ".join(last),)))
    return Section("now", words("growth.now"), "", tuple(items))


def _activities(rows: list[Mapping[str, Any]], words: Words) -> Section:
    items = tuple(Item(*activity(row, words)) for row in rows)
    return Section("activities", words("growth.activities"), "", items)


def activity(row: Mapping[str, Any], words: Words) -> tuple[str, tuple[str, ...]]:
    """Return an activity to come, and for which interest it is suggested."""
    place = f" · {row['place']}" if row["place"] else ""
    head = f"{words.day(date.fromisoformat(row['day']))}{words('site.colon')}{row['title']}{place}"
    return head, (words("growth.liked", interest=row["interest"]),)
