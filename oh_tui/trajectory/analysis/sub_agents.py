"""Which steps of a run started sub-agents, and which of these each step started."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from oh_tui.trajectory.model.bodies import field, message_text, text_field
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory

_TOOLS = frozenset({"Task", "Delegate", "StartChildConversation"})
"""The tools that start sub-agents."""

_EARLY = 1.0
"""Seconds by which the clocks of a run and of its sub-agent may differ."""

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


def first_message(trajectory: Trajectory) -> str:
    """The message that a run begins with, "" for none."""
    steps = (step.event for step in trajectory.steps[:3])
    first = next((e for e in steps if e.kind == "MessageEvent" and e.source == "user"), None)
    return message_text(first.body()).strip() if first else ""


class Begun(Protocol):
    """The run of a sub-agent, for which a step is looked for."""

    step: int
    """The number of the step that started it; 0 until that is known."""
    usage: str

    @property
    def name(self) -> str: ...
    @property
    def trajectory(self) -> Trajectory: ...
    @property
    def prompt(self) -> str: ...
    @property
    def needs_id(self) -> bool: ...


def join(runs: Sequence[Begun], slots: Sequence[Slot]) -> None:
    """Finds the step of each run: by id, by the prompt, then by time and order."""
    free = dict.fromkeys(range(len(slots)))
    named: dict[str, int] = {}
    prompts: dict[str, list[int]] = {}
    """Places of slots, the first one last."""
    for place in reversed(range(len(slots))):
        named |= dict.fromkeys(slots[place].ids, place)
        if not slots[place].needs_id:
            prompts.setdefault(slots[place].prompt, []).append(place)

    def take(run: Begun, place: int) -> None:
        run.step, run.usage = slots[place].step.number, slots[place].usage or run.usage
        free.pop(place, None)

    for run in runs:
        if (found := named.get(bare(run.name))) is not None:
            take(run, found)
    rest = [run for run in runs if not (run.step or run.needs_id)]
    for run in rest:
        same = prompts.get(run.prompt, []) if run.prompt else []
        while same and same[-1] not in free:
            same.pop()
        if same:
            take(run, same.pop())
    left = iter([place for place in free if not slots[place].needs_id])
    following = next(left, None)
    for run in rest:
        if run.step:
            continue
        while following is not None and _ended_before(slots[following].step, run):
            following = next(left, None)
        if following is not None and not _began_after(slots[following].step, run):
            take(run, following)
            following = next(left, None)


def _ended_before(step: Step, run: Begun) -> bool:
    """False where a time is unknown."""
    ended = step.result.seconds() if step.result else None
    began = run.trajectory.began
    return ended is not None and began is not None and ended + _EARLY < began


def _began_after(step: Step, run: Begun) -> bool:
    """False where a time is unknown."""
    started, began = step.event.seconds(), run.trajectory.began
    return started is not None and began is not None and began + _EARLY < started
