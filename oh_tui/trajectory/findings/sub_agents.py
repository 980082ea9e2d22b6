"""Which steps of a run started sub-agents, which of these each step started, and what they used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from oh_tui.trajectory.model.bodies import field, message_text, text_field
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_COST, NO_USAGE, Cost, ReportedFields, Usage
from oh_tui.trajectory.model.usage_stats import ACP

if TYPE_CHECKING:
    from oh_tui.trajectory.costs.accounting import Accounts

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
    """The usage id of its total in the stats of the run; "" when not known."""
    needs_id: bool = False
    """It is a conversation of the server, and no sub-agent within the run."""


def may_start(step: Step) -> bool:
    return step.is_call and step.event.tool in _TOOLS


def starts(step: Step) -> bool:
    """Whether a step started a sub-agent, by what it and its result tell."""
    return may_start(step) and next(slots([step]), None) is not None


def slots(steps: Iterable[Step]) -> Iterator[Slot]:
    """A step that was refused starts none; one that resumes a task goes on with that of another."""
    seen: set[str] = set()
    for step in steps:
        if not may_start(step) or (step.result and not step.result.is_observation):
            continue
        call = step.call
        action, observation = call.given, call.answer
        task = text_field(observation, "task_id")
        if task and task in seen:
            continue
        seen.add(task)
        ids = frozenset(_ids(action, observation))
        tasks = field(action, "tasks")
        if call.tool != "Delegate":
            usage = f"task:{task}" if task else ""
            prompt = text_field(action, "prompt").strip()
            yield Slot(step, ids, prompt, usage, call.tool == "StartChildConversation")
        elif isinstance(tasks, dict) and text_field(action, "command") != "spawn":
            for name, prompt in tasks.items():
                text = prompt.strip() if isinstance(prompt, str) else ""
                yield Slot(step, ids | {bare(str(name))}, text, f"delegate:{name}")


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
    first = next((event for event in steps if event.is_by_user), None)
    return message_text(first.body()).strip() if first else ""


class Begun(Protocol):
    """The run of a sub-agent, for which a step is looked for, with what it used."""

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
    @property
    def total(self) -> Usage: ...
    @property
    def sub_runs(self) -> UsedBelow[Any]: ...


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
    places = iter([place for place in free if not slots[place].needs_id])
    following = next(places, None)
    for run in rest:
        if run.step:
            continue
        began = run.trajectory.began
        while following is not None and (
            (result := slots[following].step.result) and _is_before(result.seconds(), began)
        ):
            following = next(places, None)
        if following is not None and not _is_before(began, slots[following].step.event.seconds()):
            take(run, following)
            following = next(places, None)


def _is_before(one: float | None, other: float | None) -> bool:
    """Of the times of two clocks; False where one is unknown."""
    return one is not None and other is not None and one + _EARLY < other


R = TypeVar("R", bound=Begun)


class UsedBelow(Generic[R]):
    """What a run and the sub-agents used that it started. The stats of the run have the total of
    each sub-agent too (`task:ID`), which is not counted twice: where both tell, the higher counts.
    A conversation of a server that the run started has a total of its own, which is no part of this
    one."""

    def __init__(self, accounts: Accounts, runs: list[R], slots: Sequence[Slot]) -> None:
        self._accounts, self._slots = accounts, slots
        self.runs = runs
        """In the order in which they began, as far as that is known."""
        self._by_step: dict[int, list[R]] = {}

    def of(self, step: Step) -> list[R]:
        return self._by_step.get(step.number, [])

    @property
    def _within(self) -> list[R]:
        """Those that are no conversations of their own."""
        return [run for run in self.runs if not run.needs_id]

    @cached_property
    def _totals(self) -> dict[str, Usage]:
        return self._accounts.of_sub_agents

    @cached_property
    def _used(self) -> dict[int, Usage]:
        """Number of a step -> what its sub-agents within the run used; 0 for no step."""
        used: dict[int, Usage] = {}
        totals = dict(self._totals)
        unnamed = NO_USAGE
        """What is used by sub-agents whose usage id is not known."""
        for run in self._within:
            amount = run.total
            if run.usage in totals:
                amount = amount.highest(totals.pop(run.usage))
            else:
                unnamed += amount
            used[run.step] = used.get(run.step, NO_USAGE) + amount
        for slot in self._slots:
            if slot.usage in totals:
                number = slot.step.number
                used[number] = used.get(number, NO_USAGE) + totals.pop(slot.usage)
        rest = sum(totals.values(), NO_USAGE)
        used[0] = used.get(0, NO_USAGE) + (rest.highest(unnamed) - unnamed)
        return used

    def used_by(self, step: Step) -> Usage:
        """What the sub-agents and conversations used that a step started, and all below them."""
        apart = (run.total for run in self.of(step) if run.needs_id)
        return sum(apart, self._used.get(step.number, NO_USAGE))

    @property
    def without_run(self) -> dict[str, Usage]:
        """Usage id -> what a sub-agent used whose run is not here."""
        known = {run.usage for run in self.runs}
        if not known <= set(self._totals):
            return {}  # the run of one may be here all the same
        return {usage: used for usage, used in self._totals.items() if usage not in known}

    @property
    def own(self) -> Usage:
        return self._accounts.total - sum(self._totals.values(), NO_USAGE)

    @property
    def below(self) -> Usage:
        """What all sub-agents within the run used."""
        return sum(self._used.values(), NO_USAGE)

    @property
    def conversations(self) -> Usage:
        """What the conversations used that the run started, with those below them."""
        return sum(
            (one.total + one.sub_runs.conversations for one in self.runs if one.needs_id),
            sum((one.sub_runs.conversations for one in self._within), NO_USAGE),
        )

    @property
    def total(self) -> Usage:
        """What the run and its sub-agents used."""
        return self.own + self.below

    @property
    def unreported(self) -> Usage:
        """The part of the total that the stats of the run do not have."""
        return self.total - self._accounts.total

    def recount(self) -> None:
        """The run has grown, and may have reported more."""
        for name in ("_totals", "_used"):
            self.__dict__.pop(name, None)

    @property
    def is_partial(self) -> bool:
        """Whether the total may lack a part."""
        return self._accounts.is_partial or any(one.sub_runs.is_partial for one in self._within)

    @property
    def is_estimate(self) -> bool:
        """Whether an agent that speaks ACP is among those that used it."""
        within = any(one.sub_runs.is_estimate for one in self._within)
        return within or ACP in self._accounts.usages

    def cost(self, beside: Cost = NO_COST) -> Cost:
        """That of the total; of a run whose events have no price the one that is given `beside`."""
        total, is_estimate = self.total, self.is_estimate or beside.is_estimate
        if not total.cost and beside.dollars:
            return Cost(beside.dollars, bool(beside.is_partial), is_estimate)
        known = self.is_partial if total.cost or total.tokens else None
        return Cost(total.cost or None, known, is_estimate and bool(total.cost))

    @property
    def reported(self) -> ReportedFields:
        found = self._accounts.reported
        for run in self._within:
            found = found.joined(run.sub_runs.reported)
        return found

    @property
    def priced(self) -> bool | None:
        """False if a model answered but no price is known; None if nothing tells of one."""
        return self.reported.priced
