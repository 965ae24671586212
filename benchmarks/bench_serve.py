"""How fast the service answers, side by side with the plain alternative, on one machine in one run.

    python -m benchmarks.bench_serve --state var/demo

1. One stored risk with reasons, keyed and audited, beside a bare FastAPI route with a constant of the same size.
2. The risk of one posted row, and risk with reasons and plan, beside ``mlflow models serve`` with the same trees.
3. Bulk scoring of 100,000 people with reasons and plans, beside LightGBM's own ``pred_contrib`` on the same trees.

*Bulk scoring with reasons and plans* is ``models.judged.judge``: from the matrix to the records of everybody, each with
risk, other exits and interval over every horizon, the band, what each driver adds with its strongest facts and those
its sentence names, the plan and the options for the organisation. Records are complete: no number is worked out later.
Sentences in English and Chinese are made from a record when somebody reads it; what that costs is told beside it, and
so is writing the records to the store. ``pred_contrib`` is told twice: once with a row per person, which does not give
what is told, and once with a row per person and interval, which does (the trees read the interval as a column, and
reasons speak of the mean over the intervals up to the reference horizon). One thread, seconds of the processor.

Needs a state with a champion, records and scores (``make demo``). The server runs on one core, the client on another.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fastapi import FastAPI, Request, Response

ROOT = Path(__file__).parents[1]
CLIENTS = 8
SECONDS = 6.0


@dataclass(frozen=True)
class Load:
    """What a server did under so many callers at once: requests a second, and milliseconds."""

    name: str
    rate: float
    p50: float
    p95: float
    p99: float

    def __str__(self) -> str:
        times = f"p50 {self.p50:6.1f}  p95 {self.p95:6.1f}  p99 {self.p99:6.1f} ms"
        return f"  {self.name:<58} {self.rate:8.0f} requests/s  {times}"


def load(name: str, port: int, requests: list[bytes], *, seconds: float = SECONDS, clients: int = CLIENTS) -> Load:
    """Ask for ``seconds`` over kept connections, one after the other on each, and return what it took."""
    times: list[float] = []
    failed: list[str] = []
    begin = time.perf_counter()

    def call(client: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = client
            while time.perf_counter() - begin < seconds:
                started = time.perf_counter()
                line.sendall(requests[number % len(requests)])
                status = _answer(line)
                times.append(time.perf_counter() - started)
                failed.extend([status] if status != "200" else [])
                number += clients

    threads = [threading.Thread(target=call, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed and name:
        raise RuntimeError(f"{name}: {len(failed)} of {len(times)} failed, first with {failed[0]}")
    p50, p95, p99 = np.percentile(np.array(times) * 1000, [50, 95, 99])
    return Load(name, len(times) / (time.perf_counter() - begin), p50, p95, p99)


def _answer(line: socket.socket) -> str:
    """Read one answer and return its status."""
    got = line.recv(65_536)
    while b"\r\n\r\n" not in got:
        got += line.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(int(one.split(b":")[1]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length"))
    while len(body) < length:
        body += line.recv(65_536)
    return head.split(b" ", 2)[1].decode()


def get(path: str, headers: str = "") -> bytes:
    """Return a request as it goes over the line."""
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n".encode()


def post(path: str, body: Any) -> bytes:
    """Return a request with JSON as it goes over the line."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


@contextmanager
def served(command: list[str], port: int, ready: str) -> Iterator[None]:
    """Run a server on the first core until the block ends."""
    pinned = ["taskset", "-c", "0", *command] if shutil.which("taskset") else command
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"  # mlflow looks for its own server there
    environment = os.environ | {
        "PATH": path,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "RETENTION_REQUESTS_PER_MINUTE": "1000000000",  # counted all the same, only never refused
    }
    process = subprocess.Popen(pinned, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while not _is_up(f"http://127.0.0.1:{port}{ready}"):
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError(f"the server did not start: {' '.join(command)}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _is_up(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def serve_bare(port: int, size: int) -> None:
    """Serve constants of ``size`` bytes by plain FastAPI: as an object, and as bytes that are ready."""
    import uvicorn

    app = FastAPI()
    facts = {f"k{i}": "x" * 40 for i in range(size // 49)}
    content = json.dumps(facts).encode()
    app.get("/object")(lambda: facts)
    app.get("/bytes")(lambda: Response(content, media_type="application/json"))
    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def serve_rows(port: int, state: Path) -> None:
    """Serve risk, and risk with reasons and plan, of one posted row of the matrix."""
    import polars as pl
    import uvicorn

    from features.matrix import Matrix
    from models.assess import assess
    from models.care import load_catalog
    from models.known import Known
    from serving import collector

    app, bundle, catalog, frame = FastAPI(), champion(state), load_catalog(), matrix_of(state)
    schema, model = frame.frame.schema, bundle.model
    collector.seldom()

    @app.post("/risk")
    async def risk(request: Request) -> Response:
        row = json.loads(await request.body())
        known = Known.of_people([row], model.codes.columns)
        found = model.cumulative_incidence(model.coded(known), bundle.card.horizons_days)
        return Response(json.dumps(found[0, :, 1].tolist()), media_type="application/json")

    @app.post("/assess")
    async def all_of_it(request: Request) -> Response:
        row = json.loads(await request.body())
        one = pl.DataFrame([row | {"as_of": None}], schema=schema)
        found = assess(bundle, Matrix(one, frame.cards), catalog=catalog)[0].to_dict()
        return Response(json.dumps(found), media_type="application/json")

    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def champion(state: Path) -> Any:
    """Return the verified local copy of the champion."""
    from models.bundle import load_bundle

    known = json.loads((state / "champion" / "last_good.json").read_text())
    return load_bundle(state / "champion" / known["sha256"], version=known["version"], expected_sha256=known["sha256"])


def matrix_of(state: Path) -> Any:
    """Return the matrix of the last day with records."""
    from features.kept import kept_matrix
    from features.lake import Lake

    lake = Lake(state / "lake")
    return kept_matrix(lake, as_of=[lake.data_until()])


def stored(state: Path, port: int, *, clients: int = CLIENTS) -> None:
    """Part 1."""
    from datetime import UTC, datetime

    from sqlalchemy import text

    from serving import auth, store_log
    from serving.access import ROLES
    from serving.store import migrate, open_store

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(state / "retention.db", folder)
        store = open_store(f"sqlite:///{folder}/retention.db")
        migrate(store)
        token, role = auth.new_token(auth.KEY_PREFIX), ROLES["hr_system"]
        row = {"name": "bench", "sha256": auth.sha256(token), "role": "hr_system", "created_at": datetime.now(UTC)}
        row |= {
            "scopes": sorted(role.scopes),
            "purposes": sorted(role.purposes),
            "sees": "everyone",
            "sees_value": None,
        }
        with store.begin() as tx:
            store_log.add_key(tx, row)
            who = [one[0] for one in tx.execute(text("SELECT employee_id FROM score LIMIT 200"))]
        store.close()
        key = f"authorization: Bearer {token}\r\n"
        reads = [get(f"/v1/employees/{one}/risk?purpose=retention_care", key) for one in who]
        with served(
            [sys.executable, "-m", "serving.cli", "serve", "--port", str(port), "--state", folder], port, "/healthz"
        ):
            load("", port, reads, seconds=1)
            ours = load("one stored risk with reasons, keyed and audited", port, reads, clients=clients)
            size = _size(port, reads[0])
    bare = [sys.executable, "-m", "benchmarks.bench_serve", "--bare", str(size), "--port", str(port + 1)]
    with served(bare, port + 1, "/bytes"):
        load("", port + 1, [get("/object")], seconds=1)
        plain = load(
            f"bare FastAPI, a constant of {size} bytes, as an object", port + 1, [get("/object")], clients=clients
        )
        ready = load(f"bare FastAPI, a constant of {size} bytes, as bytes", port + 1, [get("/bytes")], clients=clients)
    print("1. One stored risk", plain, ready, ours, sep="\n")
    print(
        f"  {ours.rate / plain.rate:.0%} of the bare route (object), {ours.rate / ready.rate:.0%} (bytes); bar 40 %\n"
    )


def _size(port: int, request: bytes) -> int:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(request)
        head = line.recv(65_536).lower()
    return int(head.split(b"content-length:")[1].split(b"\r\n")[0])


def posted(state: Path, port: int) -> None:
    """Part 2."""
    import mlflow

    from models.known import Known

    bundle, frame = champion(state), matrix_of(state)
    score = next(score for _, score in bundle.model.voluntary.parts if hasattr(score, "booster"))
    rows = [json.loads(json.dumps(row, default=str)) for row in frame.frame.head(50).to_dicts()]
    ours = [sys.executable, "-m", "benchmarks.bench_serve", "--rows", str(state), "--port", str(port)]
    with served(ours, port, "/docs"):
        load("", port, [post("/risk", rows[0])], seconds=1)
        risk = load("risk of one posted row, all horizons", port, [post("/risk", row) for row in rows])
        whole = load("risk, reasons and plan of one posted row", port, [post("/assess", row) for row in rows])
    known = Known.of_people(rows, bundle.model.codes.columns)
    values = np.column_stack([bundle.model.coded(known), np.zeros(len(rows))])
    table = pd.DataFrame(values, columns=score.booster.feature_name())
    with tempfile.TemporaryDirectory() as folder:
        signature = mlflow.models.infer_signature(table.fillna(0.0), np.zeros(1))
        mlflow.lightgbm.save_model(score.booster, f"{folder}/model", pip_requirements=["lightgbm"], signature=signature)
        theirs = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"{folder}/model", "--env-manager", "local"]
        split = [json.loads(table.iloc[[i]].to_json(orient="split", index=False)) for i in range(len(table))]
        asks = [post("/invocations", {"dataframe_split": one}) for one in split]
        with served([*theirs, "--port", str(port + 1)], port + 1, "/ping"):
            load("", port + 1, asks, seconds=2)
            their = load("mlflow models serve, the same trees, one number", port + 1, asks)
    print("2. One posted row", their, risk, whole, sep="\n")
    times = risk.rate / their.rate, whole.rate / their.rate
    print(f"  risk {times[0]:.0f} times theirs (bar 25), with reasons and plan {times[1]:.1f} times (bar 5)\n")


def bulk(state: Path, n: int) -> None:
    """Part 3. Seconds are those of the processor: other work on the machine does not count."""
    from features.matrix import Matrix
    from models.care import load_catalog, ways_of
    from models.judged import Judged, judge
    from models.known import Known
    from models.scores import _with_interval
    from models.tell import Teller
    from serving import collector

    bundle, frame, ways = champion(state), matrix_of(state), ways_of(load_catalog())
    model = bundle.model
    score = next((score for _, score in model.voluntary.parts if hasattr(score, "booster")), None)
    if score is None:
        raise SystemExit(
            "3. The champion of this state has no trees, so there is nothing to compare with. "
            "Take a state whose model has some: make ola, retention-serve score --state var/ola, STATE_OF=var/ola."
        )
    weights, many = model._weights(), crossed(frame.frame, n)
    values = model.coded(Known.of_frame(many))
    used = np.flatnonzero(weights > 0)
    untabled = replace(score, tables=None)
    collector.seldom()  # as the nightly batch does
    judged: list[Judged] = []
    took: dict[str, float] = {}
    took["pred_contrib, a row per person"] = timed(
        lambda: score.booster.predict(_with_interval(values, 1), pred_contrib=True, num_threads=1)
    )
    took[f"pred_contrib, a row per person and interval ({len(used)})"] = timed(
        lambda: untabled.contributions(values, weights)
    )
    took["the same shares from tables"] = timed(lambda: score.contributions(values, weights))
    took["bulk scoring with reasons and plans"] = timed(
        lambda: judged.append(judge(bundle, Matrix(many, frame.cards), ways=ways))
    )
    apart = np.abs(score.contributions(values[:2000], weights)[1] - untabled.contributions(values[:2000], weights)[1])
    found, teller, some = judged[0], Teller(judged[0].dictionary), min(n, 5000)
    told = timed(lambda: [teller.all_of(found.records[i].tobytes(), judged=True) for i in range(some)]) / some
    written, size = stored_batch(found, bundle)
    took["writing the records to the store"] = written
    print(f"3. {n} people, {score.booster.num_trees()} trees of up to 8 leaves, largest difference {apart.max():.1e}")
    for name, seconds in took.items():
        print(f"  {name:<58} {seconds:8.2f} s  {n / seconds:10.0f} people/s  {1e6 * seconds / n:8.1f} µs each")
    ours = took["bulk scoring with reasons and plans"]
    names = [name for name in took if name.startswith("pred_contrib")]
    print("  times faster: " + ", ".join(f"{took[name] / ours:.2f} ({name})" for name in names) + "; bar 6")
    print(f"  telling one person in both languages {1e6 * told:.0f} µs; a record has {found.records.itemsize} bytes,")
    print(f"  {size / n:.0f} bytes a person in the store; bands {np.bincount(found.bands + 1).tolist()}")


def stored_batch(found: Any, bundle: Any) -> tuple[float, int]:
    """Return the seconds of the processor to write a batch into a new store, and the bytes of its file."""
    from datetime import UTC, datetime

    from serving.score import Scored, save
    from serving.store import migrate, open_store

    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/retention.db")
        migrate(store)
        ids = [f"E{i:06}" for i in range(len(found))]
        people = tuple(
            {"id": one, "name": None, "team": f"T{i % 5000}", "department": None} for i, one in enumerate(ids)
        )
        batch = Scored(found.as_of[0], people, replace(found, employee_ids=ids), bundle, {})
        seconds = timed(lambda: save(store, batch, now=datetime.now(UTC), valid_days=90, actor="bench"))
        store.close()
        return seconds, Path(folder, "retention.db").stat().st_size


def crossed(frame: Any, n: int) -> Any:
    """Return ``n`` invented rows, each column from one of two people: no two alike, as in a large company."""
    import polars as pl

    chance = np.random.default_rng(1)
    one, other = (frame[chance.integers(frame.height, size=n)] for _ in range(2))
    columns = [name for name in frame.columns if name not in ("employee_id", "as_of")]
    return one.with_columns(
        pl.when(pl.Series(chance.random(n) < 0.5)).then(one[name]).otherwise(other[name]).alias(name)
        for name in columns
    )


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds of the processor that it takes."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main() -> None:
    """Print the three parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, default=Path("var/demo"))
    parser.add_argument("--parts", nargs="+", default=["stored", "posted", "bulk"])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--port", type=int, default=8710)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--bare", type=int)
    parser.add_argument("--rows", type=Path)
    given = parser.parse_args()
    if given.bare:
        serve_bare(given.port, given.bare)
    elif given.rows:
        serve_rows(given.port, given.rows)
    else:
        parts = {
            "stored": lambda: stored(given.state, given.port, clients=given.clients),
            "bulk": lambda: bulk(given.state, given.people),
        }
        parts |= {"posted": lambda: posted(given.state, given.port + 10)}
        for name in given.parts:
            parts[name]()


if __name__ == "__main__":
    main()
