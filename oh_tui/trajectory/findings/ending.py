"""Verdicts: failures in plain words, the last steps of a run, and which of them explain its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from oh_tui.text.human import clock, clock_time, unzoned
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.clock import LONGEST_RUN, is_bare
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import first_line
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe

_WORDS: dict[str, tuple[str, str]] = {
    "LLMAuthenticationError": ("The model's key was rejected", "LLM key rejected"),
    "LLMRateLimitError": ("The model took no more calls, its rate limit was hit", "LLM rate limit"),
    "LLMContextWindowExceedError": (
        "The history outgrew the model's context window",
        "history outgrew the context window",
    ),
    "LLMContextWindowTooSmallError": (
        "The model's context window is too small for OpenHands",
        "context window too small",
    ),
    "LLMServiceUnavailableError": ("The model's service was not available", "LLM not available"),
    "LLMTimeoutError": ("The model did not answer in time", "LLM did not answer in time"),
    "LLMNoResponseError": ("The model gave no answer", "LLM gave no answer"),
    "LLMBadRequestError": ("The model's service refused the request", "LLM refused the request"),
    "LLMMalformedConversationHistoryError": (
        "The model's service refused the history as malformed",
        "LLM refused the history",
    ),
    "UsagePolicyRefusal": ("The model refused, for its usage policy", "LLM refused: usage policy"),
    "ACPAuthRequired": ("The agent wants you to sign in", "agent wants a login"),
    "ACPSpawnError": ("The agent could not be started", "agent could not be started"),
    "ACPInitError": ("The agent could not be started", "agent could not be started"),
    "MCPTimeoutError": ("An MCP server did not answer in time", "MCP server did not answer"),
}
"""Codes of ConversationErrorEvent (1.34): a sentence without full stop, a short form for rows."""

_SAME_AS = {
    "AuthenticationError": "LLMAuthenticationError",
    "RateLimitError": "LLMRateLimitError",
    "ContextWindowExceededError": "LLMContextWindowExceedError",
    "ServiceUnavailableError": "LLMServiceUnavailableError",
    "Timeout": "LLMTimeoutError",
    "BadRequestError": "LLMBadRequestError",
}
"""Exceptions of litellm that OpenHands passes on."""

_WHY_NEEDED = ("LLMBadRequestError", "ACPSpawnError", "ACPInitError")
"""Codes that are shown with their detail."""

_STEPS = pattern(r"\((\d{1,9})\)")
_DOLLARS = pattern(r"\(\$(\d{1,9}(?:\.\d{1,9})?)\)")


def failure_words(event: Event, where: str = "") -> tuple[str, str]:
    """A sentence and a short form for a failure; `where` is added to those in the table."""
    body = event.body()
    code, detail = text_field(body, "code"), text_field(body, "detail")
    if code in ("MaxIterationsReached", "MaxBudgetReached"):
        limit = "its limit of iterations"
        if code == "MaxBudgetReached":
            dollars = _DOLLARS.search(detail[:500])
            limit = f"its budget of ${float(dollars[1]):.2f}" if dollars else "its budget"
        elif steps := _STEPS.search(detail[:500]):
            limit = f"its limit of {int(steps[1]):,} iterations"
        return limit_words(limit)
    code = _SAME_AS.get(code, code)
    reason = _line(first_line(detail))
    if code in _WORDS:
        sentence, short = (f"{text}{where}" for text in _WORDS[code])
        return (
            f"{sentence}: {reason}" if reason and code in _WHY_NEEDED else f"{sentence}."
        ), short
    text = ": ".join(filter(None, (_line(code), reason))) or _line(event.kind)
    return text, text


def is_of_key(event: Event) -> bool:
    """Whether a model did not take the key: a conversation keeps the one that it began with."""
    code = text_field(event.body(), "code")
    return _SAME_AS.get(code, code) == "LLMAuthenticationError"


def limit_words(limit: str) -> tuple[str, str]:
    """As `failure_words`, for a run that was stopped at a limit."""
    return f"The run hit {limit}, so OpenHands stopped it.", f"hit {limit}"


def refusal_words(event: Event) -> tuple[str, str]:
    """As `failure_words`, for an agent that rejects its task."""
    body = event.body()
    inside = body.get("action") if isinstance(body.get("action"), dict) else body
    reason = _line(first_line(text_field(inside, "outputs", "reason")))
    why = f": {reason}" if reason else ""
    return f"The agent rejected the task{why or '.'}", f"rejected the task{why}"


def recorded_words(error: str) -> tuple[str, str]:
    """As `failure_words`, for an error that stands beside the events."""
    text = _line(first_line(error))
    return text, text


def _line(text: str) -> str:
    return safe_line(text[:2000])


RECENT = 50
"""How many steps from the end are searched for the reason."""

FAILURES = ("ConversationErrorEvent", "ServerErrorEvent")
"""Failures that may end a run, the more likely reason first."""

REFUSALS = ("reject", "RejectAction")
"""How an agent of V0 rejects its task, as an event of its own or as a call."""

STOPS = {"PauseEvent": "stopped", "InterruptEvent": "interrupted"}


def recent_steps(trajectory: Trajectory) -> Iterator[Step]:
    """The last steps, the last one first."""
    return islice(reversed(trajectory.steps), RECENT)


def last_step(trajectory: Trajectory, holds: Callable[[Step], bool], since: int = 0) -> Step | None:
    """The last recent step with a number above `since` for which `holds` is true."""
    return next((s for s in recent_steps(trajectory) if s.number > since and holds(s)), None)


def last_telling(trajectory: Trajectory) -> Step | None:
    return last_step(trajectory, lambda step: not _is_aside(step))


def _is_aside(step: Step) -> bool:
    """Whether a step may follow the last relevant one."""
    return step.event.is_hook or step.event.is_summary


def before_last_change(trajectory: Trajectory, status: str) -> int:
    """The number of steps before the current turn, which ended in `status`."""
    changes = trajectory.statuses
    return changes[-2].after if len(changes) > 1 and changes[-1].status == status else 0


def failure_of(trajectory: Trajectory) -> Step | None:
    """The step with the reason of a failed run, after which the agent did not go on."""
    since = before_last_change(trajectory, "error")
    found: list[Step] = []
    for step in recent_steps(trajectory):
        if step.number <= since:
            break
        if step.event.is_failure:
            found.append(step)
        elif is_refusal(step):
            return min(found, key=_likely, default=step)
        elif step.is_call or step.event.is_by_agent:
            break
    return min(found, key=_likely, default=None)


def key_was_rejected(trajectory: Trajectory) -> bool:
    failure = failure_of(trajectory)
    return failure is not None and is_of_key(failure.event)


def _likely(failure: Step) -> int:
    return FAILURES.index(failure.event.kind)


def is_refusal(step: Step) -> bool:
    return step.event.source != "user" and bool({step.event.kind, step.event.part} & {*REFUSALS})


def is_answer(step: Step) -> bool:
    """Whether a step is a final answer: a `finish` call or a message of the agent."""
    has_failed = step.result is not None and step.result.failed
    return step.event.ends_turn and not has_failed


def with_outcome(trajectory: Trajectory, outcome: Outcome) -> list[Step]:
    recent = reversed(list(recent_steps(trajectory)))
    return [s for s in recent if s.is_open and trajectory.outcome(s) is outcome]


def count_answers(trajectory: Trajectory) -> int:
    """The answers of the model. Calls of one answer count once; without an id each is its own."""
    answers: set[str] = set()
    for step in trajectory.steps:
        event = step.event
        if step.is_call or event.is_by_agent:
            answers.add(event.llm_response_id or event.id)
    return len(answers)


def open_calls(trajectory: Trajectory) -> list[Step]:
    """The calls without a result in the model's last answer."""
    return [step for step in calls_before(trajectory, None) if step.is_open]


def calls_before(trajectory: Trajectory, end: Step | None) -> list[Step]:
    """The calls in the model's last answer before a step, or before the end, in order."""
    for step in recent_steps(trajectory):
        if end is not None and step.number >= end.number:
            continue
        if step.is_call:
            group = trajectory.group(step) or (step.number,)
            return [trajectory.steps[number - 1] for number in group[-RECENT:]]
        if not (_is_aside(step) or step.event.is_stop):
            break
    return []


_INTERRUPTED = pattern(r"\b(?:interrupted|cancell?ed)\b", re.IGNORECASE)


def is_cut_off(call: Step) -> bool:
    """Whether a stop ended this call: it has no result, or an error that says so (since 1.24)."""
    result = call.result
    if result is None or not result.is_call_error:
        return call.is_open
    return _INTERRUPTED.search(text_field(result.body(), "error")[:500]) is not None


def spans(numbers: Sequence[int]) -> str:
    """Ascending numbers as "58-61" or "3, 5-7"; more than four ranges as "12 from 3 to 40"."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    if len(ranges) > 4:
        return f"{len(numbers)} from {numbers[0]} to {numbers[-1]}"
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def done_before(trajectory: Trajectory, failure: Step) -> str:
    """Where a model failed: " at the first step", " after step 12", or "" if unknown."""
    if not trajectory.complete:
        return ""
    before = trajectory.steps[max(0, failure.number - 1 - RECENT) : failure.number - 1]
    for step in reversed(before):
        if step.is_call or step.event.is_by_agent:
            return f" after step {step.number}"
    return "" if failure.number > RECENT else " at the first step"


def moment_of(trajectory: Trajectory, step: Step) -> str:
    """ " at 2:14:05" since the start or as time of day; "" for one that is missing or goes back."""
    when = step.event.seconds()
    if when is None:
        return ""
    if not trajectory.complete:
        if not 0 < when < 100 * LONGEST_RUN:
            return ""
        is_known = not is_bare(step.event.timestamp)
        return (
            f" at {clock_time(when)} UTC" if is_known else f" at {unzoned(clock_time(when), True)}"
        )
    before = (s.event.seconds() for s in trajectory.steps[max(0, step.number - 4) : step.number])
    known = [began for began in (trajectory.began, *before) if began is not None]
    span = when - (trajectory.began or 0.0)
    return f" at {clock(span)}" if max(known) <= when and span < LONGEST_RUN else ""


def what_of(trajectory: Trajectory, step: Step) -> str:
    about = describe(step, trajectory.outcome(step))
    return about.what if not step.event.is_message else f"{about.what}: {about.result}"


def more_of(steps: Sequence[Step]) -> str:
    return f" +{len(steps) - 1} more" if len(steps) > 1 else ""


def fit(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
