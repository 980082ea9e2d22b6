"""Which sub-agents are opened in the timeline, and their steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from oh_tui.trajectory.findings import strip_lane, sub_agents
from oh_tui.trajectory.presentation import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oh_tui.trajectory.findings.study import Study, SubRun, SubRuns
    from oh_tui.trajectory.model.steps import Step


class SubStep(NamedTuple):
    """A step of a sub-agent that is opened in place."""

    run: SubRun
    step: Step
    depth: int
    """1 for a sub-agent of the run itself."""

    @property
    def path(self) -> str:
        """Its number in the whole run, as 12.3."""
        return f"{self.run.path}{self.step.number}"


class ClosedStep(NamedTuple):
    """A step of a sub-agent that is not opened."""

    chain: tuple[str, ...]
    """The numbers of the steps below which it is shown once all of them are opened."""
    run: SubRun
    step: Step


class OpenedSubAgents:
    """Those opened, by the number of the step that started them: 12, or 12.3 in a sub-agent."""

    def __init__(self) -> None:
        self.cursor = ""
        """The number of the step that the cursor was on when they went off the screen."""
        self._paths: set[str] = set()
        self._places: dict[int, SubStep] = {}
        """Identity of a step that is shown -> its place."""
        self.lanes: list[strip_lane.Lane] = []
        """Those shown, in the order of their steps."""

    def __bool__(self) -> bool:
        return bool(self._paths)

    def open(self, path: str) -> bool:
        """False when they are open."""
        if path in self._paths:
            return False
        self._paths.add(path)
        return True

    def is_open(self, path: str) -> bool:
        return path in self._paths

    def close(self, path: str) -> str:
        """Close those of a step, else those that it is among; returns their step, or ""."""
        while path and path not in self._paths:
            path = path.rpartition(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz")
        self._paths.discard(path)
        return path

    def shown(self, study: Study | None) -> dict[int, list[SubStep]]:
        """The steps to show below those of the run, by the number of these."""
        below: dict[int, list[SubStep]] = {}
        for path in self._paths if study else ():
            # the step may be gone: a result that came before its call is a step until then
            if study and path.isdecimal() and int(path) <= len(study.trajectory):
                step = study.trajectory.steps[int(path) - 1]
                below[step.number] = self._below(study.sub_runs, step, path)
        lanes = {
            sub.run.path: strip_lane.Lane(sub.run, study.trajectory.steps[number - 1])
            for number in sorted(below)
            for sub in below[number]
            if study
        }
        self.lanes = list(lanes.values())
        self._places = {id(sub.step): sub for subs in below.values() for sub in subs}
        return below

    def _below(self, sub_runs: SubRuns, step: Step, path: str, depth: int = 1) -> list[SubStep]:
        found: list[SubStep] = []
        for run in sub_runs.of(step) if path in self._paths else ():
            for each in run.trajectory.steps:
                sub = SubStep(run, each, depth)
                found.append(sub)
                found += self._below(run.sub_runs, each, sub.path, depth + 1)
        return found

    def closed(self, study: Study) -> Iterator[ClosedStep]:
        """The steps of sub-agents that are not shown but can be, in order."""
        yield from self._closed(study.sub_runs, "", ())

    def _closed(self, runs: SubRuns, prefix: str, above: tuple[str, ...]) -> Iterator[ClosedStep]:
        for step in runs.trajectory.steps if runs.runs else ():
            chain = (*above, f"{prefix}{step.number}")
            is_shown = self._paths.issuperset(chain)
            for run in runs.of(step):
                if not is_shown:
                    yield from (ClosedStep(chain, run, each) for each in run.trajectory.steps)
                yield from self._closed(run.sub_runs, run.path, chain)

    def place(self, step: Step | None) -> SubStep | None:
        """The place of a step of a sub-agent that is shown; None for a step of the run."""
        return self._places.get(id(step))

    def started(self, study: Study | None, step: Step | None) -> list[SubRun]:
        """The sub-agents that a step started whose runs are here."""
        if step is None or study is None:
            return []
        place = self.place(step)
        return (place.run.sub_runs if place else study.sub_runs).of(step)

    def why_none(self, study: Study | None, step: Step) -> str:
        """Why there is no sub-agent of a step to open."""
        if not (blocks.links_of(step) or sub_agents.starts(step)):
            return "this step started no sub-agent"
        if study is None:
            return "its sub-agents are not known yet"
        return "the run of its sub-agent is not available here"
