"""The clock of a demo."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The demo's time. Given a `now` it stands still until `advance`; otherwise it runs."""

    def __init__(self, now: datetime | None) -> None:
        self.start = (now or datetime.now(UTC)).timestamp()
        self._runs = now is None
        self._began = time.monotonic()
        self._advanced = 0.0

    def advance(self, seconds: float) -> None:
        """Move the time on."""
        self._advanced += seconds

    def now(self) -> float:
        """Seconds since 1970, rounded to what the servers print, so that both compare alike."""
        passed = time.monotonic() - self._began if self._runs else 0.0
        return round(self.start + passed + self._advanced, 6)

    def ticks(self) -> float:
        """Monotonic seconds, which pass even when the clock stands still: for what calls take."""
        return time.monotonic() + self._advanced
