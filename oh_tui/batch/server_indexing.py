"""Indexes the runs of a server: those that are over and not yet indexed, on request also those that
go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from msgspec.structs import replace

from oh_tui.batch.index_reader import TELLS_KEY, Skipped
from oh_tui.batch.stats_rows import about_with_file
from oh_tui.batch.worker import RunFacts
from oh_tui.conversation import Conversation, bare_id
from oh_tui.library.library import Library
from oh_tui.library.records import record_of
from oh_tui.sources.source import Source
from oh_tui.text.human import plural, rough
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.trajectory import Trajectory

CALLS = 3
"""Calls for a run that is not on this machine: its number of events, its last page, its
download."""

TOO_LONG = "it is too long for a download"

CALL_TIME = 0.5
"""Seconds per call, unless the server is paced slower."""


def price(runs: int) -> str:
    """Calls and time it takes to read this many runs that are not on this machine."""
    calls = CALLS * runs
    return f"about {plural(calls, 'call')}, {rough(calls * CALL_TIME)}"


class Plan(NamedTuple):
    address: str
    runs: list[Conversation]
    cached: int
    """How many of them are on this machine."""
    known: int
    """Runs that are indexed already."""
    open: int
    """Runs left out because they may still go on."""
    pace: float
    by_pages: bool
    """A long run takes more calls."""

    @property
    def calls(self) -> int:
        return CALLS * (len(self.runs) - self.cached) + self.cached

    @property
    def seconds(self) -> float:
        return self.calls * max(self.pace, CALL_TIME)


async def plan(source: Source, library: Library, *, live: bool = False) -> Plan:
    """Lists the server. `live` includes runs that may still go on. Marks indexed runs that the
    server no longer has. Raises Problem."""
    address, remote = source.address, source.remote
    # those marked as gone are read again if they are listed again
    places = await asyncio.to_thread(library.places, address)
    runs: list[Conversation] = []
    cached = known = still_open = 0
    seen: set[str] = set()
    is_cut = False
    async for page in source.pages():
        is_cut = is_cut or page.is_cut
        for one in page.items:
            place = place_on(address, one)
            seen.add(place)
            if not (live or is_over(source, one)):
                still_open += 1
            elif is_over(source, one) and places.get(place) == one.updated_at:
                known += 1
            else:
                runs.append(one)
                cached += await source.runs.keeps(one)
    if not is_cut:
        gone = [place for place in places if place not in seen]
        await asyncio.to_thread(library.mark_places_gone, gone)
    pace, by_pages = (remote.api.pace, remote.by_pages) if remote else (0.0, False)
    return Plan(address, runs, cached, known, still_open, pace, by_pages)


async def read(source: Source, library: Library, planned: Plan) -> AsyncIterator[Skipped | None]:
    """Indexes the runs one by one. Yields None for each, or a Skipped with the reason. Raises
    Problem if the server stops answering."""
    for one in planned.runs:
        place = place_on(planned.address, one)
        if is_over(source, one) and source.remote and not await source.remote.hears(one):
            yield Skipped(
                place, "the app server gets none of its events, and would not tell that it went on"
            )
            continue
        run, note = await _whole(source, one)
        if run is None:
            yield Skipped(place, TOO_LONG)
            continue
        # without a time, the entry of an unfinished run never counts as up to date
        row = one if is_over(source, one) else replace(one, updated_at=None)
        yield await asyncio.to_thread(take, library, run, row, planned.address, note)


def take(
    library: Library, run: Trajectory, row: Conversation, address: str, note: str = ""
) -> Skipped | None:
    """Indexes a run; Skipped if it must not be. Raises Problem if the library takes no more."""
    place = place_on(address, row)
    about = replace(about_with_file(RunFacts(row), address), note=note)
    record = record_of(run, about, place=place, home=address, fingerprint=row.updated_at or "")
    if record is None:
        library.drop(place)
        return Skipped(place, TELLS_KEY)
    if not library.put([record]):
        raise Problem(library.trouble or library.why)
    return None


async def _whole(source: Source, conversation: Conversation) -> tuple[Trajectory | None, str]:
    """The run; None if the server gives it only page by page, which costs a call per page."""
    found: Trajectory | None = None
    note = ""
    async for state in source.runs.load(conversation):
        if state.trajectory is not None:
            found, note = state.trajectory, state.note
    return (found, note) if found is not None and found.complete else (None, note)


def is_over(source: Source, row: Conversation) -> bool:
    remote = source.holder(row).remote
    return bool(remote and remote.is_final(row))


def place_on(address: str, conversation: Conversation) -> str:
    return f"{address}#{bare_id(conversation.id)}"
