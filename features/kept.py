"""Rows of the matrix that need not be worked out again: a monthly run reads what is new, not all history.

What a row says depends on the records known by its ``as_of`` alone (a law that the tests hold). So a row stays right
until a record arrives that was known on or before that day; then this day and all later ones are worked out anew:

    kept as_of          31 Jan   29 Feb   31 Mar      arrives: a review known on 12 March
    still right          yes      yes      no

Rows lie in the lake's own folder, one file per ``as_of``, and go as a whole with any erasure, repair or change of the
columns. They are a copy: deleting the folder costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

import polars as pl

import features
from features.lake import KEPT, Lake
from features.matrix import Matrix, cards_of, matrix
from features.snapshots import Records
from features.tables import OwnColumn

FACTS = "kept.json"


def kept_matrix(lake: Lake, *, as_of: Sequence[date], versions: Mapping[str, int], records: Records) -> Matrix:
    """``matrix(records, as_of=…)``, each day that was worked out before taken from where it was kept.

    ``records`` must be what ``lake`` holds at ``versions`` (in any engine).
    """
    own = lake.own_columns()
    folder = lake.folder / KEPT
    days = sorted(set(as_of))
    facts = _facts(lake, own, versions)
    right = _still_right(lake, folder, facts, versions)
    missing = [day for day in days if day not in right]
    cards = cards_of(own)
    fresh = matrix(records, as_of=missing, own=own).frame if missing else None
    if fresh is not None:
        _keep(folder, fresh, missing, right, facts)
    parts = [pl.read_parquet(_path(folder, day)) for day in days if day in right]
    frame = pl.concat([*parts, *([fresh] if fresh is not None else [])]).sort("as_of", "employee_id")
    return Matrix(frame, cards)


def forget(folder: Path) -> None:
    """Nothing is kept any more."""
    shutil.rmtree(folder, ignore_errors=True)


def _facts(lake: Lake, own: Sequence[OwnColumn], versions: Mapping[str, int]) -> dict[str, object]:
    """What the kept rows were made of: the code of the features, the own columns and the versions of the tables."""
    return {"code": _code(), "own": [asdict(one) for one in own], "versions": dict(versions)}


def _code() -> str:
    """A sum over the sources of the features: another way of counting is another column."""
    root = Path(features.__file__).parent
    sums = hashlib.sha256()
    for path in sorted(root.glob("*.py")):
        sums.update(path.read_bytes())
    return sums.hexdigest()


def _still_right(lake: Lake, folder: Path, facts: Mapping[str, object], versions: Mapping[str, int]) -> set[date]:
    """The kept days before anything that has arrived since; none when the rows were made otherwise."""
    try:
        told = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return set()
    if any(told.get(name) != facts[name] for name in ("code", "own")):
        return set()
    news = lake.known_since(told["versions"], versions)
    if news is None:
        return set()
    days = (date.fromisoformat(day) for day in told["days"])
    return {day for day in days if (news.day is None or day < news.day) and _path(folder, day).exists()}


def _keep(folder: Path, fresh: pl.DataFrame, missing: Sequence[date], right: set[date], facts: object) -> None:
    """The facts are written last: a kill on the way leaves files that nobody vouches for."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACTS).unlink(missing_ok=True)
    for day in missing:
        draft = folder / f"{day.isoformat()}.new"
        fresh.filter(pl.col("as_of") == day).write_parquet(draft)
        os.replace(draft, _path(folder, day))
    days = sorted(day.isoformat() for day in {*right, *missing})
    for path in folder.glob("*.parquet"):
        if path.stem not in days:
            path.unlink()
    draft = folder / "facts.new"
    draft.write_text(json.dumps({**dict(facts), "days": days}, ensure_ascii=False, indent=1), encoding="utf-8")  # type: ignore[call-overload]
    os.replace(draft, folder / FACTS)


def _path(folder: Path, day: date) -> Path:
    return folder / f"{day.isoformat()}.parquet"
