"""Blocks of tool calls: what each kind of action shows below the thought."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest

from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.model.bodies import Body, field, text_field
from oh_tui.trajectory.model.difference import patch_files
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import Block, Fields, Plain, pair_blocks
from oh_tui.trajectory.presentation.block_fields import rest_blocks
from oh_tui.trajectory.reading.tools import EDITOR_VERBS


def editor_call(action: Body) -> list[Block]:
    command = text_field(action, "command")
    lines = field(action, "view_range")
    shown = ""
    if isinstance(lines, list) and [type(n) for n in lines] == [int, int]:
        first, last = take.value(action, "view_range")
        shown = f"{first}-{last}" if last != -1 else f"from {first} to the end, -1"
    after = take.number(action, "insert_line") if command == "insert" else None
    path = take.text(action, "path")
    verb = EDITOR_VERBS.get(command, "")
    if verb and path:
        take.usual(action, "command")
    return pair_blocks((verb or "path", path), ("lines", shown), ("after line", after))


def file_call(verb: str) -> Callable[[Body], list[Block]]:
    return lambda action: pair_blocks((verb, take.text(action, "file_path")))


def patch_call(action: Body) -> list[Block]:
    files = patch_files(safe(text_field(action, "patch")))
    return [Fields(tuple((verb, path) for verb, path, _ in files if path))] if files else []


def delegate_call(action: Body) -> list[Block]:
    tasks = field(action, "tasks")
    if isinstance(tasks, dict) and tasks and all(isinstance(t, str) for t in tasks.values()):
        take.value(action, "tasks")
        take.usual(action, "command")
        return [Fields(tuple((safe_line(name), safe(task)) for name, task in tasks.items()))]
    ids = take.texts(action, "ids")
    if not ids:
        return []
    take.usual(action, "command")
    types = field(action, "agent_types")
    fits = isinstance(types, list) and len(types) <= len(ids)
    kinds = (take.texts(action, "agent_types") or []) if fits else []
    return pair_blocks(*((name, kind or "an agent") for name, kind in zip_longest(ids, kinds)))


def task_call(action: Body) -> list[Block]:
    """The name of the agent, then its prompt; without a description that is the start of the
    prompt."""
    prompt = safe(take.text(action, "prompt") or take.text(action, "task"))
    about = safe(text_field(action, "description"))
    if about and prompt.startswith(about.rstrip(".")):
        take.value(action, "description")
    fields = rest_blocks(action)
    return [*fields, Plain(prompt)] if prompt else fields


def question_call(action: Body) -> list[Block]:
    question = safe(take.text(action, "question"))
    return [Plain(question)] if question else []


def search_call(action: Body) -> list[Block]:
    return pair_blocks(
        ("pattern", take.text(action, "pattern")),
        ("in", take.text(action, "path")),
        ("files", take.text(action, "include")),
    )
