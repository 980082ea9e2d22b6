"""One-line texts for the calls and results of each tool."""

from __future__ import annotations

import re
from collections.abc import Callable

from oh_tui.text.clean import clean
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.bodies import strip_echo, text_field
from oh_tui.trajectory.model.result_state import STILL_RUNNING
from oh_tui.trajectory.model.tool_use import (
    Family,
    Parts,
    Tool,
    Use,
    What,
    count,
    first_line,
    last_line,
    shorten,
)
from oh_tui.trajectory.presentation.difference import count_changes, count_lines
from oh_tui.trajectory.presentation.plans import plan_progress, tasks_of


def _first_line(use: Use) -> Parts:
    return (first_line(use.output()),)


def _simple(
    family: Family,
    verb: str,
    *names: str,
    result: Callable[[Use], Parts] = _first_line,
    path: bool = False,
) -> Tool:
    """A tool whose call reads as a verb and the first of these fields."""

    def what(use: Use) -> What:
        detail = use.get(*names)
        return What(family, verb, shorten(detail) if path else detail)

    return Tool(what, result)


def _terminal(use: Use) -> What:
    command = use.get("command")
    if use.action.get("is_input") is True and command:
        return What(Family.TERMINAL, "type", command)
    if use.action.get("reset") is True and not command.strip():
        return What(Family.TERMINAL, "reset the terminal", None)
    if use.action and not isinstance(use.action.get("command"), str):
        return What(Family.TERMINAL, "command not told", None)
    if use.action and not command.strip():
        return What(Family.TERMINAL, "wait for output", None)
    return What(Family.TERMINAL, "$", command)


def _python(use: Use) -> What:
    return What(Family.TERMINAL, "python", first_line(use.get("code")))


def _terminal_result(use: Use) -> Parts:
    output = use.output()
    if len(output) < 4000:
        output = strip_echo(clean(output), clean(use.get("command")))
    last = last_line(output)
    result = use.result
    if result is None:
        return (last,)
    if result.timed_out or result.still_running:
        state = "timed out" if result.timed_out else "still running"
        return (state + (f" after {_seconds(use.ran)}" if use.ran else ""), last)
    if result.exit_code and result.exit_code != STILL_RUNNING:
        return (f"exit {result.exit_code}", last)
    return (last,)


def _seconds(span: float) -> str:
    return f"{span:.0f} s" if abs(span) >= 9.95 else f"{span:.1f} s"


EDITOR_VERBS = {
    "view": "read",
    "create": "create",
    "str_replace": "edit",
    "insert": "insert",
    "undo_edit": "undo",
}


def _editor(use: Use) -> What:
    command = use.get("command")
    verb = EDITOR_VERBS.get(command, command or "edit")
    path = shorten(use.get("path"))
    lines = use.action.get("view_range")
    line = use.action.get("insert_line")
    if path and isinstance(lines, list) and len(lines) == 2:
        end = "" if lines[1] == -1 else lines[1]
        path += f":{lines[0]}-{end}"
    elif path and isinstance(line, int):
        path += f":{line}"
    return What(Family.READ if verb == "read" else Family.EDIT, verb, path)


def _editor_result(use: Use) -> Parts:
    return _read(use) if use.get("command") == "view" else _edited(use)


_NUMBERED = pattern(r"^ *\d+\t", re.MULTILINE)


def _read(use: Use) -> Parts:
    total = use.observation.get("total_lines")
    if type(total) is int:
        return (count(total, "line"),)
    text = use.observation.get("file_content")
    if isinstance(text, str) and text:
        return (count(len(text.splitlines()), "line"),)
    output = use.output()
    if output.startswith("Here's the files and directories"):
        # the heading and the folder itself are not entries
        lines = [line for line in output.splitlines()[1:] if line.startswith("/")]
        return (count(max(0, len(lines) - 1), "entry"),)
    numbered = len(_NUMBERED.findall(output))
    if numbered and output.rstrip("\n ").endswith("\t"):
        numbered -= 1  # the tool numbers an empty line after the last newline
    return (count(numbered, "line"),) if numbered else (first_line(output),)


def _edited(use: Use) -> Parts:
    observation, action = use.observation, use.action
    for old, new in (
        (observation.get("old_content"), observation.get("new_content")),
        (action.get("old_str"), action.get("new_str")),
        (action.get("old_string"), action.get("new_string")),
        (None, action.get("file_text")),
        (None, action.get("content")),
    ):
        if isinstance(old, str) or isinstance(new, str):
            old, new = (text if isinstance(text, str) else "" for text in (old, new))
            return (change(*count_lines(old, new)),)
    return _first_line(use)


def change(added: int, removed: int) -> str:
    """+8 -8, +3, -2, or "no change"."""
    return (
        f"{f'+{added}' if added else ''} {f'-{removed}' if removed else ''}".strip() or "no change"
    )


_PATCHED = pattern(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)


def _patch(use: Use) -> What:
    files = _PATCHED.findall(use.get("patch"))
    return What(Family.EDIT, "patch", ", ".join(shorten(name.strip()) for name in files[:8]))


def _patched(use: Use) -> Parts:
    patch = use.get("patch")
    return (change(*count_changes(patch)),) if patch else _first_line(use)


def _pattern(verb: str) -> Callable[[Use], What]:
    def what(use: Use) -> What:
        path = shorten(use.get("path", "search_path"))
        include = use.get("include", "include_pattern")
        detail = use.get("pattern") + (f" in {path}" if path else "")
        return What(Family.READ, verb, detail + (f" ({include})" if include else ""))

    return what


def _found(noun: str, name: str) -> Callable[[Use], Parts]:
    def result(use: Use) -> Parts:
        found = use.observation.get(name)
        if not isinstance(found, list):
            return _first_line(use)
        first = "first " if use.observation.get("truncated") is True and found else ""
        return (first + count(len(found), noun),)

    return result


def _listed(use: Use) -> Parts:
    total = use.observation.get("total_count")
    return (count(total, "entry"),) if type(total) is int else _first_line(use)


def _plan(use: Use) -> What:
    if use.get("command") == "view":
        return What(Family.PLAN, "look at the plan", None)
    tasks = tasks_of(use.action)
    now = next((task.title for task in tasks if task.status == "in_progress"), "")
    return What(Family.PLAN, "plan", now or (count(len(tasks), "item") if tasks else ""))


def _planned(use: Use) -> Parts:
    progress = plan_progress(use.observation) or plan_progress(use.action)
    return (progress,) if progress else _first_line(use)


def _delegate(use: Use) -> What:
    tasks, ids = use.action.get("tasks"), use.action.get("ids")
    if isinstance(tasks, dict) and tasks:
        return What(Family.TASK, "delegate", _pairs(tasks))
    names = ", ".join(map(_short, ids)) if isinstance(ids, list) else ""
    return What(Family.TASK, "delegate", f"{use.get('command')} {names}".strip())


def _pairs(values: dict[str, object]) -> str:
    return ", ".join(f"{_short(name)}={_short(value)}" for name, value in values.items())


def _short(value: object) -> str:
    """A value inside a line; objects and lists are only hinted at."""
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    return safe_line(str(value), 400)  # in a line a secret may no longer look like one


def _task(use: Use) -> What:
    who = use.get("subagent_type", "subagent")
    about = use.get("description") or first_line(use.get("prompt"))
    return What(Family.TASK, "task", ": ".join(filter(None, (who, about))))


def _with_status(use: Use) -> Parts:
    status = use.observation.get("status")
    status = status if isinstance(status, str) and status not in ("completed", "success") else ""
    return (status, first_line(use.output()))


def _browser_index(verb: str) -> Callable[[Use], What]:
    def what(use: Use) -> What:
        index = use.get("index")
        return What(Family.WEB, verb, f"{index and f'[{index}]'} {use.get('text')}".strip())

    return what


def _mcp(use: Use) -> What:
    data = use.action.get("data")
    shown = _pairs(data) if isinstance(data, dict) else ""
    return What(Family.MCP, "mcp", f"{use.name or use.get('tool_name')} {shown}".strip())


def _finish(use: Use) -> Parts:
    return (first_line(use.get("message") or use.output()),)


def _no_detail(family: Family, verb: str, result: Callable[[Use], Parts]) -> Tool:
    return Tool(lambda use: What(family, verb, None), result)


def _field_result(*names: str) -> Callable[[Use], Parts]:
    def result(use: Use) -> Parts:
        found = (use.observation.get(name) for name in names)
        text = next((value for value in found if value and isinstance(value, str)), "")
        return (first_line(text or use.output()),)

    return result


def _chosen_model(use: Use) -> Parts:
    names = ("chosen_class", "active_model", "model")
    found = [text for name in names if (text := text_field(use.observation, name))]
    return (": ".join(found[:2]) or first_line(use.output()),)


def _web(verb: str, *names: str) -> Tool:
    return _simple(Family.WEB, verb, *names)


TOOLS: dict[str, Tool] = {
    "Terminal": Tool(_terminal, _terminal_result),
    "ExecuteBash": Tool(_terminal, _terminal_result),
    "FileEditor": Tool(_editor, _editor_result),
    "StrReplaceEditor": Tool(_editor, _editor_result),
    "PlanningFileEditor": Tool(_editor, _editor_result),
    "Edit": _simple(Family.EDIT, "edit", "file_path", result=_edited, path=True),
    "WriteFile": _simple(Family.EDIT, "write", "file_path", result=_edited, path=True),
    "ReadFile": _simple(Family.READ, "read", "file_path", result=_read, path=True),
    "ListDirectory": _simple(Family.READ, "list", "dir_path", result=_listed, path=True),
    "ApplyPatch": Tool(_patch, _patched),
    "Grep": Tool(_pattern("grep"), _found("match", "matches")),
    "Glob": Tool(_pattern("glob"), _found("file", "files")),
    "MCPTool": Tool(_mcp, _first_line),
    "TaskTracker": Tool(_plan, _planned),
    "Think": _simple(Family.THINK, "think", "thought", result=lambda use: ()),
    "Finish": _no_detail(Family.AGENT, "finish", _finish),
    "InvokeSkill": _simple(Family.SKILL, "skill", "name", "skill_name"),
    "SwitchLLM": _simple(
        Family.SYSTEM, "model", "profile_name", result=_field_result("active_model")
    ),
    "ClassifyAndSwitchLLM": _no_detail(Family.SYSTEM, "choose a model", _chosen_model),
    "VisionInspect": _simple(
        Family.READ, "look at image:", "question", result=_field_result("answer")
    ),
    "AskOracle": _simple(Family.TASK, "ask the oracle", "question"),
    "ConsultTom": _simple(
        Family.TASK, "ask Tom", "custom_query", "reason", result=_field_result("suggestions")
    ),
    "SleeptimeCompute": _simple(Family.TASK, "let Tom think", result=_field_result("message")),
    "Task": Tool(_task, _with_status),
    "Delegate": Tool(_delegate, _first_line),
    "StartChildConversation": _simple(
        Family.TASK, "start conversation", "title", "task", result=_with_status
    ),
    "Workflow": _simple(Family.TASK, "workflow", "name", result=_with_status),
    "BrowserNavigate": _web("open", "url"),
    "BrowserClick": Tool(_browser_index("click"), _first_line),
    "BrowserType": Tool(_browser_index("type"), _first_line),
    "BrowserScroll": _web("scroll", "direction"),
    "BrowserGoBack": _web("go back"),
    "BrowserGetState": _web("look at the page"),
    "BrowserGetContent": _web("read the page"),
    "BrowserListTabs": _web("list tabs"),
    "BrowserSwitchTab": _web("switch to tab", "tab_id"),
    "BrowserCloseTab": _web("close tab", "tab_id"),
    "BrowserGetStorage": _web("read the browser's storage"),
    "BrowserSetStorage": _web("set the browser's storage"),
    "BrowserStartRecording": _web("record the browser"),
    "BrowserStopRecording": _web("stop recording"),
    "Browser": _web("browse", "browser_actions"),
    "IPython": Tool(_python, lambda use: (last_line(use.output()),)),
}
"""By the kind of the action or observation without that suffix."""


def tool_of(*parts: str) -> Tool | None:
    """The tool of the first known of these kinds of action or observation."""
    for part in parts:
        if tool := TOOLS.get(part.removesuffix("Action").removesuffix("Observation")):
            return tool
    return None


def tool_named(name: str) -> Tool | None:
    """The tool with this name in the API, such as `file_editor`."""
    return TOOLS.get("".join(piece.capitalize() for piece in name.split("_")))
