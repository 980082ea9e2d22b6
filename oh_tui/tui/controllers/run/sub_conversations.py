"""Parts of a run: enter the run of a sub-agent that a step started and go back, read it to open it
below, or show another branch of a run in which somebody went back, or all of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oh_tui.catalog.file_names import sub_agent_id
from oh_tui.conversation import Conversation, same_id
from oh_tui.sources.server_runs import from_zip
from oh_tui.text.human import plural, size
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.trajectory import ALL, SubAgent, Trajectory
from oh_tui.trajectory.presentation.blocks import links_of
from oh_tui.trajectory.reading.describe import describe_event
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.messages import RunStudied, RunWanted
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.drawing import shorten
from oh_tui.tui.widgets.question_bar import Answer, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oh_tui.sources.results import Loaded
    from oh_tui.sources.source import Source
    from oh_tui.trajectory.model.branches import Branches
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.tui.controllers.run.reader import RunReader
    from oh_tui.tui.state.loaded_runs import Run
    from oh_tui.tui.widgets.timeline import Timeline

MOST = 9
"""Sub-agents or branches that can be chosen by one figure; of more branches the number is asked."""

WHOLE = "z shows the whole step"


class SubConversations(Controller):
    """A sub-agent is a conversation; in files it is named below the run that started it."""

    _steps: Timeline

    # Entering

    def of_step(self) -> dict[str, str]:
        """Ids of the sub-agents that the step under the cursor started -> their tasks, or ""."""
        session, steps = self._session, self._steps
        if session.source is None or session.current is None:
            return {}
        id, is_remote = session.current.id, session.source.remote
        runs = [run for run in steps.sub_runs_here if run.needs_id or not is_remote]
        if runs:
            return {
                run.name if is_remote else sub_agent_id(id, run.names): run.prompt for run in runs
            }
        step = steps.current[0] if steps.current else None
        return dict.fromkeys(links_of(step), "") if step else {}

    async def enter(self, ids: dict[str, str]) -> None:
        """Show the run of a sub-agent, of several a chosen one; `leave` returns from there."""
        session = self._session
        assert session.source is not None
        chosen = next(iter(ids)) if len(ids) == 1 else await self._choose(ids)
        if not chosen:
            return
        with self._ui.reporting():
            with self._ui.preparing("asking for the sub-agent", opens=False):
                child = await _conversation(session.source, chosen)
            if session.current:
                session.trail.append((session.current, child.id))
            self._ui.post_message(RunWanted(child, select=True))

    async def _choose(self, ids: dict[str, str]) -> str:
        answers = []
        for n, (id, asked) in enumerate(list(ids.items())[:MOST], 1):
            task = shorten(safe_line(asked), 24, self._ui.glyphs.more)
            answers.append(Answer(task or f"number {n}", id, str(n)))
        title = f"This step started {len(ids)} sub-agents"
        return await self._ui.ask(Question(title, [], answers, "cancel", harmless=True))

    # Opening in place

    def read_below(self, path: str) -> None:
        """Read the sub-agents of the step under the cursor, and show them below it."""
        steps = self._steps
        step = steps.current[0] if steps.current else None
        run = steps.run_of(step)
        if step is not None and run is not None:
            self._ui.work_on("below", self._read_below, path, run, step, instead=True)

    async def _read_below(self, path: str, run: Trajectory, step: Step) -> None:
        source, current = self._session.source, self._session.current
        shown, ids = self._steps.trajectory, links_of(step)
        assert source is not None
        with self._ui.reporting():
            self._ui.tell("asking for the sub-agent · esc stops", log=False)
            agents: Sequence[SubAgent] = [await self._read(source, id) for id in ids]
            if not ids and source.remote and current:
                agents = await source.remote.sub_agents(current)
            self._ui.tell("", log=False)
            study = self._steps.study
            if study is None or study.trajectory is not shown:
                return
            study.take_sub_agents(run, agents)
            self._ui.post_message(RunStudied(grew=False))
            if not ids and not study.sub_runs.of(step):
                raise Problem("The server keeps no steps of this sub-agent", WHOLE)
            self._steps.open_below(path)

    async def _read(self, source: Source, id: str) -> SubAgent:
        """The run of a conversation. Raises Problem if it cannot be read whole."""
        child = await _conversation(source, id)
        read: Loaded | None = None
        async with contextlib.aclosing(source.runs.load(child)) as loading:
            async for loaded in loading:
                read = loaded if loaded.trajectory else read
                if loaded.total and loaded.loaded < loaded.total:
                    done = f"{loaded.loaded:,} of {plural(loaded.total, 'event')}"
                    self._ui.tell(f"reading the sub-agent: {done} · esc stops", log=False)
        if read is None or read.trajectory is None:
            raise Problem("The sub-agent gave no events", "enter goes into its run")
        if not read.trajectory.complete:
            events = plural(read.total or len(read.trajectory.events), "event")
            raise Problem(
                f"The sub-agent has {events}, too many to open in place", "enter goes into its run"
            )
        found = read.trajectory, read.note
        return SubAgent(id, lambda: found, is_conversation=True)

    # Going back

    def leave(self) -> bool:
        """Return to the run from which a sub-agent was entered; False if there is none."""
        session = self._session
        if not session.trail or not session.in_run:
            return False
        parent, entered = session.trail[-1]
        if session.current is None or not same_id(session.current.id, entered):
            session.trail.clear()  # another run was opened from the list
            return False
        session.trail.pop()
        self._ui.post_message(RunWanted(parent, select=True))
        return True


async def _conversation(source: Source, id: str) -> Conversation:
    """Raises Problem where it is not available."""
    (child,) = await source.get([id])
    if child is None:
        raise Problem("The run of the sub-agent is not available here", WHOLE)
    return child


LEAST = 24
"""Cells of what began a branch at least."""

BESIDE = len("1  ") + 5
"""Cells of an answer beside that, with the gap after it."""

REST = len(" (active)") + len("a  all of them") + len("esc  stay") + 7
"""Cells of the other answers, and of what stands beside one."""


class BranchActions(Controller):
    _reader: RunReader

    @in_worker("ask")
    async def action_choose(self) -> None:
        run = self._session.run
        if run is None:
            raise NotNow("this run is not read yet: enter reads it")
        if not await self._tells_branches(run):
            return
        chosen = await (self._ask if run.branches.count <= MOST else self._ask_number)(run.branches)
        if chosen is not None and run is self._session.run:
            run.branches.choose(chosen)
            await self._reader.show_branch(run)
            source, branch = self._session.source, run.whole.branch
            if source and source.agents and branch and chosen not in (ALL, branch.active):
                self._ui.tell(f"the run goes on with branch {branch.active}: messages go there")

    async def _tells_branches(self, run: Run) -> bool:
        """Raises NotNow without any. Reads the zip where only that says what events follow."""
        source = self._session.holder(run.conversation)
        if source and source.remote and run.wants_parents:
            if not run.whole.complete:
                raise NotNow("no branches are told before all events are read: L reads them")

            def seen(count: int) -> None:
                told = f"reading the zip of the run, {size(count)} · esc stops"
                self._ui.tell(told, log=False)

            with self._ui.reporting(), self._ui.preparing("reading the zip of the run"):
                known = await from_zip.read_parents(source.remote.api, run.conversation, seen)
                if run is not self._session.run:
                    return False
                before = run.trajectory
                run.take_parents(known)
                if run.trajectory is not before:
                    await self._reader.show_branch(run)
            if run.wants_parents:
                return run.whole.branch is not None
        if run.whole.branch is None:
            raise NotNow(_why_none(run.branches, from_file=source is None or not source.remote))
        return True

    async def _ask(self, branches: Branches) -> int | None:
        words = [_began(branches, n) for n in range(1, branches.count + 1)]
        room = _each(words, self._ui.columns - REST - BESIDE * branches.count)
        active = branches.run.branch.active if branches.run.branch else 0
        answers = []
        for n, word in enumerate(words, 1):
            name = shorten(word, room, self._ui.glyphs.more)
            answers.append(Answer(f"{name} (active)" if n == active else name, str(n), str(n)))
        title = f"Show one of {branches.count} branches"
        answers.append(Answer("all of them", str(ALL), "a"))
        answer = await self._ui.ask(Question(title, [], answers, "stay", harmless=True))
        return int(answer) if answer else None

    async def _ask_number(self, branches: Branches) -> int | None:
        title = f"Show one of {branches.count:,} branches, or all"
        typed = await self._ui.prompt("a number or all", "", enter="show", title=title)
        if typed is None or typed.strip() == "all":
            return None if typed is None else ALL
        number = int(typed) if typed.strip().isdecimal() and len(typed) < 10 else 0
        if not 0 < number <= branches.count:
            raise NotNow(f"the branches are 1 to {branches.count:,}")
        return number


def _began(branches: Branches, number: int) -> str:
    event = branches.begin_of(number)
    about = describe_event(event) if event else None
    return (about.result or about.what) if about else "went back"


def _each(words: list[str], room: int) -> int:
    """Cells for each of several words that share the room: what short ones leave goes to others."""
    widths = sorted(map(width_of, words))
    for count, width in zip(range(len(words), 0, -1), widths, strict=True):
        if width * count > room:
            return max(LEAST, room // count)
        room -= width
    return max(LEAST, widths[-1])


def _why_none(branches: Branches, *, from_file: bool) -> str:
    """A file in which no event says what it follows tells of no branches."""
    events = branches.run.events
    if not events or not from_file or any(event.parent_id for event in events):
        return "this run has no branches: nobody went back in it"
    return f"no branches are told: none of its {plural(len(events), 'event')} says what it follows"
