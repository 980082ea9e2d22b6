"""Blocks of the task tracker: its calls and results."""

from __future__ import annotations

from typing import Any

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe
from oh_tui.trajectory.model.bodies import Body, field, text_field
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.usual_fields import is_same
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import Block, Checklist, Note, Plain, pair_blocks
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.reading.plans import Task, compare, plan_progress, tasks_of

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
