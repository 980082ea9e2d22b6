"""The state of an agent, from its record and its last events."""

from __future__ import annotations

import json

import pytest

from oh_tui.actions.agent_state import AgentState, read
from oh_tui.api import Conversation
from oh_tui.api.models import AgentConversation, RecordedAgent
from oh_tui.text.problem import Refused
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import build

HERE = Conversation("0" * 32, sandbox_status="RUNNING")


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


def recorded(status: str, kind: str = "Agent") -> AgentConversation:
    return AgentConversation("0" * 32, agent=RecordedAgent(kind), execution_status=status)


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
    standing = read(Conversation("0" * 32), recorded(record), build(events, live=True))
    assert standing.status == stands


@pytest.mark.parametrize(
    ("status", "words", "goes_on"),
    [
        ("running", "the agent works", False),
        ("waiting_for_confirmation", "the agent waits for an answer", False),
        ("paused", "the agent is stopped", True),
        ("stuck", "the agent is stuck", True),
        ("finished", "the agent has finished", False),
        ("idle", "the agent is idle, with nothing to do", False),
        ("napping", "the agent is napping", False),
        ("", "the agent is in an unknown state", False),
    ],
)
def test_how_an_agent_stands_and_whether_it_can_go_on(
    status: str, words: str, goes_on: bool
) -> None:
    standing = AgentState(Conversation("0" * 32, sandbox_status="RUNNING"), status)
    assert (standing.in_words, standing.can_continue) == (words, goes_on)
    assert standing.is_held == (status == "waiting_for_confirmation")


def test_where_the_sandbox_does_not_run_that_is_what_is_said() -> None:
    standing = AgentState(Conversation("0" * 32, sandbox_status="PAUSED"), "paused")
    assert standing.in_words == "the sandbox is paused"


def test_an_agent_over_acp_runs_no_older_call_so_none_is_looked_for() -> None:
    """Even in a long turn: its calls are not calls of the server."""
    run = build([parse_event(change(1, "paused"))], live=True, complete=False)
    kinds = {kind: read(HERE, recorded("paused", kind), run) for kind in ("Agent", "ACPAgent")}
    kinds["ACPAgent"].require_in_sight()
    with pytest.raises(Refused) as refused:
        kinds["Agent"].require_in_sight()
    words = "A call before the last 1 event may have no result yet and would run: nothing was done"
    assert str(refused.value.sentence) == words


def test_of_one_that_waits_it_is_said_that_it_was_not_approved() -> None:
    run = build([parse_event(change(1, "waiting_for_confirmation"))], live=True, complete=False)
    with pytest.raises(Refused, match=r"not all among the last 1 event .* not approved"):
        read(HERE, recorded("waiting_for_confirmation"), run).require_in_sight()
