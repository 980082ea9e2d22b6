"""The tools of a run: each function makes one call with its result, in the tool's own shapes."""

from __future__ import annotations

from typing import Any

from oh_tui.demo.run import Call, Plan, Run, text


def result(kind: str, words: str, *, is_error: bool = False, **more: Any) -> dict[str, Any]:
    """An observation of `kind` whose text is `words`."""
    content = [text(words)] if words else []
    return {"content": content, "is_error": is_error, **more, "kind": kind}


def tool(
    name: str,
    kind: str,
    fields: dict[str, Any],
    observation: dict[str, Any] | None = None,
    **how: Any,
) -> Call:
    """Any call: `kind` is that of the action."""
    return Call(tool=name, action={**fields, "kind": kind}, observation=observation, **how)


def shell(
    run: Run,
    command: str,
    out: str = "",
    *,
    code: int = 0,
    ran: float = 0.15,
    summary: str | None = None,
    risk: str = "LOW",
    cwd: str | None = None,
    timeout: float | None = None,
    is_input: bool = False,
) -> Call:
    """A command in the terminal. Code -1: it still ran when the tool gave up waiting."""
    folder = cwd or run.root
    suffix = f"\n[The command completed with exit code {code}.]"
    if code == -1:
        suffix = f"\n[The command has no new output after {timeout or 30:g} seconds.]"
    metadata = {
        "exit_code": code,
        "pid": -1,
        "username": "openhands",
        "hostname": "runtime",
        "working_dir": folder,
        "py_interpreter_path": "/usr/local/bin/python",
        "prefix": "",
        "suffix": suffix,
    }
    observation = result(
        "TerminalObservation",
        out,
        command=command,
        exit_code=code,
        timeout=False,
        metadata=metadata,
        full_output_save_dir=None,
    )
    action = {"command": command, "is_input": is_input, "timeout": timeout, "reset": False}
    return tool(
        "terminal", "TerminalAction", action, observation, ran=ran, summary=summary, risk=risk
    )


def view(run: Run, path: str, lines: tuple[int, int] | None = None, **how: Any) -> Call:
    """Read a file of the run, or the lines from-to of it."""
    first, last = lines or (1, -1)
    shown = run.files[path].splitlines()[first - 1 : None if last == -1 else last]
    numbered = "\n".join(f"{number:6}\t{line}" for number, line in enumerate(shown, first))
    words = f"Here's the result of running `cat -n` on {_path(run, path)}:\n{numbered}\n"
    return _edited(run, "view", path, words, view_range=list(lines) if lines else None, **how)


def create(run: Run, path: str, content: str, **how: Any) -> Call:
    old = run.files.get(path)
    run.files[path] = content
    words = f"File created successfully at: {_path(run, path)}"
    return _edited(run, "create", path, words, file_text=content, old=old, new=content, **how)


def edit(run: Run, path: str, old_str: str, new_str: str, **how: Any) -> Call:
    """Replace a text that occurs once."""
    old = run.files[path]
    assert old.count(old_str) == 1, (run.slug, path, old_str, old.count(old_str))
    new = run.files[path] = old.replace(old_str, new_str)
    at = old[: old.index(old_str)].count("\n")
    words = _snippet(run, path, new, at, new_str.count("\n") + 1)
    return _edited(
        run, "str_replace", path, words, old_str=old_str, new_str=new_str, old=old, new=new, **how
    )


def insert(run: Run, path: str, line: int, new_str: str, **how: Any) -> Call:
    """Put lines after line number `line`."""
    old = run.files[path]
    kept = old.splitlines(keepends=True)
    new = run.files[path] = "".join((*kept[:line], new_str.rstrip("\n") + "\n", *kept[line:]))
    words = _snippet(run, path, new, line, new_str.count("\n") + 1)
    return _edited(
        run, "insert", path, words, insert_line=line, new_str=new_str, old=old, new=new, **how
    )


def undo(run: Run, path: str, to: str) -> Call:
    old, run.files[path] = run.files[path], to
    words = f"Last edit to {_path(run, path)} undone successfully."
    return _edited(run, "undo_edit", path, words, old=old, new=to)


def refused_edit(run: Run, path: str, old_str: str, new_str: str) -> Call:
    """Replace a text that does not occur, or more than once: nothing is changed."""
    times = run.files[path].count(old_str)
    assert times != 1, (run.slug, path, old_str)
    words = f"No replacement was performed, old_str `{old_str}` did not appear verbatim in {path}."
    if times:
        words = f"No replacement was performed. {times} occurrences of old_str in {path}."
    return _edited(run, "str_replace", path, words, old_str=old_str, new_str=new_str, is_error=True)


def plan(run: Run, *titles: str, done: int = 0, notes: dict[int, str] | None = None) -> Call:
    """Set the task list, or move it on when no titles are given."""
    if titles:
        run.plan = Plan(titles)
    run.plan.done = done
    run.plan.notes |= notes or {}
    items = run.plan.items()
    fields: dict[str, Any] = {"command": "plan", "task_list": items}
    words = f"Task list has been updated with {len(items)} item(s)."
    return tool(
        "task_tracker",
        "TaskTrackerAction",
        fields,
        result("TaskTrackerObservation", words, **fields),
        ran=0.004,
    )


def show_plan(run: Run) -> Call:
    items = run.plan.items()
    mark = {"done": "x", "in_progress": ">", "todo": " "}
    words = "\n".join(f"{n}. [{mark[i['status']]}] {i['title']}" for n, i in enumerate(items, 1))
    return tool(
        "task_tracker",
        "TaskTrackerAction",
        {"command": "view", "task_list": []},
        result("TaskTrackerObservation", words, command="view", task_list=items),
        ran=0.004,
    )


def create_plan(run: Run, path: str, content: str) -> Call:
    """Write a plan with the planning agent's editor."""
    run.files[path] = content
    words = f"File created successfully at: {_path(run, path)}"
    return _edited(
        run,
        "create",
        path,
        words,
        file_text=content,
        new=content,
        name="planning_file_editor",
        kind="PlanningFileEditor",
    )


def edit_plan(run: Run, path: str, old_str: str, new_str: str) -> Call:
    old = run.files[path]
    new = run.files[path] = old.replace(old_str, new_str)
    words = _snippet(run, path, new, old[: old.index(old_str)].count("\n"), 1)
    return _edited(
        run,
        "str_replace",
        path,
        words,
        old_str=old_str,
        new_str=new_str,
        old=old,
        new=new,
        name="planning_file_editor",
        kind="PlanningFileEditor",
    )


def think(thought: str) -> Call:
    return tool(
        "think",
        "ThinkAction",
        {"thought": thought},
        result("ThinkObservation", "Your thought has been logged."),
        ran=0.002,
    )


def grep(run: Run, pattern: str, matches: list[str], include: str | None = None) -> Call:
    """Search file contents; `matches` are paths."""
    found = [_path(run, match) for match in matches]
    words = f"Found {len(found)} file(s) containing {pattern!r}\n" + "\n".join(found)
    observation = result(
        "GrepObservation",
        words,
        matches=found,
        pattern=pattern,
        search_path=run.root,
        include_pattern=include,
        truncated=False,
    )
    return tool(
        "grep",
        "GrepAction",
        {"pattern": pattern, "path": None, "include": include},
        observation,
        ran=0.08,
    )


def glob(run: Run, pattern: str, files: list[str]) -> Call:
    found = [_path(run, name) for name in files]
    words = f"Found {len(found)} file(s) matching {pattern!r}\n" + "\n".join(found)
    observation = result(
        "GlobObservation",
        words,
        files=found,
        pattern=pattern,
        search_path=run.root,
        truncated=False,
    )
    return tool("glob", "GlobAction", {"pattern": pattern, "path": None}, observation, ran=0.05)


def patch(words: str, body: str, *, fuzz: int = 0, is_error: bool = False) -> Call:
    """One patch over several files."""
    observation = result(
        "ApplyPatchObservation", words, is_error=is_error, message=words, fuzz=fuzz, commit=None
    )
    return tool("apply_patch", "ApplyPatchAction", {"patch": body}, observation, ran=0.03)


def mcp(
    name: str,
    data: dict[str, Any],
    words: str,
    *,
    ran: float = 0.6,
    is_error: bool = False,
    **how: Any,
) -> Call:
    """A tool of an MCP server."""
    observation = result("MCPToolObservation", words, is_error=is_error, tool_name=name)
    return tool(name, "MCPToolAction", {"data": data}, observation, ran=ran, **how)


def browse(
    verb: str,
    words: str,
    *,
    image: str | None = None,
    ran: float = 0.4,
    is_error: bool = False,
    **fields: Any,
) -> Call:
    """A browser tool; `verb` as in `BrowserGetStateAction`, `image` a PNG in base64."""
    name = "browser" + "".join(f"_{c.lower()}" if c.isupper() else c for c in verb)
    observation = result(
        "BrowserObservation",
        words,
        is_error=is_error,
        screenshot_data=image,
        full_output_save_dir=None,
    )
    return tool(name, f"Browser{verb}Action", fields, observation, ran=ran)


def broken(name: str, arguments: str, error: str) -> Call:
    """A call that could not be read, or of a tool that is not there: it never runs."""
    return Call(tool=name, action=None, arguments=arguments, error=error)


def _path(run: Run, path: str) -> str:
    return path if path.startswith("/") else f"{run.root}/{path}"


def _snippet(run: Run, path: str, new: str, at: int, count: int) -> str:
    lines = new.splitlines()
    start = max(0, at - 4)
    shown = lines[start : at + count + 4]
    numbered = "\n".join(f"{number:6}\t{line}" for number, line in enumerate(shown, start + 1))
    return (
        f"The file {_path(run, path)} has been edited. Here's the result of running `cat -n` on a "
        f"snippet of it:\n{numbered}\n"
    )


def _edited(
    run: Run,
    command: str,
    path: str,
    words: str,
    *,
    old: str | None = None,
    new: str | None = None,
    is_error: bool = False,
    name: str = "file_editor",
    kind: str = "FileEditor",
    summary: str | None = None,
    **given: Any,
) -> Call:
    action = {
        "command": command,
        "path": _path(run, path),
        "file_text": None,
        "old_str": None,
        "new_str": None,
        "insert_line": None,
        "view_range": None,
    } | given
    observation = result(
        f"{kind}Observation",
        words,
        is_error=is_error,
        command=command,
        path=_path(run, path),
        prev_exist=command != "create" or old is not None,
        old_content=old,
        new_content=new,
    )
    return tool(name, f"{kind}Action", action, observation, summary=summary)
