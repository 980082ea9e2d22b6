"""Messages as they were sent: what stands in their blocks, and that nothing harmful does."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.clean import clean, clean_line
from oh_tui.trajectory.presentation.block import Heading, Json, Note, Output, Plain, plain_text
from oh_tui.trajectory.presentation.sent_messages import LINE, first_line, message_blocks
from tests.trajectory.presentation.test_blocks_anything import values

KEY = "sk-ant-api03-" + "k" * 80


def said(text: str, role: str = "user", **more: Any) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}], **more}


def test_calls_stand_below_the_thought_with_their_arguments() -> None:
    call = {"id": "1", "name": "terminal", "arguments": '{"command": "ls"}'}
    message = said("Look.", "assistant", tool_calls=[call], reasoning_content="hm")
    thinking, thought, text, heading, arguments = message_blocks(message)
    assert (thinking, thought, text) == (Heading("thinking"), Plain("hm"), Plain("Look."))
    assert heading == Heading("call terminal")
    assert isinstance(arguments, Json) and '"command": "ls"' in arguments.text
    assert first_line(message) == "Look."
    assert first_line({"tool_calls": [call]}) == "terminal"
    broken = {"tool_calls": [call | {"arguments": '{"command"'}]}
    assert message_blocks(broken)[1] == Plain('{"command"')


def test_what_was_cut_for_the_model_is_a_heading_where_it_saw_it() -> None:
    cut = "<response clipped><NOTE>Due to the max output limit, only part is shown.</NOTE>"
    blocks = message_blocks(said(f"begin\n{cut}end", "tool"))
    assert blocks == [Output("begin\n"), Heading(cut), Output("end")]


def test_secrets_are_hidden_and_an_empty_message_says_so() -> None:
    call = {"name": KEY, "arguments": f'{{"token": "{KEY}", "{KEY}": 1}}'}
    message = said(KEY, tool_calls=[call], thinking_blocks=[{"thinking": KEY}])
    assert KEY not in plain_text(message_blocks(message)) + first_line(message)
    assert message_blocks({"content": []}) == [Note("an empty message")]
    assert first_line({}) == ""


texts = st.text() | st.just("\x1b]0;x\x07[/b] \u202e") | values
blocks = st.lists(st.fixed_dictionaries({"type": texts, "text": texts, "image_urls": values}))
calls = st.lists(st.fixed_dictionaries({"name": texts, "arguments": texts}))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "role": texts,
            "content": blocks | values,
            "tool_calls": calls | values,
            "thinking_blocks": values,
            "reasoning_content": texts,
        },
    )
    | values
)
def test_any_message_is_shown_and_nothing_harmful(message: Any) -> None:
    shown = plain_text(message_blocks(message))
    assert clean(shown) == shown
    line = first_line(message)
    assert clean_line(line) == line and len(line) <= LINE
