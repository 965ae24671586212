"""Asked to stop, the service finishes what it has begun, takes nothing new, and ends with success."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the service did not start")


@pytest.mark.slow
def test_a_request_that_has_begun_is_answered_after_the_signal_and_the_exit_is_clean(filled, tmp_path) -> None:
    shutil.copy(filled, tmp_path / "retention.db")
    port = free_port()
    command = [sys.executable, "-m", "serving.cli", "serve", "--port", str(port), "--state", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until_up(port, process)
        body = b"token=nothing&purpose=retention_care"
        head = (
            f"POST /sign-in HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: http://127.0.0.1:{port}\r\n"
            f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port)) as begun:
            begun.sendall(head.encode() + body[:5])  # the service now waits for the rest
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert process.poll() is None, "it waits for the request that has begun"
            with pytest.raises(OSError, match="refused"):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            begun.sendall(body[5:])
            begun.settimeout(10)
            assert begun.recv(4096).startswith(b"HTTP/1.1 4")
        assert process.wait(20) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
    finally:
        process.kill()
        process.wait()
