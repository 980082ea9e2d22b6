"""The document of what the model saw at a step."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from oh_tui.documents.shapes.common import Amount, Count, StepNumber
from oh_tui.trajectory.model.usage import Tokens


class ContextRules(TypedDict):
    name: str
    why: str
    certain: bool


class ContextGap(TypedDict):
    name: str
    about: str


class AnswerUsage(Tokens):
    cost: float | None
    llm_s: float | None
    window: Count | None
    """The tokens that the context has room for."""
    fill: Amount | None
    """Prompt / window; null when either is not known."""


class MessageContent(TypedDict):
    type: str
    text: NotRequired[str]
    image_urls: NotRequired[list[str]]


class Message(TypedDict):
    role: str
    content: list[MessageContent]
    tool_calls: NotRequired[list[dict[str, Any]]]
    tool_call_id: NotRequired[str]
    name: NotRequired[str]
    reasoning_content: NotRequired[str]
    thinking_blocks: NotRequired[list[dict[str, Any]]]
    responses_reasoning_item: NotRequired[dict[str, Any]]


class AboutMessage(TypedDict):
    step: StepNumber | None
    """The first step that it comes from; null of the system
    prompt."""
    event_ids: list[str]
    chars: Count
    """Of its texts, calls and thinking."""
    new: bool


class WentMessage(TypedDict):
    step: StepNumber | None
    """Its step; null of the system prompt."""
    event_ids: list[str]
    chars: Count
    """Of its texts, calls and thinking."""
    forgotten_by: StepNumber | None
    """The step that took it out; null where none did, as on another branch."""
    message: Message
    """As the SDK dumps its Message, without nulls."""


class Replaced(TypedDict):
    by: Count
    """The place of a summary in messages."""
    event_ids: list[str]
    """Of those that went and for which it stands."""


ContextDifference = TypedDict(
    "ContextDifference",
    {
        "from": StepNumber,
        "came": list[Count],  # and messages that grew
        "went": list[WentMessage],
        "replaced": list[Replaced],
    },
)


class Context(TypedDict):
    step: StepNumber
    """The first step of the answer."""
    event_id: str
    rules: ContextRules
    """Whose rules made messages of the events."""
    gaps: list[ContextGap]
    """What the events do not tell of it."""
    usage: AnswerUsage | None
    """Of the answer, as the run lists it; null when it lists none."""
    messages: list[Message]
    about: list[AboutMessage]
    """One for each message."""
    difference: NotRequired[ContextDifference]
    """From the context of another step to this one; with --diff alone."""
