"""Results to blocks: what each kind of observation, error and rejection shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from oh_tui.human import size
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
    content,
    json_pretty,
    object_blocks,
    one_line,
    output_blocks,
    safe,
)
from oh_tui.trajectory.block_files import edit_result, patch_result, proposal, read_result
from oh_tui.trajectory.bodies import field, text_field
from oh_tui.trajectory.difference import count_changes
from oh_tui.trajectory.events import Event
from oh_tui.trajectory.images import find_images
from oh_tui.trajectory.plans import compare, tasks_of
from oh_tui.trajectory.terminal import read_output
from oh_tui.trajectory.tools import change
from oh_tui.trajectory.use import count


def extended(body: dict[str, Any]) -> list[Block]:
    """What skills and hooks added for the model to read."""
    text = safe(bodies.blocks_text(field(body, "extended_content"))).strip()
    return [Heading("added for the model"), Plain(text)] if text else []


def classification(body: dict[str, Any]) -> list[Block]:
    found = field(body, "classification")
    return object_blocks(found) if isinstance(found, dict) else []


def images(body: dict[str, Any]) -> list[Block]:
    """Images are named, not drawn."""
    found = find_images(body)
    of = f" of {len(found)}" if len(found) > 1 else ""
    return [
        Note(f"{n}{of}: {image}; i saves them" if of else f"{image}; i saves and opens it")
        for n, image in enumerate(found, 1)
    ]


def answer_blocks(event: Event, action: Any, around: Around | None = None) -> list[Block]:
    """One result; `action` is what was called, None when that is not known."""
    body = event.body()
    if event.kind == "UserRejectObservation":
        by_hook = text_field(body, "rejection_source") == "hook"
        did = "blocked by a hook" if by_hook else "rejected by you"
        reason = safe(text_field(body, "rejection_reason"))
        said: list[Block] = [Plain(reason)] if reason else [Note("no reason given")]
        return [Failure(f"{did}, not run"), *said, *proposal(action)]
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


def _command(body: dict[str, Any], action: Any) -> str:
    return text_field(action, "command") or bodies.command_text(body)


def terminal_text(body: dict[str, Any], action: Any) -> str:
    return read_output(bodies.content_text(body), _command(body, action)).text


def _terminal_result(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    blocks = output_blocks(bodies.content_text(body), _command(body, action))
    blocks = blocks or [Note("no output")]
    kept = one_line(text_field(observation, "full_output_save_dir"))
    if _CLIPPED in bodies.content_text(body):
        where = f"; whole in the sandbox: {kept}" if kept else ""
        return [*blocks, Note(f"cut by the tool{where}")]
    return blocks


_CLIPPED = "<response clipped>"
"""What the tools write where they cut a text. `full_output_save_dir` does not tell: it is set on
nearly every result."""


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
    raw = bodies.content_text(body, image="")
    if raw[:1] in ("{", "["):
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            pass
        else:
            return [Json(json_pretty(value))]
    shown = output_blocks(raw)
    return shown if shown or find_images(body) else [Note("no output")]


def _fields(body: dict[str, Any], observation: dict[str, Any], action: Any) -> list[Block]:
    """The fields of a result that say more than its text and its call do."""
    given = action if isinstance(action, dict) else {}
    text = bodies.content_text(body, image="").strip()
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
    text = safe(bodies.content_text(body, image=""))
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
    "FileEditorObservation": edit_result,
    "StrReplaceEditorObservation": edit_result,
    "PlanningFileEditorObservation": edit_result,
    "EditObservation": edit_result,
    "WriteFileObservation": edit_result,
    "ReadFileObservation": read_result,
    "ApplyPatchObservation": patch_result,
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
    """Where and how much, of a result that did not fail: the folder of a command, the size of a
    change or of a read."""
    observation = field(body, "observation")
    if not isinstance(observation, dict):
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
    if show not in (edit_result, read_result, patch_result):
        return []
    blocks = show(body, observation, action)
    diffs = [count_changes(block.text) for block in blocks if isinstance(block, Diff)]
    lines = [block.text.count("\n") + 1 for block in blocks if isinstance(block, Code)]
    told = count(sum(lines), "line") if lines else ""
    if diffs:
        told = change(sum(added for added, _ in diffs), sum(gone for _, gone in diffs))
    return [told, one_line(path or text_field(action, "path") or text_field(action, "file_path"))]
