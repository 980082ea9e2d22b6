"""When to refresh the lists: one refresh at a time, less often while nothing changes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from oh_tui.tui.controllers.controller import Controller

if TYPE_CHECKING:
    from textual.timer import Timer

SLOWEST = 60.0
"""Seconds between two refreshes while nothing changes and nothing runs."""

BATCH = 99
"""Conversations whose state is requested in one call, the maximum of the servers."""

AROUND = 30
"""Rows above and below the cursor that may be visible."""

FRESH = 5.0
"""Maximum age in seconds before refreshing on focus, and the delay after the first failed refresh,
doubled with each further failure."""


class RefreshSchedule(Controller):
    """Refreshes the lists of a source on request, and periodically where it changes. Only opening
    another source cancels a refresh; a request during a refresh causes one more afterwards."""

    _refresh: Callable[[bool], Awaitable[bool | None]]
    """Reads, in a new order if True; whether anything changed, None if unknown."""
    every = 0.0
    """Seconds from the end of a refresh to the next, while the terminal has the focus."""
    _timer: Timer | None = None
    _read_at = 0.0
    _wanted = _asked = _sort = _away = False
    _failed = False
    """A call of the last reading failed."""
    _turn = 0
    """Index among the rows further down at which the next refresh begins."""

    @property
    def _least(self) -> float:
        return self._session.settings.config.refresh

    @property
    def wait(self) -> float:
        return max(self.every, SLOWEST) if self._away else self.every

    def begin(self) -> None:
        """Call when the first page of a source has been read."""
        self._wanted = self._asked = self._sort = False
        self.every, self._read_at = self._least, time.monotonic()

    def some(self, ids: Sequence[str], *, near: str) -> list[str]:
        """Rows further down, as many as a call takes: those near the cursor, others in turn."""
        at = ids.index(near) if near in ids else 0
        close = list(ids[max(0, at - AROUND) : at + AROUND]) if near in ids else []
        turn = self._turn if self._turn < len(ids) else 0
        self._turn = turn + BATCH - len(close)
        return list(dict.fromkeys([*close, *ids[turn:], *ids[:turn]]))[:BATCH]

    def ask(self, *, sort: bool = False) -> None:
        """Request a refresh, in a new order if `sort`."""
        self._asked = True
        self._sort |= sort
        self._want()

    def focused(self) -> None:
        self._away = False
        if self._ui.at_work("lists"):
            return
        if time.monotonic() - self._read_at < FRESH:
            self._arm()
        else:
            self.ask()

    def blurred(self) -> None:
        """The terminal lost the focus: stop, unless notices are set."""
        self._away = not self._session.settings.notice
        if not self._ui.at_work("lists"):
            self._arm()

    def _want(self) -> None:
        self._wanted = True
        if not self._ui.at_work("lists"):
            self._ui.work_on("lists", self.read)

    async def read(self) -> None:
        """Refresh until no request is left, then again after each interval."""
        self._stop()
        while self._wanted:
            asked, sort = self._asked, self._sort
            self._wanted = self._asked = self._sort = False
            changed = await self._refresh(sort)
            self._read_at = time.monotonic()
            if changed is None:
                slowest = self._least if self._session.hearing.lost() else SLOWEST
                self.every = min(2 * self.every, slowest) if self._failed else FRESH
                self._failed = True
                continue
            self._failed = False
            if asked or changed or self._session.loaded.sums().counts.running:
                self.every = self._least
            else:
                self.every = max(self._least, min(2 * self.every, SLOWEST))
        self._arm()

    def _arm(self) -> None:
        self._stop()
        source = self._session.source
        if source and source.changes and not self._session.unopened:
            self._timer = self._ui.set_timer(self.wait, self._want)

    def _stop(self) -> None:
        if self._timer:
            self._timer.stop()
            self._timer = None
