"""Results to blocks: what each kind of observation, error and rejection shows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from oh_tui.human import size
from oh_tui.text import clean_line
from oh_tui.trajectory import bodies
from oh_tui.trajectory.around import Around
from oh_tui.trajectory.block import (
    Block,
    Checklist,
    Code,
    Diff,
    Failure,
    Heading,
    Json,
    Markdown,
    Note,
    Output,
    Plain,
    Table,
    json_pretty,
    object_blocks,
    one_line,
    output_blocks,
    safe,
)
from oh_tui.trajectory.bodies import field, text_field
from oh_tui.trajectory.difference import count_changes, unified
from oh_tui.trajectory.events import Event
from oh_tui.trajectory.images import find_images
from oh_tui.trajectory.plans import compare, tasks_of
from oh_tui.trajectory.terminal import read_output
from oh_tui.trajectory.tools import change, count


def extended(body: dict[str, Any]) -> list[Block]:
    """What skills and hooks added for the model to read."""
    text = safe(bodies.blocks_text(field(body, "extended_content"))).strip()
    return [Heading("added for the model"), Plain(text)] if text else []


def classification(body: dict[str, Any]) -> list[Block]:
    found = field(body, "classification")
    return object_blocks(found) if isinstance(found, dict) else []


def images(body: dict[str, Any]) -> list[Block]:
    """Images are named, not drawn."""
    return [Note(f"{image}: i saves and opens it") for image in find_images(body)]


def answer_blocks(event: Event, action: Any, around: Around | None = None) -> list[Block]:
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
        return [*_terminal_result(body, observation, action), *images(body), *extended(body)]
    if event.failed:
        text = content(body)
        error = Failure(text) if text else Note("an error without a text")
        return [error, *images(body), *proposal(action)]
    if event.part in _PLANS:
        return [*_plan_result(body, observation, around), *extended(body)]
    show = _RESULTS.get(event.part, _other_result)
    return [*show(body, observation, action), *images(body), *extended(body)]


def is_terminal(event: Event) -> bool:
    return event.part in ("TerminalObservation", "ExecuteBashObservation")


def content(body: dict[str, Any]) -> str:
    return safe(bodies.content_text(body))


def _command(body: dict[str, Any], action: Any) -> str:
    return text_field(action, "command") or bodies.command_text(body)


def terminal_text(body: dict[str, Any], action: Any) -> str:
    return read_output(bodies.content_text(body), _command(body, action)).text


def _terminal_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    blocks = output_blocks(bodies.content_text(body), _command(body, action))
    blocks = blocks or [Note("no output")]
    kept = one_line(text_field(observation, "full_output_save_dir"))
    return [*blocks, Note(f"cut by the tool; whole in the sandbox: {kept}")] if kept else blocks


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


def progress(tasks: list[Any]) -> str:
    done = sum(text_field(task, "status") == "done" for task in tasks)
    return f"{done}/{len(tasks)}"


_PLANS = ("TaskTrackerObservation",)


def _plan_result(
    body: dict[str, Any], observation: dict[str, Any], around: Around | None
) -> list[Block]:
    """The plan, with what changed since the one before."""
    tasks = tasks_of(observation)
    before = around.before if around else None
    old = tasks_of(field(before.result.body(), "observation")) if before and before.result else []
    if old and field(observation, "command") != "view":
        tasks = compare(old, tasks)
    if tasks:
        return [Checklist(tuple(tasks))]
    text = content(body)
    return [Plain(text)] if text else [Note("the plan is empty")]


def _list_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """What was found by grep or glob."""
    found = field(observation, "matches")
    found = found if isinstance(found, list) else field(observation, "files")
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        return _other_result(body, observation, action)
    blocks: list[Block] = [Output("\n".join(map(safe, found)))] if found else [Note("none found")]
    if field(observation, "truncated") is True:
        blocks.append(Note("the tool stopped here: there are more"))
    return blocks


def _text_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    raw = _text_of(body)
    if raw[:1] in ("{", "["):
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            pass
        else:
            return [Json(json_pretty(value))]
    shown = output_blocks(raw)
    return shown if shown or find_images(body) else [Note("no output")]


def _text_of(body: dict[str, Any]) -> str:
    """The content, "" where it is nothing but images, which are named below it."""
    text = bodies.content_text(body)
    return text if text.replace("[image]", "").strip() else ""


def _fields(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """The fields of a result that say more than its text and its call do."""
    given = action if isinstance(action, dict) else {}
    text = bodies.content_text(body).strip()
    said = {value for value in given.values() if isinstance(value, str)}
    repeated = [
        name
        for name, value in observation.items()
        if (isinstance(value, str) and (value in said or value.strip() == text))
        or (name in given and given[name] == value)
    ]
    return object_blocks(observation, ("content", "is_error", *_NAMED_ELSEWHERE, *repeated))


_NAMED_ELSEWHERE = ("tool_name", "screenshot_data", "parent_conversation_id")


def _prose_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """An answer of a model: Markdown, after its other fields."""
    fields = _fields(body, observation, action)
    text = safe(_text_of(body))
    return [*fields, Markdown(text)] if text else fields or [Note("no output")]


def _agent_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """What another agent answered; its own events are elsewhere."""
    blocks = _prose_result(body, observation, action)
    if field(observation, "conversation_id"):
        return [*blocks, Note("it is a conversation of its own")]
    if field(observation, "command") == "spawn":
        return blocks
    return [*blocks, Note("what it did to get there is not among these events")]


def _folder_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    entries = field(observation, "entries")
    if not isinstance(entries, list) or not entries:
        return _other_result(body, observation, action)
    rows = []
    for entry in entries:
        folder = field(entry, "is_directory") is True
        took = field(entry, "size")
        known = isinstance(took, int) and took >= 0 and not folder
        changed = one_line(text_field(entry, "modified_time"))[:19].replace("T", " ")
        name = one_line(text_field(entry, "name") or text_field(entry, "path"))
        rows.append((name + ("/" if folder else ""), size(took) if known else "", changed))
    total = field(observation, "total_count")
    more: list[Block] = []
    if field(observation, "is_truncated") is True and isinstance(total, int):
        more = [Note(f"the tool stopped here: {total} entries in all")]
    return [Table(("name", "size", "changed"), tuple(rows)), *more]


def _said_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """Finish and think only confirm what the call said."""
    said = safe(text_field(action, "message") or text_field(action, "thought"))
    text = said or content(body)
    return [Markdown(text)] if text else [Note("nothing was said")]


def _other_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    fields = _fields(body, observation, action)
    text = _text_result(body, observation, action)
    return fields if fields and text and isinstance(text[0], Note) else [*fields, *text]


_RESULTS: dict[str, Callable[[dict[str, Any], dict[str, Any], Any], list[Block]]] = {
    "FileEditorObservation": _edit_result,
    "StrReplaceEditorObservation": _edit_result,
    "PlanningFileEditorObservation": _edit_result,
    "EditObservation": _edit_result,
    "WriteFileObservation": _edit_result,
    "ReadFileObservation": _read_result,
    "ApplyPatchObservation": _patch_result,
    "GrepObservation": _list_result,
    "GlobObservation": _list_result,
    "ListDirectoryObservation": _folder_result,
    "BrowserObservation": _text_result,
    "MCPToolObservation": _text_result,
    "ClientToolObservation": _text_result,
    "FinishObservation": _said_result,
    "ThinkObservation": _said_result,
    "AskOracleObservation": _prose_result,
    "VisionInspectObservation": _prose_result,
    "TaskObservation": _agent_result,
    "DelegateObservation": _agent_result,
    "StartChildConversationObservation": _agent_result,
    "InvokeSkillObservation": _prose_result,
    "ConsultTomObservation": _prose_result,
    "WorkflowObservation": _prose_result,
}
"""What a result that did not fail shows; any other shows its fields, then its text. A new kind of
observation is one line here."""


def _found(observation: dict[str, Any]) -> list[str]:
    for name, noun in (("matches", "match"), ("files", "file")):
        found = field(observation, name)
        if isinstance(found, list):
            return [count(len(found), noun)]
    return []


def facts(body: dict[str, Any], action: Any) -> list[str]:
    """Where and how much: the folder of a command, the size of a change or of a read."""
    observation = field(body, "observation")
    if not isinstance(observation, dict) or field(observation, "is_error") is True:
        return []
    part = text_field(observation, "kind")
    path = text_field(observation, "path") or text_field(observation, "file_path")
    if part in ("TerminalObservation", "ExecuteBashObservation"):
        return [one_line(text_field(observation, "metadata", "working_dir"))]
    if part in _PLANS:
        tasks = field(observation, "task_list")
        return [f"plan {progress(tasks)}"] if isinstance(tasks, list) and tasks else []
    show = _RESULTS.get(part)
    if show is _list_result:
        return _found(observation)
    if show not in (_edit_result, _read_result, _patch_result):
        return []
    blocks = show(body, observation, action)
    diffs = [count_changes(block.text) for block in blocks if isinstance(block, Diff)]
    lines = [block.text.count("\n") + 1 for block in blocks if isinstance(block, Code)]
    told = count(sum(lines), "line") if lines else ""
    if diffs:
        told = change(sum(added for added, _ in diffs), sum(gone for _, gone in diffs))
    return [told, one_line(path or text_field(action, "path") or text_field(action, "file_path"))]
