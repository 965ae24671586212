"""A new model takes over under load, and nobody notices: twenty batches by two models, turn about, no failed request.

    python -m benchmarks.bench_swap --state var/demo

Readers ask for stored risks and for answers of the model itself (what-if) without a pause while another process writes
one batch after the other. Every answer has to be whole and of one of the two models; the batch of a model is written
only after its bundle lies verified beside the service, as ``retention-serve score`` does it.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.bench_serve import ROOT, champion, served

READERS = 6
PURPOSE = "purpose=retention_care"


def twin(state: Path) -> Path:
    """Write a second bundle beside the champion, the same trees under another name, and return its folder."""
    known = json.loads((state / "champion" / "last_good.json").read_text())
    folder = Path(shutil.copytree(state / "champion" / known["sha256"], state / "champion" / "twin"))
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, "name": f"{card['name']} twin"}))
    sums = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir()}
    content = json.dumps({"files": {name: sums[name] for name in sorted(sums) if name != "manifest.json"}}).encode()
    (folder / "manifest.json").write_bytes(content)
    return folder.rename(folder.with_name(hashlib.sha256(content).hexdigest()))


def prepare(state: Path) -> tuple[str, list[str], list[Any]]:
    """Return a key, people with a score, and a batch by each of two models, ready to be written."""
    from features.lake import Lake
    from models.bundle import load_bundle
    from models.catalog import load_catalog
    from serving import auth, store_log
    from serving.access import ROLES
    from serving.score import score
    from serving.store import migrate, open_store

    store, lake = open_store(f"sqlite:///{state}/retention.db"), Lake(state / "lake")
    migrate(store)
    token, role = auth.new_token(auth.KEY_PREFIX), ROLES["hr_system"]
    row = {"name": "bench", "sha256": auth.sha256(token), "role": "hr_system", "created_at": datetime.now(UTC)}
    row |= {"scopes": sorted(role.scopes), "purposes": sorted(role.purposes), "sees": "everyone", "sees_value": None}
    with store.begin() as tx:
        store_log.add_key(tx, row)
        who = [one[0] for one in tx.execute(text("SELECT employee_id FROM score LIMIT 50"))]
    store.close()
    other = twin(state)
    one, second = champion(state), load_bundle(other, version="twin", expected_sha256=other.name)
    batch = score(lake, one, load_catalog(), as_of=lake.data_until())
    return token, who, [batch, replace(batch, bundle=second)]


def write_batches(state: Path, batches: list[Any], swaps: int, pause: float) -> None:
    """Write so many batches, by one model and the other."""
    from serving.score import save
    from serving.store import open_store

    store = open_store(f"sqlite:///{state}/retention.db")
    for number in range(swaps):
        save(store, batches[(number + 1) % 2], now=datetime.now(UTC), valid_days=30, actor="bench")
        time.sleep(pause)
    store.close()


def read(port: int, token: str, who: list[str], *, reader: int, until: threading.Event, told: Counter[str]) -> None:
    """Ask until the end, and count answers by status and model. The last reader asks the model itself."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    line.request("GET", "/v1/what-if", None, headers)
    columns = json.loads(line.getresponse().read())["columns"]
    counted = next(one["column"] for one in columns if one["unit"] in ("hours", "count"))
    changed = json.dumps({"changes": {counted: 0}}).encode()
    number = reader
    while not until.is_set():
        one = who[number % len(who)]
        path = f"/v1/employees/{one}/risk?{PURPOSE}" if reader else f"/v1/employees/{one}/what-if?{PURPOSE}"
        if reader == 1:
            path = "/v1/what-if"
        line.request("GET" if reader else "POST", path, None if reader else changed, headers)
        answer = line.getresponse()
        body = json.loads(answer.read())
        told[f"{answer.status} {body['model']['version'] if answer.status == 200 else body['title']}"] += 1
        number += READERS
    line.close()


def swap(state: Path, *, swaps: int, pause: float, port: int) -> tuple[Counter[str], float]:
    """Return the answers by status and model, and the seconds it took."""
    token, who, batches = prepare(state)
    command = [sys.executable, "-m", "serving.cli", "serve", "--port", str(port), "--state", str(state)]
    told: Counter[str] = Counter()
    with served(command, port, "/healthz"):
        end = threading.Event()
        given = {"until": end, "told": told}
        readers = [
            threading.Thread(target=read, args=(port, token, who), kwargs={**given, "reader": reader})
            for reader in range(READERS)
        ]
        for reader in readers:
            reader.start()
        begin = time.monotonic()
        write_batches(state, batches, swaps, pause)
        end.set()
        for reader in readers:
            reader.join()
    return told, time.monotonic() - begin


def main() -> None:
    """Swap and print what the readers were told; a failed request is an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, default=ROOT / "var" / "demo")
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--pause", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=8740)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept = shutil.ignore_patterns("artifacts", "evaluation", "records", "truth", "*.turn", "*.service")
        state = Path(shutil.copytree(given.state, Path(folder) / "state", ignore=kept))
        told, seconds = swap(state, swaps=given.swaps, pause=given.pause, port=given.port)
    failed = sum(n for name, n in told.items() if not name.startswith("200"))
    print(f"{given.swaps} swaps in {seconds:.0f} s, {sum(told.values())} requests, {failed} failed: {dict(told)}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
