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
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

import features
from features.lake import KEPT, Lake
from features.matrix import Matrix, cards_of, matrix
from features.snapshots import Records
from features.tables import OwnColumn

FACTS = "kept.json"
ENGINES = ("polars", "spark")
AT_ONCE = 150_000
"""Rows of the matrix worked out together: their columns, and the ties of so many people, fit into few gigabytes."""


@dataclass(frozen=True)
class _Kept:
    """The folder, what its rows were made of (code, own columns, versions of the tables), and the days it holds."""

    folder: Path
    facts: Mapping[str, object]
    days: frozenset[date]


def kept_matrix(
    lake: Lake, *, as_of: Sequence[date], versions: Mapping[str, int] | None = None, engine: str = "polars"
) -> Matrix:
    """``matrix`` of what the lake holds (at ``versions``), each day worked out before taken from where it was kept.

    Missing days are worked out ``AT_ONCE`` rows at a time and put aside, so memory stays bounded and a kill costs one
    portion. ``engine`` is one of ``ENGINES``.
    """
    versions = lake.versions() if versions is None else versions
    own, days = lake.own_columns(), sorted(set(as_of))
    kept = _open(lake, own, versions)
    missing = [day for day in days if day not in kept.days]
    if missing:
        given = _records(lake, versions, engine)
        for portion in _portions(lake, versions, missing):
            kept = _with(kept, matrix(given, as_of=portion, own=own).frame, portion)
    frame = pl.concat([pl.read_parquet(_path(kept.folder, day)) for day in days])
    return Matrix(frame, cards_of(own))


def kept_day(lake: Lake, day: date, *, versions: Mapping[str, int]) -> Matrix | None:
    """The matrix of one day, if it is kept and still right; None otherwise. Never works anything out."""
    own = lake.own_columns()
    kept = _open(lake, own, versions)
    return Matrix(pl.read_parquet(_path(kept.folder, day)), cards_of(own)) if day in kept.days else None


def _records(lake: Lake, versions: Mapping[str, int], engine: str) -> Records:
    if engine == "polars":
        return lake.read(versions=versions)
    from features import spark  # an extra: loaded when it is asked for

    return spark.records(lake, spark.session(), versions=versions)


def _portions(lake: Lake, versions: Mapping[str, int], days: Sequence[date]) -> list[list[date]]:
    """The days in runs of about ``AT_ONCE`` rows."""
    n_people = lake.read(["employees"], versions=versions)["employees"].select(pl.len()).collect().item()
    length = max(1, AT_ONCE // max(n_people, 1))
    return [list(days[i : i + length]) for i in range(0, len(days), length)]


def _open(lake: Lake, own: Sequence[OwnColumn], versions: Mapping[str, int]) -> _Kept:
    """What is kept and still right: nothing when the rows were made otherwise or records were taken away."""
    facts = {"code": _code(), "own": [asdict(one) for one in own]}
    empty = _Kept(lake.folder / KEPT, {**facts, "versions": dict(versions)}, frozenset())
    try:
        told = json.loads((empty.folder / FACTS).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return empty
    news = lake.known_since(told["versions"], versions) if all(told[name] == facts[name] for name in facts) else None
    if news is None:
        return empty
    days = (date.fromisoformat(day) for day in told["days"])
    right = (day for day in days if (news.day is None or day < news.day) and _path(empty.folder, day).exists())
    return replace(empty, days=frozenset(right))


def _with(kept: _Kept, fresh: pl.DataFrame, portion: Sequence[date]) -> _Kept:
    """The portion is put beside what is kept. The facts go first and come back last: a kill on the way leaves files
    that nobody vouches for."""
    kept.folder.mkdir(parents=True, exist_ok=True)
    (kept.folder / FACTS).unlink(missing_ok=True)
    for day in portion:
        draft = kept.folder / f"{day.isoformat()}.new"
        fresh.filter(pl.col("as_of") == day).write_parquet(draft)
        os.replace(draft, _path(kept.folder, day))
    both = replace(kept, days=kept.days | set(portion))
    names = sorted(day.isoformat() for day in both.days)
    for path in kept.folder.glob("*.parquet"):
        if path.stem not in names:
            path.unlink()
    draft = kept.folder / "facts.new"
    draft.write_text(json.dumps({**kept.facts, "days": names}, ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(draft, kept.folder / FACTS)
    return both


def _code() -> str:
    """A sum over the sources of the features: another way of counting is another column."""
    root = Path(features.__file__).parent
    sums = hashlib.sha256()
    for path in sorted([*root.glob("*.py"), *root.glob("withdrawal/*.py")]):
        sums.update(path.read_bytes())
    return sums.hexdigest()


def _path(folder: Path, day: date) -> Path:
    return folder / f"{day.isoformat()}.parquet"
