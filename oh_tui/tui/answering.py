"""What an agent is told by a key: an answer (`a`), stop and go on (`P`); see `messages` for `m`.

Each told as one story: read how the agent stands now, ask if something is at stake, do it, show
each stage, read again what is true.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.api.models import same_id
from oh_tui.human import duration, plural
from oh_tui.sources.acting import AgentStage
from oh_tui.sources.agent_state import AgentStatus
from oh_tui.trajectory.block import Block, Heading
from oh_tui.trajectory.blocks import call_blocks, call_title
from oh_tui.trajectory.describe import describe
from oh_tui.trajectory.steps import Outcome, Step
from oh_tui.tui.widgets.bars import Question
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Piece, glyphs_of, shorten

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.sources.acting import Agents, Steps
    from oh_tui.sources.agent_state import Standing
    from oh_tui.tui.main_screen import MainScreen
    from oh_tui.tui.widgets.editor import Editor

TELLING, STOPPING = "telling an agent what to do", "telling an agent to stop"
SENDING = "sending a message"
"""What is written to an agent, in words."""

RISKS = {"HIGH": "bad", "MEDIUM": "warn"}
"""The risks that are told, the highest first, and their hues."""

TITLE = 40
"""Cells of a title in a question."""


async def read_standing(screen: MainScreen) -> tuple[Agents, Standing] | None:
    """How the agent of the conversation meant stands now, its run at the right; None when there
    is nothing to be said to it from here."""
    session = screen.session
    if session.no_changes or session.source is None or not session.source.agents:
        screen.tell(session.no_changes)
        return None
    conversation = session.target()
    if conversation is None:
        screen.tell(session.no_target)
        return None
    agents = session.source.agents
    with screen.preparing("asking how the agent stands"):
        standing = await agents.standing(conversation.id)
    if not (session.current and same_id(session.current.id, conversation.id)):
        screen.open_run(standing.conversation)
    return agents, standing


# Answering


async def answer(screen: MainScreen) -> None:
    """Approve or reject the calls that wait."""
    with screen.reporting():
        found = await read_standing(screen)
        if found is None:
            return
        agents, standing = found
        if standing.obstacle:
            raise standing.obstacle
        if is_told(screen, standing.conversation):
            return
        if not standing.waits:
            screen.tell(f"nothing waits for your answer: {stands(standing)}")
            return
        runs = "they run" if len(standing.calls) > 1 else "it runs"
        answers = [("n", "reject, with a reason", "no")]
        if standing.in_sight:
            answers.insert(0, ("y", f"approve: {runs} now", "yes"))
        question = Question("", _one_answer(standing), answers, "later")
        chosen = await ask_about_calls(screen, standing, question)
        if not chosen:
            return
        reason = ""
        if chosen == "no":
            given = await _reason(screen, standing)
            if given is None:
                screen.tell("not answered: a asks again")
                return
            reason = given.strip()
        steps = agents.answer(standing, accept=chosen == "yes", reason=reason)
        now = await carry_out(screen, standing, steps)
        done = "approved" if chosen == "yes" else "rejected"
        screen.tell(f"{done} · {stands(now)}")


def _one_answer(standing: Standing) -> list[list[Piece]]:
    """What one must know before answering; nothing for a single call, which is all in sight."""
    if not standing.in_sight:
        return [[("Not all of its calls are among the last events: look at the run.", "warn")]]
    if len(standing.calls) > 1:
        return [[(f"One answer covers all {len(standing.calls)} calls.", "")]]
    return []


async def ask_about_calls(screen: MainScreen, standing: Standing, question: Question) -> str:
    """Ask with all calls that have no result in sight."""
    calls = standing.calls
    one = len(calls) == 1
    if standing.waits:
        what = "waits for your answer" if one or not calls else "wait for your answer"
    else:
        what = "has no result" if one else "have no result"
    title = f"{plural(len(calls), 'call') if calls else 'the agent'} {what}"
    if not calls:
        return await screen.ask(replace(question, title=title))
    risks = [risk for risk in RISKS if any(call.event.risk == risk for call in calls)]
    facts = ((f"risk {risks[0]}", RISKS[risks[0]]),) if risks else ()
    return await screen.ask_about(_calls_blocks(calls), question, ((title, "title"),), facts)


def _calls_blocks(calls: tuple[Step, ...]) -> list[Block]:
    """Each call whole; of several each under its number, tool and risk."""
    blocks: list[Block] = []
    for number, call in enumerate(calls, 1):
        if len(calls) > 1:
            risk = f" · risk {call.event.risk}" if call.event.risk in RISKS else ""
            blocks.append(
                Heading(f"{number} of {len(calls)} · {call_title(call, numbered=False)}{risk}")
            )
        blocks += call_blocks(call, alone=True)
    return blocks


async def _reason(screen: MainScreen, standing: Standing) -> str | None:
    from oh_tui.tui.widgets.editor import Editor

    count = plural(len(standing.calls) or 1, "call")
    editor = Editor(
        ((f"Why not, for the agent: rejects {count}", "title"),),
        hint="no reason", send="reject", keep="answer later",
    )  # fmt: skip
    text, sent = await write(screen, editor)
    return text if sent else None


# Stopping and going on


async def stop_or_go_on(screen: MainScreen) -> None:
    """Stop the agent that works, or let one go on that does not."""
    with screen.reporting():
        found = await read_standing(screen)
        if found is None:
            return
        agents, standing = found
        if standing.obstacle:
            raise standing.obstacle
        if standing.runs:
            await _stop(screen, agents, standing)
        elif standing.waits:
            screen.tell(stands(standing))
        elif is_told(screen, standing.conversation):
            return
        elif standing.can_continue:
            await _go_on(screen, agents, standing)
        else:
            screen.tell(stands(standing))


async def _stop(screen: MainScreen, agents: Agents, standing: Standing) -> None:
    calls = standing.calls
    glyph = glyphs_of(screen.app).running
    named: list[Piece] = [(f"{glyph} ", "good"), (short_title(standing.conversation), "")]
    cut = "dropping what the model says"
    if calls:
        what = describe(calls[-1], Outcome.RUNNING).what
        began = calls[-1].event.seconds()
        since = (
            "" if began is None else f"{duration(max(0.0, screen.session.clock() - began))} into "
        )
        more = f" and {plural(len(calls) - 1, 'other call')}" if len(calls) > 1 else ""
        named.append((f"   {since}{shorten(what, 48)}{more}", "dim"))
        room = max(8, min(24, screen.size.width - 60))
        cut = f"cutting {shorten(what.removeprefix('$ '), room)} off"
    chosen = await screen.ask(
        Question(
            "Stop the agent", [named],
            (("enter", "after this step", "step"), ("n", f"now, {cut}", "now")),
        )
    )  # fmt: skip
    if not chosen:
        return
    steps = agents.stop(standing, at_once=chosen == "now")
    now = await carry_out(screen, standing, steps, what=STOPPING)
    screen.tell(stands(now))


async def _go_on(screen: MainScreen, agents: Agents, standing: Standing) -> None:
    if standing.calls:
        count = len(standing.calls)
        again = "Going on runs it again." if count == 1 else f"Going on runs all {count} again."
        question = Question("", [[(again, "warn")]], (("y", "go on", "yes"),))
        if not await ask_about_calls(screen, standing, question):
            return
    now = await carry_out(screen, standing, agents.go_on(standing))
    screen.tell(stands(now))


# What they share


class Waiting:
    """An answer that may take as long as a step; the seconds are told until Esc. What was asked
    goes on, and so does waiting for it: only the telling ends. Of several the last is told."""

    def __init__(self, screen: MainScreen, stage: str) -> None:
        self.stage = stage
        self._screen = screen
        self._began = time.monotonic()
        self._timer = screen.set_interval(1.0, self._tell)
        screen.waits.append(self)

    def _tell(self) -> None:
        if self._screen.waits[-1] is not self or self._screen.is_asking:  # there Esc means that
            return
        span = time.monotonic() - self._began
        told = f"{span:.0f} s: {self.stage} · esc stops waiting"
        self._screen.tell(told, log=False)

    def end(self) -> None:
        self._timer.stop()
        if self in self._screen.waits:
            self._screen.waits.remove(self)

    def stop(self) -> None:
        """Esc."""
        self.end()
        self._screen.tell(f"{self.stage}; you are told when")


def is_told(screen: MainScreen, conversation: Conversation, *verbs: str) -> bool:
    """Whether the agent is being answered, told to go on or written to already; says so. While
    that is on its way the call stands as before, and a second `run` would come when another call
    may wait."""
    for verb in verbs or (TELLING, SENDING):
        if screen.session.is_writing(verb, conversation.id):
            screen.tell(f"not yet: still {verb}")
            return True
    return False


@contextmanager
def _waiting(screen: MainScreen, stage: str) -> Iterator[None]:
    waiting = Waiting(screen, stage)
    try:
        yield
    finally:
        waiting.end()


async def carry_out(
    screen: MainScreen, before: Standing, steps: Steps, *, what: str = TELLING
) -> Standing:
    """Show each stage with the seconds it takes; how the agent stands then. The lists and the run
    are read again, whatever came of it."""
    session = screen.session
    now = before
    try:
        with session.writing(what, before.conversation.id):
            step = await anext(steps, None)
            while isinstance(step, AgentStage):
                screen.tell(step, passing=True)
                with _waiting(screen, step):
                    step = await anext(steps, None)
        if step is not None:
            now = step
            status = now.status or now.conversation.execution_status
            session.board.told(replace(now.conversation, execution_status=status), time.monotonic())
            screen.show_lists()
            await anext(steps, None)
        return now
    finally:
        screen.refresh_lists()
        if session.current and same_id(session.current.id, before.conversation.id):
            screen.read_run(session.current)


_STANDS = {
    AgentStatus.WAITS: "the agent waits for your answer: a",
    AgentStatus.STOPPED: "the agent is stopped: P lets it go on",
    AgentStatus.FINISHED: "the agent has finished: m goes on with a message",
    AgentStatus.FAILED: "the run ended in an error: P tries to go on",
    AgentStatus.STUCK: "the agent is stuck: P lets it go on, m tells it what to do",
    AgentStatus.UNREAD: "the agent is idle: P lets it go on, m says more",
    AgentStatus.IDLE: "the agent is idle, with nothing to do: m tells it",
}


def stands(standing: Standing) -> str:
    """How an agent stands, with the key that goes on from there."""
    words = standing.in_words
    return words if standing.obstacle else _STANDS.get(standing.agent_status, words)


def short_title(conversation: Conversation) -> str:
    return shorten(title_of(conversation), TITLE)


async def write(screen: MainScreen, editor: Editor) -> tuple[str, bool]:
    with screen.session.writing("writing to an agent"):
        return await screen.write_text(editor)
