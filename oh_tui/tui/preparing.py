"""What an action reads before it asks or acts: nothing is changed yet, so that it may be dropped.

With a server far away that takes a while. Esc drops it, and so does moving to another conversation,
whose reader expects no question about the one before; the same key again waits for the first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.worker import Worker, get_current_worker

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen


class Preparation(NamedTuple):
    worker: Worker[Any]
    place: tuple[str, str, str]
    about: str
    """The conversation that it is about."""


def _place(screen: MainScreen) -> tuple[str, str, str]:
    """The ids under the cursors of the lists, and of the run shown."""
    session = screen.session
    listed = screen.sidebar.list.current
    sandbox = screen.sidebar.sandbox_list.current if session.pane == "sandboxes" else None
    return (
        listed.id if listed else "",
        sandbox.id if sandbox else "",
        session.current.id if session.current else "",
    )


@contextlib.contextmanager
def preparing(screen: MainScreen, told: str) -> Iterator[None]:
    """The worker of now reads something; `told` says what. What is asked for last counts: another
    action that was being prepared is dropped."""
    if screen.preparation:
        screen.preparation.worker.cancel()
    about = screen.session.target()
    one = Preparation(get_current_worker(), _place(screen), about.id if about else "")
    screen.preparation = one
    screen.clear_news()
    screen.tell(f"{told} · esc stops", log=False)
    try:
        yield
    finally:
        if screen.preparation is one:
            screen.preparation = None
            screen.tell("", log=False)


def is_prepared(screen: MainScreen, name: str) -> bool:
    """Whether the action of this name is being prepared."""
    return screen.preparation is not None and screen.preparation.worker.name == name


def drop(screen: MainScreen, why: str = "") -> bool:
    """Prepare no further; False when nothing was being prepared."""
    one, screen.preparation = screen.preparation, None
    if one is None:
        return False
    one.worker.cancel()
    screen.clear_news()
    if why:
        screen.tell(why)
    return True


def moved(screen: MainScreen) -> None:
    """The reader may have gone to another conversation or sandbox."""
    if screen.preparation is None:
        return
    listed, sandbox, shown = _place(screen)
    was_listed, was_sandbox, was_shown = screen.preparation.place
    about = screen.preparation.about
    if (
        listed not in (was_listed, about)
        or shown not in (was_shown, about)
        or (sandbox and was_sandbox and sandbox != was_sandbox)
    ):
        drop(screen, "not asked: you went to another conversation")
