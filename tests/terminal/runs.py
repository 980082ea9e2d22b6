"""Runs as files, made up: in plain ASCII, so that what else is drawn is the program's own."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

STEPS = 30
"""Steps of a run: a message of the user, then calls; the last one fails."""


def make_zip(path: Path) -> Path:
    """A trajectory as the app server's download has it."""
    events: list[tuple[str, dict[str, Any]]] = [
        ("MessageEvent", {"source": "user", "llm_message": _message("Please sort the list")})
    ]
    for number in range(1, STEPS):
        failed = number == STEPS - 1
        call: dict[str, Any] = {"tool_name": "terminal", "tool_call_id": f"call-{number}"}
        command = f"make part{number}"
        about_call = {
            "source": "agent",
            "thought": [{"type": "text", "text": f"Now part {number}."}],
            "action": {"kind": "TerminalAction", "command": command},
            "llm_response_id": f"answer-{number}",
        }
        said = "ValueError: not in order" if failed else f"part {number} done"
        observation = {
            "kind": "TerminalObservation",
            "content": [{"type": "text", "text": f"{said}\n"}],
            "exit_code": int(failed),
        }
        about_result = {"source": "environment", "action_id": f"{len(events):032x}"}
        events.append(("ActionEvent", call | about_call))
        events.append(("ObservationEvent", call | about_result | {"observation": observation}))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.json", json.dumps({"id": "5f3a" * 8, "title": "Sort the list"}))
        for place, (kind, fields) in enumerate(events):
            when = f"2026-03-01T10:{place // 60:02}:{place % 60:02}"
            event = {"id": f"{place:032x}", "kind": kind, "timestamp": when} | fields
            archive.writestr(f"event_{place:06}_{place:032x}.json", json.dumps(event))
    return path


def _message(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}
