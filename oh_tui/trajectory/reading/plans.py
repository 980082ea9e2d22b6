"""Task lists: their items, and what changed from one list to the next."""

from __future__ import annotations

from collections import defaultdict, deque
from difflib import SequenceMatcher
from itertools import chain
from typing import NamedTuple

import msgspec

from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.model.bodies import field, list_field, text_field
from oh_tui.trajectory.model.steps import Step

_ALIKE = 0.5
"""Similarity of two titles, from 0 to 1, at which one is the other renamed."""

_STATUSES = ("done", "in_progress")
_MOST_RENAMED = 12
"""Renamed titles are looked for among so many on either side, as each pair is compared."""


class Task(msgspec.Struct, frozen=True, gc=False):
    """One item of a plan.

    `status` is todo, in_progress or done; `change` is "", new, done, started, reopened, renamed or
    dropped; `was` is the title before a rename.
    """

    title: str
    status: str = "todo"
    notes: str = ""
    change: str = ""
    was: str = ""


def tasks_of(half: object) -> list[Task]:
    """The plan in an action or observation of the task tracker."""
    return [
        Task(
            safe_line(text_field(item, "title")) or "(no title)",
            status if (status := text_field(item, "status")) in _STATUSES else "todo",
            safe(text_field(item, "notes")).strip(),
        )
        for item in list_field(half, "task_list")
    ]


def done_and_all(half: object) -> tuple[int, int]:
    """How many items of the plan in an action or observation are done, and how many there are."""
    items = list_field(half, "task_list")
    return sum(text_field(item, "status") == "done" for item in items), len(items)


class PlanCounts(NamedTuple):
    """How a step leaves the plan."""

    done: int
    unknown: int
    """Items whose status is no text. An item without one is to be done, as for the server."""
    items: int

    @property
    def is_open(self) -> bool:
        return self.done + self.unknown < self.items


def plan_counts(step: Step) -> PlanCounts | None:
    """The plan that a step writes or is shown; None for other steps, and where no result tells
    that it was written."""
    if step.event.tool != "TaskTracker" or step.result is None or step.result.failed:
        return None
    halves = [step.call.answer]
    halves += [step.call.input] if step.call.input.get("command") != "view" else []
    plans = [one for one in halves if isinstance(field(one, "task_list"), list)]
    if not plans:
        return None
    plan = next((one for one in plans if field(one, "task_list")), plans[0])
    done, count = done_and_all(plan)
    items = (one for one in plan["task_list"] if isinstance(one, dict))
    unknown = sum(not isinstance(one.get("status", ""), str) for one in items)
    return PlanCounts(done, unknown, count)


def plan_progress(half: object) -> str:
    """Such as `plan 2/5`; "" without items."""
    done, count = done_and_all(half)
    return f"plan {done}/{count}" if count else ""


def compare(before: list[Task], now: list[Task]) -> list[Task]:
    """The tasks of `now` with their changes since `before`, followed by the dropped ones."""
    free: defaultdict[str, deque[int]] = defaultdict(deque)
    """Title -> indices of the tasks in `before` that have no partner in `now`."""
    for n, task in enumerate(before):
        free[task.title].append(n)
    found = [before[free[task.title].popleft()] if free[task.title] else None for task in now]
    gone = [before[n] for n in sorted(chain(*free.values()))]
    fresh = [n for n, old in enumerate(found) if old is None]
    for n, old in _renamed(now, fresh, gone):
        found[n] = old
        gone.remove(old)
    changed = [_changed(old, task) for old, task in zip(found, now, strict=True)]
    return changed + [msgspec.structs.replace(task, change="dropped") for task in gone]


def _renamed(now: list[Task], fresh: list[int], gone: list[Task]) -> list[tuple[int, Task]]:
    """Pairs of the index of a new task and the old task with the most similar title."""
    if max(len(fresh), len(gone)) > _MOST_RENAMED:
        return []
    likeness = sorted(
        (
            (SequenceMatcher(None, old.title[:200], now[n].title[:200]).ratio(), n, index)
            for n in fresh
            for index, old in enumerate(gone)
        ),
        key=lambda found: (-found[0], found[1:]),
    )
    pairs: dict[int, int] = {}
    for ratio, n, index in likeness:
        if ratio >= _ALIKE and n not in pairs and index not in pairs.values():
            pairs[n] = index
    return [(n, gone[index]) for n, index in pairs.items()]


def _changed(old: Task | None, task: Task) -> Task:
    if old is None:
        return msgspec.structs.replace(task, change="new")
    was = old.title if old.title != task.title else ""
    change = "renamed" if was else ""
    if old.status != task.status:
        change = {"done": "done", "in_progress": "started"}.get(task.status, "reopened")
    return msgspec.structs.replace(task, change=change, was=was)
