"""Which steps of a run started sub-agents, and what they tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from oh_tui.trajectory.model.bodies import field, text_field
from oh_tui.trajectory.model.steps import Step

_TOOLS = frozenset({"Task", "Delegate", "StartChildConversation"})
"""The tools that start sub-agents."""

_IDS = ("conversation_id", "sub_conversation_id", "sub_conversation_ids")


class Slot(NamedTuple):
    """A sub-agent that a step started, with what its events say of it."""

    step: Step
    ids: frozenset[str]
    prompt: str
    usage: str = ""
    """The usage id of its total in the stats of the run; "" when not told."""
    needs_id: bool = False
    """It is a conversation of the server, and no sub-agent within the run."""


def may_start(step: Step) -> bool:
    """Whether a step is a call of a tool that starts sub-agents."""
    return step.is_call and step.event.part.removesuffix("Action") in _TOOLS


def starts(step: Step) -> bool:
    """Whether a step started a sub-agent, by what it and its result tell."""
    return may_start(step) and next(slots([step]), None) is not None


def slots(steps: Iterable[Step]) -> Iterator[Slot]:
    """A step that was refused starts none; one that resumes a task goes on with that of another."""
    seen: set[str] = set()
    for step in steps:
        tool = step.event.part.removesuffix("Action")
        if not may_start(step):
            continue
        result = step.result
        if result is not None and result.kind != "ObservationEvent":
            continue
        action = field(step.event.body(), "action")
        observation = field(result.body(), "observation") if result else None
        task = text_field(observation, "task_id")
        if task and task in seen:
            continue
        seen.add(task)
        ids = frozenset(_ids(action, observation))
        tasks = field(action, "tasks")
        if tool != "Delegate":
            usage = f"task:{task}" if task else ""
            prompt = text_field(action, "prompt").strip()
            yield Slot(step, ids, prompt, usage, tool == "StartChildConversation")
        elif isinstance(tasks, dict) and text_field(action, "command") != "spawn":
            for name, prompt in tasks.items():
                told = prompt.strip() if isinstance(prompt, str) else ""
                yield Slot(step, ids | {bare(str(name))}, told, f"delegate:{name}")


def _ids(action: object, observation: object) -> Iterator[str]:
    """What may be the id of a sub-agent."""
    for body, name in ((body, name) for body in (action, observation) for name in _IDS):
        value = field(body, name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one:
                yield bare(one)
    if task := text_field(observation, "task_id"):
        yield bare(task)


def prefix(step: int, place: int) -> str:
    """`12`, `12b`, `12c` ... for the sub-agents of step 12; `a`, `b` ... without a step."""
    if not step:
        return letters(place)
    return str(step) if place == 1 else f"{step}{letters(place)}"


def letters(place: int) -> str:
    """a to z, then aa, ab ..."""
    text = ""
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def bare(name: str) -> str:
    """An id as it is compared."""
    return name.replace("-", "").lower()
