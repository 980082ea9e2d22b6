"""`oh-tui send`, `approve`, `reject`, `stop`, `continue`: what is said to an agent, each decided on
how it stands at that moment and told by how it stands then."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oh_tui.commands.shared.acting import require_consent, short, text_of
from oh_tui.commands.shared.documents import conversation_id, line
from oh_tui.commands.shared.frame import Call, Command
from oh_tui.commands.shared.ids import find
from oh_tui.commands.shared.printing import print_json, tell_progress
from oh_tui.commands.shared.reading import title
from oh_tui.sources.agent_actions import AgentStage
from oh_tui.sources.agent_state import AgentStatus
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem, Refused
from oh_tui.trajectory.content.describe import describe
from oh_tui.trajectory.model.steps import Outcome, Step

if TYPE_CHECKING:
    from oh_tui.sources.agent_actions import Agents, Steps
    from oh_tui.sources.agent_state import AgentState


async def send(call: Call) -> int:
    """A message that lets the agent go on runs what waits before it is read: that is only done
    when it was asked for."""
    text = text_of(call.asked.text).rstrip("\n")
    if not text.strip():
        raise Problem("There is nothing to send", "oh-tui send ID TEXT, or - for standard input")
    agents, before = await _standing(call)
    approve, reject = call.asked.approve, call.asked.reject
    if before.is_held and not (approve or reject):
        raise Refused(
            f"{_calls_wait(before)}, and a message would run it: nothing was sent",
            "--reject rejects it and then sends, --approve lets it run",
        )
    if before.is_held and approve:
        before.require_in_sight()
    arrives = f"the message may arrive all the same: oh-tui tail {call.about} tells"
    rejects = before.is_held and reject
    call.goes_on = "what waited may be rejected, and nothing was sent" if rejects else arrives
    steps = agents.send(before, text, approve=approve, reject=reject)
    now, stages = await _through(call, steps, {AgentStage.REJECTED: arrives})
    done, calls = "sent", before.calls if before.is_held else ()
    if calls:
        done = "approved and sent" if approve else "rejected and sent"
    _tell(call, now, done, stages, calls)
    return 0


async def approve(call: Call) -> int:
    return await _answer(call, accept=True)


async def reject(call: Call) -> int:
    return await _answer(call, accept=False, reason=text_of(call.asked.reason))


async def _answer(call: Call, *, accept: bool, reason: str = "") -> int:
    agents, before = await _standing(call)
    if not before.waits:
        raise Refused(f"Nothing waits for an answer: {before.in_words}", _next(before))
    if accept:
        before.require_in_sight()
    call.goes_on = f"the answer may be given: oh-tui tail {call.about} tells"
    steps = agents.answer(before, accept=accept, reason=reason.strip())
    now, stages = await _through(call, steps)
    _tell(call, now, "approved" if accept else "rejected", stages, before.calls)
    return 0


async def stop(call: Call) -> int:
    agents, before = await _standing(call)
    if not before.runs:
        _tell(call, before, "nothing to stop", [], ())
        return 0
    call.goes_on = "the agent was asked to stop, and does so when its step ends"
    now, stages = await _through(call, agents.stop(before, at_once=call.asked.now))
    cut = before.calls if call.asked.now else ()
    _tell(call, now, "stopped", stages, cut)
    return 0


async def go_on(call: Call) -> int:
    agents, before = await _standing(call)
    if before.runs:
        _tell(call, before, "nothing to continue", [], ())
        return 0
    if before.waits:
        raise Refused(
            f"{_calls_wait(before)}: to continue would approve that",
            _next(before),
        )
    if not before.can_continue:
        raise Refused(f"There is nothing to continue: {before.in_words}", _next(before))
    if before.calls:
        names = ", ".join(what(one) for one in before.calls)
        again = "again" if len(before.calls) == 1 else f"again, all {len(before.calls)}"
        require_consent(
            call,
            f"A call without a result runs {again}: {names}",
            f"oh-tui continue {call.about} --yes",
        )
    call.goes_on = "the agent may go on"
    now, stages = await _through(call, agents.go_on(before))
    _tell(call, now, "continued", stages, before.calls)
    return 0


async def _standing(call: Call) -> tuple[Agents, AgentState]:
    """How the agent stands now. Raises Refused when it cannot be told anything."""
    conversation = await find(call.source, call.identifier)
    call.about = short(conversation)
    agents = call.source.agents
    assert agents is not None
    standing = await agents.standing(conversation.id)
    if standing.obstacle:
        raise standing.obstacle
    return agents, standing


async def _through(
    call: Call, steps: Steps, go_on: Mapping[AgentStage, str] | None = None
) -> tuple[AgentState, list[str]]:
    """How the agent stands in the end, and the stages; with one of `go_on` what goes on when the
    command is interrupted is another."""
    stages: list[str] = []
    now: AgentState | None = None
    try:
        async for step in steps:
            if not isinstance(step, AgentStage):
                now, call.goes_on = step, ""
                continue
            stages.append(step)
            tell_progress(step)
            if go_on and step in go_on:
                call.goes_on = go_on[step]
    finally:
        tell_progress("")
    assert now is not None
    return now, stages


def _calls_wait(standing: AgentState) -> str:
    calls = standing.calls
    names = ", ".join(what(one) for one in calls)
    if not standing.waits:
        return f"{plural(len(calls), 'call')} without a result: {names}"
    return f"It waits for an answer: {names}" if calls else "It waits for an answer"


def what(step: Step) -> str:
    """A call on one line."""
    return describe(step, Outcome.WAITING).what


def _next(standing: AgentState) -> str:
    """The command that goes on from there."""
    status = AgentStatus.UNREAD if standing.can_continue else standing.agent_status
    return _NEXT.get(status, _NEXT[AgentStatus.IDLE]).replace("{id}", short(standing.conversation))


_NEXT = {
    AgentStatus.WORKS: "oh-tui tail -f {id} shows what it does",
    AgentStatus.WAITS: "oh-tui approve {id}, or oh-tui reject {id} REASON",
    AgentStatus.UNREAD: "oh-tui continue {id} lets it go on",
    AgentStatus.IDLE: "oh-tui send {id} TEXT tells it what to do",
}


def _tell(
    call: Call, now: AgentState, done: str, stages: list[str], calls: tuple[Step, ...]
) -> None:
    """What was done, to which calls, and how the agent stands now."""
    if call.as_json:
        print_json(_document(now, done, stages, calls))
        return
    for one in calls:
        print(f"{done}  {what(one)}")
    if not calls:
        print(f"{done}  {title(now.conversation)}")
    print(now.in_words + ("" if now.runs else f": {_next(now)}"))


def _document(
    now: AgentState, done: str, stages: list[str], calls: tuple[Step, ...]
) -> dict[str, Any]:
    return {
        "id": conversation_id(now.conversation),
        "title": title(now.conversation),
        "done": done,
        "stages": stages,
        "calls": [_call_json(one) for one in calls],
        "status": line(now.status),
        "sandbox_status": line(now.conversation.sandbox_status),
        "without_result": [_call_json(one) for one in now.calls],
    }


def _call_json(step: Step) -> dict[str, Any]:
    return {
        "call_id": line(step.event.tool_call_id),
        "tool": line(step.event.tool_name),
        "what": what(step),
        "risk": line(step.event.risk),
    }


def _send_arguments(parser: ArgumentParser) -> None:
    _conversation(parser)
    parser.add_argument("text", metavar="TEXT|-", help="what to say; - reads it from stdin")
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--approve", action="store_true", help="let a call that waits run, then send"
    )
    group.add_argument("--reject", action="store_true", help="reject a call that waits, then send")


def _reject_arguments(parser: ArgumentParser) -> None:
    _conversation(parser)
    parser.add_argument(
        "reason",
        nargs="?",
        default="",
        metavar="REASON",
        help="why, for the agent; - reads it from stdin",
    )


def _stop_arguments(parser: ArgumentParser) -> None:
    _conversation(parser)
    parser.add_argument(
        "--now", action="store_true", help="cut the step off instead of waiting for its end"
    )


def _continue_arguments(parser: ArgumentParser) -> None:
    _conversation(parser)
    parser.add_argument(
        "--yes", action="store_true", help="do not ask, even if a call runs again by it"
    )


def _conversation(parser: ArgumentParser) -> None:
    parser.add_argument("word", metavar="ID", help="a conversation whose sandbox runs")


COMMANDS = {
    "send": Command(
        "ID TEXT|-",
        _send_arguments,
        send,
        (
            ("send 5f3a 'use pytest instead'", "it goes on, or reads it after its present step"),
            ("send 5f3a - < notes.md", "a longer text"),
            ("send 5f3a --reject 'not on main'", "when a call waits for an answer"),
        ),
        reads="server",
        acts=True,
        epilog="A message lets the agent go on, and with it a call that waits for your answer\n"
        "or that has no result. Then nothing is sent, and the exit code is 1, unless\n"
        "--approve or --reject says what is to become of the call.",
    ),
    "approve": Command(
        "ID",
        _conversation,
        approve,
        (("approve 5f3a", "all calls that wait; the server knows no answer to one of several"),),
        reads="server",
        acts=True,
    ),
    "reject": Command(
        "ID [REASON]",
        _reject_arguments,
        reject,
        (("reject 5f3a 'push to a branch'", "all calls that wait, with a reason"),),
        reads="server",
        acts=True,
        epilog="The agent is idle after it, and reads the reason when it goes on: by\n"
        "oh-tui continue, or by oh-tui send with more to say.",
    ),
    "stop": Command(
        "ID",
        _stop_arguments,
        stop,
        (
            ("stop 5f3a", "waits for the end of the present step, however long that takes"),
            ("stop 5f3a --now", "cuts it off"),
        ),
        reads="server",
        acts=True,
        epilog="oh-tui continue lets the agent go on. Its sandbox runs on: oh-tui pause.",
    ),
    "continue": Command(
        "ID",
        _continue_arguments,
        go_on,
        (
            ("continue 5f3a", "asks if a call would run again"),
            ("continue 5f3a --yes", "in a script"),
        ),
        reads="server",
        acts=True,
    ),
}
