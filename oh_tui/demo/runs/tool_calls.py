"""The agent's tools: each function makes one call and its result, in the tool's own wire format.

What follows the run and the first argument is given by name; scenarios use the same names.
"""

from __future__ import annotations

from typing import Any

from oh_tui.demo.runs.run import Run
from oh_tui.demo.runs.stored_events import Call, Plan, text

SCREENSHOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAAAoCAIAAADBrGu+AAAAZUlEQVR42u3WMQ3AMBADwICo1KUcCq3UyiZLpyAJhY7x"
    "5yQTOL0tfbufNzoNAAAgHHCcV3TKAfo3VsjGFwAAqDHi/+NWIQCAtUesQgAAaSNWIQCAou+0CgEApI1YhQAA0ka86QUm"
    "ZppCjFej2YsAAAAASUVORK5CYII="
)
"""A miniature page, a title bar over lines of text, as a PNG in base64."""


def shell(
    run: Run,
    command: str,
    out: str = "",
    *,
    repeat: int = 1,
    code: int = 0,
    ran: float = 0.15,
    error: str = "",
    summary: str | None = None,
    risk: str = "LOW",
    timeout: float | None = None,
    is_input: bool = False,
    changes: dict[str, str | None] | None = None,
) -> Call:
    """A terminal command. It prints `out`, `repeat` times, and leaves `changes` in the files, where
    None removes one. Code -1 means that it was still running when the tool gave up waiting; with
    `error` the call fails and there is no output."""
    for path, content in (changes or {}).items():
        run.write(path, content)
    suffix = f"\n[The command completed with exit code {code}.]"
    if code == -1:
        suffix = f"\n[The command has no new output after {timeout or 30:g} seconds.]"
    metadata = {
        "exit_code": code,
        "pid": -1,
        "username": "openhands",
        "hostname": "runtime",
        "working_dir": run.root,
        "py_interpreter_path": "/usr/local/bin/python",
        "prefix": "",
        "suffix": suffix,
    }
    observation = _observation(
        "Terminal",
        out * repeat,
        command=command,
        exit_code=code,
        timeout=False,
        metadata=metadata,
        full_output_save_dir=None,
    )
    fields = {"command": command, "is_input": is_input, "timeout": timeout, "reset": False}
    call = _call("terminal", "Terminal", fields, observation, ran=ran, summary=summary, risk=risk)
    call.leaves = changes or {}
    if error:
        call.error, call.observation = error, None
    return call


def view(run: Run, path: str, lines: tuple[int, int] | None = None) -> Call:
    first, last = lines or (1, -1)
    shown = run.files[path].splitlines()[first - 1 : None if last == -1 else last]
    words = (
        f"Here's the result of running `cat -n` on {_full(run, path)}:\n{_numbered(shown, first)}"
    )
    return _file_editor(run, "view", path, words, view_range=list(lines) if lines else None)


def create(run: Run, path: str, content: str, *, planning: bool = False) -> Call:
    """Write a file; `planning` uses the planning agent's editor, here and in `edit`."""
    old = run.files.get(path)
    words = f"File created successfully at: {_full(run, path)}"
    return _file_editor(
        run, "create", path, words, file_text=content, old=old, new=content, planning=planning
    )


def edit(run: Run, path: str, old: str, new: str, *, planning: bool = False) -> Call:
    """Replace text that occurs once."""
    content = run.files[path]
    assert content.count(old) == 1, (run.slug, path, old, content.count(old))
    after = content.replace(old, new)
    start = content[: content.index(old)].count("\n")
    return _file_editor(
        run,
        "str_replace",
        path,
        _snippet(run, path, after, start, new.count("\n") + 1),
        old_str=old,
        new_str=new,
        old=content,
        new=after,
        planning=planning,
    )


def refused_edit(run: Run, path: str, old: str, new: str) -> Call:
    """Try to replace text that does not occur, or more than once: the file stays as it is."""
    times = run.files[path].count(old)
    assert times != 1, (run.slug, path, old)
    words = f"No replacement was performed, old_str `{old}` did not appear verbatim in {path}."
    if times:
        words = f"No replacement was performed. {times} occurrences of old_str in {path}."
    return _file_editor(run, "str_replace", path, words, old_str=old, new_str=new, is_error=True)


def insert(run: Run, path: str, line: int, new: str) -> Call:
    content = run.files[path]
    kept = content.splitlines(keepends=True)
    after = "".join((*kept[:line], new.rstrip("\n") + "\n", *kept[line:]))
    words = _snippet(run, path, after, line, new.count("\n") + 1)
    return _file_editor(
        run, "insert", path, words, insert_line=line, new_str=new, old=content, new=after
    )


def undo(run: Run, path: str) -> Call:
    words = f"Last edit to {_full(run, path)} undone successfully."
    return _file_editor(
        run, "undo_edit", path, words, old=run.files[path], new=run.before_edit[path]
    )


def plan(run: Run, titles: list[str], *, done: int = 0) -> Call:
    run.plan = Plan(titles)
    return plan_done(run, done)


def plan_done(run: Run, done: int) -> Call:
    """Move the task list on: so many tasks are done."""
    run.plan.done = done
    items = run.plan.items()
    words = f"Task list has been updated with {len(items)} item(s)."
    return _task_tracker({"command": "plan", "task_list": items}, words, items)


def show_plan(run: Run, _: bool = True) -> Call:
    items = run.plan.items()
    mark = {"done": "x", "in_progress": ">", "todo": " "}
    words = "\n".join(f"{n}. [{mark[i['status']]}] {i['title']}" for n, i in enumerate(items, 1))
    return _task_tracker({"command": "view", "task_list": []}, words, items)


def think(run: Run, thought: str) -> Call:
    observation = _observation("Think", "Your thought has been logged.")
    return _call("think", "Think", {"thought": thought}, observation, ran=0.002)


def grep(run: Run, pattern: str, matches: list[str], include: str | None = None) -> Call:
    """Search file contents; `matches` are paths."""
    found = [_full(run, match) for match in matches]
    words = f"Found {len(found)} file(s) containing {pattern!r}\n" + "\n".join(found)
    observation = _observation(
        "Grep",
        words,
        matches=found,
        pattern=pattern,
        search_path=run.root,
        include_pattern=include,
        truncated=False,
    )
    fields = {"pattern": pattern, "path": None, "include": include}
    return _call("grep", "Grep", fields, observation, ran=0.08)


def glob(run: Run, pattern: str, matches: list[str]) -> Call:
    """Search file names; `matches` are paths."""
    found = [_full(run, match) for match in matches]
    words = f"Found {len(found)} file(s) matching {pattern!r}\n" + "\n".join(found)
    observation = _observation(
        "Glob", words, files=found, pattern=pattern, search_path=run.root, truncated=False
    )
    return _call("glob", "Glob", {"pattern": pattern, "path": None}, observation, ran=0.05)


def patch(run: Run, body: str, *, out: str) -> Call:
    observation = _observation("ApplyPatch", out, message=out, fuzz=0, commit=None)
    return _call("apply_patch", "ApplyPatch", {"patch": body}, observation, ran=0.03)


def mcp(
    run: Run,
    name: str,
    *,
    data: dict[str, object],
    out: str,
    ran: float = 0.6,
    summary: str | None = None,
) -> Call:
    observation = _observation("MCPTool", out, tool_name=name)
    return _call(name, "MCPTool", {"data": data}, observation, ran=ran, summary=summary)


def browse(
    run: Run,
    verb: str,
    *,
    out: str,
    screenshot: bool = False,
    ran: float = 0.4,
    is_error: bool = False,
    **fields: object,
) -> Call:
    """A browser tool; `verb` as in `BrowserGetStateAction`, `fields` those of the action."""
    name = "browser" + "".join(f"_{c.lower()}" if c.isupper() else c for c in verb)
    observation = _observation(
        "Browser",
        out,
        is_error=is_error,
        screenshot_data=SCREENSHOT if screenshot else None,
        full_output_save_dir=None,
    )
    return _call(name, f"Browser{verb}", fields, observation, ran=ran)


def tool(
    run: Run,
    name: str,
    *,
    kind: str,
    observed: str = "",
    action: dict[str, object] | None = None,
    out: str,
    observation: dict[str, Any] | None = None,
    ran: float = 0.02,
) -> Call:
    """Any other tool. `observed` is the kind of its observation, if it is not `kind`."""
    result = _observation(observed or kind, out, **observation or {})
    return _call(name, kind, action or {}, result, ran=ran)


def broken(run: Run, name: str, *, arguments: str, error: str) -> Call:
    """A call with unreadable arguments, or of an unknown tool: it never runs."""
    return Call(tool=name, action=None, arguments=arguments, error=error)


def _call(
    name: str, kind: str, fields: dict[str, Any], observation: dict[str, object], **how: Any
) -> Call:
    return Call(
        tool=name, action={**fields, "kind": f"{kind}Action"}, observation=observation, **how
    )


def _observation(
    kind: str, words: str, *, is_error: bool = False, **more: object
) -> dict[str, object]:
    content = [text(words)] if words else []
    return {"content": content, "is_error": is_error, **more, "kind": f"{kind}Observation"}


def _full(run: Run, path: str) -> str:
    return path if path.startswith("/") else f"{run.root}/{path}"


def _numbered(lines: list[str], first: int) -> str:
    return "\n".join(f"{number:6}\t{line}" for number, line in enumerate(lines, first)) + "\n"


def _snippet(run: Run, path: str, content: str, start: int, count: int) -> str:
    first = max(0, start - 4)
    shown = content.splitlines()[first : start + count + 4]
    return (
        f"The file {_full(run, path)} has been edited. Here's the result of running `cat -n` on a "
        f"snippet of it:\n{_numbered(shown, first + 1)}"
    )


def _task_tracker(fields: dict[str, object], words: str, items: list[dict[str, str]]) -> Call:
    observation = _observation("TaskTracker", words, command=fields["command"], task_list=items)
    return _call("task_tracker", "TaskTracker", fields, observation, ran=0.004)


def _file_editor(
    run: Run,
    command: str,
    path: str,
    words: str,
    *,
    old: str | None = None,
    new: str | None = None,
    is_error: bool = False,
    planning: bool = False,
    **given: object,
) -> Call:
    name, kind = "file_editor", "FileEditor"
    if planning:
        name, kind = "planning_file_editor", "PlanningFileEditor"
    fields = {
        "command": command,
        "path": _full(run, path),
        "file_text": None,
        "old_str": None,
        "new_str": None,
        "insert_line": None,
        "view_range": None,
    } | given
    observation = _observation(
        kind,
        words,
        is_error=is_error,
        command=command,
        path=fields["path"],
        prev_exist=command != "create" or old is not None,
        old_content=old,
        new_content=new,
    )
    call = _call(name, kind, fields, observation)
    if new is not None:
        run.write(path, new)
        call.leaves = {path: new}
        if old is not None:
            run.before_edit[path] = old
    return call
