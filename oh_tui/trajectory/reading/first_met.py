"""Which files a run made itself, and which were there before, as far as it shows that."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.steps import Outcome, Step, decoded
from oh_tui.trajectory.model.tool_use import bounded
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.file_operations import may_touch, touches
from oh_tui.trajectory.reading.intents import Intent
from oh_tui.trajectory.reading.known_intents import KnownIntents
from oh_tui.trajectory.reading.test_files import is_test
from oh_tui.trajectory.reading.test_results import run_of_tests
from oh_tui.trajectory.reading.write_targets import folder_of, in_folder
from oh_tui.trajectory.shell.commands import script
from oh_tui.trajectory.shell.purpose import Purpose

_WORKED = (Outcome.OK, Outcome.WITH_RESULT)

_NAME = pattern(r"[\w./@+-]+")

_PLACES = 20
"""Words of a command that are taken for the folder of what it lists."""

_MISSING = pattern(r"No such file|not found|cannot |does not exist")


class _Act(NamedTuple):
    """The first act of a run on a file."""

    number: int
    """Of its step."""
    is_new: bool | None


class FirstMet:
    """How a run met files first. Asks for the acts of all steps, once; looks for files with tests
    in all calls and results where acts do not tell enough."""

    def __init__(self, run: Trajectory, acts: KnownIntents, workspace: str) -> None:
        self._run, self._acts, self._workspace = run, acts, workspace
        self._done: defaultdict[str, dict[str, _Act]] = defaultdict(dict)
        """By the name of the file: its paths, as the steps name them."""
        for step in run.steps:
            done = [act for act in acts.of(step) if act.paths] if step.is_call else []
            if done and run.outcome(step) in _WORKED:
                paths = [path for act in done for path in act.paths]
                with decoded(step):
                    is_full = all(path[:1] == "/" for path in paths)
                    folder = "" if is_full else folder_of(step, workspace)
                for act in done:
                    for path in act.paths:
                        place = in_folder(path, folder)
                        first = _Act(step.number, act.is_new)
                        self._done[posixpath.basename(place)].setdefault(place, first)

    @cached_property
    def _shown(self) -> dict[str, dict[str, int]]:
        """As `_done`: the first steps that read, ran or listed files with tests."""
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for step in self._run.steps:
            if step.is_call:
                with decoded(step):
                    for path in _shown(self._run, step, self._acts.of(step), self._workspace):
                        found[posixpath.basename(path)].setdefault(path, step.number)
        return found

    def is_own(self, path: str, number: int, is_new: bool | None) -> bool | None:
        """Whether the run itself made the file that this step writes or deletes. `is_new` is what
        the step tells; None where nothing tells it."""
        name = posixpath.basename(path)
        done = (one for other, one in self._done.get(name, {}).items() if _is_same(path, other))
        first = min((one for one in done if one.number < number), default=_Act(number, is_new))
        if first.is_new is not None:
            return first.is_new
        shown = self._shown.get(name, {}).items()
        if any(at < first.number and _is_same(path, other) for other, at in shown):
            return False
        return first.number < number or None


def _is_same(one: str, other: str) -> bool:
    """Whether two paths are of one file: those that begin in a folder which is not known have to
    name the last one too."""
    one, other = (path[2:] if path.startswith("./") else path for path in (one, other))
    if ("/" in one) is not ("/" in other):
        return False
    longer, shorter = sorted((f"/{one.lstrip('/')}", f"/{other.lstrip('/')}"), key=len)[::-1]
    return longer.endswith(shorter)


def _shown(run: Trajectory, step: Step, acts: tuple[Intent, ...], workspace: str) -> Iterator[str]:
    worked = run.outcome(step) in _WORKED
    tests = run_of_tests(step, acts)
    tested = tests is not None and tests.ok is not None
    if not (worked or tested):
        return
    output = "" if step.result is None or may_touch(step.event) else bounded(step.call.output())
    named = [one.path for one in touches(step)] if worked and may_touch(step.event) else []
    purposes = {act.purpose for act in acts}
    if tested or purposes == {Purpose.LOOK}:
        command, words = step.call.shell_command, list[str]()
        if command and "||" not in command and not _MISSING.search(output):
            words = [
                word.partition("::")[0] for leaf in script(command).leaves for word in leaf.words
            ]
            named += words
        for line in output.split("\n"):
            if not _MISSING.search(line):
                for name in filter(_is_test, _NAME.findall(line)):
                    named += [name, *(f"{word.rstrip('/')}/{name}" for word in words[:_PLACES])]
    folder = folder_of(step, workspace)
    yield from (in_folder(name, folder) for name in named if _is_test(name))


def _is_test(path: str) -> bool:
    return "." in path and len(path) <= 1_000 and is_test(path)
