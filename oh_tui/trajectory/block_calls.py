"""Calls of tools as blocks: what each kind of action shows below its thought."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oh_tui.trajectory.block import (
    Block,
    Command,
    Fields,
    Note,
    Plain,
    json_blocks,
    json_pretty,
    object_blocks,
    one_line,
    pair_blocks,
    safe,
)
from oh_tui.trajectory.block_files import patch_files
from oh_tui.trajectory.block_results import progress
from oh_tui.trajectory.bodies import field, text_field


def _terminal_call(action: dict[str, Any]) -> list[Block]:
    command = safe(text_field(action, "command"))
    blocks: list[Block] = [Command(command)] if command else []
    if field(action, "is_input") is True:
        blocks.append(Note("typed into the command that runs"))
    if field(action, "reset") is True:
        blocks.append(Note("with a new shell"))
    timeout = field(action, "timeout")
    if isinstance(timeout, int | float) and timeout:
        blocks.append(Note(f"waits at most {timeout:g} s"))
    return blocks


_VERBS = {"view": "read", "str_replace": "edit", "undo_edit": "undo"}


def _editor_call(action: dict[str, Any]) -> list[Block]:
    command = text_field(action, "command")
    at = field(action, "view_range")
    shown = ""
    if isinstance(at, list) and len(at) == 2 and all(isinstance(n, int) for n in at):
        shown = f"{at[0]}-{at[1]}" if at[1] != -1 else f"from {at[0]}"
    after = field(action, "insert_line") if command == "insert" else None
    path = text_field(action, "path")
    return pair_blocks(
        (_VERBS.get(command, command), path), ("lines", shown), ("after line", after)
    )


def _file_call(verb: str) -> Callable[[dict[str, Any]], list[Block]]:
    long = ("file_path", "old_string", "new_string", "content")

    def show(action: dict[str, Any]) -> list[Block]:
        path = pair_blocks((verb, field(action, "file_path")))
        return path + object_blocks(action, long)

    return show


def _patch_call(action: dict[str, Any]) -> list[Block]:
    files = patch_files(safe(text_field(action, "patch")))
    return [Fields(tuple((verb, path) for verb, path, _ in files if path))] if files else []


def _plan_call(action: dict[str, Any]) -> list[Block]:
    tasks = field(action, "task_list")
    if text_field(action, "command") == "view":
        return pair_blocks(("plan", "view"))
    return pair_blocks(("plan", progress(tasks) if isinstance(tasks, list) else ""))


def _delegate_call(action: dict[str, Any]) -> list[Block]:
    tasks, ids = field(action, "tasks"), field(action, "ids")
    if isinstance(tasks, dict) and tasks:
        told = (
            (name, safe(t) if isinstance(t, str) else json_pretty(t)) for name, t in tasks.items()
        )
        return [Fields(tuple((one_line(name), task) for name, task in told))]
    if not isinstance(ids, list) or not ids:
        return object_blocks(action)
    types = field(action, "agent_types")
    kinds = types if isinstance(types, list) else []
    pairs = [
        (str(name), kinds[n] if n < len(kinds) and kinds[n] else "an agent")
        for n, name in enumerate(ids)
    ]
    return pair_blocks(*pairs)


def _task_call(action: dict[str, Any]) -> list[Block]:
    """The name of the agent, then what it is told; a description that only begins the prompt
    says nothing more."""
    about, told = text_field(action, "description"), safe(text_field(action, "prompt"))
    fields = object_blocks(action, ("prompt", "task", "description"))
    if about and not told.startswith(about.rstrip(".")):
        fields = [*pair_blocks(("about", about)), *fields]
    told = told or safe(text_field(action, "task"))
    return [*fields, Plain(told)] if told else fields


def _question_call(action: dict[str, Any]) -> list[Block]:
    asked = safe(text_field(action, "question"))
    rest = object_blocks(action, ("question",))
    return [Plain(asked), *rest] if asked else rest


def _search_call(action: dict[str, Any]) -> list[Block]:
    return pair_blocks(
        ("pattern", field(action, "pattern")),
        ("in", field(action, "path")),
        ("files", field(action, "include")),
    )


def _nothing(action: dict[str, Any]) -> list[Block]:
    return []


def _mcp_call(action: dict[str, Any]) -> list[Block]:
    return json_blocks(field(action, "data"))


ACTIONS: dict[str, Callable[[dict[str, Any]], list[Block]]] = {
    "TerminalAction": _terminal_call,
    "ExecuteBashAction": _terminal_call,
    "FileEditorAction": _editor_call,
    "StrReplaceEditorAction": _editor_call,
    "PlanningFileEditorAction": _editor_call,
    "EditAction": _file_call("edit"),
    "WriteFileAction": _file_call("write"),
    "ReadFileAction": _file_call("read"),
    "ApplyPatchAction": _patch_call,
    "TaskTrackerAction": _plan_call,
    "MCPToolAction": _mcp_call,
    "DelegateAction": _delegate_call,
    "TaskAction": _task_call,
    "StartChildConversationAction": _task_call,
    "AskOracleAction": _question_call,
    "VisionInspectAction": _question_call,
    "GrepAction": _search_call,
    "GlobAction": _search_call,
    "FinishAction": _nothing,
    "ThinkAction": _nothing,
}
"""What a call shows below its thought; any other shows its fields. Calls whose whole content is
text to be read (finish, think) show it in Result, which has the room."""
