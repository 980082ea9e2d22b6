"""Tools under the names that models use: their actions and observations in our model."""

from __future__ import annotations

from typing import Any

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import masked
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
