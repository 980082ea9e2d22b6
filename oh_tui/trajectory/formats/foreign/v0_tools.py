"""The tools of V0 in terms of our model: actions and observations by their V0 names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any

from oh_tui.text.redact import masked
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import read_json
from oh_tui.trajectory.model.usual_fields import is_empty

Args = dict[str, Any]

_BESIDE = ("confirmation_state", "security_risk", "impl_source", "translated_ipython_code",
           "hidden", "is_static", "blocking", "include_extra", "kernel_init_code",
           "return_axtree", "reasoning_content")  # fmt: skip
"""Arguments that V0 adds itself, not the model. They are shown only with the whole call."""


def _renamed(kind: str, **names: str) -> Callable[[Args], Args]:
    """Makes a function from V0 arguments to our action, with arguments renamed: `new="old"`."""
    old = {was: now for now, was in names.items()}

    def make(args: Args) -> Args:
        return {"kind": kind} | _with_names(args, old)

    return make


def _with_names(values: Args, names: Mapping[str, str]) -> Args:
    """The values under other names. A name that is taken gets a similar one."""
    found: Args = {}
    for name, value in values.items():
        new = names.get(name, name)
        while new in found or (new != name and new in values):
            new += "_"
        found[new] = value
    return found


def _read(args: Args) -> Args:
    return {"kind": "FileEditorAction", "command": "view", **_in_lines(args, first=0)}


def _edit(args: Args) -> Args:
    """An edit. The editor's has a command; an edit by a model has the new lines and their place."""
    if args.get("command") and not args.get("content"):
        args = _in_lines(args, first=1)
    return {"kind": "FileEditorAction", **args}


def _in_lines(args: Args, first: int) -> Args:
    """The arguments without a `start` and `end` that V0 adds itself and that mean all lines."""
    all_lines = {"start": first, "end": -1}
    if any(type(args.get(name)) not in (int, NoneType) for name in all_lines):
        return args
    if any(args.get(name) not in (None, place) for name, place in all_lines.items()):
        return args
    return {name: value for name, value in args.items() if name not in all_lines}


def _delegate(args: Args) -> Args:
    agent, inputs = args.get("agent"), args.get("inputs")
    is_task = isinstance(inputs, dict) and set(inputs) == {"task"}
    if isinstance(agent, str) and isinstance(inputs, dict) and is_task and "tasks" not in args:
        rest = {name: v for name, v in args.items() if name not in ("agent", "inputs")}
        return {"kind": "DelegateAction", "tasks": {agent: inputs["task"]}, **rest}
    return {"kind": "DelegateAction", **args}


def _mcp(args: Args) -> Args:
    rest = {name: v for name, v in args.items() if name != "arguments"}
    data = args.get("arguments")
    if isinstance(data, dict) and "data" not in args:
        return {"kind": "MCPToolAction", "data": data, **rest}
    return {"kind": "MCPToolAction", **rest, **({} if data is None else {"arguments": data})}


def _finish(args: Args) -> Args:
    """The last words are `final_thought`, or in older runs the thought, or an output."""
    name = next((n for n in ("final_thought", "thought") if not is_empty(args.get(n))), "")
    said = args.get(name, text_field(args, "outputs", "content") or None)
    rest = {n: v for n, v in args.items() if n != name}
    if isinstance(said, str) and said == args.get("thought"):
        rest.pop("thought", None)
    names = {"message": "v0_message"} if "message" in rest else {}
    return {"kind": "FinishAction", **_with_names(rest, names), "message": said}


ACTIONS: dict[str, Callable[[Args], Args]] = {
    "run": _renamed("TerminalAction"),
    "run_ipython": _renamed("IPythonAction"),
    "read": _read,
    "write": _renamed("WriteFileAction", file_path="path"),
    "edit": _edit,
    "browse": _renamed("BrowserNavigateAction"),
    "browse_interactive": _renamed("BrowserAction"),
    "think": _renamed("ThinkAction"),
    "finish": _finish,
    "delegate": _delegate,
    "call_tool_mcp": _mcp,
    "task_tracking": _renamed("TaskTrackerAction"),
}
"""V0 action -> what makes our action from its arguments. Any other action keeps its name."""

OBSERVATIONS = {
    "run": "TerminalObservation",
    "run_ipython": "IPythonObservation",
    "read": "FileEditorObservation",
    "write": "WriteFileObservation",
    "edit": "FileEditorObservation",
    "browse": "BrowserObservation",
    "think": "ThinkObservation",
    "delegate": "DelegateObservation",
    "mcp": "MCPToolObservation",
    "task_tracking": "TaskTrackerObservation",
}

_NAMES = {"write": {"path": "file_path"}, "browse": {"screenshot": "screenshot_data"}}
"""Observation -> extras that have another name in our model."""

TOOL_NAMES = {
    "run": "execute_bash", "run_ipython": "execute_ipython_cell", "edit": "str_replace_editor",
    "browse": "browser", "browse_interactive": "browser",
}  # fmt: skip
"""Tool of a call that does not name it, if that differs from the action."""

EDITS = ("edit", "read", "write")
"""Observations whose text reports a failure."""

TELLING = (*EDITS, "think", "task_tracking", "recall")
"""Observations that V0 makes only of what worked: the others may report anything."""


def split_args(name: str, args: Args, tool: str) -> tuple[str, Args, Args]:
    """Splits the arguments of a call into thought, action, and arguments of V0 itself."""
    args = _with_plain_thought(args)
    beside = {key: args[key] for key in _BESIDE if key in args}
    kept = {key: value for key, value in args.items() if key not in beside}
    thought = kept.get("thought")
    action = ACTIONS.get(name, _renamed(f"{_camel(name)}Action"))(_safe(kept))
    if name == "call_tool_mcp" and action.get("name") == tool:
        del action["name"]
    if "thought" in action and name != "think" and isinstance(thought, str):
        del action["thought"]
    elif name in ("think", "finish"):
        thought = thought if action.get("message", thought) != thought else ""
    return thought if isinstance(thought, str) else "", action, beside


def _with_plain_thought(args: Args) -> Args:
    """The arguments with a plain thought. In the last versions of V0 it contains the reasoning,
    which earlier ones wrote separately."""
    thought = args.get("thought")
    if not isinstance(thought, dict) or not set(thought) <= {"text", "reasoning_content"}:
        return args
    reasoning = thought.get("reasoning_content")
    if not isinstance(thought.get("text"), str) or not isinstance(reasoning, str | None):
        return args
    if reasoning and not is_empty(args.get("reasoning_content")):
        return args
    more = {"reasoning_content": reasoning} if reasoning else {}
    return args | {"thought": thought["text"]} | more


def observed(name: str, extras: Args) -> Args:
    """Our observation for the extras of a V0 observation, without its content."""
    found = _with_names(_safe(extras), _NAMES.get(name, {}))
    if name == "read":
        found.setdefault("command", "view")
    return {"kind": OBSERVATIONS.get(name, f"{_camel(name)}Observation"), **found}


def _safe(values: Args) -> Args:
    """The fields, without names that mean something else in our model."""
    return _with_names(values, {"kind": "v0_kind"})


def _camel(name: str) -> str:
    # masked first: in capitals it would no longer look like a secret
    return "".join(part[:1].upper() + part[1:] for part in masked(name).split("_"))


_EDITOR = ("command", "path", "file_text", "old_str", "new_str", "insert_line", "view_range")


def completed(name: str, args: Args, given: Any) -> Args:
    """The arguments of an edit, with those that only the model's call has: in early 2025 V0's own
    lack the command."""
    if name != "edit" or not isinstance(given, dict):
        return args
    missing = {key: given[key] for key in _EDITOR if is_empty(args.get(key)) and given.get(key)}
    return args | missing


def tool_name(action: str, args: Args, metadata: Any) -> str:
    named = text_field(metadata, "function_name")
    if not named and action == "call_tool_mcp":
        named = text_field(args, "name")
    return named or TOOL_NAMES.get(action, action)


def is_mcp_error(text: str) -> bool:
    """Whether an MCP server's answer, which is JSON text, says that the call failed."""
    return '"isError"' in text and field(read_json(text), "isError") is True


def is_derived(body: Args) -> bool:
    """Whether the `message` of an event only repeats its fields in words."""
    message = body.get("message")
    if not isinstance(message, str):
        return False
    name = text_field(body, "action") or text_field(body, "observation")
    path = text_field(body, "args", "path") or text_field(body, "extras", "path")
    command = text_field(body, "args", "command") or text_field(body, "extras", "command")
    code = field(body, "extras", "metadata", "exit_code")
    code = field(body, "extras", "exit_code") if code is None else code
    url = text_field(body, "extras", "url")
    return message in {
        "", f"Running command: {command}", f"Reading file: {path}", f"Writing file: {path}",
        f"Editing file: {path}", f"I read the file {path}.", f"I edited the file {path}.",
        f"I wrote to the file {path}.", f"Visited {url}", "Code executed in IPython cell.",
        f"Command `{command}` executed with exit code {code}.", f"Agent did {name}",
    }  # fmt: skip
