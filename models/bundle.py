"""A trained model as a folder of plain files: JSON, LightGBM's text, checksums and golden rows. Never a pickle.

``manifest.json`` names the SHA-256 of every other file; its own is the bundle's. ``golden.json`` holds invented rows
(each column drawn on its own, so that no row is a person) with what the model said of them when it was made: a bundle
that says anything else on loading is refused. Because LightGBM's parser can end the process on a damaged file, a
bundle from outside is first opened in a child process (``check_in_child``).
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import FixableError
from models.card import ModelCard
from models.risk import RiskModel

MANIFEST = "manifest.json"
MAX_BYTES = 64 * 1024 * 1024
CHILD_BYTES = 6 * 1024**3
"""Address space of the process that tries a bundle: the libraries reserve a good part of it, a model little."""

GOLDEN_ROWS = 50
GOLDEN_TOLERANCE = 1e-6


class BundleError(FixableError):
    """A bundle that must not be served: a checksum, a file or a golden row is not what was signed off."""


@dataclass(frozen=True)
class Bundle:
    """A verified model with its facts. ``version`` is the registry's number, ``sha256`` the manifest's."""

    model: RiskModel
    card: ModelCard
    version: str
    sha256: str
    degraded: bool = False

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What was worked out from the model and its card and need not be worked out again (``judged.reader_of``)."""
        return {}


def save_bundle(model: RiskModel, card: ModelCard, sample: pd.DataFrame, folder: Path, *, seed: int = 0) -> str:
    """Write the bundle and return its SHA-256; the same model, card and seed give the same bytes.

    ``sample`` is training rows from which the golden rows are drawn column by column.
    """
    folder.mkdir(parents=True, exist_ok=True)
    golden = _golden_rows(model, sample, seed)
    expected = model.cumulative_incidence(golden, card.horizons_days)
    rows = {c: [_json_cell(v) for v in golden[c]] for c in golden}
    contents = {
        "model.json": _json({**_without_trees(model), "n_tree_files": len(_trees(model))}),
        "card.json": _json(card.to_dict()),
        "golden.json": _json({"rows": rows, "incidence": expected.tolist()}),
        **{f"trees-{i}.txt": text for i, text in enumerate(_trees(model))},
    }
    for name, text in contents.items():
        (folder / name).write_bytes(text.encode())
    sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(contents.items())}
    manifest = _json({"files": sums})
    (folder / MANIFEST).write_bytes(manifest.encode())
    return hashlib.sha256(manifest.encode()).hexdigest()


def load_bundle(folder: Path, *, version: str, expected_sha256: str | None = None, degraded: bool = False) -> Bundle:
    """Return the model after checksums, then golden rows; raise ``BundleError`` naming what does not hold."""
    texts, sha256 = _verified_texts(folder, expected_sha256)
    data = json.loads(texts["model.json"])
    trees = [texts[f"trees-{i}.txt"] for i in range(data.pop("n_tree_files"))]
    model = RiskModel.from_dict(_with_trees(data, trees))
    card = ModelCard.from_dict(json.loads(texts["card.json"]))
    golden = json.loads(texts["golden.json"])
    said = model.cumulative_incidence(pd.DataFrame(golden["rows"]), card.horizons_days)
    worst = float(np.abs(said - np.array(golden["incidence"])).max())
    if not worst <= GOLDEN_TOLERANCE:
        raise BundleError(f"The model in {folder} does not reproduce its golden rows: off by {worst:.2g}.")
    return Bundle(model, card, version, sha256, degraded)


def check_in_child(folder: Path, *, expected_sha256: str | None = None, timeout_s: float = 120.0) -> None:
    """Open the bundle in a process of its own, so that a damaged file cannot take this one down with it.

    Checksums are compared here first: most damage is found without starting anything.
    """
    _verified_texts(folder, expected_sha256)
    command = [sys.executable, "-m", "models.bundle", str(folder), expected_sha256 or ""]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise BundleError(f"The model in {folder} did not load within {timeout_s:.0f} s.") from None
    if done.returncode != 0:
        told = done.stderr.decode(errors="replace")  # it repeats parts of a damaged file
        last = (told.strip().splitlines() or ["the process was killed"])[-1][:500]
        raise BundleError(f"The model in {folder} was refused (exit {done.returncode}): {last}")


def _verified_texts(folder: Path, expected_sha256: str | None) -> tuple[dict[str, str], str]:
    manifest = _read(folder, MANIFEST)
    sha256 = hashlib.sha256(manifest).hexdigest()
    if expected_sha256 and sha256 != expected_sha256:
        raise BundleError(f"The manifest in {folder} has SHA-256 {sha256}, the registry says {expected_sha256}.")
    texts = {}
    for name, expected in _files(manifest, folder).items():
        if "/" in name or "\\" in name or name.startswith("."):
            raise BundleError(f"The manifest in {folder} names a path outside the bundle: {name!r}.")
        content = _read(folder, name)
        if hashlib.sha256(content).hexdigest() != expected:
            raise BundleError(f"{folder / name} is not the file that was signed off: its SHA-256 differs.")
        try:
            texts[name] = content.decode()
        except UnicodeDecodeError:
            raise BundleError(f"{folder / name} is not text.") from None
    return texts, sha256


def _files(manifest: bytes, folder: Path) -> dict[str, str]:
    """Return the checksum of each file that a manifest names; ``BundleError`` when it is none."""
    try:
        files = json.loads(manifest)["files"]
    except (ValueError, KeyError, TypeError, RecursionError):
        files = None
    if not isinstance(files, dict) or not all(isinstance(sum_, str) for sum_ in files.values()):
        raise BundleError(f"The manifest in {folder} is damaged.")
    return files


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise BundleError(f"{path} is missing from the bundle.")
    if path.stat().st_size > MAX_BYTES:
        raise BundleError(f"{path} is larger than {MAX_BYTES} bytes.")
    return path.read_bytes()


def _golden_rows(model: RiskModel, sample: pd.DataFrame, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    drawn = {}
    for column in model.codes.columns:
        drawn[column] = sample[column].to_numpy(dtype=object)[generator.integers(0, len(sample), GOLDEN_ROWS)]
    rows = pd.DataFrame(drawn)
    numbers = [c for c in rows if c not in model.categories]
    return rows.astype(dict.fromkeys(numbers, "float64"))


def _scores(model: dict[str, Any]) -> list[dict[str, Any]]:
    return [part["score"] for cause in ("voluntary", "other") for part in model[cause]["parts"]]


def _trees(model: RiskModel) -> list[str]:
    return [score["trees"] for score in _scores(model.to_dict()) if "trees" in score]


def _without_trees(model: RiskModel) -> dict[str, Any]:
    data = model.to_dict()
    boosted = [score for score in _scores(data) if "trees" in score]
    for i, score in enumerate(boosted):
        score["trees"] = i
    return data


def _with_trees(data: dict[str, Any], trees: list[str]) -> dict[str, Any]:
    for score in _scores(data):
        if "trees" in score:
            score["trees"] = trees[score["trees"]]
    return data


def _json_cell(value: Any) -> Any:
    return None if value is None or value != value else value


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)


def _limited() -> None:
    """Bound what this process may take: a damaged count of leaves would ask for all the memory of the machine."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    resource.setrlimit(resource.RLIMIT_AS, (CHILD_BYTES, CHILD_BYTES))


if __name__ == "__main__":
    _limited()
    load_bundle(Path(sys.argv[1]), version="check", expected_sha256=sys.argv[2] or None)
