"""Going from one server to another while the explorer runs."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.config import DEMO, LOCAL
from oh_tui.problem import Problem
from oh_tui.settings import choose
from oh_tui.tui import finding, lists
from oh_tui.tui.runs import Runs
from oh_tui.tui.triage import Board
from oh_tui.tui.widgets.bars import Question
from oh_tui.tui.widgets.drawing import Piece

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen

OURS = {
    LOCAL: "the runs that the OpenHands CLI keeps on this machine",
    DEMO: "made-up data: nothing leaves this machine",
}
"""Servers that are always there, and what they are."""

GROUPS = ("lists", "more", "run", "older", "follow", "find", "filter", "peek", "git", "copy")
"""Workers that read from the server that is left, or make something of what it gave."""


def entries(screen: MainScreen) -> list[tuple[str, str]]:
    """The servers that can be gone to: name and what it is; the one that is open is not listed."""
    session = screen.session
    if screen.connect is None:
        return []
    named = [(name, server.url) for name, server in session.settings.config.servers.items()]
    return [entry for entry in (*named, *OURS.items()) if entry[0] != session.settings.server]


async def switch(screen: MainScreen, name: str) -> None:
    """Leave the server that is open for another. What goes on there is asked about first; what was
    found wrong with the key of the new one leaves the old one open."""
    session = screen.session
    connect = screen.connect
    if connect is None or not await _may_leave(screen, name):
        return
    with screen.reporting():
        settings = await asyncio.to_thread(choose, session.settings, name, os.environ)
        if not settings.has_key:
            raise Problem(
                f"There is no key for {name}",
                f"add key_env, key_file or key_command to [servers.{name}] in the settings file",
            )
        await lists.save_seen(screen)
        _leave(screen)
        session.settings = settings
        screen.tell_place()
        tell_cautions(screen)
        screen.open_source(partial(connect, settings))
        screen.focus_pane("conversations")


def tell_cautions(screen: MainScreen) -> None:
    """What is to be said once about where the key was found."""
    for caution in screen.session.settings.cautions:
        screen.tell(caution)


async def _may_leave(screen: MainScreen, name: str) -> bool:
    """Messages that are not sent stay, under the conversations that they are for."""
    session = screen.session
    if not session.writing_words:
        return True
    told = (
        f"Still {session.writing_words}. A change asked of the server goes on there; a file that "
        "is being moved may not arrive."
    )
    lines: list[list[Piece]] = [[(told, "")]]
    answers = (("enter", f"go to {name} all the same", "go"),)
    return await screen.ask(Question("Another server", lines, answers, "stay")) == "go"


def _leave(screen: MainScreen) -> None:
    """Nothing of the old server stays on the screen, and nothing is read from it any more."""
    session = screen.session
    screen.refuse()
    screen.preparations.drop()
    for group in GROUPS:
        screen.cancel(group)
    while screen.agents.stop_waiting():
        pass
    if session.batch:
        session.batch.stopped = True
    finding.clear_filter(screen)
    screen.set_find("")
    screen.clear_news()
    screen.leave_place()
    session.runs = Runs()
    screen.run_view.progress, screen.run_view.is_reading = "", False
    screen.run_view.show_conversation(None, session.clock())
    screen.run_view.show_run(None)
    screen.timeline.empty = ()
    session.begin_lists(Board())
    screen.show_lists()
