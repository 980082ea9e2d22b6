"""Screens about whole runs: the files that one changed, time and money, what its model saw, what
leaves where it is shared; and `=`, several compared."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from oh_tui.conversation import Conversation, bare_id, same_id
from oh_tui.sharing import shared_run
from oh_tui.sources import compared
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.changes import touched_files
from oh_tui.trajectory.findings import study as studies
from oh_tui.trajectory.findings import verdict
from oh_tui.trajectory.model.branches import Branches
from oh_tui.trajectory.presentation.block import Failure, Output, Plain
from oh_tui.trajectory.search import step_filter
from oh_tui.tui.controllers.controller import Controller, in_worker, short_title
from oh_tui.tui.messages import StepWanted
from oh_tui.tui.remedies import hint_of
from oh_tui.tui.screens import costs, share
from oh_tui.tui.screens.changes import files_screen
from oh_tui.tui.screens.changes import screen as changes
from oh_tui.tui.screens.comparison import screen
from oh_tui.tui.screens.context import screen as contexts
from oh_tui.tui.state import loaded_runs
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.conversation_list import title_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from textual.screen import Screen

    from oh_tui.sources.source import Source
    from oh_tui.trajectory.changes.touched_files import FilePlace
    from oh_tui.trajectory.findings.study import Study
    from oh_tui.tui.controllers.run.filter import Filter
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline

    View = costs.CostsScreen | files_screen.FilesScreen | contexts.ContextScreen
    from collections.abc import Sequence

    from oh_tui.sources.compared import Compared
    from oh_tui.tui.screens.comparison.screen import CompareScreen

MOST = 100_000
"""Characters of the end of a result in which a line of a file is looked for."""


class Reports(Controller):
    _steps: Timeline
    _bodies: StepDetail
    _run: TargetRun
    _filter: Filter
    _files: files_screen.FilesScreen | None = None
    _context: contexts.ContextScreen | None = None
    _versions: Mapping[str, str] = {}
    """Id of a conversation -> the version of its agent server."""

    def action_changes(self) -> None:
        """Show the files that the run changed; from there the user limits the timeline to a file or
        goes to one of its steps. If the sandbox runs, git is queried while the screen is open."""
        conversation = self._run.show_wanted()
        view = changes.ChangesScreen(title_of(conversation))
        self._open_files(view, conversation)
        self._ui.work_on("git", self._ask_git, view, conversation, instead=True)

    def action_files_then(self) -> None:
        """Show the files as they were after the step under the cursor, of a sub-agent too."""
        conversation = self._run.show_wanted()
        study = self._run.study_of(conversation)
        if study is None or not self._steps.row_count():
            raise NotNow("there is no step here yet: H shows the files as of one")
        self._open_files(self._files_then(conversation, study), conversation)

    def action_blame(self) -> None:
        """Show which step wrote the line of a file that the result names: of those in sight the
        last one that the run edited, else of the whole result."""
        conversation = self._run.show_wanted()
        study = self._run.study_of(conversation)
        if study is None:
            raise NotNow(self._session.no_target)
        paths, result = study.edited_paths, self._bodies.result_view
        whole = "\n".join(
            block.text for block in result.blocks if isinstance(block, Output | Plain | Failure)
        )
        texts = (self._bodies.hit_line, result.text_in_sight, whole[-MOST:])
        place = next(filter(None, (touched_files.last_of(text, paths) for text in texts)), None)
        if place is None:
            raise NotNow("the result names no line of a file that the run edited")
        self._open_files(self._files_then(conversation, study, place), conversation)

    def _files_then(
        self, conversation: Conversation, study: Study, place: FilePlace | None = None
    ) -> changes.FilesThenScreen:
        sub, here = self._steps.sub_step_here, self._steps.step_here
        return changes.FilesThenScreen(
            title_of(conversation),
            sub.path if sub else here,
            place,
            event_id=study.trajectory.steps[here - 1].event.id,
        )

    def _open_files(self, view: files_screen.FilesScreen, conversation: Conversation) -> None:
        def closed(chosen: files_screen.Chosen) -> None:
            self._files = None
            if not chosen or not self._session.is_open(conversation):
                return
            self._ui.focus_pane("timeline")
            what, wanted = chosen
            if isinstance(wanted, int):
                self._ui.post_message(StepWanted(wanted))
            elif what == "step":
                self._steps.go_to_path(wanted)
            else:
                self._filter.set_filter(step_filter.parse(f"path:{step_filter.quoted(wanted)}"))

        self._files = view
        self._push(view, closed, conversation)

    def action_costs(self) -> None:
        """Show time and money spent. Choosing a step there goes to it."""
        conversation = self._run.show_wanted()

        def closed(number: int | None) -> None:
            if number is not None and self._session.is_open(conversation):
                self._ui.post_message(StepWanted(number))

        now = partial(self._session.hearing.now, conversation)
        self._push(costs.CostsScreen(title_of(conversation), now), closed, conversation)

    def action_context(self) -> None:
        """Show what the model saw when it gave the answer that made the step under the cursor, of a
        sub-agent too. Choosing a message there goes to its step."""
        conversation, steps = self._run.show_wanted(), self._steps
        study = self._run.study_of(conversation)
        sub = steps.sub_step_here if study else None
        shown = study.trajectory.steps if study else []
        here = sub.step if sub else shown[steps.step_here - 1] if shown else None

        def closed(number: int | None) -> None:
            self._context = None
            if number is None or not self._session.is_open(conversation):
                return
            self._ui.focus_pane("timeline")
            if sub is None:
                self._ui.post_message(StepWanted(number))
            elif 0 < number <= len(sub.run.trajectory):
                steps.go_to_sub_step(sub.run.trajectory.steps[number - 1])

        view = self._context = contexts.ContextScreen(
            title_of(conversation),
            here.event.id if here else "",
            sub.run if sub else None,
            version=partial(self._version, conversation),
        )
        self._push(view, closed, conversation)

    async def _version(self, conversation: Conversation) -> str:
        """The version of its agent server, asked once; "" if that does not run."""
        holder = self._session.holder(conversation)
        places = holder.workspaces if holder else None
        if places is not None and not self._versions.get(conversation.id):
            version = await places.version(conversation)
            self._versions = {**self._versions, conversation.id: version}
        return self._versions.get(conversation.id, "")

    @in_worker("ask")
    async def action_share(self) -> None:
        """Show what leaves, what of it is to stay, and the file, once the run is read."""
        session, conversation = self._session, self._run.show_wanted()
        with self._ui.preparing(f"reading {short_title(conversation)}"):
            study = await self._run.until_shown(conversation)
            while study and session.reader is not None and session.is_open(conversation):
                await session.run_news.wait()
                study = await self._run.until_shown(conversation)
        if study is None or not study.trajectory.steps:
            raise NotNow("there is no step to share")
        trajectory = study.trajectory
        run = shared_run.SharedRun(
            conversation,
            study,
            list(trajectory.steps),
            kept=session.annotations.of(conversation),
            note="" if trajectory.complete else "older events are not read",
            name=await asyncio.to_thread(_shared_name, session.source, conversation),
            read=trajectory,
            messages=True,
        )

        def saved(path: Path) -> None:
            session.saved = path

        folder, selected = session.settings.download_folder, self._steps.range
        view = share.ShareScreen(run, folder, selected, copy=self._ui.copy, saved=saved)
        self._ui.push_screen(view)

    def run_grew(self) -> None:
        for view in (self._files, self._context):
            if view and view.is_running:
                view.grown()

    def _push(self, view: View, closed: Callable[[Any], None], conversation: Conversation) -> None:
        """Open a view, whose first frame shows what is already known."""
        if study := self._run.study_of(conversation):
            view.show_study(study, self._session.progress)
        screen: Screen[Any] = view
        self._ui.push_screen(screen, closed)
        self._ui.work_on("study", self._show_study, view, conversation, instead=True)

    async def _show_study(self, view: View, conversation: Conversation) -> None:
        """Show the analysis of the run as soon as it exists, and again as the run grows."""
        session = self._session
        while study := await self._run.until_shown(conversation):
            if study is not view.study:
                view.show_study(study, session.progress)
            if session.reader is None:
                return
            await session.run_news.wait()
        view.fail(self._steps.empty[:1] or ("this run could not be read",))

    async def _ask_git(self, view: changes.ChangesScreen, conversation: Conversation) -> None:
        if holder := self._session.holder(conversation):
            places = holder.workspaces
            try:
                changes = await places.git_changes(conversation) if places else None
                git_text = partial(places.git_text, conversation) if places else None
                view.set_git(changes, git_text=git_text)
            except Problem as problem:
                view.set_git(None, problem.sentence)
                return
            study = await self._run.until_shown(conversation)
            run = study.trajectory if study else None
            if places and run and run.complete and run.knows_zone:
                with contextlib.suppress(Problem):  # the list has said what git cannot tell
                    view.set_commits(await places.commits(conversation, run.began))


def _shared_name(source: Source | None, conversation: Conversation) -> str:
    """The id of a run for others; may read the run."""
    name = shared_run.named(source, conversation).id if source else conversation.id
    return bare if len(bare := bare_id(name)) == 32 else safe_line(name)


RUNS = 8
"""Runs that are compared at once."""


class Comparisons(Controller):
    def action_open(self) -> None:
        chosen = self._chosen()
        if len(chosen) < 2:
            raise NotNow("mark another run with space, then = compares it with this one")
        if len(chosen) > RUNS:
            raise NotNow(f"{len(chosen)} runs are marked: at most {RUNS} can be compared")
        self.compare(chosen)

    def compare(self, chosen: Sequence[Conversation], step: int = 0) -> None:
        """Begin at a `step` of the second."""
        view = screen.CompareScreen(len(chosen))
        self._ui.push_screen(view, lambda _: self._ui.cancel("compare"))
        self._ui.work_on("compare", self._compare, view, chosen, step, instead=True)

    def _chosen(self) -> list[Conversation]:
        """The marked runs as listed, one with that of the key; else a fork and its origin."""
        session = self._session
        marked = [c for c in session.conversations if bare_id(c.id) in session.marks]
        order = {row.id: place for place, row in enumerate(session.listed)}
        marked.sort(key=lambda c: order.get(bare_id(c.id), len(order)))
        other = session.target()
        if len(marked) == 1 and other and same_id(other.id, marked[0].id):
            other = session.current  # the cursor may stand on the marked row
        if len(marked) == 1 and other and not same_id(other.id, marked[0].id):
            marked.append(other)
        origin = session.loaded.row(other.origin) if other and other.origin else None
        if not marked and other and origin:
            return [origin.conversation, other]
        return marked

    async def _compare(
        self, view: CompareScreen, chosen: Sequence[Conversation], step: int
    ) -> None:
        """Show all runs, whole; if one cannot be read, why."""
        found: list[Compared] = []
        for place, conversation in enumerate(chosen, 1):
            head = f"reading {place} of {len(chosen)}: {title_of(conversation)}"
            view.tell_progress(f"{head} · esc stops")
            try:
                run = await self._read(view, conversation, head)
            except Problem as problem:
                why = f"{title_of(conversation)}: {problem.sentence}"
                view.tell_progress(why, *filter(None, [hint_of(problem)]))
                return
            if run.study is None or run.study.trajectory is not run.trajectory:
                run.study = await asyncio.to_thread(studies.Study(run.trajectory).compute)
            judged = verdict.with_sandbox(run.study.verdict, conversation.sandbox_status)
            made = await asyncio.to_thread(compared.compared, conversation, run.study, judged)
            found.append(made)
        await view.show_runs(found, step)

    async def _read(
        self, view: CompareScreen, conversation: Conversation, head: str
    ) -> loaded_runs.Run:
        """The run as it was read before, or read now. Raises Problem."""
        session = self._session
        held, is_open = session.runs.get(conversation.id), session.is_open(conversation)
        is_whole = held is not None and held.whole.complete and not held.is_outdated
        if held and is_whole and (is_open or held.is_still(conversation)):
            return held
        source, found = session.source, None
        if source is None:
            raise Problem("You are leaving this server", "compare again when the list is there")
        before = (held.whole, held.via) if held and is_whole else ()
        async with contextlib.aclosing(source.runs.load(conversation, *before)) as states:
            async for state in states:
                if state.trajectory is not None:
                    found = state
                if state.total:
                    events = plural(state.total, "event")
                    view.tell_progress(f"{head}, {state.loaded:,} of {events} · esc stops")
        if found is None and held and is_whole:  # there is nothing new
            return held
        if found is None or found.trajectory is None:
            raise Problem("The run gave no events", "try again")
        if not found.trajectory.complete:
            raise Problem(
                "It is too long to be read at once", "open it, read all of it with L, then compare"
            )
        if is_open:  # its reader has the run that is shown
            return loaded_runs.Run(conversation, Branches(found.trajectory), found.via, found.note)
        return session.runs.take(conversation, found)
