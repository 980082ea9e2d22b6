"""A run that runs again: what becomes of the messages of its user."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from oh_tui.actions import replaying
from oh_tui.actions.replaying import Replaying
from oh_tui.text.problem import Problem
from oh_tui.trajectory.replay.record import Given
from oh_tui.trajectory.replay.recorded_model import Outcome
from oh_tui.trajectory.replay.requests import Purpose
from oh_tui.trajectory.replay.start import Deeds


class Server:
    """An agent that works until it is stopped, on a server that takes no message."""

    def __init__(self) -> None:
        self.again: Replaying
        self.was_stopped = False

    async def start_with(self, body: object) -> object:
        return SimpleNamespace(id="1")

    def agent_server(self, conversation: object) -> Server:
        return self

    async def conversation(self) -> object:
        self.again.hear(Outcome(Purpose.AGENT, Given("first"), at=(0, 0)))
        return SimpleNamespace(execution_status="running")

    async def send_message(self, text: str, *, run: bool) -> None:
        raise Problem(f"The server does not take {text}")

    async def interrupt(self) -> None:
        self.was_stopped = True


async def test_a_message_that_is_not_taken_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "POLL", 0.001)
    server: Any = Server()
    server.again = Replaying(server, [Deeds(said=("go on",), goes_on=True)])
    with pytest.raises(Problem, match="does not take go on"):
        await server.again.run({})
    assert server.was_stopped
