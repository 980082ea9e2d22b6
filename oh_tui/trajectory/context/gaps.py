"""What the events of a run do not tell of a context."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from oh_tui.text.human import plural
from oh_tui.trajectory.context.sdk_versions import SdkBehaviour
from oh_tui.trajectory.model.events import Event


class Gap(NamedTuple):
    """One thing that is not known."""

    name: str
    """In one or two words, the same in each run."""
    about: str
    """A sentence without a full stop."""


OWN_CONTEXT = Gap(
    "own context",
    "the agent keeps its context itself: the events have its calls, not what its model saw",
)
TOOLS = Gap("tools", "the parameters of the tools are not in the events, only their descriptions")
IMAGES = Gap("images", "the model gets images only if it can see, which the events do not tell")
NO_SYSTEM = Gap("system prompt", "no system prompt is in the events")
OLDER = Gap("older events", "events before the first that was read are missing")
CALLS_AS_TEXT = Gap("calls as text", "the model got its calls and their results as text, not so")
CALLS_UNTOLD = Gap(
    "calls as text", "whether the model got calls as calls or as text is not in the events"
)


class _Llm(msgspec.Struct, gc=False):
    native_tool_calling: bool | None = None


class _Agent(msgspec.Struct, gc=False):
    kind: str | None = None
    llm: _Llm | None = None


class _State(msgspec.Struct, gc=False):
    agent: _Agent | None = None


class _Update(msgspec.Struct, gc=False):
    value: _State | None = None


_decode = msgspec.json.Decoder(_Update).decode


class Gaps:
    """Collects what a growing run does not tell."""

    def __init__(self) -> None:
        self._has_system = False
        self.keeps_own_context = False
        """The agent is another program, which the run talks to by the Agent Client Protocol."""
        self._is_native: bool | None = None
        self._unreadable = 0

    def take(self, event: Event) -> None:
        self._has_system |= event.is_system
        self.keeps_own_context |= event.is_reported
        self._unreadable += event.is_unreadable
        if event.key == "full_state":
            self._state(event)

    def _state(self, event: Event) -> None:
        try:
            state = _decode(event.raw()).value
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return
        agent = state.agent if state else None
        if agent is None:
            return
        self.keeps_own_context |= (agent.kind or "").startswith("ACP")
        if agent.llm is not None and agent.llm.native_tool_calling is not None:
            self._is_native = agent.llm.native_tool_calling

    def of_run(self, rules: SdkBehaviour, lost: int, *, is_complete: bool) -> list[Gap]:
        """Those of the whole run. `lost` events name a parent that is not before them."""
        if self.keeps_own_context:
            return [OWN_CONTEXT]
        found = []
        if not is_complete:
            found.append(OLDER)
        if not self._has_system:
            found.append(NO_SYSTEM)
        if lost:
            about = f"{plural(lost, 'event')} name a parent that is not before them: the event"
            found.append(Gap("parents", f"{about} before each is taken"))
        if self._unreadable:
            about = f"{plural(self._unreadable, 'event')} cannot be read, and may have been in it"
            found.append(Gap("unreadable events", about))
        found.append(TOOLS)
        if self._is_native is not True:
            found.append(CALLS_UNTOLD if self._is_native is None else CALLS_AS_TEXT)
        if not rules.is_sdk:
            found.append(Gap("format", rules.sentence))
        return found
