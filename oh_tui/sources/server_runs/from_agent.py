"""Loading a run from the agent server of its sandbox: the newest page, then all events; and those
before the held ones, page by page, newest first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from msgspec.structs import replace

from oh_tui.api import agent_server
from oh_tui.api.paging import PAGE
from oh_tui.catalog.clocks import clock_of_record
from oh_tui.conversation import Conversation
from oh_tui.sources.results import Loaded, Older
from oh_tui.sources.server_runs.following import news_from_agent
from oh_tui.sources.server_runs.server_stats import read_record
from oh_tui.text.problem import Refused
from oh_tui.trajectory.model.branches import is_rewound
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory, build


async def load_from_agent(
    agent: agent_server.AgentServer,
    conversation: Conversation,
    held: Trajectory | None,
    whole: Trajectory | None,
) -> AsyncGenerator[Loaded, None]:
    """All events, or those after a `whole` run that this server gave before."""
    news: Sequence[Event] | None = None if whole is None else await news_from_agent(agent, whole)
    if whole is None or news is None:
        async for state in _all_from_agent(agent, conversation, held):
            yield state
        return
    if whole.copied_from is not None:
        own, copies = whole.events[: whole.copied_from], whole.events[whole.copied_from :]
        if [event.id for event in copies] == [event.id for event in news[: len(copies)]]:
            whole.copied_from, news = None, news[len(copies) :]
        else:  # they came in another order, or not all of them
            events = [*own, *news]
            whole = await asyncio.to_thread(
                build, events, live=True, stats=whole.stats, clock=whole.clock
            )
            yield Loaded("agent server", whole, len(events), len(events))
            news = ()
    count = len(whole.events) + len(news)
    if news or not whole.live:
        yield Loaded("agent server", None, count, count, news=news)
    told = await read_record(agent) if news or not whole.stats else None
    if told and told.give(whole):
        yield Loaded("agent server", None, count, count, news=())


async def _all_from_agent(
    agent: agent_server.AgentServer, conversation: Conversation, held: Trajectory | None
) -> AsyncGenerator[Loaded, None]:
    """All events, with the held stats until the record is read. Nothing waits for the record;
    when it arrives last, the run is yielded once more."""
    last, run = Loaded("agent server"), None
    stats, fork = (held.stats, held.fork) if held else (b"", None)
    record = asyncio.create_task(read_record(agent))
    try:
        async for state in _events_from_agent(agent, conversation, held):
            if state.trajectory is not None:
                last, run = state, state.trajectory
                run.stats, run.fork = stats, fork
                if record.done() and (told := record.result()):
                    run.stats, run.fork = told.stats or stats, told.fork
            yield state
        told = await record
        if told and run is not None and is_rewound(run, told.head):
            told = await read_record(agent)  # the first one may be older than the last events
    finally:
        record.cancel()
    if told and run is not None and told.is_new(run):
        run = await asyncio.to_thread(
            build,
            list(run.events),
            live=True,
            complete=run.complete,
            clock=run.clock,
        )
        told.give(run)
        yield replace(last, trajectory=run, loaded=len(run.events))


async def _events_from_agent(
    agent: agent_server.AgentServer, conversation: Conversation, held: Trajectory | None
) -> AsyncGenerator[Loaded, None]:
    via = "agent server"
    total = await agent.count_events()
    page = await agent.search_events(sort_order="TIMESTAMP_DESC", limit=PAGE)
    whole = not page.next_page_id
    items = page.items[::-1]
    clock = clock_of_record(conversation, items, whole, held)
    newest = build(items, live=True, complete=whole, clock=clock)
    yield Loaded(via, newest, len(page.items), total, more=not whole)
    if whole:
        return
    events: list[Event] = []
    async for page in agent.events(limit=PAGE).pages():
        events += page.items
        yield Loaded(via, None, len(events), max(total, len(events)))
    clock = clock_of_record(conversation, events, True, held)
    trajectory = await asyncio.to_thread(build, events, live=True, clock=clock)
    yield Loaded(via, trajectory, len(events), len(events))


async def older_from_agent(
    agent: agent_server.AgentServer, trajectory: Trajectory
) -> AsyncGenerator[Older, None]:
    """The pages of the agent server.

    Raises Refused if the server does not know the oldest held event: it then answers with its first
    page (measured).
    """
    cursor: str | None = trajectory.events[0].id
    known = {event.id for event in trajectory.events}
    total = await agent.count_events()
    while cursor:
        page = await agent.search_events(sort_order="TIMESTAMP_DESC", page_id=cursor, limit=PAGE)
        if not page.items or page.items[0].id != cursor or page.next_page_id == cursor:
            raise Refused("The agent server lost its place in the older events", "try again")
        fresh = [event for event in page.items if event.id not in known]
        known.update(event.id for event in fresh)
        cursor = page.next_page_id
        yield Older("agent server", fresh[::-1], total, complete=not cursor)
