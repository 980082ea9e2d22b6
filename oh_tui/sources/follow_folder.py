"""Follows runs in folders that another program may be writing. Nothing is written here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

from oh_tui.conversation import fork_of
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.run_file import RunFile
from oh_tui.trajectory.formats.zip.archive import Archive
from oh_tui.trajectory.formats.zip.folder_members import YOUNG
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory

LOOK = 0.5
"""Seconds between two looks at a followed run. Each look asks for the times of three files."""

COARSE = 2.0
"""Two changes of a folder within this many seconds may have the same time."""

Times = tuple[tuple[float, int], ...]


def folder_of(run: RunFile) -> Archive | None:
    """The run if it is in a folder to which events may be added, else None."""
    return run if isinstance(run, Archive) and run.folder else None


def take_state(run: Trajectory, source: RunFile, *, grows: bool | None = None) -> bool:
    """Sets what the files show about the state: the status of base_state.json on a run whose events
    have none, such as the CLI's, and whether its writer lives or is gone. `grows` says whether the
    folder was seen to grow, if it was watched. Returns whether anything changed."""
    before = _state_of(run)
    status = source.info.get("execution_status")
    if not run.statuses and run.events and isinstance(status, str):
        run.status = status
    run.stats = source.stats
    head = source.info.get("leaf_event_id")
    run.head = head if isinstance(head, str) else ""
    run.fork = fork_of(source.info)
    if (archive := folder_of(source)) and archive.folder:
        is_original = grows is not None or _is_original(archive)
        if grows is None:
            grows = _is_young(archive.folder.written(), YOUNG)
        run.live = is_original and grows
        run.orphaned = is_original and not run.live
    run.cut_off = "" if run.live else source.cut_off
    return _state_of(run) != before


def _state_of(run: Trajectory) -> tuple[object, ...]:
    return run.status, run.live, run.orphaned, run.cut_off, run.stats, run.head, run.fork


def is_at_work(source: Archive) -> bool:
    """Whether the files say that the agent works, and were written lately."""
    return (
        source.folder is not None
        and source.info.get("execution_status") == "running"
        and _is_young(source.folder.written(), YOUNG)
        and _is_original(source)
    )


def _is_young(times: Times, seconds: float) -> bool:
    """Whether the files grew lately. A time in the future proves nothing."""
    return abs(time.time() - max((when for when, _ in times), default=0.0)) <= seconds


def _is_original(source: Archive) -> bool:
    return bool(len(source)) and source.is_original(len(source) - 1)


async def follow(
    source: Archive, trajectory: Trajectory, report: Callable[[Problem | None], None]
) -> AsyncGenerator[list[Event] | None, None]:
    """See `Runs.follow`. A look that finds no change only asks for the times of three files."""
    assert source.folder is not None
    place, is_gone = len(trajectory.events), False
    seen: Times = ()
    grew: float | None = None
    while True:
        changed = False
        now = await asyncio.to_thread(source.folder.written)
        if not now:
            if not is_gone:
                report(Problem("The folder of this run is gone"))
            is_gone = True
        elif is_gone:
            yield None
            return
        elif now != seen or source.is_held_back or _is_young(now, COARSE):
            if not await asyncio.to_thread(source.grow):
                yield None
                return
            changed = now != seen
            if seen and changed:
                grew = time.monotonic()
            seen = now
        if place < len(source):
            news = await asyncio.to_thread(lambda first: list(source.events(first)), place)
            place, changed = place + len(news), True
            yield news
        grows = None if grew is None else time.monotonic() - grew <= YOUNG
        is_over = trajectory.live and not (_is_young(now, YOUNG) if grows is None else grows)
        if not (now and (changed or is_over)):
            pass
        elif await asyncio.to_thread(take_state, trajectory, source, grows=grows):
            yield []
        await asyncio.sleep(LOOK)
