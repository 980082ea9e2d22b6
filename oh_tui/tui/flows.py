"""What takes time or asks first, each told as one story: decide on the state of now, ask if
something is at stake, do it, show each stage, read again what is true."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.api.models import Conversation
from oh_tui.human import duration, plural, size
from oh_tui.places import expanded, tilde
from oh_tui.problem import Problem
from oh_tui.sources import SandboxPlan
from oh_tui.sources.source import Source
from oh_tui.trajectory.steps import Outcome
from oh_tui.tui import bulk, pausing
from oh_tui.tui.theme import status_mark
from oh_tui.tui.widgets.bars import Question
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Piece, glyphs_of, shorten

if TYPE_CHECKING:
    from oh_tui.sources.sandboxes import Sandboxes
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


# The sandbox


def pause_label(screen: MainScreen) -> str | None:
    """What `p` would do by what the list says; None when it has nothing to do. What it does is
    decided on the state read at that moment."""
    session = screen.session
    if session.no_changes:
        return None
    if session.means_marked:
        return bulk.pause_label(screen)
    sandbox_id = session.target_sandbox()
    status = session.sandboxes.status(sandbox_id)
    return {"RUNNING": "pause sandbox", "PAUSED": "resume sandbox"}.get(status)


async def pause(screen: MainScreen) -> None:
    """Pause the sandbox, or resume it when it is paused."""
    session = screen.session
    source = session.source
    sandboxes = source.sandboxes if source else None
    if session.no_changes or sandboxes is None:
        screen.tell(session.no_changes)
        return
    if session.means_marked:
        await bulk.pause(screen, sandboxes)
        return
    sandbox_id = session.target_sandbox()
    if not sandbox_id:
        screen.tell("no sandbox is selected")
        return
    await change_sandbox(screen, sandboxes, sandbox_id)
    screen.refresh_lists()


async def change_sandbox(screen: MainScreen, sandboxes: Sandboxes, sandbox_id: str) -> None:
    """Pause this sandbox, or resume it; not while that goes on already."""
    session = screen.session
    if sandbox_id in session.changing:
        screen.tell(f"it is still {session.changing[sandbox_id]}")
        return
    session.changing[sandbox_id] = "being looked at"
    try:
        with screen.reporting():
            await _change_sandbox(screen, sandboxes, sandbox_id)
    finally:
        del session.changing[sandbox_id]


async def _change_sandbox(screen: MainScreen, sandboxes: Sandboxes, sandbox_id: str) -> None:
    session = screen.session
    with screen.preparing("asking how the sandbox stands"):
        plan = await sandboxes.plan(sandbox_id)
    if not plan.action:
        raise Problem(f"Neither pause nor resume: {plan.reason}", plan.hint)
    answer = await screen.ask(sandbox_question(screen, plan)) if plan.at_stake else "now"
    if not answer:
        return
    pauses = plan.action == "pause"
    session.changing[sandbox_id] = "being paused" if pauses else "being resumed"
    stopped = answer == "stop" and bool(plan.running)
    with session.writing(f"{'pausing' if pauses else 'resuming'} a sandbox"):
        stage = await pausing.carry_out(
            screen, sandboxes, plan, screen.footer.tell, stop_agents=answer == "stop"
        )
        told = await what_else(screen, sandboxes, plan)
        if stopped:
            told += " · the agent was stopped and stays so after a resume"
        if session.target_sandbox() == sandbox_id:
            whose = "sandbox"
            undo = " · p resumes it" if pauses and not told else ""
        else:  # the reader has moved on, and p means another one
            inside = ", ".join(title_of(c) for c in plan.conversations[:1])
            whose, undo = f"sandbox of {inside}" if inside else "the sandbox", ""
        screen.tell(f"{whose} {stage}{told}{undo}")


async def what_else(screen: MainScreen, sandboxes: Sandboxes, plan: SandboxPlan) -> str:
    """After a resume: the sandboxes that the server paused to make room."""
    paused = [sandbox.id for sandbox in await sandboxes.displaced(plan)]
    if not paused:
        return ""
    titles = [title_of(c) for c in screen.session.conversations if c.sandbox_id in paused]
    named = ", ".join(titles[:2]) or plural(len(paused), "sandbox", "sandboxes")
    return f" · the server paused {named}"


def sandbox_question(screen: MainScreen, plan: SandboxPlan) -> Question:
    if plan.action == "resume":
        listed = screen.session.conversations
        inside = {c.sandbox_id: c for c in reversed(listed)}
        names = [title_of(inside[s.id]) for s in plan.others if s.id in inside][:SHOWN]
        up = plural(len(plan.others), "other sandbox", "other sandboxes")
        lines: list[list[Piece]] = [
            [(f"{up} up. Over its limit the server pauses the oldest, without asking:", "")],
            [("  ".join(names) or "their conversations are not loaded", "dim")],
        ]
        return Question("Resume sandbox", lines, (("enter", "resume", "now"),))
    running = plan.running
    count = plural(len(running), "run")
    head = f"Stops {count}:" if running else "Pauses the sandbox of:"
    first: list[Piece] = [(f"{head} ", "")]
    ordered = [*running, *(c for c in plan.conversations if c not in running)]
    for conversation in ordered[:SHOWN]:
        first += _named(screen, conversation)
    if len(ordered) > SHOWN:
        first.append((f"and {len(ordered) - SHOWN} more", "dim"))
    answers = [("enter", "pause", "now")]
    if running:
        answers = [
            ("enter", "stop the agent after this step, then pause", "stop"),
            ("f", "freeze now", "now"),
        ]
    return Question("Pause sandbox", [first], answers)


def _named(screen: MainScreen, conversation: Conversation) -> list[Piece]:
    session = screen.session
    glyph, hue = status_mark(
        glyphs_of(screen.app), conversation.sandbox_status, conversation.execution_status
    )
    doing = ""
    trajectory = screen.timeline.trajectory
    shown = session.current
    if trajectory and len(trajectory) and shown and shown.id == conversation.id:
        last = trajectory.steps[-1]
        began = last.event.seconds()
        if trajectory.outcome(last) is Outcome.RUNNING and began is not None:
            what = screen.timeline.describe_row(last, last.event).what
            since = max(0.0, session.clock() - began)
            doing = f" ({duration(since)} into {shorten(what, 24)})"
    return [(glyph, hue), (f" {title_of(conversation)}{doing}   ", "")]


# Files


def download_label(screen: MainScreen) -> str | None:
    session = screen.session
    if session.source is None or not session.source.remote:
        return None
    return f"download {len(session.marks):,}" if session.means_marked else "download"


async def download(screen: MainScreen) -> None:
    """The trajectory of the conversation under the cursor, into the folder of the settings."""
    session = screen.session
    source = session.source
    remote = source.remote if source else None
    if remote and session.means_marked:
        await bulk.download(screen, remote)
        return
    conversation = session.target()
    if source is None or conversation is None:
        screen.tell(session.no_target)
        return
    if not remote:  # no error, which would stand until esc
        screen.tell(f"this run is a file already: {source.label}")
        return
    if session.is_writing(bulk.DOWNLOADING, conversation.id):
        screen.tell("it is still being downloaded · esc stops")
        return

    def progress(received: int) -> None:
        screen.tell(f"downloading {size(received)} · esc stops", log=False)

    with (
        screen.reporting(),
        session.writing(f"{bulk.DOWNLOADING} a trajectory", conversation.id),
    ):
        try:
            screen.tell("downloading · esc stops", passing=True)
            path = await remote.download(conversation, session.settings.download_folder, progress)
        except asyncio.CancelledError:
            screen.tell("download stopped, nothing was kept")
            raise
        session.saved = path
        screen.tell(saved_words(path))


def saved_words(path: Path) -> str:
    """What was saved and where; where there is no room the end goes."""
    took, folder = size(path.stat().st_size), tilde(path.absolute().parent, os.environ)
    return f"saved {path.name} in {folder} · y p copies the path · {took}"


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
