"""SWE-agent's trajectory, `.traj`: its steps, each an action and its observation, as messages.

What the model was told before its first step, and the names of the tools it called, are in the
`history` beside the steps.
"""

from __future__ import annotations

from typing import Any

from oh_tui.trajectory.formats.foreign.foreign_run import pack
from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.events import read_json

Message = dict[str, Any]

_REPEATED = frozenset({"action", "observation", "thought", "response", "query", "messages"})
"""Step fields that its messages repeat. `query` and `messages` are all messages before it."""

_OF_ANSWER = frozenset({"tool_calls", "tool_call_ids", "agent", "thinking_blocks"})
"""Step fields that belong to the answer. Others belong to the result."""


def is_step(value: Any) -> bool:
    """Whether a decoded value is a step, with an action and an observation. A V0 event has only one
    of the two."""
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(name), str) for name in ("action", "observation"))
        and any(name in value for name in ("response", "thought", "state"))
    )


def messages_of(
    steps: list[Any], originals: list[bytes], history: Any
) -> tuple[list[Any], list[bytes]]:
    """The messages of a run, and what each was made from."""
    said = [one for one in history if isinstance(one, dict)] if isinstance(history, list) else []
    is_answer = [one.get("role") == "assistant" and one.get("is_demo") is not True for one in said]
    answers = [one for one, is_one in zip(said, is_answer, strict=True) if is_one]
    first = is_answer.index(True) if answers else len(said)
    messages: list[Any] = list(said[:first])
    sources = [pack(one) for one in messages]
    for place, step in enumerate(steps):
        if not is_step(step):
            made = [step]
        else:
            answer = answers[place] if place < len(answers) else None
            made = list(_of_step(step, answer, is_last=place + 1 == len(steps)))
        messages += made
        sources += [originals[place]] * len(made)
    return messages, sources


def _of_step(step: Message, answer: Any, *, is_last: bool) -> list[Message]:
    """The model's answer and the result of its action."""
    action, thought = step["action"].strip(), text_field(step, "thought")
    response, observation = text_field(step, "response"), step["observation"]
    rest = {name: value for name, value in step.items() if name not in _REPEATED}
    before = {name: rest.pop(name) for name in _OF_ANSWER if name in rest}
    if not action:
        said = thought or response
        if is_last and said.startswith("Exit"):
            return [{"role": "exit", "content": observation or said, "extra": rest}]
        messages = [{"role": "assistant", "content": said} | before]
        if observation:
            messages.append(rest | {"role": "SWE-agent", "content": observation})
        return messages
    calls = field(answer, "tool_calls")
    if text_field(answer, "action").strip() != action or not isinstance(calls, list):
        calls = step.get("tool_calls")
    if not isinstance(calls, list) or len(calls) != 1:
        name, arguments = ("submit", {}) if action == "submit" else ("bash", {"command": action})
        calls = [{"function": {"name": name, "arguments": arguments}}]
    before.pop("tool_calls", None)
    content = thought or response
    if response.strip() and thought.strip() not in response:
        before["response"] = response
    call_id = field(calls[0], "id")
    return [
        {"role": "assistant", "content": content, "tool_calls": calls} | before,
        rest | {"role": "tool", "tool_call_id": call_id, "content": observation},
    ]


def model_in(replay_config: Any) -> str:
    """The model that a run's configuration names, which may be JSON text."""
    config = read_json(replay_config) if isinstance(replay_config, str) else replay_config
    return text_field(config, "agent", "model", "name")
