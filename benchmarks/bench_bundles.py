"""Damaged models are refused and take nothing down: a thousand mutants of a bundle are offered for serving.

    python -m benchmarks.bench_bundles --bundle var/demo/champion/<sha256>

Most mutants keep the checksum that the catalogue knows; some are signed anew, manifest and catalogue included, as by
a thief of both: those reach the child process, which may end as it likes. They are either refused or say of every
golden row exactly what the original says.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from models.bundle import MANIFEST, BundleError, check_in_child, load_bundle

Mutation = Callable[[bytes, random.Random], bytes]


def _flip(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def _twice(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + content[max(0, at - 500) :]


def _noise(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + chance.randbytes(chance.randrange(1, 200)) + content[at:]


def _digits(content: bytes, chance: random.Random) -> bytes:
    places = [i for i, byte in enumerate(content) if 48 <= byte <= 57]
    at = chance.choice(places) if places else 0
    return content[:at] + chance.choice((b"9", b"-1", b"1e308", b"99999999999", b"nan")) + content[at + 1 :]


MUTATIONS: dict[str, Mutation] = {"flip": _flip, "cut": _cut, "twice": _twice, "noise": _noise, "digits": _digits}


def mutants(bundle: Path, n: int, *, resigned: int, seed: int = 0) -> Counter[str]:
    """Return how many were refused where; raise ``RuntimeError`` for one that would be served and is not the same."""
    chance, told = random.Random(seed), Counter[str]()
    known = hashlib.sha256((bundle / MANIFEST).read_bytes()).hexdigest()
    names = sorted(file.name for file in bundle.iterdir() if file.is_file())
    for number in range(n):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(shutil.copytree(bundle, Path(folder) / "bundle"))
            stolen = number < resigned
            name = chance.choice([one for one in names if not (stolen and one == MANIFEST)])
            kind = chance.choice(sorted(MUTATIONS))
            before = (copy / name).read_bytes()
            (copy / name).write_bytes(MUTATIONS[kind](before, chance))
            if (copy / name).read_bytes() == before:
                continue
            told[_offered(copy, _sign(copy) if stolen else known, stolen=stolen)] += 1
    return told


def _sign(folder: Path) -> str:
    sums = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir() if one.name != MANIFEST}
    content = json.dumps({"files": sums}).encode()
    (folder / MANIFEST).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _offered(folder: Path, sha256: str, *, stolen: bool) -> str:
    try:
        check_in_child(folder, expected_sha256=sha256)
    except BundleError as refused:
        return "refused in the child process" if "exit" in str(refused) else "refused by checksum"
    if not stolen:
        raise RuntimeError("a mutant with the wrong checksum would have been served")
    load_bundle(folder, version="0", expected_sha256=sha256)  # raises when a golden row says anything else
    return "signed anew, and every golden row says the same"


def main() -> None:
    """Offer the mutants and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--mutants", type=int, default=1000)
    parser.add_argument("--resigned", type=int, default=150)
    given = parser.parse_args()
    told = mutants(given.bundle, given.mutants, resigned=given.resigned)
    print(f"{sum(told.values())} mutants: " + ", ".join(f"{n} {what}" for what, n in told.most_common()))


if __name__ == "__main__":
    main()
