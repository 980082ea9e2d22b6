"""Every field of an event is shown, exported and found: no text and no number is dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.clean import clean
from oh_tui.text.redact import redact, redact_json
from oh_tui.trajectory.model.bodies import arguments
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.images import data_text
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usual_fields import (
    REDUNDANT,
    REDUNDANT_IN_CALL,
    REDUNDANT_LISTS,
    USUAL,
    USUAL_NUMBERS,
)
from oh_tui.trajectory.presentation.block import plain_text
from oh_tui.trajectory.presentation.block_events import EVENTS
from oh_tui.trajectory.presentation.blocks import (
    call_blocks,
    call_title,
    event_blocks,
    result_blocks,
    result_title,
)
from oh_tui.trajectory.presentation.markdown import event_markdown, step_markdown
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.reading.terminal import read_output
from oh_tui.trajectory.search.scan import finish, needle, said_by_step

JsonObject = dict[str, Any]


def words(text: str) -> list[str]:
    return text.split()


FIELDS = words(
    """
    content text command path file_path old_str new_str old_string new_string old_content
    new_content file_text file_content patch task_list title notes status matches files entries
    name size view_range lines_shown insert_line data message thought metadata exit_code suffix
    prefix timeout is_error is_input reset commit changes screenshot_data output error
    full_output_save_dir question answer prompt task description tasks ids agent_types pattern
    include truncated total_count url index
    """
)
TOP = words(
    """
    thought reasoning_content thinking_blocks responses_reasoning_item tool_call summary
    security_risk critic_result llm_message extended_content error rejection_reason
    rejection_source detail code classification key value forgotten_event_ids summary_offset
    tools system_prompt dynamic_context raw_input raw_output title status tool_kind content
    prompt_token_ids response_token_ids log_data filename hook_event_type hook_command success
    blocked exit_code stdout stderr reason additional_context hook_input risks details analyzer
    policy sender activated_skills source tool_name timestamp is_error something_new
    """
)
INNER = [*FIELDS, "type", "role", "image_urls", "thinking", "arguments", "kind", "signature"]
KINDS = [
    *("AgentErrorEvent", "UserRejectObservation", "ACPToolCallEvent"),
    *(*EVENTS, "ActionEvent", "ObservationEvent", "EventOfTomorrow"),
]
TOOLS = words(
    """
    Terminal ExecuteBash FileEditor PlanningFileEditor Edit WriteFile ReadFile ListDirectory
    ApplyPatch Grep Glob MCPTool ClientTool TaskTracker Think Finish Task Delegate AskOracle
    VisionInspect InvokeSkill StartChildConversation Workflow ConsultTom Browser BrowserClick
    ToolOfTomorrow
    """
)

TEXTS = st.text(max_size=12) | st.sampled_from(
    ["todo", "view", "plan", "a\nb", '{"a": [1]}', "'\"\\"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(INNER) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
CONTENT = st.lists(
    st.builds(lambda text: {"type": "text", "text": text}, TEXTS) | VALUES, max_size=2
)


def parts(ending: str) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
    made = st.builds(
        lambda kind, found, content: found | content | {"kind": kind + ending},
        st.sampled_from(TOOLS),
        fields,
        st.just({}) | st.builds(lambda blocks: {"content": blocks}, CONTENT),
    )
    return made | VALUES


def bodies(kinds: list[str]) -> st.SearchStrategy[JsonObject]:
    return st.builds(
        lambda kind, fields, action, observation: (
            fields
            | ({"action": action} if kind == "ActionEvent" else {})
            | ({"observation": observation} if kind == "ObservationEvent" else {})
            | {"kind": kind}
        ),
        st.sampled_from(kinds),
        st.dictionaries(st.sampled_from(TOP), VALUES, max_size=7),
        parts("Action"),
        parts("Observation"),
    )


def leaves(value: Any) -> Iterator[str | int | float]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str) and name in USUAL and inner in USUAL[name][0]:
                continue
            if name in USUAL_NUMBERS and inner == USUAL_NUMBERS[name][0]:
                continue
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield value


def told(event: Event) -> Iterator[str]:
    """Every text and number that must be found, without the names that are known as redundant."""
    body = event.body()
    for name in REDUNDANT:
        if not isinstance(body.get(name), dict | list):
            body.pop(name, None)
    for name in REDUNDANT_LISTS:
        if isinstance(body.get(name), list) and all(isinstance(n, str) for n in body[name]):
            del body[name]
    for part in ("action", "observation"):
        inside = body.get(part)
        if isinstance(inside, dict) and isinstance(inside.get("kind"), str):
            del inside["kind"]
    call = body.get("tool_call")
    if isinstance(call, dict):
        for name in REDUNDANT_IN_CALL:
            if isinstance(call.get(name), str):
                del call[name]
        if isinstance(call.get("arguments"), str):
            call["arguments"] = arguments(body)
    for value in leaves(redact_json(body)):
        if not isinstance(value, str):
            yield json.dumps(value)
        elif not data_text(value):
            yield value


def packed(text: str) -> str:
    return "".join(text.split())


def missing(events: list[Event], shown: str) -> list[str]:
    have = packed(shown)
    return [
        text
        for event in events
        for text in told(event)
        if packed(redact(clean(text))) not in have and packed(read_output(text).text) not in have
    ]


def made(bodies: list[JsonObject]) -> Trajectory:
    run = Trajectory()
    for number, body in enumerate(bodies):
        given = {"id": f"e{number}", "tool_call_id": "c1", "tool_name": "tool", **body}
        if number:
            given["action_id"] = "e0"
        run.extend([parse_event(json.dumps(given).encode())])
    return run


def read(markdown: str) -> str:
    """Markdown as it is and as it is read: in fences a backslash is one, elsewhere it escapes."""
    return markdown + re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


def not_found(run: Trajectory) -> list[str]:
    """The texts of a run that `/` does not find where they stand."""
    lost = []
    for step in run.steps:
        said = said_by_step(step, run)
        for event in (step.event, *step.results):
            for text in told(event):
                shown = " ".join(redact(clean(text)).split())
                if shown and not finish(said.holds(needle(shown))):
                    lost.append(text)
    return lost


def check(run: Trajectory) -> None:
    assert not not_found(run)
    for step in run.steps:
        events = [step.event, *step.results]
        outcome, context = run.outcome(step), StepContext(run, step)
        blocks = call_blocks(step, whole=True, context=context)
        blocks += result_blocks(step, outcome, context=context)
        titles = [call_title(step), result_title(step, outcome)]
        assert not missing(events, "\n".join([*titles, plain_text(blocks)]))
        assert not missing(events, read(step_markdown(step, outcome)))
    for event in run.events:
        assert not missing([event], plain_text(event_blocks(event, StepContext(run, event))))
        assert not missing([event], read(event_markdown(event)))


@given(bodies(KINDS))
def test_every_text_and_number_of_an_event_is_shown(body: JsonObject) -> None:
    check(made([body]))


@given(
    bodies(["ActionEvent", "ActionEvent", "ACPToolCallEvent"]),
    bodies(["ObservationEvent", "ObservationEvent", "AgentErrorEvent", "ACPToolCallEvent"]),
)
def test_every_text_and_number_of_a_call_and_its_result_is_shown(
    call: JsonObject, answer: JsonObject
) -> None:
    check(made([call, answer]))
