"""How often somebody has asked within the last minute, counted to the request.

The times of the requests that were let through are kept per name and fall out at the far end, so counting one costs
the same however many there were. A request that was refused does not count: whoever waits is let in again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass
class Window:
    """A moving window of ``seconds``. Used by one thread, that of the event loop."""

    seconds: float = 60.0
    passed: dict[str, deque[float]] = field(default_factory=dict)
    swept_at: float = 0.0

    def hit(self, name: str, most: int, *, now: float) -> tuple[bool, int, float]:
        """Return whether a request of this name is let through, how many more would be, and when the oldest falls out.

        ``now`` and the answer are seconds of the same clock, which may stand still but must not go back.
        """
        if now - self.swept_at > self.seconds:
            self._sweep(now)
        times = self.passed.setdefault(name, deque())
        while times and times[0] <= now - self.seconds:
            times.popleft()
        let = len(times) < most
        if let:
            times.append(now)
        return let, most - len(times), times[0] + self.seconds

    def _sweep(self, now: float) -> None:
        """Forget who has not asked within the window, so that made-up names cost no memory for long."""
        self.swept_at = now
        self.passed = {name: times for name, times in self.passed.items() if times[-1] > now - self.seconds}
