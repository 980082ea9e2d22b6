"""V0 runs with any JSON in any place: all of it is shown."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.foreign import v0
from oh_tui.trajectory.formats.foreign.v0_history import is_event

from .runs import JsonObject, lost, trajectory, values, words

ACTIONS = words(
    """
    message system recall run run_ipython read write edit browse browse_interactive think finish
    reject delegate change_agent_state condensation condensation_request call_tool_mcp
    task_tracking MessageEvent unheard_of
    """
)
OBSERVATIONS = words(
    """
    run run_ipython read write edit browse think delegate mcp task_tracking recall error success
    null agent_state_changed user_rejected condense ActionEvent unheard_of
    """
)
INSIDE = words(
    """
    command content thought path start end file_text old_str new_str old_content new_content
    diff url code agent inputs task name arguments outputs final_thought security_risk
    image_urls forgotten_event_ids forgotten_events_start_id forgotten_events_end_id summary
    tools metadata exit_code error error_id agent_state reason task_list screenshot status kind
    is_error query
    """
)
TOP = words(
    """
    id timestamp source message cause args extras content success timeout tool_call_metadata
    llm_metrics kind other
    """
)
LINKS = ("id", "timestamp", "source", "cause", "action", "observation")
"""Fields that join events into steps, or that the title says in words."""

VALUES = values([*INSIDE, *TOP, "action", "observation", "model_response", "choices", "usage"])
FILLED = st.dictionaries(st.sampled_from(INSIDE), VALUES, max_size=5)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "function_name": st.sampled_from(["execute_bash", "finish"]),
        "tool_call_id": st.sampled_from(["c1", "c2"]),
        "total_calls_in_response": VALUES,
        "model_response": st.fixed_dictionaries(
            {"id": st.sampled_from(["r1", "r2"]), "usage": VALUES, "choices": VALUES}
        ),
    },
)


@st.composite
def events(draw: st.DrawFn) -> Any:
    if draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    is_action = draw(st.booleans())
    names = ACTIONS if is_action else OBSERVATIONS
    event: JsonObject = {"action" if is_action else "observation": draw(st.sampled_from(names))}
    event |= draw(st.dictionaries(st.sampled_from(TOP), VALUES, max_size=3))
    event |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "id": st.integers(0, 3),
                "cause": st.integers(0, 3),
                "source": st.sampled_from(["agent", "user", "environment"]),
                "args" if is_action else "extras": FILLED,
                "tool_call_metadata": METADATA,
                "content": st.text(max_size=5),
            },
        )
    )
    return event


def without_links(history: list[Any]) -> list[Any]:
    """A history without what joins its events; of a wrong type it is no link."""
    kept: list[Any] = []
    for item in history:
        if isinstance(item, list):
            kept += without_links(item)
        elif is_event(item):
            event = {n: v for n, v in item.items() if n not in LINKS or isinstance(v, dict | list)}
            for name in ("args", "extras"):
                if isinstance(event.get(name), dict):
                    event[name] = {n: v for n, v in event[name].items() if not _is_usual(n, v)}
            called = event.get("tool_call_metadata")
            if isinstance(called, dict) and called:
                response = called.get("model_response")
                if isinstance(response, dict):
                    response = {n: v for n, v in response.items() if n != "id"}
                event["tool_call_metadata"] = {
                    "total": called.get("total_calls_in_response"),
                    "response": response,
                }
            kept.append(event)
        else:
            kept.append(item)
    return kept


def _is_usual(name: str, value: Any) -> bool:
    """Whether an argument says what V0 adds by itself: all lines of a file."""
    return type(value) is int and (name, value) in (("start", 0), ("start", 1), ("end", -1))


@example([[{"action": "run"}, {"observation": "run", "extras": {"is_error": 0}}]], None)
@given(st.lists(events() | st.lists(events(), max_size=2), max_size=6), VALUES)
def test_nothing_raises_and_everything_is_shown(history: list[Any], metrics: Any) -> None:
    run = trajectory(v0.convert(history, metrics))
    Study(run).compute()
    assert not lost(without_links(history), run)
