"""The texts inside events, whatever shape the event has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.model import bodies

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("text", "type", "content", "observation", "action", "llm_message", "thought"),
                    *("tool_call", "arguments", "function", "kind", "command", "image_urls"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@pytest.mark.parametrize(
    "read",
    [
        bodies.content_text,
        bodies.message_text,
        bodies.thought_text,
        bodies.reasoning_text,
        bodies.arguments_text,
        bodies.blocks_text,
    ],
)
@given(body=JSON)
def test_a_reader_gives_text_for_anything(read: Any, body: Any) -> None:
    assert isinstance(read(body), str)


def test_content_is_the_text_blocks_joined_and_images_counted() -> None:
    blocks = [
        {"type": "text", "text": "one"},
        {"type": "image", "image_urls": ["data:image/png;base64,AAAA", "b"]},
        "plain",
        {"type": "text", "text": None},
        7,
    ]
    body = {"observation": {"content": blocks}}
    assert bodies.content_text(body) == "one\n[image]\n[image]\nplain"
    assert bodies.message_text({"llm_message": {"content": blocks}}).startswith("one\n")


def test_the_text_of_an_error_and_of_a_rejection_is_content_too() -> None:
    assert bodies.content_text({"error": "no such tool"}) == "no such tool"
    assert bodies.content_text({"rejection_reason": "not now"}) == "not now"


def test_the_thought_comes_before_the_reasoning() -> None:
    thought = [{"type": "text", "text": " look first "}]
    assert bodies.thought_text({"thought": thought, "reasoning_content": "deep"}) == "look first"
    assert bodies.thought_text({"thought": [], "reasoning_content": "deep"}) == "deep"
    assert bodies.thought_text({"thinking_blocks": [{"thinking": "a"}, {"data": "b"}]}) == "a"


def test_arguments_are_decoded_and_stay_text_when_they_are_no_json() -> None:
    assert bodies.arguments({"tool_call": {"arguments": '{"a": 1}'}}) == {"a": 1}
    assert bodies.arguments({"tool_call": {"function": {"arguments": "[1]"}}}) == [1]
    assert bodies.arguments({"tool_call": {"arguments": '{"a": '}}) == '{"a": '
    assert bodies.arguments({"raw_input": {"command": "ls"}}) == {"command": "ls"}
    assert bodies.arguments({}) is None


@pytest.mark.parametrize(
    ("output", "command", "rest"),
    [
        ("$ ls\na\n", "ls", "a\n"),
        ("ls -la\na\n", "ls -la", "a\n"),
        ("(venv) root@box:~/w$ ls -la\na", "ls -la", "a"),
        ("$ for i in 1 2\n> do\n> done\nout", "for i in 1 2\ndo\ndone", "out"),
        ("ls\na file called ls is above\n", "ls", "ls\na file called ls is above\n"),
        ("$ rm -rf /\n$ ls\na\n", "ls", "$ rm -rf /\n$ ls\na\n"),
        ("a\nls -la\nb", "ls -la", "a\nls -la\nb"),
        ("nothing", "", "nothing"),
        ("", "ls -la", ""),
    ],
)
def test_only_the_echo_of_this_command_goes(output: str, command: str, rest: str) -> None:
    assert bodies.strip_echo(output, command) == rest


@given(st.text(), st.text())
def test_what_is_left_of_an_output_is_its_end(output: str, command: str) -> None:
    assert output.endswith(bodies.strip_echo(output, command))
