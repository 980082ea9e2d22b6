"""What the footer names, from the session alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from oh_tui.api.models import Conversation, Sandbox
from oh_tui.settings.startup import Settings
from oh_tui.tui.hints import key_hints
from oh_tui.tui.session import Session

ONE = Conversation(id="1" * 32, sandbox_id="box", sandbox_status="RUNNING")


def made(conversation: Conversation, *, read_only: bool = False) -> Session:
    session = Session(Settings(read_only=read_only))
    source: Any = SimpleNamespace(agents=object(), sandboxes=object(), remote=object())
    session.source, session.current, session.pane = source, conversation, "timeline"
    status = conversation.sandbox_status
    session.sandboxes.take([Sandbox(id="box", status=status)], 0.0)
    return session


def labels(session: Session, *, zoom: str = "") -> set[str]:
    left, _ = key_hints(session, zoom=zoom, followed=False)
    return {f"{hint.key} {hint.label}" for hint in left}


@pytest.mark.parametrize(
    ("status", "label"),
    [
        ("waiting_for_confirmation", "a answer"),
        ("running", "P stop agent"),
        ("paused", "P continue agent"),
    ],
)
def test_keys_of_agents_are_named_by_what_they_would_do(status: str, label: str) -> None:
    conversation = replace(ONE, execution_status=status)
    assert {label, "m message", "p pause sandbox"} <= labels(made(conversation))
    assert not {label, "m message", "p pause sandbox"} & labels(made(conversation, read_only=True))


def test_an_agent_in_a_paused_sandbox_can_be_written_to() -> None:
    named = labels(made(replace(ONE, sandbox_status="PAUSED", execution_status="paused")))
    assert {"m message", "p resume sandbox"} <= named
    assert not any(one.startswith(("a ", "P ")) for one in named)


def test_enter_reads_a_step_whole_and_makes_it_smaller_again() -> None:
    session = made(ONE)
    assert "enter read whole" in labels(session)
    session.pane = "detail"
    assert "enter smaller" in labels(session, zoom="detail")


def test_while_steps_are_selected_the_keys_are_those_of_the_selection() -> None:
    session = made(ONE)
    cursors: Any = SimpleNamespace(selecting=True, listed=ONE, sandbox=None)
    session.cursors = cursors
    assert "esc drop it" in labels(session)
    assert "p pause sandbox" not in labels(session)
