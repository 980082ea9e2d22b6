"""Which files with tests were there before a step, as far as a run shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.analysis.purposes.acts import Act
from oh_tui.trajectory.analysis.purposes.kept_acts import KeptActs
from oh_tui.trajectory.analysis.purposes.test_files import is_test
from oh_tui.trajectory.analysis.purposes.test_results import run_of_tests
from oh_tui.trajectory.files.touches import may_touch, touches
from oh_tui.trajectory.model.steps import Outcome, Step, held
from oh_tui.trajectory.model.tool_use import bounded
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.shell.commands import script
from oh_tui.trajectory.shell.purpose import Purpose

_WORKED = (Outcome.OK, Outcome.WITH_RESULT)

_NAME = pattern(r"[\w./@+-]+")

_PLACES = 20
"""Words of a command that are taken for the folder of what it lists."""

_MISSING = pattern(r"No such file|not found|cannot |does not exist")


class SeenTests:
    """The names of files with tests that a run read, wrote, ran or listed, with the first step that
    did. Decodes all calls and results, once."""

    def __init__(self, run: Trajectory, acts: KeptActs) -> None:
        self._first: defaultdict[str, dict[str, int]] = defaultdict(dict)
        """By the name of the file: its paths, as they were told."""
        for step in run.steps:
            if step.is_call:
                with held(step):
                    for path in _shown(run, step, acts.of(step)):
                        paths = self._first[path.rpartition("/")[2]]
                        paths.setdefault(path, step.number)

    def before(self, path: str, number: int) -> bool:
        """Whether a step before this one showed the file."""
        known = self._first.get(path.rpartition("/")[2], {})
        return any(first < number and _is_same(path, other) for other, first in known.items())


def _is_same(one: str, other: str) -> bool:
    """Whether two paths are of one file: those that begin in a folder which is not known have to
    name the last one too."""
    one, other = (path[2:] if path.startswith("./") else path for path in (one, other))
    if ("/" in one) is not ("/" in other):
        return False
    longer, shorter = sorted((f"/{one.lstrip('/')}", f"/{other.lstrip('/')}"), key=len)[::-1]
    return longer.endswith(shorter)


def _shown(run: Trajectory, step: Step, acts: tuple[Act, ...]) -> Iterator[str]:
    worked = run.outcome(step) in _WORKED
    told = run_of_tests(step, acts)
    tested = told is not None and told.ok is not None
    if not (worked or tested):
        return
    output = _output(step)
    named = [path for act in acts for path in act.paths]
    if worked and may_touch(step.event):
        named += [one.path for one in touches(step)]
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
    yield from filter(_is_test, named)


def _is_test(path: str) -> bool:
    return "." in path and len(path) <= 1_000 and is_test(path)


def _output(step: Step) -> str:
    if step.result is None or may_touch(step.event):
        return ""
    return bounded(step.call.output())
