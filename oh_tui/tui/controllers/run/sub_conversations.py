"""Sub-agents: enter the run of one that a step started and go back, or read it to open it below."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oh_tui.catalog.file_names import sub_agent_id
from oh_tui.conversation import same_id
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.trajectory import SubAgent
from oh_tui.trajectory.presentation.blocks import links_of
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import RunStudied, RunWanted
from oh_tui.tui.widgets.drawing import shorten
from oh_tui.tui.widgets.question_bar import Answer, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oh_tui.conversation import Conversation
    from oh_tui.sources.results import Loaded
    from oh_tui.sources.source import Source
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.widgets.timeline import Timeline

MOST = 9
"""How many sub-agents of a step can be chosen from, by one figure each."""

WIDTH = 24
"""Characters of a task in the choice."""

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
            task = shorten(safe_line(asked), WIDTH, self._ui.glyphs.more)
            answers.append(Answer(task or f"number {n}", id, str(n)))
        title = f"This step started {len(ids)} sub-agents"
        return await self._ui.ask(Question(title, [], answers, "none", harmless=True))

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
