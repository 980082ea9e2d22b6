"""Reading done before an action asks or acts. Nothing has changed yet, so it may be dropped.

With a distant server it takes a while. Esc drops it, and so does moving to another conversation,
whose reader expects no question about the previous one. A repeated key waits for the first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from textual.worker import Worker

    from oh_tui.tui.session import Session


class _Cursors(NamedTuple):
    """Ids of the rows under the lists' cursors, and of the run shown."""

    listed: str
    sandbox: str
    shown: str


class Preparation(NamedTuple):
    worker: Worker[object]
    cursors: _Cursors
    """The cursors when the preparation began."""
    about: str
    """The conversation concerned."""


class Preparations:
    """At most one preparation at a time: the latest request counts."""

    def __init__(self, session: Session, tell: Callable[..., None]) -> None:
        """`tell` is that of the footer."""
        self._session = session
        self._tell = tell
        self._current: Preparation | None = None

    @property
    def active(self) -> bool:
        return self._current is not None

    def prepares(self, name: str) -> bool:
        """Whether the worker of this name is preparing its action."""
        return self._current is not None and self._current.worker.name == name

    @contextlib.contextmanager
    def preparing(self, worker: Worker[object], what: str) -> Iterator[None]:
        """The worker is reading; `what` in words. Drops any other preparation."""
        if self._current:
            self._current.worker.cancel()
        about = self._session.target()
        one = Preparation(worker, self._cursors(), about.id if about else "")
        self._current = one
        self._tell(f"{what} · esc stops", log=False, over=True)
        try:
            yield
        finally:
            if self._current is one:
                self._current = None
                self._tell("", log=False)

    def drop(self, why: str = "") -> bool:
        """Drop the current preparation; False when there is none."""
        one, self._current = self._current, None
        if one is None:
            return False
        one.worker.cancel()
        self._tell(why, log=bool(why))
        return True

    def cursors_moved(self) -> None:
        """Drop a preparation about a conversation or sandbox that the user has left."""
        if self._current is None:
            return
        now, then, about = self._cursors(), self._current.cursors, self._current.about
        if (
            now.listed not in (then.listed, about)
            or now.shown not in (then.shown, about)
            or (now.sandbox and then.sandbox and now.sandbox != then.sandbox)
        ):
            self.drop("not asked: you went to another conversation")

    def _cursors(self) -> _Cursors:
        session = self._session
        listed = session.cursors.listed if session.cursors else None
        sandbox = None
        if session.cursors and session.pane == "sandboxes":
            sandbox = session.cursors.sandbox
        return _Cursors(
            listed.id if listed else "",
            sandbox.id if sandbox else "",
            session.current.id if session.current else "",
        )
