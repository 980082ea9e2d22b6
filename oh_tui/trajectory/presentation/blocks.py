"""Blocks of steps: what calls and results show, independent of any screen.

All text in blocks is clean and redacted, and nothing is cut. No function here raises, whatever the
events hold.
"""

from __future__ import annotations

import re

from oh_tui.text.human import duration
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.model import bodies
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.event_kinds import NO_KIND, STILL_RUNNING, UNREADABLE
from oh_tui.trajectory.model.events import Event, read_json
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usual_fields import REDUNDANT_IN_CALL
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import (
    Block,
    Command,
    Heading,
    Note,
    Thought,
    json_pretty,
    output_blocks,
    pair_blocks,
)
from oh_tui.trajectory.presentation.block_calls import asked_plan
from oh_tui.trajectory.presentation.block_events import (
    EVENTS,
    acp_blocks,
    acp_call,
    reasoning_blocks,
    what_followed,
)
from oh_tui.trajectory.presentation.block_fields import object_blocks, rest_blocks, value_blocks
from oh_tui.trajectory.presentation.block_files import proposal
from oh_tui.trajectory.presentation.block_results import (
    DETAILS,
    PLAIN,
    answer_blocks,
    facts,
    late_blocks,
)
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.presentation.take import View, view
from oh_tui.trajectory.reading.terminal import read_output
from oh_tui.trajectory.reading.tools import tool_of

_UNDONE = (Outcome.ERROR, Outcome.REJECTED, Outcome.NO_RESULT)
"""Outcomes for which blocks tell what the agent did next."""

_OPEN = {
    Outcome.WAITING: "nothing was run yet",
    Outcome.RUNNING: "no result yet",
    Outcome.NO_RESULT: "the events have none",
}

_OPEN_TITLES = {
    Outcome.WAITING: "waits for your answer",
    Outcome.RUNNING: "running",
    Outcome.OK: "",
}


def call_blocks(
    step: Step, *, whole: bool = False, alone: bool = False, context: StepContext | None = None
) -> list[Block]:
    """The call of a step: its thought in two lines, its arguments and the calls made at once.
    `whole` shows the whole thought, the reasoning and the fields beside the arguments. `alone`
    shows long texts that are otherwise left to the result below. [] for a step without a call."""
    body = view(step.event.body())
    if step.is_stray:
        blocks: list[Block] = [Note("result without a call: the call is not among the events")]
        command = step.call.command
        return [*blocks, Command(safe(command))] if command else blocks
    if step.event.is_reported:
        take.links(body)
        reports = [r for r in step.results if r.is_reported]
        return acp_call(body, reports[-1].body() if reports else None)
    if not step.event.is_action:
        return []
    thought = safe(bodies.thought_text(body)).strip()
    blocks = [Thought(thought, 0 if whole else 2)] if thought else []
    take.blocks(body, "thought")
    if whole:
        blocks += reasoning_blocks(body, thought)
    action = field(body, "action")
    if isinstance(action, View):
        take.text(action, "kind")
        detail = DETAILS.get(step.event.tool, PLAIN)
        blocks += detail.call(action)
        blocks += asked_plan(step, action)
        if alone:
            blocks += proposal(action)
        else:
            for name in detail.late:
                take.text(action, name)
        if tool_of(step.event) is None:  # what the model gave, empty values too
            blocks += object_blocks(action, action.taken)
            action.taken.update(action)
        blocks += rest_blocks(action)
    else:
        blocks += [
            Note("not run: the call could not be read"),
            *rest_blocks(action),
            *value_blocks(bodies.arguments(body)),
        ]
    take.value(body, "action")
    return blocks + (_beside(body, action) if whole else []) + _at_once(context)


def _beside(body: dict[str, object], action: object) -> list[Block]:
    take.links(body)
    take.usual(body, "security_risk")
    called = field(body, "tool_call")
    for name in REDUNDANT_IN_CALL:
        take.text(called, name)
    take.usual(called, "origin")
    # without an action the arguments are shown as the call itself
    arguments = view(bodies.arguments(body)) if isinstance(action, View) else None
    inside = called if field(called, "arguments") is not None else field(called, "function")
    take.value(inside, "arguments")
    take.repeated(arguments, action)
    take.repeated(arguments, body)
    blocks = rest_blocks(body)
    more = rest_blocks(arguments)
    return [*blocks, Heading("in the arguments"), *more] if more else blocks


def _at_once(context: StepContext | None) -> list[Block]:
    if context is None or not context.place:
        return []
    others = [str(number) for n, number in enumerate(context.group, 1) if n != context.place]
    named = ", ".join(others[:-1]) + (" and " if len(others) > 1 else "") + others[-1]
    return [Note(f"call {context.place} of {len(others) + 1} made at once, with {named}")]


def result_blocks(
    step: Step, outcome: Outcome, *, context: StepContext | None = None
) -> list[Block]:
    """The whole result of a call, or the content of any other step. With `context` it also tells
    what changed in a plan and whether the run went on after an error."""
    if step.is_stray:
        command = step.call.command  # shown by call_blocks
        blocks = answer_blocks(step.event, view({"command": command} if command else {}), context)
        return blocks + (what_followed(context) if step.event.failed else [])
    if not step.is_call:
        return event_blocks(step.event, context)
    action = view(field(step.event.body(), "action"))
    blocks = _result(step, outcome, action, context)
    blocks += late_blocks(action, step.event.tool, blocks)
    return blocks + (what_followed(context) if outcome in _UNDONE else [])


def step_blocks(run: Trajectory, step: Step) -> list[Block]:
    """The whole call of a step, and its result."""
    context = StepContext(run, step)
    call = call_blocks(step, whole=True, context=context)
    result = result_blocks(step, run.outcome(step), context=context)
    return [*call, Heading("result"), *result] if call else result


def _result(
    step: Step, outcome: Outcome, action: object, context: StepContext | None
) -> list[Block]:
    result = step.result
    if step.event.is_reported:
        blocks = acp_blocks(step)
        for other in step.results:
            if not other.is_reported:
                blocks += [Heading(_said_by(other)), *answer_blocks(other, None)]
        return blocks or [Note(_OPEN.get(outcome, "no output"))]
    if result is None:
        said = proposal(action)
        if outcome is Outcome.OK and said:
            return said
        return [Note(_OPEN.get(outcome, _OPEN[Outcome.NO_RESULT])), *said]
    blocks = answer_blocks(result, action, context)
    for other in step.second_results:
        blocks += [Heading(f"second result, {_said_by(other)}"), *answer_blocks(other, action)]
    return blocks


def event_blocks(event: Event, context: StepContext | None = None) -> list[Block]:
    if event.is_result:
        blocks = answer_blocks(event, None, context, titled=False)
        return blocks + (what_followed(context) if event.failed else [])
    if event.is_action:
        return call_blocks(Step(0, event), whole=True, alone=True)
    body = view(event.body())
    if event.is_reported:
        take.links(body)
        kind = pair_blocks(("kind", text_field(body, "tool_kind")))
        return kind + acp_call(body) + acp_blocks(Step(0, event))
    show = EVENTS.get(event.kind)
    if show is not None:
        take.links(body)
        return show(body, context) + rest_blocks(body)
    if event.is_unreadable:
        text = output_blocks(text_field(body, "text"))
        return [Note("not a JSON object, shown as it came"), *text]
    remark = "this object names no kind" if event.kind == NO_KIND else "unknown kind"
    return [Note(f"{remark}, shown as it came"), *rest_blocks(body)]


def call_title(step: Step, *, numbered: bool = True, label: str = "") -> str:
    """Such as `step 58 · terminal` or `step 3 · you`. Set `numbered` to False if the number is not
    final, as in a run whose older events are missing; `label` stands for another number."""
    event = step.event
    what = safe_line(event.tool_name or event.verb)
    if event.is_hook:
        what = "hook"
    elif event.is_message:
        what = what or {"user": "you", "agent": "agent"}.get(event.source, "")
    what = what or _words(event.kind)
    return f"step {label or step.number} · {what}" if numbered else what


def result_title(step: Step, outcome: Outcome, ran: float | None = None) -> str:
    """Such as `exit 1 · 0.3 s · /workspace/dates`; `ran` overrides the seconds that it took."""
    result = step.result if step.is_call else step.event
    if result is None:
        return _OPEN_TITLES.get(outcome, "no result")
    parts = [_outcome_words(result, result.body(), outcome)]
    ran = step.ran() if ran is None else ran
    if ran is not None and ran >= 0.05:
        parts.append(duration(ran))
    if not result.failed:
        parts += facts(step.call)
    if step.second_results:
        parts.append(f"{len(step.results)} results")
    return " · ".join(filter(None, parts))


def command_text(step: Step) -> str:
    """The command of a terminal call or the arguments of any other; "" without a call."""
    call = step.call
    given = call.command or call.arguments
    if given is None or isinstance(given, str):
        return safe(given or "")
    return json_pretty(given, indent=None)


def output_text(step: Step) -> str:
    """The text of the results of a step, or of the message; may be ""."""
    if not step.is_call:
        return safe(bodies.message_text(step.event.body())) or safe(step.call.output())
    results = [step.result] if step.event.is_reported else step.results
    texts = (_output(Call(step.event, result)) for result in results)
    action = field(step.event.body(), "action")
    said = text_field(action, "message") or text_field(action, "thought")
    return "\n".join(filter(None, texts)) or safe(said)


def _output(call: Call) -> str:
    if call.result and call.result.tool == "Terminal":
        return read_output(call.output(), call.get("command")).text
    return safe(call.output())


_ID = pattern(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def links_of(step: Step) -> tuple[str, ...]:
    """The ids of the conversations that a step started, from its results."""
    found: dict[str, None] = {}
    for result in step.results:
        observation = field(result.body(), "observation")
        for name in ("conversation_id", "sub_conversation_id", "sub_conversation_ids"):
            ids = field(observation, name)
            for item in ids if isinstance(ids, list) else [ids]:
                if isinstance(item, str) and _ID.fullmatch(item):
                    found[item] = None
    return tuple(found)


def json_text(step: Step) -> str:
    """The events of a step as in the file, as indented JSON without secrets: one, or a list."""
    texts = dict.fromkeys(event.original() for event in (step.event, *step.results))
    odd = ({"kind": UNREADABLE, "text": text.decode("utf-8", "replace")} for text in texts)
    values = list(map(read_json, texts, odd))
    return json_pretty(values[0] if len(values) == 1 else values)


def _words(kind: str) -> str:
    name = safe_line(kind)
    short = name.removesuffix("Event").removesuffix("Observation")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", short).lower() or name


def _outcome_words(result: Event, body: dict[str, object], outcome: Outcome) -> str:
    if result.is_rejection:
        hook = text_field(body, "rejection_source") == "hook"
        return "blocked by a hook" if hook else "rejected"
    if result.is_hook and result.failed:
        return "blocked" if field(body, "blocked") is True else "failed"
    if result.timed_out:
        return "timed out"
    if result.still_running:
        return "still running when the tool stopped waiting"
    if result.exit_code is not None and result.exit_code != STILL_RUNNING:
        return f"exit {result.exit_code}"
    return "error" if outcome is Outcome.ERROR else ""


def _said_by(event: Event) -> str:
    if event.is_rejection:
        return "a rejection"
    return "an error" if event.failed else "of the same call"
