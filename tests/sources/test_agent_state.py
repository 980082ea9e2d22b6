"""How an agent stands, by its record and its last events."""

from __future__ import annotations

import json

import pytest

from oh_tui.api import Conversation
from oh_tui.sources import build
from oh_tui.sources.agent_state import read
from oh_tui.trajectory.events import parse_event


def change(number: int, status: str) -> bytes:
    body = {
        "id": f"{number:08}-0000-4000-8000-000000000000",
        "timestamp": f"2026-03-09T12:00:{number:02}",
        "source": "environment",
        "kind": "ConversationStateUpdateEvent",
        "key": "execution_status",
        "value": status,
    }
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("record", "told", "stands"),
    [
        ("running", ["running"], "running"),
        ("running", ["running", "paused"], "paused"),  # 1.58.2, until the step is over
        ("paused", ["running", "paused"], "paused"),
        ("running", ["running", "paused", "running"], "running"),
        ("finished", ["running", "paused"], "finished"),
        ("running", [], "running"),
    ],
)
def test_an_agent_asked_to_stop_does_not_run(record: str, told: list[str], stands: str) -> None:
    events = [parse_event(change(number, status)) for number, status in enumerate(told)]
    standing = read(Conversation("0" * 32), record, build(events, live=True))
    assert standing.status == stands
