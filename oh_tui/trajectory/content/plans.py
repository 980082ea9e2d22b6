"""Task lists: what stands in one, and what changed since the one before."""

from __future__ import annotations

from collections import Counter, deque
from difflib import SequenceMatcher
from typing import Any

import msgspec

from oh_tui.text.clean import clean, clean_line, redact
from oh_tui.trajectory.model.bodies import field, text_field

_ALIKE = 0.5
"""How alike two titles are for one to be the other with a new name; 1 is the same text."""

_MOST_RENAMED = 12
"""Titles on either side up to which renamed ones are looked for: each is held against each."""


class Task(msgspec.Struct, frozen=True, gc=False):
    """One line of a plan. `status` is that of the tool: todo, in_progress, done; `change` is "",
    new, done, started, reopened, renamed or dropped; `was` the title before it was renamed."""

    title: str
    status: str = "todo"
    notes: str = ""
    change: str = ""
    was: str = ""


def tasks_of(half: Any) -> list[Task]:
    """The plan of a task tracker's action or observation."""
    given = field(half, "task_list")
    return [
        Task(
            clean_line(redact(clean(text_field(item, "title")))) or "(no title)",
            _status(text_field(item, "status")),
            redact(clean(text_field(item, "notes"))).strip(),
        )
        for item in (given if isinstance(given, list) else ())
    ]


def _status(word: str) -> str:
    return word if word in ("done", "in_progress") else "todo"


def compare(before: list[Task], now: list[Task]) -> list[Task]:
    """The plan of now with its changes since the one before, what was dropped at its end."""
    left: dict[str, deque[Task]] = {}
    for task in before:
        left.setdefault(task.title, deque()).append(task)
    found: list[Task | None] = []
    taken: Counter[str] = Counter()
    for task in now:
        same = left.get(task.title)
        found.append(same.popleft() if same else None)
        taken[task.title] += found[-1] is not None
    gone: list[Task] = []
    for task in before:
        # of equal titles the first ones were taken
        if taken[task.title]:
            taken[task.title] -= 1
        else:
            gone.append(task)
    fresh = [n for n, old in enumerate(found) if old is None]
    for n, old in _renamed(now, fresh, gone):
        found[n] = old
        gone.remove(old)
    changed = [_changed(old, task) for old, task in zip(found, now, strict=True)]
    return changed + [msgspec.structs.replace(task, change="dropped") for task in gone]


def _renamed(now: list[Task], fresh: list[int], gone: list[Task]) -> list[tuple[int, Task]]:
    """Pairs of a new title and the old one that it is most like, the likest first."""
    if max(len(fresh), len(gone)) > _MOST_RENAMED:
        return []
    likeness = sorted(
        (
            (SequenceMatcher(None, old.title[:200], now[n].title[:200]).ratio(), n, place)
            for n in fresh
            for place, old in enumerate(gone)
        ),
        key=lambda found: (-found[0], found[1:]),
    )
    pairs: dict[int, int] = {}
    for ratio, n, place in likeness:
        if ratio >= _ALIKE and n not in pairs and place not in pairs.values():
            pairs[n] = place
    return [(n, gone[place]) for n, place in pairs.items()]


def _changed(old: Task | None, task: Task) -> Task:
    if old is None:
        return msgspec.structs.replace(task, change="new")
    was = old.title if old.title != task.title else ""
    change = "renamed" if was else ""
    if old.status != task.status:
        change = {"done": "done", "in_progress": "started"}.get(task.status, "reopened")
    return msgspec.structs.replace(task, change=change, was=was)
