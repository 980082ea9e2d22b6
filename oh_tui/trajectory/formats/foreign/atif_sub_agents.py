"""The sub-agents of a run in ATIF, within its text or in files beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, NamedTuple

from oh_tui.trajectory.formats.foreign.foreign_run import ForeignRun
from oh_tui.trajectory.model.bodies import field, list_field, text_field

EMBEDDED = "subagent_trajectories"
REFERENCE = "subagent_trajectory_ref"

DEEPEST = 20
"""Levels of nested sub-agents that are read."""


class SubAgent(NamedTuple):
    name: str
    run: Any
    """Its decoded text."""
    started_by: str = ""
    """The event that started it; "" if none says so."""


def references(result: Any) -> list[Mapping[str, Any]]:
    """What a result says about the sub-agents that its call started."""
    given = field(result, REFERENCE)
    return [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, dict)]


def files_of(part: Any) -> Iterator[str]:
    """Names of the files with sub-agents of a run, and of those within it."""
    todo = [part]
    while todo:
        value = todo.pop()
        inside = list_field(value, EMBEDDED)
        todo += inside
        ids = {text_field(one, "trajectory_id") for one in inside} - {""}
        for reference in _all_references(value):
            path = text_field(reference, "trajectory_path")
            if path and text_field(reference, "trajectory_id") not in ids:
                yield path


def _all_references(run: Any) -> Iterator[Mapping[str, Any]]:
    for step in list_field(run, "steps"):
        for result in list_field(step, "observation", "results"):
            yield from references(result)


def sub_agents(parts: list[Any], run: ForeignRun, beside: dict[str, Any]) -> list[SubAgent]:
    """The sub-agents of a run, each with the event that started it. `beside` has the runs in other
    files, by name. Each is taken once, so that files which name each other in a circle come to an
    end."""
    found: dict[str, Any] = {}
    numbers: dict[str, int] = {}
    for part in parts:
        for value in list_field(part, EMBEDDED):
            name = text_field(value, "trajectory_id") or text_field(value, "session_id")
            found[_free(name or "sub-agent", found, numbers)] = value
    started: dict[str, str] = {}
    sessions = {text_field(value, "session_id"): name for name, value in reversed(found.items())}
    for reference, event_id in run.started:
        id, path = text_field(reference, "trajectory_id"), text_field(reference, "trajectory_path")
        session = text_field(reference, "session_id")
        name = id if id in found else ""
        if not name and path in beside:
            name = _free(id or session or PurePath(path).stem, found, numbers)
            found[name] = beside.pop(path)
        name = name or (sessions.get(session, "") if session else "")
        if name:
            started.setdefault(name, event_id)
    return [SubAgent(name, value, started.get(name, "")) for name, value in found.items()]


def _free(wanted: str, taken: Mapping[str, Any], numbers: dict[str, int]) -> str:
    """A free name like the wanted one. `numbers` has the last number of each name: thousands may
    share one."""
    name, number = wanted, numbers.get(wanted, 1)
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    numbers[wanted] = number
    return name
