"""Adds calls and results for formats that name tools as the model does: ATIF and chat messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from oh_tui.trajectory.formats.foreign.atif_kept import ERRORS
from oh_tui.trajectory.formats.foreign.foreign_run import ForeignRun, leaves_out, plain
from oh_tui.trajectory.formats.foreign.named_tools import action_of, observation_of, take_risk
from oh_tui.trajectory.model.bodies import text_field

UNTOLD = "oh_tui_untold"
"""Field of a result that does not say whether its call succeeded."""

_TELLING = frozenset({"is_error", "exit_code"})


class Call(msgspec.Struct):
    """A call that was added, kept for its result."""

    event_id: str
    call_id: str
    tool: str
    action: dict[str, Any]
    has_result: bool = False

    @property
    def is_command(self) -> bool:
        return bool(self.action.get("kind") == "TerminalAction")


class Calls:
    """The calls of a run. A result is matched by id, else to the first open call of the step."""

    def __init__(self, run: ForeignRun) -> None:
        self.run = run
        self.step: list[Call] = []
        """Calls of the current step, in order."""
        self._by_id: dict[str, Call] = {}
        """Id -> the last call with it."""
        self._coming: set[str] = set()
        """Ids of all calls of the run, if the format collected them."""
        self._early: dict[str, list[Callable[[], None]]] = {}
        """Id of a call -> functions that add the results before it."""

    def expect(self, ids: Iterable[Any]) -> None:
        """Announces calls of the run, so that earlier results can wait for them."""
        self._coming |= {one for one in ids if isinstance(one, str) and one}

    def is_early(self, call_id: Any, add: Callable[[], None]) -> bool:
        """Whether the call of a result comes later. If so, `add` is called after the call is
        added."""
        if not isinstance(call_id, str) or call_id in self._by_id or call_id not in self._coming:
            return False
        self._early.setdefault(call_id, []).append(add)
        return True

    def end(self) -> None:
        """Adds the results that still wait: their calls were announced and never came."""
        self._coming.clear()
        waiting, self._early = self._early, {}
        for answers in waiting.values():
            for answer in answers:
                answer()

    def add(
        self,
        original: bytes,
        id: str,
        call_id: Any,
        tool: str,
        arguments: Any,
        rest: dict[str, Any],
        fields: dict[str, Any],
    ) -> None:
        """Adds a call. `fields` go into its event."""
        action = action_of(tool, arguments)
        fields = {"source": "agent", "action": action, "security_risk": take_risk(action)} | fields
        known = isinstance(call_id, str) and bool(call_id)
        name = call_id if known else f"call-{id}"
        rest = leaves_out(rest, call_id=None if known else call_id)
        fields |= {"tool_name": tool, "tool_call_id": name}
        self.run.add("ActionEvent", original, id=id, rest=rest, **fields)
        made = fields["action"]
        call = Call(id, name, tool, made if isinstance(made, dict) else action)
        self.step.append(call)
        self._by_id[name] = call
        for answer in self._early.pop(name, ()):
            answer()

    def find(self, call_id: Any) -> Call | None:
        """The call that a result names. Without a name, the first open call of the step."""
        if isinstance(call_id, str) and call_id:
            own = next((call for call in self.step[-64:] if call.call_id == call_id), None)
            return own or self._by_id.get(call_id)
        return next((call for call in self.step[-64:] if not call.has_result), None)

    def answer(
        self,
        original: bytes,
        id: str,
        call: Call | None,
        content: list[Any],
        rest: dict[str, Any],
        fields: dict[str, Any],
        observed: dict[str, Any] | None = None,
    ) -> None:
        """Adds a result. `observed` replaces fields of the observation; its `kind` may make it an
        error or a rejection."""
        text = plain(content)
        found = observation_of(call.action if call else {"kind": "ToolAction"}, content, text)
        found |= observed or {}
        links: dict[str, Any] = {}
        if call is not None:
            call.has_result = True
            links = {"action_id": call.event_id, "tool_call_id": call.call_id}
            links["tool_name"] = call.tool
        kind = text_field(found, "kind")
        if kind in ERRORS:
            rest = rest | {
                name: value for name, value in found.items() if name not in ("kind", "content")
            }
            if text != "" or not content:
                links[ERRORS[kind]] = text
            else:
                rest = rest | {"content": content}
        else:
            kind, links = "ObservationEvent", links | {"observation": found}
            if not found.keys() & _TELLING:
                links[UNTOLD] = True
        fields = fields | {"source": "environment"} | links
        self.run.add(kind, original, id=id, rest=leaves_out(rest), **fields)
