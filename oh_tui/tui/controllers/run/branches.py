"""Showing another branch of a run in which somebody went back, or all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.sources.server_runs import parents
from oh_tui.text.human import plural, size
from oh_tui.trajectory.model.trajectory import ALL
from oh_tui.trajectory.reading.describe import describe_event
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.drawing import shorten
from oh_tui.tui.widgets.question_bar import Answer, Question

if TYPE_CHECKING:
    from oh_tui.trajectory.model.branches import Branches
    from oh_tui.tui.controllers.run.reader import RunReader
    from oh_tui.tui.state.loaded_runs import Run

MOST = 9
"""Branches that can be chosen by one figure; of more the number is asked."""

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
        source = self._session.source
        if source and source.remote and run.wants_parents:
            if not run.whole.complete:
                raise NotNow("no branches are told before all events are read: L reads them")

            def seen(count: int) -> None:
                told = f"reading the zip of the run, {size(count)} · esc stops"
                self._ui.tell(told, log=False)

            with self._ui.reporting(), self._ui.preparing("reading the zip of the run"):
                known = await parents.read_parents(source.remote.api, run.conversation, seen)
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
