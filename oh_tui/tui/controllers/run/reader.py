"""Reading the run at the right: the newest page, then the rest, then new events while it is
watched."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from oh_tui.catalog.usage_cache import spent_of
from oh_tui.conversation import Conversation, same_id
from oh_tui.sources.results import DOWNLOAD_LIMIT, Loaded
from oh_tui.sources.server_runs.following import news_from_agent
from oh_tui.text.human import plural, rough
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import with_sandbox
from oh_tui.trajectory.model.trajectory import Trajectory, find_step
from oh_tui.tui import silent_runs
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.controllers.run.pace import SHOW_EVERY, Pace
from oh_tui.tui.messages import (
    ConversationChanged,
    FollowingChanged,
    ListsChanged,
    ListsWanted,
    ProgressChanged,
    RunEmpty,
    RunGrew,
    RunLoaded,
    RunRead,
    RunStudied,
)
from oh_tui.tui.remedies import hint_of
from oh_tui.tui.state.hearing import why_not
from oh_tui.tui.state.loaded_runs import Run, landing

if TYPE_CHECKING:
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.tui.widgets.timeline import Timeline

AT_ONCE = 2000
"""Up to this many events a run is analysed before it is shown, in a few hundredths of a second."""

DRAWN = 0.03
"""Seconds for drawing the newest events, from which a thread that reads a file would take half."""

PREVIEW = 2000
"""Up to this many events a run is read as soon as the cursor rests on it."""


class RunReader(Controller):
    """Opens, reads and follows the run at the right."""

    _steps: Timeline
    _reading = object()
    """Identifies the latest reading."""
    _told_at = 0.0
    _opened_at = ""
    """The id of the conversation under the list's cursor when a run was last opened."""

    # Opening

    def preview(self) -> None:
        session = self._session
        conversation = session.cursors.listed if session.cursors else None
        if conversation and not (session.is_open(conversation) or session.is_within(conversation)):
            self.open(conversation, preview=True)

    def catch_up(self) -> None:
        """Show the run under the list's cursor, if the cursor has moved since a run was opened."""
        listed = self._session.listed_id
        if listed and not same_id(listed, self._opened_at):
            self.preview()

    def open(
        self, conversation: Conversation, *, preview: bool = False, wanted: bool = False
    ) -> None:
        """Show a conversation's run. A preview does not count as opened, and reads the run only
        when that is cheap, unless it is `wanted`."""
        session, steps = self._session, self._steps
        self._opened_at = session.listed_id
        run = session.run
        if run and steps.current and steps.trajectory is run.trajectory:  # keep its cursor
            step = run.trajectory.steps[steps.step_here - 1] if run.trajectory.steps else None
            run.event_id = (step.event if step and not steps.show_events else steps.current[1]).id
        before = session.current
        changed = before is None or not same_id(before.id, conversation.id)
        moved = before is not None and not changed and before.has_moved(conversation)
        session.current = conversation
        if changed:
            session.trajectory = None  # no key acts on its steps any more
            for group in ("find", "older", "below", "rules"):  # they belong to the previous run
                self._ui.cancel(group)
        if not preview:
            session.loaded.open(conversation.id)
        self._ui.post_message(ConversationChanged(another=changed))
        if changed or moved or not (session.has_events or session.is_reading):
            self.read(conversation, preview=preview and not wanted)

    # Reading

    def read(self, conversation: Conversation, *, preview: bool = False) -> None:
        """Read a run in the background; a preview only if that is cheap."""
        self._session.reader = "preview" if preview else "reader"
        self._reading = object()  # set now: the cancelled reading may end before the new one begins
        self._ui.work_on("run", self._read, conversation, preview, instead=True)

    def read_again(self) -> None:
        if self._session.current:
            self.read(self._session.current)

    def stop(self) -> bool:
        """Stop reading (Esc); False when nothing is being read."""
        if not self._session.is_reading:
            return False
        self._session.is_reading = False
        if self._ui.at_work("older"):
            self._ui.cancel("older")  # it shows how far it got
        else:
            self._ui.cancel("run")
            self.show_progress("stopped · r reads on")
        return True

    async def _read(self, conversation: Conversation, preview: bool) -> None:
        for group in ("follow", "older"):
            self._ui.cancel(group)
        self._ui.post_message(FollowingChanged())
        ours, cut_off = self._reading, True
        try:
            await self._load(conversation, preview)
            cut_off = False
        finally:
            if self._reading is ours:  # otherwise another reading replaced it
                self._session.reader = None
            self._ui.post_message(RunRead(cut_off=cut_off))

    async def _load(self, conversation: Conversation, preview: bool) -> None:
        session = self._session
        self.show_progress("")
        session.is_reading, session.progress_of = False, object()
        assert session.source is not None
        kept = session.runs.get(conversation.id)
        place, session.open_at = session.open_at, ""
        if kept:
            if kept.trajectory is not session.trajectory:
                self._show(kept, kept.resting)
                await self.study(kept)
            if kept.is_still(conversation) and not session.hearing.lost(conversation):
                self._follow_on(conversation)
                return
        else:
            session.trajectory = None
            self._ui.post_message(RunEmpty("reading the events …"))
        run, whole, lost = kept, False, None
        held, via = (kept.whole, kept.via) if kept else (None, "")

        def say_why(problem: Problem) -> None:
            self._ui.post_message(RunEmpty(*filter(None, [problem.sentence, hint_of(problem)])))

        with self._ui.reporting(say_why, about=f"run {conversation.id}"):
            if preview and not kept and not await self._is_cheap(conversation):
                return
            session.is_reading = True
            async with contextlib.aclosing(
                session.source.runs.load(conversation, held, via)
            ) as loading:
                pace = Pace(self._ui, behind=True)
                self._told_at = 0.0
                async for loaded in loading:
                    lost = lost or loaded.lost
                    run = self.take(conversation, loaded, place)
                    if run and loaded.trajectory is run.whole:
                        await self.study(run)
                        if loaded.loaded < (loaded.total or 0):
                            await asyncio.sleep(DRAWN)
                    await pace.rest()  # a thread that reads a file would take half of a key's time
            whole, hearing = True, session.hearing
            if hearing.lose(lost, conversation) if lost else hearing.heard(conversation):
                self._ui.post_message(ListsChanged())
            if run:
                run.conversation = conversation  # also if no new event came
                if session.loaded.take_forks_of(conversation.id, run.trajectory):
                    self._ui.post_message(ListsChanged())
        session.is_reading = False
        if not whole:
            self.show_progress("broken off · r reads on" if session.has_events else "")
        elif run:
            self._follow_on(conversation)

    async def _is_cheap(self, conversation: Conversation) -> bool:
        """Whether a run may be read without being asked for; if not, show how to ask."""
        source = self._session.source
        assert source is not None
        if not source.remote or conversation.sandbox_status == "RUNNING":
            return True
        if await source.runs.keeps(conversation):
            return True
        total, _ = await source.runs.count_events(conversation)
        events = plural(total, "event")
        if total > DOWNLOAD_LIMIT:
            self._ui.post_message(RunEmpty(events, "enter reads the newest, L then all"))
        elif total > PREVIEW:
            took = f"about {rough(total / 1400)}"
            self._ui.post_message(RunEmpty(f"{events}, {took}", "enter reads them"))
        return total <= PREVIEW

    def take(self, conversation: Conversation, loaded: Loaded, place: str = "") -> Run | None:
        """Show what is loaded. The cursor is placed once, and then stays with its event."""
        session = self._session
        run = session.runs.get(conversation.id)
        if loaded.news is not None:
            if run:
                before = run.trajectory.status, run.trajectory.live
                run.conversation = conversation
                run.whole.live = conversation.sandbox_status == "RUNNING"
                self._take_news(run, loaded.news, before)
                if loaded.note:
                    self._ui.tell(loaded.note)
            return run
        if loaded.trajectory is None:
            if loaded.total and perf_counter() - self._told_at >= SHOW_EVERY:
                self._told_at = perf_counter()
                done = f"{loaded.loaded:,} of {plural(loaded.total, 'event')}"
                self.show_progress(f"reading {done} · esc stops")
            return run
        if run and run.has_more_than(loaded):
            self._show_missing(run, loaded.total)
            return run
        is_first = run is None or bool(place and not run.whole.complete)
        steps = self._steps
        is_at_end = (
            run is not None
            and loaded.trajectory.live
            and session.follow
            and not (steps.range or steps.order)
            and steps.trajectory is run.trajectory
            and steps.cursor >= steps.row_count() - 1
        )
        run = session.runs.take(conversation, loaded)
        step = None
        if is_first:
            run.choose_branch_of(place)
            step = landing(run.trajectory, place)
            if run.whole.complete and place and find_step(run.trajectory, place) is None:
                told = f"this run has no step or event {place}"
                self._ui.tell(told, error=True, holds=lambda: session.is_open(conversation))
        if is_at_end:
            step = len(run.trajectory) - 1  # also follow events that arrived meanwhile
        self._show(run, step)
        self._show_missing(run, loaded.total)
        if loaded.note:
            self._ui.tell(loaded.note)
        return run

    async def study(self, run: Run) -> None:
        """Show the analysis of the run; for a long run a little later than its steps. The
        trajectory must not grow meanwhile: following begins afterwards."""
        trajectory = run.trajectory
        if run.study is None or run.study.trajectory is not trajectory:
            # the files of sub-agents are read with it, and may be long
            if len(trajectory.events) <= AT_ONCE and not trajectory.sub_agents:
                run.study = Study(trajectory).compute()
            else:
                run.study = await asyncio.to_thread(Study(trajectory).compute)
                # Freeze the new objects: scanning them would make a key wait for 0.3 s.
                gc.freeze()
        self._show_study(run)

    def _show_study(self, run: Run, *, grew: bool = False) -> None:
        session = self._session
        if run.study and session.trajectory is run.trajectory:
            verdict = with_sandbox(run.study.verdict, run.conversation.sandbox_status)
            loaded, name = session.loaded, run.conversation.id
            before = loaded.row(name)
            if run.shows_active:
                loaded.take_verdict(name, verdict)
            # sub-conversations are rows of their own, sub-agents of a file are not
            whole = run.study.whole
            below = None if loaded.grouped else whole.sub_runs
            loaded.take_spent(name, spent_of(whole.accounts, below))
            silent_runs.take_event(session, name, run.trajectory)
            now = loaded.row(name)
            if before and now and now.status is not before.status:
                session.reorder_unwatched()
            if before is not now:
                self._ui.post_message(ListsChanged())
            self._ui.post_message(RunStudied(grew=grew))

    def look_at_clock(self) -> None:
        """Find the run silent, if its server answers, and nothing came for long."""
        session = self._session
        current, run = session.current, session.run
        if current is None or run is None or session.hearing.lost(current):
            return
        if silent_runs.take_event(session, current.id, run.trajectory):
            self._ui.post_message(ListsChanged())

    def show_progress(self, words: str) -> None:
        """Show what is being read, or why not everything is; "" when everything is."""
        if self._session.progress != words:
            self._session.progress = words
            self._ui.post_message(ProgressChanged())

    def _show_missing(self, run: Run, total: int | None) -> None:
        events = f"the last {len(run.whole.events):,} of {plural(total or 0, 'event')}"
        is_cut = total and not run.whole.complete
        self.show_progress(f"{events} · L reads all" if is_cut else "")

    def _show(self, run: Run, step: int | None) -> None:
        self._session.trajectory = run.trajectory
        self._ui.post_message(RunLoaded(run, step))

    # Following

    @property
    def is_followed(self) -> bool:
        """Whether new events of the run are awaited."""
        trajectory = self._session.trajectory
        return self._ui.at_work("follow") and trajectory is not None and trajectory.live

    def _follow_on(self, conversation: Conversation) -> None:
        source = self._session.source
        if source and source.runs.may_grow(conversation) and self._session.pane != "wall":
            self.follow(conversation)

    def follow_again(self) -> None:
        """The wall, behind which nothing is followed, is left."""
        current = self._session.current
        if current and self._session.run and self._session.reader is None:
            self._follow_on(current)

    def follow(self, conversation: Conversation) -> None:
        """Add new events as they arrive, until another run is shown."""
        # Pass the id: a worker and its task reference each other, so their arguments live until the
        # next garbage collection.
        self._ui.work_on("follow", self._follow, conversation.id, instead=True)

    async def _follow(self, conversation_id: str) -> None:
        session = self._session
        run = session.runs.get(conversation_id)
        if run is None or session.source is None:
            return
        self._ui.post_message(FollowingChanged())
        held = session.progress

        def report(problem: Problem | None) -> None:
            if problem and session.hearing.lose(problem, run.conversation):
                self._ui.post_message(ListsChanged())
            elif problem is None and session.hearing.heard(run.conversation):
                self._ui.post_message(ListsWanted())
            if session.trajectory is run.trajectory:
                why = problem and (why_not(problem) or problem.sentence)
                self.show_progress(f"no updates: {why} · r reads again" if why else held)
                self._ui.tell(problem.sentence if problem else "the server answers again")

        runs = session.source.runs
        following = runs.follow(run.conversation, run.whole, run.via, report)
        before = run.trajectory.status, run.trajectory.live
        with self._ui.reporting():
            async with contextlib.aclosing(following):
                async for news in following:
                    if news is None:
                        await self._begin_anew(run)
                        return
                    if session.trajectory is not run.trajectory:
                        return
                    if news and session.hearing.heard(run.conversation):  # by the app server
                        self._ui.post_message(ListsChanged())
                    self._take_news(run, news, before)
                    now = run.trajectory
                    if before[1] != now.live:
                        self._ui.post_message(FollowingChanged())
                    before = now.status, now.live

    async def read_last(self, conversation: Conversation) -> None:
        """Read the last events of a run that is held, before its sandbox is paused: an app server
        gets them when that is resumed (measured, app server 1.11.0), and what stopped the agent is
        among them."""
        session = self._session
        run = session.runs.get(conversation.id)
        if run is None or run.via != "agent server" or session.source is None:
            return
        with contextlib.suppress(Problem):  # the pause is what counts
            agents = session.source.holder(conversation).agents
            agent = agents.agent_server(run.conversation) if agents else None
            news = await news_from_agent(agent, run.whole) if agent else None
            if news and session.trajectory is run.trajectory:
                self._take_news(run, news)
            elif news:
                run.branches.extend(news)

    async def _begin_anew(self, run: Run) -> None:
        """Start over: the sandbox was replaced or has another address, or files are others."""
        source, now = self._session.source, run.conversation
        assert source is not None
        run.is_outdated = True
        with contextlib.suppress(Problem):  # when the server is silent the old record stays
            # with an old address and key the whole run would be read again and again
            (found,) = await source.get([now.id])
            now = found or now
        if self._session.trajectory is not run.trajectory:
            return
        if now != run.conversation:
            self._session.take_record(now)
            self._ui.post_message(ConversationChanged())
            self._ui.post_message(ListsWanted())
        self.read(now)

    def _take_news(
        self, run: Run, news: Sequence[Event], before: tuple[str, bool] | None = None
    ) -> None:
        """Add events to the run shown, in place: rebuilding a long one takes twice its memory.
        `before` are its status and whether it was live when it was last drawn."""
        trajectory = run.trajectory
        before, numberings = before or (trajectory.status, trajectory.live), trajectory.numberings
        under = self._steps.current
        changed = run.branches.extend(news)
        if changed is None:  # somebody went back in it
            self._show(run, _step_of(under, run.trajectory))
            self._ui.work_on("branch", self.study, run, instead=True)
            return
        if run.study:
            run.study.update()
        if trajectory.numberings != numberings:  # the rows have been renumbered
            self._show(run, _step_of(under, trajectory))
        else:
            settled = (trajectory.status, trajectory.live) != before
            self._ui.post_message(RunGrew(changed, settled=settled))
        self._show_study(run, grew=True)

    async def show_branch(self, run: Run) -> None:
        self._show(run, _step_of(self._steps.current, run.trajectory))
        await self.study(run)


def _step_of(row: tuple[Step | None, Event] | None, trajectory: Trajectory) -> int:
    """The index of the step of a row in another state of its run; else the last one."""
    step = trajectory.step_of(row[1].id) if row else None
    return step.number - 1 if step else len(trajectory) - 1
