"""What follows from a run: time, cost, contexts, loops, phases, verdict, files, sub-agents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from oh_tui.text.human import plural
from oh_tui.trajectory.changes import history, touched_files
from oh_tui.trajectory.changes.changes import ChangeLog, changes
from oh_tui.trajectory.context import contexts
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.loops import Loops
from oh_tui.trajectory.findings.phases import phases
from oh_tui.trajectory.findings.review_hints import hints
from oh_tui.trajectory.findings.strip import Strip
from oh_tui.trajectory.findings.sub_agents import UsedBelow, first_message, join, prefix, slots
from oh_tui.trajectory.findings.verdict import Verdict, judge
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import ALL, SubAgent, Trajectory
from oh_tui.trajectory.model.usage import Usage
from oh_tui.trajectory.reading import first_met, known_intents, write_targets

if TYPE_CHECKING:
    from oh_tui.trajectory.changes.history import Files
    from oh_tui.trajectory.changes.touched_files import Label, Part
    from oh_tui.trajectory.context.contexts import Contexts
    from oh_tui.trajectory.findings.phases.phases import Phase, Phases, Spent
    from oh_tui.trajectory.findings.review_hints.hint import Reason
    from oh_tui.trajectory.findings.review_hints.hints import ReviewHints
    from oh_tui.trajectory.reading.first_met import FirstMet
    from oh_tui.trajectory.reading.known_intents import KnownIntents
    from oh_tui.trajectory.reading.write_targets import Targets

READING = 0.005
"""Longest time for changed files in one update while the agent works, in seconds."""

_MOST_NOTES = 3
"""Sub-agents whose notes the line of all of them has."""


class Study:
    """The analysis of a growing run, each part made when asked for; `update` after `extend`."""

    path = ""
    """What the numbers of its steps begin with, of a sub-agent."""
    names: tuple[str, ...] = ()
    """The names of the sub-agents on the way to it, its own last."""

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory

    @property
    def whole(self) -> Study:
        """All branches of its run together; itself for a run without any."""
        return self._whole or self

    @cached_property
    def _whole(self) -> Study | None:  # not itself: what holds itself waits for the collector
        branch = self.trajectory.branch
        return None if branch is None or branch.number == ALL else Study(branch.run)

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.trajectory, None if self.whole is self else self.whole.accounts)

    @cached_property
    def sub_runs(self) -> SubRuns:
        """Its sub-agents, read now; those of a server come later, by `take_sub_agents`."""
        if self.whole is not self:
            self.trajectory.sub_agents = list(_on_branch(self.trajectory, self.whole))
        return SubRuns(self)

    @cached_property
    def verdict(self) -> Verdict:
        return judge(self.trajectory)

    @property
    def loops(self) -> frozenset[int]:
        """Numbers of the steps in loops."""
        return self._loops.steps

    @cached_property
    def _loops(self) -> Loops:
        return Loops(self.trajectory)

    @cached_property
    def workspace(self) -> str:
        """The folder that it is to work in; "" where nothing tells it."""
        return write_targets.workspace_of(self.trajectory)

    @cached_property
    def acts(self) -> KnownIntents:
        """What its own steps do."""
        return known_intents.KnownIntents()

    @cached_property
    def records_edits(self) -> bool:
        """Whether a step is known to write files."""
        of, acts = write_targets.targets_of, self.acts.of
        return any(of(step, acts(step), self.workspace).known for step in self.trajectory.steps)

    @cached_property
    def first_met(self) -> FirstMet:
        """Which files its own steps made."""
        return first_met.FirstMet(self.trajectory, self.acts, self.workspace)

    def targets(self, step: Step) -> Targets:
        """Where one of its own steps writes."""
        acts, number = self.acts.of(step), step.number
        return write_targets.targets_of(
            step,
            acts,
            self.workspace,
            lambda path, is_new: self.first_met.is_own(path, number, is_new),
        )

    @cached_property
    def strip(self) -> Strip:
        strip = Strip(self.trajectory, self.accounts)
        strip.update(self.loops)
        return strip

    @cached_property
    def phases(self) -> Phases:
        """Read when asked for, which takes seconds for a run of 100,000 steps."""
        return phases.Phases(self.trajectory, self.acts)

    @property
    def known_phases(self) -> Phases | None:
        """The phases of a whole run, if something has read them; this property reads nothing."""
        read: Phases | None = vars(self).get("phases") if self.trajectory.complete else None
        return read if read and read.known is not None else None

    def spent(self, phase: Phase) -> Spent:
        return phases.spent(phase, self.accounts, self.strip)

    @cached_property
    def changes(self) -> ChangeLog:
        return changes(self.trajectory)

    @cached_property
    def review_hints(self) -> ReviewHints:
        """Which of its own steps are worth a look; read when asked for."""
        return hints.ReviewHints(self.trajectory, self.changes.churn, self.acts, self.targets)

    def known_hints(self, step: Step) -> tuple[Reason, ...]:
        """Why one of its own steps is worth a look, as far as they are read."""
        read: ReviewHints | None = vars(self).get("review_hints")
        return read.known(step) if read else ()

    def looks(self) -> Iterator[tuple[Label, Reason]]:
        """What is worth a look in it and its sub-agents, with the steps."""
        for run in (self, *self.sub_runs.all()):
            for step, reasons in run.review_hints:
                label = f"{run.path}{step.number}" if run.path else step.number
                for reason in reasons:
                    yield label, reason

    @cached_property
    def contexts(self) -> Contexts:
        """What the model saw at each of its answers."""
        return contexts.Contexts(self.trajectory, self.accounts.listed)

    @cached_property
    def files(self) -> Files:
        """The files that it and its sub-agents edited, at each step; texts are read later."""
        return history.Files(list(_parts(self)))

    @property
    def changes_below(self) -> dict[str, ChangeLog]:
        """Prefix of its steps -> what a sub-agent changed that works in the same folder."""
        shared = {part.prefix for part in self.files.parts}
        return {run.path: run.changes for run in self.sub_runs.all() if run.path in shared}

    @property
    def edited_paths(self) -> set[str]:
        """The keys of the files that it and its sub-agents edited."""
        runs = (self, *self.sub_runs.all())
        return {file.path for run in runs for file in run.changes.files}

    def compute(self) -> Study:
        """Computes all of it, which takes as long as joining the events: use a thread."""
        _ = self.sub_runs, self.verdict, self.strip, self.changes, self.edited_paths
        return self

    def take_sub_agents(self, run: Trajectory, agents: Sequence[SubAgent]) -> None:
        """Adds sub-agents to this run or one below; they replace those with the same names."""
        if self.whole is not self and run is self.trajectory:
            self.whole.take_sub_agents(self.whole.trajectory, agents)
            agents = list(_on_branch(run, self.whole))
        names = {agent.name for agent in agents}
        run.sub_agents = [*(a for a in run.sub_agents if a.name not in names), *agents]
        self.sub_runs = SubRuns(self)
        vars(self).pop("files", None)

    @property
    def part_of_cost(self) -> str:
        """What a branch cost of what all of them did, in words; "" for a run without branches."""
        branch = self.trajectory.branch
        every = self.whole.sub_runs.cost().words
        if branch is None or branch.number == ALL or not every:
            return ""
        return f"this branch {self.sub_runs.cost().words or '$0'} of {every}"

    def update(self) -> None:
        """Adds new events to what is computed; while the agent works changed files get 5 ms."""
        trajectory, computed = self.trajectory, vars(self)
        for name in ("verdict", "workspace", "records_edits", "first_met"):
            computed.pop(name, None)
        if "whole" in computed and self.whole is not self:
            self.whole.update()
        for name in ("accounts", "contexts", "_loops"):
            if name in computed:
                computed[name].update()
        if "sub_runs" in computed:
            self.sub_runs.recount()
        if "strip" in computed:
            self.strip.update(self.loops)
        is_at_work = trajectory.live and trajectory.status == "running"
        for name in ("changes", "files"):
            if name in computed:
                computed[name].update(budget=READING if is_at_work else None)


class SubRun(Study):
    """The run of a sub-agent, with those that it started."""

    usage: str
    """The usage id under which the run that started it has its total; "" when not known."""

    def __init__(self, agent: SubAgent, above: tuple[str, ...] = ()) -> None:
        trajectory, self.note = agent.load()
        super().__init__(trajectory)
        self.name, self.names = agent.name, (*above, agent.name)
        self.needs_id = agent.is_conversation
        self.started_by, self.usage = agent.started_by, agent.usage
        self.step = 0
        """The number of the step that started it; 0 when that is not known."""
        self.path = ""
        """`12.` of the first that step 12 started, `12b.` of the second; `a.` without a step."""

    @property
    def is_settled(self) -> bool:
        """Whether it was not at work when it was read."""
        return not (self.trajectory.live and self.trajectory.status == "running")

    @property
    def has_failed(self) -> bool:
        return self.verdict.word in ("error", "stuck")

    @property
    def total(self) -> Usage:
        return self.sub_runs.total

    @cached_property
    def prompt(self) -> str:
        return first_message(self.trajectory)


class SubRuns(UsedBelow[SubRun]):
    """The sub-agents that a run started, joined with its steps. A step tells the id of the
    sub-agent, or its prompt, which is the first message to it; else the first sub-agent that began
    while the step ran is taken. Reads all of them."""

    def __init__(self, study: Study) -> None:
        self.trajectory = study.trajectory
        runs = [SubRun(agent, study.names) for agent in self.trajectory.sub_agents]
        runs.sort(key=lambda run: run.trajectory.began or 0.0)
        is_any = runs or study.accounts.of_sub_agents
        started = list(slots(self.trajectory.steps)) if is_any else []
        super().__init__(study.accounts, runs, started)
        for run in self.runs:
            step = self.trajectory.step_of(run.started_by) if run.started_by else None
            run.step = step.number if step else 0
        join([run for run in self.runs if not run.step], self._slots)
        for run in self.runs:
            siblings = self._by_step.setdefault(run.step, [])
            siblings.append(run)
            run.path = f"{study.path}{prefix(run.step, len(siblings))}."

    @property
    def delegated(self) -> frozenset[int]:
        """Steps that did no more than start sub-agents whose runs are all here, whole."""
        started = Counter(slot.step.number for slot in self._slots if not slot.needs_id)
        return frozenset(
            number
            for number, count in started.items()
            if count == len(found := self._by_step.get(number, []))
            and all(run.is_settled and not run.note for run in found)
        )

    @property
    def loose(self) -> list[SubRun]:
        """Sub-agents that no step is known to have started."""
        return self._by_step.get(0, [])

    def all(self) -> Iterator[SubRun]:
        """These and all below them."""
        for run in self.runs:
            yield run
            yield from run.sub_runs.all()

    @cached_property
    def failed(self) -> list[SubRun]:
        """Those that failed, at any depth."""
        return [run for run in self.all() if run.has_failed]

    @property
    def note(self) -> str:
        """What is not known of them, on one line, or ""."""
        loose = sum(len(part.loose) for part in (self, *(run.sub_runs for run in self.all())))
        notes = [f"{plural(loose, 'sub-agent')} at the end: no step tells the start"][: bool(loose)]
        notes += [f"sub-agent {run.path[:-1]}: {run.note}" for run in self.all() if run.note]
        rest = len(notes) - _MOST_NOTES
        return "; ".join(notes[:_MOST_NOTES] + ([f"{rest} more"] if rest > 0 else []))


def _on_branch(run: Trajectory, whole: Study) -> Iterator[SubAgent]:
    """The sub-agents that a branch of a run started, and those of which no step tells it."""
    started = {one.name: one.step for one in whole.sub_runs.runs}
    for agent in whole.trajectory.sub_agents:
        number = started.get(agent.name, 0)
        event_id = whole.trajectory.steps[number - 1].event.id if number else ""
        if not number or run.holds(event_id):
            yield agent._replace(started_by=event_id)


def _parts(study: Study, above: Part | None = None, started: int = 0) -> Iterator[Part]:
    """A run and its sub-agents that share its folder, each after the one that started it."""
    part = touched_files.Part(study.changes.touched, study.path, above, started)
    part.delegated = study.sub_runs.delegated
    yield part
    for run in study.sub_runs.runs:
        if not run.needs_id:
            yield from _parts(run, part, run.step)
