"""Blocks of arbitrary events: nothing raises, and nothing harmful is shown."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.clean import clean, clean_line
from oh_tui.text.sgr import SGR
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.images import images_of
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Block, Checklist, Fields, Output, Table, plain_text
from oh_tui.trajectory.presentation.block_events import EVENTS
from oh_tui.trajectory.presentation.blocks import (
    call_blocks,
    call_title,
    command_text,
    event_blocks,
    json_text,
    links_of,
    output_text,
    result_blocks,
    result_title,
)
from oh_tui.trajectory.presentation.step_context import StepContext
from tests.trajectory.presentation.test_blocks import TOOLS, JsonObject

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=True),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = [
    "content",
    "text",
    "command",
    "path",
    "file_path",
    "old_str",
    "new_str",
    "old_content",
    "new_content",
    "file_text",
    "patch",
    "task_list",
    "matches",
    "view_range",
    "lines_shown",
    "file_content",
    "insert_line",
    "data",
    "message",
    "thought",
    "metadata",
    "exit_code",
    "timeout",
    "is_error",
    "commit",
    "screenshot_data",
    "value",
    "key",
    "llm_message",
    "extended_content",
    "error",
    "rejection_reason",
    "detail",
    "code",
    "summary",
    "forgotten_event_ids",
    "tools",
    "system_prompt",
    "raw_output",
    "tool_call",
    "arguments",
    "is_input",
    "title",
    "status",
    "prompt_token_ids",
    "log_data",
    "hook_input",
    "stdout",
    "usage_to_metrics",
    "risks",
    "tasks",
    "ids",
    "entries",
    "conversation_id",
    "image_urls",
    "forgotten_event_ids",
]
fields = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
KINDS = [
    *("ActionEvent", "ACPToolCallEvent", "ObservationEvent", "AgentErrorEvent"),
    *("UserRejectObservation", *EVENTS, "NewEvent"),
]


def strings_of(block: Block) -> list[str]:
    match block:
        case Fields(pairs):
            return [text for pair in pairs for text in pair]
        case Checklist(tasks):
            return [text for task in tasks for text in (task.title, task.notes, task.was)]
        case Table(head, rows):
            assert all(len(row) == len(head) for row in rows)
            return [text for row in (head, *rows) for text in row]
        case Output(text, coloured):
            return [text, SGR.sub("", coloured)]
        case _:
            return [block.text]


@given(
    st.sampled_from(KINDS), fields, st.sampled_from(TOOLS), fields, st.sampled_from(TOOLS), fields
)
def test_nothing_raises_and_nothing_harmful_is_shown(
    kind: str,
    head: JsonObject,
    tool: str,
    asked: JsonObject,
    answered_by: str,
    answered: JsonObject,
) -> None:
    first = {**head, "id": "call-1", "kind": kind, "tool_call_id": "c1"}
    first["action"] = {"kind": f"{tool}Action", **asked}
    second = {**head, "id": "2", "kind": "ObservationEvent", "action_id": "call-1"}
    second["observation"] = {"kind": f"{answered_by}Observation", **answered}
    run = Trajectory()
    run.extend(parse_event(json.dumps(event).encode()) for event in (first, second))
    for step in run.steps:
        context = StepContext(run, step)
        blocks = call_blocks(step, whole=True, context=context)
        blocks += result_blocks(step, run.outcome(step), context=context)
        assert clean(plain_text(blocks)) == plain_text(blocks)
        assert all(clean_line(str(image)) == str(image) for image in images_of(step))
        assert all(len(name) >= 32 for name in links_of(step))
        lines = [call_title(step), result_title(step, run.outcome(step))]
        lines += [command_text(step), output_text(step), json_text(step)]
        lines += [text for block in blocks for text in strings_of(block)]
        assert all(clean(line) == line for line in lines)
    for event in run.events:
        assert event_blocks(event, StepContext(run, event)) is not None
