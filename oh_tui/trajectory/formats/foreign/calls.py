"""Calls and results of formats that name tools as the model does, as ATIF and chats: which
tools those are in our model, and how they are added."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import masked
from oh_tui.trajectory.formats.foreign.atif_kept import ERRORS
from oh_tui.trajectory.formats.foreign.foreign_run import ForeignRun, leaves_out, plain
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.trajectory.model.events import OTHER_NAMES, same_tool
from oh_tui.trajectory.reading.tools import TOOLS

JsonObject = dict[str, Any]

_TERMINAL = ("Terminal", {"command": "command", "cmd": "command", "keystrokes": "command"})
_READ = ("ReadFile", {"file_path": "file_path", "path": "file_path", "absolute_path": "file_path"})
_WRITE = ("WriteFile", {"file_path": "file_path", "path": "file_path"})
_EDIT = ("Edit", {"file_path": "file_path", "path": "file_path"})
_ALIASES: dict[str, tuple[str, dict[str, str]]] = {
    "bash": _TERMINAL,
    "shell": _TERMINAL,
    "execute_bash": _TERMINAL,
    "bash_command": _TERMINAL,
    "exec_command": _TERMINAL,
    "run_shell_command": _TERMINAL,
    "run_in_terminal": _TERMINAL,
    "str_replace_editor": ("FileEditor", {"path": "path"}),
    "str_replace_based_edit_tool": ("FileEditor", {"path": "path"}),
    "execute_ipython_cell": ("IPython", {"code": "code"}),
    "read": _READ,
    "read_file": _READ,
    "write": _WRITE,
    "write_file": _WRITE,
    "edit": _EDIT,
    "replace": _EDIT,
    "apply_patch": ("ApplyPatch", {"patch": "patch", "input": "patch"}),
    "submit": ("Finish", {"message": "message"}),
    "task_complete": ("Finish", {"message": "message"}),
}
"""Lower-case name of a tool -> our tool, and its fields by those of the call. One of them must be a
text."""

_UNKNOWN: tuple[str, dict[str, str]] = ("", {})

_EXIT = pattern(
    r"\[(?:The command completed|Command finished) with exit code (-?\d{1,9})\.?\]\s{0,9}\Z"
)
_RETURNED = pattern(r"\s{0,9}<returncode>(-?\d{1,9})</returncode>")
_LAST = 400
"""Characters at the end of an output in which OpenHands writes the exit code."""

_REFUSED = pattern(
    r"[\s\[]{0,9}(?:Your proposed edit has introduced|Your changes have NOT been applied"
    r"|No exact match found|No replacement was performed|-{20,}\s{1,3}\w{1,60}\s+Traceback )"
)
"""How tools of OpenHands and SWE-agent begin a result where they changed nothing, or where a cell
of Python failed; they write no exit code then."""

_RISKS = ("LOW", "MEDIUM", "HIGH", "UNKNOWN")


def action_of(name: str, arguments: Any) -> JsonObject:
    """The action of a call. Never raises. An unknown tool keeps its name."""
    kind = _camel(name)
    if not isinstance(arguments, dict):
        given = {} if arguments in (None, "") else {"arguments": arguments}
        return {"kind": f"{kind}Action", **given}
    if name.startswith("mcp__"):
        return {"kind": "MCPToolAction", "data": arguments}
    tool, names = _ALIASES.get(name.lower(), _UNKNOWN)
    fits = any(isinstance(_joined(arguments.get(given)), str) for given in names)
    if tool and (fits or tool == "Finish"):
        found = {names.get(n) or n: _joined(v) for n, v in arguments.items()}
        if len(found) == len(arguments) and "kind" not in found:
            return {"kind": f"{tool}Action", **found}
    if "kind" in arguments:
        return {"kind": f"{kind}Action", "arguments": arguments}
    return {"kind": f"{kind}Action", **arguments}


def _joined(value: Any) -> Any:
    """A command, which may be a list of words."""
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return " ".join(value)
    return value


def take_risk(action: JsonObject) -> str | None:
    """Takes the risk that the model assigned out of the arguments."""
    risk = action.get("security_risk")
    if not isinstance(risk, str) or risk not in _RISKS:
        return None
    del action["security_risk"]
    return risk


def observation_of(action: JsonObject, content: list[Any], text: str) -> JsonObject:
    """The observation for the result of an action, with a failure that its text reports."""
    tool = text_field(action, "kind").removesuffix("Action")
    tool = "Browser" if tool.startswith("Browser") else tool
    found: JsonObject = {"kind": f"{tool}Observation", "content": content}
    if same_tool(tool) == "Terminal":
        code = _EXIT.search(text[-_LAST:]) or _RETURNED.match(text)
        found |= {"exit_code": int(code[1])} if code else {}
    is_told = "Editor" in tool or tool == "IPython"
    if (is_told and text.startswith("ERROR:")) or ("exit_code" not in found and is_refusal(text)):
        found["is_error"] = True
    return found


def is_refusal(text: str) -> bool:
    """Whether a result without an exit code says that nothing was done."""
    return _REFUSED.match(text) is not None


def _camel(name: str) -> str:
    kind = masked(name)  # masked first: in capitals it would no longer look like a secret
    kind = "".join(part[:1].upper() + part[1:] for part in kind.split("_")) or "Unnamed"
    lower = kind.lower()
    return next((tool for tool in (*TOOLS, *OTHER_NAMES) if tool.lower() == lower), kind)


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
