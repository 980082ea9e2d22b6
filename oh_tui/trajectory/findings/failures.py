"""The failures of a run in plain words, by their code."""

from __future__ import annotations

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.tool_use import first_line

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
"""Codes of ConversationErrorEvent (exceptions of OpenHands 1.34): a sentence without its full stop,
and a short form for rows."""

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
    """A sentence and a short form for a ConversationErrorEvent or ServerErrorEvent. `where` is
    added to the failures in the table."""
    body = event.body()
    code, detail = text_field(body, "code"), text_field(body, "detail")
    if code in ("MaxIterationsReached", "MaxBudgetReached"):
        limit = "its limit of steps"
        if code == "MaxBudgetReached":
            dollars = _DOLLARS.search(detail[:500])
            limit = f"its budget of ${float(dollars[1]):.2f}" if dollars else "its budget"
        elif steps := _STEPS.search(detail[:500]):
            limit = f"its limit of {int(steps[1]):,} steps"
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
    """Whether a model did not take the key, as after the key was changed: a conversation keeps the
    one that it began with."""
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
