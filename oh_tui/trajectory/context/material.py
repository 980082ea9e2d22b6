"""What contexts are made of: the tree of a growing run, the order of items in it, their texts."""

from __future__ import annotations

from collections.abc import Iterable

from oh_tui.trajectory.context.gaps import Gap, Gaps
from oh_tui.trajectory.context.message_order import Items, Peeks
from oh_tui.trajectory.context.message_texts import Texts
from oh_tui.trajectory.context.rules import Rules, Writer
from oh_tui.trajectory.context.seen_events import Views
from oh_tui.trajectory.model.event_tree import NONE, Places, Tree
from oh_tui.trajectory.model.trajectory import Trajectory


class Material:
    """Shared by all contexts of a run. Items are places of events, or `~place` of a condensation
    for its summary."""

    def __init__(self, run: Trajectory) -> None:
        self.run = run
        places = Places(run.events)
        self.tree = Tree(places)
        self.peeks = Peeks(run.events, places)
        self._writer = Writer(run.recorded.format)
        self._gaps = Gaps()
        self._firsts: dict[str, int] = {}
        """Response id -> place of the first call of the answer."""
        self._make(self._writer.rules)

    def _make(self, rules: Rules) -> None:
        self.rules = rules
        self.views = Views(self.tree, self.peeks, rules, self._firsts)
        self.texts = Texts(self.run.events, rules)

    def update(self) -> None:
        events = self.run.events
        for place in range(len(self.tree.up), len(events)):
            event = events[place]
            self._writer.take(event)
            self._gaps.take(event)
            if event.kind == "ActionEvent":
                self._firsts.setdefault(event.llm_response_id, place)
        self.tree.extend(events)
        self._choose()

    def written_by(self, version: str) -> None:
        self._writer.told = version
        self._choose()

    def _choose(self) -> None:
        if self._writer.rules != self.rules:
            self._make(self._writer.rules)

    @property
    def keeps_own_context(self) -> bool:
        return self._gaps.keeps_own_context

    @property
    def gaps(self) -> list[Gap]:
        """What the events of the run do not tell of any context."""
        run = self.run
        return self._gaps.of_run(self.rules, self.tree.lost, is_complete=run.complete)

    def step(self, place: int) -> int:
        """The number of the step of an event; 0 for one without."""
        step = None if place == NONE else self.run.step_of(self.run.events[place].id)
        return step.number if step else 0

    def steps(self, items: Iterable[int]) -> set[int]:
        """The numbers of their steps."""
        return {self.step(item if item >= 0 else ~item) for item in items} - {0}

    def stood_for(self, items: Items) -> set[int]:
        """What the summaries among the items stand for, and those among that."""
        found: set[int] = set()
        todo = [~item for item in items if item < 0]
        while todo:
            gone = self.views.taken_out(todo.pop())
            todo += [~item for item in gone if item < 0 and item not in found]
            found.update(gone)
        return found
