"""What the service does beside answering: jobs, deliveries, and putting away what is over. One thread each.

A step that fails is told by its kind alone, in the log, and the next step comes all the same.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from serving import jobs, store_exchange, store_webhooks
from serving.at_hand import AtHand
from serving.guard import Desk
from serving.webhooks import KEPT, Courier, deliver_due

LOG = logging.getLogger("serving.background")
JOB_SECONDS, DELIVER_SECONDS, TIDY_SECONDS = 5.0, 5.0, 3_600.0
STOP_SECONDS = 25.0


@dataclass
class Bell:
    """Wakes a thread before its time, and tells all of them when the service stops."""

    stop: threading.Event = field(default_factory=threading.Event)
    rung: threading.Event = field(default_factory=threading.Event)

    def set(self) -> None:
        """There is something to do now."""
        self.rung.set()


@contextmanager
def running(at: Desk, hand: AtHand, bell: Bell) -> Iterator[None]:
    """Work in the background until the block ends; a job in the middle is given back between two portions."""
    if at.store.file is not None:  # this is the one service: whatever a former one held is free
        with at.store.begin() as tx:
            store_exchange.release_jobs(tx)
            store_exchange.release_writes(tx, now=at.clock())
    courier = Courier.of(at.store, at.settings, clock=at.clock)
    steps: list[tuple[Callable[[], bool], float, threading.Event]] = [
        (lambda: jobs.run_next(at, hand, stopping=bell.stop.is_set) is not None, JOB_SECONDS, bell.rung),
        (lambda: sum(deliver_due(courier).values()) > 0, DELIVER_SECONDS, bell.stop),
        (lambda: _tidy(at), TIDY_SECONDS, bell.stop),
    ]
    threads = [threading.Thread(target=_loop, args=(*step, bell.stop), daemon=True) for step in steps]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        bell.stop.set()
        bell.rung.set()
        for thread in threads:
            thread.join(STOP_SECONDS)
        bell.stop.clear()


def _loop(step: Callable[[], bool], seconds: float, wake: threading.Event, stop: threading.Event) -> None:
    """Take the step again at once while there was something to do, and otherwise after a while."""
    with ThreadPoolExecutor(1) as pool:
        while not stop.is_set():
            done = pool.submit(step)
            failed = done.exception()
            if failed is not None:
                LOG.error("a step in the background failed: %s", type(failed).__name__)
            if failed is not None or not done.result():
                wake.wait(seconds)
                if wake is not stop:
                    wake.clear()


def _tidy(at: Desk) -> bool:
    with at.store.begin() as tx:
        store_exchange.tidy(tx, now=at.clock())
        store_webhooks.tidy(tx, before=at.clock() - KEPT)
    return False
