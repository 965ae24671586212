"""What it costs to score posted records at once (``POST /v1/scores``): seconds of the processor per request.

    python -m benchmarks.bench_posted --state var/demo

Needs a state with a champion, records and scores (``make demo``). Posts all that is on record of 1, 10 and 100 of its
people, as another system would: reading the body, judging every row, the matrix, the model, reasons and plans, the
audit entries and the answer are in the figure, and so is the client, which only holds ready bytes. The first request of
a day makes the plan of the matrix and is told apart.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from fastapi.testclient import TestClient

from features.lake import Lake
from serving import auth, collector, store_log
from serving.access import ROLES
from serving.app import create_app
from serving.settings import Settings
from serving.store import Store, migrate, open_store

ORIGIN = "http://127.0.0.1:8000"


def records_of(lake: Lake, people: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return everything on record of these people, and the reference tables, as rows of JSON."""
    tables = {}
    for name, lazy in lake.read().items():
        if name == "protected":
            continue
        mine = lazy.filter(pl.col("employee_id").is_in(people)) if "employee_id" in lazy.collect_schema() else lazy
        rows = mine.collect()
        days = [pl.col(n).cast(pl.String) for n, kind in rows.schema.items() if kind in (pl.Date, pl.Datetime("us"))]
        rows = rows.with_columns(pl.when("known_on_given").then("known_on").alias("known_on"))
        plain = rows.drop("_seq", "known_on_given").with_columns(days).to_dicts()
        tables[name] = [{column: value for column, value in row.items() if value is not None} for row in plain]
    return tables


def key(store: Store) -> str:
    """Return a new key of an HR system."""
    token, role = auth.new_token(auth.KEY_PREFIX), ROLES["hr_system"]
    row = {"name": "bench", "sha256": auth.sha256(token), "role": "hr_system", "created_at": datetime.now(UTC)}
    row |= {"scopes": sorted(role.scopes), "purposes": sorted(role.purposes), "sees": "everyone", "sees_value": None}
    with store.begin() as tx:
        store_log.add_key(tx, row)
    return token


def timed(client: TestClient, body: bytes, headers: dict[str, str]) -> float:
    """Return the seconds of the processor that one request takes, answer included."""
    begin = time.process_time()
    answer = client.post("/v1/scores", params={"purpose": "retention_care"}, content=body, headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(answer.text[:300])
    return time.process_time() - begin


def measure(state: Path, *, rounds: int) -> None:
    """Print the first request of a day, and then the middle one of some for 1, 10 and 100 people."""
    lake = Lake(state / "lake")
    day, tables = lake.data_until(), lake.read(["employees", "exits"])
    gone = tables["exits"].select("employee_id")
    here = tables["employees"].join(gone, on="employee_id", how="anti").collect()["employee_id"].unique().sort()
    store = open_store(f"sqlite:///{state / 'retention.db'}")
    migrate(store)
    headers = {"authorization": f"Bearer {key(store)}", "content-type": "application/json"}
    collector.seldom()
    client = TestClient(create_app(Settings(state=state), store=store), base_url=ORIGIN)
    for n in (1, 10, 100):
        body = json.dumps({"as_of": str(day), "records": records_of(lake, here.head(n).to_list())}).encode()
        first, *others = [timed(client, body, headers) for _ in range(rounds + 1)]
        told = f"{statistics.median(others):.2f} s ({min(others):.2f} to {max(others):.2f} in {rounds})"
        print(f"  {n:>4} people, {len(body) / 1e6:5.1f} MB: {told}; the first {first:.2f} s", flush=True)
    store.close()


def main() -> None:
    """Measure on a copy of the state."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, default=Path("var/demo"))
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print("Scores of posted records, processor seconds a request")
        copy = Path(folder, "state")
        shutil.copytree(given.state, copy, ignore=shutil.ignore_patterns("artifacts", "mlflow.db", "truth", "records"))
        measure(copy, rounds=given.rounds)


if __name__ == "__main__":
    main()
