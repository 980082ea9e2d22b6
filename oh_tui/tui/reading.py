"""Reading a run onto the screen: the newest page, then all, then what comes while it is watched."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.api.models import Conversation, same_id
from oh_tui.sources import DOWNLOAD_LIMIT, Cost, Loaded, Older, joined
from oh_tui.text.human import plural, rough
from oh_tui.text.problem import Problem
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.analysis.verdict import with_sandbox
from oh_tui.trajectory.model.steps import find_place
from oh_tui.tui import highlight, lists
from oh_tui.tui.runs import Run, landing, why_empty
from oh_tui.tui.widgets.bars import Question
from oh_tui.tui.widgets.drawing import Piece

if TYPE_CHECKING:
    from oh_tui.trajectory.model.events import Event
    from oh_tui.tui.main_screen import MainScreen

AT_ONCE = 2000
"""Events up to which a run is studied while the reader waits, in a few hundredths of a second."""

GROWTH = 1.5
"""How much longer a run that is read page by page has to be than what is shown to be shown anew:
each showing costs as much as all that was read, so that a fixed number would cost the square."""

DRAWN = 0.03
"""Seconds in which the newest events are drawn before the others are read: a thread that reads a
file would take half of the processor from that."""

SILENT = "nothing new comes: the server does not answer · r reads again"
"""Stands above a run that cannot be followed at the moment."""

PREVIEW = 2000
"""Events up to which a run is read just because the cursor rests on it."""


async def read_run(
    screen: MainScreen, conversation: Conversation, *, preview: bool = False
) -> None:
    session = screen.session
    screen.run_view.progress = ""
    screen.run_view.is_reading = False
    screen.run_view.reading_now = object()
    assert session.source is not None
    kept = session.runs.get(conversation.id)
    place, screen.at = screen.at, ""
    if kept:
        if kept.trajectory is not screen.timeline.trajectory:
            show_run(screen, kept, landing(kept.trajectory, kept.event_id))
            await study_run(screen, kept)
        if kept.is_still(conversation):
            return
    else:
        screen.run_view.show_run(None)
        screen.timeline.empty = ("reading the events …",)
    run, whole = kept, False
    held, via = (kept.trajectory, kept.via) if kept else (None, "")
    with screen.reporting(partial(say_in_run, screen)):
        if preview and not kept and not await is_cheap(screen, conversation):
            return
        screen.run_view.is_reading = True
        async with contextlib.aclosing(
            session.source.runs.load(conversation, held, via)
        ) as loading:
            async for loaded in loading:
                run = take_loaded(screen, conversation, loaded, place)
                if run and loaded.trajectory is run.trajectory:
                    await study_run(screen, run)
                    screen.run_shown.set()
                    if loaded.loaded < (loaded.total or 0):
                        await asyncio.sleep(DRAWN)
        whole = True
        if run:
            run.conversation = conversation  # also of one that nothing new came of
    screen.run_view.is_reading = False
    if highlight.is_put_off():
        screen.call_after_refresh(screen.warm_up)
    if not whole:
        screen.run_view.progress = "broken off · r reads on" if screen.timeline.row_count() else ""
    elif run and conversation.sandbox_status in ("RUNNING", "STARTING"):
        screen.follow_run(conversation.id)


async def is_cheap(screen: MainScreen, conversation: Conversation) -> bool:
    """Whether a run may be read without being asked for; if not, says how to ask."""
    session = screen.session
    assert session.source is not None
    if not session.source.remote or conversation.sandbox_status == "RUNNING":
        return True
    if await session.source.runs.keeps(conversation):
        return True
    total, _ = await session.source.runs.count_events(conversation)
    if total <= PREVIEW:
        return True
    if total > DOWNLOAD_LIMIT:
        say_in_run(screen, plural(total, "event"), "enter reads the newest, L then all")
        return False
    say_in_run(screen, f"{plural(total, 'event')}, about {rough(total / 1400)}", "enter reads them")
    return False


def take_loaded(
    screen: MainScreen, conversation: Conversation, loaded: Loaded, place: str = ""
) -> Run | None:
    """Show what came of a run. The cursor lands once; after that it stays with its event."""
    session = screen.session
    run = session.runs.get(conversation.id)
    if loaded.news is not None:
        if run:
            take_news(screen, run, loaded.news)
        return run
    if loaded.trajectory is None:
        if loaded.total:
            done = f"{loaded.loaded:,} of {plural(loaded.total, 'event')}"
            screen.run_view.progress = f"reading {done} · esc stops"
        return run
    if run and run.has_more_than(loaded):
        tell_held(screen, run, loaded.total)
        return run
    step = None
    if run is None or (place and not run.trajectory.complete):
        step = landing(loaded.trajectory, place)
        if loaded.trajectory.complete and place and find_place(loaded.trajectory, place) is None:
            screen.tell(f"this run has no step or event {place}", error=True)
    if run and loaded.trajectory.live and _is_at_end(screen, run):
        step = len(loaded.trajectory) - 1  # also what came in between is followed
    run = session.runs.take(conversation, loaded)
    show_run(screen, run, step)
    tell_held(screen, run, loaded.total)
    if loaded.note:
        screen.tell(loaded.note)
    return run


def _is_at_end(screen: MainScreen, run: Run) -> bool:
    """Whether the cursor keeps to the newest step of a run, and is on it."""
    timeline = screen.timeline
    if not screen.session.follow or timeline.range_from is not None:
        return False
    return timeline.trajectory is run.trajectory and timeline.cursor >= timeline.row_count() - 1


async def study_run(screen: MainScreen, run: Run) -> None:
    """Tell what the run came to; of a long one a little later than its steps. Nothing may be added
    to the trajectory meanwhile: following begins after it."""
    trajectory = run.trajectory
    if run.study is None or run.study.trajectory is not trajectory:
        if len(trajectory.events) <= AT_ONCE:
            run.study = Study(trajectory)
        else:
            run.study = await asyncio.to_thread(Study, trajectory)
            # What was made now stays: sorting through it would cost 0.3 s in the middle of a key.
            gc.freeze()
    tell_study(screen, run)


def tell_study(screen: MainScreen, run: Run) -> None:
    if run.study and screen.timeline.trajectory is run.trajectory:
        screen.run_view.study = run.study
        screen.run_view.note = run.note if run.via == "file" else ""
        screen.search.study_came()
        screen.session.run_news.ring()
        verdict = with_sandbox(run.study.verdict, run.conversation.sandbox_status)
        screen.tell_verdict(run.conversation.id, verdict)


def tell_held(screen: MainScreen, run: Run, total: int | None) -> None:
    held = ""
    if not run.trajectory.complete and total:
        held = f"the last {len(run.trajectory.events):,} of {plural(total, 'event')} · L reads all"
    screen.run_view.progress = held


def show_run(screen: MainScreen, run: Run, step: int | None) -> None:
    if not len(run.trajectory):
        screen.timeline.empty = why_empty(run)
    screen.run_view.via = run.via
    screen.timeline.filtered = None  # its numbers are those of the steps before
    screen.run_view.show_run(run.trajectory, step)
    screen.search.refilter()
    screen.tell_keys()


def say_in_run(screen: MainScreen, *lines: str) -> None:
    screen.timeline.empty = lines
    screen.timeline.refresh()


async def follow_run(screen: MainScreen, run: Run) -> None:
    """New events as they come; ends when the screen turns to another run."""
    with screen.reporting():
        await _follow(screen, run)


async def _follow(screen: MainScreen, run: Run) -> None:
    session = screen.session
    assert session.source is not None
    if not (remote := session.source.remote):
        return
    trajectory = run.trajectory
    screen.tell_following()

    held = screen.run_view.progress

    def told(problem: Problem | None) -> None:
        if screen.timeline.trajectory is trajectory:
            screen.run_view.progress = SILENT if problem else held
            screen.tell(problem.sentence if problem else "it answers again")

    following = remote.follow(run.conversation, trajectory, run.via, told)
    async with contextlib.aclosing(following):
        async for news in following:
            if news is None:
                now = await record_of_now(screen, run.conversation)
                if screen.timeline.trajectory is trajectory:
                    if now != run.conversation:
                        lists.take_record(screen, now)
                        screen.refresh_lists()
                    screen.read_run(now)
                return
            if screen.timeline.trajectory is not trajectory:
                return
            take_news(screen, run, news)


def take_news(screen: MainScreen, run: Run, news: Sequence[Event]) -> None:
    """Add events to the run shown, in place: a long one built anew takes twice its memory."""
    trajectory = run.trajectory
    status, numberings = trajectory.status, trajectory.numberings
    under = screen.timeline.current
    changed = trajectory.extend(news)
    if run.study:
        run.study.update()
    if trajectory.numberings != numberings:  # the rows are no longer those of before
        step = trajectory.step_of(under[1].id) if under else None
        show_run(screen, run, step.number - 1 if step else len(trajectory) - 1)
    else:
        screen.run_view.grown(changed, follow=screen.session.follow)
        screen.search.run_grew(changed)
    tell_study(screen, run)
    screen.reports.run_grew()
    if trajectory.status != status:
        screen.run_view.refresh_outcomes()
        screen.tell_keys()


async def record_of_now(screen: MainScreen, conversation: Conversation) -> Conversation:
    """The record with the address and the key of now, after a resume others than before: with the
    old one the whole run would be read time and again. The old one when the server is silent."""
    session = screen.session
    assert session.source is not None
    with contextlib.suppress(Problem):
        (now,) = await session.source.get([conversation.id])
        return now or conversation
    return conversation


def is_followed(screen: MainScreen) -> bool:
    """Whether new events of the run are waited for."""
    return screen.at_work("follow")


async def load_all(screen: MainScreen) -> None:
    """All events that are not read; where each page costs, after a yes to what it costs."""
    session = screen.session
    run = session.run
    if run is None or session.source is None:
        screen.tell("this run is not read yet: enter reads it")
    elif screen.run_view.is_reading:
        screen.tell("it is being read: esc stops")
    elif run.trajectory.complete:
        screen.tell("all events of this run are read")
    else:
        with screen.reporting():
            with screen.preparing("asking what it takes to read all"):
                cost = await session.source.runs.cost(run.conversation, run.trajectory)
            if not cost.calls:
                screen.read_run(run.conversation)
            elif await screen.ask(_cost_question(cost)) and run is session.run:
                screen.read_older(everything=True)


def _cost_question(cost: Cost) -> Question:
    many = plural(cost.calls, "call")
    took = f"about {rough(cost.seconds)}"
    lines: list[list[Piece]] = [
        [(f"{plural(cost.events, 'event')} in {many}, {took}: ", "key"),
         ("for each call the server reads the whole run.", "")],
        [("Esc stops it, and so does another run. What was read stays, L goes on from it.", "dim")],
    ]  # fmt: skip
    return Question("Read all events", lines, (("enter", "read them", "yes"),))


async def read_older(screen: MainScreen, *, everything: bool = False) -> None:
    """One page before those held, when the cursor is at the top of a run not whole; or all there
    are. What came stays, however it ends."""
    session = screen.session
    run = session.run
    remote = session.source.remote if session.source else None
    if run is None or run.trajectory.complete or remote is None:
        return
    told = screen.run_view.progress
    screen.run_view.progress = "reading older events · " + ("esc stops" if everything else told)
    screen.run_view.is_reading = everything
    began, first = time.monotonic(), len(run.trajectory.events)
    pages: list[Older] = []
    ours = screen.run_view.reading_now = object()
    try:
        with screen.reporting():
            reading = remote.older(run.conversation, run.trajectory, run.via)
            async with contextlib.aclosing(reading) as older:
                async for page in older:
                    pages.append(page)
                    if not everything:
                        break
                    held = len(run.trajectory.events)
                    have = held + sum(len(one.events) for one in pages)
                    if page.complete or have > held * GROWTH:
                        taken, pages = pages, []
                        run = await take_older(screen, run, taken)
                        told = screen.run_view.progress
                    if not page.complete and have > first:
                        took = (time.monotonic() - began) / (have - first)
                        screen.run_view.progress = (
                            f"reading {have:,} of {plural(page.total, 'event')}, "
                            f"about {rough((page.total - have) * took)} left · esc stops"
                        )
    finally:
        # Another reading of the run may have begun before this one heard that it is to end.
        if screen.run_view.reading_now is ours:
            screen.run_view.is_reading = False
            screen.run_view.progress = told
        if pages:
            await take_older(screen, run, pages)


async def take_older(screen: MainScreen, run: Run, pages: list[Older]) -> Run:
    """Put pages before the events that are held, also of a run that was turned away from."""
    session = screen.session
    now = session.runs.get(run.conversation.id) or run
    first = run.trajectory.events[:1]
    base = now if now.trajectory.events[:1] == first else run  # else it was read anew meanwhile
    longer = await asyncio.to_thread(joined, base.trajectory, pages)
    loaded = Loaded(pages[-1].via, longer, len(longer.events), pages[-1].total)
    if not (session.current and same_id(session.current.id, run.conversation.id)):
        return session.runs.take(base.conversation, loaded)
    taken = take_loaded(screen, base.conversation, loaded)
    assert taken is not None
    await study_run(screen, taken)
    if taken.trajectory.live:
        screen.follow_run(taken.conversation.id)  # the events that follow belong to this one now
    return taken
