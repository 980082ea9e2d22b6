"""Steps to blocks: what a reader is shown of a call and of its result, without a screen in mind.

All text in a block has passed `clean` and `redact`. Nothing is cut: of a result every block is
whole. Nothing here raises, whatever the events hold.
"""

from __future__ import annotations

import re
from typing import Any

from oh_tui.text.human import duration
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.content.block import (
    Block,
    Checklist,
    Command,
    Heading,
    Note,
    Thought,
    content,
    json_pretty,
    one_line,
    output_blocks,
    pair_blocks,
    safe,
)
from oh_tui.trajectory.content.block_calls import ACTIONS
from oh_tui.trajectory.content.block_events import (
    EVENTS,
    acp_blocks,
    acp_call,
    reasoning_blocks,
    what_followed,
)
from oh_tui.trajectory.content.block_fields import rest_blocks, value_blocks
from oh_tui.trajectory.content.block_files import proposal
from oh_tui.trajectory.content.block_results import (
    IN_RESULT,
    PLANS,
    answer_blocks,
    facts,
    is_terminal,
    late_blocks,
    take_plan,
    terminal_text,
)
from oh_tui.trajectory.content.step_context import Around
from oh_tui.trajectory.content.views import (
    REDUNDANT_IN_CALL,
    View,
    is_same,
    take,
    take_blocks,
    take_links,
    take_repeated,
    take_text,
    take_usual,
    view,
)
from oh_tui.trajectory.model import bodies
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import NO_KIND, UNREADABLE, Event
from oh_tui.trajectory.model.result_state import STILL_RUNNING
from oh_tui.trajectory.model.steps import RESULT_KINDS, Outcome, Step

_UNDONE = (Outcome.ERROR, Outcome.REJECTED)
"""Outcomes after which it helps to know what the agent did next."""

_OPEN = {
    Outcome.WAITING: "waits for your answer: nothing was run yet",
    Outcome.RUNNING: "still running: no result yet",
    Outcome.NO_RESULT: "no result: the events end, or go on, without one",
}
_OPEN_TITLES = {
    Outcome.WAITING: "waits for your answer",
    Outcome.RUNNING: "running",
    Outcome.NO_RESULT: "no result",
}


def call_blocks(
    step: Step, *, whole: bool = False, alone: bool = False, around: Around | None = None
) -> list[Block]:
    """The call of a step: the thought in two lines, then the command or the arguments, then which
    others were made at once with it. `whole` shows all of the thought, the reasoning and the
    fields beside the arguments too. `alone` is for where no result stands below, which shows the
    long texts of some calls. Empty for a message and for anything else without a call."""
    body = view(step.event.body())
    if step.is_stray:
        command = bodies.command_text(body)
        asked: list[Block] = [Command(safe(command))] if command else []
        return [Note("result without a call: the call is not among the events"), *asked]
    if step.event.kind == "ACPToolCallEvent":
        take_links(body)
        reports = [r for r in step.results if r.kind == step.event.kind]
        return acp_call(body, reports[-1].body() if reports else None)
    if step.event.kind != "ActionEvent":
        return []
    blocks: list[Block] = []
    thought = safe(bodies.thought_text(body)).strip()
    if thought:
        blocks.append(Thought(thought, 0 if whole else 2))
    take_blocks(body, "thought")
    if whole:
        blocks += reasoning_blocks(body, thought)
    action = field(body, "action")
    if isinstance(action, View):
        take_text(action, "kind")
        show = ACTIONS.get(step.event.part)
        blocks += show(action) if show else []
        blocks += _plan_asked(step, action)
        if alone:
            blocks += proposal(action)
        else:
            for name in IN_RESULT.get(step.event.part, ()):
                take_text(action, name)
        blocks += rest_blocks(action)
    else:
        blocks += [
            Note("not run: the call could not be read"),
            *rest_blocks(action),
            *value_blocks(bodies.arguments(body)),
        ]
    take(body, "action")
    return blocks + (_beside(body, action) if whole else []) + _at_once(around)


def _plan_asked(step: Step, action: Any) -> list[Block]:
    """The plan of a call, unless the result shows the same one."""
    if step.event.part != "TaskTrackerAction":
        return []
    result = step.result
    shown = None
    if result is not None and not result.failed and result.part in PLANS:
        shown = field(result.body(), "observation", "task_list")
    if shown is not None and is_same(shown, action.get("task_list")):
        take(action, "task_list")
        return []
    tasks = take_plan(action)
    return [Checklist(tuple(tasks))] if tasks else []


def _beside(body: dict[str, Any], action: Any) -> list[Block]:
    """The fields of a call beside its arguments; of those as the model wrote them what the call
    that was made of them does not have."""
    take_links(body)
    take_usual(body, "security_risk")
    called = field(body, "tool_call")
    for name in REDUNDANT_IN_CALL:
        take_text(called, name)
    take_usual(called, "origin")
    given = view(bodies.arguments(body))
    inside = called if field(called, "arguments") is not None else field(called, "function")
    take(inside, "arguments")
    if not isinstance(action, View):
        given = None  # shown as the call itself
    take_repeated(given, action)
    take_repeated(given, body)
    blocks = rest_blocks(body)
    asked = rest_blocks(given)
    return [*blocks, Heading("in the arguments"), *asked] if asked else blocks


def _at_once(around: Around | None) -> list[Block]:
    if around is None or not around.place:
        return []
    others = [str(number) for n, number in enumerate(around.group, 1) if n != around.place]
    named = ", ".join(others[:-1]) + (" and " if len(others) > 1 else "") + others[-1]
    return [Note(f"call {around.place} of {len(others) + 1} made at once, with {named}")]


def result_blocks(step: Step, outcome: Outcome, *, around: Around | None = None) -> list[Block]:
    """The result of a step, whole; of a message, an error or another event: what it says. What
    came before and after is told too where it is given: what changed in a plan, whether the run
    went on after an error."""
    if step.is_stray:
        command = bodies.command_text(step.event.body())  # the call shows it
        shown = answer_blocks(step.event, view({"command": command} if command else {}), around)
        return shown + (what_followed(around) if step.event.failed else [])
    if not step.is_call:
        return event_blocks(step.event, around)
    action = view(field(step.event.body(), "action"))
    blocks = _result(step, outcome, action, around)
    blocks += late_blocks(action, step.event.part, blocks)
    return blocks + (what_followed(around) if outcome in _UNDONE else [])


def _result(step: Step, outcome: Outcome, action: Any, around: Around | None) -> list[Block]:
    result = step.result
    if step.event.kind == "ACPToolCallEvent":
        return _reported(step) or [Note(_OPEN.get(outcome, "no output"))]
    if result is None:
        blocks: list[Block] = [Note(_OPEN.get(outcome, _OPEN[Outcome.NO_RESULT]))]
        return blocks + proposal(action)
    blocks = answer_blocks(result, action, around)
    for other in step.results[1:]:
        blocks += [Heading(f"second result, {_said_by(other)}"), *answer_blocks(other, action)]
    return blocks


def _reported(step: Step) -> list[Block]:
    """What another agent reported of a call, then any other answer to it."""
    first = view(step.event.body())
    reports = [view(r.body()) for r in step.results if r.kind == "ACPToolCallEvent"]
    for each in (first, *reports):
        take_links(each)
    blocks = acp_blocks(first, reports)
    for other in step.results:
        if other.kind != "ACPToolCallEvent":
            blocks += [Heading(_said_by(other)), *answer_blocks(other, None)]
    return blocks


def event_blocks(event: Event, around: Around | None = None) -> list[Block]:
    """What one event says, of any kind; for hidden events and for steps that are no call."""
    if event.kind in RESULT_KINDS:
        told = answer_blocks(event, None, around, titled=False)
        return told + (what_followed(around) if event.failed else [])
    if event.kind == "ActionEvent":
        return call_blocks(Step(0, event), whole=True, alone=True)
    body = view(event.body())
    if event.kind == "ACPToolCallEvent":
        take_links(body)
        kind = pair_blocks(("kind", text_field(body, "tool_kind")))
        return kind + acp_call(body) + acp_blocks(body, [])
    show = EVENTS.get(event.kind)
    if show is not None:
        take_links(body)
        return show(body, around) + rest_blocks(body)
    if event.kind == UNREADABLE:
        text = output_blocks(text_field(body, "text"))
        return [Note("no JSON object, shown as it came"), *text]
    remark = "this object names no kind" if event.kind == NO_KIND else "unknown kind"
    return [Note(f"{remark}, shown as it came"), *rest_blocks(body)]


def call_title(step: Step, *, numbered: bool = True) -> str:
    """Such as `step 58 · terminal`, `step 3 · you`; without the number where it is not final, as
    in a run not read to its beginning."""
    event = step.event
    what = one_line(event.tool_name or event.verb)
    if event.kind == "HookExecutionEvent":
        what = "hook"
    elif not what:
        who = {"user": "you", "agent": "agent"}.get(event.source, "")
        what = who if event.kind == "MessageEvent" and who else _words(event.kind)
    return f"step {step.number} · {what}" if numbered else what


def result_title(step: Step, outcome: Outcome, ran: float | None = None) -> str:
    """Such as `exit 1 · 0.3 s · /workspace/dates` or `+8 -8 · 0.1 s · src/parse.py`. `ran` is how
    long the tool took where that is known better than from call to result."""
    result = step.result if step.is_call else step.event
    if result is None:
        return _OPEN_TITLES.get(outcome, "no result")
    body = result.body()
    parts = [_outcome_words(result, body, outcome)]
    ran = step.ran() if ran is None else ran
    if ran is not None and ran >= 0.05:
        parts.append(duration(ran))
    if not result.failed:
        parts += facts(body, field(step.event.body(), "action"))
    more = len(step.results) - 1 if result.kind != "ACPToolCallEvent" else 0
    if more > 0:
        parts.append(f"{more + 1} results")
    return " · ".join(filter(None, parts))


def command_text(step: Step) -> str:
    """The command of a step, or the arguments of a call of another tool; "" for no call."""
    body = step.event.body()
    command = bodies.command_text(body)
    if command or not step.is_call:
        return safe(command)
    given = bodies.arguments(body)
    if given is None or isinstance(given, str):
        return safe(given or "")
    return json_pretty(given, indent=None)


def output_text(step: Step) -> str:
    """What the results of a step say, or the message; "" when there is nothing."""
    action = field(step.event.body(), "action")
    if not step.is_call:
        body = step.event.body()
        return safe(bodies.message_text(body)) or content(body)
    results = step.results[-1:] if step.event.kind == "ACPToolCallEvent" else step.results
    texts = []
    for result in results:
        body = result.body()
        texts.append(terminal_text(body, action) if is_terminal(result) else content(body))
    text = "\n".join(filter(None, texts))
    return text or safe(text_field(action, "message") or text_field(action, "thought"))


_ID = pattern(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def links_of(step: Step) -> tuple[str, ...]:
    """The ids of the conversations that a step started, as its results name them."""
    found: dict[str, None] = {}
    for result in step.results:
        observation = field(result.body(), "observation")
        for name in ("conversation_id", "sub_conversation_id", "sub_conversation_ids"):
            given = field(observation, name)
            for item in given if isinstance(given, list) else [given]:
                if isinstance(item, str) and _ID.fullmatch(item):
                    found[item] = None
    return tuple(found)


def json_text(step: Step) -> str:
    """The events of a step as indented JSON without secrets: one object, or a list of them."""
    events = [event.body() for event in (step.event, *step.results)]
    return json_pretty(events[0] if len(events) == 1 else events)


def _words(kind: str) -> str:
    """A kind in words: `conversation error` for ConversationErrorEvent."""
    name = one_line(kind)
    short = name.removesuffix("Event").removesuffix("Observation")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", short).lower() or name


def _outcome_words(result: Event, body: dict[str, Any], outcome: Outcome) -> str:
    if result.kind == "UserRejectObservation":
        hook = text_field(body, "rejection_source") == "hook"
        return "blocked by a hook" if hook else "rejected"
    if result.kind == "HookExecutionEvent" and result.failed:
        return "blocked" if field(body, "blocked") is True else "failed"
    if result.timed_out:
        return "timed out"
    if result.still_running:
        return "still running when the tool stopped waiting"
    if result.exit_code is not None and result.exit_code != STILL_RUNNING:
        return f"exit {result.exit_code}"
    return "error" if outcome is Outcome.ERROR else ""


def _said_by(event: Event) -> str:
    if event.kind == "UserRejectObservation":
        return "a rejection"
    return "an error" if event.failed else "of the same call"
