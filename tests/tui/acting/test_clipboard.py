"""Copying without an app: from the step under the cursor, or the selected range."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.controllers.system.clipboard import Clipboard
from oh_tui.tui.session import Session
from tests.tui.fake_ui import FakeUi

OPEN = Conversation(id="11111111-1111-1111-1111-111111111111")


def command(number: int) -> Event:
    action = {"kind": "TerminalAction", "command": f"make part{number}"}
    body = {"id": f"e{number}", "kind": "ActionEvent", "tool_name": "terminal", "action": action}
    return parse_event(json.dumps(body).encode())


def made(*answers: str) -> tuple[FakeUi, Clipboard, Any]:
    trajectory = Trajectory()
    trajectory.extend(command(number) for number in range(1, 5))
    step = trajectory.steps[1]
    steps: Any = SimpleNamespace(
        trajectory=trajectory, current=(step, step.event), range=None, range_words="",
        filtered=None, run_of=lambda step: trajectory,
    )  # fmt: skip

    async def is_there(conversation: Conversation) -> bool:
        return True

    session, ui = Session(Settings()), FakeUi(*answers)
    session.current, session.pane = OPEN, "timeline"
    anything: Any = SimpleNamespace(is_there=is_there, show_target=lambda: None)
    bodies: Any = SimpleNamespace(hit_line="")
    return ui, Clipboard(session, ui, steps, bodies, anything, anything), steps


@pytest.mark.parametrize(("answer", "copied"), [("i", "1" * 32), ("c", "make part2"), ("o", "")])
async def test_the_answer_says_what_of_the_step(answer: str, copied: str) -> None:
    ui, clipboard, _ = made(answer)
    clipboard.action_copy()
    await ui.work()
    assert ui.copied == ([copied] if copied else [])
    assert ui.told[-1].startswith("this step has no such part" if not copied else "the ")


async def test_of_a_range_the_steps_that_a_filter_shows_are_copied() -> None:
    ui, clipboard, steps = made("c")
    steps.range, steps.filtered = (1, 3), (1, 3, 4)
    clipboard.action_copy()
    await ui.work()
    assert ui.copied == ["make part1\nmake part3"]
    assert "the commands of 2 steps were sent" in ui.told[-1]


async def test_esc_copies_nothing() -> None:
    ui, clipboard, _ = made()
    clipboard.action_copy()
    await ui.work()
    assert not ui.begun and not ui.copied
