"""Made-up runs that edit files."""

from __future__ import annotations

from typing import Any

from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.made import call, result

A = "/workspace/project/src/a.py"


def run(*events: Event, live: bool = False) -> Trajectory:
    trajectory = Trajectory(live=live)
    trajectory.extend(events)
    return trajectory


def edit(
    id: str,
    path: str,
    old: str | None,
    new: str | None,
    command: str = "str_replace",
    *,
    is_error: bool = False,
    **given: Any,
) -> tuple[Event, Event]:
    """An editor's call and its result."""
    action = {"kind": "FileEditorAction", "command": command, "path": path, **given}
    observation = {
        "kind": "FileEditorObservation",
        "command": command,
        "path": path,
        "old_content": old,
        "new_content": new,
        "prev_exist": old is not None,
        "is_error": is_error,
    }
    return call(id, action, tool="file_editor"), result(id, observation, tool="file_editor")


def view(id: str, path: str, text: str = "Here's the result of running `cat -n`") -> list[Event]:
    action = {"kind": "FileEditorAction", "command": "view", "path": path}
    seen = {
        "kind": "FileEditorObservation",
        "command": "view",
        "path": path,
        "content": [{"type": "text", "text": text}],
    }
    return [call(id, action, tool="file_editor"), result(id, seen, tool="file_editor")]


def patch(id: str, text: str, commit: Any = None, *, is_error: bool = False) -> tuple[Event, Event]:
    return (
        call(id, {"kind": "ApplyPatchAction", "patch": text}, tool="apply_patch"),
        result(
            id,
            {"kind": "ApplyPatchObservation", "commit": commit, "is_error": is_error},
            tool="apply_patch",
        ),
    )
