"""What `d` and `p` do to all conversations that are marked: one question, then one after the other;
Esc stops between two, and a line at the end says what was done."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from oh_tui.api.models import Conversation, bare_id
from oh_tui.human import plural, size
from oh_tui.places import tilde
from oh_tui.problem import Problem
from oh_tui.sources import SandboxPlan
from oh_tui.tui import pausing
from oh_tui.tui.remedies import hint_of
from oh_tui.tui.widgets.bars import Question
from oh_tui.tui.widgets.conversation_list import stand_mark, title_of
from oh_tui.tui.widgets.drawing import Piece, glyphs_of, shorten

if TYPE_CHECKING:
    from oh_tui.sources.loading import ServerRuns
    from oh_tui.sources.sandboxes import Sandboxes
    from oh_tui.tui.main_screen import MainScreen

SHOWN = 4
"""Conversations named in a question; the rest is counted."""

TITLE = 28
"""Cells of a title in a question."""

DOWNLOADING = "downloading"


class Bulk:
    """Work on many things, each of which is done to its end."""

    def __init__(self) -> None:
        self.stopped = False

    def stop(self, screen: MainScreen) -> bool:
        """Esc: no further one; False when that was said already."""
        told, self.stopped = not self.stopped, True
        if told:
            screen.tell("stops after this one")
        return told


def pause_label(screen: MainScreen) -> str | None:
    """What `p` would do to those marked, by what the list says: it pauses what runs; only when
    nothing does, it resumes what is paused."""
    session = screen.session
    states = {s.id: s.status for s in session.sandboxes.all}
    found = {c.sandbox_id for c in session.marked}
    running = sum(states.get(i or "") == "RUNNING" for i in found)
    paused = sum(states.get(i or "") == "PAUSED" for i in found)
    if running:
        return f"pause {plural(running, 'sandbox', 'sandboxes')}"
    return f"resume {plural(paused, 'sandbox', 'sandboxes')}" if paused else None


# Sandboxes


async def pause(screen: MainScreen, sandboxes: Sandboxes) -> None:
    """Pause the sandboxes of the marked conversations, or resume them when none of them runs."""
    with screen.reporting():
        plans = await _plans(screen, sandboxes)
        action = "pause" if any(plan.action == "pause" for plan in plans) else "resume"
        todo = [plan for plan in plans if plan.action == action]
        if not todo:
            reason = plans[0].reason if plans else "no sandbox is known for them"
            raise Problem(f"Neither pause nor resume: {reason}", plans[0].hint if plans else "")
        answer = await screen.ask(_question(screen, todo, len(plans) - len(todo)))
        if not answer:
            return
        failed = await _carry_out(screen, sandboxes, todo, stop_agents=answer == "stop")
        if failed:
            raise Problem(*failed)
    screen.refresh_lists()


async def _plans(screen: MainScreen, sandboxes: Sandboxes) -> list[SandboxPlan]:
    """What can be done with each sandbox at this moment: three calls for each."""
    ids = dict.fromkeys(c.sandbox_id for c in screen.session.marked if c.sandbox_id)
    plans = []
    for number, sandbox_id in enumerate(ids, 1):
        with screen.preparing(f"looking at sandbox {number} of {len(ids)}"):
            plans.append(await sandboxes.plan(sandbox_id))
    return plans


async def _carry_out(
    screen: MainScreen, sandboxes: Sandboxes, todo: list[SandboxPlan], *, stop_agents: bool
) -> tuple[str, str] | None:
    """One after the other; the marks of what was done go. A sentence and a hint when something
    failed."""
    session = screen.session
    verb, done_verb = ("pausing", "paused") if todo[0].action == "pause" else ("resuming", "up")
    done: list[SandboxPlan] = []
    problems: list[Problem] = []
    session.bulk = bulk = Bulk()
    with session.writing(f"{verb} {plural(len(todo), 'sandbox', 'sandboxes')}"):
        try:
            for number, plan in enumerate(todo, 1):
                if bulk.stopped:
                    break
                more = " · esc stops after this one" if number < len(todo) else ""

                def tell(
                    stage: str, head: str = f"{number} of {len(todo)}", more: str = more
                ) -> None:
                    screen.tell(f"{head}: {stage}{more}", log=False)

                try:
                    await pausing.carry_out(screen, sandboxes, plan, tell, stop_agents=stop_agents)
                    done.append(plan)
                except Problem as problem:
                    problems.append(problem)
        finally:
            session.bulk = None
    settled = {plan.sandbox.id for plan in done if plan.sandbox}
    _unmark(screen, [c for c in screen.session.marked if c.sandbox_id in settled])
    counted = f"{len(done)} of {plural(len(todo), 'sandbox', 'sandboxes')} {done_verb}"
    if problems:
        return f"{counted}, {len(problems)} failed: {problems[0].sentence}", problems[0].hint
    what_else = await _paused_instead(sandboxes, todo)
    screen.tell(f"{'stopped: ' if bulk.stopped else ''}{counted}{what_else}")
    return None


async def _paused_instead(sandboxes: Sandboxes, todo: list[SandboxPlan]) -> str:
    paused = len(await sandboxes.displaced(*todo))
    if not paused:
        return ""
    return f" · the server paused {plural(paused, 'sandbox', 'sandboxes')} to make room"


def _question(screen: MainScreen, todo: list[SandboxPlan], left: int) -> Question:
    count = plural(len(todo), "sandbox", "sandboxes")
    inside = [c for plan in todo for c in plan.conversations]
    aside = f" {left} of the marked can do neither, or are so already." if left else ""
    if todo[0].action == "resume":
        up = {s.id for plan in todo for s in plan.others}
        lines: list[list[Piece]] = [[(f"Resumes {count}: ", ""), *_named(screen, inside)]]
        if up:
            count_up = plural(len(up), "other sandbox is", "other sandboxes are")
            limit = "Over its limit the server pauses the oldest, without asking."
            lines.append([(f"{count_up} up. {limit}{aside}", "")])
        elif aside:
            lines.append([(aside.strip(), "dim")])
        return Question(f"Resume {count}", lines, (("enter", f"resume {len(todo)}", "now"),))
    running = [c for plan in todo for c in plan.running]
    others = [c for c in inside if c not in running]
    lines = []
    if running:
        lines.append([(f"Stops {plural(len(running), 'run')}: ", ""), *_named(screen, running)])
    if others:
        lines.append([("Is in them too: " if running else "Pauses: ", ""), *_named(screen, others)])
    if aside:
        lines.append([(aside.strip(), "dim")])
    answers = [("enter", f"pause {len(todo)}", "now")]
    if running:
        answers = [
            ("enter", "stop each agent after its step, then pause", "stop"),
            ("f", "freeze now", "now"),
        ]
    return Question(f"Pause {count}", lines, answers)


def _named(screen: MainScreen, conversations: list[Conversation]) -> list[Piece]:
    """The first few with their glyphs, the others counted."""
    pieces: list[Piece] = []
    for conversation in conversations[:SHOWN]:
        if row := screen.session.board.row(conversation.id):
            pieces.append(stand_mark(glyphs_of(screen.app), row.stand))
        pieces.append((f" {shorten(title_of(conversation), TITLE)}   ", ""))
    if len(conversations) > SHOWN:
        pieces.append((f"and {len(conversations) - SHOWN} more", "dim"))
    return pieces


# Downloads


async def download(screen: MainScreen, remote: ServerRuns) -> None:
    """The trajectories of the marked conversations, one after the other. Esc cuts the one off
    that is coming, of which nothing is kept."""
    session = screen.session
    marked = screen.session.marked
    if any(session.is_writing(DOWNLOADING, c.id) for c in marked):
        screen.tell("of those marked one is still being downloaded · esc stops")
        return
    count = plural(len(marked), "trajectory", "trajectories")
    lines: list[list[Piece]] = [
        [(f"Saves {count} one after the other in {session.settings.download_folder}", "")],
        _named(screen, list(marked)),
    ]
    answers = (("enter", f"download {len(marked)}", "yes"),)
    if not await screen.ask(Question(f"Download {count}", lines, answers)):
        return
    saved: list[Conversation] = []
    problems: list[Problem] = []
    total = 0
    with session.writing(f"{DOWNLOADING} {count}", *(c.id for c in marked)):
        try:
            for number, conversation in enumerate(marked, 1):
                head = f"downloading {number} of {len(marked)}"
                screen.tell(f"{head} · esc stops", log=False)

                def progress(received: int, head: str = head) -> None:
                    screen.tell(f"{head}, {size(received)} · esc stops", log=False)

                try:
                    path = await remote.download(
                        conversation, session.settings.download_folder, progress
                    )
                except Problem as problem:
                    problems.append(problem)
                    continue
                session.saved = path
                saved.append(conversation)
                total += path.stat().st_size
        except asyncio.CancelledError:
            screen.tell(f"stopped: {len(saved)} of {count} saved, {size(total)}")
            raise
        finally:
            _unmark(screen, saved)
    folder = tilde(session.settings.download_folder.absolute(), os.environ)
    told = f"{len(saved)} of {count} saved in {folder}, {size(total)}"
    if problems:
        hint = f" ({hint})" if (hint := hint_of(problems[0])) else ""
        failed = f"{len(problems)} failed: {problems[0].sentence}{hint}"
        screen.tell(f"{told}; {failed}", error=True)
    else:
        screen.tell(told)


def _unmark(screen: MainScreen, conversations: list[Conversation]) -> None:
    screen.mark(screen.session.marks - {bare_id(c.id) for c in conversations})
    screen.tell_keys()
