"""The organisation's own word over the catalog: entries it adds, switches off or changes, in one TOML file.

    off = ["hybrid_work", "long_term_share"]      what is not offered here

    [change.skill_course]                         what is different here
    pay_months = 0.1
    capacity = 20

    [[action]]                                    an own entry, in the full form of care_actions.toml
    id = "staff_canteen_voucher"
    …

Evidence and texts of a shipped entry cannot be changed: an own entry with a name of its own says whose it is.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from features.errors import FixableError
from models.catalog import DEFAULT_CATALOG, Catalog, catalog_of, entry_problems, load_catalog, read_toml

CHANGEABLE = ("manager_hours", "pay_months", "capacity", "reaches", "days", "who_decides", "bands", "cost")
PARTS = ("off", "change", "action")


def load_with_own(own: Path, *, shipped: Path | None = None) -> Catalog:
    """Return the shipped catalog with the organisation's word applied; without the file, as it is shipped.

    An entry that is switched off also leaves the combined offers it is part of; an offer without parts goes with it.
    Raises ``FixableError`` naming file, entry, key, rule and fix of everything wrong at once.
    """
    catalog = load_catalog(shipped)
    if not own.exists():
        return catalog
    data = read_toml(own)
    entries = read_toml(shipped or DEFAULT_CATALOG)["action"]
    problems = [f"{key}: unknown key; use {', '.join(PARTS)}" for key in sorted(set(data) - set(PARTS))]
    off, change, added = data.get("off", []), data.get("change", {}), data.get("action", [])
    ids = [entry["id"] for entry in entries]
    problems += _off_problems(off, ids) + _change_problems(change, ids) + _added_problems(added, ids)
    _refuse(own, problems)
    changed = [{**entry, **change.get(entry["id"], {})} for entry in entries]
    problems = entry_problems([*changed, *added])
    _refuse(own, problems)
    return _without(catalog_of([*changed, *added]), frozenset(off))


def _refuse(own: Path, problems: list[str]) -> None:
    if not problems:
        return
    raise FixableError(
        f"The organisation's care actions {own} have {len(problems)} problems.",
        [f"{own.name}: {problem}" for problem in problems],
    )


def _off_problems(off: Any, ids: list[str]) -> list[str]:
    if not isinstance(off, list) or not all(isinstance(name, str) for name in off):
        return ['off: must be a list of ids, such as ["hybrid_work"]']
    return [f"off: {name}: there is no such entry; {_nearest(name, ids)}" for name in off if name not in ids]


def _change_problems(change: Any, ids: list[str]) -> list[str]:
    if not isinstance(change, dict) or not all(isinstance(told, dict) for told in change.values()):
        return ["change: must be tables, such as [change.skill_course]"]
    problems = [f"change.{name}: there is no such entry; {_nearest(name, ids)}" for name in change if name not in ids]
    for name, told in change.items():
        wrong = sorted(set(told) - set(CHANGEABLE))
        allowed = f"use {', '.join(CHANGEABLE)}, or switch it off and add an entry of your own"
        problems += [f"change.{name}: {key}: cannot be changed; {allowed}" for key in wrong]
    return problems


def _added_problems(added: Any, ids: list[str]) -> list[str]:
    if not isinstance(added, list):
        return ["action: must be [[action]] entries"]
    taken = [entry.get("id") for entry in added if isinstance(entry, dict) and entry.get("id") in ids]
    return [f"{name}: id: the catalog has such an entry already; give yours another id" for name in taken]


def _nearest(name: str, ids: list[str]) -> str:
    near = get_close_matches(name, ids, n=1)
    return f"did you mean {near[0]}?" if near else "see docs/care.md for the ids"


def _without(catalog: Catalog, off: frozenset[str]) -> Catalog:
    kept = []
    for action in catalog.actions:
        parts = tuple(part for part in action.parts if part not in off)
        if action.id not in off and (parts or not action.parts):
            kept.append(replace(action, parts=parts))
    return Catalog(tuple(kept))
