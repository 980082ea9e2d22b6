"""What takes time or asks first, each told as one story: decide on the state of now, ask if
something is at stake, do it, show each stage, read again what is true."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.human import plural
from oh_tui.places import expanded
from oh_tui.sources.source import Source
from oh_tui.tui.widgets.bars import Question
from oh_tui.tui.widgets.drawing import Piece

if TYPE_CHECKING:
    from oh_tui.tui.main_screen import MainScreen
    from oh_tui.tui.runs import Run

SHOWN = 3
"""Conversations named in a question; the rest is counted."""


def why_empty(run: Run) -> tuple[str, ...]:
    """What stands in the place of steps when there are none."""
    conversation = run.conversation
    if run.via == "file":
        return ("no events", run.note or "the file has none")
    if conversation.sandbox_status == "STARTING":
        return ("the sandbox is starting", "events appear here as they come")
    if conversation.execution_status == "idle":
        return ("nothing was asked yet", "the first message appears here as it comes")
    return ("no events", "the server keeps none for this conversation")


def unread(screen: MainScreen) -> str:
    """A caution after "there is none", when older events were not looked at."""
    trajectory = screen.timeline.trajectory
    if (
        screen.session.pane in ("conversations", "sandboxes")
        or trajectory is None
        or trajectory.complete
    ):
        return ""
    return f" in the last {plural(len(trajectory.events), 'event')}, g reads older"


# Beginning and end


async def without_key(screen: MainScreen) -> None:
    """No key, and a server that wants one: say how to get it, with the demo and a file at hand."""
    server = screen.session.settings.base_url
    lines: list[list[Piece]] = [
        [(f"{server} wants a key, and none is set.", "")],
        [("Get one there under Settings, API Keys. Then, in this shell:", "")],
        [("  export OPENHANDS_API_KEY=…     and start oh-tui again", "key")],
        [("Your own server: oh-tui --server http://localhost:3000", "dim")],
    ]
    answers = [("d", "look around in the demo", "demo"), ("o", "open a file", "open"),
               ("q", "quit", "quit")]  # fmt: skip
    while True:
        answer = await screen.ask(Question("No API key", lines, answers, "stay"))
        if answer == "quit":
            screen.app.exit(0)
        elif answer == "demo" and screen.demo:
            screen.open_source(screen.demo)
        elif answer == "open":
            typed = await screen.prompt("path of a trajectory zip or folder", "")
            if not typed:
                continue
            screen.open_source(partial(_file_source, typed))
        else:
            screen.sidebar.say("no API key", "q quits, then:", "export OPENHANDS_API_KEY=…")
        screen.focus_pane("conversations")
        return


def _file_source(typed: str) -> Source:
    from oh_tui.sources.files import FileSource

    return FileSource([expanded(typed, os.environ)])


async def quit_while_writing(screen: MainScreen) -> None:
    session = screen.session
    lines: list[list[Piece]] = []
    if session.writing_words:
        lines.append(
            [
                (
                    f"Still {session.writing_words}. A change asked of the server goes on there.",
                    "",
                )
            ]
        )
    if session.drafts:
        unsent = plural(len(session.drafts), "message")
        lines.append([(f"{unsent} not sent: quitting loses what was written.", "")])
    question = Question("Quit", lines, (("enter", "quit all the same", "quit"),), "stay")
    if await screen.ask(question) == "quit":
        screen.app.exit(0)
