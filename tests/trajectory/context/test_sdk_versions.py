"""Whose rules are taken, and what the events do not tell."""

from __future__ import annotations

from typing import Any

import pytest

from oh_tui.trajectory.context.contexts import Contexts
from oh_tui.trajectory.context.sdk_versions import NOW, of_version
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.recorded import Recorded
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.context.made import act, contexts, said, system, user
from tests.trajectory.made import call, event, output, result


def old_user(**more: Any) -> Event:
    words = {"type": "text", "text": "do it", "enable_truncation": True}
    message = {"role": "user", "content": [words]} | more
    return event("MessageEvent", "u", source="user", llm_message=message)


@pytest.mark.parametrize(
    ("version", "merges", "keeps", "name"),
    [
        ("1.0.0", False, False, "bash"),
        ("1.9.1", False, False, "bash"),
        ("1.10.0", False, True, "bash"),
        ("1.25.0", False, True, "terminal"),
        ("1.26.0", True, True, "terminal"),
        ("v1.58.2", True, True, "terminal"),
    ],
)
def test_the_version_of_the_writer_decides(
    version: str, merges: bool, keeps: bool, name: str
) -> None:
    rules = of_version(version)
    assert rules is not None
    assert rules[3:5] == (merges, keeps)
    assert rules.output_name == name
    assert rules.is_certain


@pytest.mark.parametrize("version", ["", "0.59.0", "main", "latest 1.2"])
def test_what_is_no_version_tells_nothing(version: str) -> None:
    assert of_version(version) is None
    assert contexts(system(), user("u"), version=version).rules == NOW


def test_parents_tell_that_the_rules_of_now_held() -> None:
    rules = contexts(system(), user("u", parent_id="s"), version="").rules
    assert rules.name == "SDK 1.31 or newer"
    assert rules.is_certain
    assert rules.merges_users


def test_fields_that_were_taken_out_later_tell_the_age() -> None:
    oldest = contexts(system(), old_user(cache_enabled=False), version="").rules
    assert (oldest.name, oldest.keeps_summaries) == ("SDK 1.9 or older", False)
    later = contexts(system(), old_user(), version="").rules
    assert (later.name, later.keeps_summaries, later.cuts_all) == (
        "SDK 1.10 to 1.11.0", True, True
    )  # fmt: skip


def test_a_field_of_results_tells_that_the_rules_of_now_held() -> None:
    seen = result("a", {"kind": "ThinkObservation"}, extended_content=[])
    rules = contexts(system(), user("u"), act("a"), seen, version="").rules
    assert (rules.name, rules.merges_users) == ("SDK 1.26.1 or newer", True)


def test_events_that_contradict_the_server_are_older_than_it() -> None:
    found = contexts(system(), old_user(cache_enabled=False), version="1.58.2")
    assert found.rules.name == "SDK 1.9 or older"
    found.written_by("1.9.0")
    assert found.rules.name == "SDK 1.9.0"
    found = contexts(system(), user("u", parent_id="s"), version="1.17.0")
    assert found.rules.name == "SDK 1.31 or newer"


def test_where_nothing_tells_the_rules_of_now_are_taken_and_it_says_so() -> None:
    rules = contexts(system(), user("u"), version="").rules
    assert rules == NOW
    assert not rules.is_certain
    assert "do not tell" in rules.sentence


def test_the_rules_may_become_known_while_the_run_is_read() -> None:
    run = Trajectory()
    run.extend([system(), user("u"), said("m")])
    found = Contexts(run)
    assert found.rules == NOW
    assert len(found.at(found.answers[0]).messages) == 2
    run.extend([user("v", parent_id="m"), said("n", parent_id="v")])
    found.update()
    assert found.rules.name == "SDK 1.31 or newer"
    assert len(found.at(found.answers[1]).messages) == 4


def test_a_run_of_another_format_says_so() -> None:
    run = Trajectory()
    run.recorded = Recorded(format="v0")
    action = {"kind": "TerminalAction", "command": "ls"}
    run.extend([user("u"), user("v"), call("a", action, tool_call=None), output("a"), said("m")])
    found = Contexts(run)
    assert (found.rules.name, found.rules.is_sdk) == ("OpenHands V0", False)
    messages = found.at(found.answers[1]).dump()
    assert [message["role"] for message in messages] == ["user", "user", "assistant", "tool"]
    called = {"id": "call-a", "name": "terminal", "arguments": '{"command": "ls"}'}
    assert messages[2]["tool_calls"] == [called]
    assert "format" in [gap.name for gap in found.gaps]


def test_an_agent_that_keeps_its_own_context_has_no_answers() -> None:
    ran = event("ACPToolCallEvent", "x", tool_call_id="c", title="ls", status="completed")
    found = contexts(system(), user("u"), ran, said("m"))
    assert found.answers == []
    assert found.of(1) is found.nearest(1) is None
    assert [gap.name for gap in found.gaps] == ["own context"]
    state = {"agent": {"kind": "ACPAgent"}}
    told = event("ConversationStateUpdateEvent", "y", key="full_state", value=state)
    assert contexts(told, user("u"), said("m")).keeps_own_context


def test_what_is_missing_is_named() -> None:
    def names(*events: Event, **more: Any) -> list[str]:
        return [gap.name for gap in contexts(*events, **more).gaps]

    native = {"agent": {"kind": "Agent", "llm": {"native_tool_calling": True}}}
    told = event("ConversationStateUpdateEvent", "x", key="full_state", value=native)
    assert names(told, system(), user("u")) == ["tool parameters"]
    assert names(system(), user("u")) == ["tool parameters", "native tool calling"]
    assert names(told, user("u")) == ["system prompt", "tool parameters"]
    assert names(told, system(), user("u"), complete=False) == ["older events", "tool parameters"]
    assert names(told, system(), act("a", parent_id="nobody")) == ["parents", "tool parameters"]
    text = {"agent": {"llm": {"native_tool_calling": False}}}
    as_text = event("ConversationStateUpdateEvent", "y", key="full_state", value=text)
    assert names(told, as_text, system())[-1] == "native tool calling"
    broken = event("ConversationStateUpdateEvent", "z", key="full_state", value={"agent": 3})
    assert names(broken, system()) == ["tool parameters", "native tool calling"]
