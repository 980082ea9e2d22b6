"""A message to an agent (`m`): written, kept until it is sent, and sent on the state of now."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from oh_tui.api.models import Conversation, bare_id, same_id
from oh_tui.human import plural
from oh_tui.problem import Problem, Remedy
from oh_tui.sources.acting import HalfDone
from oh_tui.sources.agent_state import Standing
from oh_tui.tui.controllers.agents import SENDING, TELLING, short_title, stands
from oh_tui.tui.widgets.bars import Question
from oh_tui.tui.widgets.drawing import Piece, shorten

if TYPE_CHECKING:
    from oh_tui.sources.acting import Agents
    from oh_tui.sources.source import Source
    from oh_tui.tui.main_screen import MainScreen
    from oh_tui.tui.widgets.editor import Editor


async def message(screen: MainScreen) -> None:
    """Write to the agent; what is written is kept until it is sent. The field is there at once, so
    that text typed ahead goes into it; how the agent stands is told there when it is known."""
    session = screen.session
    if screen.editor is not None:
        screen.editor.lines.focus()
        return
    source = session.source
    agents = source.agents if source else None
    if session.no_changes or source is None or agents is None:
        screen.tell(session.no_changes)
        return
    conversation = session.target()
    if conversation is None:
        screen.tell(session.no_target)
        return
    if session.is_writing(SENDING, conversation.id):
        screen.tell("the message before is still being sent")
        return
    with screen.reporting():
        if _cannot_read(Standing(conversation)):  # by the list, which may be old
            found = await screen.agents.read_standing()
            if found is None:
                return
            _require_reader(found[1])
        while await _compose(screen, agents, conversation):
            # from its start: while the server is silent a second `m` would send the same once more
            with screen.reporting(), session.writing(SENDING, conversation.id):
                draft = session.drafts[bare_id(conversation.id)]
                if await _send(screen, source, agents, conversation, draft):
                    return
            if session.source is not source:  # gone to another server: its text is kept
                return
            # what failed, or was thought better of, is offered again with its text


async def _compose(screen: MainScreen, agents: Agents, conversation: Conversation) -> bool:
    """Write the message of a conversation; True when it is to be sent. Raises Problem when it turns
    out that nobody would read it."""
    session = screen.session
    from oh_tui.tui.widgets.editor import Editor

    name = bare_id(conversation.id)
    editor = Editor(
        _title(screen, conversation), text=session.drafts.get(name, ""),
        hint="what the agent is to do or to know", empty="There is nothing to send yet.",
    )  # fmt: skip
    looking = asyncio.ensure_future(_tell_when(screen, agents, conversation, editor))
    sent = False
    try:
        text, sent = await screen.agents.write(editor)
    finally:
        if not looking.done():
            looking.cancel()
        with session.writing(SENDING, name) if sent else contextlib.nullcontext():
            await asyncio.wait([looking])
    if text.strip():
        session.drafts[name] = text
    else:
        session.drafts.pop(name, None)
    if not sent and text.strip():
        screen.tell("the message is kept: m goes on with it")
    if not looking.cancelled() and (problem := looking.exception()) and not sent:
        raise problem
    return sent


async def _tell_when(
    screen: MainScreen, agents: Agents, conversation: Conversation, editor: Editor
) -> None:
    """Tell in the field when the agent would read it; closes it when it never would."""
    session = screen.session
    try:
        standing = await agents.standing(conversation.id)
        _require_reader(standing)
    except Problem:
        screen.close_editor(editor)
        raise
    when = _read_when(standing)
    editor.tell(_title(screen, conversation, when), ((when, "dim"),))
    if not (session.current and same_id(session.current.id, conversation.id)):
        screen.open_run(standing.conversation)


def _title(screen: MainScreen, conversation: Conversation, when: str = "") -> tuple[Piece, ...]:
    room = max(12, screen.size.width - len(when) - 18)
    return ("Message to ", "title"), (shorten(short_title(conversation), room), "title")


def _cannot_read(standing: Standing) -> bool:
    """An agent in a paused sandbox can: it is resumed first."""
    return standing.obstacle is not None and standing.conversation.sandbox_status != "PAUSED"


def _require_reader(standing: Standing) -> None:
    if _cannot_read(standing) and standing.obstacle:
        raise standing.obstacle


def _read_when(standing: Standing) -> str:
    """When the agent would read a message."""
    if standing.obstacle:
        return "asks before it resumes the sandbox"
    if standing.runs:
        return "it reads this when its step is over"
    if standing.waits:
        return "asks about what waits first"
    if standing.calls:
        return "asks about the call without result first"
    return ""


async def _send(
    screen: MainScreen, source: Source, agents: Agents, conversation: Conversation, text: str
) -> bool:
    """Send a message on the state of now; False when it is not to be sent like that."""
    session = screen.session
    if screen.agents.is_telling(conversation, TELLING):
        return False
    standing = await agents.standing(conversation.id)
    if standing.conversation.sandbox_status == "PAUSED":
        if not await _resume(screen, source, standing.conversation):
            return False
        standing = await agents.standing(conversation.id)
    if standing.obstacle:
        raise standing.obstacle
    chosen = await _ask_before_message(screen, standing) if standing.is_held else "send"
    if not chosen:
        return False
    steps = agents.send(standing, text, approve=chosen == "approve", reject=chosen == "reject")
    try:
        now = await screen.agents.carry_out(standing, steps, what=SENDING)
    except HalfDone as problem:  # it is there: sent again it would be said twice
        session.drafts.pop(bare_id(conversation.id), None)
        screen.report(problem)
        return True
    session.drafts.pop(bare_id(conversation.id), None)
    if now.runs:
        told = "the agent reads it with its next step" if standing.runs else "the agent works"
    else:
        told = stands(now)
    screen.tell(f"sent · {told}")
    return True


async def _ask_before_message(screen: MainScreen, standing: Standing) -> str:
    """A message runs what waits before it is read: measured, agent server 1.34.0."""
    count = plural(len(standing.calls) or 1, "call")
    lines: list[list[Piece]] = [
        [("A message lets the agent go on: what has no result runs before it is read.", "warn")]
    ]
    answers = [("enter", f"reject {count}, then send", "reject")]
    if standing.in_sight:
        answers.append(("y", "approve and send", "approve"))
    question = Question("", lines, answers, "back to the text")
    return await screen.agents.ask_about_calls(standing, question)


async def _resume(screen: MainScreen, source: Source, conversation: Conversation) -> bool:
    """Resume the sandbox that a message is for; False when it is to stay as it is."""
    boxes = source.sandboxes
    if boxes is None or not conversation.sandbox_id:
        raise Problem("The sandbox of this conversation is not known", Remedy.REFRESH)
    plan = await boxes.plan(conversation.sandbox_id)
    if plan.action == "pause":  # it runs again meanwhile
        return True
    if plan.action != "resume":
        raise Problem(f"The message was not sent: {plan.reason}", plan.hint)
    lines: list[list[Piece]] = [
        [("The sandbox is paused, and an agent reads only in one that runs.", "")]
    ]
    if plan.others:
        lines += [list(line) for line in screen.sandboxes.question(plan).lines]
    answers = (("enter", "resume it, then send", "now"),)
    if not await screen.ask(Question("Resume sandbox", lines, answers, "back to the text")):
        return False
    with screen.session.writing("resuming a sandbox"):
        stage = await screen.sandboxes.carry_out(boxes, plan, screen.tell)
        screen.tell(f"sandbox {stage}{await screen.sandboxes.displaced_words(boxes, plan)}")
    screen.refresh_lists()
    return True
