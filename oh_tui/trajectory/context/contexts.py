"""The contexts of a growing run: of each answer of its model, and how they differ."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable

from oh_tui.text.problem import Problem
from oh_tui.trajectory.context import context
from oh_tui.trajectory.context.context import Answer, Context, Difference
from oh_tui.trajectory.context.context_index import Gap, Material
from oh_tui.trajectory.context.message import Message
from oh_tui.trajectory.context.sdk_versions import SdkBehaviour
from oh_tui.trajectory.model import usage_stats
from oh_tui.trajectory.model.event_tree import NONE
from oh_tui.trajectory.model.trajectory import Trajectory

Listed = Callable[[str], usage_stats.Answer | None]
"""Tells what the stats of a run list for an answer, by its response id."""


class Contexts:
    """What the model saw at each of its answers; call `update` after each `extend`.

    Contexts share what they have in common, and read texts when they are asked for: all of them
    together take memory in proportion to the number of events.
    """

    def __init__(self, run: Trajectory, listed: Listed = lambda response: None) -> None:
        self.run = run
        self._listed = listed
        self._material = Material(run)
        self._of_event: dict[str, int] = {}
        """Event id -> place of that event, the first of an answer."""
        self._of_response: dict[str, str] = {}
        """Response id -> event id of the first event of the answer."""
        self._of_line: dict[int, array[int]] = {}
        """Line of the run -> the places of the first events of its answers, ascending."""
        self._read = 0
        self.update()

    def update(self) -> None:
        """Adds the events since the last update."""
        self._answers: list[Answer] | None = None
        self._material.update()
        events = self.run.events
        for place in range(self._read, len(events)):
            event = events[place]
            response = event.llm_response_id
            if response not in self._of_response and event.is_answer:
                self._of_event[event.id] = place
                line = self._material.tree.line[place]
                self._of_line.setdefault(line, array("i")).append(place)
                if response:
                    self._of_response[response] = event.id
        self._read = len(events)

    def written_by(self, version: str) -> None:
        """The version that the server says it has, such as "1.34.0": where the events do not tell
        which one wrote them, its rules are taken."""
        self._material.written_by(version)

    @property
    def needs_version(self) -> bool:
        """Nothing has told yet whose rules hold: `written_by` would."""
        return self.rules.is_sdk and not (self.rules.is_certain or self.keeps_own_context)

    @property
    def rules(self) -> SdkBehaviour:
        """Those by which the messages are made. They may change while the run is read."""
        return self._material.rules

    @property
    def gaps(self) -> list[Gap]:
        """What the events of the run do not tell of any context."""
        return self._material.gaps

    @property
    def keeps_own_context(self) -> bool:
        """The agent is a program that keeps its context itself: no answer has one here."""
        return self._material.keeps_own_context

    @property
    def answers(self) -> list[Answer]:
        """All answers of the agent's model, in the order of the run."""
        if self._answers is None:
            known = [] if self.keeps_own_context else list(self._of_event)
            self._answers = list(map(self._answer, known))
        return self._answers

    def of(self, step: int) -> Answer | None:
        """The answer that made a step, by its number; None for one that no answer made."""
        if not 0 < step <= len(self.run.steps) or self.keeps_own_context:
            return None
        event = self.run.steps[step - 1].event
        first = self._of_response.get(event.llm_response_id, event.id)
        return self._answer(first) if event.is_answer and first in self._of_event else None

    def made(self, step: int) -> Answer:
        """The answer that made a step. Raises Problem for a step that no answer made; the hint
        names the nearest that has one."""
        if (answer := self.of(step)) is not None:
            return answer
        near = self.nearest(step)
        hint = f"the nearest step that one made is {near.step}" if near else "no step has one"
        if self.keeps_own_context:
            hint = "its agent keeps the context itself, so no step has one here"
        raise Problem(f"No answer of the model made step {step}", hint)

    def nearest(self, step: int) -> Answer | None:
        """The answer that made the step or one near it; of two as near, the one before."""
        count = len(self.run.steps)
        at = max(1, min(step, count))
        for away in range(count):
            for number in (at - away, at + away):
                if (found := self.of(number)) is not None:
                    return found
        return None

    def before(self, answer: Answer) -> Answer | None:
        """The answer before, on the same branch."""
        place = self._before(self._of_event[answer.event_id])
        return None if place == NONE else self._answer(self.run.events[place].id)

    def before_step(self, step: int) -> Answer | None:
        """The last answer before a step, on its branch."""
        event = self.run.steps[step - 1].event
        place = next(n for n, one in enumerate(self.run.events) if one is event)
        before = self._before(place)
        return None if before == NONE else self._answer(self.run.events[before].id)

    def at(self, answer: Answer) -> Context:
        """What the model saw when it gave an answer."""
        place = self._of_event[answer.event_id]
        return Context(self._material, answer, place, self._before(place))

    def difference(self, first: Answer, second: Answer) -> Difference:
        """From one context to another, usually a later one."""
        return context.difference(self._material, self.at(first), self.at(second))

    def reply(self, answer: Answer) -> Message:
        left = set(answer.event_ids)
        items = []
        for place in range(self._of_event[answer.event_id], len(self.run.events)):
            if not left:
                break
            if (one := self.run.events[place].id) in left:
                left.remove(one)
                items.append(place)
        return Message(self._material, tuple(items))

    def _answer(self, event_id: str) -> Answer:
        step = self.run.step_of(event_id)
        event = self.run.events[self._of_event[event_id]]
        group = self.run.group(step) if step else ()
        ids = tuple(self.run.steps[number - 1].event.id for number in group) or (event_id,)
        response = event.llm_response_id
        listed = self._listed(response) if response else None
        return Answer(
            step.number if step else 0,
            event_id,
            ids,
            response,
            listed.amount if listed else None,
            listed.window if listed else 0,
        )

    def _before(self, place: int) -> int:
        """The place of the answer before the one at a place, on its branch."""
        tree = self._material.tree
        up = tree.up[place]
        end = NONE if up == NONE else tree.anchor[up]
        while end != NONE:
            line = tree.line[end]
            known = self._of_line.get(line, ())
            if at := bisect_right(known, end):
                return known[at - 1]
            end = tree.lines[line].begins
        return NONE
