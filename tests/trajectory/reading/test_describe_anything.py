"""Descriptions of arbitrary events: each is one displayable line."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.redact import HIDDEN
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import (
    LIMIT,
    Description,
    describe,
    describe_event,
    family_of,
)
from tests.demo_runs import demo_run
from tests.trajectory.made import output, shell
from tests.trajectory.reading.test_describe import ACTIONS, EVENTS, line, told

FIELDS = st.sampled_from(
    [
        *("command", "path", "file_text", "old_str", "new_str", "insert_line", "view_range"),
        *("content", "is_error", "exit_code", "metadata", "timeout", "old_content", "new_content"),
        *("task_list", "tasks", "ids", "data", "message", "thought", "url", "index", "text"),
        *("pattern", "matches", "files", "truncated", "total_lines", "file_content", "patch"),
        *("error", "rejection_reason", "rejection_source", "llm_message", "tool_call", "key"),
        *("value", "tools", "system_prompt", "forgotten_event_ids", "risks", "code", "detail"),
        *("raw_input", "raw_output", "title", "tool_kind", "status", "summary", "tool_name"),
        *("hook_command", "blocked", "success", "stderr", "prompt_token_ids", "sender", "type"),
    ]
)
HOSTILE = st.text(st.sampled_from("\x1b[]0;m\x07\n\t\u202e\ud800a1 /'\"{}*")) | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=12,
)


@st.composite
def parts(draw: st.DrawFn, ending: str) -> Any:
    if draw(st.integers(0, 9)) == 0:
        return draw(JSON)
    kind = draw(st.sampled_from([*ACTIONS, "Browser", "Unknown"])) + ending
    return draw(st.dictionaries(FIELDS, JSON, max_size=6)) | {"kind": kind}


@st.composite
def hostile_events(draw: st.DrawFn, kind: str) -> Event:
    body = draw(st.dictionaries(FIELDS, JSON, max_size=6)) | {"kind": kind}
    if kind == "ActionEvent":
        body["action"] = draw(parts("Action"))
    if kind == "ObservationEvent":
        body["observation"] = draw(parts("Observation"))
    return parse_event(json.dumps(body).encode())


def is_fit_to_show(description: Description) -> bool:
    return isinstance(description.family, Family) and all(
        len(shown) <= LIMIT
        and not any(unicodedata.category(char) in ("Cc", "Cs") for char in shown)
        and "\u202e" not in shown
        for shown in (description.what, description.result)
    )


@given(st.sampled_from([*EVENTS, "BrandNewEvent"]).flatmap(hostile_events))
def test_any_event_has_a_description_fit_to_show(found: Event) -> None:
    assert is_fit_to_show(describe_event(found))


@given(
    hostile_events("ActionEvent") | hostile_events("ACPToolCallEvent"),
    st.sampled_from(
        ["ObservationEvent", "AgentErrorEvent", "UserRejectObservation", "ACPToolCallEvent"]
    ).flatmap(hostile_events),
    st.sampled_from(Outcome),
)
def test_any_call_with_any_result_has_one_too(call: Event, answer: Event, outcome: Outcome) -> None:
    call.tool_call_id = answer.tool_call_id = "t"
    call.id, answer.id = "1", "2"
    trajectory = Trajectory()
    trajectory.extend([call, answer])
    for step in trajectory.steps:
        assert is_fit_to_show(describe(step, outcome))


def test_no_secret_is_shown() -> None:
    key = "sk-" + "abcdefgh12345678"
    shown = told(shell("1", f"export KEY={key}"), output("1", f"token {key}"))
    assert key not in line(shown) and HIDDEN in shown.what and HIDDEN in shown.result
    long = told(shell("1", "x " * 190 + key))
    assert "sk-" not in long.what


def test_nothing_long_is_cut_without_saying_so() -> None:
    shown = told(shell("1", "x" * 10_000), output("1", "y" * 100_000))
    assert len(shown.what) == len(shown.result) == LIMIT
    assert shown.what.endswith("…") and shown.result.endswith("…")


def test_a_body_is_decoded_once_for_each_half() -> None:
    class Store:
        reads = 0

        def __init__(self, event: Event) -> None:
            self.text = event.inline

        def read(self, place: int) -> bytes:
            Store.reads += 1
            return self.text

        original = read

    events = [shell("1"), output("1", "x")]
    told(*(parse_event(e.inline, store=Store(e)) for e in events))
    assert Store.reads == 2


@pytest.mark.parametrize("slug", ["week-dates", "acp", "gemini", "signup", "team", "broken"])
def test_the_family_told_from_the_head_alone_is_that_of_the_description(slug: str) -> None:
    for step in demo_run(slug).steps:
        assert family_of(step.event) is describe(step, Outcome.OK).family
