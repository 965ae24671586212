"""Every operation of the API under generated requests (Schemathesis): no 5xx, no answer outside of its description.

    python benchmarks/bench_schema.py --state var/demo --cases 200

A copy of the state is served by a process of its own, a key with every scope of its role is made, and all phases are
run against it: the examples, the edges of every schema, random requests, and chains of requests (a job is started,
asked for, deleted). It ends with 1 when anything was found.
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
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PHASES = "examples,coverage,fuzzing,stateful"
NOT_OURS = (
    "positive_data_acceptance,"  # a well-formed id of nobody is answered 404, a row of nobody's table 422
    "negative_data_rejection"  # a query that is not in the description is passed over, as HTTP does
)
KNOWN = (("people", "employee_id"), ("teams", "team"))
FREE = {"RETENTION_REQUESTS_PER_MINUTE": "100000000", "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}


@dataclass(frozen=True)
class Served:
    """A service of its own: where it listens, and the keys that were made for it."""

    base: str
    state: Path
    keys: Mapping[str, str]
    process: subprocess.Popen[bytes]


@contextmanager
def served(state: Path, roles: tuple[str, ...] = ("hr_system",), **settings: str) -> Iterator[Served]:
    """Serve a copy of the state until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "var"
        shutil.copytree(state, copy, ignore=shutil.ignore_patterns("records", "truth", "mlruns"))
        env = {**{k: v for k, v in os.environ.items() if not k.startswith("RETENTION_")}, **FREE, **settings}
        env["PYTHONPATH"] = str(ROOT)
        command = [sys.executable, "-m", "serving.cli"]
        keys = {role: _key(command, role, copy, env) for role in roles}
        port = _free_port()
        serve = [*command, "serve", "--state", str(copy), "--port", str(port)]
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(serve, env=env, stdout=log, stderr=log)
            try:
                base = f"http://127.0.0.1:{port}"
                _wait(base, process)
                yield Served(base, copy, keys, process)
            finally:
                process.terminate()
                process.wait(timeout=60)


@dataclass(frozen=True)
class Run:
    """How many cases per operation, from which seed, with whose key; ``known``: with ids of people who are there."""

    cases: int
    seed: int = 0
    role: str = "hr_system"
    known: bool = False
    only: tuple[str, ...] = ()
    phases: str = PHASES


def schemathesis(service: Served, run: Run) -> int:
    """Run all phases against the service and return Schemathesis' exit code; 0 means that nothing was found."""
    if run.known:
        _write_known(service)
    config = ("--config-file", str(service.state.parent / "schemathesis.toml")) if run.known else ()
    command = [sys.executable, "-m", "schemathesis.cli", *config, "run", f"{service.base}/v1/openapi.json"]
    command += ["--phases", run.phases, "-n", str(run.cases), "--seed", str(run.seed), "--checks", "all"]
    command += ["--exclude-checks", NOT_OURS, "--continue-on-failure", "--no-shrink"]
    # How fast an answer is says nothing here: the machine may be busy with other work.
    command += ["--request-timeout", "60", "--max-response-time", "60"]
    command += ["--suppress-health-check", "all", "-H", f"Authorization: Bearer {service.keys[run.role]}", *run.only]
    return subprocess.run(command, env={**os.environ, "COLUMNS": "140"}, check=False).returncode


def _write_known(service: Served) -> None:
    """Write options under which people and teams are real ones: generated ids are nobody's."""
    asked = f"{service.base}/v1/people?purpose=retention_care&limit=20"
    request = urllib.request.Request(asked, headers={"Authorization": f"Bearer {service.keys['hr_system']}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        people = json.load(answer)["people"]
    lines = []
    for name, column in KNOWN:
        values = json.dumps(sorted({one[column] for one in people}), ensure_ascii=False)
        lines.append(f"[dictionaries.{name}]\nvalues = {values}")
    lines.append('[parameters]\n"query.purpose" = "retention_care"')
    lines += [f'"path.{column}" = {{ dictionary = "{name}", probability = 0.8 }}' for name, column in KNOWN]
    file = service.state.parent / "schemathesis.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _key(command: list[str], role: str, state: Path, env: Mapping[str, str]) -> str:
    make = [*command, "key", "create", f"bench {role}", "--role", role, "--sees", "everyone", "--state", str(state)]
    return subprocess.run(make, env=dict(env), check=True, capture_output=True, text=True).stdout.strip()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(base: str, process: subprocess.Popen[bytes], seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{base}/healthz", timeout=5) as answer:
                if json.load(answer) == {"status": "ok"}:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("the service did not start")


def main() -> int:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--state", type=Path, required=True, help="folder with records, a model and scores")
    options.add_argument("--cases", type=int, default=200, help="cases per operation and phase")
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    with served(chosen.state, ("hr_system", "auditor")) as service:
        about = ("--include-path-regex", "employees|teams|people")
        log = ("--include-path", "/v1/audit")
        runs = (
            Run(chosen.cases, chosen.seed),
            Run(chosen.cases, chosen.seed, known=True, only=about),
            Run(chosen.cases, chosen.seed, role="auditor", only=log, phases="coverage,fuzzing"),
        )
        found = [schemathesis(service, run) for run in runs]
    return max(found)


if __name__ == "__main__":
    sys.exit(main())
