"""Blocks of tool calls: what each kind of action shows below the thought; of the terminal and the
task tracker the results too."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.model import bodies
from oh_tui.trajectory.model.bodies import Body, field, number_text, text_field
from oh_tui.trajectory.model.difference import patch_files
from oh_tui.trajectory.model.event_kinds import STILL_RUNNING
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.usual_fields import USUAL_NUMBERS, is_same
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import (
    Block,
    Checklist,
    Code,
    Command,
    Fields,
    Note,
    Plain,
    output_blocks,
    pair_blocks,
)
from oh_tui.trajectory.presentation.block_fields import rest_blocks
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.reading.plans import Task, compare, plan_progress, tasks_of
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
    """The agent, then its prompt; not a description that is the start of the prompt."""
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


def terminal_call(action: Body) -> list[Block]:
    command = safe(take.text(action, "command"))
    blocks: list[Block] = [Command(command)] if command else []
    if take.flag(action, "is_input"):
        blocks.append(Note("typed into the command that runs"))
    if take.flag(action, "reset"):
        blocks.append(Note("with a new shell"))
    timeout = take.number(action, "timeout")
    if timeout is not None:
        blocks.append(Note(f"waits at most {number_text(timeout)} s"))
    return blocks


def python_call(action: Body) -> list[Block]:
    """The code of a cell, which runs in an interpreter that stays open."""
    code = safe(take.text(action, "code"))
    return [Code(code.removesuffix("\n"), "cell.py")] if code else []


def terminal_result(event: Event, body: Body, observation: Body, action: object) -> list[Block]:
    raw = take.result_text(body)
    command = text_field(action, "command") or text_field(observation, "command")
    blocks = output_blocks(raw, command) or [Note("no output")]
    take.flag(observation, "timeout")
    take.flag(observation, "error")
    code = event.exit_code
    if code is not None and not event.still_running and code != STILL_RUNNING:
        for inside in (observation, field(observation, "metadata")):
            if field(inside, "exit_code") == code:
                take.value(inside, "exit_code")
    if not event.failed:
        take.text(observation, "metadata", "working_dir")
    take.usual(field(observation, "metadata"), "suffix")
    blocks += _shell(field(observation, "metadata"))
    if bodies.CLIPPED in raw:
        kept = safe_line(take.text(observation, "full_output_save_dir"))
        where = f"; whole in {kept}" if kept else ""
        blocks.append(Note(f"cut by the tool{where}"))
    return blocks


def _shell(metadata: object) -> list[Block]:
    """The user, host and interpreter of a command, on one line."""
    user, host = (safe_line(take.text(metadata, name)) for name in ("username", "hostname"))
    pid = take.number(metadata, "pid")
    facts = (
        "@".join(filter(None, (user, host))),
        "" if pid is None or pid == USUAL_NUMBERS["pid"][0] else f"pid {number_text(pid)}",
        safe_line(take.text(metadata, "py_interpreter_path")),
    )
    line = " · ".join(filter(None, facts))
    return [Note(f"shell {line}")] if line else []


_UPDATED = pattern(r"Task list has been updated with \d{1,9} item\(s\)\.?")
_ITEM = pattern(r"\s*(?:#+ Task List|\d{1,9}\. \S{1,8} ?|- )?")


def plan_call(action: Body) -> list[Block]:
    take.usual(action, "command")
    if text_field(action, "command") == "view":
        return pair_blocks(("plan", "view"))
    return pair_blocks(("plan", plan_progress(action).removeprefix("plan ")))


def asked_plan(step: Step, action: Any) -> list[Block]:
    """The plan of a call, unless the result shows the same one."""
    if step.event.tool != "TaskTracker":
        return []
    result = step.result
    if result is not None and not result.failed and result.tool == "TaskTracker":
        shown = step.call.answer.get("task_list")
        if shown is not None and is_same(shown, action.get("task_list")):
            take.value(action, "task_list")
            return []
    tasks = _take_plan(action)
    return [Checklist(tuple(tasks))] if tasks else []


def plan_result(body: Body, observation: Body, context: StepContext | None) -> list[Block]:
    """The plan and its changes since the previous one."""
    tasks = _take_plan(observation)
    before = context.before if context else None
    old = tasks_of(before.call.answer) if before else []
    if old and field(observation, "command") != "view":
        tasks = compare(old, tasks)
    text = safe(take.result_text(body)).strip()
    if not tasks:
        return [Plain(text) if text else Note("the plan is empty")]
    blocks: list[Block] = [Checklist(tuple(tasks))]
    return [*blocks, Plain(text)] if text and not _repeats(tasks, text) else blocks


def _repeats(tasks: list[Task], text: str) -> bool:
    """Whether a text only confirms the plan or lists its titles and notes."""
    if _UPDATED.fullmatch(text):
        return True
    shown = {line.strip() for task in tasks for line in (task.title, *task.notes.split("\n"))}
    return all(_ITEM.sub("", line, count=1).strip() in {"", *shown} for line in text.split("\n"))


def _take_plan(half: object) -> list[Task]:
    """The plan of an action or an observation; takes the fields of its items."""
    tasks = tasks_of(half)
    for item in field(half, "task_list") if tasks else ():
        take.text(item, "title")
        take.text(item, "notes")
        take.usual(item, "status")
    return tasks
