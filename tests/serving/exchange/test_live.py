"""The service as a process of its own: the recipes work as they are written, generated requests find nothing."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from features.lake import Lake

ROOT = Path(__file__).resolve().parents[3]
RECIPES = ROOT / "docs" / "recipes.md"

spec = importlib.util.spec_from_file_location("bench_schema", ROOT / "benchmarks" / "bench_schema.py")
bench = importlib.util.module_from_spec(spec)
sys.modules["bench_schema"] = bench
spec.loader.exec_module(bench)


@pytest.fixture(scope="module")
def service(made_world) -> Iterator[bench.Served]:
    with bench.served(made_world.state, ("hr_system", "auditor")) as found:
        yield found


def blocks() -> list[tuple[str, str, str]]:
    """Every block of the page: its section, its language, its text."""
    found, section = [], ""
    for match in re.finditer(r"^## ([^\n]+)$|^```(bash|python)\n(.*?)^```", RECIPES.read_text("utf-8"), re.M | re.S):
        section = match[1] or section
        if match[2]:
            found.append((section, match[2], match[3]))
    return found


def test_the_page_of_recipes_works_as_it_is_written(service, tmp_path) -> None:
    env = {"BASE": service.base, "KEY": service.keys["hr_system"], "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    python = []
    for section, language, text in blocks():
        if language == "bash":
            if shutil.which("curl") is None:
                pytest.skip("curl is not installed here")
            command = ["bash", "-euo", "pipefail", "-c", text]
        else:
            python.append(text)
            continue
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{section}: {done.stdout[-500:]}{done.stderr[-500:]}"
    script = "\n".join(python)
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-1500:]
    assert "quarantined level" in done.stdout
    assert "done 1 of 1" in done.stdout


def test_every_operation_is_in_the_recipes_or_told_elsewhere(service) -> None:
    with urllib.request.urlopen(f"{service.base}/v1/openapi.json", timeout=30) as answer:
        document = json.load(answer)
    names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))
    asked = [one for path in document["paths"].values() for one in path.values() if "requestBody" in one]
    assert all(one["requestBody"]["content"]["application/json"]["example"] for one in asked)
    refs = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert refs <= set(document["components"]["schemas"])


@pytest.mark.slow
def test_generated_requests_find_no_failure_and_no_answer_outside_of_the_description(service) -> None:
    assert bench.schemathesis(service, bench.Run(cases=3, seed=1)) == 0


def test_a_job_goes_on_after_a_kill(made_world, tmp_path) -> None:
    """The process is killed with a job in the queue; the next one finishes it."""
    state = tmp_path / "var"
    shutil.copytree(made_world.state, state, ignore=shutil.ignore_patterns("records", "truth"))
    people = [{"employee_id": f"K{i}", "hired_on": "2020-01-01"} for i in range(300)]
    body = {"as_of": str(made_world.as_of), "records": {"employees": people}}
    with bench.served(state) as first:
        headers = {"Authorization": f"Bearer {first.keys['hr_system']}", "Content-Type": "application/json"}
        path = "/v1/jobs?purpose=retention_care"
        made = ask(first.base + path, json.dumps(body).encode(), {**headers, "Idempotency-Key": "k"})
        first.process.kill()
        first.process.wait()
        shutil.copytree(first.state, tmp_path / "after")
    with bench.served(tmp_path / "after", ()) as second:  # the state holds the key
        for _ in range(240):
            stands = ask(f"{second.base}/v1/jobs/{made['job_id']}", None, headers)
            if stands["state"] == "done":
                break
            time.sleep(0.25)
        assert (stands["state"], stands["done"], stands["total"]) == ("done", 300, 300)


@pytest.mark.slow
def test_a_push_that_is_killed_anywhere_and_sent_again_has_one_effect(made_world, tmp_path) -> None:
    """Killed at moments spread over the request; whatever was or was not answered, the repeat settles it."""
    state = tmp_path / "var0"
    shutil.copytree(made_world.state, state, ignore=shutil.ignore_patterns("records", "truth"))
    body = {"rows": [{"employee_id": f"K{i}", "hired_on": "2020-01-01"} for i in range(50)]}
    headers = {"Content-Type": "application/json", "Idempotency-Key": "0"}
    for round_, delay in enumerate((0.0, 0.02, 0.05, 0.1)):
        rows = {"rows": [{**row, "employee_id": f"{row['employee_id']}-{round_}"} for row in body["rows"]]}
        headers |= {"Idempotency-Key": f"{round_}"}
        with bench.served(state, ("hr_system",) if round_ == 0 else ()) as service:
            for key in service.keys.values():
                headers["Authorization"] = f"Bearer {key}"
            url = f"{service.base}/v1/records/employees"
            sender = threading.Thread(target=_sent, args=(url, rows, dict(headers)))
            sender.start()
            time.sleep(delay)
            service.process.kill()
            service.process.wait()
            sender.join()
            state = tmp_path / f"var{round_ + 1}"
            shutil.copytree(service.state, state)
        with bench.served(state, ()) as service:  # the state holds the key
            url = f"{service.base}/v1/records/employees"
            answers = [ask(url, json.dumps(rows).encode(), headers) for _ in range(2)]
            assert answers[0] == answers[1]
            assert (answers[0]["accepted"], answers[0]["duplicates"]) == (50, 0)
            shutil.rmtree(state)
            shutil.copytree(service.state, state)
    held = Lake(state / "lake").read(["employees"])["employees"].collect()
    mine = held.filter(pl.col("employee_id").str.starts_with("K"))["employee_id"]
    assert len(mine) == mine.n_unique() == 200


def _sent(url: str, rows: dict, headers: dict[str, str]) -> None:
    """Send and do not care what comes back: the service is about to die."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        ask(url, json.dumps(rows).encode(), headers)


def ask(url: str, body: bytes | None, headers: dict[str, str]) -> dict:
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as answer:
        return json.load(answer)
