"""Results to blocks: what each kind of observation, error and rejection shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from oh_tui.text import clean, clean_line, redact
from oh_tui.trajectory import bodies
from oh_tui.trajectory.block import (
    Block,
    Code,
    Diff,
    Failure,
    Heading,
    Json,
    Markdown,
    Note,
    Output,
    Plain,
    json_pretty,
    object_blocks,
    one_line,
    safe,
)
from oh_tui.trajectory.bodies import field, text_field
from oh_tui.trajectory.difference import count_changes, unified
from oh_tui.trajectory.events import Event
from oh_tui.trajectory.tools import change


def extended(body: dict[str, Any]) -> list[Block]:
    """What skills and hooks added for the model to read."""
    text = safe(bodies.blocks_text(field(body, "extended_content"))).strip()
    return [Heading("added for the model"), Plain(text)] if text else []


def classification(body: dict[str, Any]) -> list[Block]:
    found = field(body, "classification")
    return object_blocks(found) if isinstance(found, dict) else []


def answer_blocks(event: Event, action: Any) -> list[Block]:
    """One result; `action` is what was called, None when that is not known."""
    body = event.body()
    if event.kind == "UserRejectObservation":
        by = "a hook" if text_field(body, "rejection_source") == "hook" else "you"
        reason = safe(text_field(body, "rejection_reason"))
        said: list[Block] = [Plain(reason)] if reason else [Note("no reason given")]
        return [Failure(f"rejected by {by}, not run"), *said, *proposal(action)]
    if event.kind == "AgentErrorEvent":
        text = safe(text_field(body, "error"))
        error: Block = Failure(text) if text else Note("an error without a text")
        return [error, *classification(body), *proposal(action)]
    observation = field(body, "observation")
    if not isinstance(observation, dict):
        return [Note("a result without content"), Json(json_pretty(body))]
    if is_terminal(event):
        text = terminal_text(body, text_field(action, "command") or bodies.command_text(body))
        return [Output(text) if text else Note("no output"), *extended(body)]
    if event.failed:
        text = content(body)
        error = Failure(text) if text else Note("an error without a text")
        return [error, *proposal(action)]
    show = _RESULTS.get(event.part, _other_result)
    return [*show(body, observation, action), *extended(body)]


def is_terminal(event: Event) -> bool:
    return event.part in ("TerminalObservation", "ExecuteBashObservation")


def content(body: dict[str, Any]) -> str:
    return safe(bodies.content_text(body))


def terminal_text(body: dict[str, Any], command: str) -> str:
    output = clean(bodies.content_text(body))
    return redact(bodies.strip_echo(output, clean(command))).rstrip("\n")


def proposal(action: Any) -> list[Block]:
    """What a call would have done, for a call that was not carried out."""
    path = one_line(text_field(action, "path") or text_field(action, "file_path"))
    old = text_field(action, "old_str") or text_field(action, "old_string")
    new = text_field(action, "new_str") or text_field(action, "new_string")
    whole = text_field(action, "file_text")
    if not whole and text_field(action, "kind") == "WriteFileAction":
        whole = text_field(action, "content")
    shown: list[Block] = []
    if old or new:
        at = field(action, "insert_line")
        first = at + 1 if isinstance(at, int) and text_field(action, "command") == "insert" else 0
        shown = [Diff(unified(safe(old), safe(new), first=first), path)]
    elif whole:
        shown = [Code(safe(whole).removesuffix("\n"), path)]
    elif text_field(action, "patch"):
        shown = _patch_blocks(safe(text_field(action, "patch")))
    elif text_field(action, "message") or text_field(action, "thought"):
        return [Markdown(safe(text_field(action, "message") or text_field(action, "thought")))]
    return [Heading("what it would do"), *shown] if shown else []


def _change(observation: dict[str, Any]) -> tuple[str, str, str] | None:
    """Path, old and new text of a changed file, an absent old text being ""; None without them."""
    old, new = field(observation, "old_content"), field(observation, "new_content")
    path = text_field(observation, "path") or text_field(observation, "file_path")
    if not isinstance(new, str) or text_field(observation, "command") == "view":
        return None
    return path, safe(old) if isinstance(old, str) else "", safe(new)


def _edit_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    path = one_line(text_field(observation, "path") or text_field(observation, "file_path"))
    path = path or one_line(text_field(action, "path") or text_field(action, "file_path"))
    command = text_field(observation, "command") or text_field(action, "command")
    if command == "view":
        return _numbered(content(body), path)
    change = _change(observation)
    if change is not None:
        _, old, new = change
        if not isinstance(field(observation, "old_content"), str):
            return [Code(new.removesuffix("\n"), path)] if new else [Note("an empty file")]
        text = unified(old, new)
        return [Diff(text, path) if text else Note("nothing changed")]
    done: list[Block] = [block for block in proposal(action) if not isinstance(block, Heading)]
    text = content(body)
    if not done:
        return [Plain(text)]
    return [*done, Note(clean_line(text))] if text else done


_NUMBERED = re.compile(r" {0,12}(\d{1,9})\t(.*)")


def _numbered(text: str, path: str) -> list[Block]:
    """A view of a file as the editor gives it (`cat -n`), as code with its line numbers; as it
    came when it is none, such as the list of a folder."""
    lines = text.split("\n")
    start = next((n for n, line in enumerate(lines[:5]) if _NUMBERED.fullmatch(line)), None)
    if start is None:
        return [Output(text)] if text.strip() else [Note("nothing in it")]
    match = _NUMBERED.fullmatch(lines[start])
    assert match is not None
    first = int(match[1])
    code: list[str] = []
    for line in lines[start:]:
        match = _NUMBERED.fullmatch(line)
        if match is None or int(match[1]) != first + len(code):
            break
        code.append(match[2])
    rest = "\n".join(lines[start + len(code) :]).strip("\n")
    return [Code("\n".join(code), path, first), *([Plain(rest)] if rest else [])]


def _read_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    text = safe(text_field(observation, "file_content"))
    if not text:
        return _numbered(content(body), one_line(text_field(observation, "file_path")))
    at = field(observation, "lines_shown")
    first = at[0] if isinstance(at, list) and at and isinstance(at[0], int) else 1
    return [Code(text.removesuffix("\n"), one_line(text_field(observation, "file_path")), first)]


def _patch_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    changes = field(observation, "commit", "changes")
    blocks: list[Block] = []
    if isinstance(changes, dict):
        for name, change in changes.items():
            path = one_line(str(name))
            moved = one_line(field(change, "move_path"))
            verb = one_line(field(change, "type")) or "update"
            blocks.append(Heading(f"{verb} {path}" + (f", now {moved}" if moved else "")))
            old, new = text_field(change, "old_content"), text_field(change, "new_content")
            text = unified(safe(old), safe(new))
            blocks.append(Diff(text, path) if text else Note("nothing changed"))
    blocks = blocks or _patch_blocks(safe(text_field(action, "patch")))
    text = content(body)
    return blocks or [Plain(text)]


_PATCH_FILE = re.compile(
    r"^(?:\*\*\* (Add|Update|Delete) File: (.+)|diff --git a/.* b/(.*))$", re.MULTILINE
)


def patch_files(patch: str) -> list[tuple[str, str, str]]:
    """The files of a patch: verb, path, lines. Both patch formats; one nameless file otherwise."""
    heads = list(_PATCH_FILE.finditer(patch))
    if not heads:
        text = patch.strip("\n")
        return [("patch", "", text)] if text else []
    ends = [head.start() for head in heads[1:]] + [len(patch)]
    files = []
    for head, end in zip(heads, ends, strict=True):
        text = patch[head.end() : end].strip("\n")
        text = text.removesuffix("*** End Patch").rstrip("\n")
        verb = (head[1] or "update").lower()
        files.append((verb, clean_line(head[2] or head[3] or ""), text))
    return files


def _patch_blocks(patch: str) -> list[Block]:
    blocks: list[Block] = []
    for verb, path, text in patch_files(patch):
        if path:
            blocks.append(Heading(f"{verb} {path}"))
        if text:
            blocks.append(Diff(text, path))
    return blocks


_MARKS = {"done": "[x]", "in_progress": "[>]"}


def progress(tasks: list[Any]) -> str:
    done = sum(text_field(task, "status") == "done" for task in tasks)
    return f"{done}/{len(tasks)}"


def _plan_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    tasks = field(observation, "task_list")
    if not isinstance(tasks, list) or not tasks:
        text = content(body)
        return [Plain(text)] if text else [Note("the plan is empty")]
    lines = []
    for task in tasks:
        title = one_line(text_field(task, "title")) or "(no title)"
        lines.append(f"{_MARKS.get(text_field(task, 'status'), '[ ]')} {title}")
        notes = safe(text_field(task, "notes")).strip()
        lines += [f"    {line}" for line in notes.split("\n") if line]
    return [Plain("\n".join(lines))]


def _list_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """What was found by grep or glob."""
    found = field(observation, "matches") or field(observation, "files")
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        return _other_result(body, observation, action)
    blocks: list[Block] = [Output("\n".join(map(safe, found)))] if found else [Note("none found")]
    if field(observation, "truncated") is True:
        blocks.append(Note("the tool stopped here: there are more"))
    return blocks


def _browser_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    blocks = _text_result(body, observation, action)
    picture = text_field(observation, "screenshot_data")
    if picture:
        size = max(1, len(picture) * 3 // 4 // 1000)
        blocks.append(Note(f"with a screenshot of {size} kB, which is not shown here"))
    return blocks


def _text_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    text = content(body)
    if not text.strip():
        return [Note("no output")]
    if text[:1] in "{[":
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            return [Json(json_pretty(value))]
    return [Output(text)]


def _prose_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """An answer of a model: Markdown, after its other fields."""
    fields = object_blocks(observation, ("content", "is_error"))
    text = content(body)
    return [*fields, Markdown(text)] if text else fields or [Note("no output")]


def _said_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """Finish and think only confirm what the call said."""
    said = safe(text_field(action, "message") or text_field(action, "thought"))
    text = said or content(body)
    return [Markdown(text)] if text else [Note("nothing was said")]


def _other_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    fields = object_blocks(observation, ("content", "is_error"))
    text = _text_result(body, observation, action)
    return fields if fields and isinstance(text[0], Note) else [*fields, *text]


_RESULTS: dict[str, Callable[[dict[str, Any], dict[str, Any], Any], list[Block]]] = {
    "FileEditorObservation": _edit_result,
    "StrReplaceEditorObservation": _edit_result,
    "PlanningFileEditorObservation": _edit_result,
    "EditObservation": _edit_result,
    "WriteFileObservation": _edit_result,
    "ReadFileObservation": _read_result,
    "ApplyPatchObservation": _patch_result,
    "TaskTrackerObservation": _plan_result,
    "GrepObservation": _list_result,
    "GlobObservation": _list_result,
    "BrowserObservation": _browser_result,
    "MCPToolObservation": _text_result,
    "ClientToolObservation": _text_result,
    "FinishObservation": _said_result,
    "ThinkObservation": _said_result,
    "AskOracleObservation": _prose_result,
    "TaskObservation": _prose_result,
    "DelegateObservation": _prose_result,
    "InvokeSkillObservation": _prose_result,
    "ConsultTomObservation": _prose_result,
    "WorkflowObservation": _prose_result,
}
"""What a result that did not fail shows; any other shows its fields, then its text. A new kind of
observation is one line here."""


def _lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"


def facts(body: dict[str, Any], action: Any) -> list[str]:
    """Where and how much: the folder of a command, the size of a change or of a read."""
    observation = field(body, "observation")
    if not isinstance(observation, dict) or field(observation, "is_error") is True:
        return []
    part = text_field(observation, "kind")
    path = text_field(observation, "path") or text_field(observation, "file_path")
    if part in ("TerminalObservation", "ExecuteBashObservation"):
        return [one_line(text_field(observation, "metadata", "working_dir"))]
    show = _RESULTS.get(part)
    if show is _plan_result:
        tasks = field(observation, "task_list")
        return [f"plan {progress(tasks)}"] if isinstance(tasks, list) and tasks else []
    if show not in (_edit_result, _read_result, _patch_result):
        return []
    blocks = show(body, observation, action)
    diffs = [count_changes(block.text) for block in blocks if isinstance(block, Diff)]
    lines = [block.text.count("\n") + 1 for block in blocks if isinstance(block, Code)]
    size = _lines(sum(lines)) if lines else ""
    if diffs:
        size = change(sum(added for added, _ in diffs), sum(gone for _, gone in diffs))
    return [size, one_line(path or text_field(action, "path") or text_field(action, "file_path"))]
