"""`oh-tui send`, `approve`, `reject`, `stop`, `continue`: they read the agent's state, act on
it, and print the state afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from oh_tui.actions.agent_actions import AgentStage, Steps
from oh_tui.actions.agent_state import AgentState, AgentStatus
from oh_tui.catalog.names import conversation_id, title
from oh_tui.commands.framework.acting import require_consent, short, text_of
from oh_tui.commands.framework.command import RUNNING, Call, argument, command, flag
from oh_tui.commands.framework.opening import meant
from oh_tui.commands.framework.printing import print_json
from oh_tui.documents.run import line
from oh_tui.sources.budget import budget_of
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem, Refused
from oh_tui.text.remarks import progress
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.reading.describe import describe

if TYPE_CHECKING:
    from oh_tui.documents.shapes import acts

OVER = flag("--yes", about="do not ask, even if the run is over its budget")


@command(
    "send",
    RUNNING,
    argument("text", metavar="TEXT|-", help="what to say; - reads it from stdin"),
    (
        flag("--approve", about="let a call that waits run, then send"),
        flag("--reject", about="reject a call that waits, then send"),
    ),
    OVER,
    settings=("budget",),
    examples={
        "send 5f3a 'use pytest instead'": "it goes on, or reads it after its current step",
        "send 5f3a - < notes.md": "a longer text",
        "send 5f3a --reject 'not on main'": "when a call waits for an answer",
    },
    wants="change",
    epilog="A message lets the agent go on, and with it a call that waits for your answer\n"
    "or that has no result. Then nothing is sent, and the exit code is 1, unless\n"
    "--approve or --reject says what to do with the call.",
)
async def send(call: Call) -> int:
    """What waits runs before the agent reads it: `--approve` or `--reject` must allow that."""
    text = text_of(call.args.text).rstrip("\n")
    if not text.strip():
        raise Problem("There is nothing to send", "oh-tui send ID TEXT, or - for standard input")
    before = await _state(call)
    approve, reject = call.args.approve, call.args.reject
    if before.is_held and not (approve or reject):
        raise Refused(
            f"{_calls_wait(before)}, and a message would run it: nothing was sent",
            "--reject rejects it and then sends, --approve lets it run",
        )
    if before.is_held and approve:
        before.require_in_sight()
    if not before.runs:
        _require_budget(call, before, "send", "TEXT")
    arrives = f"the message may still arrive: oh-tui tail {call.about} shows it"
    rejects = before.is_held and reject
    call.goes_on = "the waiting call may be rejected, and nothing was sent" if rejects else arrives
    steps = call.agents.send(before, text, approve=approve, reject=reject)
    after, stages = await _carry_out(call, steps, {AgentStage.REJECTED: arrives})
    done, calls = "sent", before.calls if before.is_held else ()
    if calls:
        done = "approved and sent" if approve else "rejected and sent"
    _print(call, after, done, stages, calls)
    return 0


@command(
    "approve",
    RUNNING,
    OVER,
    settings=("budget",),
    examples={"approve 5f3a": "all waiting calls; the server cannot answer one of several"},
    wants="change",
)
async def approve(call: Call) -> int:
    return await _answer(call, accept=True)


@command(
    "reject",
    RUNNING,
    argument(
        "reason",
        nargs="?",
        default="",
        metavar="REASON",
        help="why, for the agent; - reads it from stdin",
    ),
    examples={"reject 5f3a 'push to a branch'": "all calls that wait, with a reason"},
    wants="change",
    epilog="The agent is idle after it, and reads the reason when it goes on: by\n"
    "oh-tui continue, or by oh-tui send with more to say.",
)
async def reject(call: Call) -> int:
    return await _answer(call, accept=False, reason=text_of(call.args.reason))


async def _answer(call: Call, *, accept: bool, reason: str = "") -> int:
    before = await _state(call)
    if not before.waits:
        raise Refused(f"Nothing waits for an answer: {before.in_words}", _next(before))
    if accept:
        before.require_in_sight()
        _require_budget(call, before, "approve")
    call.goes_on = f"the answer may still arrive: oh-tui tail {call.about} shows it"
    steps = call.agents.answer(before, accept=accept, reason=reason.strip())
    after, stages = await _carry_out(call, steps)
    _print(call, after, "approved" if accept else "rejected", stages, before.calls)
    return 0


@command(
    "stop",
    RUNNING,
    flag("--now", about="cut the step off instead of waiting for its end"),
    examples={
        "stop 5f3a": "waits for the end of the current step, however long that takes",
        "stop 5f3a --now": "cuts it off",
    },
    wants="change",
    epilog="oh-tui continue lets the agent go on, and oh-tui pause stops its sandbox.",
)
async def stop(call: Call) -> int:
    before = await _state(call)
    if not before.runs:
        _print(call, before, "nothing to stop")
        return 0
    call.goes_on = "the agent was asked to stop, and does so when its step ends"
    after, stages = await _carry_out(call, call.agents.stop(before, at_once=call.args.now))
    _print(call, after, "stopped", stages, before.calls if call.args.now else ())
    return 0


@command(
    "continue",
    RUNNING,
    flag("--yes", about="do not ask, even if it is stuck, over its budget or a call runs again"),
    settings=("budget",),
    examples={
        "continue 5f3a": "asks if it is stuck, over its budget or a call would run again",
        "continue 5f3a --yes": "in a script",
    },
    wants="change",
)
async def go_on(call: Call) -> int:
    before = await _state(call)
    if before.runs:
        _print(call, before, "nothing to continue")
        return 0
    if before.waits:
        raise Refused(f"{_calls_wait(before)}: continuing would approve it", _next(before))
    if not before.can_continue:
        raise Refused(f"There is nothing to continue: {before.in_words}", _next(before))
    stakes = []
    if before.repeats:
        stakes.append(f"It is stuck ({before.repeats}) and may repeat that, which costs money")
    if before.calls:
        again = "again" if len(before.calls) == 1 else f"again, all {len(before.calls)}"
        stakes.append(f"A call without a result runs {again}: {_names(before.calls)}")
    stakes += _over_budget(call, before)
    if stakes:
        require_consent(call, ". ".join(stakes), f"oh-tui continue {call.about} --yes")
    call.goes_on = "the agent may go on"
    after, stages = await _carry_out(call, call.agents.go_on(before))
    _print(call, after, "continued", stages, before.calls)
    return 0


async def _state(call: Call) -> AgentState:
    """The agent's current state. Raises Refused when nothing can be done with it."""
    conversation = await meant(call)
    state = await call.agents.state(conversation.id)
    state.require_reachable()
    return state


def _over_budget(call: Call, state: AgentState) -> list[str]:
    """What is at stake if the run has cost what its user set; nothing otherwise."""
    one = state.conversation
    budget = budget_of(call.annotations().of(one), call.settings.budget, one.cost, state.cost)
    return [f"It has cost {budget.words}"] if budget and budget.is_over else []


def _require_budget(call: Call, state: AgentState, *words: str) -> None:
    for stake in _over_budget(call, state):
        name, *rest = words
        require_consent(call, stake, f"oh-tui {' '.join([name, call.about, *rest])} --yes")


async def _carry_out(
    call: Call, steps: Steps, goes_on: Mapping[AgentStage, str] | None = None
) -> tuple[AgentState, list[str]]:
    """The agent's state at the end, and the stages. `goes_on` is what continues on the server
    from a stage on, should the command be interrupted."""
    stages: list[str] = []
    after: AgentState | None = None
    with progress() as show:
        async for step in steps:
            if isinstance(step, AgentStage):
                stages.append(step)
                show(step)
                call.goes_on = (goes_on or {}).get(step, call.goes_on)
            else:
                after, call.goes_on = step, ""
    assert after is not None
    return after, stages


def _calls_wait(state: AgentState) -> str:
    names = _names(state.calls)
    if not state.waits:
        return f"{plural(len(state.calls), 'call')} without a result: {names}"
    return f"It waits for an answer: {names}" if names else "It waits for an answer"


def _names(calls: tuple[Step, ...]) -> str:
    return ", ".join(map(_name, calls))


def _name(step: Step) -> str:
    return describe(step, Outcome.WAITING).what


def _next(state: AgentState) -> str:
    status = AgentStatus.UNREAD if state.can_continue else state.agent_status
    return _NEXT.get(status, _NEXT[AgentStatus.IDLE]).replace("{id}", short(state.conversation))


_NEXT = {
    AgentStatus.WORKS: "oh-tui tail -f {id} shows what it does",
    AgentStatus.WAITS: "oh-tui approve {id}, or oh-tui reject {id} REASON",
    AgentStatus.UNREAD: "oh-tui continue {id} lets it go on",
    AgentStatus.IDLE: "oh-tui send {id} TEXT tells it what to do",
}


def _print(
    call: Call,
    state: AgentState,
    done: str,
    stages: Sequence[str] = (),
    calls: tuple[Step, ...] = (),
) -> None:
    if call.as_json:
        print_json(
            {
                "id": conversation_id(state.conversation),
                "title": title(state.conversation),
                "done": done,
                "stages": stages,
                "calls": [_call_json(one) for one in calls],
                "status": line(state.status),
                "sandbox_status": line(state.conversation.sandbox_status),
                "without_result": [_call_json(one) for one in state.calls],
            }
        )
        return
    for about in map(_name, calls) if calls else [title(state.conversation)]:
        print(f"{done}  {about}")
    print(state.in_words + ("" if state.runs else f": {_next(state)}"))


def _call_json(step: Step) -> acts.ActedCall:
    return {
        "call_id": line(step.event.tool_call_id),
        "tool": line(step.event.tool_name),
        "what": _name(step),
        "risk": line(step.event.risk),
    }
