"""A run with sub-agents as the files of an agent server's archive."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oh_tui.trajectory.model.events import Event
from tests.trajectory.evaluation_files import metrics
from tests.trajectory.made import call, event, message, output, result, shell

CHECK, DEEP, ROUTES, PROBE, STRAY = (letter * 32 for letter in "ecbda")
"""The folders of the sub-agents, whose names are not in the order of their steps."""

COSTS = {"": [0.25, 0.5], CHECK: [0.1, 0.2], DEEP: [0.05], ROUTES: [0.01], PROBE: [0.02]}
"""Dollars of each answer; "" is the parent."""


def task(id: str, prompt: str, second: float, end: float | None, **more: Any) -> list[Event]:
    """A call of the task tool and its result; None for a task that has no result."""
    action = {"kind": "TaskAction", "prompt": prompt, "subagent_type": "default"}
    made = [call(id, action | more, tool="task", second=second)]
    if end is not None:
        told = {"kind": "TaskObservation", "task_id": f"task_{id}", "status": "completed"}
        made.append(result(id, told, tool="task", second=end))
    return made


def delegate(id: str, tasks: dict[str, str], second: float, end: float) -> list[Event]:
    action = {"kind": "DelegateAction", "command": "delegate", "tasks": tasks}
    told = {"kind": "DelegateObservation", "command": "delegate"}
    return [
        call(id, action, tool="delegate", second=second),
        result(id, told, tool="delegate", second=end),
    ]


def worked(name: str, prompt: str, second: float, *more: Event) -> list[Event]:
    """The events of a sub-agent: its task, a command, and more."""
    return [
        message(f"{name}-m", prompt, second=second),
        shell(f"{name}-c", second=second + 1),
        output(f"{name}-c", second=second + 2),
        *more,
    ]


def used(costs: list[float]) -> dict[str, Any]:
    """The metrics of answers to the calls "1", "2" ..."""
    told: dict[str, Any] = json.loads(json.dumps(metrics(costs)).replace('"answer', '"answer-'))
    return told


def folder(
    home: str, events: Sequence[Event], name: str = "", usages: dict[str, Any] | None = None
) -> dict[str, bytes]:
    """The files of one conversation; `usages` are its metrics by usage id."""
    costs = COSTS.get(name)
    stats = {"agent": used(costs), **(usages or {})} if costs else usages or {}
    base = {"id": name or "0" * 32, "stats": {"usage_to_metrics": stats}}
    files = {f"{home}base_state.json": json.dumps(base).encode()}
    return files | {
        f"{home}events/event-{n:05}-{one.id}.json": one.raw() for n, one in enumerate(events)
    }


def error(id: str, second: float) -> Event:
    return event("ConversationErrorEvent", id, second, code="LLMError", detail="no such model")


REPORTED = {"task:task_1": used([0.1, 0.2, 0.05]), "delegate:routes": used([0.01])}
"""What the stats of the parent may tell of its sub-agents."""


def run_files(home: str = "", reported: dict[str, Any] | None = None) -> dict[str, bytes]:
    """Step 2 starts CHECK, whose step 3 starts DEEP, which fails; step 3 starts ROUTES and PROBE.
    Nothing starts STRAY, which began before the steps."""
    parent = [
        message("m", "Do it.", second=2),
        *task("1", "Check it.", 5, 20),
        *delegate("2", {"routes": "List.", "probe": "Call each."}, 21, 30),
        shell("last", second=31),
        output("last", second=32),
    ]
    subs = f"{home}subagents/"
    deep = f"{subs}{CHECK}/subagents/"
    return {
        **folder(home, parent, usages=reported),
        **folder(
            f"{subs}{CHECK}/", worked("c", "Check it.", 6, *task("1", "Go deep.", 9, 12)), CHECK
        ),
        **folder(f"{deep}{DEEP}/", worked("d", "Go deep.", 10, error("d-e", 11)), DEEP),
        **folder(f"{subs}{PROBE}/", worked("p", "Call each.", 22), PROBE),
        **folder(f"{subs}{ROUTES}/", worked("r", "List.", 22), ROUTES),
        **folder(f"{subs}{STRAY}/", worked("s", "Unasked.", 0), STRAY),
    }


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def folder_of(path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path
