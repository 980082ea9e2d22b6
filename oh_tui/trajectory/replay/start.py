"""How a run begins again: the request that starts it on an agent server, and what its user did.

The fields are those that agent servers 1.17.0 to 1.58.2 took (measured).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from oh_tui.trajectory.model.bodies import field, message_text, text_field
from oh_tui.trajectory.model.events import read_json
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.write_targets import working_folder
from oh_tui.trajectory.replay.record import Record

_LLM = (
    "native_tool_calling", "stream", "temperature", "caching_prompt", "disable_vision",
    "reasoning_effort", "extended_thinking_budget", "max_input_tokens", "api_mode",
)  # fmt: skip
_AGENT = (
    "agent_context", "filter_tools_regex", "include_default_tools", "system_prompt_filename",
    "system_prompt_kwargs", "security_policy_filename", "system_prompt", "tool_concurrency_limit",
)  # fmt: skip
"""Those without keys: the servers of MCP are masked in a record."""

_TOOLS = ("terminal", "file_editor", "task_tracker")


def state_of(run: Trajectory) -> dict[str, Any]:
    """What the server wrote down of the conversation, in the events or beside them; {} for none."""
    whole = run.branch.run if run.branch else run
    states = (event for event in reversed(whole.events) if event.key == "full_state")
    told = next((field(event.body(), "value") for event in states), None)
    found = told or read_json(whole.state())
    return found if isinstance(found, dict) else {}


def folder_of(run: Trajectory) -> str:
    """Where it worked; "" where nothing tells it."""
    told = text_field(state_of(run), "workspace", "working_dir").rstrip("/")
    return working_folder(run) or (told if told.startswith("/") else "")


def start_request(run: Trajectory, model: str, address: str, key: str, folder: str) -> Any:
    """The body that starts it again in a folder, with another model of the same protocol."""
    state = state_of(run)
    agent, policy = field(state, "agent"), field(state, "confirmation_policy")
    known = field(agent, "llm")
    llm: dict[str, Any] = {
        name: value for name in _LLM if (value := field(known, name)) is not None
    }
    llm |= {"model": model, "api_key": key, "base_url": address, "num_retries": 0}
    made: dict[str, Any] = {"kind": "Agent", "llm": llm | {"usage_id": "agent"}}
    made["tools"] = field(agent, "tools") or [{"name": name} for name in _TOOLS]
    made |= {name: value for name in _AGENT if (value := field(agent, name))}
    if isinstance(condenser := field(agent, "condenser"), dict):
        own = {"llm": llm | {"usage_id": "condenser"}} if "llm" in condenser else {}
        made["condenser"] = condenser | own
    first = next((event.body() for event in run.events if event.is_by_user), {})
    body: dict[str, Any] = {
        "agent": made,
        "workspace": {"kind": "LocalWorkspace", "working_dir": folder},
        "initial_message": {
            "role": "user",
            "content": [{"type": "text", "text": message_text(first)}],
            "run": True,
        },
    }
    return body | ({"confirmation_policy": policy} if isinstance(policy, dict) else {})


class Deeds(NamedTuple):
    """What the user did after an answer, before the next one."""

    said: tuple[str, ...] = ()
    rejected: str | None = None
    """The reason, if the calls of the answer were rejected."""
    goes_on: bool = False
    """The agent still works: the answer has calls, and none of them ends its turn."""


def deeds_of(record: Record) -> list[Deeds]:
    """Of each answer, in the order of the run."""
    run = record.study.trajectory
    places = {one: n for n, answer in enumerate(record.answers) for one in answer.event_ids}
    found = [Deeds() for _ in record.answers]
    at = -1
    for step in run.steps:
        event = step.event
        if event.is_answer and event.id not in places:
            break  # the record is left before it
        at = places.get(event.id, at)
        if at < 0:
            continue
        if event.is_by_user:
            found[at] = found[at]._replace(said=(*found[at].said, message_text(event.body())))
        elif step.is_call:
            found[at] = found[at]._replace(goes_on=not event.ends_turn)
            if step.result is not None and step.result.is_rejection:
                reason = text_field(step.result.body(), "rejection_reason")
                found[at] = found[at]._replace(rejected=reason)
    return found
