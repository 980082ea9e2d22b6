"""What the steps of a run do, read once for all that ask for it."""

from __future__ import annotations

from typing import TypeAlias

from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.reading.intents import Intent, intents
from oh_tui.trajectory.reading.test_results import RunOfTests, read_tests
from oh_tui.trajectory.shell.purpose import Purpose

Intents: TypeAlias = "tuple[Intent, ...]"

MOST = 1_000
"""Different acts that are cached, each once: most steps look, or edit the same files."""

LARGEST = 1_000
"""Characters of the names that the acts of a step have, if they are cached; each act and each name
counts as 50 more."""


class KnownIntents:
    """The acts of a run's steps: one that is asked for again is neither decoded nor parsed. Takes
    24 bytes a step, and 2 MB at most for the acts themselves; 250 bytes more for one with tests."""

    def __init__(self) -> None:
        self._cache: list[Event | Intents | None] = []
        """Of each step its call, its result, which may change what it does, and its acts; None for
        acts that are not cached."""
        self._same: dict[Intents, Intents] = {}
        self._tests: dict[str, tuple[Event | None, RunOfTests]] = {}
        """Id of a call -> its result, and what tests reported in it."""

    def of(self, step: Step) -> Intents:
        """What a step does, in its order; never raises."""
        cache, result = self._cache, step.result
        place, end = 3 * step.number - 3, 3 * step.number
        if end <= len(cache):
            event, known, found = cache[place:end]
            if event is step.event and known is result and isinstance(found, tuple):
                return found
        else:
            cache.extend([None] * (end - len(cache)))
        read = intents(step)
        cache[place:end] = step.event, result, self._once(read)
        return read

    def tests(self, step: Step) -> RunOfTests | None:
        """What a step reported that ran tests; None for one that ran none. Never raises."""
        if not step.is_call or all(act.purpose is not Purpose.TEST for act in self.of(step)):
            return None
        result, tests = self._tests.get(step.event.id, (None, None))
        if tests is None or result is not step.result:
            tests = read_tests(step)
            self._tests[step.event.id] = step.result, tests
        return tests

    def _once(self, read: Intents) -> Intents | None:
        """The same acts as met before; None if they are too large or too many."""
        same = self._same.get(read)
        if same is None and len(self._same) < MOST and _size(read) <= LARGEST:
            same = self._same[read] = read
        return same


def _size(read: Intents) -> int:
    names = [name for act in read for name in (*act.paths, *act.packages)]
    return sum(map(len, names)) + 50 * (len(names) + len(read))
