"""One-line texts for the calls and results of each tool."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from oh_tui.text.clean import clean
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.model.bodies import blocks_text, field, strip_echo, text_field
from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.difference import change, count_changes, count_lines, patch_files
from oh_tui.trajectory.model.event_kinds import STILL_RUNNING
from oh_tui.trajectory.model.events import Event, same_tool
from oh_tui.trajectory.model.tool_use import Family, Parts, count, first_line, last_line, shorten
from oh_tui.trajectory.reading.error_lines import error_line
from oh_tui.trajectory.reading.plans import plan_progress, tasks_of

What = tuple[str, str | None]
"""The verb and object of a call. "" is replaced by the summary that the agent gave, None is not."""


class Tool(NamedTuple):
    family: Family
    what: Callable[[Call], What]
    result: Callable[[Call], Parts]


def _first_line(call: Call) -> Parts:
    return (first_line(call.output()),)


def _simple(
    family: Family,
    verb: str,
    *names: str,
    result: Callable[[Call], Parts] = _first_line,
    path: bool = False,
) -> Tool:
    """A tool whose call reads as a verb and the first of these fields."""

    def what(call: Call) -> What:
        detail = call.get(*names)
        return verb, shorten(detail) if path else detail

    return Tool(family, what, result)


def _terminal(call: Call) -> What:
    command = call.get("command")
    if call.is_typed and command:
        return "type", command
    if call.input.get("reset") is True and not command.strip():
        return "reset the terminal", None
    if call.hides_command:
        return "command not told", None
    if call.input and not command.strip():
        return "wait for output", None
    return "$", command


def _python(call: Call) -> What:
    return "python", first_line(call.get("code"))


def _terminal_result(call: Call) -> Parts:
    output = call.output()
    if len(output) < 4000:
        output = strip_echo(clean(output), clean(call.get("command")))
    last = last_line(output)
    result = call.result
    if result is None:
        return (last,)
    if result.timed_out or result.still_running:
        state = "timed out" if result.timed_out else "still running"
        return (state + (f" after {_seconds(call.ran)}" if call.ran else ""), last)
    if result.exit_code and result.exit_code != STILL_RUNNING:
        # rows are made of all steps of a run: the line is looked for in the end alone
        end = output if len(output) < 4000 else output[-4000:].partition("\n")[2]
        if not _TELLING.search(last[:1000]) and (named := error_line(safe(end))):
            last = ": ".join(filter(None, named))
        return (f"exit {result.exit_code}", last)
    return (last,)


_TELLING = pattern(r"err|fail|fault|fatal|passed|exce|panic|denied|refused|not |no ", re.IGNORECASE)
"""A last line with one of these says what went wrong, as in most tests and tracebacks."""


def _seconds(span: float) -> str:
    return f"{span:.0f} s" if abs(span) >= 9.95 else f"{span:.1f} s"


EDITOR_VERBS = {
    "view": "read",
    "create": "create",
    "str_replace": "edit",
    "insert": "insert",
    "undo_edit": "undo",
}


def _editor(call: Call) -> What:
    command = call.get("command")
    verb = EDITOR_VERBS.get(command, command or "edit")
    path = shorten(call.get("path"))
    lines = call.input.get("view_range")
    line = call.input.get("insert_line")
    if path and isinstance(lines, list) and len(lines) == 2:
        end = "" if lines[1] == -1 else lines[1]
        path += f":{lines[0]}-{end}"
    elif path and isinstance(line, int):
        path += f":{line}"
    return verb, path


def _editor_result(call: Call) -> Parts:
    return _read(call) if call.get("command") == "view" else _edited(call)


_NUMBERED = pattern(r"^ *\d+\t", re.MULTILINE)


def _read(call: Call) -> Parts:
    total = call.answer.get("total_lines")
    if type(total) is int:
        return (count(total, "line"),)
    text = call.answer.get("file_content")
    if isinstance(text, str) and text:
        return (count(len(text.splitlines()), "line"),)
    output = call.output()
    if output.startswith("Here's the files and directories"):
        # the heading and the folder itself are not entries
        lines = [line for line in output.splitlines()[1:] if line.startswith("/")]
        return (count(max(0, len(lines) - 1), "entry"),)
    numbered = len(_NUMBERED.findall(output))
    if numbered and output.rstrip("\n ").endswith("\t"):
        numbered -= 1  # the tool numbers an empty line after the last newline
    return (count(numbered, "line"),) if numbered else (first_line(output),)


def _edited(call: Call) -> Parts:
    observation, action = call.answer, call.input
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
    return _first_line(call)


def _patch(call: Call) -> What:
    files = [path for _, path, _ in patch_files(call.get("patch")) if path]
    return "patch", ", ".join(map(shorten, files[:8]))


def _patched(call: Call) -> Parts:
    patch = call.get("patch")
    return (change(*count_changes(patch)),) if patch else _first_line(call)


def _pattern(verb: str) -> Callable[[Call], What]:
    def what(call: Call) -> What:
        path = shorten(call.get("path", "search_path"))
        include = call.get("include", "include_pattern")
        detail = call.get("pattern") + (f" in {path}" if path else "")
        return verb, detail + (f" ({include})" if include else "")

    return what


def _found(noun: str, name: str) -> Callable[[Call], Parts]:
    def result(call: Call) -> Parts:
        found = call.answer.get(name)
        if not isinstance(found, list):
            return _first_line(call)
        first = "first " if call.answer.get("truncated") is True and found else ""
        return (first + count(len(found), noun),)

    return result


def _listed(call: Call) -> Parts:
    total = call.answer.get("total_count")
    return (count(total, "entry"),) if type(total) is int else _first_line(call)


def _plan(call: Call) -> What:
    if call.get("command") == "view":
        return "look at the plan", None
    tasks = tasks_of(call.input)
    now = next((task.title for task in tasks if task.status == "in_progress"), "")
    return "plan", now or (count(len(tasks), "item") if tasks else "")


def _planned(call: Call) -> Parts:
    progress = plan_progress(call.answer) or plan_progress(call.input)
    return (progress,) if progress else _first_line(call)


def _delegate(call: Call) -> What:
    tasks, ids = call.input.get("tasks"), call.input.get("ids")
    if isinstance(tasks, dict) and tasks:
        return "delegate", _pairs(tasks)
    names = ", ".join(map(_short, ids)) if isinstance(ids, list) else ""
    return "delegate", f"{call.get('command')} {names}".strip()


def _pairs(values: dict[str, object]) -> str:
    return ", ".join(f"{_short(name)}={_short(value)}" for name, value in values.items())


def _short(value: object) -> str:
    """A value inside a line; objects and lists are only hinted at."""
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    return safe_line(str(value), 400)  # in a line a secret may no longer look like one


def _task(call: Call) -> What:
    who = call.get("subagent_type", "subagent")
    about = call.get("description") or first_line(call.get("prompt"))
    return "task", ": ".join(filter(None, (who, about)))


def _with_status(call: Call) -> Parts:
    return (_odd_status(call, "completed", "success"), first_line(call.output()))


def _odd_status(call: Call, *usual: str) -> str:
    status = text_field(call.answer, "status")
    return "" if status in usual else status


def _browser_index(verb: str) -> Callable[[Call], What]:
    def what(call: Call) -> What:
        index = call.get("index")
        return verb, f"{index and f'[{index}]'} {call.get('text')}".strip()

    return what


def _mcp(call: Call) -> What:
    data = call.input.get("data")
    shown = _pairs(data) if isinstance(data, dict) else ""
    return "mcp", f"{call.event.tool_name or call.get('tool_name')} {shown}".strip()


def _finish(call: Call) -> Parts:
    return (first_line(call.get("message") or call.output()),)


def _no_detail(family: Family, verb: str, result: Callable[[Call], Parts]) -> Tool:
    return Tool(family, lambda call: (verb, None), result)


def _field_result(*names: str) -> Callable[[Call], Parts]:
    def result(call: Call) -> Parts:
        found = (call.answer.get(name) for name in names)
        text = next((value for value in found if value and isinstance(value, str)), "")
        return (first_line(text or call.output()),)

    return result


def _chosen_model(call: Call) -> Parts:
    names = ("chosen_class", "active_model", "model")
    found = [text for name in names if (text := text_field(call.answer, name))]
    return (": ".join(found[:2]) or first_line(call.output()),)


def _reported(call: Call) -> What:
    verb, title = call.event.verb, call.title
    if verb == "execute":
        return "$", call.command or title or None
    if verb in ("", "other"):
        return title or call.event.tool_name or "call", None
    begins_so = title.lower().startswith(verb.lower())
    return verb + (title[len(verb) :] if begins_so else f" {title}"), None


def _reported_result(call: Call) -> Parts:
    text = call.output() or main_text(call.answer.get("raw_output"))
    line = last_line(text) if call.event.verb == "execute" else first_line(text)
    return (_odd_status(call, "completed", "pending", "in_progress"), line)


_MAIN_FIELDS = (
    "command", "path", "file_path", "url", "query", "pattern", "message", "question", "prompt",
    "task", "title", "name", "text", "content", "summary", "description", "detail", "error",
    "reason", "output",
)  # fmt: skip


def main_text(values: object) -> str:
    """What most likely tells what fields are about that nothing here knows."""
    for name in _MAIN_FIELDS:
        value = field(values, name)
        text = value if isinstance(value, str) else blocks_text(value)
        if text.strip():
            return first_line(text)
    return ""


def _web(verb: str, *names: str) -> Tool:
    return _simple(Family.WEB, verb, *names)


TOOLS: dict[str, Tool] = {
    "Terminal": Tool(Family.TERMINAL, _terminal, _terminal_result),
    "FileEditor": Tool(Family.EDIT, _editor, _editor_result),
    "Edit": _simple(Family.EDIT, "edit", "file_path", result=_edited, path=True),
    "WriteFile": _simple(Family.EDIT, "write", "file_path", result=_edited, path=True),
    "ReadFile": _simple(Family.READ, "read", "file_path", result=_read, path=True),
    "ListDirectory": _simple(Family.READ, "list", "dir_path", result=_listed, path=True),
    "ApplyPatch": Tool(Family.EDIT, _patch, _patched),
    "Grep": Tool(Family.READ, _pattern("grep"), _found("match", "matches")),
    "Glob": Tool(Family.READ, _pattern("glob"), _found("file", "files")),
    "MCPTool": Tool(Family.MCP, _mcp, _first_line),
    "TaskTracker": Tool(Family.PLAN, _plan, _planned),
    "Think": _simple(Family.THINK, "think", "thought", result=lambda call: ()),
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
    "Task": Tool(Family.TASK, _task, _with_status),
    "Delegate": Tool(Family.TASK, _delegate, _first_line),
    "StartChildConversation": _simple(
        Family.TASK, "start conversation", "title", "task", result=_with_status
    ),
    "Workflow": _simple(Family.TASK, "workflow", "name", result=_with_status),
    "BrowserNavigate": _web("open", "url"),
    "BrowserClick": Tool(Family.WEB, _browser_index("click"), _first_line),
    "BrowserType": Tool(Family.WEB, _browser_index("type"), _first_line),
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
    "IPython": Tool(Family.TERMINAL, _python, lambda call: (last_line(call.output()),)),
}
"""By `Event.tool`."""


_REPORTED = {
    "execute": Family.TERMINAL, "edit": Family.EDIT, "delete": Family.EDIT, "move": Family.EDIT,
    "read": Family.READ, "search": Family.READ, "fetch": Family.WEB, "think": Family.THINK,
}  # fmt: skip
"""Kinds of tools that other agents report."""


def tool_of(event: Event) -> Tool | None:
    """The tool of a call or a result; of a call that could not be read by its name in the API."""
    if event.is_reported:
        family = _REPORTED.get(event.verb, Family.OTHER)
        return Tool(family, _reported, _reported_result)
    if event.is_unread:
        named = "".join(piece.capitalize() for piece in event.tool_name.split("_"))
        return TOOLS.get(same_tool(named))
    return TOOLS.get(event.tool)
